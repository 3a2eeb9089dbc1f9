//! `queue export`: writes what Odoo doesn't have as signed bundles. The agent reads and signs, the command line writes: a stick
//! need not be writable for the agent's user, and no key leaves the agent's folder. Nothing on the device changes.

mod bundle_file;
mod running;
mod stopped;

use std::io;
use std::path::PathBuf;

pub use running::stream;
pub use stopped::{Exported, from_disk};

use crate::domain::bundle::{self, Unsent};
use crate::domain::id::{Digest, Sequence};
use crate::domain::time::Wall;
use crate::io::keys::{DeviceKey, Identity, KeyError};
use crate::io::store::StoreError;
use crate::wire::export_v1::{Message, Piece, PlanV1};

/// Events that are read, and held in memory, at once.
const AT_ONCE: usize = 50;

/// Events as they were read back.
pub type Events = Vec<(Sequence, Result<String, StoreError>)>;

/// What a bundle is made of, and when.
#[derive(Debug)]
pub struct Waiting {
    pub unsent: Vec<Unsent>,
    /// By the device's best knowledge.
    pub now: Wall,
    pub folder: PathBuf,
}

/// Where events come from: the running agent, which may deliver some of them meanwhile, or a stopped one's journal.
trait Source {
    /// Those that are still unsent.
    fn events(&mut self, sequences: &[Sequence]) -> Result<Events, ExportError>;

    fn needs_photo(&mut self, digest: Digest) -> bool;
}

/// Takes the pieces, one after the other; an error ends the export.
type Sink<'a> = dyn FnMut(Piece) -> io::Result<()> + 'a;

/// Why nothing more was exported. All that waits is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("this device is not enrolled, so it has no reports yet and nobody would know its signature")]
    NotEnrolled,
    #[error("the device's key isn't the one that was enrolled: enrol it again")]
    AnotherKey,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{}: {source}. Run this as the agent's own user, or as root", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("the agent stopped meanwhile; export again")]
    AgentStopped,
    #[error("the agent is busy with another export; wait for that one")]
    Busy,
    /// The one who takes the pieces can't.
    #[error(transparent)]
    Sink(io::Error),
}

/// Writes all that waits, as files of at most `split` bytes or as one.
fn write(
    waiting: &Waiting,
    split: Option<u64>,
    source: &mut dyn Source,
    sink: &mut Sink<'_>,
) -> Result<(), ExportError> {
    let identity = Identity::load(&waiting.folder)?.ok_or(ExportError::NotEnrolled)?;
    let key = DeviceKey::load(&waiting.folder)?.ok_or(ExportError::NotEnrolled)?;
    if key.kid() != identity.kid {
        return Err(ExportError::AnotherKey);
    }
    let parts = bundle::parts(&waiting.unsent, split);
    let files = parts.iter().map(|part| part.bytes).collect();
    let plan = PlanV1 { name: identity.name.clone(), url: identity.url.clone(), files };
    say(sink, Message::Plan(plan))?;
    let sealer = bundle_file::Sealer { key: &key, identity: &identity, now: waiting.now };
    for part in &parts {
        say(sink, Message::Begin)?;
        let done = bundle_file::write(part, &sealer, &waiting.folder.join("photos"), source, sink)?;
        say(sink, Message::End(done))?;
    }
    say(sink, Message::Done)
}

fn say(sink: &mut Sink<'_>, message: Message) -> Result<(), ExportError> {
    sink(Piece::Message(message)).map_err(ExportError::Sink)
}
