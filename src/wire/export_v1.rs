//! How the agent hands a bundle to the command line, which writes it where the person wants it: a stream of pieces.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | `J`: a [`Message`] in JSON; `A`: bytes to append to the file; `P`: bytes to put elsewhere in it |
//! | 4 | length n of the rest, u32 little-endian, at most 1 MiB |
//! | n | for `P`: where, u64 little-endian, and the bytes; else the message or the bytes |
//!
//! A stream that doesn't end with [`Message::Done`] was cut off, and what it was writing is no bundle.

use serde::{Deserialize, Serialize};

const HEAD: usize = 5;
const MAX_BODY: usize = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Message(Message),
    Append(Vec<u8>),
    Patch { at: u64, bytes: Vec<u8> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// What is to come, before anything else.
    Plan(PlanV1),
    /// The next file begins.
    Begin,
    /// The file that was begun is whole.
    End(BundleV1),
    /// Something is not in the file and ought to be: what, and what became of it.
    LeftOut(String),
    Done,
    /// It can't go on: why.
    Failed(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanV1 {
    /// This device's name in Odoo, and Odoo's address.
    pub name: String,
    pub url: String,
    /// The size of each file, at most; none when nothing waits.
    pub files: Vec<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleV1 {
    pub events: u64,
    pub photos: u64,
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the agent's answer can't be read: is it another version?")]
pub struct BadStream;

impl Piece {
    pub fn encode(&self) -> Vec<u8> {
        let message;
        let (tag, at, bytes): (u8, &[u8], &[u8]) = match self {
            Piece::Message(said) => {
                message = serde_json::to_vec(said).unwrap_or_default();
                (b'J', &[], &message)
            }
            Piece::Append(bytes) => (b'A', &[], bytes),
            Piece::Patch { at, bytes } => (b'P', &at.to_le_bytes(), bytes),
        };
        let length = u32::try_from(at.len() + bytes.len()).unwrap_or(u32::MAX);
        [&[tag], &length.to_le_bytes()[..], at, bytes].concat()
    }

    fn decode(tag: u8, body: &[u8]) -> Result<Piece, BadStream> {
        match tag {
            b'J' => serde_json::from_slice(body).map(Piece::Message).map_err(|_| BadStream),
            b'A' => Ok(Piece::Append(body.to_vec())),
            b'P' => {
                let (at, bytes) = body.split_first_chunk().ok_or(BadStream)?;
                Ok(Piece::Patch { at: u64::from_le_bytes(*at), bytes: bytes.to_vec() })
            }
            _ => Err(BadStream),
        }
    }
}

/// Puts pieces together again from however the stream came.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
}

impl Decoder {
    /// Hands each piece that is whole to `each`.
    pub fn feed<E: From<BadStream>>(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Piece) -> Result<(), E>,
    ) -> Result<(), E> {
        self.bytes.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(head) = self.bytes.get(start..start + HEAD) {
            let length = head[1..].iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
            if length > MAX_BODY {
                return Err(BadStream.into());
            }
            let Some(body) = self.bytes.get(start + HEAD..start + HEAD + length) else { break };
            each(Piece::decode(head[0], body)?)?;
            start += HEAD + length;
        }
        self.bytes.drain(..start);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_read_back_however_the_stream_is_cut() {
        let pieces = [
            Piece::Message(Message::Plan(PlanV1 { name: "DOCK".into(), url: "https://o".into(), files: vec![7] })),
            Piece::Message(Message::Begin),
            Piece::Append(vec![1, 2, 3]),
            Piece::Patch { at: 1 << 40, bytes: vec![9] },
            Piece::Message(Message::Done),
        ];
        let stream: Vec<u8> = pieces.iter().flat_map(Piece::encode).collect();
        for size in [1, 2, 7, stream.len()] {
            let (mut decoder, mut read) = (Decoder::default(), vec![]);
            for some in stream.chunks(size) {
                decoder
                    .feed::<BadStream>(some, |piece| {
                        read.push(piece);
                        Ok(())
                    })
                    .unwrap();
            }
            assert_eq!(read, pieces, "in pieces of {size}");
        }
    }

    #[test]
    fn what_no_agent_says_is_refused_and_never_kept() {
        for bad in [&b"A\xff\xff\xff\xff"[..], b"X\0\0\0\0", b"J\x02\0\0\0{}", b"P\x01\0\0\0x"] {
            assert!(Decoder::default().feed::<BadStream>(bad, |_| Ok(())).is_err(), "{bad:?}");
        }
    }
}
