//! `tallyman calibrate` with a scanner that is set otherwise than the configuration says.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tallyman::domain::decode::calibrate::{ELEMENTS, TEXT};

use crate::support::Device;

/// A hand moves from one code to the other.
const HAND: Duration = Duration::from_millis(600);

fn calibrate(device: &Device, extra: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tallyman"))
        .args(["calibrate", "--config"])
        .arg(device.config())
        .args(extra)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Scans both codes of the sheet as a scanner sends them that wraps each and has a word for GS.
fn scan_the_sheet(device: &mut Device, calibrating: &mut Child) {
    let mut words = BufReader::new(calibrating.stderr.take().unwrap()).lines();
    let mut until = |part: &str| words.by_ref().map(Result::unwrap).find(|line| line.contains(part)).unwrap();
    until("connected");
    device.scanner.send(format!("~{TEXT}\t\r").as_bytes()).unwrap();
    until("Now scan the other code");
    std::thread::sleep(HAND);
    device.scanner.send(format!("~{}\t\r", ELEMENTS.join("{GS}")).as_bytes()).unwrap();
    until("Wait a moment");
}

#[test]
fn a_scanner_that_is_set_otherwise_is_understood_after_two_codes() {
    let mut device = Device::new("# by the gate\nparity = \"none\"");
    let mut calibrating = calibrate(&device, &[]);
    scan_the_sheet(&mut device, &mut calibrating);
    let output = calibrating.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("Written"), "{said}");
    let written = fs::read_to_string(device.config()).unwrap();
    for line in ["prefix = \"~\"", "gs = \"{GS}\"", "# by the gate"] {
        assert!(written.contains(line), "{line} is not in {written}");
    }
    // With what was written, the agent's own eyes read a label of that scanner whole.
    let output = device.tallyman(&["decode", "--scanner", "dock", "--json", "]C10107032069804988"]);
    assert!(output.status.success());
}

#[test]
fn a_dry_run_writes_nothing() {
    let mut device = Device::new("");
    let before = fs::read_to_string(device.config()).unwrap();
    let mut calibrating = calibrate(&device, &["--dry-run"]);
    scan_the_sheet(&mut device, &mut calibrating);
    let mut said = String::new();
    calibrating.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(calibrating.wait().unwrap().success() && said.contains("Nothing was written"), "{said}");
    assert_eq!(fs::read_to_string(device.config()).unwrap(), before);
}

#[test]
fn an_unknown_scanner_is_told_from_the_known_ones() {
    let device = Device::new("");
    let output = device.tallyman(&["calibrate", "--scanner", "dok"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("no scanner is called \"dok\"; there is: dock"), "{error}");
}
