//! HID POS scanners: they send codes in reports of their own, with the symbology, and no desktop ever sees a key.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use tokio::io::unix::AsyncFd;
use tokio_util::sync::CancellationToken;

use super::clock;
use super::devices::{Roots, report_map};
use super::ready::readable;
use super::scanner::Ended;
use super::source::{Outlet, Reading, Recorder};
use crate::domain::decode::hid_pos::HidPos;
use crate::domain::decode::trace::Happening;
use crate::domain::device::Device;
use crate::domain::view::Hold;

/// HID_MAX_BUFFER_SIZE of the kernel: a report is never longer.
const MAX_REPORT: usize = 16_384;

/// Reads one scanner until it is gone or let go.
pub async fn read(roots: &Roots, device: &Device, outlet: &Outlet, let_go: &CancellationToken) -> Ended {
    let (file, map) = match open(device).map(|file| (file, report_map(roots, &device.target))) {
        Ok((file, Some(map))) => (file, map),
        Ok((_, None)) => return Ended::Blocked("no HID POS scanner: its reports hold no bar code data".to_owned()),
        Err(error) => return explain(&error),
    };
    tracing::info!(scanner = outlet.name(), path = %device.node.display(), name = device.name, "scanner opened");
    if !outlet.device(&device.target, Hold::Grabbed, device.name.clone()).await {
        return Ended::Stopping;
    }
    let reader = Reader { file, pos: HidPos::new(map), recorder: Recorder::default(), outlet };
    reader.read(let_go).await
}

fn open(device: &Device) -> io::Result<AsyncFd<File>> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits();
    let flags = i32::try_from(nonblocking).map_err(io::Error::other)?;
    readable(OpenOptions::new().read(true).custom_flags(flags).open(&device.target)?)
}

fn explain(error: &io::Error) -> Ended {
    Ended::by(error, "the agent's user must be in the group input, and the udev rule for hidraw installed")
}

struct Reader<'a> {
    file: AsyncFd<File>,
    pos: HidPos,
    recorder: Recorder,
    outlet: &'a Outlet,
}

impl Reader<'_> {
    async fn read(mut self, let_go: &CancellationToken) -> Ended {
        let mut buffer = vec![0; MAX_REPORT];
        loop {
            let silence = self.pos.deadline().map(|deadline| deadline.remaining(clock::now()));
            let frame = tokio::select! {
                biased;
                read = next(&self.file, &mut buffer) => {
                    let at = clock::now();
                    match read {
                        Ok(length) if length > 0 => {
                            let report = &buffer[..length];
                            self.recorder.note(self.outlet, at, || Happening::Bytes(report.to_vec()));
                            self.pos.report(report, at)
                        }
                        Ok(_) => return self.gone("closed").await,
                        Err(error) => return self.gone(&error.to_string()).await,
                    }
                }
                () = tokio::time::sleep(silence.unwrap_or(Duration::MAX)), if silence.is_some() => {
                    self.pos.on_silence(clock::now())
                }
                () = let_go.cancelled() => return self.gone("its name now leads to another device").await,
            };
            if let Some(frame) = frame
                && !self.outlet.scan(frame, self.reading()).await
            {
                return Ended::Stopping;
            }
        }
    }

    fn reading(&mut self) -> Reading {
        Reading { trace: self.recorder.take(), ..Reading::at(clock::now()) }
    }

    async fn gone(mut self, why: &str) -> Ended {
        let (partial, reading) = (self.pos.unplugged(), self.reading());
        Ended::gone(why, self.outlet, partial, reading).await
    }
}

async fn next(file: &AsyncFd<File>, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        let mut ready = file.readable().await?;
        if let Ok(read) = ready.try_io(|file| file.get_ref().read(buffer)) {
            return read;
        }
    }
}
