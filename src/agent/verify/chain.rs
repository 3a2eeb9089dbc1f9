//! The chain: each report names the one before it, and each segment's header says how far the chain had come.

use super::Findings;
use super::journal::Read;
use crate::domain::id::Sequence;
use crate::wire::verify_v1::FindingV1;

pub(super) fn look(read: &Read, findings: &mut Findings) {
    links(read, findings);
    gaps(read, findings);
    headers(read, findings);
    receipts(read, findings);
}

fn links(read: &Read, findings: &mut Findings) {
    let pairs = read.events.iter().zip(read.events.iter().skip(1));
    for ((before, known), (sequence, link)) in pairs.filter(|((before, _), (sequence, _))| before.next() == **sequence)
    {
        if link.prev.is_some_and(|prev| prev != known.digest) {
            let what = format!("it doesn't follow report {}: the chain is broken between them", before.0);
            findings.add(broken(Some(*sequence), what));
        }
    }
}

/// From the first event on that the oldest segment can hold, each number is there: segments go from the oldest on. What is
/// before it, and still here, was carried.
fn gaps(read: &Read, findings: &mut Findings) {
    let (Some(first), Some(last)) = (read.first, read.events.keys().next_back()) else { return };
    let mut expected = first;
    for sequence in read.events.range(first..=*last).map(|(sequence, _)| *sequence) {
        if sequence > expected {
            let (from, to) = (expected.0, sequence.0 - 1);
            let which = if from == to { format!("report {from} is") } else { format!("reports {from} to {to} are") };
            findings.add(broken(None, format!("{which} not in the journal any more")));
        }
        expected = sequence.next();
    }
}

/// A header stands behind all events before it, and names the last of them.
fn headers(read: &Read, findings: &mut Findings) {
    for (segment, header) in &read.headers {
        let before = read.events.get(&Sequence(header.head.next.0.saturating_sub(1)));
        if before.is_some_and(|link| link.digest != header.head.prev) {
            let what = format!("segment {segment} of the journal follows another report than the one before it");
            findings.add(broken(Some(header.head.next), what));
        }
        let next = read.events.get(&header.head.next).and_then(|link| link.prev);
        if next.is_some_and(|prev| prev != header.head.prev) && before.is_none() {
            let what = format!("it doesn't follow the report that segment {segment} of the journal names before it");
            findings.add(broken(Some(header.head.next), what));
        }
    }
}

/// Each header counts the receipts before it: those of a segment that is gone are missed.
fn receipts(read: &Read, findings: &mut Findings) {
    for ((segment, header), (next, behind)) in read.headers.iter().zip(read.headers.iter().skip(1)) {
        let inside = read.receipts.get(segment).copied().unwrap_or(0);
        let expected = header.delivered + inside;
        if behind.delivered != expected {
            let missing = behind.delivered.abs_diff(expected);
            findings.add(FindingV1 {
                place: "journal",
                report: None,
                what: format!(
                    "{missing} receipt(s) of Odoo between segments {segment} and {next} are gone or too many"
                ),
                kept: "the reports themselves",
                to_do: "nothing: what Odoo has already is sent once more, and is a duplicate there",
            });
        }
    }
}

fn broken(report: Option<Sequence>, what: String) -> FindingV1 {
    FindingV1 {
        place: "chain",
        report: report.map(|sequence| sequence.0),
        what,
        kept: "every report that is here; it is sent, and Odoo shows the gap or the break on the device's page",
        to_do: "look in Odoo whether the missing reports arrived; report again what did not",
    }
}
