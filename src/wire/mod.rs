//! How things are spelled outside this process: serde twins of domain types, one module a format, each versioned.
//!
//! This room knows no time and no policy. The wire to Odoo is described in `docs/protocol.md`.

pub mod bench_v1;
pub mod bundle_v1;
pub mod catalog_v1;
pub mod decode_v1;
pub mod device_api_v1;
pub mod devices_v1;
pub mod event_v1;
pub mod export_v1;
pub mod index_v2;
pub mod journal_v2;
pub mod jws;
pub mod local_v1;
pub mod scans_v1;
pub mod verify_v1;
