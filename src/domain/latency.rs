//! How long the software itself takes with a scan: the last measurements, and what they come to.

use std::time::Duration;

/// The last so many are kept: a shift's worth.
const KEPT: usize = 4096;

/// The last measurements of one stretch, in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    micros: Vec<u32>,
    next: usize,
    count: u64,
}

/// What a [`Ring`] comes to. `count` is of all measurements since the start, the rest of the last ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub count: u64,
    pub p50_us: u32,
    pub p99_us: u32,
    pub max_us: u32,
}

/// The stretches that are measured.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    /// From the read of a scan's last byte or key to the end of the loop's turn with it: decoded, understood, answered.
    pub read_to_understood: Ring,
    /// The same from the kernel's own time of the last key.
    pub kernel_to_understood: Ring,
    /// From the read of the last byte or key of the scan that made a report to the report's being with the journal.
    pub read_to_journal: Ring,
    /// The same from the kernel's own time of the last key.
    pub kernel_to_journal: Ring,
}

impl Ring {
    pub fn add(&mut self, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.count = self.count.saturating_add(1);
        match self.micros.get_mut(self.next) {
            Some(oldest) => *oldest = micros,
            None => self.micros.push(micros),
        }
        self.next = (self.next + 1) % KEPT;
    }

    pub fn summary(&self) -> Summary {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        // The nearest rank: the smallest value that so many percent of all don't exceed.
        let rank = |percent: usize| {
            let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(place).copied().unwrap_or(0)
        };
        Summary { count: self.count, p50_us: rank(50), p99_us: rank(99), max_us: rank(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut ring = Ring::default();
        assert_eq!(ring.summary(), Summary::default());
        for micros in 1..=200 {
            ring.add(Duration::from_micros(micros));
        }
        assert_eq!(ring.summary(), Summary { count: 200, p50_us: 100, p99_us: 198, max_us: 200 });
    }

    #[test]
    fn memory_stays_bounded_and_the_oldest_is_forgotten() {
        let mut ring = Ring::default();
        ring.add(Duration::from_secs(100));
        for _ in 0..KEPT {
            ring.add(Duration::from_micros(7));
        }
        assert_eq!((ring.micros.len(), ring.summary().max_us, ring.summary().count), (KEPT, 7, KEPT as u64 + 1));
    }
}
