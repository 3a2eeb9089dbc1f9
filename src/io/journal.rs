//! The journal: segment files that only grow, fdatasync before every promise. The format is [`journal_v2`](format)'s.

mod disk;
mod peek;
mod recover;

use std::collections::{BTreeSet, VecDeque};
use std::io;

pub use disk::{Disk, Folder, Loaded, is_bad_block};
pub use peek::Peek;
pub use recover::Recovery;
use recover::Tail;

use crate::domain::id::{ChainHead, Digest, Sequence};
use crate::io::durable;
use crate::wire::journal_v2::{self as format, EventRecord, HEADER_BYTES, Header, Layout, Record};

/// How large a segment is made.
pub const SEGMENT_BYTES: u64 = 1 << 20;

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    pub segment: u64,
    pub offset: u64,
    pub length: u32,
    pub place: u64,
}

#[derive(Debug)]
pub struct Journal<D> {
    disk: D,
    segment_bytes: u64,
    /// All that are there, oldest first; the last one is written to.
    segments: VecDeque<u64>,
    /// The highest number that was ever tried: what a failed attempt may have left is not in the way of the next.
    newest: u64,
    place: u64,
    /// The end of what is acknowledged.
    length: u64,
    head: ChainHead,
    delivered: u64,
    /// The latest [`Record::Offset`]: each segment begins with it, so that those before it can go.
    offset: Option<Record>,
    buffer: Vec<u8>,
    /// What a write that failed left behind.
    trace: Trace,
    /// Damaged segments that could not be kept for a person yet: until then they stay.
    unkept: BTreeSet<u64>,
    /// What a beginning that failed may have left on the disk.
    unfinished: Option<u64>,
}

/// What a write that failed left behind the acknowledged end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trace {
    /// None failed.
    Clean,
    /// Taken back, or the segment was found like that; it isn't trusted with more.
    Gone,
    /// Perhaps on the disk: it must go before anything else is written, and before the end.
    Left,
}

impl<D: Disk> Journal<D> {
    /// Opens the journal on `disk`, handing every intact record to `each`, oldest first. `floor` is how far the chain is
    /// known to have come from elsewhere: a journal that lost its end to damage never gives a sequence out twice.
    ///
    /// # Errors
    /// The disk's, and `InvalidData` when a later version wrote here: nothing is touched then.
    pub fn open(
        mut disk: D,
        segment_bytes: u64,
        floor: Option<ChainHead>,
        mut each: impl FnMut(Record, Location),
    ) -> io::Result<(Journal<D>, Recovery)> {
        let mut recovery = Recovery::default();
        let mut offset = None;
        let (tail, segments) = recover::segments(&mut disk, &mut recovery, |record, at| {
            if matches!(record, Record::Offset { .. }) {
                offset = Some(record.clone());
            }
            each(record, at);
        })?;
        if let Some(last) = segments.back() {
            // What is acted on from here on, sent even, must not be gone after a power cut.
            disk.sync(*last)?;
        }
        let Tail { head, delivered, .. } = tail;
        let mut journal = Journal {
            disk,
            segment_bytes,
            segments,
            newest: recovery.newest,
            place: tail.place,
            length: tail.length,
            head,
            delivered,
            offset,
            buffer: Vec::new(),
            trace: Trace::Clean,
            unkept: BTreeSet::new(),
            unfinished: None,
        };
        let known = floor.map_or(head, |floor| later(head, floor));
        if known != head {
            let lost = known.next.0 - head.next.0;
            recovery.damage.push(format!("the journal lost its last {lost} event(s); the chain goes on behind them"));
            recovery.flaws.extend(journal.segments.back().map(|last| (*last, "its end is missing".to_owned())));
        }
        let left_out = leave_out(head, known, tail.hidden, &mut recovery);
        let known = left_out.unwrap_or(known);
        for blank in std::mem::take(&mut recovery.blank_end) {
            // Where nothing is missing, nothing was ever written there.
            if known == head {
                journal.disk.remove(blank)?;
            } else {
                recover::set_blank_aside(&mut journal.disk, blank, &mut recovery)?;
            }
        }
        journal.keep_flawed(&mut recovery);
        if tail.appendable && known == head {
            journal.disk.resume(journal.current_segment())?;
        } else {
            journal.head = known;
            match journal.begin() {
                // What is here can be sent even so, which makes room; the next write begins one.
                Err(error) if durable::is_full(&error) => journal.trace = Trace::Gone,
                begun => begun?,
            }
        }
        journal.set_unreadable_aside(&mut recovery)?;
        Ok((journal, recovery))
    }

    /// What can't be read goes out of the way when a header says how far the chain is beyond it, not before.
    fn set_unreadable_aside(&mut self, recovery: &mut Recovery) -> io::Result<()> {
        for segment in std::mem::take(&mut recovery.unreadable) {
            let place = match self.trace {
                Trace::Clean => format!("set aside as {}", self.disk.set_aside(segment)?),
                Trace::Gone | Trace::Left => "it stays where it is until there is room".to_owned(),
            };
            recovery.damage.push(format!("journal segment {segment}: the disk can't read it, {place}"));
        }
        Ok(())
    }

    /// Keeps each damaged segment, before anything can delete it. What is kept already was said before.
    fn keep_flawed(&mut self, recovery: &mut Recovery) {
        let mut flaws = std::mem::take(&mut recovery.flaws);
        // Two flaws of a segment may have been found one before and one behind another segment's.
        flaws.sort_by_key(|(segment, _)| *segment);
        for flaws in flaws.chunk_by(|(a, _), (b, _)| a == b) {
            let segment = flaws[0].0;
            let words: Vec<&str> = flaws.iter().map(|(_, words)| words.as_str()).collect();
            let words = format!("journal segment {segment}: {}", words.join(", "));
            match self.keep(segment) {
                Ok(Some(kept)) => recovery.damage.push(format!("{words}; it is kept as {kept}")),
                Ok(None) => tracing::info!(words, "still there, as it was kept at an earlier start"),
                Err(error) => recovery.damage.push(format!("{words}; it could not be kept elsewhere yet: {error}")),
            }
        }
    }

    /// Keeps what a damaged segment has now for a person; says where, or nothing when that is kept already. The segment isn't
    /// deleted before that worked.
    pub fn keep(&mut self, segment: u64) -> io::Result<Option<String>> {
        self.unkept.insert(segment);
        let kept = self.disk.keep(segment)?;
        self.unkept.remove(&segment);
        Ok(kept)
    }

    /// What the next event must follow.
    pub fn head(&self) -> ChainHead {
        self.head
    }

    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    pub fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    /// The oldest segment and the one that is written to.
    pub fn span(&self) -> (u64, u64) {
        (self.segments.front().copied().unwrap_or(0), self.current_segment())
    }

    pub fn segment_bytes(&self) -> u64 {
        self.segment_bytes
    }

    /// What it takes on the disk, in bytes, give or take the last segment's own.
    pub fn size(&self) -> u64 {
        self.segments.len() as u64 * self.segment_bytes
    }

    /// Writes the records and waits for the disk. After an error nothing of them counts, and nothing of them is left once
    /// [`Journal::take_back`] got through.
    pub fn append(&mut self, records: &[&Record]) -> io::Result<Vec<Location>> {
        self.take_back()?;
        if self.trace == Trace::Gone {
            // What failed once is not trusted with more.
            self.begin()?;
            self.trace = Trace::Clean;
        }
        let mut locations = self.frame(records)?;
        if self.length + self.buffer.len() as u64 > self.segment_bytes && self.length > HEADER_BYTES as u64 {
            self.begin()?;
            locations = self.frame(records)?;
        }
        if let Err(error) = self.disk.write(self.length, &self.buffer) {
            self.trace = Trace::Left;
            // Whoever waits is told that nothing was saved: a start must not find it. Should the disk refuse this as well, it
            // is tried again.
            let _ = self.take_back();
            return Err(error);
        }
        self.length += self.buffer.len() as u64;
        self.place += records.len() as u64;
        for record in records {
            (self.head, self.delivered) = advance(record, self.head, self.delivered);
            if matches!(record, Record::Offset { .. }) {
                self.offset = Some((*record).clone());
            }
        }
        Ok(locations)
    }

    /// Takes back what a failed write may have left on the disk. To be called again when it fails: until then, a start would
    /// find what was refused.
    pub fn take_back(&mut self) -> io::Result<()> {
        if self.trace == Trace::Left {
            self.disk.cut(self.length)?;
            self.trace = Trace::Gone;
        }
        Ok(())
    }

    /// Lays the records out in the buffer, as they will lie behind all that is there.
    fn frame(&mut self, records: &[&Record]) -> io::Result<Vec<Location>> {
        self.buffer.clear();
        let mut locations = Vec::with_capacity(records.len());
        for (nth, record) in (0..).zip(records) {
            let (start, place) = (self.buffer.len(), self.place + u64::from(nth));
            if !format::frame(record, place, nth, &mut self.buffer) {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "a record is too large for the journal"));
            }
            locations.push(Location {
                segment: self.current_segment(),
                offset: self.length + start as u64,
                length: u32::try_from(self.buffer.len() - start).unwrap_or(u32::MAX),
                place,
            });
        }
        Ok(locations)
    }

    /// Reads one record back.
    pub fn read(&self, at: Location) -> io::Result<Record> {
        let mut bytes = vec![0; at.length as usize];
        self.disk.read(at.segment, at.offset, &mut bytes)?;
        let read = [Layout::V2, Layout::V1].into_iter().find_map(|layout| layout.unframe(&bytes));
        let record = read.filter(|found| found.place == at.place).map(|found| found.record);
        record.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the record is damaged on the disk"))
    }

    /// Deletes the segments before `oldest_needed`; never the one that is being written. True when there was one.
    pub fn trim(&mut self, oldest_needed: u64) -> io::Result<bool> {
        let needed = oldest_needed.min(self.current_segment());
        let mut trimmed = false;
        self.remove_unfinished()?;
        // One after the other, each gone for good before the next: a power cut in between must leave no hole, which would be
        // taken for lost events.
        while let Some(oldest) = self.segments.front().copied().filter(|oldest| *oldest < needed) {
            if self.unkept.contains(&oldest) {
                self.keep(oldest)?;
            }
            self.disk.remove(oldest)?;
            self.segments.pop_front();
            trimmed = true;
        }
        Ok(trimmed)
    }

    pub fn current_segment(&self) -> u64 {
        self.segments.back().copied().unwrap_or(0)
    }

    /// Begins a segment, which then is the one that is written to. After an error all is as it was.
    fn begin(&mut self) -> io::Result<()> {
        self.remove_unfinished()?;
        self.newest += 1;
        let segment = self.newest;
        let header = Header { segment, head: self.head, delivered: self.delivered };
        let mut start = header.encode().to_vec();
        let place = u64::from(self.offset.as_ref().is_some_and(|offset| format::frame(offset, 0, 0, &mut start)));
        if let Err(error) = self.disk.begin(segment, &start, self.segment_bytes) {
            self.unfinished = Some(segment);
            let _ = self.remove_unfinished();
            return Err(error);
        }
        self.segments.push_back(segment);
        (self.place, self.length) = (place, start.len() as u64);
        Ok(())
    }

    /// What a beginning left that failed goes before anything else comes or goes: with a header, it would be taken for a
    /// segment whose records are missing.
    fn remove_unfinished(&mut self) -> io::Result<()> {
        if let Some(unfinished) = self.unfinished {
            self.disk.remove(unfinished)?;
            self.unfinished = None;
        }
        Ok(())
    }
}

/// Follows what a record does to the chain's head and the count of deliveries.
fn advance(record: &Record, head: ChainHead, delivered: u64) -> (ChainHead, u64) {
    match record {
        Record::Event(event) | Record::Carried { event, .. } => (later(head, head_after(event)), delivered),
        Record::Delivered { .. } => (head, delivered + 1),
        Record::Parked { .. }
        | Record::PhotoSent { .. }
        | Record::Offset { .. }
        | Record::Returned { .. }
        | Record::PhotoLost { .. } => (head, delivered),
    }
}

/// Numbers up to `next` may have been given to reports that the disk can't read any more. They are left out: Odoo shows what
/// it lacks of them as a gap, where a number that is given twice would be a fork. The event behind them follows one that
/// nobody has, for the last known one may have a follower in Odoo.
fn leave_out(head: ChainHead, known: ChainHead, hidden: u64, recovery: &mut Recovery) -> Option<ChainHead> {
    recovery.doubt(head.next, known.next, hidden);
    let next = Sequence(head.next.0.saturating_add(hidden)).max(known.next);
    if next == known.next {
        return None;
    }
    let (from, to) = (known.next, Sequence(next.0 - 1));
    recovery.damage.push(format!(
        "the disk can't read where up to {} report(s) may have stood; the numbers {} to {} are not given out again",
        next.0 - from.0,
        from.0,
        to.0
    ));
    recovery.doubt(from, next, hidden);
    Some(ChainHead { next, prev: Digest::of(format!("numbers {} to {} are left out", from.0, to.0).as_bytes()) })
}

fn head_after(event: &EventRecord) -> ChainHead {
    ChainHead { next: Sequence(event.sequence).next(), prev: Digest::of(event.jws.as_bytes()) }
}

fn later(a: ChainHead, b: ChainHead) -> ChainHead {
    if b.next > a.next { b } else { a }
}

#[cfg(test)]
mod tests;
