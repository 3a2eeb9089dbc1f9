//! What the running agent tells the command line over its socket, and what `--json` prints.

use serde::{Deserialize, Serialize};

use crate::domain::view::{Row, Snapshot};

#[derive(Debug, Serialize, Deserialize)]
pub struct StatusV1 {
    pub version: String,
    pub enrolled: bool,
    pub online: bool,
    pub pending: usize,
    pub parked: usize,
    pub delivered: u64,
    pub photos_pending: usize,
    /// When the oldest unsent report was captured.
    pub oldest_unsent: Option<String>,
    pub last_error: Option<TroubleV1>,
    pub scanners: Vec<ScannerV1>,
    /// What was set aside because it was damaged: reported, never deleted.
    pub quarantined: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct TroubleV1 {
    pub code: String,
    pub message: String,
    /// What the machine said.
    pub detail: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ScannerV1 {
    pub name: String,
    pub connected: bool,
    pub detail: String,
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
    pub fn of(snapshot: &Snapshot, quarantined: Vec<String>) -> StatusV1 {
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
            photos_pending: counts.photos_pending,
            oldest_unsent: counts.oldest_pending.map(|at| at.to_string()),
            last_error: snapshot.line.trouble.as_ref().map(trouble),
            scanners: snapshot
                .scanners
                .iter()
                .map(|scanner| ScannerV1 {
                    name: scanner.name.clone(),
                    connected: scanner.connected,
                    detail: scanner.detail.clone(),
                })
                .collect(),
            quarantined,
        }
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
