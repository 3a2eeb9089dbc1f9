//! Serial scanners: /dev/ttyUSB*, /dev/ttyACM*, rfcomm, or a pty in tests.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_serial::{DataBits, FlowControl, Parity, SerialPortBuilderExt, SerialStream, StopBits};
use tokio_util::sync::CancellationToken;

use super::clock;
use super::scanner::Ended;
use super::source::{Back, Outlet, Reading, Recorder};
use crate::domain::decode::frame::{Framer, Framing};
use crate::domain::decode::trace::Happening;
use crate::domain::device::{Choice, Device};
use crate::domain::view::Hold;

/// A scanner that holds the line back (XOFF, RTS) for longer doesn't get its beep.
const WRITE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialConfig {
    pub choice: Choice,
    pub baud: u32,
    pub data_bits: DataBits,
    pub parity: Parity,
    pub stop_bits: StopBits,
    pub flow: FlowControl,
    pub framing: Framing,
    /// What makes the scanner itself tell that a code was not taken.
    pub error_beep: Option<Vec<u8>>,
}

impl SerialConfig {
    /// As scanners leave the factory: 9600 8N1.
    pub fn new(choice: Choice, framing: Framing) -> SerialConfig {
        SerialConfig {
            choice,
            baud: 9600,
            data_bits: DataBits::Eight,
            parity: Parity::None,
            stop_bits: StopBits::One,
            flow: FlowControl::None,
            framing,
            error_beep: None,
        }
    }
}

/// Reads one scanner until it is gone or let go.
pub async fn read(config: &SerialConfig, device: &Device, outlet: &Outlet, let_go: &CancellationToken) -> Ended {
    let port = match open(config, device) {
        Ok(port) => port,
        Err(ended) => return ended,
    };
    let path = device.links.first().unwrap_or(&device.node).display().to_string();
    tracing::info!(scanner = outlet.name(), path, baud = config.baud, "scanner opened");
    if !outlet.device(&device.target, Hold::Grabbed, path).await {
        return Ended::Stopping;
    }
    let (back, words) = Back::new();
    let back = config.error_beep.as_ref().map(|_| back);
    let line = Line { port, framer: Framer::new(config.framing.clone()), recorder: Recorder::default(), back, outlet };
    line.read(words, config.error_beep.as_deref().unwrap_or_default(), let_go).await
}

fn open(config: &SerialConfig, device: &Device) -> Result<SerialStream, Ended> {
    let builder = tokio_serial::new(device.target.to_string_lossy(), config.baud)
        .data_bits(config.data_bits)
        .parity(config.parity)
        .stop_bits(config.stop_bits)
        .flow_control(config.flow);
    builder.open_native_async().map_err(|error| match error.kind() {
        tokio_serial::ErrorKind::NoDevice if !device.target.exists() => Ended::Blocked("not plugged in".to_owned()),
        tokio_serial::ErrorKind::Io(io::ErrorKind::PermissionDenied) => {
            Ended::Blocked("no permission: the agent's user must be in the group dialout".to_owned())
        }
        tokio_serial::ErrorKind::NoDevice
        | tokio_serial::ErrorKind::Io(_)
        | tokio_serial::ErrorKind::InvalidInput
        | tokio_serial::ErrorKind::Unknown => Ended::Failed(error.to_string()),
    })
}

/// An open line.
struct Line<'a> {
    port: SerialStream,
    framer: Framer,
    recorder: Recorder,
    back: Option<Back>,
    outlet: &'a Outlet,
}

/// What woke the reader.
enum Woken {
    Read(io::Result<usize>),
    Silence,
    Beep,
    LetGo,
}

impl Line<'_> {
    async fn read(mut self, mut words: mpsc::Receiver<()>, beep: &[u8], let_go: &CancellationToken) -> Ended {
        let mut buffer = [0; 1024];
        loop {
            let silence = self.framer.deadline().map(|deadline| deadline.remaining(clock::now()));
            let woken = tokio::select! {
                biased;
                read = self.port.read(&mut buffer) => Woken::Read(read),
                () = tokio::time::sleep(silence.unwrap_or(Duration::MAX)), if silence.is_some() => Woken::Silence,
                Some(()) = words.recv(), if self.back.is_some() => Woken::Beep,
                () = let_go.cancelled() => Woken::LetGo,
            };
            let at = clock::now();
            let frames = match woken {
                Woken::Read(Ok(0)) => return self.gone("closed").await,
                Woken::Read(Ok(n)) => {
                    let bytes = &buffer[..n];
                    self.recorder.note(self.outlet, at, || Happening::Bytes(bytes.to_vec()));
                    self.framer.feed(bytes, at)
                }
                Woken::Read(Err(error)) if error.kind() == io::ErrorKind::Interrupted => Vec::new(),
                Woken::Read(Err(error)) => return self.gone(&error.to_string()).await,
                Woken::Silence => self.framer.on_silence(at).into_iter().collect(),
                Woken::Beep => {
                    self.beep(beep).await;
                    Vec::new()
                }
                Woken::LetGo => return self.gone("its name now leads to another device").await,
            };
            for frame in frames {
                if !self.outlet.scan(frame, self.reading()).await {
                    return Ended::Stopping;
                }
            }
        }
    }

    fn reading(&mut self) -> Reading {
        Reading { trace: self.recorder.take(), back: self.back.clone(), ..Reading::at(clock::now()) }
    }

    /// The scanner tells its user; that it can't is no reason to stop reading it.
    async fn beep(&mut self, bytes: &[u8]) {
        match tokio::time::timeout(WRITE, self.port.write_all(bytes)).await {
            Ok(Ok(())) => tracing::debug!(scanner = self.outlet.name(), "error beep sent"),
            Ok(Err(error)) => tracing::warn!(scanner = self.outlet.name(), %error, "error beep failed"),
            Err(_) => tracing::warn!(scanner = self.outlet.name(), "error beep: the scanner takes nothing"),
        }
    }

    async fn gone(mut self, why: &str) -> Ended {
        let (partial, reading) = (self.framer.unplugged(), self.reading());
        Ended::gone(why, self.outlet, partial, reading).await
    }
}
