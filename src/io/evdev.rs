//! Scanners that pretend to be a keyboard: grabbed, so that no code is ever typed into a focused button.

use std::io::ErrorKind;
use std::path::PathBuf;

use evdev::{Device, EventStream, EventSummary, SynchronizationCode};

use super::clock;
use super::source::{Outlet, keep_reading};
use crate::domain::decode::frame::Framing;
use crate::domain::decode::keymap::{KeyAssembler, Layout};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvdevConfig {
    /// Best a name of /dev/input/by-id, which survives a replug.
    pub path: PathBuf,
    pub layout: Layout,
    pub framing: Framing,
}

/// Reads one scanner until the agent stops; a scanner that goes away is grabbed again when it is back.
pub async fn run(config: EvdevConfig, outlet: Outlet) {
    keep_reading(&config.path, &outlet, || grab(&config), |stream| read(stream, &config, &outlet)).await;
}

/// What is wrong, for the person who plugs the scanner in.
fn explain(error: std::io::Error) -> String {
    const KNOWN: [(ErrorKind, &str); 3] = [
        (ErrorKind::NotFound, "not plugged in"),
        (ErrorKind::PermissionDenied, "no permission: the agent's user must be in the group input"),
        (ErrorKind::ResourceBusy, "another program has grabbed it"),
    ];
    let known = KNOWN.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned())
}

fn grab(config: &EvdevConfig) -> Result<(EventStream, String), String> {
    let mut device = Device::open(&config.path).map_err(explain)?;
    device.grab().map_err(explain)?;
    let name = device.name().unwrap_or("unnamed").to_owned();
    Ok((device.into_event_stream().map_err(explain)?, name))
}

/// Reads until the device is gone (true) or the agent stops (false).
async fn read(mut stream: EventStream, config: &EvdevConfig, outlet: &Outlet) -> bool {
    let mut assembler = KeyAssembler::new(config.layout, config.framing.clone());
    loop {
        let event = match stream.next_event().await {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(scanner = outlet.name(), %error, "scanner went away");
                if let Some(partial) = assembler.unplugged()
                    && !outlet.scan(partial).await
                {
                    return false;
                }
                return outlet.state(false, format!("unplugged ({error})")).await;
            }
        };
        let summary = event.destructure();
        if let EventSummary::Synchronization(_, SynchronizationCode::SYN_DROPPED, _) = summary {
            assembler.dropped();
        }
        if let EventSummary::Key(_, key, value) = summary
            && let Some(frame) = assembler.key(key.code(), value, clock::now())
            && !outlet.scan(frame).await
        {
            return false;
        }
    }
}
