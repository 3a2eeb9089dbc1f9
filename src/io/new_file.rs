//! A file for somebody else's disk, a stick mostly: it is there whole under its name, or not at all, and takes nobody's place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::durable;

/// A file that is being written under another name. Dropped before [`NewFile::finish`], nothing of it stays.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    path: PathBuf,
    temporary: PathBuf,
    finished: bool,
}

impl NewFile {
    /// # Errors
    /// `AlreadyExists` when there is anything of this name.
    pub fn create(path: &Path) -> io::Result<NewFile> {
        let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this names no file"))?;
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let temporary = folder_of(path).join(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        Ok(NewFile { file, path: path.to_owned(), temporary, finished: false })
    }

    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Writes over what is there, and goes on behind the end.
    pub fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, at)
    }

    /// Makes it durable and gives it its name, if that is still free.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        self.name()?;
        self.finished = true;
        durable::sync_folder(folder_of(&self.path)).inspect_err(|_| drop(fs::remove_file(&self.path)))
    }

    fn name(&self) -> io::Result<()> {
        match renameat_with(CWD, &self.temporary, CWD, &self.path, RenameFlags::NOREPLACE) {
            // A file system that can't do it in one step (some of FUSE's): the name is taken first, by an empty file.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                OpenOptions::new().write(true).create_new(true).open(&self.path)?;
                fs::rename(&self.temporary, &self.path).inspect_err(|_| drop(fs::remove_file(&self.path)))
            }
            renamed => renamed.map_err(io::Error::from),
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.finished {
            // Nobody was told of it.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Bytes that can be written where `path` will lie.
pub fn room_for(path: &Path) -> io::Result<u64> {
    let room = rustix::fs::statvfs(folder_of(path))?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn it_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.tar");
        let mut file = NewFile::create(&path).unwrap();
        file.append(b"....").unwrap();
        file.patch(1, b"ab").unwrap();
        file.append(b"!").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(names(folder.path()), [""; 0]);

        let mut file = NewFile::create(&path).unwrap();
        file.append(b"....").unwrap();
        file.patch(1, b"ab").unwrap();
        file.append(b"!").unwrap();
        file.finish().unwrap();
        assert_eq!(
            (fs::read(&path).unwrap().as_slice(), names(folder.path())),
            (&b".ab.!"[..], vec!["b.tar".to_owned()])
        );
    }

    #[test]
    fn nothing_is_overwritten_not_even_what_came_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.tar");
        let file = NewFile::create(&path).unwrap();
        fs::write(&path, "another's").unwrap();
        assert_eq!(file.finish().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(NewFile::create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("another's", 1));
        // A link that leads nowhere is something, too.
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert_eq!(NewFile::create(&link).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
