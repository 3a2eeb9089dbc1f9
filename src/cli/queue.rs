//! `tallyman queue`: what is in the queue, one event in full, and another try for what is parked.

mod export;
mod verify;

use super::{ConfigArg, Failure, local, say};
use crate::wire::local_v1::{DetailV1, RetryV1, RowV1};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// One line a report that is not yet wholly in Odoo
    List {
        #[command(flatten)]
        config: ConfigArg,
        /// Also the latest that are in Odoo, and what damage on this device took
        #[arg(long)]
        all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// One report with its event, as it was signed
    Show {
        #[command(flatten)]
        config: ConfigArg,
        /// The sequence number or the event's id, as `queue list` prints them
        which: String,
        /// Print JSON, the JWS included
        #[arg(long)]
        json: bool,
    },
    /// Send parked reports again: what Odoo refused for good, once its reason is cured
    Retry {
        #[command(flatten)]
        config: ConfigArg,
        /// The sequence number or the event's id, as `queue list` prints them
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        which: Option<String>,
        /// All that are parked
        #[arg(long)]
        all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take lost reports from the list, once somebody has looked for them in Odoo
    Dismiss {
        #[command(flatten)]
        config: ConfigArg,
        /// The sequence number or the event's id, as `queue list --all` prints them
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        which: Option<String>,
        /// All that are lost
        #[arg(long)]
        all: bool,
    },
    /// Write what Odoo doesn't have into a file, to be carried there and imported
    Export(export::Args),
    /// Check journal, chain, signatures, index and photos, and say what is wrong; changes nothing
    Verify(verify::Args),
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::List { config, all, json } => list(config, *all, *json),
        Command::Show { config, which, json } => show(config, which, *json),
        Command::Retry { config, which, all: _, json } => retry(config, which.as_deref(), *json),
        Command::Dismiss { config, which, all: _ } => dismiss(config, which.as_deref()),
        Command::Export(args) => export::run(args),
        Command::Verify(args) => verify::run(args),
    }
}

fn list(config: &ConfigArg, all: bool, json: bool) -> Result<(), Failure> {
    let path = if all { "/queue?all=true" } else { "/queue" };
    let rows: Vec<RowV1> = local::get_json(&config.load()?.state_dir, path)?.unwrap_or_default();
    if json {
        return say(&serde_json::to_string_pretty(&rows).map_err(Failure::other)?);
    }
    if rows.is_empty() {
        return say("Nothing waits. (--all shows what is in Odoo.)");
    }
    let mut lines = vec![format!(
        "{:>6}  {:<9}  {:<24}  {:<22}  {:<20}  {}",
        "seq", "state", "captured", "kind", "subject", "case or reason"
    )];
    lines.extend(rows.iter().map(|row| {
        let end = end(row);
        format!(
            "{:>6}  {:<9}  {:<24}  {:<22}  {:<20}  {end}",
            row.sequence, row.state, row.captured, row.kind, row.subject
        )
    }));
    say(&lines.join("\n"))
}

fn show(config: &ConfigArg, which: &str, json: bool) -> Result<(), Failure> {
    let path = format!("/queue/{}", name(which)?);
    let detail: DetailV1 = local::get_json(&config.load()?.state_dir, &path)?
        .ok_or_else(|| Failure::other(format!("no report {which} is in the queue (tallyman queue list --all)")))?;
    let text = if json { serde_json::to_string_pretty(&detail) } else { serde_json::to_string_pretty(&detail.event) };
    let text = text.map_err(Failure::other)?;
    if json {
        return say(&text);
    }
    let row = &detail.row;
    let end = end(row);
    say(&format!("sequence {}  id {}  {}  {end}\ndigest {}\n{text}", row.sequence, row.id, row.state, detail.digest))
}

/// Its case, and what is wrong with it.
fn end(row: &RowV1) -> String {
    match (&row.case, &row.error) {
        (Some(case), Some(error)) => format!("{case}: {error}"),
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => "-".to_owned(),
    }
}

/// A name of a report that can stand in a path.
fn name(which: &str) -> Result<&str, Failure> {
    if which.is_empty() || !which.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(Failure::other(format!("{which:?} is neither a sequence number nor an event's id")));
    }
    Ok(which)
}

fn retry(config: &ConfigArg, which: Option<&str>, json: bool) -> Result<(), Failure> {
    let path = match which {
        Some(which) => format!("/queue/{}/retry", name(which)?),
        None => "/retry".to_owned(),
    };
    let done: RetryV1 = local::post_json(&config.load()?.state_dir, &path)?
        .ok_or_else(|| Failure::other("the agent can't send reports again; is it an older version?"))?;
    if let Some(why_not) = why_not(which, &done) {
        return Err(Failure::other(why_not));
    }
    if json {
        return say(&serde_json::to_string_pretty(&done).map_err(Failure::other)?);
    }
    let again = match done.again {
        0 => "Nothing is parked.".to_owned(),
        1 => "1 report waits again and is sent as soon as Odoo is reached.".to_owned(),
        count => format!("{count} reports wait again and are sent as soon as Odoo is reached."),
    };
    let rest = if done.parked > 0 { format!(" {} still parked.", done.parked) } else { String::new() };
    say(&format!("{again}{rest}"))
}

fn dismiss(config: &ConfigArg, which: Option<&str>) -> Result<(), Failure> {
    let path = match which {
        Some(which) => format!("/queue/{}/dismiss", name(which)?),
        None => "/dismiss".to_owned(),
    };
    let dismissed: usize = local::post_json(&config.load()?.state_dir, &path)?
        .ok_or_else(|| Failure::other("the agent can't dismiss reports; is it an older version?"))?;
    match (which, dismissed) {
        (Some(which), 0) => Err(Failure::other(format!("report {which} is not lost (tallyman queue list --all)"))),
        (None, 0) => say("Nothing is lost."),
        (_, 1) => say("1 lost report is off the list."),
        (_, count) => say(&format!("{count} lost reports are off the list.")),
    }
}

/// Why the one report that was named is not sent again.
fn why_not(which: Option<&str>, done: &RetryV1) -> Option<String> {
    let which = which.filter(|_| done.again == 0)?;
    Some(match (done.known, done.state.as_deref()) {
        (true, Some("pending" | "sending")) => {
            format!(
                "report {which} is not parked: it waits, and is sent as soon as it can be (tallyman status says when)"
            )
        }
        (true, _) => format!("report {which} is not parked: it is in Odoo"),
        (false, _) => format!("no report {which} is in the queue (tallyman queue list shows what is)"),
    })
}
