//! `tallyman devices`: what is plugged in, which scanner of the configuration takes it, and if none does, why not.

mod holders;

use std::path::Path;

use super::{ConfigArg, Failure, local, say};
use crate::config::{Config, Scanner};
use crate::domain::device::{Claim, Device, DeviceKind, owner};
use crate::domain::visible::visible;
use crate::io::devices::{Roots, resolved};
use crate::wire::devices_v1::{DeviceV1, DevicesV1, PlannedV1};
use crate::wire::local_v1::{HeldV1, ScannerV1, StatusV1};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.load_if_any()?;
    let report = report(config.as_ref());
    if args.json {
        say(&serde_json::to_string_pretty(&report).map_err(Failure::other)?)
    } else {
        say(&readable(&report))
    }
}

fn report(config: Option<&Config>) -> DevicesV1 {
    let status: Option<StatusV1> =
        config.and_then(|config| local::get_json(&config.state_dir, "/status").unwrap_or_default());
    let scanners: &[Scanner] = config.map_or(&[], |config| &config.scanners);
    let devices = Roots::default().list();
    let claims: Vec<Claim> = scanners.iter().filter_map(|scanner| scanner.source.claim()).collect();
    let claims = resolved(&claims);
    let claiming: Vec<&Scanner> = scanners.iter().filter(|scanner| scanner.source.claim().is_some()).collect();
    let known: &[ScannerV1] = status.as_ref().map_or(&[], |status| &status.scanners);
    let rows = devices.iter().map(|device| {
        let scanner = owner(device, &devices, &claims).and_then(|place| claiming.get(place));
        row(device, scanner.map(|scanner| scanner.name.as_str()), held(known, &device.target))
    });
    DevicesV1 {
        agent: status.is_some(),
        devices: rows.collect(),
        scanners: scanners.iter().map(|scanner| planned(scanner, known)).collect(),
    }
}

fn held<'a>(known: &'a [ScannerV1], target: &Path) -> Option<(&'a str, &'a HeldV1)> {
    let target = target.to_string_lossy();
    known.iter().find_map(|scanner| {
        let held = scanner.devices.iter().find(|held| held.node == target)?;
        Some((scanner.name.as_str(), held))
    })
}

fn planned(scanner: &Scanner, known: &[ScannerV1]) -> PlannedV1 {
    let known = known.iter().find(|known| known.name == scanner.name);
    PlannedV1 {
        name: scanner.name.clone(),
        kind: scanner.source.kind().to_owned(),
        choice: scanner.source.claim().map(|claim| claim.choice.to_string()),
        connected: known.map(|known| known.connected),
        detail: known.map(|known| known.detail.clone()),
    }
}

fn row(device: &Device, scanner: Option<&str>, held: Option<(&str, &HeldV1)>) -> DeviceV1 {
    let holders = holders::of(&device.target);
    let (state, detail) = match held {
        Some((_, held)) => (held.hold.clone(), held.detail.clone()),
        None => holders::state(device, &holders),
    };
    let scanner = held.map(|(name, _)| name).or(scanner).map(ToOwned::to_owned);
    let paste = scanner.is_none().then(|| paste(device));
    DeviceV1 {
        kind: device.kind.name().to_owned(),
        node: device.node.display().to_string(),
        links: device.links.iter().map(|link| link.display().to_string()).collect(),
        name: device.name.clone(),
        bus: device.bus.to_owned(),
        usb: device.usb.map(|id| id.to_string()),
        serial: device.serial.clone(),
        port: device.port.clone().or_else(|| device.phys.clone()),
        scanner,
        state,
        detail,
        holders,
        paste,
    }
}

/// A block for the configuration that takes this device, as stable as it can be named.
fn paste(device: &Device) -> String {
    let by_id = device.links.iter().find(|link| link.parent().is_some_and(|folder| folder.ends_with("by-id")));
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let choice = match (by_id, device.usb) {
        (Some(link), _) => format!("path = {}", quoted(&link.to_string_lossy())),
        (None, Some(usb)) => match (&device.serial, &device.port) {
            (Some(serial), _) => format!("usb = \"{usb}\"\nusb_serial = {}", quoted(serial)),
            (None, Some(port)) => format!("usb = \"{usb}\"\nport = {}", quoted(port)),
            (None, None) => format!("usb = \"{usb}\""),
        },
        (None, None) => format!("path = {}", quoted(&device.node.to_string_lossy())),
    };
    format!("[[scanner]]\nname = \"scanner\"\nkind = \"{}\"\n{choice}", device.kind.name())
}

fn readable(report: &DevicesV1) -> String {
    let mut lines: Vec<String> = report.devices.iter().flat_map(about).collect();
    if report.devices.is_empty() {
        lines.push("No keyboard, HID POS scanner or serial port is plugged in.".to_owned());
    }
    lines.push(String::new());
    if !report.agent {
        lines.push("The agent does not run here (or this user may not ask it); nothing is read.".to_owned());
    }
    for scanner in &report.scanners {
        let choice = scanner.choice.as_ref().map(|choice| format!(" ({choice})")).unwrap_or_default();
        let state = match (scanner.connected, &scanner.detail) {
            (Some(true), Some(detail)) => format!("connected, {detail}"),
            (Some(false), Some(detail)) => format!("AWAY, {detail}"),
            _ => "the agent says nothing of it".to_owned(),
        };
        lines.push(format!("scanner {:?}: {}{choice}: {state}", scanner.name, scanner.kind));
    }
    lines.join("\n")
}

/// A device may call itself anything.
fn about(device: &DeviceV1) -> Vec<String> {
    let mut lines = vec![format!("{}  {}  {}", device.node, device.kind, visible(&device.name))];
    let mut facts = vec![format!("bus {}", device.bus)];
    facts.extend(device.usb.iter().map(|usb| format!("usb {usb}")));
    facts.extend(device.serial.iter().map(|serial| format!("serial number {}", visible(serial))));
    facts.extend(device.port.iter().map(|port| format!("port {port}")));
    lines.push(format!("    {}", facts.join(", ")));
    lines.extend(device.links.iter().map(|link| format!("    {link}")));
    let scanner = device
        .scanner
        .as_ref()
        .map_or("no scanner of the configuration".to_owned(), |name| format!("scanner {name:?}"));
    lines.push(format!("    {scanner}: {}, {}", device.state, visible(&device.detail)));
    for holder in &device.holders {
        lines.push(format!("    open in process {} ({})", holder.pid, visible(&holder.command)));
    }
    if let Some(paste) = &device.paste {
        lines.push("    to read it, add this to the configuration:".to_owned());
        lines.extend(paste.lines().map(|line| format!("        {line}")));
    }
    lines
}

/// What the kind of a device needs of the one who reads it.
fn permission(kind: DeviceKind) -> String {
    let rule = match kind {
        DeviceKind::HidPos => ", with the udev rule of deploy/udev",
        DeviceKind::Keyboard | DeviceKind::Serial => "",
    };
    format!("no permission: the agent's user must be in the group {}{rule}", kind.group())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::device::UsbId;

    fn device() -> Device {
        let node = Path::new("/dev/input/event5");
        Device {
            usb: UsbId::parse("05e0:1200"),
            ..Device::unlisted(DeviceKind::Keyboard, node.to_owned(), node.to_owned())
        }
    }

    fn accepted(paste: &str) -> bool {
        Config::parse(Path::new("t.toml"), &format!("state_dir = \"s\"\n{paste}\n")).is_ok()
    }

    #[test]
    fn the_block_to_paste_names_the_device_as_stably_as_can_be_and_is_accepted() {
        let link = "/dev/input/by-id/usb-Gun-event-kbd";
        for (device, choice) in [
            (Device { links: vec![link.into()], ..device() }, format!("path = \"{link}\"")),
            (Device { serial: Some("S\"1".into()), ..device() }, "usb_serial = \"S\\\"1\"".to_owned()),
            (Device { port: Some("1-2".into()), ..device() }, "port = \"1-2\"".to_owned()),
            (Device { links: vec!["/dev/input/by-path/x".into()], ..device() }, "usb = \"05e0:1200\"".to_owned()),
            (Device { usb: None, ..device() }, "path = \"/dev/input/event5\"".to_owned()),
        ] {
            let paste = paste(&device);
            assert!(paste.contains(&choice) && accepted(&paste), "{paste}");
        }
    }

    #[test]
    fn what_the_agent_says_of_a_device_comes_before_what_one_would_guess() {
        let held = HeldV1 { node: "/dev/input/event5".into(), hold: "grabbed".into(), detail: "Gun".into() };
        let known = [ScannerV1 { name: "dock".into(), connected: true, detail: "Gun".into(), devices: vec![held] }];
        let row = row(&device(), None, super::held(&known, &device().target));
        assert_eq!((row.state.as_str(), row.scanner.as_deref(), row.paste), ("grabbed", Some("dock"), None));
    }
}
