//! AIM symbology identifiers (ISO/IEC 15424): `]` + a code letter + a modifier, in front of the data when the scanner is
//! set to send them.

/// What the identifier promises about the data behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// GS1-128, GS1 DataBar, GS1 DataMatrix, GS1 QR Code, GS1 DotCode, ...: an element string follows.
    Gs1,
    /// EAN-13, UPC-A or UPC-E.
    Ean13,
    Ean8,
    /// EAN-13, UPC-A or UPC-E with an add-on of two or five digits behind it.
    EanWithAddOn,
    /// Interleaved 2 of 5: a GTIN when it has 14 digits and the check digit is right.
    Itf,
    /// The same, of which the scanner says that it has verified the check digit.
    ItfChecked,
    /// Another symbology: in-house data.
    Other,
    /// The scanner sent no identifier.
    Unstated,
}

/// An identifier as it was read, with the symbology's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifier {
    letter: u8,
    modifier: u8,
}

impl std::fmt::Display for Identifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "]{}{}", char::from(self.letter), char::from(self.modifier))
    }
}

impl Identifier {
    pub fn carrier(self) -> Carrier {
        match (self.letter, self.modifier) {
            // FNC1 in the first place, with or without an extended channel interpretation, is GS1's alone.
            (b'C' | b'J' | b'K' | b'T' | b'z', b'1') => Carrier::Gs1,
            (b'e', b'0'..=b'3') | (b'd', b'2' | b'5') | (b'Q', b'3' | b'4') => Carrier::Gs1,
            (b'J', b'4') => Carrier::Gs1,
            (b'E', b'0') => Carrier::Ean13,
            (b'E', b'4') => Carrier::Ean8,
            (b'E', b'3') => Carrier::EanWithAddOn,
            (b'I', b'1') => Carrier::ItfChecked,
            (b'I', _) => Carrier::Itf,
            _ => Carrier::Other,
        }
    }

    /// The symbology's usual name.
    pub fn symbology(self) -> &'static str {
        match (self.letter, self.carrier()) {
            (b'C', Carrier::Gs1) => "GS1-128",
            (b'd', Carrier::Gs1) => "GS1 DataMatrix",
            (b'Q', Carrier::Gs1) => "GS1 QR Code",
            (b'J', Carrier::Gs1) => "GS1 DotCode",
            (b'E', Carrier::Ean8) => "EAN-8",
            _ => NAMES.iter().find(|(letter, _)| *letter == self.letter).map_or("unknown symbology", |(_, name)| name),
        }
    }
}

/// The code characters of ISO/IEC 15424.
const NAMES: &[(u8, &str)] = &[
    (b'A', "Code 39"),
    (b'B', "Telepen"),
    (b'C', "Code 128"),
    (b'D', "Code One"),
    (b'E', "EAN/UPC"),
    (b'F', "Codabar"),
    (b'G', "Code 93"),
    (b'H', "Code 11"),
    (b'I', "Interleaved 2 of 5"),
    (b'J', "DotCode"),
    (b'K', "Code 16K"),
    (b'L', "PDF417"),
    (b'M', "MSI Code"),
    (b'N', "Anker Code"),
    (b'O', "Codablock"),
    (b'P', "Plessey Code"),
    (b'Q', "QR Code"),
    (b'R', "Straight 2 of 5"),
    (b'S', "Straight 2 of 5"),
    (b'T', "Code 49"),
    (b'U', "MaxiCode"),
    (b'X', "another symbology"),
    (b'Z', "no barcode"),
    (b'c', "Channel Code"),
    (b'd', "Data Matrix"),
    (b'e', "GS1 DataBar"),
    (b'h', "Han Xin Code"),
    (b'o', "OCR"),
    (b'p', "PosiCode"),
    (b's', "SuperCode"),
    (b'z', "Aztec Code"),
];

/// Splits the identifier from the data.
pub fn split(bytes: &[u8]) -> (Option<Identifier>, &[u8]) {
    match bytes {
        [b']', letter, modifier, data @ ..] if letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() => {
            (Some(Identifier { letter: *letter, modifier: *modifier }), data)
        }
        _ => (None, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, Carrier, &'static str, &[u8]) {
        let (identifier, data) = split(bytes);
        let identifier = identifier.unwrap();
        (identifier.to_string(), identifier.carrier(), identifier.symbology(), data)
    }

    #[test]
    fn the_identifier_is_split_off_and_names_its_symbology() {
        assert_eq!(read(b"]C101"), ("]C1".into(), Carrier::Gs1, "GS1-128", &b"01"[..]));
        assert_eq!(read(b"]E07032069804988").1, Carrier::Ean13);
        assert_eq!(read(b"]Q1x"), ("]Q1".into(), Carrier::Other, "QR Code", &b"x"[..]));
        assert_eq!(read(b"]y9").2, "unknown symbology");
    }

    #[test]
    fn every_identifier_that_gs1_uses_is_gs1() {
        for identifier in ["]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1"] {
            assert_eq!(read(identifier.as_bytes()).1, Carrier::Gs1, "{identifier}");
        }
        for identifier in ["]C0", "]d1", "]Q1", "]J0", "]A0", "]L0"] {
            assert_eq!(read(identifier.as_bytes()).1, Carrier::Other, "{identifier}");
        }
    }

    #[test]
    fn data_that_only_starts_with_a_bracket_is_left_alone() {
        for data in [&b"]"[..], b"]C", b"]--x", b"]]]]"] {
            assert_eq!(split(data), (None, data));
        }
    }
}
