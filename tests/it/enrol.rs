//! A device that is enrolled is enrolled again: for another key, another database, another address. Whatever goes wrong with
//! that, it works as before.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::receiver::{CODE, Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, tree, until};

const ANOTHER_CODE: &str = "ANOTH-ERC0D-EAN0T-HERC0";
const KEY: &str = "device-key.pem";
const SUCCESSOR: &str = "device-key.next.pem";
const IDENTITY: &str = "identity.json";

fn identity(device: &Device, member: &str) -> String {
    let text = fs::read_to_string(device.state().join(IDENTITY)).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[member].as_str().unwrap().to_owned()
}

fn report(device: &Device) {
    let before = device.beeped().len();
    device.scan(&["EMP-7", "A-03-02", "TM-EMPTY", "TM-DONE"]);
    until("the beep", || (device.beeped().len() > before).then_some(()));
}

/// The exit code and all that was said.
fn enroll(device: &Device, url: &str, code: &str) -> (Option<i32>, String) {
    let output = device.tallyman(&["enroll", "--url", url, "--code", code]);
    let words = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(words).unwrap())
}

/// What makes this device what it is.
fn own(device: &Device) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = tree(&device.state());
    files.retain(|path, _| path.ends_with(KEY) || path.ends_with(IDENTITY));
    assert_eq!(files.len(), 2);
    files
}

#[test]
fn a_device_whose_key_alone_was_revoked_gets_another_one_and_its_running_agent_goes_on() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    let (uuid, kid) = (identity(&device, "device"), identity(&device, "kid"));
    odoo.revoke_key(&kid);
    report(&device);
    device.until_status("the revocation", |status| status["road"]["circuit"] == "stopped");

    odoo.invite(ANOTHER_CODE, Some(&uuid));
    let (code, words) = enroll(&device, &odoo.url(), ANOTHER_CODE);
    assert_eq!(code, Some(0), "{words}");
    for said in ["enrolled again as DEMO-01", "new key", "parked", "1 report waits"] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert_eq!(identity(&device, "device"), uuid);
    assert_ne!(identity(&device, "kid"), kid);
    assert!(!device.state().join(SUCCESSOR).exists());
    report(&device);
    device.until_status("the report of the new key", |status| status["delivered"] == 1 && status["parked"] == 1);
    let listed = device.tallyman(&["queue", "list", "--all"]).stdout;
    assert!(String::from_utf8_lossy(&listed).contains("revoked"), "{}", String::from_utf8_lossy(&listed));
    device.stop();
    device.start();
    report(&device);
    device.until_status("the report after a restart", |status| status["delivered"] == 2);
}

#[test]
fn a_device_whose_odoo_became_another_database_delivers_what_waits() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    let kid = identity(&device, "kid");
    let restored = "urn:uuid:11111111-2d53-4c0a-9c39-0d1b6f1e8a77";
    odoo.move_to(restored);
    report(&device);
    device.until_status("the refusal", |status| status["last_error"]["code"] == "unauthorized");
    odoo.invite(ANOTHER_CODE, Some(&identity(&device, "device")));
    let (code, words) = enroll(&device, &odoo.url(), ANOTHER_CODE);
    assert!(code == Some(0) && !words.contains("new key"), "{words}");
    assert_eq!((identity(&device, "audience"), identity(&device, "kid")), (restored.to_owned(), kid));
    device.until_status("the case", |status| status["delivered"] == 1);
}

#[test]
fn a_device_whose_odoo_moved_delivers_what_waits_at_the_new_address() {
    let odoo = Counterpart::start();
    let (old, new) = (Proxy::before(odoo.address), Proxy::before(odoo.address));
    let mut device = enrolled(&old.url());
    device.start();
    let moved = format!("HTTP/1.1 308 Permanent Redirect\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", new.url());
    old.set(Fault::Say(moved));
    report(&device);
    device.until_status("the redirect", |status| status["last_error"]["code"] == "captive_portal");
    odoo.invite(ANOTHER_CODE, Some(&identity(&device, "device")));
    let (code, words) = enroll(&device, &new.url(), ANOTHER_CODE);
    assert_eq!((code, identity(&device, "url")), (Some(0), new.url()), "{words}");
    device.until_status("the case", |status| status["delivered"] == 1);
}

#[test]
fn an_enrolment_that_is_refused_or_not_answered_changes_nothing_at_all() {
    let odoo = Counterpart::start();
    let device = enrolled(&odoo.url());
    odoo.invite(ANOTHER_CODE, None);
    let before = tree(&device.state());
    let advice = ["already enrolled as DEMO-01", "Give another key"];
    // Unknown or expired; and good, but for a new device.
    for (url, code, expected) in [
        (odoo.url(), "AAAAA-AAAAA-AAAAA-AAAAA", advice),
        (odoo.url(), ANOTHER_CODE, advice),
        ("http://127.0.0.1:1".to_owned(), CODE, ["can't be reached"; 2]),
    ] {
        let (exit, words) = enroll(&device, &url, code);
        assert_eq!(exit, Some(1), "{words}");
        assert!(expected.iter().all(|said| words.contains(said)), "{words}");
        assert_eq!(tree(&device.state()), before, "{words}");
    }
    // The code for a new device is as good as before.
    let another = Device::new("");
    another.enrol(&odoo.url(), ANOTHER_CODE);
}

#[test]
fn a_revoked_device_is_told_so_and_left_as_it_is() {
    let odoo = Counterpart::start();
    let device = enrolled(&odoo.url());
    odoo.invite(ANOTHER_CODE, Some(&identity(&device, "device")));
    odoo.revoke();
    let before = tree(&device.state());
    let (code, words) = enroll(&device, &odoo.url(), ANOTHER_CODE);
    assert!(code == Some(1) && words.contains("lets this device, DEMO-01, in no more"), "{words}");
    assert_eq!(tree(&device.state()), before);
}

#[test]
fn a_code_that_makes_it_another_device_elsewhere_leaves_a_healthy_device_as_it_was() {
    let (odoo, elsewhere) = (Counterpart::start(), Counterpart::start());
    let mut device = enrolled(&odoo.url());
    device.start();
    let (uuid, before) = (identity(&device, "device"), own(&device));
    for code in [CODE, CODE] {
        let (exit, words) = enroll(&device, &elsewhere.url(), code);
        assert!(exit == Some(1) && words.contains("for another device") && words.contains(&uuid), "{words}");
        assert_eq!(own(&device), before);
    }
    report(&device);
    device.until_status("the case", |status| status["delivered"] == 1);
    device.stop();
    device.start();
    report(&device);
    odoo.until_cases(2);

    // There, its key is the other device's now: with its own code it gets in with a new one.
    elsewhere.invite(ANOTHER_CODE, Some(&uuid));
    device.enrol(&elsewhere.url(), ANOTHER_CODE);
    assert_eq!(identity(&device, "device"), uuid);
    report(&device);
    elsewhere.until_cases(1);
}

/// What a kill or a power cut leaves between Odoo's answer and the end.
#[test]
fn an_enrolment_that_was_cut_off_is_completed_by_the_same_code() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    let file = |name: &str| device.state().join(name);
    let (key, known) = (fs::read(file(KEY)).unwrap(), fs::read(file(IDENTITY)).unwrap());
    odoo.revoke_key(&identity(&device, "kid"));
    odoo.invite(ANOTHER_CODE, Some(&identity(&device, "device")));
    device.enrol(&odoo.url(), ANOTHER_CODE);
    let (successor, renewed) = (fs::read(file(KEY)).unwrap(), fs::read(file(IDENTITY)).unwrap());
    assert!(key != successor && known != renewed);

    // Odoo knows the successor, and nothing here says so yet.
    fs::write(file(KEY), &key).unwrap();
    fs::write(file(IDENTITY), &known).unwrap();
    fs::write(file(SUCCESSOR), &successor).unwrap();
    let (code, words) = enroll(&device, &odoo.url(), "AAAAA-AAAAA-AAAAA-AAAAA");
    assert_eq!((code, fs::read(file(SUCCESSOR)).unwrap() == successor), (Some(1), true), "{words}");
    device.enrol(&odoo.url(), ANOTHER_CODE);
    assert!(fs::read(file(KEY)).unwrap() == successor && fs::read(file(IDENTITY)).unwrap() == renewed);
    assert!(!file(SUCCESSOR).exists());

    // The identity names the successor, which hasn't its name yet: all is done.
    fs::write(file(KEY), &key).unwrap();
    fs::write(file(SUCCESSOR), &successor).unwrap();
    device.start();
    report(&device);
    odoo.until_cases(1);
    device.enrol(&odoo.url(), ANOTHER_CODE);
    let file = |name: &str| device.state().join(name);
    assert!(fs::read(file(KEY)).unwrap() == successor && !file(SUCCESSOR).exists());
    report(&device);
    odoo.until_cases(2);
}

/// Its answer was lost, and meanwhile somebody in Odoo revoked the key that nobody seemed to have.
#[test]
fn a_successor_that_was_revoked_too_is_followed_by_another() {
    let odoo = Counterpart::start();
    let device = enrolled(&odoo.url());
    let file = |name: &str| device.state().join(name);
    let (key, known, uuid) =
        (fs::read(file(KEY)).unwrap(), fs::read(file(IDENTITY)).unwrap(), identity(&device, "device"));
    odoo.revoke_key(&identity(&device, "kid"));
    odoo.invite(ANOTHER_CODE, Some(&uuid));
    device.enrol(&odoo.url(), ANOTHER_CODE);
    let revoked = identity(&device, "kid");
    odoo.revoke_key(&revoked);
    fs::rename(file(KEY), file(SUCCESSOR)).unwrap();
    fs::write(file(KEY), &key).unwrap();
    fs::write(file(IDENTITY), &known).unwrap();

    odoo.invite("THIRD-C0DET-H1RDC-0DETH", Some(&uuid));
    device.enrol(&odoo.url(), "THIRD-C0DET-H1RDC-0DETH");
    assert_eq!(identity(&device, "device"), uuid);
    assert_ne!(identity(&device, "kid"), revoked);
}

#[test]
fn two_enrolments_at_once_are_one_too_many() {
    let odoo = Counterpart::start();
    let device = enrolled(&odoo.url());
    let held = fs::File::open(device.state()).unwrap();
    held.lock().unwrap();
    let (code, words) = enroll(&device, &odoo.url(), CODE);
    assert!(code == Some(1) && words.contains("another enrolment"), "{words}");
    drop(held);
    assert_eq!(enroll(&device, &odoo.url(), CODE).0, Some(0));
}
