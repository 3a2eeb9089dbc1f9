//! How an application identifier's data is described: parts, each with a character set, a length and checks.

use super::table::TABLE;

/// What a part may consist of (GS1 General Specifications §7.11 and the Syntax Dictionary's types).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    Digits,
    /// The 82 characters of ISO/IEC 646 that GS1 allows.
    Text,
    /// The 39 of a component or part identifier.
    Cpid,
    /// File-safe, URI-safe base64.
    Base64Url,
}

/// A rule for the contents of a part, beyond its length and its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The standard check digit at the end (§7.9.1).
    CheckDigit,
    /// Two check characters at the end (§7.9.5).
    CheckPair,
    /// Starts with a GS1 Company Prefix.
    Prefix,
    /// The same, behind an indicator or extension digit.
    PrefixBehindOne,
    /// YYMMDD.
    Day,
    /// YYMMDD, where day 00 is the month's last (§3.4).
    DayOrMonth,
    /// YYYYMMDD.
    LongDay,
    HourMinute,
    Hour,
    Minute,
    Second,
    /// ISO 4217, as a number.
    Currency,
    /// ISO 3166-1, as a number.
    Country,
    /// The same, or 999 for "several".
    CountryOr999,
    /// ISO 3166-1, as two letters.
    CountryLetters,
    PercentEncoded,
    /// Degrees north of the south pole, times 10 million.
    Latitude,
    /// Degrees of a full circle, times 10 million.
    Longitude,
    YesNo,
    Hyphen,
    ImporterIndex,
    /// UN/ECE Recommendation 21 and GS1's additions.
    PackageType,
    MediaType,
    /// ISO/IEC 5218.
    Sex,
    /// "2/3", for births.
    PositionOfTotal,
    /// "0203": piece 2 of 3.
    PieceOfTotal,
    NonZero,
    Winding,
    Zero,
    Iban,
    NoLeadingZero,
    HasNonDigit,
    Coupon,
    CouponOffer,
}

/// One component of an element's data. Only the last part of a row varies in length.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub set: Set,
    pub shortest: usize,
    pub longest: usize,
    /// May be absent, together with all that follows it.
    pub optional: bool,
    pub checks: &'static [Check],
}

impl Part {
    const fn exactly(set: Set, length: usize) -> Part {
        Part { set, shortest: length, longest: length, optional: false, checks: &[] }
    }

    const fn up_to(set: Set, length: usize) -> Part {
        Part { set, shortest: 1, longest: length, optional: false, checks: &[] }
    }

    pub(super) const fn optional(self) -> Part {
        Part { optional: true, ..self }
    }

    pub(super) const fn checked(self, checks: &'static [Check]) -> Part {
        Part { checks, ..self }
    }
}

pub(super) const fn digits(length: usize) -> Part {
    Part::exactly(Set::Digits, length)
}

pub(super) const fn digits_to(length: usize) -> Part {
    Part::up_to(Set::Digits, length)
}

pub(super) const fn text(length: usize) -> Part {
    Part::exactly(Set::Text, length)
}

pub(super) const fn text_to(length: usize) -> Part {
    Part::up_to(Set::Text, length)
}

pub(super) const fn cpid_to(length: usize) -> Part {
    Part::up_to(Set::Cpid, length)
}

pub(super) const fn base64url_to(length: usize) -> Part {
    Part::up_to(Set::Base64Url, length)
}

/// An application identifier, or a run of them that differ in their last digit alone.
#[derive(Debug)]
pub struct Spec {
    /// Of the run, as numbers: `01` is 1. `width` tells how many digits it has.
    first: u16,
    last: u16,
    pub width: usize,
    /// GS1's data title.
    pub title: &'static str,
    pub parts: &'static [Part],
    /// Its length follows from its first two digits, so no separator is needed behind it (§7.8.5).
    pub predefined: bool,
    /// May stand in the query of a GS1 Digital Link URI.
    pub attribute: bool,
    /// Needs one of these groups on the same item: "01+21,02" is 01 with 21, or 02. "n" stands for any digit.
    pub needs: &'static str,
    /// Must not be on the same item as any of these.
    pub never_with: &'static str,
    /// Primary key of a Digital Link URI, with the qualifiers that may follow it, in this order; "|" parts alternatives.
    pub key: Option<&'static str>,
}

impl Spec {
    pub(super) const fn new(range: &str, title: &'static str, parts: &'static [Part]) -> Spec {
        let range = range.as_bytes();
        let mut width = 0;
        while width < range.len() && range[width] != b'-' {
            width += 1;
        }
        let first = number(range, 0, width);
        let last = if width < range.len() { number(range, width + 1, range.len()) } else { first };
        Spec {
            first,
            last,
            width,
            title,
            parts,
            predefined: false,
            attribute: false,
            needs: "",
            never_with: "",
            key: None,
        }
    }

    pub(super) const fn predefined(self) -> Spec {
        Spec { predefined: true, ..self }
    }

    pub(super) const fn attribute(self) -> Spec {
        Spec { attribute: true, ..self }
    }

    pub(super) const fn needs(self, needs: &'static str) -> Spec {
        Spec { needs, ..self }
    }

    pub(super) const fn never_with(self, never_with: &'static str) -> Spec {
        Spec { never_with, ..self }
    }

    pub(super) const fn key(self, qualifiers: &'static str) -> Spec {
        Spec { key: Some(qualifiers), ..self }
    }

    /// The most characters that its data can have.
    pub fn longest(&self) -> usize {
        self.parts.iter().map(|part| part.longest).sum()
    }

    /// The one length of its data, if it has only one.
    pub fn fixed(&self) -> Option<usize> {
        let fixed = self.parts.iter().all(|part| part.shortest == part.longest && !part.optional);
        fixed.then(|| self.longest())
    }

    /// The identifiers that this row is for.
    pub fn identifiers(&'static self) -> impl Iterator<Item = Ai> {
        (self.first..=self.last).map(move |number| Ai { number, spec: self })
    }
}

const fn number(digits: &[u8], from: usize, to: usize) -> u16 {
    let (mut at, mut number) = (from, 0);
    while at < to {
        number = number * 10 + (digits[at] - b'0') as u16;
        at += 1;
    }
    number
}

/// One application identifier that GS1 has given out.
#[derive(Clone, Copy)]
pub struct Ai {
    number: u16,
    pub spec: &'static Spec,
}

impl Ai {
    /// The identifier that `data` starts with.
    pub fn at_start_of(data: &[u8]) -> Option<Ai> {
        let prefix = usize::from(digit(data, 0)?) * 10 + usize::from(digit(data, 1)?);
        let (start, end) = BY_PREFIX[prefix];
        let row = TABLE.get(usize::from(start)..usize::from(end))?;
        let width = row.first()?.width;
        let mut number = 0;
        for place in 0..width {
            number = number * 10 + u16::from(digit(data, place)?);
        }
        let spec = row.iter().find(|spec| (spec.first..=spec.last).contains(&number))?;
        Some(Ai { number, spec })
    }

    /// The identifier that `text` is, all of it.
    pub fn parse(text: &str) -> Option<Ai> {
        Ai::at_start_of(text.as_bytes()).filter(|ai| ai.spec.width == text.len())
    }

    /// Where a decimal point stands, for identifiers whose last digit says so: so many digits from the end.
    pub fn last_digit(self) -> u8 {
        u8::try_from(self.number % 10).unwrap_or_default()
    }

    /// Its first two digits, by which GS1 groups them.
    pub fn family(self) -> u16 {
        self.number / 10_u16.pow(u32::try_from(self.spec.width - 2).unwrap_or_default())
    }

    /// True when `pattern` ("01", "31nn") stands for this identifier; "n" is any digit.
    pub fn fits(self, pattern: &str) -> bool {
        pattern.len() == self.spec.width && {
            let mut rest = self.number;
            pattern.bytes().rev().all(|wanted| {
                let digit = rest % 10;
                rest /= 10;
                wanted == b'n' || u16::from(wanted) == digit + u16::from(b'0')
            })
        }
    }
}

impl PartialEq for Ai {
    fn eq(&self, other: &Ai) -> bool {
        (self.number, self.spec.width) == (other.number, other.spec.width)
    }
}

impl Eq for Ai {}

impl std::fmt::Display for Ai {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:0width$}", self.number, width = self.spec.width)
    }
}

impl std::fmt::Debug for Ai {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({self})")
    }
}

fn digit(data: &[u8], place: usize) -> Option<u8> {
    data.get(place).filter(|byte| byte.is_ascii_digit()).map(|byte| byte - b'0')
}

/// For each pair of first digits, where its rows begin and end in the table: an identifier's width follows from them.
static BY_PREFIX: [(u8, u8); 100] = {
    let mut index = [(0, 0); 100];
    let mut at = 0;
    while at < TABLE.len() {
        let spec = &TABLE[at];
        let scale = if spec.width == 2 {
            1
        } else if spec.width == 3 {
            10
        } else {
            100
        };
        let (mut prefix, last) = (spec.first / scale, spec.last / scale);
        while prefix <= last {
            let entry = &mut index[prefix as usize];
            if entry.1 == 0 {
                entry.0 = at as u8;
            }
            entry.1 = at as u8 + 1;
            prefix += 1;
        }
        at += 1;
    }
    index
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_first_and_its_last_identifier_and_by_no_neighbour() {
        for spec in TABLE {
            for number in [spec.first, spec.last] {
                let text = format!("{number:0width$}", width = spec.width);
                let ai = Ai::parse(&text).unwrap();
                assert!(std::ptr::eq(ai.spec, spec) && ai.to_string() == text, "{text}");
            }
        }
        for unknown in ["", "0", "04", "23", "3106", "9", "0x", "8999", "99x", "١٢"] {
            assert_eq!(Ai::parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_row_has_one_width_for_all_that_share_its_first_two_digits() {
        for (prefix, &(start, end)) in BY_PREFIX.iter().enumerate() {
            let rows = &TABLE[usize::from(start)..usize::from(end)];
            assert!(rows.windows(2).all(|pair| pair[0].width == pair[1].width), "{prefix}");
        }
    }

    #[test]
    fn patterns_stand_for_any_digit() {
        let ai = Ai::parse("3103").unwrap();
        assert!(ai.fits("3103") && ai.fits("310n") && ai.fits("31nn"));
        assert!(!ai.fits("32nn") && !ai.fits("310") && !ai.fits("31"));
        assert!(Ai::parse("01").unwrap().fits("01"));
    }
}
