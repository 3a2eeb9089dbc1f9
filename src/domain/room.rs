//! How much room the disk has, and what that allows. A report is refused while somebody stands there who can do something
//! about it, and what is here can still be sent.

/// The reserve that is given up when the disk is almost full, so that what is here can still be sent and let go.
pub const BALLAST_BYTES: u64 = 4 << 20;
/// Below this nothing new is captured: a segment, a generation of the index and their folders still fit.
pub const WATERMARK: u64 = 16 << 20;
/// Room must come back by this much before captures are taken again, or they would be taken and refused by turns.
const SLACK: u64 = 12 << 20;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Room {
    #[default]
    Enough,
    /// Captures are refused, and the ballast is given up.
    Low,
}

impl Room {
    /// What `free` bytes make of it. While room is low, the ballast's own bytes are among them.
    pub fn judge(self, free: u64) -> Room {
        match self {
            Room::Enough if free < WATERMARK => Room::Low,
            Room::Low if free < WATERMARK + BALLAST_BYTES + SLACK => Room::Low,
            Room::Enough | Room::Low => Room::Enough,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn captures_stop_at_the_watermark_and_come_back_only_with_room_to_spare() {
        assert_eq!(Room::Enough.judge(16 * MIB), Room::Enough);
        assert_eq!(Room::Enough.judge(15 * MIB), Room::Low);
        // Giving up the ballast alone brings nothing back.
        assert_eq!(Room::Low.judge(15 * MIB + BALLAST_BYTES), Room::Low);
        assert_eq!(Room::Low.judge(32 * MIB), Room::Enough);
        // With the ballast taken again there is still enough.
        assert_eq!(Room::Enough.judge(32 * MIB - BALLAST_BYTES), Room::Enough);
    }
}
