//! Who holds up whom, and what is known of the queue without a walk through it.

use std::time::Duration;

use super::super::receipt::Status;
use super::tests::{NOW, entry, outbox, receipt};
use super::*;

#[test]
fn what_is_under_way_or_waits_holds_up_its_document_and_what_is_parked_nobody() {
    let mut outbox = outbox(4);
    assert_eq!(outbox.lease(2, NOW), [Sequence(1), Sequence(2)], "together they keep their order");
    assert_eq!(outbox.lease(2, NOW), [], "those before are under way");
    assert_eq!(outbox.next_due(NOW), None);
    let why = Refusal { code: "internal".into(), message: String::new() };
    outbox.set_aside(Sequence(1), Some(why), NOW.plus(Duration::from_secs(10)));
    outbox.settle(Sequence(2), &receipt(&entry(2, &[]), Status::Created), NOW.plus(Duration::ZERO));
    assert_eq!(outbox.lease(4, NOW), [], "the first waits");
    outbox.park(Sequence(1), "unreadable", "");
    assert_eq!(outbox.lease(4, NOW), [Sequence(3), Sequence(4)]);
}

#[test]
fn what_was_parked_for_says_so_until_there_is_news() {
    let mut outbox = outbox(1);
    outbox.lease(1, NOW);
    outbox.settle(Sequence(1), &receipt(&entry(1, &[]), Status::Rejected), NOW.plus(Duration::ZERO));
    assert_eq!(outbox.send_again(Sequence(1)), Some(Change::Returned { sequence: Sequence(1) }));
    assert_eq!(outbox.send_again(Sequence(1)), None, "it is parked no more");
    assert_eq!((outbox.counts().parked, outbox.counts().pending), (0, 1));
    outbox.lease(1, NOW);
    outbox.give_back(&[Sequence(1)]);
    let waiting =
        |entry: &Entry| matches!(&entry.state, State::Waiting { last: Some(why), .. } if why.code == "unexplained");
    assert!(outbox.get(Sequence(1)).is_some_and(waiting));
}

#[test]
fn the_oldest_that_waits_is_known_whatever_becomes_of_the_others() {
    let mut outbox = outbox(4);
    let oldest = |outbox: &Outbox| outbox.counts().oldest_pending;
    outbox.park(Sequence(1), "unreadable", "");
    outbox.park(Sequence(3), "unreadable", "");
    assert_eq!(oldest(&outbox), Some(Wall(2)));
    outbox.lease(1, NOW);
    outbox.settle(Sequence(2), &receipt(&entry(2, &[]), Status::Created), NOW.plus(Duration::ZERO));
    assert_eq!(oldest(&outbox), Some(Wall(4)));
    outbox.send_again(Sequence(1));
    assert_eq!(oldest(&outbox), Some(Wall(1)));
    for n in [1, 4] {
        outbox.park(Sequence(n), "unreadable", "");
    }
    assert_eq!(oldest(&outbox), None);
}

#[test]
fn a_photo_is_needed_until_the_last_report_that_names_it_has_left() {
    let mut outbox = Outbox::default();
    outbox.admit(entry(1, &[b"a"]), &[]);
    outbox.admit(entry(2, &[b"a"]), &[]);
    outbox.lease(2, NOW);
    let now = NOW.plus(Duration::ZERO);
    outbox.settle(Sequence(1), &receipt(&entry(1, &[b"a"]), Status::Created), now);
    outbox.photo_sent(Digest::of(b"a"));
    assert_eq!(outbox.take_settled(), [Sequence(1)]);
    assert!(outbox.needs_photo(Digest::of(b"a")), "the second report is not in Odoo yet");
    let mut there = receipt(&entry(2, &[b"a"]), Status::Created);
    there.missing_evidence = Some(vec![]);
    outbox.settle(Sequence(2), &there, now);
    assert!(!outbox.needs_photo(Digest::of(b"a")));
}

#[test]
fn an_entry_stays_small() {
    // 200,000 of them, with a subject each, are to stay within some tens of megabytes.
    assert!(size_of::<Entry>() <= 144, "{} bytes", size_of::<Entry>());
}

#[test]
fn a_photos_file_may_go_when_the_last_report_that_names_it_has_gone() {
    let mut outbox = Outbox::default();
    outbox.admit(entry(1, &[b"shared"]), &[]);
    outbox.admit(entry(2, &[b"shared"]), &[]);
    let leased = outbox.lease(9, NOW);
    // The server has the photo: from a bundle, or from before its answer was lost.
    let receipt = |n: u64| Receipt {
        id: Some(entry(n, &[]).id),
        digest: entry(n, &[]).digest,
        status: Status::Duplicate,
        case: None,
        missing_evidence: Some(vec![]),
        error: None,
    };
    outbox.settle(leased[0], &receipt(1), Deadline(NOW.boot));
    assert_eq!(outbox.take_unneeded(), []);
    outbox.settle(leased[1], &receipt(2), Deadline(NOW.boot));
    assert_eq!(outbox.take_unneeded(), [Digest::of(b"shared")]);
    assert_eq!(outbox.take_unneeded(), []);
}

#[test]
fn a_server_with_a_long_reason_for_each_report_fills_no_memory() {
    let reports = 10_000;
    let mut outbox = outbox(reports);
    let reason = |n: u64| Refusal { code: "no".into(), message: format!("{n}{}", "\u{1F600}".repeat(600)) };
    let mut changed = 0;
    loop {
        let leased = outbox.lease(50, NOW);
        if leased.is_empty() {
            break;
        }
        for sequence in leased {
            let receipt =
                Receipt { error: Some(reason(sequence.0)), ..receipt(&entry(sequence.0, &[]), Status::Rejected) };
            let change = outbox.settle(sequence, &receipt, NOW.plus(Duration::ZERO));
            changed += u64::from(matches!(change, Some(Change::Parked { why, .. }) if why == reason(sequence.0)));
        }
    }
    assert_eq!((changed, outbox.counts().parked), (reports, reports as usize), "the journal has every word");
    let mut kept = std::collections::BTreeMap::new();
    for entry in outbox.entries() {
        if let State::Parked(why) = &entry.state {
            kept.insert(std::sync::Arc::as_ptr(why), why.message.len());
        }
    }
    assert!(kept.values().sum::<usize>() < 12 << 20, "{} bytes", kept.values().sum::<usize>());
}
