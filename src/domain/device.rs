//! What is plugged in, and which scanner of the configuration it is.

use std::fmt;
use std::path::PathBuf;

/// How a device speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// A keyboard wedge, read through evdev.
    Keyboard,
    /// A HID POS scanner, read through hidraw.
    HidPos,
    Serial,
}

impl DeviceKind {
    /// The word for it in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            DeviceKind::Keyboard => "evdev",
            DeviceKind::HidPos => "hidraw",
            DeviceKind::Serial => "serial",
        }
    }

    /// The Unix group that may read it.
    pub fn group(self) -> &'static str {
        match self {
            DeviceKind::Keyboard | DeviceKind::HidPos => "input",
            DeviceKind::Serial => "dialout",
        }
    }
}

/// Vendor and product, as `lsusb` prints them: `05e0:1200`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UsbId {
    pub vendor: u16,
    pub product: u16,
}

impl UsbId {
    /// Four hexadecimal digits, a colon, four more.
    pub fn parse(text: &str) -> Option<UsbId> {
        let (vendor, product) = text.split_once(':')?;
        let number = |part: &str| {
            let digits = part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
            digits.then(|| u16::from_str_radix(part, 16).ok()).flatten()
        };
        Some(UsbId { vendor: number(vendor)?, product: number(product)? })
    }
}

impl fmt::Display for UsbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.product)
    }
}

/// One device that could be a scanner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub kind: DeviceKind,
    /// Its node, like /dev/input/event5.
    pub node: PathBuf,
    /// The node behind all links: what tells it from every other.
    pub target: PathBuf,
    /// Names that survive a replug, the best one first.
    pub links: Vec<PathBuf>,
    /// What it calls itself.
    pub name: String,
    /// "usb", "bluetooth", "virtual" or "platform".
    pub bus: &'static str,
    pub usb: Option<UsbId>,
    pub serial: Option<String>,
    /// Where it is plugged in: the kernel's name of the USB port, like 1-1.2.
    pub port: Option<String>,
    /// The physical path of the kernel's input layer, like usb-0000:00:14.0-2/input0.
    pub phys: Option<String>,
    /// The USB device that this is an interface of, to know two interfaces as one device.
    pub parent: Option<PathBuf>,
}

/// How a scanner of the configuration is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Path(PathBuf),
    Usb {
        id: UsbId,
        serial: Option<String>,
        port: Option<String>,
    },
    /// Every device of its kind; of keyboards those that type faster than a human.
    Any,
}

impl Choice {
    fn matches(&self, device: &Device) -> bool {
        match self {
            Choice::Path(path) => *path == device.target,
            Choice::Usb { id, serial, port } => {
                device.usb == Some(*id)
                    && serial.as_ref().is_none_or(|serial| device.serial.as_ref() == Some(serial))
                    && port.as_ref().is_none_or(|port| device.is_at(port))
            }
            Choice::Any => true,
        }
    }

    /// How exactly it names a device: the more exact choice has it.
    fn exactness(&self) -> usize {
        match self {
            Choice::Path(_) => 4,
            Choice::Usb { serial, port, .. } => 1 + usize::from(serial.is_some()) + usize::from(port.is_some()),
            Choice::Any => 0,
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Path(path) => write!(f, "path {}", path.display()),
            Choice::Usb { id, serial, port } => {
                write!(f, "usb {id}")?;
                if let Some(serial) = serial {
                    write!(f, ", serial number {serial}")?;
                }
                port.as_ref().map_or(Ok(()), |port| write!(f, ", port {port}"))
            }
            Choice::Any => f.write_str("any"),
        }
    }
}

impl Device {
    /// A device of which nothing is known but its path: a pty, or what sysfs doesn't list.
    pub fn unlisted(kind: DeviceKind, node: PathBuf, target: PathBuf) -> Device {
        let name = node.display().to_string();
        Device {
            kind,
            node,
            target,
            links: Vec::new(),
            name,
            bus: "platform",
            usb: None,
            serial: None,
            port: None,
            phys: None,
            parent: None,
        }
    }

    fn is_at(&self, port: &str) -> bool {
        let physical = self.phys.as_deref().map(|phys| phys.split_once("/input").map_or(phys, |(place, _)| place));
        self.port.as_deref() == Some(port) || physical == Some(port) || self.phys.as_deref() == Some(port)
    }
}

/// One scanner of the configuration; a path in its choice is free of links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub kind: DeviceKind,
    pub choice: Choice,
}

/// Which claim has the device: the most exact one, and of equals the first in the file. A scanner that is a keyboard and
/// a HID POS device at once is read as one of them: where the claims are equally exact, as HID POS, which knows more.
pub fn owner(device: &Device, all: &[Device], claims: &[Claim]) -> Option<usize> {
    let (exactness, mine) = best(device, claims)?;
    let rivals = all.iter().filter(|other| other.parent.is_some() && other.parent == device.parent);
    let lost = rivals.filter(|other| other.kind != device.kind).filter_map(|other| Some((other, best(other, claims)?)));
    let lost = lost.into_iter().any(|(other, (theirs, _))| match (device.kind, other.kind) {
        (DeviceKind::Keyboard, DeviceKind::HidPos) => theirs >= exactness,
        (DeviceKind::HidPos, DeviceKind::Keyboard) => theirs > exactness,
        (DeviceKind::Keyboard | DeviceKind::HidPos | DeviceKind::Serial, _) => false,
    });
    (!lost).then_some(mine)
}

fn best(device: &Device, claims: &[Claim]) -> Option<(usize, usize)> {
    let fitting = claims.iter().enumerate();
    let fitting = fitting.filter(|(_, claim)| claim.kind == device.kind && claim.choice.matches(device));
    let ranked = fitting.map(|(place, claim)| (claim.choice.exactness(), place));
    ranked.max_by_key(|(exactness, place)| (*exactness, std::cmp::Reverse(*place)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: UsbId = UsbId { vendor: 0x05e0, product: 0x1200 };

    fn device(kind: DeviceKind, node: &str, serial: &str, port: &str) -> Device {
        Device {
            usb: Some(ID),
            serial: Some(serial.to_owned()),
            port: Some(port.to_owned()),
            phys: Some(format!("usb-0000:00:14.0-{port}/input0")),
            parent: Some(PathBuf::from(format!("/sys/{port}"))),
            ..Device::unlisted(kind, node.into(), node.into())
        }
    }

    fn usb(serial: Option<&str>, port: Option<&str>) -> Choice {
        Choice::Usb { id: ID, serial: serial.map(Into::into), port: port.map(Into::into) }
    }

    fn keyboards(choices: Vec<Choice>) -> Vec<Claim> {
        choices.into_iter().map(|choice| Claim { kind: DeviceKind::Keyboard, choice }).collect()
    }

    #[test]
    fn an_id_is_written_as_lsusb_prints_it() {
        assert_eq!(UsbId::parse("05e0:1200"), Some(ID));
        assert_eq!(UsbId::parse("05E0:1200").map(|id| id.to_string()).as_deref(), Some("05e0:1200"));
        for wrong in ["05e0", "5e0:1200", "05e0:12000", "05e0:12g0", "+5e0:1200", ""] {
            assert_eq!(UsbId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_most_exact_choice_has_the_device() {
        let all = [
            device(DeviceKind::Keyboard, "/dev/input/event1", "A1", "1-1"),
            device(DeviceKind::Keyboard, "/dev/input/event2", "B2", "1-2"),
            device(DeviceKind::Keyboard, "/dev/input/event3", "C3", "1-3"),
            device(DeviceKind::Keyboard, "/dev/input/event4", "D4", "1-4"),
        ];
        let claims = keyboards(vec![
            Choice::Any,
            usb(None, None),
            usb(Some("B2"), None),
            usb(None, Some("1-3")),
            Choice::Path("/dev/input/event4".into()),
        ]);
        let owners: Vec<_> = all.iter().map(|device| owner(device, &all, &claims)).collect();
        assert_eq!(owners, [Some(1), Some(2), Some(3), Some(4)]);
        let other = Device { usb: None, ..all[0].clone() };
        assert_eq!(owner(&other, &all, &claims), Some(0));
        assert_eq!(owner(&other, &all, &claims[1..]), None);
    }

    #[test]
    fn a_port_may_be_written_as_the_usb_or_as_the_input_layer_names_it() {
        let device = device(DeviceKind::Keyboard, "/dev/input/event1", "A1", "1-1");
        for port in ["1-1", "usb-0000:00:14.0-1-1", "usb-0000:00:14.0-1-1/input0"] {
            assert!(usb(None, Some(port)).matches(&device), "{port}");
        }
        assert!(!usb(None, Some("1-2")).matches(&device));
    }

    #[test]
    fn a_device_with_a_keyboard_and_a_pos_interface_is_read_once() {
        let all = [
            device(DeviceKind::Keyboard, "/dev/input/event1", "A1", "1-1"),
            device(DeviceKind::HidPos, "/dev/hidraw0", "A1", "1-1"),
            device(DeviceKind::Keyboard, "/dev/input/event2", "B2", "1-2"),
        ];
        let pos = |choice| Claim { kind: DeviceKind::HidPos, choice };
        let owners = |claims: Vec<Claim>| all.iter().map(|d| owner(d, &all, &claims)).collect::<Vec<_>>();
        let both = [keyboards(vec![usb(None, None)]), vec![pos(usb(None, None))]].concat();
        assert_eq!(owners(both), [None, Some(1), Some(0)]);
        let exact = [keyboards(vec![Choice::Path("/dev/input/event1".into())]), vec![pos(Choice::Any)]].concat();
        assert_eq!(owners(exact), [Some(0), None, None]);
    }
}
