//! Who works on which document, the slip that fills up, and the question that follows from them.

use super::super::catalog::{Direction, Operator};
use super::super::event::{KeptScan, Report};
use super::super::policy::{FlowPolicy, Kind, PhotoRule, Policies, Reason};
use super::super::quantity::{Side, Variance};
use super::slip::{OpenDocument, Slip};

/// What the page asks for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    Operator,
    /// A document, or a bin where there is none.
    Context,
    /// The bin or the item of a pick's line.
    BinOrItem,
    Item,
    Count,
    Reason,
    Photo,
    Done,
    /// Counted as expected: DONE closes the line without a report.
    Matches,
}

impl Question {
    /// Why DONE is off; empty when it is on.
    pub fn missing(self) -> &'static str {
        match self {
            Question::Operator => "Scan your badge first.",
            Question::Context => "Scan the document, or the bin you stand at.",
            Question::BinOrItem => "Scan the bin or the item.",
            Question::Item => "Scan the item.",
            Question::Count => "Count: how many are there?",
            Question::Reason => "Choose the reason for the difference.",
            Question::Photo => "This site wants a photo of it.",
            Question::Done | Question::Matches => "",
        }
    }
}

/// Operator and document outlive a slip: the next line needs neither scanned again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) operator: Option<Operator>,
    pub(super) document: Option<OpenDocument>,
    /// The scans that opened them, evidence for every report of the session.
    pub(super) operator_scan: Option<KeptScan>,
    pub(super) document_scan: Option<KeptScan>,
    pub(super) slip: Option<Slip>,
}

impl Session {
    /// The document of the current line.
    pub(super) fn document(&self) -> Option<&OpenDocument> {
        self.slip.as_ref().and_then(|slip| slip.document.as_ref()).or(self.document.as_ref())
    }

    pub(super) fn is_receipt(&self) -> bool {
        self.document().is_some_and(|document| document.direction == Direction::Receipt)
    }

    /// The kind of report that is filling, once anything tells.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self.document().map(|document| document.direction) {
            Some(Direction::Receipt) => Some(Kind::ReceivingDiscrepancy),
            Some(Direction::Pick) => Some(Kind::PickShortage),
            None => self.slip.as_ref().filter(|slip| slip.pick || slip.bin.is_some()).map(|_| Kind::PickShortage),
        }
    }

    pub(super) fn question(&self, policies: &Policies) -> Question {
        if self.operator.is_none() {
            return Question::Operator;
        }
        let Some(kind) = self.kind() else { return Question::Context };
        let pick = kind == Kind::PickShortage;
        let Some(slip) = &self.slip else { return if pick { Question::BinOrItem } else { Question::Item } };
        if slip.item.is_none() {
            return if pick && slip.bin.is_none() { Question::BinOrItem } else { Question::Item };
        }
        if slip.count.quantity().is_none() {
            return Question::Count;
        }
        if settled(kind, slip) { Question::Matches } else { self.after_count(slip, policies.of(kind)) }
    }

    fn after_count(&self, slip: &Slip, policy: Option<&FlowPolicy>) -> Question {
        let Some(policy) = policy else { return Question::Done };
        if reason_in_force(slip, policy).is_none() && reasons_for(slip, policy).next().is_some() {
            Question::Reason
        } else if policy.photo == PhotoRule::Required && slip.photos.is_empty() && !slip.photo_excused {
            Question::Photo
        } else {
            Question::Done
        }
    }

    pub(super) fn reasons(&self, policies: &Policies) -> Vec<Reason> {
        let policy = self.kind().and_then(|kind| policies.of(kind));
        self.slip.iter().zip(policy).flat_map(|(slip, policy)| reasons_for(slip, policy).cloned()).collect()
    }

    /// What DONE saves; `None` while something is missing.
    pub(super) fn report(&self, policies: &Policies) -> Option<Report> {
        let kind = self.kind()?;
        let slip = self.slip.clone()?;
        let reason = policies.of(kind).and_then(|policy| reason_in_force(&slip, policy)).cloned();
        Some(Report {
            id: slip.id,
            kind,
            operator: self.operator.clone(),
            document: self.document().map(|document| document.code.clone()),
            counted: slip.count.quantity()?,
            bin: slip.bin,
            item: slip.item,
            expected: slip.expected,
            unit: slip.unit,
            reason,
            note: slip.note,
            photos: slip.photos,
            scans: self.operator_scan.iter().chain(&self.document_scan).cloned().chain(slip.scans).collect(),
            scans_omitted: slip.scans_omitted,
        })
    }
}

/// Nothing to report: as many as expected, or on a pick at least as many, and nobody gave a reason.
fn settled(kind: Kind, slip: &Slip) -> bool {
    let side = slip.variance().map(Variance::side);
    let enough = side == Some(Side::Matches) || (kind == Kind::PickShortage && side == Some(Side::Over));
    enough && slip.reason.is_none()
}

fn reasons_for<'a>(slip: &Slip, policy: &'a FlowPolicy) -> impl Iterator<Item = &'a Reason> {
    let side = slip.variance().map(Variance::side).filter(|side| *side != Side::Matches);
    policy.reasons_for(side)
}

/// The chosen reason, or the only one that policy allows here.
fn reason_in_force<'a>(slip: &'a Slip, policy: &'a FlowPolicy) -> Option<&'a Reason> {
    let mut allowed = reasons_for(slip, policy);
    let only = allowed.next().filter(|_| allowed.next().is_none());
    slip.reason.as_ref().or(only)
}
