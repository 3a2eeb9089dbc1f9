//! Questions of the command line, answered from the one state.

use tokio::sync::oneshot;

use super::Agent;
use super::export::{Events, Waiting};
use crate::domain::bundle;
use crate::domain::id::{Digest, EventId, Sequence};
use crate::domain::outbox::Entry;
use crate::domain::view::Row;
use crate::io::durable;
use crate::wire::local_v1::{DetailV1, RetryV1, RoadV1, RowV1, StatusV1};
use crate::wire::{event_v1::EventV1, jws};

/// How many delivered reports `queue list --all` shows.
const HISTORY: usize = 1000;

#[derive(Debug)]
pub enum Ask {
    Status {
        reply: oneshot::Sender<StatusV1>,
    },
    List {
        all: bool,
        reply: oneshot::Sender<Vec<RowV1>>,
    },
    /// By event id or by sequence.
    Show {
        which: String,
        reply: oneshot::Sender<Option<DetailV1>>,
    },
    /// Send parked reports again: one, by event id or by sequence, or all.
    Retry {
        which: Option<String>,
        reply: oneshot::Sender<RetryV1>,
    },
    /// Somebody has seen to what damage took: one report, by event id or by sequence, or all.
    Dismiss {
        which: Option<String>,
        reply: oneshot::Sender<usize>,
    },
    /// Somebody tests the scanners, or (`stays` false) no longer does. Answers with the number of the last scan shown, or
    /// `None` when too many test at once.
    Tester {
        who: String,
        stays: bool,
        reply: oneshot::Sender<Option<u64>>,
    },
    /// What a bundle would hold.
    Unsent {
        reply: oneshot::Sender<Waiting>,
    },
    /// The JWS of those that are still here: what Odoo has got meanwhile is left out.
    Events {
        sequences: Vec<Sequence>,
        reply: oneshot::Sender<Events>,
    },
    /// Whether a photo may still have to be sent.
    NeedsPhoto {
        digest: Digest,
        reply: oneshot::Sender<bool>,
    },
    /// Enrolment is done: read the identity again.
    Reload {
        reply: oneshot::Sender<Result<bool, String>>,
    },
}

impl Agent {
    pub(super) fn answer(&mut self, ask: Ask) {
        // An asker that went away needs no answer.
        match ask {
            Ask::Status { reply } => {
                let _ = reply.send(self.status());
            }
            Ask::List { all, reply } => self.list(all, reply),
            Ask::Show { which, reply } => self.show(&which, reply),
            Ask::Tester { who, stays, reply } => {
                let room = self.tester(&who, stays);
                let last = self.testers.scans().last().map_or(0, |tested| tested.number);
                let _ = reply.send(room.then_some(last));
            }
            Ask::Retry { which, reply } => {
                let _ = reply.send(self.retry(which.as_deref()));
            }
            Ask::Dismiss { which, reply } => {
                let dismissed = self.store.dismiss(which);
                tokio::spawn(async move { dismissed.await.map(|count| reply.send(count)) });
            }
            Ask::Unsent { reply } => {
                let (unsent, now) = (bundle::unsent(self.station.outbox()), self.station.wall(self.turn.now));
                let _ = reply.send(Waiting { unsent, now, folder: self.line.folder().to_owned() });
            }
            Ask::Events { mut sequences, reply } => {
                sequences.retain(|sequence| self.station.outbox().get(*sequence).is_some());
                let read = self.store.read(sequences);
                tokio::spawn(async move { read.await.map(|events| reply.send(events)) });
            }
            Ask::NeedsPhoto { digest, reply } => {
                let _ = reply.send(self.station.outbox().needs_photo(digest));
            }
            Ask::Reload { reply } => {
                let reloaded = self.line.reload();
                if reloaded == Ok(true) {
                    self.station.enrolled();
                }
                let _ = reply.send(reloaded);
            }
        }
    }

    fn status(&self) -> StatusV1 {
        let folder = self.line.folder();
        let kept =
            [folder.to_owned(), folder.join("journal")].into_iter().flat_map(|folder| durable::quarantined(&folder));
        let mut damage = self.damage.clone();
        damage.extend(self.health.borrow().damage.iter().cloned());
        damage.extend(kept.map(|path| path.display().to_string()));
        let forwarder = self.station.forwarder();
        let next_try =
            forwarder.poll_timeout(self.station.outbox(), self.turn.now).map(|at| at.remaining(self.turn.now));
        let road = RoadV1::of(forwarder.circuit(), next_try.filter(|_| self.line.is_enrolled()));
        let lost = self.health.borrow().lost;
        StatusV1 { lost, ..StatusV1::of(&self.snapshot(), road, &self.latency, damage) }
    }

    fn list(&self, all: bool, reply: oneshot::Sender<Vec<RowV1>>) {
        let here: Vec<Row> = self.station.outbox().entries().map(Row::of).collect();
        let earlier = all.then(|| self.store.delivered(HISTORY));
        tokio::spawn(async move {
            let mut rows: Vec<Row> = match earlier {
                Some(wait) => wait.await.unwrap_or_default(),
                None => Vec::new(),
            };
            // What is here comes in the order of its sequence.
            rows.retain(|row| here.binary_search_by_key(&row.sequence, |known| known.sequence).is_err());
            rows.extend(here);
            rows.sort_by_key(|row| row.sequence);
            let _ = reply.send(rows.iter().map(RowV1::from).collect());
        });
    }

    /// By event id or by sequence.
    fn find(&self, which: &str) -> Option<&Entry> {
        let by_id = EventId::parse(which).and_then(|id| self.station.outbox().find(id));
        by_id.or_else(|| which.parse().ok().and_then(|n| self.station.outbox().find_sequence(Sequence(n))))
    }

    fn retry(&mut self, which: Option<&str>) -> RetryV1 {
        let parked = self.station.outbox().counts().parked;
        let (wanted, state) = match which.map(|which| self.find(which)) {
            None => (None, None),
            Some(Some(entry)) => (Some(entry.sequence), Some(entry.state.name().to_owned())),
            Some(None) => return RetryV1 { known: false, state: None, again: 0, parked },
        };
        let again = self.station.send_again(wanted);
        self.execute();
        RetryV1 { known: true, state, again, parked: self.station.outbox().counts().parked }
    }

    fn show(&self, which: &str, reply: oneshot::Sender<Option<DetailV1>>) {
        let Some(entry) = self.find(which) else {
            let _ = reply.send(None);
            return;
        };
        let (row, digest) = (RowV1::from(&Row::of(entry)), entry.digest.to_string());
        let read = self.store.read(vec![entry.sequence]);
        tokio::spawn(async move {
            let text = read.await.ok().and_then(|mut events| events.pop()).and_then(|(_, jws)| jws.ok());
            let payload = text.as_deref().and_then(jws::payload);
            let event = payload.and_then(|payload| serde_json::from_slice::<EventV1>(&payload).ok());
            let event = event.and_then(|event| serde_json::to_value(event).ok());
            let _ = reply.send(Some(DetailV1 { row, digest, event, jws: text }));
        });
    }
}
