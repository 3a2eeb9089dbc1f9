//! The agent's Unix socket for the command line: JSON over HTTP, for the agent's own user alone.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use axum::extract::{Path as UrlPath, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::Ask;
use crate::wire::local_v1::{DetailV1, RowV1, StatusV1};

/// Where the agent of a state folder listens.
pub fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("agent.sock")
}

/// Takes the socket's place; the lock of the state folder makes sure that a file there is a dead agent's.
pub(super) fn bind(state_dir: &Path) -> io::Result<UnixListener> {
    let path = path(state_dir);
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
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
