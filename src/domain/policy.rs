//! What kinds of report exist, and what a site asks for before one may be sent.

use std::fmt;
use std::time::Duration;

use super::quantity::Side;

/// The kinds of exception that the wire knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    ReceivingDiscrepancy,
    Damaged,
    PickShortage,
    Overage,
    LocationMismatch,
    BlockedStock,
    QualityHold,
    ReturnDiscrepancy,
    CycleCountVariance,
}

impl Kind {
    pub const ALL: [Kind; 9] = [
        Kind::ReceivingDiscrepancy,
        Kind::Damaged,
        Kind::PickShortage,
        Kind::Overage,
        Kind::LocationMismatch,
        Kind::BlockedStock,
        Kind::QualityHold,
        Kind::ReturnDiscrepancy,
        Kind::CycleCountVariance,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Kind::ReceivingDiscrepancy => "receiving_discrepancy",
            Kind::Damaged => "damaged",
            Kind::PickShortage => "pick_shortage",
            Kind::Overage => "overage",
            Kind::LocationMismatch => "location_mismatch",
            Kind::BlockedStock => "blocked_stock",
            Kind::QualityHold => "quality_hold",
            Kind::ReturnDiscrepancy => "return_discrepancy",
            Kind::CycleCountVariance => "cycle_count_variance",
        }
    }

    pub fn parse(slug: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.slug() == slug)
    }
}

/// Why the count differs: an identifier that the server translates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reason(String);

impl Reason {
    /// `[a-z0-9_]{1,40}`, as the wire demands.
    pub fn parse(text: &str) -> Option<Reason> {
        let fits = (1..=40).contains(&text.len());
        let plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        (fits && plain).then(|| Reason(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PhotoRule {
    #[default]
    Optional,
    Required,
}

/// A reason and the side of the variance that it can explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonRule {
    pub reason: Reason,
    /// `None` explains any difference.
    pub side: Option<Side>,
}

/// What one flow asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowPolicy {
    /// The likeliest first.
    pub reasons: Vec<ReasonRule>,
    pub photo: PhotoRule,
    /// The same code again within this time is one beep that came twice. Short where pieces are counted by scanning.
    pub cooldown: Duration,
}

impl FlowPolicy {
    /// The reasons that can explain a difference on `side`; all of them when the side isn't known.
    pub fn reasons_for(&self, side: Option<Side>) -> impl Iterator<Item = &Reason> {
        self.reasons
            .iter()
            .filter(move |rule| side.is_none() || rule.side.is_none() || rule.side == side)
            .map(|rule| &rule.reason)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies {
    pub pick_shortage: FlowPolicy,
    pub receiving_discrepancy: FlowPolicy,
}

impl Policies {
    /// The policy of a flow; the kinds without a flow of their own ask for nothing yet.
    pub fn of(&self, kind: Kind) -> Option<&FlowPolicy> {
        match kind {
            Kind::PickShortage => Some(&self.pick_shortage),
            Kind::ReceivingDiscrepancy => Some(&self.receiving_discrepancy),
            Kind::Damaged
            | Kind::Overage
            | Kind::LocationMismatch
            | Kind::BlockedStock
            | Kind::QualityHold
            | Kind::ReturnDiscrepancy
            | Kind::CycleCountVariance => None,
        }
    }
}

impl Default for Policies {
    fn default() -> Policies {
        Policies {
            pick_shortage: FlowPolicy {
                reasons: rules(&[
                    ("fewer_than_expected", Some(Side::Short)),
                    ("bin_empty", Some(Side::Short)),
                    ("damaged", Some(Side::Short)),
                    ("wrong_item", Some(Side::Short)),
                    ("not_found", Some(Side::Short)),
                ]),
                photo: PhotoRule::Optional,
                cooldown: Duration::from_secs(1),
            },
            receiving_discrepancy: FlowPolicy {
                reasons: rules(&[
                    ("short_delivery", Some(Side::Short)),
                    ("over_delivery", Some(Side::Over)),
                    ("damaged", Some(Side::Short)),
                    ("wrong_item", None),
                ]),
                photo: PhotoRule::Optional,
                cooldown: Duration::from_millis(250),
            },
        }
    }
}

fn rules(list: &[(&str, Option<Side>)]) -> Vec<ReasonRule> {
    list.iter().filter_map(|&(reason, side)| Reason::parse(reason).map(|reason| ReasonRule { reason, side })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_from_its_slug() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.slug()), Some(kind));
        }
    }

    #[test]
    fn the_side_of_the_variance_chooses_the_reasons() {
        let policy = Policies::default().receiving_discrepancy;
        let words = |side| policy.reasons_for(side).map(Reason::as_str).collect::<Vec<_>>();
        assert_eq!(words(Some(Side::Over)), ["over_delivery", "wrong_item"]);
        assert_eq!(words(Some(Side::Short)), ["short_delivery", "damaged", "wrong_item"]);
        assert_eq!(words(None).len(), 4);
    }

    #[test]
    fn a_reason_is_a_plain_identifier() {
        assert!(Reason::parse("bin_empty").is_some());
        for text in ["", "Bin", "a b", "ä", &"x".repeat(41)] {
            assert!(Reason::parse(text).is_none(), "{text}");
        }
    }
}
