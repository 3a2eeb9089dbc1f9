//! What the running agent tells the command line over its socket, and what `--json` prints.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::evidence::LostPhoto;
use crate::domain::forward::Circuit;
use crate::domain::latency::{Latency, Summary};
use crate::domain::view::{DeviceView, Row, ScannerView, Snapshot};

#[derive(Debug, Serialize, Deserialize)]
pub struct StatusV1 {
    pub version: String,
    pub enrolled: bool,
    pub online: bool,
    pub pending: usize,
    pub parked: usize,
    pub delivered: u64,
    /// Reports that damage took; `queue list --all` has them.
    #[serde(default)]
    pub lost: usize,
    pub photos_pending: usize,
    /// Why a photo did not go when it was last tried, while it waits.
    #[serde(default)]
    pub photo_trouble: Option<String>,
    /// Photos that were given up, and why; the latest hundred.
    #[serde(default)]
    pub photos_lost: Vec<LostPhotoV1>,
    /// When the oldest unsent report was captured.
    pub oldest_unsent: Option<String>,
    pub last_error: Option<TroubleV1>,
    #[serde(default)]
    pub road: RoadV1,
    pub scanners: Vec<ScannerV1>,
    /// Somebody tests the scanners: scans make no reports.
    #[serde(default)]
    pub testing: bool,
    #[serde(default)]
    pub latency: LatencyV1,
    /// The disk is almost full: nothing new is saved until what waits is sent, or space is freed.
    #[serde(default)]
    pub low_disk: bool,
    /// What was set aside because it was damaged: reported, never deleted.
    pub quarantined: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LostPhotoV1 {
    pub sha256: String,
    pub why: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct TroubleV1 {
    pub code: String,
    pub message: String,
    /// What the machine said.
    pub detail: Option<String>,
}

/// When what waits is sent.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RoadV1 {
    /// "closed" (requests go), "open" (several failed: nothing is sent for a while), "half_open" (one report tries whether it
    /// works again) or "stopped" (the device was revoked).
    pub circuit: String,
    /// Seconds until the next request, rounded up; absent when nothing waits, or when a request is under way.
    pub next_try_s: Option<u64>,
}

impl RoadV1 {
    pub fn of(circuit: Circuit, next_try: Option<Duration>) -> RoadV1 {
        let next_try_s = next_try.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        RoadV1 { circuit: circuit.name().to_owned(), next_try_s }
    }
}

/// What became of the wish to send parked reports again.
#[derive(Debug, Serialize, Deserialize)]
pub struct RetryV1 {
    /// False when no such report is here.
    pub known: bool,
    /// The state that the report was in, when one was named.
    pub state: Option<String>,
    /// How many wait again.
    pub again: usize,
    /// How many are still parked.
    pub parked: usize,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ScannerV1 {
    pub name: String,
    pub connected: bool,
    pub detail: String,
    #[serde(default)]
    pub devices: Vec<HeldV1>,
}

/// One device that the agent reads for a scanner, or can't.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldV1 {
    pub node: String,
    /// "grabbed", "waiting" (a key is held down), "watched" (until it types like a scanner) or "failed".
    pub hold: String,
    pub detail: String,
}

/// The software's own share of the time from the trigger to the disk.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LatencyV1 {
    /// From the read of a scan's last byte or key until it was decoded and understood.
    pub read_to_understood: SummaryV1,
    /// The same from the kernel's time of the last key; keyboards only.
    pub kernel_to_understood: SummaryV1,
    /// From the read of the last byte or key of a report's last scan until the report was handed to the journal.
    pub read_to_journal: SummaryV1,
    /// The same from the kernel's time of the last key; keyboards only.
    pub kernel_to_journal: SummaryV1,
}

/// Microseconds; percentiles are of the last 4096.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SummaryV1 {
    pub count: u64,
    pub p50_us: u32,
    pub p99_us: u32,
    pub max_us: u32,
}

impl From<Summary> for SummaryV1 {
    fn from(summary: Summary) -> SummaryV1 {
        let Summary { count, p50_us, p99_us, max_us } = summary;
        SummaryV1 { count, p50_us, p99_us, max_us }
    }
}

impl From<&Latency> for LatencyV1 {
    fn from(latency: &Latency) -> LatencyV1 {
        LatencyV1 {
            read_to_understood: latency.read_to_understood.summary().into(),
            kernel_to_understood: latency.kernel_to_understood.summary().into(),
            read_to_journal: latency.read_to_journal.summary().into(),
            kernel_to_journal: latency.kernel_to_journal.summary().into(),
        }
    }
}

impl From<&ScannerView> for ScannerV1 {
    fn from(scanner: &ScannerView) -> ScannerV1 {
        ScannerV1 {
            name: scanner.name.clone(),
            connected: scanner.connected,
            detail: scanner.detail.clone(),
            devices: scanner.devices.iter().map(HeldV1::from).collect(),
        }
    }
}

impl From<&DeviceView> for HeldV1 {
    fn from(device: &DeviceView) -> HeldV1 {
        HeldV1 { node: device.node.clone(), hold: device.hold.name().to_owned(), detail: device.detail.clone() }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct RowV1 {
    pub sequence: u64,
    pub id: String,
    pub kind: String,
    pub subject: String,
    pub captured: String,
    pub state: String,
    pub case: Option<String>,
    pub photos: usize,
    pub error: Option<String>,
}

/// One event with its bytes, for `queue show`.
#[derive(Debug, Serialize, Deserialize)]
pub struct DetailV1 {
    pub row: RowV1,
    pub digest: String,
    /// Absent once the event is delivered and its journal segment is gone.
    pub event: Option<serde_json::Value>,
    pub jws: Option<String>,
}

impl StatusV1 {
    pub fn of(snapshot: &Snapshot, road: RoadV1, latency: &Latency, quarantined: Vec<String>) -> StatusV1 {
        let counts = snapshot.counts;
        let trouble = |(code, message): &(&'static str, String)| TroubleV1 {
            code: (*code).to_owned(),
            message: message.clone(),
            detail: snapshot.line.detail.clone(),
        };
        StatusV1 {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            enrolled: snapshot.line.enrolled,
            online: snapshot.line.online,
            pending: counts.pending,
            parked: counts.parked,
            delivered: counts.delivered,
            lost: 0,
            photos_pending: counts.photos_pending,
            photo_trouble: snapshot.line.photo_trouble.clone(),
            photos_lost: snapshot.lost_photos.iter().map(LostPhotoV1::from).collect(),
            oldest_unsent: counts.oldest_pending.map(|at| at.to_string()),
            last_error: snapshot.line.trouble.as_ref().map(trouble),
            road,
            scanners: snapshot.scanners.iter().map(ScannerV1::from).collect(),
            testing: snapshot.testing,
            low_disk: snapshot.low_disk,
            latency: LatencyV1::from(latency),
            quarantined,
        }
    }
}

impl From<&LostPhoto> for LostPhotoV1 {
    fn from(lost: &LostPhoto) -> LostPhotoV1 {
        LostPhotoV1 { sha256: lost.digest.to_string(), why: lost.why.clone() }
    }
}

impl From<&Row> for RowV1 {
    fn from(row: &Row) -> RowV1 {
        RowV1 {
            sequence: row.sequence.0,
            id: row.id.to_string(),
            kind: row.kind.slug().to_owned(),
            subject: row.subject.clone(),
            captured: row.captured.to_string(),
            state: row.state.to_owned(),
            case: row.case.clone(),
            photos: row.photos,
            error: row.error.clone(),
        }
    }
}
