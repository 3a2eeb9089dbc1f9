//! An index that forgets what it likes of its latest writes when the power fails, and fails now and then.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use tallyman::domain::id::Sequence;
use tallyman::io::index::{Entries, Failed, Index};
use tallyman::wire::index_v2::IndexV2;

/// Writes between two barriers: fewer than what a segment holds, as with the real one.
const BARRIER: usize = 4;

#[derive(Debug)]
pub(crate) struct Memory {
    now: BTreeMap<Sequence, IndexV2>,
    /// As they were at the last barrier, those that have changed since.
    before: Vec<(Sequence, Option<IndexV2>)>,
    /// It lost all, and wasn't open since to be filled again.
    pub(crate) gone: bool,
    /// The next write or walk fails: for want of room where the disk is that full, or for good.
    pub(crate) failing: bool,
    /// The disk is so full that it can't be opened.
    pub(crate) shut: bool,
    /// A write failed for want of room, and it wasn't let go of since.
    full: bool,
    /// It could not be: nothing is written or read.
    absent: bool,
    rng: fastrand::Rng,
}

impl Memory {
    pub(crate) fn new(seed: u64) -> Memory {
        let rng = fastrand::Rng::with_seed(seed ^ 0x1de);
        Memory {
            now: BTreeMap::new(),
            before: Vec::new(),
            gone: false,
            failing: false,
            shut: false,
            full: false,
            absent: false,
            rng,
        }
    }

    /// Of what was written since the last barrier, any part is gone: the process had it, not the disk.
    pub(crate) fn cut(&mut self) {
        self.failing = false;
        for (sequence, before) in std::mem::take(&mut self.before).into_iter().rev() {
            if self.rng.bool() {
                self.set(sequence, before);
            }
        }
    }

    pub(crate) fn is_written(&self) -> bool {
        !self.absent
    }

    /// What opening finds when the file is damaged: an empty one takes its place.
    pub(crate) fn lose_all(&mut self) {
        self.gone = true;
        self.now.clear();
        self.before.clear();
    }

    /// Whether a start will learn from it how far the chain had come, after a stop in order.
    pub(crate) fn knows_the_end(&self) -> bool {
        !(self.absent || self.shut)
    }

    /// What a new process finds. What failed was the handle.
    pub(crate) fn open(&mut self) {
        (self.failing, self.full) = (false, false);
        self.absent = self.shut;
        self.gone &= self.absent;
    }

    fn failed(&mut self) -> Failed {
        self.full = self.shut;
        if self.shut { Failed::Full } else { Failed::Broken("a simulated fault".to_owned()) }
    }

    fn set(&mut self, sequence: Sequence, value: Option<IndexV2>) -> Option<IndexV2> {
        match value {
            Some(value) => self.now.insert(sequence, value),
            None => self.now.remove(&sequence),
        }
    }

    fn change(&mut self, sequence: Sequence, value: Option<IndexV2>) -> Result<(), Failed> {
        if self.absent {
            return Ok(());
        }
        if self.failing {
            return Err(self.failed());
        }
        let before = self.set(sequence, value);
        self.before.push((sequence, before));
        if self.before.len() >= BARRIER {
            self.before.clear();
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct SimIndex(pub(crate) Rc<RefCell<Memory>>);

impl Index for SimIndex {
    fn is_open(&self) -> bool {
        !self.0.borrow().absent
    }

    fn entries(&self) -> Entries<'_> {
        let mut memory = self.0.borrow_mut();
        if memory.failing && !memory.absent {
            // As sled does: the same for ever, or it would be walked on through what can't be read.
            return Box::new(std::iter::once(Err(memory.failed())));
        }
        drop(memory);
        let entries = if self.is_open() { self.0.borrow().now.clone() } else { BTreeMap::new() };
        Box::new(entries.into_iter().map(Ok))
    }

    fn count(&self) -> usize {
        if self.is_open() { self.0.borrow().now.len() } else { 0 }
    }

    fn read(&self, sequence: Sequence) -> Result<Option<IndexV2>, Failed> {
        Ok(self.0.borrow().now.get(&sequence).filter(|_| self.is_open()).cloned())
    }

    fn write(&mut self, sequence: Sequence, value: &IndexV2) -> Result<(), Failed> {
        self.0.borrow_mut().change(sequence, Some(value.clone()))
    }

    fn remove(&mut self, sequence: Sequence) -> Result<(), Failed> {
        self.0.borrow_mut().change(sequence, None)
    }

    fn begin_anew(&mut self) -> io::Result<String> {
        let mut memory = self.0.borrow_mut();
        memory.failing = false;
        let was_absent = memory.absent;
        if !was_absent {
            assert!(!memory.full, "an index on a full disk is taken for damaged");
            memory.lose_all();
        }
        memory.absent = memory.shut;
        memory.gone &= memory.absent;
        match (memory.shut, was_absent) {
            (true, _) => Err(io::ErrorKind::StorageFull.into()),
            (false, true) => Ok(String::new()),
            (false, false) => Ok("aside".to_owned()),
        }
    }

    fn shut(&mut self) {
        let mut memory = self.0.borrow_mut();
        // What it was told since the last barrier went no further than its memory.
        memory.cut();
        (memory.absent, memory.full) = (true, false);
    }

    fn barrier(&mut self) -> Result<(), Failed> {
        let mut memory = self.0.borrow_mut();
        if memory.failing && !memory.absent {
            return Err(memory.failed());
        }
        memory.before.clear();
        Ok(())
    }

    fn close(self) -> io::Result<()> {
        self.0.borrow_mut().before.clear();
        Ok(())
    }
}
