//! A device that lost its key or its identity stays the same device, and what waits on it still arrives.

use serde_json::json;

use crate::server::Odoo;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, until};

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
        let id = odoo.one("warehouse.exception.device", &json!([["uuid", "=", uuid]]), &["id"])["id"].clone();
        let arguments = json!({ "device_name": "", "warehouse_id": false, "device_id": id });
        let issued = odoo.call("warehouse.exception.enrolment", "issue_code", &arguments);
        device.enrol(&line.url(), issued["code"].as_str().unwrap());
        device.start();
        device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
        device.until_status(lost, |status| status["delivered"] == 3);
        assert_eq!(odoo.cases(&uuid).len(), 3, "{lost}");
        let chain = odoo.one("warehouse.exception.device", &json!([["uuid", "=", uuid]]), &["chain_state"]);
        assert_eq!(chain["chain_state"], "whole", "{lost}");
    }
}
