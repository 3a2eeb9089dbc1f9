//! Flipped bits, cut and zeroed files: whatever is hit, the store opens, says so, and has every event whose record is intact.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tallyman::domain::id::{Digest, EventId, Sequence};
use tallyman::domain::outbox::{Change, Entry, State};
use tallyman::domain::policy::Kind;
use tallyman::domain::time::Wall;
use tallyman::io::store::Store;
use tallyman::wire::journal_v2::{EventRecord, Record};

const ROUNDS: u64 = 300;
const EVENTS: u64 = 3000;
const PAGE: usize = 4096;

fn jws(n: u64) -> String {
    format!("jws-{n}-{}", "x".repeat(600 + n as usize % 200))
}

fn entry(n: u64) -> Entry {
    Entry {
        sequence: Sequence(n),
        id: EventId::mint(Wall(n as i64), &[7; 10]),
        digest: Digest::of(jws(n).as_bytes()),
        size: jws(n).len() as u64,
        kind: Kind::PickShortage,
        subject: format!("WH/OUT/{n}").into(),
        captured: Wall(n as i64),
        photos: Box::default(),
        state: State::FRESH,
    }
}

/// A store of some segments: every third event is in Odoo, and the index knows of all.
fn prepared(folder: &Path) {
    let (store, _) = Store::open(folder).unwrap();
    let mut waits = Vec::new();
    for n in 1..=EVENTS {
        let record = Record::Event(EventRecord::of(&entry(n), jws(n)));
        waits.push(store.append(record, Some(entry(n))));
        if n % 3 == 0 {
            let change = Change::Delivered { sequence: Sequence(n), case: Some(format!("C{n}")), photos_there: vec![] };
            let delivered = Entry { state: State::Delivered { case: Some(format!("C{n}")) }, ..entry(n) };
            waits.push(store.append(Record::from(&change), Some(delivered)));
            store.settled(vec![Sequence(n)]);
        }
        // Not faster than its queue.
        if waits.len() >= 64 {
            waits.drain(..).for_each(|wait| wait.blocking_recv().unwrap().unwrap());
        }
    }
    waits.into_iter().for_each(|wait| wait.blocking_recv().unwrap().unwrap());
    store.close();
}

/// All files below a folder but the ballast, with their bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else if entry.file_name() != "ballast" {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

/// Hits one file, and says how.
pub(crate) fn hit(bytes: &mut Vec<u8>, rng: &mut fastrand::Rng) -> String {
    if bytes.is_empty() {
        bytes.extend_from_slice(b"rubbish");
        return "rubbish in an empty file".to_owned();
    }
    let at = rng.usize(..bytes.len());
    match rng.u8(..4) {
        0 => {
            bytes[at] ^= 1 << rng.u8(..8);
            format!("a bit at {at}")
        }
        1 => {
            bytes.truncate(at);
            format!("cut to {at}")
        }
        2 => {
            let page = at / PAGE * PAGE;
            let end = (page + PAGE).min(bytes.len());
            bytes[page..end].fill(0);
            format!("a page of zeros at {page}")
        }
        _ => {
            let end = (at + rng.usize(1..5000)).min(bytes.len());
            bytes[at..end].iter_mut().for_each(|byte| *byte = rng.u8(..));
            format!("noise from {at} to {end}")
        }
    }
}

#[test]
fn damage_costs_what_it_hits_and_nothing_else() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let master = tempfile::tempdir().unwrap();
    prepared(master.path());
    let whole = files(master.path());
    let places = places(&whole);
    let (mut hit_events, mut quarantines, mut kinds) = (0, 0, BTreeMap::<String, u32>::new());
    for round in 0..ROUNDS {
        let work = tempfile::tempdir().unwrap();
        let victim = whole.keys().nth(rng.usize(..whole.len())).unwrap();
        let mut told = String::new();
        for (path, bytes) in &whole {
            let target = work.path().join(path.strip_prefix(master.path()).unwrap());
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            let mut bytes = bytes.clone();
            if path == victim {
                let before = bytes.clone();
                let how = hit(&mut bytes, &mut rng);
                told = format!("round {round}: {} {how}", target.display());
                if before == bytes {
                    told.push_str(" (as it was)");
                }
            }
            fs::write(target, bytes).unwrap();
        }
        let name = victim.file_name().unwrap().to_string_lossy().into_owned();
        *kinds.entry(name.chars().filter(|c| !c.is_ascii_hexdigit()).collect()).or_default() += 1;
        let damaged = fs::read(work.path().join(victim.strip_prefix(master.path()).unwrap())).unwrap();
        let (store, found) = Store::open(work.path()).unwrap_or_else(|error| panic!("{told}: {error}"));
        // What stands in the files says what is intact; the reader is not asked.
        let intact = |n: u64| {
            let (path, at) = &places[&n];
            // The record with its frame and fields.
            let range = at.saturating_sub(300)..at + jws(n).len();
            path != victim || damaged.get(range.clone()) == Some(&whole[path][range])
        };
        let mut lost = 0;
        for n in (1..=EVENTS).filter(|n| n % 3 != 0) {
            let here = found.outbox.get(Sequence(n)).is_some();
            if !here {
                assert!(!intact(n), "{told}: event {n} is intact and was lost; {:?}", found.damage);
                lost += 1;
            }
        }
        assert!(lost == 0 || !found.damage.is_empty(), "{told}: {lost} events are gone without a word");
        assert!(found.head.next >= Sequence(EVENTS + 1), "{told}: a sequence would be given out twice");
        // It goes on.
        let n = found.head.next.0;
        let record = Record::Event(EventRecord::of(&entry(n), jws(n)));
        store.append(record, Some(entry(n))).blocking_recv().unwrap().unwrap_or_else(|why| panic!("{told}: {why}"));
        store.close();
        hit_events += lost;
        quarantines += usize::from(!found.damage.is_empty());
    }
    eprintln!(
        "{ROUNDS} rounds, {quarantines} with a report, {hit_events} events hit, 0 intact ones lost; files: {kinds:?}"
    );
    assert!(quarantines > ROUNDS as usize / 10, "too little was hit to prove anything");
}

/// Where each event's text begins.
fn places(files: &BTreeMap<PathBuf, Vec<u8>>) -> BTreeMap<u64, (PathBuf, usize)> {
    let mut places = BTreeMap::new();
    for (path, bytes) in files.iter().filter(|(path, _)| path.extension().is_some_and(|known| known == "journal")) {
        for at in (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"jws-")) {
            let digits = bytes[at + 4..].iter().take_while(|byte| byte.is_ascii_digit()).copied().collect();
            places.insert(String::from_utf8(digits).unwrap().parse().unwrap(), (path.clone(), at));
        }
    }
    places
}
