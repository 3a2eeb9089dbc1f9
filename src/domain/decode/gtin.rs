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
    fn a_wrong_check_digit_length_or_letter_is_no_gtin() {
        for read in ["", "7032069804989", "703206980498", "70320698O4988", "007032069804988", "٧٠٣٢", "00000000"] {
            assert_eq!(Gtin::parse(read), None, "{read}");
        }
    }
}
