//! The index on sled: a fine index and a bad vault, so nothing here is the only copy of anything unsent.
//!
//! sled's `flush` is no fsync, its open can panic on damage, and its first I/O error is final for the handle. So every
//! open runs under `catch_unwind`, every value carries a CRC of ours, an index that disappoints is set aside and rebuilt
//! from the journal, and the barrier is `flush` followed by our own fdatasync of its file.

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::durable;
use crate::domain::id::{ChainHead, Sequence};
use crate::domain::outbox::Entry;
use crate::domain::view::Row;
use crate::wire::index_v1::{IndexV1, StateV1};

const CACHE_BYTES: u64 = 16 << 20;
const SEGMENT_BYTES: usize = 512 << 10;
/// At least one barrier for so many bytes written: batches of megabytes between barriers hurt even old data.
const BARRIER_BYTES: usize = 128 << 10;
/// Written at a clean stop: the number of entries.
const CLOSED: &str = "closed-with";
/// How many delivered reports are remembered.
const RETENTION: usize = 10_000;

pub struct Index {
    folder: PathBuf,
    db: sled::Db,
    /// Our own descriptor of sled's file, for the barrier.
    file: File,
    written: usize,
}

impl Index {
    /// Opens the index in `folder`, setting a damaged one aside. Returns what was set aside.
    pub fn open(folder: &Path) -> io::Result<(Index, Option<PathBuf>)> {
        match Index::try_open(folder) {
            Ok(index) => Ok((index, None)),
            Err(why) => {
                tracing::warn!(folder = %folder.display(), %why, "the index is damaged; setting it aside and rebuilding");
                let kept = if folder.exists() { Some(durable::set_aside(folder)?) } else { None };
                Index::try_open(folder).map(|index| (index, kept))
            }
        }
    }

    fn try_open(folder: &Path) -> io::Result<Index> {
        let fresh = !folder.exists();
        remove_unfinished_snapshots(folder)?;
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE_BYTES)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None);
        let index = catch_unwind(AssertUnwindSafe(|| -> io::Result<Index> {
            let db = config.open().map_err(io::Error::other)?;
            let file = File::open(folder.join("db"))?;
            let mut index = Index { folder: folder.to_owned(), db, file, written: 0 };
            index.check()?;
            index.compare_with_the_last_close()?;
            if fresh {
                index.make_names_durable(folder)?;
            }
            Ok(index)
        }));
        index.map_err(|_| io::Error::other("sled panicked while opening"))?
    }

    /// "open said Ok" proves nothing: reads all, and takes any value that isn't ours for damage.
    fn check(&self) -> io::Result<()> {
        for pair in self.db.iter() {
            let (key, value) = pair.map_err(io::Error::other)?;
            if sequence(&key).is_none() || IndexV1::decode(&value).is_none() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a value fails its checksum"));
            }
        }
        Ok(())
    }

    /// sled can open over lost data and say Ok. After a clean stop the number of entries is known; after a crash the last
    /// ones may be missing by right, and the journal brings them back.
    fn compare_with_the_last_close(&self) -> io::Result<()> {
        let marker = self.folder.join(CLOSED);
        let Ok(counted) = fs::read_to_string(&marker) else { return Ok(()) };
        fs::remove_file(marker)?;
        durable::sync_folder(&self.folder)?;
        if counted.trim() == self.db.len().to_string() {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "entries are missing since the last stop"))
    }

    /// Flushes, and notes how many entries there are for the next open.
    pub fn close(mut self) -> io::Result<()> {
        self.barrier()?;
        durable::write(&self.folder, CLOSED, self.db.len().to_string().as_bytes(), 0o600)
    }

    fn make_names_durable(&mut self, folder: &Path) -> io::Result<()> {
        self.barrier()?;
        let conf = folder.join("conf");
        if conf.exists() {
            File::open(conf)?.sync_all()?;
        }
        durable::sync_folder(folder)?;
        folder.parent().map_or(Ok(()), durable::sync_folder)
    }

    /// How far the chain had come when the index was last written.
    pub fn head(&self) -> Option<ChainHead> {
        let (key, value) = self.db.last().ok().flatten()?;
        let digest = IndexV1::decode(&value)?.digest()?;
        Some(ChainHead { next: sequence(&key)?.next(), prev: digest })
    }

    /// Writes the state of one event.
    pub fn put(&mut self, entry: &Entry) -> io::Result<()> {
        let (key, value) = (entry.sequence.0.to_be_bytes(), IndexV1::of(entry).encode());
        let known = self.db.get(key).map_err(io::Error::other)?;
        if known.as_deref() == Some(&value[..]) {
            return Ok(());
        }
        self.written += value.len() + key.len();
        self.db.insert(key, value).map_err(io::Error::other)?;
        if self.written >= BARRIER_BYTES { self.barrier() } else { Ok(()) }
    }

    pub fn barrier(&mut self) -> io::Result<()> {
        self.written = 0;
        self.db.flush().map_err(io::Error::other)?;
        self.file.sync_data()
    }

    /// Reports of earlier days, newest first.
    pub fn delivered(&self, most: usize) -> Vec<Row> {
        let newest = self.db.iter().rev().filter_map(Result::ok);
        let rows = newest.filter_map(|(key, value)| {
            let value = IndexV1::decode(&value).filter(|value| value.state == StateV1::Delivered)?;
            value.row(sequence(&key)?)
        });
        rows.take(most).collect()
    }

    /// Forgets delivered reports beyond the retention, oldest first.
    pub fn retain(&mut self) -> io::Result<()> {
        let excess = self.db.len().saturating_sub(RETENTION);
        let oldest: Vec<_> = self.db.iter().take(excess).filter_map(Result::ok).collect();
        for (key, value) in oldest {
            if IndexV1::decode(&value).is_some_and(|value| value.state == StateV1::Delivered) {
                self.db.remove(key).map_err(io::Error::other)?;
            }
        }
        Ok(())
    }

    /// Brings entries that the journal no longer has up to date. Before `first`, the journal's oldest sequence, all is in
    /// Odoo, whatever a crash kept the index from learning; from there on, what the journal doesn't have is lost to
    /// damage, and is returned.
    pub fn reconcile(&mut self, first: Sequence, known: impl Fn(Sequence) -> bool) -> io::Result<Vec<Sequence>> {
        let mut lost = Vec::new();
        for pair in self.db.iter() {
            let (key, value) = pair.map_err(io::Error::other)?;
            let unsent = IndexV1::decode(&value).filter(|value| value.state != StateV1::Delivered);
            let (Some(value), Some(sequence)) = (unsent, sequence(&key)) else { continue };
            if sequence < first {
                let settled = IndexV1 { state: StateV1::Delivered, error: None, ..value };
                self.db.insert(key, settled.encode()).map_err(io::Error::other)?;
            } else if !known(sequence) {
                lost.push(sequence);
            }
        }
        Ok(lost)
    }
}

fn sequence(key: &[u8]) -> Option<Sequence> {
    Some(Sequence(u64::from_be_bytes(key.try_into().ok()?)))
}

/// A kill during an earlier open can leave `snap.*.generating`, which makes every later open fail.
fn remove_unfinished_snapshots(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
