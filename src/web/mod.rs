//! The touch page: the snapshot out, inputs in. It knows neither the journal nor the key.
//!
//! It is rendered here and pushed: the page holds no state of its own beyond a half-typed text. It has no login, so it is
//! served on a loopback address only, and [`guard`] keeps other sites' pages in the same browser away from it.

mod guard;
mod input;
mod photo;
mod push;
mod reply;
mod scanners;
mod screen;
mod text;
mod view;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::Html;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::view::Snapshot;
use crate::io::photos::Photos;
use crate::io::source::Inward;
use guard::Guard;
use screen::{Frame, Screen};

const STYLE: &str = include_str!("assets/page.css");
const SCRIPT: &str = include_str!("assets/page.js");
const SCANNERS_SCRIPT: &str = include_str!("assets/scanners.js");
/// A typed text or a command; a photo has its own limit.
const MAX_INPUT_BYTES: usize = 4096;
/// Acknowledgements under way: one tap each.
const MAX_ACKS: usize = 16;
/// What a stop waits for, at most: a browser that keeps a connection must not hold the agent.
const DRAIN: Duration = Duration::from_secs(2);

/// What the handlers share.
#[derive(Debug)]
struct App {
    guard: Guard,
    frames: watch::Receiver<Arc<Frame>>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    inputs: mpsc::Sender<Inward>,
    acknowledged: mpsc::Sender<u64>,
    photos: Photos,
    uploads: Arc<Semaphore>,
    viewers: Arc<Semaphore>,
}

/// Serves the page until `stop`.
pub async fn serve(
    listener: TcpListener,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    inputs: mpsc::Sender<Inward>,
    photos: Photos,
    stop: CancellationToken,
) {
    let guard = match listener.local_addr().and_then(Guard::new) {
        Ok(guard) => guard,
        Err(error) => return tracing::error!(%error, "the touch page can't be served"),
    };
    let (acknowledged, acks) = mpsc::channel(MAX_ACKS);
    let screen = Screen::new(&snapshots);
    let (show, frames) = watch::channel(screen.frame());
    let snapshots_too = snapshots.clone();
    // The task owns the frames' sender: when it stops, every push ends, and so does the wait for open connections.
    tokio::spawn(screen.run(snapshots, acks, show, stop.clone()));
    let uploads = Arc::new(Semaphore::new(photo::AT_ONCE));
    let viewers = Arc::new(Semaphore::new(push::MAX_VIEWERS));
    let app = App { guard, frames, snapshots: snapshots_too, inputs, acknowledged, photos, uploads, viewers };
    let served = axum::serve(listener, router(Arc::new(app))).with_graceful_shutdown(stop.clone().cancelled_owned());
    let drained = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        result = async { served.await } => if let Err(error) = result {
            tracing::error!(%error, "the touch page failed");
        },
        () = drained => tracing::debug!("a browser kept its connection; the page stopped all the same"),
    }
}

fn router(app: Arc<App>) -> Router {
    let style = || ready(([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE));
    let script = || ready(([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT));
    let scanners_script = || ready(([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCANNERS_SCRIPT));
    Router::new()
        .route("/", get(|State(app): State<Arc<App>>| ready(page(&app))))
        .route("/page.css", get(style))
        .route("/page.js", get(script))
        .route("/events", get(|State(app): State<Arc<App>>| ready(push::events(&app))))
        .route("/input", post(input::post))
        .route("/scanners", get(|State(app): State<Arc<App>>| ready(scanners::page(&app))))
        .route("/scanners.js", get(scanners_script))
        .route("/scanners/events", get(|State(app): State<Arc<App>>| ready(scanners::events(&app))))
        .route("/scanners/test", post(scanners::post))
        .route("/photo", post(photo::post))
        .fallback(|| ready(reply::error(StatusCode::NOT_FOUND, "not_found", text::NOT_FOUND)))
        .method_not_allowed_fallback(|| {
            ready(reply::error(StatusCode::METHOD_NOT_ALLOWED, "method", text::WRONG_METHOD))
        })
        .layer(DefaultBodyLimit::max(MAX_INPUT_BYTES))
        .layer(middleware::from_fn_with_state(app.clone(), guard::check))
        .with_state(app)
}

fn page(app: &App) -> Html<String> {
    let frame = app.frames.borrow().clone();
    Html(view::page(&frame.html, app.guard.token(), app.guard.session()).into_string())
}

#[cfg(test)]
mod tests;
