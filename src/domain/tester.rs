//! Testing the scanners: while somebody does, scans are shown to them and make no reports.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::decode::Scan;
use super::decode::trace::{Gaps, Step};
use super::time::{Deadline, Now};

/// How long a tester who says nothing more is still there. Whoever forgets the test page open, or whose terminal died,
/// keeps the scanners from work no longer than this.
pub const LEASE: Duration = Duration::from_secs(60);
/// Scans that are kept to be shown.
pub const SHOWN: usize = 20;
/// A terminal, a page, another page; more at once is a mistake.
const MAX_TESTERS: usize = 8;

/// One scan of a test, with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// Counts from 1 since the agent's start.
    pub number: u64,
    pub scan: Scan,
    pub steps: Vec<Step>,
}

impl Tested {
    pub fn gaps(&self) -> Option<Gaps> {
        Gaps::of(&self.steps)
    }
}

/// Who tests, and what they saw.
#[derive(Debug, Default)]
pub struct Testers {
    leases: Vec<(String, Deadline)>,
    scans: VecDeque<Arc<Tested>>,
    count: u64,
}

impl Testers {
    /// Somebody tests, or still does. False when there are too many.
    pub fn stay(&mut self, who: &str, now: Now) -> bool {
        self.leases.retain(|(known, until)| known != who && !until.is_past(now));
        let room = self.leases.len() < MAX_TESTERS;
        if room {
            self.leases.push((who.to_owned(), now.plus(LEASE)));
        }
        room
    }

    pub fn leave(&mut self, who: &str) {
        self.leases.retain(|(known, _)| known != who);
    }

    pub fn is_any(&self, now: Now) -> bool {
        self.leases.iter().any(|(_, until)| !until.is_past(now))
    }

    /// When the last tester is gone unless somebody says something.
    pub fn until(&self) -> Option<Deadline> {
        self.leases.iter().map(|(_, until)| *until).max()
    }

    /// Keeps a scan to be shown.
    pub fn show(&mut self, scan: Scan, steps: Vec<Step>) {
        self.count += 1;
        if self.scans.len() == SHOWN {
            self.scans.pop_front();
        }
        self.scans.push_back(Arc::new(Tested { number: self.count, scan, steps }));
    }

    /// The last scans of tests, the oldest first.
    pub fn scans(&self) -> impl Iterator<Item = &Arc<Tested>> {
        self.scans.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::{RawScan, decode};
    use super::super::time::Wall;
    use super::*;

    fn at(seconds: u64) -> Now {
        Now { boot: Duration::from_secs(seconds), wall: Wall(0) }
    }

    #[test]
    fn a_test_lasts_until_the_last_tester_leaves_or_falls_silent() {
        let mut testers = Testers::default();
        assert!(!testers.is_any(at(0)));
        assert!(testers.stay("terminal", at(0)) && testers.stay("page", at(30)));
        assert!(testers.is_any(at(89)) && !testers.is_any(at(90)));
        testers.stay("page", at(80));
        testers.leave("page");
        assert!(!testers.is_any(at(80)), "the terminal fell silent at 60");
    }

    #[test]
    fn too_many_testers_are_told_so() {
        let mut testers = Testers::default();
        assert!((0..MAX_TESTERS).all(|n| testers.stay(&n.to_string(), at(0))));
        assert!(!testers.stay("one more", at(0)) && testers.stay("0", at(0)) && testers.stay("one more", at(60)));
    }

    #[test]
    fn the_last_scans_are_kept_and_no_more() {
        let mut testers = Testers::default();
        let raw =
            RawScan { source: "dock".into(), bytes: b"A".into(), at: at(0), flaws: vec![], trace: vec![], typed: None };
        (0..50).for_each(|_| testers.show(decode(raw.clone()), vec![]));
        let numbers: Vec<u64> = testers.scans().map(|tested| tested.number).collect();
        assert_eq!((numbers.len(), numbers[0], numbers[SHOWN - 1]), (SHOWN, 31, 50));
    }
}
