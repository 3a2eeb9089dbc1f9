//! Puts the running agent together: store, scanners, page, socket, loop.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Agent, INPUTS, Wires, socket};
use crate::config::Config;
use crate::domain::catalog::Catalog;
use crate::domain::id::Digest;
use crate::io::catalog_file::{self, CatalogError};
use crate::io::http::HttpError;
use crate::io::photos::Photos;
use crate::io::source::Outlet;
use crate::io::store::Store;
use crate::io::{devices, durable, network, scanner};
use crate::web;

/// Why an agent did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("{}: {source}. It must be a folder that this user may write to", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("another agent already runs on {}", .0.display())]
    AlreadyRunning(PathBuf),
    #[error("the page can't be served on {address}: {source}")]
    Page { address: SocketAddr, source: io::Error },
    /// The configuration names a file that can't be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("a task of the agent failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A started agent.
pub struct Running {
    /// Where its page is.
    pub page: SocketAddr,
    task: JoinHandle<Result<(), AgentError>>,
}

impl Running {
    pub async fn finished(self) -> Result<(), AgentError> {
        self.task.await?
    }
}

/// Starts everything that an agent is; it runs until `stop`.
pub async fn start(config: Config, stop: CancellationToken) -> Result<Running, AgentError> {
    durable::create_folder(&config.state_dir).map_err(in_folder(&config.state_dir))?;
    let lock = only_one(&config.state_dir)?;
    config.http.check()?;
    let catalog = match &config.catalog {
        Some(path) => catalog_file::load(path, config.conventions.clone())?,
        None => Catalog::new(config.conventions.clone()),
    };
    let photos = Photos::open(&config.state_dir.join("photos"), config.photos.clone())?;
    let folder = config.state_dir.clone();
    let (store, found) =
        tokio::task::spawn_blocking(move || Store::open(&folder)).await?.map_err(in_folder(&config.state_dir))?;
    // Before anyone can take a photo: what a slip held that was never saved is nobody's any more. Where something was damaged,
    // a photo may be all that is left of its report, and a person is to look.
    let named = |name: &str| Digest::parse(name).is_some_and(|digest| found.outbox.needs_photo(digest));
    let whole = found.damage.is_empty() && store.health().borrow().lost == 0 && !is_evidence_kept(&config.state_dir);
    let swept = if whole { photos.sweep(named) } else { Ok(0) };
    match swept {
        Ok(0) => {}
        Ok(swept) => tracing::info!(swept, "photos of unsaved slips were removed"),
        Err(error) => tracing::warn!(%error, "photos that no report names could not be removed"),
    }
    let agent = Agent::new(&config, catalog, photos.clone(), store, found)?;

    let (inputs, inward) = mpsc::channel(INPUTS);
    let (asks, asked) = mpsc::channel(INPUTS);
    let (snapshots, shown) = watch::channel(Arc::new(agent.snapshot()));
    let listener =
        TcpListener::bind(config.listen).await.map_err(|source| AgentError::Page { address: config.listen, source })?;
    let address = listener.local_addr()?;
    let listening = socket::bind(&config.state_dir).map_err(in_folder(&config.state_dir))?;
    tokio::spawn(socket::serve(listening, asks, shown.clone(), stop.clone()));
    tokio::spawn(web::serve(listener, shown, inputs.clone(), photos, stop.clone()));
    let outlet = |name: &str| Outlet::new(name, inputs.clone(), agent.tested());
    scanner::start(config.scanners, &devices::Roots::default(), outlet, &stop)?;
    tracing::info!(page = %format!("http://{address}/"), "the touch page is up");
    let wires = Wires { inward, asks: asked, snapshots, network: network::changes(), stop };
    let task = tokio::spawn(async move {
        // Kept open: the loop must not see its channel closed when the last scanner's task ends.
        let _inputs = inputs;
        let done = agent.run(wires).await.map_err(AgentError::from);
        drop(lock);
        done
    });
    Ok(Running { page: address, task })
}

/// Something of the journal or the index was damaged at any time, and nobody has taken it away yet.
fn is_evidence_kept(state_dir: &Path) -> bool {
    let is_index = |kept: &PathBuf| kept.file_name().is_some_and(|name| name.to_string_lossy().contains("-index"));
    let journal = durable::quarantined(&state_dir.join("journal"));
    !journal.is_empty() || durable::quarantined(state_dir).iter().any(is_index)
}

/// Two agents on one journal would write over each other.
fn only_one(state_dir: &Path) -> Result<File, AgentError> {
    let file = File::create(state_dir.join(super::held::NAME)).map_err(in_folder(state_dir))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(AgentError::AlreadyRunning(state_dir.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(in_folder(state_dir)(error)),
    }
}

fn in_folder(folder: &Path) -> impl Fn(io::Error) -> AgentError {
    move |source| AgentError::Folder { folder: folder.to_owned(), source }
}
