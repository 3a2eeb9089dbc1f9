//! Finds how a scanner is set from the two codes of the calibration sheet: what it typed is known, so only the settings
//! under which it says just that remain.
//!
//! What was found is tried on the same recordings before it is believed: it must read both codes, whole.

mod read;
#[cfg(test)]
mod tests;
mod words;
mod wrap;

use std::time::Duration;

use super::frame::{Framing, Terminator};
use super::keymap::Layout;
use super::trace::{Happening, Step};
use crate::domain::visible::visible_bytes;
use read::Setting;
use wrap::{Sighting, Wrap};

/// The sheet's first code (Code 128). Every two layouts type some of it with different keys, but for those that have all of
/// ASCII on the same ones. An apostrophe before an `a` tells a dead one from a plain one.
pub const TEXT: &str = r"CAL-[]{}@#\;'aqzymwAQZ/_+|019";

/// The sheet's second code (GS1-128), on both sides of the FNC1 between its elements: GTIN and lot, serial number. The GTIN
/// is the one that GS1 keeps for examples.
pub const ELEMENTS: [&str; 2] = ["010950600013435210TM4", "21Q7"];

/// The silence that a configuration may ask for.
const GAP_MS: std::ops::RangeInclusive<u128> = 30..=2000;

/// How a scanner is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calibration {
    /// `None` for a scanner that sends bytes.
    pub layout: Option<Layout>,
    /// Other layouts that read both codes just as well.
    pub equals: Vec<Layout>,
    pub terminator: Terminator,
    pub prefix: Vec<u8>,
    pub suffix: Vec<u8>,
    pub separator: Separator,
    /// The longest silence inside a code.
    pub longest_gap: Duration,
    /// Milliseconds of silence after which a code is surely over.
    pub gap_ms: u64,
    pub aim: AimSent,
    /// It types as if CapsLock was on.
    pub caps_lock: bool,
}

/// With which codes the scanner sends an AIM identifier (`]C1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AimSent {
    Always,
    /// With GS1-128 alone, as many do unless they are told otherwise.
    WithGs1,
    Never,
}

/// What the scanner sends for the FNC1 between two elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Separator {
    /// GS: 0x1D, Ctrl+] or Alt+029.
    Gs,
    /// Something else in its place.
    Sent(Vec<u8>),
    /// A key that types nothing.
    Key(u16),
    Nothing,
}

/// Why nothing could be found; its words say what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A recording without an event.
    Empty,
    /// The kernel dropped events.
    Dropped,
    /// Keys and bytes in one recording: not one device.
    Mixed,
    /// No layout reads the sheet's codes; which comes closest, and what it reads.
    NotTheSheet { closest: Option<Layout>, read: String },
    /// A code came more than once.
    Twice,
    /// What stands around the code differs between the two.
    Changing { what: &'static str, first: Vec<u8>, second: Vec<u8> },
    /// Something stands between the AIM identifier and the code.
    AimOutside { inside: Vec<u8> },
    /// An ending that no setting can describe.
    Ending(Vec<u8>),
    /// The settings don't read what they were found from.
    Unproven { read: String },
}

/// Finds the settings from one recording of each code. Which was scanned first doesn't matter.
pub fn calibrate(first: &[Step], second: &[Step]) -> Result<Calibration, Trouble> {
    let typed = check(first)?;
    if check(second)? != typed {
        return Err(Trouble::Mixed);
    }
    let (found, sighting, swapped) = search(first, second, typed)?;
    let traces = if swapped { [second, first] } else { [first, second] };
    let Wrap { prefix, suffix, terminator, aim: _ } = sighting.wrap;
    let longest_gap = traces.into_iter().map(read::longest_gap).max().unwrap_or_default();
    let padded = (longest_gap.as_millis() * 3).next_multiple_of(10).clamp(*GAP_MS.start(), *GAP_MS.end());
    let calibration = Calibration {
        layout: found.first().and_then(|setting| setting.layout),
        equals: found.iter().skip(1).filter_map(|setting| setting.layout).collect(),
        terminator,
        prefix,
        suffix,
        separator: sighting.separator,
        longest_gap,
        gap_ms: u64::try_from(padded).unwrap_or(u64::MAX),
        aim: sighting.aim,
        caps_lock: found.first().is_some_and(|setting| setting.caps_lock),
    };
    calibration.prove(traces)?;
    Ok(calibration)
}

impl Calibration {
    /// As the decoder needs it.
    pub fn framing(&self) -> Framing {
        let framing = Framing::ended_by(self.terminator);
        let framing = if self.terminator == Terminator::Gap {
            framing.with_gap(Duration::from_millis(self.gap_ms))
        } else {
            framing
        };
        Framing {
            prefix: self.prefix.clone(),
            suffix: self.suffix.clone(),
            group_separator: self.group_separator().map(<[u8]>::to_vec),
            ..framing
        }
    }

    /// What has to be taken for GS.
    pub fn group_separator(&self) -> Option<&[u8]> {
        match &self.separator {
            Separator::Sent(sent) => Some(sent),
            Separator::Gs | Separator::Key(_) | Separator::Nothing => None,
        }
    }

    fn setting(&self) -> Setting {
        Setting { layout: self.layout, caps_lock: self.caps_lock }
    }

    /// Reads both recordings with what was found.
    fn prove(&self, traces: [&[Step]; 2]) -> Result<(), Trouble> {
        let between = if matches!(self.separator, Separator::Gs | Separator::Sent(_)) { "\u{1d}" } else { "" };
        let mut text = TEXT.to_owned();
        if let Some(sent) = self.group_separator().and_then(|sent| std::str::from_utf8(sent).ok()) {
            // A stand-in that is an ordinary character is taken for GS wherever it is.
            text = text.replace(sent, "\u{1d}");
        }
        let expected = [text, ELEMENTS.join(between)];
        for (trace, expected) in traces.into_iter().zip(expected) {
            let frames = read::frames(trace, self.setting(), self.framing());
            let data: Vec<_> = frames.iter().map(|frame| wrap::data(&frame.bytes)).collect();
            if data != [expected.as_bytes()] {
                let read = data.iter().map(|data| String::from_utf8_lossy(data)).collect::<Vec<_>>().join(" / ");
                return Err(Trouble::Unproven { read });
            }
        }
        Ok(())
    }
}

/// True for keys, false for bytes.
fn check(trace: &[Step]) -> Result<bool, Trouble> {
    let (mut keys, mut bytes) = (false, false);
    for step in trace {
        match step.what {
            Happening::Key { .. } => keys = true,
            Happening::Bytes(_) => bytes = true,
            Happening::Dropped => return Err(Trouble::Dropped),
        }
    }
    match (keys, bytes) {
        (true, true) => Err(Trouble::Mixed),
        (false, false) => Err(Trouble::Empty),
        (keys, _) => Ok(keys),
    }
}

/// The settings that read the sheet, the best first, what they see, and whether the codes came in the other order.
fn search(first: &[Step], second: &[Step], typed: bool) -> Result<(Vec<Setting>, Sighting, bool), Trouble> {
    let mut trouble = None;
    for settings in if typed { vec![Setting::typed(false), Setting::typed(true)] } else { vec![Setting::bytes()] } {
        let mut found: Option<(Vec<Setting>, Sighting, bool)> = None;
        for setting in settings {
            match (sight(first, second, setting), &mut found) {
                (Ok(Some((sighting, swapped))), None) => found = Some((vec![setting], sighting, swapped)),
                (Ok(Some((sighting, _))), Some((equals, best, _))) if *best == sighting => equals.push(setting),
                (Ok(_), _) => {}
                (Err(why), _) => trouble = trouble.or(Some(why)),
            }
        }
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(trouble.unwrap_or_else(|| closest(first, second, typed)))
}

/// What one setting sees, and whether in the other order.
fn sight(first: &[Step], second: &[Step], setting: Setting) -> Result<Option<(Sighting, bool)>, Trouble> {
    let a = read::reading(first, setting);
    let swapped = match (wrap::holds(&a, TEXT), wrap::holds(&a, ELEMENTS[0])) {
        (true, _) => false,
        (false, true) => true,
        (false, false) => return Ok(None),
    };
    let b = read::reading(second, setting);
    let sighting = if swapped { Sighting::of(&b, &a) } else { Sighting::of(&a, &b) };
    Ok(sighting?.map(|sighting| (sighting, swapped)))
}

/// For the person who sees that nothing fits: what comes nearest.
fn closest(first: &[Step], second: &[Step], typed: bool) -> Trouble {
    let settings = if typed { Setting::typed(false) } else { Setting::bytes() };
    let readings = settings
        .into_iter()
        .flat_map(|setting| [first, second].map(|trace| (setting.layout, read::reading(trace, setting).bytes)));
    let best = readings.max_by_key(|(_, bytes)| read::common(bytes, TEXT.as_bytes()));
    let (closest, bytes) = best.unwrap_or_default();
    Trouble::NotTheSheet { closest, read: visible_bytes(&bytes) }
}
