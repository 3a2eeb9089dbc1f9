use super::super::RETENTION;
use super::*;
use crate::domain::id::{Digest, EventId};
use crate::domain::outbox::Entry;
use crate::domain::outbox::State;
use crate::domain::policy::Kind;
use crate::domain::time::Wall;
use crate::domain::view::Row;
use crate::wire::index_v2::StateCode;

fn entry(n: u64, state: State) -> Entry {
    Entry {
        sequence: Sequence(n),
        id: EventId::mint(Wall(1), &[n as u8; 10]),
        digest: Digest::of(&n.to_be_bytes()),
        size: 600,
        kind: Kind::PickShortage,
        subject: "WH/OUT/1".into(),
        captured: Wall(0),
        photos: Box::default(),
        state,
    }
}

fn delivered(n: u64, case: String) -> Entry {
    entry(n, State::Delivered { case: Some(case) })
}

fn delivered_of(index: &SledIndex, most: usize) -> Vec<Row> {
    let (rows, read) = index.delivered(most);
    read.unwrap();
    rows
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_folder_that_grew_is_left_for_a_new_generation_with_all_that_lives() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.current.as_mut().unwrap().room = 1 << 20;
    // The same hundred values again and again: little lives, and sled keeps the room of all of it.
    for round in 0..200 {
        (1..=100).for_each(|n| index.put(&delivered(n, format!("{round:0>300}"))).unwrap());
    }
    let number = index.current.as_ref().unwrap().number;
    assert!(number > 1, "it never moved on");
    assert_eq!(names(folder.path()), [format!("index-{number:08}")]);
    assert_eq!(delivered_of(&index, 1000).len(), 100);
    index.close().unwrap();
    let (index, kept) = SledIndex::open(folder.path()).unwrap();
    assert_eq!((delivered_of(&index, 1000).len(), kept), (100, None));
    assert!(delivered_of(&index, 1)[0].case.as_ref().unwrap().ends_with("199"));
}

#[test]
fn a_copy_that_was_never_finished_is_removed_and_the_old_generation_opens() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.put(&delivered(1, "C".into())).unwrap();
    index.close().unwrap();
    drop(Generation::create(&path_of(folder.path(), 2)).unwrap());
    let (index, kept) = SledIndex::open(folder.path()).unwrap();
    assert_eq!((delivered_of(&index, 9).len(), kept), (1, None));
    assert_eq!(names(folder.path()), ["index-00000001"]);
}

#[test]
fn of_two_generations_the_later_counts_and_the_other_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut old, _) = SledIndex::open(folder.path()).unwrap();
    old.put(&delivered(1, "old".into())).unwrap();
    old.close().unwrap();
    let mut new = SledIndex { folder: folder.path().to_owned(), current: None, known: None };
    new.begin(2).unwrap();
    new.put(&delivered(1, "new".into())).unwrap();
    new.close().unwrap();
    let (index, _) = SledIndex::open(folder.path()).unwrap();
    assert_eq!(delivered_of(&index, 9)[0].case.as_deref(), Some("new"));
    assert_eq!(names(folder.path()), ["index-00000002"]);
}

#[test]
fn what_fails_is_set_aside_and_an_empty_one_takes_its_place_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.put(&delivered(1, "C".into())).unwrap();
    let kept = index.begin_anew().unwrap();
    assert!(kept.ends_with("quarantine-1-index-00000001"), "{kept}");
    assert_eq!(delivered_of(&index, 9), []);
    index.put(&delivered(2, "D".into())).unwrap();
    assert_eq!(names(folder.path()), ["index-00000002", "quarantine-1-index-00000001"]);
}

#[test]
fn old_deliveries_are_forgotten_and_never_what_is_unsent() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.put(&entry(1, State::FRESH)).unwrap();
    (2..=RETENTION as u64 + 20).for_each(|n| index.put(&delivered(n, "C".into())).unwrap());
    index.retain(1).unwrap();
    let unsent = index.entries().map(Result::unwrap).filter(|(_, value)| value.state == StateCode::Pending).count();
    assert_eq!((index.entries().count(), index.count(), unsent), (RETENTION + 1, RETENTION + 1, 1));
    let oldest = index.entries().nth(1).unwrap().unwrap();
    assert_eq!(oldest.0, Sequence(21), "the oldest go first");
}

#[test]
fn what_the_index_lacks_or_knows_otherwise_is_found_in_one_walk() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    for n in [1, 2, 4, 5, 7] {
        index.put(&entry(n, State::FRESH)).unwrap();
    }
    // 1 and 7 are the index's alone, 3 is new, 4 has been delivered since, 9 is behind its end.
    let now = [
        entry(2, State::FRESH),
        entry(3, State::FRESH),
        delivered(4, "C".into()),
        entry(5, State::FRESH),
        entry(9, State::FRESH),
    ];
    let known = index.survey().unwrap();
    assert_eq!(Known::stale(&known, now.iter()), [Sequence(3), Sequence(4), Sequence(9)]);
    assert_eq!(Known::stale(&known, std::iter::empty()), []);
    assert_eq!(Known::stale(&[], now[..2].iter()), [Sequence(2), Sequence(3)]);
}

#[test]
fn a_large_index_is_whole_after_it_let_go_of_what_it_read() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    let many = generation::LET_GO_FROM as u64 + 1;
    (1..=many).for_each(|n| index.put(&entry(n, State::FRESH)).unwrap());
    // Once after a clean stop, and once as after a crash.
    index.close().unwrap();
    for round in 1..=2 {
        let (mut index, kept) = SledIndex::open(folder.path()).unwrap();
        assert_eq!((kept, index.survey().unwrap().len() as u64), (None, many), "round {round}");
        assert_eq!(index.survey().unwrap().len() as u64, many, "asked again, it walks");
        index.put(&delivered(many, round.to_string())).unwrap();
    }
    let (index, kept) = SledIndex::open(folder.path()).unwrap();
    assert_eq!(kept, None);
    assert_eq!(delivered_of(&index, 9)[0].case.as_deref(), Some("2"));
}

/// sled lets its lock go when its last thread ends, and on a busy machine that is later than the handle's end.
#[test]
fn an_index_that_is_still_being_let_go_is_waited_for_and_not_taken_for_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.put(&entry(1, State::FRESH)).unwrap();
    index.barrier().unwrap();
    let slow = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(150));
        drop(index);
    });
    let (index, kept) = SledIndex::open(folder.path()).unwrap();
    assert_eq!((kept, index.count()), (None, 1));
    slow.join().unwrap();
}

#[test]
fn where_there_is_no_room_for_a_copy_the_old_generation_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.current.as_mut().unwrap().room = 1 << 20;
    let in_the_way = path_of(folder.path(), 2);
    fs::write(&in_the_way, "").unwrap();
    let fill = |index: &mut SledIndex, round: u64| {
        (1..=100).for_each(|n| index.put(&delivered(n, format!("{round:0>300}"))).unwrap());
    };
    (0..60).for_each(|round| fill(&mut index, round));
    assert_eq!((index.current.as_ref().unwrap().number, index.count()), (1, 100));
    assert!(index.current.as_ref().unwrap().limit() > 1 << 20, "it would be tried at every write");
    fs::remove_file(&in_the_way).unwrap();
    index.current.as_mut().unwrap().again_from = 0;
    (0..20).for_each(|round| fill(&mut index, round));
    assert!(index.current.as_ref().unwrap().number > 1, "it never tried again");
    assert_eq!(names(folder.path()).len(), 1);
}

#[test]
fn a_new_index_is_empty_whatever_was_left_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    let mut half = Generation::create(&path_of(folder.path(), 2)).unwrap();
    half.insert(7_u64.to_be_bytes(), b"half a copy").unwrap();
    half.barrier().unwrap();
    drop(half);
    index.begin_anew().unwrap();
    assert_eq!((index.count(), index.entries().count()), (0, 0));
}

/// Between two explicit barriers less is written than what makes one necessary, as in a quiet hall.
#[test]
fn a_folder_that_grew_is_left_behind_any_barrier() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.current.as_mut().unwrap().room = 1 << 20;
    for round in 0..400 {
        (1..=50).for_each(|n| index.put(&delivered(n, format!("{round:0>300}"))).unwrap());
        index.barrier().unwrap();
        let size = index.current.as_ref().unwrap().generation.size();
        assert!(size <= 2 << 20, "round {round}: {size} bytes");
    }
    assert!(index.current.as_ref().unwrap().number > 1, "it never moved on");
    assert_eq!(delivered_of(&index, 1000).len(), 50);
}

#[test]
fn a_start_takes_what_lives_and_not_the_folder_for_what_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    (1..=100).for_each(|n| index.put(&delivered(n, format!("{n:0>300}"))).unwrap());
    index.close().unwrap();
    // What a backlog leaves behind; how much of it sled gives back at its end varies.
    fs::write(path_of(folder.path(), 1).join("left"), vec![1; 2 * ROOM_BYTES as usize]).unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    let before = index.current.as_ref().unwrap().generation.size();
    assert!(before > ROOM_BYTES);
    index.put(&delivered(1, "C".into())).unwrap();
    index.barrier().unwrap();
    let current = index.current.as_ref().unwrap();
    assert_eq!((current.number, current.generation.count), (2, 100));
    assert!(current.generation.size() < before / 2);
    let live: u64 = (1..=100).map(|n| index.read(Sequence(n)).unwrap().unwrap().encode().len() as u64 + 8).sum();
    assert_eq!(current.generation.live(), live);
}

#[test]
fn a_new_index_counts_when_it_was_filled_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    // So much that sled has written a part of it by itself.
    (1..=1000).for_each(|n| index.put(&delivered(n, "C".into())).unwrap());
    drop(index);
    let (mut index, kept) = SledIndex::open(folder.path()).unwrap();
    assert_eq!((index.count(), kept), (0, None), "half of it passes for all");
    index.put(&delivered(1, "C".into())).unwrap();
    index.barrier().unwrap();
    drop(index);
    assert_eq!(SledIndex::open(folder.path()).unwrap().0.count(), 1);
}

#[test]
fn what_is_half_filled_is_not_whole_in_its_next_generation_either() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.current.as_mut().unwrap().room = 1 << 20;
    for round in 0..60 {
        (1..=100).for_each(|n| index.put(&delivered(n, format!("{round:0>300}"))).unwrap());
    }
    assert!(index.current.as_ref().unwrap().number > 1, "it never moved on");
    drop(index);
    assert_eq!(SledIndex::open(folder.path()).unwrap().0.count(), 0);
}

/// As after a rename that got through, and whose folder could not be made durable.
#[test]
fn an_index_that_was_set_aside_at_an_earlier_try_is_begun_anew_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.put(&delivered(1, "C".into())).unwrap();
    let aside = folder.path().join("quarantine-1-index-00000001");
    fs::rename(path_of(folder.path(), 1), &aside).unwrap();
    assert_eq!(index.begin_anew().unwrap(), aside.display().to_string());
    index.put(&delivered(2, "D".into())).unwrap();
    assert_eq!(names(folder.path()), ["index-00000002", "quarantine-1-index-00000001"]);
}

#[test]
fn an_index_that_is_let_go_of_stays_and_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.put(&delivered(1, "C".into())).unwrap();
    index.barrier().unwrap();
    index.shut();
    assert!(!index.is_open());
    assert_eq!(index.begin_anew().unwrap(), "");
    assert_eq!((delivered_of(&index, 9).len(), names(folder.path())), (1, vec!["index-00000001".to_owned()]));
}

#[test]
fn a_list_of_what_can_no_longer_be_read_ends_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    // So many that an open lets go of what it read.
    (1..=generation::LET_GO_FROM as u64).for_each(|n| index.put(&delivered(n, "C".into())).unwrap());
    index.close().unwrap();
    let (index, _) = SledIndex::open(folder.path()).unwrap();
    let db = index.current.as_ref().unwrap().generation.folder.join("db");
    let file = fs::OpenOptions::new().write(true).open(db).unwrap();
    file.set_len(0).unwrap();
    let (rows, read) = index.delivered(usize::MAX);
    assert!(read.is_err() && rows.len() < generation::LET_GO_FROM, "{} rows", rows.len());
}

#[test]
fn a_full_disk_is_told_from_damage() {
    let why = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::Other].map(io::Error::from);
    let failed = why.map(|why| matches!(Failed::from(generation::io_error(sled::Error::Io(why))), Failed::Full));
    assert_eq!(failed, [true, true, false]);
}
