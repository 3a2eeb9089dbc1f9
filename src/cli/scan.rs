//! `tallyman scan`: a live view of the scanners. A running agent is asked to show its scans here and to make no reports of
//! them meanwhile; without one, the scanners of the configuration are opened here.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{ConfigArg, Failure, local, process, say};
use crate::config::Config;
use crate::domain::decode::decode;
use crate::domain::tester::Tested;
use crate::io::devices::Roots;
use crate::io::scanner;
use crate::io::source::{Inward, Outlet};
use crate::wire::scans_v1::{ScansV1, StepV1, TestedV1, printable};

/// Scans that wait to be printed; a terminal is faster than any scanner.
const WAITING: usize = 64;
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
    if local::is_running(&config.state_dir) { watch(args, &config.state_dir) } else { read(args, config) }
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

/// By the running agent's eyes.
fn watch(args: &Args, state_dir: &Path) -> Result<(), Failure> {
    let tester = format!("terminal-{}", std::process::id());
    process::block_on(async {
        let stop = CancellationToken::new();
        process::stop_on_signal(&stop)?;
        let followed = tokio::select! {
            () = stop.cancelled() => Ok(()),
            followed = follow(args, state_dir, &tester) => followed,
        };
        let (state_dir, path) = (state_dir.to_owned(), format!("/scans/leave?tester={tester}"));
        // Should this fail, the agent stops waiting for us by itself.
        let _ = tokio::task::spawn_blocking(move || local::post_json::<bool>(&state_dir, &path)).await;
        followed
    })
}

async fn follow(args: &Args, state_dir: &Path, tester: &str) -> Result<(), Failure> {
    let asked = async |after: Option<u64>| {
        let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
        let (state_dir, path) = (state_dir.to_owned(), format!("/scans?tester={tester}{after}"));
        let asked = tokio::task::spawn_blocking(move || local::get_json::<ScansV1>(&state_dir, &path)).await;
        asked
            .map_err(Failure::other)??
            .ok_or_else(|| Failure::other("the agent knows no tests; is it an older version?"))
    };
    let mut after = asked(None).await?.last;
    hint(args, "The agent shows its scans here. They make NO REPORTS until you stop this with Ctrl-C.");
    let mut shown = 0;
    loop {
        let new = asked(Some(after)).await?;
        after = new.last;
        for scan in &new.scans {
            if !show(args, scan, &mut shown)? {
                return Ok(());
            }
        }
    }
}

/// With our own hands.
fn read(args: &Args, config: Config) -> Result<(), Failure> {
    process::block_on(async {
        let stop = CancellationToken::new();
        process::stop_on_signal(&stop)?;
        let (inputs, mut inward) = mpsc::channel(WAITING);
        let tested = Arc::new(AtomicBool::new(true));
        let outlet = |name: &str| Outlet::new(name, inputs.clone(), tested.clone());
        hint(args, "No agent runs; the scanners are read here. Stop with Ctrl-C.");
        scanner::start(config.scanners, &Roots::default(), outlet, &stop);
        let (mut number, mut shown) = (0, 0);
        loop {
            let next = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                next = inward.recv() => next,
            };
            match next {
                Some(Inward::Scan(mut scanned)) => {
                    number += 1;
                    let steps = std::mem::take(&mut scanned.raw.trace);
                    let tested = Tested { number, scan: decode(scanned.raw), steps };
                    if !show(args, &TestedV1::from(&tested), &mut shown)? {
                        return Ok(());
                    }
                }
                Some(Inward::Scanner(view)) => {
                    let state = if view.connected { "connected" } else { "away" };
                    hint(args, &format!("scanner {:?}: {state}, {}", view.name, view.detail));
                }
                Some(Inward::Page(_) | Inward::Tester { .. }) => {}
                None => return Ok(()),
            }
        }
    })
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
    let elements: Vec<String> = scan
        .elements
        .iter()
        .map(|element| format!("({}) {}", element.ai, printable(element.value.as_bytes())))
        .collect();
    let gtin = scan.gtin14.as_ref().map(|gtin| format!("  GTIN {gtin}")).unwrap_or_default();
    lines.push(format!("    is      {}{gtin}  {}", scan.kind, elements.join("  ")).trim_end().to_owned());
    lines.extend(scan.flaws.iter().map(|flaw| format!("    FLAW    {flaw}")));
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
    use crate::domain::decode::trace::{Happening, Step};
    use crate::domain::time::{Now, Wall};

    #[test]
    fn a_scan_is_shown_with_its_bytes_its_gaps_and_what_was_understood() {
        let at = Now { boot: Duration::ZERO, wall: Wall(0) };
        let bytes = b"]C1010703206980498810L\x1b[31m\x1d".to_vec();
        let raw = RawScan { source: "dock".into(), bytes, at, flaws: vec![], trace: vec![], typed: None };
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
