//! When to send what, and what an answer means. A classifier and a backoff; the requests themselves are the shell's.
//!
//! Only receipts release events ([`super::receipt`]). Everything else that a network can answer, from a captive portal's
//! friendly 200 to a proxy's 502, is a [`Trouble`] with a name, and the backlog waits.

mod trouble;

use std::time::Duration;

use super::clock::Heard;
use super::evidence::Piece;
use super::id::Sequence;
use super::outbox::{Change, MAX_BATCH, Outbox};
use super::receipt::Receipt;
use super::time::{Deadline, Now, Wall};
pub use trouble::Trouble;

const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Nobody stands beside the device when the answer was a refusal of the whole device: don't hammer.
const REFUSED_WAIT: Duration = Duration::from_secs(60);
/// What a server may ask for with Retry-After.
const HINT: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
/// A fresh report may cut a wait short, but not more often than this.
const POKE_AFTER: Duration = Duration::from_secs(5);

/// One request that the shell should make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    Events(Vec<Sequence>),
    /// A piece of a photo, or the question how much of it is there.
    Photo(Piece),
}

/// What came back, with all of HTTP already behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Results {
        results: Vec<Receipt>,
        server_time: Option<Wall>,
    },
    /// What the server has of a photo: after a piece, or because it was asked.
    Photo {
        received: u64,
        complete: bool,
    },
    /// The photo can't be sent any more: its file is gone or damaged.
    PhotoLost {
        why: String,
    },
    /// A JSON error of the API.
    Refused(ApiError),
    /// An answer, but not from the addon.
    NotOurs {
        status: u16,
        html: bool,
    },
    /// No answer.
    Unreachable {
        why: Unreachable,
        detail: String,
    },
    /// The device could not make the request (a photo's file can't be read, ...).
    Local {
        detail: String,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub code: String,
    pub message: String,
    pub server_time: Option<Wall>,
    pub retry_after: Option<Duration>,
    pub received: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    Connect,
    Timeout,
    Tls,
    /// The answer was longer than any answer of ours.
    TooLarge,
    /// The connection broke in the middle.
    Broken,
}

/// What the shell must persist or adjust after an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub changes: Vec<Change>,
    /// The server's own time, from an answer that was the addon's.
    pub heard: Option<Heard>,
}

#[derive(Debug)]
pub struct Forwarder {
    longest_wait: Duration,
    under_way: Option<Job>,
    failures: u32,
    not_before: Option<Deadline>,
    last_try: Option<Duration>,
    batch: usize,
    revoked: bool,
    trouble: Option<Trouble>,
    reached: Option<Duration>,
}

impl Forwarder {
    pub fn new(longest_wait: Duration) -> Forwarder {
        Forwarder {
            longest_wait,
            under_way: None,
            failures: 0,
            not_before: None,
            last_try: None,
            batch: MAX_BATCH,
            revoked: false,
            trouble: None,
            reached: None,
        }
    }

    pub fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// True when the last answer was the addon's.
    pub fn is_online(&self) -> bool {
        self.reached.is_some() && self.trouble.is_none()
    }

    pub fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// The next request, if one is due. Events first: a photo never delays one.
    pub fn poll_send(&mut self, outbox: &mut Outbox, now: Now) -> Option<Job> {
        if self.under_way.is_some() || self.revoked || self.not_before.is_some_and(|at| !at.is_past(now)) {
            return None;
        }
        let events = outbox.lease(self.batch, now);
        let job = if events.is_empty() { Job::Photo(outbox.next_upload(now)?) } else { Job::Events(events) };
        self.last_try = Some(now.boot);
        self.under_way = Some(job.clone());
        Some(job)
    }

    /// When [`Self::poll_send`] is worth asking again; `None` while a request is under way or nothing waits.
    pub fn poll_timeout(&self, outbox: &Outbox, now: Now) -> Option<Deadline> {
        if self.under_way.is_some() || self.revoked {
            return None;
        }
        let due = outbox.next_due(now).into_iter().chain(outbox.next_upload_due(now)).min()?;
        Some(self.not_before.map_or(due, |at| at.max(due)))
    }

    /// A fresh report: worth trying at once, unless that was just tried.
    pub fn poke(&mut self, now: Now) {
        let rested = self.last_try.is_none_or(|at| now.boot.saturating_sub(at) >= POKE_AFTER);
        let waiting_for_network = matches!(self.trouble, Some(Trouble::NoNetwork(_) | Trouble::Timeout));
        if rested && waiting_for_network {
            self.not_before = None;
        }
    }

    /// Takes an event out of the request that is being prepared: it can't be sent.
    pub fn leave_out(&mut self, sequence: Sequence) {
        if let Some(Job::Events(events)) = &mut self.under_way {
            events.retain(|known| *known != sequence);
            if events.is_empty() {
                self.under_way = None;
            }
        }
    }

    /// Takes the answer to the request under way. `jitter` is a random byte.
    pub fn handle_reply(&mut self, answer: Answer, outbox: &mut Outbox, now: Now, jitter: u8) -> Outcome {
        match self.under_way.take() {
            Some(Job::Events(sent)) => self.events_answered(&sent, answer, outbox, now, jitter),
            Some(Job::Photo(piece)) => self.photo_answered(piece, answer, outbox, now, jitter),
            None => Outcome::default(),
        }
    }

    fn events_answered(
        &mut self,
        sent: &[Sequence],
        answer: Answer,
        outbox: &mut Outbox,
        now: Now,
        jitter: u8,
    ) -> Outcome {
        let Answer::Results { results, server_time } = answer else {
            if let Answer::Refused(error) = &answer
                && error.status == 413
            {
                self.batch = (sent.len() / 2).max(1);
            }
            outbox.give_back(sent);
            return self.failed(answer, now, jitter);
        };
        let retry = now.plus(self.wait(jitter));
        let mut named = 0;
        let mut changes = Vec::new();
        for (sequence, receipt) in sent.iter().zip(&results) {
            named += usize::from(outbox.get(*sequence).is_some_and(|entry| receipt.matches(entry.id, entry.digest)));
            changes.extend(outbox.settle(*sequence, receipt, retry));
        }
        // A server that answered fewer results than events leaves the rest leased: they go back.
        outbox.give_back(sent);
        if named == 0 {
            self.back_off(Trouble::Nonsense, None, now, jitter);
            return Outcome { changes, heard: None };
        }
        self.succeeded(now);
        self.batch = MAX_BATCH.min(self.batch.saturating_mul(2));
        Outcome { changes, heard: self.heard(server_time, now) }
    }

    fn photo_answered(&mut self, sent: Piece, answer: Answer, outbox: &mut Outbox, now: Now, jitter: u8) -> Outcome {
        let took = now.boot.saturating_sub(self.last_try.unwrap_or(now.boot));
        let uploads = outbox.uploads_mut();
        match answer {
            // Only the answer to bytes is a receipt.
            Answer::Photo { complete: true, .. } if sent.offset.is_some() => {
                self.succeeded(now);
                uploads.measured(sent.length, took);
                Outcome { changes: outbox.photo_sent(sent.digest).into_iter().collect(), heard: None }
            }
            Answer::Photo { received, .. } => {
                self.succeeded(now);
                if sent.offset.is_some() {
                    uploads.measured(sent.length, took);
                }
                uploads.resume(sent, received, now);
                Outcome::default()
            }
            Answer::PhotoLost { why } => {
                Outcome { changes: outbox.photo_lost(sent.digest, &why).into_iter().collect(), heard: None }
            }
            Answer::Refused(error) if matches!(error.status, 400 | 404 | 409 | 413 | 415 | 422) => {
                // About this photo alone: the line is fine.
                self.succeeded(now);
                outbox.uploads_mut().refused(sent, error.status, error.received, &error.message, now);
                Outcome { changes: Vec::new(), heard: self.heard(error.server_time, now) }
            }
            Answer::NotOurs { status: 413, .. } if sent.length > 0 && uploads.limit(sent.length) => {
                // A proxy that takes only small bodies; smaller pieces pass.
                uploads.restart_at(sent.digest, None);
                Outcome::default()
            }
            Answer::Local { detail } => {
                uploads.postpone(sent.digest, &detail, now);
                Outcome::default()
            }
            // An answer to HEAD has no body that could say why; the answer to bytes has.
            Answer::Refused(error) if sent.offset.is_none() && error.code.is_empty() => {
                uploads.restart_at(sent.digest, Some(0));
                Outcome::default()
            }
            Answer::Results { .. } | Answer::Refused(_) | Answer::NotOurs { .. } | Answer::Unreachable { .. } => {
                if matches!(answer, Answer::NotOurs { .. } | Answer::Unreachable { .. }) && sent.offset.is_some() {
                    // The piece may have arrived, or not.
                    uploads.restart_at(sent.digest, None);
                    uploads.shrink(sent.length);
                }
                self.failed(answer, now, jitter)
            }
        }
    }

    fn failed(&mut self, answer: Answer, now: Now, jitter: u8) -> Outcome {
        let (server_time, hint) = match &answer {
            Answer::Refused(error) => (error.server_time, error.retry_after),
            Answer::Results { .. }
            | Answer::Photo { .. }
            | Answer::PhotoLost { .. }
            | Answer::NotOurs { .. }
            | Answer::Unreachable { .. }
            | Answer::Local { .. } => (None, None),
        };
        let trouble = Trouble::of(answer);
        if trouble == Trouble::ClockSkew && self.trouble != Some(Trouble::ClockSkew) {
            // The offset is corrected by this very answer: try again at once, but only once.
            self.trouble = Some(trouble);
            self.not_before = None;
            return Outcome { changes: Vec::new(), heard: self.heard(server_time, now) };
        }
        self.revoked = matches!(trouble, Trouble::Revoked(_));
        self.back_off(trouble, hint, now, jitter);
        Outcome { changes: Vec::new(), heard: self.heard(server_time, now) }
    }

    fn heard(&self, server_time: Option<Wall>, now: Now) -> Option<Heard> {
        let round_trip = now.boot.saturating_sub(self.last_try?);
        server_time.map(|server| Heard { server, round_trip })
    }

    fn succeeded(&mut self, now: Now) {
        self.failures = 0;
        self.not_before = None;
        self.trouble = None;
        self.reached = Some(now.boot);
    }

    fn back_off(&mut self, trouble: Trouble, hint: Option<Duration>, now: Now, jitter: u8) {
        let refused = matches!(trouble, Trouble::Unauthorized(_) | Trouble::Refused { .. });
        let floor = if refused { REFUSED_WAIT.min(self.longest_wait) } else { Duration::ZERO };
        let asked = hint.map(|hint| hint.clamp(*HINT.start(), *HINT.end()));
        self.not_before = Some(now.plus(asked.unwrap_or_else(|| self.wait(jitter)).max(floor)));
        self.failures = self.failures.saturating_add(1);
        self.trouble = Some(trouble);
    }

    /// Doubles from a second up to the longest wait, spread by a quarter so that a fleet doesn't return in step.
    fn wait(&self, jitter: u8) -> Duration {
        let base = FIRST_WAIT.saturating_mul(1 << self.failures.min(16)).min(self.longest_wait);
        base.mul_f64(0.75 + f64::from(jitter) / 1024.0)
    }
}

#[cfg(test)]
mod tests;
