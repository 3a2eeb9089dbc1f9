//! Which reports name which photo, so that neither a photo that arrived nor a report that left costs a walk through all.

use std::collections::{BTreeMap, BTreeSet};

use super::super::event::Photo;
use super::super::id::{Digest, Sequence};

#[derive(Debug, Default)]
pub(super) struct Needs(BTreeMap<Digest, BTreeSet<Sequence>>);

impl Needs {
    pub(super) fn add(&mut self, photos: &[Photo], sequence: Sequence) {
        for photo in photos {
            self.0.entry(photo.digest).or_default().insert(sequence);
        }
    }

    pub(super) fn remove(&mut self, photos: &[Photo], sequence: Sequence) {
        for photo in photos {
            if let Some(reports) = self.0.get_mut(&photo.digest) {
                reports.remove(&sequence);
                if reports.is_empty() {
                    self.0.remove(&photo.digest);
                }
            }
        }
    }

    pub(super) fn any(&self, photo: Digest) -> bool {
        self.0.contains_key(&photo)
    }

    pub(super) fn reports(&self, photo: Digest) -> Vec<Sequence> {
        self.0.get(&photo).into_iter().flatten().copied().collect()
    }
}
