//! The index's values, version 1: what the queue's list shows of an event, also after its journal segment is gone.
//!
//! Key: the sequence, u64 big-endian. Value: CRC-32C of the rest, u32 little-endian, then [`IndexV1`] in MessagePack.
//! The index can be thrown away at any time: all that is not delivered is rebuilt from the journal.

use serde::{Deserialize, Serialize};

use crate::domain::id::{Digest, EventId, Sequence};
use crate::domain::outbox::{Entry, State};
use crate::domain::policy::Kind;
use crate::domain::time::Wall;
use crate::domain::view::Row;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexV1 {
    pub id: String,
    pub digest: String,
    pub kind: String,
    pub subject: String,
    pub captured_ms: i64,
    pub photos: usize,
    pub state: StateV1,
    pub case: Option<String>,
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StateV1 {
    Pending,
    Parked,
    Delivered,
}

impl IndexV1 {
    pub fn of(entry: &Entry) -> IndexV1 {
        let row = Row::of(entry);
        IndexV1 {
            id: row.id.to_string(),
            digest: entry.digest.to_string(),
            kind: row.kind.slug().to_owned(),
            subject: row.subject,
            captured_ms: row.captured.0,
            photos: row.photos,
            state: match entry.state {
                State::Waiting { .. } | State::Leased { .. } => StateV1::Pending,
                State::Parked(_) => StateV1::Parked,
                State::Delivered { .. } => StateV1::Delivered,
            },
            case: row.case,
            error: row.error,
        }
    }

    /// `None` when a field isn't what this version writes.
    pub fn row(&self, sequence: Sequence) -> Option<Row> {
        Some(Row {
            sequence,
            id: EventId::parse(&self.id)?,
            kind: Kind::parse(&self.kind)?,
            subject: self.subject.clone(),
            captured: Wall(self.captured_ms),
            state: match self.state {
                StateV1::Pending => "pending",
                StateV1::Parked => "parked",
                StateV1::Delivered => "delivered",
            },
            case: self.case.clone(),
            photos: self.photos,
            error: self.error.clone(),
        })
    }

    pub fn digest(&self) -> Option<Digest> {
        Digest::parse(&self.digest)
    }

    pub fn encode(&self) -> Vec<u8> {
        let body = rmp_serde::to_vec_named(self).unwrap_or_default();
        let mut out = crc32c::crc32c(&body).to_le_bytes().to_vec();
        out.extend_from_slice(&body);
        out
    }

    /// `None` for anything but what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Option<IndexV1> {
        let (crc, body) = bytes.split_at_checked(4)?;
        (crc32c::crc32c(body).to_le_bytes() == crc).then(|| rmp_serde::from_slice(body).ok()).flatten()
    }
}
