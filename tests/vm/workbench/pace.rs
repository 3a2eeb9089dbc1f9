//! The pace of a USB host.

use std::time::{Duration, Instant};

/// A USB host asks a keyboard at fixed times, whatever else goes on: a report goes out at the next of them, never between.
pub(crate) struct Pace {
    period: Duration,
    due: Instant,
}

impl Pace {
    /// With so many reports a second.
    pub(crate) fn of(rate: f64) -> Pace {
        Pace { period: Duration::from_secs_f64(1.0 / rate), due: now() }
    }

    pub(crate) fn wait(&mut self) {
        let early = self.due.saturating_duration_since(now());
        if !early.is_zero() {
            std::thread::sleep(early);
        }
        let woken = now();
        while self.due <= woken {
            self.due += self.period;
        }
    }
}

/// The time between two reports that went out one after the other, in the middle of all such times.
pub(crate) fn median_gap_us(sent: &[Instant]) -> Option<u128> {
    let mut gaps: Vec<Duration> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).map(Duration::as_micros)
}

#[expect(clippy::disallowed_methods, reason = "a typist's pace is no deadline of the product")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
