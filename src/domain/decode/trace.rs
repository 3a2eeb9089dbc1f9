//! What a device sent, event by event, for the people who set it up: kept only while someone looks.

use std::time::Duration;

/// More than the longest code has, Shift and key-up of every character included.
pub const MAX_STEPS: usize = 4096;

/// One event of a device, and how long after the one before it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub after: Duration,
    pub what: Happening,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A key of a keyboard wedge; `value` is 1 for down, 0 for up, 2 for autorepeat.
    Key { code: u16, value: i32 },
    /// What one read of a serial line, or one report of a HID POS scanner, brought.
    Bytes(Vec<u8>),
    /// The kernel dropped events (SYN_DROPPED).
    Dropped,
}

/// How fast a device sent: between key presses, or between what single reads brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gaps {
    pub count: usize,
    pub min: Duration,
    pub median: Duration,
    pub max: Duration,
}

impl Gaps {
    /// The gaps inside one code; `None` where there is only one press or one read.
    pub fn of(steps: &[Step]) -> Option<Gaps> {
        let mut gaps = Vec::new();
        let (mut since, mut first) = (Duration::ZERO, true);
        for step in steps {
            since = since.saturating_add(step.after);
            let counts = match &step.what {
                Happening::Key { value, .. } => *value == 1,
                Happening::Bytes(_) => true,
                Happening::Dropped => false,
            };
            if counts {
                if !std::mem::replace(&mut first, false) {
                    gaps.push(since);
                }
                since = Duration::ZERO;
            }
        }
        gaps.sort_unstable();
        let (&min, &max) = (gaps.first()?, gaps.last()?);
        Some(Gaps { count: gaps.len(), min, median: *gaps.get(gaps.len() / 2)?, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(after: u64, value: i32) -> Step {
        Step { after: Duration::from_millis(after), what: Happening::Key { code: 30, value } }
    }

    #[test]
    fn gaps_are_between_presses_and_not_between_a_press_and_its_release() {
        let steps = [key(700, 1), key(1, 0), key(1, 1), key(1, 0), key(3, 1)];
        let gaps = Gaps::of(&steps).unwrap();
        let ms = Duration::from_millis;
        assert_eq!((gaps.count, gaps.min, gaps.median, gaps.max), (2, ms(2), ms(4), ms(4)));
        assert_eq!(Gaps::of(&steps[..2]), None);
    }
}
