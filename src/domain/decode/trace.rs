//! What a device sent, event by event, for the people who set it up: kept only while someone looks.

use std::time::Duration;

/// More than the longest code has, Shift and key-up of every character included.
pub const MAX_STEPS: usize = 4096;

/// One event of a device, and how long after the one before it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub after: Duration,
    pub what: Happening,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A key of a keyboard wedge; `value` is 1 for down, 0 for up, 2 for autorepeat.
    Key { code: u16, value: i32 },
    /// What one read of a serial line, or one report of a HID POS scanner, brought.
    Bytes(Vec<u8>),
    /// The kernel dropped events (SYN_DROPPED).
    Dropped,
}
