//! Puts the running agent together: store, scanners, page, socket, loop.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Failure, local};
use crate::agent::{Agent, INPUTS, Wires};
use crate::config::{Config, Scanner, Source};
use crate::domain::catalog::Catalog;
use crate::io::photos::Photos;
use crate::io::source::{FromScanner, Outlet};
use crate::io::store::Store;
use crate::io::{catalog_file, durable, evdev, serial, stdin};
use crate::web;

/// Runs a command's work. A read of standard input that never ends doesn't keep the process alive afterwards.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).max_blocking_threads(8).enable_all().build().map_err(Failure::other)?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_millis(200));
    done
}

/// A started agent.
pub(super) struct Running {
    /// Where its page is.
    pub(super) page: SocketAddr,
    task: JoinHandle<Result<(), Failure>>,
}

impl Running {
    pub(super) async fn finished(self) -> Result<(), Failure> {
        self.task.await.map_err(Failure::other)?
    }
}

pub(super) async fn agent(config: Config, stop: CancellationToken) -> Result<Running, Failure> {
    durable::create_folder(&config.state_dir).map_err(|error| in_folder(&config.state_dir, &error))?;
    let lock = only_one(&config.state_dir)?;
    let catalog = match &config.catalog {
        Some(path) => catalog_file::load(path, config.conventions.clone()).map_err(Failure::other)?,
        None => Catalog::new(config.conventions.clone()),
    };
    let photos = Photos::open(&config.state_dir.join("photos"))?;
    let folder = config.state_dir.clone();
    let (store, found) = tokio::task::spawn_blocking(move || Store::open(&folder))
        .await
        .map_err(Failure::other)?
        .map_err(|error| in_folder(&config.state_dir, &error))?;
    let agent = Agent::new(&config, catalog, photos.clone(), store, found)?;

    let (scans, scanners) = mpsc::channel(INPUTS);
    let (inputs, page) = mpsc::channel(INPUTS);
    let (asks, asked) = mpsc::channel(INPUTS);
    let (snapshots, shown) = watch::channel(Arc::new(agent.snapshot()));
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| Failure::other(format!("the page can't be served on {}: {error}", config.listen)))?;
    let address = listener.local_addr()?;
    let socket = local::bind(&config.state_dir)?;
    tokio::spawn(local::serve(socket, asks, stop.clone()));
    tokio::spawn(web::serve(listener, shown, inputs, photos, stop.clone()));
    for scanner in config.scanners {
        start_scanner(scanner, scans.clone(), &stop);
    }
    tracing::info!(page = %format!("http://{address}/"), "the touch page is up");
    let wires = Wires { scanners, page, asks: asked, snapshots, stop };
    let task = tokio::spawn(async move {
        // Kept open as long as there may be no second scanner's end; the loop must not see its channel closed.
        let _scans = scans;
        let done = agent.run(wires).await.map_err(Failure::from);
        drop(lock);
        done
    });
    Ok(Running { page: address, task })
}

fn start_scanner(scanner: Scanner, scans: mpsc::Sender<FromScanner>, stop: &CancellationToken) {
    let outlet = Outlet::new(&scanner.name, scans);
    let stop = stop.clone();
    tokio::spawn(async move {
        let read = async {
            match scanner.source {
                Source::Serial(config) => serial::run(config, outlet).await,
                Source::Evdev(config) => evdev::run(config, outlet).await,
                Source::Stdin => stdin::run(outlet).await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = read => {}
        }
    });
}

/// Two agents on one journal would write over each other.
fn only_one(state_dir: &Path) -> Result<File, Failure> {
    let path = state_dir.join("lock");
    let file = File::create(&path).map_err(|error| in_folder(state_dir, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(Failure::other(format!("another agent already runs on {}", state_dir.display())))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(in_folder(state_dir, &error)),
    }
}

fn in_folder(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::other(format!("{}: {error}. It must be a folder that this user may write to", folder.display()))
}

/// SIGTERM and SIGINT stop in order; a second one is not needed, the drain is bounded.
pub(super) fn stop_on_signal(stop: &CancellationToken) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
            () = stop.cancelled() => {}
        }
        stop.cancel();
    });
    Ok(())
}
