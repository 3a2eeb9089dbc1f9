//! GS1 Digital Link URIs (GS1 Digital Link Standard: URI Syntax): identifiers in the path, attributes in the query.
//!
//! `https://id.example.com/some/where/01/07032069804988/10/L42?17=270131` says what `(01)...(10)...(17)...` says. The host
//! and what stands in front of the primary key don't matter, and keys of the query that are no numbers are not GS1's.

use std::borrow::Cow;

use super::Flaw;
use super::gs1::{self, Ai, Element};

/// The elements of a Digital Link URI, or nothing when `text` is none.
pub fn parse<'a>(text: &'a str, flaws: &mut Vec<Flaw>) -> Option<Vec<Element<'a>>> {
    let scheme = ["https://", "http://"].iter().find(|scheme| starts_with_ignoring_case(text, scheme))?;
    let rest = text[scheme.len()..].split('#').next()?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (_, path) = place.split_once('/')?;
    let (key, qualifiers) = key_and_qualifiers(path.trim_end_matches('/'))?;

    let mut elements = vec![gs1::element(key.0, canonical(key.0, decoded(key.1)), flaws)];
    check_order(key.0, &qualifiers, flaws);
    for (ai, value) in qualifiers {
        elements.push(gs1::element(ai, decoded(value), flaws));
    }
    attributes(query, &mut elements, flaws);
    gs1::check_pairs(&elements, flaws);
    Some(elements)
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

type Pair<'a> = (Ai, &'a str);

/// Walks the path's pairs from its end up to the primary key; nothing, if there is a pair that GS1 doesn't know before it.
fn key_and_qualifiers(path: &str) -> Option<(Pair<'_>, Vec<Pair<'_>>)> {
    let mut qualifiers = Vec::new();
    let mut segments = path.rsplit('/');
    while qualifiers.len() < gs1::MAX_ELEMENTS {
        let value = segments.next()?;
        let ai = Ai::parse(segments.next()?)?;
        if ai.spec.key.is_some() && !value.is_empty() {
            qualifiers.reverse();
            return Some(((ai, value), qualifiers));
        }
        qualifiers.push((ai, value));
    }
    None
}

/// A primary key takes certain qualifiers, in one order.
fn check_order(key: Ai, qualifiers: &[Pair<'_>], flaws: &mut Vec<Flaw>) {
    let alternatives = key.spec.key.unwrap_or_default().split('|');
    let fits = |alternative: &str| {
        let mut allowed = alternative.split(',');
        qualifiers.iter().all(|(ai, _)| allowed.any(|pattern| ai.fits(pattern)))
    };
    if !qualifiers.is_empty() && !alternatives.into_iter().any(fits) {
        let ai = qualifiers.first().map_or(key, |(ai, _)| *ai);
        flaws.push(Flaw::BadElement { ai, why: "can't stand at this place of a Digital Link's path" });
    }
}

/// Numeric keys of the query are application identifiers; all others are the web's.
fn attributes<'a>(query: &'a str, elements: &mut Vec<Element<'a>>, flaws: &mut Vec<Flaw>) {
    for (key, value) in query.split(['&', ';']).filter_map(|pair| pair.split_once('=')) {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        if elements.len() >= gs1::MAX_ELEMENTS {
            return flaws.push(Flaw::TooManyElements);
        }
        match Ai::parse(key) {
            Some(ai) => {
                if !ai.spec.attribute {
                    flaws.push(Flaw::BadElement { ai, why: "can't stand in a Digital Link's query" });
                }
                elements.push(gs1::element(ai, decoded(value), flaws));
            }
            None => flaws.push(Flaw::UnknownAi { digits: key.chars().take(4).collect(), at: 0 }),
        }
    }
}

/// A GTIN may stand in a link without its leading zeros.
fn canonical(ai: Ai, value: Cow<'_, str>) -> Cow<'_, str> {
    if ai.fits("01") && matches!(value.len(), 8 | 12 | 13) { Cow::Owned(format!("{value:0>14}")) } else { value }
}

/// Percent-encoding undone (RFC 3986 §2.1); what is no valid encoding stays as it is, and the checks see it.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match tail {
            [high, low, behind @ ..] if *first == b'%' => {
                if let (Some(high), Some(low)) = (hex(*high), hex(*low)) {
                    bytes.push(high * 16 + low);
                    rest = behind;
                    continue;
                }
                bytes.push(*first);
            }
            _ => bytes.push(*first),
        }
        rest = tail;
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Vec<String>)> {
        let mut flaws = Vec::new();
        let elements = parse(text, &mut flaws)?;
        let shown = elements.iter().map(|element| format!("({}){}", element.ai, element.value)).collect();
        Some((shown, flaws.iter().map(ToString::to_string).collect()))
    }

    fn good(text: &str) -> String {
        let (elements, flaws) = read(text).unwrap();
        assert_eq!(flaws, Vec::<String>::new(), "{text}");
        elements
    }

    #[test]
    fn key_qualifiers_and_attributes_are_read_wherever_the_link_lives() {
        assert_eq!(good("https://id.gs1.org/01/07032069804988"), "(01)07032069804988");
        assert_eq!(
            good("HTTPS://example.com/a/b/01/07032069804988/22/2A/10/L42/21/7?17=270131&linkType=all#top"),
            "(01)07032069804988(22)2A(10)L42(21)7(17)270131"
        );
        assert_eq!(
            good("http://example.com/00/370320600000000014/?3301=001250;s=4"),
            "(00)370320600000000014(3301)001250"
        );
        assert_eq!(good("https://example.com/414/9521321000018/254/BIN%2F3"), "(414)9521321000018(254)BIN/3");
    }

    #[test]
    fn a_short_gtin_is_made_whole() {
        assert_eq!(good("https://example.com/01/7032069804988"), "(01)07032069804988");
    }

    #[test]
    fn other_links_are_no_digital_links() {
        for text in [
            "https://example.com",
            "https://example.com/",
            "https://example.com/shop/01",
            "https://example.com/10/L42",
            "https://example.com/product/12345",
            "ftp://example.com/01/07032069804988",
            "01/07032069804988",
            "https://example.com/01/07032069804988/manual/pdf",
            "https://é/01/",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_rules_refuse_is_read_and_flagged() {
        for (text, flaw) in [
            ("https://example.com/01/07032069804989", "AI (01): wrong check digit"),
            (
                "https://example.com/01/07032069804988/21/7/10/L42",
                "AI (21): can't stand at this place of a Digital Link's path",
            ),
            (
                "https://example.com/01/07032069804988/10/A/235/B",
                "AI (10): can't stand at this place of a Digital Link's path",
            ),
            ("https://example.com/01/07032069804988?21=7", "AI (21): can't stand in a Digital Link's query"),
            ("https://example.com/01/07032069804988?17=271301", "AI (17): no such day"),
            ("https://example.com/01/07032069804988/10/a%20b", "AI (10): a character that GS1 does not allow here"),
        ] {
            let (elements, flaws) = read(text).unwrap();
            assert!(elements.starts_with("(01)0703206980498"), "{text}");
            assert!(flaws.iter().any(|found| found == flaw), "{text}: {flaws:?}");
        }
    }
}
