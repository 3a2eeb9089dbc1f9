//! The receiver's books: which keys, events, cases and photos there are. The rules of docs/protocol.md, without HTTP.

mod enrolment;

use std::collections::HashMap;

use ed25519_dalek::VerifyingKey;
use enrolment::Invitation;

use crate::domain::id::Digest;
use crate::domain::time::Wall;
use crate::wire::device_api_v1::{Claims, ErrorV1, ResultV1, StatusV1};
use crate::wire::event_v1::{EventV1, TYPE_PREFIX, TYPE_SUFFIX};
use crate::wire::jws::{self, JwsError};

/// The memory of a demo has an end.
const MAX_EVENTS: usize = 20_000;
const MAX_PHOTO_BYTES: usize = 256 << 20;
/// How far ahead of ours a device's clock may be, and how long a token may live, in seconds.
const AHEAD: i64 = 60;
const LONGEST_LIFE: i64 = 300;

#[derive(Debug)]
pub struct Book {
    audience: String,
    invitations: Vec<Invitation>,
    keys: HashMap<String, Key>,
    events: HashMap<String, Known>,
    cases: Vec<Case>,
    photos: HashMap<String, Photo>,
    photo_bytes: usize,
    photo_calls: Vec<PhotoCall>,
    revoked: bool,
    rejects: bool,
}

#[derive(Clone, Debug)]
struct Key {
    key: VerifyingKey,
    device: String,
    revoked: bool,
}

#[derive(Debug)]
struct Known {
    digest: String,
    case: usize,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub number: String,
    pub event: EventV1,
    /// How often the event came: every time after the first is a duplicate that changed nothing.
    pub deliveries: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Photo {
    pub bytes: Vec<u8>,
    pub media_type: String,
    /// What the event that names it said.
    pub size: u64,
    pub complete: bool,
}

/// One call about a photo, in the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhotoCall {
    /// How much was there.
    Asked { sha256: String, received: u64 },
    /// A piece that arrived whole, taken or refused.
    Piece { sha256: String, offset: u64, length: u64, taken: bool },
}

/// A refusal of a whole call: HTTP status and error.
pub type Refused = (u16, ErrorV1);

impl Book {
    pub fn new(audience: String, code: String) -> Book {
        let mut book = Book {
            audience,
            invitations: Vec::new(),
            keys: HashMap::new(),
            events: HashMap::new(),
            cases: Vec::new(),
            photos: HashMap::new(),
            photo_bytes: 0,
            photo_calls: Vec::new(),
            revoked: false,
            rejects: false,
        };
        book.invite(&code, None);
        book
    }

    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    pub fn photo(&self, digest: &str) -> Option<&Photo> {
        self.photos.get(digest)
    }

    /// The calls about photos, up to a bound.
    pub fn photo_calls(&self) -> &[PhotoCall] {
        &self.photo_calls
    }

    fn log(&mut self, call: PhotoCall) {
        if self.photo_calls.len() < MAX_EVENTS {
            self.photo_calls.push(call);
        }
    }

    /// How many bytes of a photo are here, and how many it has.
    pub fn progress(&mut self, digest: &str) -> Result<(u64, Option<u64>), Refused> {
        let photo = self.photos.get(digest).ok_or_else(unknown_evidence)?;
        let (received, size) = (photo.bytes.len() as u64, photo.size);
        self.log(PhotoCall::Asked { sha256: digest.to_owned(), received });
        Ok((received, Some(size).filter(|size| *size > 0)))
    }

    /// Refuses the device from here on, as an administrator would.
    pub fn revoke(&mut self) {
        self.revoked = true;
    }

    /// Takes the revocation back.
    pub fn reinstate(&mut self) {
        self.revoked = false;
    }

    /// Rejects every new event from here on, or no longer.
    pub fn reject(&mut self, rejects: bool) {
        self.rejects = rejects;
    }

    /// Who sent a request, by its token.
    pub fn authorise(&self, token: &str, now: Wall) -> Result<String, Refused> {
        let unauthorized = |message| refused(401, "unauthorized", message);
        let verified = jws::verify(token, jws::REQUEST, |kid| self.keys.get(kid).map(|known| known.key))
            .map_err(|_| unauthorized("The request token is not signed by a key that is known here."))?;
        let claims: Claims =
            serde_json::from_slice(&verified.payload).map_err(|_| unauthorized("The request token can't be read."))?;
        let device = self.keys.get(&verified.kid).map(|known| known.device.clone()).unwrap_or_default();
        let life = claims.exp.saturating_sub(claims.iat);
        let sound = claims.iss == device && claims.aud == self.audience && uuid::Uuid::try_parse(&claims.jti).is_ok();
        if !sound || !(1..=LONGEST_LIFE).contains(&life) {
            return Err(unauthorized("The request token is for somebody else."));
        }
        let seconds = now.0.div_euclid(1000);
        if claims.iat > seconds + AHEAD || claims.exp <= seconds {
            let (status, mut error) = refused(401, "clock_skew", "The token is outside its time: correct the clock.");
            error.retryable = true;
            error.server_time = Some(now.to_string());
            return Err((status, error));
        }
        if self.revoked || self.keys.get(&verified.kid).is_some_and(|known| known.revoked) {
            return Err(refused(403, "revoked", "This device was revoked."));
        }
        Ok(device)
    }

    /// Takes one event of an authorised device.
    pub fn receive(&mut self, event: &str, device: &str) -> ResultV1 {
        let digest = Digest::of(event.as_bytes()).to_string();
        match self.read(event, device) {
            Err((id, code)) => ResultV1 {
                id,
                digest,
                status: StatusV1::Rejected,
                case: None,
                instructions: Vec::new(),
                missing_evidence: None,
                error: Some(ErrorV1 { code: code.to_owned(), message: explain(code).to_owned(), ..ErrorV1::default() }),
            },
            Ok(event) => self.file(event, digest),
        }
    }

    fn read(&self, event: &str, device: &str) -> Result<EventV1, (Option<String>, &'static str)> {
        let verified = jws::verify(event, jws::EVENT, |kid| self.keys.get(kid).map(|known| known.key));
        let verified = verified.map_err(|error| {
            let code = match error {
                JwsError::Malformed => "bad_jws",
                JwsError::UnknownKid => "unknown_kid",
                JwsError::BadSignature => "bad_signature",
            };
            (None, code)
        })?;
        let read: EventV1 = serde_json::from_slice(&verified.payload).map_err(|_| (None, "bad_event"))?;
        let signer = self.keys.get(&verified.kid);
        if signer.is_some_and(|known| known.revoked) {
            return Err((Some(read.id), "revoked_key"));
        }
        if signer.map(|known| known.device.as_str()) != Some(device) || read.source != format!("urn:uuid:{device}") {
            return Err((Some(read.id), "wrong_device"));
        }
        if self.rejects {
            return Err((Some(read.id), "bad_event"));
        }
        let ours = read.kind.starts_with(TYPE_PREFIX) && read.kind.ends_with(TYPE_SUFFIX);
        if read.specversion != "1.0" || uuid::Uuid::try_parse(&read.id).is_err() || !ours {
            return Err((Some(read.id), "bad_event"));
        }
        Ok(read)
    }

    fn file(&mut self, event: EventV1, digest: String) -> ResultV1 {
        let id = event.id.clone();
        let (status, case) = match self.events.get(&id) {
            Some(known) if known.digest == digest => (StatusV1::Duplicate, Some(known.case)),
            Some(_) => (StatusV1::Conflict, None),
            None if self.cases.len() >= MAX_EVENTS => (StatusV1::Retry, None),
            None => (StatusV1::Created, Some(self.open_case(event, &digest))),
        };
        let case = case.and_then(|index| self.cases.get_mut(index));
        let wanted = case.as_ref().map(|case| case.event.data.photos.clone()).unwrap_or_default();
        let number = case.map(|case| {
            case.deliveries += 1;
            case.number.clone()
        });
        let missing = wanted.into_iter().map(|photo| photo.sha256);
        let missing = missing.filter(|sha256| !self.photos.get(sha256).is_some_and(|photo| photo.complete)).collect();
        ResultV1 {
            id: Some(id),
            digest,
            status,
            case: number,
            instructions: Vec::new(),
            missing_evidence: Some(missing),
            error: None,
        }
    }

    fn open_case(&mut self, event: EventV1, digest: &str) -> usize {
        let index = self.cases.len();
        for photo in &event.data.photos {
            let known = self.photos.entry(photo.sha256.clone()).or_default();
            known.media_type.clone_from(&photo.media_type);
            known.size = photo.size;
        }
        self.events.insert(event.id.clone(), Known { digest: digest.to_owned(), case: index });
        self.cases.push(Case { number: format!("DEMO/{:05}", index + 1), event, deliveries: 0 });
        index
    }

    /// Takes a piece of a photo. Returns how much is there, and whether that is all.
    pub fn evidence(
        &mut self,
        digest: &str,
        offset: usize,
        length: usize,
        piece: &[u8],
    ) -> Result<(usize, bool), Refused> {
        let taken = self.take_piece(digest, offset, length, piece);
        let (sha256, offset, length) = (digest.to_owned(), offset as u64, piece.len() as u64);
        self.log(PhotoCall::Piece { sha256, offset, length, taken: taken.is_ok() });
        taken
    }

    fn take_piece(
        &mut self,
        digest: &str,
        offset: usize,
        length: usize,
        piece: &[u8],
    ) -> Result<(usize, bool), Refused> {
        let photo = self.photos.get_mut(digest).ok_or_else(unknown_evidence)?;
        if photo.complete {
            return Ok((photo.bytes.len(), true));
        }
        if offset != photo.bytes.len() {
            let (status, mut error) = refused(409, "offset_mismatch", "Go on where this server stands.");
            error.received = Some(photo.bytes.len() as u64);
            return Err((status, error));
        }
        if self.photo_bytes + piece.len() > MAX_PHOTO_BYTES {
            return Err(refused(413, "too_large", "The demo keeps photos in memory and has enough of them."));
        }
        self.photo_bytes += piece.len();
        photo.bytes.extend_from_slice(piece);
        if photo.bytes.len() < length {
            return Ok((photo.bytes.len(), false));
        }
        if Digest::of(&photo.bytes).to_string() != digest {
            self.photo_bytes -= photo.bytes.len();
            photo.bytes.clear();
            return Err(refused(422, "hash_mismatch", "The bytes do not hash to the name; start again."));
        }
        photo.complete = true;
        Ok((photo.bytes.len(), true))
    }
}

fn unknown_evidence() -> Refused {
    let (status, mut error) = refused(404, "unknown_evidence", "No event of this device names that photo.");
    error.retryable = true;
    (status, error)
}

pub fn refused(status: u16, code: &str, message: &str) -> Refused {
    (status, ErrorV1 { code: code.to_owned(), message: message.to_owned(), ..ErrorV1::default() })
}

fn explain(code: &str) -> &'static str {
    match code {
        "bad_jws" => "This is no event of the expected form.",
        "unknown_kid" => "The key that signed this event is not known here.",
        "bad_signature" => "The signature does not fit: the event was changed.",
        "revoked_key" => "The key that signed this event was revoked.",
        "wrong_device" => "Another device signed this event.",
        _ => "The event lacks what every event has.",
    }
}

/// A one-time code made of random bytes, as a person types it.
pub fn code(random: [u8; 20]) -> String {
    const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letters = random.iter().map(|byte| char::from(CROCKFORD[usize::from(byte % 32)])).collect::<Vec<_>>();
    letters.chunks(5).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}
