//! The only place that reads a clock.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::domain::time::{Now, Wall};

pub fn now() -> Now {
    let boot = clock_gettime(ClockId::Boottime);
    let wall = clock_gettime(ClockId::Realtime);
    let seconds = u64::try_from(boot.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(boot.tv_nsec).unwrap_or(0);
    Now {
        boot: Duration::new(seconds, nanos),
        wall: Wall(wall.tv_sec.saturating_mul(1000).saturating_add(wall.tv_nsec / 1_000_000)),
    }
}

/// Names this boot, so that boot times of two boots are never compared.
pub fn boot_id() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    read.map_or_else(|_| "unknown".to_owned(), |id| id.trim().to_owned())
}
