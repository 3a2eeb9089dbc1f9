//! The store: one thread, the committer, that owns the journal and the index.
//!
//! Requests queue in a bounded channel. Up to 256 appends share one write and one fdatasync; their promises are kept
//! before the index hears of them, because the index can be rebuilt and a promise can't.

mod committer;
mod ledger;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

pub use committer::{Append, Committer, Found, Health};

use super::durable;
use super::index::{Index, SledIndex};
use super::journal::{Disk, Folder, SEGMENT_BYTES, is_bad_block};
use crate::domain::id::Sequence;
use crate::domain::outbox::Entry;
use crate::domain::room::Room;
use crate::domain::view::Row;
use crate::wire::journal_v2::Record;

/// How many requests may wait. The loop makes them at a person's speed, so a full queue means a dead disk.
const QUEUE: usize = 256;
const GROUP: usize = 256;
/// How often the disk's room is looked at when there is nothing to do: other programs fill disks, too.
const LOOK: Duration = Duration::from_secs(30);
const LOOK_WHEN_LOW: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("the device's disk refused the write ({0}). Nothing that was saved is lost")]
    Disk(String),
    #[error(
        "the device's disk is almost full. Nothing that was saved is lost, nothing new is saved: bring the device to a \
         network so that it can send what it has, or free some space"
    )]
    Full,
    #[error("the disk does not keep up: {QUEUE} writes are waiting")]
    Busy,
    #[error("the store has stopped")]
    Stopped,
    /// What was saved can't be read back and never will be, where any other error may pass.
    #[error("its bytes on this device's disk are damaged or gone ({0})")]
    Unreadable(String),
    /// A block can't be read. Mostly for good, but a card with a loose contact says the same for some seconds.
    #[error("a block of this device's disk can't be read ({0})")]
    BadBlock(String),
}

impl StoreError {
    /// Why something that was saved can't be read.
    fn of_read(error: &io::Error) -> StoreError {
        let gone = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof, io::ErrorKind::NotFound];
        if gone.contains(&error.kind()) {
            StoreError::Unreadable(error.to_string())
        } else if is_bad_block(error) {
            StoreError::BadBlock(error.to_string())
        } else {
            StoreError::of(error)
        }
    }

    fn of(error: &io::Error) -> StoreError {
        if durable::is_full(error) { StoreError::Full } else { StoreError::Disk(error.to_string()) }
    }
}

enum Request {
    Append(Append),
    Read {
        sequences: Vec<Sequence>,
        reply: oneshot::Sender<Vec<(Sequence, Result<String, StoreError>)>>,
    },
    Delivered {
        most: usize,
        reply: oneshot::Sender<Vec<Row>>,
    },
    /// Somebody has seen to lost reports: this one, by its sequence or id, or all.
    Dismiss {
        which: Option<String>,
        reply: oneshot::Sender<usize>,
    },
    /// These events are wholly in Odoo.
    Settled(Vec<Sequence>),
}

/// A handle to the committer. Dropping it lets the committer finish what it has and stop.
#[derive(Debug)]
pub struct Store {
    requests: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
    /// Requests that the committer hasn't taken yet.
    waiting: Arc<AtomicUsize>,
    health: watch::Receiver<Health>,
}

impl Store {
    /// Opens journal and index below `folder`, brings them together, and starts the committer.
    pub fn open(folder: &Path) -> io::Result<(Store, Found)> {
        durable::create_folder(folder)?;
        let mut disk = Folder::open(&folder.join("journal"))?;
        if Room::default().judge(disk.free()?) == Room::Low {
            // What follows may need it.
            disk.hold_ballast(false)?;
        }
        let (index, set_aside) = SledIndex::open(folder)?;
        let words =
            |kept: std::path::PathBuf| format!("the index was damaged and rebuilt; the old one is {}", kept.display());
        let damage = set_aside.map(words).into_iter().collect();
        let (committer, found) = Committer::open(disk, SEGMENT_BYTES, index, damage)?;
        let (requests, queue) = sync_channel(QUEUE);
        let (tell, health) = watch::channel(committer.health().clone());
        let waiting = Arc::new(AtomicUsize::new(0));
        let queue = Queue { requests: queue, waiting: waiting.clone() };
        let thread =
            std::thread::Builder::new().name("committer".to_owned()).spawn(move || run(committer, &queue, &tell))?;
        Ok((Store { requests: Some(requests), thread: Some(thread), waiting, health }, found))
    }

    /// True while at least half of its queue is free. What can wait should wait for that: the rest is for people who stand there.
    pub fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < QUEUE / 2
    }

    /// How the store is, as it changes.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Makes a record durable; with it the index learns the state of `entry`. The answer comes when the disk has it.
    pub fn append(&self, record: Record, entry: Option<Entry>) -> oneshot::Receiver<Result<(), StoreError>> {
        let (done, wait) = oneshot::channel();
        self.send(Request::Append(Append { record, entry: entry.map(Box::new), done }), |request, why| {
            if let Request::Append(Append { done, .. }) = request {
                let _ = done.send(Err(why));
            }
        });
        wait
    }

    /// Reads the JWS of events back.
    pub fn read(&self, sequences: Vec<Sequence>) -> oneshot::Receiver<Vec<(Sequence, Result<String, StoreError>)>> {
        let (reply, wait) = oneshot::channel();
        self.send(Request::Read { sequences, reply }, |_, _| {});
        wait
    }

    /// Delivered reports, newest first, those of earlier runs included; behind them those that damage took.
    pub fn delivered(&self, most: usize) -> oneshot::Receiver<Vec<Row>> {
        let (reply, wait) = oneshot::channel();
        self.send(Request::Delivered { most, reply }, |_, _| {});
        wait
    }

    /// Takes lost reports from the list, for good: this one, by its sequence or id, or all. Answers how many.
    pub fn dismiss(&self, which: Option<String>) -> oneshot::Receiver<usize> {
        let (reply, wait) = oneshot::channel();
        self.send(Request::Dismiss { which, reply }, |_, _| {});
        wait
    }

    /// Lets the journal forget what is wholly in Odoo. Should the queue be full, the next start finds it out.
    pub fn settled(&self, sequences: Vec<Sequence>) {
        if !sequences.is_empty() {
            self.send(Request::Settled(sequences), |_, _| {});
        }
    }

    /// Finishes what was asked and stops. Blocks.
    pub fn close(mut self) {
        self.stop();
    }

    fn send(&self, request: Request, failed: impl FnOnce(Request, StoreError)) {
        let Some(requests) = &self.requests else { return };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let Err(refused) = requests.try_send(request) else { return };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        match refused {
            TrySendError::Full(request) => failed(request, StoreError::Busy),
            TrySendError::Disconnected(request) => failed(request, StoreError::Stopped),
        }
    }

    fn stop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the committer was logged by its own hook; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the committer is asked.
struct Queue {
    requests: Receiver<Request>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    fn wait(&self, patience: Duration) -> Result<Request, RecvTimeoutError> {
        self.requests.recv_timeout(patience).inspect(|_| self.took_one())
    }

    fn next(&self) -> Option<Request> {
        self.requests.try_recv().ok().inspect(|_| self.took_one())
    }

    fn took_one(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn run<D: Disk, I: Index>(mut committer: Committer<D, I>, queue: &Queue, health: &watch::Sender<Health>) {
    let mut group = Vec::with_capacity(GROUP);
    loop {
        let patience = if committer.health().room == Room::Low { LOOK_WHEN_LOW } else { LOOK };
        let mut next = match queue.wait(patience) {
            Ok(first) => Some(first),
            Err(RecvTimeoutError::Timeout) => {
                committer.look_at_room();
                None
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        while let Some(request) = next.take() {
            match request {
                Request::Append(append) => group.push(append),
                question @ (Request::Read { .. }
                | Request::Delivered { .. }
                | Request::Dismiss { .. }
                | Request::Settled { .. }) => {
                    committer.commit(&mut group);
                    serve(&mut committer, question);
                }
            }
            if group.len() < GROUP {
                next = queue.next();
            }
        }
        committer.commit(&mut group);
        health.send_if_modified(|known| {
            let changed = known != committer.health();
            if changed {
                known.clone_from(committer.health());
            }
            changed
        });
    }
    committer.close();
}

fn serve<D: Disk, I: Index>(committer: &mut Committer<D, I>, request: Request) {
    match request {
        Request::Append(_) => {}
        Request::Read { sequences, reply } => {
            let read = sequences.into_iter().map(|sequence| (sequence, committer.read(sequence))).collect();
            let _ = reply.send(read);
        }
        Request::Delivered { most, reply } => {
            let _ = reply.send(committer.delivered(most));
        }
        Request::Dismiss { which, reply } => {
            // No answer says that it can't be done now.
            committer.dismiss(which.as_deref()).map(|count| reply.send(count));
        }
        Request::Settled(sequences) => committer.settled(&sequences),
    }
}

#[cfg(test)]
mod tests;
