//! What the page and the command line show: plain data, taken from the one state in one turn.

use std::sync::Arc;

use super::capture::{Capture, Feedback, Question};
use super::evidence::LostPhoto;
use super::forward::Forwarder;
use super::id::{EventId, Sequence};
use super::outbox::{Counts, Entry, Outbox, State};
use super::policy::{Kind, Reason};
use super::tester::Tested;
use super::time::Wall;

/// How many rows the list "mine" has.
const MINE: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub operator: Option<String>,
    pub document: Option<String>,
    pub question: Question,
    pub slip: SlipView,
    pub reasons: Vec<Reason>,
    pub feedback: Option<Feedback>,
    /// Grows with every feedback, so that the page knows a new one from the last one shown again.
    pub feedback_number: u64,
    pub saving: bool,
    pub line: LineView,
    pub counts: Counts,
    /// Photos that were given up, the latest last.
    pub lost_photos: Vec<LostPhoto>,
    pub mine: Vec<Row>,
    pub scanners: Vec<ScannerView>,
    /// Somebody tests the scanners: scans make no reports.
    pub testing: bool,
    /// The last scans of tests, the oldest first.
    pub tested: Vec<Arc<Tested>>,
    /// The disk is almost full: nothing new is saved.
    pub low_disk: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlipView {
    pub bin: Option<String>,
    pub item: Option<String>,
    pub item_name: Option<String>,
    pub lot: Option<String>,
    pub expected: Option<String>,
    pub counted: Option<String>,
    pub unit: Option<String>,
    pub variance: Option<String>,
    pub reason: Option<Reason>,
    pub photos: usize,
    pub note: Option<String>,
}

/// How the road to Odoo is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineView {
    pub online: bool,
    pub enrolled: bool,
    /// What is wrong, as a word for programs and a sentence for people.
    pub trouble: Option<(&'static str, String)>,
    /// What the machine said about it, for IT.
    pub detail: Option<String>,
    /// Why photos wait although the line may be fine, for IT.
    pub photo_trouble: Option<String>,
}

/// One report in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub sequence: Sequence,
    pub id: EventId,
    pub kind: Kind,
    pub subject: String,
    pub captured: Wall,
    pub state: &'static str,
    pub case: Option<String>,
    pub photos: usize,
    pub error: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScannerView {
    pub name: String,
    pub connected: bool,
    pub detail: String,
    /// The devices that are read for it, and those that can't be.
    pub devices: Vec<DeviceView>,
}

/// One device of a scanner, as its reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    pub node: String,
    pub hold: Hold,
    /// What it calls itself, or why it can't be read.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Read by the agent alone.
    Grabbed,
    /// Read, and not yet alone: a key is still held down.
    Waiting,
    /// A keyboard that is only listened to, until it types like a scanner.
    Watched,
    /// Can't be read.
    Failed,
}

impl Hold {
    pub fn name(self) -> &'static str {
        match self {
            Hold::Grabbed => "grabbed",
            Hold::Waiting => "waiting",
            Hold::Watched => "watched",
            Hold::Failed => "failed",
        }
    }
}

impl Snapshot {
    pub fn take(
        capture: &Capture,
        outbox: &Outbox,
        forwarder: &Forwarder,
        enrolled: bool,
        scanners: Vec<ScannerView>,
    ) -> Snapshot {
        Snapshot {
            operator: capture
                .operator()
                .map(|operator| operator.name.clone().unwrap_or_else(|| operator.badge.clone())),
            document: capture.document().map(|document| document.code.clone()),
            question: capture.question(),
            slip: slip(capture),
            reasons: capture.reasons(),
            feedback: capture.last_feedback().cloned(),
            feedback_number: capture.feedback_number(),
            saving: capture.is_saving(),
            line: LineView {
                online: forwarder.is_online(),
                enrolled,
                trouble: forwarder.trouble().map(|trouble| (trouble.code(), trouble.to_string())),
                detail: forwarder.trouble().and_then(|trouble| trouble.detail()).map(ToOwned::to_owned),
                photo_trouble: outbox.photo_trouble().map(ToOwned::to_owned),
            },
            counts: outbox.counts(),
            lost_photos: outbox.lost_photos().cloned().collect(),
            mine: outbox.entries().rev().chain(outbox.recent().rev()).take(MINE).map(Row::of).collect(),
            scanners,
            testing: false,
            tested: Vec::new(),
            low_disk: false,
        }
    }
}

impl Row {
    pub fn of(entry: &Entry) -> Row {
        let (case, error) = match &entry.state {
            State::Delivered { case } => (case.clone(), None),
            State::Parked(why) => (None, Some(why.message.clone())),
            State::Waiting { last, .. } | State::Leased { last, .. } => {
                (None, last.as_ref().map(|why| why.message.clone()))
            }
        };
        Row {
            sequence: entry.sequence,
            id: entry.id,
            kind: entry.kind,
            subject: entry.subject.to_string(),
            captured: entry.captured,
            state: entry.state.name(),
            case,
            photos: entry.photos.len(),
            error,
        }
    }
}

fn slip(capture: &Capture) -> SlipView {
    let Some(slip) = capture.slip() else { return SlipView::default() };
    let product = slip.item.as_ref().and_then(|item| capture.catalog().product(&item.code));
    SlipView {
        bin: slip.bin.clone(),
        item: slip.item.as_ref().map(|item| item.code.clone()),
        item_name: product.map(|product| product.name.clone()),
        lot: slip.item.as_ref().and_then(|item| item.lot.clone()),
        expected: slip.expected.map(|quantity| quantity.to_string()),
        counted: match &slip.count {
            super::capture::Count::None => None,
            super::capture::Count::Pieces(pieces) => Some(pieces.to_string()),
            super::capture::Count::Typed(digits) => Some(digits.clone()),
        },
        unit: slip.unit.clone(),
        variance: slip.variance().map(|variance| variance.to_string()),
        reason: slip.reason.clone(),
        photos: slip.photos.len(),
        note: slip.note.clone(),
    }
}
