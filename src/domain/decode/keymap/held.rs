//! Which keys are down.

use super::{ALT_GR, LEFT_ALT, LEFT_CTRL, LEFT_SHIFT, RIGHT_CTRL, RIGHT_SHIFT};

/// The kernel's highest key code is 767 (KEY_MAX).
const WORDS: usize = 12;

pub(super) const MODIFIERS: [u16; 6] = [LEFT_SHIFT, RIGHT_SHIFT, LEFT_CTRL, RIGHT_CTRL, LEFT_ALT, ALT_GR];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Held([u64; WORDS]);

impl Held {
    pub(super) fn of(codes: &[u16]) -> Held {
        let mut held = Held::default();
        for &code in codes {
            held.press(code);
        }
        held
    }

    pub(super) fn has(&self, code: u16) -> bool {
        self.0.get(usize::from(code / 64)).is_some_and(|word| word & bit(code) != 0)
    }

    /// True when it was down already: its key-up was lost.
    pub(super) fn press(&mut self, code: u16) -> bool {
        let was_down = self.has(code);
        if let Some(word) = self.0.get_mut(usize::from(code / 64)) {
            *word |= bit(code);
        }
        was_down
    }

    pub(super) fn release(&mut self, code: u16) {
        if let Some(word) = self.0.get_mut(usize::from(code / 64)) {
            *word &= !bit(code);
        }
    }

    pub(super) fn shift(&self) -> bool {
        self.has(LEFT_SHIFT) || self.has(RIGHT_SHIFT)
    }

    pub(super) fn ctrl(&self) -> bool {
        self.has(LEFT_CTRL) || self.has(RIGHT_CTRL)
    }

    pub(super) fn modifiers(&self) -> impl Iterator<Item = u16> {
        MODIFIERS.into_iter().filter(|code| self.has(*code))
    }
}

fn bit(code: u16) -> u64 {
    1 << (code % 64)
}
