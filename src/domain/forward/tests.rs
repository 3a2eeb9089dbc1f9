//! Every answer that a network can give, and what must and must not follow from it.

use super::super::id::{Digest, EventId};
use super::super::outbox::{Entry, State};
use super::super::policy::Kind;
use super::super::receipt::Status;
use super::*;

pub(super) const START: Now = Now { boot: Duration::from_secs(1000), wall: Wall(0) };

pub(super) fn later(seconds: u64) -> Now {
    Now { boot: START.boot + Duration::from_secs(seconds), wall: Wall(0) }
}

pub(super) fn entry(n: u64) -> Entry {
    Entry {
        sequence: Sequence(n),
        id: EventId::mint(Wall(1), &[n as u8; 10]),
        digest: Digest::of(&n.to_be_bytes()),
        size: 900,
        kind: Kind::PickShortage,
        subject: Box::default(),
        captured: Wall(0),
        photos: Box::default(),
        state: State::FRESH,
    }
}

pub(super) fn setting(events: u64) -> (Forwarder, Outbox) {
    let mut outbox = Outbox::default();
    (1..=events).for_each(|n| outbox.admit(entry(n), &[]));
    (Forwarder::new(Duration::from_secs(60)), outbox)
}

pub(super) fn receipt(n: u64, status: Status) -> Receipt {
    let entry = entry(n);
    Receipt { id: Some(entry.id), digest: entry.digest, status, case: None, missing_evidence: None, error: None }
}

pub(super) fn refused(status: u16, code: &str) -> Answer {
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
        refused(400, "bad_request"),
        Answer::NotOurs { status: 413, html: true },
        Answer::Busy { status: 503, retry_after: Duration::from_secs(5) },
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
    assert_eq!(forwarder.handle_reply(skew(), &mut outbox, START, 0).heard.map(|heard| heard.server), Some(Wall(5)));
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
fn a_servers_hint_is_clamped() {
    let (mut forwarder, mut outbox) = setting(1);
    forwarder.poll_send(&mut outbox, START);
    let retry_after = Some(Duration::from_secs(1 << 40));
    let busy = ApiError { status: 503, code: "busy".into(), retry_after, ..ApiError::default() };
    forwarder.handle_reply(Answer::Refused(busy), &mut outbox, START, 0);
    assert_eq!(forwarder.poll_timeout(&outbox, START).unwrap().remaining(START), *breaker::HINT.end());
}

#[test]
fn a_fresh_report_cuts_the_wait_for_a_network_short() {
    let (mut forwarder, mut outbox) = setting(1);
    for _ in 0..8 {
        forwarder.breaker.go_on();
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
fn a_device_that_is_enrolled_again_goes_on_whatever_its_old_key_was_told() {
    let (mut forwarder, mut outbox) = setting(2);
    forwarder.poll_send(&mut outbox, START);
    forwarder.handle_reply(refused(403, "revoked"), &mut outbox, START, 0);
    assert_eq!(forwarder.circuit(), Circuit::Stopped);
    forwarder.enrolled();
    assert_eq!((forwarder.circuit(), forwarder.trouble()), (Circuit::Closed, None));
    assert!(forwarder.poll_send(&mut outbox, START).is_some());
    // The answer to a request that the old key made comes late.
    forwarder.enrolled();
    forwarder.handle_reply(refused(403, "revoked"), &mut outbox, START, 0);
    assert!(forwarder.poll_send(&mut outbox, START).is_some());
    forwarder.handle_reply(refused(403, "revoked"), &mut outbox, START, 0);
    assert_eq!(forwarder.circuit(), Circuit::Stopped, "this one was the new key's");
}
