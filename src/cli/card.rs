//! `tallyman card`: the wearable command card, or the calibration sheet, as a file for any printer.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::ValueEnum;

use super::{ConfigArg, Failure, say};
use crate::card::{self, Language, Look};

#[derive(Debug, clap::Args)]
#[command(after_help = "The card has the site's reasons from the configuration; without one, the usual reasons.")]
pub(super) struct Args {
    /// The calibration sheet instead of the card: two codes that tell how a scanner is set
    #[arg(long, conflicts_with = "config")]
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
    #[command(flatten)]
    config: ConfigArg,
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
        let policies = args.config.load_if_any()?.map(|config| config.policies).unwrap_or_default();
        card::command_card(&card::reasons(&policies), look)
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

/// A closed pipe is not a failure, as in `say`.
fn to_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
