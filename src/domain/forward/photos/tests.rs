//! Photos follow their events, and whatever happens to them happens to them alone.

use super::super::super::event::{MediaType, Photo};
use super::super::super::id::{Digest, Sequence};
use super::super::super::outbox::{Change, Entry, Outbox};
use super::super::super::receipt::Status;
use super::super::tests::{START, entry, later, receipt, refused, setting};
use super::super::{Job, Trouble};
use super::*;

fn broken(why: Unreachable) -> Answer {
    Answer::Unreachable { why, detail: String::new() }
}

/// What a piece can meet that says nothing about events.
fn about_photos() -> Vec<Answer> {
    vec![
        refused(500, "internal"),
        refused(507, "storage"),
        Answer::NotOurs { status: 403, html: true },
        Answer::NotOurs { status: 404, html: true },
        Answer::NotOurs { status: 405, html: true },
        Answer::NotOurs { status: 502, html: true },
        broken(Unreachable::Timeout),
        broken(Unreachable::Broken),
        broken(Unreachable::TooLarge),
        Answer::Results { results: vec![], server_time: None },
    ]
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
    for answer in
        [broken(Unreachable::Broken), broken(Unreachable::Timeout), Answer::NotOurs { status: 502, html: true }]
    {
        let (mut forwarder, mut outbox, _) = uploading(50 << 20);
        forwarder.handle_reply(answer, &mut outbox, START, 0);
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

#[test]
fn what_takes_no_photo_delays_no_event_and_is_shown() {
    for answer in about_photos() {
        let (mut forwarder, mut outbox, _) = uploading(50 << 20);
        forwarder.handle_reply(answer.clone(), &mut outbox, START, 0);
        assert_eq!((forwarder.trouble(), forwarder.circuit()), (None, super::super::Circuit::Closed), "{answer:?}");
        assert!(outbox.photo_trouble().is_some(), "{answer:?}");
        outbox.admit(entry(2), &[]);
        assert_eq!(forwarder.poll_send(&mut outbox, START), Some(Job::Events(vec![Sequence(2)])), "{answer:?}");
    }
}

#[test]
fn what_would_stop_events_too_counts_for_all() {
    for answer in [
        broken(Unreachable::Connect),
        broken(Unreachable::Tls),
        Answer::NotOurs { status: 200, html: true },
        Answer::NotOurs { status: 302, html: false },
        Answer::NotOurs { status: 511, html: true },
        Answer::Busy { status: 503, retry_after: Duration::from_secs(9) },
        refused(401, "unauthorized"),
        refused(403, "revoked"),
    ] {
        let (mut forwarder, mut outbox, _) = uploading(9);
        forwarder.handle_reply(answer.clone(), &mut outbox, START, 0);
        assert!(forwarder.trouble().is_some(), "{answer:?}");
        outbox.admit(entry(2), &[]);
        assert_eq!(forwarder.poll_send(&mut outbox, START), None, "{answer:?}");
    }
}

/// The requests about photos within `seconds`, when all that carry bytes meet `to_bytes` and questions get a good answer.
fn requests(photos: u32, to_bytes: &Answer, seconds: u64) -> Vec<(u64, Piece)> {
    let (mut forwarder, mut outbox) = setting(0);
    for n in 0..photos {
        let photo = Photo { digest: Digest::of(&n.to_be_bytes()), size: 900_000, media_type: MediaType::Jpeg };
        outbox.admit(Entry { photos: [photo].into(), ..entry(u64::from(n) + 1) }, &[]);
        forwarder.poll_send(&mut outbox, START);
        let results = vec![receipt(u64::from(n) + 1, Status::Created)];
        forwarder.handle_reply(Answer::Results { results, server_time: None }, &mut outbox, START, 0);
    }
    let (mut made, mut now) = (vec![], START);
    while let Some(at) = forwarder.poll_timeout(&outbox, now) {
        now.boot = now.boot.max(at.0);
        let passed = now.boot.saturating_sub(START.boot).as_secs();
        if passed > seconds {
            break;
        }
        let sent = piece(&mut forwarder, &mut outbox, now);
        made.push((passed, sent));
        assert!(made.len() < 10_000, "it runs in a circle");
        let answer =
            if sent.offset.is_none() { Answer::Photo { received: 0, complete: false } } else { to_bytes.clone() };
        forwarder.handle_reply(answer, &mut outbox, now, 128);
    }
    made
}

#[test]
fn a_photo_that_never_gets_through_is_tried_less_and_less() {
    for answer in about_photos() {
        let made = requests(1, &answer, 3600);
        let tries: Vec<u64> = made.iter().filter(|(_, piece)| piece.offset.is_some()).map(|(at, _)| *at).collect();
        let waits: Vec<u64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(waits.is_sorted() && waits.last() > Some(&250), "{answer:?}: {waits:?}");
        assert!((10..40).contains(&made.len()), "{answer:?}: {} requests in an hour", made.len());
    }
}

#[test]
fn where_no_photo_gets_through_not_all_of_them_try_it() {
    for answer in about_photos() {
        let made = requests(500, &answer, 3600);
        assert!(made.len() < 200, "{answer:?}: {} requests in an hour", made.len());
        let bytes: u64 = made.iter().map(|(_, piece)| piece.length).sum();
        assert!(bytes < 4 << 20, "{answer:?}: {bytes} bytes in an hour, for nothing");
    }
}

#[test]
fn one_photo_that_cannot_be_stored_lets_the_others_pass() {
    let (mut forwarder, mut outbox) = setting(0);
    let photo = |bytes: &[u8]| Photo { digest: Digest::of(bytes), size: 9, media_type: MediaType::Jpeg };
    let names: [&[u8]; 4] = [b"a", b"b", b"c", b"d"];
    outbox.admit(Entry { photos: names.map(photo).into(), ..entry(1) }, &[]);
    forwarder.poll_send(&mut outbox, START);
    let results = vec![receipt(1, Status::Created)];
    forwarder.handle_reply(Answer::Results { results, server_time: None }, &mut outbox, START, 0);
    let mut now = START;
    while outbox.counts().photos_pending > 1 {
        now.boot = now.boot.max(forwarder.poll_timeout(&outbox, now).unwrap().0);
        assert!(now.boot - START.boot < Duration::from_secs(60), "they wait for it");
        let answer = match piece(&mut forwarder, &mut outbox, now).digest {
            digest if digest == Digest::of(b"a") => refused(500, "internal"),
            _ => Answer::Photo { received: 9, complete: true },
        };
        forwarder.handle_reply(answer, &mut outbox, now, 0);
    }
    assert!(outbox.upload(Digest::of(b"a")).is_some());
}

#[test]
fn a_photo_whose_answers_are_all_lost_gets_through_without_growing_waits() {
    let (mut forwarder, mut outbox, mut sent) = uploading(200_000);
    let (mut now, mut there) = (START, 0);
    while there < 200_000 {
        there += sent.length;
        forwarder.handle_reply(broken(Unreachable::Timeout), &mut outbox, now, 0);
        now.boot = now.boot.max(forwarder.poll_timeout(&outbox, now).unwrap().0);
        assert_eq!(piece(&mut forwarder, &mut outbox, now).offset, None);
        forwarder.handle_reply(Answer::Photo { received: there, complete: false }, &mut outbox, now, 0);
        sent = piece(&mut forwarder, &mut outbox, now);
        assert_eq!(sent.offset, Some(there));
    }
    assert!(now.boot - START.boot < Duration::from_secs(60), "{:?}", now.boot - START.boot);
}
