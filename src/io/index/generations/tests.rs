use super::super::RETENTION;
use super::*;
use crate::domain::id::{Digest, EventId};
use crate::domain::outbox::Entry;
use crate::domain::outbox::State;
use crate::domain::policy::Kind;
use crate::domain::time::Wall;
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
    index.current.as_mut().unwrap().limit = 1 << 20;
    // The same hundred values again and again: little lives, and sled keeps the room of all of it.
    for round in 0..200 {
        (1..=100).for_each(|n| index.put(&delivered(n, format!("{round:0>300}"))).unwrap());
    }
    let number = index.current.as_ref().unwrap().number;
    assert!(number > 1, "it never moved on");
    assert_eq!(names(folder.path()), [format!("index-{number:08}")]);
    assert_eq!(index.delivered(1000).len(), 100);
    index.close().unwrap();
    let (index, kept) = SledIndex::open(folder.path()).unwrap();
    assert_eq!((index.delivered(1000).len(), kept), (100, None));
    assert!(index.delivered(1)[0].case.as_ref().unwrap().ends_with("199"));
}

#[test]
fn a_copy_that_was_never_finished_is_removed_and_the_old_generation_opens() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.put(&delivered(1, "C".into())).unwrap();
    index.close().unwrap();
    drop(Generation::create(&path_of(folder.path(), 2)).unwrap());
    let (index, kept) = SledIndex::open(folder.path()).unwrap();
    assert_eq!((index.delivered(9).len(), kept), (1, None));
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
    assert_eq!(index.delivered(9)[0].case.as_deref(), Some("new"));
    assert_eq!(names(folder.path()), ["index-00000002"]);
}

#[test]
fn what_fails_is_set_aside_and_an_empty_one_takes_its_place_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.put(&delivered(1, "C".into())).unwrap();
    let kept = index.begin_anew().unwrap();
    assert!(kept.ends_with("quarantine-1-index-00000001"), "{kept}");
    assert_eq!(index.delivered(9), []);
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
    let (index, _) = SledIndex::open(folder.path()).unwrap();
    assert_eq!(index.delivered(9)[0].case.as_deref(), Some("2"));
}

#[test]
fn where_there_is_no_room_for_a_copy_the_old_generation_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = SledIndex::open(folder.path()).unwrap();
    index.current.as_mut().unwrap().limit = 1 << 20;
    let in_the_way = path_of(folder.path(), 2);
    fs::write(&in_the_way, "").unwrap();
    let fill = |index: &mut SledIndex, round: u64| {
        (1..=100).for_each(|n| index.put(&delivered(n, format!("{round:0>300}"))).unwrap());
    };
    (0..60).for_each(|round| fill(&mut index, round));
    assert_eq!((index.current.as_ref().unwrap().number, index.count()), (1, 100));
    assert!(index.current.as_ref().unwrap().limit > 1 << 20, "it would be tried at every write");
    fs::remove_file(&in_the_way).unwrap();
    index.current.as_mut().unwrap().limit = 1 << 20;
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

#[test]
fn a_walk_in_which_sled_panics_ends_with_words() {
    let panics = (1..=3).map(|n| if n < 3 { Ok(n) } else { panic!("as sled does on a damaged page") });
    let walked: Vec<Result<i32, Failed>> = Guarded(Some(panics)).collect();
    assert_eq!(walked.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
}
