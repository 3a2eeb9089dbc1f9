//! What must not hurt: kills, power cuts, damaged files, full disks. The real binary and the real store on real file systems.
//!
//! `make test-crash` runs them; power cuts and full disks need root for their loop devices, and ask sudo for it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and may say why"
)]
#![allow(clippy::print_stderr, reason = "the counts are part of the result")]

mod damage;
mod device;
mod full;
mod kill;
mod loop_fs;
mod power;
mod stick;
#[path = "../support/mod.rs"]
mod support;

use support::receiver;
