//! Reading what a journal holds, through damage: everything whose own record is intact is found.

use std::collections::VecDeque;
use std::io;

use super::{Disk, Location, advance, later};
use crate::domain::id::{ChainHead, Sequence};
use crate::wire::journal_v2::{self as format, BadHeader, HEADER_BYTES, Header, Record};

/// Behind damage, a record is looked for whose place is less than this ahead: a segment's worth of the smallest ones.
const MAX_SKIPPED: u64 = 1 << 20;

/// What opening found out.
#[derive(Debug, Default)]
pub struct Recovery {
    /// The first event that the oldest kept segment can hold: all before it is in Odoo, or was carried. Absent when damage
    /// hides it.
    pub first: Option<Sequence>,
    pub records: u64,
    /// Bytes of unfinished writes at ends of segments: never acknowledged.
    pub torn: u64,
    /// Files that were set aside, and damage inside those that stayed.
    pub damage: Vec<String>,
    /// The highest number that a segment has had.
    pub(super) newest: u64,
}

/// The state at the end of a segment.
pub(super) struct Tail {
    pub(super) place: u64,
    pub(super) length: u64,
    pub(super) head: ChainHead,
    pub(super) delivered: u64,
    /// The last segment is whole, of the latest version, and ends with a whole record: more may be written there.
    pub(super) appendable: bool,
}

/// Reads all segments, oldest first. Those that aren't segments are set aside.
pub(super) fn segments<D: Disk>(
    disk: &mut D,
    recovery: &mut Recovery,
    mut each: impl FnMut(Record, Location),
) -> io::Result<(Tail, VecDeque<u64>)> {
    let numbers = disk.segments()?;
    let mut tail = Tail { place: 0, length: 0, head: ChainHead::GENESIS, delivered: 0, appendable: false };
    let mut kept = VecDeque::new();
    for number in numbers {
        recovery.newest = number;
        let bytes = disk.load(number)?;
        let header = match Header::decode(&bytes) {
            Ok((header, latest)) if header.segment == number => Ok((header, latest)),
            Ok(_) | Err(BadHeader::Damaged) => Err(()),
            Err(BadHeader::Newer) => return Err(newer()),
        };
        if header.is_err() && !has_records(&bytes) {
            set_aside(disk, number, &bytes, recovery)?;
            tail.appendable = false;
            continue;
        }
        tail.enter(header, number, kept.is_empty(), recovery);
        tail.read(&bytes, number, recovery, &mut each);
        kept.push_back(number);
    }
    Ok((tail, kept))
}

fn newer() -> io::Error {
    let words = "the journal was written by a later version of tallyman. Install that one again; nothing was changed";
    io::Error::new(io::ErrorKind::InvalidData, words)
}

/// An empty file never held anything, all else is kept for a person to look at.
fn set_aside<D: Disk>(disk: &mut D, number: u64, bytes: &[u8], recovery: &mut Recovery) -> io::Result<()> {
    if bytes.iter().all(|&byte| byte == 0) {
        return disk.remove(&[number]);
    }
    let kept = disk.set_aside(number)?;
    recovery.damage.push(format!("journal segment {number}: not readable, set aside as {kept}"));
    Ok(())
}

/// Whether there is any intact record in a file whose header is of no use.
fn has_records(bytes: &[u8]) -> bool {
    let first = bytes.get(HEADER_BYTES..).and_then(|records| format::unframe(records, 0));
    first.is_some() || next_intact(bytes, HEADER_BYTES..written(bytes), 0).is_some()
}

/// Where the zeros at the end begin.
fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)
}

impl Tail {
    fn enter(&mut self, header: Result<(Header, bool), ()>, number: u64, oldest: bool, recovery: &mut Recovery) {
        (self.place, self.length) = (0, HEADER_BYTES as u64);
        self.appendable = header.is_ok_and(|(_, latest)| latest);
        let Ok((header, _)) = header else {
            recovery.damage.push(format!("journal segment {number}: its header is damaged; its records are read"));
            return;
        };
        if oldest {
            recovery.first = Some(header.head.next);
        } else if header.head.next > self.head.next {
            let (from, to) = (self.head.next.0, header.head.next.0 - 1);
            recovery.damage.push(format!("journal: events {from} to {to} can't be read any more"));
        }
        self.head = later(self.head, header.head);
        self.delivered = self.delivered.max(header.delivered);
    }

    fn read(&mut self, bytes: &[u8], number: u64, recovery: &mut Recovery, each: &mut impl FnMut(Record, Location)) {
        let end = written(bytes);
        let mut at = HEADER_BYTES;
        while at < end {
            let (start, place, record, length) = match format::unframe(&bytes[at..], self.place) {
                Some((record, length)) => (at, self.place, record, length),
                None => match next_intact(bytes, at..end, self.place) {
                    Some((start, place)) => {
                        let lost = place - self.place;
                        let words = format!("journal segment {number}: {lost} damaged record(s) at byte {at}, skipped");
                        recovery.damage.push(words);
                        (self.place, at) = (place, start);
                        continue;
                    }
                    // A torn write has nothing intact behind it.
                    None => {
                        recovery.torn += (end - at) as u64;
                        self.appendable = false;
                        return;
                    }
                },
            };
            let length_on_disk = u32::try_from(length).unwrap_or(u32::MAX);
            let location = Location { segment: number, offset: start as u64, length: length_on_disk, place };
            (self.head, self.delivered) = advance(&record, self.head, self.delivered);
            recovery.records += 1;
            each(record, location);
            at = start + length;
            (self.place, self.length) = (place + 1, at as u64);
        }
    }
}

/// The first intact record that begins within `range`, and its place, which keeps old bytes from being taken for new.
fn next_intact(bytes: &[u8], mut range: std::ops::Range<usize>, place: u64) -> Option<(usize, u64)> {
    range.find_map(|start| {
        let found = u64::from_le_bytes(bytes.get(start + 8..start + 16)?.try_into().ok()?);
        let plausible = found > place && found - place < MAX_SKIPPED;
        (plausible && format::unframe(&bytes[start..], found).is_some()).then_some((start, found))
    })
}
