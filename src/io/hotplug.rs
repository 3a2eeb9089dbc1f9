//! Notices that a device was plugged in, without looking again and again: inotify on the folders of device nodes.
//!
//! udev makes a node, gives it its group and mode, and then makes the links to it; each step is a change here, so a
//! reader that failed for want of a permission tries again when the permission comes. A folder that isn't there yet
//! (/dev/serial/by-id before the first serial device) is awaited in the folder above it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

/// A plugged device makes a dozen changes at once; they are looked at together.
const SETTLE: Duration = Duration::from_millis(20);
/// Without inotify (its limits are used up) there is only looking again.
const POLL: Duration = Duration::from_secs(5);
/// Events of about 150 changes.
const BUFFER: usize = 4096;

/// Watched folders, shared by all readers. A clone remembers on its own what it has seen.
#[derive(Clone, Debug)]
pub struct Hotplug {
    inotify: Option<Arc<AsyncFd<OwnedFd>>>,
    changes: watch::Receiver<u64>,
}

impl Hotplug {
    /// Starts the task that listens; it ends with the last clone.
    pub fn start() -> Hotplug {
        let (changed, changes) = watch::channel(0);
        let flags = CreateFlags::NONBLOCK | CreateFlags::CLOEXEC;
        let made = inotify::init(flags).map_err(io::Error::from).and_then(super::ready::readable);
        let inotify = made.map(Arc::new).map_err(|error| {
            tracing::warn!(%error, "no inotify (see fs.inotify.max_user_instances): looking for scanners every 5 s");
        });
        let inotify = inotify.ok();
        tokio::spawn(listen(inotify.clone(), changed));
        Hotplug { inotify, changes }
    }

    /// Watches the folders, or of each the nearest one above it that exists. What changes after this call is noticed.
    pub fn watch(&mut self, folders: &[PathBuf]) {
        self.changes.mark_unchanged();
        let Some(inotify) = self.inotify.clone() else { return };
        for folder in folders {
            if add(inotify.get_ref(), folder) {
                self.changes.mark_changed();
            }
        }
    }

    /// Waits for a change since the last look.
    pub async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            // The listener is gone with the runtime.
            std::future::pending::<()>().await;
        }
    }
}

/// Watches `folder` or the nearest one above it; true when a folder came meanwhile, so that one must look again.
fn add(inotify: &OwnedFd, folder: &Path) -> bool {
    let what = WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVED_TO
        | WatchFlags::MOVED_FROM
        | WatchFlags::ATTRIB
        | WatchFlags::DELETE_SELF
        | WatchFlags::ONLYDIR;
    let mut missing: Option<&Path> = None;
    for folder in folder.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
        match inotify::add_watch(inotify, folder, what) {
            Ok(_) => return missing.is_some_and(Path::is_dir),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => missing = Some(folder),
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "changes can't be watched here");
                return false;
            }
        }
    }
    false
}

async fn listen(inotify: Option<Arc<AsyncFd<OwnedFd>>>, changed: watch::Sender<u64>) {
    loop {
        let wait = async {
            match &inotify {
                Some(inotify) => drain(inotify).await,
                None => tokio::time::sleep(POLL).await,
            }
        };
        tokio::select! {
            () = changed.closed() => return,
            () = wait => {}
        }
        changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// Waits for changes and takes all that have settled.
async fn drain(inotify: &AsyncFd<OwnedFd>) {
    if let Ok(mut ready) = inotify.readable().await {
        tokio::time::sleep(SETTLE).await;
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(inotify.get_ref(), &mut buffer);
        // What changed doesn't matter: readers look for themselves.
        while reader.next().is_ok() {}
        ready.clear_ready();
    } else {
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    async fn notices(hotplug: &mut Hotplug, what: &str) {
        let waited = tokio::time::timeout(PATIENCE, hotplug.changed()).await;
        assert!(waited.is_ok(), "{what} was not noticed");
    }

    #[tokio::test]
    async fn a_new_node_a_new_permission_and_a_removed_node_are_noticed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let node = folder.path().join("event1");
        let mut hotplug = Hotplug::start();
        hotplug.watch(&[folder.path().to_owned()]);
        std::fs::write(&node, "").unwrap();
        notices(&mut hotplug, "a node").await;
        hotplug.watch(&[folder.path().to_owned()]);
        std::fs::set_permissions(&node, std::fs::Permissions::from_mode(0o660)).unwrap();
        notices(&mut hotplug, "a permission").await;
        hotplug.watch(&[folder.path().to_owned()]);
        std::fs::remove_file(&node).unwrap();
        notices(&mut hotplug, "a removal").await;
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_yet_is_awaited() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("serial/by-id");
        let mut hotplug = Hotplug::start();
        hotplug.watch(std::slice::from_ref(&deep));
        for (made, what) in
            [(deep.parent().unwrap(), "the parent"), (&deep, "the folder"), (&deep.join("usb"), "the link")]
        {
            std::fs::create_dir(made).unwrap();
            notices(&mut hotplug, what).await;
            hotplug.watch(std::slice::from_ref(&deep));
        }
    }

    #[tokio::test]
    async fn nothing_new_wakes_nobody() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("event1"), "").unwrap();
        let mut hotplug = Hotplug::start();
        hotplug.watch(&[folder.path().to_owned()]);
        std::fs::write(folder.path().join("event1"), "typed").unwrap();
        drop(std::fs::read(folder.path().join("event1")).unwrap());
        let waited = tokio::time::timeout(Duration::from_millis(200), hotplug.changed()).await;
        assert!(waited.is_err(), "reading and writing a node is no change of it");
    }
}
