//! The only thing that releases an event: a receipt that names it.

use super::id::{Digest, EventId};

/// One result of `POST /events`, as the server gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Absent when the server could not read the event.
    pub id: Option<EventId>,
    pub digest: Digest,
    pub status: Status,
    pub case: Option<String>,
    /// Photos that the server still wants; absent when it didn't say.
    pub missing_evidence: Option<Vec<Digest>>,
    pub error: Option<Refusal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Created,
    Duplicate,
    Conflict,
    Rejected,
    Retry,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    pub code: String,
    pub message: String,
}

impl Refusal {
    /// For one of more reasons than are kept in memory.
    pub fn untold() -> Refusal {
        let message =
            "the server gave more different reasons than this device keeps; sent again, it says this one again";
        Refusal { code: "other".to_owned(), message: message.to_owned() }
    }
}

/// What a receipt means for the event that it claims to be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Release {
        case: Option<String>,
        missing_evidence: Option<Vec<Digest>>,
    },
    /// A person must look: it stays here, visibly.
    Park(Refusal),
    Keep(Refusal),
}

impl Receipt {
    /// True when the receipt is about this event and no other.
    pub fn matches(&self, id: EventId, digest: Digest) -> bool {
        // A server that could not read the event can't name its id; its digest still binds the answer to the bytes.
        let same_id = self.id == Some(id) || (self.id.is_none() && self.status == Status::Rejected);
        same_id && self.digest == digest
    }

    /// Never a release, and never a parking, for an event that the receipt doesn't name.
    pub fn verdict(&self, id: EventId, digest: Digest) -> Verdict {
        if !self.matches(id, digest) {
            return Verdict::Keep(Refusal {
                code: "receipt_mismatch".to_owned(),
                message: "the server answered for another event".to_owned(),
            });
        }
        let refusal = || {
            self.error.clone().unwrap_or_else(|| Refusal {
                code: "unexplained".to_owned(),
                message: "the server gave no reason".to_owned(),
            })
        };
        match self.status {
            Status::Created | Status::Duplicate => {
                Verdict::Release { case: self.case.clone(), missing_evidence: self.missing_evidence.clone() }
            }
            Status::Conflict => Verdict::Park(Refusal {
                code: "conflict".to_owned(),
                message: "Odoo already has another event under this id; nothing was overwritten".to_owned(),
            }),
            Status::Rejected => Verdict::Park(refusal()),
            Status::Retry => Verdict::Keep(refusal()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::Wall;
    use super::*;

    fn receipt(status: Status) -> Receipt {
        Receipt {
            id: Some(EventId::mint(Wall(1), &[0; 10])),
            digest: Digest::of(b"jws"),
            status,
            case: Some("EXC/2026/00001".into()),
            missing_evidence: None,
            error: None,
        }
    }

    fn verdict(receipt: &Receipt) -> Verdict {
        receipt.verdict(EventId::mint(Wall(1), &[0; 10]), Digest::of(b"jws"))
    }

    #[test]
    fn created_and_duplicate_release() {
        for status in [Status::Created, Status::Duplicate] {
            assert!(matches!(verdict(&receipt(status)), Verdict::Release { case: Some(_), .. }));
        }
    }

    #[test]
    fn another_digest_or_id_releases_nothing_and_parks_nothing() {
        for status in [Status::Created, Status::Duplicate, Status::Conflict, Status::Rejected, Status::Retry] {
            let mut other = receipt(status);
            other.digest = Digest::of(b"another");
            assert!(matches!(verdict(&other), Verdict::Keep(_)));
            let mut other = receipt(status);
            other.id = Some(EventId::mint(Wall(2), &[0; 10]));
            assert!(matches!(verdict(&other), Verdict::Keep(_)));
        }
    }

    #[test]
    fn a_nameless_receipt_can_reject_but_not_release() {
        let nameless = |status| Receipt { id: None, ..receipt(status) };
        assert!(matches!(verdict(&nameless(Status::Rejected)), Verdict::Park(_)));
        assert!(matches!(verdict(&nameless(Status::Created)), Verdict::Keep(_)));
    }
}
