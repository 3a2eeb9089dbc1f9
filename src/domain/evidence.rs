//! Photos on their way to Odoo. They follow their event, and never delay another one: they go piece by piece, each about a
//! second long on the line as it is, and between two pieces events go first.
//!
//! What the server has is what it says. A fresh photo starts at 0; after a restart, and after a piece whose answer never
//! came, the server is asked before a byte is sent again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::event::Photo;
use super::id::Digest;
use super::time::{Deadline, Now};

const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(300);
/// Bytes of a piece: enough to be worth a request, little enough for any proxy, and for a line of 1 KB/s within the patience of
/// a call.
const MIN_PIECE: u64 = 16 << 10;
const MAX_PIECE: u64 = 4 << 20;
const FIRST_PIECE: u64 = 32 << 10;
/// How long an event may have to wait behind a piece.
const PIECE_TIME: Duration = Duration::from_secs(1);
/// One piece that went fast says little about a larger one.
const GROWTH: u64 = 4;
/// How many photos that were given up are remembered; the journal has them all.
const LOST: usize = 100;

/// Where an upload begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The server heard of the photo with the receipt that was just read: it has nothing of it.
    Fresh,
    /// An earlier run, or an earlier delivery, may have sent some of it: ask.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub photo: Photo,
    /// What the server already has; `None` when it must be asked.
    pub offset: Option<u64>,
    /// The most that the server ever said it has: more than that is a step forward.
    confirmed: u64,
    /// Tries in a row that brought nothing forward.
    attempts: u32,
    /// How often the server had all of it and threw it away: pieces that it takes don't make that better.
    thrown_away: u32,
    not_before: Option<Deadline>,
    pub last_error: Option<String>,
}

/// The next request for a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub digest: Digest,
    /// Where it starts; `None` asks the server how much it has.
    pub offset: Option<u64>,
    pub length: u64,
}

/// A photo that will never arrive, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPhoto {
    pub digest: Digest,
    pub why: String,
}

/// The first photo of every report goes before the second ones; among equals the oldest.
type Turn = (usize, u64);

#[derive(Debug)]
pub struct Uploads {
    queue: BTreeMap<Turn, Upload>,
    turns: BTreeMap<Digest, Turn>,
    /// How many were ever queued in this run.
    queued: u64,
    lost: VecDeque<LostPhoto>,
    /// The photo that was postponed last.
    postponed: Option<Digest>,
    /// Bytes of the next piece, as the last ones went.
    piece: u64,
    /// No piece is larger: the server, or a proxy before it, said so.
    largest: u64,
}

impl Default for Uploads {
    fn default() -> Uploads {
        Uploads {
            queue: BTreeMap::new(),
            turns: BTreeMap::new(),
            queued: 0,
            lost: VecDeque::new(),
            postponed: None,
            piece: FIRST_PIECE,
            largest: MAX_PIECE,
        }
    }
}

impl Uploads {
    /// Queues a report's photos that are not `there` yet; a photo that several reports share is sent once.
    pub(super) fn want(&mut self, photos: &[Photo], there: &[Digest], start: Start) {
        for (rank, photo) in photos.iter().enumerate() {
            if there.contains(&photo.digest) || self.turns.contains_key(&photo.digest) {
                continue;
            }
            let offset = match start {
                Start::Fresh => Some(0),
                Start::Unknown => None,
            };
            let upload = Upload {
                photo: photo.clone(),
                offset,
                confirmed: 0,
                attempts: 0,
                thrown_away: 0,
                not_before: None,
                last_error: None,
            };
            self.turns.insert(photo.digest, (rank, self.queued));
            self.queue.insert((rank, self.queued), upload);
            self.queued += 1;
        }
    }

    pub(super) fn any(&self, photos: &[Photo]) -> bool {
        photos.iter().any(|photo| self.turns.contains_key(&photo.digest))
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Photos that were given up, the latest last.
    pub fn lost(&self) -> impl ExactSizeIterator<Item = &LostPhoto> {
        self.lost.iter()
    }

    /// The piece to send next.
    pub(super) fn next(&self, now: Now) -> Option<Piece> {
        let upload = self.queue.values().find(|upload| upload.not_before.is_none_or(|at| at.is_past(now)))?;
        let rest = upload.offset.map_or(0, |offset| upload.photo.size.saturating_sub(offset));
        Some(Piece { digest: upload.photo.digest, offset: upload.offset, length: rest.min(self.piece) })
    }

    pub(super) fn next_due(&self, now: Now) -> Option<Deadline> {
        let mut earliest: Option<Deadline> = None;
        for upload in self.queue.values() {
            let at = upload.not_before.unwrap_or(Deadline(now.boot));
            earliest = Some(earliest.map_or(at, |known| known.min(at)));
            if at.is_past(now) {
                break;
            }
        }
        earliest
    }

    pub(super) fn sent(&mut self, digest: Digest) -> bool {
        self.take(digest).is_some()
    }

    /// Gives a photo up: it can't arrive any more. True when it was still wanted.
    pub(super) fn lose(&mut self, digest: Digest, why: &str) -> bool {
        let known = self.take(digest).is_some();
        if known {
            self.remember_lost(digest, why);
        }
        known
    }

    /// A loss of an earlier run.
    pub(super) fn remember_lost(&mut self, digest: Digest, why: &str) {
        if self.lost.len() == LOST {
            self.lost.pop_front();
        }
        self.lost.push_back(LostPhoto { digest, why: why.to_owned() });
    }

    /// The server has `received` bytes: the next piece starts there. True when that is a step forward. A piece that brought none
    /// waits, so that a server that never takes any isn't asked in a circle; so does one that follows a mere answer to a
    /// question, should it fail as those before it.
    pub fn resume(&mut self, sent: Piece, received: u64, now: Now) -> bool {
        let Some(upload) = self.get_mut(sent.digest) else { return true };
        let received = received.min(upload.photo.size);
        let forward = received > sent.offset.unwrap_or(upload.confirmed);
        upload.offset = Some(received);
        upload.confirmed = upload.confirmed.max(received);
        if forward {
            upload.attempts = 0;
            upload.last_error = None;
        }
        if forward || sent.offset.is_none() {
            upload.not_before = None;
        } else {
            self.postpone(sent.digest, "the server took nothing of the last piece", now);
        }
        forward
    }

    /// The server stands somewhere else. Go there at once, but not in a circle.
    pub fn correct(&mut self, sent: Piece, received: u64, now: Now) {
        let Some(upload) = self.get_mut(sent.digest) else { return };
        upload.offset = Some(received.min(upload.photo.size));
        let in_a_circle = upload.attempts > 0 || sent.offset == Some(received);
        upload.attempts = upload.attempts.saturating_add(1);
        if in_a_circle {
            self.postpone(sent.digest, "the server and this device disagree about what is there", now);
        }
    }

    /// The server refused a piece, or the question, with a word about this photo alone.
    pub(super) fn refused(&mut self, sent: Piece, status: u16, received: Option<u64>, why: &str, now: Now) {
        match status {
            409 => self.correct(sent, received.unwrap_or(0), now),
            // Too much in one piece; smaller ones may pass.
            413 if sent.length > 0 && self.limit(sent.length) => {}
            // What was there is thrown away. At its start the file is checked: damage ends this circle.
            422 => {
                self.restart_at(sent.digest, Some(0));
                if let Some(upload) = self.get_mut(sent.digest) {
                    upload.attempts = upload.attempts.max(upload.thrown_away);
                    upload.thrown_away = upload.thrown_away.saturating_add(1);
                }
                self.postpone(sent.digest, why, now);
            }
            _ => self.postpone(sent.digest, why, now),
        }
    }

    /// Where this photo stands is not known any more: an answer didn't come, or a restart of the upload is wanted.
    pub fn restart_at(&mut self, digest: Digest, offset: Option<u64>) {
        if let Some(upload) = self.get_mut(digest) {
            upload.offset = offset;
        }
    }

    /// This photo failed in a way that says nothing about the others: it waits, they go on.
    pub fn postpone(&mut self, digest: Digest, why: &str, now: Now) {
        if let Some(upload) = self.get_mut(digest) {
            let wait = FIRST_RETRY.saturating_mul(1 << upload.attempts.min(10)).min(LAST_RETRY);
            upload.attempts = upload.attempts.saturating_add(1);
            upload.not_before = Some(now.plus(wait));
            upload.last_error = Some(why.to_owned());
            self.postponed = Some(digest);
        }
    }

    /// Why a photo waits that was to go before: that of the latest which does.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.get(self.postponed?)?.last_error.as_deref()
    }

    /// A piece of `length` bytes took so long: the next ones shall take about a second.
    pub fn measured(&mut self, length: u64, took: Duration) {
        // A photo's last, smaller piece that went fast says nothing against larger ones.
        if length < self.piece && took < PIECE_TIME {
            return;
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        let second = u64::try_from(PIECE_TIME.as_micros()).unwrap_or(u64::MAX);
        let fits = length.saturating_mul(second) / micros;
        self.piece = fits.min(length.saturating_mul(GROWTH)).clamp(MIN_PIECE, self.largest);
    }

    /// A piece of `length` bytes did not get through: smaller ones may.
    pub fn shrink(&mut self, length: u64) {
        self.piece = (length.min(self.piece) / GROWTH).max(MIN_PIECE);
    }

    /// Something on the way takes no piece of `length` bytes. True when smaller ones can be tried.
    pub fn limit(&mut self, length: u64) -> bool {
        self.largest = (length / 2).max(MIN_PIECE).min(self.largest);
        self.piece = self.piece.min(self.largest);
        length > MIN_PIECE
    }

    pub(super) fn get(&self, digest: Digest) -> Option<&Upload> {
        self.queue.get(self.turns.get(&digest)?)
    }

    fn get_mut(&mut self, digest: Digest) -> Option<&mut Upload> {
        self.queue.get_mut(self.turns.get(&digest)?)
    }

    fn take(&mut self, digest: Digest) -> Option<Upload> {
        self.queue.remove(&self.turns.remove(&digest)?)
    }
}

#[cfg(test)]
mod tests;
