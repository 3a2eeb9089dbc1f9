//! A folder on a disk that isn't well.

use std::ops::Range;

use super::*;

pub(super) struct Failing {
    pub(super) folder: Folder,
    /// Writes get there and fail all the same.
    pub(super) failing: bool,
    /// Cuts that it refuses.
    pub(super) refused_cuts: u32,
    /// What it can't read, of this segment.
    pub(super) bad: Option<(u64, Range<usize>)>,
    /// There is no room for another segment.
    pub(super) full: bool,
    /// What was made durable.
    pub(super) synced: Vec<u64>,
}

impl Failing {
    pub(super) fn at(folder: &Path) -> Failing {
        let folder = Folder::open(folder).unwrap();
        Failing { folder, failing: false, refused_cuts: 0, bad: None, full: false, synced: vec![] }
    }
}

impl Disk for Failing {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.folder.write(offset, bytes)?;
        if self.failing { Err(io::Error::other("as if its sync had failed")) } else { Ok(()) }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.refused_cuts > 0 {
            self.refused_cuts -= 1;
            return Err(io::Error::other("refused"));
        }
        self.folder.cut(length)
    }

    fn segments(&self) -> io::Result<Vec<u64>> {
        self.folder.segments()
    }

    fn load(&self, segment: u64) -> io::Result<Loaded> {
        let mut loaded = self.folder.load(segment)?;
        if let Some((_, range)) = self.bad.iter().find(|(number, _)| *number == segment) {
            loaded.bytes[range.clone()].fill(0);
            loaded.unreadable.push(range.clone());
        }
        Ok(loaded)
    }

    fn sync(&mut self, segment: u64) -> io::Result<()> {
        self.synced.push(segment);
        self.folder.sync(segment)
    }

    fn begin(&mut self, segment: u64, start: &[u8], size: u64) -> io::Result<()> {
        if self.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.folder.begin(segment, start, size)
    }

    fn resume(&mut self, segment: u64) -> io::Result<()> {
        self.folder.resume(segment)
    }

    fn read(&self, segment: u64, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.folder.read(segment, offset, bytes)
    }

    fn remove(&mut self, segment: u64) -> io::Result<()> {
        self.folder.remove(segment)
    }

    fn set_aside(&mut self, segment: u64) -> io::Result<String> {
        self.folder.set_aside(segment)
    }

    fn keep(&mut self, segment: u64) -> io::Result<Option<String>> {
        self.folder.keep(segment)
    }

    fn free(&self) -> io::Result<u64> {
        self.folder.free()
    }

    fn hold_ballast(&mut self, hold: bool) -> io::Result<()> {
        self.folder.hold_ballast(hold)
    }
}
