//! Records the two codes of the calibration sheet as one scanner sends them, however its codes are cut by now.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::cli::Failure;
use crate::cli::live::Seen;
use crate::domain::decode::trace::{MAX_STEPS, Step};
use crate::wire::scans_v1::{StepV1, TestedV1};

/// No scanner rests so long inside a code, and no hand is so quick between two.
const APART: Duration = Duration::from_millis(300);
/// A scanner that is set wrongly has its codes cut by silence alone, at the latest after 2 s: until then the end of the
/// second code may still come.
const QUIET: Duration = Duration::from_millis(2500);
/// Somebody who walked away.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came so far, parted where the scanner rested.
#[derive(Debug, Default)]
pub(super) struct Recording {
    codes: Vec<Vec<Step>>,
}

impl Recording {
    /// Adds what one scan was made of. True when a code began with it.
    pub(super) fn add(&mut self, steps: impl Iterator<Item = Step>) -> bool {
        let before = self.codes.len();
        for step in steps {
            match self.codes.last_mut().filter(|_| step.after < APART) {
                Some(code) if code.len() < MAX_STEPS => code.push(step),
                Some(_) => {}
                // Where the first event of a code stands in time says nothing about the code.
                None => self.codes.push(vec![Step { after: Duration::ZERO, ..step }]),
            }
        }
        self.codes.len() > before
    }

    fn is_full(&self) -> bool {
        self.codes.len() >= 2
    }

    pub(super) fn two(mut self) -> Option<[Vec<Step>; 2]> {
        self.codes.truncate(2);
        self.codes.try_into().ok()
    }
}

/// Waits for two codes of `scanner`. `say` talks to the person who scans.
pub(super) async fn record(
    live: &mut mpsc::Receiver<Seen>,
    scanner: &str,
    say: impl Fn(&str),
) -> Result<[Vec<Step>; 2], Failure> {
    let mut recording = Recording::default();
    loop {
        let wait = if recording.is_full() { QUIET } else { PATIENCE };
        match tokio::time::timeout(wait, live.recv()).await {
            Ok(Some(Seen::Scan(scan))) if scan.scanner == scanner => {
                if recording.add(scan.events.iter().filter_map(StepV1::step)) {
                    say(&heard(&recording, &scan));
                }
            }
            Ok(Some(Seen::Scan(scan))) => say(&format!("That came from scanner {:?}, not {scanner:?}.", scan.scanner)),
            Ok(Some(Seen::Hint(words))) => say(&words),
            Ok(None) => return Err(Failure::other("stopped; nothing was changed")),
            Err(_) if recording.is_full() => break,
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                let why =
                    format!("no code came from {scanner:?} for {seconds} s; is it connected? See: tallyman devices");
                return Err(Failure::other(why));
            }
        }
    }
    recording.two().ok_or_else(|| Failure::other("fewer than two codes came"))
}

fn heard(recording: &Recording, scan: &TestedV1) -> String {
    let number = recording.codes.len();
    let next = if number < 2 { "Now scan the other code." } else { "Wait a moment." };
    format!("Code {number}: {}\n{next}", scan.printable)
}
