//! One device, its people, its disk, its network and its Odoo, in simulated time. Everything happens by one seed.

mod shell;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tallyman::agent::station::{Deed, Signer, Station, Turn};
use tallyman::domain::capture::{Feedback, Input};
use tallyman::domain::decode::{RawScan, decode};
use tallyman::domain::event::{MediaType, Photo};
use tallyman::domain::forward::{Answer, Forwarder, Unreachable};
use tallyman::domain::id::{DeviceId, Digest, Sequence};
use tallyman::domain::outbox::Entry;
use tallyman::domain::policy::Policies;
use tallyman::domain::time::Wall;
use tallyman::io::keys::DeviceKey;
use tallyman::io::store::{Append, Committer, StoreError};
use tallyman::wire::journal_v2::Record;
use tokio::sync::oneshot;

use crate::clocks::{Clocks, TimesTold};
use crate::disk::{Fault, Platter, SimDisk};
use crate::index::{Memory, SimIndex};
use crate::net::{BAD, MOODS, Net, Weather, gone, is_poisonous};

/// Some ten reports: many rotations in a short life.
pub(crate) const SEGMENT: u64 = 16 << 10;
/// What opening the index takes.
const INDEX: u64 = 4 << 20;
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// What is written down of a life, to be shown when it goes wrong.
const TRACE: usize = 60;
/// A seed with this bit is of a life whose disk decays.
pub(crate) const DECAYS: u64 = 1 << 40;
/// A seed with this bit is of a life with moods: a slow line, a firewall that stops photos, a process short of descriptors.
pub(crate) const MOODY: u64 = 1 << 41;
/// How long the client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The reports that words of damage name.
fn named(words: &str) -> Vec<u64> {
    let Some(which) = words.strip_prefix("damage took report") else { return Vec::new() };
    let numbers = which.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok());
    match numbers.take(2).collect::<Vec<u64>>()[..] {
        [only] => vec![only],
        [from, to] => (from..=to).collect(),
        _ => Vec::new(),
    }
}

fn lost(committer: &Committer<SimDisk, SimIndex>) -> BTreeSet<u64> {
    // Most have none, and the list takes its time.
    if committer.health().lost == 0 {
        return BTreeSet::new();
    }
    committer.lost().map(|row| row.sequence.0).collect()
}

/// What never changes from life to life.
pub(crate) struct Fixtures {
    pub(crate) key: DeviceKey,
    pub(crate) device: DeviceId,
    pub(crate) catalog: tallyman::domain::catalog::Catalog,
}

enum Request {
    Append(Append),
    Read(Vec<Sequence>),
    Settled(Vec<Sequence>),
}

type Read = Vec<(Sequence, Result<String, StoreError>)>;

struct Device {
    station: Station,
    committer: Committer<SimDisk, SimIndex>,
    queue: VecDeque<Request>,
    saved: Option<oneshot::Receiver<Result<(), StoreError>>>,
    read: Option<Read>,
    answer: Option<Answer>,
    /// Photos that go when it is durable that they are in Odoo.
    forgetting: Vec<(Digest, oneshot::Receiver<Result<(), StoreError>>)>,
}

enum Hand {
    Scan(String),
    Photo,
}

pub(crate) struct World<'a> {
    fixtures: &'a Fixtures,
    pub(crate) rng: fastrand::Rng,
    /// How many of forty disasters don't happen.
    calm: u16,
    clocks: Clocks,
    starts: u32,
    /// When each scan was read, in truth; the scan's source has its number.
    scanned: Vec<Wall>,
    pub(crate) told_times: TimesTold,
    pub(crate) platter: Rc<RefCell<Platter>>,
    pub(crate) memory: Rc<RefCell<Memory>>,
    pub(crate) net: Net,
    photos: BTreeMap<Digest, Vec<u8>>,
    device: Option<Device>,
    saving: Option<Entry>,
    /// What the person heard a beep for.
    pub(crate) beeped: Vec<Entry>,
    /// What the person was told is not saved.
    pub(crate) refused: Vec<Digest>,
    script: VecDeque<Hand>,
    pub(crate) trace: VecDeque<String>,
    /// Files are damaged while the process isn't there.
    decays: bool,
    /// Some were.
    pub(crate) damaged: bool,
    /// In a life with moods, what they are.
    moods: Option<fastrand::Rng>,
    /// Reports that a start missed and said so, of which the list may not know.
    told: BTreeSet<u64>,
    /// The disk can no longer read some block; more than one of them, and nobody could tell what stood there.
    spoilt: bool,
    /// Where the chain went on when numbers were left out: until something is saved there, one header alone says so.
    left_out: Option<Sequence>,
}

impl<'a> World<'a> {
    pub(crate) fn new(seed: u64, fixtures: &'a Fixtures, net: Net) -> World<'a> {
        let mut platter = Platter::new(seed);
        platter.shortage = (seed & MOODY != 0).then(|| fastrand::Rng::with_seed(seed));
        World {
            fixtures,
            calm: fastrand::Rng::with_seed(!seed).u16(..40),
            rng: fastrand::Rng::with_seed(seed),
            clocks: Clocks::new(seed),
            starts: 0,
            scanned: Vec::new(),
            told_times: TimesTold::default(),
            platter: Rc::new(RefCell::new(platter)),
            memory: Rc::new(RefCell::new(Memory::new(seed))),
            net,
            photos: BTreeMap::new(),
            device: None,
            saving: None,
            beeped: Vec::new(),
            refused: Vec::new(),
            script: VecDeque::new(),
            trace: VecDeque::new(),
            decays: seed & DECAYS != 0,
            damaged: false,
            moods: (seed & MOODY != 0).then(|| fastrand::Rng::with_seed(seed ^ 0x300d)),
            told: BTreeSet::new(),
            spoilt: false,
            left_out: None,
        }
    }

    fn note(&mut self, words: impl Into<String>) {
        if self.trace.len() == TRACE {
            self.trace.pop_front();
        }
        self.trace.push_back(words.into());
    }

    fn turn(&mut self) -> Turn {
        let mut random = [0; 32];
        self.rng.fill(&mut random);
        Turn { now: self.clocks.now(), random }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.clocks.pass(time);
    }

    /// One thing happens.
    pub(crate) fn step(&mut self) {
        if self.device.is_none() {
            self.start();
            return;
        }
        // A calm life sees few disasters, and gets far.
        match self.rng.u16(..1000) {
            0..340 => self.person(),
            340..560 => self.committer_turns(),
            560..720 => self.hear(),
            720..840 => self.send(),
            840..900 => {
                let time = Duration::from_millis(1 << self.rng.u32(..20));
                self.pass(time);
            }
            900..930 => self.change_weather(),
            930..950 => self.net.arrive_late(),
            950..960 => {
                self.again();
            }
            disaster if disaster >= 960 + self.calm => match disaster % 8 {
                0 | 1 => self.crash(Fault::PowerCut),
                2 => self.crash(Fault::Kill),
                3 => self.stop(),
                4 => self.clocks.set_to(self.rng.i64(-100_000_000..100_000_000)),
                _ => self.break_something(),
            },
            _ => {}
        }
        self.look_for_the_dead();
        self.check_bounds();
    }

    /// Whatever happens, disk and memory hold what waits and little else.
    fn check_bounds(&self) {
        let Some(device) = &self.device else { return };
        let outbox = device.station.outbox();
        let waits: u64 = outbox.entries().map(|entry| entry.size).sum();
        let size = self.platter.borrow().size();
        assert!(size <= 2 * waits + 6 * SEGMENT, "the journal takes {size} bytes for {waits} that wait");
        assert!(outbox.recent().len() <= 50 && outbox.lost_photos().len() <= 100);
    }

    /// A person wants parked reports to be sent again.
    fn again(&mut self) {
        if let Some(device) = &mut self.device {
            // Having looked at the list.
            device.committer.delivered(3);
            device.station.send_again(None);
            self.execute();
        }
    }

    fn change_weather(&mut self) {
        let bad = BAD[self.rng.usize(..BAD.len())];
        self.net.weather = if self.rng.bool() { Weather::Good } else { bad };
        if let Some(moods) = &mut self.moods
            && moods.bool()
        {
            self.net.weather = MOODS[moods.usize(..MOODS.len())];
        }
        let weather = self.net.weather;
        self.note(format!("weather {weather:?}"));
    }

    fn break_something(&mut self) {
        let after = self.rng.u32(..6);
        let fault = match self.rng.u8(..6) {
            0 | 1 => Fault::PowerCut,
            2 => Fault::Kill,
            3 => Fault::Refusal(io::ErrorKind::StorageFull),
            4 => Fault::Refusal(io::ErrorKind::Other),
            _ => {
                // Something else fills the disk, or empties it again.
                let free = match self.rng.u8(..8) {
                    0..4 => 1 << 30,
                    // Without an index, nobody could name all that a decaying disk takes.
                    4 if !self.decays => 0,
                    _ => self.rng.u64(..40 << 20),
                };
                self.platter.borrow_mut().free = free;
                self.memory.borrow_mut().failing = self.rng.u8(..4) == 0;
                self.memory.borrow_mut().shut = free < INDEX;
                return self.note(format!("free {free}"));
            }
        };
        self.platter.borrow_mut().fuse = Some((after, fault));
        self.note(format!("in {after} disk operations: {fault:?}"));
    }

    // --- Life and death

    pub(crate) fn start(&mut self) {
        self.platter.borrow_mut().revive();
        self.memory.borrow_mut().open();
        let disk = SimDisk(self.platter.clone());
        let opened = Committer::open(disk, SEGMENT, SimIndex(self.memory.clone()), Vec::new());
        let (committer, found) = match opened {
            Ok(opened) => opened,
            // The disk refuses, or is full: somebody sees to it, and it starts again.
            Err(error) => {
                assert!(error.kind() != io::ErrorKind::StorageFull, "a full disk keeps the device from starting");
                self.platter.borrow_mut().free = 1 << 30;
                self.memory.borrow_mut().shut = false;
                return self.note(format!("no start: {error}"));
            }
        };
        let damage: Vec<_> = found.damage.iter().filter(|words| !words.contains("a simulated fault")).collect();
        assert!(damage.is_empty() || self.damaged, "a crash is no damage: {damage:?}");
        let unnamed =
            |words: &&&String| words.contains("nor counted as delivered") || words.contains(" more stretches");
        let unnamed = damage.iter().any(|words| unnamed(&words));
        self.told.extend(damage.iter().flat_map(|words| named(words)));
        damage.iter().for_each(|words| self.trace.push_back(format!("    {words}")));
        if damage.iter().any(|words| words.contains("are not given out again")) {
            self.left_out = Some(found.head.next);
        }
        let lost = lost(&committer);
        self.starts += 1;
        let boot_id = self.clocks.boot_id();
        let forwarder = Forwarder::new(LONGEST_WAIT);
        let policies = Policies::default();
        let station = Station::resume(self.fixtures.catalog.clone(), policies, forwarder, boot_id, found);
        self.note(format!("start: {:?}, head {}", station.outbox().counts(), station.head().next.0));
        for beeped in &self.beeped {
            assert!(station.head().next > beeped.sequence, "sequence {} would be given out twice", beeped.sequence.0);
            let here = station.outbox().find_sequence(beeped.sequence);
            let there = self.net.digest_of(beeped.sequence) == Some(beeped.digest);
            let safe = here.is_some_and(|entry| entry.digest == beeped.digest) || there;
            let told = lost.contains(&beeped.sequence.0) || self.told.contains(&beeped.sequence.0) || unnamed;
            assert!(safe || told, "lost: {}", beeped.sequence.0);
            // In Odoo, and what was left to send of its photos is gone with those that could only be counted.
            let arrived = |photo: &Photo| self.net.has_photo(photo.digest);
            let maimed = unnamed && here.is_none() && !beeped.photos.iter().all(arrived);
            if !safe || maimed {
                self.told.insert(beeped.sequence.0);
            }
        }
        for entry in station.outbox().entries() {
            assert!(
                !self.refused.contains(&entry.digest),
                "sequence {} was refused and came to life",
                entry.sequence.0
            );
        }
        // As a start does: photos that no report names go.
        self.photos.retain(|digest, _| station.outbox().needs_photo(*digest));
        self.device = Some(Device {
            station,
            committer,
            queue: VecDeque::new(),
            saved: None,
            read: None,
            answer: None,
            forgetting: Vec::new(),
        });
    }

    /// What the device calls lost now, or said is gone when the list could not name it.
    pub(crate) fn lost(&self) -> BTreeSet<u64> {
        let listed = self.device.as_ref().map_or_else(BTreeSet::new, |device| lost(&device.committer));
        listed.union(&self.told).copied().collect()
    }

    fn decay(&mut self, spare_end: bool) {
        // Where the index is gone as well, nobody knows what the journal has lost.
        if self.decays && self.rng.u8(..3) == 0 && !self.memory.borrow().gone {
            let mut platter = self.platter.borrow_mut();
            // A block is many records, and its names are the index's: without one there are only counts.
            let spoils = !self.spoilt && self.memory.borrow().knows_the_end() && self.rng.u8(..3) == 0;
            self.spoilt |= spoils;
            let what = if spoils { platter.spoil() } else { platter.decay(spare_end) };
            drop(platter);
            self.damaged |= what.is_some();
            what.into_iter().for_each(|what| self.note(what));
        }
    }

    /// A fuse has ended the process.
    fn look_for_the_dead(&mut self) {
        if self.platter.borrow().dead {
            self.note("dead");
            self.die(true);
        }
    }

    fn crash(&mut self, fault: Fault) {
        self.note(format!("crash: {fault:?}"));
        if fault == Fault::PowerCut {
            self.platter.borrow_mut().lose_power();
        }
        self.die(fault == Fault::PowerCut);
        // The index is behind: what hits the journal's end now, nobody knows of (decision 11).
        self.decay(true);
    }

    fn die(&mut self, power: bool) {
        self.device = None;
        self.saving = None;
        self.script.clear();
        self.memory.borrow_mut().cut();
        if power {
            let empty = self.rng.u8(..4) == 0;
            self.clocks.reboot(empty);
            // One that nobody writes to isn't hit.
            if self.rng.u8(..10) == 0 && self.memory.borrow().is_written() {
                self.memory.borrow_mut().lose_all();
            }
        }
    }

    /// SIGTERM: what was begun is finished.
    fn stop(&mut self) {
        self.note("stop");
        self.committer_turns();
        let head = self.device.as_ref().map(|device| device.station.head().next);
        if let Some(device) = self.device.take() {
            device.committer.close();
        }
        self.saving = None;
        self.script.clear();
        let is_behind = self.left_out.is_some() && self.left_out == head;
        let spare_end = is_behind || !self.memory.borrow().knows_the_end();
        // A fuse may have ended the stop.
        if !self.platter.borrow().dead {
            self.decay(spare_end);
        }
    }

    // --- The end

    /// Everything is mended, and what waits gets through.
    pub(crate) fn heal(&mut self) {
        self.platter.borrow_mut().fuse = None;
        self.platter.borrow_mut().free = 1 << 30;
        self.platter.borrow_mut().shortage = None;
        (self.memory.borrow_mut().failing, self.memory.borrow_mut().shut) = (false, false);
        (self.net.weather, self.net.poison) = (Weather::Good, false);
        self.script.clear();
        while self.device.is_none() {
            self.start();
        }
        for _ in 0..4000 {
            self.net.arrive_late();
            self.committer_turns();
            self.hear();
            self.send();
            self.pass(Duration::from_secs(5));
            self.check_bounds();
            let device = self.device.as_mut().expect("it runs");
            device.station.send_again(None);
            let idle = device.queue.is_empty() && device.answer.is_none() && device.read.is_none();
            if idle && !device.station.is_saving() && device.station.outbox().entries().next().is_none() {
                // An index that was absent is there again, and says what it knows.
                self.device.take().into_iter().for_each(|device| device.committer.close());
                self.start();
                return self.nothing_is_kept();
            }
        }
        let counts = self.device.as_ref().map(|device| device.station.outbox().counts());
        panic!("what waited never got through: {counts:?}");
    }

    /// Of what is wholly in Odoo, the committer knows nothing any more.
    fn nothing_is_kept(&self) {
        let Some(device) = &self.device else { return };
        let arrived = self.net.book.cases().iter().map(|case| Sequence(case.event.sequence.parse().unwrap()));
        let kept: Vec<_> = arrived.filter(|sequence| device.committer.has(*sequence)).collect();
        assert!(kept.is_empty(), "in Odoo, and still in the ledger: {kept:?}");
    }

    /// How often the agent has started.
    pub(crate) fn starts(&self) -> u32 {
        self.starts
    }

    pub(crate) fn station(&self) -> &Station {
        &self.device.as_ref().expect("it runs").station
    }
}
