//! HID POS scanners: which fields of a report hold the code, read from the device's own report descriptor.
//!
//! Sources: USB HID 1.11 §6.2.2 (the descriptor's items) and the HID Point of Sale usage tables 1.02 §4 (usage page
//! 0x8C: Symbology Identifier 1 to 3 are 0xFB to 0xFD, Decoded Data 0xFE, Decode Data Continued 0xFF). The length of the
//! data, where a device tells it, is Byte Count of the generic desktop page (0x01:0x3B).

use std::time::Duration;

use super::Flaw;
use super::frame::{Frame, MAX_FRAME};
use crate::domain::time::{Deadline, Now};

/// The kernel's own limit for a descriptor (HID_MAX_DESCRIPTOR_SIZE).
pub const MAX_DESCRIPTOR: usize = 4096;
/// Fields of interest that are kept; a scanner has five or six.
const MAX_FIELDS: usize = 64;
const MAX_PUSHES: usize = 8;
const MAX_USAGES: usize = 64;
/// A longer report is not a scanner's.
const MAX_REPORT_BITS: u32 = 8 * 4096;
/// The next part of a code comes within this, or never: reports follow each other within milliseconds.
const REST: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The n-th character of the AIM identifier.
    Symbology(usize),
    Data,
    Continued,
    Length,
}

impl Meaning {
    fn of(usage: u32) -> Option<Meaning> {
        match usage {
            0x008c_00fb => Some(Meaning::Symbology(0)),
            0x008c_00fc => Some(Meaning::Symbology(1)),
            0x008c_00fd => Some(Meaning::Symbology(2)),
            0x008c_00fe => Some(Meaning::Data),
            0x008c_00ff => Some(Meaning::Continued),
            0x0001_003b => Some(Meaning::Length),
            _ => None,
        }
    }
}

/// Where one value, or a row of equal ones, stands in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    report: u8,
    meaning: Meaning,
    /// From the first bit behind the report's id.
    at: u32,
    size: u32,
    count: u32,
}

/// The fields of a scanner's input reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportMap {
    fields: Vec<Field>,
    /// Reports begin with a byte that names them.
    numbered: bool,
}

#[derive(Clone, Copy, Default)]
struct Globals {
    page: u32,
    size: u32,
    count: u32,
    report: u8,
}

#[derive(Default)]
struct Parser {
    globals: Globals,
    pushed: Vec<Globals>,
    usages: Vec<u32>,
    usage_from: Option<u32>,
    /// How many bits each input report has so far.
    lengths: Vec<(u8, u32)>,
    fields: Vec<Field>,
    numbered: bool,
}

impl ReportMap {
    /// Reads a report descriptor; `None` when no input report of it holds decoded data of a bar code.
    pub fn parse(descriptor: &[u8]) -> Option<ReportMap> {
        let mut parser = Parser::default();
        let mut rest = descriptor.get(..MAX_DESCRIPTOR).unwrap_or(descriptor);
        while let Some((&prefix, behind)) = rest.split_first() {
            if prefix == 0xfe {
                // A long item: none is defined, so it is stepped over.
                rest = behind.get(usize::from(*behind.first()?) + 2..)?;
                continue;
            }
            let size = [0, 1, 2, 4][usize::from(prefix & 3)];
            let Some((data, next)) = behind.split_at_checked(size) else { break };
            let value = data.iter().rev().fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
            parser.item(prefix & 0xfc, value, size);
            rest = next;
        }
        let found = parser.fields.iter().any(|field| field.meaning == Meaning::Data);
        found.then_some(ReportMap { fields: parser.fields, numbered: parser.numbered })
    }

    /// What one report says of a code; `None` when it is a report of another kind.
    fn read(&self, report: &[u8]) -> Option<Piece> {
        let (id, body) = if self.numbered { report.split_first().map(|(id, body)| (*id, body))? } else { (0, report) };
        let mut piece = Piece::default();
        let mut length = None;
        let mut holds_data = false;
        for field in self.fields.iter().filter(|field| field.report == id) {
            let values = (0..field.count).map_while(|n| bits(body, field.at + n * field.size, field.size));
            match field.meaning {
                Meaning::Data => {
                    holds_data = true;
                    piece.data.extend(values.map(|value| value.to_le_bytes()[0]));
                }
                Meaning::Symbology(place) => piece.symbology[place] = first(values).to_le_bytes()[0],
                Meaning::Continued => piece.continued = first(values) != 0,
                Meaning::Length => length = usize::try_from(first(values)).ok(),
            }
        }
        match length {
            Some(length) => piece.data.truncate(length),
            None => {
                // Without a length the data is filled up with zeros.
                let end = piece.data.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                piece.data.truncate(end);
            }
        }
        holds_data.then_some(piece)
    }
}

fn first(mut values: impl Iterator<Item = u32>) -> u32 {
    values.next().unwrap_or(0)
}

/// `size` bits (at most 32) from bit `at` on, little-endian as HID has them; `None` behind the end.
fn bits(body: &[u8], at: u32, size: u32) -> Option<u32> {
    let mut value = 0;
    for n in 0..size.min(32) {
        let place = at + n;
        let byte = body.get(usize::try_from(place / 8).ok()?)?;
        value |= u32::from(byte >> (place % 8) & 1) << n;
    }
    Some(value)
}

impl Parser {
    /// One short item: its tag and type, its value, and in how many bytes that came.
    fn item(&mut self, tag: u8, value: u32, size: usize) {
        match tag {
            0x04 => self.globals.page = value & 0xffff,
            0x74 => self.globals.size = value,
            0x94 => self.globals.count = value,
            0x84 => {
                self.globals.report = value.to_le_bytes()[0];
                self.numbered = true;
            }
            0xa4 if self.pushed.len() < MAX_PUSHES => self.pushed.push(self.globals),
            0xb4 => self.globals = self.pushed.pop().unwrap_or(self.globals),
            0x08 => {
                let usage = self.whole(value, size);
                self.usage(usage);
            }
            0x18 => self.usage_from = Some(self.whole(value, size)),
            0x28 => {
                let to = self.whole(value, size);
                let from = self.usage_from.take().unwrap_or(to);
                (from..=to).take(MAX_USAGES).for_each(|usage| self.usage(usage));
            }
            0x80 => self.input(value & 1 != 0),
            // Output, feature, collection and its end: they use up the usages before them.
            0x90 | 0xb0 | 0xa0 | 0xc0 => self.usages.clear(),
            _ => {}
        }
    }

    /// A usage of four bytes brings its page along.
    fn whole(&self, value: u32, size: usize) -> u32 {
        if size == 4 { value } else { self.globals.page << 16 | value }
    }

    fn usage(&mut self, usage: u32) {
        if self.usages.len() < MAX_USAGES {
            self.usages.push(usage);
        }
    }

    fn input(&mut self, constant: bool) {
        let Globals { size, count, report, .. } = self.globals;
        let at = self.lengths.iter().find(|(id, _)| *id == report).map_or(0, |(_, bits)| *bits);
        let end = size.checked_mul(count).and_then(|bits| bits.checked_add(at)).filter(|end| *end <= MAX_REPORT_BITS);
        let usages = std::mem::take(&mut self.usages);
        let Some(end) = end else { return };
        match self.lengths.iter_mut().find(|(id, _)| *id == report) {
            Some((_, bits)) => *bits = end,
            None => self.lengths.push((report, end)),
        }
        if constant || size == 0 {
            return;
        }
        for (place, usage) in (0..count).zip(&usages) {
            // The last usage stands for all values that are left.
            let last = usize::try_from(place).is_ok_and(|place| place + 1 == usages.len());
            let count = if last { count - place } else { 1 };
            if let Some(meaning) = Meaning::of(*usage)
                && self.fields.len() < MAX_FIELDS
            {
                self.fields.push(Field { report, meaning, at: at + place * size, size, count });
            }
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Piece {
    symbology: [u8; 3],
    data: Vec<u8>,
    continued: bool,
}

impl Piece {
    /// The AIM identifier as it would stand before the data, or nothing.
    fn aim(&self) -> Vec<u8> {
        match self.symbology {
            [b']', letter, modifier] if letter.is_ascii_alphabetic() && modifier.is_ascii_graphic() => {
                vec![b']', letter, modifier]
            }
            _ => Vec::new(),
        }
    }
}

/// Joins the reports of one scanner to codes.
#[derive(Debug)]
pub struct HidPos {
    map: ReportMap,
    aim: Vec<u8>,
    data: Vec<u8>,
    length: usize,
    rest_until: Option<Deadline>,
}

impl HidPos {
    pub fn new(map: ReportMap) -> HidPos {
        HidPos { map, aim: Vec::new(), data: Vec::new(), length: 0, rest_until: None }
    }

    /// One input report as the kernel hands it over, with its id where it has one.
    pub fn report(&mut self, report: &[u8], now: Now) -> Option<Frame> {
        let piece = self.map.read(report)?;
        if self.rest_until.is_none() {
            self.aim = piece.aim();
        }
        self.length = self.length.saturating_add(piece.data.len());
        let room = MAX_FRAME.saturating_sub(self.data.len() + self.aim.len());
        self.data.extend(piece.data.iter().take(room));
        if piece.continued {
            self.rest_until = Some(now.plus(REST));
            return None;
        }
        self.finish(None)
    }

    /// Until when the next part of a code that is under way must come.
    pub fn deadline(&self) -> Option<Deadline> {
        self.rest_until
    }

    /// The code whose next part did not come.
    pub fn on_silence(&mut self, now: Now) -> Option<Frame> {
        self.rest_until.filter(|deadline| deadline.is_past(now))?;
        self.finish(Some(Flaw::Partial))
    }

    /// The device is gone: what was there of a code comes out as a partial one.
    pub fn unplugged(&mut self) -> Option<Frame> {
        self.rest_until?;
        self.finish(Some(Flaw::Partial))
    }

    fn finish(&mut self, flaw: Option<Flaw>) -> Option<Frame> {
        self.rest_until = None;
        let mut bytes = std::mem::take(&mut self.aim);
        let data = std::mem::take(&mut self.data);
        let length = std::mem::take(&mut self.length);
        let mut flaws: Vec<Flaw> = flaw.into_iter().collect();
        if length > data.len() {
            flaws.push(Flaw::TooLong { length });
        }
        if data.starts_with(b"]") {
            // It sends the identifier with the data as well.
            bytes.clear();
        }
        bytes.extend(data);
        (!bytes.is_empty() || !flaws.is_empty()).then_some(Frame { bytes, flaws })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::time::Wall;
    use super::*;

    const NOW: Now = Now { boot: Duration::ZERO, wall: Wall(0) };

    /// Report 2: a byte count, three symbology characters, 16 bytes of data, 7 bits of filling, the continuation bit.
    const DESCRIPTOR: &[u8] = &[
        0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, // usage page bar code scanner, scanner, application collection
        0x09, 0x12, 0xa1, 0x02, 0x85, 0x02, // scanned data report, logical collection, report id 2
        0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, // logical 0 to 255, eight bits each
        0xa4, 0x05, 0x01, 0x09, 0x3b, 0x95, 0x01, 0x81, 0x02, 0xb4, // push, generic desktop, byte count, pop
        0x95, 0x03, 0x09, 0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81, 0x02, // three symbology identifiers
        0x95, 0x10, 0x09, 0xfe, 0x82, 0x02, 0x01, // sixteen bytes of decoded data, buffered bytes
        0x95, 0x07, 0x75, 0x01, 0x81, 0x03, // seven constant bits
        0x95, 0x01, 0x09, 0xff, 0x81, 0x02, 0xc0, 0xc0, // decode data continued
    ];
    const KEYBOARD: &[u8] = &[
        0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02,
        0xc0,
    ];

    fn report(symbology: &[u8; 3], data: &[u8], more: bool) -> Vec<u8> {
        let mut report = vec![2, u8::try_from(data.len()).unwrap()];
        report.extend(symbology);
        report.extend(data);
        report.resize(21, 0);
        report.push(if more { 0x80 } else { 0 });
        report
    }

    fn scanner() -> HidPos {
        HidPos::new(ReportMap::parse(DESCRIPTOR).unwrap())
    }

    fn bytes(frame: Option<Frame>) -> Vec<u8> {
        frame.map(|frame| frame.bytes).unwrap_or_default()
    }

    #[test]
    fn the_aim_identifier_comes_before_the_data() {
        assert_eq!(bytes(scanner().report(&report(b"]E0", b"7032069804988", false), NOW)), b"]E07032069804988");
    }

    #[test]
    fn a_code_of_several_reports_is_one() {
        let mut scanner = scanner();
        assert_eq!(scanner.report(&report(b"]C1", b"0107032069804988", true), NOW), None);
        assert_eq!(bytes(scanner.report(&report(b"]C1", b"10L42", false), NOW)), b"]C1010703206980498810L42");
        assert_eq!(scanner.deadline(), None);
    }

    #[test]
    fn a_part_without_its_rest_is_a_flaw_and_hurts_no_other() {
        let mut scanner = scanner();
        scanner.report(&report(b"]C1", b"0107", true), NOW);
        assert_eq!(scanner.on_silence(NOW), None);
        let late = Now { boot: REST, ..NOW };
        assert_eq!(scanner.on_silence(late).map(|frame| frame.flaws), Some(vec![Flaw::Partial]));
        assert_eq!(bytes(scanner.report(&report(b"]A0", b"NEXT", false), late)), b"]A0NEXT");
        scanner.report(&report(b"]C1", b"0107", true), late);
        assert_eq!(scanner.unplugged().map(|frame| frame.flaws), Some(vec![Flaw::Partial]));
        assert_eq!(scanner.unplugged(), None);
    }

    #[test]
    fn other_reports_and_other_devices_are_no_codes() {
        assert_eq!(scanner().report(&[3, 1, 2, 3], NOW), None);
        assert_eq!(scanner().report(&[], NOW), None);
        assert_eq!(ReportMap::parse(KEYBOARD), None);
        assert_eq!(ReportMap::parse(&DESCRIPTOR[..30]), None);
    }

    #[test]
    fn without_a_length_the_filling_is_taken_off() {
        let mut descriptor = DESCRIPTOR.to_vec();
        // The byte count becomes a usage that says nothing.
        let place = descriptor.windows(2).position(|pair| pair == [0x09, 0x3b]).unwrap();
        descriptor[place + 1] = 0x00;
        let mut scanner = HidPos::new(ReportMap::parse(&descriptor).unwrap());
        assert_eq!(bytes(scanner.report(&report(b"\0\0\0", b"SHELF 4", false), NOW)), b"SHELF 4");
    }

    #[test]
    fn memory_stays_bounded_under_a_code_without_an_end() {
        let mut scanner = scanner();
        for _ in 0..1000 {
            assert_eq!(scanner.report(&report(b"]Q3", &[b'x'; 16], true), NOW), None);
        }
        let frame = scanner.report(&report(b"]Q3", b"", false), NOW).unwrap();
        assert_eq!((frame.bytes.len(), frame.flaws), (MAX_FRAME, vec![Flaw::TooLong { length: 16_000 }]));
    }

    proptest::proptest! {
        #[test]
        fn what_the_reports_of_a_code_hold_comes_out_whole(parts in proptest::collection::vec("[!-~]{1,16}", 1..20)) {
            let mut scanner = scanner();
            let mut frames = vec![];
            for (n, part) in parts.iter().enumerate() {
                frames.extend(scanner.report(&report(b"]Q1", part.as_bytes(), n + 1 < parts.len()), NOW));
            }
            let said = parts.concat();
            let whole = if said.starts_with(']') { said } else { format!("]Q1{said}") };
            proptest::prop_assert_eq!(frames, vec![Frame { bytes: whole.into_bytes(), flaws: vec![] }]);
        }

        #[test]
        fn no_descriptor_and_no_report_make_it_panic_or_keep_more_than_its_limits(
            noise in proptest::collection::vec(0u8.., 0..80),
            cut in 0..DESCRIPTOR.len(),
            reports in proptest::collection::vec(proptest::collection::vec(0u8.., 0..40), 0..8),
        ) {
            let mixed = [&DESCRIPTOR[..cut], &noise, &DESCRIPTOR[cut..]].concat();
            for descriptor in [&noise, &mixed] {
                if let Some(map) = ReportMap::parse(descriptor) {
                    proptest::prop_assert!(map.fields.len() <= MAX_FIELDS);
                    let mut scanner = HidPos::new(map);
                    for report in &reports {
                        let frame = scanner.report(report, NOW);
                        proptest::prop_assert!(frame.is_none() || scanner.deadline().is_none());
                        proptest::prop_assert!(bytes(frame).len() <= MAX_FRAME);
                    }
                    proptest::prop_assert!(bytes(scanner.unplugged()).len() <= MAX_FRAME);
                    proptest::prop_assert_eq!(scanner.unplugged(), None);
                }
            }
        }
    }
}
