//! Packed requests (RFC 7694): only to a server that offered to unpack them, and only where it pays.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Less is one packet either way. Beyond, packing pays from one report on (docs/adr/0010 has the measurements).
const WORTH_IT: usize = 1400;
/// More work than this gains nothing: the signatures don't get smaller, and all else repeats.
const LEVEL: u32 = 6;

#[derive(Debug, Default)]
pub(super) struct Gzip {
    offered: AtomicBool,
    refused: AtomicBool,
}

impl Gzip {
    /// The body packed; `None` when it should go as it is.
    pub(super) async fn pack(&self, body: &[u8]) -> Option<Vec<u8>> {
        let wanted = self.offered.load(Ordering::Relaxed) && !self.refused.load(Ordering::Relaxed);
        if !wanted || body.len() < WORTH_IT {
            return None;
        }
        let body = body.to_vec();
        // Milliseconds of work on a small machine: not on a thread that others wait for.
        let packed = tokio::task::spawn_blocking(move || pack(&body).filter(|packed| packed.len() < body.len())).await;
        packed.ok().flatten()
    }

    /// What the addon's own answer offered.
    pub(super) fn was_offered(&self, offered: bool) {
        self.offered.store(offered, Ordering::Relaxed);
    }

    /// The server, or something before it, took a packed request badly: it gets no other.
    pub(super) fn was_refused(&self) {
        tracing::info!("the server does not take packed requests after all; they are sent plain");
        self.refused.store(true, Ordering::Relaxed);
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
        gzip.was_offered(true);
        assert!(gzip.pack(&body).await.is_some_and(|packed| packed.len() < WORTH_IT));
        assert_eq!(gzip.pack(&body[1..]).await, None);
        gzip.was_offered(false);
        assert_eq!(gzip.pack(&body).await, None);
        gzip.was_offered(true);
        gzip.was_refused();
        gzip.was_offered(true);
        assert_eq!(gzip.pack(&body).await, None);
    }
}
