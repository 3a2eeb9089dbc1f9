//! Both flows end to end, and the answers that come from something else than the addon.

use serde_json::json;
use tallyman::domain::id::Digest;
use tallyman::wire::jws;

use crate::server::{Odoo, Warehouse};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, images, until};

#[test]
fn a_short_pick_becomes_a_case_with_its_photo() {
    let (odoo, _shared) = Odoo::shared();
    let stock = Warehouse::stock(&odoo, 1);
    let mut device = Device::new("[catalog]\nfile = \"catalog.json\"");
    stock.give_catalog(&odoo, &device);
    let uuid = odoo.enrol(&device, &odoo.url, "TEST-PICK");
    device.start();

    let label = format!("]C1010{}10L42\u{1d}17270131", stock.gtin);
    device.scan(&[&stock.badge, &stock.pick, &stock.bin, &label, "TM-5", "TM-SHORT"]);
    until("DONE to be on", || device.page().html().contains("data-question=\"done\"").then_some(()));
    // Larger than Odoo would leave alone if it took it for a picture to be scaled.
    let photo = images::jpeg(2400, 1600, 7);
    assert!(device.page().photo(photo.clone()).status().is_success());
    let photo = images::stored(photo);
    device.scan(&["TM-DONE"]);

    until("the case", || (odoo.cases(&uuid).len() == 1).then_some(()));
    let case = odoo.cases(&uuid).remove(0);
    assert_eq!(case["exception_type"], "pick_shortage");
    assert_eq!(case["product_id"][0], stock.product);
    assert_eq!(case["location_id"][0], stock.location);
    assert_eq!(case["picking_id"][1], stock.pick.as_str());
    assert_eq!((case["quantity_expected"].as_f64(), case["quantity_counted"].as_f64()), (Some(8.0), Some(5.0)));
    assert_eq!(case["quantity_variance"].as_f64(), Some(-3.0));
    assert_eq!(case["employee_id"][0], stock.employee);
    assert_eq!(case["operator_badge"], stock.badge.as_str());
    assert_eq!((&case["lot_code"], &case["expiry_date"]), (&json!("L42"), &json!("2027-01-31")));
    assert_eq!((&case["reason_code"], &case["state"]), (&json!("fewer_than_expected"), &json!("open")));

    let scans =
        odoo.read("warehouse.exception.scan", &json!([["case_id", "=", case["id"]]]), &["role", "raw", "source"]);
    let raw: Vec<_> = scans.iter().map(|scan| jws::decode(scan["raw"].as_str().unwrap()).unwrap()).collect();
    for code in [&stock.badge, &stock.pick, &stock.bin, &label] {
        assert!(raw.contains(&code.as_bytes().to_vec()), "{code} is not among the raw scans");
    }
    assert!(scans.iter().all(|scan| scan["source"] == "dock"));

    device.until_status("the photo to be there", |status| status["photos_pending"] == 0 && status["delivered"] == 1);
    let wanted = json!([["case_id", "=", case["id"]]]);
    let evidence = odoo.one("warehouse.exception.evidence", &wanted, &["sha256", "complete", "size", "attachment_id"]);
    assert_eq!(evidence["sha256"], Digest::of(&photo).to_string());
    assert_eq!((&evidence["complete"], &evidence["size"]), (&json!(true), &json!(photo.len())));
    let attachment = json!([["id", "=", evidence["attachment_id"][0]]]);
    let kept = odoo.one("ir.attachment", &attachment, &["file_size", "checksum"]);
    assert_eq!(kept["file_size"], photo.len(), "Odoo changed the picture");

    let status = device.status();
    assert_eq!((&status["pending"], &status["parked"], &status["last_error"]), (&json!(0), &json!(0), &json!(null)));
    let list = String::from_utf8(device.tallyman(&["queue", "list", "--all"]).stdout).unwrap();
    assert!(list.contains(case["name"].as_str().unwrap()), "the device doesn't know its case's number: {list}");
}

#[test]
fn an_over_receipt_becomes_a_case_with_its_document() {
    let (odoo, _shared) = Odoo::shared();
    let stock = Warehouse::stock(&odoo, 2);
    // Here one item is scanned twice more quickly than a hand can.
    let mut device = Device::new("[policy.receiving_discrepancy]\ncooldown_ms = 0\n[catalog]\nfile = \"catalog.json\"");
    stock.give_catalog(&odoo, &device);
    let uuid = odoo.enrol(&device, &odoo.url, "TEST-RECEIPT");
    device.start();

    device.scan(&[&stock.badge, &stock.receipt, &stock.gtin, &stock.gtin, "TM-1", "TM-4", "TM-OVER"]);
    until("DONE to be on", || device.page().html().contains("data-question=\"done\"").then_some(()));
    let photo = images::jpeg(320, 240, 8);
    let page = device.page();
    assert!(page.photo(photo.clone()).status().is_success());
    page.press(&["DONE"]);

    until("the case", || (odoo.cases(&uuid).len() == 1).then_some(()));
    let case = odoo.cases(&uuid).remove(0);
    assert_eq!(case["exception_type"], "receiving_discrepancy");
    assert_eq!((case["product_id"][0].as_i64(), &case["picking_id"][1]), (Some(stock.product), &json!(stock.receipt)));
    assert_eq!((case["quantity_expected"].as_f64(), case["quantity_counted"].as_f64()), (Some(12.0), Some(14.0)));
    assert_eq!(
        (case["employee_id"][0].as_i64(), &case["reason_code"]),
        (Some(stock.employee), &json!("over_delivery"))
    );
    let wanted = json!([["case_id", "=", case["id"]], ["complete", "=", true]]);
    let evidence = until("the photo", || odoo.read("warehouse.exception.evidence", &wanted, &["sha256"]).pop());
    assert_eq!(evidence["sha256"], Digest::of(&images::stored(photo)).to_string());
    let scans = odoo.read("warehouse.exception.scan", &json!([["case_id", "=", case["id"]]]), &["role"]);
    assert_eq!(scans.iter().filter(|scan| scan["role"] == "item").count(), 2);
}

#[test]
fn without_a_catalog_odoo_finds_what_was_expected_and_keeps_what_it_does_not_know() {
    let (odoo, _shared) = Odoo::shared();
    let stock = Warehouse::stock(&odoo, 3);
    // Odoo allows no hyphen in a badge, so a site's badges begin as it likes.
    let mut device = Device::new("[codes]\nbadge = [\"EMPT\"]");
    let uuid = odoo.enrol(&device, &odoo.url, "TEST-BARE");
    device.start();
    device.scan(&[&stock.badge, &stock.pick, &stock.gtin, "TM-5", "TM-SHORT", "TM-DONE"]);
    until("the case", || (odoo.cases(&uuid).len() == 1).then_some(()));
    let case = odoo.cases(&uuid).remove(0);
    assert_eq!((case["quantity_expected"].as_f64(), &case["expected_source"]), (Some(8.0), &json!("picking")));

    device.scan(&["NO-SUCH-ITEM", "TM-0", "TM-REASON-NOT_FOUND", "TM-DONE"]);
    until("the second case", || (odoo.cases(&uuid).len() == 2).then_some(()));
    let case = odoo.cases(&uuid).remove(1);
    assert_eq!((&case["state"], &case["product_code"]), (&json!("needs_mapping"), &json!("NO-SUCH-ITEM")));
}

#[test]
fn a_portal_and_a_real_odoo_without_the_addon_release_nothing_and_are_named() {
    let (odoo, _shared) = Odoo::shared();
    let mut device = Device::new("");
    let to_odoo = Proxy::before(odoo.address());
    let uuid = odoo.enrol(&device, &to_odoo.url(), "TEST-PORTAL");
    to_odoo.set(Fault::captive_portal());
    device.start();
    device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
    device.until_status("the portal", |status| status["last_error"]["code"] == "captive_portal");

    match Odoo::bare() {
        Some(bare) => {
            to_odoo.redirect(bare);
            to_odoo.set(Fault::None);
        }
        None => to_odoo.set(Fault::html_404()),
    }
    let status = device.until_status("the missing addon", |status| status["last_error"]["code"] == "addon_missing");
    assert_eq!((&status["pending"], &status["parked"], &status["delivered"]), (&json!(1), &json!(0), &json!(0)));
    assert!(status["last_error"]["message"].as_str().unwrap().contains("addon"));

    to_odoo.redirect(odoo.address());
    to_odoo.set(Fault::None);
    device.until_status("the case", |status| status["delivered"] == 1);
    assert_eq!(odoo.cases(&uuid).len(), 1);
}
