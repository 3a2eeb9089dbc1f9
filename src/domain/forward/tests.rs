//! Every answer that a network can give, and what must and must not follow from it.

use super::super::event::{MediaType, Photo};
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

#[test]
fn a_photo_follows_its_event_and_a_bad_one_holds_up_nobody() {
    let (mut forwarder, mut outbox) = setting(0);
    let photo = |bytes: &[u8]| Photo { digest: Digest::of(bytes), size: 9, media_type: MediaType::Jpeg };
    outbox.admit(Entry { photos: [photo(b"a"), photo(b"b")].into(), ..entry(1) }, &[]);
    forwarder.poll_send(&mut outbox, START);
    let results = vec![receipt(1, Status::Created)];
    forwarder.handle_reply(Answer::Results { results, server_time: None }, &mut outbox, START, 0);
    let piece = |bytes: &[u8]| Job::Photo(Piece { digest: Digest::of(bytes), offset: Some(0), length: 9 });
    assert_eq!(forwarder.poll_send(&mut outbox, START), Some(piece(b"a")));
    forwarder.handle_reply(refused(422, "hash_mismatch"), &mut outbox, START, 0);
    outbox.admit(entry(2), &[]);
    assert!(matches!(forwarder.poll_send(&mut outbox, START), Some(Job::Events(_))), "events go first");
    let results = vec![receipt(2, Status::Created)];
    forwarder.handle_reply(Answer::Results { results, server_time: None }, &mut outbox, START, 0);
    assert_eq!(forwarder.poll_send(&mut outbox, START), Some(piece(b"b")));
    let sent = forwarder.handle_reply(Answer::Photo { received: 9, complete: true }, &mut outbox, START, 0);
    assert_eq!(sent.changes, [Change::PhotoSent { digest: Digest::of(b"b") }]);
}

/// One event that is in Odoo, and its photo of `size` bytes, whose first piece is under way.
fn uploading(size: u64) -> (Forwarder, Outbox, Piece) {
    let (mut forwarder, mut outbox) = setting(0);
    let photo = Photo { digest: Digest::of(b"a"), size, media_type: MediaType::Jpeg };
    outbox.admit(Entry { photos: [photo].into(), ..entry(1) }, &[]);
    forwarder.poll_send(&mut outbox, START);
    let results = vec![receipt(1, Status::Created)];
    forwarder.handle_reply(Answer::Results { results, server_time: None }, &mut outbox, START, 0);
    let piece = piece(&mut forwarder, &mut outbox, START);
    (forwarder, outbox, piece)
}

fn piece(forwarder: &mut Forwarder, outbox: &mut Outbox, now: Now) -> Piece {
    match forwarder.poll_send(outbox, now) {
        Some(Job::Photo(piece)) => piece,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_event_waits_for_one_piece_and_not_for_a_photo() {
    let (mut forwarder, mut outbox, first) = uploading(50 << 20);
    assert!(first.length < 1 << 20, "{first:?}");
    outbox.admit(entry(2), &[]);
    let received = first.length;
    forwarder.handle_reply(Answer::Photo { received, complete: false }, &mut outbox, START, 0);
    assert_eq!(forwarder.poll_send(&mut outbox, START), Some(Job::Events(vec![Sequence(2)])));
    let results = vec![receipt(2, Status::Created)];
    forwarder.handle_reply(Answer::Results { results, server_time: None }, &mut outbox, START, 0);
    assert_eq!(piece(&mut forwarder, &mut outbox, START).offset, Some(received));
}

#[test]
fn after_an_answer_that_never_came_the_server_is_asked_where_it_stands() {
    for broken in [
        Answer::Unreachable { why: Unreachable::Broken, detail: String::new() },
        Answer::Unreachable { why: Unreachable::Timeout, detail: String::new() },
        Answer::NotOurs { status: 502, html: true },
    ] {
        let (mut forwarder, mut outbox, _) = uploading(50 << 20);
        forwarder.handle_reply(broken, &mut outbox, START, 0);
        let question = piece(&mut forwarder, &mut outbox, later(600));
        assert_eq!((question.offset, question.length), (None, 0));
        forwarder.handle_reply(Answer::Photo { received: 777, complete: false }, &mut outbox, later(600), 0);
        assert_eq!(piece(&mut forwarder, &mut outbox, later(600)).offset, Some(777));
    }
}

#[test]
fn an_answer_to_a_question_is_never_taken_for_a_receipt() {
    let (mut forwarder, mut outbox, _) = uploading(9);
    forwarder.handle_reply(Answer::NotOurs { status: 502, html: true }, &mut outbox, START, 0);
    assert_eq!(piece(&mut forwarder, &mut outbox, later(600)).offset, None);
    let outcome = forwarder.handle_reply(Answer::Photo { received: 9, complete: true }, &mut outbox, later(600), 0);
    assert_eq!(outcome.changes, []);
    let end = piece(&mut forwarder, &mut outbox, later(600));
    assert_eq!((end.offset, end.length), (Some(9), 0));
    let outcome = forwarder.handle_reply(Answer::Photo { received: 9, complete: true }, &mut outbox, later(600), 0);
    assert_eq!(outcome.changes, [Change::PhotoSent { digest: Digest::of(b"a") }]);
}

#[test]
fn a_proxy_that_takes_only_small_bodies_gets_small_pieces() {
    for (answer, asks) in [(Answer::NotOurs { status: 413, html: true }, true), (refused(413, "too_large"), false)] {
        let (mut forwarder, mut outbox, first) = uploading(50 << 20);
        forwarder.handle_reply(answer, &mut outbox, START, 0);
        let mut next = piece(&mut forwarder, &mut outbox, START);
        assert_eq!(next.offset.is_none(), asks);
        if asks {
            forwarder.handle_reply(Answer::Photo { received: 0, complete: false }, &mut outbox, START, 0);
            next = piece(&mut forwarder, &mut outbox, START);
        }
        assert_eq!((next.offset, next.length), (Some(0), first.length / 2));
        assert_eq!(forwarder.trouble(), None);
    }
}

#[test]
fn a_refusal_that_a_question_could_not_explain_is_asked_for_with_bytes() {
    let (mut forwarder, mut outbox, _) = uploading(9);
    forwarder.handle_reply(Answer::NotOurs { status: 502, html: true }, &mut outbox, START, 0);
    assert_eq!(piece(&mut forwarder, &mut outbox, later(600)).offset, None);
    forwarder.handle_reply(refused(401, ""), &mut outbox, later(600), 0);
    assert_eq!(piece(&mut forwarder, &mut outbox, later(600)).offset, Some(0));
    forwarder.handle_reply(refused(401, "clock_skew"), &mut outbox, later(600), 0);
    assert_eq!(forwarder.trouble(), Some(&Trouble::ClockSkew));
}

#[test]
fn a_photo_that_is_gone_is_given_up_visibly_and_its_report_settles() {
    let (mut forwarder, mut outbox, _) = uploading(9);
    let why = "its file is gone from this device".to_owned();
    let outcome = forwarder.handle_reply(Answer::PhotoLost { why: why.clone() }, &mut outbox, START, 0);
    assert_eq!(outcome.changes, [Change::PhotoLost { digest: Digest::of(b"a"), why }]);
    assert_eq!((outbox.counts().photos_pending, outbox.counts().photos_lost), (0, 1));
    assert_eq!(outbox.take_settled(), [Sequence(1)]);
    assert_eq!(forwarder.poll_send(&mut outbox, START), None);
}
