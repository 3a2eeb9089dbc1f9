//! The agent's Unix socket: JSON over HTTP, readable by the agent's own user alone.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::extract::{Path as UrlPath, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::agent::Ask;
use crate::wire::local_v1::{DetailV1, RowV1, StatusV1};

const SOCKET: &str = "agent.sock";
const ANSWER: Duration = Duration::from_secs(10);

pub(super) fn socket_path(state_dir: &Path) -> PathBuf {
    state_dir.join(SOCKET)
}

/// Takes the socket's place; the lock of the state folder makes sure that a file there is a dead agent's.
pub(super) fn bind(state_dir: &Path) -> Result<UnixListener, Failure> {
    let path = socket_path(state_dir);
    let _ = std::fs::remove_file(&path);
    let failed = |error: std::io::Error| Failure::other(format!("{}: {error}", path.display()));
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

pub(super) async fn serve(listener: UnixListener, asks: mpsc::Sender<Ask>, stop: CancellationToken) {
    let router = Router::new()
        .route("/status", get(status))
        .route("/queue", get(list))
        .route("/queue/{which}", get(show))
        .route("/reload", post(reload))
        .with_state(asks);
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the agent's socket failed; the command line can't reach it");
    }
}

type Asks = State<mpsc::Sender<Ask>>;

async fn ask<T>(asks: &mpsc::Sender<Ask>, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, StatusCode> {
    let (reply, answer) = oneshot::channel();
    asks.send(question(reply)).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    answer.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

async fn status(State(asks): Asks) -> Result<Json<StatusV1>, StatusCode> {
    ask(&asks, |reply| Ask::Status { reply }).await.map(Json)
}

#[derive(serde::Deserialize)]
struct ListQuery {
    #[serde(default)]
    all: bool,
}

async fn list(State(asks): Asks, Query(query): Query<ListQuery>) -> Result<Json<Vec<RowV1>>, StatusCode> {
    ask(&asks, |reply| Ask::List { all: query.all, reply }).await.map(Json)
}

async fn show(State(asks): Asks, UrlPath(which): UrlPath<String>) -> Result<Json<DetailV1>, StatusCode> {
    ask(&asks, |reply| Ask::Show { which, reply }).await?.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn reload(State(asks): Asks) -> Result<Json<Result<bool, String>>, StatusCode> {
    ask(&asks, |reply| Ask::Reload { reply }).await.map(Json)
}

/// Asks the running agent. `Ok(None)` when it says that there is no such thing.
pub(super) fn get_json<T: DeserializeOwned>(state_dir: &Path, path: &str) -> Result<Option<T>, Failure> {
    call(state_dir, path, false)
}

/// Tells the running agent that this device is enrolled; false when none runs.
pub(super) fn tell_enrolled(state_dir: &Path) -> Result<bool, Failure> {
    if !socket_path(state_dir).exists() {
        return Ok(false);
    }
    match call::<Result<bool, String>>(state_dir, "/reload", true) {
        Ok(Some(Ok(enrolled))) => Ok(enrolled),
        Ok(Some(Err(why))) => Err(Failure::Other(why)),
        // A socket without an agent behind it: the next start reads the identity.
        Ok(None) | Err(_) => Ok(false),
    }
}

fn call<T: DeserializeOwned>(state_dir: &Path, path: &str, post: bool) -> Result<Option<T>, Failure> {
    let socket = socket_path(state_dir);
    let not_running = |why: &dyn std::fmt::Display| {
        Failure::other(format!(
            "no agent answers on {} ({why}). Is it running? systemctl status tallyman",
            socket.display()
        ))
    };
    let reply = crate::io::http::over_socket(&socket, path, post, ANSWER).map_err(|error| not_running(&error))?;
    match reply {
        (200, body) => serde_json::from_slice(&body).map(Some).map_err(|error| not_running(&error)),
        (404, _) => Ok(None),
        (status, _) => Err(not_running(&format!("HTTP {status}"))),
    }
}
