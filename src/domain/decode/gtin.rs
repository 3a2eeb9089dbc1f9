//! GTIN-8, -12, -13 and -14 as one canonical GTIN-14, so that leading zeros never make two products of one.

use std::fmt;

/// A GTIN in its 14-digit form with a right check digit (GS1 General Specifications §7.9).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtin([u8; 14]);

impl Gtin {
    /// Reads 8, 12, 13 or 14 digits; `None` when the length, a character or the check digit is wrong.
    pub fn parse(text: &str) -> Option<Gtin> {
        let digits = text.as_bytes();
        // All zeros pass the check digit and name nothing.
        let nothing = digits.iter().all(|&digit| digit == b'0');
        if nothing || !matches!(digits.len(), 8 | 12 | 13 | 14) || !check_digit_holds(digits) {
            return None;
        }
        let mut padded = [b'0'; 14];
        padded[14 - digits.len()..].copy_from_slice(digits);
        Some(Gtin(padded))
    }

    /// Reads the eight digits of UPC-E: a UPC-A of which the zeros in the middle are left out (§5.2.2.4.2).
    pub fn parse_upc_e(text: &str) -> Option<Gtin> {
        let &[system @ (b'0' | b'1'), a, b, c, d, e, how, check] = text.as_bytes() else { return None };
        const O: u8 = b'0';
        let upc_a = match how {
            b'0'..=b'2' => [system, a, b, how, O, O, O, O, c, d, e, check],
            b'3' => [system, a, b, c, O, O, O, O, O, d, e, check],
            b'4' => [system, a, b, c, d, O, O, O, O, O, e, check],
            _ => [system, a, b, c, d, e, O, O, O, O, how, check],
        };
        std::str::from_utf8(&upc_a).ok().and_then(Gtin::parse)
    }
}

/// What a bare number is, when its length and its check digit leave a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Sure(Gtin),
    /// Eight digits that begin with 0 are both a UPC-E and a GTIN-8. The one is on every shelf of North America, the other
    /// never leaves a company.
    UpcEOrGtin8(Gtin),
    /// As long as a GTIN, but the check digit is wrong.
    Wrong,
    None,
}

/// Judges digits that came without a symbology identifier.
pub fn judge(text: &str) -> Shape {
    if !matches!(text.len(), 8 | 12 | 13 | 14) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Shape::None;
    }
    match (Gtin::parse(text), in_full(text)) {
        (Some(_), Some(upc)) => Shape::UpcEOrGtin8(upc),
        (Some(gtin), None) | (None, Some(gtin)) => Shape::Sure(gtin),
        (None, None) => Shape::Wrong,
    }
}

/// The GTIN that a bare number is taken for.
pub fn likeliest(text: &str) -> Option<Gtin> {
    match judge(text) {
        Shape::Sure(gtin) | Shape::UpcEOrGtin8(gtin) => Some(gtin),
        Shape::Wrong | Shape::None => None,
    }
}

/// The UPC-A that eight bare digits stand for as UPC-E. Those that begin with 1 are left to GTIN-8: such numbers
/// are given out.
pub fn in_full(text: &str) -> Option<Gtin> {
    Gtin::parse_upc_e(text).filter(|_| text.starts_with('0'))
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&digit| write!(f, "{}", char::from(digit)))
    }
}

impl fmt::Debug for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gtin({self})")
    }
}

/// The standard GS1 check digit: weights 3 and 1 alternate from the right, the sum is a multiple of ten.
/// False for anything but digits, and for nothing.
pub fn check_digit_holds(digits: &[u8]) -> bool {
    let sum = digits.iter().rev().enumerate().try_fold(0u32, |sum, (place, &byte)| {
        let digit = u32::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        Some(sum + if place % 2 == 0 { digit } else { 3 * digit })
    });
    !digits.is_empty() && sum.is_some_and(|sum| sum % 10 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_one_canonical_form() {
        for (read, canonical) in [
            ("96385074", "00000096385074"),
            ("036000291452", "00036000291452"),
            ("7032069804988", "07032069804988"),
            ("07032069804988", "07032069804988"),
        ] {
            assert_eq!(Gtin::parse(read).map(|g| g.to_string()).as_deref(), Some(canonical));
        }
    }

    #[test]
    fn upc_e_is_expanded_by_its_last_digit() {
        for (short, canonical) in [
            ("01234565", "00012345000065"),
            ("04252614", "00042100005264"),
            ("01234531", "00012300000451"),
            ("01234543", "00012340000053"),
            ("12345670", "00123456000070"),
        ] {
            let gtin = Gtin::parse_upc_e(short).map(|gtin| gtin.to_string());
            assert_eq!(gtin.as_deref(), Some(canonical), "{short}");
        }
        for wrong in ["01234566", "21234565", "0123456", "0123456x"] {
            assert_eq!(Gtin::parse_upc_e(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_bare_number_is_judged_by_length_and_check_digit_and_doubt_is_said() {
        assert_eq!(judge("96385074"), Shape::Sure(Gtin::parse("96385074").unwrap()));
        assert_eq!(judge("01234565"), Shape::UpcEOrGtin8(Gtin::parse("012345000065").unwrap()));
        assert_eq!(judge("04252614"), Shape::Sure(Gtin::parse("042100005264").unwrap()));
        assert_eq!(judge("7032069804989"), Shape::Wrong);
        assert_eq!(judge("703206980498x"), Shape::None);
        assert_eq!(judge("123456789"), Shape::None);
    }

    #[test]
    fn a_wrong_check_digit_length_or_letter_is_no_gtin() {
        for read in ["", "7032069804989", "703206980498", "70320698O4988", "007032069804988", "٧٠٣٢", "00000000"] {
            assert_eq!(Gtin::parse(read), None, "{read}");
        }
    }
}
