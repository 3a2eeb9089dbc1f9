//! Files that are wholly there after a power cut, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Makes `folder` and its parents, and makes their names durable.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_folder(parent)?;
    }
    fs::create_dir(folder).or_else(|error| if folder.is_dir() { Ok(()) } else { Err(error) })?;
    sync_folder(folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Renames a damaged file or folder out of the way, for a person to look at; never deletes, never overwrites.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let kept = free_place(path)?;
    fs::rename(path, &kept)?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))?;
    Ok(kept)
}

/// Keeps what a damaged file has now, durably, beside it: a copy, or where there is no room for one, or no reading it, a second
/// name. Says where; nothing when the very same bytes are kept already, or the file is gone.
pub fn keep(path: &Path) -> io::Result<Option<PathBuf>> {
    if !path.try_exists()? || kept(path).is_some() {
        return Ok(None);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let place = free_place(path)?;
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let copied = fs::read(path).and_then(|bytes| write(folder, &name, &bytes, 0o600));
    copied.or_else(|_| fs::hard_link(path, &place).and_then(|()| sync_folder(folder)))?;
    Ok(Some(place))
}

/// Where the very bytes that `path` has now are kept.
pub fn kept(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let end = format!("-{}", path.file_name()?.to_string_lossy());
    let mut candidates = quarantined(folder);
    candidates.retain(|place| place.file_name().is_some_and(|name| name.to_string_lossy().ends_with(&end)));
    candidates.into_iter().find(|place| is_same(path, place).unwrap_or(false))
}

fn is_same(a: &Path, b: &Path) -> io::Result<bool> {
    let (known, other) = (fs::metadata(a)?, fs::metadata(b)?);
    let one_file = (known.dev(), known.ino()) == (other.dev(), other.ino());
    Ok(one_file || (known.len() == other.len() && fs::read(a)? == fs::read(b)?))
}

/// A name that says that a file is only kept for a person, and that nothing has yet.
fn free_place(path: &Path) -> io::Result<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    (1..u32::MAX)
        .map(|n| folder.join(format!("quarantine-{n}-{name}")))
        .find(|candidate| !candidate.exists())
        .ok_or_else(|| io::Error::other("too many files were set aside"))
}

/// What was set aside in `folder`, so that it is not forgotten.
pub fn quarantined(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("quarantine-"));
    let mut found: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// There is no room: no damage, and no reason to give up what is there.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Makes the names inside `folder` durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes `bytes` to `folder/name`: a temporary file, fsync, rename, fsync of the folder. `mode` as for chmod.
pub fn write(folder: &Path, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_new(&temporary, bytes, mode).and_then(|()| fs::rename(&temporary, folder.join(name)));
    if written.is_err() {
        // The half file holds nothing that anyone was promised.
        let _ = fs::remove_file(&temporary);
    }
    written.and_then(|()| sync_folder(folder))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
