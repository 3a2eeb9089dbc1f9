//! The page's HTML as programs read it: which question, which state, and nothing of a hostile code.

use super::*;
use crate::domain::capture::Feedback;
use crate::domain::id::{EventId, Sequence};
use crate::domain::outbox::Counts;
use crate::domain::policy::{Kind, Policies, Reason};
use crate::domain::time::Wall;
use crate::domain::view::{LineView, Row, ScannerView, SlipView};

const HOSTILE: &str = "\"><script>alert('1')</script>\u{1d}\u{202e}&";
const ALL: [(Question, &str); 9] = [
    (Question::Operator, "operator"),
    (Question::Context, "context"),
    (Question::BinOrItem, "bin-or-item"),
    (Question::Item, "item"),
    (Question::Count, "count"),
    (Question::Reason, "reason"),
    (Question::Photo, "photo"),
    (Question::Done, "done"),
    (Question::Matches, "matches"),
];

pub(in crate::web) fn snapshot() -> Snapshot {
    Snapshot {
        operator: Some("Ada".into()),
        document: Some("WH/OUT/12".into()),
        question: Question::Count,
        slip: SlipView::default(),
        reasons: vec![],
        feedback: None,
        feedback_number: 0,
        saving: false,
        line: LineView { online: true, enrolled: true, trouble: None, detail: None, photo_trouble: None },
        counts: Counts::default(),
        lost_photos: vec![],
        mine: vec![],
        scanners: vec![ScannerView { name: "gun".into(), connected: true, detail: "ready".into(), devices: vec![] }],
        testing: false,
        tested: vec![],
        low_disk: false,
    }
}

fn short_pick() -> Snapshot {
    let reasons = Policies::default().pick_shortage.reasons.into_iter().map(|rule| rule.reason).collect();
    let slip = SlipView {
        bin: Some("A-03-02".into()),
        item: Some("07032069804988".into()),
        item_name: Some("Tea".into()),
        lot: Some("L1".into()),
        expected: Some("8".into()),
        counted: Some("5".into()),
        unit: Some("Units".into()),
        variance: Some("-3".into()),
        ..SlipView::default()
    };
    Snapshot { slip, reasons, question: Question::Reason, ..snapshot() }
}

fn row(state: &'static str, case: Option<&str>) -> Row {
    Row {
        sequence: Sequence(7),
        id: EventId::mint(Wall(7), &[7; 10]),
        kind: Kind::PickShortage,
        subject: "WH/OUT/12".into(),
        captured: Wall(1_795_414_353_120),
        state,
        case: case.map(Into::into),
        photos: 2,
        error: (state == "parked").then(|| "The document is closed.".into()),
    }
}

fn html(snapshot: &Snapshot) -> String {
    main(snapshot, None).into_string()
}

/// The opening tag of the element with this id.
fn tag(html: &str, id: &str) -> String {
    let at = html.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id} in {html}"));
    let start = html[..at].rfind('<').unwrap();
    html[start..=start + html[start..].find('>').unwrap()].to_owned()
}

#[test]
fn every_question_is_asked_in_words_and_for_programs() {
    for (question, slug) in ALL {
        let html = html(&Snapshot { question, ..snapshot() });
        assert!(tag(&html, "question").contains(&format!("data-question=\"{slug}\"")), "{slug}");
        assert!(html.contains(super::super::text::question(question, false)), "{slug}");
    }
}

#[test]
fn done_is_off_and_says_what_is_missing_until_it_is_on() {
    for (question, slug) in ALL {
        let html = html(&Snapshot { question, ..snapshot() });
        let (state, disabled) = if question.missing().is_empty() { ("on", "false") } else { ("off", "true") };
        let done = tag(&html, "done");
        assert!(done.contains(&format!("data-state=\"{state}\"")), "{slug}: {done}");
        assert!(done.contains(&format!("aria-disabled=\"{disabled}\"")), "{slug}: {done}");
        assert!(html.contains(question.missing()), "{slug}");
    }
}

#[test]
fn the_keypad_is_there_from_the_count_on_and_stays_while_a_reason_is_asked() {
    for (question, slug) in ALL {
        let counting = !matches!(slug, "operator" | "context" | "bin-or-item" | "item");
        let html = html(&Snapshot { question, ..snapshot() });
        assert_eq!(html.contains("data-command=\"TM-7\""), counting, "{slug}");
    }
}

#[test]
fn more_than_a_pick_needs_closes_the_line_but_is_not_called_a_match() {
    let mut snapshot = Snapshot { question: Question::Matches, ..short_pick() };
    snapshot.slip.variance = Some("0".into());
    assert!(html(&snapshot).contains("It matches"));
    snapshot.slip.variance = Some("+2".into());
    assert!(!html(&snapshot).contains("It matches") && html(&snapshot).contains("Nothing missing"));
}

#[test]
fn what_can_be_scanned_can_be_typed_instead() {
    let html = html(&Snapshot { question: Question::Context, ..snapshot() });
    assert!(tag(&html, "type-document").contains("data-open=\"document\""));
    assert!(tag(&html, "type-bin").contains("data-open=\"bin\""));
}

#[test]
fn reasons_are_commands_the_chosen_one_is_marked() {
    let mut snapshot = short_pick();
    let asking = html(&snapshot);
    assert!(tag(&asking, "reason-bin_empty").contains("data-command=\"TM-REASON-BIN_EMPTY\""));
    assert!(!asking.contains("aria-pressed=\"true\""));
    snapshot.slip.reason = Reason::parse("damaged");
    snapshot.question = Question::Done;
    let chosen = html(&snapshot);
    assert!(tag(&chosen, "reason-damaged").contains("aria-pressed=\"true\""));
    assert!(tag(&chosen, "reason-bin_empty").contains("aria-pressed=\"false\""));
}

#[test]
fn the_only_reason_that_policy_leaves_is_shown_as_filled_in() {
    let mut snapshot = short_pick();
    snapshot.question = Question::Done;
    snapshot.reasons = Reason::parse("over_delivery").into_iter().collect();
    assert!(tag(&html(&snapshot), "slot-reason").contains("data-state=\"set\""));
}

#[test]
fn an_empty_bin_is_one_tap_where_policy_knows_it() {
    let mut snapshot = short_pick();
    (snapshot.slip.counted, snapshot.slip.variance, snapshot.question) = (None, None, Question::Count);
    assert!(tag(&html(&snapshot), "bin-empty").contains("TM-EMPTY"));
    snapshot.reasons.clear();
    assert!(!html(&snapshot).contains("TM-EMPTY"));
}

#[test]
fn the_slip_shows_what_is_known_and_which_way_the_count_differs() {
    let html = html(&short_pick());
    for words in ["A-03-02", "Tea", "07032069804988", "L1", "Units", "\u{2212}3", "short"] {
        assert!(html.contains(words), "{words}");
    }
    assert!(tag(&html, "slot-variance").contains("data-state=\"short\""));
}

#[test]
fn every_feedback_has_its_state_its_sound_and_its_number() {
    let read = || Feedback::NotUnderstood { read: "ZZ".into(), help: "Scan again." };
    for (feedback, online, state, sound) in [
        (Feedback::Understood, true, "understood", "understood"),
        (Feedback::Saved { waiting: 1, online: true }, true, "saved-online", "saved-online"),
        (Feedback::Saved { waiting: 1, online: false }, false, "saved-offline", "saved-offline"),
        (Feedback::Matches, true, "matches", "matches"),
        (read(), true, "not-understood", "not-understood"),
        (Feedback::Refused { why: "the disk is full".into() }, true, "refused", "refused"),
    ] {
        let mut snapshot = Snapshot { feedback: Some(feedback), feedback_number: 9, ..snapshot() };
        snapshot.line.online = online;
        let tag = tag(&html(&snapshot), "feedback");
        for part in [format!("data-state=\"{state}\""), format!("data-sound=\"{sound}\""), "data-number=\"9\"".into()] {
            assert!(tag.contains(&part), "{part} in {tag}");
        }
    }
}

#[test]
fn saved_says_no_more_than_is_true() {
    let mut snapshot = Snapshot { feedback: Some(Feedback::Saved { waiting: 1, online: true }), ..snapshot() };
    for (state, case, shown) in [
        ("pending", None, "saved-online"),
        ("sending", None, "saved-online"),
        ("parked", None, "parked"),
        ("delivered", Some("WEX/44"), "delivered"),
    ] {
        snapshot.mine = vec![row(state, case)];
        let html = html(&snapshot);
        assert!(tag(&html, "feedback").contains(&format!("data-state=\"{shown}\"")), "{state}");
        assert_eq!(html.contains("Odoo has it"), shown == "delivered", "{state}");
    }
    snapshot.line.online = false;
    snapshot.counts.pending = 3;
    snapshot.mine = vec![row("pending", None)];
    assert!(html(&snapshot).contains("3 waiting"));
}

#[test]
fn a_refusal_covers_the_page_and_shows_what_came_later() {
    let refusal = Refusal { number: 4, why: "the disk is full".into() };
    let later = Snapshot { feedback: Some(Feedback::Matches), feedback_number: 5, ..snapshot() };
    let html = main(&later, Some(&refusal)).into_string();
    assert!(tag(&html, "refusal").contains("role=\"alertdialog\""));
    assert!(tag(&html, "acknowledge").contains("data-acknowledge=\"4\""));
    assert!(html.contains("The disk is full") && html.contains("Since then: <bdi>Line closed"));
    assert!(tag(&main(&later, None).into_string(), "refusal").contains("hidden"));
}

#[test]
fn the_strip_tells_how_the_line_is() {
    let mut snapshot = snapshot();
    assert!(tag(&html(&snapshot), "line").contains("data-state=\"online\""));
    snapshot.line.online = false;
    assert!(tag(&html(&snapshot), "line").contains("data-state=\"untried\""));
    snapshot.counts.parked = 2;
    snapshot.line.trouble = Some(("unreachable", "Odoo can't be reached.".into()));
    let offline = html(&snapshot);
    assert!(tag(&offline, "line").contains("data-state=\"offline\"") && offline.contains("2 need a person"));
    assert!(tag(&offline, "status").contains("data-trouble=\"unreachable\"") && offline.contains("can't be reached"));
    snapshot.line.enrolled = false;
    assert!(tag(&html(&snapshot), "status").contains("data-state=\"not-enrolled\""));
}

#[test]
fn a_scanner_that_went_away_is_seen_at_once() {
    let mut snapshot = snapshot();
    snapshot.scanners[0].connected = false;
    assert!(tag(&html(&snapshot), "status").contains("data-state=\"scanner-away\""));
    snapshot.scanners.clear();
    assert!(tag(&html(&snapshot), "status").contains("data-state=\"no-scanner\""));
}

#[test]
fn mine_lists_each_report_with_what_became_of_it() {
    let html = html(&Snapshot { mine: vec![row("parked", None), row("delivered", Some("WEX/44"))], ..snapshot() });
    for words in ["Needs a person", "The document is closed.", "In Odoo", "Case WEX/44", "2 photos", "2026-11-23T"] {
        assert!(html.contains(words), "{words}");
    }
}

#[test]
fn hostile_codes_stay_text_everywhere() {
    let hostile = || Some(HOSTILE.to_owned());
    let slip = SlipView {
        bin: hostile(),
        item: hostile(),
        item_name: hostile(),
        lot: hostile(),
        unit: hostile(),
        counted: Some("1".into()),
        note: hostile(),
        ..SlipView::default()
    };
    let feedback = Some(Feedback::NotUnderstood { read: HOSTILE.into(), help: "Scan again." });
    let scanners =
        vec![ScannerView { name: HOSTILE.into(), connected: false, detail: HOSTILE.into(), devices: vec![] }];
    let mine = vec![Row { subject: HOSTILE.into(), error: hostile(), case: hostile(), ..row("parked", None) }];
    let mut snapshot =
        Snapshot { operator: hostile(), document: hostile(), slip, feedback, scanners, mine, ..snapshot() };
    let refusal = Refusal { number: 0, why: HOSTILE.into() };
    for trouble in [None, Some(("tls", HOSTILE.to_owned()))] {
        snapshot.line.trouble = trouble;
        let html = main(&snapshot, Some(&refusal)).into_string();
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains('\u{1d}') && !html.contains('\u{202e}'), "{html}");
        assert!(html.contains("&lt;script&gt;") && html.contains("&lt;GS&gt;"));
    }
}

#[test]
fn no_region_holds_another_or_one_would_be_replaced_twice() {
    let html = html(&short_pick());
    let names: Vec<&str> = html.split("data-region=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "{names:?}");
    let shape = |html: &str| html.matches("data-region").count();
    assert!(ALL.iter().all(|&(question, _)| shape(&self::html(&Snapshot { question, ..snapshot() })) == names.len()));
}

#[test]
fn the_shell_carries_no_inline_code() {
    let page = page(&html(&snapshot()), "token", "session").into_string();
    assert!(page.contains("<script src=\"/page.js\" defer></script>"));
    for inline in ["style=", "onclick", "javascript:", "<style", "http://", "https://"] {
        assert!(!page.contains(inline), "{inline}");
    }
}

#[test]
fn a_test_of_the_scanners_is_said_where_the_question_and_the_state_are() {
    let testing = Snapshot { testing: true, ..snapshot() };
    let html = main(&testing, None).into_string();
    assert!(html.contains("data-question=\"count\" data-state=\"testing\""), "{html}");
    assert!(html.contains("make no reports"), "{html}");
}
