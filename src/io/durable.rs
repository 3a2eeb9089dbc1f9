//! Files that are wholly there after a power cut, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
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
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kept = (1..u32::MAX)
        .map(|n| folder.join(format!("quarantine-{n}-{name}")))
        .find(|candidate| !candidate.exists())
        .ok_or_else(|| io::Error::other("too many files were set aside"))?;
    fs::rename(path, &kept)?;
    sync_folder(folder)?;
    Ok(kept)
}

/// What was set aside in `folder`, so that it is not forgotten.
pub fn quarantined(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("quarantine-"));
    let mut found: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    found.sort();
    found
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
