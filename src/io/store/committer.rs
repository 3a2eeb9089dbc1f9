//! What the committer's thread does: the journal first, then the promise, then the index.

use std::collections::BTreeMap;
use std::io;

use tokio::sync::oneshot;

use super::StoreError;
use super::ledger::Ledger;
use crate::domain::clock::Offset;
use crate::domain::id::{ChainHead, Digest, Sequence};
use crate::domain::outbox::{Entry, Outbox, State};
use crate::domain::room::Room;
use crate::domain::time::Wall;
use crate::domain::view::Row;
use crate::io::index::{Failed, Index, Known};
use crate::io::journal::{Disk, Journal, Location};
use crate::wire::journal_v2::{self, EventRecord, Record};

/// The journal may take so many segments before events that pin old ones are carried.
const ROOMY_SEGMENTS: u64 = 4;
/// Records that may be owed to the journal; one that is dropped is learnt again when its report is sent again.
const OWED: usize = 1024;
/// Events carried in one write.
const CARRY: usize = 256;

/// A record on its way to the disk.
#[derive(Debug)]
pub struct Append {
    pub record: Record,
    /// The state that the index learns with it.
    pub entry: Option<Box<Entry>>,
    /// Told when the disk has it.
    pub done: oneshot::Sender<Result<(), StoreError>>,
}

/// What a start finds on the disk.
#[derive(Debug)]
pub struct Found {
    pub outbox: Outbox,
    pub head: ChainHead,
    /// The last known offset of the clock.
    pub offset: Option<Offset>,
    /// What was damaged and set aside, in words.
    pub damage: Vec<String>,
}

/// How the store is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    pub room: Room,
    /// What broke since the start, in words.
    pub damage: Vec<String>,
}

#[derive(Debug)]
pub struct Committer<D, I> {
    journal: Journal<D>,
    index: I,
    /// False when it failed and no new one could be begun: the queue goes on without it.
    indexing: bool,
    ledger: Ledger,
    /// What could not be written yet.
    owed: Vec<Append>,
    /// What can be forgotten when that is written.
    settling: Vec<Sequence>,
    health: Health,
}

impl<D: Disk, I: Index> Committer<D, I> {
    /// Opens the journal and brings the index together with it; `damage` is what opening the index found.
    pub fn open(disk: D, segment_bytes: u64, index: I, damage: Vec<String>) -> io::Result<(Committer<D, I>, Found)> {
        let mut replay = Replay::default();
        let each = |record, at| replay.record(&record, at);
        let (journal, recovery) = Journal::open(disk, segment_bytes, index.head(), each)?;
        if recovery.torn > 0 {
            tracing::info!(bytes = recovery.torn, "an unfinished write was left out; it had not been acknowledged");
        }
        let Replay { ledger, mut entries, offset, photos_lost, damage: unreadable } = replay;
        let (owed, settling, health) = Default::default();
        let indexing = index.is_open();
        let mut committer = Committer { journal, index, indexing, ledger, owed, settling, health };
        let mut damage = [damage, recovery.damage, unreadable].concat();
        let known = committer.survey();
        damage.extend(committer.lost(&known, recovery.first.unwrap_or(Sequence(0)), &entries));

        let mut outbox = Outbox::new(committer.journal.delivered());
        let done = committer.ledger.photos_done().clone();
        for (sequence, entry) in &mut entries {
            entry.state = committer.ledger.get(*sequence).map_or(State::FRESH, |kept| kept.state().into());
        }
        let stale = Known::stale(&known, entries.values().map(|entry| &**entry));
        stale.iter().filter_map(|sequence| entries.get(sequence)).for_each(|entry| committer.note(entry));
        drop(known);
        while let Some((_, entry)) = entries.pop_first() {
            let there: Vec<_> =
                entry.photos.iter().map(|photo| photo.digest).filter(|digest| done.contains(digest)).collect();
            outbox.admit(entry, &there);
        }
        photos_lost.iter().for_each(|(digest, why)| outbox.remember_lost(*digest, why));
        committer.settled(&outbox.take_settled());
        committer.look_at_room();
        damage.append(&mut committer.health.damage);
        let head = committer.journal.head();
        Ok((committer, Found { outbox, head, offset, damage }))
    }

    fn survey(&mut self) -> Vec<Known> {
        let known = if self.indexing { self.index.survey() } else { Ok(Vec::new()) };
        self.indexed(known).unwrap_or_default()
    }

    /// The index is asked what the journal may have lost.
    fn lost(&mut self, known: &[Known], first: Sequence, entries: &BTreeMap<Sequence, Box<Entry>>) -> Vec<String> {
        let there = |sequence| entries.contains_key(&sequence);
        let lost = self.index.reconcile(known, first, &there);
        let lost = self.indexed(lost).unwrap_or_default();
        lost.iter().map(|lost| format!("event {} is in the index, but its bytes are damaged or gone", lost.0)).collect()
    }

    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Makes the records durable with one wait for the disk and keeps their promises; each one's fate is told to it alone. A
    /// report that can't be written is refused: somebody stands there. What was learnt about those that are here is written
    /// with the next.
    pub fn commit(&mut self, group: &mut Vec<Append>) {
        if group.is_empty() {
            return;
        }
        self.look_at_room();
        let mut all = std::mem::take(&mut self.owed);
        all.append(group);
        if self.health.room == Room::Low {
            refuse(&mut all, &StoreError::Full);
        }
        let written = match self.append_all(&all) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                give_up_the_unwritable(&mut all);
                self.append_all(&all)
            }
            written => written,
        };
        match written {
            Ok(()) => {
                let entries: Vec<_> = all
                    .into_iter()
                    .filter_map(|Append { entry, done, .. }| {
                        // The asker may have been stopped meanwhile: the record is durable all the same.
                        let _ = done.send(Ok(()));
                        entry
                    })
                    .collect();
                entries.iter().for_each(|entry| self.note(entry));
            }
            Err(error) => {
                tracing::error!(%error, "the journal could not be written");
                refuse(&mut all, &StoreError::of(&error));
                all.truncate(OWED);
                self.owed = all;
            }
        }
        if self.owed.is_empty() && !self.settling.is_empty() {
            let settled = std::mem::take(&mut self.settling);
            self.settled(&settled);
        }
    }

    fn append_all(&mut self, all: &[Append]) -> io::Result<()> {
        self.append(&all.iter().map(|append| &append.record).collect::<Vec<_>>())
    }

    fn append(&mut self, records: &[&Record]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let locations = self.journal.append(records)?;
        records.iter().copied().zip(locations).for_each(|(record, at)| self.ledger.record(record, at));
        Ok(())
    }

    /// The JWS of an event.
    pub fn read(&self, sequence: Sequence) -> Result<String, StoreError> {
        self.event(sequence).map(|event| event.jws)
    }

    fn event(&self, sequence: Sequence) -> Result<EventRecord, StoreError> {
        let gone = || StoreError::Disk(format!("event {} is no longer in the journal", sequence.0));
        let at = self.ledger.get(sequence).ok_or_else(gone)?.at();
        match self.journal.read(at) {
            Ok(Record::Event(event) | Record::Carried { event, .. }) => Ok(event),
            Ok(_) => Err(gone()),
            Err(error) => Err(StoreError::of(&error)),
        }
    }

    pub fn delivered(&self, most: usize) -> Vec<Row> {
        if self.indexing { self.index.delivered(most) } else { Vec::new() }
    }

    /// These events are wholly in Odoo: the journal may forget them.
    pub fn settled(&mut self, sequences: &[Sequence]) {
        if !self.owed.is_empty() {
            // That they are in Odoo isn't written yet: until then, theirs is all that the journal has.
            self.settling.extend_from_slice(sequences);
            return;
        }
        sequences.iter().for_each(|sequence| self.ledger.forget(*sequence));
        self.trim();
        while self.is_roomy() && self.carry() {
            self.trim();
        }
    }

    fn trim(&mut self) {
        let needed = self.ledger.oldest_segment().unwrap_or(self.journal.current_segment());
        match self.journal.trim(needed) {
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => {
                tracing::warn!(%error, "old journal segments could not be deleted; that is tried again");
                return;
            }
        }
        if self.indexing {
            let retained = self.index.retain(self.ledger.count());
            self.indexed(retained);
        }
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
        let inside = self.ledger.within(oldest);
        // Nothing lives there, and yet it couldn't be deleted: carrying doesn't help.
        if oldest == current || inside.is_empty() {
            return false;
        }
        for sequences in inside.chunks(CARRY) {
            let records: Vec<Record> = sequences.iter().filter_map(|sequence| self.carried(*sequence)).collect();
            // One that is damaged stays where it is, and holds its segment: it may be read by better means.
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

    fn carried(&self, sequence: Sequence) -> Option<Record> {
        let event = self.event(sequence).ok()?;
        let done = self.ledger.photos_done();
        let is_done = |digest: &&String| Digest::parse(digest).is_some_and(|digest| done.contains(&digest));
        let photos_there = event.photos.iter().map(|photo| &photo.digest).filter(is_done).cloned().collect();
        let state = self.ledger.get(sequence)?.state();
        Some(Record::Carried { event, state, photos_there })
    }

    /// Takes note of what else fills the disk or makes room on it.
    pub fn look_at_room(&mut self) {
        if let Err(error) = self.journal.take_back() {
            tracing::warn!(%error, "what a failed write left could not be taken back; that is tried again");
        }
        let Ok(free) = self.journal.disk().free() else { return };
        let room = self.health.room.judge(free);
        if room != self.health.room {
            tracing::warn!(free, ?room, "the room on the disk changed");
            self.health.room = room;
            if room == Room::Enough && !self.indexing {
                self.begin_index_anew("there is room for an index again");
            }
        }
        if let Err(error) = self.journal.disk().hold_ballast(room == Room::Enough) {
            tracing::warn!(%error, "the reserve on the disk could not be taken or given up");
        }
    }

    /// Writes to the index.
    fn note(&mut self, entry: &Entry) {
        if self.indexing {
            let put = self.index.put(entry);
            self.indexed(put);
        }
    }

    fn indexed<T>(&mut self, result: Result<T, Failed>) -> Option<T> {
        result.map_err(|failed| self.begin_index_anew(&failed.to_string())).ok()
    }

    /// An index that failed is set aside and begun anew from the journal; if even that fails (a full disk), the queue goes on
    /// without one until there is room, or a new start.
    fn begin_index_anew(&mut self, why: &str) {
        tracing::error!(why, "the index is set aside and begun anew");
        let begun = self.index.begin_anew().map_err(|error| error.to_string());
        let filled = begun.and_then(|kept| self.fill().map(|()| kept));
        self.indexing = filled.is_ok();
        match filled {
            // It was only absent, for want of room.
            Ok(kept) if kept.is_empty() => {}
            Ok(kept) => self.health.damage.push(format!("{why}: it was rebuilt, and the old one is {kept}")),
            Err(error) => tracing::error!(error, "the queue goes on without an index"),
        }
    }

    fn fill(&mut self) -> Result<(), String> {
        for sequence in self.ledger.sequences() {
            let state = self.ledger.get(sequence).map_or(State::FRESH, |kept| kept.state().into());
            if let Some(entry) = self.event(sequence).ok().and_then(|event| event.entry(state)) {
                self.index.put(&entry).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// Finishes the index, so that the next open can trust it.
    pub fn close(mut self) {
        if let Err(error) = self.journal.take_back() {
            tracing::error!(%error, "a report that was refused may be there again at the next start");
        }
        if self.indexing
            && let Err(error) = self.index.close()
        {
            tracing::warn!(%error, "the index was not flushed at the end; it will be brought up to date at the next start");
        }
    }
}

/// Tells those who wait with a report that it is not saved, and leaves the rest.
fn refuse(appends: &mut Vec<Append>, why: &StoreError) {
    for append in appends.extract_if(.., |append| matches!(append.record, Record::Event(_))) {
        let _ = append.done.send(Err(why.clone()));
    }
}

/// One record that can never be written must not keep all others from it for ever.
fn give_up_the_unwritable(appends: &mut Vec<Append>) {
    let mut room = Vec::new();
    for append in appends.extract_if(.., |append| {
        room.clear();
        !journal_v2::frame(&append.record, 0, 0, &mut room)
    }) {
        tracing::error!("a record is too large for the journal; it is given up");
        let _ = append.done.send(Err(StoreError::Disk("the record is too large for the journal".to_owned())));
    }
}

/// The journal's records, folded into the state that they lead to.
#[derive(Default)]
struct Replay {
    ledger: Ledger,
    entries: BTreeMap<Sequence, Box<Entry>>,
    offset: Option<Offset>,
    photos_lost: Vec<(Digest, String)>,
    damage: Vec<String>,
}

impl Replay {
    fn record(&mut self, record: &Record, at: Location) {
        self.ledger.record(record, at);
        match record {
            Record::Event(event) | Record::Carried { event, .. } => match event.entry(State::FRESH) {
                Some(entry) => drop(self.entries.insert(entry.sequence, Box::new(entry))),
                None => self.damage.push(format!("event {} has fields that this version can't read", event.sequence)),
            },
            Record::Offset { ms, uncertainty_ms, learnt_ms } => {
                let (ms, uncertainty_ms) = (*ms, *uncertainty_ms);
                self.offset = Some(Offset { ms, uncertainty_ms, learnt: learnt_ms.map(Wall) });
            }
            Record::PhotoLost { digest, why } => {
                self.photos_lost.extend(Digest::parse(digest).map(|digest| (digest, why.clone())));
            }
            Record::Delivered { .. } | Record::Parked { .. } | Record::PhotoSent { .. } | Record::Returned { .. } => {}
        }
    }
}
