//! The index: what the queue's list shows, on sled. sled is a fine index and a bad vault, so nothing here is the only copy of
//! anything unsent.
//!
//! sled's `flush` is no fsync, its open can panic on damage, its first I/O error is final for the handle, and its folder never
//! shrinks. So every call runs under `catch_unwind`, every value carries a CRC of ours, the barrier is `flush` followed by our
//! own fdatasync of its file, an index that disappoints is set aside and rebuilt from the journal, and one that has grown is
//! copied into a new generation: `index-00000001`, `index-00000002`, ... (the first version's was called `index`).

mod generation;
mod generations;
pub mod inspect;
mod walk;

use std::io;

use crate::domain::id::{ChainHead, Sequence};
use crate::domain::outbox::Entry;
use crate::domain::view::Row;
use crate::io::durable;
use crate::wire::index_v2::{IndexV2, StateCode};
pub use generations::SledIndex;

/// How many delivered reports are remembered.
pub const RETENTION: usize = 2_500;

/// Why the index doesn't do what it was asked, by what is to be done about it.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// One row is damaged; those around it can be read.
    #[error("the index failed: a value fails its checksum")]
    BadValue,
    /// There is no room. What it has durably is whole: it is let go of, and opened again when there is room.
    #[error("the index failed: the disk is full")]
    Full,
    /// It can no longer be used: it is to be set aside and begun anew.
    #[error("the index failed: {0}")]
    Broken(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        if durable::is_full(&error) { Failed::Full } else { Failed::Broken(error.to_string()) }
    }
}

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> io::Error {
        match failed {
            Failed::BadValue => io::Error::new(io::ErrorKind::InvalidData, "a value fails its checksum"),
            Failed::Full => io::ErrorKind::StorageFull.into(),
            Failed::Broken(why) => io::Error::other(why),
        }
    }
}

/// What is read of the index, one after the other by sequence, up to the first error that isn't one row's.
pub type Entries<'a> = Box<dyn DoubleEndedIterator<Item = Result<(Sequence, IndexV2), Failed>> + 'a>;

/// What a walk through the index notes of an entry: little enough to keep it of all of them for a moment.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    sequence: Sequence,
    state: StateCode,
    seal: u32,
}

impl Known {
    pub fn of(sequence: Sequence, value: &IndexV2) -> Known {
        Known { sequence, state: value.state, seal: value.seal() }
    }

    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The index takes it for a report of which something is still to be sent.
    pub fn is_unsent(&self) -> bool {
        matches!(self.state, StateCode::Pending | StateCode::Parked | StateCode::Photos)
    }

    pub fn is_dismissed(&self) -> bool {
        self.state == StateCode::Dismissed
    }

    pub fn is_lost(&self) -> bool {
        self.state == StateCode::Lost
    }

    /// Those of `entries`, which are in the order of their sequences, that the index doesn't know as they are. Looking each
    /// up takes most of the time that a start with a long queue has.
    pub fn stale<'a>(known: &[Known], entries: impl Iterator<Item = &'a Entry>) -> Vec<Sequence> {
        let mut known = known.iter().peekable();
        let unknown = entries.filter(|entry| {
            while known.next_if(|known| known.sequence < entry.sequence).is_some() {}
            let here = known.next_if(|known| known.sequence == entry.sequence);
            here.is_none_or(|known| known.seal != IndexV2::of(entry).seal())
        });
        unknown.map(|entry| entry.sequence).collect()
    }
}

/// Two implementations of what is at the top: sled here, and the simulation's, which forgets what it likes when the power
/// fails. What is built on it is the same for both.
pub trait Index {
    /// False while there is none, and nothing is read or written.
    fn is_open(&self) -> bool {
        true
    }

    fn entries(&self) -> Entries<'_>;

    /// How many they are.
    fn count(&self) -> usize;

    fn read(&self, sequence: Sequence) -> Result<Option<IndexV2>, Failed>;

    fn write(&mut self, sequence: Sequence, value: &IndexV2) -> Result<(), Failed>;

    fn remove(&mut self, sequence: Sequence) -> Result<(), Failed>;

    /// Sets the index aside and begins an empty one; one that is not open is opened. Says where the old one is, if it was set
    /// aside.
    fn begin_anew(&mut self) -> io::Result<String>;

    /// Lets go of one that could not be filled, or has no room: it is not open any more, and what it has stays.
    fn shut(&mut self);

    /// Makes what was written durable.
    fn barrier(&mut self) -> Result<(), Failed>;

    /// Makes all of it durable, for a stop in order.
    fn close(self) -> io::Result<()>;

    /// How far the chain had come when the index was last written.
    fn head(&self) -> Option<ChainHead> {
        let (sequence, value) = self.entries().next_back()?.ok()?;
        Some(ChainHead { next: sequence.next(), prev: value.digest() })
    }

    /// Writes the state of one event.
    fn put(&mut self, entry: &Entry) -> Result<(), Failed> {
        self.write(entry.sequence, &IndexV2::of(entry))
    }

    /// All of it, in the order of the sequences.
    fn survey(&mut self) -> Result<Vec<Known>, Failed> {
        self.entries().map(|entry| entry.map(|(sequence, value)| Known::of(sequence, &value))).collect()
    }

    /// Changes what is known of an event, if it is known; says what is known of it then.
    fn change(&mut self, sequence: Sequence, change: fn(IndexV2) -> IndexV2) -> Result<Option<IndexV2>, Failed> {
        let Some(known) = self.read(sequence)? else { return Ok(None) };
        let changed = change(known.clone());
        if changed != known {
            self.write(sequence, &changed)?;
        }
        Ok(Some(changed))
    }

    /// Reports that are in Odoo, or were dismissed, newest first; and why these are not all, if something kept it from reading
    /// on. A row that is damaged is left out.
    fn delivered(&self, most: usize) -> (Vec<Row>, Result<(), Failed>) {
        let mut rows = Vec::new();
        for entry in self.entries().rev() {
            if rows.len() >= most {
                break;
            }
            match entry {
                Ok((sequence, value)) => match value.state {
                    StateCode::Delivered | StateCode::Dismissed => rows.extend(value.row(sequence)),
                    StateCode::Pending | StateCode::Parked | StateCode::Photos | StateCode::Lost => {}
                },
                Err(Failed::BadValue) => {}
                Err(failed @ (Failed::Full | Failed::Broken(_))) => return (rows, Err(failed)),
            }
        }
        (rows, Ok(()))
    }

    /// Forgets delivered reports beyond [`RETENTION`], oldest first; so many others are there, too.
    fn retain(&mut self, undelivered: usize) -> Result<(), Failed> {
        let excess = self.count().saturating_sub(undelivered + RETENTION);
        let is_over = |entry: &Result<(_, IndexV2), _>| match entry {
            Ok((_, value)) => matches!(value.state, StateCode::Delivered | StateCode::Dismissed),
            Err(_) => true,
        };
        let oldest: Vec<_> = self.entries().filter(is_over).take(excess).collect::<Result<_, _>>()?;
        oldest.into_iter().try_for_each(|(sequence, _)| self.remove(sequence))
    }
}

/// For a queue that is only looked at: no index at all.
#[derive(Debug)]
pub struct NoIndex;

impl Index for NoIndex {
    fn is_open(&self) -> bool {
        false
    }

    fn entries(&self) -> Entries<'_> {
        Box::new(std::iter::empty())
    }

    fn count(&self) -> usize {
        0
    }

    fn read(&self, _: Sequence) -> Result<Option<IndexV2>, Failed> {
        Ok(None)
    }

    fn write(&mut self, _: Sequence, _: &IndexV2) -> Result<(), Failed> {
        Ok(())
    }

    fn remove(&mut self, _: Sequence) -> Result<(), Failed> {
        Ok(())
    }

    fn begin_anew(&mut self) -> io::Result<String> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn shut(&mut self) {}

    fn barrier(&mut self) -> Result<(), Failed> {
        Ok(())
    }

    fn close(self) -> io::Result<()> {
        Ok(())
    }
}
