//! A journal that is only looked at. Reading one as the agent does means trimming, setting aside and beginning anew; here that
//! is said to be done and nothing of it is, so the folder stays as it was, whoever it belongs to and whoever writes to it.

use std::io;
use std::path::Path;

use super::{Disk, Folder, Loaded};
use crate::io::durable;

#[derive(Debug)]
pub struct Peek(Folder);

impl Peek {
    pub fn at(folder: &Path) -> Peek {
        Peek(Folder::there(folder))
    }
}

impl Disk for Peek {
    fn segments(&self) -> io::Result<Vec<u64>> {
        self.0.segments()
    }

    fn load(&self, segment: u64) -> io::Result<Loaded> {
        self.0.load(segment)
    }

    fn sync(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn begin(&mut self, _: u64, _: &[u8], _: u64) -> io::Result<()> {
        Ok(())
    }

    fn resume(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "the journal is only looked at"))
    }

    fn cut(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn read(&self, segment: u64, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read(segment, offset, bytes)
    }

    fn remove(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn set_aside(&mut self, segment: u64) -> io::Result<String> {
        Ok(format!("quarantine-...-{segment:08}.journal when the agent starts next"))
    }

    /// Always somewhere: who only looks is to hear of all damage, also of what was said before.
    fn keep(&mut self, segment: u64) -> io::Result<Option<String>> {
        let kept = durable::kept(&self.0.file(segment)).map(|kept| kept.display().to_string());
        Ok(Some(kept.unwrap_or_else(|| format!("quarantine-...-{segment:08}.journal when the agent starts next"))))
    }

    fn free(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn hold_ballast(&mut self, _: bool) -> io::Result<()> {
        Ok(())
    }
}
