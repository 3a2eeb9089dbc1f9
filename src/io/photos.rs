//! Photos as content-addressed files: a name is a SHA-256, so a photo is there whole or under no name at all.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use image::{ImageFormat, ImageReader};

use super::durable;
use crate::domain::event::{MediaType, Photo};
use crate::domain::id::Digest;

/// What the server accepts, so that a photo that can't arrive is refused where somebody can take another.
pub const MAX_BYTES: usize = 16 << 20;
/// Larger than any phone's sensor; a picture that claims more is a bomb or damaged.
const MAX_SIDE: u32 = 20_000;

#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    #[error("this is not a photo (JPEG, PNG or WebP)")]
    NotAnImage,
    #[error("the photo is larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    #[error("the photo is damaged: {0}")]
    Damaged(String),
    #[error("the photo could not be saved: {0}")]
    Disk(#[from] io::Error),
}

#[derive(Clone, Debug)]
pub struct Photos {
    folder: PathBuf,
}

impl Photos {
    pub fn open(folder: &Path) -> io::Result<Photos> {
        durable::create_folder(folder)?;
        Ok(Photos { folder: folder.to_owned() })
    }

    /// Checks that `bytes` are a photo and makes them durable as they are. Blocks.
    pub fn keep(&self, bytes: &[u8]) -> Result<Photo, PhotoError> {
        let media_type = check(bytes)?;
        let digest = Digest::of(bytes);
        let name = digest.to_string();
        let there = fs::metadata(self.folder.join(&name)).is_ok_and(|known| known.len() == bytes.len() as u64);
        if !there {
            durable::write(&self.folder, &name, bytes, 0o600)?;
        }
        Ok(Photo { digest, size: bytes.len() as u64, media_type })
    }

    /// Removes what no report names: photos of slips that were put aside, and half files of a power cut. Blocks.
    pub fn sweep(&self, named: impl Fn(&str) -> bool) -> io::Result<usize> {
        let mut swept = 0;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(&named) {
                fs::remove_file(entry.path())?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Lets go of a photo that is in Odoo. Blocks.
    pub fn remove(&self, digest: Digest) -> io::Result<()> {
        fs::remove_file(self.folder.join(digest.to_string()))
    }

    /// The bytes from `offset` on. Blocks.
    pub fn read(&self, digest: Digest, offset: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.folder.join(digest.to_string()))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn check(bytes: &[u8]) -> Result<MediaType, PhotoError> {
    if bytes.len() > MAX_BYTES {
        return Err(PhotoError::TooLarge);
    }
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let media_type = match reader.format() {
        Some(ImageFormat::Jpeg) => MediaType::Jpeg,
        Some(ImageFormat::Png) => MediaType::Png,
        Some(ImageFormat::WebP) => MediaType::Webp,
        Some(_) | None => return Err(PhotoError::NotAnImage),
    };
    let (width, height) = reader.into_dimensions().map_err(|error| PhotoError::Damaged(error.to_string()))?;
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
        return Err(PhotoError::Damaged(format!("{width} x {height} pixels")));
    }
    Ok(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png() -> Vec<u8> {
        let mut bytes = vec![];
        image::DynamicImage::new_rgb8(4, 3).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    }

    #[test]
    fn a_photo_is_kept_under_its_digest_and_read_from_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let photos = Photos::open(&folder.path().join("photos")).unwrap();
        let photo = photos.keep(&png()).unwrap();
        assert_eq!(photos.keep(&png()).unwrap(), photo);
        assert_eq!(photos.read(photo.digest, 10).unwrap(), &png()[10..]);
        assert_eq!(fs::read_dir(folder.path().join("photos")).unwrap().count(), 1);
    }

    #[test]
    fn a_sweep_keeps_what_reports_name() {
        let folder = tempfile::tempdir().unwrap();
        let photos = Photos::open(folder.path()).unwrap();
        let photo = photos.keep(&png()).unwrap();
        fs::write(folder.path().join(".half.tmp"), "x").unwrap();
        assert_eq!(photos.sweep(|name| name == photo.digest.to_string()).unwrap(), 1);
        assert!(photos.read(photo.digest, 0).is_ok());
        assert_eq!(photos.sweep(|_| false).unwrap(), 1);
    }

    #[test]
    fn what_is_no_photo_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let photos = Photos::open(folder.path()).unwrap();
        assert!(matches!(photos.keep(b"%PDF-1.7 hello"), Err(PhotoError::NotAnImage)));
        assert!(matches!(photos.keep(b""), Err(PhotoError::NotAnImage)));
        assert!(matches!(photos.keep(&png()[..20]), Err(PhotoError::Damaged(_))));
        assert!(matches!(photos.keep(&vec![0xff; MAX_BYTES + 1]), Err(PhotoError::TooLarge)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
