//! What `tallyman bench` measured, as `--json` prints it.

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
pub struct BenchV1 {
    pub version: String,
    pub folder: String,
    /// Bytes of one record in the journal.
    pub record_bytes: usize,
    /// A write and an fdatasync of so many bytes into a file that is there already: what the disk can do.
    pub bare: TimesV1,
    /// A report, from its handing over until it is durable; by turns with the bare writes.
    pub enqueue: TimesV1,
    /// The medians' quotient.
    pub ratio: f64,
    pub writers: Vec<WritersV1>,
    pub backlog: OpenedV1,
    /// In words.
    pub verdict: String,
}

/// Microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TimesV1 {
    pub count: usize,
    pub p50_us: u64,
    pub p99_us: u64,
}

/// So many at once, each waiting for the disk before it goes on.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WritersV1 {
    pub writers: usize,
    pub events_per_second: u64,
}

/// Opening a queue, in a process of its own.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct OpenedV1 {
    pub events: usize,
    pub ms: u64,
    /// The most memory that it took, beyond what the process had.
    pub memory_bytes: u64,
}
