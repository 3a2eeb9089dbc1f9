//! Random labels, read by us and by biip. biip checks less than GS1's dictionary asks for, so the comparison has two
//! sides: what we accept it must read alike, and what it refuses we must refuse.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::Deserialize;
use serde_json::json;

use tallyman::domain::decode::gs1::{self, Ai};
use tallyman::domain::decode::gtin::Gtin;
use tallyman::domain::decode::{Flaw, digital_link};

use crate::table::rows;

const LABELS: usize = 4000;

#[derive(Debug, Deserialize)]
struct Said {
    elements: Option<Vec<(String, String)>>,
    gtin: Option<String>,
    refused: Option<String>,
}

/// Asks biip about all of `texts` in one go.
fn biip(kind: &str, texts: &[String]) -> Vec<Said> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = Command::new(root.join("tools/need")).args(["--where", "biip"]).output().unwrap();
    let python = String::from_utf8(found.stdout).unwrap();
    let python = python.trim();
    assert!(!python.is_empty(), "biip is missing: run tools/need biip, or tests/run, which does");
    let mut child = Command::new(python)
        .arg(root.join("tests/gs1/biip_says.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let questions: String = texts.iter().map(|text| json!({ "as": kind, "text": text }).to_string() + "\n").collect();
    let mut input = child.stdin.take().unwrap();
    let asking = std::thread::spawn(move || input.write_all(questions.as_bytes()));
    let output = child.wait_with_output().unwrap();
    asking.join().unwrap().unwrap();
    assert!(output.status.success());
    let said: Vec<Said> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(said.len(), texts.len());
    said
}

fn ours(text: &str) -> (Vec<(String, String)>, Vec<Flaw>) {
    let mut flaws = Vec::new();
    let elements = gs1::parse(text, &mut flaws);
    (elements.iter().map(|element| (element.ai.to_string(), element.value.to_string())).collect(), flaws)
}

/// biip's own limits: it takes no component part identifier under five characters, and no range of harvest dates.
fn biip_can(ai: &str, value: &str) -> bool {
    !(ai == "8010" && value.len() < 5 || ai == "7007" && value.len() > 6)
}

/// Labels of one to five elements, each behind its separator where it needs one, and sometimes where it doesn't.
fn label() -> impl Strategy<Value = String> {
    let good: Vec<(String, String)> = rows()
        .into_iter()
        .flat_map(|row| row.cases)
        .filter(|case| case.ok && biip_can(&case.ai, &case.value))
        .map(|case| (case.ai, case.value))
        .collect();
    let element = (prop::sample::select(good), any::<bool>()).prop_map(|((ai, value), extra)| {
        let predefined = Ai::parse(&ai).unwrap().spec.predefined;
        format!("{ai}{value}{}", if predefined && !extra { "" } else { "\u{1d}" })
    });
    prop::collection::vec(element, 1..=5).prop_map(|elements| elements.concat())
}

/// A label with one character lost, changed or put in: what a bad print or a bad scanner makes of it.
fn damaged() -> impl Strategy<Value = String> {
    (label(), any::<prop::sample::Index>(), prop::char::range('!', 'z'), 0..3u8).prop_map(
        |(label, place, with, how)| {
            let mut characters: Vec<char> = label.chars().collect();
            let place = place.index(characters.len());
            match how {
                0 => drop(characters.remove(place)),
                1 => characters[place] = with,
                _ => characters.insert(place, with),
            }
            characters.into_iter().collect()
        },
    )
}

fn drawn<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn good_labels_are_read_alike() {
    let labels = drawn(&label(), LABELS);
    for (text, said) in labels.iter().zip(biip("message", &labels)) {
        let (elements, _) = ours(text);
        assert_eq!(said.elements.as_ref(), Some(&elements), "{text:?}: {said:?}");
    }
}

#[test]
fn damaged_labels_are_never_accepted_where_biip_refuses_nor_read_otherwise() {
    let labels = drawn(&damaged(), LABELS);
    let (mut both, mut refused) = (0, 0);
    for (text, said) in labels.iter().zip(biip("message", &labels)) {
        let (elements, flaws) = ours(text);
        if flaws.iter().any(Flaw::refuses) {
            refused += 1;
            continue;
        }
        if elements.iter().any(|(ai, value)| !biip_can(ai, value)) {
            continue;
        }
        assert_eq!(said.elements.as_ref(), Some(&elements), "{text:?}: {:?}", said.refused);
        both += 1;
    }
    assert!(both > LABELS / 20 && refused > LABELS / 4);
}

#[test]
fn numbers_of_every_length_have_the_same_canonical_form_or_none() {
    let digits = prop::sample::select(vec![8, 12, 13, 14])
        .prop_flat_map(|length| (prop::collection::vec(0..10u8, length), any::<bool>()))
        .prop_map(|(digits, right)| {
            let body: String = digits[1..].iter().map(ToString::to_string).collect();
            let last = (0..10).find(|last| Gtin::parse(&format!("{body}{last}")).is_some());
            if let (true, Some(last)) = (right, last) {
                format!("{body}{last}")
            } else {
                format!("{}{body}", digits[0])
            }
        });
    let numbers = drawn(&digits, LABELS);
    let mut right = 0;
    for (number, said) in numbers.iter().zip(biip("gtin", &numbers)) {
        let ours = Gtin::parse(number).map(|gtin| gtin.to_string());
        assert_eq!(ours, said.gtin, "{number}");
        right += usize::from(ours.is_some());
    }
    assert!(right > LABELS / 3 && right < LABELS);
}

#[test]
fn upc_e_is_expanded_alike() {
    let numbers = drawn(&"[01][0-9]{7}", LABELS);
    let mut right = 0;
    for (number, said) in numbers.iter().zip(biip("upc", &numbers)) {
        let ours = Gtin::parse_upc_e(number).map(|gtin| gtin.to_string());
        assert_eq!(ours, said.gtin, "{number}");
        right += usize::from(ours.is_some());
    }
    assert!(right > LABELS / 20);
}

#[test]
fn digital_links_are_read_alike() {
    let link = (prop::option::of("[!-~]{1,20}"), prop::option::of("[A-Za-z0-9]{1,20}"), any::<bool>()).prop_map(
        |(lot, serial, expiry)| {
            let encoded = |text: String| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            let lot = lot.map(|lot| format!("/10/{}", encoded(lot))).unwrap_or_default();
            let serial = serial.map(|serial| format!("/21/{serial}")).unwrap_or_default();
            let query = if expiry { "?17=270131&linkType=all" } else { "" };
            format!("https://id.example.com/shop/01/07032069804988{lot}{serial}{query}")
        },
    );
    let links = drawn(&link, 500);
    let mut read = 0;
    for (text, said) in links.iter().zip(biip("link", &links)) {
        let mut flaws = Vec::new();
        let elements = digital_link::parse(text, &mut flaws).unwrap();
        let ours: Vec<(String, String)> = elements.iter().map(|e| (e.ai.to_string(), e.value.to_string())).collect();
        if flaws.iter().any(Flaw::refuses) {
            continue;
        }
        assert_eq!(said.elements.as_ref(), Some(&ours), "{text}: {:?}", said.refused);
        read += 1;
    }
    assert!(read > 200);
}
