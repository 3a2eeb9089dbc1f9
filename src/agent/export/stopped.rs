//! A stopped agent's export: its journal is read as the agent would read it at its start, and nothing is written.

use std::io;
use std::path::Path;

use super::{Events, ExportError, Source, Waiting, write};
use crate::agent::held::{Held, hold};
use crate::domain::bundle;
use crate::domain::clock::DeviceClock;
use crate::domain::id::{Digest, Sequence};
use crate::io::clock;
use crate::io::index::NoIndex;
use crate::io::journal::{Peek, SEGMENT_BYTES};
use crate::io::store::Committer;
use crate::wire::export_v1::{Message, Piece};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    Done,
    /// An agent runs here: ask that one.
    AgentRuns,
}

/// Hands the export of a stopped agent's folder to `sink`. No agent can start meanwhile.
pub fn from_disk(
    folder: &Path,
    split: Option<u64>,
    sink: &mut dyn FnMut(Piece) -> io::Result<()>,
) -> Result<Exported, ExportError> {
    let in_folder = |source| ExportError::Folder { folder: folder.to_owned(), source };
    let Held::ByUs { _lock } = hold(folder).map_err(in_folder)? else { return Ok(Exported::AgentRuns) };
    let journal = folder.join("journal");
    if !journal.try_exists().map_err(in_folder)? {
        return Err(ExportError::NotEnrolled);
    }
    let opened = Committer::open(Peek::at(&journal), SEGMENT_BYTES, NoIndex, Vec::new());
    let (committer, found) = opened.map_err(in_folder)?;
    let now = DeviceClock::remembered(found.offset, clock::boot_id()).wall(clock::now());
    let waiting = Waiting { unsent: bundle::unsent(&found.outbox), now, folder: folder.to_owned() };
    let mut damage = found.damage;
    let mut told = |piece: Piece| {
        let planned = matches!(piece, Piece::Message(Message::Plan(_)));
        sink(piece)?;
        let damage = if planned { std::mem::take(&mut damage) } else { Vec::new() };
        damage.into_iter().try_for_each(|words| sink(Piece::Message(Message::LeftOut(words))))
    };
    write(&waiting, split, &mut Stopped { committer }, &mut told)?;
    Ok(Exported::Done)
}

struct Stopped {
    committer: Committer<Peek, NoIndex>,
}

impl Source for Stopped {
    fn events(&mut self, sequences: &[Sequence]) -> Result<Events, ExportError> {
        Ok(sequences.iter().map(|sequence| (*sequence, self.committer.read(*sequence))).collect())
    }

    fn needs_photo(&mut self, _: Digest) -> bool {
        true
    }
}
