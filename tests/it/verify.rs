//! `queue verify`: each kind of harm is found and named, health is called health, and looking changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use tallyman::domain::id::Digest;
use tallyman::io::keys::DeviceKey;
use tallyman::io::store::{Store, StoreError};
use tallyman::wire::journal_v2::{EventRecord, Record};
use tallyman::wire::jws;
use tokio::sync::oneshot::Receiver;

use crate::receiver::{Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, files, images, tree, until};

/// Writes events behind those of a stopped device, made after its first one.
struct Chain {
    store: Store,
    like: (EventRecord, Value),
    next: u64,
    prev: Digest,
    waits: Vec<Receiver<Result<(), StoreError>>>,
}

impl Chain {
    fn of(state: &Path) -> Chain {
        let (store, found) = Store::open(state).unwrap();
        let entry = found.outbox.entries().next().unwrap().clone();
        let read = store.read(vec![entry.sequence]).blocking_recv().unwrap().remove(0).1.unwrap();
        let payload = serde_json::from_slice(&jws::payload(&read).unwrap()).unwrap();
        let like = EventRecord { photos: vec![], ..EventRecord::of(&entry, read) };
        Chain { store, like: (like, payload), next: found.head.next.0, prev: found.head.prev, waits: vec![] }
    }

    fn add(&mut self, sign: impl Fn(&[u8]) -> String) {
        let (mut record, mut payload) = self.like.clone();
        let id = uuid::Builder::from_random_bytes(u128::from(self.next).to_be_bytes()).into_uuid().to_string();
        (payload["id"], payload["sequence"]) = (json!(id), json!(format!("{:020}", self.next)));
        (payload["prevhash"], payload["data"]["note"]) = (json!(self.prev.to_string()), json!("n".repeat(2000)));
        payload["data"].as_object_mut().unwrap().remove("photos");
        (record.id, record.sequence) = (id, self.next);
        record.jws = sign(&serde_json::to_vec(&payload).unwrap());
        (self.next, self.prev) = (self.next + 1, record.digest());
        let entry = record.entry(tallyman::domain::outbox::State::FRESH);
        self.waits.push(self.store.append(Record::Event(record), entry));
        if self.waits.len() == 64 {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.waits.drain(..).for_each(|wait| wait.blocking_recv().unwrap().unwrap());
    }

    fn close(mut self) {
        self.settle();
        self.store.close();
    }
}

/// The reports that a patient has.
const LAST: u64 = 700;

/// A stopped device with a journal of some segments, all of it unsent, two reports with photos; to be harmed.
struct Patient {
    device: Device,
}

impl Patient {
    fn new() -> Patient {
        let odoo = Counterpart::start();
        let line = Proxy::before(odoo.address);
        let mut device = enrolled(&line.url());
        line.set(Fault::Refuse);
        device.start();
        device.scan(&["EMP-7"]);
        for n in 1..=2 {
            device.scan(&["A-03-02", "TM-EMPTY"]);
            until("DONE to be on", || device.page().html().contains("data-question=\"done\"").then_some(()));
            assert!(device.page().photo(images::jpeg(300, 200, n)).status().is_success());
            device.scan(&["TM-DONE"]);
            until("the beep", || (device.beeped().len() == n as usize).then_some(()));
        }
        device.stop();
        let key = DeviceKey::load(&device.state()).unwrap().unwrap();
        let mut chain = Chain::of(&device.state());
        (3..=LAST).for_each(|_| chain.add(|payload| key.sign_event(payload)));
        chain.close();
        let patient = Patient { device };
        assert!(patient.segments() >= 3);
        patient
    }

    fn state(&self) -> PathBuf {
        self.device.state()
    }

    /// How many segments the journal has; it varies with how the disk keeps up.
    fn segments(&self) -> u64 {
        let names = files(&self.state().join("journal"));
        names.iter().filter(|name| name.ends_with(".journal")).count() as u64
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.state().join(format!("journal/{number:08}.journal"))
    }

    /// What verify says, and that it left everything as it was.
    fn verify(&self) -> Value {
        let before = tree(&self.state());
        let output = self.device.tallyman(&["queue", "verify", "--json"]);
        assert_eq!(tree(&self.state()), before, "verify changed something");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(if said["ok"] == true { 0 } else { 1 }), "{said}");
        said
    }

    /// The findings of a place, each as "report: words".
    fn found(&self, place: &str) -> Vec<String> {
        let said = self.verify();
        let findings = said["findings"].as_array().unwrap();
        assert!(!findings.is_empty(), "nothing was found");
        let here = findings.iter().filter(|finding| finding["place"] == place);
        here.map(|finding| format!("{}: {}", finding["report"], finding["what"].as_str().unwrap())).collect()
    }
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_healthy_device_is_well_stopped_and_running() {
    let patient = Patient::new();
    let said = patient.verify();
    assert_eq!((&said["ok"], &said["running"]), (&json!(true), &json!(false)), "{said}");
    let checked = &said["checked"];
    assert_eq!(
        (&checked["segments"], &checked["events"], &checked["photos"]),
        (&json!(patient.segments()), &json!(LAST), &json!(2))
    );
    assert_eq!(checked["index"], LAST);

    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7", "A-03-02", "TM-EMPTY", "TM-DONE"]);
    device.until_status("the case", |status| status["delivered"] == 1);
    let output = device.tallyman(&["queue", "verify"]);
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && words.contains("All is well") && words.contains("running agent"), "{words}");
    device.scan(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
    device.until_status("the agent to go on", |status| status["delivered"] == 2);
}

#[test]
fn an_agent_that_was_killed_is_no_damage() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7", "A-03-02", "TM-EMPTY", "TM-DONE"]);
    device.until_status("the case", |status| status["delivered"] == 1);
    device.scan(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
    until("the beep", || (device.beeped().len() == 2).then_some(()));
    device.kill();
    let output = device.tallyman(&["queue", "verify"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_flipped_bit_in_a_record_is_found_with_what_it_cost() {
    let patient = Patient::new();
    flip(&patient.segment(1), 5000);
    assert!(patient.found("journal").iter().any(|words| words.contains("segment 1: 1 damaged record")));
    assert!(patient.found("chain").iter().any(|words| words.contains("not in the journal any more")));
    assert!(patient.found("index").iter().any(|words| words.contains("the journal doesn't have it")));
}

#[test]
fn a_segment_that_is_gone_is_missed_wherever_it_was() {
    for (segment, place, words) in [
        (1, "index", "1: it waits by the index"),
        (2, "journal", "can't be read any more"),
        (u64::MAX, "index", "behind the journal's end"),
    ] {
        let patient = Patient::new();
        let segment = segment.min(patient.segments());
        fs::remove_file(patient.segment(segment)).unwrap();
        let found = patient.found(place);
        assert!(found.iter().any(|found| found.contains(words)), "segment {segment}: {found:?}");
    }
}

#[test]
fn a_photo_that_is_missing_or_damaged_is_found_with_its_report() {
    let patient = Patient::new();
    let photos = patient.state().join("photos");
    let names = files(&photos);
    fs::remove_file(photos.join(&names[0])).unwrap();
    flip(&photos.join(&names[1]), 100);
    let mut found = patient.found("photo");
    found.sort();
    assert_eq!(found.len(), 2);
    for (name, words) in [(&names[0], "is missing"), (&names[1], "is damaged")] {
        assert!(found.iter().any(|found| found.contains(name.as_str()) && found.ends_with(words)), "{found:?}");
    }
    assert!(found[0].starts_with("1: ") && found[1].starts_with("2: "), "{found:?}");
}

#[test]
fn an_event_that_another_key_signed_is_found() {
    let patient = Patient::new();
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let kid = jws::thumbprint(&stranger.verifying_key());
    let own = DeviceKey::load(&patient.state()).unwrap().unwrap();
    let mut chain = Chain::of(&patient.state());
    chain.add(|payload| jws::sign(jws::EVENT, &kid, payload, |bytes| stranger.sign(bytes).to_bytes()));
    // In this device's name.
    chain.add(|payload| jws::sign(jws::EVENT, own.kid(), payload, |bytes| stranger.sign(bytes).to_bytes()));
    chain.close();
    let (first, second) = (LAST + 1, LAST + 2);
    assert_eq!(
        patient.found("signature"),
        [format!("{first}: another key than this device's signed it"), format!("{second}: the signature does not fit")]
    );
    assert!(patient.found("chain").is_empty());
}

#[test]
fn a_link_that_does_not_hold_is_found() {
    let patient = Patient::new();
    let own = DeviceKey::load(&patient.state()).unwrap().unwrap();
    let mut chain = Chain::of(&patient.state());
    chain.prev = Digest::of(b"another report");
    chain.add(|payload| own.sign_event(payload));
    chain.close();
    let words = format!("{}: it doesn't follow report {LAST}: the chain is broken between them", LAST + 1);
    assert_eq!(patient.found("chain"), [words]);
    assert!(patient.found("signature").is_empty());
}

#[test]
fn a_damaged_index_is_found_and_costs_no_report() {
    let patient = Patient::new();
    let index = patient.state().join("index-00000001/db");
    let length = fs::metadata(&index).unwrap().len();
    fs::write(&index, vec![0xa5; length as usize]).unwrap();
    let found = patient.found("index");
    assert!(found.len() == 1 && found[0].contains("it is damaged"), "{found:?}");
    assert!(patient.found("journal").is_empty());
}

#[test]
fn what_was_set_aside_is_shown_until_somebody_takes_it_away() {
    let patient = Patient::new();
    let kept = patient.state().join("quarantine-1-index-00000001");
    fs::create_dir(&kept).unwrap();
    let found = patient.found("set aside");
    assert!(found.len() == 1 && found[0].contains("quarantine-1-index-00000001"), "{found:?}");
    fs::remove_dir(&kept).unwrap();
    assert_eq!(patient.verify()["ok"], true);
}

#[test]
fn a_key_that_is_gone_is_found() {
    let patient = Patient::new();
    fs::remove_file(patient.state().join("device-key.pem")).unwrap();
    assert_eq!(patient.found("key"), ["null: the device's key is gone"]);
}
