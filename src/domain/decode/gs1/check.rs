//! The rules that the contents of an element's part must keep. Each answers with what is wrong, in words.

use super::super::gtin::check_digit_holds;
use super::codes;
use super::coupon;
use super::spec::{Check, Part, Set};

/// What is wrong with a value, for people.
pub(super) type Why = &'static str;

/// Checks one part's data: characters first, then the rules.
pub(super) fn part(part: &Part, data: &str) -> Result<(), Why> {
    let allowed: fn(u8) -> bool = match part.set {
        Set::Digits => |byte| byte.is_ascii_digit(),
        Set::Text => is_text,
        Set::Cpid => |byte| byte.is_ascii_digit() || byte.is_ascii_uppercase() || matches!(byte, b'#' | b'-' | b'/'),
        Set::Base64Url => |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
    };
    let data_alone = if part.set == Set::Base64Url { without_padding(data)? } else { data };
    if !data_alone.bytes().all(allowed) {
        return Err(match part.set {
            Set::Digits => "not all digits",
            Set::Text | Set::Cpid | Set::Base64Url => "a character that GS1 does not allow here",
        });
    }
    part.checks.iter().try_for_each(|check| rule(*check, data))
}

/// At most two "=" fill the last group up.
fn without_padding(data: &str) -> Result<&str, Why> {
    let bare = data.trim_end_matches('=');
    let padding = data.len() - bare.len();
    if padding > 2 || (padding > 0 && !data.len().is_multiple_of(3)) {
        Err("wrong padding at the end")
    } else {
        Ok(bare)
    }
}

/// GS1's 82 characters (General Specifications §7.11, figure 7.11-1).
fn is_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'"' | b'%'..=b'/' | b':'..=b'?' | b'_')
}

fn rule(check: Check, data: &str) -> Result<(), Why> {
    let bytes = data.as_bytes();
    let holds = |holds: bool, why: Why| if holds { Ok(()) } else { Err(why) };
    match check {
        Check::CheckDigit => holds(check_digit_holds(bytes), "wrong check digit"),
        Check::CheckPair => holds(check_pair_holds(bytes), "wrong check characters"),
        Check::Prefix => company_prefix(bytes),
        Check::PrefixBehindOne => company_prefix(bytes.get(1..).unwrap_or_default()),
        Check::Day => holds(is_day(data, false), "no such day"),
        Check::DayOrMonth => holds(is_day(data, true), "no such day"),
        Check::LongDay => holds(is_long_day(data), "no such day"),
        Check::HourMinute => holds(below(data, 0, 24) && below(data, 2, 60), "no such time of day"),
        Check::Hour => holds(below(data, 0, 24), "no such hour"),
        Check::Minute => holds(below(data, 0, 60), "no such minute"),
        Check::Second => holds(below(data, 0, 60), "no such second"),
        Check::Currency => holds(codes::is_currency(data), "no currency of ISO 4217"),
        Check::Country => holds(codes::is_country(data), "no country of ISO 3166"),
        Check::CountryOr999 => holds(data == "999" || codes::is_country(data), "no country of ISO 3166, nor 999"),
        Check::CountryLetters => holds(codes::is_country_letters(data), "no country of ISO 3166"),
        Check::PercentEncoded => holds(is_percent_encoded(bytes), "a % without two hexadecimal digits behind it"),
        Check::Latitude => {
            holds(at_most(data, 1_800_000_000), "no latitude: more than 180 degrees from the south pole")
        }
        Check::Longitude => holds(at_most(data, 3_600_000_000), "no longitude: more than 360 degrees"),
        Check::YesNo => holds(matches!(data, "0" | "1"), "neither 0 (no) nor 1 (yes)"),
        Check::Hyphen => holds(data == "-", "neither nothing nor a hyphen (below zero)"),
        Check::ImporterIndex => holds(is_importer_index(bytes), "no importer index"),
        Check::PackageType => holds(codes::is_package_type(data), "no package type that GS1 lists"),
        Check::MediaType => holds(is_media_type(data), "no media type"),
        Check::Sex => holds(matches!(data, "0" | "1" | "2" | "9"), "no code of ISO/IEC 5218: 0, 1, 2 or 9"),
        Check::PositionOfTotal => position_of_total(data),
        Check::PieceOfTotal => piece_of_total(data),
        Check::NonZero => holds(bytes.iter().any(|&byte| byte != b'0'), "is zero"),
        Check::Winding => holds(matches!(data, "0" | "1" | "9"), "no winding direction: 0, 1 or 9"),
        Check::Zero => holds(bytes.iter().all(|&byte| byte == b'0'), "must begin with 0"),
        Check::Iban => iban(bytes),
        Check::NoLeadingZero => holds(!data.starts_with('0'), "must not begin with 0"),
        Check::HasNonDigit => holds(bytes.iter().any(|byte| !byte.is_ascii_digit()), "must not be digits alone"),
        Check::Coupon => coupon::coupon(data),
        Check::CouponOffer => coupon::offer(data),
    }
}

/// A company prefix has at least four digits; which of them are given out is known to GS1 alone.
fn company_prefix(bytes: &[u8]) -> Result<(), Why> {
    match bytes.get(..4) {
        Some(start) if start.iter().all(u8::is_ascii_digit) => Ok(()),
        Some(_) => Err("must begin with the digits of a GS1 Company Prefix"),
        None => Err("too short for a GS1 Company Prefix"),
    }
}

/// The check character pair (§7.9.5): each character's place among the 82 is weighted with a prime, the last data
/// character with 2, the one before it with 3, ...; the sum modulo 1021 gives two of 32 characters.
fn check_pair_holds(bytes: &[u8]) -> bool {
    const PAIR: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    const PRIMES: [u32; 28] =
        [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107];
    let Some((data, pair)) = bytes.split_last_chunk::<2>() else { return false };
    if data.len() > PRIMES.len() {
        return false;
    }
    let places = data.iter().rev().map(|&byte| place_among_82(byte));
    let weighted = places.zip(PRIMES).map(|(place, prime)| place.map(|place| place * prime));
    let Some(sum) = weighted.sum::<Option<u32>>() else { return false };
    let sum = usize::try_from(sum % 1021).unwrap_or_default();
    *pair == [PAIR[sum >> 5], PAIR[sum & 31]]
}

/// The 82 characters in the order of ISO/IEC 646, counted from 0.
fn place_among_82(byte: u8) -> Option<u32> {
    is_text(byte).then(|| u32::try_from((b'!'..byte).filter(|&before| is_text(before)).count()).unwrap_or_default())
}

/// The number that two digits spell; nothing, where there are others or none.
pub(super) fn two_digits(data: &str, from: usize) -> Option<i8> {
    data.get(from..from + 2).filter(|pair| pair.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn below(data: &str, from: usize, limit: i8) -> bool {
    two_digits(data, from).is_some_and(|number| number < limit)
}

fn at_most(data: &str, most: u64) -> bool {
    data.parse::<u64>().is_ok_and(|number| number <= most)
}

/// Whether 29 February exists doesn't depend on the century, but for a year 00: that is taken for 2000.
fn is_day(data: &str, or_month: bool) -> bool {
    let (Some(year), Some(month), Some(day)) = (two_digits(data, 0), two_digits(data, 2), two_digits(data, 4)) else {
        return false;
    };
    (or_month && day == 0 && (1..=12).contains(&month)) || exists(2000 + i16::from(year), month, day)
}

fn is_long_day(data: &str) -> bool {
    let year = data.get(..4).and_then(|year| year.parse().ok());
    match (year, two_digits(data, 4), two_digits(data, 6)) {
        (Some(year), Some(month), Some(day)) => exists(year, month, day),
        _ => false,
    }
}

fn exists(year: i16, month: i8, day: i8) -> bool {
    jiff::civil::Date::new(year, month, day).is_ok()
}

fn is_percent_encoded(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        match rest.get(at + 1..at + 3) {
            Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => rest = &rest[at + 3..],
            Some(_) | None => return false,
        }
    }
    true
}

fn is_importer_index(bytes: &[u8]) -> bool {
    matches!(bytes, [byte] if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// 01 to 10 and 80 to 99 are given out (ICCBBA).
fn is_media_type(data: &str) -> bool {
    two_digits(data, 0).is_some_and(|code| matches!(code, 1..=10 | 80..=99))
}

/// "2/3": the second of three.
fn position_of_total(data: &str) -> Result<(), Why> {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
    let Some((position, total)) = data.split_once('/') else { return Err("no position and total like 2/3") };
    match (number(position), number(total)) {
        (Some(_), Some(_)) if position.starts_with('0') || total.starts_with('0') => Err("begins with 0"),
        (Some(position), Some(total)) if position <= total => Ok(()),
        (Some(_), Some(_)) => Err("the position is beyond the total"),
        _ => Err("no position and total like 2/3"),
    }
}

fn piece_of_total(data: &str) -> Result<(), Why> {
    match (two_digits(data, 0), two_digits(data, 2)) {
        (Some(0), _) | (_, Some(0)) => Err("piece or total is 00"),
        (Some(piece), Some(total)) if piece <= total => Ok(()),
        _ => Err("the piece is beyond the total"),
    }
}

/// ISO 13616: country, two check digits, account; modulo 97 of the number that its characters spell is 1.
fn iban(bytes: &[u8]) -> Result<(), Why> {
    let country = bytes.get(..2).and_then(|country| std::str::from_utf8(country).ok());
    if !(11..=34).contains(&bytes.len()) || !country.is_some_and(codes::is_country_letters) {
        return Err("no IBAN");
    }
    let remainder = bytes.iter().cycle().skip(4).take(bytes.len()).try_fold(0u32, |sum, &byte| match byte {
        b'0'..=b'9' => Some((sum * 10 + u32::from(byte - b'0')) % 97),
        b'A'..=b'Z' => Some((sum * 100 + u32::from(byte - b'A') + 10) % 97),
        _ => None,
    });
    if remainder == Some(1) { Ok(()) } else { Err("the IBAN's check digits are wrong") }
}
