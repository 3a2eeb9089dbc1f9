use std::time::Duration;

use proptest::prelude::*;

use super::super::Flaw;
use super::super::frame::{Frame, Framing, Terminator};
use super::layouts::{DEAD, ROWS};
use super::typist::{Gs, Press, Typist, alt_code, caps_lock, cells, tap, under};
use super::*;
use crate::domain::time::{Now, Wall};

const fn at(ms: u64) -> Now {
    Now { boot: Duration::from_millis(ms), wall: Wall(0) }
}

const NOW: Now = at(0);

fn assembler(layout: Layout) -> KeyAssembler {
    KeyAssembler::new(layout, Framing::ended_by(Terminator::Line))
}

fn press(assembler: &mut KeyAssembler, keys: &[Press]) -> Vec<Frame> {
    keys.iter().filter_map(|&(code, value)| assembler.key(code, value, NOW)).collect()
}

/// The one frame that the keys and Enter make.
fn typed(layout: Layout, keys: &[Press]) -> Frame {
    let mut frames = press(&mut assembler(layout), &[keys, &tap(ENTER)].concat());
    assert_eq!(frames.len(), 1, "{frames:?}");
    frames.remove(0)
}

fn text(layout: Layout, keys: &[Press]) -> String {
    String::from_utf8(typed(layout, keys).bytes).unwrap()
}

/// What anyone can type with a layout, dead keys and what they compose included.
fn repertoire(layout: Layout) -> Vec<char> {
    let mut all: Vec<char> = layout.table().rows.iter().flatten().flat_map(|row| row.chars()).collect();
    all.extend("áéíóúàèìòùâêîôûãñõäëïöüçčďěňřšťžůőűąęşğżÁÉÑÖÜÇŠŽ".chars());
    let typist = Typist::new(layout);
    all.retain(|c| *c != DEAD && *c != ' ' && typist.keyed(*c).is_some());
    all.push(' ');
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn every_layout_types_what_labels_are_made_of() {
    let label = "0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz -./][ $+%";
    for layout in Layout::ALL {
        assert_eq!(text(layout, &Typist::new(layout).text(label)), label, "{}", layout.name());
    }
}

#[test]
fn every_layout_has_every_printable_ascii_character() {
    for layout in Layout::ALL {
        let missing: String = (' '..='~').filter(|c| *c != ' ' && Typist::new(layout).keyed(*c).is_none()).collect();
        assert_eq!(missing, "", "{}", layout.name());
    }
}

#[test]
fn a_table_has_no_more_keys_than_a_keyboard_and_a_character_on_each() {
    for layout in Layout::ALL {
        for (row, keys) in layout.table().rows.iter().zip(ROWS) {
            for level in row {
                assert!(cells(level).len() <= keys.len(), "{}: {level}", layout.name());
            }
            // The key at the right Shift is Brazil's alone.
            let least = keys.iter().filter(|code| **code != 89).count();
            assert!(cells(row[0]).len() >= least, "{}: {}", layout.name(), row[0]);
        }
    }
}

#[test]
fn a_layout_is_found_by_its_name_and_by_other_words_for_it_and_no_word_means_two() {
    let mut words = vec![];
    for layout in Layout::ALL {
        assert_eq!(Layout::parse(layout.name()), Some(layout));
        words.push(layout.name());
        words.extend(layout.table().aliases);
    }
    let count = words.len();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), count);
    assert_eq!(Layout::parse("fi"), Some(Layout::Se));
    assert_eq!(Layout::parse("dvorak"), None);
}

#[test]
fn the_country_settings_that_differ_most_give_what_their_keycaps_say() {
    // (layout, keys, text): key codes are places, so these are facts about keyboards and not about the tables.
    for (layout, code, level, expected) in [
        (Layout::De, 21, 0, "z"),
        (Layout::De, 12, 1, "?"),
        (Layout::De, 16, 2, "@"),
        (Layout::De, 86, 2, "|"),
        (Layout::Fr, 16, 0, "a"),
        (Layout::Fr, 2, 1, "1"),
        (Layout::Fr, 39, 0, "m"),
        (Layout::Fr, 11, 2, "@"),
        (Layout::Be, 13, 0, "-"),
        (Layout::Uk, 43, 0, "#"),
        (Layout::Uk, 3, 1, "\""),
        (Layout::Es, 39, 0, "ñ"),
        (Layout::It, 39, 2, "@"),
        (Layout::Pt, 3, 2, "@"),
        (Layout::Ch, 26, 2, "["),
        (Layout::Nl, 41, 0, "@"),
        (Layout::Se, 12, 2, "\\"),
        (Layout::Dk, 86, 2, "\\"),
        (Layout::No, 13, 0, "\\"),
        (Layout::Cz, 2, 1, "1"),
        (Layout::Hu, 41, 0, "0"),
        (Layout::Tr, 16, 2, "@"),
        (Layout::Br, 89, 0, "/"),
        (Layout::Latam, 16, 2, "@"),
    ] {
        let modifiers: &[u16] = [&[][..], &[LEFT_SHIFT], &[ALT_GR]][level];
        assert_eq!(text(layout, &under(modifiers, code)), expected, "{} key {code} level {level}", layout.name());
    }
}

#[test]
fn ctrl_and_alt_together_are_alt_gr() {
    assert_eq!(text(Layout::De, &under(&[LEFT_CTRL, LEFT_ALT], 16)), "@");
}

#[test]
fn shift_and_keypad_type_what_they_should() {
    assert_eq!(text(Layout::Us, &[under(&[LEFT_SHIFT], 30), tap(48)].concat()), "Ab");
    assert_eq!(text(Layout::Us, &[under(&[RIGHT_SHIFT], 30), tap(2)].concat()), "A1");
    let keypad = [tap(71), tap(82), tap(83), tap(98), tap(55), tap(74), tap(78)].concat();
    assert_eq!(text(Layout::Us, &keypad), "70./*-+");
    assert_eq!(text(Layout::De, &keypad), "70,/*-+");
}

#[test]
fn num_lock_never_turns_a_digit_into_a_movement() {
    assert_eq!(text(Layout::Us, &[tap(NUM_LOCK), tap(71), tap(NUM_LOCK), tap(72)].concat()), "78");
}

#[test]
fn caps_lock_swaps_letters_and_on_french_keyboards_is_a_shift() {
    let keys = [caps_lock(), tap(30), under(&[LEFT_SHIFT], 30), tap(2), caps_lock(), tap(30)].concat();
    assert_eq!(text(Layout::Us, &keys), "Aa1a");
    assert_eq!(text(Layout::Fr, &[caps_lock(), tap(16), tap(2), under(&[LEFT_SHIFT], 2)].concat()), "A1&");
    assert_eq!(text(Layout::Ch, &[caps_lock(), tap(26)].concat()), "Ü", "Shift has è there");
    assert_eq!(text(Layout::Tr, &[caps_lock(), tap(23), tap(40)].concat()), "Iİ");
}

#[test]
fn a_dead_key_makes_one_letter_with_the_next_or_two_characters() {
    // AC11 is ´ on a Spanish keyboard.
    let dead = tap(40);
    assert_eq!(text(Layout::Es, &[dead.clone(), tap(18)].concat()), "é");
    assert_eq!(text(Layout::Es, &[dead.clone(), tap(SPACE)].concat()), "´");
    assert_eq!(text(Layout::Es, &[dead.clone(), tap(2)].concat()), "´1");
    assert_eq!(text(Layout::Es, &[dead.clone(), dead.clone(), tap(18)].concat()), "´´e");
    assert_eq!(text(Layout::Es, &dead), "´", "Enter does not swallow it");
    assert_eq!(text(Layout::Es, &[dead.clone(), alt_code("65")].concat()), "´A");
    let mut assembler = assembler(Layout::Es);
    press(&mut assembler, &dead);
    assert_eq!(assembler.unplugged().map(|f| f.bytes), Some("´".into()));
}

#[test]
fn silence_ends_a_code_whose_last_key_is_dead() {
    let framing = Framing::ended_by(Terminator::Gap).with_gap(Duration::from_millis(50));
    let mut assembler = KeyAssembler::new(Layout::Es, framing);
    assembler.key(2, 1, at(0));
    assembler.key(40, 1, at(40));
    assert_eq!(assembler.on_silence(at(60)), None);
    let deadline = assembler.deadline().unwrap();
    assert!(!deadline.is_past(at(89)) && deadline.is_past(at(90)));
    assert_eq!(assembler.on_silence(at(90)).map(|f| f.bytes), Some("1´".into()));
    assert_eq!(assembler.deadline(), None);
}

#[test]
fn the_group_separator_comes_as_ctrl_bracket_or_as_an_alt_code_in_every_layout() {
    for layout in Layout::ALL {
        for gs in [Gs::CtrlBracket, Gs::Alt029] {
            let typist = Typist { gs, ..Typist::new(layout) };
            assert_eq!(text(layout, &typist.text("10AB\u{1d}21C")), "10AB\u{1d}21C", "{} {gs:?}", layout.name());
        }
        let bracket = Typist::new(layout).keyed(']').unwrap();
        if bracket.len() == 2 {
            assert_eq!(text(layout, &under(&[LEFT_CTRL], bracket[0].0)), "\u{1d}", "{}", layout.name());
        }
    }
}

#[test]
fn ctrl_and_a_letter_is_its_control_character() {
    let ctrl = |code| under(&[LEFT_CTRL], code);
    let mut assembler = KeyAssembler::new(Layout::Us, Framing::ended_by(Terminator::Gap));
    let shifted = |code| under(&[LEFT_CTRL, LEFT_SHIFT], code);
    let keys = [ctrl(48), ctrl(46), ctrl(23), ctrl(36), ctrl(50), ctrl(43), shifted(7), shifted(12), tap(ESC)].concat();
    press(&mut assembler, &keys);
    let frame = assembler.unplugged().unwrap();
    assert_eq!(frame, Frame { bytes: b"\x02\x03\t\n\r\x1c\x1e\x1f\x1b"[1..].to_vec(), flaws: vec![Flaw::Partial] });
    assert_eq!(press(&mut self::assembler(Layout::Fr), &[tap(16), ctrl(39)].concat())[0].bytes, b"a");
}

#[test]
fn ctrl_held_over_both_halves_of_a_terminator_types_no_letter() {
    let mut assembler = assembler(Layout::Us);
    let keys = [tap(2), vec![(LEFT_CTRL, 1)], tap(50), tap(36), vec![(LEFT_CTRL, 0)], tap(3), tap(ENTER)].concat();
    let frames = press(&mut assembler, &keys);
    assert_eq!(frames.iter().map(|f| &f.bytes[..]).collect::<Vec<_>>(), [b"1", b"2"]);
    assert!(frames.iter().all(|f| f.flaws.is_empty()));
}

#[test]
fn an_alt_code_is_a_byte_with_or_without_its_zero() {
    for (digits, bytes) in
        [("029", &b"\x1d"[..]), ("29", b"\x1d"), ("0065", b"A"), ("0233", b"\xe9"), ("8364", b"\xe2\x82\xac")]
    {
        assert_eq!(typed(Layout::Us, &alt_code(digits)).bytes, bytes, "{digits}");
    }
    let all_by_alt = Typist { alt_mode: true, ..Typist::new(Layout::Us) };
    assert_eq!(text(Layout::Fr, &all_by_alt.text("Añ1-/]")), "Añ1-/]");
}

#[test]
fn a_terminator_that_is_an_alt_code_ends_the_code() {
    let mut assembler = assembler(Layout::Us);
    let frames = press(&mut assembler, &[tap(2), alt_code("013")].concat());
    assert_eq!(frames, [Frame { bytes: b"1".to_vec(), flaws: vec![] }]);
}

#[test]
fn an_endless_alt_code_is_a_flaw() {
    let frame = typed(Layout::Us, &[alt_code("999999"), alt_code("0000000000000000065")].concat());
    assert!(frame.flaws.contains(&Flaw::UnknownKey { code: 73 }), "{frame:?}");
}

#[test]
fn a_key_without_a_character_is_a_flaw_and_costs_nothing_else() {
    let frame = typed(Layout::Us, &[tap(2), tap(66), under(&[ALT_GR], 3), under(&[LEFT_CTRL], 51), tap(4)].concat());
    let flaws = [66, 3, 51].map(|code| Flaw::UnknownKey { code });
    assert_eq!(frame, Frame { bytes: b"13".to_vec(), flaws: flaws.to_vec() });
}

#[test]
fn a_function_key_that_the_framing_names_is_what_it_stands_for() {
    let framing = Framing {
        prefix: b"{F12}".to_vec(),
        group_separator: Some(b"{F8}".to_vec()),
        ..Framing::ended_by(Terminator::Line)
    };
    let mut assembler = KeyAssembler::new(Layout::Us, framing);
    let frames = press(&mut assembler, &[tap(88), tap(2), tap(66), tap(3), tap(67), tap(ENTER)].concat());
    assert_eq!(frames, [Frame { bytes: b"1\x1d2".to_vec(), flaws: vec![Flaw::UnknownKey { code: 67 }] }]);
}

#[test]
fn autorepeat_is_no_character() {
    assert_eq!(typed(Layout::Us, &[(2, 1), (2, 2), (2, 2), (2, 0)]), Frame { bytes: b"1".to_vec(), flaws: vec![] });
}

#[test]
fn a_lost_shift_up_hurts_one_code_and_says_so() {
    let mut assembler = assembler(Layout::Us);
    let stuck = [vec![(LEFT_SHIFT, 1)], tap(30), tap(2), tap(ENTER)].concat();
    let frames = press(&mut assembler, &stuck);
    assert_eq!(frames, [Frame { bytes: b"A!".to_vec(), flaws: vec![Flaw::StuckKey { code: LEFT_SHIFT }] }]);
    assert_eq!(press(&mut assembler, &[tap(30), tap(2), tap(ENTER)].concat())[0].bytes, b"a1");
}

#[test]
fn a_modifier_that_is_down_after_a_second_of_silence_is_let_go() {
    let mut assembler = assembler(Layout::Us);
    assembler.key(LEFT_SHIFT, 1, at(0));
    assembler.key(30, 1, at(5));
    assembler.key(48, 1, at(1005));
    let frame = assembler.key(ENTER, 1, at(1010)).unwrap();
    assert_eq!(frame, Frame { bytes: b"Ab".to_vec(), flaws: vec![Flaw::StuckKey { code: LEFT_SHIFT }] });
}

#[test]
fn silence_lets_go_of_a_modifier_where_it_ends_the_code() {
    let framing = Framing::ended_by(Terminator::Gap).with_gap(Duration::from_millis(50));
    let mut assembler = KeyAssembler::new(Layout::Us, framing);
    assembler.key(LEFT_SHIFT, 1, at(0));
    assembler.key(30, 1, at(1));
    let frame = assembler.on_silence(at(51)).unwrap();
    assert_eq!(frame, Frame { bytes: b"A".to_vec(), flaws: vec![Flaw::StuckKey { code: LEFT_SHIFT }] });
    assembler.key(30, 1, at(60));
    assert_eq!(assembler.on_silence(at(110)).map(|f| (f.bytes, f.flaws)), Some((b"a".to_vec(), vec![])));
}

#[test]
fn a_key_pressed_twice_without_an_up_is_two_characters_and_a_flaw() {
    let frame = typed(Layout::Us, &[(2, 1), (2, 1), (2, 0)]);
    assert_eq!(frame, Frame { bytes: b"11".to_vec(), flaws: vec![Flaw::StuckKey { code: 2 }] });
}

#[test]
fn dropped_events_flag_the_code_they_may_have_hurt_and_the_kernel_says_what_is_down() {
    let mut assembler = assembler(Layout::Us);
    press(&mut assembler, &[vec![(LEFT_SHIFT, 1)], tap(30)].concat());
    assembler.dropped();
    press(&mut assembler, &tap(48));
    assembler.resync(&[RIGHT_SHIFT]);
    let frames = press(&mut assembler, &[tap(46), vec![(RIGHT_SHIFT, 0)], tap(32), tap(ENTER)].concat());
    assert_eq!(frames, [Frame { bytes: b"AbCd".to_vec(), flaws: vec![Flaw::Dropped] }]);
    assert_eq!(press(&mut assembler, &tap(ENTER)), []);
}

#[test]
fn caps_lock_of_the_device_can_be_told() {
    let mut assembler = assembler(Layout::Us);
    assembler.set_caps_lock(true);
    assert_eq!(press(&mut assembler, &[tap(30), tap(ENTER)].concat())[0].bytes, b"A");
}

#[test]
fn a_code_that_an_alt_code_ended_is_not_lost_to_the_enter_behind_it() {
    let alt_013 = alt_code("013");
    let keys = [&Typist::new(Layout::Us).text("AB")[..], &alt_013[..alt_013.len() - 1], &tap(ENTER)].concat();
    let stuck = Flaw::StuckKey { code: LEFT_ALT };
    assert_eq!(press(&mut assembler(Layout::Us), &keys), [Frame { bytes: b"AB".to_vec(), flaws: vec![stuck] }]);
}

#[test]
fn digits_of_an_alt_code_that_was_never_ended_are_not_lost_without_a_word() {
    let alt_029 = alt_code("029");
    let mut assembler = assembler(Layout::Us);
    assert_eq!(press(&mut assembler, &alt_029[..alt_029.len() - 1]), []);
    let flaws = vec![Flaw::StuckKey { code: LEFT_ALT }, Flaw::Partial];
    assert_eq!(assembler.unplugged(), Some(Frame { bytes: vec![], flaws }));
    assert_eq!(assembler.unplugged(), None);
}

proptest! {
    #[test]
    fn what_a_scanner_types_in_its_layout_is_read_back(
        which in 0..Layout::ALL.len(),
        picks in proptest::collection::vec(any::<proptest::sample::Index>(), 0..40),
        gs in prop_oneof![Just(Gs::CtrlBracket), Just(Gs::Alt029)],
        caps in any::<bool>(),
    ) {
        let layout = Layout::ALL[which];
        let repertoire = repertoire(layout);
        let said: String = picks.iter().map(|pick| repertoire[pick.index(repertoire.len())]).chain("\u{1d}x".chars()).collect();
        let typist = Typist { gs, caps, ..Typist::new(layout) };
        let keys = if caps { [caps_lock(), typist.text(&said)].concat() } else { typist.text(&said) };
        let frame = typed(layout, &keys);
        prop_assert_eq!(String::from_utf8(frame.bytes).unwrap(), said);
        prop_assert_eq!(frame.flaws, vec![]);
    }

    #[test]
    fn no_events_make_it_panic_or_hurt_a_later_code(
        which in 0..Layout::ALL.len(),
        events in proptest::collection::vec((prop_oneof![0u16..130, any::<u16>()], -1..4i32, 0u64..1500, 0..40u8), 0..200),
    ) {
        let layout = Layout::ALL[which];
        let framing = Framing::ended_by(Terminator::Line).with_gap(Duration::from_millis(200));
        let mut assembler = KeyAssembler::new(layout, framing);
        let mut ms = 0;
        for (code, value, after, what) in events {
            ms += after;
            match what {
                0 => assembler.dropped(),
                1 => assembler.resync(&[code, 42, 29]),
                2 => drop(assembler.unplugged()),
                3 => drop(assembler.on_silence(at(ms))),
                _ => drop(assembler.key(code, value, at(ms))),
            }
        }
        assembler.set_caps_lock(false);
        // Whatever was, a second of silence and one Enter later a code is whole.
        ms += 5000;
        assembler.on_silence(at(ms));
        assembler.key(ENTER, 1, at(ms));
        let keys = Typist::new(layout).text("0[Zé]-y");
        let frames: Vec<_> = [keys, tap(ENTER)].concat().iter().filter_map(|&(c, v)| assembler.key(c, v, at(ms))).collect();
        prop_assert_eq!(frames, vec![Frame { bytes: "0[Zé]-y".into(), flaws: vec![] }]);
    }

    #[test]
    fn no_press_is_lost_whatever_comes_behind_it(
        which in 0..Layout::ALL.len(),
        terminator in prop::sample::select(&[Terminator::Line, Terminator::Any, Terminator::CrLf, Terminator::Gap][..]),
        events in proptest::collection::vec((prop_oneof![0u16..130, keys_of_alt_codes(), any::<u16>()], 0..2i32, 0u64..400, 0..30u8), 0..200),
    ) {
        let framing = Framing::ended_by(terminator).with_gap(Duration::from_millis(200));
        let mut assembler = KeyAssembler::new(Layout::ALL[which], framing);
        let mut ms = 0;
        for (code, value, after, what) in events {
            ms += after;
            let before = assembler.clone().unplugged();
            let out = match what {
                0 => {
                    assembler.dropped();
                    assembler.resync(&[code, 42, 29]);
                    None
                }
                1 => assembler.on_silence(at(ms)),
                _ => assembler.key(code, value, at(ms)),
            };
            let kept = out.or_else(|| assembler.clone().unplugged());
            prop_assert!(goes_on(before.as_ref(), kept.as_ref()), "{:?} became {:?}", before, kept);
            let types = what > 1 && value == 1 && !SILENT_KEYS.contains(&code);
            prop_assert!(terminator != Terminator::Gap || !types || kept.is_some(), "key {} is lost", code);
        }
    }
}

/// Keys that type nothing by themselves.
const SILENT_KEYS: [u16; 9] =
    [LEFT_SHIFT, RIGHT_SHIFT, LEFT_CTRL, RIGHT_CTRL, LEFT_ALT, ALT_GR, CAPS_LOCK, NUM_LOCK, SCROLL_LOCK];

/// Alt, 0, 1, 3 and Enter: a CR as an Alt code is the shortest way to end a code twice.
fn keys_of_alt_codes() -> impl Strategy<Value = u16> {
    prop::sample::select(&[LEFT_ALT, 82, 79, 81, ENTER][..])
}

/// Whether what is there of a code has all that was there of it before. Its last character may have become another: an
/// accent is joined with its letter, and a CR was half of the terminator.
fn goes_on(before: Option<&Frame>, after: Option<&Frame>) -> bool {
    let Some(before) = before else { return true };
    let said = |flaw: &Flaw| after.is_some_and(|after| after.flaws.contains(flaw));
    let sure = before.bytes.len().saturating_sub(2);
    let mut remarks = before.flaws.iter().filter(|flaw| matches!(flaw, Flaw::UnknownKey { .. } | Flaw::Dropped));
    after.map_or(&[][..], |after| &after.bytes).starts_with(&before.bytes[..sure]) && remarks.all(said)
}
