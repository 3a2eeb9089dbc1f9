//! What stands beside the agent in the virtual machine: a typist on pretend keyboards, a second reader that must see
//! nothing of a grabbed one, and the receiver in Odoo's place. `tests/vm` copies it in; nothing of it is installed.

#![allow(clippy::print_stdout, reason = "the tests read what it prints")]

mod keys;
mod pace;
mod receiver;
mod reports;
mod typist;
mod watcher;

use std::error::Error;

const USAGE: &str =
    "usage: workbench typist FIFO NAME VENDOR:PRODUCT | reports RATE FILE NODE... | watcher NODE | receiver PORT";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["typist", fifo, name, usb] => typist::run(fifo, name, usb),
        ["reports", rate, ref pairs @ ..] => reports::run(rate.parse()?, pairs),
        ["watcher", node] => watcher::run(node),
        ["receiver", port] => receiver::run(port.parse()?),
        _ => Err(USAGE.into()),
    }
}
