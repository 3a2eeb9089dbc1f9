//! The running agent's export: a thread of its own asks the loop for what it needs, a few events at a time.

use std::io;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use super::{Events, ExportError, Source, write};
use crate::agent::Ask;
use crate::domain::id::{Digest, Sequence};
use crate::wire::export_v1::{Message, Piece};

/// Pieces that wait for the command line to write them.
const QUEUE: usize = 16;
/// A disk that is busy gets so many chances, so far apart.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// One at a time: a second one would only make both slow.
static EXPORTING: Semaphore = Semaphore::const_new(1);

/// What is not in Odoo, as encoded pieces. It ends by itself when nobody listens any more, or when the agent stops.
pub fn stream(asks: mpsc::Sender<Ask>, split: Option<u64>) -> ReceiverStream<io::Result<Vec<u8>>> {
    let (pieces, stream) = mpsc::channel(QUEUE);
    tokio::task::spawn_blocking(move || {
        let send = |piece: Piece| {
            pieces.blocking_send(Ok(piece.encode())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
        };
        if let Err(error) = export(asks, split, &mut { send }) {
            tracing::warn!(%error, "an export ended early");
            let _ = send(Piece::Message(Message::Failed(error.to_string())));
        }
    });
    ReceiverStream::new(stream)
}

fn export(
    asks: mpsc::Sender<Ask>,
    split: Option<u64>,
    sink: &mut dyn FnMut(Piece) -> io::Result<()>,
) -> Result<(), ExportError> {
    let _alone = EXPORTING.try_acquire().map_err(|_| ExportError::Busy)?;
    let mut source = Running { asks };
    let waiting = source.ask(|reply| Ask::Unsent { reply })?;
    tracing::info!(reports = waiting.unsent.len(), "an export begins");
    write(&waiting, split, &mut source, sink)
}

struct Running {
    asks: mpsc::Sender<Ask>,
}

impl Running {
    fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, ExportError> {
        self.try_ask(question)?.ok_or(ExportError::AgentStopped)
    }

    /// `None` when the question was taken and not answered.
    fn try_ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<Option<T>, ExportError> {
        let (reply, answer) = oneshot::channel();
        self.asks.blocking_send(question(reply)).map_err(|_| ExportError::AgentStopped)?;
        Ok(answer.blocking_recv().ok())
    }
}

impl Source for Running {
    fn events(&mut self, sequences: &[Sequence]) -> Result<Events, ExportError> {
        for _ in 0..TRIES {
            let sequences = sequences.to_vec();
            if let Some(events) = self.try_ask(|reply| Ask::Events { sequences, reply })? {
                return Ok(events);
            }
            std::thread::sleep(PAUSE);
        }
        Err(ExportError::AgentStopped)
    }

    fn needs_photo(&mut self, digest: Digest) -> bool {
        self.ask(|reply| Ask::NeedsPhoto { digest, reply }).unwrap_or(true)
    }
}
