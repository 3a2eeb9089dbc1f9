//! From the bytes of one scan to what they say: a command, an item, or a text whose role the flow decides.
//!
//! A scan never dies. What can't be understood becomes a [`Flaw`] beside the raw bytes, never an error.

pub mod aim;
pub mod calibrate;
pub mod command;
pub mod digital_link;
mod flaw;
pub mod frame;
pub mod gs1;
pub mod gtin;
pub mod hid_pos;
pub mod keymap;
pub mod odoo;
pub mod pace;
pub mod rewrite;
pub mod trace;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::time::{Now, Wall};
use aim::{Carrier, Identifier};
use command::Command;
pub use flaw::Flaw;
use gs1::Element;
use gtin::{Gtin, Shape};
use rewrite::Rewrite;
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
    /// What makes this device's odd labels ordinary.
    pub rules: Arc<Rewrite>,
    /// Event by event, while somebody tests the scanners; empty otherwise.
    pub trace: Vec<Step>,
    /// When the kernel saw the last key of it, on the boot clock; only a keyboard's events carry a time.
    pub typed: Option<Duration>,
}

impl RawScan {
    /// A whole code, of a device without rules of its own.
    pub fn new(source: &str, bytes: &[u8], at: Now) -> RawScan {
        RawScan {
            source: source.into(),
            bytes: bytes.to_vec(),
            at,
            flaws: Vec::new(),
            rules: Arc::default(),
            trace: Vec::new(),
            typed: None,
        }
    }
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
    pub meaning: Meaning<'static>,
    pub flaws: Vec<Flaw>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning<'a> {
    Command(Command),
    /// A command of Odoo's own barcode screens: nothing to do with it here.
    OdooCommand,
    /// Something with a GS1 identity.
    Item(ItemCode<'a>),
    /// A badge, a document, a bin, an in-house product code: shape alone doesn't tell.
    Text,
}

impl<'a> Meaning<'a> {
    /// GTIN and elements, where the code has a GS1 identity.
    pub fn item(&self) -> Option<&ItemCode<'a>> {
        match self {
            Meaning::Item(item) => Some(item),
            Meaning::Command(_) | Meaning::OdooCommand | Meaning::Text => None,
        }
    }

    /// The word for it on the wire and in the terminal.
    pub fn name(&self) -> &'static str {
        match self {
            Meaning::Command(_) => "command",
            Meaning::OdooCommand => "odoo_command",
            Meaning::Item(item) if item.gtin.is_some() && item.elements.is_empty() => "gtin",
            Meaning::Item(_) => "gs1",
            Meaning::Text => "text",
        }
    }

    fn into_owned(self) -> Meaning<'static> {
        match self {
            Meaning::Command(command) => Meaning::Command(command),
            Meaning::OdooCommand => Meaning::OdooCommand,
            Meaning::Item(item) => Meaning::Item(item.into_owned()),
            Meaning::Text => Meaning::Text,
        }
    }
}

/// What a GS1 code says about the thing it is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemCode<'a> {
    pub gtin: Option<Gtin>,
    pub elements: Vec<Element<'a>>,
}

impl ItemCode<'_> {
    /// The data of an identifier, as read.
    pub fn data(&self, ai: &str) -> Option<&str> {
        self.elements.iter().find(|element| element.ai.fits(ai)).map(|element| element.value.as_ref())
    }

    /// AI 10.
    pub fn lot(&self) -> Option<&str> {
        self.data("10")
    }

    /// AI 21.
    pub fn serial(&self) -> Option<&str> {
        self.data("21")
    }

    /// AI 17; `wall` gives the century.
    pub fn expiry(&self, wall: Wall) -> Option<jiff::civil::Date> {
        self.data("17").and_then(|data| gs1::value::day(data, wall))
    }

    fn into_owned(self) -> ItemCode<'static> {
        ItemCode { gtin: self.gtin, elements: self.elements.into_iter().map(Element::into_owned).collect() }
    }
}

impl<'a> From<Vec<Element<'a>>> for ItemCode<'a> {
    /// 02 and 8026 name the trade items inside a logistic unit: for a receiver that is the item. The first of a label wins.
    fn from(elements: Vec<Element<'a>>) -> ItemCode<'a> {
        let names_an_item =
            |element: &&Element<'_>| ["01", "02", "03", "8006", "8026"].iter().any(|ai| element.ai.fits(ai));
        let number = |element: &Element<'_>| element.value.get(..14).and_then(Gtin::parse);
        ItemCode { gtin: elements.iter().filter(names_an_item).find_map(number), elements }
    }
}

impl From<Gtin> for ItemCode<'_> {
    fn from(gtin: Gtin) -> Self {
        ItemCode { gtin: Some(gtin), elements: Vec::new() }
    }
}

/// Understands one scan, its device's rewriting rules applied first.
pub fn decode(raw: RawScan) -> Scan {
    let RawScan { source, mut bytes, at, mut flaws, rules, trace: _, typed: _ } = raw;
    let Reading { identifier: _, text, meaning } = read(&bytes, &rules, &mut flaws);
    let text = text.chars().take(RAW_KEPT).collect();
    if bytes.len() > RAW_KEPT {
        if !flaws.iter().any(|flaw| matches!(flaw, Flaw::TooLong { .. })) {
            flaws.push(Flaw::TooLong { length: bytes.len() });
        }
        bytes.truncate(RAW_KEPT);
    }
    Scan { source, at, raw: bytes, text, meaning, flaws }
}

/// What the bytes of one code say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    /// The AIM identifier, when the scanner sent one.
    pub identifier: Option<Identifier>,
    /// The data behind it, cleaned and rewritten.
    pub text: Cow<'a, str>,
    pub meaning: Meaning<'static>,
}

/// Reads the bytes of one code as a device with these rules sends them. Allocates nothing for a bare GTIN.
pub fn read<'a>(bytes: &'a [u8], rules: &Rewrite, flaws: &mut Vec<Flaw>) -> Reading<'a> {
    let (identifier, data) = aim::split(bytes);
    let text = rules.apply(readable(data, flaws));
    let meaning = understand(identifier, &text, flaws).into_owned();
    Reading { identifier, text, meaning }
}

/// What `text` says, by its symbology identifier where there is one. Borrows, and allocates nothing for a bare GTIN.
pub fn understand<'a>(identifier: Option<Identifier>, text: &'a str, flaws: &mut Vec<Flaw>) -> Meaning<'a> {
    if let Some(command) = Command::parse(text) {
        return Meaning::Command(command);
    }
    if odoo::is_command(text) {
        return Meaning::OdooCommand;
    }
    match identifier.map_or(Carrier::Unstated, Identifier::carrier) {
        Carrier::Gs1 => {
            if text.is_empty() {
                flaws.push(Flaw::NoElements);
            }
            Meaning::Item(gs1::parse(text, flaws).into())
        }
        Carrier::Ean13 => {
            promised(Gtin::parse(text).filter(|_| text.len() != 8).or_else(|| Gtin::parse_upc_e(text)), flaws)
        }
        Carrier::Ean8 => promised(Gtin::parse(text).filter(|_| text.len() == 8), flaws),
        Carrier::EanWithAddOn => promised(before_add_on(text), flaws),
        Carrier::ItfChecked if text.len() == 14 => promised(Gtin::parse(text), flaws),
        Carrier::Itf | Carrier::ItfChecked => match Gtin::parse(text).filter(|_| text.len() == 14) {
            Some(gtin) => Meaning::Item(gtin.into()),
            None => Meaning::Text,
        },
        Carrier::Other => match digital_link::parse(text, flaws) {
            Some(elements) => Meaning::Item(elements.into()),
            None => Meaning::Text,
        },
        Carrier::Unstated => by_shape(text, flaws),
    }
}

fn promised<'a>(gtin: Option<Gtin>, flaws: &mut Vec<Flaw>) -> Meaning<'a> {
    match gtin {
        Some(gtin) => Meaning::Item(gtin.into()),
        None => {
            flaws.push(Flaw::NoGtin);
            Meaning::Text
        }
    }
}

/// A magazine's or a book's number, with two or five digits of issue or price behind it.
fn before_add_on(text: &str) -> Option<Gtin> {
    [13, 12].into_iter().find_map(|length| match text.split_at_checked(length) {
        Some((number, add_on)) if matches!(add_on.len(), 2 | 5) => Gtin::parse(number),
        Some(_) | None => None,
    })
}

/// Without an AIM identifier, shape and check digits decide, and doubt is a flaw.
fn by_shape<'a>(text: &'a str, flaws: &mut Vec<Flaw>) -> Meaning<'a> {
    match gtin::judge(text) {
        Shape::Sure(gtin) => return Meaning::Item(gtin.into()),
        Shape::UpcEOrGtin8(gtin) => {
            flaws.push(Flaw::UpcEOrGtin8);
            return Meaning::Item(gtin.into());
        }
        Shape::Wrong => {
            flaws.push(Flaw::BadCheckDigit);
            return Meaning::Text;
        }
        Shape::None => {}
    }
    let mut doubts = Vec::new();
    let elements = digital_link::parse(text, &mut doubts)
        .or_else(|| gs1::parse_bracketed(text, &mut doubts))
        .or_else(|| looks_like_elements(text).then(|| gs1::parse(text, &mut doubts)));
    match elements {
        Some(elements) if !elements.is_empty() => {
            flaws.append(&mut doubts);
            Meaning::Item(elements.into())
        }
        Some(_) | None => Meaning::Text,
    }
}

/// A separator is GS1's alone. Without one, a label begins with the number of a trade item or of a logistic unit.
fn looks_like_elements(text: &str) -> bool {
    let digits = |n: usize| text.get(2..2 + n).is_some_and(|data| data.bytes().all(|byte| byte.is_ascii_digit()));
    text.contains(gs1::SEPARATOR)
        || match text.as_bytes() {
            [b'0', b'0', ..] => digits(18),
            [b'0', b'1' | b'2', ..] => digits(14),
            _ => false,
        }
}

/// The data as text: outer blanks and control characters gone, but for GS, which separates GS1 elements.
fn readable<'a>(data: &'a [u8], flaws: &mut Vec<Flaw>) -> Cow<'a, str> {
    let text = String::from_utf8_lossy(data);
    if matches!(text, Cow::Owned(_)) {
        flaws.push(Flaw::NotUtf8);
    }
    let outer = |c: char| c != gs1::SEPARATOR && (c.is_whitespace() || c.is_control());
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(outer)),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(outer).to_owned()),
    };
    if text.chars().any(|c| c.is_control() && c != gs1::SEPARATOR) {
        flaws.push(Flaw::ControlCharacter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::time::Wall;
    use super::*;

    fn scan(bytes: &[u8]) -> Scan {
        let at = Now { boot: Duration::ZERO, wall: Wall(1_795_414_353_123) };
        decode(RawScan::new("dock", bytes, at))
    }

    fn item(bytes: &[u8]) -> ItemCode<'static> {
        scan(bytes).meaning.item().unwrap().clone()
    }

    fn gtin14(bytes: &[u8]) -> String {
        item(bytes).gtin.unwrap().to_string()
    }

    #[test]
    fn a_gs1_label_gives_gtin_lot_and_expiry() {
        let item = item(b"]C1010703206980498810L42\x1d17270131");
        assert_eq!(item.gtin.map(|g| g.to_string()).as_deref(), Some("07032069804988"));
        assert_eq!(item.lot(), Some("L42"));
        let expiry = item.expiry(Wall(1_795_414_353_123));
        assert_eq!(expiry.map(|d| d.to_string()).as_deref(), Some("2027-01-31"));
    }

    #[test]
    fn one_product_has_one_number_whatever_carries_it() {
        for code in [
            &b"]E07032069804988"[..],
            b"7032069804988",
            b"07032069804988",
            b"]I107032069804988",
            b"]I007032069804988",
            b"]E3703206980498812",
            b"]C10107032069804988",
            b"0107032069804988",
            b"(01)07032069804988",
            b"\x1d0107032069804988",
            b"]Q1https://example.com/01/07032069804988",
            b"https://example.com/01/07032069804988",
        ] {
            assert_eq!(gtin14(code), "07032069804988", "{}", String::from_utf8_lossy(code));
        }
        assert_eq!(gtin14(b"]E001234565"), "00012345000065");
        assert_eq!(gtin14(b"]E496385074"), "00000096385074");
    }

    #[test]
    fn a_code_128_that_looks_like_a_gtin_but_says_it_is_none_stays_text() {
        assert_eq!(scan(b"]C07032069804988").meaning, Meaning::Text);
    }

    #[test]
    fn a_carton_code_whose_check_digit_can_not_have_been_verified_is_refused() {
        assert_eq!(scan(b"]I114012345678901").flaws, [Flaw::NoGtin]);
        assert_eq!(scan(b"]I014012345678901").flaws, []);
        assert_eq!(scan(b"]I1123456").flaws, []);
    }

    #[test]
    fn in_house_codes_are_text_without_a_flaw() {
        for code in [&b"WH/OUT/00012"[..], b"A-03-02", b"EMP-17", b"0000123", b"10ABC", b"(shelf) 4", b"17 rue X"] {
            let scan = scan(code);
            assert_eq!((scan.meaning, scan.flaws), (Meaning::Text, vec![]), "{}", String::from_utf8_lossy(code));
        }
    }

    #[test]
    fn a_number_as_long_as_a_gtin_with_a_wrong_check_digit_is_text_and_says_so() {
        let scan = scan(b"7032069804989");
        assert_eq!((scan.meaning, scan.flaws), (Meaning::Text, vec![Flaw::BadCheckDigit]));
    }

    #[test]
    fn eight_digits_that_are_two_numbers_are_doubted() {
        assert_eq!(scan(b"01234565").flaws, [Flaw::UpcEOrGtin8]);
        assert_eq!(gtin14(b"01234565"), "00012345000065");
    }

    #[test]
    fn a_bare_element_string_is_taken_for_gs1_and_its_faults_are_named() {
        assert_eq!(item(b"010703206980498810L42").lot(), Some("L42"));
        let wrong = scan(b"0107032069804989");
        assert!(matches!(&wrong.flaws[..], [Flaw::BadElement { why: "wrong check digit", .. }]), "{:?}", wrong.flaws);
    }

    #[test]
    fn commands_of_odoo_are_known_and_are_none_of_ours() {
        assert_eq!(scan(b"OBTVALI").meaning, Meaning::OdooCommand);
        assert_eq!(scan(b"]C0TM-DONE").meaning, Meaning::Command(Command::Done));
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
