//! Scanners that pretend to be a keyboard: grabbed, so that no code is ever typed into a focused button.

use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use evdev::InputEvent;
use evdev::raw_stream::RawDevice;
use tokio::io::unix::AsyncFd;
use tokio_util::sync::CancellationToken;

use super::clock;
use super::ready::readable;
use super::scanner::Ended;
use super::source::Outlet;
use crate::domain::decode::frame::Framing;
use crate::domain::decode::keymap::Layout;
use crate::domain::device::{Choice, Device};
use crate::domain::time::Deadline;
use wedge::Wedge;

mod wedge;

/// Keyboards that are remembered to be scanners.
const MAX_KNOWN: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvdevConfig {
    pub choice: Choice,
    pub layout: Layout,
    pub framing: Framing,
}

/// Keyboards that were once found to be scanners by their rhythm: after a replug they are grabbed at once.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<Mutex<Vec<String>>>);

impl Known {
    /// What stays the same about a device when it is plugged in again in the same place.
    fn name(device: &Device) -> String {
        format!("{}|{:?}|{:?}|{:?}|{:?}", device.name, device.usb, device.serial, device.port, device.phys)
    }

    fn has(&self, device: &Device) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&Known::name(device))
    }

    fn set(&self, device: &Device, is_scanner: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|name| *name != Known::name(device));
        if is_scanner {
            if known.len() == MAX_KNOWN {
                known.remove(0);
            }
            known.push(Known::name(device));
        }
    }
}

/// Reads one scanner until it is gone or let go.
pub async fn read(
    config: &EvdevConfig,
    device: &Device,
    outlet: &Outlet,
    let_go: &CancellationToken,
    known: &Known,
) -> Ended {
    let node = match open(&device.target).and_then(readable) {
        Ok(node) => node,
        Err(error) => return explain(&error),
    };
    let mut wedge = Wedge::new(config, device, outlet, known);
    let mut node = Node { device: node, events: Vec::new() };
    if let Err(ended) = wedge.begin(&mut node).await {
        return ended;
    }
    loop {
        let silence = wedge.deadline().map(|deadline: Deadline| deadline.remaining(clock::now()));
        let read = tokio::select! {
            biased;
            read = node.fill() => read,
            () = tokio::time::sleep(silence.unwrap_or(Duration::MAX)), if silence.is_some() => {
                // A reader that was held up finds its timer past and keys in the kernel's buffer: the keys come first.
                match node.fill_now() {
                    Ok(false) => {
                        match wedge.silence(&mut node).await {
                            Ok(()) => continue,
                            Err(ended) => return ended,
                        }
                    }
                    other => other.map(|_| ()),
                }
            }
            () = let_go.cancelled() => return wedge.gone("its name now leads to another device").await,
        };
        if let Err(error) = read {
            return wedge.gone(&error.to_string()).await;
        }
        if let Err(ended) = wedge.events(&mut node).await {
            return ended;
        }
    }
}

/// What is wrong, for the person who plugs the scanner in.
fn explain(error: &io::Error) -> Ended {
    Ended::by(error, "the agent's user must be in the group input")
}

fn open(node: &Path) -> io::Result<RawDevice> {
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let file = std::fs::OpenOptions::new().read(true).custom_flags(nonblocking).open(node)?;
    RawDevice::from_fd(file.into())
}

/// What a grab would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    Free,
    Taken,
    /// Not tried: a desktop would be left with a key that never comes up.
    KeyHeld,
}

/// Grabs a keyboard for a moment, to see whether somebody has it.
pub fn try_grab(node: &Path) -> io::Result<Trial> {
    let mut device = open(node)?;
    if device.get_key_state()?.iter().next().is_some() {
        return Ok(Trial::KeyHeld);
    }
    match device.grab() {
        Ok(()) => device.ungrab().map(|()| Trial::Free),
        Err(error) if error.kind() == ErrorKind::ResourceBusy => Ok(Trial::Taken),
        Err(error) => Err(error),
    }
}

/// An open device node with the events of the last read. `SYN_DROPPED` comes through: [`Wedge`] deals with it.
#[derive(Debug)]
struct Node {
    device: AsyncFd<RawDevice>,
    events: Vec<InputEvent>,
}

impl Node {
    async fn fill(&mut self) -> io::Result<()> {
        loop {
            let mut ready = self.device.readable_mut().await?;
            let events = &mut self.events;
            let filled = ready.try_io(|device| {
                events.extend(device.get_mut().fetch_events()?);
                Ok(())
            });
            match filled {
                Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                Ok(result) => return result,
                Err(_would_block) => {}
            }
        }
    }

    /// Takes what is there without waiting; false when nothing is.
    fn fill_now(&mut self) -> io::Result<bool> {
        match self.device.get_mut().fetch_events() {
            Ok(events) => {
                self.events.extend(events);
                Ok(!self.events.is_empty())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The keys that are down now, as the kernel knows them.
    fn held(&self) -> io::Result<Vec<u16>> {
        Ok(self.device.get_ref().get_key_state()?.iter().map(|key| key.code()).collect())
    }

    fn grab(&mut self) -> io::Result<()> {
        self.device.get_mut().grab()
    }

    fn let_go(&mut self) -> io::Result<()> {
        self.device.get_mut().ungrab()
    }
}
