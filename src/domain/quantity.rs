//! Quantities as people count them: decimals, never floats, never negative.

use std::fmt;

use rust_decimal::Decimal;

/// How many digits the wire allows before and after the decimal point.
const WHOLE_DIGITS: usize = 12;
const FRACTION_DIGITS: usize = 6;

/// A counted or expected quantity in the unit of measure that stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(Decimal);

impl Quantity {
    pub const ZERO: Quantity = Quantity(Decimal::ZERO);

    /// Reads `"5"` or `"12.250"`: digits, at most one point, no sign, no exponent. `None` for anything else.
    pub fn parse(text: &str) -> Option<Quantity> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let shape = (1..=WHOLE_DIGITS).contains(&whole.len())
            && fraction.len() <= FRACTION_DIGITS
            && digits(whole)
            && digits(fraction)
            && !text.ends_with('.');
        shape.then(|| text.parse().ok().map(Quantity)).flatten()
    }

    pub fn from_count(count: u32) -> Quantity {
        Quantity(Decimal::from(count))
    }

    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// `counted - expected`: negative is short, positive is over.
    pub fn variance(counted: Quantity, expected: Quantity) -> Variance {
        Variance(counted.0 - expected.0)
    }
}

/// Without trailing zeros: 12.250 kg and 12.25 kg are one quantity.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

/// The difference between counted and expected. Computed, never typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variance(Decimal);

impl Variance {
    pub fn side(self) -> Side {
        match self.0.cmp(&Decimal::ZERO) {
            std::cmp::Ordering::Less => Side::Short,
            std::cmp::Ordering::Equal => Side::Matches,
            std::cmp::Ordering::Greater => Side::Over,
        }
    }
}

/// With its sign, as a person reads it on the slip: `-3`, `+2`, `0`.
impl fmt::Display for Variance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 > Decimal::ZERO { "+" } else { "" };
        write!(f, "{sign}{}", self.0.normalize())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Short,
    Matches,
    Over,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_decimals_are_read_and_lose_only_trailing_zeros() {
        for (text, printed) in
            [("5", "5"), ("12.250", "12.25"), ("007", "7"), ("0", "0"), ("999999999999", "999999999999")]
        {
            assert_eq!(Quantity::parse(text).map(|q| q.to_string()).as_deref(), Some(printed), "{text}");
        }
    }

    #[test]
    fn anything_but_a_plain_decimal_is_refused() {
        for text in ["", ".", "5.", ".5", "-1", "+1", "1e3", "1,5", "1 ", "٣", "1234567890123", "0.1234567", "1.2.3"] {
            assert_eq!(Quantity::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_variance_knows_its_side_and_prints_its_sign() {
        let of = |counted, expected| {
            let variance = Quantity::variance(Quantity::from_count(counted), Quantity::from_count(expected));
            (variance.side(), variance.to_string())
        };
        assert_eq!(of(5, 8), (Side::Short, "-3".into()));
        assert_eq!(of(8, 8), (Side::Matches, "0".into()));
        assert_eq!(of(10, 8), (Side::Over, "+2".into()));
    }
}
