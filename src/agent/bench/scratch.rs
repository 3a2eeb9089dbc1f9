//! The folder that a bench works in: beside what it is about, because another disk would say nothing, and gone afterwards.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::BenchError;

const NAME: &str = ".tallyman-bench";

pub(super) struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Also takes away what a bench that was killed has left.
    pub(super) fn in_folder(parent: &Path, needed: u64) -> Result<Scratch, BenchError> {
        let failed = |source| BenchError::Folder { folder: parent.display().to_string(), source };
        let room = rustix::fs::statvfs(parent).map_err(|error| failed(error.into()))?;
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        if free < needed {
            return Err(BenchError::NoRoom { folder: parent.display().to_string(), free, needed });
        }
        let folder = parent.join(NAME);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BenchError::Busy(parent.display().to_string())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                fs::remove_dir_all(entry.path()).map_err(failed)?;
            }
        }
        Ok(Scratch { folder, _lock: lock })
    }

    pub(super) fn part(&self, name: &str) -> io::Result<PathBuf> {
        let part = self.folder.join(name);
        fs::create_dir(&part)?;
        Ok(part)
    }

    /// Makes room for the next part.
    pub(super) fn clear(&self, part: &Path) {
        // What can't be removed now is removed with the folder, or by the next bench.
        let _ = fs::remove_dir_all(part);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_needs_room_is_alone_and_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        assert!(matches!(Scratch::in_folder(parent.path(), u64::MAX), Err(BenchError::NoRoom { .. })));
        fs::create_dir_all(parent.path().join(NAME).join("of a killed one")).unwrap();
        let scratch = Scratch::in_folder(parent.path(), 1).unwrap();
        assert!(matches!(Scratch::in_folder(parent.path(), 1), Err(BenchError::Busy(_))));
        assert!(!parent.path().join(NAME).join("of a killed one").exists());
        scratch.part("x").unwrap();
        drop(scratch);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
