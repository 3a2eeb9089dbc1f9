//! `tallyman calibrate`: from two recorded codes to the scanner's block of the configuration.
//!
//! Nothing is written that the agent would not read; the file as it was is kept beside the new one.

mod apply;
mod record;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use similar::TextDiff;

pub use apply::{NotApplied, apply};

use super::{ConfigArg, Failure, live, say};
use crate::config::Config;
use crate::domain::decode::calibrate::{Calibration, calibrate};
use crate::domain::decode::trace::Step;
use crate::io::durable;

/// Unchanged lines around each change that is shown.
const CONTEXT: usize = 2;
/// Copies of earlier files that are kept: old enough ones are for a person to clear away.
const MAX_BACKUPS: u32 = 1000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The scanner's name in the configuration; not needed when there is only one
    #[arg(long, value_name = "NAME")]
    scanner: Option<String>,
    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let scanner = chosen(&config, args.scanner.as_deref())?;
    let tell = |words: &str| {
        use std::io::Write;
        // With standard error closed there is nobody to tell.
        let _ = writeln!(std::io::stderr(), "{words}");
    };
    tell(&format!("Scan the two codes of the calibration sheet (tallyman card --calibration) with {scanner:?}."));
    let traces = live::look(config, async |mut live| record::record(&mut live, &scanner, tell).await)?;
    let outcome = finish(&args.config.config, &scanner, [&traces[0], &traces[1]], args.dry_run)?;
    say(&outcome.report())
}

/// The scanner that was named, or the only one that can be calibrated.
fn chosen(config: &Config, named: Option<&str>) -> Result<String, Failure> {
    let able: Vec<&str> =
        config.scanners.iter().filter(|scanner| scanner.source.claim().is_some()).map(|s| s.name.as_str()).collect();
    match (named, &able[..]) {
        (Some(name), _) if able.contains(&name) => Ok(name.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (_, []) => Err(Failure::other("the configuration has no scanner that is a device: see tallyman devices")),
        (Some(name), _) => Err(Failure::other(format!("no scanner is called {name:?}; there is: {}", able.join(", ")))),
        (None, _) => Err(Failure::other(format!("say which, with --scanner: {}", able.join(", ")))),
    }
}

/// What calibration came to.
#[derive(Debug)]
pub struct Outcome {
    pub found: Calibration,
    /// The change of the file as a unified diff; empty when the file says it already.
    pub diff: String,
    /// The file as it was, when a new one was written.
    pub backup: Option<PathBuf>,
}

/// Finds `scanner`'s settings from one recording of each code of the sheet, in any order, and writes them into `file`, or
/// with `dry_run` only says what it would write.
///
/// # Errors
/// When the recordings tell no settings, the file has no such scanner, or it can't be written. It is unchanged then.
pub fn finish(file: &Path, scanner: &str, traces: [&[Step]; 2], dry_run: bool) -> Result<Outcome, Failure> {
    let [first, second] = traces;
    let found = calibrate(first, second).map_err(Failure::other)?;
    let at_file = |error: &dyn std::fmt::Display| Failure::other(format!("{}: {error}", file.display()));
    let before = fs::read_to_string(file).map_err(|error| at_file(&error))?;
    let after = apply(&before, scanner, &found).map_err(|error| at_file(&error))?;
    Config::parse(file, &after)?;
    let diff = diff(file, &before, &after);
    let backup =
        if dry_run || before == after { None } else { Some(replace(file, &after).map_err(|error| at_file(&error))?) };
    Ok(Outcome { found, diff, backup })
}

impl Outcome {
    /// For the person who scanned.
    pub fn report(&self) -> String {
        let mut lines: Vec<String> =
            self.found.summary().iter().map(|(name, value)| format!("{name:<16}{value}")).collect();
        lines.extend(self.found.remarks().iter().map(|remark| format!("\n{remark}")));
        lines.push(if self.diff.is_empty() {
            "\nThe configuration says so already.".to_owned()
        } else {
            format!("\n{}", self.diff.trim_end())
        });
        lines.push(match &self.backup {
            Some(backup) => format!(
                "\nWritten. The file as it was: {}. For the running agent: systemctl restart tallyman",
                backup.display()
            ),
            None => "\nNothing was written.".to_owned(),
        });
        lines.join("\n")
    }
}

fn diff(file: &Path, before: &str, after: &str) -> String {
    let name = file.display().to_string();
    TextDiff::from_lines(before, after).unified_diff().context_radius(CONTEXT).header(&name, &name).to_string()
}

/// Keeps the old file and puts the new one in its place, with its mode and owner, and so that a power cut leaves one of them whole.
fn replace(file: &Path, text: &str) -> io::Result<PathBuf> {
    // A link stays a link: what it points to is replaced.
    let file = fs::canonicalize(file)?;
    let (Some(folder), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return Err(io::Error::other("it has no name that can be written"));
    };
    let old = fs::metadata(&file)?;
    let mode = old.permissions().mode() & 0o777;
    let backup = (1..=MAX_BACKUPS)
        .map(|n| format!("{name}.before-calibrate-{n}"))
        .find(|backup| !folder.join(backup).exists())
        .ok_or_else(|| io::Error::other(format!("{MAX_BACKUPS} older copies of it are kept already; remove some")))?;
    durable::write(folder, &backup, &fs::read(&file)?, mode)?;
    durable::write(folder, name, text.as_bytes(), mode)?;
    for written in [&file, &folder.join(&backup)] {
        keep_owner(written, &old)?;
    }
    Ok(folder.join(backup))
}

/// Root writes a file that the agent's user or group reads: it must stay theirs.
fn keep_owner(file: &Path, old: &fs::Metadata) -> io::Result<()> {
    let new = fs::metadata(file)?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        std::os::unix::fs::chown(file, Some(old.uid()), Some(old.gid()))?;
    }
    // Opening a new file passes its mode through the umask.
    fs::set_permissions(file, old.permissions())
}
