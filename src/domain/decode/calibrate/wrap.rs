//! What stands before, between and behind the sheet's known texts.

use super::super::frame::Terminator;
use super::read::Reading;
use super::{AimSent, ELEMENTS, Separator, TEXT, Trouble};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const GS: u8 = 0x1d;
/// No scanner sends more in the place of GS.
const LONGEST_SEPARATOR: usize = 16;

/// What a scanner puts around each code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrap {
    pub(super) prefix: Vec<u8>,
    pub(super) suffix: Vec<u8>,
    pub(super) terminator: Terminator,
    pub(super) aim: bool,
}

/// Both codes, seen in what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    /// The first code's.
    pub(super) wrap: Wrap,
    pub(super) aim: AimSent,
    pub(super) separator: Separator,
}

impl Sighting {
    /// `Ok(None)` when the readings don't hold the sheet's codes.
    pub(super) fn of(plain: &Reading, gs1: &Reading) -> Result<Option<Sighting>, Trouble> {
        let Some((before, after)) = around(&plain.bytes, TEXT) else { return Ok(None) };
        let Some((gs1_before, rest)) = around(&gs1.bytes, ELEMENTS[0]) else { return Ok(None) };
        let Some((between, gs1_after)) = around(rest, ELEMENTS[1]) else { return Ok(None) };
        if between.len() > LONGEST_SEPARATOR {
            return Ok(None);
        }
        if around(after, TEXT).is_some() || around(gs1_after, ELEMENTS[0]).is_some() {
            return Err(Trouble::Twice);
        }
        // Some scanners also send a separator for the FNC1 that makes a Code 128 a GS1-128.
        let gs1_before = gs1_before.strip_suffix(between).filter(|_| !between.is_empty()).unwrap_or(gs1_before);
        agree("behind", after, gs1_after)?;
        let (first, second) = (Wrap::of(before, after)?, Wrap::of(gs1_before, gs1_after)?);
        agree("before", &first.prefix, &second.prefix)?;
        let separator = match between {
            [GS] => Separator::Gs,
            [] => silent_key(plain, gs1).map_or(Separator::Nothing, Separator::Key),
            sent => Separator::Sent(sent.to_vec()),
        };
        let aim = match (first.aim, second.aim) {
            (true, true) => AimSent::Always,
            (false, true) => AimSent::WithGs1,
            (_, false) => AimSent::Never,
        };
        Ok(Some(Sighting { wrap: first, aim, separator }))
    }
}

impl Wrap {
    fn of(before: &[u8], after: &[u8]) -> Result<Wrap, Trouble> {
        let before = before.strip_prefix(&[STX]).unwrap_or(before);
        let (prefix, aim) = match before {
            [prefix @ .., b']', letter, modifier] if is_aim(*letter, *modifier) => (prefix, true),
            [b']', letter, modifier, inside @ ..] if is_aim(*letter, *modifier) => {
                return Err(Trouble::AimOutside { inside: inside.to_vec() });
            }
            prefix => (prefix, false),
        };
        let (suffix, terminator) = ending(after)?;
        Ok(Wrap { prefix: prefix.to_vec(), suffix: suffix.to_vec(), terminator, aim })
    }
}

/// The data of a code without its AIM identifier and without a leading separator.
pub(super) fn data(frame: &[u8]) -> &[u8] {
    let data = match frame {
        [b']', letter, modifier, data @ ..] if is_aim(*letter, *modifier) => data,
        data => data,
    };
    data.strip_prefix(&[GS]).unwrap_or(data)
}

fn is_aim(letter: u8, modifier: u8) -> bool {
    letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric()
}

pub(super) fn holds(reading: &Reading, text: &str) -> bool {
    around(&reading.bytes, text).is_some()
}

/// What stands before and behind `text`.
fn around<'a>(bytes: &'a [u8], text: &str) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(text.len()).position(|part| part == text.as_bytes())?;
    Some((bytes.get(..at)?, bytes.get(at + text.len()..)?))
}

fn agree(what: &'static str, first: &[u8], second: &[u8]) -> Result<(), Trouble> {
    if first == second {
        return Ok(());
    }
    Err(Trouble::Changing { what, first: first.to_vec(), second: second.to_vec() })
}

/// A key that typed nothing, between the elements alone.
fn silent_key(plain: &Reading, gs1: &Reading) -> Option<u16> {
    gs1.silent_keys.iter().find(|code| !plain.silent_keys.contains(code)).copied()
}

/// Suffix and terminator.
fn ending(after: &[u8]) -> Result<(&[u8], Terminator), Trouble> {
    let at = after.iter().position(|byte| alone(*byte).is_some()).unwrap_or(after.len());
    let (suffix, end) = after.split_at(at);
    match end {
        [] => Ok((suffix, Terminator::Gap)),
        b"\r\n" => Ok((suffix, Terminator::CrLf)),
        [byte] => alone(*byte).map(|terminator| (suffix, terminator)).ok_or(Trouble::Ending(after.to_vec())),
        _ if end.iter().all(|byte| matches!(byte, b'\r' | b'\n')) => Ok((suffix, Terminator::Line)),
        _ if end.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b'\t')) => Ok((suffix, Terminator::Any)),
        _ => behind_others(after).ok_or_else(|| Trouble::Ending(after.to_vec())),
    }
}

/// The last of several that could end a code. What would come behind the first began the next code, so the others belong
/// to the suffix (ETX before a CR).
fn behind_others(after: &[u8]) -> Option<(&[u8], Terminator)> {
    if let Some(suffix) = after.strip_suffix(b"\r\n") {
        return Some((suffix, Terminator::CrLf));
    }
    let (last, suffix) = after.split_last()?;
    alone(*last).filter(|_| !suffix.contains(last)).map(|terminator| (suffix, terminator))
}

fn alone(byte: u8) -> Option<Terminator> {
    match byte {
        b'\r' => Some(Terminator::Cr),
        b'\n' => Some(Terminator::Lf),
        b'\t' => Some(Terminator::Tab),
        ETX => Some(Terminator::Etx),
        _ => None,
    }
}
