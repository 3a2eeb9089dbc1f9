//! What is odd about a scan.

use std::fmt;

use super::gs1::Ai;

/// Something odd about a scan that a person may want to know. The scan lives on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    TooLong {
        length: usize,
    },
    /// The source went away, or fell silent, before the terminator came.
    Partial,
    /// The kernel dropped input events; characters may be missing.
    Dropped,
    NotUtf8,
    ControlCharacter,
    UnknownAi {
        digits: String,
        at: usize,
    },
    BadElement {
        ai: Ai,
        why: &'static str,
    },
    /// Data of one length, that needs a separator behind it, goes straight on.
    NoSeparator {
        ai: Ai,
    },
    /// The same identifier twice, with different data.
    Repeated {
        ai: Ai,
    },
    /// Two identifiers that GS1 allows on no item together.
    NotTogether {
        ai: Ai,
        with: Ai,
    },
    TooManyElements,
    /// The symbology promises application identifiers, and there is nothing.
    NoElements,
    BadCheckDigit,
    /// The symbology promises a GTIN and the data is none.
    NoGtin,
    /// Eight digits that may be two numbers: taken for UPC-E.
    UpcEOrGtin8,
    /// A key that the layout has no character for.
    UnknownKey {
        code: u16,
    },
    /// A key whose release never came; a modifier among them may have changed characters.
    StuckKey {
        code: u16,
    },
}

impl Flaw {
    /// True when GS1's rules refuse the data. The others are about the way here, or doubts.
    pub fn refuses(&self) -> bool {
        match self {
            Flaw::UnknownAi { .. }
            | Flaw::BadElement { .. }
            | Flaw::NoSeparator { .. }
            | Flaw::Repeated { .. }
            | Flaw::NotTogether { .. }
            | Flaw::TooManyElements
            | Flaw::NoElements
            | Flaw::BadCheckDigit
            | Flaw::NoGtin => true,
            Flaw::TooLong { .. }
            | Flaw::Partial
            | Flaw::Dropped
            | Flaw::NotUtf8
            | Flaw::ControlCharacter
            | Flaw::UpcEOrGtin8
            | Flaw::UnknownKey { .. }
            | Flaw::StuckKey { .. } => false,
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::TooLong { length } => write!(f, "too long: {length} bytes, only the first were kept"),
            Flaw::Partial => f.write_str("cut off: the end of this code did not come"),
            Flaw::Dropped => f.write_str("input was lost on the way, scan again"),
            Flaw::NotUtf8 => f.write_str("bytes that are no UTF-8 text"),
            Flaw::ControlCharacter => f.write_str("control characters inside"),
            Flaw::UnknownAi { digits, at } => {
                write!(f, "AI ({digits}...) at position {at}: GS1 has no such application identifier")
            }
            Flaw::BadElement { ai, why } => write!(f, "AI ({ai}): {why}"),
            Flaw::NoSeparator { ai } => write!(f, "AI ({ai}): no separator behind it; read by its length"),
            Flaw::Repeated { ai } => write!(f, "AI ({ai}): stands twice, with different data"),
            Flaw::NotTogether { ai, with } => write!(f, "AI ({ai}): must not be on one item with ({with})"),
            Flaw::TooManyElements => f.write_str("more elements than any label carries; the rest was not read"),
            Flaw::NoElements => f.write_str("a GS1 symbol with nothing in it"),
            Flaw::BadCheckDigit => f.write_str("as long as a GTIN, but the check digit is wrong"),
            Flaw::NoGtin => f.write_str("the symbology promises a GTIN, and this is none"),
            Flaw::UpcEOrGtin8 => f.write_str("taken for UPC-E; the same digits are a right GTIN-8"),
            Flaw::UnknownKey { code } => write!(f, "key {code} has no character in this layout"),
            Flaw::StuckKey { code } => write!(f, "key {code} was not let go, scan again"),
        }
    }
}
