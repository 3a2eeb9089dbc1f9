//! The only loop. It owns the state, reads the clock once a turn, feeds the domain, and executes what the domain returns.
//!
//! Durable, then beep, then send, then a matching receipt, then release: a report is signed and handed to the store, and
//! only the store's word makes it "saved". While that word is awaited, no further input is looked at: it waits in its
//! bounded channel, so no scan meets a half-finished report and none is dropped.

mod ask;
pub mod bench;
pub mod enrol;
pub mod export;
mod hashed;
mod held;
mod line;
mod scans;
pub mod socket;
pub mod start;
pub mod station;
pub mod verify;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

pub use ask::Ask;
use line::{FromLine, Line};

use crate::config::Config;
use crate::domain::capture::Input;
use crate::domain::catalog::Catalog;
use crate::domain::forward::Forwarder;
use crate::domain::id::{Digest, Sequence};
use crate::domain::latency::Latency;
use crate::domain::outbox::Entry;
use crate::domain::room::Room;
use crate::domain::tester::Testers;
use crate::domain::view::{ScannerView, Snapshot};
use crate::io::photos::Photos;
use crate::io::source::{Back, Inward};
use crate::io::store::{Found, Health, Store, StoreError};
use crate::io::{clock, entropy, notify};
use crate::wire::journal_v2::Record;
use station::{Deed, Station, Turn};

/// Bounded like everything: what waits here was typed or scanned by people.
pub const INPUTS: usize = 256;
/// How long a stop may take: to finish a write, and to hear the answer to a request under way.
const DRAIN: Duration = Duration::from_secs(5);
/// Nothing to do still means looking up now and then: timers stop while the device sleeps, boot time doesn't.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// The store takes what waits within a few of the disk's waits.
const UNTIL_ROOM: Duration = Duration::from_millis(10);

/// The ends of the channels that the loop listens on.
#[derive(Debug)]
pub struct Wires {
    pub inward: mpsc::Receiver<Inward>,
    pub asks: mpsc::Receiver<Ask>,
    pub snapshots: watch::Sender<Arc<Snapshot>>,
    /// Counts the changes of the network.
    pub network: watch::Receiver<u64>,
    pub stop: CancellationToken,
}

/// Everything that can wake the loop.
enum Wake {
    Inward(Inward),
    Ask(Ask),
    Saved(Result<(), StoreError>),
    Line(FromLine),
    /// The store is in another state: there is less room, or more, or its thread is gone.
    Store {
        alive: bool,
    },
    /// An interface, an address or a route came or went.
    Network,
    Timer,
    Stop,
}

/// What the store can be told later: nobody stands there and waits for it.
enum Told {
    Note { record: Record, entry: Option<Entry> },
    Settled(Vec<Sequence>),
    ForgetPhoto { record: Record, digest: Digest },
}

pub struct Agent {
    station: Station,
    store: Store,
    health: watch::Receiver<Health>,
    photos: Photos,
    line: Line,
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
    saving: Option<oneshot::Receiver<Result<(), StoreError>>>,
    /// The committer is gone: nothing can be saved until a new start.
    broken: bool,
    /// What the store is still to be told.
    untold: VecDeque<Told>,
    turn: Turn,
    watchdog: notify::Watchdog,
}

fn begin_turn() -> io::Result<Turn> {
    Ok(Turn { now: clock::now(), random: entropy::bytes()? })
}

impl Agent {
    /// Puts the agent together from what was found on the disk.
    pub fn new(config: &Config, catalog: Catalog, photos: Photos, store: Store, found: Found) -> io::Result<Agent> {
        for damage in &found.damage {
            tracing::error!(%damage, "damage was found and set aside");
        }
        let damage = found.damage.clone();
        let forwarder = Forwarder::new(config.retry_max);
        Ok(Agent {
            station: Station::resume(catalog, config.policies.clone(), forwarder, clock::boot_id(), found),
            line: Line::new(config, photos.clone()),
            health: store.health(),
            store,
            photos,
            damage,
            scanners: Vec::new(),
            testers: Testers::default(),
            tested: Arc::default(),
            latency: Latency::default(),
            back: None,
            scanned: None,
            saving: None,
            broken: false,
            untold: VecDeque::new(),
            turn: begin_turn()?,
            watchdog: notify::Watchdog::of_this_process(),
        })
    }

    /// What the page shows before the first turn.
    pub fn snapshot(&self) -> Snapshot {
        let enrolled = self.line.is_enrolled();
        let mut snapshot = Snapshot {
            testing: self.testers.is_any(self.turn.now),
            tested: self.testers.scans().cloned().collect(),
            low_disk: self.health.borrow().room == Room::Low,
            ..Snapshot::take(
                self.station.capture(),
                self.station.outbox(),
                self.station.forwarder(),
                enrolled,
                self.scanners.clone(),
            )
        };
        if let Some(why) = self.line.damage() {
            snapshot.line.trouble = Some(("not_enrolled", why.to_owned()));
        }
        snapshot
    }

    /// Runs until it is told to stop, then finishes what was begun.
    ///
    /// # Errors
    /// When it can't go on: what is durable is safe, and a new start (systemd's) mends the rest.
    pub async fn run(mut self, mut wires: Wires) -> io::Result<()> {
        let counts = self.station.outbox().counts();
        tracing::info!(pending = counts.pending, parked = counts.parked, delivered = counts.delivered, "ready");
        notify::ready();
        loop {
            self.tell_the_store();
            self.send_what_is_due();
            wires.snapshots.send_replace(Arc::new(self.snapshot()));
            let wake = self.next_wake(&mut wires).await;
            self.turn = begin_turn()?;
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
                Wake::Store { alive } => self.broken |= !alive,
                Wake::Network => self.station.network_changed(self.turn.now),
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
            changed = self.health.changed() => Wake::Store { alive: changed.is_ok() },
            Ok(()) = wires.network.changed() => Wake::Network,
            Some(from_line) = self.line.next() => Wake::Line(from_line),
            Some(ask) = wires.asks.recv() => Wake::Ask(ask),
            Some(inward) = wires.inward.recv(), if !saving => Wake::Inward(inward),
            () = tokio::time::sleep(sleep) => Wake::Timer,
        }
    }

    fn sleep(&self) -> Duration {
        let now = clock::now();
        let due = self.station.forwarder().poll_timeout(self.station.outbox(), now).filter(|_| self.line.is_enrolled());
        let until_due = due.map_or(LONGEST_SLEEP, |deadline| deadline.remaining(now));
        let tested = self.testers.until().map_or(LONGEST_SLEEP, |deadline| deadline.remaining(now));
        let untold = if self.untold.is_empty() { LONGEST_SLEEP } else { UNTIL_ROOM };
        until_due.min(tested).min(untold).min(self.watchdog.patience(now).unwrap_or(LONGEST_SLEEP)).min(LONGEST_SLEEP)
    }

    fn input(&mut self, input: Input) {
        self.station.input(input, self.turn, self.line.signer());
        self.execute();
    }

    fn saved(&mut self, result: Result<(), StoreError>) {
        self.saving = None;
        self.broken |= matches!(result, Err(StoreError::Stopped));
        self.station.saved(result, self.turn);
        self.execute();
    }

    fn send_what_is_due(&mut self) {
        if self.line.is_enrolled() {
            self.station.send_what_is_due(self.turn.now);
            self.execute();
        }
    }

    fn line_said(&mut self, from_line: FromLine) {
        match from_line {
            FromLine::Read(events) => self.station.read(events, self.turn),
            FromLine::Answer(answer) => self.station.answered(answer, self.turn),
        }
        self.execute();
    }

    /// Does what the station decided.
    fn execute(&mut self) {
        for deed in self.station.take_deeds() {
            match deed {
                Deed::Save { record, entry } => {
                    self.measure_report(&entry);
                    self.saving = Some(self.store.append(record, Some(entry)));
                }
                Deed::Note { record, entry } => self.untold.push_back(Told::Note { record, entry }),
                Deed::Settled(sequences) => self.untold.push_back(Told::Settled(sequences)),
                Deed::ForgetPhoto { record, digest } => self.untold.push_back(Told::ForgetPhoto { record, digest }),
                Deed::Tell(feedback) => self.told(&feedback),
                Deed::Read(sequences) => self.line.read(&self.store, sequences),
                Deed::Send { events, wall } => self.line.send_events(events, wall),
                Deed::Upload { piece, wall } => self.line.upload(piece, self.station.outbox(), wall),
                Deed::SetPhotoAside(digest) => self.set_photo_aside(digest),
            }
        }
        self.tell_the_store();
    }

    /// In order, as far as there is room: a thousand parked reports may be sent again at once.
    fn tell_the_store(&mut self) {
        while self.store.has_room()
            && let Some(told) = self.untold.pop_front()
        {
            match told {
                Told::Note { record, entry } => drop(self.store.append(record, entry)),
                Told::Settled(sequences) => self.store.settled(sequences),
                Told::ForgetPhoto { record, digest } => self.forget_photo(record, digest),
            }
        }
    }

    fn forget_photo(&self, record: Record, digest: Digest) {
        let (durable, photos) = (self.store.append(record, None), self.photos.clone());
        tokio::spawn(async move {
            if let Ok(Ok(())) = durable.await
                && let Ok(Err(error)) = tokio::task::spawn_blocking(move || photos.remove(digest)).await
            {
                tracing::warn!(%digest, %error, "a photo that is in Odoo could not be deleted here");
            }
        });
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
            while self.station.forwarder().is_busy() {
                let Some(from_line) = self.line.next().await else { break };
                self.line_said(from_line);
            }
            while !self.untold.is_empty() {
                tokio::time::sleep(UNTIL_ROOM).await;
                self.tell_the_store();
            }
        };
        if tokio::time::timeout(DRAIN, finish).await.is_err() {
            tracing::warn!("stopped before the server answered; what was under way is sent again next time");
        }
        let counts = self.station.outbox().counts();
        let store = self.store;
        if tokio::task::spawn_blocking(move || store.close()).await.is_err() {
            tracing::error!("the store did not close in order; its journal is complete all the same");
        }
        tracing::info!(pending = counts.pending, parked = counts.parked, "stopped");
    }
}

async fn saved(saving: &mut Option<oneshot::Receiver<Result<(), StoreError>>>) -> Result<(), StoreError> {
    match saving {
        Some(done) => done.await.unwrap_or(Err(StoreError::Stopped)),
        None => std::future::pending().await,
    }
}
