//! The index: what the queue's list shows, on sled. sled is a fine index and a bad vault, so nothing here is the only copy of
//! anything unsent.
//!
//! sled's `flush` is no fsync, its open can panic on damage, its first I/O error is final for the handle, and its folder never
//! shrinks. So every call runs under `catch_unwind`, every value carries a CRC of ours, the barrier is `flush` followed by our
//! own fdatasync of its file, an index that disappoints is set aside and rebuilt from the journal, and one that has grown is
//! copied into a new generation: `index-00000001`, `index-00000002`, ... (the first version's was called `index`).

mod generation;
pub mod inspect;

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::durable;
use crate::domain::id::{ChainHead, Sequence};
use crate::domain::outbox::Entry;
use crate::domain::view::Row;
use crate::wire::index_v2::{IndexV2, StateCode};
use generation::Generation;

/// How many delivered reports are remembered.
pub const RETENTION: usize = 2_500;
/// A generation may grow to this, or to twice what it began with.
const ROOM_BYTES: u64 = 3 << 20;

const BAD_VALUE: &str = "a value fails its checksum";

/// The index can no longer be used: it is to be set aside and begun anew.
#[derive(Debug, thiserror::Error)]
#[error("the index failed: {0}")]
pub struct Failed(pub String);

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed(error.to_string())
    }
}

/// What is read of the index, one after the other by sequence.
pub type Entries<'a> = Box<dyn DoubleEndedIterator<Item = Result<(Sequence, IndexV2), Failed>> + 'a>;

/// What a walk through the index notes of an entry: little enough to keep it of all of them for a moment.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    sequence: Sequence,
    state: StateCode,
    seal: u32,
}

impl Known {
    pub fn of(sequence: Sequence, value: &IndexV2) -> Known {
        Known { sequence, state: value.state, seal: value.seal() }
    }

    /// Those of `entries`, which are in the order of their sequences, that the index doesn't know as they are. Looking each
    /// up takes most of the time that a start with a long queue has.
    pub fn stale<'a>(known: &[Known], entries: impl Iterator<Item = &'a Entry>) -> Vec<Sequence> {
        let mut known = known.iter().peekable();
        let unknown = entries.filter(|entry| {
            while known.next_if(|known| known.sequence < entry.sequence).is_some() {}
            let here = known.next_if(|known| known.sequence == entry.sequence);
            here.is_none_or(|known| known.seal != IndexV2::of(entry).seal())
        });
        unknown.map(|entry| entry.sequence).collect()
    }
}

/// Two implementations of what is at the top: sled here, and the simulation's, which forgets what it likes when the power
/// fails. What is built on it is the same for both.
pub trait Index {
    /// False while there is none, and nothing is read or written.
    fn is_open(&self) -> bool {
        true
    }

    fn entries(&self) -> Entries<'_>;

    /// How many they are.
    fn count(&self) -> usize;

    fn read(&self, sequence: Sequence) -> Result<Option<IndexV2>, Failed>;

    fn write(&mut self, sequence: Sequence, value: &IndexV2) -> Result<(), Failed>;

    fn remove(&mut self, sequence: Sequence) -> Result<(), Failed>;

    /// Sets the index aside and begins an empty one; one that is not open is opened. Says where the old one is, if it was set
    /// aside.
    fn begin_anew(&mut self) -> io::Result<String>;

    /// Makes all of it durable.
    fn close(self) -> io::Result<()>;

    /// How far the chain had come when the index was last written.
    fn head(&self) -> Option<ChainHead> {
        let (sequence, value) = self.entries().next_back()?.ok()?;
        Some(ChainHead { next: sequence.next(), prev: value.digest() })
    }

    /// Writes the state of one event.
    fn put(&mut self, entry: &Entry) -> Result<(), Failed> {
        self.write(entry.sequence, &IndexV2::of(entry))
    }

    /// All of it, in the order of the sequences.
    fn survey(&mut self) -> Result<Vec<Known>, Failed> {
        self.entries().map(|entry| entry.map(|(sequence, value)| Known::of(sequence, &value))).collect()
    }

    /// Brings entries that the journal no longer has up to date: before `first`, the journal's oldest sequence, all that isn't
    /// `there` is in Odoo, whatever a crash kept the index from learning; from there on it is lost to damage, and is returned.
    fn reconcile(
        &mut self,
        known: &[Known],
        first: Sequence,
        there: &dyn Fn(Sequence) -> bool,
    ) -> Result<Vec<Sequence>, Failed> {
        let gone = known.iter().filter(|known| known.state != StateCode::Delivered && !there(known.sequence));
        let (lost, settled): (Vec<_>, Vec<_>) = gone.map(|known| known.sequence).partition(|gone| *gone >= first);
        for sequence in settled {
            if let Some(value) = self.read(sequence)? {
                self.write(sequence, &IndexV2 { state: StateCode::Delivered, error: None, ..value })?;
            }
        }
        Ok(lost)
    }

    /// Reports that are in Odoo, newest first.
    fn delivered(&self, most: usize) -> Vec<Row> {
        let newest = self.entries().rev().filter_map(Result::ok);
        let rows = newest.filter_map(|(sequence, value)| match value.state {
            StateCode::Delivered => value.row(sequence),
            StateCode::Pending | StateCode::Parked => None,
        });
        rows.take(most).collect()
    }

    /// Forgets delivered reports beyond [`RETENTION`], oldest first; so many others are there, too.
    fn retain(&mut self, undelivered: usize) -> Result<(), Failed> {
        let excess = self.count().saturating_sub(undelivered + RETENTION);
        let is_delivered = |entry: &Result<(_, IndexV2), _>| match entry {
            Ok((_, value)) => value.state == StateCode::Delivered,
            Err(_) => true,
        };
        let oldest: Vec<_> = self.entries().filter(is_delivered).take(excess).collect::<Result<_, _>>()?;
        oldest.into_iter().try_for_each(|(sequence, _)| self.remove(sequence))
    }
}

/// For a queue that is only looked at: no index at all.
#[derive(Debug)]
pub struct NoIndex;

impl Index for NoIndex {
    fn is_open(&self) -> bool {
        false
    }

    fn entries(&self) -> Entries<'_> {
        Box::new(std::iter::empty())
    }

    fn count(&self) -> usize {
        0
    }

    fn read(&self, _: Sequence) -> Result<Option<IndexV2>, Failed> {
        Ok(None)
    }

    fn write(&mut self, _: Sequence, _: &IndexV2) -> Result<(), Failed> {
        Ok(())
    }

    fn remove(&mut self, _: Sequence) -> Result<(), Failed> {
        Ok(())
    }

    fn begin_anew(&mut self) -> io::Result<String> {
        Ok(String::new())
    }

    fn close(self) -> io::Result<()> {
        Ok(())
    }
}

pub struct SledIndex {
    /// The folder that holds the generations.
    folder: PathBuf,
    /// Absent while the disk is too full for one.
    current: Option<Current>,
    /// What the walk found that checked it, until somebody asks.
    known: Option<Vec<Known>>,
}

struct Current {
    number: u64,
    generation: Generation,
    limit: u64,
}

impl SledIndex {
    /// Opens the latest generation in `folder`. One that is damaged is set aside, and an empty one takes its place; then it
    /// also says where the old one is. On a full disk it is left as it is, and the index is not open.
    pub fn open(folder: &Path) -> io::Result<(SledIndex, Option<PathBuf>)> {
        let mut index = SledIndex { folder: folder.to_owned(), current: None, known: None };
        let mut generations = generations(folder)?;
        let latest = generations.pop();
        // What was copied from is no longer needed, and a copy that was never finished isn't either.
        for (_, path) in generations {
            fs::remove_dir_all(path)?;
        }
        let Some((number, path)) = latest else {
            index.begin(1)?;
            return Ok((index, None));
        };
        match Generation::open(&path) {
            Ok((generation, known)) => {
                (index.current, index.known) = (Some(Current::of(number, generation)), Some(known));
            }
            Err(why) if is_full(&why) => {
                tracing::warn!(folder = %path.display(), %why, "the disk is full: the queue begins without its index");
            }
            Err(why) => {
                tracing::warn!(folder = %path.display(), %why, "the index is damaged; setting it aside and rebuilding");
                let kept = durable::set_aside(&path)?;
                index.begin(number + 1)?;
                return Ok((index, Some(kept)));
            }
        }
        Ok((index, None))
    }

    /// Begins an empty generation. On a full disk there is none.
    fn begin(&mut self, number: u64) -> io::Result<()> {
        let made = Generation::create(&path_of(&self.folder, number)).and_then(|mut generation| {
            generation.complete()?;
            Ok(generation)
        });
        self.current = match made {
            Ok(generation) => Some(Current::of(number, generation)),
            Err(error) if is_full(&error) => None,
            Err(error) => return Err(error),
        };
        Ok(())
    }

    /// sled can panic on what it finds on the disk; the journal's writer must not go down with it.
    fn guarded<T>(&mut self, act: impl FnOnce(&mut SledIndex, &mut Current) -> io::Result<T>) -> Result<T, Failed> {
        let Some(mut current) = self.current.take() else { return Err(Failed("it is not open".to_owned())) };
        let done = catch_unwind(AssertUnwindSafe(|| act(self, &mut current)));
        self.current = Some(current);
        done.unwrap_or_else(|_| Err(io::Error::other("sled panicked"))).map_err(Failed::from)
    }
}

impl Current {
    fn of(number: u64, generation: Generation) -> Current {
        let limit = ROOM_BYTES.max(2 * generation.size());
        Current { number, generation, limit }
    }

    fn insert(&mut self, folder: &Path, sequence: Sequence, value: &IndexV2) -> io::Result<()> {
        let (key, value) = (sequence.0.to_be_bytes(), value.encode());
        let known = self.generation.db.get(key).map_err(generation::io_error)?;
        if known.as_deref() == Some(&value[..]) {
            return Ok(());
        }
        self.generation.insert(key, &value)?;
        let outgrown = self.generation.is_settled() && self.generation.size() > self.limit;
        if outgrown { self.move_on(folder) } else { Ok(()) }
    }

    /// Copies what lives into a new generation and lets the old one go. A crash in between leaves the old one, or both.
    fn move_on(&mut self, folder: &Path) -> io::Result<()> {
        let (number, old) = (self.number + 1, self.generation.folder.clone());
        let mut next = Generation::create(&path_of(folder, number))?;
        for pair in self.generation.db.iter() {
            let (key, value) = pair.map_err(generation::io_error)?;
            if let Some(sequence) = key_of(&key) {
                next.insert(sequence.0.to_be_bytes(), &value)?;
            }
        }
        next.complete()?;
        *self = Current::of(number, next);
        tracing::debug!(number, "the index moved into a new generation");
        fs::remove_dir_all(old)?;
        durable::sync_folder(folder)
    }
}

impl Index for SledIndex {
    fn is_open(&self) -> bool {
        self.current.is_some()
    }

    fn entries(&self) -> Entries<'_> {
        let all = self.current.iter().flat_map(|current| current.generation.walk());
        Box::new(all.map(|entry| entry.map_err(Failed::from)))
    }

    fn survey(&mut self) -> Result<Vec<Known>, Failed> {
        let walk = |_: &mut SledIndex, current: &mut Current| current.generation.survey();
        self.known.take().map_or_else(|| self.guarded(walk), Ok)
    }

    fn count(&self) -> usize {
        self.current.as_ref().map_or(0, |current| current.generation.count)
    }

    fn read(&self, sequence: Sequence) -> Result<Option<IndexV2>, Failed> {
        let Some(current) = &self.current else { return Ok(None) };
        let found = current.generation.db.get(sequence.0.to_be_bytes()).map_err(|error| Failed(error.to_string()))?;
        let decode = |value: sled::IVec| IndexV2::decode(&value).ok_or_else(|| Failed(BAD_VALUE.to_owned()));
        found.map(decode).transpose()
    }

    fn write(&mut self, sequence: Sequence, value: &IndexV2) -> Result<(), Failed> {
        self.guarded(|index, current| current.insert(&index.folder, sequence, value))
    }

    fn remove(&mut self, sequence: Sequence) -> Result<(), Failed> {
        self.guarded(|_, current| current.generation.remove(&sequence.0.to_be_bytes()))
    }

    fn begin_anew(&mut self) -> io::Result<String> {
        let kept = match self.current.take() {
            Some(current) => {
                let kept = durable::set_aside(&current.generation.folder)?;
                // What the old handle does when it goes must not take the queue with it.
                let number = current.number;
                let _ = catch_unwind(AssertUnwindSafe(|| drop(current)));
                self.begin(number + 1)?;
                kept.display().to_string()
            }
            None => {
                let (opened, kept) = SledIndex::open(&self.folder)?;
                *self = opened;
                kept.map(|kept| kept.display().to_string()).unwrap_or_default()
            }
        };
        if self.is_open() { Ok(kept) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn close(self) -> io::Result<()> {
        self.current.map_or(Ok(()), |current| current.generation.close())
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("index-{number:08}"))
}

fn key_of(key: &[u8]) -> Option<Sequence> {
    Some(Sequence(u64::from_be_bytes(key.try_into().ok()?)))
}

/// A generation's number, by its name.
fn number_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    if name == "index" { Some(0) } else { name.strip_prefix("index-")?.parse().ok() }
}

/// The generations in `folder`, the one to open last; those behind it that never were completed are removed.
fn generations(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(number) = number_of(&path) else { continue };
        if number == 0 || Generation::is_complete(&path) {
            found.push((number, path));
        } else {
            fs::remove_dir_all(path)?;
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;
