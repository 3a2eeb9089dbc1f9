//! Never lost, exactly once: kills, lost replies, portals, revocation, clocks.

use std::time::Duration;

use crate::receiver::{Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, until};

const EMPTY_BIN: [&str; 3] = ["A-03-02", "TM-EMPTY", "TM-DONE"];

/// A device whose line to the receiver is cut.
fn cut_off() -> (Counterpart, Proxy, Device) {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let device = enrolled(&line.url());
    line.set(Fault::Refuse);
    (odoo, line, device)
}

fn report(device: &Device, count: usize) {
    let before = device.beeped().len();
    for n in 1..=count {
        device.scan(&EMPTY_BIN);
        until("the beep", || (device.beeped().len() >= before + n).then_some(()));
    }
}

/// Ids of the events that became cases, sorted.
fn ids(odoo: &Counterpart) -> Vec<String> {
    let mut ids: Vec<_> = odoo.cases().iter().map(|case| case.event.id.clone()).collect();
    ids.sort();
    ids
}

#[test]
fn what_beeped_offline_survives_kills_and_arrives_once_and_in_order() {
    let (odoo, line, mut device) = cut_off();
    device.start();
    device.scan(&["EMP-7"]);
    for round in 0..8u64 {
        device.scan(&["EMP-7", "A-03-02", "TM-EMPTY", "TM-DONE", "A-03-02", "TM-EMPTY", "TM-DONE"]);
        std::thread::sleep(Duration::from_millis(13 * round % 61));
        device.kill();
        device.start();
    }
    device.scan(&["EMP-7"]);
    report(&device, 1);
    let mut beeped = device.beeped();
    line.set(Fault::None);
    device.until_status("the backlog to drain", |status| status["pending"] == 0);
    beeped.sort();
    let arrived = ids(&odoo);
    assert!(beeped.iter().all(|id| arrived.contains(id)), "lost: {beeped:?} is not all in {arrived:?}");
    let mut once = arrived.clone();
    once.dedup();
    assert_eq!(once, arrived, "an event became two cases");
    let sequences: Vec<u64> = odoo.cases().iter().map(|case| case.event.sequence.parse().unwrap()).collect();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>(), "the chain has a gap");
    for pair in odoo.cases().windows(2) {
        assert_ne!(pair[0].event.prevhash, pair[1].event.prevhash);
    }
}

#[test]
fn a_lost_reply_makes_a_duplicate_and_never_a_second_case() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    line.set(Fault::DropReply);
    device.start();
    device.scan(&["EMP-7"]);
    report(&device, 3);
    until("the server to have them", || (odoo.cases().len() == 3).then_some(()));
    assert_eq!(device.status()["delivered"], 0, "nothing is released without its receipt");
    line.set(Fault::None);
    device.until_status("the receipts", |status| status["delivered"] == 3);
    assert_eq!(odoo.cases().len(), 3);
    assert!(odoo.cases().iter().any(|case| case.deliveries > 1), "the reply was never lost");
}

#[test]
fn a_portal_and_a_missing_addon_release_nothing_and_are_named() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    device.start();
    device.scan(&["EMP-7"]);
    for (fault, code) in [
        (Fault::captive_portal(), "captive_portal"),
        (Fault::html_404(), "addon_missing"),
        (Fault::Refuse, "unreachable"),
    ] {
        let waiting = device.status()["pending"].as_u64().unwrap();
        line.set(fault);
        report(&device, 1);
        let status = device.until_status(code, |status| status["last_error"]["code"] == code);
        assert_eq!(status["pending"], waiting + 1);
        assert_eq!(status["parked"], 0);
    }
    line.set(Fault::None);
    let status = device.until_status("the backlog to drain", |status| status["delivered"] == 3);
    assert_eq!(status["last_error"], serde_json::Value::Null);
}

#[test]
fn a_revoked_device_keeps_everything_and_says_so() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7"]);
    report(&device, 1);
    device.until_status("the first", |status| status["delivered"] == 1);
    odoo.revoke();
    report(&device, 2);
    let status = device.until_status("the revocation", |status| status["last_error"]["code"] == "revoked");
    assert_eq!((&status["pending"], &status["parked"]), (&2.into(), &0.into()));
    assert!(device.page().html().contains("revoked"));
}

#[test]
fn sigterm_finishes_what_was_begun_and_says_good_bye() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7", "A-03-02", "TM-EMPTY", "TM-DONE"]);
    until("the beep", || (!device.beeped().is_empty()).then_some(()));
    let status = device.stop();
    assert_eq!(status.code(), Some(0));
    device.start();
    device.until_status("the case", |status| status["delivered"].as_u64() >= Some(1) && status["pending"] == 0);
    assert_eq!(ids(&odoo), device.beeped());
}

#[test]
fn a_damaged_index_is_set_aside_reported_and_costs_nothing() {
    let (odoo, line, mut device) = cut_off();
    device.start();
    device.scan(&["EMP-7"]);
    report(&device, 4);
    device.stop();
    let index = device.state().join("index-00000001/db");
    let length = std::fs::metadata(&index).unwrap().len();
    std::fs::write(&index, vec![0xa5; length as usize]).unwrap();
    device.start();
    let status = device.status();
    assert_eq!(status["pending"], 4);
    assert!(status["quarantined"].to_string().contains("quarantine-1-index"), "{status}");
    line.set(Fault::None);
    device.until_status("the backlog to drain", |status| status["delivered"] == 4);
    assert_eq!(ids(&odoo), device.beeped());
}

#[test]
fn an_event_can_be_looked_at_before_and_after_its_delivery() {
    let (_odoo, line, mut device) = cut_off();
    device.start();
    device.scan(&["EMP-7"]);
    report(&device, 1);
    // Between two tries: while one goes on, it is being sent.
    let listed = || String::from_utf8(device.tallyman(&["queue", "list"]).stdout).unwrap();
    let list = until("the report to wait", || Some(listed()).filter(|list| list.contains("pending")));
    assert!(list.contains("WH/OUT/00012"), "{list}");
    let shown = String::from_utf8(device.tallyman(&["queue", "show", "1"]).stdout).unwrap();
    assert!(shown.contains("\"counted\": \"0\"") && shown.contains("digest"), "{shown}");
    line.set(Fault::None);
    device.until_status("the case", |status| status["delivered"] == 1);
    let list = String::from_utf8(device.tallyman(&["queue", "list", "--all"]).stdout).unwrap();
    assert!(list.contains("delivered") && list.contains("DEMO/00001"), "{list}");
    let missing = device.tallyman(&["queue", "show", "99"]);
    assert_eq!(missing.status.code(), Some(1));
}
