//! What an answer to a request about a photo means.
//!
//! A photo that doesn't get through must not hold up the others, and no photo may hold up an event: a proxy may pass events and
//! stop bodies of that size or PUT itself, a server's disk may be full for files only. So what may be about photos delays photos,
//! and only what is certainly about the line counts for all.

use std::time::Duration;

use super::super::evidence::Piece;
use super::super::outbox::Outbox;
use super::super::time::Now;
use super::{Answer, Forwarder, Outcome, Unreachable};

impl Forwarder {
    pub(super) fn photo_answered(
        &mut self,
        sent: Piece,
        answer: Answer,
        outbox: &mut Outbox,
        now: Now,
        jitter: u8,
    ) -> Outcome {
        let took = now.boot.saturating_sub(self.last_try.unwrap_or(now.boot));
        let uploads = outbox.uploads_mut();
        match answer {
            // Only the answer to bytes is a receipt.
            Answer::Photo { complete: true, .. } if sent.offset.is_some() => {
                self.succeeded(now);
                self.photo_breaker.succeeded();
                uploads.measured(sent.length, took);
                Outcome { changes: outbox.photo_sent(sent.digest).into_iter().collect(), heard: None }
            }
            Answer::Photo { received, .. } => {
                self.succeeded(now);
                if sent.offset.is_some() {
                    uploads.measured(sent.length, took);
                }
                if uploads.resume(sent, received, now) {
                    self.photo_breaker.succeeded();
                }
                Outcome::default()
            }
            Answer::PhotoLost { why } => {
                Outcome { changes: outbox.photo_lost(sent.digest, &why).into_iter().collect(), heard: None }
            }
            Answer::Refused(error) if matches!(error.status, 400 | 404 | 409 | 413 | 415 | 422) => {
                // About this photo alone: the line is fine.
                self.succeeded(now);
                uploads.refused(sent, error.status, error.received, &error.message, now);
                Outcome { changes: Vec::new(), heard: self.heard(error.server_time, now) }
            }
            Answer::NotOurs { status: 413, .. } if sent.length > 0 && uploads.limit(sent.length) => {
                // A proxy that takes only small bodies; smaller pieces pass.
                uploads.restart_at(sent.digest, None);
                Outcome::default()
            }
            Answer::Local { detail } => {
                uploads.postpone(sent.digest, &detail, now);
                Outcome::default()
            }
            // An answer to HEAD has no body that could say why, and some proxies know no HEAD; the answer to bytes says more.
            Answer::Refused(error) if sent.offset.is_none() && error.code.is_empty() => {
                uploads.restart_at(sent.digest, Some(0));
                Outcome::default()
            }
            Answer::NotOurs { status: 405 | 501, .. } if sent.offset.is_none() => {
                uploads.restart_at(sent.digest, Some(0));
                Outcome::default()
            }
            Answer::Results { .. }
            | Answer::Refused(_)
            | Answer::Busy { .. }
            | Answer::NotOurs { .. }
            | Answer::Unreachable { .. } => self.photo_failed(sent, answer, outbox, now, jitter),
        }
    }

    fn photo_failed(&mut self, sent: Piece, answer: Answer, outbox: &mut Outbox, now: Now, jitter: u8) -> Outcome {
        let uploads = outbox.uploads_mut();
        let unheard = !matches!(answer, Answer::Results { .. } | Answer::Refused(_));
        if unheard && sent.offset.is_some() {
            // The piece may have arrived, or not.
            uploads.restart_at(sent.digest, None);
            uploads.shrink(sent.length);
        }
        if is_about_the_line(&answer, sent) {
            return self.failed(answer, now, jitter);
        }
        uploads.postpone(sent.digest, &reason(&answer), now);
        self.photo_breaker.failed(None, Duration::ZERO, now, jitter);
        Outcome { changes: Vec::new(), heard: self.heard(answer.server_time(), now) }
    }
}

/// True when an event would have fared no better. A question is as small as a request can be: one that breaks off on its way
/// says so of the line; a piece that does, perhaps of its own size alone.
fn is_about_the_line(answer: &Answer, sent: Piece) -> bool {
    match answer {
        Answer::Busy { .. } => true,
        Answer::Unreachable { why: Unreachable::Connect | Unreachable::Tls, .. } => true,
        Answer::Unreachable { why: Unreachable::Timeout | Unreachable::Broken | Unreachable::TooLarge, .. } => {
            sent.offset.is_none()
        }
        Answer::Refused(error) => matches!(error.status, 401 | 403 | 429) || error.retry_after.is_some(),
        // Portals: they answer whatever is asked, or say where to log in (RFC 6585 §6).
        Answer::NotOurs { status, .. } => matches!(status, 200..=399 | 429 | 511),
        Answer::Results { .. } | Answer::Photo { .. } | Answer::PhotoLost { .. } | Answer::Local { .. } => false,
    }
}

/// Why a photo waits, for IT.
fn reason(answer: &Answer) -> String {
    match answer {
        Answer::Refused(error) => format!("the server could not take it (HTTP {}): {}", error.status, error.message),
        Answer::NotOurs { status, .. } => format!("something before Odoo answered to it (HTTP {status})"),
        Answer::Unreachable { why: Unreachable::Timeout, .. } => "it did not get through in time".to_owned(),
        Answer::Unreachable { detail, .. } => format!("it did not get through: {detail}"),
        Answer::Results { .. }
        | Answer::Busy { .. }
        | Answer::Photo { .. }
        | Answer::PhotoLost { .. }
        | Answer::Local { .. } => "the server's answer fits no photo".to_owned(),
    }
}

#[cfg(test)]
mod tests;
