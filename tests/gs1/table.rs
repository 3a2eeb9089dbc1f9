use serde::Deserialize;

use tallyman::domain::decode::gs1::{self, Ai, Check, Set, Spec};
use tallyman::domain::decode::{Flaw, aim, understand};

/// One row of the dictionary, as `make_cases.py` read it.
#[derive(Deserialize)]
pub(crate) struct Row {
    ais: String,
    predefined: bool,
    attribute: bool,
    title: String,
    parts: Vec<Part>,
    req: String,
    ex: String,
    key: Option<String>,
    pub(crate) cases: Vec<Case>,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Part {
    #[serde(rename = "type")]
    set: String,
    min: usize,
    max: usize,
    optional: bool,
    checks: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) ai: String,
    pub(crate) value: String,
    pub(crate) ok: bool,
    #[serde(default)]
    breaks: String,
}

pub(crate) fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("cases.json")).unwrap()
}

/// Our row in the dictionary's words.
fn parts(spec: &Spec) -> Vec<Part> {
    let set = |set| match set {
        Set::Digits => "N",
        Set::Text => "X",
        Set::Cpid => "Y",
        Set::Base64Url => "Z",
    };
    let part = |part: &gs1::Part| Part {
        set: set(part.set).to_owned(),
        min: part.shortest,
        max: part.longest,
        optional: part.optional,
        checks: part.checks.iter().map(|check| word(*check).to_owned()).collect(),
    };
    spec.parts.iter().map(part).collect()
}

/// The dictionary's name of a check.
fn word(check: Check) -> &'static str {
    match check {
        Check::CheckDigit => "csum",
        Check::CheckPair => "csumalpha",
        Check::Prefix => "gcppos1",
        Check::PrefixBehindOne => "gcppos2",
        Check::Day => "yymmdd",
        Check::DayOrMonth => "yymmd0",
        Check::LongDay => "yyyymmdd",
        Check::HourMinute => "hhmi",
        Check::Hour => "hh",
        Check::Minute => "mi",
        Check::Second => "ss",
        Check::Currency => "iso4217",
        Check::Country => "iso3166",
        Check::CountryOr999 => "iso3166999",
        Check::CountryLetters => "iso3166alpha2",
        Check::PercentEncoded => "pcenc",
        Check::Latitude => "latitude",
        Check::Longitude => "longitude",
        Check::YesNo => "yesno",
        Check::Hyphen => "hyphen",
        Check::ImporterIndex => "importeridx",
        Check::PackageType => "packagetype",
        Check::MediaType => "mediatype",
        Check::Sex => "iso5218",
        Check::PositionOfTotal => "posinseqslash",
        Check::PieceOfTotal => "pieceoftotal",
        Check::NonZero => "nonzero",
        Check::Winding => "winding",
        Check::Zero => "zero",
        Check::Iban => "iban",
        Check::NoLeadingZero => "nozeroprefix",
        Check::HasNonDigit => "hasnondigit",
        Check::Coupon => "couponcode",
        Check::CouponOffer => "couponposoffer",
    }
}

#[test]
fn the_table_says_what_the_dictionary_says_row_by_row() {
    let rows = rows();
    assert_eq!(gs1::table().len(), rows.len());
    for (spec, row) in gs1::table().iter().zip(&rows) {
        let ours: Vec<String> = spec.identifiers().map(|ai| ai.to_string()).collect();
        let (first, last) = row.ais.split_once('-').unwrap_or((&row.ais, &row.ais));
        assert_eq!((ours.first().unwrap().as_str(), ours.last().unwrap().as_str()), (first, last));
        assert_eq!(parts(spec), row.parts, "{first}");
        assert_eq!((spec.predefined, spec.attribute), (row.predefined, row.attribute), "{first}");
        assert_eq!((spec.title, spec.needs, spec.never_with), (&*row.title, &*row.req, &*row.ex), "{first}");
        assert_eq!(spec.key, row.key.as_deref(), "{first}");
    }
}

#[test]
fn every_identifier_takes_its_good_data_and_refuses_its_bad() {
    let (mut good, mut bad) = (0, 0);
    for case in rows().iter().flat_map(|row| &row.cases) {
        let text = format!("{}{}", case.ai, case.value);
        let mut flaws = Vec::new();
        let elements = gs1::parse(&text, &mut flaws);
        let refused = flaws.iter().any(Flaw::refuses);
        assert_eq!(refused, !case.ok, "({}){:?} {}: {flaws:?}", case.ai, case.value, case.breaks);
        assert_eq!(elements[0].ai.to_string(), case.ai);
        if case.ok {
            assert_eq!((elements.len(), &*elements[0].value), (1, &*case.value), "{text}");
            good += 1;
        } else {
            let named = flaws.iter().any(|flaw| flaw.to_string().contains(&format!("({}", &case.ai[..2])));
            assert!(named || case.breaks == "too long", "{text}: {flaws:?}");
            bad += 1;
        }
    }
    assert!(good > 600 && bad > 2000);
}

#[test]
fn every_identifier_has_a_good_and_a_bad_case() {
    let rows = rows();
    for spec in gs1::table() {
        for ai in spec.identifiers() {
            let name = ai.to_string();
            let has = |ok: bool| rows.iter().flat_map(|row| &row.cases).any(|case| case.ai == name && case.ok == ok);
            assert!(has(true) && has(false), "{name}");
        }
    }
}

#[test]
fn good_data_of_each_kind_is_read_back_in_the_middle_of_a_label_too() {
    let (identifier, _) = aim::split(b"]C1");
    for row in rows() {
        let Some(case) = row.cases.iter().find(|case| case.ok) else { continue };
        let text = format!("{}{}\u{1d}99END", case.ai, case.value);
        let mut flaws = Vec::new();
        understand(identifier, &text, &mut flaws);
        let elements = gs1::parse(&text, &mut Vec::new());
        assert_eq!(elements.len(), 2, "{text}");
        assert!(flaws.is_empty(), "{text}: {flaws:?}");
        assert_eq!(Ai::parse(&case.ai), Some(elements[0].ai));
    }
}
