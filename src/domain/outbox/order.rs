//! The order in which waiting events leave: oldest first, and those of one document never past each other.
//!
//! An event is held while an earlier one of its document waits for its time or is under way in another request. Only the
//! first of each document is ever looked at, so that neither a lease nor the question what is due walks through a backlog.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::id::Sequence;
use super::super::time::{Deadline, Now};

/// The events of one document, by the hash of its name: two names that hash alike hold each other up now and then, and a
/// name is not kept a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line(u64);

impl Line {
    /// The line of an event about `subject`; one about nothing stands alone.
    pub(super) fn of(subject: &str, sequence: Sequence) -> Line {
        let mut hasher = DefaultHasher::new();
        if subject.is_empty() {
            sequence.hash(&mut hasher)
        } else {
            subject.hash(&mut hasher)
        }
        Line(hasher.finish())
    }
}

#[derive(Debug, Default)]
pub(super) struct Order {
    /// All that wait or are under way.
    lines: BTreeSet<(Line, Sequence)>,
    /// Firsts of their lines that may go.
    ready: BTreeMap<Sequence, Line>,
    /// Firsts of their lines that wait for their time.
    later: BTreeSet<(Deadline, Sequence, Line)>,
    /// The times of all that have one, firsts or not.
    times: BTreeMap<Sequence, Deadline>,
    under_way: BTreeSet<Sequence>,
}

impl Order {
    /// The event waits from here on: it is new, or it comes back. With `until` it waits for that time at least.
    pub(super) fn wait(&mut self, line: Line, sequence: Sequence, until: Option<Deadline>) {
        self.change(line, |order| {
            order.lines.insert((line, sequence));
            order.under_way.remove(&sequence);
            match until {
                Some(until) => order.times.insert(sequence, until),
                None => order.times.remove(&sequence),
            };
        });
    }

    /// The event waits no more, and holds nobody up.
    pub(super) fn leave(&mut self, line: Line, sequence: Sequence) {
        self.change(line, |order| {
            order.lines.remove(&(line, sequence));
            order.under_way.remove(&sequence);
            order.times.remove(&sequence);
        });
    }

    /// Takes what may go at `now`, oldest first, as long as `fits` says so. Events of one document may go together.
    pub(super) fn lease(&mut self, now: Now, mut fits: impl FnMut(Sequence) -> bool) -> Vec<Sequence> {
        self.ripen(now);
        let mut leased = Vec::new();
        while let Some((&sequence, &line)) = self.ready.first_key_value()
            && fits(sequence)
        {
            self.ready.remove(&sequence);
            self.under_way.insert(sequence);
            leased.push((line, sequence));
            if let Some(next) = self.behind(line, sequence)
                && !self.under_way.contains(&next)
                && self.times.get(&next).is_none_or(|at| at.is_past(now))
            {
                self.times.remove(&next);
                self.ready.insert(next, line);
            }
        }
        // Those that came forward for this request and found no place in it wait for its answer.
        for (line, sequence) in &leased {
            if let Some(next) = self.behind(*line, *sequence) {
                self.ready.remove(&next);
            }
        }
        leased.into_iter().map(|(_, sequence)| sequence).collect()
    }

    /// When something may go: at once (`now`), later, or never.
    pub(super) fn next_due(&self, now: Now) -> Option<Deadline> {
        if self.ready.is_empty() { self.later.first().map(|(at, _, _)| *at) } else { Some(Deadline(now.boot)) }
    }

    /// Firsts whose time has come.
    fn ripen(&mut self, now: Now) {
        while let Some(&(at, sequence, line)) = self.later.first()
            && at.is_past(now)
        {
            self.later.pop_first();
            self.times.remove(&sequence);
            self.ready.insert(sequence, line);
        }
    }

    /// Changes a line, and puts its first one, which may be another then, where it belongs.
    fn change(&mut self, line: Line, change: impl FnOnce(&mut Order)) {
        if let Some(first) = self.first(line) {
            self.ready.remove(&first);
            if let Some(at) = self.times.get(&first) {
                self.later.remove(&(*at, first, line));
            }
        }
        change(self);
        let Some(first) = self.first(line).filter(|first| !self.under_way.contains(first)) else { return };
        match self.times.get(&first) {
            Some(at) => {
                self.later.insert((*at, first, line));
            }
            None => {
                self.ready.insert(first, line);
            }
        }
    }

    fn first(&self, line: Line) -> Option<Sequence> {
        self.lines.range((line, Sequence(0))..=(line, Sequence(u64::MAX))).next().map(|(_, sequence)| *sequence)
    }

    fn behind(&self, line: Line, sequence: Sequence) -> Option<Sequence> {
        self.lines.range((line, sequence.next())..=(line, Sequence(u64::MAX))).next().map(|(_, sequence)| *sequence)
    }
}

#[cfg(test)]
mod tests;
