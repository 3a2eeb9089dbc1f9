//! Tallyman, the edge agent: from a scanner's trigger to a governed case in Odoo.
//!
//! `domain` decides, `wire` spells, `io` touches the world, `web` and `cli` are faces, and `agent` is the one loop that
//! connects them. ARCHITECTURE.md has the laws; `tests/house.rs` holds the layering.

pub mod agent;
pub mod card;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod io;
pub mod telemetry;
pub mod web;
pub mod wire;
