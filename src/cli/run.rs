//! `tallyman run`: the agent in the foreground, until SIGTERM or SIGINT.

use tokio_util::sync::CancellationToken;

use super::{ConfigArg, Failure, process};
use crate::agent::start::start;
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    telemetry::start();
    process::block_on(async {
        let stop = CancellationToken::new();
        let agent = start(config, stop.clone()).await?;
        process::stop_on_signal(&stop)?;
        Ok(agent.finished().await?)
    })
}
