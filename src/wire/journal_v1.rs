//! The journal's format, version 1. A durable format: it may grow new record kinds, and never changes an old one.
//!
//! The journal is a folder of segment files `00000001.journal`, `00000002.journal`, ... Each begins with a header:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | the magic `TALLYJ1\n` |
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
//! | 4 | CRC-32C of the 8 bytes of the place, then the body |
//! | 8 | place: the record's number within the segment from 0, u64 little-endian |
//! | n | body: one [`Record`] in MessagePack |
//!
//! The first record that isn't whole ends the segment: it was never acknowledged. After a torn end, nothing is appended
//! there again; the next record begins a new segment.

use rmp_serde::{from_slice, to_vec_named};
use serde::{Deserialize, Serialize};

use crate::domain::event::{MediaType, Photo};
use crate::domain::id::{ChainHead, Digest, EventId, Sequence};
use crate::domain::outbox::{Change, Entry, State};
use crate::domain::policy::Kind;
use crate::domain::receipt::Refusal;
use crate::domain::time::Wall;

pub const MAGIC: &[u8; 8] = b"TALLYJ1\n";
pub const HEADER_BYTES: usize = 68;
pub const FRAME_BYTES: usize = 16;
pub const MAX_BODY: usize = 128 * 1024;

/// What a segment begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub segment: u64,
    pub head: ChainHead,
    pub delivered: u64,
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

    pub fn decode(bytes: &[u8]) -> Option<Header> {
        let bytes = bytes.get(..HEADER_BYTES)?;
        let whole = &bytes[..8] == MAGIC && crc32c::crc32c(&bytes[..64]) == u32_at(bytes, 64)?;
        whole.then_some(())?;
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
    /// A photo that was given up: its file is gone or damaged.
    PhotoLost {
        digest: String,
        why: String,
    },
    /// The last known offset of the device's clock, in milliseconds.
    Offset {
        ms: i64,
    },
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
            subject: self.subject.clone(),
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
            subject: entry.subject.clone(),
            captured_ms: entry.captured.0,
            photos: entry.photos.iter().map(photo).collect(),
            jws,
        }
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
            Change::PhotoSent { digest } => Record::PhotoSent { digest: digest.to_string() },
            Change::PhotoLost { digest, why } => Record::PhotoLost { digest: digest.to_string(), why: why.clone() },
        }
    }
}

/// Appends one framed record to `out`. False when the record is larger than the format allows: nothing is appended.
pub fn frame(record: &Record, place: u64, out: &mut Vec<u8>) -> bool {
    let Ok(body) = to_vec_named(record) else { return false };
    let Ok(length) = u32::try_from(body.len()) else { return false };
    if body.is_empty() || body.len() > MAX_BODY {
        return false;
    }
    let place = place.to_le_bytes();
    let crc = crc32c::crc32c_append(crc32c::crc32c(&place), &body);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&place);
    out.extend_from_slice(&body);
    true
}

/// Reads the record at the start of `bytes`, which must be number `place`; with it, how many bytes it took.
/// `None` when it isn't whole.
pub fn unframe(bytes: &[u8], place: u64) -> Option<(Record, usize)> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    if length == 0 || length > MAX_BODY || u64_at(bytes, 8)? != place {
        return None;
    }
    let body = bytes.get(FRAME_BYTES..FRAME_BYTES + length)?;
    let crc = crc32c::crc32c_append(crc32c::crc32c(bytes.get(8..16)?), body);
    if crc != u32_at(bytes, 4)? {
        return None;
    }
    Some((from_slice(body).ok()?, FRAME_BYTES + length))
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
        assert_eq!(Header::decode(&bytes), Some(header));
        for bit in 0..HEADER_BYTES * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bytes), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_record_reads_back_only_whole_and_only_in_its_place() {
        let mut bytes = vec![];
        assert!(frame(&record(), 5, &mut bytes));
        assert_eq!(unframe(&bytes, 5), Some((record(), bytes.len())));
        assert_eq!(unframe(&bytes, 6), None);
        for end in 0..bytes.len() {
            assert_eq!(unframe(&bytes[..end], 5), None, "cut at {end}");
        }
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unframe(&bytes, 5), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_record_that_is_too_large_is_not_written() {
        let mut bytes = vec![];
        let huge = Record::Parked { sequence: 1, code: String::new(), message: "x".repeat(MAX_BODY) };
        assert!(!frame(&huge, 0, &mut bytes));
        assert!(bytes.is_empty());
    }

    /// The bytes that version 1 wrote on the day it was made: a reader of every later version must read them.
    #[test]
    fn the_first_versions_bytes_still_read() {
        let hex = "81a964656c69766572656483a873657175656e636507a463617365ae4558432f323032362f3030303037\
                   ac70686f746f735f746865726590";
        let hex: String = hex.split_whitespace().collect();
        let body: Vec<u8> =
            (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
        assert_eq!(from_slice::<Record>(&body).unwrap(), record());
        assert_eq!(to_vec_named(&record()).unwrap(), body);
    }
}
