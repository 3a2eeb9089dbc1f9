//! Photos as they lie on the disk, read in pieces.

use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::domain::id::Digest;

/// What is read at once.
pub(super) const PIECE: usize = 1 << 16;

/// Reads a file that should have `size` bytes, and no more than one byte beyond: how many there are, and their digest.
pub(super) fn read(
    file: &mut File,
    size: u64,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(u64, Digest)> {
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut buffer = vec![0; PIECE];
    let mut rest = file.take(size + 1);
    loop {
        let count = rest.read(&mut buffer)?;
        if count == 0 {
            return Ok((length, Digest(hash.finalize().into())));
        }
        length += count as u64;
        hash.update(&buffer[..count]);
        each(&buffer[..count])?;
    }
}
