//! `GET /scanners`: every scanner's state, and while somebody tests them, what each code is made of. A test begins with a
//! tap and lasts as long as the page says that it is being looked at; scans make no reports meanwhile.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{StreamExt, once};

use super::push::ALIVE;
use super::{App, reply, text, view};
use crate::io::source::Inward;

/// A page names itself by random digits.
const MAX_NAME: usize = 32;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    tester: String,
    stays: bool,
}

pub(super) fn page(app: &App) -> Html<String> {
    let main = view::scanners(&app.snapshots.borrow()).into_string();
    Html(view::scanners_page(&main, app.guard.token(), app.guard.session()).into_string())
}

/// The page's frames: the newest at once, then each that differs.
pub(super) fn events(app: &App) -> Response {
    let Ok(permit) = Arc::clone(&app.viewers).try_acquire_owned() else {
        return reply::error(StatusCode::SERVICE_UNAVAILABLE, "viewers", text::TOO_MANY_PAGES);
    };
    let session = Event::default().event("session").data(app.guard.session());
    let mut shown = String::new();
    let frames = WatchStream::new(app.snapshots.clone()).filter_map(move |snapshot| {
        // Held as long as the stream is.
        let _permit = &permit;
        let html = view::scanners(&snapshot).into_string();
        let frame = serde_json::Value::String(html).to_string();
        let differs = frame != shown;
        differs.then(|| {
            shown.clone_from(&frame);
            Event::default().data(frame)
        })
    });
    let stream = once(session).chain(frames).map(Ok::<_, Infallible>);
    let alive = KeepAlive::new().interval(ALIVE).event(Event::default().event("alive").data("1"));
    Sse::new(stream).keep_alive(alive).into_response()
}

pub(super) async fn post(State(app): State<Arc<App>>, body: Result<Json<Body>, JsonRejection>) -> Response {
    match body {
        Ok(Json(Body { tester, stays })) if is_name(&tester) => {
            reply::hand_over(&app.inputs, Inward::Tester { who: format!("page-{tester}"), stays }).await
        }
        Ok(_) => reply::error(StatusCode::UNPROCESSABLE_ENTITY, "input", text::NO_TESTER),
        Err(_) => reply::error(StatusCode::UNPROCESSABLE_ENTITY, "input", text::NO_TESTER),
    }
}

fn is_name(tester: &str) -> bool {
    (1..=MAX_NAME).contains(&tester.len()) && tester.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
