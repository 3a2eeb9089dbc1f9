//! The loop's part with the scanners: their scans, their states, their tests, and how long it all takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Agent;
use crate::domain::capture::{Feedback, Input};
use crate::domain::decode::decode;
use crate::domain::outbox::Entry;
use crate::domain::view::ScannerView;
use crate::io::clock;
use crate::io::source::Scanned;

impl Agent {
    pub(super) fn tested(&self) -> Arc<AtomicBool> {
        self.tested.clone()
    }

    /// A scan goes to whoever tests the scanners, or else onto the slip.
    pub(super) fn scan(&mut self, scanned: Scanned) {
        let Scanned { mut raw, back } = scanned;
        let trace = std::mem::take(&mut raw.trace);
        let (read, typed) = (raw.at.boot, raw.typed);
        let scan = decode(raw);
        (self.back, self.scanned) = (back, Some((read, typed)));
        if self.testers.is_any(self.turn.now) {
            self.testers.show(scan, trace);
        } else {
            self.input(Input::Scan(scan));
        }
        let (read, kernel) = took(read, typed);
        self.latency.read_to_understood.add(read);
        if let Some(kernel) = kernel {
            self.latency.kernel_to_understood.add(kernel);
        }
    }

    pub(super) fn page(&mut self, input: Input) {
        (self.back, self.scanned) = (None, None);
        self.input(input);
    }

    /// What the operator is told on the page, the scanner tells too where it can and something is wrong.
    pub(super) fn told(&mut self, feedback: &Feedback) {
        tracing::debug!(?feedback, "told the operator");
        match feedback {
            Feedback::NotUnderstood { .. } | Feedback::Refused { .. } => {
                if let Some(back) = &self.back {
                    back.not_taken();
                }
            }
            Feedback::Understood | Feedback::Saved { .. } | Feedback::Matches => {}
        }
    }

    /// Called when a report was handed to the journal: how long ago was the scan that made it?
    pub(super) fn measure_report(&mut self, entry: &Entry) {
        let Some((read, typed)) = self.scanned else { return };
        let (read, kernel) = took(read, typed);
        self.latency.read_to_journal.add(read);
        if let Some(kernel) = kernel {
            self.latency.kernel_to_journal.add(kernel);
        }
        let kernel_us = kernel.map(|took| took.as_micros());
        tracing::debug!(id = %entry.id, read_us = read.as_micros(), ?kernel_us, "handed to the journal");
    }

    /// Somebody begins, goes on with or ends a test. False when too many test already.
    pub(super) fn tester(&mut self, who: &str, stays: bool) -> bool {
        let room = if stays {
            self.testers.stay(who, self.turn.now)
        } else {
            self.testers.leave(who);
            true
        };
        self.look_for_testers();
        room
    }

    /// Lets the readers know whether somebody looks.
    pub(super) fn look_for_testers(&mut self) {
        let testing = self.testers.is_any(self.turn.now);
        if self.tested.swap(testing, Ordering::Relaxed) != testing {
            let words =
                if testing { "a test of the scanners begins: no reports" } else { "the test of the scanners is over" };
            tracing::info!("{words}");
        }
    }

    pub(super) fn scanner_state(&mut self, view: ScannerView) {
        match self.scanners.iter_mut().find(|known| known.name == view.name) {
            Some(known) => *known = view,
            None => self.scanners.push(view),
        }
    }
}

/// Since it was read, and since the kernel saw it.
fn took(read: Duration, typed: Option<Duration>) -> (Duration, Option<Duration>) {
    let now = clock::now().boot;
    (now.saturating_sub(read), typed.map(|typed| now.saturating_sub(typed)))
}
