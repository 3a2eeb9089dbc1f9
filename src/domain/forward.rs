//! When to send what, and what an answer means. A classifier and a backoff; the requests themselves are the shell's.
//!
//! Only receipts release events ([`super::receipt`]). Everything else that a network can answer, from a captive portal's
//! friendly 200 to a proxy's 502, is a [`Trouble`] with a name, and the backlog waits.

use std::fmt;
use std::time::Duration;

use super::id::{Digest, Sequence};
use super::outbox::{Change, MAX_BATCH, Outbox};
use super::receipt::Receipt;
use super::time::{Deadline, Now, Wall};

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
    Photo { digest: Digest, offset: u64 },
}

/// What came back, with all of HTTP already behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Results {
        results: Vec<Receipt>,
        server_time: Option<Wall>,
    },
    Photo {
        received: u64,
        complete: bool,
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

/// Why nothing gets through, as a person should read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    NoNetwork(String),
    Timeout,
    Tls(String),
    CaptivePortal {
        status: u16,
    },
    AddonMissing,
    ServerError {
        status: u16,
    },
    ClockSkew,
    Unauthorized(String),
    Revoked(String),
    Refused {
        code: String,
        message: String,
    },
    /// The server answered, but its answer fits nothing that was asked.
    Nonsense,
    Local(String),
}

impl Trouble {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Trouble::NoNetwork(_) => "unreachable",
            Trouble::Timeout => "timeout",
            Trouble::Tls(_) => "tls",
            Trouble::CaptivePortal { .. } => "captive_portal",
            Trouble::AddonMissing => "addon_missing",
            Trouble::ServerError { .. } => "server_error",
            Trouble::ClockSkew => "clock_skew",
            Trouble::Unauthorized(_) => "unauthorized",
            Trouble::Revoked(_) => "revoked",
            Trouble::Refused { .. } => "refused",
            Trouble::Nonsense => "nonsense",
            Trouble::Local(_) => "local",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::NoNetwork(detail) => write!(f, "Odoo can't be reached ({detail}). Reports are kept here and sent later."),
            Trouble::Timeout => f.write_str("Odoo did not answer in time. Reports are kept here and sent again."),
            Trouble::Tls(detail) => {
                write!(f, "The server's certificate was not accepted ({detail}). Nothing was sent; check the CA and the clock.")
            }
            Trouble::CaptivePortal { status } => write!(
                f,
                "A web page answered instead of Odoo (HTTP {status}): a captive portal or a proxy. Log this network in; nothing was lost."
            ),
            Trouble::AddonMissing => f.write_str(
                "The server has no Tallyman endpoint (HTML 404): the addon isn't installed there, or another database answered.",
            ),
            Trouble::ServerError { status } => write!(f, "The server failed (HTTP {status}). Reports are kept and sent again."),
            Trouble::ClockSkew => f.write_str("The device's clock was off; it follows the server's time from here on."),
            Trouble::Unauthorized(message) => write!(f, "Odoo doesn't accept this device's key: {message} Enrol it again."),
            Trouble::Revoked(message) => {
                write!(f, "This device was revoked: {message} Everything is kept; ask whoever manages the devices.")
            }
            Trouble::Refused { code, message } => write!(f, "Odoo refused the request ({code}): {message}"),
            Trouble::Nonsense => f.write_str("The server's answer names none of the events sent. They are kept and sent again."),
            Trouble::Local(detail) => write!(f, "The request could not be made: {detail}"),
        }
    }
}

/// What the shell must persist or adjust after an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub changes: Vec<Change>,
    /// The server's own time, from an answer that was the addon's.
    pub server_time: Option<Wall>,
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
        let job = if events.is_empty() {
            let upload = outbox.next_upload(now)?;
            Job::Photo { digest: upload.photo.digest, offset: upload.offset }
        } else {
            Job::Events(events)
        };
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
            Some(Job::Photo { digest, .. }) => self.photo_answered(digest, answer, outbox, now, jitter),
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
            return Outcome { changes, server_time: None };
        }
        self.succeeded(now);
        self.batch = MAX_BATCH.min(self.batch.saturating_mul(2));
        Outcome { changes, server_time }
    }

    fn photo_answered(&mut self, digest: Digest, answer: Answer, outbox: &mut Outbox, now: Now, jitter: u8) -> Outcome {
        match answer {
            Answer::Photo { complete: true, .. } => {
                self.succeeded(now);
                Outcome { changes: outbox.photo_sent(digest).into_iter().collect(), server_time: None }
            }
            Answer::Photo { received, complete: false } => {
                self.succeeded(now);
                outbox.uploads_mut().resume(digest, received);
                outbox.uploads_mut().postpone(digest, "incomplete", now);
                Outcome::default()
            }
            // About this photo alone: the line is fine.
            Answer::Refused(error) if matches!(error.status, 404 | 409 | 413 | 415 | 422) => {
                self.succeeded(now);
                outbox.uploads_mut().resume(digest, error.received.unwrap_or(0));
                outbox.uploads_mut().postpone(digest, &error.message, now);
                Outcome { changes: Vec::new(), server_time: error.server_time }
            }
            Answer::Local { detail } => {
                outbox.uploads_mut().postpone(digest, &detail, now);
                Outcome::default()
            }
            Answer::Results { .. } | Answer::Refused(_) | Answer::NotOurs { .. } | Answer::Unreachable { .. } => {
                self.failed(answer, now, jitter)
            }
        }
    }

    fn failed(&mut self, answer: Answer, now: Now, jitter: u8) -> Outcome {
        let (server_time, hint) = match &answer {
            Answer::Refused(error) => (error.server_time, error.retry_after),
            Answer::Results { .. }
            | Answer::Photo { .. }
            | Answer::NotOurs { .. }
            | Answer::Unreachable { .. }
            | Answer::Local { .. } => (None, None),
        };
        let trouble = classify(answer);
        if trouble == Trouble::ClockSkew && self.trouble != Some(Trouble::ClockSkew) {
            // The offset is corrected by this very answer: try again at once, but only once.
            self.trouble = Some(trouble);
            self.not_before = None;
            return Outcome { changes: Vec::new(), server_time };
        }
        self.revoked = matches!(trouble, Trouble::Revoked(_));
        self.back_off(trouble, hint, now, jitter);
        Outcome { changes: Vec::new(), server_time }
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

fn classify(answer: Answer) -> Trouble {
    match answer {
        Answer::Refused(error) => match (error.status, error.code.as_str()) {
            (401, "clock_skew") => Trouble::ClockSkew,
            (401, _) => Trouble::Unauthorized(error.message),
            (403, "revoked") => Trouble::Revoked(error.message),
            (500.., _) => Trouble::ServerError { status: error.status },
            (_, _) => Trouble::Refused { code: error.code, message: error.message },
        },
        Answer::NotOurs { status: 404, html: true } => Trouble::AddonMissing,
        Answer::NotOurs { status: status @ 500.., .. } => Trouble::ServerError { status },
        Answer::NotOurs { status, .. } => Trouble::CaptivePortal { status },
        Answer::Unreachable { why: Unreachable::Timeout, .. } => Trouble::Timeout,
        Answer::Unreachable { why: Unreachable::Tls, detail } => Trouble::Tls(detail),
        Answer::Unreachable { why: Unreachable::TooLarge, .. } | Answer::Results { .. } | Answer::Photo { .. } => {
            Trouble::Nonsense
        }
        Answer::Unreachable { why: Unreachable::Connect | Unreachable::Broken, detail } => Trouble::NoNetwork(detail),
        Answer::Local { detail } => Trouble::Local(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::{MediaType, Photo};
    use super::super::id::EventId;
    use super::super::outbox::{Entry, State};
    use super::super::policy::Kind;
    use super::super::receipt::Status;
    use super::*;

    const START: Now = Now { boot: Duration::from_secs(1000), wall: Wall(0) };

    fn later(seconds: u64) -> Now {
        Now { boot: START.boot + Duration::from_secs(seconds), wall: Wall(0) }
    }

    fn entry(n: u64) -> Entry {
        Entry {
            sequence: Sequence(n),
            id: EventId::mint(Wall(1), &[n as u8; 10]),
            digest: Digest::of(&n.to_be_bytes()),
            size: 900,
            kind: Kind::PickShortage,
            subject: String::new(),
            captured: Wall(0),
            photos: vec![],
            state: State::FRESH,
        }
    }

    fn setting(events: u64) -> (Forwarder, Outbox) {
        let mut outbox = Outbox::default();
        (1..=events).for_each(|n| outbox.admit(entry(n), &[]));
        (Forwarder::new(Duration::from_secs(60)), outbox)
    }

    fn receipt(n: u64, status: Status) -> Receipt {
        let entry = entry(n);
        Receipt { id: Some(entry.id), digest: entry.digest, status, case: None, missing_evidence: None, error: None }
    }

    fn refused(status: u16, code: &str) -> Answer {
        Answer::Refused(ApiError { status, code: code.into(), ..ApiError::default() })
    }

    /// Every answer that a network can give which is no receipt.
    fn no_receipts() -> Vec<Answer> {
        vec![
            Answer::NotOurs { status: 200, html: true },
            Answer::NotOurs { status: 404, html: true },
            Answer::NotOurs { status: 302, html: false },
            Answer::NotOurs { status: 502, html: true },
            Answer::NotOurs { status: 422, html: false },
            refused(401, "unauthorized"),
            refused(401, "clock_skew"),
            refused(403, "revoked"),
            refused(413, "too_large"),
            refused(422, "hash_mismatch"),
            refused(503, "busy"),
            Answer::Unreachable { why: Unreachable::Connect, detail: String::new() },
            Answer::Unreachable { why: Unreachable::Tls, detail: String::new() },
            Answer::Unreachable { why: Unreachable::TooLarge, detail: String::new() },
            Answer::Photo { received: 1, complete: true },
            Answer::Results { results: vec![], server_time: None },
            Answer::Results { results: vec![receipt(9, Status::Created)], server_time: None },
            Answer::Local { detail: String::new() },
        ]
    }

    #[test]
    fn nothing_but_a_receipt_releases_or_parks() {
        for answer in no_receipts() {
            let (mut forwarder, mut outbox) = setting(1);
            assert!(forwarder.poll_send(&mut outbox, START).is_some());
            let outcome = forwarder.handle_reply(answer.clone(), &mut outbox, START, 0);
            assert_eq!(outcome.changes, [], "{answer:?}");
            let counts = outbox.counts();
            assert_eq!((counts.pending, counts.parked, counts.delivered), (1, 0, 0), "{answer:?}");
            assert!(forwarder.trouble().is_some(), "{answer:?}");
        }
    }

    #[test]
    fn a_portal_and_a_missing_addon_are_called_by_their_names() {
        let code = |answer| {
            let (mut forwarder, mut outbox) = setting(1);
            forwarder.poll_send(&mut outbox, START);
            forwarder.handle_reply(answer, &mut outbox, START, 0);
            forwarder.trouble().unwrap().code()
        };
        assert_eq!(code(Answer::NotOurs { status: 200, html: true }), "captive_portal");
        assert_eq!(code(Answer::NotOurs { status: 302, html: false }), "captive_portal");
        assert_eq!(code(Answer::NotOurs { status: 404, html: true }), "addon_missing");
        assert_eq!(code(Answer::NotOurs { status: 503, html: true }), "server_error");
    }

    #[test]
    fn one_request_at_a_time_and_fifty_events_at_most() {
        let (mut forwarder, mut outbox) = setting(60);
        assert!(matches!(forwarder.poll_send(&mut outbox, START), Some(Job::Events(events)) if events.len() == 50));
        assert_eq!(forwarder.poll_send(&mut outbox, START), None);
        assert_eq!(forwarder.poll_timeout(&outbox, START), None);
    }

    #[test]
    fn waits_double_stay_bounded_and_are_spread() {
        let (mut forwarder, mut outbox) = setting(1);
        let mut now = START;
        let mut waits = vec![];
        for _ in 0..10 {
            forwarder.poll_send(&mut outbox, now);
            let down = Answer::Unreachable { why: Unreachable::Connect, detail: String::new() };
            forwarder.handle_reply(down, &mut outbox, now, 255);
            let wait = forwarder.poll_timeout(&outbox, now).unwrap().remaining(now);
            waits.push(wait.as_millis());
            now.boot += wait;
        }
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
        assert_eq!(waits.first(), Some(&999));
        assert!(waits.last().is_some_and(|&last| last <= 60_000), "{waits:?}");
    }

    #[test]
    fn a_skewed_clock_is_tried_again_at_once_but_not_for_ever() {
        let (mut forwarder, mut outbox) = setting(1);
        let skew = || {
            Answer::Refused(ApiError {
                status: 401,
                code: "clock_skew".into(),
                server_time: Some(Wall(5)),
                ..ApiError::default()
            })
        };
        forwarder.poll_send(&mut outbox, START);
        assert_eq!(forwarder.handle_reply(skew(), &mut outbox, START, 0).server_time, Some(Wall(5)));
        assert!(forwarder.poll_send(&mut outbox, START).is_some());
        forwarder.handle_reply(skew(), &mut outbox, START, 0);
        assert_eq!(forwarder.poll_send(&mut outbox, START), None);
    }

    #[test]
    fn a_revoked_device_stops_and_keeps_everything() {
        let (mut forwarder, mut outbox) = setting(2);
        forwarder.poll_send(&mut outbox, START);
        forwarder.handle_reply(refused(403, "revoked"), &mut outbox, START, 0);
        assert_eq!(forwarder.poll_send(&mut outbox, later(1_000_000)), None);
        assert_eq!(outbox.counts().pending, 2);
    }

    #[test]
    fn a_batch_that_is_too_large_is_halved_down_to_one() {
        let (mut forwarder, mut outbox) = setting(60);
        let mut sizes = vec![];
        for round in 0..8 {
            if let Some(Job::Events(events)) = forwarder.poll_send(&mut outbox, later(round * 1000)) {
                sizes.push(events.len());
                forwarder.handle_reply(refused(413, "too_large"), &mut outbox, later(round * 1000), 0);
            }
        }
        assert_eq!(sizes, [50, 25, 12, 6, 3, 1, 1, 1]);
    }

    #[test]
    fn a_servers_hint_is_clamped() {
        let (mut forwarder, mut outbox) = setting(1);
        forwarder.poll_send(&mut outbox, START);
        let retry_after = Some(Duration::from_secs(1 << 40));
        let busy = ApiError { status: 503, code: "busy".into(), retry_after, ..ApiError::default() };
        forwarder.handle_reply(Answer::Refused(busy), &mut outbox, START, 0);
        assert_eq!(forwarder.poll_timeout(&outbox, START).unwrap().remaining(START), *HINT.end());
    }

    #[test]
    fn a_fresh_report_cuts_the_wait_for_a_network_short() {
        let (mut forwarder, mut outbox) = setting(1);
        for _ in 0..8 {
            forwarder.not_before = None;
            forwarder.poll_send(&mut outbox, START);
            let down = Answer::Unreachable { why: Unreachable::Connect, detail: String::new() };
            forwarder.handle_reply(down, &mut outbox, START, 0);
        }
        forwarder.poke(later(1));
        assert_eq!(forwarder.poll_send(&mut outbox, later(1)), None, "that was just tried");
        forwarder.poke(later(6));
        assert!(forwarder.poll_send(&mut outbox, later(6)).is_some());
    }

    #[test]
    fn a_photo_follows_its_event_and_a_bad_one_holds_up_nobody() {
        let (mut forwarder, mut outbox) = setting(0);
        let photo = |bytes: &[u8]| Photo { digest: Digest::of(bytes), size: 9, media_type: MediaType::Jpeg };
        outbox.admit(Entry { photos: vec![photo(b"a"), photo(b"b")], ..entry(1) }, &[]);
        forwarder.poll_send(&mut outbox, START);
        let results = vec![receipt(1, Status::Created)];
        forwarder.handle_reply(Answer::Results { results, server_time: None }, &mut outbox, START, 0);
        assert_eq!(forwarder.poll_send(&mut outbox, START), Some(Job::Photo { digest: Digest::of(b"a"), offset: 0 }));
        forwarder.handle_reply(refused(422, "hash_mismatch"), &mut outbox, START, 0);
        outbox.admit(entry(2), &[]);
        assert!(matches!(forwarder.poll_send(&mut outbox, START), Some(Job::Events(_))), "events go first");
        let results = vec![receipt(2, Status::Created)];
        forwarder.handle_reply(Answer::Results { results, server_time: None }, &mut outbox, START, 0);
        assert_eq!(forwarder.poll_send(&mut outbox, START), Some(Job::Photo { digest: Digest::of(b"b"), offset: 0 }));
        let sent = forwarder.handle_reply(Answer::Photo { received: 9, complete: true }, &mut outbox, START, 0);
        assert_eq!(sent.changes, [Change::PhotoSent { digest: Digest::of(b"b") }]);
    }
}
