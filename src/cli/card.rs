//! `tallyman card`: the wearable command card, or the calibration sheet, as a file for any printer.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::{Failure, say};
use crate::card::{self, Language, Look};
use crate::config::Config;
use crate::domain::policy::Policies;

/// Where the packages put the configuration.
const INSTALLED: &str = "/etc/tallyman/tallyman.toml";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The calibration sheet instead of the card: two codes that tell how a scanner is set
    #[arg(long)]
    calibration: bool,
    /// Where to write it; without this, to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// PDF or SVG; without this, what the output file's name ends with, or PDF
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[arg(long, value_enum, default_value = "a4")]
    paper: Paper,
    /// QR codes are for scanners that read them; every scanner reads Code 128
    #[arg(long, value_enum, default_value = "code128")]
    symbology: Symbology,
    /// Take the site's reasons from this configuration; without this, from the installed one or, where there is none,
    /// the usual reasons
    #[arg(long, value_name = "FILE", conflicts_with = "calibration")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Pdf,
    Svg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Paper {
    A4,
    Letter,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Symbology {
    Code128,
    Qr,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let format = args.format()?;
    if args.output.is_none() && std::io::stdout().is_terminal() {
        return Err(Failure::other("a terminal can't show a printed page; add --output card.pdf"));
    }
    let look = args.look();
    let pages = if args.calibration {
        card::calibration_sheet(look)
    } else {
        card::command_card(&card::reasons(&policies(args.config.as_deref())?), look)
    };
    let pages = pages.map_err(Failure::other)?;
    let bytes = match format {
        Format::Pdf => card::pdf(&pages),
        Format::Svg => card::svg(&pages).into_bytes(),
    };
    match &args.output {
        None => to_stdout(&bytes),
        Some(file) => {
            fs::write(file, bytes).map_err(|error| Failure::other(format!("{}: {error}", file.display())))?;
            say(&format!("{} is written. Print it at 100 %, not fitted to the page.", file.display()))
        }
    }
}

impl Args {
    fn look(&self) -> Look {
        Look {
            paper: match self.paper {
                Paper::A4 => card::Paper::A4,
                Paper::Letter => card::Paper::Letter,
            },
            symbology: match self.symbology {
                Symbology::Code128 => card::Symbology::Code128,
                Symbology::Qr => card::Symbology::Qr,
            },
            language: Language::En,
        }
    }

    fn format(&self) -> Result<Format, Failure> {
        if let Some(format) = self.format {
            return Ok(format);
        }
        let Some(file) = &self.output else { return Ok(Format::Pdf) };
        let ending = file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("pdf") => Ok(Format::Pdf),
            Some("svg") => Ok(Format::Svg),
            Some(_) | None => {
                let file = file.display();
                Err(Failure::other(format!("{file} ends with neither .pdf nor .svg; rename it or add --format pdf")))
            }
        }
    }
}

/// A configuration that is named must be there; the installed one need not.
fn policies(named: Option<&Path>) -> Result<Policies, Failure> {
    match named {
        Some(file) => Ok(Config::load(file)?.policies),
        None if Path::new(INSTALLED).exists() => Ok(Config::load(Path::new(INSTALLED))?.policies),
        None => Ok(Policies::default()),
    }
}

/// A closed pipe is not a failure, as in `say`.
fn to_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
