//! A bundle: what a device carries to Odoo by hand, as one POSIX tar (docs/protocol.md, "Bundles"). This is how it is spelled;
//! what goes into it is `domain::bundle`'s.

use serde::{Deserialize, Serialize};

use super::event_v1::PhotoV1;
use crate::domain::id::Digest;

pub const EVENTS: &str = "events.jws";
pub const MANIFEST: &str = "manifest.jws";
/// All in a tar lies in blocks of this size.
pub const BLOCK: u64 = 512;
/// A tar ends with two blocks of zeros at least, and fills its last record of twenty blocks.
const RECORD: u64 = 20 * BLOCK;

pub fn photo_name(digest: Digest) -> String {
    format!("photos/{digest}")
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestV1 {
    pub version: u32,
    pub device: String,
    pub audience: String,
    pub created: String,
    pub agent: String,
    pub events: EventsV1,
    /// `sequence` of the first and the last event in the file; null when there is none.
    pub first: Option<String>,
    pub last: Option<String>,
    pub photos: Vec<PhotoV1>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsV1 {
    pub count: u64,
    pub size: u64,
    pub sha256: String,
}

/// The block before a plain file. Owner, time and device mean nothing and are zero; the check sum is spelled as POSIX's
/// readers expect it, six digits, NUL and blank.
pub fn header(name: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    // A name of ours is short and plain, so it always fits.
    let _ = header.set_path(name);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    let sum = header.cksum().unwrap_or_default();
    header.as_old_mut().cksum.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.as_bytes().to_vec()
}

/// Zeros behind a member of `size` bytes.
pub fn padding(size: u64) -> Vec<u8> {
    zeros(size.next_multiple_of(BLOCK) - size)
}

/// Zeros behind the last member of a file that has `length` bytes so far.
pub fn end(length: u64) -> Vec<u8> {
    zeros((length + 2 * BLOCK).next_multiple_of(RECORD) - length)
}

fn zeros(count: u64) -> Vec<u8> {
    vec![0; usize::try_from(count).unwrap_or_default()]
}
