//! Values of which many are the same, each kept once: a server that refuses 200,000 reports mostly has one reason for it.

use std::collections::BTreeSet;
use std::sync::Arc;

/// So many different ones are kept; a server that means no good may have a long one for each report.
const MOST: usize = 4096;

#[derive(Debug)]
pub struct Shared<T: Ord>(BTreeSet<Arc<T>>);

impl<T: Ord> Default for Shared<T> {
    fn default() -> Shared<T> {
        Shared(BTreeSet::new())
    }
}

impl<T: Ord> Shared<T> {
    /// The one that is kept of it; with [`MOST`] others in use it is `instead`.
    pub fn keep(&mut self, value: T, instead: impl FnOnce() -> T) -> Arc<T> {
        if let Some(known) = self.0.get(&value) {
            return Arc::clone(known);
        }
        if self.0.len() >= MOST {
            self.0.retain(|known| Arc::strong_count(known) > 1);
        }
        let value = if self.0.len() < MOST { value } else { instead() };
        let kept = self.0.get(&value).cloned().unwrap_or_else(|| Arc::new(value));
        self.0.insert(Arc::clone(&kept));
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_kept_once_and_different_ones_only_while_there_is_room() {
        let mut shared = Shared::default();
        let mut keep = |text: &str| shared.keep(text.to_owned(), || "another".to_owned());
        let first = keep("first");
        assert!(Arc::ptr_eq(&first, &keep("first")));
        let many: Vec<Arc<String>> = (1..MOST).map(|n| keep(&n.to_string())).collect();
        assert!(many.iter().zip(1..).all(|(kept, n)| **kept == n.to_string()));
        assert_eq!((&**keep("one more"), &**keep("first")), ("another", "first"));
        assert!(Arc::ptr_eq(&keep("one more"), &keep("and another")));
        drop(many);
        assert_eq!(&**keep("one more"), "one more", "there is room again");
    }
}
