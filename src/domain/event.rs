//! An event: an immutable fact about what somebody saw, bound into its device's chain.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;

use super::catalog::Operator;
use super::clock::{ClockNote, DeviceClock};
use super::decode::gtin::Gtin;
use super::id::{ChainHead, DeviceId, Digest, EventId};
use super::policy::{Kind, Reason};
use super::quantity::Quantity;
use super::time::{Now, Wall};

/// The thing that the report is about, as it was read and as far as it was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    pub code: String,
    pub gtin: Option<Gtin>,
    pub lot: Option<String>,
    pub serial: Option<String>,
    pub expiry: Option<Date>,
}

/// A photo that is durable on this device; its bytes are named by their digest and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    pub digest: Digest,
    pub size: u64,
    pub media_type: MediaType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    Jpeg,
    Png,
    Webp,
}

impl MediaType {
    pub fn name(self) -> &'static str {
        match self {
            MediaType::Jpeg => "image/jpeg",
            MediaType::Png => "image/png",
            MediaType::Webp => "image/webp",
        }
    }

    pub fn parse(name: &str) -> Option<MediaType> {
        [MediaType::Jpeg, MediaType::Png, MediaType::Webp].into_iter().find(|media| media.name() == name)
    }
}

/// A scan as evidence: what came in, beside what was made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptScan {
    pub role: Role,
    pub source: Arc<str>,
    /// When it was read; [`Report::put_right`] makes `wall` the time that is best known at the end.
    pub at: Now,
    pub raw: Vec<u8>,
    pub text: String,
    pub kind: &'static str,
    pub flaws: Vec<String>,
}

/// Which slot a scan filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Operator,
    Document,
    Bin,
    Item,
    Command,
    NotUnderstood,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Document => "document",
            Role::Bin => "bin",
            Role::Item => "item",
            Role::Command => "command",
            Role::NotUnderstood => "not_understood",
        }
    }
}

/// A finished capture, before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub id: EventId,
    pub kind: Kind,
    pub operator: Option<Operator>,
    pub document: Option<String>,
    pub bin: Option<String>,
    pub item: Option<Item>,
    pub expected: Option<Quantity>,
    pub counted: Quantity,
    pub unit: Option<String>,
    pub reason: Option<Reason>,
    pub note: Option<String>,
    pub photos: Vec<Photo>,
    pub scans: Vec<KeptScan>,
    /// Scans beyond what an event may carry; counted, so that nobody takes the list for complete.
    pub scans_omitted: u32,
}

impl Report {
    /// Writes the best known times in: since the scans were read, a server may have been heard, or the wall clock set.
    pub fn put_right(&mut self, clock: &DeviceClock, now: Now) {
        for scan in &mut self.scans {
            scan.at.wall = clock.wall_at(scan.at.boot, now);
        }
    }

    /// When the oldest scan was read, on the boot clock: a badge is scanned once a shift.
    pub fn oldest(&self, now: Now) -> Duration {
        self.scans.iter().map(|scan| scan.at.boot).fold(now.boot, Duration::min)
    }

    /// What the report is about, in one word: the document, else the bin, else the item.
    pub fn subject(&self) -> String {
        let item = || self.item.as_ref().map(|item| item.code.clone());
        self.document.clone().or_else(|| self.bin.clone()).or_else(item).unwrap_or_else(|| self.kind.slug().to_owned())
    }
}

/// A report with its place in the device's chain. What is signed, kept and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub report: Report,
    pub device: DeviceId,
    pub place: ChainHead,
    pub captured: Wall,
    pub clock: ClockNote,
}
