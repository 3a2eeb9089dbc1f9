//! The agent's Unix socket for the command line: JSON over HTTP, for the agent's own user alone.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{Ask, export};
use crate::domain::view::Snapshot;
use crate::wire::local_v1::{DetailV1, RetryV1, RowV1, StatusV1};
use crate::wire::scans_v1::{ScansV1, TestedV1};

/// A tester's question for scans is answered after this at the latest; then it asks again, which keeps the test going.
const SCANS: Duration = Duration::from_secs(5);
const MAX_TESTER_NAME: usize = 40;

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

/// What the handlers share.
#[derive(Clone, Debug)]
struct Agent {
    asks: mpsc::Sender<Ask>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
}

pub(super) async fn serve(
    listener: UnixListener,
    asks: mpsc::Sender<Ask>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    stop: CancellationToken,
) {
    let router = Router::new()
        .route("/status", get(status))
        .route("/queue", get(list))
        .route("/queue/{which}", get(show))
        .route("/queue/{which}/retry", post(retry))
        .route("/queue/{which}/dismiss", post(dismiss))
        .route("/retry", post(retry_all))
        .route("/dismiss", post(dismiss_all))
        .route("/export", get(export))
        .route("/scans", get(scans))
        .route("/scans/leave", post(leave))
        .route("/reload", post(reload))
        .with_state(Agent { asks, snapshots });
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the agent's socket failed; the command line can't reach it");
    }
}

async fn ask<T>(agent: &Agent, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, StatusCode> {
    let (reply, answer) = oneshot::channel();
    agent.asks.send(question(reply)).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    answer.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

async fn status(State(agent): State<Agent>) -> Result<Json<StatusV1>, StatusCode> {
    ask(&agent, |reply| Ask::Status { reply }).await.map(Json)
}

#[derive(serde::Deserialize)]
struct ListQuery {
    #[serde(default)]
    all: bool,
}

async fn list(State(agent): State<Agent>, Query(query): Query<ListQuery>) -> Result<Json<Vec<RowV1>>, StatusCode> {
    ask(&agent, |reply| Ask::List { all: query.all, reply }).await.map(Json)
}

async fn show(State(agent): State<Agent>, UrlPath(which): UrlPath<String>) -> Result<Json<DetailV1>, StatusCode> {
    ask(&agent, |reply| Ask::Show { which, reply }).await?.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn retry(State(agent): State<Agent>, UrlPath(which): UrlPath<String>) -> Result<Json<RetryV1>, StatusCode> {
    ask(&agent, |reply| Ask::Retry { which: Some(which), reply }).await.map(Json)
}

async fn retry_all(State(agent): State<Agent>) -> Result<Json<RetryV1>, StatusCode> {
    ask(&agent, |reply| Ask::Retry { which: None, reply }).await.map(Json)
}

async fn dismiss(State(agent): State<Agent>, UrlPath(which): UrlPath<String>) -> Result<Json<usize>, StatusCode> {
    ask(&agent, |reply| Ask::Dismiss { which: Some(which), reply }).await.map(Json)
}

async fn dismiss_all(State(agent): State<Agent>) -> Result<Json<usize>, StatusCode> {
    ask(&agent, |reply| Ask::Dismiss { which: None, reply }).await.map(Json)
}

#[derive(serde::Deserialize)]
struct ExportQuery {
    /// The size of a file, in bytes.
    split: Option<u64>,
}

/// What is not in Odoo, as a stream of [`crate::wire::export_v1`].
async fn export(State(agent): State<Agent>, Query(query): Query<ExportQuery>) -> Body {
    Body::from_stream(export::stream(agent.asks, query.split))
}

async fn reload(State(agent): State<Agent>) -> Result<Json<Result<bool, String>>, StatusCode> {
    ask(&agent, |reply| Ask::Reload { reply }).await.map(Json)
}

#[derive(serde::Deserialize)]
struct ScansQuery {
    tester: String,
    /// The number of the last scan that the tester knows; without it, it wants those from now on.
    after: Option<u64>,
}

/// Scans behind `after`, as soon as there are any. Asking makes the asker a tester for a while.
async fn scans(State(mut agent): State<Agent>, Query(query): Query<ScansQuery>) -> Result<Json<ScansV1>, StatusCode> {
    let who: String = query.tester.chars().take(MAX_TESTER_NAME).collect();
    let last = ask(&agent, |reply| Ask::Tester { who, stays: true, reply }).await?;
    let last = last.ok_or(StatusCode::TOO_MANY_REQUESTS)?;
    let Some(after) = query.after else { return Ok(Json(ScansV1 { last, scans: Vec::new() })) };
    let newer = |snapshot: &Arc<Snapshot>| snapshot.tested.iter().any(|tested| tested.number > after);
    let waited = tokio::time::timeout(SCANS, agent.snapshots.wait_for(newer)).await;
    let scans: Vec<TestedV1> = match waited {
        Ok(Ok(snapshot)) => snapshot
            .tested
            .iter()
            .filter(|tested| tested.number > after)
            .map(|tested| TestedV1::from(&**tested))
            .collect(),
        Ok(Err(_)) => return Err(StatusCode::SERVICE_UNAVAILABLE),
        Err(_) => Vec::new(),
    };
    Ok(Json(ScansV1 { last: scans.last().map_or(after, |scan| scan.number), scans }))
}

async fn leave(State(agent): State<Agent>, Query(query): Query<ScansQuery>) -> Result<Json<bool>, StatusCode> {
    let who: String = query.tester.chars().take(MAX_TESTER_NAME).collect();
    ask(&agent, |reply| Ask::Tester { who, stays: false, reply }).await.map(|_| Json(true))
}
