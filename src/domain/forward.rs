//! When to send what, and what an answer means. A classifier and a backoff; the requests themselves are the shell's.
//!
//! Only receipts release events ([`super::receipt`]). Everything else that a network can answer, from a captive portal's
//! friendly 200 to a proxy's 502, is a [`Trouble`] with a name, and the backlog waits.

mod breaker;
mod events;
mod photos;
mod trouble;

use std::collections::BTreeMap;
use std::time::Duration;

use super::clock::Heard;
use super::evidence::Piece;
use super::id::Sequence;
use super::outbox::{Change, Outbox};
use super::receipt::Receipt;
use super::time::{Deadline, Now, Wall};
use breaker::Breaker;
pub use trouble::Trouble;

/// Nobody stands beside the device when the answer was a refusal of the whole device: don't hammer.
const REFUSED_WAIT: Duration = Duration::from_secs(60);
/// A fresh report may cut a wait short, but not more often than this.
const POKE_AFTER: Duration = Duration::from_secs(5);
/// A change of the network may, too: an interface that comes and goes makes no more requests than this.
const NETWORK_AFTER: Duration = Duration::from_secs(2);

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
    /// An answer that is not from the addon and asks to wait, as proxies do.
    Busy {
        status: u16,
        retry_after: Duration,
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

impl Answer {
    /// How long the server wants to be left alone.
    fn hint(&self) -> Option<Duration> {
        match self {
            Answer::Refused(error) => error.retry_after,
            Answer::Busy { retry_after, .. } => Some(*retry_after),
            Answer::Results { .. }
            | Answer::Photo { .. }
            | Answer::PhotoLost { .. }
            | Answer::NotOurs { .. }
            | Answer::Unreachable { .. }
            | Answer::Local { .. } => None,
        }
    }

    fn server_time(&self) -> Option<Wall> {
        match self {
            Answer::Refused(error) => error.server_time,
            Answer::Results { server_time, .. } => *server_time,
            Answer::Busy { .. }
            | Answer::Photo { .. }
            | Answer::PhotoLost { .. }
            | Answer::NotOurs { .. }
            | Answer::Unreachable { .. }
            | Answer::Local { .. } => None,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub code: String,
    pub message: String,
    pub server_time: Option<Wall>,
    pub retry_after: Option<Duration>,
    pub received: Option<u64>,
    /// With 413: the most bytes that a request may have.
    pub limit: Option<u64>,
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

/// How the circuit to Odoo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    Closed,
    /// Several requests in a row failed: nothing is sent for a while.
    Open,
    /// One small request tries whether it works again.
    HalfOpen,
    /// The device was revoked: nothing is sent until it is enrolled again.
    Stopped,
}

impl Circuit {
    pub fn name(self) -> &'static str {
        match self {
            Circuit::Closed => "closed",
            Circuit::Open => "open",
            Circuit::HalfOpen => "half_open",
            Circuit::Stopped => "stopped",
        }
    }
}

#[derive(Debug)]
pub struct Forwarder {
    breaker: Breaker,
    /// For photos alone: what takes no photo may take events well.
    photo_breaker: Breaker,
    under_way: Option<Job>,
    last_try: Option<Duration>,
    revoked: bool,
    trouble: Option<Trouble>,
    reached: Option<Duration>,
    /// Events that a proxy found too large when they went alone, and when.
    too_large: BTreeMap<Sequence, Duration>,
    /// The network changed, or the device was enrolled again, while the request under way was made: what becomes of it says
    /// little about the next.
    outdated: bool,
}

impl Forwarder {
    pub fn new(longest_wait: Duration) -> Forwarder {
        Forwarder {
            breaker: Breaker::new(longest_wait),
            photo_breaker: Breaker::new(longest_wait),
            under_way: None,
            last_try: None,
            revoked: false,
            trouble: None,
            reached: None,
            too_large: BTreeMap::new(),
            outdated: false,
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

    pub fn circuit(&self) -> Circuit {
        match (self.revoked, self.breaker.has_tripped(), &self.under_way) {
            (true, _, _) => Circuit::Stopped,
            (false, false, _) => Circuit::Closed,
            (false, true, Some(_)) => Circuit::HalfOpen,
            (false, true, None) => Circuit::Open,
        }
    }

    /// The next request, if one is due. Events first: a photo never delays one.
    pub fn poll_send(&mut self, outbox: &mut Outbox, now: Now) -> Option<Job> {
        if self.under_way.is_some() || self.revoked || !self.breaker.lets_pass(now) {
            return None;
        }
        let events = outbox.lease(self.breaker.batch(), now);
        let job = if !events.is_empty() {
            Job::Events(events)
        } else if self.photo_breaker.lets_pass(now) {
            Job::Photo(outbox.next_upload(now)?)
        } else {
            return None;
        };
        self.last_try = Some(now.boot);
        self.outdated = false;
        self.under_way = Some(job.clone());
        Some(job)
    }

    /// When [`Self::poll_send`] is worth asking again; `None` while a request is under way or nothing waits.
    pub fn poll_timeout(&self, outbox: &Outbox, now: Now) -> Option<Deadline> {
        if self.under_way.is_some() || self.revoked {
            return None;
        }
        let photo = outbox.next_upload_due(now).map(|due| self.photo_breaker.until().map_or(due, |at| at.max(due)));
        let due = outbox.next_due(now).into_iter().chain(photo).min()?;
        Some(self.breaker.until().map_or(due, |at| at.max(due)))
    }

    /// A fresh report: worth trying at once, unless that was just tried.
    pub fn poke(&mut self, now: Now) {
        let rested = self.last_try.is_none_or(|at| now.boot.saturating_sub(at) >= POKE_AFTER);
        let waiting_for_network = matches!(self.trouble, Some(Trouble::NoNetwork(_) | Trouble::Timeout));
        if rested && waiting_for_network {
            self.breaker.go_on();
        }
    }

    /// An interface, an address or a route came or went. Cuts a wait short if that may have been the trouble.
    pub fn network_changed(&mut self, now: Now) {
        self.outdated = self.under_way.is_some();
        let rested = self.last_try.map_or(now.boot, |at| at.saturating_add(NETWORK_AFTER));
        let soon = Deadline(rested.max(now.boot));
        self.photo_breaker.hurry(soon);
        if self.trouble.as_ref().is_some_and(Trouble::is_of_the_network) {
            self.breaker.hurry(soon);
        }
    }

    /// The device was enrolled, perhaps again: what was said to its old key is void.
    pub fn enrolled(&mut self) {
        self.outdated = self.under_way.is_some();
        self.revoked = false;
        if matches!(self.trouble, Some(Trouble::Revoked(_) | Trouble::Unauthorized(_))) {
            self.trouble = None;
        }
        self.breaker.succeeded();
        self.photo_breaker.succeeded();
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

    fn failed(&mut self, answer: Answer, now: Now, jitter: u8) -> Outcome {
        let (heard, hint) = (self.heard(answer.server_time(), now), answer.hint());
        let outcome = Outcome { changes: Vec::new(), heard };
        let trouble = Trouble::of(answer);
        if trouble == Trouble::ClockSkew && self.trouble != Some(Trouble::ClockSkew) {
            // The offset is corrected by this very answer: try again at once, but only once.
            self.trouble = Some(trouble);
            self.breaker.go_on();
            return outcome;
        }
        let outdated = std::mem::take(&mut self.outdated);
        if outdated && matches!(trouble, Trouble::Revoked(_) | Trouble::Unauthorized(_)) {
            return outcome;
        }
        self.revoked = matches!(trouble, Trouble::Revoked(_));
        let again_soon = outdated && trouble.is_of_the_network();
        self.back_off(trouble, hint, now, jitter);
        if again_soon {
            self.breaker.hurry(now.plus(NETWORK_AFTER));
        }
        outcome
    }

    fn heard(&self, server_time: Option<Wall>, now: Now) -> Option<Heard> {
        let round_trip = now.boot.saturating_sub(self.last_try?);
        server_time.map(|server| Heard { server, round_trip })
    }

    fn succeeded(&mut self, now: Now) {
        self.breaker.succeeded();
        self.trouble = None;
        self.reached = Some(now.boot);
    }

    fn back_off(&mut self, trouble: Trouble, hint: Option<Duration>, now: Now, jitter: u8) {
        let refused = matches!(trouble, Trouble::Unauthorized(_) | Trouble::Refused { .. });
        let floor = if refused { REFUSED_WAIT } else { Duration::ZERO };
        self.back_off_for(trouble, hint, floor, now, jitter);
    }

    fn back_off_for(&mut self, trouble: Trouble, hint: Option<Duration>, floor: Duration, now: Now, jitter: u8) {
        self.breaker.failed(hint, floor, now, jitter);
        self.trouble = Some(trouble);
    }
}

#[cfg(test)]
mod tests;
