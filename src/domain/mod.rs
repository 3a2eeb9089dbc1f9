//! What decides. Pure: time, randomness and replies come in as values, and what should be done goes out as values.
//!
//! Nothing in this room reads a clock, a file, a socket or a random number (`tests/house.rs` holds that), so every
//! decision can be replayed in a test. The story runs top to bottom: a raw scan is decoded, fills a slip, becomes an
//! event, waits in the outbox, is forwarded, and is released by a receipt.

pub mod bundle;
pub mod capture;
pub mod catalog;
pub mod clock;
pub mod decode;
pub mod device;
pub mod event;
pub mod evidence;
pub mod forward;
pub mod id;
pub mod latency;
pub mod outbox;
pub mod policy;
pub mod quantity;
pub mod receipt;
pub mod room;
pub mod shared;
pub mod tester;
pub mod time;
pub mod view;
pub mod visible;
