//! `POST /input`: a button or a typed text becomes an [`Input`].

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::{App, reply, text};
use crate::domain::capture::{Input, TypedSlot};
use crate::domain::decode::command::Command;

/// Exactly one of: a command, a slot with its text, the number of a refusal that was read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    command: Option<String>,
    slot: Option<Slot>,
    text: Option<String>,
    acknowledge: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Slot {
    Operator,
    Document,
    Bin,
    Item,
    Note,
}

impl From<Slot> for TypedSlot {
    fn from(slot: Slot) -> TypedSlot {
        match slot {
            Slot::Operator => TypedSlot::Operator,
            Slot::Document => TypedSlot::Document,
            Slot::Bin => TypedSlot::Bin,
            Slot::Item => TypedSlot::Item,
            Slot::Note => TypedSlot::Note,
        }
    }
}

pub(super) async fn post(State(app): State<Arc<App>>, body: Result<Json<Body>, JsonRejection>) -> Response {
    let Json(body) = match body {
        Ok(body) => body,
        Err(rejection) => return unreadable(&rejection),
    };
    match body {
        Body { command: Some(command), slot: None, text: None, acknowledge: None } => match Command::parse(&command) {
            Some(command) => reply::pass_on(&app.inputs, Input::Command(command)).await,
            None => bad_input(),
        },
        Body { command: None, slot: Some(slot), text: Some(text), acknowledge: None } => {
            reply::pass_on(&app.inputs, Input::Typed { slot: slot.into(), text }).await
        }
        Body { command: None, slot: None, text: None, acknowledge: Some(number) } => {
            match app.acknowledged.try_send(number) {
                Ok(()) => reply::accepted(),
                Err(_) => reply::error(StatusCode::SERVICE_UNAVAILABLE, "busy", text::BUSY),
            }
        }
        Body { .. } => bad_input(),
    }
}

fn bad_input() -> Response {
    reply::error(StatusCode::BAD_REQUEST, "input", text::BAD_INPUT)
}

fn unreadable(rejection: &JsonRejection) -> Response {
    match rejection.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            reply::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", text::NOT_JSON)
        }
        StatusCode::PAYLOAD_TOO_LARGE => reply::error(StatusCode::PAYLOAD_TOO_LARGE, "too_long", text::TOO_LONG),
        _ => bad_input(),
    }
}
