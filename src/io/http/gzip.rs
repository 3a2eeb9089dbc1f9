//! Packed requests (RFC 7694): only to a server that offered to unpack them, and only where it pays.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Less is one packet either way. Beyond, packing pays from one report on (docs/adr/0010 has the measurements).
const WORTH_IT: usize = 1400;
/// More work than this gains nothing: the signatures don't get smaller, and all else repeats.
const LEVEL: u32 = 6;

/// So often in a row a packed request may fail where the next plain one passes. Once may be chance, as on a bad line.
const ENOUGH: u8 = 3;

/// Whoever offers need not be who decides: a firewall before Odoo may take no packed bodies, and say so in any way it likes.
#[derive(Debug, Default)]
pub(super) struct Gzip {
    offered: AtomicBool,
    /// The last packed request brought no results: the next one goes plain.
    doubted: AtomicBool,
    /// How often in a row the plain one passed then.
    against: AtomicU8,
}

impl Gzip {
    /// The body packed; `None` when it should go as it is.
    pub(super) async fn pack(&self, body: &[u8]) -> Option<Vec<u8>> {
        let distrusted = self.doubted.load(Ordering::Relaxed) || self.against.load(Ordering::Relaxed) >= ENOUGH;
        if !self.offered.load(Ordering::Relaxed) || distrusted || body.len() < WORTH_IT {
            return None;
        }
        let body = body.to_vec();
        // Milliseconds of work on a small machine: not on a thread that others wait for.
        let packed = tokio::task::spawn_blocking(move || pack(&body).filter(|packed| packed.len() < body.len())).await;
        packed.ok().flatten()
    }

    /// The addon's own results came, with its offer, to a request that was packed or not.
    pub(super) fn passed(&self, packed: bool, offered: bool) {
        self.offered.store(offered, Ordering::Relaxed);
        if packed {
            self.against.store(0, Ordering::Relaxed);
        } else if self.doubted.swap(false, Ordering::Relaxed)
            && self.against.fetch_add(1, Ordering::Relaxed).saturating_add(1) == ENOUGH
        {
            tracing::info!("packed requests don't get through to the server; all are sent plain");
        }
    }

    /// The server said that it takes no packed requests after all.
    pub(super) fn refused(&self) {
        tracing::info!("the server refused a packed request; all are sent plain");
        self.against.store(ENOUGH, Ordering::Relaxed);
    }

    /// A packed request brought anything else.
    pub(super) fn failed(&self) {
        self.doubted.store(true, Ordering::Relaxed);
    }
}

/// True for one element of Accept-Encoding that allows gzip (RFC 9110 §12.5.3: a weight of zero forbids).
pub(super) fn is_offer(element: &str) -> bool {
    let (coding, parameters) = element.split_once(';').unwrap_or((element, ""));
    let weight = parameters.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
    matches!(coding.trim().to_ascii_lowercase().as_str(), "gzip" | "x-gzip") && weight.is_none_or(|weight| weight > 0.0)
}

fn pack(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len()), Compression::new(LEVEL));
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_read_as_the_standard_says() {
        for (element, offered) in [
            ("gzip", true),
            (" GZIP ", true),
            ("x-gzip;q=0.5", true),
            ("gzip; q=0", false),
            ("gzip;q=0.000", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(is_offer(element), offered, "{element:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_packed_unoffered_small_or_after_a_refusal() {
        let (gzip, body) = (Gzip::default(), vec![b'a'; WORTH_IT]);
        assert_eq!(gzip.pack(&body).await, None);
        gzip.passed(false, true);
        assert!(gzip.pack(&body).await.is_some_and(|packed| packed.len() < WORTH_IT));
        assert_eq!(gzip.pack(&body[1..]).await, None);
        gzip.passed(true, false);
        assert_eq!(gzip.pack(&body).await, None);
        for _ in 0..ENOUGH {
            gzip.passed(false, true);
            assert!(gzip.pack(&body).await.is_some());
            gzip.failed();
            assert_eq!(gzip.pack(&body).await, None, "the next goes plain");
        }
        gzip.passed(false, true);
        assert_eq!(gzip.pack(&body).await, None);
    }

    #[tokio::test]
    async fn a_line_that_breaks_now_and_then_is_no_word_against_packing() {
        let (gzip, body) = (Gzip::default(), vec![b'a'; WORTH_IT]);
        for _ in 0..10 {
            gzip.passed(false, true);
            assert!(gzip.pack(&body).await.is_some());
            gzip.failed();
            gzip.passed(false, true);
            assert!(gzip.pack(&body).await.is_some());
            gzip.passed(true, true);
        }
    }
}
