use super::super::gtin::Gtin;
use super::super::keymap::typist::{Gs, Press, Typist, tap};
use super::*;

/// A scanner's settings, and what it then sends.
#[derive(Clone, Copy, Debug)]
struct Scanner {
    typist: Typist,
    ending: &'static str,
    prefix: &'static str,
    suffix: &'static str,
    aim: bool,
    key_ms: u64,
}

impl Scanner {
    fn new(layout: Layout) -> Scanner {
        Scanner { typist: Typist::new(layout), ending: "\r", prefix: "", suffix: "", aim: false, key_ms: 2 }
    }

    fn sent(&self, identifier: &str, data: &str) -> String {
        let identifier = if self.aim { identifier } else { "" };
        format!("{}{identifier}{data}{}{}", self.prefix, self.suffix, self.ending)
    }

    fn types(&self, identifier: &str, data: &str) -> Vec<Step> {
        keys(&self.typist.text(&self.sent(identifier, data)), self.key_ms)
    }

    fn sheet(&self) -> [Vec<Step>; 2] {
        [self.types("]C0", TEXT), self.types("]C1", &ELEMENTS.join("\u{1d}"))]
    }

    fn calibrated(&self) -> Result<Calibration, Trouble> {
        let [plain, gs1] = self.sheet();
        calibrate(&plain, &gs1)
    }
}

fn keys(presses: &[Press], ms: u64) -> Vec<Step> {
    let after = Duration::from_millis(ms);
    presses.iter().map(|&(code, value)| Step { after, what: Happening::Key { code, value } }).collect()
}

fn bytes(text: &str) -> Vec<Step> {
    let after = Duration::from_millis(9);
    text.as_bytes().chunks(7).map(|part| Step { after, what: Happening::Bytes(part.to_vec()) }).collect()
}

/// Layouts that have all of ASCII on the same keys; the first is what calibration says.
fn simplest(layout: Layout) -> Layout {
    if layout == Layout::Pl {
        Layout::Us
    } else if layout == Layout::ChFr {
        Layout::Ch
    } else {
        layout
    }
}

#[test]
fn every_layout_terminator_separator_and_prefix_is_found() {
    let endings = [
        ("\r", Terminator::Cr),
        ("\n", Terminator::Lf),
        ("\r\n", Terminator::CrLf),
        ("\t", Terminator::Tab),
        ("\u{3}", Terminator::Etx),
        ("\t\r", Terminator::Any),
        ("\r\r", Terminator::Line),
        ("", Terminator::Gap),
    ];
    let separators = [
        (Gs::CtrlBracket, Separator::Gs),
        (Gs::Alt029, Separator::Gs),
        (Gs::Text("%"), Separator::Sent(b"%".to_vec())),
        (Gs::Text("|"), Separator::Sent(b"|".to_vec())),
        (Gs::Text("{GS}"), Separator::Sent(b"{GS}".to_vec())),
        (Gs::Key(66), Separator::Sent(b"{F8}".to_vec())),
        (Gs::Key(102), Separator::Key(102)),
        (Gs::Nothing, Separator::Nothing),
    ];
    let wraps = [("", "", false), ("", "", true), ("$S", "#", false), ("&+", ";", true)];
    for (turn, layout) in Layout::ALL.into_iter().enumerate() {
        for (e, (ending, terminator)) in endings.into_iter().enumerate() {
            for (s, (gs, separator)) in separators.iter().enumerate() {
                // Every ending and separator meets every wrap in some layout; all four in each would only take longer.
                let (prefix, suffix, aim) = wraps[(turn + e + s) % wraps.len()];
                let plain = Scanner::new(layout);
                let typist = Typist { gs: *gs, ..plain.typist };
                let scanner = Scanner { typist, ending, prefix, suffix, aim, ..plain };
                let found = scanner.calibrated().unwrap_or_else(|why| panic!("{scanner:?}: {why}"));
                assert_eq!(found.layout, Some(simplest(layout)), "{scanner:?}");
                assert_eq!((found.terminator, &found.separator), (terminator, separator), "{scanner:?}");
                assert_eq!((&found.prefix[..], &found.suffix[..]), (prefix.as_bytes(), suffix.as_bytes()));
                assert_eq!(found.aim, if aim { AimSent::Always } else { AimSent::Never });
            }
        }
    }
}

#[test]
fn layouts_that_the_sheet_cannot_tell_apart_are_named() {
    for layout in Layout::ALL {
        let expected = match simplest(layout).name() {
            "us" => vec![Layout::Pl],
            "ch" => vec![Layout::ChFr],
            _ => vec![],
        };
        assert_eq!(Scanner::new(layout).calibrated().map(|found| found.equals), Ok(expected), "{}", layout.name());
    }
    let found = Scanner::new(Layout::Us).calibrated().unwrap();
    assert!(found.remarks()[0].starts_with("pl would read these codes just as us does"), "{:?}", found.remarks());
}

#[test]
fn a_scanner_that_types_alt_codes_alone_fits_any_layout() {
    let plain = Scanner::new(Layout::De);
    let scanner = Scanner { typist: Typist { alt_mode: true, gs: Gs::Alt029, ..plain.typist }, ..plain };
    let found = scanner.calibrated().unwrap();
    assert_eq!((found.layout, found.equals.len()), (Some(Layout::Us), Layout::ALL.len() - 1));
    assert!(found.remarks()[0].contains("any layout"));
}

#[test]
fn a_scanner_that_believes_in_caps_lock_is_seen() {
    for layout in [Layout::Us, Layout::De, Layout::Fr, Layout::Tr] {
        let plain = Scanner::new(layout);
        let scanner = Scanner { typist: Typist { caps: true, ..plain.typist }, ..plain };
        let found = scanner.calibrated().unwrap_or_else(|why| panic!("{}: {why}", layout.name()));
        assert_eq!((found.layout, found.caps_lock), (Some(layout), true));
        assert!(found.remarks().iter().any(|remark| remark.contains("CapsLock")));
    }
}

#[test]
fn the_codes_may_come_in_either_order() {
    let [plain, gs1] = Scanner::new(Layout::Fr).sheet();
    let found = calibrate(&plain, &gs1);
    assert!(found.is_ok());
    assert_eq!(calibrate(&gs1, &plain), found);
}

#[test]
fn a_serial_scanner_has_no_layout() {
    let scanner = Scanner { prefix: "\u{2}", ending: "\u{3}", aim: true, ..Scanner::new(Layout::Us) };
    let gs1 = bytes(&scanner.sent("]C1", &ELEMENTS.join("\u{1d}")));
    let found = calibrate(&bytes(&scanner.sent("]C0", TEXT)), &gs1).unwrap();
    assert_eq!((found.layout, found.terminator, &found.separator), (None, Terminator::Etx, &Separator::Gs));
    assert_eq!((found.prefix, found.longest_gap, found.gap_ms), (vec![], Duration::from_millis(9), 30));
}

#[test]
fn etx_before_a_line_end_is_a_suffix() {
    for (ending, terminator) in [("\u{3}\r", Terminator::Cr), ("\u{3}\r\n", Terminator::CrLf)] {
        let found = Scanner { ending, ..Scanner::new(Layout::Us) }.calibrated().unwrap();
        assert_eq!((found.suffix, found.terminator), (b"\x03".to_vec(), terminator));
    }
}

#[test]
fn a_separator_for_the_first_fnc1_is_no_prefix() {
    let scanner = Scanner { prefix: "%", aim: true, ..Scanner::new(Layout::De) };
    let gs1 = scanner.types("]C1", &format!("\u{1d}{}", ELEMENTS.join("\u{1d}")));
    let found = calibrate(&scanner.sheet()[0], &gs1).unwrap();
    assert_eq!((&found.prefix[..], found.separator), (&b"%"[..], Separator::Gs));
}

#[test]
fn a_slow_scanner_gets_a_longer_gap_and_no_scanner_an_endless_one() {
    let with_keys_every = |key_ms| Scanner { ending: "", key_ms, ..Scanner::new(Layout::Us) }.calibrated().unwrap();
    // From one character to the next: up, Shift up, Shift down, down.
    assert_eq!(with_keys_every(20).longest_gap, Duration::from_millis(60));
    assert_eq!([1, 20, 300].map(|ms| with_keys_every(ms).gap_ms), [30, 180, 2000]);
}

#[test]
fn what_cannot_be_understood_is_said_with_what_to_do() {
    let scanner = Scanner::new(Layout::Us);
    let [plain, gs1] = scanner.sheet();
    let other = keys(&scanner.typist.text("7032069804988\r"), 2);
    let again = [plain.clone(), plain.clone()].concat();
    let with_id = |id: &str, data: &str| scanner.types("", &format!("{id}{data}"));
    let dropped = [plain.clone(), vec![Step { after: Duration::ZERO, what: Happening::Dropped }]].concat();
    let elements = ELEMENTS.join("\u{1d}");
    for (first, second, says) in [
        (vec![], gs1.clone(), "nothing came"),
        (dropped, gs1.clone(), "lost"),
        (plain.clone(), bytes("x"), "mixed"),
        (plain.clone(), other.clone(), "not the two codes"),
        (other, gs1.clone(), "not the two codes"),
        (again, gs1.clone(), "once"),
        (with_id("D", TEXT), with_id("K", &elements), "code identifier"),
        (with_id("]C0~", TEXT), with_id("]C1~", &elements), "prefix"),
        (plain.clone(), [gs1.clone(), keys(&tap(2), 2)].concat(), "behind"),
        (with_id("", &format!("{TEXT}\r#\r#")), with_id("", &format!("{elements}\r#\r#")), "describes"),
    ] {
        let why = calibrate(&first, &second).unwrap_err();
        assert!(why.to_string().contains(says), "{why:?}: {why}");
    }
}

#[test]
fn what_comes_closest_is_named_when_nothing_fits() {
    let [plain, gs1] = Scanner::new(Layout::Fr).sheet();
    let beheaded = &plain[4..];
    let why = calibrate(beheaded, &gs1).unwrap_err();
    assert!(matches!(&why, Trouble::NotTheSheet { closest: Some(Layout::Fr), .. }), "{why:?}");
}

#[test]
fn the_sheets_gs1_code_holds_a_valid_gtin() {
    assert_eq!(Gtin::parse(&ELEMENTS[0][2..16]).map(|g| g.to_string()).as_deref(), Some("09506000134352"));
}

proptest::proptest! {
    #[test]
    fn no_recording_makes_it_panic_or_guess(
        first in proptest::collection::vec((0u16..130, 0..3i32, 0u64..2000), 0..60),
        second in proptest::collection::vec((0u16..130, 0..3i32, 0u64..2000), 0..60),
    ) {
        let step = |&(code, value, ms): &(u16, i32, u64)| Step {
            after: Duration::from_millis(ms),
            what: Happening::Key { code, value },
        };
        let steps = |events: &[_]| events.iter().map(step).collect::<Vec<_>>();
        proptest::prop_assert!(calibrate(&steps(&first), &steps(&second)).is_err());
    }
}

#[test]
fn a_scanner_that_names_gs1_codes_alone_is_not_told_to_send_identifiers() {
    let plain = Scanner::new(Layout::Us);
    let [code, _] = plain.sheet();
    let [_, gs1] = Scanner { aim: true, ..plain }.sheet();
    let found = calibrate(&code, &gs1).unwrap();
    assert_eq!(found.aim, AimSent::WithGs1);
    assert!(found.remarks().iter().all(|remark| !remark.contains("AIM")), "{:?}", found.remarks());
}
