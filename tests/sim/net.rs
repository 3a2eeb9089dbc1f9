//! The road to Odoo and Odoo itself: loses, repeats, delays and answers nonsense. The rules of the far end are the demo's
//! receiver's, which verifies and deduplicates as Odoo does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tallyman::demo::book::Book;
use tallyman::domain::evidence::Piece;
use tallyman::domain::forward::{Answer, ApiError, Unreachable};
use tallyman::domain::id::{Digest, Sequence};
use tallyman::domain::time::Wall;
use tallyman::wire::device_api_v1::{self as api, EventsResponse, ResultV1, StatusV1};

/// How far a device's clock may be off before its tokens are refused.
const SKEW_MS: u64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Good,
    /// No route.
    Down,
    /// The request arrives, the answer doesn't.
    ReplyLost,
    /// The request is lost on its way.
    RequestLost,
    CaptivePortal,
    AddonMissing,
    ServerError,
    /// A 200 with receipts for events that nobody sent.
    OtherReceipts,
    /// A receipt for each event, and the connection breaks in the middle of them.
    CutReply,
    Busy,
    TooLarge,
    /// Each event is to come again later.
    NotNow,
    /// A firewall lets no photo pass, and all else.
    NoPhotos,
    /// The server's disk has room for rows and not for files.
    NoFiles,
    /// Whatever passes takes its time, perhaps too much of it.
    Slow,
}

pub(crate) const BAD: [Weather; 11] = [
    Weather::Down,
    Weather::ReplyLost,
    Weather::RequestLost,
    Weather::CaptivePortal,
    Weather::AddonMissing,
    Weather::ServerError,
    Weather::OtherReceipts,
    Weather::CutReply,
    Weather::Busy,
    Weather::TooLarge,
    Weather::NotNow,
];

/// In a life with moods, these too.
pub(crate) const MOODS: [Weather; 3] = [Weather::NoPhotos, Weather::NoFiles, Weather::Slow];

pub(crate) struct Net {
    pub(crate) weather: Weather,
    pub(crate) book: Book,
    pub(crate) device: String,
    /// Events whose digest ends so are refused for good, until somebody mends the server.
    pub(crate) poison: bool,
    /// What came, by its sequence.
    digests: BTreeMap<Sequence, Digest>,
    /// Requests that took another way and arrive late.
    late: VecDeque<Vec<String>>,
}

/// Which events a server with a bug refuses.
pub(crate) fn is_poisonous(event: Digest) -> bool {
    event.0[0].is_multiple_of(8)
}

impl Net {
    pub(crate) fn new(book: Book, device: String) -> Net {
        Net { weather: Weather::Good, book, device, poison: false, digests: BTreeMap::new(), late: VecDeque::new() }
    }

    /// One request for events and what comes back of it.
    pub(crate) fn send(&mut self, events: &[String], token_time: Wall, truth: Wall, rng: &mut fastrand::Rng) -> Answer {
        if rng.u8(..16) == 0 {
            self.late.push_back(events.to_vec());
        }
        let html = |status| api::events_answer(status, true, None, b"<html>Welcome</html>");
        match self.weather {
            Weather::Down => return gone(Unreachable::Connect),
            Weather::RequestLost => return gone(Unreachable::Timeout),
            Weather::CaptivePortal => return html(200),
            Weather::AddonMissing => return html(404),
            Weather::ServerError => return html(502),
            Weather::Busy => return refused(503, "busy", Some(Duration::from_secs(rng.u64(..2000))), None),
            Weather::TooLarge if events.len() > 1 => return refused(413, "too_large", None, None),
            Weather::Good
            | Weather::ReplyLost
            | Weather::OtherReceipts
            | Weather::CutReply
            | Weather::TooLarge
            | Weather::NotNow
            | Weather::NoPhotos
            | Weather::NoFiles
            | Weather::Slow => {}
        }
        if token_time.0.abs_diff(truth.0) > SKEW_MS {
            return refused(401, "clock_skew", None, Some(truth));
        }
        let results: Vec<ResultV1> = events.iter().map(|event| self.receive(event)).collect();
        let body = serde_json::to_vec(&EventsResponse { results, server_time: Some(truth.to_string()) }).unwrap();
        match self.weather {
            Weather::ReplyLost => gone(Unreachable::Timeout),
            Weather::CutReply => api::events_answer(200, false, None, &body[..rng.usize(..body.len())]),
            Weather::Good
            | Weather::Down
            | Weather::RequestLost
            | Weather::CaptivePortal
            | Weather::AddonMissing
            | Weather::ServerError
            | Weather::OtherReceipts
            | Weather::Busy
            | Weather::TooLarge
            | Weather::NotNow
            | Weather::NoPhotos
            | Weather::NoFiles
            | Weather::Slow => api::events_answer(200, false, None, &body),
        }
    }

    /// What Odoo has under a sequence.
    pub(crate) fn digest_of(&self, sequence: Sequence) -> Option<Digest> {
        self.digests.get(&sequence).copied()
    }

    pub(crate) fn has_photo(&self, digest: Digest) -> bool {
        self.book.photo(&digest.to_string()).is_some_and(|photo| photo.complete)
    }

    fn receive(&mut self, event: &str) -> ResultV1 {
        let rejected = self.poison && is_poisonous(Digest::of(event.as_bytes()));
        let status = match self.weather {
            Weather::NotNow => Some(StatusV1::Retry),
            // Good news about something else; what was sent is thrown away.
            Weather::OtherReceipts => Some(StatusV1::Created),
            Weather::Good
            | Weather::Down
            | Weather::ReplyLost
            | Weather::RequestLost
            | Weather::CaptivePortal
            | Weather::AddonMissing
            | Weather::ServerError
            | Weather::CutReply
            | Weather::Busy
            | Weather::TooLarge
            | Weather::NoPhotos
            | Weather::NoFiles
            | Weather::Slow => rejected.then_some(StatusV1::Rejected),
        };
        let Some(status) = status else {
            let device = self.device.clone();
            let result = self.book.receive(event, &device);
            if result.status == StatusV1::Created {
                let sequence = self.book.cases().last().and_then(|case| case.event.sequence.parse().ok()).unwrap();
                let known = self.digests.insert(Sequence(sequence), Digest::of(event.as_bytes()));
                assert_eq!(known, None, "two events with sequence {sequence}");
            }
            return result;
        };
        let payload = tallyman::wire::jws::payload(event).unwrap();
        let event_json: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        ResultV1 {
            id: event_json["id"].as_str().map(ToOwned::to_owned),
            digest: if self.weather == Weather::OtherReceipts { Digest::ZERO } else { Digest::of(event.as_bytes()) }
                .to_string(),
            status,
            case: None,
            instructions: Vec::new(),
            missing_evidence: None,
            error: None,
        }
    }

    /// What went astray arrives now.
    pub(crate) fn arrive_late(&mut self) {
        if let Some(events) = self.late.pop_front() {
            events.iter().for_each(|event| drop(self.receive(event)));
        }
    }

    /// One request for a piece of a photo, or for how much of it is there.
    pub(crate) fn upload(&mut self, piece: Piece, bytes: &[u8]) -> Answer {
        match self.weather {
            Weather::Down => return gone(Unreachable::Connect),
            Weather::RequestLost => return gone(Unreachable::Timeout),
            Weather::CaptivePortal => return api::evidence_answer(200, true, None, b"<html>Welcome</html>"),
            Weather::AddonMissing => return api::evidence_answer(404, true, None, b"<html>404</html>"),
            Weather::ServerError => return api::evidence_answer(502, true, None, b""),
            Weather::Busy | Weather::NotNow => return refused(503, "busy", None, None),
            Weather::TooLarge => return refused(413, "too_large", None, None),
            Weather::NoPhotos if piece.offset.is_some() => {
                return api::evidence_answer(403, true, None, b"<html>Forbidden</html>");
            }
            Weather::NoFiles if piece.offset.is_some() => return refused(500, "internal", None, None),
            Weather::Good
            | Weather::ReplyLost
            | Weather::OtherReceipts
            | Weather::CutReply
            | Weather::NoPhotos
            | Weather::NoFiles
            | Weather::Slow => {}
        }
        let digest = piece.digest.to_string();
        let taken = match piece.offset {
            None => self.book.progress(&digest).map(|(received, _)| (received as usize, false)),
            Some(offset) => {
                let offset = offset as usize;
                let end = bytes.len().min(offset + piece.length as usize);
                self.book.evidence(&digest, offset, bytes.len(), &bytes[offset..end])
            }
        };
        if matches!(self.weather, Weather::ReplyLost | Weather::CutReply | Weather::OtherReceipts) {
            return gone(Unreachable::Broken);
        }
        match taken {
            Ok((received, complete)) => Answer::Photo { received: received as u64, complete },
            Err((status, error)) => Answer::Refused(ApiError {
                status,
                code: error.code,
                message: error.message,
                received: error.received,
                ..ApiError::default()
            }),
        }
    }
}

pub(crate) fn gone(why: Unreachable) -> Answer {
    Answer::Unreachable { why, detail: "simulated".to_owned() }
}

fn refused(status: u16, code: &str, retry_after: Option<Duration>, server_time: Option<Wall>) -> Answer {
    Answer::Refused(ApiError { status, code: code.to_owned(), retry_after, server_time, ..ApiError::default() })
}
