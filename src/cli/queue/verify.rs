//! `tallyman queue verify`: is all that waits whole, in its place, and this device's own?

use super::super::{ConfigArg, Failure, say};
use crate::agent::verify::verify;
use crate::wire::verify_v1::{FindingV1, VerifyV1};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let state_dir = args.config.load()?.state_dir;
    let verified = verify(&state_dir).map_err(|error| {
        Failure::other(format!("{}: {error}. Run this as the agent's own user, or as root", state_dir.display()))
    })?;
    if args.json {
        say(&serde_json::to_string_pretty(&verified).map_err(Failure::other)?)?;
    } else {
        say(&readable(&verified))?;
    }
    let wrong = verified.findings.len() + verified.more;
    if verified.ok { Ok(()) } else { Err(Failure::other(format!("{wrong} thing(s) are not as they should be"))) }
}

fn readable(verified: &VerifyV1) -> String {
    let checked = &verified.checked;
    let index = match checked.index {
        Some(entries) => format!("{entries} entries"),
        None if verified.running => {
            "not looked into: the running agent works with it, and checked it at its start".to_owned()
        }
        None => "-".to_owned(),
    };
    let mut lines = vec![
        format!("  journal     {} segment(s), {} record(s)", checked.segments, checked.records),
        format!("  chain       {} report(s), each signature checked", checked.events),
        format!("  photos      {} that Odoo doesn't have", checked.photos),
        format!("  index       {index}"),
    ];
    lines.extend(verified.findings.iter().map(words));
    if verified.more > 0 {
        lines.push(format!("  and {} more", verified.more));
    }
    if verified.ok {
        lines.push("All is well.".to_owned());
    }
    lines.join("\n")
}

fn words(finding: &FindingV1) -> String {
    let FindingV1 { place, report, what, kept, to_do } = finding;
    let report = report.map(|sequence| format!("report {sequence}: ")).unwrap_or_default();
    format!("\n{}: {report}{what}\n  kept: {kept}\n  to do: {to_do}", place.to_uppercase())
}
