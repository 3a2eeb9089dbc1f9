use super::*;
use crate::wire::journal_v2::PhotoRecord;

const AT: Location = Location { segment: 1, offset: 68, length: 100, place: 0 };

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn event(sequence: u64, photos: &[&str]) -> EventRecord {
    let photo =
        |name: &&str| PhotoRecord { digest: digest(name).to_string(), size: 3, media_type: "image/jpeg".into() };
    EventRecord {
        sequence,
        id: String::new(),
        kind: "pick_shortage".into(),
        subject: "WH/OUT/1".into(),
        captured_ms: 0,
        photos: photos.iter().map(photo).collect(),
        jws: String::new(),
    }
}

fn sent(name: &str) -> Record {
    Record::PhotoSent { digest: digest(name).to_string() }
}

fn done(ledger: &Ledger) -> Vec<Digest> {
    ledger.photos_done().iter().copied().collect()
}

fn ledger(records: &[Record]) -> Ledger {
    let mut ledger = Ledger::default();
    records.iter().for_each(|record| ledger.record(record, AT));
    ledger
}

#[test]
fn what_became_of_a_photo_says_nothing_of_the_same_picture_in_a_later_report() {
    let lost = Record::PhotoLost { digest: digest("a").to_string(), why: "its file is gone".into() };
    let first = Record::Event(event(1, &["a", "b"]));
    assert_eq!(done(&ledger(&[first.clone(), lost.clone()])), [digest("a")]);
    assert_eq!(done(&ledger(&[first, lost, Record::Event(event(2, &["a"]))])), []);
}

#[test]
fn a_carried_event_says_itself_which_of_its_photos_are_there() {
    let there = vec![digest("a").to_string()];
    let carried =
        |photos_there| Record::Carried { event: event(1, &["a", "b"]), state: StateRecord::Pending, photos_there };
    assert_eq!(done(&ledger(&[carried(there)])), [digest("a")]);
    let again = ledger(&[Record::Event(event(1, &["a", "b"])), sent("a"), carried(vec![digest("a").to_string()])]);
    assert_eq!(done(&again), [digest("a")]);
    assert_eq!(done(&ledger(&[Record::Event(event(1, &["a"])), Record::Event(event(2, &["a"])), carried(vec![])])), []);
}

#[test]
fn photos_are_remembered_only_while_an_event_names_them() {
    let mut ledger = ledger(&[Record::Event(event(1, &["parked"])), sent("parked")]);
    for n in 2..1000 {
        let name = format!("photo {n}");
        ledger.record(&Record::Event(event(n, &[&name, "shared"])), AT);
        ledger.record(&sent(&name), AT);
        ledger.record(&sent("shared"), AT);
        ledger.record(&sent("nobody's"), AT);
        if n > 2 {
            ledger.forget(Sequence(n - 1));
        }
    }
    let mut left = vec![digest("parked"), digest("shared"), digest("photo 999")];
    left.sort();
    assert_eq!(done(&ledger), left);
    ledger.forget(Sequence(1));
    ledger.forget(Sequence(999));
    assert!(done(&ledger).is_empty() && ledger.photos.is_empty() && ledger.named.is_empty());
}
