//! The real binary, a real pty, real sockets and a real disk; only Odoo's place is taken by the demo's receiver. What
//! needs a real Odoo stands in `tests/odoo`.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod cli;
mod delivery;
mod flows;
mod receiver;
