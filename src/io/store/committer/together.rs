//! Journal and index, brought together: at a start, and when an index had to be begun anew. What the index takes for unsent and
//! the journal doesn't have is lost, and the index is all that remembers it.

use std::io;

use super::Committer;
use crate::domain::id::Sequence;
use crate::domain::outbox::State;
use crate::io::index::{Failed, Index, Known};
use crate::io::journal::{Disk, Recovery};
use crate::wire::index_v2::IndexV2;

/// How many stretches of lost events are named, each in a sentence.
const STRETCHES: usize = 20;

impl<D: Disk, I: Index> Committer<D, I> {
    pub(super) fn survey(&mut self) -> Vec<Known> {
        let known = if self.indexing { self.index.survey() } else { Ok(Vec::new()) };
        self.indexed(known).unwrap_or_default()
    }

    /// What is wrong with the journal, in words. What an earlier start found and the list shows is not said anew.
    pub(super) fn said(
        &mut self,
        recovery: &mut Recovery,
        known: &[Known],
        lost: &[Sequence],
    ) -> io::Result<Vec<String>> {
        let mut said = std::mem::take(&mut recovery.damage);
        let before = |sequence: Sequence| known.partition_point(|known| known.sequence() < sequence) as u64;
        for (from, to) in &recovery.gaps {
            // Those that the index knows are in Odoo, or named as lost.
            if before(to.next()) - before(*from) <= to.0 - from.0 {
                said.push(format!("journal: events {} to {} can't be read any more", from.0, to.0));
            }
        }
        // Without the index there are only the counts.
        let missing = if known.is_empty() { self.unaccounted() } else { 0 };
        for blank in std::mem::take(&mut recovery.blank) {
            // Where nothing is missing, nothing was ever written there.
            if missing == 0 && lost.is_empty() {
                self.journal.disk().remove(blank)?;
            } else {
                let aside = self.journal.disk().set_aside(blank)?;
                said.push(format!("journal segment {blank}: nothing but zeros is left of it, set aside as {aside}"));
            }
        }
        if missing > 0 {
            said.push(format!("{missing} event(s) are neither in the journal nor counted as delivered"));
        }
        said.extend(words_of(lost));
        Ok(said)
    }

    /// How many events were given a number, are not here, and are not counted as delivered. A receipt that was counted twice
    /// hides one.
    fn unaccounted(&self) -> u64 {
        let here = u64::try_from(self.ledger.undelivered()).unwrap_or(u64::MAX);
        self.journal.head().next.0.saturating_sub(1).saturating_sub(self.journal.delivered().saturating_add(here))
    }

    /// Calls lost what the index takes for unsent and the journal doesn't have: nothing leaves the journal before the index
    /// durably knows that it is in Odoo. Says what is newly lost.
    pub(super) fn bring_together(&mut self, known: &[Known]) -> Result<Vec<Sequence>, Failed> {
        let gone = known.iter().filter(|known| self.ledger.get(known.sequence()).is_none());
        let (unsent, others): (Vec<_>, Vec<_>) = gone.partition(|known| known.is_unsent());
        let lost: Vec<Sequence> = unsent.into_iter().map(Known::sequence).collect();
        let before = others.into_iter().filter(|known| known.is_lost()).map(Known::sequence);
        self.lost.extend(before.chain(lost.iter().copied()));
        self.health.lost = self.lost.len();
        if !lost.is_empty() {
            lost.iter().try_for_each(|sequence| self.index.change(*sequence, IndexV2::lost))?;
            // From now on the index is all that knows of them.
            self.index.barrier()?;
        }
        Ok(lost)
    }

    /// Somebody has seen to lost reports, of which there is nothing left to know: to this one, or to all. Says how many.
    pub fn dismiss(&mut self, which: Option<&str>) -> usize {
        let named = |sequence: &Sequence| {
            let id = || self.index.read(*sequence).ok()?.map(|value| value.id().to_string());
            which.is_none_or(|which| which == sequence.0.to_string() || id().is_some_and(|id| id == which))
        };
        let dismissed: Vec<Sequence> = self.lost.iter().copied().filter(named).collect();
        let removed = dismissed.iter().try_for_each(|sequence| self.index.remove(*sequence));
        let removed = removed.and_then(|()| self.index.barrier());
        self.lost.retain(|sequence| dismissed.binary_search(sequence).is_err());
        self.health.lost = self.lost.len();
        self.indexed(removed);
        dismissed.len()
    }

    pub(super) fn indexed<T>(&mut self, result: Result<T, Failed>) -> Option<T> {
        result.map_err(|failed| self.begin_index_anew(&failed.to_string())).ok()
    }

    /// An index that failed is set aside and begun anew from the journal; if even that fails (a full disk), the queue goes on
    /// without one until there is room, or a new start, and the journal keeps all it has.
    pub(super) fn begin_index_anew(&mut self, why: &str) {
        tracing::error!(why, "the index is set aside and begun anew");
        let lost: Vec<_> = self.lost.iter().filter_map(|lost| Some((*lost, self.index.read(*lost).ok()??))).collect();
        let begun = self.index.begin_anew().map_err(|error| error.to_string());
        let filled = begun.and_then(|kept| self.fill(&lost).map(|()| kept).map_err(|failed| failed.to_string()));
        self.indexing = filled.is_ok();
        match filled {
            // It was only absent, for want of room.
            Ok(kept) if kept.is_empty() => {}
            Ok(kept) => self.health.damage.push(format!("{why}: it was rebuilt, and the old one is {kept}")),
            Err(error) => tracing::error!(error, "the queue goes on without an index"),
        }
    }

    /// Writes all that is here, and what is `lost`; one that was only absent says what else is.
    fn fill(&mut self, lost: &[(Sequence, IndexV2)]) -> Result<(), Failed> {
        lost.iter().try_for_each(|(sequence, value)| self.index.write(*sequence, value))?;
        let known = self.index.survey()?;
        let newly = self.bring_together(&known)?;
        self.health.damage.extend(words_of(&newly));
        for sequence in self.ledger.sequences() {
            let state = self.ledger.get(sequence).map_or(State::FRESH, |kept| kept.state().into());
            if let Some(entry) = self.event(sequence).ok().and_then(|event| event.entry(state)) {
                self.index.put(&entry)?;
            }
        }
        Ok(())
    }
}

/// What is newly lost, in words as short as it can be said.
fn words_of(lost: &[Sequence]) -> Vec<String> {
    let stretches: Vec<&[Sequence]> = lost.chunk_by(|a, b| a.next() == *b).collect();
    let words = stretches.iter().take(STRETCHES).filter_map(|stretch| {
        let (from, to) = (stretch.first()?.0, stretch.last()?.0);
        let which = if from == to { format!("report {from}") } else { format!("reports {from} to {to}") };
        Some(format!("damage took {which} from this device: tallyman queue list --all says what to do"))
    });
    let mut words: Vec<String> = words.collect();
    if stretches.len() > STRETCHES {
        let more = stretches.len() - STRETCHES;
        words.push(format!("and {more} more stretches of reports: tallyman queue list --all names them"));
    }
    words
}
