//! What time it is, as far as this device can know: from Odoo's answers, carried on by the clock that never jumps.
//!
//! A device's wall clock jumps, drifts and may start in 1970. Once a server has told its time, this module counts on from
//! there by boot time and no longer asks the wall clock at all, for as long as this boot lasts: a new start of the program
//! goes on with it. What an earlier boot measured is no measurement in this one. The wall clock may have stood still while
//! the device was off, or have been set since, so there is only a guess, and the event says that nobody knows how good it is.

use std::time::Duration;

use super::time::{Now, Wall};

/// How fast a clock may be wrong: quartz drifts by 20 to 100 millionths, which is up to 9 s a day. One more, because the time
/// over which it drifts is measured by that same clock.
const DRIFT_PPM: u64 = 101;
/// What is kept is written again when it became wrong or worse by more: less is the network's jitter.
const TOLERATED_MS: u64 = 2_000;
/// What whole milliseconds take away: of the server's time, the half way, a difference of boot times, and the uncertainty.
const ROUNDING: Duration = Duration::from_millis(4);
/// The name of a boot that could not be read: no other start can be told to be in the same one.
pub const UNKNOWN_BOOT: &str = "unknown";

/// A server's time, as heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    pub server: Wall,
    /// From sending the request to having the answer: the server looked at its clock somewhere in between.
    pub round_trip: Duration,
}

/// What is kept for the next start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offset {
    /// What was to be added to the device's wall clock then.
    pub ms: i64,
    /// How far that may have been off when it was learnt; unknown in what the first version kept.
    pub uncertainty_ms: Option<u64>,
    /// When it was learnt, by the server's time.
    pub learnt: Option<Wall>,
    /// When it was learnt, by the boot clock; unknown in what was kept before this was written down.
    pub boot: Option<BootTime>,
}

/// A point on the boot clock of one boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootTime {
    pub id: String,
    pub at: Duration,
}

/// A point where server time and boot time were known together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Anchor {
    server: Wall,
    boot: Duration,
    uncertainty: Duration,
}

impl Anchor {
    fn heard(heard: Heard, boot: Duration) -> Anchor {
        let half = heard.round_trip / 2;
        // A round trip can take minutes, and the clock that measures it drifts too.
        let uncertainty = half.saturating_add(drift(heard.round_trip)).saturating_add(ROUNDING);
        Anchor { server: heard.server.plus_ms(millis(half)), boot, uncertainty }
    }

    /// What an earlier start learnt in this very boot.
    fn kept(offset: &Offset, boot_id: &str) -> Option<Anchor> {
        let boot = offset.boot.as_ref().filter(|boot| boot.id == boot_id && boot_id != UNKNOWN_BOOT)?;
        let uncertainty = Duration::from_millis(offset.uncertainty_ms?);
        Some(Anchor { server: offset.learnt?, boot: boot.at, uncertainty })
    }

    fn wall(&self, boot: Duration) -> Wall {
        let since = millis(boot).saturating_sub(millis(self.boot));
        self.server.plus_ms(since)
    }

    /// How far [`Anchor::wall`] may be off, before the anchor as after it.
    fn uncertainty(&self, boot: Duration) -> Duration {
        self.uncertainty.saturating_add(drift(boot.abs_diff(self.boot)))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceClock {
    boot_id: String,
    anchor: Option<Anchor>,
    /// What the journal has, and as an anchor if it is of this boot.
    remembered: Option<Offset>,
    kept: Option<Anchor>,
}

/// What travels with an event, so that a reader can judge its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockNote {
    pub boot_id: String,
    pub boot: Duration,
    /// What was added to the device's own wall clock; `None` when the event's time is that clock's own.
    pub offset_ms: Option<i64>,
    /// How long ago a server's time was heard; `None` when that wasn't in this boot.
    pub offset_age: Option<Duration>,
    /// How far the event's time and those of its scans may be off; `None` when nothing is known about that.
    pub uncertainty: Option<Duration>,
}

impl DeviceClock {
    /// Starts with what an earlier run kept, in the boot of this name.
    pub fn remembered(offset: Option<Offset>, boot_id: String) -> DeviceClock {
        let anchor = offset.as_ref().and_then(|offset| Anchor::kept(offset, &boot_id));
        DeviceClock { boot_id, anchor, remembered: offset, kept: anchor }
    }

    /// The best known time.
    pub fn wall(&self, now: Now) -> Wall {
        self.anchor.map_or_else(|| self.guess(now), |anchor| anchor.wall(now.boot))
    }

    /// The best known time of something in this boot. It goes by boot time: the wall clock may have been set in between.
    pub fn wall_at(&self, boot: Duration, now: Now) -> Wall {
        match self.anchor {
            Some(anchor) => anchor.wall(boot),
            None => self.guess(now).plus_ms(millis(boot).saturating_sub(millis(now.boot))),
        }
    }

    /// The time where nothing was measured in this boot: the wall clock's, which NTP may have set by now, unless it can't be.
    fn guess(&self, now: Now) -> Wall {
        let Some(known) = &self.remembered else { return now.wall };
        let Some(earliest) = self.earliest(known, now) else { return now.wall };
        if now.wall >= earliest { now.wall } else { now.wall.plus_ms(known.ms).max(earliest) }
    }

    /// Before this it can't be: what was learnt in an earlier boot is older than this one.
    fn earliest(&self, known: &Offset, now: Now) -> Option<Wall> {
        let unsure = i64::try_from(known.uncertainty_ms.unwrap_or(0)).unwrap_or(i64::MAX);
        let told = |id: &str| id != UNKNOWN_BOOT;
        let other = known.boot.as_ref().is_some_and(|boot| boot.id != self.boot_id && told(&boot.id));
        let since = if other && told(&self.boot_id) { millis(now.boot) } else { 0 };
        Some(known.learnt?.plus_ms(unsure.saturating_neg()).plus_ms(since))
    }

    /// Takes a server's time. Returns what to keep for the next start when that changed by more than jitter.
    pub fn learn(&mut self, heard: Heard, now: Now) -> Option<Offset> {
        let fresh = Anchor::heard(heard, now.boot);
        // What is known better than this answer can tell stays, as long as the two agree.
        let better = self.anchor.filter(|known| {
            let apart = Duration::from_millis(known.wall(now.boot).0.abs_diff(fresh.server.0));
            let known = known.uncertainty(now.boot);
            known <= fresh.uncertainty && apart <= known.saturating_add(fresh.uncertainty)
        });
        let anchor = better.unwrap_or(fresh);
        self.anchor = Some(anchor);
        let ms = anchor.wall(now.boot).0.saturating_sub(now.wall.0);
        let ms = if ms.unsigned_abs() <= TOLERATED_MS { 0 } else { ms };
        if self.is_kept(anchor, ms, now) {
            return None;
        }
        // Rounded up, and once more for the difference of boot times.
        let uncertainty_ms =
            u64::try_from(anchor.uncertainty(now.boot).as_millis()).ok().map(|ms| ms.saturating_add(2));
        let boot = Some(BootTime { id: self.boot_id.clone(), at: now.boot });
        self.kept = Some(anchor);
        self.remembered = Some(Offset { ms, uncertainty_ms, learnt: Some(anchor.wall(now.boot)), boot });
        self.remembered.clone()
    }

    /// True when a start in this boot, or in the next, would know as much without writing anything.
    fn is_kept(&self, anchor: Anchor, ms: i64, now: Now) -> bool {
        let Some(kept) = self.kept else { return false };
        let worse = kept.uncertainty(now.boot).saturating_sub(anchor.uncertainty(now.boot));
        worse <= Duration::from_millis(TOLERATED_MS)
            && kept.wall(now.boot).0.abs_diff(anchor.wall(now.boot).0) <= TOLERATED_MS
            && self.remembered.as_ref().is_some_and(|known| known.ms.abs_diff(ms) <= TOLERATED_MS)
    }

    /// What to say of the times in an event that is sealed now; the oldest thing in it is of `oldest`, on the boot clock.
    pub fn note(&self, now: Now, oldest: Duration) -> ClockNote {
        let added = self.wall(now).0.saturating_sub(now.wall.0);
        ClockNote {
            boot_id: self.boot_id.clone(),
            boot: now.boot,
            offset_ms: (self.anchor.is_some() || added != 0).then_some(added),
            offset_age: self.anchor.map(|anchor| now.boot.saturating_sub(anchor.boot)),
            uncertainty: self.anchor.map(|anchor| anchor.uncertainty(now.boot).max(anchor.uncertainty(oldest))),
        }
    }
}

fn drift(over: Duration) -> Duration {
    Duration::from_micros(over.as_secs().saturating_mul(DRIFT_PPM))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
