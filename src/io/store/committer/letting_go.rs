//! What lets the journal shrink: events that are wholly in Odoo are forgotten, old ones that still wait are carried.

use super::Committer;
use crate::domain::id::{Digest, Sequence};
use crate::io::index::{Failed, Index};
use crate::io::journal::Disk;
use crate::io::store::StoreError;
use crate::wire::index_v2::IndexV2;
use crate::wire::journal_v2::Record;

/// The journal may take so many segments before events that pin old ones are carried.
const ROOMY_SEGMENTS: u64 = 4;
/// When so many events were forgotten, the index is made to know durably what became of them.
const FORGOTTEN: usize = 1024;
/// So often a bad block may keep the oldest segment from being carried before it is believed: a card with a loose contact has
/// them for some seconds.
const DOUBTS: u32 = 16;
/// Events carried in one write.
const CARRY: usize = 256;

impl<D: Disk, I: Index> Committer<D, I> {
    /// These events are wholly in Odoo: the journal may forget them, when the index knows.
    pub fn settled(&mut self, sequences: &[Sequence]) {
        self.settling.extend_from_slice(sequences);
        // That they are in Odoo isn't written yet: until then, theirs is all that the journal has.
        if self.owed.is_empty() && self.indexing {
            let settling = std::mem::take(&mut self.settling);
            self.settle(settling);
        }
    }

    fn settle(&mut self, mut sequences: Vec<Sequence>) {
        // One whose receipt was dropped, because the disk didn't keep up, stays, and is sent again after the next start.
        sequences.retain(|sequence| !self.has(*sequence) || self.ledger.is_delivered(*sequence));
        let noted: Result<Vec<_>, _> = sequences.iter().map(|sequence| self.note_settled(*sequence)).collect();
        let Some(noted) = self.indexed(noted) else {
            // The next index is to know of it first.
            self.settling.append(&mut sequences);
            return;
        };
        self.forgotten.extend(noted.into_iter().flatten());
        sequences.iter().for_each(|sequence| self.ledger.forget(*sequence));
        if self.forgotten.len() >= FORGOTTEN {
            self.index_all();
        }
        self.trim();
        while self.indexing && self.is_roomy() && self.carry() {
            self.trim();
        }
    }

    fn note_settled(&mut self, sequence: Sequence) -> Result<Option<(Sequence, IndexV2)>, Failed> {
        Ok(self.index.change(sequence, IndexV2::settled)?.map(|value| (sequence, value)))
    }

    /// Lets segments go in which nothing lives, as the index durably knows: what it takes for unsent, and isn't here, is lost.
    fn trim(&mut self) {
        let needed = self.ledger.oldest_segment().unwrap_or(self.journal.current_segment());
        if self.journal.span().0 >= needed || !self.indexing {
            return;
        }
        let durable = self.barrier();
        if self.indexed(durable).is_none() || !self.indexing {
            return;
        }
        match self.journal.trim(needed) {
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => {
                tracing::warn!(%error, "old journal segments could not be deleted; that is tried again");
                return;
            }
        }
        let retained = self.index.retain(self.ledger.count() + self.lost.len());
        self.indexed(retained);
    }

    /// Whether the journal takes more than it should for what lives in it.
    fn is_roomy(&self) -> bool {
        let segment = self.journal.segment_bytes();
        self.journal.size() > (ROOMY_SEGMENTS * segment).max(2 * self.ledger.bytes() + segment)
    }

    /// Writes what lives in the oldest segment again, behind everything else, so that the segment can go. False when that
    /// can't be done now.
    fn carry(&mut self) -> bool {
        let (oldest, current) = self.journal.span();
        let (mut inside, mut unreadable) = (Vec::new(), Vec::new());
        for sequence in self.ledger.within(oldest) {
            match self.is_readable(sequence) {
                Ok(true) => inside.push(sequence),
                Ok(false) => unreadable.push(sequence),
                Err(error) => {
                    self.doubted += u32::from(matches!(error, StoreError::BadBlock(_)));
                    tracing::warn!(%error, "an event could not be read back now; that is tried again");
                    return false;
                }
            }
        }
        self.doubted = 0;
        if oldest != current && !unreadable.is_empty() && !self.let_go(oldest, &unreadable) {
            return false;
        }
        // Nothing lives there, and yet it couldn't be deleted: carrying doesn't help.
        if oldest == current || (inside.is_empty() && unreadable.is_empty()) {
            return false;
        }
        for sequences in inside.chunks(CARRY) {
            let records: Vec<Record> = sequences.iter().filter_map(|sequence| self.carried(*sequence)).collect();
            // It was there a moment ago.
            if records.len() < sequences.len() {
                return false;
            }
            if let Err(error) = self.append(&records.iter().collect::<Vec<_>>()) {
                tracing::warn!(%error, "old events could not be carried; that is tried again");
                return false;
            }
        }
        true
    }

    /// False when the bytes are damaged or gone; an error may pass.
    fn is_readable(&self, sequence: Sequence) -> Result<bool, StoreError> {
        let Some(kept) = self.ledger.get(sequence) else { return Ok(false) };
        match self.journal.read(kept.at()) {
            Ok(record) => Ok(matches!(record, Record::Event(_) | Record::Carried { .. })),
            Err(error) => match StoreError::of_read(&error) {
                StoreError::Unreadable(_) => Ok(false),
                StoreError::BadBlock(_) if self.doubted >= DOUBTS => Ok(false),
                error @ (StoreError::Disk(_)
                | StoreError::Full
                | StoreError::Busy
                | StoreError::Stopped
                | StoreError::BadBlock(_)) => Err(error),
            },
        }
    }

    /// Events that can't be read back don't hold their segment and all behind it: it is kept for a person, who may read it by
    /// better means, and they are lost. False when it could not be kept.
    fn let_go(&mut self, segment: u64, unreadable: &[Sequence]) -> bool {
        let kept = match self.journal.keep(segment) {
            Ok(kept) => kept.map_or_else(String::new, |kept| format!("; it is kept as {kept}")),
            Err(error) => {
                tracing::warn!(%error, segment, "a damaged journal segment could not be kept; that is tried again");
                return false;
            }
        };
        let count = unreadable.len();
        let words = format!("journal segment {segment}: {count} event(s) in it can't be read back any more{kept}");
        tracing::error!(damage = words, "the journal is damaged");
        self.health.damage.push(words);
        unreadable.iter().for_each(|sequence| self.ledger.forget(*sequence));
        let lost = self.lose(unreadable);
        self.indexed(lost);
        true
    }

    fn carried(&self, sequence: Sequence) -> Option<Record> {
        let event = self.event(sequence).ok()?;
        let done = self.ledger.photos_done();
        let is_done = |digest: &&String| Digest::parse(digest).is_some_and(|digest| done.contains(&digest));
        let photos_there = event.photos.iter().map(|photo| &photo.digest).filter(is_done).cloned().collect();
        let state = self.ledger.get(sequence)?.state();
        Some(Record::Carried { event, state, photos_there })
    }
}
