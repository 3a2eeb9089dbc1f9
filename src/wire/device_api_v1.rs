//! Requests to `/tallyman/v1` and its answers (docs/protocol.md, "Calls").

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::forward::{Answer, ApiError};
use crate::domain::id::{Digest, EventId};
use crate::domain::receipt::{Receipt, Refusal, Status};
use crate::domain::time::Wall;

pub const BASE: &str = "/tallyman/v1";
/// Of a case's number or an error's code, in characters.
const MAX_NAME: usize = 100;
/// Of a sentence for people, in characters.
const MAX_WORDS: usize = 600;

/// The claims of a request token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub iat: i64,
    pub exp: i64,
    pub jti: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct EventsRequest {
    pub events: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct EventsResponse {
    pub results: Vec<ResultV1>,
    #[serde(default)]
    pub server_time: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResultV1 {
    pub id: Option<String>,
    pub digest: String,
    pub status: StatusV1,
    #[serde(default)]
    pub case: Option<String>,
    #[serde(default)]
    pub instructions: Vec<serde_json::Value>,
    #[serde(default)]
    pub missing_evidence: Option<Vec<String>>,
    #[serde(default)]
    pub error: Option<ErrorV1>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusV1 {
    Created,
    Duplicate,
    Conflict,
    Rejected,
    Retry,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ErrorBody {
    pub error: ErrorV1,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ErrorV1 {
    pub code: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub retryable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct EvidenceResponse {
    pub received: u64,
    pub complete: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct EnrolRequest {
    pub enrolment: String,
}

/// What the enrolment's JWS says.
#[derive(Debug, Serialize, Deserialize)]
pub struct EnrolPayload {
    pub code: String,
    pub agent: String,
    #[serde(default)]
    pub hardware: Hardware,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Hardware {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_id_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct EnrolResponse {
    pub device: String,
    #[serde(default)]
    pub name: String,
    pub kid: String,
    pub audience: String,
    #[serde(default)]
    pub server_time: Option<String>,
}

/// Reads the body of an answer to `POST /events`. Only JSON of our shape counts; anything else isn't from the addon.
pub fn events_answer(status: u16, html: bool, retry_after: Option<Duration>, body: &[u8]) -> Answer {
    if status == 200
        && let Ok(response) = serde_json::from_slice::<EventsResponse>(body)
    {
        let server_time = response.server_time.as_deref().and_then(Wall::parse);
        return Answer::Results { results: response.results.into_iter().map(receipt).collect(), server_time };
    }
    refusal(status, html, retry_after, body)
}

/// Reads the body of an answer to `PUT /evidence/<sha256>`.
pub fn evidence_answer(status: u16, html: bool, retry_after: Option<Duration>, body: &[u8]) -> Answer {
    if matches!(status, 200 | 201)
        && let Ok(response) = serde_json::from_slice::<EvidenceResponse>(body)
    {
        return Answer::Photo { received: response.received, complete: response.complete && status == 201 };
    }
    refusal(status, html, retry_after, body)
}

/// Reads the answer to `HEAD /evidence/<sha256>`, which has no body: its status, and how much of the photo is there.
/// Whether a refusal is the addon's can't be told from that; one that is about the device says why to the next piece.
pub fn evidence_state(status: u16, html: bool, retry_after: Option<Duration>, upload_offset: Option<u64>) -> Answer {
    let refused = |code: &str, message: &str| {
        let (code, message) = (code.to_owned(), message.to_owned());
        Answer::Refused(ApiError { status, code, message, retry_after, ..ApiError::default() })
    };
    match (status, upload_offset) {
        (200 | 204, Some(received)) => Answer::Photo { received, complete: false },
        (404, _) if !html => refused("unknown_evidence", "the server expects no such photo yet"),
        (401 | 403, _) if !html => refused("", ""),
        _ => not_ours(status, html, retry_after),
    }
}

/// An answer from somewhere on the way, which may ask to wait.
fn not_ours(status: u16, html: bool, retry_after: Option<Duration>) -> Answer {
    match retry_after {
        Some(retry_after) if matches!(status, 429 | 503) => Answer::Busy { status, retry_after },
        Some(_) | None => Answer::NotOurs { status, html },
    }
}

fn refusal(status: u16, html: bool, retry_after: Option<Duration>, body: &[u8]) -> Answer {
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(ErrorBody { error }) if status >= 400 => Answer::Refused(ApiError {
            status,
            code: cut(error.code, MAX_NAME),
            message: cut(error.message, MAX_WORDS),
            server_time: error.server_time.as_deref().and_then(Wall::parse),
            retry_after,
            received: error.received,
            limit: error.limit,
        }),
        Ok(_) | Err(_) => not_ours(status, html, retry_after),
    }
}

/// What is kept of a server's words: they are journalled with the report, and shown to people.
fn cut(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A result that names no digest of ours becomes a receipt that matches nothing.
fn receipt(result: ResultV1) -> Receipt {
    Receipt {
        id: result.id.as_deref().and_then(EventId::parse),
        digest: Digest::parse(&result.digest).unwrap_or(Digest::ZERO),
        status: match result.status {
            StatusV1::Created => Status::Created,
            StatusV1::Duplicate => Status::Duplicate,
            StatusV1::Conflict => Status::Conflict,
            StatusV1::Rejected => Status::Rejected,
            StatusV1::Retry => Status::Retry,
        },
        case: result.case.map(|case| cut(case, MAX_NAME)),
        missing_evidence: result
            .missing_evidence
            .map(|digests| digests.iter().filter_map(|digest| Digest::parse(digest)).collect()),
        error: result
            .error
            .map(|error| Refusal { code: cut(error.code, MAX_NAME), message: cut(error.message, MAX_WORDS) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_endless_words_only_the_beginning_is_kept() {
        let endless = "ö".repeat(300_000);
        let error = format!(r#"{{"code": "{endless}", "message": "{endless}"}}"#);
        let body = format!(
            r#"{{"results":[{{"id":null,"digest":"x","status":"rejected","case":"{endless}","error":{error}}}]}}"#
        );
        let Answer::Results { results, .. } = events_answer(200, false, None, body.as_bytes()) else { panic!() };
        let refusal = results[0].error.clone().unwrap();
        let lengths =
            [&refusal.code, &refusal.message, results[0].case.as_ref().unwrap()].map(|text| text.chars().count());
        assert_eq!(lengths, [MAX_NAME + 1, MAX_WORDS + 1, MAX_NAME + 1]);
        let body = format!(r#"{{"error": {error}}}"#);
        let Answer::Refused(error) = events_answer(422, false, None, body.as_bytes()) else { panic!() };
        assert!(error.code.len() < 300 && error.message.len() < 1_500 && error.message.ends_with("ö…"));
        assert_eq!(cut("short".into(), 5), "short");
    }

    #[test]
    fn a_login_page_is_not_an_answer_of_ours_whatever_its_status() {
        for status in [200, 302, 404, 500] {
            let answer = events_answer(status, true, None, b"<html>please log in</html>");
            assert_eq!(answer, Answer::NotOurs { status, html: true });
        }
    }

    #[test]
    fn an_error_inside_a_200_is_no_refusal() {
        let answer = events_answer(200, false, None, br#"{"error":{"code":"revoked"}}"#);
        assert_eq!(answer, Answer::NotOurs { status: 200, html: false });
    }

    #[test]
    fn a_proxy_that_asks_to_wait_is_busy_and_a_portal_with_the_same_header_is_not() {
        let wait = Some(Duration::from_secs(30));
        for status in [429, 503] {
            let answer = events_answer(status, true, wait, b"<html>later</html>");
            assert_eq!(answer, Answer::Busy { status, retry_after: Duration::from_secs(30) });
        }
        assert_eq!(events_answer(200, true, wait, b"<html>"), Answer::NotOurs { status: 200, html: true });
    }

    #[test]
    fn the_addons_limit_is_read() {
        let body = br#"{"error": {"code": "too_large", "message": "At most 9 bytes.", "limit": 9}}"#;
        let Answer::Refused(error) = events_answer(413, false, None, body) else { panic!() };
        assert_eq!((error.limit, error.code.as_str()), (Some(9), "too_large"));
    }

    #[test]
    fn a_photo_is_complete_only_when_the_server_says_201() {
        let body = br#"{"received": 9, "complete": true}"#;
        assert_eq!(evidence_answer(201, false, None, body), Answer::Photo { received: 9, complete: true });
        assert_eq!(evidence_answer(200, false, None, body), Answer::Photo { received: 9, complete: false });
    }

    #[test]
    fn how_much_of_a_photo_is_there_stands_in_a_header_of_a_good_answer_only() {
        let state = |status, html, offset| evidence_state(status, html, None, offset);
        assert_eq!(state(200, false, Some(7)), Answer::Photo { received: 7, complete: false });
        assert_eq!(state(200, true, None), Answer::NotOurs { status: 200, html: true });
        assert_eq!(state(404, true, None), Answer::NotOurs { status: 404, html: true });
        assert_eq!(state(502, false, Some(7)), Answer::NotOurs { status: 502, html: false });
        assert!(matches!(state(404, false, None), Answer::Refused(error) if error.code == "unknown_evidence"));
        assert!(matches!(state(401, false, None), Answer::Refused(error) if error.code.is_empty()));
        let wait = Duration::from_secs(600);
        for status in [429, 503] {
            assert_eq!(evidence_state(status, false, Some(wait), None), Answer::Busy { status, retry_after: wait });
        }
    }

    #[test]
    fn a_result_with_an_unreadable_digest_matches_nothing() {
        let body = br#"{"results":[{"id":null,"digest":"xyz","status":"created"}]}"#;
        let Answer::Results { results, .. } = events_answer(200, false, None, body) else { panic!() };
        assert_eq!(results[0].digest, Digest::ZERO);
    }
}
