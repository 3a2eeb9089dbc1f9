//! The index on sled, from one generation of its folder to the next.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::generation::{self, Generation, key_of};
use super::walk::Guarded;
use super::{Entries, Failed, Index, Known};
use crate::domain::id::Sequence;
use crate::io::durable;
use crate::wire::index_v2::IndexV2;

/// A generation may grow to this, or to [`TIMES`] what lives in it.
const ROOM_BYTES: u64 = 3 << 20;
const TIMES: u64 = 4;

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
    /// What it may grow to whatever lives in it.
    room: u64,
    /// How often what lives in it.
    times: u64,
    /// There was no room for a copy: it is tried again when it has grown to this.
    again_from: u64,
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
            Err(why) if durable::is_full(&why) => {
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

    /// Begins an empty generation, which counts from its first barrier on: nothing may take it for whole before it is filled.
    /// On a full disk there is none.
    fn begin(&mut self, number: u64) -> io::Result<()> {
        // A copy may have been left half-way there.
        remove(&path_of(&self.folder, number))?;
        self.current = match Generation::create(&path_of(&self.folder, number)) {
            Ok(generation) => Some(Current::of(number, generation)),
            Err(error) if durable::is_full(&error) => None,
            Err(error) => return Err(error),
        };
        Ok(())
    }

    /// sled can panic on what it finds on the disk; the journal's writer must not go down with it.
    fn guarded<T>(&mut self, act: impl FnOnce(&mut SledIndex, &mut Current) -> io::Result<T>) -> Result<T, Failed> {
        let Some(mut current) = self.current.take() else { return Err(Failed::Broken("it is not open".to_owned())) };
        let done = catch_unwind(AssertUnwindSafe(|| act(self, &mut current)));
        self.current = Some(current);
        done.unwrap_or_else(|_| Err(panicked())).map_err(Failed::from)
    }
}

impl Current {
    fn of(number: u64, generation: Generation) -> Current {
        Current { number, generation, room: ROOM_BYTES, times: TIMES, again_from: 0 }
    }

    /// What it may grow to. A folder that was begun for many is left when few live in it, at the next barrier already.
    fn limit(&self) -> u64 {
        self.room.max(self.times * self.generation.live()).max(self.again_from)
    }

    fn move_on_if_grown(&mut self, folder: &Path) {
        if self.generation.size() > self.limit() {
            self.try_to_move_on(folder);
        }
    }

    fn insert(&mut self, folder: &Path, sequence: Sequence, value: &IndexV2) -> io::Result<()> {
        let (key, value) = (sequence.0.to_be_bytes(), value.encode());
        let known = self.generation.db.get(key).map_err(generation::io_error)?;
        if known.as_deref() == Some(&value[..]) {
            return Ok(());
        }
        self.generation.insert(key, &value)?;
        if self.generation.is_settled() {
            self.move_on_if_grown(folder);
        }
        Ok(())
    }

    /// Where there is no room for a copy, the old generation goes on, and may grow to twice what it is until the next try.
    fn try_to_move_on(&mut self, folder: &Path) {
        let moved = catch_unwind(AssertUnwindSafe(|| self.move_on(folder)));
        if let Err(error) = moved.unwrap_or_else(|_| Err(panicked())) {
            tracing::warn!(%error, "the index could not move into a new generation; the old one goes on");
            self.again_from = 2 * self.generation.size();
            if let Err(error) = remove(&path_of(folder, self.number + 1)) {
                tracing::warn!(%error, "what was begun of it could not be removed");
            }
        }
    }

    /// Copies what lives into a new generation and lets the old one go. A crash in between leaves the old one, or both.
    fn move_on(&mut self, folder: &Path) -> io::Result<()> {
        let (number, old) = (self.number + 1, self.generation.folder.clone());
        remove(&path_of(folder, number))?;
        let mut next = Generation::create(&path_of(folder, number))?;
        for pair in self.generation.pairs() {
            let (key, value) = pair?;
            if let Some(sequence) = key_of(&key) {
                next.insert(sequence.0.to_be_bytes(), &value)?;
            }
        }
        if self.generation.counts() {
            next.settle()?
        } else {
            next.barrier()?
        }
        let room = self.room;
        *self = Current { room, ..Current::of(number, next) };
        // Were a copy larger than what makes one necessary, there would be one after the other.
        self.times = TIMES.max(2 * self.generation.size() / self.generation.live().max(1));
        tracing::debug!(number, "the index moved into a new generation");
        // The new one counts by now; what is left of the old one goes at the next start.
        if let Err(error) = remove(&old).and_then(|()| durable::sync_folder(folder)) {
            tracing::warn!(%error, "the index's old generation could not be removed");
        }
        Ok(())
    }
}

impl Index for SledIndex {
    fn is_open(&self) -> bool {
        self.current.is_some()
    }

    fn entries(&self) -> Entries<'_> {
        let all = self.current.iter().flat_map(|current| current.generation.walk());
        Box::new(Guarded(Some(all)))
    }

    fn survey(&mut self) -> Result<Vec<Known>, Failed> {
        let walk = |_: &mut SledIndex, current: &mut Current| Ok(current.generation.survey()?);
        self.known.take().map_or_else(|| self.guarded(walk), Ok)
    }

    fn count(&self) -> usize {
        self.current.as_ref().map_or(0, |current| current.generation.count)
    }

    fn read(&self, sequence: Sequence) -> Result<Option<IndexV2>, Failed> {
        let Some(current) = &self.current else { return Ok(None) };
        let get = || current.generation.db.get(sequence.0.to_be_bytes()).map_err(generation::io_error);
        let found = catch_unwind(AssertUnwindSafe(get)).unwrap_or_else(|_| Err(panicked()))?;
        let decode = |value: sled::IVec| IndexV2::decode(&value).ok_or(Failed::BadValue);
        found.map(decode).transpose()
    }

    fn write(&mut self, sequence: Sequence, value: &IndexV2) -> Result<(), Failed> {
        self.known = None;
        self.guarded(|index, current| current.insert(&index.folder, sequence, value))
    }

    fn remove(&mut self, sequence: Sequence) -> Result<(), Failed> {
        self.known = None;
        self.guarded(|_, current| current.generation.remove(&sequence.0.to_be_bytes()))
    }

    fn begin_anew(&mut self) -> io::Result<String> {
        let kept = match self.current.take() {
            Some(current) => {
                let (folder, number) = (&current.generation.folder, current.number);
                // It may have got its other name at an earlier try, which failed behind that.
                let set_aside = if folder.exists() { durable::set_aside(folder) } else { Ok(set_aside_before(folder)) };
                // It stays the one that is open: opened anew, it would take what it has forgotten for lost.
                self.current = Some(current);
                let kept = set_aside?;
                self.shut();
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

    fn shut(&mut self) {
        // What the handle does when it goes must not take the queue with it.
        let current = self.current.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(current)));
    }

    fn barrier(&mut self) -> Result<(), Failed> {
        self.guarded(|index, current| {
            current.generation.settle()?;
            current.move_on_if_grown(&index.folder);
            Ok(())
        })
    }

    fn close(self) -> io::Result<()> {
        self.current.map_or(Ok(()), |current| current.generation.close())
    }
}

pub(super) fn panicked() -> io::Error {
    io::Error::other("sled panicked")
}

/// Where a folder is that was set aside; the latest, should there be more of its name.
fn set_aside_before(folder: &Path) -> PathBuf {
    let end = format!("-{}", folder.file_name().unwrap_or_default().to_string_lossy());
    let kept = durable::quarantined(folder.parent().unwrap_or(Path::new(".")));
    let is_its = |place: &PathBuf| place.to_string_lossy().ends_with(&end);
    kept.into_iter().rfind(is_its).unwrap_or_else(|| folder.to_owned())
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("index-{number:08}"))
}

/// A generation's number, by its name.
pub(super) fn number_of(path: &Path) -> Option<u64> {
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
