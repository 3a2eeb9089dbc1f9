//! `tallyman enroll`: gives this device its identity.

use super::{ConfigArg, Failure, local, process, say};
use crate::agent::enrol::enrol;

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
    let identity = process::block_on(async { enrolled.await.map_err(Failure::other) })?;
    say(&format!("This device is {} ({}) at {}.", identity.name, identity.device, identity.url))?;
    if local::tell_enrolled(&config.state_dir)? {
        say("The running agent knows; it reports from now on.")
    } else {
        say("No agent is running yet: systemctl start tallyman")
    }
}
