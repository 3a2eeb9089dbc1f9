//! The receiver's HTTP: the three calls of docs/protocol.md on loopback.

use std::io::Read;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use flate2::read::GzDecoder;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::book::{Book, Refused, refused};
use crate::io::{clock, entropy};
use crate::wire::device_api_v1::{BASE, EnrolRequest, ErrorBody, EventsRequest, EventsResponse, EvidenceResponse};

const MAX_BODY: usize = 16 << 20;
const MAX_EVENTS: usize = 50;

/// The books, shared with whoever shows them.
#[derive(Clone, Debug)]
pub struct Receiver {
    book: Arc<Mutex<Book>>,
    packed: Arc<AtomicU32>,
}

impl Receiver {
    pub fn new(book: Book) -> Receiver {
        Receiver { book: Arc::new(Mutex::new(book)), packed: Arc::default() }
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        // A panic while the books were open leaves them readable; this is a demo's memory, not a journal.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many packed requests came.
    pub fn packed(&self) -> u32 {
        self.packed.load(Ordering::Relaxed)
    }

    /// Serves until `stop`.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let router = Router::new()
            .route(&format!("{BASE}/enroll"), post(enrol))
            .route(&format!("{BASE}/events"), post(events))
            .route(&format!("{BASE}/evidence/{{sha256}}"), put(evidence).head(evidence_head))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self);
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await {
            tracing::error!(%error, "the receiver failed");
        }
    }
}

async fn enrol(State(receiver): State<Receiver>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<EnrolRequest>(&body) else { return bad_request() };
    let device = entropy::bytes().map(|bytes| uuid::Builder::from_random_bytes(bytes).into_uuid().to_string());
    let now = clock::now().wall;
    match receiver.book().enrol(&request.enrolment, device.unwrap_or_default(), now) {
        Ok(response) => (StatusCode::CREATED, Json(response)).into_response(),
        Err(refused) => refusal(refused),
    }
}

async fn events(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let now = clock::now().wall;
    let mut book = receiver.book();
    let device = match book.authorise(token(&headers), now) {
        Ok(device) => device,
        Err(refused) => return refusal(refused),
    };
    let packed = headers.get(CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
    receiver.packed.fetch_add(u32::from(packed), Ordering::Relaxed);
    let body = if packed { unpacked(&body) } else { Some(body.to_vec()) };
    let Some(Ok(request)) = body.map(|body| serde_json::from_slice::<EventsRequest>(&body)) else {
        return bad_request();
    };
    if request.events.is_empty() || request.events.len() > MAX_EVENTS {
        return bad_request();
    }
    let results = request.events.iter().map(|event| book.receive(event, &device)).collect();
    let response = EventsResponse { results, server_time: Some(now.to_string()) };
    ([(ACCEPT_ENCODING, "gzip")], Json(response)).into_response()
}

/// `None` for what is no gzip, or has more in it than any request.
fn unpacked(body: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(body).take(MAX_BODY as u64 + 1).read_to_end(&mut plain).ok()?;
    (plain.len() <= MAX_BODY).then_some(plain)
}

async fn evidence(
    State(receiver): State<Receiver>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut book = receiver.book();
    if let Err(refused) = book.authorise(token(&headers), clock::now().wall) {
        return refusal(refused);
    }
    let number =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let offset = number("upload-offset").unwrap_or(0);
    let length = number("upload-length").unwrap_or(offset + body.len());
    match book.evidence(&sha256, offset, length, &body) {
        Ok((received, complete)) => {
            let status = if complete { StatusCode::CREATED } else { StatusCode::OK };
            (status, Json(EvidenceResponse { received: received as u64, complete })).into_response()
        }
        Err(refused) => refusal(refused),
    }
}

async fn evidence_head(State(receiver): State<Receiver>, Path(sha256): Path<String>, headers: HeaderMap) -> Response {
    let mut book = receiver.book();
    if let Err(refused) = book.authorise(token(&headers), clock::now().wall) {
        return refusal(refused);
    }
    match book.progress(&sha256) {
        Ok((received, Some(size))) => {
            [("Upload-Offset", received.to_string()), ("Upload-Length", size.to_string())].into_response()
        }
        Ok((received, None)) => [("Upload-Offset", received.to_string())].into_response(),
        Err(refused) => refusal(refused),
    }
}

fn token(headers: &HeaderMap) -> &str {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
}

fn bad_request() -> Response {
    refusal(refused(400, "bad_request", "This is not the JSON that the call wants."))
}

fn refusal((status, error): Refused) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(ErrorBody { error })).into_response()
}
