//! The whole road against a real Odoo 19: from bytes on a pty to the case, read back by JSON-2.
//!
//! `tests/odoo/suite.sh` (and so `make test-odoo`) brings the server up and says in the environment where it is:
//! `ODOO_URL`, `ODOO_API_KEY`, `ODOO_DB`; and when the server is the suite's own, so that it may be stopped,
//! `TALLYMAN_ODOO_PID_FILE`; and `TALLYMAN_ODOO_BARE_URL`, an Odoo whose database lacks the addon.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and may say why"
)]

#[path = "../support/mod.rs"]
mod support;

mod chain;
mod exactly_once;
mod forgery;
mod offline;
mod renewal;
mod server;
mod whole_road;
