//! A small ext4 of its own for a test, whose power can be cut.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// EXT4_IOC_SHUTDOWN without a flush of the log: nothing that isn't on the disk comes there any more. Rust's way to an ioctl is
/// unsafe; Python is needed by the other suites anyway.
const CUT: &str = "import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";

pub(crate) struct LoopFs {
    image: PathBuf,
    point: PathBuf,
    mounted: bool,
}

/// Runs a command that only root may.
fn root(command: &[&str]) {
    let sudo: &[&str] = if rustix::process::geteuid().is_root() { &[] } else { &["sudo", "-n"] };
    let words = [sudo, command].concat();
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl LoopFs {
    /// An empty file system of so many bytes, mounted at `point`; its image lies in `folder`.
    pub(crate) fn mount(folder: &Path, point: &Path, bytes: u64) -> LoopFs {
        let image = folder.join("disk.img");
        File::create(&image).unwrap().set_len(bytes).unwrap();
        // No blocks kept for root: what `df` says is what there is.
        let made = Command::new("/usr/sbin/mke2fs").args(["-q", "-t", "ext4", "-m", "0", "-F"]).arg(&image).status();
        assert!(made.unwrap().success());
        fs::create_dir_all(point).unwrap();
        let mut disk = LoopFs { image, point: point.to_owned(), mounted: false };
        disk.attach();
        let (user, group) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        root(&["chown", &format!("{user}:{group}"), text(point)]);
        disk
    }

    fn attach(&mut self) {
        root(&["mount", "-o", "loop", text(&self.image), text(&self.point)]);
        self.mounted = true;
    }

    /// The power goes: what wasn't flushed is gone.
    pub(crate) fn cut_power(&self) {
        root(&["python3", "-c", CUT, text(&self.point)]);
    }

    /// The machine comes up again. Nobody may still have a file open here.
    ///
    /// With a copy of the disk, taken before the file system is let go of: whatever copied this machine's mounts meanwhile (a
    /// container that starts, an Odoo of the other suites) keeps the one that was shut down, would give it back to us, and
    /// writes to it when it ends.
    pub(crate) fn power_up(&mut self) {
        let copy = self.image.with_extension("copy");
        root(&["cp", "--sparse=always", text(&self.image), text(&copy)]);
        root(&["umount", text(&self.point)]);
        self.mounted = false;
        fs::rename(&copy, &self.image).unwrap();
        self.attach();
    }
}

impl Drop for LoopFs {
    fn drop(&mut self) {
        if self.mounted {
            // A test that failed may have left an agent there for a moment; a lazy unmount waits for it.
            root(&["umount", "-l", text(&self.point)]);
        }
    }
}
