//! Results in any order and number, and requests that are too much for the server or for something before it.

use super::super::super::outbox::Change;
use super::super::tests::{START, entry, later, receipt, refused, setting};
use super::super::{ApiError, Job};
use super::*;

fn results(results: Vec<Receipt>) -> Answer {
    Answer::Results { results, server_time: None }
}

fn delivered(outcome: &Outcome) -> Vec<u64> {
    let one = |change: &Change| match change {
        Change::Delivered { sequence, .. } => Some(sequence.0),
        Change::Parked { .. } | Change::Returned { .. } | Change::PhotoSent { .. } | Change::PhotoLost { .. } => None,
    };
    outcome.changes.iter().filter_map(one).collect()
}

fn parked(outbox: &Outbox) -> Vec<u64> {
    let parked = outbox.entries().filter(|entry| matches!(entry.state, State::Parked(_)));
    parked.map(|entry| entry.sequence.0).collect()
}

/// Answers each request by its events, until nothing is due any more or `rounds` are over; returns the sizes of requests.
fn talk(
    forwarder: &mut Forwarder,
    outbox: &mut Outbox,
    rounds: u64,
    server: impl Fn(&[Sequence]) -> Answer,
) -> Vec<usize> {
    let (mut now, mut sizes) = (START, vec![]);
    for _ in 0..rounds {
        let Some(due) = forwarder.poll_timeout(outbox, now) else { break };
        now.boot = now.boot.max(due.0) + std::time::Duration::from_millis(1);
        let Some(Job::Events(events)) = forwarder.poll_send(outbox, now) else { break };
        sizes.push(events.len());
        let answer = server(&events);
        forwarder.handle_reply(answer, outbox, now, 0);
    }
    sizes
}

fn all_created(events: &[Sequence]) -> Answer {
    results(events.iter().map(|sequence| receipt(sequence.0, Status::Created)).collect())
}

#[test]
fn a_receipt_counts_wherever_it_stands_in_the_answer() {
    let (mut forwarder, mut outbox) = setting(3);
    forwarder.poll_send(&mut outbox, START);
    let created = |n| receipt(n, Status::Created);
    let outcome = forwarder.handle_reply(
        results(vec![created(9), created(3), created(1), created(3), created(2)]),
        &mut outbox,
        START,
        0,
    );
    assert_eq!(delivered(&outcome), [1, 2, 3]);
    assert_eq!(forwarder.trouble(), None);
}

#[test]
fn what_an_answer_leaves_out_waits_on_its_own_and_comes_again() {
    let (mut forwarder, mut outbox) = setting(3);
    forwarder.poll_send(&mut outbox, START);
    let outcome = forwarder.handle_reply(results(vec![receipt(2, Status::Created)]), &mut outbox, START, 0);
    assert_eq!(delivered(&outcome), [2]);
    assert_eq!(forwarder.poll_send(&mut outbox, START), None, "they are not asked about again at once");
    assert_eq!(forwarder.poll_send(&mut outbox, later(1)), Some(Job::Events(vec![Sequence(1), Sequence(3)])));
}

#[test]
fn an_answer_that_contradicts_itself_decides_nothing() {
    for pair in [[Status::Created, Status::Rejected], [Status::Conflict, Status::Duplicate]] {
        let (mut forwarder, mut outbox) = setting(2);
        forwarder.poll_send(&mut outbox, START);
        let mut said: Vec<Receipt> = pair.iter().map(|status| receipt(1, *status)).collect();
        said.push(receipt(2, Status::Created));
        let outcome = forwarder.handle_reply(results(said), &mut outbox, START, 0);
        assert_eq!(delivered(&outcome), [2], "{pair:?}");
        assert_eq!((outbox.counts().pending, outbox.counts().parked), (1, 0), "{pair:?}");
    }
}

#[test]
fn an_answer_of_many_results_is_read_within_bounds() {
    let (mut forwarder, mut outbox) = setting(1);
    forwarder.poll_send(&mut outbox, START);
    let mut flood = vec![receipt(9, Status::Created); MAX_RESULTS];
    flood.push(receipt(1, Status::Created));
    forwarder.handle_reply(results(flood), &mut outbox, START, 0);
    assert_eq!(outbox.counts().pending, 1);
}

#[test]
fn an_event_that_the_server_defers_comes_again_ever_more_seldom() {
    let (mut forwarder, mut outbox) = setting(1);
    let (mut now, mut pauses) = (START, vec![]);
    for _ in 0..8 {
        let pause = forwarder.poll_timeout(&outbox, now).unwrap().remaining(now);
        now.boot += pause;
        pauses.push(pause.as_millis());
        forwarder.poll_send(&mut outbox, now);
        forwarder.handle_reply(results(vec![receipt(1, Status::Retry)]), &mut outbox, now, 255);
    }
    assert_eq!(pauses, [0, 999, 1998, 3996, 7992, 15984, 31968, 59941]);
}

#[test]
fn a_request_that_is_too_large_is_halved_at_once_and_grows_back_slowly() {
    let (mut forwarder, mut outbox) = setting(100);
    let server = |events: &[Sequence]| if events.len() > 7 { refused(413, "too_large") } else { all_created(events) };
    let sizes = talk(&mut forwarder, &mut outbox, 9, server);
    assert_eq!(sizes, [50, 25, 12, 6, 7, 8, 4, 5, 6]);
    assert!(parked(&outbox).is_empty());
}

#[test]
fn one_event_that_the_addon_calls_too_large_is_parked_with_words_and_the_others_go() {
    let (mut forwarder, mut outbox) = setting(60);
    let server = |events: &[Sequence]| {
        if events.contains(&Sequence(3)) { refused(413, "too_large") } else { all_created(events) }
    };
    talk(&mut forwarder, &mut outbox, 60, server);
    assert_eq!((outbox.counts().pending, outbox.counts().delivered), (0, 59));
    assert_eq!(parked(&outbox), [3]);
    let Some(State::Parked(why)) = outbox.get(Sequence(3)).map(|entry| &entry.state) else { panic!() };
    assert!(why.message.contains("900 bytes") && why.message.contains("queue retry 3"), "{why:?}");
}

#[test]
fn a_limit_above_the_event_is_no_reason_to_park_it() {
    let (mut forwarder, mut outbox) = setting(1);
    let limited = |limit| {
        let error = ApiError { status: 413, code: "too_large".into(), limit: Some(limit), ..ApiError::default() };
        Answer::Refused(error)
    };
    talk(&mut forwarder, &mut outbox, 5, |_| limited(1 << 20));
    assert_eq!((outbox.counts().pending, outbox.counts().parked), (1, 0));
    talk(&mut forwarder, &mut outbox, 5, |_| limited(500));
    assert_eq!(parked(&outbox), [1]);
}

#[test]
fn a_proxy_that_finds_everything_too_large_parks_nothing() {
    let (mut forwarder, mut outbox) = setting(60);
    let sizes = talk(&mut forwarder, &mut outbox, 100, |_| Answer::NotOurs { status: 413, html: true });
    assert_eq!(sizes[..7], [50, 25, 12, 6, 3, 1, 1]);
    assert_eq!((outbox.counts().pending, outbox.counts().parked), (60, 0));
}

#[test]
fn an_event_that_a_proxy_finds_too_large_while_others_pass_is_parked() {
    let (mut forwarder, mut outbox) = setting(60);
    let server = |events: &[Sequence]| {
        let too_large = events.contains(&Sequence(3)) || events.contains(&Sequence(4));
        if too_large { Answer::NotOurs { status: 413, html: true } } else { all_created(events) }
    };
    talk(&mut forwarder, &mut outbox, 200, server);
    assert_eq!(outbox.counts().delivered, 58);
    assert_eq!(parked(&outbox), [3, 4]);
}

/// An Odoo that fails over one report, a firewall that dislikes it, and an addon that calls the call bad.
#[test]
fn one_event_that_spoils_each_request_holds_up_its_document_alone_and_is_never_parked() {
    for spoilt in [
        refused(400, "bad_request"),
        refused(422, "unprocessable"),
        refused(500, "internal"),
        Answer::NotOurs { status: 502, html: true },
        Answer::NotOurs { status: 403, html: true },
        Answer::NotOurs { status: 422, html: false },
    ] {
        let (mut forwarder, mut outbox) = setting(0);
        for n in 1..=80 {
            let subject = if n % 2 == 1 && n <= 5 { "WH/OUT/1".into() } else { format!("WH/OUT/{n}") };
            outbox.admit(Entry { subject: subject.into(), ..entry(n) }, &[]);
        }
        let server = |events: &[Sequence]| {
            if events.contains(&Sequence(3)) { spoilt.clone() } else { all_created(events) }
        };
        talk(&mut forwarder, &mut outbox, 80, server);
        let here: Vec<u64> = outbox.entries().map(|entry| entry.sequence.0).collect();
        assert_eq!(here, [3, 5], "{spoilt:?}");
        assert_eq!(outbox.counts().parked, 0, "{spoilt:?}");
    }
}
