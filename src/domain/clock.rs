//! How far the device's own clock can be trusted: the last offset that Odoo's answers told.

use std::time::Duration;

use super::time::{Now, Wall};

/// Below this, correcting would only add the network's jitter.
const TOLERATED_MS: u64 = 2_000;

/// What a server's `server_time` taught, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Add this to the device's wall clock.
    pub ms: i64,
    /// When it was learnt, on the boot clock; `None` when an earlier boot learnt it.
    pub learnt: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceClock {
    offset: Option<Offset>,
}

/// What travels with an event, so that a reader can judge its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockNote {
    pub boot_id: String,
    pub boot: Duration,
    pub offset_ms: Option<i64>,
    pub offset_age: Option<Duration>,
}

impl DeviceClock {
    /// Starts with the offset that an earlier run kept.
    pub fn remembered(ms: Option<i64>) -> DeviceClock {
        DeviceClock { offset: ms.map(|ms| Offset { ms, learnt: None }) }
    }

    /// The best known time.
    pub fn wall(&self, now: Now) -> Wall {
        self.correct(now.wall)
    }

    /// What the device's own clock showed, put right as far as is known by now.
    pub fn correct(&self, shown: Wall) -> Wall {
        shown.plus_ms(self.offset.map_or(0, |offset| offset.ms))
    }

    /// Takes a server's time. Returns the offset to remember when it changed by more than jitter.
    pub fn learn(&mut self, server: Wall, now: Now) -> Option<i64> {
        let heard = server.0.saturating_sub(now.wall.0);
        let ms = if heard.unsigned_abs() <= TOLERATED_MS { 0 } else { heard };
        let known = self.offset.map(|offset| offset.ms);
        let changed = known.is_none_or(|known| known.abs_diff(ms) > TOLERATED_MS);
        let ms = if changed { ms } else { known.unwrap_or(ms) };
        self.offset = Some(Offset { ms, learnt: Some(now.boot) });
        changed.then_some(ms)
    }

    pub fn note(&self, boot_id: &str, now: Now) -> ClockNote {
        let learnt = self.offset.and_then(|offset| offset.learnt);
        ClockNote {
            boot_id: boot_id.to_owned(),
            boot: now.boot,
            offset_ms: self.offset.map(|offset| offset.ms),
            offset_age: learnt.map(|at| now.boot.saturating_sub(at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { boot: Duration::from_secs(100), wall: Wall(1_000_000) };

    #[test]
    fn a_clock_in_1970_is_corrected_by_the_server() {
        let mut clock = DeviceClock::default();
        assert_eq!(clock.learn(Wall(1_795_414_353_000), NOW), Some(1_795_413_353_000));
        assert_eq!(clock.wall(NOW), Wall(1_795_414_353_000));
    }

    #[test]
    fn jitter_moves_nothing() {
        let mut clock = DeviceClock::default();
        clock.learn(Wall(1_060_000), NOW);
        assert_eq!(clock.learn(Wall(1_061_500), NOW), None);
        assert_eq!(clock.wall(NOW), Wall(1_060_000));
    }

    #[test]
    fn a_right_clock_is_left_alone() {
        let mut clock = DeviceClock::default();
        clock.learn(Wall(1_001_000), NOW);
        assert_eq!(clock.wall(NOW), NOW.wall);
    }

    #[test]
    fn the_note_says_how_old_the_knowledge_is() {
        let mut clock = DeviceClock::remembered(Some(5_000));
        assert_eq!(clock.note("b", NOW).offset_age, None);
        clock.learn(Wall(1_000_000), NOW);
        let later = Now { boot: Duration::from_secs(160), wall: Wall(1_060_000) };
        assert_eq!(clock.note("b", later).offset_age, Some(Duration::from_secs(60)));
    }
}
