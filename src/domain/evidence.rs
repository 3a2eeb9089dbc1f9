//! Photos on their way to Odoo. They follow their event, and never delay another one.

use std::collections::VecDeque;
use std::time::Duration;

use super::event::Photo;
use super::id::Digest;
use super::time::{Deadline, Now};

const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(300);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub photo: Photo,
    /// What the server already has.
    pub offset: u64,
    attempts: u32,
    not_before: Option<Deadline>,
    pub last_error: Option<String>,
}

#[derive(Debug, Default)]
pub struct Uploads {
    queue: VecDeque<Upload>,
}

impl Uploads {
    /// Queues the photos that are not `there` yet; a photo that several events share is sent once.
    pub(super) fn want(&mut self, photos: &[Photo], there: &[Digest]) {
        for photo in photos {
            if !there.contains(&photo.digest) && !self.queue.iter().any(|known| known.photo.digest == photo.digest) {
                let photo = photo.clone();
                self.queue.push_back(Upload { photo, offset: 0, attempts: 0, not_before: None, last_error: None });
            }
        }
    }

    pub(super) fn any(&self, photos: &[Photo]) -> bool {
        photos.iter().any(|photo| self.queue.iter().any(|upload| upload.photo.digest == photo.digest))
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn next(&self, now: Now) -> Option<&Upload> {
        self.queue.iter().find(|upload| upload.not_before.is_none_or(|at| at.is_past(now)))
    }

    pub(super) fn next_due(&self, now: Now) -> Option<Deadline> {
        self.queue.iter().map(|upload| upload.not_before.unwrap_or(Deadline(now.boot))).min()
    }

    pub(super) fn sent(&mut self, digest: Digest) -> bool {
        let before = self.queue.len();
        self.queue.retain(|upload| upload.photo.digest != digest);
        self.queue.len() < before
    }

    /// The server has `received` bytes: the next piece starts there.
    pub fn resume(&mut self, digest: Digest, received: u64) {
        if let Some(upload) = self.get_mut(digest) {
            upload.offset = received.min(upload.photo.size);
        }
    }

    /// This photo failed in a way that says nothing about the others: it waits, they go on.
    pub fn postpone(&mut self, digest: Digest, why: &str, now: Now) {
        if let Some(upload) = self.get_mut(digest) {
            let wait = FIRST_RETRY.saturating_mul(1 << upload.attempts.min(10)).min(LAST_RETRY);
            upload.attempts = upload.attempts.saturating_add(1);
            upload.not_before = Some(now.plus(wait));
            upload.last_error = Some(why.to_owned());
        }
    }

    pub(super) fn get(&self, digest: Digest) -> Option<&Upload> {
        self.queue.iter().find(|upload| upload.photo.digest == digest)
    }

    fn get_mut(&mut self, digest: Digest) -> Option<&mut Upload> {
        self.queue.iter_mut().find(|upload| upload.photo.digest == digest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::MediaType;
    use super::super::time::Wall;
    use super::*;

    const NOW: Now = Now { boot: Duration::from_secs(1), wall: Wall(0) };

    fn photo(bytes: &[u8]) -> Photo {
        Photo { digest: Digest::of(bytes), size: 100, media_type: MediaType::Jpeg }
    }

    #[test]
    fn a_failing_photo_steps_aside_for_the_next() {
        let mut uploads = Uploads::default();
        uploads.want(&[photo(b"a"), photo(b"b"), photo(b"a")], &[]);
        assert_eq!(uploads.len(), 2);
        uploads.postpone(Digest::of(b"a"), "422", NOW);
        assert_eq!(uploads.next(NOW).map(|upload| upload.photo.digest), Some(Digest::of(b"b")));
        assert!(uploads.sent(Digest::of(b"b")));
        assert_eq!(uploads.next(NOW), None);
        assert_eq!(uploads.next_due(NOW), Some(NOW.plus(FIRST_RETRY)));
    }

    #[test]
    fn an_upload_goes_on_where_the_server_stands_but_never_beyond_its_end() {
        let mut uploads = Uploads::default();
        uploads.want(&[photo(b"a")], &[]);
        uploads.resume(Digest::of(b"a"), 1 << 40);
        assert_eq!(uploads.next(NOW).map(|upload| upload.offset), Some(100));
    }
}
