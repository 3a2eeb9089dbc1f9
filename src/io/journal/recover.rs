//! Reading what a journal holds, through damage: everything whose own record is intact is found.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;

use super::{Disk, Loaded, Location, advance, later};
use crate::domain::id::{ChainHead, Sequence};
use crate::wire::journal_v2::{BadHeader, Found, HEADER_BYTES, Header, Layout, Record};

/// Behind damage, a record is looked for whose place is less than this ahead: a segment's worth of the smallest ones.
const MAX_SKIPPED: u64 = 1 << 20;
/// What an event takes in a segment at least: its frame, the names of its fields, and a signed text of which the signature
/// alone takes 86 bytes.
pub(super) const LEAST_EVENT: usize = 256;
/// So many readable zeros where a record would begin are the end of all: no record's length has them.
const NO_RECORD: usize = 4;

/// What opening found out.
#[derive(Debug, Default)]
pub struct Recovery {
    /// The first event that the oldest kept segment can hold. Absent when damage hides it.
    pub first: Option<Sequence>,
    pub records: u64,
    /// Bytes of unfinished writes at ends of segments: never acknowledged.
    pub torn: u64,
    /// Files that were set aside, and damage inside those that stayed; what was said at an earlier start is left out.
    pub damage: Vec<String>,
    /// Events that stood between two segments and are gone, the first and the last of each stretch.
    pub gaps: Vec<(Sequence, Sequence)>,
    /// Numbers that may have been given to reports that the disk can't read any more, and are not given out again: the first
    /// and the last of each stretch.
    pub doubtful: Vec<(Sequence, Sequence)>,
    /// Files of nothing but zeros before the first kept segment; they are still there.
    pub blank: Vec<u64>,
    /// Files that can't be read at all, or hold nothing where they can; they are still there.
    pub(super) unreadable: Vec<u64>,
    /// The highest number that a segment has had.
    pub(super) newest: u64,
    /// What is wrong inside segments that stay.
    pub(super) flaws: Vec<(u64, String)>,
    /// Files of nothing but zeros behind the last kept segment.
    pub(super) blank_end: Vec<u64>,
}

impl Recovery {
    /// Of the numbers from `from` on, and before `next`, the last `most` may have been given to reports that the disk can't read.
    pub(super) fn doubt(&mut self, from: Sequence, next: Sequence, most: u64) {
        let from = from.max(Sequence(next.0.saturating_sub(most)));
        if from < next {
            self.doubtful.push((from, Sequence(next.0 - 1)));
        }
    }
}

/// The state at the end of a segment.
pub(super) struct Tail {
    pub(super) place: u64,
    pub(super) length: u64,
    pub(super) head: ChainHead,
    pub(super) delivered: u64,
    /// The last segment is whole, of the latest version, and ends with a whole record: more may be written there.
    pub(super) appendable: bool,
    /// So many events at most may stand behind the last one that was read, where the disk can't read: they may have beeped.
    pub(super) hidden: u64,
}

/// Reads all segments, oldest first. Those that aren't segments are set aside.
pub(super) fn segments<D: Disk>(
    disk: &mut D,
    recovery: &mut Recovery,
    mut each: impl FnMut(Record, Location),
) -> io::Result<(Tail, VecDeque<u64>)> {
    let numbers = disk.segments()?;
    let mut tail = Tail { place: 0, length: 0, head: ChainHead::GENESIS, delivered: 0, appendable: false, hidden: 0 };
    let mut kept = VecDeque::new();
    let mut blank = Vec::new();
    for number in numbers {
        recovery.newest = number;
        let loaded = disk.load(number)?;
        let Loaded { bytes, unreadable } = &loaded;
        let header = match Header::decode(bytes) {
            Ok((header, layout)) if header.segment == number => Some((header, layout)),
            Ok(_) | Err(BadHeader::Damaged) => None,
            Err(BadHeader::Newer) => return Err(newer()),
        };
        // A header that is of no use says nothing of the layout; the records themselves do.
        let layout = header.map(|(_, layout)| layout).or_else(|| layout_of(bytes));
        let Some(layout) = layout else {
            tail.appendable = false;
            if !unreadable.is_empty() {
                // What reads as zeros may be reports.
                tail.hidden += hidden(bytes, unreadable, HEADER_BYTES);
                recovery.unreadable.push(number);
            } else if bytes.iter().all(|&byte| byte == 0) {
                blank.push(number);
            } else {
                let aside = disk.set_aside(number)?;
                recovery.damage.push(format!("journal segment {number}: not readable, set aside as {aside}"));
            }
            continue;
        };
        let header = header.map(|(header, _)| header);
        for blank in blank.drain(..) {
            match tail.goes_on(header.as_ref(), kept.is_empty()) {
                Some(true) => disk.remove(blank)?,
                Some(false) => set_blank_aside(disk, blank, recovery)?,
                None => recovery.blank.push(blank),
            }
        }
        tail.enter(header, number, kept.back().copied(), recovery);
        tail.appendable = header.is_some() && layout == Layout::V2;
        tail.read(&loaded, number, layout, recovery, &mut each);
        if !unreadable.is_empty() {
            let count: usize = unreadable.iter().map(ExactSizeIterator::len).sum();
            recovery.flaws.push((number, format!("the disk can't read {count} bytes of it")));
            tail.hidden += hidden(bytes, unreadable, usize::try_from(tail.length).unwrap_or(usize::MAX));
            // Nothing is written over what somebody may still read by better means.
            tail.appendable = false;
        }
        kept.push_back(number);
    }
    recovery.blank_end = blank;
    Ok((tail, kept))
}

fn newer() -> io::Error {
    let words = "the journal was written by a later version of tallyman. Install that one again; nothing was changed";
    io::Error::new(io::ErrorKind::InvalidData, words)
}

/// A file that should hold something and is all zeros. What isn't missing anywhere was never in it: such a file is what an
/// unfinished [`Disk::begin`] leaves.
pub(super) fn set_blank_aside<D: Disk>(disk: &mut D, number: u64, recovery: &mut Recovery) -> io::Result<()> {
    let aside = disk.set_aside(number)?;
    recovery.damage.push(format!("journal segment {number}: nothing but zeros is left of it, set aside as {aside}"));
    Ok(())
}

/// By which layout there is any intact record in a file.
fn layout_of(bytes: &[u8]) -> Option<Layout> {
    let range = HEADER_BYTES..written(bytes);
    [Layout::V2, Layout::V1].into_iter().find(|layout| intact(bytes, range.clone(), *layout, 0).next().is_some())
}

/// Where the zeros at the end begin.
fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)
}

impl Tail {
    /// Whether a segment with this header goes on where the one before it ended, so that nothing stood between them. The oldest
    /// one has none before it: where the chain doesn't begin with it, nobody can tell.
    fn goes_on(&self, header: Option<&Header>, oldest: bool) -> Option<bool> {
        let here = (self.head.next, self.delivered);
        let goes_on = header.is_some_and(|header| (header.head.next, header.delivered) == here);
        if oldest && !goes_on { None } else { Some(goes_on) }
    }

    fn enter(&mut self, header: Option<Header>, number: u64, before: Option<u64>, recovery: &mut Recovery) {
        (self.place, self.length) = (0, HEADER_BYTES as u64);
        let Some(header) = header else {
            recovery.flaws.push((number, "its header is damaged; its records are read".to_owned()));
            return;
        };
        if let Some(before) = before {
            if header.head.next > self.head.next {
                recovery.gaps.push((self.head.next, Sequence(header.head.next.0 - 1)));
                // They stood at its end, or in a file that is gone.
                recovery.flaws.push((before, format!("what stood between it and segment {number} can't be read")));
            }
        } else {
            recovery.first = Some(header.head.next);
        }
        (self.head, self.hidden) = (later(self.head, header.head), 0);
        self.delivered = self.delivered.max(header.delivered);
    }

    fn read(
        &mut self,
        Loaded { bytes, unreadable }: &Loaded,
        number: u64,
        layout: Layout,
        recovery: &mut Recovery,
        each: &mut impl FnMut(Record, Location),
    ) {
        let end = written(bytes);
        let mut at = HEADER_BYTES;
        while at < end {
            let next = layout.unframe(&bytes[at..]).filter(|found| found.place == self.place);
            let Found { record, place, length, .. } = match next {
                Some(found) => found,
                None => {
                    let Some((start, place)) = behind_damage(bytes, at..end, layout, self.place) else {
                        recovery.torn += (end - at) as u64;
                        self.appendable = false;
                        return;
                    };
                    let lost = place - self.place;
                    if unreadable.iter().any(|range| range.start < start && range.end > at) {
                        // Each of them may have been an event.
                        self.hidden += lost;
                    }
                    recovery.flaws.push((number, format!("{lost} damaged record(s) at byte {at}, skipped")));
                    // Nothing is written to it any more: what is kept of it stays what there is.
                    self.appendable = false;
                    (self.place, at) = (place, start);
                    continue;
                }
            };
            let length_on_disk = u32::try_from(length).unwrap_or(u32::MAX);
            let location = Location { segment: number, offset: at as u64, length: length_on_disk, place };
            let before = self.head.next;
            (self.head, self.delivered) = advance(&record, self.head, self.delivered);
            if self.head.next > before {
                // This one's own number is known; of those before it, so many may have stood where the disk can't read.
                recovery.doubt(before, Sequence(self.head.next.0 - 1), self.hidden);
                self.hidden = 0;
            }
            recovery.records += 1;
            each(record, location);
            at += length;
            (self.place, self.length) = (place + 1, at as u64);
        }
    }
}

/// How many events may stand behind `at`, where the last whole record ends, and be hidden by what can't be read.
fn hidden(bytes: &[u8], unreadable: &[Range<usize>], at: usize) -> u64 {
    let mut end = at;
    for range in unreadable.iter().filter(|range| range.end > at) {
        let between = bytes.get(end..range.start).unwrap_or_default();
        // Writes leave no holes: what was acknowledged behind zeros would have been before them as well.
        if between.len() >= NO_RECORD && between.iter().all(|&byte| byte == 0) {
            break;
        }
        end = range.end;
    }
    let bytes = if end > at { end.max(written(bytes)) - at } else { 0 };
    bytes.div_ceil(LEAST_EVENT) as u64
}

/// Where reading goes on behind something broken at `place`, if anything there was ever acknowledged: that is so when there is
/// a record of a later write. All else is what a power cut left of the last one.
fn behind_damage(bytes: &[u8], range: Range<usize>, layout: Layout, place: u64) -> Option<(usize, u64)> {
    let (start, first) = intact(bytes, range.clone(), layout, place + 1).next()?;
    let acknowledged =
        first.write > place || intact(bytes, range, layout, place + 1).any(|(_, found)| found.write > place);
    acknowledged.then_some((start, first.place))
}

/// The intact records that begin within `range` and have at least this place, which keeps old bytes from being taken for new.
fn intact(
    bytes: &[u8],
    range: Range<usize>,
    layout: Layout,
    least: u64,
) -> impl Iterator<Item = (usize, Found)> + use<'_> {
    range.filter_map(move |start| {
        let place = layout.place(&bytes[start..])?;
        let plausible = place >= least && place - least < MAX_SKIPPED;
        plausible.then(|| layout.unframe(&bytes[start..])).flatten().map(|found| (start, found))
    })
}
