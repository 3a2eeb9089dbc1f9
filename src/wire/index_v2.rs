//! The index's values, version 2: what the queue's list shows of an event, also after its journal segment is gone.
//!
//! Key: the sequence, u64 big-endian. Value: CRC-32C of the rest, u32 little-endian, then [`IndexV2`] in MessagePack as an
//! array. The index can be thrown away at any time: all that is not delivered is rebuilt from the journal.
//!
//! **Version 1** had the same fields by name, with id and digest as text; [`IndexV2::decode`] reads it too.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::id::{Digest, EventId, Sequence};
use crate::domain::outbox::{Entry, State};
use crate::domain::policy::Kind;
use crate::domain::time::Wall;
use crate::domain::view::Row;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexV2 {
    pub id: [u8; 16],
    pub digest: [u8; 32],
    pub kind: String,
    pub subject: String,
    pub captured_ms: i64,
    pub photos: usize,
    pub state: StateCode,
    pub case: Option<String>,
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StateCode {
    Pending,
    Parked,
    Delivered,
    /// In Odoo, but perhaps not all its photos are.
    Photos,
    /// Damage took its bytes, and nobody here knows whether Odoo has it, or what was left to send of its photos.
    Lost,
    /// It was lost, and somebody has seen to it.
    Dismissed,
}

/// What the list says of a lost report.
const LOST: &str = "damage on this device took it. Look in Odoo whether it arrived; if not, report it again; \
                    then: tallyman queue dismiss";
const LOST_PHOTOS: &str = "it is in Odoo, but damage on this device took what was left to send of its photos. \
                           Look at its case; then: tallyman queue dismiss";

impl IndexV2 {
    pub fn of(entry: &Entry) -> IndexV2 {
        let row = Row::of(entry);
        IndexV2 {
            id: *row.id.0.as_bytes(),
            digest: entry.digest.0,
            kind: row.kind.slug().to_owned(),
            subject: row.subject,
            captured_ms: row.captured.0,
            photos: row.photos,
            state: match entry.state {
                State::Waiting { .. } | State::Leased { .. } => StateCode::Pending,
                State::Parked(_) => StateCode::Parked,
                State::Delivered { .. } if entry.photos.is_empty() => StateCode::Delivered,
                State::Delivered { .. } => StateCode::Photos,
            },
            case: row.case,
            error: row.error,
        }
    }

    /// Of the last event of the chain, when nothing else is known of it any more: no list shows it.
    pub fn end(digest: Digest) -> IndexV2 {
        IndexV2 {
            id: [0; 16],
            digest: digest.0,
            kind: String::new(),
            subject: String::new(),
            captured_ms: 0,
            photos: 0,
            state: StateCode::Delivered,
            case: None,
            error: None,
        }
    }

    /// `None` when a field isn't what this version writes.
    pub fn row(&self, sequence: Sequence) -> Option<Row> {
        Some(Row {
            sequence,
            id: self.id(),
            kind: Kind::parse(&self.kind)?,
            subject: self.subject.clone(),
            captured: Wall(self.captured_ms),
            state: match self.state {
                StateCode::Pending => "pending",
                StateCode::Parked => "parked",
                StateCode::Delivered | StateCode::Photos => "delivered",
                StateCode::Lost => "lost",
                StateCode::Dismissed => "dismissed",
            },
            case: self.case.clone(),
            photos: self.photos,
            error: self.error.clone(),
        })
    }

    /// The same event, with all its photos in Odoo.
    pub fn settled(self) -> IndexV2 {
        match self.state {
            StateCode::Pending | StateCode::Parked | StateCode::Photos => {
                IndexV2 { state: StateCode::Delivered, error: None, ..self }
            }
            StateCode::Delivered | StateCode::Lost | StateCode::Dismissed => self,
        }
    }

    /// The same event, which damage took.
    pub fn lost(self) -> IndexV2 {
        let words = match self.state {
            StateCode::Delivered | StateCode::Lost | StateCode::Dismissed => return self,
            StateCode::Photos => LOST_PHOTOS,
            StateCode::Pending | StateCode::Parked => LOST,
        };
        IndexV2 { state: StateCode::Lost, error: Some(words.to_owned()), ..self }
    }

    /// The same event, seen to by a person.
    pub fn dismissed(self) -> IndexV2 {
        IndexV2 { state: StateCode::Dismissed, ..self }
    }

    pub fn id(&self) -> EventId {
        EventId(Uuid::from_bytes(self.id))
    }

    pub fn digest(&self) -> Digest {
        Digest(self.digest)
    }

    pub fn encode(&self) -> Vec<u8> {
        sealed(&rmp_serde::to_vec(self).unwrap_or_default())
    }

    /// The checksum that [`Self::encode`] puts in front: what was read with the same one has the same fields.
    pub fn seal(&self) -> u32 {
        crc32c::crc32c(&rmp_serde::to_vec(self).unwrap_or_default())
    }

    /// `None` for anything but what [`Self::encode`] of this version or the first wrote.
    pub fn decode(bytes: &[u8]) -> Option<IndexV2> {
        let (crc, body) = bytes.split_at_checked(4)?;
        (crc32c::crc32c(body).to_le_bytes() == crc).then_some(())?;
        rmp_serde::from_slice(body).ok().or_else(|| v1::IndexV1::decode(body))
    }
}

fn sealed(body: &[u8]) -> Vec<u8> {
    let mut out = crc32c::crc32c(body).to_le_bytes().to_vec();
    out.extend_from_slice(body);
    out
}

/// Frozen: what devices in the field may still have.
mod v1 {
    use super::{Deserialize, Digest, EventId, IndexV2, Serialize, StateCode};

    #[derive(Serialize, Deserialize)]
    pub(super) struct IndexV1 {
        id: String,
        digest: String,
        kind: String,
        subject: String,
        captured_ms: i64,
        photos: usize,
        state: StateCode,
        case: Option<String>,
        error: Option<String>,
    }

    impl IndexV1 {
        pub(super) fn decode(body: &[u8]) -> Option<IndexV2> {
            let IndexV1 { id, digest, kind, subject, captured_ms, photos, state, case, error } =
                rmp_serde::from_slice(body).ok()?;
            let (id, digest) = (*EventId::parse(&id)?.0.as_bytes(), Digest::parse(&digest)?.0);
            Some(IndexV2 { id, digest, kind, subject, captured_ms, photos, state, case, error })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that were written before there was anything lost.
    #[test]
    fn states_are_written_by_name_and_a_new_one_changes_no_other() {
        for (state, name) in [
            (StateCode::Pending, "pending"),
            (StateCode::Parked, "parked"),
            (StateCode::Delivered, "delivered"),
            (StateCode::Photos, "photos"),
            (StateCode::Lost, "lost"),
            (StateCode::Dismissed, "dismissed"),
        ] {
            assert_eq!(rmp_serde::to_vec(&state).unwrap(), rmp_serde::to_vec(name).unwrap());
            assert_eq!(rmp_serde::from_slice::<StateCode>(&rmp_serde::to_vec(name).unwrap()).unwrap(), state);
        }
    }

    #[test]
    fn a_value_reads_back_and_a_flipped_bit_is_seen() {
        let value = IndexV2 {
            id: [7; 16],
            digest: [8; 32],
            kind: "pick_shortage".into(),
            subject: "WH/OUT/1".into(),
            captured_ms: 5,
            photos: 1,
            state: StateCode::Parked,
            case: None,
            error: Some("no".into()),
        };
        let mut bytes = value.encode();
        assert_eq!(IndexV2::decode(&bytes), Some(value));
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(IndexV2::decode(&bytes), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
