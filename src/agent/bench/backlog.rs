//! How long a start takes with a long queue, and how much memory.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::Path;

use super::{BenchError, sample, timed};
use crate::io::store::{Store, StoreError};
use crate::wire::bench_v1::OpenedV1;

/// Writes under way at once; less than the store's queue holds.
const UNDER_WAY: usize = 200;

/// Writes a queue of so many reports, and closes it in order.
pub(super) fn write(folder: &Path, events: usize) -> Result<(), BenchError> {
    let (store, _) = Store::open(folder)?;
    let mut waits = VecDeque::new();
    for n in 1..=events as u64 {
        let (record, entry) = sample::report(n);
        waits.push_back(store.append(record, Some(entry)));
        if waits.len() == UNDER_WAY
            && let Some(oldest) = waits.pop_front()
        {
            oldest.blocking_recv().unwrap_or(Err(StoreError::Stopped))?;
        }
    }
    for wait in waits {
        wait.blocking_recv().unwrap_or(Err(StoreError::Stopped))?;
    }
    store.close();
    Ok(())
}

/// Opens a queue in this process, which should have done nothing else before: memory that was used once says nothing.
pub fn open(folder: &Path) -> io::Result<OpenedV1> {
    let before = memory("VmRSS:");
    let (opened, took) = timed(|| Store::open(folder));
    let (store, found) = opened?;
    let memory_bytes = memory("VmHWM:").saturating_sub(before);
    let events = found.outbox.counts().pending;
    store.close();
    Ok(OpenedV1 { events, ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX), memory_bytes })
}

/// One line of the kernel's word on this process, in bytes.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}
