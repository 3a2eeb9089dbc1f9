//! From key codes to characters, for scanners that pretend to be a keyboard.
//!
//! Codes are the kernel's (input-event-codes.h): they name a key's place, so the layout is the one that the scanner is set
//! to, whatever the desktop's is. A key that was pressed is never lost: it is a character, or a [`Flaw`] that names it.

mod accent;
mod assemble;
mod held;
mod layouts;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(in crate::domain::decode) mod typist;

pub use assemble::KeyAssembler;

use layouts::{Caps, DEAD, ROWS};

pub(super) const ENTER: u16 = 28;
pub(super) const KEYPAD_ENTER: u16 = 96;
pub(super) const TAB: u16 = 15;
const ESC: u16 = 1;
const BACKSPACE: u16 = 14;
const SPACE: u16 = 57;
pub(super) const LEFT_CTRL: u16 = 29;
const RIGHT_CTRL: u16 = 97;
pub(super) const LEFT_SHIFT: u16 = 42;
const RIGHT_SHIFT: u16 = 54;
pub(super) const LEFT_ALT: u16 = 56;
const ALT_GR: u16 = 100;
const CAPS_LOCK: u16 = 58;
const NUM_LOCK: u16 = 69;
const SCROLL_LOCK: u16 = 70;
/// Where a US keyboard has `]`.
const RIGHT_BRACKET: u16 = 27;

/// Which characters a device's keys stand for. Named after the country or its short word in a scanner's manual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// What scanners leave the factory with.
    #[default]
    Us,
    UsIntl,
    Uk,
    De,
    /// Swiss German.
    Ch,
    /// Swiss French.
    ChFr,
    Fr,
    Be,
    Es,
    It,
    Pt,
    Nl,
    /// Swedish and Finnish.
    Se,
    Dk,
    No,
    /// Polish (programmers').
    Pl,
    Cz,
    Sk,
    Hu,
    /// Turkish Q.
    Tr,
    /// Croatian, Slovenian, Serbian (Latin).
    Hr,
    /// Brazilian ABNT2.
    Br,
    /// Latin American Spanish.
    Latam,
}

/// A key's character on one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Glyph {
    Plain(char),
    /// Waits for the letter that it goes on.
    Dead(char),
}

/// Shift and AltGr, as far as they choose a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Level {
    shift: bool,
    alt_gr: bool,
}

impl Layout {
    /// The commonest first: where two fit equally, the first is meant.
    pub const ALL: [Layout; 23] = [
        Layout::Us,
        Layout::Uk,
        Layout::De,
        Layout::Fr,
        Layout::Es,
        Layout::It,
        Layout::Ch,
        Layout::ChFr,
        Layout::Be,
        Layout::Nl,
        Layout::Pt,
        Layout::Se,
        Layout::Dk,
        Layout::No,
        Layout::Pl,
        Layout::Cz,
        Layout::Sk,
        Layout::Hu,
        Layout::Hr,
        Layout::Tr,
        Layout::Br,
        Layout::Latam,
        Layout::UsIntl,
    ];

    /// The word for it in the configuration.
    pub const fn name(self) -> &'static str {
        self.table().name
    }

    /// Reads [`Layout::name`], or another word for the same layout: `gb`, `at`, `fi`, `de-ch`, ...
    pub fn parse(word: &str) -> Option<Layout> {
        Layout::ALL.into_iter().find(|layout| layout.name() == word || layout.table().aliases.contains(&word))
    }

    fn glyph(self, code: u16, level: Level) -> Option<Glyph> {
        let (row, place) = place_of(code)?;
        let mut chars = self.table().rows[row][level.index()].chars();
        for _ in 0..place {
            if chars.next()? == DEAD {
                chars.next()?;
            }
        }
        match chars.next()? {
            ' ' => None,
            DEAD => chars.next().map(Glyph::Dead),
            plain => Some(Glyph::Plain(plain)),
        }
    }

    /// The same with CapsLock on.
    fn glyph_under_caps(self, code: u16, level: Level) -> Option<Glyph> {
        if level.alt_gr {
            return self.glyph(code, level);
        }
        let other = Level { shift: !level.shift, ..level };
        match (self.table().caps, self.glyph(code, level)?, self.glyph(code, other)) {
            (Caps::Shift, glyph, other) => Some(other.unwrap_or(glyph)),
            // Only this finds the capitals of a Turkish i.
            (Caps::Letters, Glyph::Plain(a), Some(Glyph::Plain(b))) if are_cases(a, b) => Some(Glyph::Plain(b)),
            (Caps::Letters, Glyph::Plain(c), _) => Some(Glyph::Plain(swap_case(c))),
            (Caps::Letters, dead @ Glyph::Dead(_), _) => Some(dead),
        }
    }

    /// What a key of the keypad types. A scanner that uses the keypad means its digits, whatever NumLock is: a digit that
    /// turned into Home would be lost.
    fn keypad(self, code: u16) -> Option<char> {
        Some(match code {
            55 => '*',
            71..=82 => char::from(*b"789-456+1230".get(usize::from(code - 71))?),
            83 => self.table().decimal,
            98 => '/',
            117 => '=',
            121 => ',',
            _ => return None,
        })
    }
}

impl Level {
    const fn index(self) -> usize {
        self.shift as usize + 2 * self.alt_gr as usize
    }
}

/// A key's row and its place there.
fn place_of(code: u16) -> Option<(usize, usize)> {
    ROWS.iter().enumerate().find_map(|(row, keys)| keys.iter().position(|key| *key == code).map(|place| (row, place)))
}

fn are_cases(a: char, b: char) -> bool {
    (a.is_lowercase() && b.is_uppercase()) || (a.is_uppercase() && b.is_lowercase())
}

/// A letter whose other case is one letter; all else stays.
fn swap_case(c: char) -> char {
    fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
        chars.next().filter(|_| chars.next().is_none())
    }
    let swapped = if c.is_lowercase() { only(c.to_uppercase()) } else { only(c.to_lowercase()) };
    swapped.unwrap_or(c)
}

/// A function key's number, from 1.
fn function_key(code: u16) -> Option<u8> {
    let number = match code {
        59..=68 => code - 58,
        87..=88 => code - 76,
        183..=194 => code - 170,
        _ => return None,
    };
    u8::try_from(number).ok()
}

/// How a function key is written where it stands for something: `{F8}` as prefix, suffix or separator.
const FUNCTION_KEYS: [&str; 24] = [
    "{F1}", "{F2}", "{F3}", "{F4}", "{F5}", "{F6}", "{F7}", "{F8}", "{F9}", "{F10}", "{F11}", "{F12}", "{F13}",
    "{F14}", "{F15}", "{F16}", "{F17}", "{F18}", "{F19}", "{F20}", "{F21}", "{F22}", "{F23}", "{F24}",
];
