//! The journal's format, version 2. A durable format: what a version wrote is read for ever, and a new kind
//! of record makes a new version.
//!
//! The journal is a folder of segment files `00000001.journal`, `00000002.journal`, ... Each begins with a header:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | the magic `TALLYJ2\n` |
//! | 8 | number of the segment, u64 little-endian, the same as in its name |
//! | 8 | `next`: the sequence that the next event gets |
//! | 32 | `prev`: the digest of the event before it |
//! | 8 | how many events were delivered before this segment began |
//! | 4 | CRC-32C of the 64 bytes before |
//!
//! `next`, `prev` and the count are here so that the chain outlives the segments that are deleted. Records follow:
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | length n of the body, u32 little-endian, 1 to 131,072 |
//! | 4 | CRC-32C of the 12 bytes behind it, then the body |
//! | 8 | place: the record's number within the segment from 0, u64 little-endian |
//! | 4 | how many records of the same write stand before it, u32 little-endian |
//! | n | body: one [`Record`] in MessagePack |
//!
//! Records that were promised together are written together, and a power cut can leave any sectors of that write. Where a record
//! is broken and an intact one of the same write follows, nothing is damaged: the write was never acknowledged, and all of it is
//! left out. Only an intact record of a *later* write shows that a broken one was promised to somebody.
//!
//! Zeros fill the file up to the size of a segment, so that a write changes no metadata of the file system: on ext4 that makes
//! a commit one write to the disk instead of two. The first record that isn't whole ends the segment: it was never
//! acknowledged. After a torn end, nothing is appended there again; the next record begins a new segment.
//!
//! Segments are deleted from the oldest on, once nothing in them is needed. An event that stays long, because a person must
//! look at it, would hold all that came after it; so it is carried: written again, with its state, behind everything else.
//! Where an event stands twice, the later one is right.
//!
//! **Version 1** (`TALLYJ1\n`) had no count of its write (16 bytes before the body, the CRC over 8 of them), no zeros at its end
//! and only the kinds [`Record::Event`], [`Record::Delivered`],
//! [`Record::Parked`], [`Record::PhotoSent`] and [`Record::Offset`] (its `ms` alone), with the same
//! bodies. Its segments are read as they are and never appended to.

use std::sync::Arc;
use std::time::Duration;

use rmp_serde::{from_slice, to_vec_named};
use serde::{Deserialize, Serialize};

use crate::domain::clock::{BootTime, Offset};
use crate::domain::event::{MediaType, Photo};
use crate::domain::id::{ChainHead, Digest, EventId, Sequence};
use crate::domain::outbox::{Change, Entry, State};
use crate::domain::policy::Kind;
use crate::domain::receipt::Refusal;
use crate::domain::time::Wall;

const MAGIC: &[u8; 8] = b"TALLYJ2\n";
const MAGIC_V1: &[u8; 8] = b"TALLYJ1\n";
/// What the magic of every version begins and ends with; its digit stands between.
const FAMILY: (&[u8], u8) = (b"TALLYJ", b'\n');
pub const HEADER_BYTES: usize = 68;
pub const MAX_BODY: usize = 128 * 1024;

/// What a segment begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub segment: u64,
    pub head: ChainHead,
    pub delivered: u64,
}

/// Why a header can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHeader {
    /// A later version wrote it: it must be left alone.
    Newer,
    Damaged,
}

impl Header {
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..8].copy_from_slice(MAGIC);
        out[8..16].copy_from_slice(&self.segment.to_le_bytes());
        out[16..24].copy_from_slice(&self.head.next.0.to_le_bytes());
        out[24..56].copy_from_slice(&self.head.prev.0);
        out[56..64].copy_from_slice(&self.delivered.to_le_bytes());
        let crc = crc32c::crc32c(&out[..64]);
        out[64..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads the header of either version; with it, how the segment's records are laid out.
    pub fn decode(bytes: &[u8]) -> Result<(Header, Layout), BadHeader> {
        let head = bytes.get(..HEADER_BYTES).ok_or(BadHeader::Damaged)?;
        let (magic, rest) = head.split_at(8);
        let whole = |magic: &[u8]| {
            let crc = crc32c::crc32c_append(crc32c::crc32c(magic), &rest[..HEADER_BYTES - 12]);
            u32_at(head, HEADER_BYTES - 4) == Some(crc)
        };
        if (magic != MAGIC && magic != MAGIC_V1) || !whole(magic) {
            // The digit of a magic can be hit by damage too: a newer version's header fits under none of ours.
            let family = magic.starts_with(FAMILY.0) && magic[6] > MAGIC[6] && magic[7] == FAMILY.1;
            let ours = whole(MAGIC) || whole(MAGIC_V1);
            return Err(if family && !ours { BadHeader::Newer } else { BadHeader::Damaged });
        }
        let layout = if magic == MAGIC { Layout::V2 } else { Layout::V1 };
        Header::fields(head).map(|header| (header, layout)).ok_or(BadHeader::Damaged)
    }

    fn fields(bytes: &[u8]) -> Option<Header> {
        Some(Header {
            segment: u64_at(bytes, 8)?,
            head: ChainHead { next: Sequence(u64_at(bytes, 16)?), prev: Digest(bytes[24..56].try_into().ok()?) },
            delivered: u64_at(bytes, 56)?,
        })
    }
}

/// One fact. `rmp-serde` writes field names, so that a later version can add fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Event(EventRecord),
    Delivered {
        sequence: u64,
        case: Option<String>,
        photos_there: Vec<String>,
    },
    Parked {
        sequence: u64,
        code: String,
        message: String,
    },
    PhotoSent {
        digest: String,
    },
    /// The last known offset of the device's clock, in milliseconds, how far that may be off, and when it was learnt: by the
    /// server's time, and on the clock of which boot. It is a measurement in that boot alone.
    Offset {
        ms: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uncertainty_ms: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        learnt_ms: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        boot: Option<BootRecord>,
    },
    /// An event that was written before, and what has become of it since.
    Carried {
        event: EventRecord,
        state: StateRecord,
        photos_there: Vec<String>,
    },
    /// A person wants a parked event to be sent again.
    Returned {
        sequence: u64,
    },
    /// A photo that will never arrive: its file is damaged or gone.
    PhotoLost {
        digest: String,
        why: String,
    },
}

/// A point on the boot clock of one boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootRecord {
    pub id: String,
    pub ms: u64,
}

/// What has become of an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateRecord {
    Pending,
    Parked { code: String, message: String },
    Delivered { case: Option<String> },
}

impl From<StateRecord> for State {
    fn from(record: StateRecord) -> State {
        match record {
            StateRecord::Pending => State::FRESH,
            StateRecord::Parked { code, message } => State::Parked(Arc::new(Refusal { code, message })),
            StateRecord::Delivered { case } => State::Delivered { case },
        }
    }
}

/// An event with what the outbox needs to know of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    pub sequence: u64,
    pub id: String,
    pub kind: String,
    pub subject: String,
    pub captured_ms: i64,
    pub photos: Vec<PhotoRecord>,
    pub jws: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoRecord {
    pub digest: String,
    pub size: u64,
    pub media_type: String,
}

impl EventRecord {
    pub fn digest(&self) -> Digest {
        Digest::of(self.jws.as_bytes())
    }

    /// The outbox's view of it; `None` when a field is not what this version writes.
    pub fn entry(&self, state: State) -> Option<Entry> {
        let photo = |photo: &PhotoRecord| {
            Some(Photo {
                digest: Digest::parse(&photo.digest)?,
                size: photo.size,
                media_type: MediaType::parse(&photo.media_type)?,
            })
        };
        Some(Entry {
            sequence: Sequence(self.sequence),
            id: EventId::parse(&self.id)?,
            digest: self.digest(),
            size: self.jws.len() as u64,
            kind: Kind::parse(&self.kind)?,
            subject: self.subject.as_str().into(),
            captured: Wall(self.captured_ms),
            photos: self.photos.iter().map(photo).collect::<Option<_>>()?,
            state,
        })
    }

    pub fn of(entry: &Entry, jws: String) -> EventRecord {
        let photo = |photo: &Photo| PhotoRecord {
            digest: photo.digest.to_string(),
            size: photo.size,
            media_type: photo.media_type.name().to_owned(),
        };
        EventRecord {
            sequence: entry.sequence.0,
            id: entry.id.to_string(),
            kind: entry.kind.slug().to_owned(),
            subject: entry.subject.to_string(),
            captured_ms: entry.captured.0,
            photos: entry.photos.iter().map(photo).collect(),
            jws,
        }
    }
}

impl From<Offset> for Record {
    fn from(offset: Offset) -> Record {
        let Offset { ms, uncertainty_ms, learnt, boot } = offset;
        let whole = |at: Duration| u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let boot = boot.map(|BootTime { id, at }| BootRecord { id, ms: whole(at) });
        Record::Offset { ms, uncertainty_ms, learnt_ms: learnt.map(|at| at.0), boot }
    }
}

impl From<BootRecord> for BootTime {
    fn from(BootRecord { id, ms }: BootRecord) -> BootTime {
        BootTime { id, at: Duration::from_millis(ms) }
    }
}

impl From<&Change> for Record {
    fn from(change: &Change) -> Record {
        match change {
            Change::Delivered { sequence, case, photos_there } => Record::Delivered {
                sequence: sequence.0,
                case: case.clone(),
                photos_there: photos_there.iter().map(ToString::to_string).collect(),
            },
            Change::Parked { sequence, why: Refusal { code, message } } => {
                Record::Parked { sequence: sequence.0, code: code.clone(), message: message.clone() }
            }
            Change::Returned { sequence } => Record::Returned { sequence: sequence.0 },
            Change::PhotoSent { digest } => Record::PhotoSent { digest: digest.to_string() },
            Change::PhotoLost { digest, why } => Record::PhotoLost { digest: digest.to_string(), why: why.clone() },
        }
    }
}

/// How records are laid out, by version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    V1,
    V2,
}

/// One record as it was found.
#[derive(Debug, PartialEq)]
pub struct Found {
    pub record: Record,
    pub place: u64,
    /// The place of the first record of the same write.
    pub write: u64,
    /// Bytes that it takes.
    pub length: usize,
}

/// Appends one framed record to `out`, the `nth` of its write. False when the record is larger than the format allows: nothing
/// is appended.
pub fn frame(record: &Record, place: u64, nth: u32, out: &mut Vec<u8>) -> bool {
    let Ok(body) = to_vec_named(record) else { return false };
    let Ok(length) = u32::try_from(body.len()) else { return false };
    if body.is_empty() || body.len() > MAX_BODY {
        return false;
    }
    let crc = crc32c::crc32c_append(crc32c::crc32c(&place.to_le_bytes()), &nth.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &body);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&place.to_le_bytes());
    out.extend_from_slice(&nth.to_le_bytes());
    out.extend_from_slice(&body);
    true
}

impl Layout {
    /// Reads the place that a record at the start of `bytes` would have.
    pub fn place(self, bytes: &[u8]) -> Option<u64> {
        u64_at(bytes, 8)
    }

    /// Reads the record at the start of `bytes`; `None` when none is there, or not whole.
    pub fn unframe(self, bytes: &[u8]) -> Option<Found> {
        let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
        if length == 0 || length > MAX_BODY {
            return None;
        }
        let place = u64_at(bytes, 8)?;
        let (head, nth) = match self {
            Layout::V1 => (16, 0),
            Layout::V2 => (20, u64::from(u32_at(bytes, 16)?)),
        };
        let body = bytes.get(head..head + length)?;
        if crc32c::crc32c_append(crc32c::crc32c(bytes.get(8..head)?), body) != u32_at(bytes, 4)? {
            return None;
        }
        let record = from_slice(body).ok()?;
        Some(Found { record, place, write: place.checked_sub(nth)?, length: head + length })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::Delivered { sequence: 7, case: Some("EXC/2026/00007".into()), photos_there: vec![] }
    }

    #[test]
    fn a_header_reads_back_and_a_flipped_bit_is_seen() {
        let head = ChainHead { next: Sequence(42), prev: Digest::of(b"x") };
        let header = Header { segment: 3, head, delivered: 40 };
        let mut bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Ok((header, Layout::V2)));
        for bit in 0..HEADER_BYTES * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bytes), Err(BadHeader::Damaged), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_record_reads_back_only_whole() {
        let mut bytes = vec![];
        assert!(frame(&record(), 5, 2, &mut bytes));
        let whole = Found { record: record(), place: 5, write: 3, length: bytes.len() };
        assert_eq!(Layout::V2.unframe(&bytes), Some(whole));
        for end in 0..bytes.len() {
            assert_eq!(Layout::V2.unframe(&bytes[..end]), None, "cut at {end}");
        }
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Layout::V2.unframe(&bytes), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_record_that_is_too_large_is_not_written() {
        let mut bytes = vec![];
        let huge = Record::Parked { sequence: 1, code: String::new(), message: "x".repeat(MAX_BODY) };
        assert!(!frame(&huge, 0, 0, &mut bytes));
        assert!(bytes.is_empty());
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let hex: String = hex.split_whitespace().collect();
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }

    /// The bytes that version 1 wrote on the day it was made: a reader of every later version must read them.
    #[test]
    fn the_first_versions_bytes_still_read() {
        let hex = "81a964656c69766572656483a873657175656e636507a463617365ae4558432f323032362f3030303037\
                   ac70686f746f735f746865726590";
        let body = bytes(hex);
        assert_eq!(from_slice::<Record>(&body).unwrap(), record());
        assert_eq!(to_vec_named(&record()).unwrap(), body);
    }
    /// The first has its `ms` alone, the second what was added to it before boots were named.
    #[test]
    fn a_clocks_offset_of_each_age_still_reads() {
        let first = bytes("81a66f666673657481a26d7305");
        let second = bytes("81a66f666673657483a26d7305ae756e6365727461696e74795f6d7328a96c6561726e745f6d7301");
        let offset = |uncertainty_ms, learnt_ms, boot| Record::Offset { ms: 5, uncertainty_ms, learnt_ms, boot };
        for (body, record) in [(first, offset(None, None, None)), (second, offset(Some(40), Some(1), None))] {
            assert_eq!(from_slice::<Record>(&body).unwrap(), record);
            assert_eq!(to_vec_named(&record).unwrap(), body);
        }
        let named = offset(Some(40), Some(1), Some(BootRecord { id: "b".to_owned(), ms: 7 }));
        assert_eq!(from_slice::<Record>(&to_vec_named(&named).unwrap()).unwrap(), named);
    }
}
