//! Logs: to standard error, where systemd's journal collects them. `RUST_LOG` chooses what is said.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging for this process; a second call changes nothing.
pub fn start() {
    start_at("info");
}

/// Only what is wrong: for commands that speak to a person themselves.
pub fn start_quietly() {
    start_at("error");
}

fn start_at(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let terminal = std::io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal);
    // systemd's journal stamps every line itself.
    let journald = std::env::var_os("JOURNAL_STREAM").is_some();
    let _ = if journald { subscriber.without_time().try_init() } else { subscriber.try_init() };
}
