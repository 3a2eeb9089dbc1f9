//! One bundle, written once from front to end: events, photos, and what was really written, signed.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{AT_ONCE, ExportError, Sink, Source, say};
use crate::agent::hashed::{self, PIECE};
use crate::domain::bundle::Part;
use crate::domain::event::Photo;
use crate::domain::id::{Sequence, hex};
use crate::domain::time::Wall;
use crate::io::keys::{DeviceKey, Identity};
use crate::wire::bundle_v1::{self as format, EventsV1, ManifestV1};
use crate::wire::event_v1::PhotoV1;
use crate::wire::export_v1::{BundleV1, Message, Piece};

/// Who signs the manifest, and when.
pub(super) struct Sealer<'a> {
    pub(super) key: &'a DeviceKey,
    pub(super) identity: &'a Identity,
    pub(super) now: Wall,
}

/// Writes one file. What can't be read is left out and said, and stops nothing else.
pub(super) fn write(
    part: &Part,
    sealer: &Sealer<'_>,
    photos: &Path,
    source: &mut dyn Source,
    sink: &mut Sink<'_>,
) -> Result<BundleV1, ExportError> {
    let mut file = Writing { sink, length: 0 };
    let (events, first, last) = file.events(&part.events, source)?;
    let mut listed = Vec::new();
    for (sequence, photo) in &part.photos {
        if file.photo(*sequence, photo, photos, source)? {
            listed.push(PhotoV1::from(photo));
        }
    }
    let done = BundleV1 { events: events.count, photos: listed.len() as u64, bytes: 0 };
    let manifest = ManifestV1 {
        version: 1,
        device: sealer.identity.device.clone(),
        audience: sealer.identity.audience.clone(),
        created: sealer.now.to_string(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        events,
        first: first.map(|sequence| sequence.to_string()),
        last: last.map(|sequence| sequence.to_string()),
        photos: listed,
    };
    let manifest = serde_json::to_vec(&manifest).map_err(|error| ExportError::Sink(error.into()))?;
    file.member(format::MANIFEST, sealer.key.sign_bundle(&manifest).as_bytes())?;
    let end = format::end(file.length);
    file.append(end)?;
    Ok(BundleV1 { bytes: file.length, ..done })
}

struct Writing<'a, 'b> {
    sink: &'a mut Sink<'b>,
    length: u64,
}

impl Writing<'_, '_> {
    fn append(&mut self, bytes: Vec<u8>) -> Result<(), ExportError> {
        self.length += bytes.len() as u64;
        (self.sink)(Piece::Append(bytes)).map_err(ExportError::Sink)
    }

    fn member(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let size = bytes.len() as u64;
        self.append(format::header(name, size))?;
        for piece in bytes.chunks(PIECE) {
            self.append(piece.to_vec())?;
        }
        self.append(format::padding(size))
    }

    /// The events, with the first and the last of them. How large they are is known only behind them, for a running agent may
    /// deliver some meanwhile: so their outline is written twice.
    fn events(
        &mut self,
        sequences: &[Sequence],
        source: &mut dyn Source,
    ) -> Result<(EventsV1, Option<Sequence>, Option<Sequence>), ExportError> {
        let at = self.length;
        self.append(format::header(format::EVENTS, 0))?;
        let (mut hash, mut count, mut size) = (Sha256::new(), 0, 0);
        let (mut first, mut last) = (None, None);
        for some in sequences.chunks(AT_ONCE) {
            for (sequence, read) in source.events(some)? {
                let mut line = match read {
                    Ok(jws) => jws.into_bytes(),
                    Err(error) => {
                        self.left_out(format!(
                            "report {} can't be read back ({error}); it stays on the device",
                            sequence.0
                        ))?;
                        continue;
                    }
                };
                line.push(b'\n');
                hash.update(&line);
                (count, size) = (count + 1, size + line.len() as u64);
                (first, last) = (first.or(Some(sequence)), Some(sequence));
                self.append(line)?;
            }
        }
        self.append(format::padding(size))?;
        let bytes = format::header(format::EVENTS, size);
        (self.sink)(Piece::Patch { at, bytes }).map_err(ExportError::Sink)?;
        Ok((EventsV1 { count, size, sha256: hex(&hash.finalize()) }, first, last))
    }

    /// False when it was left out: its file is gone or damaged, or Odoo has got it meanwhile.
    fn photo(
        &mut self,
        sequence: Sequence,
        photo: &Photo,
        folder: &Path,
        source: &mut dyn Source,
    ) -> Result<bool, ExportError> {
        // Once open it can be read to its end, also when it is delivered and deleted meanwhile.
        let opened = File::open(folder.join(photo.digest.to_string()));
        let checked = opened.and_then(|mut file| {
            let found = hashed::read(&mut file, photo.size, |_| Ok(()))?;
            file.seek(SeekFrom::Start(0))?;
            Ok((file, found))
        });
        let what = match checked {
            Ok((file, found)) if found == (photo.size, photo.digest) => {
                self.photo_bytes(file, photo)?;
                return Ok(true);
            }
            Ok(_) => "is damaged".to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if !source.needs_photo(photo.digest) {
                    return Ok(false);
                }
                "is missing".to_owned()
            }
            Err(error) => format!("can't be read ({error})"),
        };
        let words =
            format!("photo {} of report {} {what} on the device; its report is in the file", photo.digest, sequence.0);
        self.left_out(words)?;
        Ok(false)
    }

    fn photo_bytes(&mut self, mut file: File, photo: &Photo) -> Result<(), ExportError> {
        self.append(format::header(&format::photo_name(photo.digest), photo.size))?;
        let again =
            hashed::read(&mut file, photo.size, |piece| self.append(piece.to_vec()).map_err(std::io::Error::other));
        match again {
            Ok(found) if found == (photo.size, photo.digest) => self.append(format::padding(photo.size)),
            // Half of it is written: nothing can be signed behind it.
            Ok(_) => Err(changed(photo)),
            Err(error) => Err(ExportError::Sink(error)),
        }
    }

    fn left_out(&mut self, words: String) -> Result<(), ExportError> {
        say(self.sink, Message::LeftOut(words))
    }
}

fn changed(photo: &Photo) -> ExportError {
    let words = format!("photo {} reads differently each time: the device's disk fails", photo.digest);
    ExportError::Sink(std::io::Error::other(words))
}
