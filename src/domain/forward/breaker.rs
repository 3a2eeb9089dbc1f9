//! The circuit breaker: how long nothing is sent after failures, and how much is sent at once after them.
//!
//! Each failure opens the circuit for longer, within bounds. After some in a row the next request is a probe of one event; a
//! success closes the circuit, and the batch grows back.

use std::time::Duration;

use super::super::outbox::MAX_BATCH;
use super::super::time::{Deadline, Now};

const FIRST_WAIT: Duration = Duration::from_secs(1);
/// What a server may ask for with Retry-After.
pub(super) const HINT: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
/// So many failures in a row, and the next request is a probe.
pub(super) const TRIP: u32 = 3;

#[derive(Debug)]
pub(super) struct Breaker {
    longest_wait: Duration,
    failures: u32,
    not_before: Option<Deadline>,
    /// What the next request may carry.
    batch: usize,
    /// Up to here the batch doubles with each success; beyond, where a request was too much before, it grows by one.
    ceiling: usize,
}

impl Breaker {
    pub(super) fn new(longest_wait: Duration) -> Breaker {
        Breaker { longest_wait, failures: 0, not_before: None, batch: MAX_BATCH, ceiling: MAX_BATCH }
    }

    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    pub(super) fn has_tripped(&self) -> bool {
        self.failures >= TRIP
    }

    /// Until when nothing is sent.
    pub(super) fn until(&self) -> Option<Deadline> {
        self.not_before
    }

    pub(super) fn lets_pass(&self, now: Now) -> bool {
        self.not_before.is_none_or(|at| at.is_past(now))
    }

    /// The answer was the addon's.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.not_before = None;
    }

    /// A batch got through: the next may carry more.
    pub(super) fn grow(&mut self) {
        if self.batch < self.ceiling {
            self.batch = self.batch.saturating_mul(2).min(self.ceiling);
        } else {
            self.batch = self.batch.saturating_add(1).min(MAX_BATCH);
            self.ceiling = self.batch;
        }
    }

    /// A request with `sent` events was too much: the next carries half of them.
    pub(super) fn halve(&mut self, sent: usize) {
        self.ceiling = (sent / 2).max(1);
        self.batch = self.batch.min(self.ceiling);
    }

    /// Waits for as long as the server asked, or by the count of failures, and never less than `floor`.
    pub(super) fn failed(&mut self, asked: Option<Duration>, floor: Duration, now: Now, jitter: u8) {
        let asked = asked.map(|asked| asked.clamp(*HINT.start(), *HINT.end()));
        let wait = asked.unwrap_or_else(|| self.wait(self.failures, jitter));
        self.not_before = Some(now.plus(wait.max(floor.min(self.longest_wait))));
        self.failures = self.failures.saturating_add(1);
        if self.has_tripped() {
            self.batch = 1;
        }
    }

    /// The next request may go at once, as the clock has been set.
    pub(super) fn go_on(&mut self) {
        self.not_before = None;
    }

    /// There is a reason to think that the next request fares better: it may go at `at`, and should it fail all the same, the
    /// waits grow from a short one again.
    pub(super) fn hurry(&mut self, at: Deadline) {
        self.not_before = self.not_before.map(|known| known.min(at));
        self.failures = self.failures.min(TRIP);
    }

    /// Doubles from a second up to the longest wait, spread by a quarter so that a fleet doesn't return in step.
    pub(super) fn wait(&self, failures: u32, jitter: u8) -> Duration {
        let base = FIRST_WAIT.saturating_mul(1 << failures.min(16)).min(self.longest_wait);
        base.mul_f64(0.75 + f64::from(jitter) / 1024.0)
    }
}

#[cfg(test)]
mod tests;
