//! The real binary, a real pty, real sockets and a real disk; only Odoo's place is taken by the demo's receiver. What
//! needs a real Odoo stands in `tests/odoo`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and may say why"
)]

#[path = "../support/mod.rs"]
mod support;
use support::receiver;

mod bad_input;
mod calibrate;
mod card;
mod cli;
mod decode;
mod delivery;
mod demo;
mod enrol;
mod export;
mod flows;
mod forwarder;
mod hostile;
mod lost;
mod photos;
mod scanner;
mod verify;
