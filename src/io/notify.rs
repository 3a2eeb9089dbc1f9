//! Tells systemd how it goes (sd_notify). Without systemd, nobody listens and nothing fails.

use std::time::Duration;

use crate::domain::time::Now;

pub fn ready() {
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}

pub fn stopping() {
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
}

/// The proof of life that systemd wants (`WatchdogSec=`). Each one wakes systemd up, so a loop that turns with every scan
/// gives it now and then only.
#[derive(Debug)]
pub struct Watchdog {
    /// Half of what systemd waits for.
    interval: Option<Duration>,
    said: Option<Duration>,
}

impl Watchdog {
    /// As systemd has set it for this process.
    pub fn of_this_process() -> Watchdog {
        Watchdog { interval: sd_notify::watchdog_enabled().map(|limit| limit / 2), said: None }
    }

    /// To be called with each turn of the loop.
    pub fn turned(&mut self, now: Now) {
        if self.is_due(now) {
            self.said = Some(now.boot);
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
    }

    /// How long the loop may sleep; without a watchdog, as long as it likes.
    pub fn patience(&self, now: Now) -> Option<Duration> {
        let said = self.said.unwrap_or(now.boot);
        self.interval.map(|interval| (said + interval).saturating_sub(now.boot))
    }

    /// Early enough that the next turn, which comes after [`Watchdog::patience`] at the latest, is still in time.
    fn is_due(&self, now: Now) -> bool {
        self.interval.is_some_and(|interval| self.said.is_none_or(|said| now.boot >= said + interval / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Wall;

    fn at(seconds: u64) -> Now {
        Now { boot: Duration::from_secs(seconds), wall: Wall(0) }
    }

    #[test]
    fn many_turns_give_few_proofs_of_life_and_never_too_late_a_one() {
        let limit = Duration::from_secs(60);
        let mut watchdog = Watchdog { interval: Some(limit / 2), said: None };
        let (mut now, mut last, mut proofs) = (100, 100, 0);
        for turn in 0..2000_u64 {
            if watchdog.is_due(at(now)) {
                assert!(now - last < limit.as_secs(), "systemd would have ended it");
                (watchdog.said, last, proofs) = (Some(at(now).boot), now, proofs + 1);
            }
            // Bursts of scans, and between them as long a sleep as is allowed.
            now += if turn % 10 == 0 { watchdog.patience(at(now)).unwrap().as_secs() } else { 1 };
        }
        assert!(proofs > 100 && proofs < 600, "{proofs}");
    }

    #[test]
    fn without_a_watchdog_nobody_is_told() {
        let watchdog = Watchdog { interval: None, said: None };
        assert!(!watchdog.is_due(at(100)) && watchdog.patience(at(100)).is_none());
    }
}
