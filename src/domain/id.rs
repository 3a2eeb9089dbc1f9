//! Names for things: an event, a device, a place in the device's chain, the content of a photo or a JWS.

use std::fmt;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::time::Wall;

/// Random bytes for one turn of the loop, drawn by the shell and handed in.
pub type Seed = [u8; 10];

/// A UUIDv7 (RFC 9562 §5.7), minted when a capture starts, so that a retap can't make a second event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub Uuid);

impl EventId {
    pub fn mint(wall: Wall, seed: &Seed) -> EventId {
        let millis = u64::try_from(wall.0).unwrap_or(0);
        EventId(uuid::Builder::from_unix_timestamp_millis(millis, seed).into_uuid())
    }

    pub fn parse(text: &str) -> Option<EventId> {
        Uuid::try_parse(text).ok().map(EventId)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The device, as enrolment named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceId(pub Uuid);

impl DeviceId {
    /// The CloudEvents `source` of everything that this device says.
    pub fn source(&self) -> String {
        format!("urn:uuid:{}", self.0)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an event in its device's chain: 1, 2, 3, ... without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u64);

impl Sequence {
    pub fn next(self) -> Sequence {
        Sequence(self.0.saturating_add(1))
    }
}

/// 20 digits, so that it sorts as text (CloudEvents `sequence` extension).
impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}", self.0)
    }
}

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// What stands before the first event of a chain.
    pub const ZERO: Digest = Digest([0; 32]);

    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    pub fn parse(text: &str) -> Option<Digest> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut out = [0; 32];
        for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
        }
        Some(Digest(out))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The end of the device's chain: what the next event must follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    pub next: Sequence,
    pub prev: Digest,
}

impl ChainHead {
    pub const GENESIS: ChainHead = ChainHead { next: Sequence(1), prev: Digest::ZERO };

    /// The head after `digest` took the place `self.next`.
    pub fn after(self, digest: Digest) -> ChainHead {
        ChainHead { next: self.next.next(), prev: digest }
    }
}

/// Two digits a byte, in lower case.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// Lower case only: a digest has one spelling.
fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_a_version_7_uuid_with_its_time_in_front() {
        let id = EventId::mint(Wall(0x0193_570e_7c2a), &[0xff; 10]);
        assert_eq!(id.to_string(), "0193570e-7c2a-7fff-bfff-ffffffffffff");
    }

    #[test]
    fn hexadecimal_has_two_digits_a_byte() {
        assert_eq!(hex(&[0, 9, 0x0a, 0xf0, 0xff]), "00090af0ff");
        assert_eq!(hex(&[]), "");
    }

    #[test]
    fn a_digest_has_one_spelling() {
        let digest = Digest::of(b"");
        assert_eq!(digest.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse(&digest.to_string().to_uppercase()), None);
        assert_eq!(Digest::parse("e3b0"), None);
        assert_eq!(Digest::parse(&"é".repeat(32)), None);
    }
}
