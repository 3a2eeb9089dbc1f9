use super::*;
use crate::domain::id::{ChainHead, Digest, EventId};
use crate::domain::outbox::{Change, State};
use crate::domain::policy::Kind;
use crate::domain::receipt::Refusal;
use crate::domain::time::Wall;
use crate::wire::journal_v2::EventRecord;

mod damage;

fn entry(n: u64, jws: &str) -> Entry {
    Entry {
        sequence: Sequence(n),
        id: EventId::mint(Wall(1), &[n as u8; 10]),
        digest: Digest::of(jws.as_bytes()),
        size: jws.len() as u64,
        kind: Kind::PickShortage,
        subject: "WH/OUT/1".into(),
        captured: Wall(0),
        photos: Box::default(),
        state: State::FRESH,
    }
}

fn jws(n: u64) -> String {
    format!("{n}-{}", "x".repeat(3000))
}

fn save(store: &Store, n: u64) {
    let entry = entry(n, &jws(n));
    let record = Record::Event(EventRecord::of(&entry, jws(n)));
    store.append(record, Some(entry)).blocking_recv().unwrap().unwrap();
}

fn deliver(store: &Store, n: u64) {
    let change = Change::Delivered { sequence: Sequence(n), case: Some(format!("C{n}")), photos_there: vec![] };
    let delivered = Entry { state: State::Delivered { case: Some(format!("C{n}")) }, ..entry(n, &jws(n)) };
    store.append(Record::from(&change), Some(delivered)).blocking_recv().unwrap().unwrap();
}

#[test]
fn a_start_finds_what_is_unsent_and_what_became_of_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let (store, found) = Store::open(folder.path()).unwrap();
    assert_eq!((found.head, found.outbox.counts().pending), (ChainHead::GENESIS, 0));
    (1..=3).for_each(|n| save(&store, n));
    deliver(&store, 2);
    store.close();
    let (store, found) = Store::open(folder.path()).unwrap();
    assert_eq!((found.outbox.counts().pending, found.outbox.counts().delivered), (2, 1));
    assert_eq!(found.head, ChainHead { next: Sequence(4), prev: Digest::of(jws(3).as_bytes()) });
    assert_eq!(found.damage, Vec::<String>::new());
    let read = store.read(vec![Sequence(1), Sequence(9)]).blocking_recv().unwrap();
    assert_eq!(read[0].1.as_ref().unwrap(), &jws(1));
    assert!(read[1].1.is_err());
}

#[test]
fn delivered_segments_go_their_history_stays_and_no_damage_is_seen_in_that() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    (1..=800).for_each(|n| save(&store, n));
    let segments = || {
        let files = std::fs::read_dir(folder.path().join("journal")).unwrap().flatten();
        files.filter(|file| file.path().extension().is_some_and(|extension| extension == "journal")).count()
    };
    let before = segments();
    (1..=800).for_each(|n| deliver(&store, n));
    store.settled((1..=800).map(Sequence).collect());
    assert_eq!(store.delivered(5).blocking_recv().unwrap()[0].case.as_deref(), Some("C800"));
    assert!(before > 2 && segments() == 1, "{before} segments became {}", segments());
    // As a crash at this moment leaves it: the index had to know before their segments went.
    let crashed = tempfile::tempdir().unwrap();
    copy(folder.path(), crashed.path());
    let (_store, found) = Store::open(crashed.path()).unwrap();
    assert_eq!(found.damage, Vec::<String>::new());
    assert_eq!((found.outbox.counts().pending, found.outbox.counts().delivered), (0, 800));
    assert_eq!(found.head.next, Sequence(801));
}

#[test]
fn an_index_full_of_rubbish_is_set_aside_and_nothing_unsent_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    (1..=5).for_each(|n| save(&store, n));
    store.close();
    let file = folder.path().join("index-00000001/db");
    let length = std::fs::metadata(&file).unwrap().len();
    std::fs::write(&file, vec![0x5a; length as usize]).unwrap();
    let (_store, found) = Store::open(folder.path()).unwrap();
    assert_eq!(found.outbox.counts().pending, 5);
    assert!(found.damage.iter().any(|damage| damage.contains("quarantine-1-index")), "{:?}", found.damage);
}

#[test]
fn a_journal_that_lost_its_end_never_gives_a_sequence_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    (1..=5).for_each(|n| save(&store, n));
    store.close();
    let segment = folder.path().join("journal/00000001.journal");
    let end = std::fs::read(&segment).unwrap().iter().rposition(|&byte| byte != 0).unwrap() as u64;
    std::fs::OpenOptions::new().write(true).open(&segment).unwrap().set_len(end - 4000).unwrap();
    let (_store, found) = Store::open(folder.path()).unwrap();
    assert_eq!(found.head, ChainHead { next: Sequence(6), prev: Digest::of(jws(5).as_bytes()) });
    assert_eq!(found.outbox.counts().pending, 3);
    assert!(found.damage.iter().any(|damage| damage.contains("reports 4 to 5")), "{:?}", found.damage);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn what_the_first_version_left_is_read_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state-v1"), folder.path());
    let old = std::fs::read(folder.path().join("journal/00000001.journal")).unwrap();
    let (store, found) = Store::open(folder.path()).unwrap();
    assert_eq!(found.damage, Vec::<String>::new());
    assert_eq!((found.outbox.counts().pending, found.outbox.counts().delivered), (3, 2));
    let photos: Vec<usize> = found.outbox.entries().map(|entry| entry.photos.len()).collect();
    assert_eq!(photos, [0, 1, 0]);
    assert_eq!((found.head.next, found.offset.map(|offset| offset.ms)), (Sequence(6), Some(0)));
    let cases: Vec<_> = store.delivered(9).blocking_recv().unwrap().into_iter().map(|row| row.case).collect();
    assert_eq!(cases, [Some("DEMO/00002".to_owned()), Some("DEMO/00001".to_owned())]);
    let read = store.read(vec![Sequence(4)]).blocking_recv().unwrap();
    assert!(read[0].1.as_ref().unwrap().starts_with("eyJ"));
    // It goes on in a segment of its own version; the old one stays as it is until nothing in it is needed.
    save(&store, 6);
    store.close();
    assert_eq!(std::fs::read(folder.path().join("journal/00000001.journal")).unwrap(), old);
    let (store, found) = Store::open(folder.path()).unwrap();
    assert_eq!((found.damage.len(), found.outbox.counts().pending, found.head.next), (0, 4, Sequence(7)));
    (3..=6).for_each(|n| deliver(&store, n));
    store.settled((3..=6).map(Sequence).collect());
    store.close();
    assert!(!folder.path().join("journal/00000001.journal").exists());
}

/// A report that a person must look at stays for weeks, while thousands come and go.
#[test]
fn what_stays_long_is_carried_and_holds_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    (1..=2).for_each(|n| save(&store, n));
    let why = Refusal { code: "bad_event".into(), message: "no".into() };
    let parked = Entry { state: State::Parked(why.clone().into()), ..entry(1, &jws(1)) };
    let change = Change::Parked { sequence: Sequence(1), why };
    store.append(Record::from(&change), Some(parked.clone())).blocking_recv().unwrap().unwrap();
    for n in 3..=12_000 {
        save(&store, n);
        deliver(&store, n);
        store.settled(vec![Sequence(n)]);
    }
    store.close();
    let journal: u64 = std::fs::read_dir(folder.path().join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "ballast")
        .map(|entry| entry.metadata().unwrap().len())
        .sum();
    assert!(journal <= 6 << 20, "{journal} bytes for two events");
    let (store, found) = Store::open(folder.path()).unwrap();
    assert_eq!(found.damage, Vec::<String>::new());
    let kept: Vec<Entry> = found.outbox.entries().cloned().collect();
    assert_eq!(kept, [parked, entry(2, &jws(2))]);
    assert_eq!((found.outbox.counts().delivered, found.head.next), (11_998, Sequence(12_001)));
    assert_eq!(store.read(vec![Sequence(1)]).blocking_recv().unwrap()[0].1.as_ref().unwrap(), &jws(1));
}

#[test]
fn a_record_that_is_too_large_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    save(&store, 1);
    let why = Refusal { code: "bad_event".into(), message: "x".repeat(200_000) };
    let change = Change::Parked { sequence: Sequence(1), why };
    let told = store.append(Record::from(&change), None);
    // With it in one write, or behind it.
    (2..=40).for_each(|n| save(&store, n));
    assert!(matches!(told.blocking_recv().unwrap(), Err(StoreError::Disk(_))));
    store.close();
    let (_store, found) = Store::open(folder.path()).unwrap();
    assert_eq!((found.outbox.counts().pending, found.damage.len()), (40, 0));
}
