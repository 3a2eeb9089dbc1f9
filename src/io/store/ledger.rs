//! What the journal's records add up to: each event that is not wholly in Odoo, where it lies, and what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::id::{Digest, Sequence};
use crate::domain::receipt::Refusal;
use crate::domain::shared::Shared;
use crate::io::journal::Location;
use crate::wire::journal_v2::{EventRecord, Record, StateRecord};

#[derive(Debug)]
pub(super) struct Kept {
    at: Packed,
    /// `None` while it is pending, which most are.
    state: Option<Arc<StateRecord>>,
}

/// A [`Location`] in half the room: there may be 200,000, and none of its numbers comes near 2^32.
#[derive(Clone, Copy, Debug)]
struct Packed {
    segment: u32,
    offset: u32,
    length: u32,
    place: u32,
}

impl From<Location> for Packed {
    fn from(at: Location) -> Packed {
        // What didn't fit would read back as damaged, never as something else: the record says its place itself.
        let pack = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Packed { segment: pack(at.segment), offset: pack(at.offset), length: at.length, place: pack(at.place) }
    }
}

impl Kept {
    pub(super) fn at(&self) -> Location {
        let Packed { segment, offset, length, place } = self.at;
        Location { segment: segment.into(), offset: offset.into(), length, place: place.into() }
    }

    pub(super) fn state(&self) -> StateRecord {
        self.state.as_deref().cloned().unwrap_or(StateRecord::Pending)
    }
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    events: BTreeMap<Sequence, Kept>,
    /// The photos of each event, and how many events name each: reports have few photos, and most have none.
    photos: BTreeSet<(Sequence, Digest)>,
    named: BTreeMap<Digest, u32>,
    /// Photos that are in Odoo, or lost, while an event that named them before that is still here.
    photos_done: BTreeSet<Digest>,
    /// What the events take in the journal.
    bytes: u64,
    /// How many of them lie in each segment.
    segments: BTreeMap<u64, usize>,
    /// What became of them.
    states: Shared<StateRecord>,
}

fn untold() -> StateRecord {
    let Refusal { code, message } = Refusal::untold();
    StateRecord::Parked { code, message }
}

impl Ledger {
    /// Follows one record; to be called in the journal's order.
    pub(super) fn record(&mut self, record: &Record, at: Location) {
        match record {
            Record::Event(event) => {
                self.place(event, at, None);
                // Whatever became of such a photo before was an earlier report's: this one's file was there when it was saved.
                for digest in event.photos.iter().filter_map(|photo| Digest::parse(&photo.digest)) {
                    self.photos_done.remove(&digest);
                }
            }
            Record::Carried { event, state, photos_there } => {
                self.place(event, at, Some(state));
                self.photos(photos_there);
            }
            Record::Delivered { sequence, case, photos_there } => {
                self.set(*sequence, StateRecord::Delivered { case: case.clone() });
                self.photos(photos_there);
            }
            Record::Parked { sequence, code, message } => {
                self.set(*sequence, StateRecord::Parked { code: code.clone(), message: message.clone() });
            }
            Record::Returned { sequence } => self.set(*sequence, StateRecord::Pending),
            Record::PhotoSent { digest } | Record::PhotoLost { digest, .. } => {
                self.photos(std::slice::from_ref(digest));
            }
            Record::Offset { .. } => {}
        }
    }

    fn place(&mut self, event: &EventRecord, at: Location, state: Option<&StateRecord>) {
        let state = state.cloned().and_then(|state| self.keep(state));
        self.forget(Sequence(event.sequence));
        self.bytes += u64::from(at.length);
        *self.segments.entry(at.segment).or_default() += 1;
        self.events.insert(Sequence(event.sequence), Kept { at: at.into(), state });
        for digest in event.photos.iter().filter_map(|photo| Digest::parse(&photo.digest)) {
            if self.photos.insert((Sequence(event.sequence), digest)) {
                *self.named.entry(digest).or_default() += 1;
            }
        }
    }

    fn set(&mut self, sequence: u64, state: StateRecord) {
        if self.events.contains_key(&Sequence(sequence)) {
            let state = self.keep(state);
            self.events.entry(Sequence(sequence)).and_modify(|kept| kept.state = state);
        }
    }

    fn keep(&mut self, state: StateRecord) -> Option<Arc<StateRecord>> {
        match state {
            StateRecord::Pending => None,
            StateRecord::Delivered { .. } => Some(Arc::new(state)),
            StateRecord::Parked { .. } => Some(self.states.keep(state, untold)),
        }
    }

    fn photos(&mut self, digests: &[String]) {
        let parsed = digests.iter().filter_map(|digest| Digest::parse(digest));
        self.photos_done.extend(parsed.filter(|digest| self.named.contains_key(digest)));
    }

    /// Lets go of what is known of an event's photos, but for those that another event names.
    fn forget_photos(&mut self, sequence: Sequence) {
        let its = (sequence, Digest([0; 32]))..=(sequence, Digest([u8::MAX; 32]));
        let digests: Vec<Digest> = self.photos.range(its).map(|(_, digest)| *digest).collect();
        for digest in digests {
            self.photos.remove(&(sequence, digest));
            let left = self.named.get(&digest).map_or(0, |count| count.saturating_sub(1));
            if left == 0 {
                self.named.remove(&digest);
                self.photos_done.remove(&digest);
            } else {
                self.named.insert(digest, left);
            }
        }
    }

    /// The event is wholly in Odoo.
    pub(super) fn forget(&mut self, sequence: Sequence) {
        if let Some(kept) = self.events.remove(&sequence) {
            self.bytes -= u64::from(kept.at().length);
            if let Some(count) = self.segments.get_mut(&kept.at().segment) {
                *count -= 1;
            }
            self.segments.retain(|_, count| *count > 0);
        }
        self.forget_photos(sequence);
    }

    pub(super) fn get(&self, sequence: Sequence) -> Option<&Kept> {
        self.events.get(&sequence)
    }

    /// The journal says that it is in Odoo.
    pub(super) fn is_delivered(&self, sequence: Sequence) -> bool {
        let state = self.events.get(&sequence).and_then(|kept| kept.state.as_deref());
        matches!(state, Some(StateRecord::Delivered { .. }))
    }

    /// How many are not in Odoo.
    pub(super) fn undelivered(&self) -> usize {
        self.events.keys().filter(|sequence| !self.is_delivered(**sequence)).count()
    }

    pub(super) fn count(&self) -> usize {
        self.events.len()
    }

    pub(super) fn sequences(&self) -> impl Iterator<Item = Sequence> {
        self.events.keys().copied()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn photos_done(&self) -> &BTreeSet<Digest> {
        &self.photos_done
    }

    /// The oldest segment that an event here lies in.
    pub(super) fn oldest_segment(&self) -> Option<u64> {
        self.segments.keys().next().copied()
    }

    /// The events that lie in a segment.
    pub(super) fn within(&self, segment: u64) -> Vec<Sequence> {
        let inside = self.events.iter().filter(|(_, kept)| kept.at().segment == segment);
        inside.map(|(sequence, _)| *sequence).collect()
    }
}

#[cfg(test)]
mod tests;
