//! `tallyman decode` as IT and its scripts use it.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Device, tallyman};

/// Answers to `input`, a line each.
fn decode(arguments: &[&str], input: &[u8]) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tallyman"))
        .arg("decode")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

fn answers(lines: &[&str]) -> Vec<Value> {
    let input = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    decode(&["--json"], input.as_bytes()).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_label_is_answered_in_the_form_that_is_promised() {
    let answer = decode(&["--json"], b"\"]C10107032069804988\"\n");
    assert_eq!(
        answer,
        [
            r#"{"ok":true,"aim":"]C1","kind":"gs1","gtin14":"07032069804988","elements":[{"ai":"01","title":"GTIN","value":"07032069804988"}],"flaws":[]}"#
        ]
    );
}

#[test]
fn every_line_has_its_answer_whatever_stands_in_it() {
    let all = answers(&["\"7032069804988\"", "", "no json", "17", "\"\\ud800\"", "\"]C1\"", "\"WH/IN/00012\""]);
    assert_eq!(all.len(), 7);
    let kinds: Vec<&str> = all.iter().map(|answer| answer["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["gtin", "unreadable", "unreadable", "unreadable", "unreadable", "gs1", "text"]);
    assert_eq!(
        (&all[0]["gtin14"], &all[0]["aim"], &all[0]["ok"]),
        (&json!("07032069804988"), &json!(null), &json!(true))
    );
}

#[test]
fn what_gs1_refuses_is_said_with_its_identifier_and_the_rest_is_given() {
    let answer = &answers(&["\"]d2010703206980498810L42\\u001d17271301\\u001d3103001250\""])[0];
    assert_eq!((&answer["ok"], &answer["flaws"]), (&json!(false), &json!(["AI (17): no such day"])));
    assert_eq!(answer["elements"].as_array().map(Vec::len), Some(4));
    assert_eq!(answer["values"], json!([{"ai": "3103", "value": "1.250 kg"}]));
}

#[test]
fn a_person_may_write_the_separator_and_reads_what_it_means() {
    let output = tallyman(&["decode", "]C1010703206980498810L42<GS>17270131"]);
    let said = String::from_utf8(output.stdout).unwrap();
    for part in ["GS1-128", "(10)      BATCH/LOT", "L42", "= 2027-01-31", "nothing against it"] {
        assert!(said.contains(part), "{part:?} is missing in {said}");
    }
}

#[test]
fn the_rules_of_a_scanner_can_be_tried_without_it() {
    let rules = "[[scanner.rewrite]]\nstrip_prefix = \"~\"\n\
                 [[scanner.rewrite]]\nmatch = \"^B([0-9]+)$\"\nreplace = \"LOC-$1\"";
    let device = Device::new(rules);
    let output = device.tallyman(&["decode", "--scanner", "dock", "~B12"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("1 makes it B12") && said.contains("2 makes it LOC-12"), "{said}");
    let output = device.tallyman(&["decode", "--scanner", "dok", "~B12"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("no scanner is called \"dok\"; the configuration has: dock"), "{error}");
}
