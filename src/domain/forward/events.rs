//! What an answer to a request with events means for each of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::id::{Digest, Sequence};
use super::super::outbox::{Entry, MAX_BATCH, Outbox, State};
use super::super::receipt::{Receipt, Refusal, Status};
use super::super::time::{Deadline, Now};
use super::{Answer, Forwarder, Outcome, Trouble, Unreachable};

/// No honest answer has more results than events; this many are looked at.
const MAX_RESULTS: usize = 4 * MAX_BATCH;
/// How many events are remembered that a proxy found too large when they went alone.
const MAX_TOO_LARGE: usize = 32;
/// A request is some bytes longer than its event.
const ENVELOPE: u64 = 64;

/// What went wrong with a request: its size, its content, perhaps its content, or the road.
#[derive(Clone, Copy)]
enum Blame {
    Size,
    Content,
    Perhaps,
    Road,
}

impl Blame {
    fn of(answer: &Answer) -> Blame {
        match answer {
            Answer::Refused(error) => match error.status {
                413 => Blame::Size,
                400 | 422 => Blame::Content,
                500..=502 | 504.. => Blame::Perhaps,
                _ => Blame::Road,
            },
            Answer::NotOurs { status: 413, .. } => Blame::Size,
            // What a firewall for web applications says, or a server that this very request made fail.
            Answer::NotOurs { status: 400 | 403 | 406 | 422 | 500..=510, .. } => Blame::Perhaps,
            Answer::NotOurs { .. }
            | Answer::Busy { .. }
            | Answer::Results { .. }
            | Answer::Photo { .. }
            | Answer::PhotoLost { .. }
            | Answer::Unreachable { .. }
            | Answer::Local { .. } => Blame::Road,
        }
    }
}

impl Forwarder {
    pub(super) fn events_answered(
        &mut self,
        sent: &[Sequence],
        answer: Answer,
        outbox: &mut Outbox,
        now: Now,
        jitter: u8,
    ) -> Outcome {
        let Answer::Results { results, server_time } = answer else {
            return self.events_failed(sent, answer, outbox, now, jitter);
        };
        let receipts = Receipts::of(&results);
        if !sent.iter().any(|sequence| outbox.get(*sequence).is_some_and(|entry| receipts.about(entry).is_some())) {
            outbox.give_back(sent);
            self.back_off(Trouble::Nonsense, None, now, jitter);
            return Outcome::default();
        }
        let mut changes = Vec::new();
        for sequence in sent {
            let Some(entry) = outbox.get(*sequence) else { continue };
            let retry = self.own_retry(entry, now, jitter);
            match receipts.about(entry) {
                Some(receipt) => changes.extend(outbox.settle(*sequence, receipt, retry)),
                None => outbox.set_aside(*sequence, Some(unanswered()), retry),
            }
            self.too_large.remove(sequence);
        }
        self.succeeded(now);
        self.breaker.grow();
        Outcome { changes, heard: self.heard(server_time, now) }
    }

    fn events_failed(
        &mut self,
        sent: &[Sequence],
        answer: Answer,
        outbox: &mut Outbox,
        now: Now,
        jitter: u8,
    ) -> Outcome {
        match (sent, Blame::of(&answer)) {
            (&[alone], Blame::Size) => self.too_large_alone(alone, answer, outbox, now, jitter),
            (&[alone], Blame::Content | Blame::Perhaps) => {
                // It steps aside for the others: should they get through, it was this one.
                if let Some(entry) = outbox.get(alone) {
                    let retry = self.own_retry(entry, now, jitter);
                    outbox.set_aside(alone, reason(&answer), retry);
                }
                self.failed_alone(answer, now, jitter)
            }
            (_, Blame::Size | Blame::Content) => {
                // The halves find out which one it is. That ends at one, so there is nothing to wait for.
                outbox.give_back(sent);
                self.breaker.halve(sent.len());
                Outcome { changes: Vec::new(), heard: self.heard(answer.server_time(), now) }
            }
            (_, Blame::Perhaps | Blame::Road) => {
                outbox.give_back(sent);
                if matches!(answer, Answer::Unreachable { why: Unreachable::Timeout, .. }) {
                    self.breaker.halve(sent.len());
                }
                self.failed(answer, now, jitter)
            }
        }
    }

    /// One event alone is more than the server takes. The addon's own word for that is final. A proxy's may be the proxy's
    /// trouble: only when others got through since it last refused this one is it the event.
    fn too_large_alone(
        &mut self,
        sequence: Sequence,
        answer: Answer,
        outbox: &mut Outbox,
        now: Now,
        jitter: u8,
    ) -> Outcome {
        let Some(entry) = outbox.get(sequence) else { return self.failed_alone(answer, now, jitter) };
        let (size, retry) = (entry.size, self.own_retry(entry, now, jitter));
        let addons_word =
            matches!(&answer, Answer::Refused(error) if error.limit.is_none_or(|limit| limit < size + ENVELOPE));
        let others_passed = self.too_large.get(&sequence).is_some_and(|at| self.reached.is_some_and(|ok| ok > *at));
        let mut changes = Vec::new();
        if addons_word || others_passed {
            self.too_large.remove(&sequence);
            changes.extend(outbox.park(sequence, "too_large", &too_large(size, sequence)));
        } else {
            if self.too_large.len() == MAX_TOO_LARGE {
                self.too_large.pop_first();
            }
            self.too_large.insert(sequence, now.boot);
            outbox.set_aside(sequence, reason(&answer), retry);
        }
        Outcome { changes, ..self.failed_alone(answer, now, jitter) }
    }

    /// Waits as for any failure, but not for as long as for a refusal of the whole device.
    fn failed_alone(&mut self, answer: Answer, now: Now, jitter: u8) -> Outcome {
        let (heard, hint) = (self.heard(answer.server_time(), now), answer.hint());
        self.back_off_for(Trouble::of(answer), hint, Duration::ZERO, now, jitter);
        Outcome { changes: Vec::new(), heard }
    }

    /// When an event that must be kept may be sent again, by how often it was sent.
    fn own_retry(&self, entry: &Entry, now: Now, jitter: u8) -> Deadline {
        let attempts = match entry.state {
            State::Leased { attempts, .. } | State::Waiting { attempts, .. } => attempts,
            State::Parked(_) | State::Delivered { .. } => 0,
        };
        now.plus(self.breaker.wait(attempts.saturating_sub(1), jitter))
    }
}

/// The results of one answer, by what they name: their order, their number and their repeats mean nothing.
struct Receipts<'a>(BTreeMap<Digest, Vec<&'a Receipt>>);

impl<'a> Receipts<'a> {
    fn of(results: &'a [Receipt]) -> Receipts<'a> {
        let mut by_digest: BTreeMap<Digest, Vec<&Receipt>> = BTreeMap::new();
        for receipt in results.iter().take(MAX_RESULTS) {
            by_digest.entry(receipt.digest).or_default().push(receipt);
        }
        Receipts(by_digest)
    }

    /// The receipt of this event; none when the answer contradicts itself about it.
    fn about(&self, entry: &Entry) -> Option<&'a Receipt> {
        let mut own = self.0.get(&entry.digest)?.iter().filter(|receipt| receipt.matches(entry.id, entry.digest));
        let first = *own.next()?;
        let released = |status| matches!(status, Status::Created | Status::Duplicate);
        let agrees =
            |other: &&Receipt| other.status == first.status || (released(other.status) && released(first.status));
        own.all(agrees).then_some(first)
    }
}

fn unanswered() -> Refusal {
    Refusal { code: "unanswered".to_owned(), message: "the server's answer left this report out".to_owned() }
}

/// What the answer says about the one event that was sent.
fn reason(answer: &Answer) -> Option<Refusal> {
    let code = Trouble::of(answer.clone()).code().to_owned();
    let message = match answer {
        Answer::Refused(error) => error.message.clone(),
        Answer::NotOurs { status, .. } => format!("sent alone, it was answered with HTTP {status}"),
        Answer::Busy { .. }
        | Answer::Results { .. }
        | Answer::Photo { .. }
        | Answer::PhotoLost { .. }
        | Answer::Unreachable { .. }
        | Answer::Local { .. } => return None,
    };
    Some(Refusal { code, message })
}

fn too_large(size: u64, sequence: Sequence) -> String {
    format!(
        "the server takes no request as large as this one report ({size} bytes). Let IT raise the limit of the server or \
         of the proxy before it, then: tallyman queue retry {}",
        sequence.0
    )
}

#[cfg(test)]
mod tests;
