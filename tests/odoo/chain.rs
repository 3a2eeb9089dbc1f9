//! What Odoo says of a device's chain when the device was copied, or lost something: never nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::server::Odoo;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, until};

const SHORT: &[&str] = &["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"];

/// The device's chain as its page in Odoo shows it.
fn chain(odoo: &Odoo, uuid: &str) -> (String, String) {
    let fields = &["chain_state", "chain_report"];
    let device = odoo.one("warehouse.exception.device", &json!([["uuid", "=", uuid]]), fields);
    let text = |name: &str| device[name].as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    (text("chain_state"), text("chain_report"))
}

fn report(device: &Device, codes: &[&str]) {
    let before = device.beeped().len();
    device.scan(codes);
    until("the beep", || (device.beeped().len() == before + 1).then_some(()));
}

fn until_delivered(device: &Device, count: u64) -> Value {
    device.until_status("the receipts", |status| status["delivered"] == count && status["pending"] == 0)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_copied_device_loses_nothing_and_its_page_says_so() {
    let (odoo, _shared) = Odoo::shared();
    let mut device = Device::new("");
    let uuid = odoo.enrol(&device, &format!("http://{}", odoo.address()), "TEST-COPIED");
    device.start();
    report(&device, SHORT);
    until_delivered(&device, 1);
    assert_eq!(chain(&odoo, &uuid).0, "whole");
    device.stop();

    // Somebody made an image of the device and put it on a second one: the same key, the same chain.
    let mut twin = Device::new("");
    copy(&device.state(), &twin.state());
    for one in [&mut device, &mut twin] {
        one.start();
    }
    report(&device, SHORT);
    until_delivered(&device, 2);
    report(&twin, SHORT);
    until_delivered(&twin, 2);
    assert_eq!((odoo.cases(&uuid).len(), odoo.events(&uuid).len()), (3, 3), "both reports are cases");
    let (state, said) = chain(&odoo, &uuid);
    assert_eq!(state, "broken", "{said}");

    // At the very same time neither request sees the other's report. The hourly check does.
    report(&device, SHORT);
    report(&twin, SHORT);
    until_delivered(&device, 3);
    until_delivered(&twin, 3);
    let cron = odoo.one("ir.cron", &json!([["code", "=", "model._cron_check_chains()"]]), &["id"]);
    odoo.call("ir.cron", "method_direct_trigger", &json!({ "ids": [cron["id"]] }));
    let verdict = |event: &Value| format!("{}: {}", event["sequence"], event["chain"]).replace('"', "");
    let mut verdicts: Vec<_> = odoo.events(&uuid).iter().map(verdict).collect();
    verdicts.sort();
    assert_eq!(verdicts.iter().filter(|verdict| verdict.ends_with("2: fork")).count(), 2, "{verdicts:?}");
    assert_eq!(verdicts.iter().filter(|verdict| verdict.ends_with("3: fork")).count(), 2, "{verdicts:?}");
    let searched = json!([["chain_state", "=", "broken"], ["uuid", "=", uuid]]);
    assert_eq!(odoo.read("warehouse.exception.device", &searched, &["uuid"]).len(), 1);
}

#[test]
fn a_report_that_damage_took_is_missed_on_the_devices_page() {
    let (odoo, _shared) = Odoo::shared();
    let mut device = Device::new("");
    let line = Proxy::before(odoo.address());
    let uuid = odoo.enrol(&device, &line.url(), "TEST-DAMAGED");
    line.set(Fault::Refuse);
    device.start();
    report(&device, SHORT);
    report(&device, &["LOC-2", "TM-EMPTY", "ITEM-2", "TM-DONE"]);
    report(&device, &["LOC-3", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
    device.stop();

    let journal = device.state().join("journal/00000001.journal");
    let mut bytes = fs::read(&journal).unwrap();
    // Each signed report begins with the same header.
    let first = bytes.windows(3).position(|at| at == b"eyJ").unwrap();
    let header = bytes[first..first + 20].to_vec();
    let second = first + 1 + bytes[first + 1..].windows(20).position(|at| at == header).unwrap();
    bytes[second + 200] ^= 1;
    fs::write(&journal, bytes).unwrap();

    let verified = device.tallyman(&["queue", "verify"]);
    assert_eq!(verified.status.code(), Some(1), "{}", String::from_utf8_lossy(&verified.stdout));
    device.start();
    line.set(Fault::None);
    until_delivered(&device, 2);
    assert!(device.log().contains("damage took report 2 "), "the device names what it lost: {}", device.log());
    let (state, said) = chain(&odoo, &uuid);
    // For a day it might still come: a device sends what it has in any order.
    assert_eq!(state, "waiting", "{said}");
    assert!(said.contains("Report 2 has not arrived yet"), "{said}");
    assert_eq!(odoo.cases(&uuid).len(), 2);
}
