//! The slip: the slots of one report, filled in any order.

use super::super::catalog::Direction;
use super::super::decode::Scan;
use super::super::event::{Item, KeptScan, Photo, Role};
use super::super::id::EventId;
use super::super::policy::Reason;
use super::super::quantity::{Quantity, Variance};

/// Longer codes are cut: no badge, bin or document number is longer, and an event stays within the wire's 64 KiB.
pub(super) const MAX_CODE: usize = 128;
pub(super) const MAX_NOTE: usize = 500;
pub(super) const MAX_PHOTOS: usize = 16;
const MAX_SCANS: usize = 64;
/// All raw bytes of one report together, for the same reason.
const MAX_RAW_TOTAL: usize = 2560;
/// A session that counts piece by piece must end somewhere.
const MAX_PIECES: u32 = 99_999;

/// What is being worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDocument {
    pub code: String,
    pub direction: Direction,
}

/// How the counted quantity came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Count {
    #[default]
    None,
    /// Every scan of the item was one piece.
    Pieces(u32),
    /// Digits, as typed so far.
    Typed(String),
}

impl Count {
    pub fn quantity(&self) -> Option<Quantity> {
        match self {
            Count::None => None,
            Count::Pieces(pieces) => Some(Quantity::from_count(*pieces)),
            Count::Typed(digits) => Quantity::parse(digits),
        }
    }

    /// Adds a digit or the point; digits replace a count by pieces. False when that makes no quantity.
    pub(super) fn push(&mut self, digit: char) -> bool {
        let mut digits = match self {
            Count::Typed(digits) => digits.clone(),
            Count::None | Count::Pieces(_) => String::new(),
        };
        if digits == "0" && digit != '.' {
            digits.clear();
        }
        digits.push(digit);
        // "12." is on its way to "12.5".
        let fits = Quantity::parse(&digits).is_some() || Quantity::parse(&format!("{digits}0")).is_some();
        if fits {
            *self = Count::Typed(digits);
        }
        fits
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    pub id: EventId,
    /// The document that the catalog found for this line alone; the session's own is not touched.
    pub document: Option<OpenDocument>,
    pub bin: Option<String>,
    pub item: Option<Item>,
    pub expected: Option<Quantity>,
    pub unit: Option<String>,
    pub count: Count,
    pub reason: Option<Reason>,
    pub note: Option<String>,
    pub photos: Vec<Photo>,
    /// A photo was taken, and the device had no room for it.
    pub(super) photo_excused: bool,
    /// A command said that this is a pick, before any document or bin did.
    pub(super) pick: bool,
    pub(super) scans: Vec<KeptScan>,
    pub(super) scans_omitted: u32,
}

impl Slip {
    pub(super) fn new(id: EventId) -> Slip {
        Slip {
            id,
            document: None,
            bin: None,
            item: None,
            expected: None,
            unit: None,
            count: Count::None,
            reason: None,
            note: None,
            photos: Vec::new(),
            photo_excused: false,
            pick: false,
            scans: Vec::new(),
            scans_omitted: 0,
        }
    }

    /// Keeps a scan as evidence, as long as there is room; beyond that it is counted.
    pub(super) fn keep(&mut self, scan: &Scan, role: Role) {
        let used: usize = self.scans.iter().map(|kept| kept.raw.len()).sum();
        if self.scans.len() >= MAX_SCANS || used + scan.raw.len() > MAX_RAW_TOTAL {
            self.scans_omitted = self.scans_omitted.saturating_add(1);
            return;
        }
        self.scans.push(evidence(scan, role));
    }

    /// The same item again is one piece more where the flow counts by scanning; another item replaces the first.
    pub(super) fn take_item(&mut self, item: Item, counting: bool) {
        let same = self.item.as_ref().is_some_and(|known| known.code == item.code && known.lot == item.lot);
        self.count = match (&self.count, counting) {
            (Count::Pieces(pieces), true) if same => Count::Pieces((pieces + 1).min(MAX_PIECES)),
            (Count::Typed(digits), _) if same || self.item.is_none() => Count::Typed(digits.clone()),
            (_, true) => Count::Pieces(1),
            (_, false) => Count::None,
        };
        self.item = Some(item);
    }

    pub fn variance(&self) -> Option<Variance> {
        Some(Quantity::variance(self.count.quantity()?, self.expected?))
    }
}

/// A scan as it travels with a report.
pub(super) fn evidence(scan: &Scan, role: Role) -> KeptScan {
    KeptScan {
        role,
        source: scan.source.clone(),
        at: scan.at,
        raw: scan.raw.clone(),
        text: scan.text.clone(),
        kind: scan.meaning.name(),
        flaws: scan.flaws.iter().take(4).map(ToString::to_string).collect(),
    }
}
