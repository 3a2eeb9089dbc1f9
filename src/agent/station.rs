//! The state of one device and every decision on it: inputs, the disk's word and Odoo's answers in, deeds out.
//!
//! It reads no clock and touches nothing, so the simulation drives this very code through crashes that no test of a real
//! machine could make often enough.

use std::collections::BTreeMap;

use crate::domain::capture::{Capture, Effect, Feedback, Input};
use crate::domain::catalog::Catalog;
use crate::domain::clock::DeviceClock;
use crate::domain::event::{Event, Report};
use crate::domain::evidence::Piece;
use crate::domain::forward::{Answer, Forwarder, Job};
use crate::domain::id::{ChainHead, DeviceId, Digest, Seed, Sequence};
use crate::domain::outbox::{Change, Entry, Outbox, State};
use crate::domain::policy::Policies;
use crate::domain::time::{Now, Wall};
use crate::io::keys::DeviceKey;
use crate::io::store::{Found, StoreError};
use crate::wire::event_v1::EventV1;
use crate::wire::journal_v2::{EventRecord, Record};
use crate::wire::jws;

/// So often a bad block is read again, each time after a longer wait, before it is believed: about half a minute.
const READ_AGAIN: u32 = 5;

/// What the loop read once, for this turn.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub now: Now,
    pub random: [u8; 32],
}

impl Turn {
    fn seed(&self) -> Seed {
        let mut seed = Seed::default();
        seed.copy_from_slice(&self.random[..10]);
        seed
    }

    fn jitter(&self) -> u8 {
        self.random[10]
    }
}

/// Who signs what this device says.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    pub device: DeviceId,
    pub key: &'a DeviceKey,
}

/// What the shell is to do, in this order.
#[derive(Debug)]
pub enum Deed {
    /// Make the report durable, and say through [`Station::saved`] whether it is.
    Save { record: Record, entry: Entry },
    /// Make it durable; nobody waits. One that is lost is learnt again from a duplicate's receipt.
    Note { record: Record, entry: Option<Entry> },
    /// Make it durable that the photo is in Odoo, and only then remove its file: no report needs it any more. The other way
    /// round, a crash in between would leave a report that waits for a photo which is gone.
    ForgetPhoto { record: Record, digest: Digest },
    /// The journal may forget these.
    Settled(Vec<Sequence>),
    /// Say it to the person.
    Tell(Feedback),
    /// Read these back and say through [`Station::read`] what came.
    Read(Vec<Sequence>),
    /// Send these; the time is for the request's token.
    Send { events: Vec<String>, wall: Wall },
    /// Send a piece of a photo, or ask how much of it is there.
    Upload { piece: Piece, wall: Wall },
    /// Put a photo that is damaged where nobody takes it for one.
    SetPhotoAside(Digest),
}

#[derive(Debug)]
pub struct Station {
    capture: Capture,
    outbox: Outbox,
    forwarder: Forwarder,
    clock: DeviceClock,
    head: ChainHead,
    /// The report on its way to the disk.
    saving: Option<Entry>,
    /// How often in a row a bad block kept these from being read; of the last request alone.
    unread: BTreeMap<Sequence, u32>,
    deeds: Vec<Deed>,
}

impl Station {
    pub fn new(
        catalog: Catalog,
        policies: Policies,
        forwarder: Forwarder,
        outbox: Outbox,
        head: ChainHead,
        clock: DeviceClock,
    ) -> Station {
        let capture = Capture::new(catalog, policies);
        let (saving, unread, deeds) = Default::default();
        Station { capture, outbox, forwarder, clock, head, saving, unread, deeds }
    }

    /// Goes on from what a start found on the disk.
    pub fn resume(
        catalog: Catalog,
        policies: Policies,
        forwarder: Forwarder,
        boot_id: String,
        found: Found,
    ) -> Station {
        let clock = DeviceClock::remembered(found.offset, boot_id);
        Station::new(catalog, policies, forwarder, found.outbox, found.head, clock)
    }

    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub fn forwarder(&self) -> &Forwarder {
        &self.forwarder
    }

    pub fn head(&self) -> ChainHead {
        self.head
    }

    /// The best known time.
    pub fn wall(&self, now: Now) -> Wall {
        self.clock.wall(now)
    }

    /// True while a report is on its way to the disk: no further input is to be handed in.
    pub fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// What is to be done now. To be asked after each call below.
    pub fn take_deeds(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.deeds)
    }

    pub fn input(&mut self, mut input: Input, turn: Turn, signer: Option<Signer<'_>>) {
        // A clock in 1970 would give an expiry date the wrong century, and an id the wrong time.
        let now = Now { wall: self.clock.wall(turn.now), ..turn.now };
        if let Input::Scan(scan) = &mut input {
            scan.at.wall = self.clock.wall_at(scan.at.boot, turn.now);
        }
        for effect in self.capture.handle(input, now, &turn.seed()) {
            match effect {
                Effect::Save(report) => match self.seal(*report, turn.now, signer) {
                    Ok((entry, jws)) => {
                        let record = Record::Event(EventRecord::of(&entry, jws));
                        self.saving = Some(entry.clone());
                        self.deeds.push(Deed::Save { record, entry });
                    }
                    Err(why) => self.input(Input::NotSaved { why }, turn, signer),
                },
                Effect::Tell(feedback) => self.deeds.push(Deed::Tell(feedback)),
            }
        }
    }

    /// Gives the report its place in the chain and signs it.
    fn seal(&self, mut report: Report, now: Now, signer: Option<Signer<'_>>) -> Result<(Entry, String), String> {
        let Some(Signer { device, key }) = signer else {
            return Err("this device is not enrolled yet. Ask IT: tallyman enroll --url ... --code ...".to_owned());
        };
        if !self.outbox.has_room() {
            return Err("too many reports wait on this device: bring it to a network first".to_owned());
        }
        report.put_right(&self.clock, now);
        let captured = self.clock.wall(now);
        let clock = self.clock.note(now, report.oldest(now));
        let event = Event { device, place: self.head, captured, clock, report };
        let payload = serde_json::to_vec(&EventV1::from(&event)).map_err(|error| error.to_string())?;
        let jws = key.sign_event(&payload);
        if jws.len() > jws::MAX_BYTES {
            return Err("the report is too large: shorten the note, or send it in two".to_owned());
        }
        let entry = Entry {
            sequence: self.head.next,
            id: event.report.id,
            digest: Digest::of(jws.as_bytes()),
            size: jws.len() as u64,
            kind: event.report.kind,
            subject: event.report.subject().into(),
            captured,
            photos: event.report.photos.into(),
            state: State::FRESH,
        };
        Ok((entry, jws))
    }

    /// The disk has the report, or refused it.
    pub fn saved(&mut self, result: Result<(), StoreError>, turn: Turn) {
        let Some(entry) = self.saving.take() else { return };
        let told = match result {
            Ok(()) => {
                tracing::info!(id = %entry.id, kind = entry.kind.slug(), sequence = entry.sequence.0, "saved");
                self.head = self.head.after(entry.digest);
                self.outbox.admit(entry, &[]);
                self.forwarder.poke(turn.now);
                Input::Saved { waiting: self.outbox.counts().pending, online: self.forwarder.is_online() }
            }
            Err(error) => Input::NotSaved { why: error.to_string() },
        };
        // What the person is told saves nothing, so nobody needs to sign.
        self.input(told, turn, None);
    }

    /// Begins the next request, if one is due.
    pub fn send_what_is_due(&mut self, now: Now) {
        match self.forwarder.poll_send(&mut self.outbox, now) {
            Some(Job::Events(sequences)) => self.deeds.push(Deed::Read(sequences)),
            Some(Job::Photo(piece)) => self.deeds.push(Deed::Upload { piece, wall: self.clock.wall(now) }),
            None => {}
        }
    }

    /// The bytes of the events that are to be sent. One whose bytes are damaged or gone is parked, visibly; anything else that
    /// keeps the disk from reading, too many open files say, may pass: then all of them wait.
    pub fn read(&mut self, events: Vec<(Sequence, Result<String, StoreError>)>, turn: Turn) {
        let (mut readable, mut parked, mut passing) = (Vec::with_capacity(events.len()), Vec::new(), None);
        let tried = std::mem::take(&mut self.unread);
        for (sequence, read) in events {
            match read {
                Ok(jws) => readable.push(jws),
                Err(error @ StoreError::BadBlock(_))
                    if tried.get(&sequence).is_none_or(|tried| *tried < READ_AGAIN) =>
                {
                    self.unread.insert(sequence, tried.get(&sequence).map_or(1, |tried| tried + 1));
                    passing = Some(error.to_string());
                }
                Err(error @ (StoreError::Unreadable(_) | StoreError::BadBlock(_))) => {
                    tracing::error!(sequence = sequence.0, %error, "an event can't be read back and is parked");
                    self.forwarder.leave_out(sequence);
                    parked.extend(self.outbox.park(sequence, "unreadable", &error.to_string()));
                }
                Err(error @ (StoreError::Disk(_) | StoreError::Full | StoreError::Busy | StoreError::Stopped)) => {
                    passing = Some(error.to_string());
                }
            }
        }
        self.persist(parked);
        match passing {
            Some(why) => self.answered(Answer::Local { detail: format!("reports can't be read back: {why}") }, turn),
            None if readable.is_empty() => {}
            None => self.deeds.push(Deed::Send { events: readable, wall: self.clock.wall(turn.now) }),
        }
    }

    /// What came back from the request under way.
    pub fn answered(&mut self, answer: Answer, turn: Turn) {
        let before = self.forwarder.trouble().cloned();
        let outcome = self.forwarder.handle_reply(answer, &mut self.outbox, turn.now, turn.jitter());
        if before.as_ref() != self.forwarder.trouble() {
            match self.forwarder.trouble() {
                Some(trouble) => tracing::warn!(code = trouble.code(), detail = trouble.detail(), "{trouble}"),
                None => tracing::info!("Odoo is reached again"),
            }
        }
        if let Some(offset) = outcome.heard.and_then(|heard| self.clock.learn(heard, turn.now)) {
            tracing::info!(offset_ms = offset.ms, "the clock's offset was learnt from the server");
            self.deeds.push(Deed::Note { record: Record::from(offset), entry: None });
        }
        self.persist(outcome.changes);
    }

    /// A person wants parked events to be sent again: one, or all. Says how many those are.
    pub fn send_again(&mut self, which: Option<Sequence>) -> usize {
        let parked = self.outbox.entries().filter(|entry| matches!(entry.state, State::Parked(_)));
        let parked = parked.map(|entry| entry.sequence);
        let wanted: Vec<Sequence> = parked.filter(|sequence| which.is_none_or(|which| which == *sequence)).collect();
        let changes: Vec<Change> = wanted.into_iter().filter_map(|sequence| self.outbox.send_again(sequence)).collect();
        let count = changes.len();
        self.persist(changes);
        count
    }

    /// An interface, an address or a route came or went.
    pub fn network_changed(&mut self, now: Now) {
        self.forwarder.network_changed(now);
    }

    /// The device was enrolled, perhaps again.
    pub fn enrolled(&mut self) {
        self.forwarder.enrolled();
    }

    fn persist(&mut self, changes: Vec<Change>) {
        let mut unneeded = self.outbox.take_unneeded();
        for change in changes {
            let record = Record::from(&change);
            let sequence = match change {
                Change::Delivered { sequence, case, .. } => {
                    tracing::info!(sequence = sequence.0, case = case.as_deref().unwrap_or("-"), "in Odoo");
                    Some(sequence)
                }
                Change::Parked { sequence, why } => {
                    tracing::warn!(sequence = sequence.0, code = why.code, "parked: {}", why.message);
                    Some(sequence)
                }
                Change::Returned { sequence } => {
                    tracing::info!(sequence = sequence.0, "a parked report is sent again");
                    Some(sequence)
                }
                Change::PhotoLost { digest, why } => {
                    tracing::error!(%digest, why, "a photo was given up; its report stands without it");
                    self.deeds.push(Deed::SetPhotoAside(digest));
                    unneeded.retain(|unneeded| *unneeded != digest);
                    None
                }
                // Its file goes below, with the same record.
                Change::PhotoSent { digest } if unneeded.contains(&digest) => continue,
                Change::PhotoSent { .. } => None,
            };
            let entry = sequence.and_then(|sequence| self.outbox.find_sequence(sequence)).cloned();
            self.deeds.push(Deed::Note { record, entry });
        }
        // Behind what lets their reports go. The server may have had them already: from a bundle, or before its answer was lost.
        for digest in unneeded {
            self.deeds.push(Deed::ForgetPhoto { record: Record::from(&Change::PhotoSent { digest }), digest });
        }
        let settled = self.outbox.take_settled();
        if !settled.is_empty() {
            self.deeds.push(Deed::Settled(settled));
        }
    }
}

#[cfg(test)]
mod tests;
