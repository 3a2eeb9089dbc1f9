//! The journal: segment files that only grow, fdatasync before every promise. The format is [`journal_v1`]'s.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::durable;
use crate::domain::id::{ChainHead, Digest, Sequence};
use crate::wire::journal_v1::{self as format, EventRecord, HEADER_BYTES, Header, Record};

/// A new segment begins beyond this.
const SEGMENT_BYTES: u64 = 1 << 20;

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    pub segment: u64,
    pub offset: u64,
    pub length: u32,
    pub place: u64,
}

/// What opening found out.
#[derive(Debug, Default)]
pub struct Recovery {
    /// The first event that the oldest kept segment can hold: all before it is in Odoo.
    pub first: Option<Sequence>,
    pub records: u64,
    /// Bytes of unfinished writes at ends of segments: never acknowledged.
    pub torn: u64,
    /// Files that were set aside, and damage inside those that stayed.
    pub damage: Vec<String>,
}

#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    header: Header,
    place: u64,
    /// The end of what is acknowledged.
    length: u64,
    head: ChainHead,
    delivered: u64,
    buffer: Vec<u8>,
    /// No segment before this one is known to be there.
    oldest: u64,
    /// A write failed: bytes beyond `length` may be on the disk and must go before anything else is written.
    dirty: bool,
}

impl Journal {
    /// Opens the journal in `folder`, handing every intact record to `each`, oldest first. `floor` is how far the chain
    /// is known to have come from elsewhere: a journal that lost its end to damage never gives a sequence out twice.
    pub fn open(
        folder: &Path,
        floor: Option<ChainHead>,
        mut each: impl FnMut(Record, Location),
    ) -> io::Result<(Journal, Recovery)> {
        durable::create_folder(folder)?;
        let mut recovery = Recovery::default();
        let mut state: Option<Tail> = None;
        let mut newest = 0;
        for (number, path) in segments(folder)? {
            newest = number;
            match Tail::read(&path, number, state.as_ref(), &mut recovery, &mut each)? {
                Some(tail) => {
                    recovery.first = recovery.first.or(Some(tail.header.head.next));
                    state = Some(tail);
                }
                None => set_aside(folder, &path, &mut recovery)?,
            }
        }
        let journal = match state {
            Some(tail) if tail.appendable(newest, floor) => Journal::resume(folder, tail)?,
            tail => {
                let (head, delivered) = tail.map_or((ChainHead::GENESIS, 0), |tail| (tail.head, tail.delivered));
                let known = floor.map_or(head, |floor| later(head, floor));
                if known != head {
                    let lost = known.next.0 - head.next.0;
                    recovery
                        .damage
                        .push(format!("the journal lost its last {lost} event(s); the chain goes on behind them"));
                }
                Journal::begin(folder, Header { segment: newest + 1, head: known, delivered })?
            }
        };
        Ok((journal, recovery))
    }

    /// What the next event must follow.
    pub fn head(&self) -> ChainHead {
        self.head
    }

    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Writes the records and waits for the disk. After an error nothing of them counts, and the next call first makes
    /// sure that nothing of them is left.
    pub fn append(&mut self, records: &[Record]) -> io::Result<Vec<Location>> {
        if self.dirty {
            self.cut_back()?;
        }
        if self.length >= SEGMENT_BYTES {
            self.rotate()?;
        }
        let (mut locations, mut head, mut delivered) = (Vec::with_capacity(records.len()), self.head, self.delivered);
        self.buffer.clear();
        for record in records {
            let start = self.buffer.len();
            let place = self.place + locations.len() as u64;
            if !format::frame(record, place, &mut self.buffer) {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "a record is too large for the journal"));
            }
            locations.push(Location {
                segment: self.header.segment,
                offset: self.length + start as u64,
                length: u32::try_from(self.buffer.len() - start).unwrap_or(u32::MAX),
                place,
            });
            (head, delivered) = advance(record, head, delivered);
        }
        self.dirty = true;
        self.file.write_all_at(&self.buffer, self.length)?;
        self.file.sync_data()?;
        self.dirty = false;
        self.length += self.buffer.len() as u64;
        self.place += records.len() as u64;
        (self.head, self.delivered) = (head, delivered);
        Ok(locations)
    }

    /// Reads one record back.
    pub fn read(&self, at: Location) -> io::Result<Record> {
        let mut bytes = vec![0; at.length as usize];
        if at.segment == self.header.segment {
            self.file.read_exact_at(&mut bytes, at.offset)?;
        } else {
            File::open(path_of(&self.folder, at.segment))?.read_exact_at(&mut bytes, at.offset)?;
        }
        let record = format::unframe(&bytes, at.place).map(|(record, _)| record);
        record.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the record is damaged on the disk"))
    }

    /// Deletes the segments before `oldest_needed`; never the one that is being written. True when there was one.
    pub fn trim(&mut self, oldest_needed: u64) -> io::Result<bool> {
        if self.oldest >= oldest_needed.min(self.header.segment) {
            return Ok(false);
        }
        let mut deleted = false;
        for (number, path) in segments(&self.folder)? {
            if number < oldest_needed && number < self.header.segment {
                fs::remove_file(path)?;
                deleted = true;
            }
        }
        if deleted {
            durable::sync_folder(&self.folder)?;
        }
        self.oldest = oldest_needed.min(self.header.segment);
        Ok(deleted)
    }

    pub fn current_segment(&self) -> u64 {
        self.header.segment
    }

    fn resume(folder: &Path, tail: Tail) -> io::Result<Journal> {
        let path = path_of(folder, tail.header.segment);
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Journal {
            folder: folder.to_owned(),
            file,
            header: tail.header,
            place: tail.place,
            length: tail.length,
            head: tail.head,
            delivered: tail.delivered,
            buffer: Vec::new(),
            oldest: 0,
            dirty: false,
        })
    }

    fn begin(folder: &Path, header: Header) -> io::Result<Journal> {
        let path = path_of(folder, header.segment);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        file.write_all_at(&header.encode(), 0)?;
        file.sync_all()?;
        durable::sync_folder(folder)?;
        Ok(Journal {
            folder: folder.to_owned(),
            file,
            header,
            place: 0,
            length: HEADER_BYTES as u64,
            head: header.head,
            delivered: header.delivered,
            buffer: Vec::new(),
            oldest: 0,
            dirty: false,
        })
    }

    fn rotate(&mut self) -> io::Result<()> {
        let header = Header { segment: self.header.segment + 1, head: self.head, delivered: self.delivered };
        let path = path_of(&self.folder, header.segment);
        let begun = Journal::begin(&self.folder, header);
        if begun.is_err() {
            // A full disk can leave the name without its header; it holds nothing, and the next try needs the name.
            let _ = fs::remove_file(path);
        }
        *self = Journal { oldest: self.oldest, ..begun? };
        Ok(())
    }

    /// Takes a failed write back, so that a report that was refused can't come to life after a restart.
    fn cut_back(&mut self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.sync_all()?;
        self.dirty = false;
        Ok(())
    }
}

/// The state at the end of a segment.
struct Tail {
    header: Header,
    place: u64,
    length: u64,
    head: ChainHead,
    delivered: u64,
    /// Ends with a whole record: more may be appended.
    clean: bool,
}

impl Tail {
    /// Whether more may be appended to this very file: it is whole, the last one, and as far as the chain is known to be.
    fn appendable(&self, newest: u64, floor: Option<ChainHead>) -> bool {
        let complete = floor.is_none_or(|floor| self.head.next >= floor.next);
        self.clean && complete && self.header.segment == newest
    }

    /// `None` when the file is no segment of ours.
    fn read(
        path: &Path,
        number: u64,
        before: Option<&Tail>,
        recovery: &mut Recovery,
        each: &mut impl FnMut(Record, Location),
    ) -> io::Result<Option<Tail>> {
        let bytes = fs::read(path)?;
        let Some(header) = Header::decode(&bytes).filter(|header| header.segment == number) else { return Ok(None) };
        let (head, delivered) = before.map_or((header.head, header.delivered), |tail| {
            (later(tail.head, header.head), tail.delivered.max(header.delivered))
        });
        let mut tail = Tail { header, place: 0, length: HEADER_BYTES as u64, head, delivered, clean: true };
        let mut at = HEADER_BYTES;
        while at < bytes.len() {
            let Some((place, record, length)) = next_intact(&bytes, &mut at, tail.place, path, recovery) else {
                tail.clean = false;
                break;
            };
            let location = Location {
                segment: number,
                offset: at as u64,
                length: u32::try_from(length).unwrap_or(u32::MAX),
                place,
            };
            (tail.head, tail.delivered) = advance(&record, tail.head, tail.delivered);
            recovery.records += 1;
            each(record, location);
            at += length;
            tail.place = place + 1;
            tail.length = at as u64;
        }
        Ok(Some(tail))
    }
}

/// The record at `at`, or the first intact one behind damage, to which `at` is moved then.
fn next_intact(
    bytes: &[u8],
    at: &mut usize,
    place: u64,
    path: &Path,
    recovery: &mut Recovery,
) -> Option<(u64, Record, usize)> {
    if let Some((record, length)) = format::unframe(&bytes[*at..], place) {
        return Some((place, record, length));
    }
    // A torn write has nothing intact behind it; a damaged page may. The place keeps old bytes from being taken for new.
    for start in *at + 1..bytes.len() {
        let Some(found) = bytes.get(start + 8..start + 16).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes)
        else {
            break;
        };
        if found > place
            && found - place < SEGMENT_BYTES
            && let Some((record, length)) = format::unframe(&bytes[start..], found)
        {
            let lost = found - place;
            recovery.damage.push(format!("{}: {lost} damaged record(s) at byte {at}, skipped", path.display()));
            *at = start;
            return Some((found, record, length));
        }
    }
    recovery.torn += (bytes.len() - *at) as u64;
    None
}

/// Follows what a record does to the chain's head and the count of deliveries.
fn advance(record: &Record, head: ChainHead, delivered: u64) -> (ChainHead, u64) {
    match record {
        Record::Event(event) => (later(head, head_after(event)), delivered),
        Record::Delivered { .. } => (head, delivered + 1),
        Record::Parked { .. } | Record::PhotoSent { .. } | Record::PhotoLost { .. } | Record::Offset { .. } => {
            (head, delivered)
        }
    }
}

fn head_after(event: &EventRecord) -> ChainHead {
    ChainHead { next: Sequence(event.sequence).next(), prev: Digest::of(event.jws.as_bytes()) }
}

fn later(a: ChainHead, b: ChainHead) -> ChainHead {
    if b.next > a.next { b } else { a }
}

fn path_of(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:08}.journal"))
}

/// The segments, oldest first.
fn segments(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let (Some(number), Some("journal")) = (stem, path.extension().and_then(|extension| extension.to_str())) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

/// A file without a whole header: an empty one never held anything, all else is kept for a person to look at.
fn set_aside(folder: &Path, path: &Path, recovery: &mut Recovery) -> io::Result<()> {
    let bytes = fs::read(path)?;
    if bytes.len() < HEADER_BYTES && bytes.iter().all(|&byte| byte == 0) {
        fs::remove_file(path)?;
    } else {
        let kept = durable::set_aside(path)?;
        recovery.damage.push(format!("{}: not readable, set aside as {}", path.display(), kept.display()));
    }
    durable::sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: u64) -> Record {
        Record::Event(EventRecord {
            sequence: n,
            id: format!("id-{n}"),
            kind: "pick_shortage".into(),
            subject: "WH/OUT/1".into(),
            captured_ms: 0,
            photos: vec![],
            jws: format!("jws-{n}-{}", "x".repeat(600)),
        })
    }

    fn open(folder: &Path) -> (Journal, Recovery, Vec<u64>) {
        let mut seen = vec![];
        let (journal, recovery) = Journal::open(folder, None, |record, _| {
            if let Record::Event(event) = record {
                seen.push(event.sequence);
            }
        })
        .unwrap();
        (journal, recovery, seen)
    }

    fn filled(folder: &Path, events: u64) {
        let (mut journal, ..) = open(folder);
        for n in 1..=events {
            journal.append(&[event(n)]).unwrap();
        }
    }

    #[test]
    fn what_was_appended_is_there_again_and_the_chain_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 3);
        let (mut journal, recovery, seen) = open(folder.path());
        assert_eq!((seen, recovery.torn, recovery.damage.len()), (vec![1, 2, 3], 0, 0));
        assert_eq!(journal.head().next, Sequence(4));
        let at = journal.append(&[event(4)]).unwrap()[0];
        assert_eq!(journal.read(at).unwrap(), event(4));
    }

    #[test]
    fn a_torn_tail_is_never_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 3);
        let path = path_of(folder.path(), 1);
        let length = fs::metadata(&path).unwrap().len();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 5).unwrap();
        let (mut journal, recovery, seen) = open(folder.path());
        assert_eq!(seen, [1, 2]);
        assert!(recovery.torn > 0 && recovery.damage.is_empty());
        assert_eq!((journal.current_segment(), journal.head().next), (2, Sequence(3)));
        journal.append(&[event(3)]).unwrap();
        assert_eq!(open(folder.path()).2, [1, 2, 3]);
    }

    #[test]
    fn damage_in_the_middle_costs_the_damaged_record_alone() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 5);
        let path = path_of(folder.path(), 1);
        let mut bytes = fs::read(&path).unwrap();
        bytes[HEADER_BYTES + 1000] ^= 0xff;
        fs::write(&path, bytes).unwrap();
        let (_, recovery, seen) = open(folder.path());
        assert_eq!(seen, [1, 3, 4, 5]);
        assert_eq!(recovery.damage.len(), 1);
    }

    #[test]
    fn segments_rotate_and_the_trimmed_ones_leave_the_chain_whole() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 4000);
        let (mut journal, ..) = open(folder.path());
        let current = journal.current_segment();
        assert!(current > 2);
        journal.append(&[Record::Delivered { sequence: 1, case: None, photos_there: vec![] }]).unwrap();
        journal.trim(current).unwrap();
        drop(journal);
        let (journal, _, seen) = open(folder.path());
        assert!(seen.len() < 2000);
        assert_eq!((journal.head().next, journal.delivered()), (Sequence(4001), 1));
        let Record::Event(last) = event(4000) else { panic!("an event is an event") };
        assert_eq!(journal.head(), head_after(&last));
    }

    #[test]
    fn a_file_that_is_no_segment_is_set_aside_and_the_rest_is_read() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 2);
        fs::write(path_of(folder.path(), 2), b"rubbish").unwrap();
        fs::write(path_of(folder.path(), 3), b"").unwrap();
        let (_, recovery, seen) = open(folder.path());
        assert_eq!((seen, recovery.damage.len()), (vec![1, 2], 1));
        assert!(folder.path().join("quarantine-1-00000002.journal").exists());
        assert!(!path_of(folder.path(), 3).exists());
    }

    #[test]
    fn a_sequence_that_is_known_elsewhere_is_never_given_out_again() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 2);
        let floor = ChainHead { next: Sequence(9), prev: Digest::of(b"8") };
        let (journal, recovery) = Journal::open(folder.path(), Some(floor), |_, _| {}).unwrap();
        assert_eq!(journal.head(), floor);
        assert_eq!(recovery.damage.len(), 1);
        drop(journal);
        assert_eq!(open(folder.path()).0.head(), floor);
    }

    #[test]
    fn a_failed_write_is_taken_back_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 1);
        let (mut journal, ..) = open(folder.path());
        // As if a write had reached the disk and its sync had failed.
        let mut ghost = vec![];
        format::frame(&event(2), 1, &mut ghost);
        journal.file.write_all_at(&ghost, journal.length).unwrap();
        journal.dirty = true;
        journal.append(&[event(2)]).unwrap();
        drop(journal);
        assert_eq!(open(folder.path()).2, [1, 2]);
    }
}
