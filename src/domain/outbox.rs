//! What is on this device and not yet wholly in Odoo: each event from its commit to its receipt and its last photo.
//!
//! The outbox holds states, never event bytes, and doesn't know what an event means.

mod needs;
mod order;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::event::Photo;
use super::evidence::{LostPhoto, Piece, Start, Upload, Uploads};
use super::id::{Digest, EventId, Sequence};
use super::policy::Kind;
use super::receipt::{Receipt, Refusal, Status, Verdict};
use super::shared::Shared;
use super::time::{Deadline, Now, Wall};
use needs::Needs;
use order::{Line, Order};

/// Beyond this, captures are refused visibly: weeks of work at any warehouse, and some tens of megabytes of memory.
pub const MAX_WAITING: usize = 200_000;
/// What one request may carry, within the wire's limits.
pub const MAX_BATCH: usize = 50;
const MAX_BATCH_BYTES: u64 = 1 << 20;
/// How many delivered reports the list "mine" shows.
const RECENT: usize = 50;

/// What the outbox must know of an event; its bytes are the journal's. Small, because there may be [`MAX_WAITING`]; a test
/// watches its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub sequence: Sequence,
    pub id: EventId,
    pub digest: Digest,
    /// Of the JWS, in bytes.
    pub size: u64,
    pub kind: Kind,
    pub subject: Box<str>,
    pub captured: Wall,
    pub photos: Box<[Photo]>,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Waiting {
        attempts: u32,
        not_before: Option<Deadline>,
        /// Why it did not go when it was last tried, or why it was parked before a person sent it again.
        last: Option<Arc<Refusal>>,
    },
    /// In a request that is under way.
    Leased { attempts: u32, last: Option<Arc<Refusal>> },
    /// Refused by the server for good: a person decides.
    Parked(Arc<Refusal>),
    /// In Odoo; `case` is its number there. Its photos may still be on the way.
    Delivered { case: Option<String> },
}

impl State {
    pub const FRESH: State = State::Waiting { attempts: 0, not_before: None, last: None };

    pub fn name(&self) -> &'static str {
        match self {
            State::Waiting { .. } => "pending",
            State::Leased { .. } => "sending",
            State::Parked(_) => "parked",
            State::Delivered { .. } => "delivered",
        }
    }
}

/// A change that must reach the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Delivered {
        sequence: Sequence,
        case: Option<String>,
        photos_there: Vec<Digest>,
    },
    Parked {
        sequence: Sequence,
        why: Refusal,
    },
    /// A person wants it to be sent again.
    Returned {
        sequence: Sequence,
    },
    PhotoSent {
        digest: Digest,
    },
    /// A photo can't arrive any more; the report stands without it.
    PhotoLost {
        digest: Digest,
        why: String,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub pending: usize,
    pub parked: usize,
    pub delivered: u64,
    pub photos_pending: usize,
    /// Given up, because their files are gone or damaged.
    pub photos_lost: usize,
    pub oldest_pending: Option<Wall>,
}

#[derive(Debug, Default)]
pub struct Outbox {
    /// Boxed: a map that only grows at its end is half empty, and an entry is large.
    entries: BTreeMap<Sequence, Box<Entry>>,
    order: Order,
    needs: Needs,
    oldest_pending: Option<Sequence>,
    uploads: Uploads,
    /// Delivered events whose photos are still on the way.
    awaiting_photos: BTreeSet<Sequence>,
    recent: VecDeque<Entry>,
    /// Wholly in Odoo since the last [`Outbox::take_settled`].
    settled: Vec<Sequence>,
    /// Photos that no report here names any more since the last [`Outbox::take_unneeded`].
    unneeded: Vec<Digest>,
    delivered: u64,
    parked: usize,
    /// Why reports did not go.
    reasons: Shared<Refusal>,
}

impl Outbox {
    /// An outbox that has delivered `delivered` events in earlier runs.
    pub fn new(delivered: u64) -> Outbox {
        Outbox { delivered, ..Outbox::default() }
    }

    pub fn has_room(&self) -> bool {
        self.entries.len() < MAX_WAITING
    }

    /// Takes an event that is durable. Entries that an earlier run delivered come back as [`State::Delivered`] when
    /// photos of theirs are still here.
    pub fn admit(&mut self, entry: impl Into<Box<Entry>>, photos_sent: &[Digest]) {
        let mut entry = entry.into();
        let sequence = entry.sequence;
        match &mut entry.state {
            State::Parked(why) => {
                *why = self.reasons.keep(Refusal::clone(why), Refusal::untold);
                self.parked += 1;
            }
            State::Delivered { .. } => {
                self.uploads.want(&entry.photos, photos_sent, Start::Unknown);
                self.awaiting_photos.insert(sequence);
            }
            State::Waiting { not_before, .. } => {
                self.order.wait(Line::of(&entry.subject, sequence), sequence, *not_before);
                self.is_pending(sequence);
            }
            State::Leased { .. } => {
                self.order.wait(Line::of(&entry.subject, sequence), sequence, None);
                self.is_pending(sequence);
            }
        }
        self.needs.add(&entry.photos, sequence);
        self.entries.insert(sequence, entry);
        self.forget_if_settled(sequence);
    }

    /// A report waits: it may be the oldest that does.
    fn is_pending(&mut self, sequence: Sequence) {
        self.oldest_pending = Some(self.oldest_pending.map_or(sequence, |oldest| oldest.min(sequence)));
    }

    /// A report waits no more: it was delivered or parked.
    fn is_decided(&mut self, line: Line, sequence: Sequence) {
        self.order.leave(line, sequence);
        if self.oldest_pending == Some(sequence) {
            // What waits behind it is mostly the very next one.
            let pending = |entry: &Entry| matches!(entry.state, State::Waiting { .. } | State::Leased { .. });
            let mut rest = self.entries.range(sequence..);
            self.oldest_pending = rest.find(|(_, entry)| pending(entry)).map(|(sequence, _)| *sequence);
        }
    }

    pub fn get(&self, sequence: Sequence) -> Option<&Entry> {
        self.entries.get(&sequence).map(|entry| &**entry)
    }

    pub fn find(&self, id: EventId) -> Option<&Entry> {
        self.entries().chain(&self.recent).find(|entry| entry.id == id)
    }

    /// By sequence, among what is here and what just left.
    pub fn find_sequence(&self, sequence: Sequence) -> Option<&Entry> {
        self.get(sequence).or_else(|| self.recent.iter().find(|entry| entry.sequence == sequence))
    }

    /// Everything that is still here, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values().map(|entry| &**entry)
    }

    /// The latest that are wholly in Odoo, newest last.
    pub fn recent(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.recent.iter()
    }

    pub fn counts(&self) -> Counts {
        Counts {
            pending: self.entries.len() - self.parked - self.awaiting_photos.len(),
            parked: self.parked,
            delivered: self.delivered,
            photos_pending: self.uploads.len(),
            photos_lost: self.uploads.lost().len(),
            oldest_pending: self
                .oldest_pending
                .and_then(|oldest| self.entries.get(&oldest))
                .map(|entry| entry.captured),
        }
    }

    /// What may be sent at `now`, oldest first, at most `max` events and [`MAX_BATCH_BYTES`]. An event stays while an
    /// earlier one of its document must wait or is under way; a parked one holds up nobody.
    pub fn lease(&mut self, max: usize, now: Now) -> Vec<Sequence> {
        let Outbox { order, entries, .. } = self;
        let (mut count, mut bytes) = (0, 0);
        let leased = order.lease(now, |sequence| {
            bytes += entries.get(&sequence).map_or(0, |entry| entry.size);
            count += 1;
            count <= max && (bytes <= MAX_BATCH_BYTES || count == 1)
        });
        for sequence in &leased {
            if let Some(entry) = entries.get_mut(sequence)
                && let State::Waiting { attempts, last, .. } = &mut entry.state
            {
                entry.state = State::Leased { attempts: attempts.saturating_add(1), last: last.take() };
            }
        }
        leased
    }

    /// When something that waits may be sent: at once (`Some(now)`), later, or never.
    pub fn next_due(&self, now: Now) -> Option<Deadline> {
        self.order.next_due(now)
    }

    /// Gives leased events back unsent, or unanswered: they wait for the next request.
    pub fn give_back(&mut self, sequences: &[Sequence]) {
        for sequence in sequences {
            self.keep(*sequence, None, None);
        }
    }

    /// A leased event waits again: for the next request, or until its own time.
    fn keep(&mut self, sequence: Sequence, until: Option<Deadline>, why: Option<Refusal>) {
        if let Some(entry) = self.entries.get_mut(&sequence)
            && let State::Leased { attempts, last } = &mut entry.state
        {
            let why = why.map(|why| self.reasons.keep(why, Refusal::untold));
            entry.state = State::Waiting { attempts: *attempts, not_before: until, last: why.or(last.take()) };
            self.order.wait(Line::of(&entry.subject, sequence), sequence, until);
        }
    }

    /// Judges a leased event by its receipt. `retry` is when an event that must be kept may be sent again.
    pub fn settle(&mut self, sequence: Sequence, receipt: &Receipt, retry: Deadline) -> Option<Change> {
        let entry = self.entries.get_mut(&sequence)?;
        let State::Leased { .. } = entry.state else { return None };
        let line = Line::of(&entry.subject, sequence);
        match receipt.verdict(entry.id, entry.digest) {
            Verdict::Release { case, missing_evidence } => {
                entry.state = State::Delivered { case: case.clone() };
                self.delivered += 1;
                let there =
                    |photo: &&Photo| missing_evidence.as_ref().is_some_and(|missing| !missing.contains(&photo.digest));
                let photos_there: Vec<Digest> = entry.photos.iter().filter(there).map(|photo| photo.digest).collect();
                // A duplicate is an event that was here before: so may its photos have been.
                let start = if receipt.status == Status::Created { Start::Fresh } else { Start::Unknown };
                self.uploads.want(&entry.photos, &photos_there, start);
                self.awaiting_photos.insert(sequence);
                self.is_decided(line, sequence);
                self.forget_if_settled(sequence);
                Some(Change::Delivered { sequence, case, photos_there })
            }
            Verdict::Park(why) => {
                entry.state = State::Parked(self.reasons.keep(why.clone(), Refusal::untold));
                self.parked += 1;
                self.is_decided(line, sequence);
                Some(Change::Parked { sequence, why })
            }
            Verdict::Keep(why) => {
                self.keep(sequence, Some(retry), Some(why));
                None
            }
        }
    }

    /// A leased event steps aside until `retry`, so that those of other documents go on.
    pub fn set_aside(&mut self, sequence: Sequence, why: Option<Refusal>, retry: Deadline) {
        self.keep(sequence, Some(retry), why);
    }

    /// Parks an event for a reason of this device's own.
    pub fn park(&mut self, sequence: Sequence, code: &str, message: &str) -> Option<Change> {
        let entry = self.entries.get_mut(&sequence)?;
        if matches!(entry.state, State::Parked(_) | State::Delivered { .. }) {
            return None;
        }
        let why = Refusal { code: code.to_owned(), message: message.to_owned() };
        entry.state = State::Parked(self.reasons.keep(why.clone(), Refusal::untold));
        let line = Line::of(&entry.subject, sequence);
        self.parked += 1;
        self.is_decided(line, sequence);
        Some(Change::Parked { sequence, why })
    }

    /// The upload of a photo, if it is still wanted.
    pub fn upload(&self, digest: Digest) -> Option<&Upload> {
        self.uploads.get(digest)
    }

    /// The piece of a photo to send next: only of those whose event is in Odoo.
    pub fn next_upload(&self, now: Now) -> Option<Piece> {
        self.uploads.next(now)
    }

    pub fn uploads_mut(&mut self) -> &mut Uploads {
        &mut self.uploads
    }

    /// Why a photo waits that was to go before, if one does.
    pub fn photo_trouble(&self) -> Option<&str> {
        self.uploads.trouble()
    }

    pub fn next_upload_due(&self, now: Now) -> Option<Deadline> {
        self.uploads.next_due(now)
    }

    pub fn photo_sent(&mut self, digest: Digest) -> Option<Change> {
        let known = self.uploads.sent(digest);
        self.photo_done(digest);
        known.then_some(Change::PhotoSent { digest })
    }

    /// Gives a photo up, visibly: its report stands without it.
    pub fn photo_lost(&mut self, digest: Digest, why: &str) -> Option<Change> {
        let known = self.uploads.lose(digest, why);
        self.photo_done(digest);
        known.then(|| Change::PhotoLost { digest, why: why.to_owned() })
    }

    /// A photo that an earlier run gave up.
    pub fn remember_lost(&mut self, digest: Digest, why: &str) {
        self.uploads.remember_lost(digest, why);
    }

    /// Photos that were given up, the latest last.
    pub fn lost_photos(&self) -> impl ExactSizeIterator<Item = &LostPhoto> {
        self.uploads.lost()
    }

    /// A photo is on the way no more: reports that waited for it alone are wholly in Odoo.
    fn photo_done(&mut self, digest: Digest) {
        for sequence in self.needs.reports(digest) {
            self.forget_if_settled(sequence);
        }
    }

    /// True while a photo's file may still have to be sent.
    pub fn needs_photo(&self, digest: Digest) -> bool {
        self.needs.any(digest)
    }

    /// Puts a parked event back among those that wait. Why it was parked stays visible until there is news.
    pub fn send_again(&mut self, sequence: Sequence) -> Option<Change> {
        let entry = self.entries.get_mut(&sequence)?;
        let State::Parked(why) = &entry.state else { return None };
        entry.state = State::Waiting { attempts: 0, not_before: None, last: Some(why.clone()) };
        let line = Line::of(&entry.subject, sequence);
        self.parked -= 1;
        self.order.wait(line, sequence, None);
        self.is_pending(sequence);
        Some(Change::Returned { sequence })
    }

    /// What has become wholly Odoo's since this was last asked: the journal may forget it.
    pub fn take_settled(&mut self) -> Vec<Sequence> {
        std::mem::take(&mut self.settled)
    }

    /// Photos whose files may go, once it is durable why.
    pub fn take_unneeded(&mut self) -> Vec<Digest> {
        std::mem::take(&mut self.unneeded)
    }

    /// Moves a delivered event to the recent list when none of its photos is still on the way.
    fn forget_if_settled(&mut self, sequence: Sequence) {
        let Outbox { entries, uploads, awaiting_photos, recent, settled, unneeded, needs, .. } = self;
        let waits = entries.get(&sequence).is_some_and(|entry| uploads.any(&entry.photos));
        if waits || !awaiting_photos.remove(&sequence) {
            return;
        }
        if let Some(entry) = entries.remove(&sequence) {
            needs.remove(&entry.photos, sequence);
            unneeded.extend(entry.photos.iter().map(|photo| photo.digest).filter(|digest| !needs.any(*digest)));
            if recent.len() == RECENT {
                recent.pop_front();
            }
            recent.push_back(*entry);
            settled.push(sequence);
        }
    }
}

#[cfg(test)]
#[path = "outbox/tests.rs"]
mod held;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::event::MediaType;
    use super::*;

    pub(super) const NOW: Now = Now { boot: Duration::from_secs(1), wall: Wall(0) };

    pub(super) fn entry(n: u64, photos: &[&[u8]]) -> Entry {
        let photo = |bytes: &&[u8]| Photo { digest: Digest::of(bytes), size: 3, media_type: MediaType::Jpeg };
        Entry {
            sequence: Sequence(n),
            id: EventId::mint(Wall(n as i64), &[0; 10]),
            digest: Digest::of(&n.to_be_bytes()),
            size: 1000,
            kind: Kind::PickShortage,
            subject: "WH/OUT/1".into(),
            captured: Wall(n as i64),
            photos: photos.iter().map(photo).collect(),
            state: State::FRESH,
        }
    }

    pub(super) fn outbox(events: u64) -> Outbox {
        let mut outbox = Outbox::default();
        (1..=events).for_each(|n| outbox.admit(entry(n, &[]), &[]));
        outbox
    }

    pub(super) fn receipt(entry: &Entry, status: Status) -> Receipt {
        Receipt { id: Some(entry.id), digest: entry.digest, status, case: None, missing_evidence: None, error: None }
    }

    #[test]
    fn events_leave_oldest_first_and_only_once_at_a_time() {
        let mut outbox = Outbox::default();
        (1..=5).for_each(|n| outbox.admit(Entry { subject: format!("WH/OUT/{n}").into(), ..entry(n, &[]) }, &[]));
        assert_eq!(outbox.lease(3, NOW), [Sequence(1), Sequence(2), Sequence(3)]);
        assert_eq!(outbox.lease(3, NOW), [Sequence(4), Sequence(5)]);
        assert_eq!(outbox.lease(3, NOW), []);
        outbox.give_back(&[Sequence(2)]);
        assert_eq!(outbox.lease(3, NOW), [Sequence(2)]);
    }

    #[test]
    fn only_its_own_receipt_releases_an_event() {
        let mut outbox = outbox(2);
        outbox.lease(2, NOW);
        let wrong = receipt(&entry(2, &[]), Status::Created);
        assert_eq!(outbox.settle(Sequence(1), &wrong, NOW.plus(Duration::ZERO)), None);
        assert_eq!(outbox.counts().pending, 2);
        let right = receipt(&entry(2, &[]), Status::Created);
        assert!(matches!(outbox.settle(Sequence(2), &right, NOW.plus(Duration::ZERO)), Some(Change::Delivered { .. })));
        assert_eq!((outbox.counts().pending, outbox.counts().delivered), (1, 1));
    }

    #[test]
    fn a_receipt_for_an_event_that_was_not_sent_changes_nothing() {
        let mut outbox = outbox(1);
        let early = receipt(&entry(1, &[]), Status::Created);
        assert_eq!(outbox.settle(Sequence(1), &early, NOW.plus(Duration::ZERO)), None);
        assert_eq!(outbox.counts().pending, 1);
    }

    #[test]
    fn a_rejected_event_is_parked_and_stays_visible() {
        let mut outbox = outbox(1);
        outbox.lease(1, NOW);
        outbox.settle(Sequence(1), &receipt(&entry(1, &[]), Status::Rejected), NOW.plus(Duration::ZERO));
        assert_eq!((outbox.counts().parked, outbox.counts().pending), (1, 0));
        assert_eq!(outbox.entries().count(), 1);
        assert_eq!(outbox.lease(1, NOW), []);
    }

    #[test]
    fn a_retry_waits_its_turn_and_holds_up_its_document_alone() {
        let mut outbox = outbox(2);
        outbox.lease(1, NOW);
        outbox.settle(Sequence(1), &receipt(&entry(1, &[]), Status::Retry), NOW.plus(Duration::from_secs(10)));
        assert_eq!(outbox.lease(9, NOW), []);
        outbox.admit(Entry { subject: "WH/OUT/2".into(), ..entry(3, &[]) }, &[]);
        assert_eq!(outbox.lease(9, NOW), [Sequence(3)], "another document goes on");
        assert_eq!(outbox.next_due(NOW), Some(NOW.plus(Duration::from_secs(10))));
        let later = Now { boot: Duration::from_secs(11), ..NOW };
        assert_eq!(outbox.lease(9, later), [Sequence(1), Sequence(2)]);
    }

    #[test]
    fn an_event_is_settled_only_when_its_photos_are_there() {
        let mut outbox = Outbox::default();
        outbox.admit(entry(1, &[b"a", b"b"]), &[]);
        outbox.lease(1, NOW);
        assert!(outbox.next_upload(NOW).is_none(), "a photo never overtakes its event");
        let mut receipt = receipt(&entry(1, &[]), Status::Duplicate);
        receipt.missing_evidence = Some(vec![Digest::of(b"b")]);
        outbox.settle(Sequence(1), &receipt, NOW.plus(Duration::ZERO));
        assert_eq!(outbox.next_upload(NOW).map(|piece| piece.digest), Some(Digest::of(b"b")));
        assert_eq!(outbox.take_settled(), []);
        outbox.photo_sent(Digest::of(b"b"));
        assert_eq!(outbox.take_settled(), [Sequence(1)]);
        assert_eq!(outbox.take_settled(), []);
        assert_eq!(outbox.recent().count(), 1);
    }

    #[test]
    fn a_batch_stays_within_its_bytes_but_never_starves_a_large_event() {
        let mut outbox = Outbox::default();
        for n in 1..=3 {
            outbox.admit(Entry { size: MAX_BATCH_BYTES, ..entry(n, &[]) }, &[]);
        }
        assert_eq!(outbox.lease(50, NOW), [Sequence(1)]);
    }
}
