//! The breaker's states, and what a change of the network may and may not do to them.

use super::super::super::outbox::Outbox;
use super::super::tests::{START, later, receipt, refused, setting};
use super::super::{Answer, Circuit, Forwarder, Job, Unreachable};
use super::*;
use crate::domain::receipt::Status;

fn down() -> Answer {
    Answer::Unreachable { why: Unreachable::Connect, detail: String::new() }
}

/// Sends what is due, and says how many events that were.
fn send(forwarder: &mut Forwarder, outbox: &mut Outbox, now: Now) -> Option<usize> {
    match forwarder.poll_send(outbox, now)? {
        Job::Events(events) => Some(events.len()),
        Job::Photo { .. } => None,
    }
}

/// Fails until the wait has grown to its longest, and returns when that was.
fn fail_long(forwarder: &mut Forwarder, outbox: &mut Outbox) -> Now {
    let mut now = START;
    for _ in 0..10 {
        now.boot += forwarder.poll_timeout(outbox, now).unwrap().remaining(now);
        assert!(send(forwarder, outbox, now).is_some());
        forwarder.handle_reply(down(), outbox, now, 255);
    }
    now
}

fn waits(forwarder: &Forwarder, outbox: &Outbox, now: Now) -> Duration {
    forwarder.poll_timeout(outbox, now).unwrap().remaining(now)
}

#[test]
fn after_three_failures_a_single_event_probes_and_a_success_lets_the_batch_grow_again() {
    let (mut forwarder, mut outbox) = setting(200);
    let (mut now, mut sizes, mut circuits) = (START, vec![], vec![]);
    for round in 0..10 {
        now.boot += forwarder.poll_timeout(&outbox, now).unwrap().remaining(now);
        let Some(Job::Events(events)) = forwarder.poll_send(&mut outbox, now) else { panic!("nothing is due") };
        sizes.push(events.len());
        circuits.push(forwarder.circuit());
        let results = events.iter().map(|sequence| receipt(sequence.0, Status::Created)).collect();
        let good = Answer::Results { results, server_time: None };
        forwarder.handle_reply(if round < 4 { down() } else { good }, &mut outbox, now, 0);
        circuits.push(forwarder.circuit());
    }
    assert_eq!(sizes, [50, 50, 50, 1, 1, 2, 4, 8, 16, 32]);
    let (closed, open, half) = (Circuit::Closed, Circuit::Open, Circuit::HalfOpen);
    assert_eq!(circuits[..11], [closed, closed, closed, closed, closed, open, half, open, half, closed, closed]);
}

#[test]
fn a_batch_that_timed_out_grows_slowly_beyond_what_went_well() {
    let (mut forwarder, mut outbox) = setting(200);
    let mut sizes = vec![];
    for round in 0..6 {
        let Some(Job::Events(events)) = forwarder.poll_send(&mut outbox, later(round * 100)) else { panic!() };
        sizes.push(events.len());
        let results = events.iter().map(|sequence| receipt(sequence.0, Status::Created)).collect();
        let slow = Answer::Unreachable { why: Unreachable::Timeout, detail: String::new() };
        let good = Answer::Results { results, server_time: None };
        forwarder.handle_reply(if round == 0 { slow } else { good }, &mut outbox, later(round * 100), 0);
    }
    assert_eq!(sizes, [50, 25, 26, 27, 28, 29]);
}

#[test]
fn a_changed_network_cuts_a_long_wait_short_and_later_waits_begin_short_again() {
    let (mut forwarder, mut outbox) = setting(1);
    let now = fail_long(&mut forwarder, &mut outbox);
    assert!(waits(&forwarder, &outbox, now) > Duration::from_secs(50));
    let soon = Now { boot: now.boot + Duration::from_secs(3), ..now };
    forwarder.network_changed(soon);
    assert_eq!(waits(&forwarder, &outbox, soon), Duration::ZERO);
    send(&mut forwarder, &mut outbox, soon);
    forwarder.handle_reply(down(), &mut outbox, soon, 255);
    assert!(waits(&forwarder, &outbox, soon) < Duration::from_secs(10));
}

#[test]
fn an_interface_that_flaps_makes_a_request_every_two_seconds_at_most() {
    let (mut forwarder, mut outbox) = setting(1);
    let mut now = fail_long(&mut forwarder, &mut outbox);
    let (start, mut requests) = (now.boot, 0);
    for _ in 0..600 {
        now.boot += Duration::from_millis(100);
        forwarder.network_changed(now);
        if send(&mut forwarder, &mut outbox, now).is_some() {
            requests += 1;
            forwarder.handle_reply(down(), &mut outbox, now, 255);
        }
    }
    assert_eq!(now.boot.checked_sub(start), Some(Duration::from_secs(60)));
    assert!((25..=30).contains(&requests), "{requests} requests in a minute");
}

#[test]
fn a_change_while_a_request_is_under_way_is_remembered_when_it_fails() {
    let (mut forwarder, mut outbox) = setting(1);
    let mut now = fail_long(&mut forwarder, &mut outbox);
    now.boot += Duration::from_secs(100);
    send(&mut forwarder, &mut outbox, now);
    forwarder.network_changed(now);
    forwarder.handle_reply(down(), &mut outbox, now, 255);
    assert!(waits(&forwarder, &outbox, now) <= Duration::from_secs(2));
}

#[test]
fn a_network_cures_no_refusal_and_no_servers_wish() {
    let busy = Answer::Busy { status: 503, retry_after: Duration::from_secs(40) };
    for answer in [refused(401, "unauthorized"), refused(403, "device_locked"), busy, refused(500, "internal")] {
        let (mut forwarder, mut outbox) = setting(3);
        send(&mut forwarder, &mut outbox, START);
        forwarder.handle_reply(answer.clone(), &mut outbox, START, 0);
        let before = waits(&forwarder, &outbox, START);
        forwarder.network_changed(START);
        assert_eq!(waits(&forwarder, &outbox, START), before, "{answer:?}");
        assert!(before > Duration::ZERO, "{answer:?}");
    }
}
