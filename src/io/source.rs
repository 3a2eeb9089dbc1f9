//! What every scanner's reader shares: where scans go, and how a reader that lost its device comes back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::clock;
use crate::domain::capture::Input;
use crate::domain::decode::RawScan;
use crate::domain::decode::frame::Frame;
use crate::domain::view::ScannerView;

/// A reader waits so long before it opens its device again, at first and at last.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LAST_WAIT: Duration = Duration::from_secs(5);

/// What people and scanners send to the loop. One channel for all: what came first is looked at first, so that a photo
/// that was taken before DONE was scanned is on the slip when it is saved.
#[derive(Debug)]
pub enum Inward {
    Scan(RawScan),
    Scanner(ScannerView),
    Page(Input),
}

/// A reader's end of the bounded channel. When it is full the reader waits, and the kernel's buffer holds the rest.
#[derive(Clone, Debug)]
pub struct Outlet {
    name: Arc<str>,
    channel: mpsc::Sender<Inward>,
}

impl Outlet {
    pub fn new(name: &str, channel: mpsc::Sender<Inward>) -> Outlet {
        Outlet { name: name.into(), channel }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// False when the agent is stopping.
    pub async fn scan(&self, frame: Frame) -> bool {
        let Frame { bytes, flaws } = frame;
        let scan = RawScan { source: self.name.clone(), bytes, at: clock::now(), flaws };
        self.channel.send(Inward::Scan(scan)).await.is_ok()
    }

    pub async fn state(&self, connected: bool, detail: impl Into<String>) -> bool {
        let view = ScannerView { name: self.name.to_string(), connected, detail: detail.into() };
        self.channel.send(Inward::Scanner(view)).await.is_ok()
    }
}

/// Opens a device and reads it, again and again, until the agent stops. `open` gives the device and what to call it;
/// `read` returns true when the device is gone, false when the agent stops.
pub async fn keep_reading<D, F: Future<Output = bool>>(
    path: &Path,
    outlet: &Outlet,
    open: impl Fn() -> Result<(D, String), String>,
    read: impl Fn(D) -> F,
) {
    let (mut wait, mut said) = (FIRST_WAIT, String::new());
    loop {
        match open() {
            Ok((device, detail)) => {
                tracing::info!(scanner = outlet.name(), path = %path.display(), detail, "scanner opened");
                (wait, said) = (FIRST_WAIT, String::new());
                if !outlet.state(true, detail).await || !read(device).await {
                    return;
                }
            }
            Err(why) => {
                // Once is enough: a scanner in its cradle is away for hours.
                if why != said {
                    tracing::warn!(scanner = outlet.name(), path = %path.display(), why, "scanner can't be opened; trying again");
                    said.clone_from(&why);
                }
                if !outlet.state(false, why).await {
                    return;
                }
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LAST_WAIT);
    }
}
