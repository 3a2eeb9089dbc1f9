//! Two clocks, because neither is enough: boot time never jumps, wall time means something to a person.

use std::fmt;
use std::time::Duration;

/// One reading of both clocks, taken once a turn of the agent's loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since boot, suspend included (CLOCK_BOOTTIME). Orders things and drives deadlines.
    pub boot: Duration,
    /// The device's own wall clock, which may jump, drift, or start in 1970.
    pub wall: Wall,
}

impl Now {
    /// A deadline `after` from here, on the clock that doesn't jump.
    pub fn plus(&self, after: Duration) -> Deadline {
        Deadline(self.boot.saturating_add(after))
    }
}

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Wall(pub i64);

impl Wall {
    pub fn plus_ms(self, ms: i64) -> Wall {
        Wall(self.0.saturating_add(ms))
    }

    /// Reads an RFC 3339 time; `None` when it isn't one.
    pub fn parse(text: &str) -> Option<Wall> {
        text.parse::<jiff::Timestamp>().ok().map(|at| Wall(at.as_millisecond()))
    }
}

/// RFC 3339 in UTC with milliseconds, the form that the wire uses.
impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Outside jiff's range (year 9999) a nonsense clock still gets a readable, parseable time.
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{at:.3}")
    }
}

/// A point on the boot clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Duration);

impl Deadline {
    pub fn is_past(self, now: Now) -> bool {
        now.boot >= self.0
    }

    /// How long from `now`; zero when it is past.
    pub fn remaining(self, now: Now) -> Duration {
        self.0.saturating_sub(now.boot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_prints_rfc_3339_with_milliseconds() {
        assert_eq!(Wall(1_795_414_353_120).to_string(), "2026-11-23T06:12:33.120Z");
        assert_eq!(Wall(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn wall_time_reads_back_what_it_printed() {
        let at = Wall(1_795_414_353_123);
        assert_eq!(Wall::parse(&at.to_string()), Some(at));
        assert_eq!(Wall::parse("yesterday"), None);
    }

    #[test]
    fn a_clock_beyond_the_calendar_still_prints() {
        assert!(Wall(i64::MAX).to_string().ends_with('Z'));
    }
}
