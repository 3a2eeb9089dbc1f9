//! One device, its people, its disk, its network and its Odoo, in simulated time. Everything happens by one seed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tallyman::agent::station::{Deed, Signer, Station, Turn};
use tallyman::domain::capture::{Feedback, Input};
use tallyman::domain::decode::{RawScan, decode};
use tallyman::domain::event::{MediaType, Photo};
use tallyman::domain::forward::{Answer, Forwarder};
use tallyman::domain::id::{DeviceId, Digest, Sequence};
use tallyman::domain::outbox::Entry;
use tallyman::domain::policy::Policies;
use tallyman::domain::time::{Now, Wall};
use tallyman::io::keys::DeviceKey;
use tallyman::io::store::{Append, Committer, StoreError};
use tokio::sync::oneshot;

use crate::disk::{Fault, Platter, SimDisk};
use crate::index::{Memory, SimIndex};
use crate::net::{BAD, Net, Weather};

/// Some ten reports: many rotations in a short life.
pub(crate) const SEGMENT: u64 = 16 << 10;
/// What opening the index takes.
const INDEX: u64 = 4 << 20;
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// What is written down of a life, to be shown when it goes wrong.
const TRACE: usize = 60;
/// A seed with this bit is of a life whose disk decays.
pub(crate) const DECAYS: u64 = 1 << 40;

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
    truth: i64,
    boot: Duration,
    boots: u32,
    /// What the device's wall clock is off by.
    off: i64,
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
    /// Reports that a start missed and said so, of which the list may not know.
    told: BTreeSet<u64>,
    /// The disk can no longer read some block; more than one of them, and nobody could tell what stood there.
    spoilt: bool,
    /// Where the chain went on when numbers were left out: until something is saved there, one header alone says so.
    left_out: Option<Sequence>,
}

impl<'a> World<'a> {
    pub(crate) fn new(seed: u64, fixtures: &'a Fixtures, net: Net) -> World<'a> {
        World {
            fixtures,
            calm: fastrand::Rng::with_seed(!seed).u16(..40),
            rng: fastrand::Rng::with_seed(seed),
            truth: 1_795_400_000_000,
            boot: Duration::from_secs(20),
            boots: 1,
            off: 0,
            platter: Rc::new(RefCell::new(Platter::new(seed))),
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
        Turn { now: Now { boot: self.boot, wall: Wall(self.truth + self.off) }, random }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.truth += i64::try_from(time.as_millis()).unwrap();
        self.boot += time;
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
                4 => self.off = self.rng.i64(-100_000_000..100_000_000),
                _ => self.break_something(),
            },
            _ => {}
        }
        self.look_for_the_dead();
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
        self.boots += 1;
        let boot_id = format!("boot-{}", self.boots);
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
            if !safe {
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
            self.boot = Duration::from_secs(20);
            if self.rng.u8(..4) == 0 {
                // The clock's battery is empty as well.
                self.off = -self.truth;
            }
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

    // --- The shell: what an agent's tasks do around the station

    fn person(&mut self) {
        let turn = self.turn();
        let Some(device) = &mut self.device else { return };
        if device.station.is_saving() {
            return;
        }
        let Some(hand) = self.script.pop_front() else {
            return self.begin_report();
        };
        let input = match hand {
            Hand::Scan(code) => Input::Scan(decode(RawScan::new("gun", code.as_bytes(), turn.now))),
            Hand::Photo => {
                let bytes: Vec<u8> = std::iter::repeat_with(|| self.rng.u8(..)).take(300).collect();
                let digest = Digest::of(&bytes);
                self.photos.insert(digest, bytes);
                Input::Photo(Photo { digest, size: 300, media_type: MediaType::Jpeg })
            }
        };
        let signer = Signer { device: self.fixtures.device, key: &self.fixtures.key };
        device.station.input(input, turn, Some(signer));
        self.execute();
        // Slower than the cooldown, as a hand is.
        self.pass(Duration::from_secs(2));
    }

    fn begin_report(&mut self) {
        let place = self.rng.u8(1..5);
        let codes = ["EMP-7".to_owned(), format!("WH/OUT/{place}"), format!("LOC-{place}"), "TM-EMPTY".to_owned()];
        self.script.extend(codes.into_iter().map(Hand::Scan));
        let photos = self.rng.u8(..4).saturating_sub(1);
        self.script.extend((0..photos).map(|_| Hand::Photo));
        self.script.push_back(Hand::Scan("TM-DONE".to_owned()));
    }

    fn committer_turns(&mut self) {
        let Some(device) = &mut self.device else { return };
        let mut group = Vec::new();
        while let Some(request) = device.queue.pop_front() {
            match request {
                Request::Append(append) => group.push(append),
                Request::Read(sequences) => {
                    device.committer.commit(&mut group);
                    let read = sequences.into_iter().map(|sequence| (sequence, device.committer.read(sequence)));
                    device.read = Some(read.collect());
                }
                Request::Settled(sequences) => {
                    device.committer.commit(&mut group);
                    device.committer.settled(&sequences);
                }
            }
        }
        device.committer.commit(&mut group);
        let photos = &mut self.photos;
        device.forgetting.retain_mut(|(digest, durable)| match durable.try_recv() {
            Err(oneshot::error::TryRecvError::Empty) => true,
            Ok(Ok(())) => {
                photos.remove(digest);
                false
            }
            Ok(Err(_)) | Err(oneshot::error::TryRecvError::Closed) => false,
        });
    }

    /// The loop hears one of those that have something to say.
    fn hear(&mut self) {
        let turn = self.turn();
        let Some(device) = &mut self.device else { return };
        if let Some(result) = device.saved.as_mut().and_then(|saved| saved.try_recv().ok()) {
            device.saved = None;
            device.station.saved(result, turn);
        } else if let Some(read) = device.read.take() {
            device.station.read(read, turn);
        } else if let Some(answer) = device.answer.take() {
            device.station.answered(answer, turn);
        }
        self.execute();
    }

    fn send(&mut self) {
        let now = self.turn().now;
        if let Some(device) = &mut self.device {
            device.station.send_what_is_due(now);
            self.execute();
        }
    }

    fn execute(&mut self) {
        let Some(device) = &mut self.device else { return };
        for deed in device.station.take_deeds() {
            match deed {
                Deed::Save { record, entry } => {
                    let (done, wait) = oneshot::channel();
                    self.saving = Some(entry.clone());
                    device.queue.push_back(Request::Append(Append { record, entry: Some(Box::new(entry)), done }));
                    device.saved = Some(wait);
                }
                Deed::Note { record, entry } => {
                    let (done, _) = oneshot::channel();
                    device.queue.push_back(Request::Append(Append { record, entry: entry.map(Box::new), done }));
                }
                Deed::Settled(sequences) => device.queue.push_back(Request::Settled(sequences)),
                Deed::ForgetPhoto { record, digest } => {
                    let there = self.net.book.photo(&digest.to_string()).is_some_and(|photo| photo.complete);
                    assert!(there, "a photo is to be let go that isn't in Odoo");
                    let (done, wait) = oneshot::channel();
                    device.queue.push_back(Request::Append(Append { record, entry: None, done }));
                    device.forgetting.push((digest, wait));
                }
                Deed::Tell(Feedback::Saved { .. }) => {
                    let entry = self.saving.take().expect("a beep for nothing");
                    self.beeped.push(entry);
                }
                Deed::Tell(Feedback::Refused { .. }) => {
                    self.refused.extend(self.saving.take().map(|entry| entry.digest))
                }
                Deed::Tell(_) => {}
                Deed::Read(sequences) => device.queue.push_back(Request::Read(sequences)),
                Deed::Send { events, wall } => {
                    device.answer = Some(self.net.send(&events, wall, Wall(self.truth), &mut self.rng));
                }
                Deed::Upload { piece, .. } => {
                    let gone = || Answer::PhotoLost { why: "its file is gone".to_owned() };
                    let answer = self.photos.get(&piece.digest).map(|bytes| self.net.upload(piece, bytes));
                    // Damage may have taken the record that it is in Odoo.
                    assert!(answer.is_some() || self.damaged, "a photo that a report names is gone");
                    device.answer = Some(answer.unwrap_or_else(gone));
                }
                Deed::SetPhotoAside(digest) => {
                    assert!(self.damaged, "{digest} was given up, and nothing is wrong with it")
                }
            }
        }
    }

    // --- The end

    /// Everything is mended, and what waits gets through.
    pub(crate) fn heal(&mut self) {
        self.platter.borrow_mut().fuse = None;
        self.platter.borrow_mut().free = 1 << 30;
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
            let device = self.device.as_mut().expect("it runs");
            device.station.send_again(None);
            let idle = device.queue.is_empty() && device.answer.is_none() && device.read.is_none();
            if idle && !device.station.is_saving() && device.station.outbox().entries().next().is_none() {
                // An index that was absent is there again, and says what it knows.
                self.device.take().into_iter().for_each(|device| device.committer.close());
                return self.start();
            }
        }
        let counts = self.device.as_ref().map(|device| device.station.outbox().counts());
        panic!("what waited never got through: {counts:?}");
    }

    /// How often the agent has started.
    pub(crate) fn starts(&self) -> u32 {
        self.boots - 1
    }

    pub(crate) fn station(&self) -> &Station {
        &self.device.as_ref().expect("it runs").station
    }
}
