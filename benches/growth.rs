//! What a million reports leave on the disk when all but a few of them are in Odoo: `cargo bench --bench growth`.
//!
//! Every report is made durable, delivered and let go, as fast as the disk takes it; one in a hundred thousand is parked and
//! stays for ever. Prints what the state folder takes, at most and at the end, beside what lives in it.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints its figures, and fails by panicking")]

use std::fs;
use std::path::Path;

use tallyman::domain::id::{Digest, EventId, Sequence};
use tallyman::domain::outbox::{Change, Entry, State};
use tallyman::domain::policy::Kind;
use tallyman::domain::receipt::Refusal;
use tallyman::domain::room::BALLAST_BYTES;
use tallyman::domain::time::Wall;
use tallyman::io::index::RETENTION;
use tallyman::io::store::Store;
use tallyman::wire::journal_v2::{EventRecord, Record};

const EVENTS: u64 = 1_000_000;
/// Reports under way at once, as a fleet of scanners on one dock would have them at most.
const AT_ONCE: u64 = 64;
const PARKED_EVERY: u64 = 100_000;
/// What is promised: at most this, or four times what lives; the reserve included.
const PROMISE: u64 = 16_000_000;

fn entry(n: u64, state: State) -> (Entry, String) {
    let jws = format!("jws-{n}-{}", "x".repeat(900));
    let entry = Entry {
        sequence: Sequence(n),
        id: EventId::mint(Wall(n as i64), &[7; 10]),
        digest: Digest::of(jws.as_bytes()),
        size: jws.len() as u64,
        kind: Kind::PickShortage,
        subject: format!("WH/OUT/{:05}", n % 1000).into(),
        captured: Wall(n as i64),
        photos: Box::default(),
        state,
    };
    (entry, jws)
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(known) if known.is_dir() => size(&entry.path()),
        Ok(known) => known.len(),
        // The index moves while it is looked at.
        Err(_) => 0,
    });
    sizes.sum()
}

fn main() {
    // Cargo runs benches as tests, too: then a few are enough.
    let events = if std::env::args().any(|arg| arg == "--bench") { EVENTS } else { 2_000 };
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let (mut most, mut parked, mut first) = (0, 0, 1);
    while first <= events {
        let numbers = first..=(first + AT_ONCE - 1).min(events);
        let saved: Vec<_> = numbers
            .clone()
            .map(|n| {
                let (entry, jws) = entry(n, State::FRESH);
                store.append(Record::Event(EventRecord::of(&entry, jws)), Some(entry))
            })
            .collect();
        saved.into_iter().for_each(|saved| saved.blocking_recv().unwrap().unwrap());
        let told: Vec<_> = numbers
            .clone()
            .map(|n| {
                let sequence = Sequence(n);
                let (change, state) = if n % PARKED_EVERY == 0 {
                    parked += 1;
                    let why = Refusal { code: "bad_event".into(), message: "no".into() };
                    (Change::Parked { sequence, why: why.clone() }, State::Parked(why.into()))
                } else {
                    let case = Some(format!("EXC/2026/{n:06}"));
                    (
                        Change::Delivered { sequence, case: case.clone(), photos_there: vec![] },
                        State::Delivered { case },
                    )
                };
                store.append(Record::from(&change), Some(entry(n, state).0))
            })
            .collect();
        told.into_iter().for_each(|told| told.blocking_recv().unwrap().unwrap());
        store.settled(numbers.filter(|n| n % PARKED_EVERY != 0).map(Sequence).collect());
        if first % (AT_ONCE * 16) == 1 {
            most = most.max(size(folder.path()));
        }
        first += AT_ONCE;
    }
    store.close();
    let end = size(folder.path());
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!("{events} reports, {parked} parked and kept, the last {RETENTION} deliveries remembered");
    println!(
        "state folder: {:.1} MiB at most, {:.1} MiB at the end; {:.1} MiB of that are the reserve for a full disk",
        mib(most.max(end)),
        mib(end),
        mib(BALLAST_BYTES)
    );
    println!("promised: {:.1} MiB, or four times what lives", mib(PROMISE));
    let (_store, found) = Store::open(folder.path()).unwrap();
    assert_eq!((found.outbox.counts().parked, found.damage.len()), (parked, 0));
    assert!(most.max(end) <= PROMISE, "{most} bytes at most, {end} at the end");
}
