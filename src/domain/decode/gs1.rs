//! GS1 element strings: application identifiers with their data (GS1 General Specifications §3 and §7.8).
//!
//! A label is read to its end whatever is wrong on the way: what can't be understood is a [`Flaw`], and all else is kept.

mod check;
mod codes;
mod coupon;
mod pairs;
mod spec;
mod table;
pub mod value;

use std::borrow::Cow;

use super::Flaw;
pub use pairs::missing;
pub use spec::{Ai, Check, Part, Set, Spec};

/// FNC1 as transmitted: ASCII group separator.
pub const SEPARATOR: char = '\u{1d}';

/// More elements than any label carries; the rest would be noise.
pub const MAX_ELEMENTS: usize = 64;

/// One application identifier with its data, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    pub ai: Ai,
    pub value: Cow<'a, str>,
}

impl Element<'_> {
    pub fn into_owned(self) -> Element<'static> {
        Element { ai: self.ai, value: Cow::Owned(self.value.into_owned()) }
    }
}

/// Every row of GS1's table, for those who print it or test it.
pub fn table() -> &'static [Spec] {
    table::TABLE
}

/// Reads an element string. What is odd goes into `flaws`; what was understood is returned all the same.
pub fn parse<'a>(text: &'a str, flaws: &mut Vec<Flaw>) -> Vec<Element<'a>> {
    let mut elements = Vec::with_capacity(4);
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(SEPARATOR);
        if rest.is_empty() {
            break;
        }
        if elements.len() == MAX_ELEMENTS {
            flaws.push(Flaw::TooManyElements);
            break;
        }
        let Some(ai) = Ai::at_start_of(rest.as_bytes()) else {
            flaws.push(Flaw::UnknownAi { digits: rest.chars().take(4).collect(), at: text.len() - rest.len() });
            rest = behind_unknown(rest);
            continue;
        };
        let (data, behind) = cut(ai, &rest[ai.spec.width..], flaws);
        check_value(ai, data, flaws);
        elements.push(Element { ai, value: Cow::Borrowed(data) });
        rest = behind;
    }
    pairs::check(&elements, flaws);
    elements
}

/// Reads the form that people read, "(01)07032069804988(10)L42". Nothing, when `text` is not of that form.
pub fn parse_bracketed<'a>(text: &'a str, flaws: &mut Vec<Flaw>) -> Option<Vec<Element<'a>>> {
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && elements.len() < MAX_ELEMENTS {
        let (digits, behind) = rest.strip_prefix('(')?.split_once(')')?;
        let ai = Ai::parse(digits)?;
        // A bracket may stand in the data as well: only one that opens an identifier ends it.
        let opens = |(at, _): &(usize, &str)| {
            behind[at + 1..].split_once(')').is_some_and(|(inside, _)| Ai::parse(inside).is_some())
        };
        let end = behind.match_indices('(').find(opens).map_or(behind.len(), |(at, _)| at);
        let (data, next) = behind.split_at(end);
        check_value(ai, data, flaws);
        elements.push(Element { ai, value: Cow::Borrowed(data) });
        rest = next;
    }
    pairs::check(&elements, flaws);
    Some(elements)
}

/// The data and what comes behind it: by the predefined length, by the separator, or, where a separator is missing behind
/// data of one length, by that length.
fn cut<'a>(ai: Ai, rest: &'a str, flaws: &mut Vec<Flaw>) -> (&'a str, &'a str) {
    let (data, behind) = rest.split_at(rest.find(SEPARATOR).unwrap_or(rest.len()));
    let Some(length) = ai.spec.fixed().filter(|&length| data.len() > length) else { return (data, behind) };
    let Some((value, more)) = rest.split_at_checked(length) else { return (data, behind) };
    if ai.spec.predefined {
        return (value, more);
    }
    if Ai::at_start_of(more.as_bytes()).is_none() {
        return (data, behind);
    }
    flaws.push(Flaw::NoSeparator { ai });
    (value, more)
}

/// Where reading goes on behind an identifier that GS1 has not given out. The lengths of figure 7.8.5-2 hold for
/// identifiers to come as well; without one, the separator tells.
fn behind_unknown(rest: &str) -> &str {
    let length = match rest.as_bytes() {
        [b'0', b'4', ..] => Some(18),
        [b'1', b'4' | b'8' | b'9', ..] => Some(8),
        [b'3', b'1'..=b'6', ..] => Some(10),
        [b'4', b'1', ..] => Some(16),
        _ => None,
    };
    let end = rest.find(SEPARATOR).unwrap_or(rest.len());
    let digits = |n: usize| rest.get(..n).is_some_and(|start| start.bytes().all(|byte| byte.is_ascii_digit()));
    let end = length.filter(|&n| n <= end && digits(n)).unwrap_or(end);
    rest.get(end..).unwrap_or_default()
}

/// Checks one element's data against its row, part by part.
fn check_value(ai: Ai, value: &str, flaws: &mut Vec<Flaw>) {
    let spec = ai.spec;
    let mut rest = value;
    for part in spec.parts {
        if part.optional && rest.is_empty() {
            return;
        }
        let Some((data, behind)) = rest.split_at_checked(part.longest.min(rest.len())) else {
            return flaws.push(Flaw::BadElement { ai, why: "a character that GS1 does not allow here" });
        };
        let outcome = match data.len() {
            0 => Err("no data"),
            n if n < part.shortest => Err("too short"),
            _ => check::part(part, data),
        };
        if let Err(why) = outcome {
            return flaws.push(Flaw::BadElement { ai, why });
        }
        rest = behind;
    }
    if !rest.is_empty() {
        let why = if spec.predefined { "too long" } else { "too long: a separator may be missing" };
        flaws.push(Flaw::BadElement { ai, why });
    }
}

/// Reads a value that a Digital Link URI carries.
pub(super) fn element<'a>(ai: Ai, value: Cow<'a, str>, flaws: &mut Vec<Flaw>) -> Element<'a> {
    check_value(ai, &value, flaws);
    Element { ai, value }
}

/// Checks how elements that came one by one go together.
pub(super) fn check_pairs(elements: &[Element<'_>], flaws: &mut Vec<Flaw>) {
    pairs::check(elements, flaws);
}

#[cfg(test)]
mod tests;
