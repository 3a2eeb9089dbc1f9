//! The only place that reads a clock.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

use crate::domain::clock::UNKNOWN_BOOT;
use crate::domain::time::{Now, Wall};

/// An event that the kernel says is older than this was timed by a wall clock that has jumped since.
const OLDEST_EVENT: Duration = Duration::from_secs(60);

pub fn now() -> Now {
    Now { boot: boot(), wall: wall(system_time()) }
}

/// When something happened that the kernel timed by the wall clock, as input events are. `None` when the wall clock was
/// set in between: then nobody knows.
pub fn happened(at: SystemTime) -> Option<Now> {
    let ago = system_time().duration_since(at).ok().filter(|ago| *ago <= OLDEST_EVENT)?;
    Some(Now { boot: boot().checked_sub(ago)?, wall: wall(at) })
}

fn boot() -> Duration {
    let boot = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(boot.tv_sec).unwrap_or(0), u32::try_from(boot.tv_nsec).unwrap_or(0))
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
fn system_time() -> SystemTime {
    SystemTime::now()
}

fn wall(at: SystemTime) -> Wall {
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => Wall(millis(since)),
        Err(before) => Wall(-millis(before.duration())),
    }
}

/// Names this boot, so that boot times of two boots are never compared.
pub fn boot_id() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    read.map_or_else(|_| UNKNOWN_BOOT.to_owned(), |id| id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_a_moment_ago_is_a_moment_ago_on_the_boot_clock_too() {
        let at = system_time() - Duration::from_millis(1500);
        let (then, now) = (happened(at).unwrap(), now());
        let ago = now.boot.checked_sub(then.boot).unwrap();
        assert!(ago >= Duration::from_millis(1499) && ago < OLDEST_EVENT, "{ago:?}");
    }

    #[test]
    fn a_wall_clock_that_was_set_meanwhile_tells_nothing() {
        assert_eq!(happened(system_time() + Duration::from_secs(5)), None);
        assert_eq!(happened(SystemTime::UNIX_EPOCH), None);
    }
}
