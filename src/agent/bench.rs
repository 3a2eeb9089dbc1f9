//! `tallyman bench`: how fast this device's own disk makes reports durable, by the code that the agent runs.
//!
//! It works in a folder of its own and removes that; no report of the device is touched.

mod backlog;
mod disk;
mod sample;
mod scratch;

use std::io;
use std::path::Path;
use std::time::Duration;

pub use backlog::open;

use crate::io::clock;
use crate::wire::bench_v1::{BenchV1, TimesV1};
use scratch::Scratch;

/// With less room it isn't begun, whatever the backlog.
const LEAST_FREE: u64 = 200_000_000;
/// What an event of a backlog takes, index and all.
const BACKLOG_EVENT: u64 = 3_000;
/// How many write at once.
const WRITERS: [usize; 3] = [1, 8, 64];
pub const MOST_BACKLOG: usize = crate::domain::outbox::MAX_WAITING;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{folder}: {source}. It must be a folder that this user may write to")]
    Folder { folder: String, source: io::Error },
    #[error("{folder}: {} MB are free, and {} MB are needed for a while; nothing was written", free / 1_000_000, needed / 1_000_000)]
    NoRoom { folder: String, free: u64, needed: u64 },
    #[error("another bench runs in {0}")]
    Busy(String),
    #[error("the disk failed meanwhile: {0}")]
    Disk(#[from] io::Error),
    #[error("the store failed meanwhile: {0}")]
    Store(#[from] crate::io::store::StoreError),
    #[error("opening the backlog failed: {0}")]
    Open(String),
}

/// Measures in `folder`, which takes about 15 s, or `quick`, some 2 s. `measure_open` opens a queue in a process of its own.
pub fn run(
    folder: &Path,
    events: usize,
    quick: bool,
    measure_open: impl FnOnce(&Path) -> Result<crate::wire::bench_v1::OpenedV1, String>,
) -> Result<BenchV1, BenchError> {
    let scratch = Scratch::in_folder(folder, LEAST_FREE.max(BACKLOG_EVENT * events as u64))?;
    let (record_bytes, bare, enqueue) = disk::against_bare(&scratch.part("one")?, quick)?;
    let mut writers = Vec::new();
    for count in WRITERS {
        let part = scratch.part(&format!("writers-{count}"))?;
        writers.push(disk::writers(&part, count, quick)?);
        scratch.clear(&part);
    }
    let queue = scratch.part("backlog")?;
    backlog::write(&queue, events)?;
    let backlog = measure_open(&queue).map_err(BenchError::Open)?;
    let ratio = enqueue.p50_us as f64 / bare.p50_us.max(1) as f64;
    Ok(BenchV1 {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        folder: folder.display().to_string(),
        record_bytes,
        bare,
        enqueue,
        ratio,
        writers,
        backlog,
        verdict: verdict(bare, enqueue),
    })
}

fn verdict(bare: TimesV1, enqueue: TimesV1) -> String {
    let ms = |micros: u64| micros as f64 / 1000.0;
    let judgement = match enqueue.p99_us {
        0..=50_000 => "nobody notices",
        50_001..=300_000 => "an operator may notice the slow ones",
        _ => "operators wait: look for what else writes to this disk, or take a better one",
    };
    format!(
        "this disk takes {:.1} ms for a durable write; a report is saved in {:.1} ms, 99 of 100 in {:.1} ms: {judgement}.",
        ms(bare.p50_us),
        ms(enqueue.p50_us),
        ms(enqueue.p99_us)
    )
}

/// How long `work` took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = clock::now().boot;
    let done = work();
    (done, clock::now().boot.saturating_sub(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_says_what_a_person_will_feel() {
        let times = |p50_us, p99_us| TimesV1 { count: 1, p50_us, p99_us };
        let words = verdict(times(2_100, 3_000), times(2_400, 9_000));
        assert!(words.contains("2.1 ms for a durable write; a report is saved in 2.4 ms"), "{words}");
        assert!(words.ends_with("nobody notices."), "{words}");
        assert!(verdict(times(1, 1), times(400_000, 900_000)).contains("operators wait"));
    }
}
