//! `tallyman queue export`: what Odoo doesn't have, as files for a person to carry there.

mod saving;

use std::path::PathBuf;
use std::time::Duration;

use super::super::{ConfigArg, Failure, say};
use crate::agent::export::{ExportError, Exported, from_disk};
use crate::agent::socket;
use crate::domain::bundle::UPLOAD_LIMIT;
use crate::io::http::stream_over_socket;
use crate::wire::export_v1::{BadStream, Decoder};
use saving::{Saved, Saving};

/// How long the running agent may think about the next piece.
const PATIENCE: Duration = Duration::from_secs(60);
/// Smaller files would be mostly outline, and there would be too many of them.
const SMALLEST: u64 = 1_000_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// The file to write; it must not be there yet
    file: PathBuf,
    /// Write several files of at most this size: FILE, FILE.2, ... (90MB is what Odoo takes unless it is set up otherwise)
    #[arg(long, value_name = "SIZE", value_parser = size)]
    split: Option<u64>,
}

/// Reads a size as people write it.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" | "k" => 1000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err("write it like 90MB".to_owned()),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
    bytes.filter(|bytes| *bytes >= SMALLEST).ok_or_else(|| "write it like 90MB; a file has 1 MB at least".to_owned())
}

/// Why writing ended early.
enum Ended {
    /// This side, in words.
    Here(Failure),
    /// The agent or the way to it.
    There(String),
}

impl From<String> for Ended {
    fn from(why: String) -> Ended {
        Ended::There(why)
    }
}

impl From<BadStream> for Ended {
    fn from(error: BadStream) -> Ended {
        Ended::There(error.to_string())
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Ended {
        Ended::Here(failure)
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let state_dir = args.config.load()?.state_dir;
    let mut saving = Saving::to(&args.file)?;
    let mut refused = None;
    let exported = from_disk(&state_dir, args.split, &mut |piece| {
        saving.piece(piece).map_err(|failure| {
            refused = Some(failure);
            std::io::Error::other("the file could not be written")
        })
    });
    match (exported, refused) {
        (_, Some(failure)) => return Err(saving.ended(failure)),
        (Err(ExportError::Sink(error)), None) => return Err(saving.ended(Failure::other(error))),
        (Err(error), None) => return Err(saving.ended(Failure::other(error))),
        (Ok(Exported::Done), None) => {}
        (Ok(Exported::AgentRuns), None) => {
            if let Err(failure) = from_agent(&socket::path(&state_dir), args.split, &mut saving) {
                return Err(saving.ended(failure));
            }
        }
    }
    report(&saving.finish()?)
}

fn from_agent(socket: &std::path::Path, split: Option<u64>, saving: &mut Saving) -> Result<(), Failure> {
    let path = split.map_or_else(|| "/export".to_owned(), |split| format!("/export?split={split}"));
    let mut decoder = Decoder::default();
    let streamed = stream_over_socket::<Ended>(socket, &path, PATIENCE, |bytes| {
        decoder.feed::<Ended>(bytes, |piece| saving.piece(piece).map_err(Ended::Here))
    });
    streamed.map_err(|ended| match ended {
        Ended::Here(failure) => failure,
        Ended::There(why) => {
            Failure::other(format!("the running agent does not answer on {} ({why})", socket.display()))
        }
    })
}

fn report(saved: &Saved) -> Result<(), Failure> {
    if saved.files.is_empty() {
        say("Nothing waits: all reports and photos are in Odoo. No file was written.")?;
    }
    for file in &saved.files {
        let size = readable(file.bytes);
        say(&format!("{}: {} report(s) and {} photo(s), {size}", file.path.display(), file.events, file.photos))?;
    }
    if !saved.files.is_empty() {
        say(&format!(
            "Written by {} for {}. Nothing was marked as sent: with a network the same reports still go by themselves, and \
             are known there then. In Odoo: Exceptions > Devices > Import a bundle.",
            saved.name, saved.url
        ))?;
    }
    if let Some(largest) = saved.files.iter().map(|file| file.bytes).max().filter(|bytes| *bytes > UPLOAD_LIMIT) {
        say(&format!(
            "{} is more than Odoo takes in one upload, unless it is set up otherwise: write smaller files with --split 90MB.",
            readable(largest)
        ))?;
    }
    if saved.left_out.is_empty() {
        return Ok(());
    }
    let words = saved.left_out.iter().map(|words| format!("\n  {words}")).collect::<String>();
    let more = saved.more_left_out;
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    Err(Failure::Incomplete(format!("not everything is in there (tallyman queue verify says more):{words}{more}")))
}

fn readable(bytes: u64) -> String {
    if bytes < 1_000_000 { format!("{} kB", bytes.div_ceil(1000)) } else { format!("{:.1} MB", bytes as f64 / 1e6) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(size("90MB"), Ok(90_000_000));
        assert_eq!(size("2 MiB"), Ok(2 << 20));
        assert_eq!(size("1000000"), Ok(1_000_000));
        for bad in ["", "MB", "90 parsecs", "-1", "0", "999999", "99999999999999GB", "9é"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
