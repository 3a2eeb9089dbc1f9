//! Photos as content-addressed files: a name is a SHA-256, so a photo is there whole or under no name at all. What is kept
//! is the stored form ([`stored_form`]), never the upload.

mod colour;
mod decode;
mod form;
mod picture;
mod shrink;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::durable;
use crate::domain::event::{MediaType, Photo};
use crate::domain::id::Digest;
pub use form::stored_form;

/// What may come in: more than a phone with 50 megapixels writes.
pub const MAX_UPLOAD: usize = 24 << 20;
/// What the server accepts (docs/protocol.md).
const MAX_STORED: usize = 16 << 20;
/// Below this much free space in the file system no photo is taken: the room that is left belongs to reports.
const MIN_FREE: u64 = 2 * crate::domain::room::WATERMARK;
/// Damaged photos keep this before their name, as everything that was set aside does.
const SET_ASIDE: &str = "quarantine-";

/// How a site keeps its photos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoConfig {
    /// Pixels on the long edge; larger photos are scaled down to it.
    pub max_edge: u16,
    /// JPEG's, 1 to 100.
    pub quality: u8,
    /// Bytes that the folder may take.
    pub max_disk: u64,
    /// Bytes that stay free in the file system.
    pub min_free: u64,
}

impl Default for PhotoConfig {
    fn default() -> PhotoConfig {
        PhotoConfig { max_edge: 2048, quality: 82, max_disk: 2 << 30, min_free: MIN_FREE }
    }
}

/// Why a photo was not taken. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    #[error("no JPEG, PNG or WebP")]
    NotAnImage,
    #[error("larger than {} MiB", MAX_UPLOAD >> 20)]
    TooLarge,
    #[error("{width} x {height} pixels are more than this device can work on")]
    TooManyPixels { width: u32, height: u32 },
    #[error("damaged: {0}")]
    Damaged(String),
    /// The budget for photos is used up by `photos` of them.
    #[error("{photos} photos fill their place")]
    Full { photos: u64 },
    #[error("the disk is full")]
    DiskFull,
    #[error("not saved: {0}")]
    Disk(#[from] io::Error),
}

/// Why a piece of a photo was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is nothing left that could be sent.
    #[error("{0}")]
    Lost(String),
    #[error("the photo can't be read: {0}")]
    Io(#[from] io::Error),
}

/// The folder of photos that are not yet in Odoo. A clone is another handle on the same folder.
#[derive(Clone, Debug)]
pub struct Photos {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    config: PhotoConfig,
    /// Held while a photo is worked on: the memory for one is there, for two it may not be.
    one_at_a_time: Mutex<()>,
    bytes: AtomicU64,
    files: AtomicU64,
}

impl Photos {
    /// Opens the folder and counts what is in it, once.
    pub fn open(folder: &Path, config: PhotoConfig) -> io::Result<Photos> {
        durable::create_folder(folder)?;
        let (bytes, files) = (AtomicU64::new(0), AtomicU64::new(0));
        let shared = Shared { folder: folder.to_owned(), config, one_at_a_time: Mutex::new(()), bytes, files };
        for entry in fs::read_dir(folder)? {
            shared.came(entry?.metadata()?.len());
        }
        Ok(Photos { shared: Arc::new(shared) })
    }

    /// Makes an uploaded photo's stored form durable. The same photo again is the same file. Blocks.
    pub fn keep(&self, upload: Vec<u8>) -> Result<Photo, PhotoError> {
        let Shared { folder, config, one_at_a_time, .. } = &*self.shared;
        // A panic while it was held left nothing half done: the file is written as a whole or not at all.
        let _held = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = stored_form(upload, config)?;
        let photo = Photo { digest: Digest::of(&stored), size: stored.len() as u64, media_type: MediaType::Jpeg };
        let name = photo.digest.to_string();
        let known = fs::read(folder.join(&name)).ok();
        if known.as_ref() == Some(&stored) {
            return Ok(photo);
        }
        self.room_for(photo.size)?;
        durable::write(folder, &name, &stored, 0o600)?;
        if let Some(damaged) = known {
            // There, but not what its name says: it was overwritten.
            self.shared.went(damaged.len() as u64);
        }
        self.shared.came(photo.size);
        Ok(photo)
    }

    fn room_for(&self, size: u64) -> Result<(), PhotoError> {
        let Shared { folder, config, bytes, files, .. } = &*self.shared;
        if bytes.load(Ordering::Relaxed).saturating_add(size) > config.max_disk {
            return Err(PhotoError::Full { photos: files.load(Ordering::Relaxed) });
        }
        let disk = rustix::fs::statvfs(folder).map_err(io::Error::from)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free.saturating_sub(size) < config.min_free { Err(PhotoError::DiskFull) } else { Ok(()) }
    }

    /// Removes what no report names: photos of slips that were put aside, and half files of a power cut. Blocks.
    pub fn sweep(&self, named: impl Fn(&str) -> bool) -> io::Result<usize> {
        let mut swept = 0;
        for entry in fs::read_dir(&self.shared.folder)? {
            let entry = entry?;
            let kept = entry.file_name().to_str().is_some_and(|name| named(name) || name.starts_with(SET_ASIDE));
            if !kept {
                self.delete(&entry.path())?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Lets go of a photo that is in Odoo. Blocks.
    pub fn remove(&self, digest: Digest) -> io::Result<()> {
        self.delete(&self.path(digest))
    }

    /// Puts a photo that was given up where a person can look at what is left of it. Blocks.
    pub fn set_aside(&self, digest: Digest) -> io::Result<Option<PathBuf>> {
        let path = self.path(digest);
        if path.exists() { durable::set_aside(&path).map(Some) } else { Ok(None) }
    }

    /// `length` bytes of a photo from `offset` on. At the start the whole file is checked against its name, so that damage
    /// is found before a byte is sent in vain. Blocks.
    pub fn piece(&self, photo: &Photo, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let file = match File::open(self.path(photo.digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ReadError::Lost("its file is gone from this device".to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        let damaged = || ReadError::Lost("its file on this device is damaged, and was set aside".to_owned());
        if file.metadata()?.len() != photo.size || (offset == 0 && digest_of(&file)? != photo.digest) {
            return Err(damaged());
        }
        let length = usize::try_from(length.min(photo.size.saturating_sub(offset))).unwrap_or(0);
        let mut piece = vec![0; length.min(MAX_STORED)];
        file.read_exact_at(&mut piece, offset)?;
        Ok(piece)
    }

    fn delete(&self, path: &Path) -> io::Result<()> {
        let size = fs::metadata(path)?.len();
        fs::remove_file(path)?;
        self.shared.went(size);
        Ok(())
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.shared.folder.join(digest.to_string())
    }
}

impl Shared {
    fn came(&self, size: u64) {
        self.bytes.fetch_add(size, Ordering::Relaxed);
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    fn went(&self, size: u64) {
        let less = |by: u64| move |known: u64| Some(known.saturating_sub(by));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less(size));
        let _ = self.files.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less(1));
    }
}

fn digest_of(mut file: &File) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(Digest(hash.finalize().into()));
        }
        hash.update(&buffer[..read]);
    }
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
