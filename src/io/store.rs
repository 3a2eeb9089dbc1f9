//! The committer: one thread that owns the journal and the index.
//!
//! Requests queue in a bounded channel. Up to 256 appends share one write and one fdatasync; their promises are kept
//! before the index hears of them, because the index can be rebuilt and a promise can't.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::durable;
use super::index::Index;
use super::journal::{Journal, Location};
use crate::domain::id::{ChainHead, Digest, Sequence};
use crate::domain::outbox::{Entry, Outbox, State};
use crate::domain::receipt::Refusal;
use crate::domain::view::Row;
use crate::wire::journal_v1::{EventRecord, Record};

/// How many requests may wait. The loop makes them at a person's speed, so a full queue means a dead disk.
const QUEUE: usize = 256;
const GROUP: usize = 256;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{0}")]
    Disk(String),
    #[error("the disk does not keep up: {QUEUE} writes are waiting")]
    Busy,
    #[error("the store has stopped")]
    Stopped,
}

enum Request {
    Append {
        record: Record,
        entry: Option<Box<Entry>>,
        done: oneshot::Sender<Result<(), StoreError>>,
    },
    Read {
        sequences: Vec<Sequence>,
        reply: oneshot::Sender<Vec<(Sequence, Result<String, StoreError>)>>,
    },
    Delivered {
        most: usize,
        reply: oneshot::Sender<Vec<Row>>,
    },
    /// Nothing before this sequence is needed any more.
    Settled {
        before: Sequence,
    },
}

/// What a start finds on the disk.
#[derive(Debug)]
pub struct Found {
    pub outbox: Outbox,
    pub head: ChainHead,
    pub offset_ms: Option<i64>,
    /// What was damaged and set aside, in words.
    pub damage: Vec<String>,
}

/// A handle to the committer. Dropping it lets the committer finish what it has and stop.
#[derive(Debug)]
pub struct Store {
    requests: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens journal and index below `folder`, brings them together, and starts the committer.
    pub fn open(folder: &Path) -> io::Result<(Store, Found)> {
        let (committer, found) = Committer::open(folder)?;
        let (requests, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("committer".to_owned()).spawn(move || committer.run(&queue))?;
        Ok((Store { requests: Some(requests), thread: Some(thread) }, found))
    }

    /// Makes a record durable; with it the index learns the state of `entry`. The answer comes when the disk has it.
    pub fn append(&self, record: Record, entry: Option<Entry>) -> oneshot::Receiver<Result<(), StoreError>> {
        let (done, wait) = oneshot::channel();
        self.send(Request::Append { record, entry: entry.map(Box::new), done }, |request, why| {
            if let Request::Append { done, .. } = request {
                let _ = done.send(Err(why));
            }
        });
        wait
    }

    /// Reads the JWS of events back.
    pub fn read(&self, sequences: Vec<Sequence>) -> oneshot::Receiver<Vec<(Sequence, Result<String, StoreError>)>> {
        let (reply, wait) = oneshot::channel();
        self.send(Request::Read { sequences, reply }, |_, _| {});
        wait
    }

    /// Delivered reports, newest first, those of earlier runs included.
    pub fn delivered(&self, most: usize) -> oneshot::Receiver<Vec<Row>> {
        let (reply, wait) = oneshot::channel();
        self.send(Request::Delivered { most, reply }, |_, _| {});
        wait
    }

    /// Lets the journal forget what is wholly in Odoo.
    pub fn settled(&self, before: Sequence) {
        self.send(Request::Settled { before }, |_, _| {});
    }

    /// Finishes what was asked and stops. Blocks.
    pub fn close(mut self) {
        self.stop();
    }

    fn send(&self, request: Request, failed: impl FnOnce(Request, StoreError)) {
        let Some(requests) = &self.requests else { return };
        match requests.try_send(request) {
            Ok(()) => {}
            Err(TrySendError::Full(request)) => failed(request, StoreError::Busy),
            Err(TrySendError::Disconnected(request)) => failed(request, StoreError::Stopped),
        }
    }

    fn stop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the committer was logged by its own hook; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Committer {
    journal: Journal,
    index: Option<Index>,
    index_folder: PathBuf,
    locations: BTreeMap<Sequence, Location>,
}

impl Committer {
    fn open(folder: &Path) -> io::Result<(Committer, Found)> {
        durable::create_folder(folder)?;
        let index_folder = folder.join("index");
        let (index, set_aside) = Index::open(&index_folder)?;
        let mut replay = Replay::default();
        let (journal, recovery) =
            Journal::open(&folder.join("journal"), index.head(), |record, at| replay.record(record, at))?;
        let mut damage = recovery.damage;
        damage.extend(
            set_aside.map(|kept| format!("the index was damaged and rebuilt; the old one is {}", kept.display())),
        );
        damage.append(&mut replay.damage);
        if recovery.torn > 0 {
            tracing::info!(bytes = recovery.torn, "an unfinished write was left out; it had not been acknowledged");
        }
        let mut committer = Committer { journal, index: Some(index), index_folder, locations: BTreeMap::new() };
        let found = committer.bring_together(replay, recovery.first, damage);
        Ok((committer, found))
    }

    /// The journal is the truth; the index is made to agree, and asked what the journal may have lost.
    fn bring_together(&mut self, replay: Replay, first: Option<Sequence>, mut damage: Vec<String>) -> Found {
        let (head, delivered) = (self.journal.head(), self.journal.delivered());
        let mut outbox = Outbox::new(delivered);
        let known = |sequence| replay.events.contains_key(&sequence);
        let lost = self.index.as_mut().map(|index| index.reconcile(first.unwrap_or(Sequence(0)), known));
        match lost.unwrap_or(Ok(Vec::new())) {
            Ok(lost) => damage
                .extend(lost.iter().map(|sequence| {
                    format!("event {} is in the index, but its bytes are damaged or gone", sequence.0)
                })),
            Err(error) => tracing::warn!(%error, "the index could not be brought up to date"),
        }
        for (sequence, (entry, at)) in replay.events {
            self.locations.insert(sequence, at);
            self.note(&entry);
            outbox.admit(entry, &replay.photos_sent);
        }
        replay.photos_lost.iter().for_each(|(digest, why)| outbox.remember_lost(*digest, why));
        self.trim(outbox.settled_before(head.next));
        Found { outbox, head, offset_ms: replay.offset_ms, damage }
    }

    fn run(mut self, queue: &Receiver<Request>) {
        let mut group = Vec::with_capacity(GROUP);
        while let Ok(first) = queue.recv() {
            let mut next = Some(first);
            while let Some(request) = next.take() {
                match request {
                    Request::Append { record, entry, done } => group.push((record, entry, done)),
                    question @ (Request::Read { .. } | Request::Delivered { .. } | Request::Settled { .. }) => {
                        self.commit(&mut group);
                        self.serve(question);
                    }
                }
                if group.len() < GROUP {
                    next = queue.try_recv().ok();
                }
            }
            self.commit(&mut group);
        }
        if let Some(Err(error)) = self.index.map(Index::close) {
            tracing::warn!(%error, "the index was not flushed at the end; it will be brought up to date at the next start");
        }
    }

    fn commit(&mut self, group: &mut Vec<Append>) {
        if group.is_empty() {
            return;
        }
        let (records, promises): (Vec<_>, Vec<_>) =
            group.drain(..).map(|(record, entry, done)| (record, (entry, done))).unzip();
        match self.journal.append(&records) {
            Ok(locations) => {
                let mut entries = Vec::with_capacity(promises.len());
                for ((record, at), (entry, done)) in records.iter().zip(locations).zip(promises) {
                    if let Record::Event(event) = record {
                        self.locations.insert(Sequence(event.sequence), at);
                    }
                    // The asker may have been stopped meanwhile: the record is durable all the same.
                    let _ = done.send(Ok(()));
                    entries.extend(entry);
                }
                entries.iter().for_each(|entry| self.note(entry));
            }
            Err(error) => {
                tracing::error!(%error, "the journal could not be written");
                for (_, done) in promises {
                    let _ = done.send(Err(StoreError::Disk(explain(&error))));
                }
            }
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Append { .. } => {}
            Request::Read { sequences, reply } => {
                let read = sequences.into_iter().map(|sequence| (sequence, self.read(sequence))).collect();
                let _ = reply.send(read);
            }
            Request::Delivered { most, reply } => {
                let _ = reply.send(self.index.as_ref().map(|index| index.delivered(most)).unwrap_or_default());
            }
            Request::Settled { before } => self.trim(before),
        }
    }

    fn read(&self, sequence: Sequence) -> Result<String, StoreError> {
        let gone = || StoreError::Disk(format!("event {} is no longer in the journal", sequence.0));
        let at = self.locations.get(&sequence).copied().ok_or_else(gone)?;
        match self.journal.read(at) {
            Ok(Record::Event(event)) => Ok(event.jws),
            Ok(_) => Err(gone()),
            Err(error) => Err(StoreError::Disk(error.to_string())),
        }
    }

    /// Writes to the index. One that fails is set aside and replaced by an empty one, which the next start fills from the
    /// journal; if even that fails (a full disk), the queue goes on without an index.
    fn note(&mut self, entry: &Entry) {
        let Some(index) = &mut self.index else { return };
        // sled can panic on what it finds on the disk; the journal's writer must not go down with it.
        let put = catch_unwind(AssertUnwindSafe(|| index.put(entry)));
        let Err(error) = put.unwrap_or_else(|_| Err(io::Error::other("sled panicked"))) else { return };
        tracing::error!(%error, folder = %self.index_folder.display(), "the index failed; it is set aside and begun anew");
        self.index = None;
        let fresh = durable::set_aside(&self.index_folder).and_then(|_| Index::open(&self.index_folder));
        match fresh {
            Ok((index, _)) => self.index = Some(index),
            Err(error) => tracing::error!(%error, "the queue goes on without an index until the next start"),
        }
    }

    fn trim(&mut self, before: Sequence) {
        self.locations = self.locations.split_off(&before);
        let needed = self.locations.values().next().map_or(self.journal.current_segment(), |at| at.segment);
        match self.journal.trim(needed) {
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => tracing::warn!(%error, "old journal segments could not be deleted; that is tried again"),
        }
        if let Some(index) = &mut self.index
            && let Err(error) = index.retain()
        {
            tracing::warn!(%error, "the index could not forget old deliveries");
        }
    }
}

type Append = (Record, Option<Box<Entry>>, oneshot::Sender<Result<(), StoreError>>);

/// The journal's records, folded into the state that they lead to.
#[derive(Default)]
struct Replay {
    events: BTreeMap<Sequence, (Entry, Location)>,
    /// What need not be sent any more: it is in Odoo, or was given up.
    photos_sent: Vec<Digest>,
    photos_lost: Vec<(Digest, String)>,
    offset_ms: Option<i64>,
    damage: Vec<String>,
}

impl Replay {
    fn record(&mut self, record: Record, at: Location) {
        match record {
            Record::Event(event) => self.event(&event, at),
            Record::Delivered { sequence, case, photos_there } => {
                self.photos_sent.extend(photos_there.iter().filter_map(|digest| Digest::parse(digest)));
                self.set(Sequence(sequence), State::Delivered { case });
            }
            Record::Parked { sequence, code, message } => {
                self.set(Sequence(sequence), State::Parked(Refusal { code, message }));
            }
            Record::PhotoSent { digest } => self.photos_sent.extend(Digest::parse(&digest)),
            Record::PhotoLost { digest, why } => {
                let digest = Digest::parse(&digest);
                self.photos_sent.extend(digest);
                self.photos_lost.extend(digest.map(|digest| (digest, why)));
            }
            Record::Offset { ms } => self.offset_ms = Some(ms),
        }
    }

    fn event(&mut self, event: &EventRecord, at: Location) {
        let sequence = Sequence(event.sequence);
        match event.entry(State::FRESH) {
            Some(entry) => {
                self.events.insert(sequence, (entry, at));
            }
            None => self.damage.push(format!("event {} has fields that this version can't read", event.sequence)),
        }
    }

    fn set(&mut self, sequence: Sequence, state: State) {
        if let Some((entry, _)) = self.events.get_mut(&sequence) {
            entry.state = state;
        }
    }
}

/// What an operator can do about it.
fn explain(error: &io::Error) -> String {
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        "the device's disk is full. Nothing was lost, nothing new is saved: free some space".to_owned()
    } else {
        format!("the device's disk refused the write ({error}). Nothing was lost")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::EventId;
    use crate::domain::outbox::Change;
    use crate::domain::policy::Kind;
    use crate::domain::time::Wall;

    fn entry(n: u64, jws: &str) -> Entry {
        Entry {
            sequence: Sequence(n),
            id: EventId::mint(Wall(1), &[n as u8; 10]),
            digest: Digest::of(jws.as_bytes()),
            size: jws.len() as u64,
            kind: Kind::PickShortage,
            subject: "WH/OUT/1".into(),
            captured: Wall(0),
            photos: vec![],
            state: State::FRESH,
        }
    }

    fn jws(n: u64) -> String {
        format!("{n}-{}", "x".repeat(3000))
    }

    fn save(store: &Store, n: u64) {
        let entry = entry(n, &jws(n));
        let record = Record::Event(EventRecord::of(&entry, jws(n)));
        store.append(record, Some(entry)).blocking_recv().unwrap().unwrap();
    }

    fn deliver(store: &Store, n: u64) {
        let change = Change::Delivered { sequence: Sequence(n), case: Some(format!("C{n}")), photos_there: vec![] };
        let delivered = Entry { state: State::Delivered { case: Some(format!("C{n}")) }, ..entry(n, &jws(n)) };
        store.append(Record::from(&change), Some(delivered)).blocking_recv().unwrap().unwrap();
    }

    #[test]
    fn a_start_finds_what_is_unsent_and_what_became_of_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let (store, found) = Store::open(folder.path()).unwrap();
        assert_eq!((found.head, found.outbox.counts().pending), (ChainHead::GENESIS, 0));
        (1..=3).for_each(|n| save(&store, n));
        deliver(&store, 2);
        store.close();
        let (store, found) = Store::open(folder.path()).unwrap();
        assert_eq!((found.outbox.counts().pending, found.outbox.counts().delivered), (2, 1));
        assert_eq!(found.head, ChainHead { next: Sequence(4), prev: Digest::of(jws(3).as_bytes()) });
        assert_eq!(found.damage, Vec::<String>::new());
        let read = store.read(vec![Sequence(1), Sequence(9)]).blocking_recv().unwrap();
        assert_eq!(read[0].1.as_ref().unwrap(), &jws(1));
        assert!(read[1].1.is_err());
    }

    #[test]
    fn delivered_segments_go_their_history_stays_and_no_damage_is_seen_in_that() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        (1..=800).for_each(|n| save(&store, n));
        let segments = || std::fs::read_dir(folder.path().join("journal")).unwrap().count();
        let before = segments();
        (1..=800).for_each(|n| deliver(&store, n));
        store.settled(Sequence(801));
        assert_eq!(store.delivered(5).blocking_recv().unwrap()[0].case.as_deref(), Some("C800"));
        assert!(before > 2 && segments() == 1, "{before} segments became {}", segments());
        store.close();
        // As a crash would leave it: the index never heard of a delivery whose segment is gone.
        let (mut index, _) = Index::open(&folder.path().join("index")).unwrap();
        index.put(&entry(7, &jws(7))).unwrap();
        index.close().unwrap();
        let (_store, found) = Store::open(folder.path()).unwrap();
        assert_eq!(found.damage, Vec::<String>::new());
        assert_eq!((found.outbox.counts().pending, found.outbox.counts().delivered), (0, 800));
        assert_eq!(found.head.next, Sequence(801));
    }

    #[test]
    fn an_index_full_of_rubbish_is_set_aside_and_nothing_unsent_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        (1..=5).for_each(|n| save(&store, n));
        store.close();
        let file = folder.path().join("index/db");
        let length = std::fs::metadata(&file).unwrap().len();
        std::fs::write(&file, vec![0x5a; length as usize]).unwrap();
        let (_store, found) = Store::open(folder.path()).unwrap();
        assert_eq!(found.outbox.counts().pending, 5);
        assert!(found.damage.iter().any(|damage| damage.contains("quarantine-1-index")), "{:?}", found.damage);
    }

    #[test]
    fn a_journal_that_lost_its_end_never_gives_a_sequence_twice() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        (1..=5).for_each(|n| save(&store, n));
        store.close();
        let segment = folder.path().join("journal/00000001.journal");
        let length = std::fs::metadata(&segment).unwrap().len();
        std::fs::OpenOptions::new().write(true).open(&segment).unwrap().set_len(length - 4000).unwrap();
        let (_store, found) = Store::open(folder.path()).unwrap();
        assert_eq!(found.head, ChainHead { next: Sequence(6), prev: Digest::of(jws(5).as_bytes()) });
        assert_eq!(found.outbox.counts().pending, 3);
        assert!(found.damage.iter().any(|damage| damage.contains("event 5")), "{:?}", found.damage);
    }
}
