//! What a bad scanner, a careless finger or a broken camera sends. The agent lives and loses nothing else.

use crate::receiver::{CODE, Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{files, images, resident, until};

#[test]
fn garbage_and_an_endless_line_leave_the_next_scan_unharmed() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7"]);
    device.scanner.send(&[0xff, 0xfe, 0x00, 0x1b, b'[', b'A', 0x80, b'\r']).unwrap();
    let before = resident(device.pid());
    for _ in 0..10_240 {
        device.scanner.send(&[b'x'; 1024]).unwrap();
    }
    device.scanner.send(b"\r").unwrap();
    device.scan(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
    let case = odoo.until_cases(1).remove(0);
    assert_eq!(case.event.data.bin.as_ref().unwrap().code, "A-03-02");
    assert!(device.is_alive());
    let grown = resident(device.pid()).saturating_sub(before);
    assert!(grown < 8 << 20, "a line of 10 MB cost {grown} bytes of memory");
}

#[test]
fn garbage_on_an_open_slip_is_kept_as_evidence() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7", "A-03-02", "TM-EMPTY"]);
    device.scanner.send(b"\xff\xfe??\x01x\r").unwrap();
    device.scan(&["TM-DONE"]);
    let case = odoo.until_cases(1).remove(0);
    let odd = case.event.data.scans.iter().find(|scan| scan.role == "not_understood").unwrap();
    assert_eq!(tallyman::wire::jws::decode(&odd.raw).unwrap(), b"\xff\xfe??\x01x");
    assert!(!odd.flaws.is_empty());
}

#[test]
fn a_scanner_that_is_unplugged_in_the_middle_of_a_code_fills_no_slot_and_comes_back() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7"]);
    until("the badge", || device.page().html().contains("data-question=\"context\"").then_some(()));
    device.scanner.send(b"A-03").unwrap();
    // The kernel throws away what nobody has read when a line hangs up.
    std::thread::sleep(std::time::Duration::from_millis(300));
    device.replug();
    until("the flaw", || device.page().html().contains("cut off").then_some(()));
    assert!(device.page().html().contains("data-question=\"context\""), "half a code filled a slot");
    device.until_status("the scanner to be back", |status| status["scanners"][0]["connected"] == true);
    device.scan(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
    odoo.until_cases(1);
}

#[test]
fn what_is_no_photo_or_too_large_is_refused_and_the_report_goes_on() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7", "A-03-02", "TM-EMPTY"]);
    let page = device.page();
    let answer = page.photo(b"%PDF-1.7 this is no photo".to_vec());
    assert_eq!(answer.status(), 422);
    assert!(answer.text().unwrap().contains("not a photo"));
    let mut huge = images::jpeg(64, 64, 1);
    huge.resize(40 << 20, 0);
    // The server may hang up on a body that it won't read: either way the upload fails and the agent lives.
    assert_eq!(page.photo(huge).status(), 413);
    let mut cut = images::jpeg(64, 64, 2);
    cut.truncate(60);
    assert_eq!(page.photo(cut).status(), 422);
    assert!(files(&device.state().join("photos")).is_empty());
    page.press(&["CLEAR"]);
    device.scan(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
    let case = odoo.until_cases(1).remove(0);
    assert_eq!(case.event.data.photos, []);
}

#[test]
fn a_scanner_that_is_not_there_is_named_and_holds_up_nobody() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    let missing = "[[scanner]]\nname = \"wedge\"\nkind = \"evdev\"\npath = \"/dev/input/by-id/none\"";
    device.configure(&format!("[catalog]\nfile = \"catalog.json\"\n{missing}"));
    device.start();
    let status = device
        .until_status("both scanners", |status| status["scanners"].as_array().is_some_and(|list| list.len() == 2));
    let wedge = status["scanners"].as_array().unwrap().iter().find(|scanner| scanner["name"] == "wedge").unwrap();
    assert_eq!((&wedge["connected"], wedge["detail"].as_str()), (&false.into(), Some("not plugged in")));
    device.scan(&["EMP-7", "A-03-02", "TM-EMPTY", "TM-DONE"]);
    odoo.until_cases(1);
}

#[test]
fn standard_input_is_a_scanner_too() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.configure("[catalog]\nfile = \"catalog.json\"\n[[scanner]]\nname = \"keys\"\nkind = \"stdin\"");
    device.start_with_input(b"EMP-7\nA-03-02\nTM-EMPTY\nTM-DONE\nhalf a line");
    let case = odoo.until_cases(1).remove(0);
    assert!(case.event.data.scans.iter().all(|scan| scan.source == "keys"));
    // An input that never ends must not keep the agent from stopping.
    assert_eq!(device.stop().code(), Some(0));
}

#[test]
fn a_page_of_another_site_can_press_nothing() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    let page = device.page();
    let client = crate::support::page::client();
    let post = || client.post(format!("{}/input", page.base)).json(&serde_json::json!({"command": "CLEAR"}));
    assert!(post().send().unwrap().status().is_client_error(), "no token");
    let foreign =
        post().header("x-tallyman-token", &page.token).header("origin", "http://evil.example").send().unwrap();
    assert!(foreign.status().is_client_error(), "another origin");
    let rebound = client.get(format!("{}/", page.base)).header("host", "evil.example").send().unwrap();
    assert!(rebound.status().is_client_error(), "another host name");
}

#[test]
fn a_damaged_identity_is_told_and_a_new_enrolment_mends_it() {
    for file in ["identity.json", "device-key.pem"] {
        let odoo = Counterpart::start();
        let mut device = enrolled(&odoo.url());
        let path = device.state().join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(40);
        std::fs::write(&path, &bytes).unwrap();
        device.start();
        let status = device.status();
        assert_eq!((&status["enrolled"], &status["last_error"]["code"]), (&false.into(), &"not_enrolled".into()));
        let words = status["last_error"]["message"].as_str().unwrap();
        assert!(words.contains(file) && words.contains("enrol this device again"), "{words}");
        // Its code is a new one: this receiver has given out none.
        let another = Counterpart::start();
        device.enrol(&another.url(), CODE);
        assert_eq!(device.status()["enrolled"], true, "the running agent was told");
        assert_eq!(device.status()["last_error"], serde_json::Value::Null);
        let kept = std::fs::read(device.state().join(format!("quarantine-1-{file}"))).unwrap();
        assert_eq!(kept, bytes, "it was not deleted");
        device.stop();
    }
}

#[test]
fn reports_that_wait_are_not_left_behind_by_an_enrolment_as_another_device() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    line.set(Fault::Refuse);
    device.start();
    device.scan(&["EMP-7", "A-03-02", "TM-EMPTY", "TM-DONE"]);
    until("the beep", || (device.beeped().len() == 1).then_some(()));
    device.stop();
    let key = device.state().join("device-key.pem");
    let good = std::fs::read(&key).unwrap();
    std::fs::write(&key, "rubbish").unwrap();
    let another = Counterpart::start();
    let refused = device.tallyman(&["enroll", "--url", &another.url(), "--code", CODE]);
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && words.contains("Give another key"), "{words}");
    // Nothing stands in the way of another try; here, of the key's coming back from a copy.
    assert!(!key.exists());
    std::fs::write(&key, good).unwrap();
    line.set(Fault::None);
    device.start();
    odoo.until_cases(1);
}
