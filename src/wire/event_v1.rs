//! The event as one CloudEvents 1.0 JSON object (docs/protocol.md, "The event").

use serde::{Deserialize, Serialize};

use super::jws;
use crate::domain::event::{Event, Item, KeptScan, Photo};

/// What every type of ours begins and ends with.
pub const TYPE_PREFIX: &str = "io.tallyman.exception.";
pub const TYPE_SUFFIX: &str = ".v1";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventV1 {
    pub specversion: String,
    pub id: String,
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub subject: String,
    pub time: String,
    pub datacontenttype: String,
    pub sequence: String,
    pub prevhash: String,
    pub data: DataV1,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataV1 {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<OperatorV1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<CodeV1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin: Option<CodeV1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemV1>,
    pub quantity: QuantityV1,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoV1>,
    pub scans: Vec<ScanV1>,
    /// Scans beyond what an event may carry.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub scans_omitted: u32,
    pub clock: ClockV1,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatorV1 {
    pub badge: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodeV1 {
    pub code: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemV1 {
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantityV1 {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoV1 {
    pub sha256: String,
    pub size: u64,
    pub media_type: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanV1 {
    pub role: String,
    pub source: String,
    pub at: String,
    pub raw: String,
    pub text: String,
    pub kind: String,
    #[serde(default)]
    pub flaws: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockV1 {
    pub boot_id: String,
    pub boot_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_age_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty_ms: Option<u64>,
}

impl From<&Event> for EventV1 {
    fn from(event: &Event) -> EventV1 {
        let report = &event.report;
        EventV1 {
            specversion: "1.0".to_owned(),
            id: report.id.to_string(),
            source: event.device.source(),
            kind: format!("{TYPE_PREFIX}{}{TYPE_SUFFIX}", report.kind.slug()),
            subject: report.subject(),
            time: event.captured.to_string(),
            datacontenttype: "application/json".to_owned(),
            sequence: event.place.next.to_string(),
            prevhash: event.place.prev.to_string(),
            data: DataV1::from(event),
        }
    }
}

impl From<&Event> for DataV1 {
    fn from(event: &Event) -> DataV1 {
        let report = &event.report;
        let code = |code: &Option<String>| code.clone().map(|code| CodeV1 { code });
        DataV1 {
            operator: report.operator.as_ref().map(|operator| OperatorV1 { badge: operator.badge.clone() }),
            document: code(&report.document),
            bin: code(&report.bin),
            item: report.item.as_ref().map(ItemV1::from),
            quantity: QuantityV1 {
                expected: report.expected.map(|quantity| quantity.to_string()),
                counted: Some(report.counted.to_string()),
                unit: report.unit.clone(),
            },
            reason: report.reason.as_ref().map(ToString::to_string),
            note: report.note.clone(),
            photos: report.photos.iter().map(PhotoV1::from).collect(),
            scans: report.scans.iter().map(ScanV1::from).collect(),
            scans_omitted: report.scans_omitted,
            clock: ClockV1 {
                boot_id: event.clock.boot_id.clone(),
                boot_ms: millis(event.clock.boot),
                offset_ms: event.clock.offset_ms,
                offset_age_ms: event.clock.offset_age.map(millis),
                uncertainty_ms: event.clock.uncertainty.map(millis),
            },
        }
    }
}

impl From<&Item> for ItemV1 {
    fn from(item: &Item) -> ItemV1 {
        ItemV1 {
            code: item.code.clone(),
            gtin: item.gtin.map(|gtin| gtin.to_string()),
            lot: item.lot.clone(),
            serial: item.serial.clone(),
            expiry: item.expiry.map(|date| date.to_string()),
        }
    }
}

impl From<&Photo> for PhotoV1 {
    fn from(photo: &Photo) -> PhotoV1 {
        PhotoV1 { sha256: photo.digest.to_string(), size: photo.size, media_type: photo.media_type.name().to_owned() }
    }
}

impl From<&KeptScan> for ScanV1 {
    fn from(scan: &KeptScan) -> ScanV1 {
        ScanV1 {
            role: scan.role.name().to_owned(),
            source: scan.source.to_string(),
            at: scan.at.wall.to_string(),
            raw: jws::encode(&scan.raw),
            text: scan.text.clone(),
            kind: scan.kind.to_owned(),
            flaws: scan.flaws.clone(),
        }
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::capture::{Capture, Effect, Input, TypedSlot};
    use crate::domain::catalog::{Catalog, Conventions};
    use crate::domain::clock::{BootTime, DeviceClock, Offset};
    use crate::domain::decode::command::Command;
    use crate::domain::decode::{Flaw, RawScan, decode};
    use crate::domain::event::{MediaType, Report};
    use crate::domain::id::{ChainHead, DeviceId, Digest};
    use crate::domain::policy::Policies;
    use crate::domain::time::{Now, Wall};

    const NOW: Now = Now { boot: Duration::MAX, wall: Wall(i64::MAX / 2) };

    /// The most that a person and a scanner gone mad can put on one slip.
    fn fullest_report() -> Report {
        let mut capture = Capture::new(Catalog::new(Conventions::default()), Policies::default());
        let mut input = |input| capture.handle(input, NOW, &[0; 10]).remove(0);
        let nasty = "\u{1}".repeat(600);
        for slot in [TypedSlot::Operator, TypedSlot::Bin, TypedSlot::Item, TypedSlot::Note] {
            input(Input::Typed { slot, text: format!("x{nasty}x") });
        }
        for code in ["EMP-", "WH/OUT/"] {
            let bytes = format!("{code}{nasty}x").into_bytes();
            input(Input::Scan(decode(RawScan::new("dock", &bytes, NOW))));
        }
        for n in 0..200u8 {
            let bytes = [&[n], "x\u{1}".repeat(23).as_bytes(), b"x"].concat();
            let flaws = vec![Flaw::UnknownKey { code: 9 }, Flaw::UnknownAi { digits: "8999".into(), at: 9 }];
            input(Input::Scan(decode(RawScan { flaws, ..RawScan::new(&"d".repeat(40), &bytes, NOW) })));
        }
        for n in 0..20u8 {
            input(Input::Photo(Photo { digest: Digest::of(&[n]), size: u64::MAX, media_type: MediaType::Jpeg }));
        }
        for command in [Command::Digit(5), Command::Damaged] {
            input(Input::Command(command));
        }
        match input(Input::Command(Command::Done)) {
            Effect::Save(report) => *report,
            told @ Effect::Tell(_) => panic!("{told:?}"),
        }
    }

    #[test]
    fn the_fullest_report_is_within_the_wires_64_kib() {
        let report = fullest_report();
        assert!(report.scans.len() > 50 && report.scans_omitted > 100 && report.photos.len() == 16);
        let boot_id = "b".repeat(36);
        let offset = Offset {
            ms: i64::MIN,
            uncertainty_ms: Some(u64::MAX / 2),
            learnt: Some(Wall(i64::MIN)),
            boot: Some(BootTime { id: boot_id.clone(), at: Duration::ZERO }),
        };
        let event = Event {
            report,
            device: DeviceId(uuid::Uuid::max()),
            place: ChainHead::GENESIS,
            captured: NOW.wall,
            clock: DeviceClock::remembered(Some(offset), boot_id).note(NOW, Duration::ZERO),
        };
        let payload = serde_json::to_vec(&EventV1::from(&event)).unwrap();
        let jws = jws::sign(jws::EVENT, &"k".repeat(43), &payload, |_| [0; 64]);
        assert!(jws.len() <= jws::MAX_BYTES, "{} bytes", jws.len());
    }
}
