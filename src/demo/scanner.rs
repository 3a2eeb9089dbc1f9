//! A pretend serial scanner: what it fires comes out of a pty's other end, 9600 8N1 with CR, as from a real one.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::ioctl_fionread;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, ioctl_tiocnxcl, tcgetattr, tcsetattr};

#[derive(Debug)]
pub struct PretendScanner {
    master: File,
    path: PathBuf,
    /// Held open, so that a code fired while nobody reads waits in the line instead of failing.
    slave: File,
}

impl PretendScanner {
    pub fn plug_in() -> io::Result<PretendScanner> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = PathBuf::from(ptsname(&master, Vec::new())?.to_string_lossy().into_owned());
        let slave = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        // Raw from the start: a line that echoes would answer the scanner with its own codes.
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        Ok(PretendScanner { master: File::from(master), path, slave: File::from(slave) })
    }

    /// The device that an agent opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets another reader open the line after one was killed. A reader takes a line for itself (TIOCEXCL); a real line
    /// forgets that with its last reader, but this one is held open here.
    pub fn release(&self) -> io::Result<()> {
        Ok(ioctl_tiocnxcl(&self.slave)?)
    }

    /// The line as its reader has set it.
    pub fn line(&self) -> &File {
        &self.slave
    }

    /// How many bytes of what was sent nobody has read yet.
    pub fn unread(&self) -> io::Result<u64> {
        Ok(ioctl_fionread(&self.slave)?)
    }

    /// How many bytes the reader has sent back and nobody has heard yet.
    pub fn waiting_to_be_heard(&self) -> io::Result<u64> {
        Ok(ioctl_fionread(&self.master)?)
    }

    /// The scanner's own end, to hear what is sent back to it.
    pub fn other_end(&self) -> io::Result<File> {
        self.master.try_clone()
    }

    /// Pulls the trigger.
    pub fn fire(&self, code: &str) -> io::Result<()> {
        self.send(format!("{code}\r").as_bytes())
    }

    /// Sends bytes as they are.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.master).write_all(bytes)
    }
}
