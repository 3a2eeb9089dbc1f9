//! The command line: one file a command. It speaks to a running agent through its socket and never opens its
//! journal; what a stopped one has is read by the agent's own code.

mod bench;
pub mod calibrate;
mod card;
mod decode;
mod demo;
mod devices;
mod enroll;
mod live;
mod local;
mod process;
mod queue;
mod run;
mod scan;
mod status;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::agent::start::AgentError;
use crate::config::{Config, ConfigError};

/// sysexits.h: EX_CONFIG. systemd shows it as CONFIG.
const EX_CONFIG: u8 = 78;
/// Done, but something is missing that ought to be there.
const INCOMPLETE: u8 = 3;

/// Turns a warehouse's surprises into governed Odoo cases.
///
/// Reads barcode scanners, lets a picker or a receiver report a discrepancy in seconds without a network, keeps every
/// report durably, and forwards it signed to Odoo, exactly once.
#[derive(Debug, Parser)]
#[command(name = "tallyman", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the agent: scanners, touch page, queue, delivery
    Run(run::Args),
    /// Give this device its identity, with a one-time code from Odoo
    Enroll(enroll::Args),
    /// Show what waits, what was delivered and what is wrong
    Status(status::Args),
    /// Look into the queue
    Queue(queue::Args),
    /// Say what a barcode's data means, and check it against GS1's rules
    Decode(decode::Args),
    /// List what is plugged in, which scanner takes it, and if none does, why not
    Devices(devices::Args),
    /// Watch the scanners: what each code is made of and how it is understood; makes no reports
    Scan(scan::Args),
    /// Print the command card for the operator's wrist, or the calibration sheet
    Card(card::Args),
    /// Find out how a scanner is set, from two codes of a printed sheet, and write it into the configuration
    Calibrate(calibrate::Args),
    /// Measure how fast this device's own disk makes reports durable
    Bench(bench::Args),
    /// Try everything out: pretend scanner, touch page and a small receiver, without Odoo
    Demo(demo::Args),
}

/// The configuration that a command reads.
#[derive(Debug, clap::Args)]
struct ConfigArg {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

const DEFAULT_CONFIG: &str = "/etc/tallyman/tallyman.toml";

impl ConfigArg {
    fn load(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.config)?)
    }

    /// For commands that help before there is a configuration: nothing, when none was named and none is there.
    fn load_if_any(&self) -> Result<Option<Config>, Failure> {
        let unwritten = self.config == Path::new(DEFAULT_CONFIG) && !self.config.exists();
        if unwritten { Ok(None) } else { self.load().map(Some) }
    }
}

/// Why a command failed, for a person, and as what, for a script.
#[derive(Debug)]
pub enum Failure {
    Config(ConfigError),
    /// A file that the configuration names can't be used.
    NamedFile(String),
    Other(String),
    /// It was done, but not wholly.
    Incomplete(String),
}

impl Failure {
    fn other(message: impl std::fmt::Display) -> Failure {
        Failure::Other(message.to_string())
    }

    /// Prints the error and gives its exit code.
    pub fn report(self) -> ExitCode {
        let mut stderr = std::io::stderr().lock();
        // With standard error closed there is nobody to tell; the code still tells.
        match self {
            Failure::Config(error) => {
                let _ = writeln!(stderr, "{error}");
                ExitCode::from(EX_CONFIG)
            }
            Failure::NamedFile(message) => {
                let _ = writeln!(stderr, "{message}");
                ExitCode::from(EX_CONFIG)
            }
            Failure::Other(message) => {
                let _ = writeln!(stderr, "tallyman: {message}");
                ExitCode::FAILURE
            }
            Failure::Incomplete(message) => {
                let _ = writeln!(stderr, "tallyman: {message}");
                ExitCode::from(INCOMPLETE)
            }
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::Config(error)
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Failure {
        match error {
            AgentError::Catalog(_) | AgentError::Http(_) => Failure::NamedFile(error.to_string()),
            AgentError::Folder { .. }
            | AgentError::AlreadyRunning(_)
            | AgentError::Page { .. }
            | AgentError::Io(_)
            | AgentError::Task(_) => Failure::other(error),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::other(error)
    }
}

/// Runs one command.
pub fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Enroll(args) => enroll::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Queue(args) => queue::run(&args),
        Command::Decode(args) => decode::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Scan(args) => scan::run(&args),
        Command::Card(args) => card::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Demo(args) => demo::run(&args),
    }
}

/// Prints to standard output; a closed pipe (`| head`) is not a failure.
fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n")) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
