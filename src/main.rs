//! Parse, run, and turn an error into an exit code: 0 done, 1 failed, 2 wrong usage, 3 done but not wholly, 78 wrong configuration.

use std::process::ExitCode;

use clap::Parser;
use tallyman::cli::{self, Cli};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Also --help and --version, which clap prints to standard output with code 0.
        Err(usage) => {
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    match cli::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
