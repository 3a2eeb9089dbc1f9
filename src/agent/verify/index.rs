//! The index, which shows the queue's list: does it say what the journal says? It is only ever a copy, so nothing is lost here.

use std::path::Path;

use super::{Expected, Found};
use crate::domain::id::Sequence;
use crate::domain::outbox::Outbox;
use crate::io::index::inspect::{Contents, Unreadable, inspect};
use crate::wire::index_v2::{IndexV2, StateCode};
use crate::wire::verify_v1::FindingV1;

pub(super) fn look(folder: &Path, expected: &Expected<'_>, found: &mut Found) {
    let contents = match inspect(folder) {
        Ok(Some(contents)) => contents,
        // The next start makes one.
        Ok(None) => return,
        Err(Unreadable::Damaged(why)) => {
            let what = format!("it is damaged ({why})");
            let rebuilt = "nothing: the agent sets it aside at its next start and makes a new one from the journal";
            return found.findings.add(finding(None, what, rebuilt));
        }
        Err(error @ Unreadable::NoCopy { .. }) => {
            let room = "make room there, or name another folder for temporary files in TMPDIR";
            return found.findings.add(finding(None, error.to_string(), room));
        }
    };
    found.checked.index = Some(contents.entries.len());
    if contents.closed {
        agreement(&contents, expected.outbox, found);
    }
    lost(&contents, expected, found);
}

/// After a stop in order the index knows all that is here; after a crash it may be behind, and the next start mends that.
fn agreement(contents: &Contents, outbox: &Outbox, found: &mut Found) {
    let mend = "nothing: the agent mends it at its next start";
    for entry in outbox.entries() {
        let place = contents.entries.binary_search_by_key(&entry.sequence, |(sequence, _)| *sequence);
        let known = place.ok().and_then(|at| contents.entries.get(at)).map(|(_, value)| value);
        let wanted = IndexV2::of(entry);
        let what = match known {
            None => "it is missing in the index".to_owned(),
            Some(known) if known.digest != wanted.digest => "the index means another report by this number".to_owned(),
            Some(known) if known.state != wanted.state => {
                format!("the index says {:?}, the journal says {:?}", known.state, wanted.state).to_lowercase()
            }
            Some(_) => continue,
        };
        found.findings.add(finding(Some(entry.sequence), what, mend));
    }
}

/// What the index remembers and the journal doesn't.
fn lost(contents: &Contents, expected: &Expected<'_>, found: &mut Found) {
    if let Some((last, _)) = contents.entries.last().filter(|(last, _)| *last >= expected.next) {
        let missing = last.0 + 1 - expected.next.0;
        let what = format!("it knows {missing} report(s) behind the journal's end, up to {}", last.0);
        found.findings.add(gone(None, what));
    }
    for (sequence, value) in contents.entries.iter().filter(|(sequence, _)| !(expected.here)(*sequence)) {
        let what = match value.state {
            StateCode::Lost => "it was lost to damage on this device",
            StateCode::Photos => "some of its photos wait by the index, and the journal doesn't have it",
            StateCode::Pending | StateCode::Parked if *sequence < expected.next => {
                "it waits by the index, and the journal doesn't have it"
            }
            StateCode::Pending | StateCode::Parked | StateCode::Delivered | StateCode::Dismissed => continue,
        };
        found.findings.add(gone(Some(*sequence), what.to_owned()));
    }
}

fn finding(report: Option<Sequence>, what: String, to_do: &'static str) -> FindingV1 {
    let report = report.map(|sequence| sequence.0);
    FindingV1 { place: "index", report, what, kept: "all reports: they are in the journal", to_do }
}

fn gone(report: Option<Sequence>, what: String) -> FindingV1 {
    FindingV1 {
        place: "index",
        report: report.map(|sequence| sequence.0),
        what,
        kept: "what it was about, in the list (tallyman queue list --all), and of its bytes what was set aside, if anything",
        to_do: "look in Odoo whether it arrived; if not, report it again",
    }
}
