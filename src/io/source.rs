//! What every scanner's reader shares: where scans go, what is said about its devices, and the way back to the scanner.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::domain::capture::Input;
use crate::domain::decode::RawScan;
use crate::domain::decode::frame::Frame;
use crate::domain::decode::trace::{Happening, MAX_STEPS, Step};
use crate::domain::time::Now;
use crate::domain::view::{DeviceView, Hold, ScannerView};

/// What people and scanners send to the loop. One channel for all: what came first is looked at first, so that a photo
/// that was taken before DONE was scanned is on the slip when it is saved.
#[derive(Debug)]
pub enum Inward {
    Scan(Scanned),
    Scanner(ScannerView),
    Page(Input),
    /// Somebody at the page tests the scanners (true), or no longer does.
    Tester {
        who: String,
        stays: bool,
    },
}

/// A scan, and the way back to the scanner that it came from.
#[derive(Debug)]
pub struct Scanned {
    pub raw: RawScan,
    pub back: Option<Back>,
}

/// Tells a scanner that its code was not taken: it beeps, where it is set up to. One such word waits at most.
#[derive(Clone, Debug)]
pub struct Back(mpsc::Sender<()>);

impl Back {
    /// A way back with the end at which the scanner's reader listens.
    pub fn new() -> (Back, mpsc::Receiver<()>) {
        let (sender, words) = mpsc::channel(1);
        (Back(sender), words)
    }

    /// A scanner that has not yet beeped for the code before needs no second word.
    pub fn not_taken(&self) {
        let _ = self.0.try_send(());
    }
}

/// A reader's end of the bounded channel. When it is full the reader waits, and the kernel's buffer holds the rest.
#[derive(Clone, Debug)]
pub struct Outlet {
    name: Arc<str>,
    channel: mpsc::Sender<Inward>,
    tested: Arc<AtomicBool>,
    devices: Arc<Mutex<BTreeMap<PathBuf, DeviceView>>>,
}

/// When a frame was read, and what else is known of its coming.
#[derive(Debug)]
pub struct Reading {
    pub at: Now,
    pub typed: Option<Duration>,
    pub trace: Vec<Step>,
    pub back: Option<Back>,
}

impl Reading {
    pub fn at(at: Now) -> Reading {
        Reading { at, typed: None, trace: Vec::new(), back: None }
    }
}

impl Outlet {
    /// `tested` is true while somebody wants to see events one by one.
    pub fn new(name: &str, channel: mpsc::Sender<Inward>, tested: Arc<AtomicBool>) -> Outlet {
        Outlet { name: name.into(), channel, tested, devices: Arc::default() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_tested(&self) -> bool {
        self.tested.load(Ordering::Relaxed)
    }

    /// False when the agent is stopping.
    pub async fn scan(&self, frame: Frame, reading: Reading) -> bool {
        let Frame { bytes, flaws } = frame;
        let Reading { at, typed, trace, back } = reading;
        let raw = RawScan { source: self.name.clone(), bytes, at, flaws, trace, typed };
        self.channel.send(Inward::Scan(Scanned { raw, back })).await.is_ok()
    }

    /// Says how one device of this scanner is. False when the agent is stopping.
    pub async fn device(&self, node: &Path, hold: Hold, detail: impl Into<String>) -> bool {
        let view = DeviceView { node: node.display().to_string(), hold, detail: detail.into() };
        let changed = {
            let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
            devices.insert(node.to_owned(), view.clone()).as_ref() != Some(&view)
        };
        !changed || self.tell().await
    }

    /// One device is no longer there.
    pub async fn no_device(&self, node: &Path) -> bool {
        let was_there = {
            let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
            devices.remove(node).is_some()
        };
        !was_there || self.tell().await
    }

    /// Says how the scanner is as a whole.
    pub async fn tell(&self) -> bool {
        let devices: Vec<DeviceView> = {
            let devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
            devices.values().cloned().collect()
        };
        self.channel.send(Inward::Scanner(summary(&self.name, devices))).await.is_ok()
    }
}

fn summary(name: &str, devices: Vec<DeviceView>) -> ScannerView {
    let reading: Vec<&str> = devices
        .iter()
        .filter(|device| matches!(device.hold, Hold::Grabbed | Hold::Waiting))
        .map(|device| device.detail.as_str())
        .collect();
    let watched = devices.iter().filter(|device| device.hold == Hold::Watched).count();
    let detail = if !reading.is_empty() {
        reading.join(", ")
    } else if watched > 0 {
        format!("waiting for the first code: {watched} keyboard(s) are watched")
    } else {
        devices.first().map_or("not plugged in", |device| device.detail.as_str()).to_owned()
    };
    ScannerView { name: name.to_owned(), connected: !reading.is_empty(), detail, devices }
}

/// Writes down what a device sends while somebody looks, up to the next code.
#[derive(Debug, Default)]
pub struct Recorder {
    steps: Vec<Step>,
    last: Option<Duration>,
}

impl Recorder {
    pub fn note(&mut self, outlet: &Outlet, at: Now, what: impl FnOnce() -> Happening) {
        if !outlet.is_tested() {
            if self.last.is_some() {
                *self = Recorder::default();
            }
            return;
        }
        let after = self.last.map_or(Duration::ZERO, |last| at.boot.saturating_sub(last));
        self.last = Some(at.boot);
        if self.steps.len() < MAX_STEPS {
            self.steps.push(Step { after, what: what() });
        }
    }

    /// What was written down since the last code.
    pub fn take(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(node: &str, hold: Hold) -> DeviceView {
        DeviceView { node: node.to_owned(), hold, detail: format!("about {node}") }
    }

    #[test]
    fn a_scanner_is_there_when_one_of_its_devices_is_read() {
        let view = summary("dock", vec![device("a", Hold::Failed), device("b", Hold::Grabbed)]);
        assert_eq!((view.connected, view.detail.as_str()), (true, "about b"));
        let view = summary("dock", vec![device("a", Hold::Failed)]);
        assert_eq!((view.connected, view.detail.as_str()), (false, "about a"));
        assert_eq!(summary("dock", vec![]).detail, "not plugged in");
        let view = summary("dock", vec![device("a", Hold::Watched), device("b", Hold::Failed)]);
        assert!(!view.connected && view.detail.contains("1 keyboard(s) are watched"));
    }

    #[test]
    fn nothing_is_written_down_unless_somebody_looks() {
        let (channel, _inward) = mpsc::channel(1);
        let tested = Arc::new(AtomicBool::new(false));
        let outlet = Outlet::new("dock", channel, tested.clone());
        let at = |ms| Now { boot: Duration::from_millis(ms), wall: crate::domain::time::Wall(0) };
        let mut recorder = Recorder::default();
        recorder.note(&outlet, at(1), || panic!("nobody looks"));
        tested.store(true, Ordering::Relaxed);
        (0..2 * MAX_STEPS as u64).for_each(|ms| recorder.note(&outlet, at(10 + ms), || Happening::Dropped));
        let steps = recorder.take();
        assert_eq!(
            (steps.len(), steps[0].after, steps[1].after),
            (MAX_STEPS, Duration::ZERO, Duration::from_millis(1))
        );
        assert_eq!(recorder.take(), []);
    }
}
