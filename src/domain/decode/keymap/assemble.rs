//! Collects the key events of one device into frames.

use std::time::Duration;

use super::super::Flaw;
use super::super::frame::{Frame, Framer, Framing};
use super::accent::compose;
use super::held::{Held, MODIFIERS};
use super::{
    ALT_GR, BACKSPACE, CAPS_LOCK, ENTER, ESC, FUNCTION_KEYS, Glyph, KEYPAD_ENTER, LEFT_ALT, Layout, Level, NUM_LOCK,
    RIGHT_BRACKET, SCROLL_LOCK, SPACE, TAB, function_key,
};
use crate::domain::time::{Deadline, Now};

/// A scanner holds no key this long: what is down after such a silence lost its key-up.
const STUCK_AFTER: Duration = Duration::from_secs(1);
/// Alt codes have up to four digits and a leading zero.
const MAX_ALT_DIGITS: u8 = 5;

const GS: u8 = 0x1d;
const NO_ALT: AltCode = AltCode { value: 0, digits: 0 };

/// The digits typed on the keypad while Alt is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AltCode {
    value: u32,
    digits: u8,
}

#[derive(Clone, Debug)]
pub struct KeyAssembler {
    layout: Layout,
    framer: Framer,
    gap: Option<Duration>,
    /// The function keys that prefix, suffix or separator name, a bit each: they are spelled out for the framer.
    spelled: u32,
    held: Held,
    caps: bool,
    /// A dead key that waits for its letter, and when it was pressed.
    accent: Option<(char, Now)>,
    alt: AltCode,
    /// Boot time of the last event.
    heard: Option<Duration>,
}

impl KeyAssembler {
    pub fn new(layout: Layout, framing: Framing) -> KeyAssembler {
        let named = |name: &str| {
            let around = [&framing.prefix[..], &framing.suffix, framing.group_separator.as_deref().unwrap_or_default()];
            around.iter().any(|bytes| bytes.windows(name.len()).any(|part| part == name.as_bytes()))
        };
        let spelled = (0..).zip(FUNCTION_KEYS).filter(|(_, name)| named(name)).fold(0, |bits, (n, _)| bits | 1 << n);
        KeyAssembler {
            layout,
            gap: framing.gap,
            framer: Framer::new(framing),
            spelled,
            held: Held::default(),
            caps: false,
            accent: None,
            alt: NO_ALT,
            heard: None,
        }
    }

    /// Spells every function key, for those who look for what a scanner sends.
    pub(in crate::domain::decode) fn spelling_all(self) -> KeyAssembler {
        KeyAssembler { spelled: u32::MAX, ..self }
    }

    /// One key event: `value` is 1 for down, 0 for up, 2 for autorepeat (which no scanner means).
    pub fn key(&mut self, code: u16, value: i32, now: Now) -> Option<Frame> {
        let quiet = self.heard.replace(now.boot).map(|heard| now.boot.saturating_sub(heard));
        match value {
            0 => self.up(code, now),
            1 => {
                if quiet.is_some_and(|quiet| quiet >= STUCK_AFTER) {
                    self.flag_stuck();
                    self.let_go();
                }
                self.down(code, now)
            }
            _ => None,
        }
    }

    /// When silence will have ended the current code, if silence means anything on this device.
    pub fn deadline(&self) -> Option<Deadline> {
        let accent = self.accent.zip(self.gap).map(|((_, at), gap)| at.plus(gap));
        self.framer.deadline().max(accent)
    }

    /// The code that silence has ended.
    pub fn on_silence(&mut self, now: Now) -> Option<Frame> {
        self.deadline().filter(|deadline| deadline.is_past(now))?;
        self.settle();
        self.flag_stuck();
        self.let_go();
        self.framer.on_silence(now)
    }

    /// The kernel's buffer overflowed (SYN_DROPPED): what is here is not to be trusted. What comes until the next
    /// SYN_REPORT is not for [`KeyAssembler::key`]; [`KeyAssembler::resync`] follows it.
    pub fn dropped(&mut self) {
        self.settle();
        self.framer.flag(Flaw::Dropped);
        self.let_go();
    }

    /// Takes over the keys that the kernel says are down, after events were lost.
    pub fn resync(&mut self, held: &[u16]) {
        self.held = Held::of(held);
        self.alt = NO_ALT;
    }

    /// Takes over CapsLock as the device's LED shows it; without this it is off until its key is pressed.
    pub fn set_caps_lock(&mut self, on: bool) {
        self.caps = on;
    }

    /// The device is gone: what was there of a code comes out as a partial one.
    pub fn unplugged(&mut self) -> Option<Frame> {
        self.settle();
        self.let_go();
        (self.caps, self.heard) = (false, None);
        self.framer.unplugged()
    }

    fn up(&mut self, code: u16, now: Now) -> Option<Frame> {
        let was_down = self.held.has(code);
        self.held.release(code);
        if code == LEFT_ALT && was_down { self.alt_code(now) } else { None }
    }

    fn down(&mut self, code: u16, now: Now) -> Option<Frame> {
        if self.held.press(code) {
            self.framer.flag(Flaw::StuckKey { code });
        }
        match code {
            CAPS_LOCK => self.caps = !self.caps,
            NUM_LOCK | SCROLL_LOCK => {}
            // An Alt code whose Alt-up was lost is whole all the same.
            LEFT_ALT => return self.alt_code(now),
            _ if MODIFIERS.contains(&code) => {}
            ENTER | KEYPAD_ENTER => return self.end_key(b'\r', now),
            TAB => return self.end_key(b'\t', now),
            ESC => return self.byte(0x1b, now),
            BACKSPACE => return self.byte(0x08, now),
            _ => return self.press(code, now),
        }
        None
    }

    fn press(&mut self, code: u16, now: Now) -> Option<Frame> {
        let (ctrl, alt) = (self.held.ctrl(), self.held.has(LEFT_ALT));
        // Windows takes Ctrl + Alt for AltGr, and some scanners type it so.
        let level = Level { shift: self.held.shift(), alt_gr: self.held.has(ALT_GR) || (ctrl && alt) };
        if alt && !ctrl {
            self.alt_digit(code);
            return None;
        }
        if ctrl && !level.alt_gr {
            return match self.control(code, level) {
                Some(byte) => self.byte(byte, now),
                None => self.unknown(code, now),
            };
        }
        let glyph = if self.caps { self.layout.glyph_under_caps(code, level) } else { self.layout.glyph(code, level) };
        match glyph {
            Some(Glyph::Plain(c)) => self.character(c, now),
            Some(Glyph::Dead(accent)) => self.dead(accent, now),
            None if code == SPACE => self.character(' ', now),
            None => match self.layout.keypad(code) {
                Some(c) => self.character(c, now),
                None => self.unknown(code, now),
            },
        }
    }

    /// Ctrl and a character of `@A-Z[\]^_` is that character's column of ASCII moved down: Ctrl+M is CR, Ctrl+] is GS.
    fn control(&self, code: u16, level: Level) -> Option<u8> {
        // Wherever a layout has its bracket, firmware may still mean the US place; no code has the ESC or the accent that
        // the layout's own character there would give.
        if code == RIGHT_BRACKET {
            return Some(GS);
        }
        let of = |layout: Layout| match layout.glyph(code, level)? {
            Glyph::Plain(c) | Glyph::Dead(c) if ('@'..='_').contains(&c.to_ascii_uppercase()) => {
                u8::try_from(c.to_ascii_uppercase()).ok().map(|byte| byte & 0x1f)
            }
            Glyph::Plain(_) | Glyph::Dead(_) => None,
        };
        of(self.layout).or_else(|| of(Layout::Us))
    }

    fn alt_digit(&mut self, code: u16) {
        match self.layout.keypad(code).and_then(|c| c.to_digit(10)) {
            Some(digit) if self.alt.digits < MAX_ALT_DIGITS => {
                self.alt = AltCode { value: self.alt.value * 10 + digit, digits: self.alt.digits + 1 };
            }
            Some(_) | None => self.framer.flag(Flaw::UnknownKey { code }),
        }
    }

    /// Alt is up: its digits are a byte (Alt+029 and Alt+29 are both GS), beyond that a character's number.
    fn alt_code(&mut self, now: Now) -> Option<Frame> {
        let AltCode { value, digits } = std::mem::replace(&mut self.alt, NO_ALT);
        if digits == 0 {
            return None;
        }
        match (u8::try_from(value), char::from_u32(value)) {
            (Ok(byte), _) => self.byte(byte, now),
            (Err(_), Some(c)) => self.character(c, now),
            (Err(_), None) => self.unknown(LEFT_ALT, now),
        }
    }

    fn unknown(&mut self, code: u16, now: Now) -> Option<Frame> {
        let spelled = function_key(code).map(|n| usize::from(n - 1)).filter(|n| self.spelled & 1 << n != 0);
        match spelled.and_then(|n| FUNCTION_KEYS.get(n)) {
            Some(name) => {
                self.settle();
                self.feed(name.as_bytes(), now)
            }
            None => {
                self.framer.flag(Flaw::UnknownKey { code });
                None
            }
        }
    }

    fn dead(&mut self, accent: char, now: Now) -> Option<Frame> {
        match self.accent.take() {
            None => {
                self.accent = Some((accent, now));
                None
            }
            // Two accents are two characters, as on Windows.
            Some((first, at)) => {
                self.feed_char(first, at);
                self.feed_char(accent, now)
            }
        }
    }

    fn character(&mut self, c: char, now: Now) -> Option<Frame> {
        let Some((accent, at)) = self.accent.take() else { return self.feed_char(c, now) };
        if c == ' ' {
            return self.feed_char(accent, now);
        }
        if let Some(composed) = compose(accent, c) {
            return self.feed_char(composed, now);
        }
        self.feed_char(accent, at);
        self.feed_char(c, now)
    }

    fn byte(&mut self, byte: u8, now: Now) -> Option<Frame> {
        self.settle();
        self.feed(&[byte], now)
    }

    /// A key that may end a code. No scanner holds a modifier while it presses one.
    fn end_key(&mut self, byte: u8, now: Now) -> Option<Frame> {
        self.flag_stuck();
        // An Alt code may be a terminator itself: this key then ends an empty line.
        let late = self.alt_code(now);
        // A key-up that was lost inside this code is not to hurt the next.
        self.let_go();
        self.byte(byte, now).or(late)
    }

    /// Gives the framer the accent that no letter came for, as of when it was typed.
    fn settle(&mut self) {
        if let Some((accent, at)) = self.accent.take() {
            self.feed_char(accent, at);
        }
    }

    fn feed_char(&mut self, c: char, now: Now) -> Option<Frame> {
        self.feed(c.encode_utf8(&mut [0; 4]).as_bytes(), now)
    }

    fn feed(&mut self, bytes: &[u8], now: Now) -> Option<Frame> {
        self.framer.feed(bytes, now).pop()
    }

    fn flag_stuck(&mut self) {
        for code in self.held.modifiers() {
            self.framer.flag(Flaw::StuckKey { code });
        }
    }

    fn let_go(&mut self) {
        if self.alt.digits > 0 {
            // Digits that no Alt-up makes a character of.
            self.framer.flag(Flaw::StuckKey { code: LEFT_ALT });
        }
        self.held = Held::default();
        self.alt = NO_ALT;
    }
}
