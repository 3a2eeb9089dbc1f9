//! One report at a time against the bare disk, and many at once.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{BenchError, sample, timed};
use crate::io::clock;
use crate::io::store::{Store, StoreError};
use crate::wire::bench_v1::{TimesV1, WritersV1};
use crate::wire::journal_v2;

/// Pairs that are measured, or as many as this takes.
const PAIRS: u64 = 2_000;
const PAIRS_FOR: Duration = Duration::from_secs(6);
/// The first ones wake everything up.
const WARM_UP: u64 = 20;
const WRITERS_FOR: Duration = Duration::from_secs(2);
/// What a fast disk takes in that time must not fill it: an agent may run beside this. Some 110 MB with the index.
const WRITERS_MOST: u64 = 60_000;
/// The file of the bare writes, in bytes; filled, as a segment of the journal is.
const BARE_BYTES: usize = 1 << 20;

/// By turns, so that whatever else the machine does hits both.
pub(super) fn against_bare(folder: &Path, quick: bool) -> Result<(usize, TimesV1, TimesV1), BenchError> {
    let (store, _) = Store::open(&folder.join("state"))?;
    let bare = bare_file(&folder.join("bare"))?;
    let (mut bare_times, mut enqueue_times) = (Vec::new(), Vec::new());
    let (mut frame, mut offset) = (Vec::new(), 0);
    let end = clock::now().boot + PAIRS_FOR / share(quick);
    for n in 1..=WARM_UP + PAIRS {
        let (record, entry) = sample::report(n);
        frame.clear();
        journal_v2::frame(&record, n, 0, &mut frame);
        if offset + frame.len() > BARE_BYTES {
            offset = 0;
        }
        let (written, bare_took) = timed(|| bare.write_all_at(&frame, offset as u64).and_then(|()| bare.sync_data()));
        written?;
        offset += frame.len();
        let (saved, enqueue_took) = timed(|| save(&store, (record, entry)));
        saved?;
        if n > WARM_UP {
            bare_times.push(bare_took);
            enqueue_times.push(enqueue_took);
        }
        if clock::now().boot > end && !bare_times.is_empty() {
            break;
        }
    }
    store.close();
    Ok((frame.len(), times(&mut bare_times), times(&mut enqueue_times)))
}

/// What part of its time a quick measurement takes.
fn share(quick: bool) -> u32 {
    if quick { 10 } else { 1 }
}

fn bare_file(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    file.write_all_at(&vec![0; BARE_BYTES], 0)?;
    file.sync_all()?;
    Ok(file)
}

fn save(store: &Store, (record, entry): (journal_v2::Record, crate::domain::outbox::Entry)) -> Result<(), StoreError> {
    store.append(record, Some(entry)).blocking_recv().unwrap_or(Err(StoreError::Stopped))
}

fn times(all: &mut [Duration]) -> TimesV1 {
    all.sort_unstable();
    let at = |percent: usize| all.get((all.len() * percent / 100).min(all.len().saturating_sub(1)));
    let micros = |percent| at(percent).map_or(0, |took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    TimesV1 { count: all.len(), p50_us: micros(50), p99_us: micros(99) }
}

/// So many at once, each with one report under way.
pub(super) fn writers(folder: &Path, count: usize, quick: bool) -> Result<WritersV1, BenchError> {
    let (store, _) = Store::open(folder)?;
    let (next, done) = (AtomicU64::new(1), AtomicU64::new(0));
    let end = clock::now().boot + WRITERS_FOR / share(quick);
    let write = || -> Result<(), StoreError> {
        while clock::now().boot < end {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n > WRITERS_MOST {
                break;
            }
            save(&store, sample::report(n))?;
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let (all, took) = timed(|| {
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..count).map(|_| scope.spawn(write)).collect();
            writers.into_iter().try_for_each(|writer| writer.join().unwrap_or(Err(StoreError::Stopped)))
        })
    });
    all?;
    let events_per_second = done.into_inner() as f64 / took.as_secs_f64();
    store.close();
    Ok(WritersV1 { writers: count, events_per_second: events_per_second as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let mut all: Vec<_> = (1..=200).rev().map(Duration::from_micros).collect();
        let times = times(&mut all);
        assert_eq!((times.count, times.p50_us, times.p99_us), (200, 101, 199));
        assert_eq!(super::times(&mut []).p99_us, 0);
    }
}
