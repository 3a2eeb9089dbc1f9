//! From key codes to characters, for scanners that pretend to be a keyboard.
//!
//! Codes are the kernel's (input-event-codes.h): they name a key's place, so the layout is ours to choose and not the
//! desktop's. This is the US layout that scanners leave the factory with.

use super::Flaw;
use super::frame::{Frame, Framer, Framing};
use crate::domain::time::{Deadline, Now};

const LEFT_CTRL: u16 = 29;
const LEFT_SHIFT: u16 = 42;
const RIGHT_SHIFT: u16 = 54;
const CAPS_LOCK: u16 = 58;
const RIGHT_CTRL: u16 = 97;
const ENTER: u16 = 28;
const KEYPAD_ENTER: u16 = 96;
const TAB: u16 = 15;
const RIGHT_BRACKET: u16 = 27;

/// `(first key code, plain, shifted)`: runs of neighbouring keys.
const US: &[(u16, &str, &str)] = &[
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (55, "*", "*"),
    (57, " ", " "),
    (71, "789-456+1230.", "789-456+1230."),
    (98, "/", "/"),
];

/// Which characters a device's keys stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    #[default]
    Us,
}

impl Layout {
    pub const ALL: &[Layout] = &[Layout::Us];

    /// Reads the word of the configuration.
    pub fn parse(word: &str) -> Option<Layout> {
        Layout::ALL.iter().copied().find(|layout| layout.name() == word)
    }

    pub fn name(self) -> &'static str {
        match self {
            Layout::Us => "us",
        }
    }
}

/// Collects the key events of one device into frames.
#[derive(Debug)]
pub struct KeyAssembler {
    framer: Framer,
    shift: [bool; 2],
    ctrl: [bool; 2],
    caps: bool,
}

impl KeyAssembler {
    pub fn new(_layout: Layout, framing: Framing) -> KeyAssembler {
        KeyAssembler { framer: Framer::new(framing), shift: [false; 2], ctrl: [false; 2], caps: false }
    }

    /// One key event: `value` is 1 for down, 0 for up, 2 for autorepeat (which no scanner means).
    pub fn key(&mut self, code: u16, value: i32, now: Now) -> Option<Frame> {
        let down = match value {
            0 => false,
            1 => true,
            _ => return None,
        };
        match code {
            LEFT_SHIFT => self.shift[0] = down,
            RIGHT_SHIFT => self.shift[1] = down,
            LEFT_CTRL => self.ctrl[0] = down,
            RIGHT_CTRL => self.ctrl[1] = down,
            _ if !down => {}
            CAPS_LOCK => self.caps = !self.caps,
            ENTER | KEYPAD_ENTER => return self.typed(b'\r', now),
            TAB => return self.typed(b'\t', now),
            _ => return self.press(code, now),
        }
        None
    }

    /// When silence will have ended the current code, if silence means anything on this device.
    pub fn deadline(&self) -> Option<Deadline> {
        self.framer.deadline()
    }

    /// The code that silence has ended.
    pub fn on_silence(&mut self, now: Now) -> Option<Frame> {
        self.framer.on_silence(now)
    }

    /// The kernel's buffer overflowed (SYN_DROPPED): what is here is not to be trusted.
    pub fn dropped(&mut self) {
        self.framer.flag(Flaw::Dropped);
        (self.shift, self.ctrl) = ([false; 2], [false; 2]);
    }

    /// After dropped events: the keys that the kernel says are down now.
    pub fn resync(&mut self, held: &[u16]) {
        self.shift = [held.contains(&LEFT_SHIFT), held.contains(&RIGHT_SHIFT)];
        self.ctrl = [held.contains(&LEFT_CTRL), held.contains(&RIGHT_CTRL)];
    }

    /// The device is gone: what was there of a code comes out as a partial one.
    pub fn unplugged(&mut self) -> Option<Frame> {
        self.framer.unplugged()
    }

    fn press(&mut self, code: u16, now: Now) -> Option<Frame> {
        let shifted = self.shift[0] || self.shift[1];
        let typed = if self.ctrl[0] || self.ctrl[1] {
            // Ctrl+] is how a keyboard types GS.
            (code == RIGHT_BRACKET).then_some(0x1d)
        } else {
            character(code, shifted).map(|c| if self.caps { swap_case(c) } else { c })
        };
        match typed {
            Some(byte) => self.typed(byte, now),
            None => {
                self.framer.flag(Flaw::UnknownKey { code });
                None
            }
        }
    }

    fn typed(&mut self, byte: u8, now: Now) -> Option<Frame> {
        self.framer.feed(&[byte], now).pop()
    }
}

fn character(code: u16, shifted: bool) -> Option<u8> {
    US.iter().find_map(|&(first, plain, shift)| {
        let place = usize::from(code.checked_sub(first)?);
        (if shifted { shift } else { plain }).as_bytes().get(place).copied()
    })
}

fn swap_case(c: u8) -> u8 {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::super::super::time::Wall;
    use super::super::frame::Terminator;
    use super::*;

    const NOW: Now = Now { boot: std::time::Duration::ZERO, wall: Wall(0) };

    fn assembler() -> KeyAssembler {
        KeyAssembler::new(Layout::Us, Framing::ended_by(Terminator::Line))
    }

    fn typed(keys: &[(u16, i32)]) -> Option<Frame> {
        let mut assembler = assembler();
        keys.iter().filter_map(|&(code, value)| assembler.key(code, value, NOW)).last()
    }

    const fn tap(code: u16) -> [(u16, i32); 2] {
        [(code, 1), (code, 0)]
    }

    fn text(keys: &[(u16, i32)]) -> String {
        typed(keys).map(|f| String::from_utf8_lossy(&f.bytes).into_owned()).unwrap_or_default()
    }

    #[test]
    fn shift_caps_and_keypad_type_what_they_should() {
        assert_eq!(text(&[tap(30), tap(2), tap(ENTER)].concat()), "a1");
        assert_eq!(
            text(
                &[vec![(LEFT_SHIFT, 1)], tap(30).into(), vec![(LEFT_SHIFT, 0)], tap(48).into(), tap(ENTER).into()]
                    .concat()
            ),
            "Ab"
        );
        assert_eq!(text(&[tap(CAPS_LOCK), tap(30), tap(2), tap(ENTER)].concat()), "A1");
        assert_eq!(text(&[tap(71), tap(82), tap(KEYPAD_ENTER)].concat()), "70");
    }

    #[test]
    fn ctrl_and_right_bracket_are_the_group_separator() {
        let keys =
            [vec![(LEFT_CTRL, 1)], tap(RIGHT_BRACKET).into(), vec![(LEFT_CTRL, 0)], tap(2).into(), tap(ENTER).into()]
                .concat();
        assert_eq!(text(&keys), "\u{1d}1");
    }

    #[test]
    fn autorepeat_is_no_character() {
        assert_eq!(text(&[(2, 1), (2, 2), (2, 2), (2, 0), (ENTER, 1)]), "1");
    }

    #[test]
    fn dropped_events_flag_the_code_they_may_have_hurt() {
        let mut assembler = assembler();
        assembler.key(2, 1, NOW);
        assembler.dropped();
        assert_eq!(assembler.key(ENTER, 1, NOW).map(|f| f.flaws), Some(vec![Flaw::Dropped]));
        assert_eq!(assembler.key(ENTER, 1, NOW), None);
    }
}
