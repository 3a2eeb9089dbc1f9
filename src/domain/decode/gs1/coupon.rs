//! North American coupon codes (AI 8110) and positive offers (AI 8112): fields whose first digit tells their length.

use super::check::{Why, part};
use super::spec::{Check, digits};

/// Reads one field after the other.
struct Fields<'a> {
    rest: &'a str,
}

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize, missing: Why) -> Result<&'a str, Why> {
        let (field, rest) = self.rest.split_at_checked(length).ok_or(missing)?;
        self.rest = rest;
        Ok(field)
    }

    fn digit(&mut self, allowed: &str, wrong: Why) -> Result<usize, Why> {
        let digit = self.take(1, wrong)?;
        if allowed.contains(digit) { digit.parse().map_err(|_| wrong) } else { Err(wrong) }
    }

    /// A digit that says how much longer than `base` the field behind it is.
    fn measured(&mut self, allowed: &str, base: usize, wrong: Why) -> Result<&'a str, Why> {
        let more = self.digit(allowed, wrong)?;
        self.take(base + more, wrong)
    }

    /// True when the optional field that begins with `mark` follows; its mark is taken.
    fn begins(&mut self, mark: char) -> bool {
        self.rest.strip_prefix(mark).inspect(|rest| self.rest = rest).is_some()
    }

    /// How many must be bought (its length first), in which unit, of which family.
    fn purchase(&mut self, wrong: Why) -> Result<(), Why> {
        self.measured("12345", 0, wrong)?;
        self.digit("012349", wrong)?;
        self.take(3, wrong).map(drop)
    }

    /// The company whose goods must be bought; 9 stands for the coupon's own.
    fn purchase_company(&mut self, wrong: Why) -> Result<(), Why> {
        match self.digit("01234569", wrong)? {
            9 => Ok(()),
            more => self.take(more + 6, wrong).map(drop),
        }
    }

    fn day(&mut self, wrong: Why) -> Result<&'a str, Why> {
        let day = self.take(6, wrong)?;
        part(&digits(6).checked(&[Check::Day]), day).map_err(|_| wrong)?;
        Ok(day)
    }

    fn end(&self) -> Result<(), Why> {
        if self.rest.is_empty() { Ok(()) } else { Err("more data than a coupon has") }
    }
}

fn fields(data: &str) -> Result<Fields<'_>, Why> {
    if data.bytes().all(|byte| byte.is_ascii_digit()) { Ok(Fields { rest: data }) } else { Err("not all digits") }
}

/// AI 8110.
pub(super) fn coupon(data: &str) -> Result<(), Why> {
    let mut fields = fields(data)?;
    fields.measured("0123456", 6, "no company prefix")?;
    fields.take(6, "no offer code")?;
    fields.measured("12345", 0, "no save value")?;
    fields.purchase("no first purchase requirement")?;
    if fields.begins('1') {
        fields.digit("0123", "no rule for additional purchases")?;
        fields.purchase("no second purchase requirement")?;
        fields.purchase_company("no company of the second purchase")?;
    }
    if fields.begins('2') {
        fields.purchase("no third purchase requirement")?;
        fields.purchase_company("no company of the third purchase")?;
    }
    let expiry = if fields.begins('3') { Some(fields.day("no expiry date")?) } else { None };
    let start = if fields.begins('4') { Some(fields.day("no start date")?) } else { None };
    if let (Some(expiry), Some(start)) = (expiry, start)
        && start > expiry
    {
        return Err("the coupon ends before it begins");
    }
    if fields.begins('5') {
        fields.measured("0123456789", 6, "no serial number")?;
    }
    if fields.begins('6') {
        fields.measured("1234567", 6, "no retailer")?;
    }
    if fields.begins('9') {
        fields.digit("01256", "no save value code")?;
        fields.digit("012", "no item that the value applies to")?;
        fields.digit("0123456789", "no store coupon flag")?;
        fields.digit("01", "no multiply flag")?;
    }
    fields.end()
}

/// AI 8112.
pub(super) fn offer(data: &str) -> Result<(), Why> {
    let mut fields = fields(data)?;
    fields.digit("01", "no coupon format")?;
    fields.measured("0123456", 6, "no funder")?;
    fields.take(6, "no offer code")?;
    fields.measured("0123456789", 6, "no serial number")?;
    fields.end()
}
