//! Where segments lie: a folder of the real disk here, a disk that forgets what wasn't synced in the simulation.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::domain::room::BALLAST_BYTES;
use crate::io::durable;

const BALLAST: &str = "ballast";
/// What a disk can fail to read at least.
const BLOCK: usize = 4096;
/// Zeros are written in pieces of this size.
const ZEROS: usize = 1 << 16;

/// What a segment holds, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Zeros stand for what can't be read; those at the end may be missing.
    pub bytes: Vec<u8>,
    /// What can't be read, today and tomorrow, in order: nobody knows what was acknowledged there.
    pub unreadable: Vec<Range<usize>>,
}

/// What the journal asks of a disk. An error leaves what was durable before as it was, and what was being written unknown.
pub trait Disk {
    /// The numbers of the segments, oldest first.
    fn segments(&self) -> io::Result<Vec<u64>>;

    /// All bytes of a segment.
    fn load(&self, segment: u64) -> io::Result<Loaded>;

    /// Makes durable what this segment has, and the names of all: a process that was killed may have left it in memory alone.
    fn sync(&mut self, segment: u64) -> io::Result<()>;

    /// Makes a segment that begins with `start` and has zeros up to `size`, itself and its name durable. Writes go to it.
    fn begin(&mut self, segment: u64, start: &[u8], size: u64) -> io::Result<()>;

    /// Writes go to this segment, which is there.
    fn resume(&mut self, segment: u64) -> io::Result<()>;

    /// Writes to the segment that was begun or resumed, and waits until the disk has it.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Takes back, durably, what that segment has beyond `length`.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    fn read(&self, segment: u64, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Deletes a segment, durably; one that is gone already is no error.
    fn remove(&mut self, segment: u64) -> io::Result<()>;

    /// Puts a segment where nobody takes it for one; says where.
    fn set_aside(&mut self, segment: u64) -> io::Result<String>;

    /// Keeps what a damaged segment has now for a person, durably, whatever becomes of the segment; says where. Nothing when
    /// just that is kept already.
    fn keep(&mut self, segment: u64) -> io::Result<Option<String>>;

    /// Bytes that a program without special rights can still write.
    fn free(&self) -> io::Result<u64>;

    /// Takes or gives up [`BALLAST_BYTES`].
    fn hold_ballast(&mut self, hold: bool) -> io::Result<()>;
}

/// A folder of segment files.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    open: Option<(u64, File)>,
}

impl Folder {
    pub fn open(path: &Path) -> io::Result<Folder> {
        durable::create_folder(path)?;
        Ok(Folder::there(path))
    }

    /// One that is not made if it isn't there.
    pub(super) fn there(path: &Path) -> Folder {
        Folder { path: path.to_owned(), open: None }
    }

    /// A segment with blocks that the disk can't read: one of them must not keep the others, and the agent, from going on.
    fn load_around(&self, segment: u64) -> io::Result<Loaded> {
        let file = File::open(self.file(segment))?;
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        read_around(length, |at, piece| file.read_exact_at(piece, at as u64))
    }

    pub(super) fn file(&self, segment: u64) -> PathBuf {
        self.path.join(format!("{segment:08}.journal"))
    }

    fn writer(&self) -> io::Result<&File> {
        self.open.as_ref().map(|(_, file)| file).ok_or_else(|| io::Error::other("no segment is open"))
    }
}

impl Disk for Folder {
    fn segments(&self) -> io::Result<Vec<u64>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let number: Option<u64> =
                path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            if path.extension().is_some_and(|extension| extension == "journal") {
                found.extend(number);
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn load(&self, segment: u64) -> io::Result<Loaded> {
        let whole = fs::read(self.file(segment)).map(|bytes| Loaded { bytes, unreadable: Vec::new() });
        whole.or_else(|error| if is_bad_block(&error) { self.load_around(segment) } else { Err(error) })
    }

    fn sync(&mut self, segment: u64) -> io::Result<()> {
        File::open(self.file(segment))?.sync_data()?;
        durable::sync_folder(&self.path)
    }

    fn begin(&mut self, segment: u64, start: &[u8], size: u64) -> io::Result<()> {
        let path = self.file(segment);
        let file = make(&path, start, size)?;
        durable::sync_folder(&self.path)?;
        self.open = Some((segment, file));
        Ok(())
    }

    fn resume(&mut self, segment: u64) -> io::Result<()> {
        let file = OpenOptions::new().read(true).write(true).open(self.file(segment))?;
        self.open = Some((segment, file));
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.writer()?;
        file.write_all_at(bytes, offset)?;
        file.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let file = self.writer()?;
        file.set_len(length)?;
        file.sync_all()
    }

    fn read(&self, segment: u64, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        match &self.open {
            Some((open, file)) if *open == segment => file.read_exact_at(bytes, offset),
            Some(_) | None => File::open(self.file(segment))?.read_exact_at(bytes, offset),
        }
    }

    fn remove(&mut self, segment: u64) -> io::Result<()> {
        match fs::remove_file(self.file(segment)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        durable::sync_folder(&self.path)
    }

    fn set_aside(&mut self, segment: u64) -> io::Result<String> {
        durable::set_aside(&self.file(segment)).map(|kept| kept.display().to_string())
    }

    fn keep(&mut self, segment: u64) -> io::Result<Option<String>> {
        Ok(durable::keep(&self.file(segment))?.map(|kept| kept.display().to_string()))
    }

    fn free(&self) -> io::Result<u64> {
        let room = rustix::fs::statvfs(&self.path)?;
        Ok(room.f_bavail.saturating_mul(room.f_frsize))
    }

    fn hold_ballast(&mut self, hold: bool) -> io::Result<()> {
        let path = self.path.join(BALLAST);
        if hold {
            if fs::metadata(&path).is_ok_and(|known| known.len() == BALLAST_BYTES) {
                return Ok(());
            }
            self.hold_ballast(false)?;
            return make(&path, &[], BALLAST_BYTES).map(drop);
        }
        match fs::remove_file(path) {
            // The blocks are free only when the disk knows it.
            Ok(()) => durable::sync_folder(&self.path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A new file that begins with `start` and has zeros up to `size`, durable but for its name; nothing at all on an error, which
/// a full disk is.
fn make(path: &Path, start: &[u8], size: u64) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    let made = fill(&file, start, size);
    if made.is_err() {
        let _ = fs::remove_file(path);
    }
    made.map(|()| file)
}

/// Really written zeros: blocks that are only promised (fallocate) would change the file system's metadata at each write.
fn fill(file: &File, start: &[u8], size: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROS];
    let mut at = 0;
    while at < size {
        let piece = usize::try_from(size - at).unwrap_or(ZEROS).min(ZEROS);
        file.write_all_at(&zeros[..piece], at)?;
        at += piece as u64;
    }
    file.write_all_at(start, 0)?;
    file.sync_all()
}

/// The disk can't read it, today and tomorrow.
pub fn is_bad_block(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// Reads a file of this length block by block, around those that can't be read.
fn read_around(length: usize, mut read: impl FnMut(usize, &mut [u8]) -> io::Result<()>) -> io::Result<Loaded> {
    let mut bytes = vec![0; length];
    let mut unreadable: Vec<Range<usize>> = Vec::new();
    for (number, piece) in bytes.chunks_mut(BLOCK).enumerate() {
        let at = number * BLOCK;
        match read(at, piece) {
            Err(error) if is_bad_block(&error) => {
                piece.fill(0);
                match unreadable.last_mut().filter(|last| last.end == at) {
                    Some(last) => last.end = at + piece.len(),
                    None => unreadable.push(at..at + piece.len()),
                }
            }
            read => read?,
        }
    }
    Ok(Loaded { bytes, unreadable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_block_costs_itself_alone_and_other_errors_are_errors() {
        let bad = || io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error());
        let read = read_around(5 * BLOCK + 7, |at, piece| {
            piece.fill(7);
            if [1, 3, 4, 5].contains(&(at / BLOCK)) { Err(bad()) } else { Ok(()) }
        });
        let Loaded { bytes, unreadable } = read.unwrap();
        assert_eq!(unreadable, [BLOCK..2 * BLOCK, 3 * BLOCK..5 * BLOCK + 7]);
        let is_bad = |at: &usize| unreadable.iter().any(|range| range.contains(at));
        assert!(bytes.len() == 5 * BLOCK + 7 && (0..bytes.len()).all(|at| (bytes[at] == 0) == is_bad(&at)));
        assert!(read_around(10, |_, _| Err(io::ErrorKind::UnexpectedEof.into())).is_err());
    }
}
