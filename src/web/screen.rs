//! Turns snapshots into frames, once for all who watch, and remembers the refusal that nobody has read yet: the
//! snapshot forgets it with the next input, the screen must not.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::view::{self, Refusal};
use crate::domain::capture::Feedback;
use crate::domain::view::Snapshot;

/// What stands inside `<main>`, as HTML and as the JSON string that is pushed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) html: String,
    pub(super) json: String,
}

#[derive(Debug)]
pub(super) struct Screen {
    snapshot: Arc<Snapshot>,
    /// The number of the last feedback that was looked at.
    seen: u64,
    refusal: Option<Refusal>,
}

impl Screen {
    pub(super) fn new(snapshots: &watch::Receiver<Arc<Snapshot>>) -> Screen {
        Screen { snapshot: snapshots.borrow().clone(), seen: 0, refusal: None }.looked()
    }

    pub(super) fn frame(&self) -> Arc<Frame> {
        let html = view::main(&self.snapshot, self.refusal.as_ref()).into_string();
        let json = serde_json::Value::String(html.clone()).to_string();
        Arc::new(Frame { html, json })
    }

    /// Renders until `stop`, or until the loop or the page is gone.
    pub(super) async fn run(
        mut self,
        mut snapshots: watch::Receiver<Arc<Snapshot>>,
        mut acks: mpsc::Receiver<u64>,
        show: watch::Sender<Arc<Frame>>,
        stop: CancellationToken,
    ) {
        loop {
            let frame = self.frame();
            show.send_if_modified(|shown| {
                let differs = *shown != frame;
                *shown = frame;
                differs
            });
            tokio::select! {
                () = stop.cancelled() => return,
                changed = snapshots.changed() => match changed {
                    Ok(()) => self = self.shows(snapshots.borrow_and_update().clone()),
                    Err(_) => return,
                },
                Some(number) = acks.recv() => self.acknowledge(number),
            }
        }
    }

    pub(super) fn shows(mut self, snapshot: Arc<Snapshot>) -> Screen {
        self.snapshot = snapshot;
        self.looked()
    }

    pub(super) fn acknowledge(&mut self, number: u64) {
        self.refusal = self.refusal.take().filter(|refusal| refusal.number > number);
    }

    fn looked(mut self) -> Screen {
        let number = self.snapshot.feedback_number;
        if number != self.seen
            && let Some(Feedback::Refused { why }) = &self.snapshot.feedback
        {
            self.refusal = Some(Refusal { number, why: why.clone() });
        }
        self.seen = number;
        self
    }
}
