//! Answers in the one shape that the page's script reads: a word for programs, a sentence for people.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendTimeoutError;

use super::text;
use crate::domain::capture::Input;
use crate::io::source::Inward;

/// The loop takes an input within milliseconds unless the disk stands still; then a person should know.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn error(status: StatusCode, code: &str, sentence: &str) -> Response {
    (status, Json(serde_json::json!({ "code": code, "error": sentence }))).into_response()
}

/// 202: the loop has it; what came of it is in the next frame.
pub(super) fn accepted() -> Response {
    StatusCode::ACCEPTED.into_response()
}

/// Hands an input to the loop, or says that it could not.
pub(super) async fn pass_on(inputs: &mpsc::Sender<Inward>, input: Input) -> Response {
    hand_over(inputs, Inward::Page(input)).await
}

pub(super) async fn hand_over(inputs: &mpsc::Sender<Inward>, inward: Inward) -> Response {
    match inputs.send_timeout(inward, PATIENCE).await {
        Ok(()) => accepted(),
        Err(SendTimeoutError::Timeout(_)) => error(StatusCode::SERVICE_UNAVAILABLE, "busy", text::BUSY),
        Err(SendTimeoutError::Closed(_)) => error(StatusCode::SERVICE_UNAVAILABLE, "stopping", text::STOPPING),
    }
}
