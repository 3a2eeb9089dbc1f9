//! The journal: every segment and every record, and of each event whether this device signed what its record says.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::{Findings, Found};
use crate::domain::id::{Digest, Sequence};
use crate::io::journal::{Disk, Journal, Peek, SEGMENT_BYTES};
use crate::io::keys::{DeviceKey, Identity};
use crate::wire::event_v1::EventV1;
use crate::wire::journal_v2::{EventRecord, Header, Record};
use crate::wire::jws::{self, JwsError};
use crate::wire::verify_v1::FindingV1;

/// What binds an event into the chain.
pub(super) struct Link {
    pub(super) digest: Digest,
    /// The event before it, as it says itself; `None` when it can't be read.
    pub(super) prev: Option<Digest>,
}

/// What the journal holds.
#[derive(Default)]
pub(super) struct Read {
    pub(super) events: BTreeMap<Sequence, Link>,
    pub(super) headers: BTreeMap<u64, Header>,
    /// Receipts, by segment.
    pub(super) receipts: BTreeMap<u64, u64>,
    /// The first event that the oldest segment can hold; all before it is in Odoo, or stands later.
    pub(super) first: Option<Sequence>,
}

pub(super) fn look(folder: &Path, signer: Option<&(DeviceKey, Identity)>, found: &mut Found) -> io::Result<Read> {
    let mut read = Read::default();
    let disk = Peek::at(folder);
    for segment in disk.segments()? {
        let header = Header::decode(&disk.load(segment)?.bytes).ok();
        read.headers.extend(header.map(|(header, _)| (segment, header)));
        found.checked.segments += 1;
    }
    let findings = &mut found.findings;
    let opened = Journal::open(disk, SEGMENT_BYTES, None, |record, at| match record {
        Record::Event(event) | Record::Carried { event, .. } => read.event(&event, signer, findings),
        Record::Delivered { .. } => *read.receipts.entry(at.segment).or_default() += 1,
        Record::Parked { .. }
        | Record::PhotoSent { .. }
        | Record::Offset { .. }
        | Record::Returned { .. }
        | Record::PhotoLost { .. } => {}
    });
    match opened {
        Ok((_, recovery)) => {
            (read.first, found.checked.records) = (recovery.first, recovery.records);
            recovery.damage.into_iter().for_each(|what| findings.add(damage(what)));
            for (from, to) in recovery.gaps {
                findings.add(damage(format!("events {} to {} can't be read any more", from.0, to.0)));
            }
        }
        // A later version wrote it.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => findings.add(damage(error.to_string())),
        Err(error) => return Err(error),
    }
    Ok(read)
}

fn damage(what: String) -> FindingV1 {
    FindingV1 {
        place: "journal",
        report: None,
        what,
        kept: "every record that is whole; the agent goes on with those",
        to_do: "report again what is missing; if this comes back, replace the device's disk",
    }
}

impl Read {
    fn event(&mut self, record: &EventRecord, signer: Option<&(DeviceKey, Identity)>, findings: &mut Findings) {
        let sequence = Sequence(record.sequence);
        let mut wrong = |what: String| findings.add(forged(sequence, what));
        let payload = jws::payload(&record.jws);
        let event = payload.and_then(|payload| serde_json::from_slice::<EventV1>(&payload).ok());
        match (&event, signer) {
            (None, _) => wrong("what was signed can't be read".to_owned()),
            (Some(event), Some((key, identity))) => {
                if let Some(what) = signature(record, key).or_else(|| contradiction(record, event, identity)) {
                    wrong(what);
                }
            }
            // Without a key nobody signs here, which is said elsewhere.
            (Some(_), None) => {}
        }
        let prev = event.and_then(|event| Digest::parse(&event.prevhash));
        let link = Link { digest: record.digest(), prev };
        if let Some(known) = self.events.get(&sequence)
            && known.digest != link.digest
        {
            wrong("two different reports have this number".to_owned());
        }
        self.events.insert(sequence, link);
    }
}

fn signature(record: &EventRecord, key: &DeviceKey) -> Option<String> {
    let known = |kid: &str| (kid == key.kid()).then(|| key.verifying_key());
    match jws::verify(&record.jws, jws::EVENT, known) {
        Ok(_) => None,
        Err(JwsError::UnknownKid) => Some("another key than this device's signed it".to_owned()),
        Err(error @ (JwsError::BadSignature | JwsError::Malformed)) => Some(error.to_string()),
    }
}

/// What the record says of the event, and the event doesn't.
fn contradiction(record: &EventRecord, event: &EventV1, identity: &Identity) -> Option<String> {
    let device = identity.device_id().map(|device| device.source());
    let sequence = Sequence(record.sequence).to_string();
    let recorded = record.photos.iter().map(|photo| &photo.digest);
    if device.as_ref() != Some(&event.source) {
        Some(format!("it is signed as another device's ({})", event.source))
    } else if event.id != record.id || event.sequence != sequence {
        Some(format!("it is signed as number {} with the id {}", event.sequence, event.id))
    } else if !event.data.photos.iter().map(|photo| &photo.sha256).eq(recorded) {
        Some("its record names other photos than it does".to_owned())
    } else {
        None
    }
}

fn forged(sequence: Sequence, what: String) -> FindingV1 {
    FindingV1 {
        place: "signature",
        report: Some(sequence.0),
        what,
        kept: "the report; Odoo decides by its own keys whether it takes it",
        to_do: "if this device was enrolled again since, Odoo knows the old key; if not, somebody wrote into its folder: \
                find out who can, and revoke the device in Odoo",
    }
}
