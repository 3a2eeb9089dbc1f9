//! What the committer's thread does: the journal first, then the promise, then the index.

mod letting_go;
mod together;

use std::collections::BTreeMap;
use std::io;

use tokio::sync::oneshot;

use super::StoreError;
use super::ledger::Ledger;
use crate::domain::clock::{BootTime, Offset};
use crate::domain::id::{ChainHead, Digest, Sequence};
use crate::domain::outbox::{Entry, Outbox, State};
use crate::domain::room::Room;
use crate::domain::time::Wall;
use crate::domain::view::Row;
use crate::io::index::{Index, Known};
use crate::io::journal::{Disk, Journal, Location};
use crate::wire::index_v2::IndexV2;
use crate::wire::journal_v2::{self, EventRecord, Record};

/// Records that may be owed to the journal; one that is dropped is learnt again when its report is sent again.
const OWED: usize = 1024;
/// Without so many free bytes an index needs no try.
const INDEX_ROOM: u64 = 4 << 20;
/// Looks at the room between two tries to have an index: some half an hour, with nothing else to do.
const MAX_PAUSE: u32 = 64;

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
    /// How many reports damage took, at any time: the list of all has them.
    pub lost: usize,
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
    /// The segment that was being written when the index last knew durably of all before it.
    indexed_up_to: u64,
    /// What damage took, as the index knows it.
    lost: BTreeMap<Sequence, IndexV2>,
    /// What the index was told, and doesn't know durably, of events that are no longer here: one that is opened anew would take
    /// them for lost.
    forgotten: BTreeMap<Sequence, IndexV2>,
    /// How often the room is looked at before another try to have an index, and how often after that one.
    pause: (u32, u32),
    /// How often in a row a bad block kept the oldest segment from being carried.
    doubted: u32,
    health: Health,
}

impl<D: Disk, I: Index> Committer<D, I> {
    /// Opens the journal and brings the index together with it; `damage` is what opening the index found.
    pub fn open(disk: D, segment_bytes: u64, index: I, damage: Vec<String>) -> io::Result<(Committer<D, I>, Found)> {
        let mut replay = Replay::default();
        let each = |record, at| replay.record(&record, at);
        let (journal, mut recovery) = Journal::open(disk, segment_bytes, index.head(), each)?;
        if recovery.torn > 0 {
            tracing::info!(bytes = recovery.torn, "an unfinished write was left out; it had not been acknowledged");
        }
        let Replay { ledger, mut entries, offset, photos_lost, damage: unreadable } = replay;
        let (owed, settling, lost, forgotten, doubted, health) = Default::default();
        let (indexed_up_to, pause) = (journal.current_segment(), (1, 1));
        let indexing = index.is_open();
        let mut committer = Committer {
            journal,
            index,
            indexing,
            ledger,
            owed,
            settling,
            indexed_up_to,
            lost,
            forgotten,
            pause,
            doubted,
            health,
        };
        let mut damage = [damage, unreadable].concat();
        let known = committer.survey();
        let lost = committer.bring_together(&known);
        let lost = committer.indexed(lost).unwrap_or_default();
        damage.extend(committer.said(&mut recovery, &known, &lost)?);

        let mut outbox = Outbox::new(committer.journal.delivered());
        let done = committer.ledger.photos_done().clone();
        for (sequence, entry) in &mut entries {
            entry.state = committer.ledger.get(*sequence).map_or(State::FRESH, |kept| kept.state().into());
        }
        let stale = Known::stale(&known, entries.values().map(|entry| &**entry));
        stale.iter().filter_map(|sequence| entries.get(sequence)).for_each(|entry| committer.note(entry));
        // One that was begun just now counts from here on.
        let marked = if committer.indexing { committer.mark_the_end() } else { Ok(false) };
        if committer.indexed(marked).unwrap_or_default() || !stale.is_empty() || known.is_empty() {
            committer.index_all();
        }
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

    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Makes the records durable with one wait for the disk and keeps their promises; each one's fate is told to it alone. A
    /// report that can't be written is refused: somebody stands there. What was learnt about those that are here is written
    /// with the next.
    pub fn commit(&mut self, group: &mut Vec<Append>) {
        if group.is_empty() && self.owed.is_empty() {
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
                self.index_what_is_closed();
            }
            Err(error) => {
                tracing::error!(%error, "the journal could not be written");
                refuse(&mut all, &StoreError::of(&error));
                all.truncate(OWED);
                self.owed = all;
                // A segment may have been begun before it failed.
                self.index_what_is_closed();
            }
        }
        if !self.settling.is_empty() {
            self.settled(&[]);
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
        let gone = || StoreError::Unreadable(format!("event {} is no longer in the journal", sequence.0));
        let at = self.ledger.get(sequence).ok_or_else(gone)?.at();
        match self.journal.read(at) {
            Ok(Record::Event(event) | Record::Carried { event, .. }) => Ok(event),
            Ok(_) => Err(gone()),
            Err(error) => Err(StoreError::of_read(&error)),
        }
    }

    /// Delivered reports, newest first, and behind them those that damage took.
    pub fn delivered(&mut self, most: usize) -> Vec<Row> {
        let (mut rows, read) = if self.indexing { self.index.delivered(most) } else { (Vec::new(), Ok(())) };
        self.indexed(read);
        rows.extend(self.lost());
        rows
    }

    /// What damage took, and nobody has dismissed, newest first.
    pub fn lost(&self) -> impl Iterator<Item = Row> {
        self.lost.iter().rev().filter_map(|(sequence, value)| value.row(*sequence))
    }

    /// Whether the journal has the event, whatever became of it.
    pub fn has(&self, sequence: Sequence) -> bool {
        self.ledger.get(sequence).is_some()
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
            self.pause.0 = 0;
        }
        if !self.indexing && free >= INDEX_ROOM {
            self.try_to_index();
        }
        if let Err(error) = self.journal.disk().hold_ballast(room == Room::Enough) {
            tracing::warn!(%error, "the reserve on the disk could not be taken or given up");
        }
    }

    /// A queue without an index lets nothing go, so it must not stay without one for longer than what keeps it from that.
    fn try_to_index(&mut self) {
        if self.pause.0 > 0 {
            self.pause.0 -= 1;
            return;
        }
        self.begin_index_anew("another try to have an index");
        self.pause = if self.indexing { (1, 1) } else { (self.pause.1, (2 * self.pause.1).min(MAX_PAUSE)) };
        self.settled(&[]);
    }

    /// Writes to the index.
    fn note(&mut self, entry: &Entry) {
        if self.lost.contains_key(&entry.sequence) {
            // That it can't be read is known; but a request with it may have been under way.
            if !matches!(entry.state, State::Delivered { .. }) {
                return;
            }
            self.lost.remove(&entry.sequence);
            self.forgotten.insert(entry.sequence, IndexV2::of(entry));
            self.health.lost = self.lost.len();
        }
        if self.indexing {
            let put = self.index.put(entry);
            self.indexed(put);
        }
    }

    /// Finishes the index, so that the next open can trust it.
    pub fn close(mut self) {
        self.commit(&mut Vec::new());
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
            Record::Offset { ms, uncertainty_ms, learnt_ms, boot } => {
                let (ms, uncertainty_ms, boot) = (*ms, *uncertainty_ms, boot.clone().map(BootTime::from));
                self.offset = Some(Offset { ms, uncertainty_ms, learnt: learnt_ms.map(Wall), boot });
            }
            Record::PhotoLost { digest, why } => {
                self.photos_lost.extend(Digest::parse(digest).map(|digest| (digest, why.clone())));
            }
            Record::Delivered { .. } | Record::Parked { .. } | Record::PhotoSent { .. } | Record::Returned { .. } => {}
        }
    }
}
