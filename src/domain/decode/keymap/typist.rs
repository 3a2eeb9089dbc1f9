//! The other way round, for tests: what a scanner set to a layout presses to type a text.

use super::layouts::{DEAD, ROWS};
use super::{ALT_GR, CAPS_LOCK, ENTER, LEFT_ALT, LEFT_CTRL, LEFT_SHIFT, Layout, RIGHT_BRACKET, SPACE, TAB, accent};

/// A key event as [`super::KeyAssembler::key`] takes it.
pub(in crate::domain::decode) type Press = (u16, i32);

/// How a scanner types what has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain::decode) enum Gs {
    CtrlBracket,
    Alt029,
    Key(u16),
    Text(&'static str),
    Nothing,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::domain::decode) struct Typist {
    pub(in crate::domain::decode) layout: Layout,
    pub(in crate::domain::decode) gs: Gs,
    /// Every character as an Alt code.
    pub(in crate::domain::decode) alt_mode: bool,
    /// The scanner believes that CapsLock is on, and presses Shift for small letters.
    pub(in crate::domain::decode) caps: bool,
}

impl Typist {
    pub(in crate::domain::decode) fn new(layout: Layout) -> Typist {
        Typist { layout, gs: Gs::CtrlBracket, alt_mode: false, caps: false }
    }

    pub(in crate::domain::decode) fn text(&self, text: &str) -> Vec<Press> {
        text.chars().flat_map(|c| self.character(c)).collect()
    }

    fn character(&self, c: char) -> Vec<Press> {
        match c {
            '\r' => tap(ENTER),
            '\t' => tap(TAB),
            '\u{1d}' => match self.gs {
                Gs::CtrlBracket => under(&[LEFT_CTRL], RIGHT_BRACKET),
                Gs::Alt029 => alt_code("029"),
                Gs::Key(code) => tap(code),
                Gs::Text(text) => self.text(text),
                Gs::Nothing => vec![],
            },
            '\0'..='\u{1a}' => {
                let letter = char::from(u8::try_from(c).unwrap() + b'a' - 1);
                let (code, _) = find(self.layout, &letter.to_string()).unwrap();
                under(&[LEFT_CTRL], code)
            }
            ' ' if !self.alt_mode => tap(SPACE),
            _ if self.alt_mode => bytes_by_alt(c),
            _ => self.keyed(c).unwrap_or_else(|| bytes_by_alt(c)),
        }
    }

    /// By a key, a dead key and a blank, or a dead key and a letter; `None` when the layout has none of them.
    pub(in crate::domain::decode) fn keyed(&self, c: char) -> Option<Vec<Press>> {
        if let Some(key) = find(self.layout, &c.to_string()) {
            return self.stroke(key);
        }
        if let Some(key) = find(self.layout, &format!("{DEAD}{c}")) {
            return Some([self.stroke(key)?, tap(SPACE)].concat());
        }
        "´'`^~¨\"ˇ¸°˘˙˛˝".chars().find_map(|mark| {
            let dead = find(self.layout, &format!("{DEAD}{mark}"))?;
            let letter = ('A'..='z').find(|letter| accent::compose(mark, *letter) == Some(c))?;
            Some([self.stroke(dead)?, self.stroke(find(self.layout, &letter.to_string())?)?].concat())
        })
    }

    /// `None` where CapsLock keeps the character from being typed at all, as it does with a Swiss à.
    fn stroke(&self, (code, level): (u16, usize)) -> Option<Vec<Press>> {
        let level = if self.caps { self.caps_level(code, level)? } else { level };
        let modifiers: &[u16] = match level {
            0 => &[],
            1 => &[LEFT_SHIFT],
            2 => &[ALT_GR],
            _ => &[LEFT_SHIFT, ALT_GR],
        };
        Some(under(modifiers, code))
    }

    fn caps_level(&self, code: u16, level: usize) -> Option<usize> {
        let at = |level| super::Level { shift: level == 1, alt_gr: false };
        if level > 1 {
            return Some(level);
        }
        let wanted = self.layout.glyph(code, at(level));
        (0..2).find(|level| self.layout.glyph_under_caps(code, at(*level)) == wanted)
    }
}

/// The key and level of a cell of the layout's table.
fn find(layout: Layout, wanted: &str) -> Option<(u16, usize)> {
    (0..4).find_map(|level| {
        layout.table().rows.iter().zip(ROWS).find_map(|(row, keys)| {
            let place = cells(row[level]).iter().position(|cell| cell == wanted)?;
            Some((keys[place], level))
        })
    })
}

/// The cells of one row on one level, each a character, with its mark where it is dead.
pub(in crate::domain::decode) fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![];
    let mut chars = row.chars();
    while let Some(c) = chars.next() {
        cells.push(if c == DEAD { format!("{c}{}", chars.next().unwrap()) } else { c.to_string() });
    }
    cells
}

pub(in crate::domain::decode) fn tap(code: u16) -> Vec<Press> {
    vec![(code, 1), (code, 0)]
}

pub(in crate::domain::decode) fn under(modifiers: &[u16], code: u16) -> Vec<Press> {
    let mut presses: Vec<Press> = modifiers.iter().map(|modifier| (*modifier, 1)).collect();
    presses.extend(tap(code));
    presses.extend(modifiers.iter().rev().map(|modifier| (*modifier, 0)));
    presses
}

/// Alt down, digits on the keypad, Alt up.
pub(in crate::domain::decode) fn alt_code(digits: &str) -> Vec<Press> {
    const KEYPAD: [u16; 10] = [82, 79, 80, 81, 75, 76, 77, 71, 72, 73];
    let mut presses = vec![(LEFT_ALT, 1)];
    presses.extend(digits.bytes().flat_map(|digit| tap(KEYPAD[usize::from(digit - b'0')])));
    presses.push((LEFT_ALT, 0));
    presses
}

fn bytes_by_alt(c: char) -> Vec<Press> {
    c.encode_utf8(&mut [0; 4]).bytes().flat_map(|byte| alt_code(&format!("0{byte:03}"))).collect()
}

/// CapsLock pressed once.
pub(in crate::domain::decode) fn caps_lock() -> Vec<Press> {
    tap(CAPS_LOCK)
}
