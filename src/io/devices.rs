//! What is plugged in, as sysfs and the links that udev made tell it. Nothing is opened for it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::decode::hid_pos::{MAX_DESCRIPTOR, ReportMap};
use crate::domain::device::{Choice, Claim, Device, DeviceKind, UsbId};

/// More nodes than this are no warehouse device's.
const MAX_DEVICES: usize = 256;
/// An attribute of sysfs is a line; the kernel gives a page at most.
const MAX_ATTRIBUTE: usize = 4096;
/// How far a USB device is above its interface's interface.
const MAX_ASCENT: usize = 12;
/// What a keyboard has and a power button, a headset or a mouse has not: KEY_1 to KEY_0, KEY_ENTER and KEY_A.
const KEYBOARD_KEYS: [usize; 12] = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 28, 30];

/// Where devices are; other folders in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    pub dev: PathBuf,
    pub sys: PathBuf,
}

impl Default for Roots {
    fn default() -> Roots {
        Roots { dev: "/dev".into(), sys: "/sys".into() }
    }
}

impl Roots {
    /// Every device that could be a scanner, sorted by node.
    pub fn list(&self) -> Vec<Device> {
        let links = self.links();
        let keyboards = self.class("input").filter(|entry| name_of(entry).starts_with("event"));
        let keyboards = keyboards.filter_map(|entry| self.keyboard(&entry, &links));
        let scanners = self.class("hidraw").filter_map(|entry| self.hid_pos(&entry, &links));
        let ports = self.class("tty").filter_map(|entry| self.serial(&entry, &links));
        let mut devices: Vec<Device> = keyboards.chain(scanners).chain(ports).take(MAX_DEVICES).collect();
        devices.sort_by(|a, b| a.node.cmp(&b.node));
        devices
    }

    /// The folders in which a device that `choice` means would appear.
    pub fn folders(&self, kind: DeviceKind, choice: &Choice) -> Vec<PathBuf> {
        if let Choice::Path(path) = choice {
            let of_node = fs::canonicalize(path).ok().and_then(|node| node.parent().map(Path::to_owned));
            let mut folders: Vec<PathBuf> = path.parent().map(Path::to_owned).into_iter().chain(of_node).collect();
            folders.dedup();
            return folders;
        }
        match kind {
            DeviceKind::Keyboard => vec![self.dev.join("input"), self.dev.join("input/by-id")],
            DeviceKind::HidPos | DeviceKind::Serial => vec![self.dev.clone()],
        }
    }

    /// The device at a path, from the list when it is in there.
    pub fn at(&self, kind: DeviceKind, path: &Path, all: &[Device]) -> Option<Device> {
        let target = fs::canonicalize(path).ok()?;
        let listed = all.iter().find(|device| device.kind == kind && device.target == target);
        Some(listed.cloned().unwrap_or_else(|| Device::unlisted(kind, path.to_owned(), target)))
    }

    fn class(&self, class: &str) -> impl Iterator<Item = PathBuf> + use<> {
        let entries = fs::read_dir(self.sys.join("class").join(class));
        entries.into_iter().flatten().flatten().map(|entry| entry.path()).take(MAX_DEVICES)
    }

    fn keyboard(&self, entry: &Path, links: &[(PathBuf, PathBuf)]) -> Option<Device> {
        let device = entry.join("device");
        has_keys(&attribute(&device, "capabilities/key")?, &KEYBOARD_KEYS).then_some(())?;
        let node = self.dev.join("input").join(name_of(entry));
        let number = |name: &str| u16::from_str_radix(&attribute(&device, name)?, 16).ok();
        let usb = number("id/vendor").zip(number("id/product")).map(|(vendor, product)| UsbId { vendor, product });
        let found = found(DeviceKind::Keyboard, node, &device, links)?;
        Some(Device {
            name: attribute(&device, "name").unwrap_or_default(),
            bus: bus(number("id/bustype")),
            usb: usb.filter(|usb| usb.vendor != 0),
            phys: attribute(&device, "phys"),
            serial: attribute(&device, "uniq").or(found.serial),
            ..found
        })
    }

    fn hid_pos(&self, entry: &Path, links: &[(PathBuf, PathBuf)]) -> Option<Device> {
        let device = entry.join("device");
        ReportMap::parse(&descriptor(&device)?)?;
        let node = self.dev.join(name_of(entry));
        let said = attribute(&device, "uevent").unwrap_or_default();
        let said = |key: &str| said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        // Bus, vendor and product, like 0003:000005E0:00001200.
        let id: Vec<u32> =
            said("HID_ID").into_iter().flat_map(|id| id.split(':')).flat_map(|n| u32::from_str_radix(n, 16)).collect();
        let part = |n: usize| id.get(n).and_then(|value| u16::try_from(*value).ok());
        let given = |key| said(key).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        let found = found(DeviceKind::HidPos, node, &device, links)?;
        Some(Device {
            name: given("HID_NAME").unwrap_or_default(),
            bus: bus(part(0)),
            usb: part(1).zip(part(2)).map(|(vendor, product)| UsbId { vendor, product }),
            phys: given("HID_PHYS"),
            serial: given("HID_UNIQ").or(found.serial),
            ..found
        })
    }

    fn serial(&self, entry: &Path, links: &[(PathBuf, PathBuf)]) -> Option<Device> {
        let name = name_of(entry);
        let pluggable = ["ttyUSB", "ttyACM", "rfcomm"].iter().any(|kind| name.starts_with(kind));
        // A port of the board is there when its chip was found; the kernel makes nodes for more than there are.
        let fixed = || name.starts_with("ttyS") && attribute(entry, "type").is_some_and(|kind| kind != "0");
        let on_chip = || ["ttyAMA", "ttymxc", "ttyTHS"].iter().any(|kind| name.starts_with(kind));
        (pluggable || fixed() || on_chip()).then_some(())?;
        let device = found(DeviceKind::Serial, self.dev.join(&name), &entry.join("device"), links)?;
        let product = device.parent.as_deref().and_then(|parent| attribute(parent, "product"));
        let bus = match (device.parent.is_some(), name.starts_with("rfcomm")) {
            (true, _) => "usb",
            (false, true) => "bluetooth",
            (false, false) => "platform",
        };
        Some(Device { name: product.unwrap_or(name), bus, ..device })
    }

    /// The links that survive a replug, with the nodes they lead to.
    fn links(&self) -> Vec<(PathBuf, PathBuf)> {
        let folders = ["input/by-id", "serial/by-id", "input/by-path", "serial/by-path"];
        let entries = folders.iter().flat_map(|folder| {
            let mut entries: Vec<PathBuf> =
                fs::read_dir(self.dev.join(folder)).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            entries.sort();
            entries
        });
        let led = entries.take(2 * MAX_DEVICES).filter_map(|link| Some((fs::canonicalize(&link).ok()?, link)));
        led.map(|(node, link)| (link, node)).collect()
    }
}

/// The claims with their paths free of links, as they are now.
pub fn resolved(claims: &[Claim]) -> Vec<Claim> {
    let resolve = |claim: &Claim| match &claim.choice {
        Choice::Path(path) => {
            let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            Claim { choice: Choice::Path(path), ..claim.clone() }
        }
        Choice::Usb { .. } | Choice::Any => claim.clone(),
    };
    claims.iter().map(resolve).collect()
}

/// What the report descriptor of a hidraw device says, by its node.
pub fn report_map(roots: &Roots, target: &Path) -> Option<ReportMap> {
    let name = target.file_name()?;
    ReportMap::parse(&descriptor(&roots.sys.join("class/hidraw").join(name).join("device"))?)
}

/// What all kinds have: node, links, and the USB device above.
fn found(kind: DeviceKind, node: PathBuf, device: &Path, links: &[(PathBuf, PathBuf)]) -> Option<Device> {
    // Listed by the kernel and not yet made by udev: it comes in a moment.
    let target = fs::canonicalize(&node).ok()?;
    let parent = usb_device(device);
    let id = |parent: &PathBuf, name: &str| u16::from_str_radix(&attribute(parent, name)?, 16).ok();
    let usb = parent
        .as_ref()
        .and_then(|parent| Some(UsbId { vendor: id(parent, "idVendor")?, product: id(parent, "idProduct")? }));
    Some(Device {
        links: links.iter().filter(|(_, to)| *to == target).map(|(link, _)| link.clone()).collect(),
        usb,
        serial: parent.as_deref().and_then(|parent| attribute(parent, "serial")),
        port: parent.as_deref().map(name_of),
        parent,
        ..Device::unlisted(kind, node, target)
    })
}

fn usb_device(device: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(device).ok()?;
    real.ancestors().take(MAX_ASCENT).find(|folder| folder.join("idVendor").exists()).map(Path::to_owned)
}

fn descriptor(device: &Path) -> Option<Vec<u8>> {
    let bytes = fs::read(device.join("report_descriptor")).ok()?;
    (bytes.len() <= MAX_DESCRIPTOR).then_some(bytes)
}

fn attribute(folder: &Path, name: &str) -> Option<String> {
    let bytes = fs::read(folder.join(name)).ok()?;
    let text = String::from_utf8_lossy(bytes.get(..MAX_ATTRIBUTE).unwrap_or(&bytes)).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// BUS_* of the kernel's input.h.
fn bus(number: Option<u16>) -> &'static str {
    match number {
        Some(0x03) => "usb",
        Some(0x05) => "bluetooth",
        Some(0x06) => "virtual",
        _ => "platform",
    }
}

/// Whether a bitmap of sysfs (words in hexadecimal, the highest first) has all these keys.
fn has_keys(bitmap: &str, keys: &[usize]) -> bool {
    let words: Vec<u64> = bitmap.split_whitespace().rev().flat_map(|word| u64::from_str_radix(word, 16)).collect();
    // The kernel prints words of its reader's size.
    let width = usize::BITS as usize;
    keys.iter().all(|key| words.get(key / width).is_some_and(|word| word >> (key % width) & 1 == 1))
}

#[cfg(test)]
mod tests;
