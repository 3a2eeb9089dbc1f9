//! A disk that does to unfinished writes what real ones do: loses them, tears them, or does them in part and fails.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;

use tallyman::io::journal::{Disk, Loaded};

const SECTOR: usize = 512;
/// What can't be read is so large at least.
const BLOCK: usize = 4096;
/// EIO; a card with a loose contact says it now and then.
const BAD_BLOCK: i32 = 5;

/// How an operation ends when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power goes in the middle: of what was being written, any sectors may be there.
    PowerCut,
    /// The process is killed in the middle: what it had handed over is there.
    Kill,
    /// The disk refuses, having done a part.
    Refusal(io::ErrorKind),
}

#[derive(Debug)]
pub(crate) struct Platter {
    segments: BTreeMap<u64, Vec<u8>>,
    aside: Vec<Vec<u8>>,
    /// Damaged segments as they were kept.
    kept: BTreeMap<u64, Vec<u8>>,
    open: Option<u64>,
    /// Blocks that can't be read any more, by segment and number.
    bad: BTreeSet<(u64, usize)>,
    /// What the disk has, and not only the memory, of segments that a killed process left.
    durable: BTreeMap<u64, Option<Vec<u8>>>,
    /// After so many more operations, this happens.
    pub(crate) fuse: Option<(u32, Fault)>,
    /// A fault ended the process: nothing more reaches the disk until it starts anew.
    pub(crate) dead: bool,
    pub(crate) free: u64,
    ballast: bool,
    /// In a life whose process is short of file descriptors now and then, and whose disk has a loose contact: when.
    pub(crate) shortage: Option<fastrand::Rng>,
    rng: fastrand::Rng,
}

impl Platter {
    pub(crate) fn new(seed: u64) -> Platter {
        Platter {
            segments: BTreeMap::new(),
            aside: Vec::new(),
            kept: BTreeMap::new(),
            open: None,
            bad: BTreeSet::new(),
            durable: BTreeMap::new(),
            fuse: None,
            dead: false,
            free: 1 << 30,
            ballast: false,
            shortage: None,
            rng: fastrand::Rng::with_seed(seed ^ 0xd15c),
        }
    }

    /// What the segments take.
    pub(crate) fn size(&self) -> u64 {
        self.segments.values().map(|bytes| bytes.len() as u64).sum()
    }

    pub(crate) fn set_aside(&self) -> usize {
        self.aside.len() + self.kept.len()
    }

    /// A block of any file, also of that which was written to last, can't be read any more.
    pub(crate) fn spoil(&mut self) -> Option<String> {
        let numbers: Vec<u64> = self.segments.keys().copied().collect();
        // Most of the time the last one: what stood there, nothing else tells.
        let last = numbers.len().checked_sub(1)?;
        let number = numbers[if self.rng.u8(..4) > 0 { last } else { self.rng.usize(..=last) }];
        let end = self.segments.get(&number)?.len() / BLOCK;
        let block = if self.rng.bool() { end } else { self.rng.usize(..=end) };
        self.bad.insert((number, block));
        Some(format!("segment {number}: its block {block} can't be read any more"))
    }

    /// Something happens to a file while nobody looks, as to an old flash chip: a bit, a sector, its end, all of it, its name.
    pub(crate) fn decay(&mut self, spare_end: bool) -> Option<String> {
        let numbers: Vec<u64> = self.segments.keys().copied().rev().skip(usize::from(spare_end)).collect();
        let number = *numbers.get(self.rng.usize(..numbers.len().max(1)))?;
        let file = self.segments.get_mut(&number)?;
        let at = self.rng.usize(..file.len().max(1));
        let what = match self.rng.u8(..6) {
            0 | 1 => {
                file.get_mut(at..)
                    .and_then(<[u8]>::first_mut)
                    .into_iter()
                    .for_each(|byte| *byte ^= 1 << self.rng.u8(..8));
                "a bit of it flips"
            }
            2 => {
                let sector = at / SECTOR * SECTOR;
                file.iter_mut().skip(sector).take(SECTOR).for_each(|byte| *byte = 0);
                "a sector of it becomes zeros"
            }
            3 => {
                file.truncate(at);
                "its end is gone"
            }
            4 => {
                file.fill(0);
                "all of it becomes zeros"
            }
            _ => {
                self.vanish(number);
                "it is gone"
            }
        };
        Some(format!("segment {number} at {at}: {what}"))
    }

    /// The file is gone, and so is what was wrong with it.
    fn vanish(&mut self, segment: u64) -> Option<Vec<u8>> {
        self.bad.retain(|(number, _)| *number != segment);
        self.durable.remove(&segment);
        self.segments.remove(&segment)
    }

    /// The power goes: what a killed process had handed over, and nobody waited for, may or may not be there.
    pub(crate) fn lose_power(&mut self) {
        for (segment, durable) in std::mem::take(&mut self.durable) {
            if self.rng.u8(..4) == 0 {
                continue;
            }
            match durable {
                Some(bytes) => drop(self.segments.insert(segment, bytes)),
                None => drop(self.vanish(segment)),
            }
        }
    }

    /// The machine, or the process, begins again.
    pub(crate) fn revive(&mut self) {
        (self.dead, self.fuse, self.open) = (false, None, None);
    }

    /// Whether this operation goes wrong, and how.
    fn strikes(&mut self) -> io::Result<Option<Fault>> {
        if self.dead {
            return Err(io::Error::other("the process is gone"));
        }
        let Some((left, fault)) = self.fuse else { return Ok(None) };
        if left > 0 {
            self.fuse = Some((left - 1, fault));
            return Ok(None);
        }
        self.fuse = None;
        self.dead = matches!(fault, Fault::PowerCut | Fault::Kill);
        if fault == Fault::PowerCut {
            self.lose_power();
        }
        Ok(Some(fault))
    }

    /// Some of `bytes`, as an unfinished write leaves them on top of what was there: sectors are whole or not at all. A power
    /// cut leaves any of them, all else the first ones.
    fn tear(&mut self, file: &mut Vec<u8>, offset: usize, bytes: &[u8], fault: Fault) {
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            // Sectors lie where the disk has them, not where the write begins.
            let next = (((offset + at) / SECTOR + 1) * SECTOR - offset).min(bytes.len());
            pieces.push(at..next);
            at = next;
        }
        let first = self.rng.usize(..=pieces.len());
        for (number, piece) in pieces.into_iter().enumerate() {
            let there = if fault == Fault::PowerCut { self.rng.bool() } else { number < first };
            if there {
                let range = offset + piece.start..offset + piece.end;
                file.resize(file.len().max(range.end), 0);
                file[range].copy_from_slice(&bytes[piece]);
            }
        }
    }
}

fn failed(fault: Fault) -> io::Error {
    match fault {
        Fault::Refusal(kind) => io::Error::from(kind),
        Fault::PowerCut | Fault::Kill => io::Error::other("the process is gone"),
    }
}

#[derive(Clone, Debug)]
pub(crate) struct SimDisk(pub(crate) Rc<RefCell<Platter>>);

impl Disk for SimDisk {
    fn segments(&self) -> io::Result<Vec<u64>> {
        Ok(self.0.borrow().segments.keys().copied().collect())
    }

    fn load(&self, segment: u64) -> io::Result<Loaded> {
        let platter = self.0.borrow();
        let mut bytes = platter.segments.get(&segment).cloned().ok_or(io::ErrorKind::NotFound)?;
        let bad = platter.bad.iter().filter(|(number, _)| *number == segment);
        let unreadable: Vec<_> = bad.map(|(_, block)| block * BLOCK..(block + 1) * BLOCK).collect();
        for range in &unreadable {
            bytes.iter_mut().take(range.end).skip(range.start).for_each(|byte| *byte = 0);
        }
        Ok(Loaded { bytes, unreadable })
    }

    fn sync(&mut self, segment: u64) -> io::Result<()> {
        let mut platter = self.0.borrow_mut();
        let strike = platter.strikes()?;
        if strike.is_none() {
            // This one, and the names of all.
            platter.durable.retain(|number, durable| *number != segment && durable.is_some());
        }
        strike.map_or(Ok(()), |fault| Err(failed(fault)))
    }

    fn begin(&mut self, segment: u64, start: &[u8], size: u64) -> io::Result<()> {
        let mut platter = self.0.borrow_mut();
        let strike = platter.strikes()?;
        if platter.segments.contains_key(&segment) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if platter.free < size {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if let Some(fault) = strike {
            // The name and the bytes reach the disk each on its own, and a refusal takes the file away, if it can.
            let mut file = Vec::new();
            platter.tear(&mut file, 0, start, fault);
            if fault == Fault::Kill {
                platter.durable.insert(segment, None);
            }
            if platter.rng.bool() {
                platter.segments.insert(segment, file);
            }
            return Err(failed(fault));
        }
        platter.segments.insert(segment, start.to_vec());
        platter.open = Some(segment);
        Ok(())
    }

    fn resume(&mut self, segment: u64) -> io::Result<()> {
        self.0.borrow_mut().open = Some(segment);
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut platter = self.0.borrow_mut();
        let strike = platter.strikes()?;
        let open = platter.open.ok_or_else(|| io::Error::other("no segment is open"))?;
        let mut file = platter.segments.remove(&open).ok_or(io::ErrorKind::NotFound)?;
        let at = offset as usize;
        if strike == Some(Fault::Kill) {
            platter.durable.insert(open, Some(file.clone()));
        }
        match strike {
            Some(fault) => platter.tear(&mut file, at, bytes, fault),
            None => {
                file.resize(file.len().max(at + bytes.len()), 0);
                file[at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
        platter.segments.insert(open, file);
        strike.map_or(Ok(()), |fault| Err(failed(fault)))
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut platter = self.0.borrow_mut();
        let strike = platter.strikes()?;
        let done = strike.is_none() || platter.rng.bool();
        let open = platter.open.ok_or_else(|| io::Error::other("no segment is open"))?;
        if done && let Some(file) = platter.segments.get_mut(&open) {
            file.truncate(length as usize);
        }
        strike.map_or(Ok(()), |fault| Err(failed(fault)))
    }

    fn read(&self, segment: u64, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let mut platter = self.0.borrow_mut();
        if platter.shortage.as_mut().is_some_and(|rng| rng.u8(..8) == 0) {
            return Err(io::Error::other("too many open files"));
        }
        if platter.shortage.as_mut().is_some_and(|rng| rng.u8(..) == 0) {
            return Err(io::Error::from_raw_os_error(BAD_BLOCK));
        }
        let file = platter.segments.get(&segment).ok_or(io::ErrorKind::NotFound)?;
        let blocks = offset as usize / BLOCK..=(offset as usize + bytes.len().saturating_sub(1)) / BLOCK;
        if blocks.into_iter().any(|block| platter.bad.contains(&(segment, block))) {
            return Err(io::Error::from_raw_os_error(BAD_BLOCK));
        }
        let range = offset as usize..offset as usize + bytes.len();
        bytes.copy_from_slice(file.get(range).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn remove(&mut self, segment: u64) -> io::Result<()> {
        let mut platter = self.0.borrow_mut();
        let strike = platter.strikes()?;
        if strike.is_none() || platter.rng.bool() {
            platter.vanish(segment);
        }
        strike.map_or(Ok(()), |fault| Err(failed(fault)))
    }

    fn set_aside(&mut self, segment: u64) -> io::Result<String> {
        let mut platter = self.0.borrow_mut();
        if let Some(fault) = platter.strikes()? {
            return Err(failed(fault));
        }
        let file = platter.vanish(segment).ok_or(io::ErrorKind::NotFound)?;
        platter.aside.push(file);
        Ok(format!("aside-{segment}"))
    }

    fn keep(&mut self, segment: u64) -> io::Result<Option<String>> {
        let mut platter = self.0.borrow_mut();
        if let Some(fault) = platter.strikes()? {
            return Err(failed(fault));
        }
        let file = platter.segments.get(&segment).cloned().ok_or(io::ErrorKind::NotFound)?;
        let known = platter.kept.insert(segment, file.clone());
        Ok((known != Some(file)).then(|| format!("kept-{segment}")))
    }

    fn free(&self) -> io::Result<u64> {
        Ok(self.0.borrow().free)
    }

    fn hold_ballast(&mut self, hold: bool) -> io::Result<()> {
        self.0.borrow_mut().ballast = hold;
        Ok(())
    }
}
