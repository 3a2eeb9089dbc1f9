//! AIM symbology identifiers (ISO/IEC 15424): `]` + a code letter + a modifier, in front of the data when the scanner is
//! set to send them.

/// What the identifier promises about the data behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// GS1-128, GS1 DataBar, GS1 DataMatrix, GS1 QR Code, GS1 DotCode: an element string follows.
    Gs1,
    /// EAN/UPC, or ITF with a verified check digit: a GTIN follows.
    Ean,
    /// Another symbology: in-house data.
    Other,
    /// The scanner sent no identifier.
    Unstated,
}

/// Splits the identifier from the data.
pub fn split(bytes: &[u8]) -> (Carrier, &[u8]) {
    match bytes {
        [b']', letter, modifier, data @ ..] if letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() => {
            (carrier(*letter, *modifier), data)
        }
        _ => (Carrier::Unstated, bytes),
    }
}

fn carrier(letter: u8, modifier: u8) -> Carrier {
    match (letter, modifier) {
        (b'C', b'1') | (b'e', b'0') | (b'd', b'2') | (b'Q', b'3') | (b'J', b'1') => Carrier::Gs1,
        (b'E', b'0' | b'4') | (b'I', b'1') => Carrier::Ean,
        _ => Carrier::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_is_split_off() {
        assert_eq!(split(b"]C101"), (Carrier::Gs1, &b"01"[..]));
        assert_eq!(split(b"]E07032069804988"), (Carrier::Ean, &b"7032069804988"[..]));
        assert_eq!(split(b"]Q1x"), (Carrier::Other, &b"x"[..]));
    }

    #[test]
    fn data_that_only_starts_with_a_bracket_is_left_alone() {
        for data in [&b"]"[..], b"]C", b"]--x", b"]]]]"] {
            assert_eq!(split(data), (Carrier::Unstated, data));
        }
    }
}
