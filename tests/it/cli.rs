//! The command line as a person or a script meets it: exit codes, and errors that say what to do.

use std::fs;

use crate::receiver::{CODE, Counterpart};
use crate::support::{Device, tallyman};

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    assert_eq!(tallyman(&["--help"]).status.code(), Some(0));
    assert_eq!(tallyman(&["--version"]).status.code(), Some(0));
    for wrong in [&["fly"][..], &[], &["enroll"], &["run", "--confg", "x"], &["queue"], &["queue", "show"]] {
        assert_eq!(tallyman(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_wrong_configuration_is_78_with_place_and_cure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.toml");
    fs::write(&file, "state_dir = \"s\"\n[[scanner]]\nname = \"a\"\nkind = \"seral\"\n").unwrap();
    let output = tallyman(&["run", "--config", &file.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(78));
    let error = stderr(&output);
    assert!(error.starts_with(&format!("{}:4:8: ", file.display())), "{error}");
    assert!(error.contains("did you mean \"serial\"?"), "{error}");
}

#[test]
fn a_missing_configuration_is_78_and_says_how_to_get_one() {
    let output = tallyman(&["status", "--config", "/nonexistent/t.toml"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("--config"));
}

#[test]
fn a_file_that_the_configuration_names_is_78_too() {
    let device = Device::new("[catalog]\nfile = \"catalog.json\"");
    fs::write(device.folder.path().join("catalog.json"), "{\n  \"opperators\": []\n}").unwrap();
    let output = device.tallyman(&["run"]);
    assert_eq!(output.status.code(), Some(78));
    let error = stderr(&output);
    assert!(error.contains("catalog.json:2:14: unknown field `opperators`, expected"), "{error}");

    fs::write(device.folder.path().join("ca.pem"), "no certificate").unwrap();
    let config = fs::read_to_string(device.config()).unwrap().replace("[odoo]", "[odoo]\nca_file = \"ca.pem\"");
    fs::write(device.config(), config).unwrap();
    let output = device.tallyman(&["run"]);
    assert_eq!((output.status.code(), stderr(&output).contains("ca.pem: holds no certificate")), (Some(78), true));
}

#[test]
fn status_without_an_agent_is_1_and_says_how_to_start_one() {
    let device = Device::new("");
    let output = device.tallyman(&["status"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("systemctl status tallyman"), "{}", stderr(&output));
}

#[test]
fn a_second_agent_on_the_same_state_is_refused() {
    let mut device = Device::new("");
    device.start();
    let output = device.tallyman(&["run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("another agent already runs"), "{}", stderr(&output));
    assert!(device.is_alive());
}

#[test]
fn enrolment_says_what_went_wrong_and_changes_nothing() {
    let odoo = Counterpart::start();
    let device = Device::new("");
    let enroll = |url: &str, code: &str| device.tallyman(&["enroll", "--url", url, "--code", code]);
    let wrong_code = enroll(&odoo.url(), "AAAAA-AAAAA-AAAAA-AAAAA");
    assert_eq!(wrong_code.status.code(), Some(1));
    assert!(stderr(&wrong_code).contains("code_invalid"), "{}", stderr(&wrong_code));
    assert!(stderr(&enroll("http://127.0.0.1:1", CODE)).contains("can't be reached"));
    assert!(stderr(&enroll("odoo.example", CODE)).contains("is no URL"));
    assert!(!device.state().join("identity.json").exists());

    let enrolled = enroll(&odoo.url(), &CODE.to_lowercase());
    assert_eq!(enrolled.status.code(), Some(0), "{}", stderr(&enrolled));
    let again = enroll(&odoo.url(), CODE);
    assert_eq!(again.status.code(), Some(0), "a tool that does it twice meets no error: {}", stderr(&again));
    let words = String::from_utf8_lossy(&again.stdout);
    assert!(words.contains("enrolled again as DEMO-01"), "{words}");
}

#[test]
fn plain_http_needs_the_sites_word() {
    let odoo = Counterpart::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.toml");
    fs::write(&file, "state_dir = \"s\"\n").unwrap();
    let output = tallyman(&["enroll", "--config", &file.to_string_lossy(), "--url", &odoo.url(), "--code", CODE]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("allow_plain_http"), "{}", stderr(&output));
}

#[test]
fn a_running_agent_learns_of_its_enrolment() {
    let odoo = Counterpart::start();
    let mut device = Device::new("");
    device.start();
    assert_eq!(device.status()["enrolled"], false);
    device.enrol(&odoo.url(), CODE);
    assert_eq!(device.status()["enrolled"], true);
    device.scan(&["EMP-1", "LOC-9", "TM-EMPTY", "ITEM", "TM-DONE"]);
    let case = odoo.until_cases(1).remove(0);
    assert_eq!(case.event.data.item.as_ref().unwrap().code, "ITEM");
    assert_eq!(case.event.data.quantity.expected, None);
}

#[test]
fn an_unenrolled_device_refuses_visibly_and_keeps_the_slip() {
    let mut device = Device::new("");
    device.start();
    device.scan(&["EMP-1", "LOC-9", "TM-EMPTY", "ITEM", "TM-DONE"]);
    crate::support::until("the refusal", || device.page().html().contains("not enrolled").then_some(()));
    assert!(device.page().html().contains("data-question=\"done\""), "the slip is still there");
    assert!(device.beeped().is_empty());
}

#[test]
fn a_bench_says_what_the_disk_does_and_leaves_nothing_behind() {
    let device = Device::new("");
    fs::create_dir(device.state()).unwrap();
    let output = device.tallyman(&["bench", "--quick", "--backlog", "300", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for measured in ["/bare/p50_us", "/enqueue/p50_us", "/writers/2/events_per_second", "/backlog/memory_bytes"] {
        assert!(said.pointer(measured).and_then(serde_json::Value::as_u64) > Some(0), "{measured}: {said}");
    }
    assert_eq!(said["backlog"]["events"], 300);
    assert!(said["verdict"].as_str().unwrap().contains("a report is saved in"));
    assert!(crate::support::files(&device.state()).is_empty());
    let nowhere = device.tallyman(&["bench", "--folder", "/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(stderr(&nowhere).contains("a folder that this user may write to"), "{}", stderr(&nowhere));
}
