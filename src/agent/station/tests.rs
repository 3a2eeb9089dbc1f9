//! What a request becomes when the disk doesn't give back what it was given. All else is the simulation's.

use std::time::Duration;

use super::*;
use crate::domain::catalog::Conventions;
use crate::domain::clock::{BootTime, Offset};
use crate::domain::decode::{RawScan, decode};
use crate::domain::id::EventId;
use crate::domain::policy::Kind;

const START: Turn = Turn { now: Now { boot: Duration::from_secs(9), wall: Wall(0) }, random: [0; 32] };

fn entry(n: u64) -> Entry {
    Entry {
        sequence: Sequence(n),
        id: EventId::mint(Wall(1), &[0; 10]),
        digest: Digest::of(&n.to_be_bytes()),
        size: 900,
        kind: Kind::PickShortage,
        subject: Box::default(),
        captured: Wall(0),
        photos: Box::default(),
        state: State::FRESH,
    }
}

fn station(events: u64) -> Station {
    let mut outbox = Outbox::default();
    (1..=events).for_each(|n| outbox.admit(entry(n), &[]));
    let (catalog, policies) = (Catalog::new(Conventions::default()), Policies::default());
    let forwarder = Forwarder::new(Duration::from_secs(60));
    let clock = DeviceClock::remembered(None, "boot".into());
    Station::new(catalog, policies, forwarder, outbox, ChainHead::GENESIS, clock)
}

/// Tries for ten minutes, in which each event is read as `read` says: how many the first request has, and what is journalled.
fn ten_minutes(station: &mut Station, read: impl Fn(Sequence) -> Result<String, StoreError>) -> (usize, Vec<Record>) {
    let (mut turn, mut noted) = (START, vec![]);
    for _ in 0..600 {
        station.send_what_is_due(turn.now);
        for deed in station.take_deeds() {
            let Deed::Read(sequences) = deed else { panic!("something else is sent") };
            station.read(sequences.into_iter().map(|sequence| (sequence, read(sequence))).collect(), turn);
        }
        for deed in station.take_deeds() {
            if let Deed::Note { record, .. } = deed {
                noted.push(record);
            } else if let Deed::Send { events, .. } = deed {
                return (events.len(), noted);
            }
        }
        turn.now.boot += Duration::from_secs(1);
    }
    (0, noted)
}

#[test]
fn reports_that_cannot_be_read_for_now_wait_and_none_is_parked() {
    for why in [StoreError::Disk("too many open files".into()), StoreError::Busy, StoreError::Stopped, StoreError::Full]
    {
        let mut station = station(120);
        assert!(matches!(ten_minutes(&mut station, |_| Err(why.clone())), (0, noted) if noted.is_empty()), "{why}");
        assert_eq!(station.outbox().counts().pending, 120);
        assert!(station.forwarder().trouble().is_some_and(|trouble| trouble.code() == "local"), "{why}");
    }
}

#[test]
fn a_report_whose_bytes_are_gone_is_parked_and_the_others_go() {
    let mut station = station(3);
    let read = |sequence| match sequence {
        Sequence(2) => Err(StoreError::Unreadable("the record is damaged on the disk".into())),
        Sequence(_) => Ok("jws".into()),
    };
    let (sent, noted) = ten_minutes(&mut station, read);
    assert_eq!(sent, 2);
    assert!(matches!(&noted[..], [Record::Parked { sequence: 2, code, .. }] if code == "unreadable"), "{noted:?}");
}

#[test]
fn a_bad_block_is_believed_after_a_while_and_costs_one_report() {
    let mut station = station(3);
    let tries = std::cell::Cell::new(0);
    let read = |sequence| match sequence {
        Sequence(1) => {
            tries.set(tries.get() + 1);
            Err(StoreError::BadBlock("Input/output error".into()))
        }
        Sequence(_) => Ok("jws".into()),
    };
    let (sent, noted) = ten_minutes(&mut station, read);
    assert_eq!(tries.get(), READ_AGAIN + 1);
    assert!(sent > 0, "the others go");
    assert!(matches!(&noted[..], [Record::Parked { sequence: 1, code, .. }] if code == "unreadable"), "{noted:?}");
}

const IN_1970: Now = Now { boot: Duration::from_secs(60), wall: Wall(60_000) };

#[test]
fn a_clock_in_1970_gives_an_expiry_date_its_century_all_the_same() {
    let boot = Some(BootTime { id: "before".to_owned(), at: Duration::ZERO });
    let offset = Offset { ms: 0, uncertainty_ms: Some(40), learnt: Some(Wall(1_795_400_000_000)), boot };
    let clock = DeviceClock::remembered(Some(offset), "this".to_owned());
    let catalog = Catalog::new(Conventions::default());
    let forwarder = Forwarder::new(Duration::from_secs(60));
    let mut station =
        Station::new(catalog, Policies::default(), forwarder, Outbox::default(), ChainHead::GENESIS, clock);
    let label = RawScan::new("dock", b"]C1010703206980498817270131", IN_1970);
    station.input(Input::Scan(decode(label)), Turn { now: IN_1970, random: [0; 32] }, None);
    let item = station.capture().slip().and_then(|slip| slip.item.as_ref());
    assert_eq!(item.and_then(|item| item.expiry), jiff::civil::Date::new(2027, 1, 31).ok());
}
