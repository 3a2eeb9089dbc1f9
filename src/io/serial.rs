//! Serial scanners: /dev/ttyUSB*, /dev/ttyACM*, rfcomm, or a pty in tests.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio_serial::{SerialPortBuilderExt, SerialStream};

use super::clock;
use super::source::{Outlet, keep_reading};
use crate::domain::decode::frame::{Framer, Framing};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialConfig {
    pub path: PathBuf,
    pub baud: u32,
    pub framing: Framing,
}

/// Reads one scanner until the agent stops; a scanner that goes away is opened again when it is back.
pub async fn run(config: SerialConfig, outlet: Outlet) {
    let open = || open(&config).map(|port| (port, config.path.display().to_string()));
    keep_reading(&config.path, &outlet, open, |port| read(port, &config, &outlet)).await;
}

fn open(config: &SerialConfig) -> Result<SerialStream, String> {
    let path = config.path.to_string_lossy();
    // 8N1 is the builder's default, and every scanner's.
    tokio_serial::new(path, config.baud).open_native_async().map_err(|error| match error.kind() {
        tokio_serial::ErrorKind::NoDevice => "not plugged in".to_owned(),
        tokio_serial::ErrorKind::Io(std::io::ErrorKind::PermissionDenied) => {
            "no permission: the agent's user must be in the group dialout".to_owned()
        }
        tokio_serial::ErrorKind::Io(_) | tokio_serial::ErrorKind::InvalidInput | tokio_serial::ErrorKind::Unknown => {
            error.to_string()
        }
    })
}

/// Reads until the device is gone (true) or the agent stops (false).
async fn read(mut port: SerialStream, config: &SerialConfig, outlet: &Outlet) -> bool {
    let mut framer = Framer::new(config.framing.clone());
    let mut buffer = [0; 1024];
    loop {
        let silence = framer.deadline().map(|deadline| deadline.remaining(clock::now()));
        let frames = tokio::select! {
            read = port.read(&mut buffer) => match read {
                Ok(0) => return gone(&mut framer, outlet, "closed").await,
                Ok(n) => framer.feed(&buffer[..n], clock::now()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Vec::new(),
                Err(error) => return gone(&mut framer, outlet, &error.to_string()).await,
            },
            () = tokio::time::sleep(silence.unwrap_or(Duration::MAX)), if silence.is_some() => {
                framer.on_silence(clock::now()).into_iter().collect()
            }
        };
        for frame in frames {
            if !outlet.scan(frame).await {
                return false;
            }
        }
    }
}

async fn gone(framer: &mut Framer, outlet: &Outlet, why: &str) -> bool {
    tracing::warn!(scanner = outlet.name(), why, "scanner went away");
    if let Some(partial) = framer.unplugged()
        && !outlet.scan(partial).await
    {
        return false;
    }
    outlet.state(false, format!("unplugged ({why})")).await
}
