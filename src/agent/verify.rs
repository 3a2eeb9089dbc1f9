//! `queue verify`: looks at everything that a report rests on, and changes nothing.
//!
//! Beside a running agent it reads what that one writes: an unfinished write at the journal's end is no damage, and what looks
//! wrong is looked at again, because a segment or a photo may have gone to Odoo and been deleted meanwhile.

mod chain;
mod index;
mod journal;
mod photos;

use std::io;
use std::path::Path;

use super::held::{Held, hold};
use crate::domain::id::Sequence;
use crate::domain::outbox::Outbox;
use crate::io::durable;
use crate::io::index::NoIndex;
use crate::io::journal::{Peek, SEGMENT_BYTES};
use crate::io::keys::{DeviceKey, Identity};
use crate::io::store::Committer;
use crate::wire::verify_v1::{CheckedV1, FindingV1, VerifyV1};

/// A person reads no more.
const MAX_FINDINGS: usize = 200;
/// How often what a running agent may just have changed is looked at.
const LOOKS: u32 = 3;

/// Checks the state folder of an agent.
///
/// # Errors
/// When it can't be read at all, for want of rights mostly.
pub fn verify(folder: &Path) -> io::Result<VerifyV1> {
    let held = hold(folder)?;
    let running = matches!(held, Held::ByAgent);
    let mut looks = 1;
    loop {
        let found = look(folder, running)?;
        if found.findings.list.is_empty() || !running || looks == LOOKS {
            let Found { checked, findings: Findings { list: findings, more } } = found;
            return Ok(VerifyV1 { ok: findings.is_empty(), running, checked, findings, more });
        }
        looks += 1;
    }
}

#[derive(Default)]
struct Found {
    checked: CheckedV1,
    findings: Findings,
}

#[derive(Default)]
struct Findings {
    list: Vec<FindingV1>,
    more: usize,
}

impl Findings {
    fn add(&mut self, finding: FindingV1) {
        if self.list.len() < MAX_FINDINGS {
            self.list.push(finding);
        } else {
            self.more += 1;
        }
    }
}

fn look(folder: &Path, running: bool) -> io::Result<Found> {
    let mut found = Found::default();
    let identity = key_and_identity(folder, &mut found.findings);
    let journal = folder.join("journal");
    if journal.try_exists()? {
        let read = journal::look(&journal, identity.as_ref(), &mut found)?;
        chain::look(&read, &mut found.findings);
        found.checked.events = read.events.len();
        // What the agent would find at its start.
        let opened = Committer::open(Peek::at(&journal), SEGMENT_BYTES, NoIndex, Vec::new());
        if let Ok((committer, start)) = opened {
            photos::look(&folder.join("photos"), &start.outbox, &mut found)?;
            if !running {
                let here = &|sequence| committer.has(sequence);
                let expected = Expected { outbox: &start.outbox, next: start.head.next, here };
                index::look(folder, &expected, &mut found);
            }
        }
    }
    for place in [folder.to_owned(), journal, folder.join("photos")] {
        for kept in durable::quarantined(&place) {
            found.findings.add(FindingV1 {
                place: "set aside",
                report: None,
                what: format!("{} was damaged and is no longer used", kept.display()),
                kept: "all of it, as it was found",
                to_do: "compare the case numbers of its days with Odoo, then keep it elsewhere or delete it",
            });
        }
    }
    Ok(found)
}

/// What the index should agree with.
struct Expected<'a> {
    outbox: &'a Outbox,
    /// The sequence of the next event.
    next: Sequence,
    /// Whether the journal has an event, whatever became of it.
    here: &'a dyn Fn(Sequence) -> bool,
}

/// The key that this device signs with; what is wrong with it is added to the findings.
fn key_and_identity(folder: &Path, findings: &mut Findings) -> Option<(DeviceKey, Identity)> {
    let mut wrong = |what: String| {
        findings.add(FindingV1 {
            place: "key",
            report: None,
            what,
            kept: "all reports; those that wait can't be sent",
            to_do: "enrol this device again (tallyman enroll) with a code from its own page in Odoo ('Give another key')",
        });
    };
    match (DeviceKey::load(folder), Identity::load(folder)) {
        (Ok(Some(key)), Ok(Some(identity))) if key.kid() == identity.kid => return Some((key, identity)),
        (Ok(Some(_)), Ok(Some(_))) => wrong("the device's key isn't the one that was enrolled".to_owned()),
        // Never enrolled: there is nothing to be wrong.
        (Ok(_), Ok(None)) => {}
        (Ok(None), Ok(Some(_))) => wrong("the device's key is gone".to_owned()),
        (Err(error), _) | (_, Err(error)) => wrong(error.to_string()),
    }
    None
}
