//! `tallyman status`: how the running agent is.

use super::{ConfigArg, Failure, local, say};
use crate::wire::local_v1::{RoadV1, StatusV1, SummaryV1, TroubleV1};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let status: StatusV1 = local::get_json(&config.state_dir, "/status")?
        .ok_or_else(|| Failure::other("the agent gave no status; is it an older version?"))?;
    if args.json {
        say(&serde_json::to_string_pretty(&status).map_err(Failure::other)?)
    } else {
        say(&readable(&status))
    }
}

fn readable(status: &StatusV1) -> String {
    let yes_no = |yes| if yes { "yes" } else { "no" };
    let mut lines = vec![
        format!("tallyman {}", status.version),
        format!("  enrolled       {}", yes_no(status.enrolled)),
        format!("  online         {}", yes_no(status.online)),
        format!("  pending        {}{}", status.pending, photos(status.photos_pending)),
        format!(
            "  parked         {}{}",
            status.parked,
            if status.parked > 0 { "   (tallyman queue list shows why)" } else { "" }
        ),
        format!("  delivered      {}", status.delivered),
        format!("  lost           {}", lost(status.lost)),
        format!("  oldest unsent  {}", status.oldest_unsent.as_deref().unwrap_or("-")),
    ];
    match &status.last_error {
        Some(TroubleV1 { code, message, detail }) => {
            let detail = detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            lines.push(format!("  last error     {code}: {message}{detail}"));
        }
        None => lines.push("  last error     -".to_owned()),
    }
    if let Some(why) = &status.photo_trouble {
        lines.push(format!("  photo waits    {why}"));
    }
    lines.push(format!("  next try       {}", next_try(&status.road)));
    for scanner in &status.scanners {
        let state = if scanner.connected { "connected" } else { "AWAY" };
        lines.push(format!("  scanner        {}: {state}, {}", scanner.name, scanner.detail));
    }
    if status.low_disk {
        lines.push("  DISK           almost full: nothing new is saved until there is room again".to_owned());
    }
    if status.testing {
        lines.push("  TEST           somebody tests the scanners: scans make no reports".to_owned());
    }
    lines.push(latency("read to store", &status.latency.read_to_journal));
    lines.push(latency("key to store", &status.latency.kernel_to_journal));
    for lost in &status.photos_lost {
        lines.push(format!("  photo LOST     {}: {}; its report is in Odoo without it", lost.sha256, lost.why));
    }
    for kept in &status.quarantined {
        lines.push(format!("  set aside      {kept}"));
    }
    lines.join("\n")
}

fn lost(reports: usize) -> String {
    match reports {
        0 => "-".to_owned(),
        _ => format!("{reports}   (to damage on this device: tallyman queue list --all says which)"),
    }
}

fn next_try(road: &RoadV1) -> String {
    let when = match road.next_try_s {
        Some(0) => "now".to_owned(),
        Some(seconds) => format!("in {seconds} s"),
        None => "-".to_owned(),
    };
    match road.circuit.as_str() {
        "open" => format!("{when}, with one report   (several requests failed in a row)"),
        "half_open" => "now, with one report   (several requests failed in a row)".to_owned(),
        "stopped" => "never: this device was revoked".to_owned(),
        _ => when,
    }
}

/// The software's own share, from the last byte's read or from the kernel's time of the last key.
fn latency(stretch: &str, summary: &SummaryV1) -> String {
    if summary.count == 0 {
        return format!("  {stretch:<15}-");
    }
    let ms = |micros: u32| f64::from(micros) / 1000.0;
    let (p50, p99) = (ms(summary.p50_us), ms(summary.p99_us));
    format!("  {stretch:<15}p50 {p50:.3} ms, p99 {p99:.3} ms   ({} reports)", summary.count)
}

fn photos(pending: usize) -> String {
    if pending == 0 { String::new() } else { format!("   (and {pending} photo(s))") }
}
