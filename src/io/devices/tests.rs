//! A made-up /dev and /sys, in the kernel's shapes.

use std::os::unix::fs::symlink;

use super::*;
use crate::domain::device::owner;

/// A bit for every key of a plain keyboard, as a 64-bit kernel prints it.
const KEYBOARD: &str = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe";
/// Usage page 0x8C, decoded data of 8 bytes.
const POS: &[u8] = &[0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x75, 0x08, 0x95, 0x08, 0x09, 0xfe, 0x81, 0x02, 0xc0];

struct World {
    folder: tempfile::TempDir,
    roots: Roots,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        World { roots: Roots { dev: root.join("dev"), sys: root.join("sys") }, folder }
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = fs::canonicalize(self.folder.path()).unwrap().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, path: &str, to: &str) {
        let root = fs::canonicalize(self.folder.path()).unwrap();
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        symlink(root.join(to), root.join(path)).unwrap();
    }

    fn usb(&self, port: &str, id: (&str, &str), serial: &str) {
        for (name, text) in [("idVendor", id.0), ("idProduct", id.1), ("serial", serial), ("product", "Gun 3000")] {
            self.write(&format!("sys/devices/{port}/{name}"), format!("{text}\n"));
        }
    }

    fn keyboard(&self, event: &str, port: &str, id: (&str, &str), keys: &str) {
        let device = format!("sys/devices/{port}/{port}:1.0/input/{event}-of");
        for (name, text) in [
            ("capabilities/key", keys),
            ("id/bustype", "0003"),
            ("id/vendor", id.0),
            ("id/product", id.1),
            ("name", "Gun 3000"),
            ("phys", "usb-0000:00:14.0-1/input0"),
            ("uniq", ""),
        ] {
            self.write(&format!("{device}/{name}"), format!("{text}\n"));
        }
        self.link(&format!("sys/class/input/{event}/device"), &device);
        self.write(&format!("dev/input/{event}"), "");
    }
}

#[test]
fn a_keyboard_is_listed_with_all_that_names_it_and_a_power_button_is_not() {
    let world = World::new();
    world.usb("1-1.2", ("05e0", "1200"), "S4711");
    world.keyboard("event5", "1-1.2", ("05e0", "1200"), KEYBOARD);
    world.keyboard("event0", "1-9", ("0000", "0001"), "10000000000000 0");
    world.link("dev/input/by-id/usb-Gun_3000-event-kbd", "dev/input/event5");
    let devices = world.roots.list();
    let [device] = &devices[..] else { panic!("{devices:?}") };
    assert_eq!(device.node, world.roots.dev.join("input/event5"));
    assert_eq!(device.links, [world.roots.dev.join("input/by-id/usb-Gun_3000-event-kbd")]);
    assert_eq!((device.name.as_str(), device.bus), ("Gun 3000", "usb"));
    assert_eq!(device.usb.map(|id| id.to_string()).as_deref(), Some("05e0:1200"));
    assert_eq!(device.port.as_deref(), Some("1-1.2"));
}

#[test]
fn a_hid_pos_scanner_and_its_keyboard_interface_are_one_usb_device() {
    let world = World::new();
    world.usb("1-2", ("0c2e", "0b61"), "H1");
    world.keyboard("event3", "1-2", ("0c2e", "0b61"), KEYBOARD);
    world.write("sys/devices/1-2/1-2:1.1/0003:0C2E:0B61.0002/report_descriptor", POS);
    world.write(
        "sys/devices/1-2/1-2:1.1/0003:0C2E:0B61.0002/uevent",
        "HID_ID=0003:00000C2E:00000B61\nHID_NAME=Gun 3000\nHID_PHYS=usb-1/input1\nHID_UNIQ=H1\n",
    );
    world.link("sys/class/hidraw/hidraw0/device", "sys/devices/1-2/1-2:1.1/0003:0C2E:0B61.0002");
    world.write("dev/hidraw0", "");
    world.write("sys/devices/1-3/0003:1.1/report_descriptor", [0x05, 0x01, 0x09, 0x06]);
    world.link("sys/class/hidraw/hidraw1/device", "sys/devices/1-3/0003:1.1");
    world.write("dev/hidraw1", "");
    let devices = world.roots.list();
    assert_eq!(
        devices.iter().map(|device| device.kind).collect::<Vec<_>>(),
        [DeviceKind::HidPos, DeviceKind::Keyboard]
    );
    assert_eq!(devices[0].usb, UsbId::parse("0c2e:0b61"));
    assert_eq!(devices[0].serial.as_deref(), Some("H1"));
    assert!(devices[0].parent.is_some() && devices[0].parent == devices[1].parent);
    assert!(report_map(&world.roots, &devices[0].target).is_some());
    let any = |kind| Claim { kind, choice: Choice::Any };
    let claims = [any(DeviceKind::Keyboard), any(DeviceKind::HidPos)];
    let owners: Vec<_> = devices.iter().map(|device| owner(device, &devices, &claims)).collect();
    assert_eq!(owners, [Some(1), None]);
}

#[test]
fn a_serial_port_is_known_by_the_usb_device_above_it() {
    let world = World::new();
    world.usb("1-4", ("0403", "6001"), "A50285BI");
    world.write("sys/devices/1-4/1-4:1.0/ttyUSB0/port_number", "0");
    world.link("sys/class/tty/ttyUSB0/device", "sys/devices/1-4/1-4:1.0/ttyUSB0");
    world.write("dev/ttyUSB0", "");
    world.write("sys/class/tty/ttyS0/type", "4\n");
    world.write("dev/ttyS0", "");
    world.write("sys/class/tty/ttyS1/type", "0\n");
    world.write("dev/ttyS1", "");
    world.write("sys/class/tty/tty1/active", "");
    world.write("dev/tty1", "");
    let devices = world.roots.list();
    let nodes: Vec<_> = devices.iter().map(|device| name_of(&device.node)).collect();
    assert_eq!(nodes, ["ttyS0", "ttyUSB0"]);
    assert_eq!((devices[1].usb, devices[1].serial.as_deref()), (UsbId::parse("0403:6001"), Some("A50285BI")));
    assert_eq!((devices[1].name.as_str(), devices[1].bus, devices[0].bus), ("Gun 3000", "usb", "platform"));
}

#[test]
fn a_path_with_links_means_the_node_behind_them() {
    let world = World::new();
    world.keyboard("event5", "1-1", ("05e0", "1200"), KEYBOARD);
    world.link("dev/input/by-id/gun", "dev/input/event5");
    let link = world.roots.dev.join("input/by-id/gun");
    let claims = resolved(&[Claim { kind: DeviceKind::Keyboard, choice: Choice::Path(link.clone()) }]);
    let devices = world.roots.list();
    assert_eq!(owner(&devices[0], &devices, &claims), Some(0));
    assert_eq!(world.roots.at(DeviceKind::Keyboard, &link, &devices).as_ref(), Some(&devices[0]));
    assert_eq!(world.roots.at(DeviceKind::Keyboard, &link.join("not"), &devices), None);
}

#[test]
fn a_machine_without_such_folders_has_no_devices() {
    assert_eq!(World::new().roots.list(), []);
}
