//! Blocks that the disk can't read: what stood there may have beeped, whatever reads as nothing.

use std::ops::Range;

use super::*;

const BLOCK: usize = 4096;

fn open_with(folder: &Path, bad: (u64, Range<usize>)) -> (Journal<Failing>, Recovery, Vec<u64>) {
    let mut seen = vec![];
    let disk = Failing { bad: Some(bad), ..Failing::at(folder) };
    let each = |record, _| {
        if let Record::Event(event) = record {
            seen.push(event.sequence);
        }
    };
    let (journal, recovery) = Journal::open(disk, SEGMENT_BYTES, None, each).unwrap();
    (journal, recovery, seen)
}

/// Where the last of so many events ends.
fn end_of(events: u64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), events);
    open(folder.path()).0.length as usize
}

#[test]
fn what_the_disk_cannot_read_at_the_end_is_said_and_kept_and_its_numbers_are_left_out() {
    let end = end_of(5);
    // Within a record, just where one ends, and all of it: nothing intact stands behind any of them.
    for (first, from) in [(4, end_of(3) + 90), (4, end_of(3)), (5, end_of(4)), (1, HEADER_BYTES)] {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 5);
        let path = path_of(folder.path(), 1);
        let before = fs::read(&path).unwrap();
        let bad = from..end.next_multiple_of(BLOCK);
        let (mut journal, recovery, seen) = open_with(folder.path(), (1, bad.clone()));
        assert_eq!(seen, (1..first).collect::<Vec<_>>(), "{bad:?}");
        assert!(recovery.damage.iter().any(|words| words.contains("are not given out again")), "{bad:?}");
        let head = journal.head();
        assert!(head.next > Sequence(5), "{bad:?}: {head:?}");
        assert!(head.next.0 - first <= (bad.len() / 200) as u64, "{bad:?}: {head:?} leaves out too many");
        // What was sent of it has followers in Odoo: nothing else may claim their place.
        (1..=5).for_each(|n| assert_ne!(head.prev, Digest::of(format!("jws-{n}-{}", "x".repeat(600)).as_bytes())));
        journal.append(&[&event(head.next.0)]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), before, "nothing is written over it");
        assert_eq!(kept(folder.path()), ["quarantine-1-00000001.journal"]);
        drop(journal);
        let (journal, recovery, _) = open_with(folder.path(), (1, bad));
        assert_eq!((journal.head().next, recovery.doubtful), (head.next.next(), vec![]), "once is enough");
    }
}

#[test]
fn a_block_that_the_disk_cannot_read_behind_the_end_leaves_no_number_out() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 5);
    let behind = 2 * BLOCK..3 * BLOCK;
    assert!(end_of(5) + 100 < behind.start);
    let (journal, recovery, seen) = open_with(folder.path(), (1, behind));
    assert_eq!((seen, journal.head().next), (vec![1, 2, 3, 4, 5], Sequence(6)));
    assert_eq!((recovery.damage.len(), journal.current_segment()), (1, 2), "{:?}", recovery.damage);
}

/// Receipts say that something stood before them, not what.
#[test]
fn what_is_hidden_before_receipts_alone_may_have_been_events() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 2);
    let (mut journal, ..) = open(folder.path());
    journal.append(&[&Record::Delivered { sequence: 1, case: None, photos_there: vec![] }]).unwrap();
    drop(journal);
    let (journal, recovery, seen) = open_with(folder.path(), (1, 0..end_of(2) - 10));
    assert_eq!((seen, recovery.records, journal.head().next), (vec![], 1, Sequence(3)));
    assert_eq!(recovery.doubtful, [(Sequence(1), Sequence(2))]);
}

#[test]
fn what_a_block_with_the_first_header_hid_is_named() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 6);
    let (journal, recovery, seen) = open_with(folder.path(), (1, 0..end_of(4) - 10));
    assert_eq!((seen, recovery.first, journal.head().next), (vec![5, 6], None, Sequence(7)));
    assert_eq!(recovery.doubtful, [(Sequence(1), Sequence(4))]);
}

#[test]
fn how_many_a_block_hid_is_known_where_another_segment_follows() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 4000);
    let bad = SEGMENT_BYTES as usize - 3 * BLOCK..SEGMENT_BYTES as usize;
    let (journal, recovery, seen) = open_with(folder.path(), (1, bad));
    let missing: Vec<u64> = (1..=4000).filter(|n| !seen.contains(n)).collect();
    assert_eq!(recovery.gaps, [(Sequence(missing[0]), Sequence(missing[missing.len() - 1]))]);
    assert_eq!((journal.head().next, recovery.doubtful), (Sequence(4001), vec![]));
}

#[test]
fn a_segment_that_was_just_begun_and_cannot_be_read_is_no_blank_one() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 1);
    let path = path_of(folder.path(), 1);
    let before = fs::read(&path).unwrap();
    let (journal, recovery, _) = open_with(folder.path(), (1, 0..BLOCK));
    assert!(recovery.damage.iter().any(|words| words.contains("can't read it")), "{:?}", recovery.damage);
    assert!(journal.head().next > Sequence(1));
    assert_eq!(fs::read(folder.path().join("quarantine-1-00000001.journal")).unwrap(), before);
}

#[test]
fn the_smallest_event_takes_more_than_what_is_reckoned_with() {
    // The header names the key and the kind, the payload the device and the event's own id.
    let jws = format!("{}.{}.{}", "h".repeat(60), "p".repeat(120), "s".repeat(86));
    let Record::Event(event) = event(1) else { panic!("an event is an event") };
    let id = "0198c0de-0000-7000-8000-000000000000".to_owned();
    let mut bytes = vec![];
    format::frame(&Record::Event(EventRecord { id, jws, subject: String::new(), ..event }), 0, 0, &mut bytes);
    assert!(bytes.len() >= recover::LEAST_EVENT, "{}", bytes.len());
}

#[test]
fn a_full_disk_does_not_keep_a_journal_closed_that_needs_a_segment() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3);
    let path = path_of(folder.path(), 1);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(end_of(3) as u64 - 5).unwrap();
    let disk = Failing { full: true, ..Failing::at(folder.path()) };
    let (mut journal, _) = Journal::open(disk, SEGMENT_BYTES, None, |_, _| {}).unwrap();
    assert_eq!(journal.head().next, Sequence(3));
    let torn = fs::read(&path).unwrap();
    let refused = journal.append(&[&event(3)]).unwrap_err();
    assert!(durable::is_full(&refused) && fs::read(&path).unwrap() == torn);
    journal.disk().full = false;
    journal.append(&[&event(3)]).unwrap();
    drop(journal);
    assert_eq!((open(folder.path()).2, fs::read(&path).unwrap() == torn), (vec![1, 2, 3], true));
}

#[test]
fn what_a_start_acts_on_is_durable_first() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3000);
    let last = open(folder.path()).0.current_segment();
    let (mut journal, _) = Journal::open(Failing::at(folder.path()), SEGMENT_BYTES, None, |_, _| {}).unwrap();
    assert_eq!(journal.disk().synced, [last]);
}
