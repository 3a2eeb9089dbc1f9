//! The two flows as a person walks them: by scans, by buttons, mixed, wrong and repeated.

use std::time::Duration;

use super::super::catalog::{Bin, Conventions, Document, Line, Product};
use super::super::decode::{RawScan, decode};
use super::super::event::MediaType;
use super::super::id::Digest;
use super::super::policy::{Kind, PhotoRule};
use super::super::quantity::Quantity;
use super::super::time::Wall;
use super::*;

const TEA: &str = "7032069804988";
const NOW: Now = Now { boot: Duration::from_secs(60), wall: Wall(1_795_414_353_123) };

fn catalog() -> Catalog {
    let mut catalog = Catalog::new(Conventions::default());
    catalog.add_operator(Operator { badge: "EMP-7".into(), name: Some("Ada".into()) });
    catalog.add_product(Product { code: TEA.into(), name: "Tea".into(), unit: Some("Units".into()) });
    catalog.add_bin(Bin { code: "A-03-02".into(), name: None });
    let line = |bin: Option<&str>| Line {
        product: TEA.into(),
        bin: bin.map(Into::into),
        expected: Quantity::from_count(8),
        unit: None,
    };
    for (code, direction, bin) in
        [("WH/OUT/12", Direction::Pick, Some("A-03-02")), ("WH/IN/4", Direction::Receipt, None)]
    {
        catalog.add_document(Document { code: code.into(), direction, lines: vec![line(bin)] });
    }
    catalog
}

struct Floor {
    capture: Capture,
    /// Between two scans; a hand is slower than any cooldown.
    pause: Duration,
    now: Now,
}

impl Floor {
    fn new() -> Floor {
        Floor::with(Policies::default())
    }

    fn with(policies: Policies) -> Floor {
        Floor { capture: Capture::new(catalog(), policies), pause: Duration::from_secs(2), now: NOW }
    }

    fn input(&mut self, input: Input) -> Effect {
        self.capture.handle(input, NOW, &[7; 10]).remove(0)
    }

    fn scan(&mut self, text: &str) -> Effect {
        self.now.boot += self.pause;
        self.input(Input::Scan(decode(RawScan::new("gun", text.as_bytes(), self.now))))
    }

    fn scans(&mut self, texts: &[&str]) -> Effect {
        texts.iter().map(|text| self.scan(text)).last().unwrap()
    }

    fn saved(&mut self, texts: &[&str]) -> Report {
        match self.scans(texts) {
            Effect::Save(report) => *report,
            other @ Effect::Tell(_) => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_empty_bin_costs_three_scans() {
    let mut floor = Floor::new();
    floor.scan("EMP-7");
    let report = floor.saved(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
    assert_eq!(report.kind, Kind::PickShortage);
    assert_eq!(report.document.as_deref(), Some("WH/OUT/12"));
    assert_eq!(report.item.as_ref().map(|item| item.code.as_str()), Some("07032069804988"));
    assert_eq!((report.expected, report.counted), (Some(Quantity::from_count(8)), Quantity::ZERO));
    assert_eq!(report.reason.as_ref().map(Reason::as_str), Some("bin_empty"));
    let roles: Vec<_> = report.scans.iter().map(|scan| scan.role).collect();
    assert_eq!(roles, [Role::Operator, Role::Bin, Role::Command]);
}

#[test]
fn scanning_the_bin_again_confirms() {
    let mut floor = Floor::new();
    floor.scan("EMP-7");
    floor.saved(&["A-03-02", "TM-EMPTY", "A-03-02"]);
}

#[test]
fn a_short_pick_is_item_digits_reason_done() {
    let mut floor = Floor::new();
    floor.scans(&["EMP-7", "WH/OUT/12"]);
    let report = floor.saved(&[TEA, "TM-5", "TM-SHORT", "TM-DONE"]);
    assert_eq!(report.counted, Quantity::from_count(5));
    assert_eq!(report.bin.as_deref(), Some("A-03-02"), "the line's bin is filled in");
    assert_eq!(report.unit.as_deref(), Some("Units"));
}

#[test]
fn anything_may_be_scanned_in_any_order() {
    let mut floor = Floor::new();
    let report = floor.saved(&[TEA, "TM-5", "A-03-02", "WH/OUT/12", "TM-REASON-DAMAGED", "EMP-7", "TM-DONE"]);
    assert_eq!(report.operator.as_ref().map(|o| o.badge.as_str()), Some("EMP-7"));
    assert_eq!(report.reason.as_ref().map(Reason::as_str), Some("damaged"));
    assert_eq!(report.expected, Some(Quantity::from_count(8)));
}

#[test]
fn a_receipt_counts_by_pieces_and_digits_replace_them() {
    let mut floor = Floor::new();
    floor.scans(&["EMP-7", "WH/IN/4", TEA, TEA, TEA]);
    assert_eq!(floor.capture.slip().unwrap().count, Count::Pieces(3));
    let report = floor.saved(&["TM-1", "TM-0", "TM-REASON-OVER_DELIVERY", TEA]);
    assert_eq!((report.kind, report.counted), (Kind::ReceivingDiscrepancy, Quantity::from_count(10)));
}

#[test]
fn a_line_that_matches_is_nothing_to_report() {
    let mut floor = Floor::new();
    floor.scans(&["EMP-7", "WH/IN/4", TEA, "TM-8"]);
    assert_eq!(floor.capture.question(), Question::Matches);
    assert_eq!(floor.scan("TM-DONE"), Effect::Tell(Feedback::Matches));
    assert_eq!(floor.capture.slip(), None);
    assert_eq!(floor.capture.document().map(|d| d.code.as_str()), Some("WH/IN/4"), "the session goes on");
}

#[test]
fn an_over_receipt_has_only_the_reasons_that_explain_it() {
    let mut floor = Floor::new();
    floor.scans(&["EMP-7", "WH/IN/4", TEA, "TM-9"]);
    let words: Vec<_> = floor.capture.reasons().iter().map(ToString::to_string).collect();
    assert_eq!(words, ["over_delivery", "wrong_item"]);
}

#[test]
fn done_says_what_is_missing_and_changes_nothing() {
    let mut floor = Floor::new();
    let mut missing = |scans: &[&str]| {
        floor.scans(scans);
        match floor.scan("TM-DONE") {
            Effect::Tell(Feedback::NotUnderstood { help, .. }) => help,
            other @ (Effect::Tell(_) | Effect::Save(_)) => panic!("{other:?}"),
        }
    };
    assert!(missing(&["TM-CLEAR"]).contains("badge"));
    assert!(missing(&["EMP-7"]).contains("document"));
    assert!(missing(&["WH/OUT/12"]).contains("bin or the item"));
    assert!(missing(&[TEA]).contains("Count"));
    assert!(missing(&["TM-5"]).contains("reason"));
}

#[test]
fn a_photo_that_policy_wants_keeps_done_off() {
    let mut policies = Policies::default();
    policies.pick_shortage.photo = PhotoRule::Required;
    let mut floor = Floor::with(policies);
    floor.scans(&["EMP-7", "A-03-02", "TM-EMPTY"]);
    assert_eq!(floor.capture.question(), Question::Photo);
    let photo = Photo { digest: Digest::of(b"x"), size: 1, media_type: MediaType::Jpeg };
    floor.input(Input::Photo(photo.clone()));
    floor.input(Input::Photo(photo));
    assert_eq!(floor.saved(&["TM-DONE"]).photos.len(), 1, "the same photo twice is one");
}

#[test]
fn a_report_is_worth_more_than_the_photo_that_has_no_room() {
    let mut policies = Policies::default();
    policies.pick_shortage.photo = PhotoRule::Required;
    let mut floor = Floor::with(policies);
    floor.scans(&["EMP-7", "A-03-02", "TM-EMPTY"]);
    floor.input(Input::PhotoRefused { why: "this is no photo".into(), no_room: false });
    assert_eq!(floor.capture.question(), Question::Photo);
    floor.input(Input::PhotoRefused { why: "the disk is full".into(), no_room: true });
    assert_eq!(floor.capture.question(), Question::Done);
    assert_eq!(floor.saved(&["TM-DONE"]).photos, []);
}

#[test]
fn a_single_allowed_reason_is_filled_in() {
    let mut policies = Policies::default();
    policies.receiving_discrepancy.reasons.truncate(1);
    let mut floor = Floor::with(policies);
    let report = floor.saved(&["EMP-7", "WH/IN/4", TEA, "TM-5", "TM-DONE"]);
    assert_eq!(report.reason.as_ref().map(Reason::as_str), Some("short_delivery"));
}

#[test]
fn nothing_is_shown_as_saved_before_the_journal_says_so() {
    let mut floor = Floor::new();
    floor.scan("EMP-7");
    floor.saved(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
    assert!(floor.capture.is_saving());
    assert!(floor.capture.slip().is_some());
    assert!(
        matches!(floor.scan(TEA), Effect::Tell(Feedback::Refused { .. })),
        "the shell holds inputs back; capture insists"
    );
    let told = floor.input(Input::Saved { waiting: 3, online: false });
    assert_eq!(told, Effect::Tell(Feedback::Saved { waiting: 3, online: false }));
    assert_eq!(floor.capture.slip(), None);
}

#[test]
fn a_refused_save_keeps_the_slip_and_its_id() {
    let mut floor = Floor::new();
    floor.scan("EMP-7");
    let first = floor.saved(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
    floor.input(Input::NotSaved { why: "disk full".into() });
    assert_eq!(floor.saved(&["TM-DONE"]), first);
}

#[test]
fn undo_takes_inputs_back_ten_deep() {
    let mut floor = Floor::new();
    floor.scans(&["EMP-7", "WH/OUT/12", TEA, "TM-1", "TM-2"]);
    floor.scan("TM-UNDO");
    assert_eq!(floor.capture.slip().unwrap().count, Count::Typed("1".into()));
    floor.scans(&["TM-UNDO", "TM-UNDO"]);
    assert!(floor.capture.slip().is_none_or(|slip| slip.item.is_none()));
    for _ in 0..30 {
        floor.scan("TM-UNDO");
    }
    assert_eq!(floor.capture.operator(), None);
}

#[test]
fn an_unknown_code_fills_the_slot_that_is_asked_for_but_never_signs_anyone_on() {
    let mut floor = Floor::new();
    assert!(matches!(floor.scan("XYZZY"), Effect::Tell(Feedback::NotUnderstood { .. })));
    let report = floor.saved(&["EMP-99", "SHELF 7", "HOUSE-CODE", "TM-0", "TM-REASON-NOT_FOUND", "TM-DONE"]);
    assert_eq!(report.bin.as_deref(), Some("SHELF 7"));
    assert_eq!(report.item.map(|item| item.code).as_deref(), Some("HOUSE-CODE"));
    assert_eq!(report.expected, None);
}

#[test]
fn a_cut_off_code_fills_nothing() {
    let mut floor = Floor::new();
    floor.scan("EMP-7");
    let raw = RawScan { flaws: vec![Flaw::Partial], ..RawScan::new("gun", b"A-03", NOW) };
    let told = floor.input(Input::Scan(decode(raw)));
    assert!(matches!(told, Effect::Tell(Feedback::NotUnderstood { .. })));
    assert_eq!(floor.capture.question(), Question::Context);
}

#[test]
fn buttons_and_typing_do_what_scans_do() {
    let mut floor = Floor::new();
    for (slot, text) in [(TypedSlot::Operator, "EMP-7"), (TypedSlot::Document, "WH/OUT/12"), (TypedSlot::Item, TEA)] {
        floor.input(Input::Typed { slot, text: text.into() });
    }
    floor.input(Input::Typed { slot: TypedSlot::Note, text: "torn box".into() });
    floor.input(Input::Command(Command::Digit(5)));
    floor.input(Input::Command(Command::Point));
    floor.input(Input::Command(Command::Digit(5)));
    floor.input(Input::Command(Command::Damaged));
    match floor.input(Input::Command(Command::Done)) {
        Effect::Save(report) => {
            assert_eq!((report.counted.to_string().as_str(), report.note.as_deref()), ("5.5", Some("torn box")));
        }
        other @ Effect::Tell(_) => panic!("{other:?}"),
    }
}

#[test]
fn a_session_of_ten_thousand_scans_stays_within_an_event() {
    let mut floor = Floor::new();
    floor.scans(&["EMP-7", "WH/IN/4"]);
    for _ in 0..10_000 {
        floor.scan(TEA);
    }
    let report = floor.saved(&["TM-REASON-OVER_DELIVERY", "TM-DONE"]);
    assert_eq!(report.counted, Quantity::from_count(10_000));
    assert!(report.scans.len() <= 66 && report.scans_omitted > 9_900);
}

#[test]
fn one_beep_that_came_twice_counts_once_and_a_held_trigger_too() {
    let mut floor = Floor::new();
    floor.scans(&["EMP-7", "WH/IN/4", TEA]);
    floor.pause = Duration::from_millis(200);
    assert_eq!(floor.scans(&[TEA, TEA, TEA]), Effect::Tell(Feedback::Again));
    assert_eq!(floor.capture.slip().map(|slip| slip.count.clone()), Some(Count::Pieces(1)));
    floor.pause = Duration::from_millis(300);
    assert_eq!(floor.scan(TEA), Effect::Tell(Feedback::Understood));
    assert_eq!(floor.capture.slip().map(|slip| slip.count.clone()), Some(Count::Pieces(2)));
}

#[test]
fn the_same_code_behind_another_one_is_meant_however_fast_it_comes() {
    let mut floor = Floor::new();
    floor.pause = Duration::from_millis(10);
    floor.saved(&["EMP-7", "A-03-02", "TM-EMPTY", "TM-DONE"]);
    floor.input(Input::Saved { waiting: 1, online: true });
    floor.saved(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
}

#[test]
fn digits_of_the_card_may_follow_each_other_as_fast_as_they_come() {
    let mut floor = Floor::new();
    floor.scans(&["EMP-7", "WH/OUT/12", "A-03-02"]);
    floor.pause = Duration::from_millis(10);
    floor.scans(&["TM-1", "TM-1"]);
    assert_eq!(floor.capture.slip().map(|slip| slip.count.clone()), Some(Count::Typed("11".into())));
}

#[test]
fn a_lot_on_a_barcode_of_its_own_belongs_to_the_item_that_was_scanned() {
    let mut floor = Floor::new();
    assert!(matches!(floor.scan("]C110L42"), Effect::Tell(Feedback::NotUnderstood { .. })));
    floor.scans(&["EMP-7", "WH/IN/4", TEA, "]C110L42\u{1d}17270131"]);
    let item = floor.capture.slip().and_then(|slip| slip.item.clone()).unwrap();
    assert_eq!((item.gtin.is_some(), item.lot.as_deref()), (true, Some("L42")));
    assert_eq!(item.expiry, Some(jiff::civil::date(2027, 1, 31)));
}

#[test]
fn a_command_of_odoo_is_explained_and_is_no_bin() {
    let mut floor = Floor::new();
    floor.scan("EMP-7");
    assert!(
        matches!(floor.scan("OBTVALI"), Effect::Tell(Feedback::NotUnderstood { help, .. }) if help.contains("Odoo"))
    );
    assert_eq!(floor.capture.slip(), None);
}

#[test]
fn a_product_that_is_stored_under_its_short_upc_is_counted_against_its_line() {
    for scan in ["01234565", "]E0012345000065", "]E401234565"] {
        let mut catalog = catalog();
        catalog.add_product(Product { code: "01234565".into(), name: "Soup".into(), unit: Some("Cans".into()) });
        let line = Line { product: "01234565".into(), bin: None, expected: Quantity::from_count(6), unit: None };
        catalog.add_document(Document { code: "WH/IN/5".into(), direction: Direction::Receipt, lines: vec![line] });
        let mut floor = Floor::new();
        floor.capture = Capture::new(catalog, Policies::default());
        floor.scans(&["EMP-7", "WH/IN/5", scan]);
        let slip = floor.capture.slip().unwrap();
        assert_eq!((slip.expected, slip.unit.as_deref()), (Some(Quantity::from_count(6)), Some("Cans")), "{scan}");
    }
}

#[test]
fn a_number_that_is_typed_is_taken_as_a_scan_of_it_would_be() {
    let mut floor = Floor::new();
    floor.input(Input::Typed { slot: TypedSlot::Item, text: "01234565".into() });
    let item = floor.capture.slip().and_then(|slip| slip.item.clone()).unwrap();
    assert_eq!(item.gtin.map(|gtin| gtin.to_string()).as_deref(), Some("00012345000065"));
}
