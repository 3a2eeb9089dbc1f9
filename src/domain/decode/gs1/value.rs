//! What an element's data says: dates, decimals with their unit, counts.

use std::fmt;

use jiff::civil::{Date, Time};
use rust_decimal::Decimal;

use super::Element;
use super::check::two_digits;
use crate::domain::time::Wall;

/// A value that a program can reckon with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Day(Date),
    Moment(Date, Time),
    Days(Date, Date),
    /// Pieces.
    Count(u32),
    Measure {
        amount: Decimal,
        unit: &'static str,
    },
    Money {
        amount: Decimal,
        /// ISO 4217, as a number; the country's own where it isn't said.
        currency: Option<u16>,
    },
    Percent(Decimal),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Day(day) => write!(f, "{day}"),
            Value::Moment(day, time) => write!(f, "{day} {time}"),
            Value::Days(first, last) => write!(f, "{first} to {last}"),
            Value::Count(1) => f.write_str("1 piece"),
            Value::Count(count) => write!(f, "{count} pieces"),
            Value::Measure { amount, unit } => write!(f, "{amount} {unit}"),
            Value::Money { amount, currency: Some(currency) } => write!(f, "{amount} (currency {currency:03})"),
            Value::Money { amount, currency: None } => write!(f, "{amount}"),
            Value::Percent(percent) => write!(f, "{percent} %"),
        }
    }
}

impl Element<'_> {
    /// The data as a value, if it is one; `wall` gives the century of two-digit years.
    pub fn read(&self, wall: Wall) -> Option<Value> {
        let data = self.value.as_ref();
        let decimals = u32::from(self.ai.last_digit());
        match (self.ai.family(), self.ai.spec.title) {
            (11..=17, _) | (_, "FIRST FREEZE DATE" | "REL DATE") => day(data, wall).map(Value::Day),
            (_, "HARVEST DATE") => match data.split_at_checked(6)? {
                (only, "") => day(only, wall).map(Value::Day),
                (first, last) => Some(Value::Days(day(first, wall)?, day(last, wall)?)),
            },
            (_, "EXPIRY TIME" | "PROD TIME" | "TEST BY DATE" | "NOT BEF DEL DT" | "NOT AFT DEL DT") => {
                moment(data, wall)
            }
            (30 | 37, _) => data.parse().ok().map(Value::Count),
            (31..=36, title) => measure(data, decimals, title),
            (39, "AMOUNT" | "PRICE") if self.ai.spec.parts.len() == 2 => {
                let (currency, amount) = data.split_at_checked(3)?;
                Some(Value::Money { amount: decimal(amount, decimals)?, currency: currency.parse().ok() })
            }
            (39, "PRCNT OFF") => decimal(data, decimals).map(Value::Percent),
            (39, _) => Some(Value::Money { amount: decimal(data, decimals)?, currency: None }),
            (43, "MAX TEMP F." | "MIN TEMP F.") => temperature(data, "°F"),
            (43, "MAX TEMP C." | "MIN TEMP C.") => temperature(data, "°C"),
            _ => None,
        }
    }
}

fn decimal(digits: &str, decimals: u32) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(digits.parse().ok()?, decimals).ok()
}

/// The unit stands in the title: "NET WEIGHT (kg)".
fn measure(digits: &str, decimals: u32, title: &'static str) -> Option<Value> {
    let amount = decimal(digits, decimals)?;
    let unit = title.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map(|(unit, _)| unit);
    Some(Value::Measure { amount, unit: unit.unwrap_or("kg/m²") })
}

/// Hundredths of a degree; a hyphen at the end means below zero.
fn temperature(data: &str, unit: &'static str) -> Option<Value> {
    let (digits, sign) = data.strip_suffix('-').map_or((data, 1), |digits| (digits, -1));
    let amount = decimal(digits, 2)? * Decimal::from(sign);
    Some(Value::Measure { amount, unit })
}

/// YYMMDD with GS1's sliding century (§7.12): the year lies between 49 years back and 50 years ahead. Day 00 is the
/// month's last.
pub(in super::super) fn day(data: &str, wall: Wall) -> Option<Date> {
    let (year, month, day) = (two_digits(data, 0)?, two_digits(data, 2)?, two_digits(data, 4)?);
    let this_year = i16::try_from(1970 + wall.0 / 31_556_952_000).ok()?;
    let guess = this_year - this_year.rem_euclid(100) + i16::from(year);
    let year = match guess - this_year {
        51.. => guess - 100,
        ..-49 => guess + 100,
        _ => guess,
    };
    let first = Date::new(year, month, 1).ok()?;
    if day == 0 { Some(first.last_of_month()) } else { Date::new(year, month, day).ok() }
}

/// YYMMDD, then hours, minutes and seconds as far as they are there.
fn moment(data: &str, wall: Wall) -> Option<Value> {
    let (date, time) = data.split_at_checked(6)?;
    let date = day(date, wall)?;
    if time.is_empty() {
        return Some(Value::Day(date));
    }
    let part = |at| if time.len() > at { two_digits(time, at) } else { Some(0) };
    Some(Value::Moment(date, Time::new(part(0)?, part(2)?, part(4)?, 0).ok()?))
}
