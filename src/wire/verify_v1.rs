//! What `queue verify` found, as `--json` prints it.

use serde::Serialize;

#[derive(Debug, Default, Serialize)]
pub struct VerifyV1 {
    /// Nothing is wrong.
    pub ok: bool,
    /// An agent runs here; its index was not looked into.
    pub running: bool,
    pub checked: CheckedV1,
    pub findings: Vec<FindingV1>,
    /// Findings beyond those that are listed.
    pub more: usize,
}

/// How much was looked at.
#[derive(Debug, Default, Serialize)]
pub struct CheckedV1 {
    pub segments: usize,
    pub records: u64,
    /// Events in the journal, those included that are in Odoo already; each one's signature and place in the chain.
    pub events: usize,
    /// Photos that Odoo doesn't have.
    pub photos: usize,
    /// Absent when the index was not looked into.
    pub index: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingV1 {
    /// "key", "journal", "chain", "signature", "index", "photo" or "set aside".
    pub place: &'static str,
    /// The report's sequence, when it is about one.
    pub report: Option<u64>,
    pub what: String,
    pub kept: &'static str,
    pub to_do: &'static str,
}
