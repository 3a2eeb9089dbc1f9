//! A hall without a network: the device's file is imported into Odoo by a person, and what the device sends later is known.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tallyman::domain::id::Digest;

use crate::server::Odoo;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, images, until};

const WIZARD: &str = "warehouse.exception.import.bundle";

/// Uploads a file as the wizard's form does; its id.
fn upload(odoo: &Odoo, file: &std::path::Path) -> i64 {
    let content = STANDARD.encode(std::fs::read(file).unwrap());
    odoo.create(WIZARD, &json!({ "file": content, "file_name": "dock.bundle" }))
}

fn imported(odoo: &Odoo, file: &std::path::Path) -> Value {
    let wizard = upload(odoo, file);
    let action = odoo.call(WIZARD, "action_import", &json!({ "ids": [wizard] }));
    let fields = &["state", "created_count", "duplicate_count", "rejected_count", "photo_created_count", "event_count"];
    odoo.one("warehouse.exception.bundle", &json!([["id", "=", action["res_id"]]]), fields)
}

#[test]
fn reports_carried_by_hand_are_cases_and_their_later_delivery_changes_nothing() {
    let (odoo, _shared) = Odoo::shared();
    let mut device = Device::new("");
    let line = Proxy::before(odoo.address());
    let uuid = odoo.enrol(&device, &line.url(), "TEST-OFFLINE");
    line.set(Fault::Refuse);
    device.start();
    device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1"]);
    until("DONE to be on", || device.page().html().contains("data-question=\"done\"").then_some(()));
    assert!(device.page().photo(images::jpeg(1200, 900, 5)).status().is_success());
    device.scan(&["TM-DONE"]);
    until("the first beep", || (device.beeped().len() == 1).then_some(()));
    device.scan(&["LOC-2", "TM-EMPTY", "ITEM-2", "TM-DONE"]);
    until("the second beep", || (device.beeped().len() == 2).then_some(()));

    let file = device.folder.path().join("dock.bundle");
    let output = device.tallyman(&["queue", "export", &file.to_string_lossy()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let wizard = upload(&odoo, &file);
    odoo.call(WIZARD, "action_look", &json!({ "ids": [wizard] }));
    let looked = odoo.one(WIZARD, &json!([["id", "=", wizard]]), &["event_count", "new_count", "photo_new_count"]);
    assert_eq!(
        (&looked["event_count"], &looked["new_count"], &looked["photo_new_count"]),
        (&json!(2), &json!(2), &json!(1))
    );
    assert_eq!(odoo.cases(&uuid).len(), 0, "looking imports nothing");

    let first = imported(&odoo, &file);
    assert_eq!((&first["state"], &first["created_count"]), (&json!("done"), &json!(2)), "{first}");
    assert_eq!((&first["photo_created_count"], &first["rejected_count"]), (&json!(1), &json!(0)), "{first}");
    let (cases, events) = (odoo.cases(&uuid), odoo.events(&uuid));
    assert_eq!((cases.len(), events.len()), (2, 2));
    let arrived: Vec<_> = events.iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(arrived, device.beeped());
    let complete = json!([["case_id", "=", cases[0]["id"]], ["complete", "=", true]]);
    let evidence = odoo.one("warehouse.exception.evidence", &complete, &["sha256"]);
    let photo = std::fs::read_dir(device.state().join("photos")).unwrap().next().unwrap().unwrap();
    assert_eq!(evidence["sha256"], Digest::of(&std::fs::read(photo.path()).unwrap()).to_string());

    // A second import is no second case.
    let second = imported(&odoo, &file);
    assert_eq!((&second["created_count"], &second["duplicate_count"]), (&json!(0), &json!(2)), "{second}");

    // The device still has all of it, and comes to a network.
    assert_eq!(device.status()["pending"], 2);
    line.set(Fault::None);
    let status =
        device.until_status("the receipts", |status| status["delivered"] == 2 && status["photos_pending"] == 0);
    assert_eq!((&status["pending"], &status["parked"]), (&json!(0), &json!(0)), "{status}");
    // The photo came with the bundle: its file has no business here any more.
    let photos = || std::fs::read_dir(device.state().join("photos")).unwrap().count();
    until("the photo's file to go", || (photos() == 0).then_some(()));
    assert_eq!((odoo.cases(&uuid).len(), odoo.events(&uuid).len()), (2, 2));
    assert!(odoo.events(&uuid).iter().all(|event| matches!(event["chain"].as_str(), Some("first" | "linked"))));
    let list = String::from_utf8(device.tallyman(&["queue", "list", "--all"]).stdout).unwrap();
    assert!(cases.iter().all(|case| list.contains(case["name"].as_str().unwrap())), "{list}");
    let output = device.tallyman(&["queue", "export", &device.folder.path().join("again").to_string_lossy()]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("Nothing waits"));
    assert!(device.tallyman(&["queue", "verify"]).status.success());
}

#[test]
fn a_file_that_was_changed_on_its_way_is_refused_as_a_whole() {
    let (odoo, _shared) = Odoo::shared();
    let mut device = Device::new("");
    let line = Proxy::before(odoo.address());
    let uuid = odoo.enrol(&device, &line.url(), "TEST-CHANGED");
    line.set(Fault::Refuse);
    device.start();
    device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
    until("the beep", || (device.beeped().len() == 1).then_some(()));
    let file = device.folder.path().join("dock.bundle");
    assert!(device.tallyman(&["queue", "export", &file.to_string_lossy()]).status.success());
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[700] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let wizard = upload(&odoo, &file);
    let refused = odoo.refusal(WIZARD, "action_import", &json!({ "ids": [wizard] }));
    assert!(refused.contains("signed") || refused.contains("changed"), "{refused}");
    assert_eq!(odoo.cases(&uuid).len(), 0);
}
