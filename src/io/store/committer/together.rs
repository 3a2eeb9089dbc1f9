//! Journal and index, brought together: at a start, and when an index had to be begun anew. What the index takes for unsent and
//! the journal doesn't have is lost, and the index is all that remembers it.

use std::io;

use super::Committer;
use crate::domain::id::{ChainHead, Sequence};
use crate::domain::outbox::State;
use crate::io::index::{Failed, Index, Known};
use crate::io::journal::{Disk, Recovery};
use crate::wire::index_v2::{IndexV2, StateCode};

/// How many stretches of lost events are named, each in a sentence.
const STRETCHES: usize = 20;
/// Where a lost report is named.
const LISTED: &str = ": tallyman queue list --all says what to do";
/// Where it isn't: it was there, or its number was left out where the disk can't read.
const UNLISTED: &str =
    ", or made it leave numbers out, and nothing more is known of them here: see the device's page in Odoo";

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
        let holes = self.holes(recovery, known);
        said.extend(words_of(&holes, UNLISTED));
        // Of what the index doesn't know, there are only the counts. They may be wrong for ever when receipts were damaged, so
        // they are asked only when something is newly gone.
        let doubtful = known.is_empty() || !lost.is_empty() || !recovery.blank.is_empty();
        let missing = if doubtful { self.unaccounted(known, &holes) } else { 0 };
        for blank in std::mem::take(&mut recovery.blank) {
            // Where nothing is missing, nothing was ever written there.
            if missing == 0 && lost.is_empty() && holes.is_empty() {
                self.journal.disk().remove(blank)?;
            } else {
                let aside = self.journal.disk().set_aside(blank)?;
                said.push(format!("journal segment {blank}: nothing but zeros is left of it, set aside as {aside}"));
            }
        }
        if missing > 0 {
            said.push(format!("{missing} event(s) are neither in the journal nor counted as delivered"));
        }
        said.extend(words_of(&stretches(lost), LISTED));
        Ok(said)
    }

    /// Events that should be in the journal, aren't, and of which the index knows nothing: each stretch with its first and last.
    fn holes(&self, recovery: &Recovery, known: &[Known]) -> Vec<Stretch> {
        let head = self.journal.head().next;
        let missing = match recovery.first {
            Some(first) => {
                let there = self.ledger.sequences().filter(|sequence| *sequence >= first && *sequence < head);
                between(first, there.chain([head]))
            }
            None => recovery.gaps.iter().chain(&recovery.doubtful).copied().collect(),
        };
        let unknown = |(from, to): Stretch| {
            let place = |sequence| known.partition_point(|known| known.sequence() < sequence);
            let named = known.get(place(from)..place(to.next())).unwrap_or_default();
            between(from, named.iter().map(Known::sequence).chain([to.next()]))
        };
        missing.into_iter().flat_map(unknown).collect()
    }

    /// How many events were given a number, are not here, not counted as delivered and not named. A receipt that was counted
    /// twice hides one.
    fn unaccounted(&self, known: &[Known], holes: &[Stretch]) -> u64 {
        let given = self.journal.head().next.0.saturating_sub(1);
        let here =
            self.ledger.undelivered() + self.lost.len() + known.iter().filter(|known| known.is_dismissed()).count();
        let named: u64 = holes.iter().map(|(from, to)| to.0 - from.0 + 1).sum();
        given.saturating_sub(self.journal.delivered()).saturating_sub(here as u64).saturating_sub(named)
    }

    /// Calls lost what the index takes for unsent and the journal doesn't have: nothing leaves the journal before the index
    /// durably knows that it is in Odoo. Says what is newly lost.
    pub(super) fn bring_together(&mut self, known: &[Known]) -> Result<Vec<Sequence>, Failed> {
        let gone = known.iter().filter(|known| self.ledger.get(known.sequence()).is_none());
        let (unsent, others): (Vec<&Known>, Vec<&Known>) = gone.partition(|known| known.is_unsent());
        for known in others.into_iter().filter(|known| known.is_lost()) {
            let value = self.index.read(known.sequence())?;
            self.lost.extend(value.map(|value| (known.sequence(), value)));
        }
        let newly: Vec<Sequence> = unsent.into_iter().map(Known::sequence).collect();
        self.lose(&newly)?;
        Ok(newly)
    }

    /// Remembers that damage took these, durably: from now on the index is all that knows of them.
    pub(super) fn lose(&mut self, newly: &[Sequence]) -> Result<(), Failed> {
        for sequence in newly {
            // Should this fail, so does what follows, and the next index hears of those that could be read.
            let lost = self.index.read(*sequence).ok().flatten().map(IndexV2::lost);
            // One that was delivered, without photos, may go like that.
            self.lost.extend(lost.filter(|value| value.state == StateCode::Lost).map(|value| (*sequence, value)));
        }
        self.health.lost = self.lost.len();
        if newly.is_empty() {
            return Ok(());
        }
        newly.iter().try_for_each(|sequence| self.index.change(*sequence, IndexV2::lost).map(drop))?;
        self.barrier()
    }

    /// Makes durable what the index was told.
    pub(super) fn barrier(&mut self) -> Result<(), Failed> {
        if self.index.is_open() {
            self.index.barrier()?;
            self.forgotten.clear();
        }
        Ok(())
    }

    /// Somebody has seen to lost reports: to this one, by its sequence or id, or to all. Says how many; nothing while there is no
    /// index to remember it.
    pub fn dismiss(&mut self, which: Option<&str>) -> Option<usize> {
        let named = |(sequence, value): &(&Sequence, &IndexV2)| {
            which.is_none_or(|which| which == sequence.0.to_string() || which == value.id().to_string())
        };
        let dismissed: Vec<Sequence> = self.lost.iter().filter(named).map(|(sequence, _)| *sequence).collect();
        let change = |sequence: &Sequence| self.index.change(*sequence, IndexV2::dismissed).map(drop);
        let noted = dismissed.iter().try_for_each(change).and_then(|()| self.barrier());
        if !self.indexing || self.indexed(noted).is_none() {
            return None;
        }
        self.lost.retain(|sequence, _| dismissed.binary_search(sequence).is_err());
        self.health.lost = self.lost.len();
        Some(dismissed.len())
    }

    /// Once a segment is closed, the index knows durably of all in it: should it be damaged or vanish, that is named.
    pub(super) fn index_what_is_closed(&mut self) {
        if self.indexing && self.indexed_up_to != self.journal.current_segment() {
            self.indexed_up_to = self.journal.current_segment();
            self.index_all();
        }
    }

    pub(super) fn index_all(&mut self) {
        if self.indexing {
            let durable = self.barrier();
            self.indexed(durable);
        }
    }

    pub(super) fn indexed<T>(&mut self, result: Result<T, Failed>) -> Option<T> {
        match result {
            Ok(done) => return Some(done),
            // What else has filled the disk is no damage: what the index has stays, its history and what was lost with it.
            Err(failed @ Failed::Full) => {
                tracing::warn!(%failed, "the queue goes on without its index until there is room");
                self.index.shut();
                self.indexing = false;
            }
            Err(failed @ (Failed::BadValue | Failed::Broken(_))) => self.begin_index_anew(&failed.to_string()),
        }
        None
    }

    /// An index that failed is set aside and begun anew from the journal; if even that fails (a full disk), the queue goes on
    /// without one until there is room, or a new start, and the journal keeps all it has.
    pub(super) fn begin_index_anew(&mut self, why: &str) {
        tracing::error!(why, "the index is opened or begun anew");
        let begun = self.index.begin_anew().map_err(|error| error.to_string());
        let filled = begun.and_then(|kept| match self.fill() {
            Ok(()) => Ok(kept),
            Err(failed) => {
                self.index.shut();
                Err(failed.to_string())
            }
        });
        self.indexing = filled.is_ok();
        match filled {
            // It was only absent, for want of room.
            Ok(kept) if kept.is_empty() => {}
            Ok(kept) => self.health.damage.push(format!("{why}: it was rebuilt, and the old one is {kept}")),
            Err(error) => tracing::error!(error, "the queue goes on without an index"),
        }
    }

    /// Writes all that is here, what was lost, and what it may have forgotten of those that are here no longer; one that was
    /// only absent says what else is lost.
    fn fill(&mut self) -> Result<(), Failed> {
        let gone = self.forgotten.iter().chain(&self.lost);
        gone.into_iter().try_for_each(|(sequence, value)| self.index.write(*sequence, value))?;
        let known = self.index.survey()?;
        let newly = self.bring_together(&known)?;
        self.health.damage.extend(words_of(&stretches(&newly), LISTED));
        for sequence in self.ledger.sequences() {
            let state = self.ledger.get(sequence).map_or(State::FRESH, |kept| kept.state().into());
            if let Some(entry) = self.event(sequence).ok().and_then(|event| event.entry(state)) {
                self.index.put(&entry)?;
            }
        }
        self.mark_the_end()?;
        self.barrier()
    }

    /// The index is to know where the chain goes on also when it knows none of its events: should the journal lose its end then,
    /// numbers would be given out twice. True when it didn't.
    pub(super) fn mark_the_end(&mut self) -> Result<bool, Failed> {
        let head = self.journal.head();
        let known = self.index.head().map_or(ChainHead::GENESIS.next, |known| known.next);
        if head.next <= known {
            return Ok(false);
        }
        self.index.write(Sequence(head.next.0 - 1), &IndexV2::end(head.prev))?;
        Ok(true)
    }
}

/// Some events that follow each other: the first and the last.
type Stretch = (Sequence, Sequence);

/// What is missing from `first` on between those that are `there`, the last of which is only the end.
fn between(first: Sequence, there: impl Iterator<Item = Sequence>) -> Vec<Stretch> {
    let mut next = first;
    let mut missing = Vec::new();
    for sequence in there {
        if sequence > next {
            missing.push((next, Sequence(sequence.0 - 1)));
        }
        next = sequence.next();
    }
    missing
}

fn stretches(sequences: &[Sequence]) -> Vec<Stretch> {
    let stretches = sequences.chunk_by(|a, b| a.next() == *b);
    stretches.filter_map(|stretch| Some((*stretch.first()?, *stretch.last()?))).collect()
}

/// What damage took, in words as short as it can be said; `end` says where to look.
fn words_of(stretches: &[Stretch], end: &str) -> Vec<String> {
    let words = stretches.iter().take(STRETCHES).map(|(from, to)| {
        let which = if from == to { format!("report {}", from.0) } else { format!("reports {} to {}", from.0, to.0) };
        format!("damage took {which} from this device{end}")
    });
    let mut words: Vec<String> = words.collect();
    if stretches.len() > STRETCHES {
        let more = stretches.len() - STRETCHES;
        words.push(format!("damage took {more} more stretches of reports from this device{end}"));
    }
    words
}
