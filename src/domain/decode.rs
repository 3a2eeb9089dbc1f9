//! From the bytes of one scan to what they say: a command, an item, or a text whose role the flow decides.
//!
//! A scan never dies. What can't be understood becomes a [`Flaw`] beside the raw bytes, never an error.

pub mod aim;
pub mod command;
pub mod frame;
pub mod gs1;
pub mod gtin;
pub mod hid_pos;
pub mod keymap;
pub mod pace;
pub mod trace;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::time::Now;
use command::Command;
use gs1::Element;
use gtin::Gtin;
use trace::Step;

/// How many raw bytes travel with an event. GS1's longest carrier of our kind holds far less; a longer scan is garbage,
/// of which the beginning tells enough.
pub const RAW_KEPT: usize = 512;

/// What a source hands over: one frame, uninterpreted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawScan {
    /// The scanner's name in the configuration.
    pub source: Arc<str>,
    pub bytes: Vec<u8>,
    pub at: Now,
    /// What framing already noticed.
    pub flaws: Vec<Flaw>,
    /// Event by event, while somebody tests the scanners; empty otherwise.
    pub trace: Vec<Step>,
    /// When the kernel saw the last key of it, on the boot clock; only a keyboard's events carry a time.
    pub typed: Option<Duration>,
}

/// A scan and all that was understood of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    pub source: Arc<str>,
    pub at: Now,
    /// The exact bytes, at most [`RAW_KEPT`] of them.
    pub raw: Vec<u8>,
    /// The data without its AIM identifier, for people and for look-ups.
    pub text: String,
    pub meaning: Meaning,
    pub flaws: Vec<Flaw>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Command(Command),
    /// Something with a GS1 identity.
    Item(ItemCode),
    /// A badge, a document, a bin, an in-house product code: shape alone doesn't tell.
    Text,
}

impl Meaning {
    /// The word for it on the wire and in the terminal.
    pub fn name(&self) -> &'static str {
        match self {
            Meaning::Command(_) => "command",
            Meaning::Item(item) if item.elements.is_empty() => "gtin",
            Meaning::Item(_) => "gs1",
            Meaning::Text => "text",
        }
    }
}

/// What a GS1 code says about the thing it is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemCode {
    pub gtin: Option<Gtin>,
    /// AI 10.
    pub lot: Option<String>,
    /// AI 21.
    pub serial: Option<String>,
    /// AI 17.
    pub expiry: Option<jiff::civil::Date>,
    pub elements: Vec<Element>,
}

/// Something odd about a scan that a person may want to know. The scan lives on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    TooLong {
        length: usize,
    },
    /// The source went away before the terminator came.
    Partial,
    /// The kernel dropped input events; characters may be missing.
    Dropped,
    NotUtf8,
    ControlCharacter,
    UnknownAi {
        at: usize,
    },
    BadElement {
        ai: String,
        why: &'static str,
    },
    BadCheckDigit,
    /// A key that the layout has no character for.
    UnknownKey {
        code: u16,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::TooLong { length } => write!(f, "too long: {length} bytes, only the first were kept"),
            Flaw::Partial => f.write_str("the scanner went away in the middle of this code"),
            Flaw::Dropped => f.write_str("input was lost on the way, scan again"),
            Flaw::NotUtf8 => f.write_str("bytes that are no UTF-8 text"),
            Flaw::ControlCharacter => f.write_str("control characters inside"),
            Flaw::UnknownAi { at } => write!(f, "unknown GS1 application identifier at position {at}"),
            Flaw::BadElement { ai, why } => write!(f, "AI ({ai}): {why}"),
            Flaw::BadCheckDigit => f.write_str("the check digit is wrong"),
            Flaw::UnknownKey { code } => write!(f, "key {code} has no character in this layout"),
        }
    }
}

/// Understands one scan. `raw.at.wall` gives the century of two-digit years.
pub fn decode(raw: RawScan) -> Scan {
    let RawScan { source, mut bytes, at, mut flaws, trace: _, typed: _ } = raw;
    let (carrier, data) = aim::split(&bytes);
    let text = readable(data, &mut flaws);
    let meaning = understand(carrier, &text, at, &mut flaws);
    if bytes.len() > RAW_KEPT {
        if !flaws.iter().any(|flaw| matches!(flaw, Flaw::TooLong { .. })) {
            flaws.push(Flaw::TooLong { length: bytes.len() });
        }
        bytes.truncate(RAW_KEPT);
    }
    let text = text.chars().take(RAW_KEPT).collect();
    Scan { source, at, raw: bytes, text, meaning, flaws }
}

fn understand(carrier: aim::Carrier, text: &str, at: Now, flaws: &mut Vec<Flaw>) -> Meaning {
    if let Some(command) = Command::parse(text) {
        return Meaning::Command(command);
    }
    match carrier {
        aim::Carrier::Gs1 => Meaning::Item(gs1::parse(text, at.wall, flaws)),
        aim::Carrier::Ean => match gtin::Gtin::parse(text) {
            Some(gtin) => Meaning::Item(ItemCode { gtin: Some(gtin), ..ItemCode::default() }),
            None => {
                flaws.push(Flaw::BadCheckDigit);
                Meaning::Text
            }
        },
        aim::Carrier::Other => Meaning::Text,
        aim::Carrier::Unstated => by_shape(text, at),
    }
}

/// Without an AIM identifier, shape and check digits decide, and only a code without any doubt is taken for GS1.
fn by_shape(text: &str, at: Now) -> Meaning {
    if let Some(gtin) = gtin::Gtin::parse(text) {
        return Meaning::Item(ItemCode { gtin: Some(gtin), ..ItemCode::default() });
    }
    let mut doubts = Vec::new();
    let item = gs1::parse(text, at.wall, &mut doubts);
    if doubts.is_empty() && item.gtin.is_some() { Meaning::Item(item) } else { Meaning::Text }
}

/// The data as text: outer blanks and control characters gone (GS inside stays, it separates GS1 elements).
fn readable(data: &[u8], flaws: &mut Vec<Flaw>) -> String {
    let text = String::from_utf8_lossy(data);
    if matches!(text, std::borrow::Cow::Owned(_)) {
        flaws.push(Flaw::NotUtf8);
    }
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    if text.chars().any(|c| c.is_control() && c != gs1::SEPARATOR) {
        flaws.push(Flaw::ControlCharacter);
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::time::Wall;
    use super::*;

    fn scan(bytes: &[u8]) -> Scan {
        let at = Now { boot: Duration::ZERO, wall: Wall(1_795_414_353_123) };
        decode(RawScan { source: "dock".into(), bytes: bytes.to_vec(), at, flaws: vec![], trace: vec![], typed: None })
    }

    fn item(bytes: &[u8]) -> ItemCode {
        match scan(bytes).meaning {
            Meaning::Item(item) => item,
            other @ (Meaning::Command(_) | Meaning::Text) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_gs1_label_gives_gtin_lot_and_expiry() {
        let item = item(b"]C1010703206980498810L42\x1d17270131");
        assert_eq!(item.gtin.map(|g| g.to_string()).as_deref(), Some("07032069804988"));
        assert_eq!(item.lot.as_deref(), Some("L42"));
        assert_eq!(item.expiry.map(|d| d.to_string()).as_deref(), Some("2027-01-31"));
    }

    #[test]
    fn an_ean_13_with_or_without_its_aim_identifier_is_the_same_gtin() {
        assert_eq!(item(b"]E07032069804988").gtin, item(b"7032069804988").gtin);
    }

    #[test]
    fn a_code_128_that_looks_like_a_gtin_but_says_it_is_none_stays_text() {
        assert_eq!(scan(b"]C07032069804988").meaning, Meaning::Text);
    }

    #[test]
    fn doubt_without_an_aim_identifier_means_text() {
        for code in [&b"WH/OUT/00012"[..], b"0107032069804989", b"A-03-02", b"7032069804989"] {
            assert_eq!(scan(code).meaning, Meaning::Text, "{}", String::from_utf8_lossy(code));
        }
    }

    #[test]
    fn a_bare_element_string_is_taken_for_gs1_when_it_parses_without_doubt() {
        assert_eq!(item(b"010703206980498810L42").lot.as_deref(), Some("L42"));
    }

    #[test]
    fn garbage_keeps_its_raw_bytes_and_says_what_is_odd() {
        let scan = scan(b"\xff\xfe\x01abc\x02def");
        assert_eq!(scan.raw, b"\xff\xfe\x01abc\x02def");
        assert!(scan.flaws.contains(&Flaw::NotUtf8) && scan.flaws.contains(&Flaw::ControlCharacter));
    }

    #[test]
    fn an_endless_code_is_cut_and_says_so() {
        let scan = scan(&[b'x'; 4000]);
        assert_eq!(scan.raw.len(), RAW_KEPT);
        assert_eq!(scan.flaws, [Flaw::TooLong { length: 4000 }]);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic_or_lose_the_raw(bytes in proptest::collection::vec(0u8.., 0..300)) {
            proptest::prop_assert_eq!(scan(&bytes).raw, bytes);
        }

        #[test]
        fn no_gs1_like_text_makes_the_decoder_panic(
            text in "(\\]C1)?(01[0-9]{14}|10[A-Z]{0,25}|17[0-9]{6}|3[0-9]{3,9}|\u{1d}|é){0,8}",
        ) {
            scan(text.as_bytes());
        }
    }
}
