//! `tallyman scan`: a live view of the scanners. A running agent is asked to show its scans here and to make no reports of
//! them meanwhile; without one, the scanners of the configuration are opened here.

use super::live::{self, Seen};
use super::{ConfigArg, Failure, say};
use crate::domain::visible::visible;
use crate::wire::scans_v1::{StepV1, TestedV1};

/// Events of one code that are printed; --json has them all.
const MAX_EVENTS: usize = 400;
const DIGITS: usize = 96;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Print JSON, one line a scan
    #[arg(long)]
    json: bool,
    /// Also print what the device sent, event by event
    #[arg(long)]
    events: bool,
    /// End after so many scans
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    live::look(config, async |mut live| {
        let mut shown = 0;
        while let Some(seen) = live.recv().await {
            match seen {
                Seen::Hint(words) => hint(args, &words),
                Seen::Scan(scan) if !show(args, &scan, &mut shown)? => break,
                Seen::Scan(_) => {}
            }
        }
        Ok(())
    })
}

/// Prints one scan; false when that was the last one wanted.
fn show(args: &Args, scan: &TestedV1, shown: &mut u64) -> Result<bool, Failure> {
    if args.json {
        say(&serde_json::to_string(scan).map_err(Failure::other)?)?;
    } else {
        say(&readable(scan, args.events))?;
    }
    *shown += 1;
    Ok(args.count.is_none_or(|count| *shown < count))
}

/// For the person at the terminal; a program reads standard output alone.
fn hint(args: &Args, words: &str) {
    use std::io::Write;
    let _ = if args.json { Ok(()) } else { writeln!(std::io::stderr(), "{words}") };
}

fn readable(scan: &TestedV1, events: bool) -> String {
    let mut lines = vec![format!("#{}  {}  {}", scan.number, scan.scanner, scan.at)];
    let digits: String = scan.hex.chars().take(DIGITS).collect();
    let more = if digits.len() < scan.hex.len() { "..." } else { "" };
    lines.push(format!("    code    {}", scan.printable));
    lines.push(format!("    bytes   {digits}{more}  ({})", scan.hex.len() / 2));
    if let Some(gaps) = &scan.gaps {
        lines.push(format!(
            "    gaps    min {:.1}, median {:.1}, max {:.1} ms  ({})",
            gaps.min_ms, gaps.median_ms, gaps.max_ms, gaps.count
        ));
    }
    let elements: Vec<String> =
        scan.elements.iter().map(|element| format!("({}) {}", element.ai, visible(&element.value))).collect();
    let gtin = scan.gtin14.as_ref().map(|gtin| format!("  GTIN {gtin}")).unwrap_or_default();
    lines.push(format!("    is      {}{gtin}  {}", scan.kind, elements.join("  ")).trim_end().to_owned());
    lines.extend(scan.flaws.iter().map(|flaw| format!("    FLAW    {}", visible(flaw))));
    if events {
        lines.extend(scan.events.iter().take(MAX_EVENTS).map(event));
    }
    lines.join("\n")
}

fn event(step: &StepV1) -> String {
    let after = step.after_us / 1000;
    let rest = step.after_us % 1000;
    let what = match (step.key, &step.hex) {
        (Some(code), _) => {
            let way = match step.value {
                Some(0) => "up",
                Some(1) => "down",
                _ => "repeat",
            };
            format!("key {code:>3} {way}")
        }
        (None, Some(hex)) => format!("bytes {hex}"),
        (None, None) => "DROPPED by the kernel".to_owned(),
    };
    format!("    +{after:>5}.{rest:03} ms  {what}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::decode::RawScan;
    use crate::domain::decode::decode;
    use crate::domain::decode::trace::{Happening, Step};
    use crate::domain::tester::Tested;
    use crate::domain::time::{Now, Wall};

    #[test]
    fn a_scan_is_shown_with_its_bytes_its_gaps_and_what_was_understood() {
        let at = Now { boot: Duration::ZERO, wall: Wall(0) };
        let bytes = b"]C1010703206980498810L\x1b[31m\x1d\x1b[0m".to_vec();
        let raw = RawScan::new("dock", &bytes, at);
        let key = |ms, value| Step { after: Duration::from_millis(ms), what: Happening::Key { code: 30, value } };
        let steps = vec![key(0, 1), key(1, 0), key(1, 1)];
        let tested = TestedV1::from(&Tested { number: 7, scan: decode(raw), steps });
        let text = readable(&tested, true);
        for part in ["#7  dock", "<ESC>[31m<GS>", "5d4331", "median 2.0", "07032069804988", "key  30 up", "FLAW"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains('\u{1b}'), "a terminal must not obey a code");
    }
}
