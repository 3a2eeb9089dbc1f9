//! GS1 element strings: application identifiers with predefined or variable length (GS1 General Specifications §3, §7.8).
//!
//! The table holds the identifiers that a receipt or a pick meets; an unknown one ends the understanding, not the scan.

use jiff::civil::Date;

use super::gtin::{Gtin, check_digit_holds};
use super::{Flaw, ItemCode};
use crate::domain::time::Wall;

/// FNC1 as transmitted: ASCII group separator.
pub const SEPARATOR: char = '\u{1d}';

/// More elements than any label carries; the rest would be noise.
const MAX_ELEMENTS: usize = 24;

/// One application identifier with its value, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub ai: String,
    pub value: String,
}

#[derive(Clone, Copy)]
enum Format {
    /// Predefined length: needs no separator.
    Digits(usize),
    /// Digits with a GS1 check digit at their end.
    Checked(usize),
    /// YYMMDD; day 00 is the month's last.
    Day,
    UpToDigits(usize),
    UpToText(usize),
}

/// The identifiers understood here, as (first digits, length of the whole identifier, format).
const TABLE: &[(&str, usize, Format)] = &[
    ("00", 2, Format::Checked(18)),
    ("01", 2, Format::Checked(14)),
    ("02", 2, Format::Checked(14)),
    ("10", 2, Format::UpToText(20)),
    ("11", 2, Format::Day),
    ("12", 2, Format::Day),
    ("13", 2, Format::Day),
    ("15", 2, Format::Day),
    ("16", 2, Format::Day),
    ("17", 2, Format::Day),
    ("20", 2, Format::Digits(2)),
    ("21", 2, Format::UpToText(20)),
    ("22", 2, Format::UpToText(20)),
    ("240", 3, Format::UpToText(30)),
    ("241", 3, Format::UpToText(30)),
    ("30", 2, Format::UpToDigits(8)),
    ("31", 4, Format::Digits(6)),
    ("32", 4, Format::Digits(6)),
    ("33", 4, Format::Digits(6)),
    ("34", 4, Format::Digits(6)),
    ("35", 4, Format::Digits(6)),
    ("36", 4, Format::Digits(6)),
    ("37", 2, Format::UpToDigits(8)),
    ("400", 3, Format::UpToText(30)),
    ("401", 3, Format::UpToText(30)),
    ("410", 3, Format::Checked(13)),
    ("414", 3, Format::Checked(13)),
    ("90", 2, Format::UpToText(30)),
    ("91", 2, Format::UpToText(90)),
    ("92", 2, Format::UpToText(90)),
    ("93", 2, Format::UpToText(90)),
    ("94", 2, Format::UpToText(90)),
    ("95", 2, Format::UpToText(90)),
    ("96", 2, Format::UpToText(90)),
    ("97", 2, Format::UpToText(90)),
    ("98", 2, Format::UpToText(90)),
    ("99", 2, Format::UpToText(90)),
];

/// Reads an element string; what is odd goes into `flaws`, what was understood is returned all the same.
pub fn parse(text: &str, wall: Wall, flaws: &mut Vec<Flaw>) -> ItemCode {
    let mut item = ItemCode::default();
    let mut rest = text;
    while item.elements.len() < MAX_ELEMENTS {
        rest = rest.trim_start_matches(SEPARATOR);
        if rest.is_empty() {
            return item;
        }
        let Some((ai, format)) = identify(rest) else {
            flaws.push(Flaw::UnknownAi { at: text.len() - rest.len() });
            return item;
        };
        let value;
        (value, rest) = cut(&rest[ai.len()..], format);
        if let Err(why) = check(value, format) {
            flaws.push(Flaw::BadElement { ai: ai.to_owned(), why });
        } else {
            take(&mut item, ai, value, wall);
        }
        item.elements.push(Element { ai: ai.to_owned(), value: value.to_owned() });
    }
    item
}

fn identify(rest: &str) -> Option<(&str, Format)> {
    let (_, length, format) = TABLE.iter().find(|(first, _, _)| rest.starts_with(first))?;
    let ai = rest.get(..*length)?;
    ai.bytes().all(|b| b.is_ascii_digit()).then_some((ai, *format))
}

/// The value and what comes behind it. A predefined length is cut by length, all else by the separator.
fn cut(rest: &str, format: Format) -> (&str, &str) {
    let end = rest.find(SEPARATOR).unwrap_or(rest.len());
    let fixed = match format {
        Format::Digits(n) | Format::Checked(n) => n,
        Format::Day => 6,
        Format::UpToDigits(_) | Format::UpToText(_) => end,
    };
    rest.split_at_checked(fixed.min(end)).unwrap_or((rest, ""))
}

fn check(value: &str, format: Format) -> Result<(), &'static str> {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    match format {
        Format::Digits(n) | Format::Checked(n) if value.len() != n => Err("too short"),
        Format::Digits(_) | Format::Checked(_) | Format::Day | Format::UpToDigits(_) if !digits => {
            Err("not all digits")
        }
        Format::Checked(_) if !check_digit_holds(value.as_bytes()) => Err("wrong check digit"),
        Format::Day if date(value, Wall(0)).is_none() => Err("no such day"),
        Format::UpToDigits(_) | Format::UpToText(_) if value.is_empty() => Err("empty"),
        Format::UpToDigits(max) | Format::UpToText(max) if value.len() > max => {
            Err("too long: a separator may be missing")
        }
        Format::UpToText(_) if !value.bytes().all(|b| b.is_ascii_graphic()) => {
            Err("a character that GS1 does not allow")
        }
        Format::Digits(_) | Format::Checked(_) | Format::Day | Format::UpToDigits(_) | Format::UpToText(_) => Ok(()),
    }
}

fn take(item: &mut ItemCode, ai: &str, value: &str, wall: Wall) {
    match ai {
        // 02 names the trade items contained in a logistic unit: for a receiver that is the item.
        "01" | "02" => item.gtin = Gtin::parse(value),
        "10" => item.lot = Some(value.to_owned()),
        "21" => item.serial = Some(value.to_owned()),
        "17" => item.expiry = date(value, wall),
        _ => {}
    }
}

/// YYMMDD with GS1's sliding century (General Specifications §7.12): the year lies 49 years back to 50 years ahead.
fn date(value: &str, wall: Wall) -> Option<Date> {
    let number = |range| value.get(range).and_then(|part: &str| part.parse::<i16>().ok());
    let (yy, month, day) = (number(0..2)?, number(2..4)?, number(4..6)?);
    let this_year = i16::try_from(1970 + wall.0 / 31_556_952_000).ok()?;
    let guess = this_year - this_year.rem_euclid(100) + yy;
    let year = match guess - this_year {
        51.. => guess - 100,
        ..-49 => guess + 100,
        _ => guess,
    };
    let first = Date::new(year, i8::try_from(month).ok()?, 1).ok()?;
    if day == 0 { Some(first.last_of_month()) } else { Date::new(year, first.month(), i8::try_from(day).ok()?).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IN_2026: Wall = Wall(1_795_414_353_123);

    fn read(text: &str) -> (ItemCode, Vec<Flaw>) {
        let mut flaws = vec![];
        (parse(text, IN_2026, &mut flaws), flaws)
    }

    #[test]
    fn predefined_lengths_need_no_separator_and_tolerate_one() {
        for text in ["010703206980498817270131", "0107032069804988\u{1d}17270131\u{1d}"] {
            let (item, flaws) = read(text);
            assert_eq!((item.elements.len(), flaws), (2, vec![]), "{text:?}");
        }
    }

    #[test]
    fn day_00_is_the_last_of_the_month() {
        assert_eq!(read("17280200").0.expiry, Some(Date::constant(2028, 2, 29)));
    }

    #[test]
    fn two_digit_years_slide_with_the_century() {
        let year = |yy: &str| read(&format!("17{yy}0101")).0.expiry.map(|d| d.year());
        assert_eq!([year("76"), year("77"), year("99"), year("00")], [Some(2076), Some(1977), Some(1999), Some(2000)]);
    }

    #[test]
    fn an_unknown_identifier_keeps_what_came_before() {
        let (item, flaws) = read("01070320698049888999x");
        assert!(item.gtin.is_some());
        assert_eq!(flaws, [Flaw::UnknownAi { at: 16 }]);
    }

    #[test]
    fn a_bad_element_is_named_and_the_rest_still_read() {
        let (item, flaws) = read("0107032069804989\u{1d}10L42");
        assert_eq!(item.lot.as_deref(), Some("L42"));
        assert_eq!(flaws, [Flaw::BadElement { ai: "01".into(), why: "wrong check digit" }]);
    }

    #[test]
    fn a_missing_separator_is_suspected_when_a_value_overflows() {
        let (_, flaws) = read("10ABCDEFGHIJ1234567890X");
        assert!(matches!(&flaws[..], [Flaw::BadElement { why, .. }] if why.contains("separator")));
    }
}
