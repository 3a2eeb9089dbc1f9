//! `POST /photo`: bytes in, a durable photo on the slip, or a refusal that nobody can miss.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;

use super::{App, reply, text};
use crate::domain::capture::Input;
use crate::io::photos::{MAX_UPLOAD, PhotoError, Photos};
use crate::io::source::Inward;

/// Each upload may hold [`MAX_UPLOAD`] of memory on a small device.
pub(super) const AT_ONCE: usize = 2;
/// How long an upload waits for its turn, and how long it may then take: the browser is on the same device.
const TURN: Duration = Duration::from_secs(10);
const UPLOAD: Duration = Duration::from_secs(30);
/// A browser hears an answer only after it has sent everything, so what is too large is still read, but not kept.
const MAX_READ: usize = 4 * MAX_UPLOAD;

pub(super) async fn post(State(app): State<Arc<App>>, body: Body) -> Response {
    let turn = tokio::time::timeout(TURN, Arc::clone(&app.uploads).acquire_owned()).await;
    let Ok(Ok(permit)) = turn else {
        return reply::error(StatusCode::SERVICE_UNAVAILABLE, "busy", text::BUSY);
    };
    let Ok(Some(read)) = tokio::time::timeout(UPLOAD, read(body)).await else {
        return reply::error(StatusCode::BAD_REQUEST, "incomplete", text::UPLOAD_BROKE);
    };
    // A task of its own: a browser that goes away now has sent the photo, and the slip shall have it.
    let kept = tokio::spawn(keep(read, app.photos.clone(), app.inputs.clone()));
    let response = kept.await.unwrap_or_else(|_| failed());
    drop(permit);
    response
}

enum Read {
    Whole(Vec<u8>),
    TooLarge,
}

/// `None` when the body broke off.
async fn read(body: Body) -> Option<Read> {
    let mut stream = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.ok()?;
        length += chunk.len();
        if length > MAX_READ {
            break;
        }
        if length > MAX_UPLOAD {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
    Some(if length > MAX_UPLOAD { Read::TooLarge } else { Read::Whole(bytes) })
}

async fn keep(read: Read, photos: Photos, inputs: mpsc::Sender<Inward>) -> Response {
    let bytes = match read {
        Read::Whole(bytes) => bytes,
        Read::TooLarge => return refuse(&inputs, PhotoError::TooLarge).await,
    };
    match tokio::task::spawn_blocking(move || photos.keep(bytes)).await {
        Ok(Ok(photo)) => reply::pass_on(&inputs, Input::Photo(photo)).await,
        Ok(Err(error)) => refuse(&inputs, error).await,
        Err(_) => failed(),
    }
}

/// Said twice: to the person through the page, and to whoever sent the request.
async fn refuse(inputs: &mpsc::Sender<Inward>, error: PhotoError) -> Response {
    tracing::warn!(%error, "a photo was refused");
    let why = text::photo_refused(&error);
    let (status, code) = match error {
        PhotoError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        PhotoError::TooManyPixels { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_many_pixels"),
        PhotoError::NotAnImage => (StatusCode::UNPROCESSABLE_ENTITY, "not_a_photo"),
        PhotoError::Damaged(_) => (StatusCode::UNPROCESSABLE_ENTITY, "damaged"),
        PhotoError::Full { .. } => (StatusCode::INSUFFICIENT_STORAGE, "photos_full"),
        PhotoError::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
        PhotoError::Disk(_) => (StatusCode::INTERNAL_SERVER_ERROR, "disk"),
    };
    let no_room = status == StatusCode::INSUFFICIENT_STORAGE;
    let passed = reply::pass_on(inputs, Input::PhotoRefused { why: why.clone(), no_room }).await;
    if passed.status() == StatusCode::ACCEPTED { reply::error(status, code, &why) } else { passed }
}

fn failed() -> Response {
    reply::error(StatusCode::INTERNAL_SERVER_ERROR, "failed", text::PHOTO_FAILED)
}
