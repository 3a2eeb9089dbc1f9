//! What was found, and what wasn't, for the person with the scanner in the hand.

use std::fmt;

use super::super::frame::Terminator;
use super::super::keymap::Layout;
use super::{AimSent, Calibration, Separator, Trouble};
use crate::domain::visible::visible_bytes;

impl Terminator {
    /// The word for it in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Terminator::Line => "line",
            Terminator::Any => "any",
            Terminator::Cr => "cr",
            Terminator::Lf => "lf",
            Terminator::CrLf => "crlf",
            Terminator::Etx => "etx",
            Terminator::Tab => "tab",
            Terminator::Gap => "gap",
        }
    }
}

impl Calibration {
    /// What was found, a line each, as name and value.
    pub fn summary(&self) -> Vec<(&'static str, String)> {
        let quoted = |bytes: &[u8]| if bytes.is_empty() { "none".to_owned() } else { visible_bytes(bytes) };
        let separator = match &self.separator {
            Separator::Gs => "GS, as it should be".to_owned(),
            Separator::Sent(sent) => visible_bytes(sent),
            Separator::Key(code) => format!("key {code}, which types nothing"),
            Separator::Nothing => "nothing".to_owned(),
        };
        let aim = match self.aim {
            AimSent::Always => "yes",
            AimSent::WithGs1 => "with GS1 codes",
            AimSent::Never => "no",
        };
        let mut lines = vec![
            ("terminator", self.terminator.name().to_owned()),
            ("prefix", quoted(&self.prefix)),
            ("suffix", quoted(&self.suffix)),
            ("FNC1 comes as", separator),
            ("AIM identifiers", aim.to_owned()),
            ("longest gap", format!("{} ms", self.longest_gap.as_millis())),
        ];
        if let Some(layout) = self.layout {
            lines.insert(0, ("layout", layout.name().to_owned()));
        }
        lines
    }

    /// What a person should know beyond the settings themselves.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = vec![];
        if self.equals.len() + 1 == Layout::ALL.len() {
            remarks.push("It types every character as an Alt code, so any layout reads it.".to_owned());
        } else if let (Some(layout), false) = (self.layout, self.equals.is_empty()) {
            let others: Vec<_> = self.equals.iter().map(|layout| layout.name()).collect();
            let (others, chosen) = (others.join(", "), layout.name());
            remarks.push(format!(
                "{others} would read these codes just as {chosen} does, and {chosen} is the simplest. Write the other by \
                 hand if codes here hold letters beyond A to Z."
            ));
        }
        if self.caps_lock {
            remarks.push(
                "It types as if CapsLock was on, so the case of every letter is turned. Switch CapsLock off, or let the \
                 scanner override it, and calibrate again: no setting here cures that."
                    .to_owned(),
            );
        }
        remarks.extend(self.about_separator());
        if self.aim == AimSent::Never {
            remarks.push(
                "It sends no AIM identifiers. With them (\"AIM code ID\" in its manual) a GS1 code is known for one."
                    .to_owned(),
            );
        }
        remarks
    }

    fn about_separator(&self) -> Option<String> {
        const CURE: &str = "set the scanner to send it as GS (ASCII 29), on a keyboard as Ctrl+] or Alt+029";
        match &self.separator {
            Separator::Gs => None,
            Separator::Sent(sent) => Some(format!(
                "It sends {} in the place of GS. A code that holds that as data would be cut there: better {CURE}.",
                visible_bytes(sent)
            )),
            Separator::Key(code) => Some(format!(
                "For GS it presses key {code}, which types nothing, so elements of variable length run into each other: \
                 {CURE}."
            )),
            Separator::Nothing => Some(format!(
                "It sends nothing for GS1's FNC1, so elements of variable length run into each other: {CURE}."
            )),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Empty => {
                f.write_str("nothing came from the scanner: scan both codes of the sheet, one after the other")
            }
            Trouble::Dropped => f.write_str("input was lost on the way: scan both codes again"),
            Trouble::Mixed => f.write_str("keys and bytes came mixed: both codes must come from one scanner"),
            Trouble::NotTheSheet { closest, read } => {
                f.write_str("these are not the two codes of the sheet, or no known layout types them so. ")?;
                match closest {
                    Some(layout) => write!(f, "Closest is {}, which reads {read:?}", layout.name())?,
                    None => write!(f, "What came is {read:?}")?,
                }
                f.write_str(". Print the sheet with tallyman card --calibration and scan each of its codes once")
            }
            Trouble::Twice => f.write_str("a code came more than once: scan each code of the sheet once"),
            Trouble::Changing { what, first, second } => write!(
                f,
                "{:?} stands {what} the one code and {:?} {what} the other. A maker's own code identifier does that: \
                 switch it off, or have AIM identifiers instead",
                visible_bytes(first),
                visible_bytes(second)
            ),
            Trouble::AimOutside { inside } => write!(
                f,
                "{:?} stands between the AIM identifier and the code: take this prefix out of the scanner",
                visible_bytes(inside)
            ),
            Trouble::Ending(end) => write!(
                f,
                "codes end with {:?}, which no terminator describes: set the scanner to end them with CR (Enter) alone",
                visible_bytes(end)
            ),
            Trouble::Unproven { read } => write!(
                f,
                "the settings that seemed right read {read:?} instead of the sheet: reset the scanner to its factory \
                 settings and try again"
            ),
        }
    }
}

impl std::error::Error for Trouble {}
