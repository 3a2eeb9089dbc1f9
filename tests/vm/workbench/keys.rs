//! Which key types a character on a US keyboard, and whether Shift or Ctrl is down with it.

use evdev::KeyCode;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stroke {
    pub(crate) with: Option<KeyCode>,
    pub(crate) key: KeyCode,
}

/// The first key of a row on the keyboard (key codes run along it), what the row types plainly, and what with Shift.
const ROWS: [(KeyCode, &str, &str); 4] = [
    (KeyCode::KEY_1, "1234567890-=", "!@#$%^&*()_+"),
    (KeyCode::KEY_Q, "qwertyuiop[]", "QWERTYUIOP{}"),
    (KeyCode::KEY_A, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
    (KeyCode::KEY_BACKSLASH, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
];

/// None for what such a keyboard has no key for.
pub(crate) fn stroke(character: char) -> Option<Stroke> {
    let plain = |key| Some(Stroke { with: None, key });
    match character {
        '\r' | '\n' => return plain(KeyCode::KEY_ENTER),
        '\t' => return plain(KeyCode::KEY_TAB),
        ' ' => return plain(KeyCode::KEY_SPACE),
        // How keyboard wedges send GS.
        '\u{1d}' => return Some(Stroke { with: Some(KeyCode::KEY_LEFTCTRL), key: KeyCode::KEY_RIGHTBRACE }),
        _ => {}
    }
    ROWS.iter().find_map(|&(first, plainly, shifted)| {
        let key = |place: usize| Some(KeyCode::new(first.code() + u16::try_from(place).ok()?));
        if let Some(place) = plainly.find(character) {
            return Some(Stroke { with: None, key: key(place)? });
        }
        let place = shifted.find(character)?;
        Some(Stroke { with: Some(KeyCode::KEY_LEFTSHIFT), key: key(place)? })
    })
}

/// Every key that a keyboard of the plainest kind has.
pub(crate) fn all() -> impl Iterator<Item = KeyCode> {
    (KeyCode::KEY_ESC.code()..=KeyCode::KEY_KPDOT.code()).map(KeyCode::new)
}
