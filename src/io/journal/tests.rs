use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::*;

mod failing;
mod unreadable;

use failing::Failing;

fn event(n: u64) -> Record {
    Record::Event(EventRecord {
        sequence: n,
        id: format!("id-{n}"),
        kind: "pick_shortage".into(),
        subject: "WH/OUT/1".into(),
        captured_ms: 0,
        photos: vec![],
        jws: format!("jws-{n}-{}", "x".repeat(600)),
    })
}

fn path_of(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:08}.journal"))
}

fn open(folder: &Path) -> (Journal<Folder>, Recovery, Vec<u64>) {
    let mut seen = vec![];
    let (journal, recovery) = Journal::open(Folder::open(folder).unwrap(), SEGMENT_BYTES, None, |record, _| {
        if let Record::Event(event) = record {
            seen.push(event.sequence);
        }
    })
    .unwrap();
    (journal, recovery, seen)
}

fn filled(folder: &Path, events: u64) {
    let (mut journal, ..) = open(folder);
    for n in 1..=events {
        journal.append(&[&event(n)]).unwrap();
    }
}

#[test]
fn what_was_appended_is_there_again_and_the_chain_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3);
    let (mut journal, recovery, seen) = open(folder.path());
    assert_eq!((seen, recovery.torn, recovery.damage.len()), (vec![1, 2, 3], 0, 0));
    assert_eq!(journal.head().next, Sequence(4));
    let at = journal.append(&[&event(4)]).unwrap()[0];
    assert_eq!(journal.read(at).unwrap(), event(4));
}

#[test]
fn a_torn_tail_is_never_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3);
    let path = path_of(folder.path(), 1);
    let end = open(folder.path()).0.length;
    OpenOptions::new().write(true).open(&path).unwrap().set_len(end - 5).unwrap();
    let (mut journal, recovery, seen) = open(folder.path());
    assert_eq!(seen, [1, 2]);
    assert!(recovery.torn > 0 && recovery.damage.is_empty());
    assert_eq!((journal.current_segment(), journal.head().next), (2, Sequence(3)));
    journal.append(&[&event(3)]).unwrap();
    assert_eq!(open(folder.path()).2, [1, 2, 3]);
}

#[test]
fn damage_in_the_middle_costs_the_damaged_record_alone() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 5);
    let path = path_of(folder.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[HEADER_BYTES + 1000] ^= 0xff;
    fs::write(&path, bytes).unwrap();
    let (_, recovery, seen) = open(folder.path());
    assert_eq!(seen, [1, 3, 4, 5]);
    assert_eq!(recovery.damage.len(), 1);
}

#[test]
fn segments_rotate_and_the_trimmed_ones_leave_the_chain_whole() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 4000);
    let (mut journal, ..) = open(folder.path());
    let current = journal.current_segment();
    assert!(current > 2);
    journal.append(&[&Record::Delivered { sequence: 1, case: None, photos_there: vec![] }]).unwrap();
    journal.trim(current).unwrap();
    drop(journal);
    let (journal, _, seen) = open(folder.path());
    assert!(seen.len() < 2000);
    assert_eq!((journal.head().next, journal.delivered()), (Sequence(4001), 1));
    let Record::Event(last) = event(4000) else { panic!("an event is an event") };
    assert_eq!(journal.head(), head_after(&last));
}

#[test]
fn a_file_that_is_no_segment_is_set_aside_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 2);
    fs::write(path_of(folder.path(), 2), b"rubbish").unwrap();
    fs::write(path_of(folder.path(), 3), b"").unwrap();
    let (_, recovery, seen) = open(folder.path());
    assert_eq!((seen, recovery.damage.len()), (vec![1, 2], 1));
    assert!(folder.path().join("quarantine-1-00000002.journal").exists());
    assert!(!path_of(folder.path(), 3).exists());
}

#[test]
fn a_sequence_that_is_known_elsewhere_is_never_given_out_again() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 2);
    let floor = ChainHead { next: Sequence(9), prev: Digest::of(b"8") };
    let (journal, recovery) =
        Journal::open(Folder::open(folder.path()).unwrap(), SEGMENT_BYTES, Some(floor), |_, _| {}).unwrap();
    assert_eq!(journal.head(), floor);
    assert!(recovery.damage[0].contains("lost its last 6 event(s)"), "{:?}", recovery.damage);
    drop(journal);
    assert_eq!(open(folder.path()).0.head(), floor);
}

fn failing(folder: &Path, refused_cuts: u32) -> Journal<Failing> {
    filled(folder, 1);
    let disk = Failing { failing: true, refused_cuts, ..Failing::at(folder) };
    let (mut journal, _) = Journal::open(disk, SEGMENT_BYTES, None, |_, _| {}).unwrap();
    assert!(journal.append(&[&event(2)]).is_err());
    journal
}

#[test]
fn a_failed_write_is_taken_back_at_once() {
    let folder = tempfile::tempdir().unwrap();
    drop(failing(folder.path(), 0));
    let (_, recovery, seen) = open(folder.path());
    assert_eq!((seen, recovery.torn), (vec![1], 0), "what was refused came to life");
}

#[test]
fn a_failed_write_that_could_not_be_taken_back_goes_at_the_next_try_and_before_the_next_write() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = failing(folder.path(), 2);
    assert!(journal.take_back().is_err());
    journal.take_back().unwrap();
    drop(journal);
    assert_eq!(open(folder.path()).2, [1]);
    let folder = tempfile::tempdir().unwrap();
    let mut journal = failing(folder.path(), 2);
    journal.disk().failing = false;
    assert!(journal.append(&[&event(2)]).is_err());
    journal.append(&[&event(2)]).unwrap();
    drop(journal);
    let (journal, recovery, seen) = open(folder.path());
    assert_eq!((seen, recovery.torn, journal.current_segment()), (vec![1, 2], 0, 2));
}

#[test]
fn a_damaged_header_costs_no_record() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3);
    for byte in [0, 6, 20, 66] {
        let path = path_of(folder.path(), 1);
        let mut bytes = fs::read(&path).unwrap();
        bytes[byte] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let (journal, recovery, seen) = open(folder.path());
        assert_eq!((seen, journal.head().next), (vec![1, 2, 3], Sequence(4)), "byte {byte}");
        assert!(recovery.damage.len() == 1 && recovery.first.is_none(), "{:?}", recovery.damage);
        bytes[byte] ^= 1;
        fs::write(&path, &bytes).unwrap();
        fs::remove_file(path_of(folder.path(), 2)).unwrap();
    }
}

#[test]
fn what_a_later_version_wrote_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3);
    let path = path_of(folder.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[6] = b'3';
    bytes[64..68].copy_from_slice(&[1, 2, 3, 4]);
    fs::write(&path, &bytes).unwrap();
    let refused = Journal::open(Folder::open(folder.path()).unwrap(), SEGMENT_BYTES, None, |_, _| {}).unwrap_err();
    assert!(refused.to_string().contains("later version"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn events_that_are_missing_between_two_segments_are_told() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 4000);
    // The end of a segment that is not the last one.
    OpenOptions::new().write(true).open(path_of(folder.path(), 1)).unwrap().set_len(SEGMENT_BYTES - 9000).unwrap();
    let (_, recovery, seen) = open(folder.path());
    let missing: Vec<u64> = (1..=4000).filter(|n| !seen.contains(n)).collect();
    assert!(!missing.is_empty());
    let told = (Sequence(missing[0]), Sequence(missing[missing.len() - 1]));
    assert_eq!(recovery.gaps, [told]);
    assert!(folder.path().join("quarantine-1-00000001.journal").exists(), "{:?}", recovery.damage);
}

/// The names of what was set aside or is kept.
fn kept(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut kept: Vec<String> = names.filter(|name| name.starts_with("quarantine")).collect();
    kept.sort();
    kept
}

fn damage(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_segment_with_a_damaged_record_is_kept_once_and_before_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 4000);
    damage(&path_of(folder.path(), 1), HEADER_BYTES + 1000);
    let bytes = fs::read(path_of(folder.path(), 1)).unwrap();
    let (_, first, _) = open(folder.path());
    assert!(first.damage.len() == 1 && first.damage[0].contains("quarantine-1-00000001"), "{:?}", first.damage);
    let (mut journal, again, _) = open(folder.path());
    assert_eq!(again.damage, Vec::<String>::new(), "what was kept is not said anew");
    journal.trim(u64::MAX).unwrap();
    assert!(!path_of(folder.path(), 1).exists());
    assert_eq!(kept(folder.path()), ["quarantine-1-00000001.journal"]);
    assert_eq!(fs::read(folder.path().join("quarantine-1-00000001.journal")).unwrap(), bytes);
}

#[test]
fn more_damage_to_a_segment_is_said_and_kept_again() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 20);
    damage(&path_of(folder.path(), 1), HEADER_BYTES + 1000);
    open(folder.path());
    damage(&path_of(folder.path(), 1), HEADER_BYTES + 4000);
    let (_, recovery, _) = open(folder.path());
    assert_eq!(recovery.damage.len(), 1, "{:?}", recovery.damage);
    assert_eq!(kept(folder.path()), ["quarantine-1-00000001.journal", "quarantine-2-00000001.journal"]);
}

#[test]
fn a_file_of_zeros_between_two_that_go_on_is_what_an_unfinished_beginning_leaves() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 4000);
    let second = path_of(folder.path(), 2);
    let whole = fs::read(&second).unwrap();
    // The segment behind it moves on by one, its number in its header with it.
    let (header, _) = Header::decode(&whole).unwrap();
    let mut moved = Header { segment: 9, ..header }.encode().to_vec();
    moved.extend_from_slice(&whole[HEADER_BYTES..]);
    (3..=9).for_each(|n| drop(fs::remove_file(path_of(folder.path(), n))));
    fs::write(path_of(folder.path(), 9), moved).unwrap();
    fs::write(&second, vec![0; 5000]).unwrap();
    let (_, recovery, _) = open(folder.path());
    assert_eq!((recovery.damage.len(), kept(folder.path()).len(), second.exists()), (0, 0, false));
}

#[test]
fn a_segment_that_became_zeros_is_set_aside_with_words() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 4000);
    fs::write(path_of(folder.path(), 2), vec![0; SEGMENT_BYTES as usize]).unwrap();
    let (_, recovery, _) = open(folder.path());
    assert!(
        recovery.damage.iter().any(|words| words.contains("segment 2: nothing but zeros")),
        "{:?}",
        recovery.damage
    );
    assert_eq!(recovery.gaps.len(), 1);
    assert!(kept(folder.path()).contains(&"quarantine-1-00000002.journal".to_owned()));
}

#[test]
fn a_segment_begins_with_the_clocks_offset_and_has_its_size_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, ..) = open(folder.path());
    let offset = Record::Offset { ms: 5, uncertainty_ms: Some(40), learnt_ms: Some(1), boot: None };
    journal.append(&[&offset]).unwrap();
    (1..=2000).for_each(|n| drop(journal.append(&[&event(n)]).unwrap()));
    let last = journal.current_segment();
    journal.trim(last).unwrap();
    drop(journal);
    assert_eq!(fs::metadata(path_of(folder.path(), last)).unwrap().len(), SEGMENT_BYTES);
    let mut found = vec![];
    Journal::open(Folder::open(folder.path()).unwrap(), SEGMENT_BYTES, None, |record, _| found.push(record)).unwrap();
    assert_eq!(found[0], offset);
}
