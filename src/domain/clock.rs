//! What time it is, as far as this device can know: from Odoo's answers, carried on by the clock that never jumps.
//!
//! A device's wall clock jumps, drifts and may start in 1970. Once a server has told its time, this module counts on from
//! there by boot time and no longer asks the wall clock at all. After a new boot it has only the wall clock and the last known
//! offset of it.

use std::time::Duration;

use super::time::{Now, Wall};

/// How fast a clock may be wrong: quartz drifts by 20 to 100 millionths, which is up to 9 s a day.
const DRIFT_PPM: u64 = 100;
/// Below this, correcting the wall clock would only add the network's jitter.
const TOLERATED_MS: u64 = 2_000;

/// A server's time, as heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    pub server: Wall,
    /// From sending the request to having the answer: the server looked at its clock somewhere in between.
    pub round_trip: Duration,
}

/// What is kept for the next boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Add this to the device's wall clock.
    pub ms: i64,
    /// How far that may have been off when it was learnt; unknown in what the first version kept.
    pub uncertainty_ms: Option<u64>,
    /// When it was learnt, by the server's time.
    pub learnt: Option<Wall>,
}

/// A point where server time and boot time were known together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Anchor {
    server: Wall,
    boot: Duration,
    uncertainty: Duration,
}

impl Anchor {
    fn wall(&self, boot: Duration) -> Wall {
        let since = millis(boot).saturating_sub(millis(self.boot));
        self.server.plus_ms(since)
    }

    fn uncertainty(&self, boot: Duration) -> Duration {
        self.uncertainty + drift(boot.saturating_sub(self.boot))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceClock {
    anchor: Option<Anchor>,
    remembered: Option<Offset>,
}

/// What travels with an event, so that a reader can judge its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockNote {
    pub boot_id: String,
    pub boot: Duration,
    /// What was added to the device's own wall clock; `None` when it never heard a server's time.
    pub offset_ms: Option<i64>,
    /// How long ago that was learnt; `None` when an earlier boot learnt it.
    pub offset_age: Option<Duration>,
    /// How far the event's time may be off; `None` when nothing is known about that.
    pub uncertainty: Option<Duration>,
}

impl DeviceClock {
    /// Starts with the offset that an earlier run kept.
    pub fn remembered(offset: Option<Offset>) -> DeviceClock {
        DeviceClock { anchor: None, remembered: offset }
    }

    /// The best known time.
    pub fn wall(&self, now: Now) -> Wall {
        match self.anchor {
            Some(anchor) => anchor.wall(now.boot),
            None => now.wall.plus_ms(self.remembered.map_or(0, |offset| offset.ms)),
        }
    }

    /// What the device's own clock showed in this turn or not long before, put right as far as is known by now.
    pub fn correct(&self, shown: Wall, now: Now) -> Wall {
        shown.plus_ms(self.offset_ms(now).unwrap_or(0))
    }

    fn offset_ms(&self, now: Now) -> Option<i64> {
        match self.anchor {
            Some(anchor) => Some(anchor.wall(now.boot).0.saturating_sub(now.wall.0)),
            None => self.remembered.map(|offset| offset.ms),
        }
    }

    /// Takes a server's time. Returns what to keep for the next boot when that changed by more than jitter.
    pub fn learn(&mut self, heard: Heard, now: Now) -> Option<Offset> {
        let half = heard.round_trip / 2;
        let fresh = Anchor { server: heard.server.plus_ms(millis(half)), boot: now.boot, uncertainty: half };
        // What is known better than this answer can tell stays, as long as the two agree.
        let keep = self.anchor.is_some_and(|known| {
            let apart = Duration::from_millis(known.wall(now.boot).0.abs_diff(fresh.server.0));
            let known = known.uncertainty(now.boot);
            known <= fresh.uncertainty && apart <= known + fresh.uncertainty
        });
        let anchor = *self.anchor.get_or_insert(fresh);
        let anchor = if keep { anchor } else { fresh };
        self.anchor = Some(anchor);
        let ms = anchor.wall(now.boot).0.saturating_sub(now.wall.0);
        let ms = if ms.unsigned_abs() <= TOLERATED_MS { 0 } else { ms };
        if self.remembered.is_some_and(|known| known.ms.abs_diff(ms) <= TOLERATED_MS) {
            return None;
        }
        let uncertainty_ms = u64::try_from(anchor.uncertainty(now.boot).as_millis()).ok();
        self.remembered = Some(Offset { ms, uncertainty_ms, learnt: Some(anchor.wall(now.boot)) });
        self.remembered
    }

    pub fn note(&self, boot_id: &str, now: Now) -> ClockNote {
        ClockNote {
            boot_id: boot_id.to_owned(),
            boot: now.boot,
            offset_ms: self.offset_ms(now),
            offset_age: self.anchor.map(|anchor| now.boot.saturating_sub(anchor.boot)),
            uncertainty: self.uncertainty(now),
        }
    }

    fn uncertainty(&self, now: Now) -> Option<Duration> {
        if let Some(anchor) = self.anchor {
            return Some(anchor.uncertainty(now.boot));
        }
        let Offset { uncertainty_ms, learnt, .. } = self.remembered?;
        let since = self.wall(now).0.saturating_sub(learnt?.0);
        // Before what was known in an earlier boot: the clock was set back or lost its battery, and nothing is known.
        let since = Duration::from_millis(u64::try_from(since).ok()?);
        Some(Duration::from_millis(uncertainty_ms? + TOLERATED_MS) + drift(since))
    }
}

fn drift(over: Duration) -> Duration {
    Duration::from_micros(over.as_secs().saturating_mul(DRIFT_PPM))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { boot: Duration::from_secs(100), wall: Wall(1_000_000) };

    fn later(seconds: u64, wall: i64) -> Now {
        Now { boot: NOW.boot + Duration::from_secs(seconds), wall: Wall(wall) }
    }

    fn heard(server: i64, round_trip_ms: u64) -> Heard {
        Heard { server: Wall(server), round_trip: Duration::from_millis(round_trip_ms) }
    }

    #[test]
    fn a_clock_in_1970_is_corrected_by_the_server() {
        let mut clock = DeviceClock::default();
        let kept = clock.learn(heard(1_795_414_353_000, 0), NOW).unwrap();
        assert_eq!(kept.ms, 1_795_413_353_000);
        assert_eq!(clock.wall(NOW), Wall(1_795_414_353_000));
    }

    #[test]
    fn jitter_is_not_written_down_again() {
        let mut clock = DeviceClock::default();
        assert!(clock.learn(heard(1_060_000, 10), NOW).is_some());
        assert_eq!(clock.learn(heard(1_061_500, 10), NOW), None);
    }

    #[test]
    fn a_wall_clock_that_jumps_moves_nothing_once_the_time_is_known() {
        let mut clock = DeviceClock::default();
        clock.learn(heard(5_000_000, 100), NOW);
        for wall in [0, 1_007_000, 9_000_000_000] {
            let now = later(7, wall);
            assert_eq!(clock.wall(now), Wall(5_007_050));
            assert_eq!(clock.note("b", now).offset_ms, Some(5_007_050 - wall));
        }
    }

    #[test]
    fn a_worse_answer_that_agrees_changes_nothing_and_one_that_contradicts_does() {
        let mut clock = DeviceClock::default();
        clock.learn(heard(5_000_000, 100), NOW);
        clock.learn(heard(4_999_000, 4_000), NOW);
        assert_eq!(clock.wall(NOW), Wall(5_000_050));
        clock.learn(heard(8_000_000, 4_000), NOW);
        assert_eq!(clock.wall(NOW), Wall(8_002_000));
        clock.learn(heard(8_000_000, 20), NOW);
        assert_eq!(clock.wall(NOW), Wall(8_000_010));
    }

    #[test]
    fn the_note_says_how_far_the_time_may_be_off_and_that_grows() {
        let mut clock = DeviceClock::default();
        assert_eq!(clock.note("b", NOW).uncertainty, None);
        clock.learn(heard(1_000_000, 300), NOW);
        let note = clock.note("b", later(86_400, 87_400_000));
        assert_eq!(note.uncertainty, Some(Duration::from_millis(150) + Duration::from_micros(8_640_000)));
        assert_eq!(note.offset_age, Some(Duration::from_secs(86_400)));
    }

    #[test]
    fn what_an_earlier_boot_learnt_holds_unless_the_clock_went_back() {
        let offset = Offset { ms: 5_000, uncertainty_ms: Some(40), learnt: Some(Wall(1_004_000)) };
        let clock = DeviceClock::remembered(Some(offset));
        let note = clock.note("b", NOW);
        assert_eq!((clock.wall(NOW), note.offset_age), (Wall(1_005_000), None));
        assert_eq!(note.uncertainty, Some(Duration::from_micros(2_040_100)));
        // The battery of the clock was empty.
        let reset = Now { wall: Wall(0), ..NOW };
        assert_eq!(clock.note("b", reset).uncertainty, None);
    }
}
