//! Looking into an index without touching it: opening a sled folder writes to it, so a copy is opened.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::generation::{self, Generation};
use super::generations::number_of;
use crate::domain::id::Sequence;
use crate::io::entropy;
use crate::wire::index_v2::IndexV2;

/// What an index holds.
#[derive(Debug)]
pub struct Contents {
    pub entries: Vec<(Sequence, IndexV2)>,
    /// The agent stopped in order: all that it knew is in here.
    pub closed: bool,
}

/// Why there are no contents.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("{0}")]
    Damaged(String),
    /// Nothing is known about it.
    #[error("no copy of it could be made in {}: {source}", scratch.display())]
    NoCopy { scratch: PathBuf, source: io::Error },
}

/// Reads the latest index in `folder`, by a copy in the system's folder for temporary files. `None` when there is none.
pub fn inspect(folder: &Path) -> Result<Option<Contents>, Unreadable> {
    let scratch = std::env::temp_dir();
    let no_copy = |source| Unreadable::NoCopy { scratch: scratch.clone(), source };
    let Some(latest) = latest(folder).map_err(no_copy)? else { return Ok(None) };
    let copy = Copy::of(&latest, &scratch).map_err(no_copy)?;
    let closed = generation::is_closed(&copy.0);
    let damaged = |error: io::Error| Unreadable::Damaged(error.to_string());
    let (opened, _) = Generation::open(&copy.0).map_err(damaged)?;
    let entries = opened.walk().collect::<Result<_, _>>().map_err(|failed| damaged(failed.into()))?;
    Ok(Some(Contents { entries, closed }))
}

fn latest(folder: &Path) -> io::Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = number_of(&path).filter(|number| *number == 0 || Generation::is_complete(&path));
        found.extend(number.map(|number| (number, path)));
    }
    Ok(found.into_iter().max().map(|(_, path)| path))
}

/// A folder of ours, gone when it is dropped.
struct Copy(PathBuf);

impl Copy {
    fn of(folder: &Path, scratch: &Path) -> io::Result<Copy> {
        let name = u64::from_le_bytes(entropy::bytes()?);
        let copy = Copy(scratch.join(format!("tallyman-verify-{name:016x}")));
        copy_folder(folder, &copy.0)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What stays behind is the system's to clean up, as everything there.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// sled's folders have files and at most one level of folders, which this follows no deeper than they go.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let (entry, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if entry.is_dir() {
            copy_folder(&entry, &target)?;
        } else {
            fs::copy(&entry, &target)?;
        }
    }
    Ok(())
}
