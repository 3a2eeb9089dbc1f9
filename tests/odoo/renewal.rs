//! A device that lost its key or its identity, or whose key was revoked, stays the same device, and what waits on it still
//! arrives.

use serde_json::json;

use crate::server::Odoo;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, until};

/// The code that "Give another key" shows.
fn another_key(odoo: &Odoo, uuid: &str) -> String {
    let id = odoo.one("warehouse.exception.device", &json!([["uuid", "=", uuid]]), &["id"])["id"].clone();
    let arguments = json!({ "device_name": "", "warehouse_id": false, "device_id": id });
    let issued = odoo.call("warehouse.exception.enrolment", "issue_code", &arguments);
    issued["code"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_lost_key_signed_still_arrives_when_the_device_gets_another_one() {
    let (odoo, _shared) = Odoo::shared();
    for lost in ["device-key.pem", "identity.json"] {
        let mut device = Device::new("");
        let line = Proxy::before(odoo.address());
        let uuid = odoo.enrol(&device, &line.url(), "TEST-RENEWED");
        line.set(Fault::Refuse);
        device.start();
        for n in 1..=2 {
            device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
            until("the beep", || (device.beeped().len() == n).then_some(()));
        }
        device.stop();
        std::fs::write(device.state().join(lost), "rubbish").unwrap();
        line.set(Fault::None);

        // A code that lets a new device in would leave the two reports behind.
        if lost == "device-key.pem" {
            let arguments = json!({ "device_name": "TEST-STRAY", "warehouse_id": odoo.warehouse()["id"] });
            let stray = odoo.call("warehouse.exception.enrolment", "issue_code", &arguments);
            let code = stray["code"].as_str().unwrap();
            let refused = device.tallyman(&["enroll", "--url", &line.url(), "--code", code]);
            let words = String::from_utf8(refused.stderr).unwrap();
            assert!(words.contains("Give another key") && words.contains(&uuid), "{words}");
        }
        device.enrol(&line.url(), &another_key(&odoo, &uuid));
        device.start();
        device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
        device.until_status(lost, |status| status["delivered"] == 3);
        assert_eq!(odoo.cases(&uuid).len(), 3, "{lost}");
        let chain = odoo.one("warehouse.exception.device", &json!([["uuid", "=", uuid]]), &["chain_state"]);
        assert_eq!(chain["chain_state"], "whole", "{lost}");
    }
}

#[test]
fn a_device_whose_key_alone_was_revoked_reports_again_with_another_one() {
    let (odoo, _shared) = Odoo::shared();
    let mut device = Device::new("");
    let url = format!("http://{}", odoo.address());
    let uuid = odoo.enrol(&device, &url, "TEST-REKEYED");
    device.start();
    let report = |wanted: usize| {
        device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
        until("the beep", || (device.beeped().len() == wanted).then_some(()));
    };
    report(1);
    device.until_status("the first case", |status| status["delivered"] == 1);
    let keys = json!([["device_id.uuid", "=", uuid]]);
    let key = odoo.one("warehouse.exception.device.key", &keys, &["id"])["id"].clone();
    odoo.call("warehouse.exception.device.key", "action_revoke", &json!({ "ids": [key] }));
    report(2);
    device.until_status("the revocation", |status| status["road"]["circuit"] == "stopped");

    // A code for a new device is none for this one, and none is made.
    let arguments = json!({ "device_name": "TEST-STRAY", "warehouse_id": odoo.warehouse()["id"] });
    let stray = odoo.call("warehouse.exception.enrolment", "issue_code", &arguments);
    let refused = device.tallyman(&["enroll", "--url", &url, "--code", stray["code"].as_str().unwrap()]);
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("code_invalid") && words.contains("Give another key"), "{words}");
    let waits = json!([["id", "=", stray["id"]]]);
    assert_eq!(odoo.one("warehouse.exception.enrolment", &waits, &["state"])["state"], "waiting");

    // Odoo refuses the revoked key without using the code up, so that the new key has it.
    let code = another_key(&odoo, &uuid);
    device.enrol(&url, &code);
    report(3);
    device.until_status("the third case", |status| status["delivered"] == 2 && status["parked"] == 1);
    assert_eq!(odoo.cases(&uuid).len(), 2, "what the revoked key signed is not trusted");
    let states = odoo.read("warehouse.exception.device.key", &keys, &["state"]);
    let states: Vec<_> = states.iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["revoked", "active"]);
    // The same code once more, as a careless person would: it is the same key's, and nothing changes.
    device.enrol(&url, &code);
    assert_eq!(odoo.read("warehouse.exception.device.key", &keys, &["state"]).len(), 2);
}
