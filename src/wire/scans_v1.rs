//! What the running agent tells a tester of its scanners, and what `tallyman scan --json` prints, a line a scan.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::decode_v1::ElementV1;
use crate::domain::decode::trace::{Gaps, Happening, Step};
use crate::domain::id::hex;
use crate::domain::tester::Tested;
use crate::domain::visible::visible_bytes;

/// Answer to a tester's question for scans.
#[derive(Debug, Serialize, Deserialize)]
pub struct ScansV1 {
    /// To be sent back as `after`.
    pub last: u64,
    pub scans: Vec<TestedV1>,
}

/// One scan of a test, for `tallyman scan`.
#[derive(Debug, Serialize, Deserialize)]
pub struct TestedV1 {
    pub number: u64,
    pub scanner: String,
    /// RFC 3339, by the device's own clock.
    pub at: String,
    /// The code's bytes in hexadecimal, framing taken off.
    pub hex: String,
    /// The same with control characters made visible.
    pub printable: String,
    /// "command", "odoo_command", "gs1", "gtin" or "text".
    pub kind: String,
    pub text: String,
    pub gtin14: Option<String>,
    pub elements: Vec<ElementV1>,
    pub flaws: Vec<String>,
    pub gaps: Option<GapsV1>,
    /// What the device sent, event by event.
    pub events: Vec<StepV1>,
}

/// Milliseconds between key presses, or between reads of a line.
#[derive(Debug, Serialize, Deserialize)]
pub struct GapsV1 {
    pub count: usize,
    pub min_ms: f64,
    pub median_ms: f64,
    pub max_ms: f64,
}

/// One event; exactly one of `key`, `hex` and `dropped` is there.
#[derive(Debug, Serialize, Deserialize)]
pub struct StepV1 {
    /// Microseconds since the event before.
    pub after_us: u64,
    /// The kernel's key code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<u16>,
    /// 1 down, 0 up, 2 autorepeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i32>,
    /// What one read or one report brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
}

impl From<&Tested> for TestedV1 {
    fn from(tested: &Tested) -> TestedV1 {
        let scan = &tested.scan;
        let item = scan.meaning.item();
        TestedV1 {
            number: tested.number,
            scanner: scan.source.to_string(),
            at: scan.at.wall.to_string(),
            hex: hex(&scan.raw),
            printable: visible_bytes(&scan.raw),
            kind: scan.meaning.name().to_owned(),
            text: scan.text.clone(),
            gtin14: item.and_then(|item| item.gtin).map(|gtin| gtin.to_string()),
            elements: item.map_or(&[][..], |item| &item.elements).iter().map(ElementV1::from).collect(),
            flaws: scan.flaws.iter().map(ToString::to_string).collect(),
            gaps: tested.gaps().map(GapsV1::from),
            events: tested.steps.iter().map(StepV1::from).collect(),
        }
    }
}

impl From<Gaps> for GapsV1 {
    fn from(gaps: Gaps) -> GapsV1 {
        let ms = |gap: std::time::Duration| gap.as_secs_f64() * 1000.0;
        GapsV1 { count: gaps.count, min_ms: ms(gaps.min), median_ms: ms(gaps.median), max_ms: ms(gaps.max) }
    }
}

impl From<&Step> for StepV1 {
    fn from(step: &Step) -> StepV1 {
        let after_us = u64::try_from(step.after.as_micros()).unwrap_or(u64::MAX);
        let none = StepV1 { after_us, key: None, value: None, hex: None, dropped: false };
        match &step.what {
            Happening::Key { code, value } => StepV1 { key: Some(*code), value: Some(*value), ..none },
            Happening::Bytes(bytes) => StepV1 { hex: Some(hex(bytes)), ..none },
            Happening::Dropped => StepV1 { dropped: true, ..none },
        }
    }
}

impl StepV1 {
    /// The step as the domain knows it; nothing, if it is none.
    pub fn step(&self) -> Option<Step> {
        let what = match (self.key, self.value, &self.hex, self.dropped) {
            (Some(code), Some(value), None, false) => Happening::Key { code, value },
            (None, None, Some(digits), false) => Happening::Bytes(bytes(digits)?),
            (None, None, None, true) => Happening::Dropped,
            _ => return None,
        };
        Some(Step { after: Duration::from_micros(self.after_us), what })
    }
}

/// What [`hex`] was made of.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pair = |at| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..digits.len()).step_by(2).map(pair).collect()
}
