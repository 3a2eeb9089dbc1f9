//! `tallyman enroll`: gives this device its identity.

use super::{ConfigArg, Failure, local, process, say};
use crate::agent::enrol::{Enrolled, enrol};
use crate::wire::local_v1::StatusV1;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Odoo's address, like https://odoo.example.com
    #[arg(long)]
    url: String,
    /// The one-time code that Odoo showed
    #[arg(long)]
    code: String,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let enrolled = enrol(&config, &args.url, &args.code);
    let Enrolled { identity, again, new_key } = process::block_on(async { enrolled.await.map_err(Failure::other) })?;
    // Asked before the agent is told: what waits may be in Odoo right after. And nothing to be said may keep it from being told.
    let waited = local::get_json::<StatusV1>(&config.state_dir, "/status").ok().flatten();
    let told = local::tell_enrolled(&config.state_dir);
    let is = if again { "This device was enrolled again as" } else { "This device is" };
    say(&format!("{is} {} ({}) at {}.", identity.name, identity.device, identity.url))?;
    if new_key {
        say(
            "It signs with a new key from now on. Reports that wait are as the earlier key signed them: if Odoo has revoked that \
             key, it refuses them, and they stay here, parked, where nothing deletes them (tallyman queue list).",
        )?;
    }
    match (told?, waited) {
        (false, _) => say("No agent is running yet: systemctl start tallyman"),
        (true, Some(status)) if again => say(&format!("The running agent knows; {}.", waiting(status.pending))),
        (true, _) => say("The running agent knows; it reports from now on."),
    }
}

fn waiting(pending: usize) -> String {
    match pending {
        0 => "no report waits".to_owned(),
        1 => "1 report waits and is sent now".to_owned(),
        more => format!("{more} reports wait and are sent now"),
    }
}
