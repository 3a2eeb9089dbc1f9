//! What a bundle carries to Odoo by hand, and how much of it fits into one file.

use std::collections::BTreeSet;

use super::event::Photo;
use super::id::{Digest, Sequence};
use super::outbox::{Outbox, State};

/// The most that one bundle may hold (docs/protocol.md, "Bundles").
pub const MAX_EVENTS: usize = 200_000;
pub const MAX_PHOTOS: usize = 20_000;
/// Odoo takes no larger upload unless it is set up otherwise; in bytes.
pub const UPLOAD_LIMIT: u64 = 90_000_000;

/// The outline of a file and its manifest, without what each photo adds to both.
const OUTLINE: u64 = 16 << 10;
const BLOCK: u64 = 512;
/// A photo's line in the manifest, in base64.
const LISTED: u64 = 200;

/// An event that is not wholly in Odoo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    pub sequence: Sequence,
    /// Of its JWS, in bytes.
    pub size: u64,
    /// Those that Odoo doesn't have.
    pub photos: Vec<Photo>,
}

/// All that is not wholly in Odoo, oldest first. An event that is there while photos of it are still here is among them: the
/// importer takes a photo only for an event that it knows, and an event that it knows is a duplicate.
pub fn unsent(outbox: &Outbox) -> Vec<Unsent> {
    let entries = outbox.entries().map(|entry| {
        let delivered = matches!(entry.state, State::Delivered { .. });
        let missing = |photo: &&Photo| !delivered || outbox.upload(photo.digest).is_some();
        let photos = entry.photos.iter().filter(missing).cloned().collect();
        Unsent { sequence: entry.sequence, size: entry.size, photos }
    });
    entries.collect()
}

/// What one file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub events: Vec<Sequence>,
    /// Each photo once, with the first event that names it.
    pub photos: Vec<(Sequence, Photo)>,
    /// How large the file will be, at most.
    pub bytes: u64,
}

/// Spreads events over files of at most `limit` bytes, or puts them all into one. Each file is a bundle of its own: a photo
/// stands in the file of its event. Only an event whose photos alone are too much for a file stands in several, with some of
/// its photos in each; and a single photo that is larger than a file makes that file larger.
pub fn parts(unsent: &[Unsent], limit: Option<u64>) -> Vec<Part> {
    let mut packing =
        Packing { limit: limit.unwrap_or(u64::MAX), done: Vec::new(), part: Part::default(), inside: BTreeSet::new() };
    unsent.iter().for_each(|event| packing.add(event));
    packing.close();
    packing.done
}

struct Packing {
    limit: u64,
    done: Vec<Part>,
    part: Part,
    inside: BTreeSet<Digest>,
}

impl Packing {
    fn add(&mut self, event: &Unsent) {
        let new = event.photos.iter().filter(|photo| !self.inside.contains(&photo.digest));
        let (count, bytes) = new.fold((0, line(event)), |(count, bytes), photo| (count + 1, bytes + member(photo)));
        if !self.part.events.is_empty() && !self.fits(1, count, bytes) {
            self.close();
        }
        self.begin(event);
        for photo in &event.photos {
            if self.inside.contains(&photo.digest) {
                continue;
            }
            if !self.part.photos.is_empty() && !self.fits(0, 1, member(photo)) {
                self.close();
                self.begin(event);
            }
            self.inside.insert(photo.digest);
            self.part.photos.push((event.sequence, photo.clone()));
            self.part.bytes += member(photo);
        }
    }

    fn fits(&self, events: usize, photos: usize, bytes: u64) -> bool {
        self.part.events.len() + events <= MAX_EVENTS
            && self.part.photos.len() + photos <= MAX_PHOTOS
            && self.part.bytes.saturating_add(bytes) <= self.limit
    }

    fn begin(&mut self, event: &Unsent) {
        if self.part.events.is_empty() {
            self.part.bytes = OUTLINE;
        }
        self.part.events.push(event.sequence);
        self.part.bytes += line(event);
    }

    fn close(&mut self) {
        self.inside.clear();
        let part = std::mem::take(&mut self.part);
        if !part.events.is_empty() {
            self.done.push(part);
        }
    }
}

fn line(event: &Unsent) -> u64 {
    event.size + 1
}

fn member(photo: &Photo) -> u64 {
    BLOCK + photo.size.next_multiple_of(BLOCK) + LISTED
}

#[cfg(test)]
mod tests {
    use super::super::event::MediaType;
    use super::*;

    fn photo(name: u8, size: u64) -> Photo {
        Photo { digest: Digest::of(&[name]), size, media_type: MediaType::Jpeg }
    }

    fn event(n: u64, photos: &[Photo]) -> Unsent {
        Unsent { sequence: Sequence(n), size: 1000, photos: photos.to_vec() }
    }

    fn shape(parts: &[Part]) -> Vec<(Vec<u64>, usize)> {
        parts.iter().map(|part| (part.events.iter().map(|n| n.0).collect(), part.photos.len())).collect()
    }

    #[test]
    fn without_a_limit_all_is_one_file_and_a_shared_photo_stands_in_it_once() {
        let all: Vec<_> = (1..=500).map(|n| event(n, &[photo(1, 5000)])).collect();
        let parts = parts(&all, None);
        assert_eq!((parts.len(), parts[0].events.len(), parts[0].photos.len()), (1, 500, 1));
        assert_eq!(super::parts(&[], None), []);
    }

    #[test]
    fn each_file_keeps_to_its_limit_and_holds_the_photos_of_its_events() {
        let all: Vec<_> = (1..=6).map(|n| event(n, &[photo(n as u8, 10_000), photo(99, 10_000)])).collect();
        let limit = OUTLINE + 50_000;
        let parts = parts(&all, Some(limit));
        assert_eq!(shape(&parts), [(vec![1, 2, 3], 4), (vec![4, 5, 6], 4)]);
        assert!(parts.iter().all(|part| part.bytes <= limit), "{parts:?}");
    }

    #[test]
    fn an_event_with_too_many_photos_for_a_file_stands_in_several() {
        let photos: Vec<_> = (1..=5).map(|n| photo(n, 10_000)).collect();
        let parts = parts(&[event(1, &[]), event(2, &photos), event(3, &[])], Some(OUTLINE + 25_000));
        assert_eq!(shape(&parts), [(vec![1], 0), (vec![2], 2), (vec![2], 2), (vec![2, 3], 1)]);
    }

    #[test]
    fn a_photo_that_is_larger_than_a_file_still_goes() {
        let parts = parts(&[event(1, &[photo(1, 1 << 20), photo(2, 9)])], Some(OUTLINE + 5000));
        assert_eq!(shape(&parts), [(vec![1], 1), (vec![1], 1)]);
    }

    #[test]
    fn a_file_never_holds_more_photos_than_odoo_takes() {
        let all: Vec<_> = (0..MAX_PHOTOS as u64 + 1)
            .map(|n| {
                event(n + 1, &[Photo { digest: Digest::of(&n.to_be_bytes()), size: 1, media_type: MediaType::Png }])
            })
            .collect();
        let counts: Vec<_> = parts(&all, None).iter().map(|part| part.photos.len()).collect();
        assert_eq!(counts, [MAX_PHOTOS, 1]);
    }
}
