//! One sled folder. It never shrinks, so it is left for a new one when it has grown far beyond what lives in it.

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::walk::UpToError;
use super::{Failed, Known};
use crate::domain::id::Sequence;
use crate::io::durable;
use crate::wire::index_v2::IndexV2;

const CACHE_BYTES: u64 = 4 << 20;
const SEGMENT_BYTES: usize = 512 << 10;
/// At least one barrier for so many bytes written: batches of megabytes between barriers hurt even old data.
const BARRIER_BYTES: usize = 128 << 10;
/// From so many entries on, what sled keeps in memory of a walk (some 250 bytes an entry, whatever its cache may have) is
/// worth opening it again.
pub(super) const LET_GO_FROM: usize = 10_000;
/// How often it is tried to open it again.
const TRIES: usize = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// Written when everything that a generation was made for is in it.
const COMPLETE: &str = "complete";
/// Written at a clean stop: the number of entries.
const CLOSED: &str = "closed-with";

pub(super) struct Generation {
    pub(super) folder: PathBuf,
    pub(super) db: sled::Db,
    /// Our own descriptor of sled's file, for the barrier.
    file: File,
    written: usize,
    /// How many entries it has: sled would have to read them all to know.
    pub(super) count: usize,
    /// Bytes of keys and values that are in it.
    live: u64,
    /// It is the one to open.
    counts: bool,
}

impl Generation {
    /// An empty one, durable with its name.
    pub(super) fn create(folder: &Path) -> io::Result<Generation> {
        let mut generation = guarded(|| Generation::of(folder))?;
        generation.barrier()?;
        let conf = folder.join("conf");
        if conf.exists() {
            File::open(conf)?.sync_all()?;
        }
        durable::sync_folder(folder)?;
        folder.parent().map_or(Ok(()), durable::sync_folder)?;
        Ok(generation)
    }

    /// One that was there before, checked to the last value, and what is in it.
    pub(super) fn open(folder: &Path) -> io::Result<(Generation, Vec<Known>)> {
        remove_unfinished_snapshots(folder)?;
        guarded(|| {
            let mut generation = Generation::when_free(folder)?;
            let (known, live) = generation.check()?;
            if known.len() >= LET_GO_FROM {
                generation = generation.again()?;
            }
            (generation.count, generation.live) = (known.len(), live);
            Ok((generation, known))
        })
    }

    fn of(folder: &Path) -> io::Result<Generation> {
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE_BYTES)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None);
        let db = config.open().map_err(io_error)?;
        let file = File::open(folder.join("db"))?;
        let counts = Generation::is_complete(folder);
        Ok(Generation { folder: folder.to_owned(), db, file, written: 0, count: 0, live: 0, counts })
    }

    /// sled's threads may hold its lock a moment longer than the handle lived that was dropped. A lock is no damage, and
    /// what it is on is not to be set aside at once.
    fn when_free(folder: &Path) -> io::Result<Generation> {
        for _ in 1..TRIES {
            match Generation::of(folder) {
                Err(error) if is_locked(&error) => thread::sleep(BETWEEN_TRIES),
                opened => return opened,
            }
        }
        Generation::of(folder)
    }

    /// Closed and opened, which lets go of what was read.
    fn again(self) -> io::Result<Generation> {
        let Generation { folder, db, .. } = self;
        drop(db);
        Generation::when_free(&folder)
    }

    /// "open said Ok" proves nothing: reads all, and takes any value that isn't ours for damage. sled can open over lost
    /// data, too: after a clean stop the number of entries is known; after a crash the last ones may be missing by right,
    /// and the journal brings them back. With what is known, the bytes of it.
    fn check(&self) -> io::Result<(Vec<Known>, u64)> {
        let (mut known, mut live) = (Vec::new(), 0);
        for pair in self.pairs() {
            let (key, value) = pair?;
            live += (key.len() + value.len()) as u64;
            let (sequence, value) = entry_of(&key, &value)?;
            known.push(Known::of(sequence, &value));
        }
        let marker = self.folder.join(CLOSED);
        let Ok(counted) = fs::read_to_string(&marker) else { return Ok((known, live)) };
        fs::remove_file(marker)?;
        durable::sync_folder(&self.folder)?;
        if counted.trim() == known.len().to_string() {
            Ok((known, live))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "entries are missing since the last stop"))
        }
    }

    /// Reads all of it.
    pub(super) fn survey(&self) -> Result<Vec<Known>, Failed> {
        self.walk().map(|entry| entry.map(|(sequence, value)| Known::of(sequence, &value))).collect()
    }

    /// All of it.
    pub(super) fn walk(&self) -> impl DoubleEndedIterator<Item = Result<(Sequence, IndexV2), Failed>> {
        self.pairs().map(|pair| pair.and_then(|(key, value)| entry_of(&key, &value)))
    }

    /// All of it, as it is written.
    pub(super) fn pairs(&self) -> impl DoubleEndedIterator<Item = Result<(sled::IVec, sled::IVec), Failed>> + use<> {
        UpToError(Some(self.db.iter().map(|pair| pair.map_err(|error| Failed::from(io_error(error))))))
    }

    pub(super) fn insert(&mut self, key: [u8; 8], value: &[u8]) -> io::Result<()> {
        let before = self.db.insert(key, value).map_err(io_error)?;
        self.lives(key.len(), before.as_deref(), Some(value));
        self.wrote(value.len() + key.len())
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> io::Result<()> {
        let before = self.db.remove(key).map_err(io_error)?;
        self.lives(key.len(), before.as_deref(), None);
        self.wrote(key.len())
    }

    fn lives(&mut self, key: usize, before: Option<&[u8]>, now: Option<&[u8]>) {
        let bytes = |value: Option<&[u8]>| value.map_or(0, |value| (key + value.len()) as u64);
        self.live = (self.live + bytes(now)).saturating_sub(bytes(before));
        self.count = (self.count + usize::from(now.is_some())).saturating_sub(usize::from(before.is_some()));
    }

    /// Bytes of keys and values that are in it.
    pub(super) fn live(&self) -> u64 {
        self.live
    }

    fn wrote(&mut self, bytes: usize) -> io::Result<()> {
        self.written += bytes;
        if self.written >= BARRIER_BYTES { self.barrier() } else { Ok(()) }
    }

    /// True right behind a barrier.
    pub(super) fn is_settled(&self) -> bool {
        self.written == 0
    }

    /// sled's `flush` is no fsync: ours follows it.
    pub(super) fn barrier(&mut self) -> io::Result<()> {
        self.written = 0;
        self.db.flush().map_err(io_error)?;
        self.file.sync_data()
    }

    /// A barrier behind everything that it was made for: from the first one on it is the one to open.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        self.barrier()?;
        if !self.counts {
            durable::write(&self.folder, COMPLETE, b"", 0o600)?;
            self.counts = true;
        }
        Ok(())
    }

    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    pub(super) fn is_complete(folder: &Path) -> bool {
        folder.join(COMPLETE).exists()
    }

    /// Flushes, and notes how many entries there are for the next open.
    pub(super) fn close(mut self) -> io::Result<()> {
        self.settle()?;
        durable::write(&self.folder, CLOSED, self.count.to_string().as_bytes(), 0o600)
    }

    /// What the folder takes on the disk.
    pub(super) fn size(&self) -> u64 {
        size(&self.folder)
    }
}

/// Whether it was closed in order, and not opened since.
pub(super) fn is_closed(folder: &Path) -> bool {
    folder.join(CLOSED).exists()
}

/// sled can panic on what it finds on the disk.
fn guarded<T>(open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(open)).map_err(|_| io::Error::other("sled panicked while opening"))?
}

fn entry_of(key: &[u8], value: &[u8]) -> Result<(Sequence, IndexV2), Failed> {
    key_of(key).zip(IndexV2::decode(value)).ok_or(Failed::BadValue)
}

pub(super) fn key_of(key: &[u8]) -> Option<Sequence> {
    Some(Sequence(u64::from_be_bytes(key.try_into().ok()?)))
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| {
        let known = entry.metadata().ok()?;
        Some(if known.is_dir() { size(&entry.path()) } else { known.len() })
    });
    sizes.sum()
}

/// A full disk is no damage, and must be told from it.
pub(super) fn io_error(error: sled::Error) -> io::Error {
    match error {
        sled::Error::Io(error) => error,
        other @ (sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_)
        | sled::Error::Corruption { .. }) => io::Error::other(other),
    }
}

/// It has no kind of its own in sled 0.34, only words.
fn is_locked(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// A kill during an earlier open can leave `snap.*.generating`, which makes every later open fail.
fn remove_unfinished_snapshots(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
