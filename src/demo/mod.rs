//! What `tallyman demo` puts around a real agent: a pretend scanner on a pty, a switch that cuts the network, a small
//! receiver in Odoo's place, and a console that shows both.
//!
//! The receiver keeps everything in memory and knows no stock: it exists to be looked at, and to be a fast counterpart in
//! the tests that stand beside those against a real Odoo.

pub mod book;
pub mod console;
pub mod cutter;
pub mod labels;
pub mod receiver;
pub mod scanner;
