//! What damage takes is said, stays visible, and what is left of it is kept.

use std::fs;
use std::path::PathBuf;

use super::*;

/// Events that take some segments of the journal.
const LAST: u64 = 120;

/// So large that few of them fill a segment: each costs a wait for the disk.
fn jws(n: u64) -> String {
    format!("{n}-{}", "x".repeat(20_000))
}

fn save(store: &Store, n: u64) {
    let entry = entry(n, &jws(n));
    let record = Record::Event(EventRecord::of(&entry, jws(n)));
    store.append(record, Some(entry)).blocking_recv().unwrap().unwrap();
}

fn deliver(store: &Store, n: u64) {
    let change = Change::Delivered { sequence: Sequence(n), case: None, photos_there: vec![] };
    let delivered = Entry { state: State::Delivered { case: None }, ..entry(n, &jws(n)) };
    store.append(Record::from(&change), Some(delivered)).blocking_recv().unwrap().unwrap();
}

fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    (1..=LAST).for_each(|n| save(&store, n));
    store.close();
    folder
}

fn segment(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("journal/{number:08}.journal"))
}

/// Where an event's text stands in a segment.
fn text(bytes: &[u8], n: u64) -> Option<usize> {
    let text = format!("{n}-xxxx");
    bytes.windows(text.len()).position(|at| at == text.as_bytes())
}

fn hit(file: &Path, n: u64) {
    let mut bytes = fs::read(file).unwrap();
    let at = text(&bytes, n).unwrap() + 1000;
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

fn kept(folder: &Path) -> Vec<PathBuf> {
    durable::quarantined(&folder.join("journal"))
}

/// The process ended without a word: nothing says that the index was closed in order.
fn crashed(folder: &Path) {
    fs::remove_file(folder.join("index-00000001/closed-with")).unwrap();
}

/// What the list of all says of reports that aren't in the queue any more.
fn states(store: &Store) -> Vec<(u64, &'static str)> {
    let rows = store.delivered(2 * LAST as usize).blocking_recv().unwrap();
    let mut states: Vec<_> = rows.iter().map(|row| (row.sequence.0, row.state)).collect();
    states.sort_unstable();
    states
}

fn lost(store: &Store) -> Vec<u64> {
    let states = states(store);
    assert_eq!(states.iter().filter(|(_, state)| *state == "lost").count(), store.health().borrow().lost);
    states.into_iter().filter(|(_, state)| *state == "lost").map(|(n, _)| n).collect()
}

#[test]
fn a_report_that_damage_took_never_counts_as_delivered_and_its_bytes_stay() {
    for crash in [false, true] {
        let folder = prepared();
        let first = segment(folder.path(), 1);
        hit(&first, 20);
        let (store, found) = Store::open(folder.path()).unwrap();
        assert!(found.damage.iter().any(|words| words.contains("damage took report 20 ")), "{:?}", found.damage);
        assert_eq!(lost(&store), [20]);
        for n in (1..=LAST).filter(|n| *n != 20) {
            deliver(&store, n);
        }
        store.settled((1..=LAST).map(Sequence).collect());
        store.close();
        assert!(!first.exists(), "nothing holds what is delivered");
        assert!(matches!(&kept(folder.path())[..], [kept] if text(&fs::read(kept).unwrap(), 20).is_some()));
        if crash {
            // And the index forgot what it was told last.
            let (mut index, _) = SledIndex::open(folder.path()).unwrap();
            index.put(&entry(20, &jws(20))).unwrap();
            index.close().unwrap();
            crashed(folder.path());
        }
        let (store, found) = Store::open(folder.path()).unwrap();
        assert_eq!(found.damage.is_empty(), !crash, "{:?}", found.damage);
        assert_eq!((lost(&store), found.outbox.counts().delivered), (vec![20], LAST - 1));
        store.close();
        let (store, found) = Store::open(folder.path()).unwrap();
        assert_eq!((lost(&store), found.damage), (vec![20], Vec::<String>::new()), "not anew at each start");
        assert_eq!(kept(folder.path()).len(), 1);
        let dismiss = |which: Option<&str>| store.dismiss(which.map(str::to_owned)).blocking_recv().unwrap();
        let id = entry(20, &jws(20)).id.to_string();
        assert_eq!((dismiss(Some("19")), dismiss(Some(&id)), dismiss(None)), (0, 1, 0));
        store.close();
        let (store, found) = Store::open(folder.path()).unwrap();
        assert_eq!((lost(&store), found.damage), (vec![], Vec::<String>::new()), "dismissed for good");
    }
}

#[test]
fn an_oldest_segment_that_is_gone_is_missed() {
    for (zeros, crash) in [(false, false), (false, true), (true, false), (true, true)] {
        let folder = prepared();
        let first = segment(folder.path(), 1);
        let in_it = (1..=LAST).filter(|n| text(&fs::read(&first).unwrap(), *n).is_some()).count() as u64;
        if zeros {
            fs::write(&first, vec![0; SEGMENT_BYTES as usize]).unwrap();
        } else {
            fs::remove_file(&first).unwrap();
        }
        if crash {
            crashed(folder.path());
        }
        let (store, found) = Store::open(folder.path()).unwrap();
        let told = format!("damage took reports 1 to {in_it} ");
        assert!(found.damage.iter().any(|words| words.contains(&told)), "{zeros} {crash}: {:?}", found.damage);
        assert_eq!((found.outbox.counts().pending as u64, found.outbox.counts().delivered), (LAST - in_it, 0));
        let all: Vec<_> = (1..=in_it).map(|n| (n, "lost")).collect();
        assert_eq!(states(&store), all, "{zeros} {crash}");
        assert_eq!(kept(folder.path()).len(), usize::from(zeros));
        store.close();
        let (_store, found) = Store::open(folder.path()).unwrap();
        assert_eq!(found.damage, Vec::<String>::new());
    }
}

#[test]
fn an_oldest_segment_that_is_gone_is_missed_without_an_index_too() {
    let folder = prepared();
    fs::remove_file(segment(folder.path(), 1)).unwrap();
    fs::remove_dir_all(folder.path().join("index-00000001")).unwrap();
    let (_store, found) = Store::open(folder.path()).unwrap();
    assert!(found.damage.iter().any(|words| words.contains("nor counted as delivered")), "{:?}", found.damage);
}

/// What a beginning leaves that was refused, and lies there until the next start.
#[test]
fn a_file_of_zeros_before_all_others_is_nothing_where_nothing_is_missing() {
    let folder = prepared();
    let (store, _) = Store::open(folder.path()).unwrap();
    (1..=100).for_each(|n| deliver(&store, n));
    store.settled((1..=100).map(Sequence).collect());
    store.close();
    assert!(!segment(folder.path(), 1).exists());
    fs::write(segment(folder.path(), 1), vec![0; 9000]).unwrap();
    crashed(folder.path());
    let (store, found) = Store::open(folder.path()).unwrap();
    assert_eq!((found.damage, lost(&store), kept(folder.path())), (vec![], vec![], vec![]));
    assert!(!segment(folder.path(), 1).exists());
}

#[test]
fn an_event_that_cannot_be_read_back_does_not_hold_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    (1..=3).for_each(|n| save(&store, n));
    hit(&segment(folder.path(), 1), 2);
    for n in 4..=400 {
        save(&store, n);
        deliver(&store, n);
        store.settled(vec![Sequence(n)]);
    }
    assert_eq!(lost(&store), [2]);
    let health = store.health().borrow().clone();
    assert!(matches!(&health.damage[..], [words] if words.contains("segment 1") && words.contains("quarantine-1")));
    store.close();
    let segments = fs::read_dir(folder.path().join("journal")).unwrap().count() - kept(folder.path()).len();
    assert!(segments <= 6, "{segments} segments for two events");
    assert!(matches!(&kept(folder.path())[..], [kept] if text(&fs::read(kept).unwrap(), 2).is_some()));
    let (store, found) = Store::open(folder.path()).unwrap();
    let here: Vec<u64> = found.outbox.entries().map(|entry| entry.sequence.0).collect();
    assert_eq!((here, lost(&store), found.damage), (vec![1, 3], vec![2], vec![]));
}

/// As when more receipts come at once than a dying disk takes.
#[test]
fn what_no_receipt_was_written_for_is_not_forgotten() {
    let folder = prepared();
    let (store, _) = Store::open(folder.path()).unwrap();
    store.settled((1..=LAST).map(Sequence).collect());
    store.close();
    let (_store, found) = Store::open(folder.path()).unwrap();
    assert_eq!((found.outbox.counts().pending as u64, found.damage.len()), (LAST, 0));
}
