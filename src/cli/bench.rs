//! `tallyman bench`: how fast this device's disk makes reports durable.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ConfigArg, Failure, say};
use crate::agent::bench::{self, MOST_BACKLOG};
use crate::wire::bench_v1::{BenchV1, OpenedV1};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Where to measure [default: the state folder; nothing of it is touched]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// How many reports the queue has that is opened
    #[arg(long, value_name = "COUNT", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=MOST_BACKLOG as u64))]
    backlog: u64,
    /// Take a tenth of the time, for rougher figures
    #[arg(long)]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Opens a queue and says how that went: what the bench asks another process for
    #[arg(long, hide = true, value_name = "DIR")]
    open: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(queue) = &args.open {
        let opened = bench::open(queue).map_err(Failure::other)?;
        return say(&serde_json::to_string(&opened).map_err(Failure::other)?);
    }
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        None => args.config.load()?.state_dir,
    };
    let backlog = usize::try_from(args.backlog).unwrap_or(MOST_BACKLOG);
    if !args.json {
        say(&format!("Measuring in {} for some seconds.", folder.display()))?;
    }
    let measured = bench::run(&folder, backlog, args.quick, open_elsewhere);
    let measured = measured.map_err(Failure::other)?;
    if args.json {
        say(&serde_json::to_string_pretty(&measured).map_err(Failure::other)?)
    } else {
        say(&readable(&measured))
    }
}

fn open_elsewhere(queue: &Path) -> Result<OpenedV1, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output =
        Command::new(program).args(["bench", "--open"]).arg(queue).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

fn readable(bench: &BenchV1) -> String {
    let ms = |micros: u64| micros as f64 / 1000.0;
    let (bare, enqueue, backlog) = (bench.bare, bench.enqueue, bench.backlog);
    let mut lines = vec![
        format!("  one report        {} bytes, {} of them", bench.record_bytes, enqueue.count),
        format!("  the bare disk     p50 {:.3} ms, p99 {:.3} ms", ms(bare.p50_us), ms(bare.p99_us)),
        format!(
            "  a durable report  p50 {:.3} ms, p99 {:.3} ms   ({:.2} x the bare disk)",
            ms(enqueue.p50_us),
            ms(enqueue.p99_us),
            bench.ratio
        ),
    ];
    lines.extend(
        bench
            .writers
            .iter()
            .map(|group| format!("  {:>2} at once        {} reports a second", group.writers, group.events_per_second)),
    );
    lines.push(format!(
        "  opening a queue   {} reports in {} ms, {:.1} MB of memory",
        backlog.events,
        backlog.ms,
        backlog.memory_bytes as f64 / 1e6
    ));
    lines.push(format!("So {}", bench.verdict));
    lines.join("\n")
}
