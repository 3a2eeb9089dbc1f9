//! The touch page: the snapshot out, inputs in. It knows neither the journal nor the key.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::capture::Input;
use crate::domain::view::Snapshot;
use crate::io::photos::Photos;

/// Serves the page until `stop`.
pub async fn serve(
    listener: TcpListener,
    _snapshots: watch::Receiver<Arc<Snapshot>>,
    _inputs: mpsc::Sender<Input>,
    _photos: Photos,
    stop: CancellationToken,
) {
    let router = Router::new().route("/", get(|| async { "under construction" }));
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the touch page failed");
    }
}
