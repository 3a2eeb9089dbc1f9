//! Walks through the index that come to an end, whatever sled does.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Failed;
use super::generations::panicked;

/// A walk that ends behind its first error: sled's own would give the same one for ever.
pub(super) struct UpToError<I>(pub(super) Option<I>);

impl<I> UpToError<I> {
    fn step<T, E>(&mut self, step: impl FnOnce(&mut I) -> Option<Result<T, E>>) -> Option<Result<T, E>> {
        let next = step(self.0.as_mut()?);
        if !matches!(next, Some(Ok(_))) {
            self.0 = None;
        }
        next
    }
}

impl<T, E, I: Iterator<Item = Result<T, E>>> Iterator for UpToError<I> {
    type Item = Result<T, E>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(I::next)
    }
}

impl<T, E, I: DoubleEndedIterator<Item = Result<T, E>>> DoubleEndedIterator for UpToError<I> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(I::next_back)
    }
}

/// A walk during which sled may panic: then it ends with words.
pub(super) struct Guarded<I>(pub(super) Option<I>);

impl<I> Guarded<I> {
    fn step<T>(&mut self, step: impl FnOnce(&mut I) -> Option<Result<T, Failed>>) -> Option<Result<T, Failed>> {
        let walk = self.0.as_mut()?;
        catch_unwind(AssertUnwindSafe(|| step(walk))).unwrap_or_else(|_| {
            self.0 = None;
            Some(Err(panicked().into()))
        })
    }
}

impl<T, I: Iterator<Item = Result<T, Failed>>> Iterator for Guarded<I> {
    type Item = Result<T, Failed>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(I::next)
    }
}

impl<T, I: DoubleEndedIterator<Item = Result<T, Failed>>> DoubleEndedIterator for Guarded<I> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(I::next_back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_in_which_sled_panics_ends_with_words() {
        let panics = (1..=3).map(|n| if n < 3 { Ok(n) } else { panic!("as sled does on a damaged page") });
        let walked: Vec<Result<i32, Failed>> = Guarded(Some(panics)).collect();
        assert_eq!(walked.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
    }

    /// As sled does: the place of the walk doesn't move on.
    #[test]
    fn a_walk_that_gives_the_same_error_for_ever_ends_behind_the_first_from_either_end() {
        let walk = || UpToError(Some((1..=9).map(|n| if (3..=8).contains(&n) { Err(()) } else { Ok(n) })));
        assert_eq!(walk().collect::<Vec<_>>(), [Ok(1), Ok(2), Err(())]);
        assert_eq!(walk().rev().collect::<Vec<_>>(), [Ok(9), Err(())]);
        let mut walk = walk();
        assert_eq!((walk.next(), walk.next_back(), walk.next_back()), (Some(Ok(1)), Some(Ok(9)), Some(Err(()))));
        assert_eq!((walk.next(), walk.next_back()), (None, None));
    }
}
