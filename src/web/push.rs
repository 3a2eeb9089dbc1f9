//! `GET /events`: the newest frame at once, then each that differs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{StreamExt, once};

use super::{App, reply, text};

/// Kiosk, dock, a technician's browser: a dozen is generous, and each holds a connection.
pub(super) const MAX_VIEWERS: usize = 16;
/// The page calls the agent lost after three of these. A comment would keep the connection, but no script sees it.
pub(super) const ALIVE: Duration = Duration::from_secs(4);

pub(super) fn events(app: &App) -> Response {
    let Ok(permit) = Arc::clone(&app.viewers).try_acquire_owned() else {
        return reply::error(StatusCode::SERVICE_UNAVAILABLE, "viewers", text::TOO_MANY_PAGES);
    };
    let session = Event::default().event("session").data(app.guard.session());
    let frames = WatchStream::new(app.frames.clone()).map(move |frame| {
        // Held as long as the stream is.
        let _permit = &permit;
        Event::default().data(&frame.json)
    });
    let stream = once(session).chain(frames).map(Ok::<_, Infallible>);
    let alive = KeepAlive::new().interval(ALIVE).event(Event::default().event("alive").data("1"));
    Sse::new(stream).keep_alive(alive).into_response()
}
