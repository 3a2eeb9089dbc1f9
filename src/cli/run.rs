//! `tallyman run`: the agent in the foreground, until SIGTERM or SIGINT.

use tokio_util::sync::CancellationToken;

use super::{ConfigArg, Failure, serve};
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    telemetry::start();
    serve::block_on(async {
        let stop = CancellationToken::new();
        let agent = serve::agent(config, stop.clone()).await?;
        serve::stop_on_signal(&stop)?;
        agent.finished().await
    })
}
