//! The only loop. It owns the state, reads the clock once a turn, feeds the domain, and executes what the domain returns.
//!
//! Durable, then beep, then send, then a matching receipt, then release: a report is signed and handed to the store, and
//! only the store's word makes it "saved". While that word is awaited, no further input is looked at: it waits in its
//! bounded channel, so no scan meets a half-finished report and none is dropped.

mod ask;
pub mod enrol;
mod line;
mod scans;
pub mod socket;
pub mod start;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

pub use ask::Ask;
use line::{FromLine, Line};

use crate::config::Config;
use crate::domain::capture::{Capture, Effect, Input};
use crate::domain::catalog::Catalog;
use crate::domain::clock::DeviceClock;
use crate::domain::event::{Event, Report};
use crate::domain::forward::Forwarder;
use crate::domain::id::{ChainHead, Digest, Seed};
use crate::domain::latency::Latency;
use crate::domain::outbox::{Change, Entry, Outbox, State};
use crate::domain::tester::Testers;
use crate::domain::time::Now;
use crate::domain::view::{ScannerView, Snapshot};
use crate::io::photos::Photos;
use crate::io::source::{Back, Inward};
use crate::io::store::{Found, Store, StoreError};
use crate::io::{clock, entropy, notify};
use crate::wire::event_v1::EventV1;
use crate::wire::journal_v1::{EventRecord, Record};
use crate::wire::jws;

/// Bounded like everything: what waits here was typed or scanned by people.
pub const INPUTS: usize = 256;
/// How long a stop may take: to finish a write, and to hear the answer to a request under way.
const DRAIN: Duration = Duration::from_secs(5);
/// Nothing to do still means looking up now and then: timers stop while the device sleeps, boot time doesn't.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The ends of the channels that the loop listens on.
#[derive(Debug)]
pub struct Wires {
    pub inward: mpsc::Receiver<Inward>,
    pub asks: mpsc::Receiver<Ask>,
    pub snapshots: watch::Sender<Arc<Snapshot>>,
    pub stop: CancellationToken,
}

/// Everything that can wake the loop.
enum Wake {
    Inward(Inward),
    Ask(Ask),
    Saved(Result<(), StoreError>),
    Line(FromLine),
    Timer,
    Stop,
}

pub struct Agent {
    capture: Capture,
    outbox: Outbox,
    forwarder: Forwarder,
    clock: DeviceClock,
    head: ChainHead,
    store: Store,
    photos: Photos,
    line: Line,
    boot_id: String,
    damage: Vec<String>,
    scanners: Vec<ScannerView>,
    testers: Testers,
    /// What the readers see of it: they write events down only while somebody looks.
    tested: Arc<AtomicBool>,
    latency: Latency,
    /// The way back to the scanner whose scan is the latest input.
    back: Option<Back>,
    /// When that scan was read, and typed, on the boot clock.
    scanned: Option<(Duration, Option<Duration>)>,
    saving: Option<Saving>,
    /// The committer is gone: nothing can be saved until a new start.
    broken: bool,
    turn: Turn,
    watchdog: notify::Watchdog,
}

/// A report on its way to the disk.
struct Saving {
    entry: Entry,
    done: oneshot::Receiver<Result<(), StoreError>>,
}

/// What the loop read once, for this turn.
#[derive(Clone, Copy)]
struct Turn {
    now: Now,
    random: [u8; 32],
}

impl Turn {
    fn begin() -> io::Result<Turn> {
        Ok(Turn { now: clock::now(), random: entropy::bytes()? })
    }

    fn seed(&self) -> Seed {
        let mut seed = Seed::default();
        seed.copy_from_slice(&self.random[..10]);
        seed
    }

    fn jitter(&self) -> u8 {
        self.random[10]
    }
}

impl Agent {
    /// Puts the agent together from what was found on the disk.
    pub fn new(config: &Config, catalog: Catalog, photos: Photos, store: Store, found: Found) -> io::Result<Agent> {
        for damage in &found.damage {
            tracing::error!(%damage, "damage was found and set aside");
        }
        Ok(Agent {
            capture: Capture::new(catalog, config.policies.clone()),
            outbox: found.outbox,
            forwarder: Forwarder::new(config.retry_max),
            clock: DeviceClock::remembered(found.offset_ms),
            head: found.head,
            line: Line::new(config, photos.clone()),
            store,
            photos,
            boot_id: clock::boot_id(),
            damage: found.damage,
            scanners: Vec::new(),
            testers: Testers::default(),
            tested: Arc::default(),
            latency: Latency::default(),
            back: None,
            scanned: None,
            saving: None,
            broken: false,
            turn: Turn::begin()?,
            watchdog: notify::Watchdog::of_this_process(),
        })
    }

    /// What the page shows before the first turn.
    pub fn snapshot(&self) -> Snapshot {
        let enrolled = self.line.is_enrolled();
        Snapshot {
            testing: self.testers.is_any(self.turn.now),
            tested: self.testers.scans().cloned().collect(),
            ..Snapshot::take(&self.capture, &self.outbox, &self.forwarder, enrolled, self.scanners.clone())
        }
    }

    /// Runs until it is told to stop, then finishes what was begun.
    ///
    /// # Errors
    /// When it can't go on: what is durable is safe, and a new start (systemd's) mends the rest.
    pub async fn run(mut self, mut wires: Wires) -> io::Result<()> {
        let counts = self.outbox.counts();
        tracing::info!(pending = counts.pending, parked = counts.parked, delivered = counts.delivered, "ready");
        notify::ready();
        loop {
            self.send_what_is_due();
            wires.snapshots.send_replace(Arc::new(self.snapshot()));
            let wake = self.next_wake(&mut wires).await;
            self.turn = Turn::begin()?;
            self.watchdog.turned(self.turn.now);
            self.look_for_testers();
            match wake {
                Wake::Stop => break,
                Wake::Timer => {}
                Wake::Inward(Inward::Scan(scanned)) => self.scan(scanned),
                Wake::Inward(Inward::Scanner(view)) => self.scanner_state(view),
                Wake::Inward(Inward::Page(input)) => self.page(input),
                Wake::Inward(Inward::Tester { who, stays }) => drop(self.tester(&who, stays)),
                Wake::Ask(ask) => self.answer(ask),
                Wake::Saved(result) => self.saved(result),
                Wake::Line(from_line) => self.line_said(from_line),
            }
            if self.broken {
                return Err(io::Error::other("the journal's writer stopped; start the agent again"));
            }
        }
        notify::stopping();
        self.drain().await;
        Ok(())
    }

    async fn next_wake(&mut self, wires: &mut Wires) -> Wake {
        let sleep = self.sleep();
        let saving = self.saving.is_some();
        tokio::select! {
            biased;
            () = wires.stop.cancelled() => Wake::Stop,
            result = saved(&mut self.saving), if saving => Wake::Saved(result),
            Some(from_line) = self.line.next() => Wake::Line(from_line),
            Some(ask) = wires.asks.recv() => Wake::Ask(ask),
            Some(inward) = wires.inward.recv(), if !saving => Wake::Inward(inward),
            () = tokio::time::sleep(sleep) => Wake::Timer,
        }
    }

    fn sleep(&self) -> Duration {
        let now = clock::now();
        let due = self.forwarder.poll_timeout(&self.outbox, now).filter(|_| self.line.is_enrolled());
        let until_due = due.map_or(LONGEST_SLEEP, |deadline| deadline.remaining(now));
        let tested = self.testers.until().map_or(LONGEST_SLEEP, |deadline| deadline.remaining(now));
        until_due.min(tested).min(self.watchdog.patience(now).unwrap_or(LONGEST_SLEEP)).min(LONGEST_SLEEP)
    }

    fn input(&mut self, input: Input) {
        let effects = self.capture.handle(input, self.turn.now, &self.turn.seed());
        for effect in effects {
            match effect {
                Effect::Save(report) => self.save(*report),
                Effect::Tell(feedback) => self.told(&feedback),
            }
        }
    }

    /// Gives the report its place in the chain, signs it, and hands it to the store.
    fn save(&mut self, report: Report) {
        match self.seal(report) {
            Ok((entry, jws)) => {
                let record = Record::Event(EventRecord::of(&entry, jws));
                let done = self.store.append(record, Some(entry.clone()));
                self.measure_report(&entry);
                self.saving = Some(Saving { entry, done });
            }
            Err(why) => self.input(Input::NotSaved { why }),
        }
    }

    fn seal(&self, mut report: Report) -> Result<(Entry, String), String> {
        let Some((identity, key)) = self.line.identity() else {
            return Err("this device is not enrolled yet. Ask IT: tallyman enroll --url ... --code ...".to_owned());
        };
        let device = identity.device_id().ok_or("this device's identity is damaged: enrol it again")?;
        if !self.outbox.has_room() {
            return Err("too many reports wait on this device: bring it to a network first".to_owned());
        }
        let now = self.turn.now;
        for scan in &mut report.scans {
            scan.at = self.clock.correct(scan.at);
        }
        let event = Event {
            device,
            place: self.head,
            captured: self.clock.wall(now),
            clock: self.clock.note(&self.boot_id, now),
            report,
        };
        let payload = serde_json::to_vec(&EventV1::from(&event)).map_err(|error| error.to_string())?;
        let jws = key.sign_event(&payload);
        if jws.len() > jws::MAX_BYTES {
            return Err("the report is too large: shorten the note, or send it in two".to_owned());
        }
        let entry = Entry {
            sequence: self.head.next,
            id: event.report.id,
            digest: Digest::of(jws.as_bytes()),
            size: jws.len() as u64,
            kind: event.report.kind,
            subject: event.report.subject(),
            captured: event.captured,
            photos: event.report.photos,
            state: State::FRESH,
        };
        Ok((entry, jws))
    }

    fn saved(&mut self, result: Result<(), StoreError>) {
        let Some(Saving { entry, .. }) = self.saving.take() else { return };
        match result {
            Ok(()) => {
                tracing::info!(id = %entry.id, kind = entry.kind.slug(), sequence = entry.sequence.0, "saved");
                self.head = self.head.after(entry.digest);
                self.outbox.admit(entry, &[]);
                self.forwarder.poke(self.turn.now);
                let waiting = self.outbox.counts().pending;
                self.input(Input::Saved { waiting, online: self.forwarder.is_online() });
            }
            Err(error) => {
                self.broken = matches!(error, StoreError::Stopped);
                self.input(Input::NotSaved { why: error.to_string() });
            }
        }
    }

    fn send_what_is_due(&mut self) {
        if self.line.is_enrolled()
            && let Some(job) = self.forwarder.poll_send(&mut self.outbox, self.turn.now)
        {
            self.line.start(job, &self.outbox, &self.store, self.clock.wall(self.turn.now));
        }
    }

    fn line_said(&mut self, from_line: FromLine) {
        match from_line {
            FromLine::Read(events) => {
                let (readable, unreadable): (Vec<_>, Vec<_>) = events.into_iter().partition(|(_, jws)| jws.is_ok());
                let mut parked = Vec::new();
                for (sequence, error) in unreadable {
                    self.forwarder.leave_out(sequence);
                    let why = error.err().map(|error| error.to_string()).unwrap_or_default();
                    tracing::error!(sequence = sequence.0, why, "an event can't be read back and is parked");
                    parked.extend(self.outbox.park(sequence, "unreadable", &why));
                }
                self.persist(parked);
                let events: Vec<String> = readable.into_iter().filter_map(|(_, jws)| jws.ok()).collect();
                if !events.is_empty() {
                    self.line.send_events(events, self.clock.wall(self.turn.now));
                }
            }
            FromLine::Answer(answer) => {
                let (now, jitter) = (self.turn.now, self.turn.jitter());
                let before = self.forwarder.trouble().cloned();
                let outcome = self.forwarder.handle_reply(answer, &mut self.outbox, now, jitter);
                if before.as_ref() != self.forwarder.trouble() {
                    match self.forwarder.trouble() {
                        Some(trouble) => {
                            tracing::warn!(code = trouble.code(), detail = trouble.detail(), "{trouble}");
                        }
                        None => tracing::info!("Odoo is reached again"),
                    }
                }
                if let Some(server_time) = outcome.server_time
                    && let Some(ms) = self.clock.learn(server_time, now)
                {
                    tracing::info!(offset_ms = ms, "the clock's offset was learnt from the server");
                    drop(self.store.append(Record::Offset { ms }, None));
                }
                self.persist(outcome.changes);
            }
        }
    }

    /// Writes changes of the queue. Nobody waits for them: one that is lost is learnt again from a duplicate's receipt.
    fn persist(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        for change in &changes {
            let entry = match change {
                Change::Delivered { sequence, case, .. } => {
                    tracing::info!(sequence = sequence.0, case = case.as_deref().unwrap_or("-"), "in Odoo");
                    self.outbox.find_sequence(*sequence).cloned()
                }
                Change::Parked { sequence, why } => {
                    tracing::warn!(sequence = sequence.0, code = why.code, "parked: {}", why.message);
                    self.outbox.find_sequence(*sequence).cloned()
                }
                Change::PhotoSent { digest } => {
                    self.forget_photo(*digest);
                    None
                }
                Change::PhotoLost { digest, why } => {
                    tracing::error!(%digest, why, "a photo was given up; its report stands without it");
                    self.set_photo_aside(*digest);
                    None
                }
            };
            drop(self.store.append(Record::from(change), entry));
        }
        self.store.settled(self.outbox.settled_before(self.head.next));
    }

    fn forget_photo(&self, digest: Digest) {
        if !self.outbox.needs_photo(digest) {
            let photos = self.photos.clone();
            tokio::task::spawn_blocking(move || {
                if let Err(error) = photos.remove(digest) {
                    tracing::warn!(%digest, %error, "a photo that is in Odoo could not be deleted here");
                }
            });
        }
    }

    fn set_photo_aside(&self, digest: Digest) {
        let photos = self.photos.clone();
        tokio::task::spawn_blocking(move || match photos.set_aside(digest) {
            Ok(Some(kept)) => tracing::error!(%digest, kept = %kept.display(), "a damaged photo was set aside"),
            Ok(None) => {}
            Err(error) => tracing::warn!(%digest, %error, "a damaged photo could not be set aside"),
        });
    }

    /// Finishes the write under way and hears the answer to a request under way, within bounds.
    async fn drain(mut self) {
        let finish = async {
            if self.saving.is_some() {
                let result = saved(&mut self.saving).await;
                self.saved(result);
            }
            while self.forwarder.is_busy() {
                let Some(from_line) = self.line.next().await else { break };
                self.line_said(from_line);
            }
        };
        if tokio::time::timeout(DRAIN, finish).await.is_err() {
            tracing::warn!("stopped before the server answered; what was under way is sent again next time");
        }
        let counts = self.outbox.counts();
        let store = self.store;
        if tokio::task::spawn_blocking(move || store.close()).await.is_err() {
            tracing::error!("the store did not close in order; its journal is complete all the same");
        }
        tracing::info!(pending = counts.pending, parked = counts.parked, "stopped");
    }
}

async fn saved(saving: &mut Option<Saving>) -> Result<(), StoreError> {
    match saving {
        Some(Saving { done, .. }) => done.await.unwrap_or(Err(StoreError::Stopped)),
        None => std::future::pending().await,
    }
}
