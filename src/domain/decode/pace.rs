//! Tells a scanner from a person by the rhythm of the keys, where nothing else tells them apart.

use std::time::Duration;

/// A burst of at least so many keys is long enough to be sure.
const ENOUGH: usize = 6;
/// No person keeps this up from key to key; no scanner on USB is slower.
const FAST: Duration = Duration::from_millis(25);
/// No scanner dawdles like this.
const SLOW: Duration = Duration::from_millis(50);
/// So many single keys in a row are typed by a person.
const LONE_KEYS: u8 = 3;
/// The median of the first gaps of a burst is the median of the burst.
const KEPT: usize = 64;

/// What the rhythm of one code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rhythm {
    Scanner,
    Person,
    Unsure,
}

/// Follows the key presses of one keyboard.
#[derive(Debug)]
pub struct Pace {
    gaps: [Duration; KEPT],
    presses: usize,
    last: Duration,
    lone: u8,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { gaps: [Duration::ZERO; KEPT], presses: 0, last: Duration::ZERO, lone: 0 }
    }
}

impl Pace {
    /// One key went down at `at` (boot time); not a modifier, which belongs to the key after it.
    pub fn press(&mut self, at: Duration) {
        if let Some(before) = self.presses.checked_sub(1)
            && let Some(gap) = self.gaps.get_mut(before)
        {
            *gap = at.saturating_sub(self.last);
        }
        (self.presses, self.last) = (self.presses.saturating_add(1), at);
    }

    /// The code is over, by its terminator or by silence: whose was it? The next press begins a new one.
    pub fn end(&mut self) -> Rhythm {
        let presses = std::mem::take(&mut self.presses);
        let count = presses.saturating_sub(1).min(KEPT);
        let gaps = self.gaps.get_mut(..count).unwrap_or_default();
        gaps.sort_unstable();
        let Some(&median) = gaps.get(count / 2) else {
            self.lone = self.lone.saturating_add(u8::from(presses > 0));
            return if self.lone >= LONE_KEYS { Rhythm::Person } else { Rhythm::Unsure };
        };
        self.lone = 0;
        match median {
            fast if fast < FAST && presses >= ENOUGH => Rhythm::Scanner,
            slow if slow >= SLOW => Rhythm::Person,
            _ => Rhythm::Unsure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(gaps: &[u64]) -> Rhythm {
        let mut pace = Pace::default();
        let mut at = 1000;
        pace.press(Duration::from_millis(at));
        for gap in gaps {
            at += gap;
            pace.press(Duration::from_millis(at));
        }
        pace.end()
    }

    #[test]
    fn six_keys_faster_than_a_human_are_a_scanner_and_one_hiccup_changes_nothing() {
        assert_eq!(typed(&[2, 2, 2, 2, 2]), Rhythm::Scanner);
        assert_eq!(typed(&[2, 2, 90, 2, 2, 2]), Rhythm::Scanner);
        assert_eq!(typed(&[1; 200]), Rhythm::Scanner);
    }

    #[test]
    fn a_short_fast_code_tells_nothing() {
        assert_eq!(typed(&[2, 2]), Rhythm::Unsure);
        assert_eq!(typed(&[2, 2, 2, 2]), Rhythm::Unsure);
    }

    #[test]
    fn a_person_is_slow_even_when_some_keys_roll() {
        assert_eq!(typed(&[120, 90, 15, 140, 110, 95]), Rhythm::Person);
        assert_eq!(typed(&[30, 35, 30, 40, 30, 30]), Rhythm::Unsure);
    }

    #[test]
    fn single_keys_between_silences_are_a_person_from_the_third_on() {
        let mut pace = Pace::default();
        let mut key = |at| {
            pace.press(Duration::from_millis(at));
            pace.end()
        };
        assert_eq!([key(0), key(400), key(900)], [Rhythm::Unsure, Rhythm::Unsure, Rhythm::Person]);
    }

    #[test]
    fn silence_without_a_key_tells_nothing() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            assert_eq!(pace.end(), Rhythm::Unsure);
        }
    }
}
