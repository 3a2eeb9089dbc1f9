//! Reports as a bench writes them: as large as real ones, about nothing.

use crate::domain::id::{Digest, EventId, Sequence};
use crate::domain::outbox::{Entry, State};
use crate::domain::policy::Kind;
use crate::domain::time::Wall;
use crate::wire::journal_v2::{EventRecord, Record};

/// The mean of the contract's events, signed: a short pick with its scans.
const JWS_BYTES: usize = 1200;

pub(super) fn report(n: u64) -> (Record, Entry) {
    let jws = format!("{n:0>JWS_BYTES$}");
    let entry = Entry {
        sequence: Sequence(n),
        id: EventId(uuid::Builder::from_random_bytes(u128::from(n).to_be_bytes()).into_uuid()),
        digest: Digest::of(jws.as_bytes()),
        size: jws.len() as u64,
        kind: Kind::PickShortage,
        subject: format!("WH/OUT/{n:05}").into(),
        captured: Wall(1_795_000_000_000),
        photos: Box::default(),
        state: State::FRESH,
    };
    (Record::Event(EventRecord::of(&entry, jws)), entry)
}
