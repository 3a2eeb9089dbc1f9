//! The wire's test vectors, which the addon's own tests read too. They were made by another implementation
//! (`make_vectors.py`), so agreement means something.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, and may say why")]

use std::collections::HashMap;
use std::io::Read as _;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde_json::Value;
use tallyman::demo::book::Book;
use tallyman::domain::decode::gtin::Gtin;
use tallyman::domain::id::Digest;
use tallyman::domain::time::Wall;
use tallyman::wire::bundle_v1::{EVENTS, MANIFEST, ManifestV1, end, header, padding, photo_name};
use tallyman::wire::device_api_v1::StatusV1;
use tallyman::wire::event_v1::EventV1;
use tallyman::wire::jws::{self, JwsError};

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/wire_v1.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list<'a>(vectors: &'a Value, name: &str) -> &'a Vec<Value> {
    let list = vectors[name].as_array().unwrap();
    assert!(!list.is_empty(), "no vectors are called {name}");
    list
}

fn text<'a>(vector: &'a Value, member: &str) -> &'a str {
    vector[member].as_str().unwrap_or_else(|| panic!("{member} is missing in {vector}"))
}

fn secret(key: &Value) -> SigningKey {
    SigningKey::from_bytes(&jws::decode(text(key, "d")).unwrap().try_into().unwrap())
}

/// The keys that the vectors' server knows: all but the stranger's.
fn known_keys(vectors: &Value) -> HashMap<String, (VerifyingKey, String)> {
    let known = list(vectors, "keys").iter().filter(|key| key["name"] != "stranger");
    known
        .map(|key| (text(key, "kid").to_owned(), (secret(key).verifying_key(), text(key, "device").to_owned())))
        .collect()
}

#[test]
fn keys_are_named_by_their_thumbprint() {
    let vectors = vectors();
    for key in list(&vectors, "keys") {
        assert_eq!(jws::thumbprint(&secret(key).verifying_key()), text(key, "kid"));
    }
}

#[test]
fn good_events_verify_and_read_as_what_they_say() {
    let vectors = vectors();
    let keys = known_keys(&vectors);
    for vector in list(&vectors, "events") {
        let verified = jws::verify(text(vector, "jws"), jws::EVENT, |kid| keys.get(kid).map(|(key, _)| *key)).unwrap();
        assert_eq!(Digest::of(text(vector, "jws").as_bytes()).to_string(), text(vector, "digest"));
        assert_eq!(String::from_utf8(verified.payload.clone()).unwrap(), text(vector, "payload_text"));
        let event: EventV1 = serde_json::from_slice(&verified.payload).unwrap();
        assert_eq!(event.sequence, text(vector, "sequence"));
        assert_eq!(event.prevhash, text(vector, "prevhash"));
        // What this side writes again is what the other side wrote, member for member.
        let again = serde_json::to_value(&event).unwrap();
        assert_eq!(
            without_empty_lists(again),
            without_empty_lists(vector["payload"].clone()),
            "{}",
            text(vector, "name")
        );
    }
}

#[test]
fn what_a_device_may_know_of_its_clock_is_read() {
    let vectors = vectors();
    let keys = known_keys(&vectors);
    for vector in list(&vectors, "clocks") {
        let verified = jws::verify(text(vector, "jws"), jws::EVENT, |kid| keys.get(kid).map(|(key, _)| *key)).unwrap();
        let event: EventV1 = serde_json::from_slice(&verified.payload).unwrap();
        let clock = &event.data.clock;
        assert_eq!(clock.offset_ms, vector["offset_ms"].as_i64(), "{}", text(vector, "name"));
        assert_eq!(clock.uncertainty_ms, vector["uncertainty_ms"].as_u64(), "{}", text(vector, "name"));
        // And this side writes it as the other side does, an absent member included.
        let written = serde_json::to_value(clock).unwrap();
        assert_eq!(written, vector["payload"]["data"]["clock"], "{}", text(vector, "name"));
    }
}

/// An empty list and an absent one say the same.
fn without_empty_lists(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.as_array().is_some_and(Vec::is_empty))
            .map(|(name, value)| (name, without_empty_lists(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_empty_lists).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

#[test]
fn this_sides_signatures_are_the_other_sides_to_the_byte() {
    let vectors = vectors();
    let keys: HashMap<_, _> = list(&vectors, "keys").iter().map(|key| (text(key, "kid"), secret(key))).collect();
    for vector in list(&vectors, "events") {
        let key = &keys[text(vector, "kid")];
        let payload = text(vector, "payload_text").as_bytes();
        let signed = jws::sign(jws::EVENT, text(vector, "kid"), payload, |bytes| key.sign(bytes).to_bytes());
        assert_eq!(signed, text(vector, "jws"), "Ed25519 is deterministic and the header has one order");
    }
}

#[test]
fn forged_and_malformed_events_are_told_apart() {
    let vectors = vectors();
    let keys = known_keys(&vectors);
    let mut seen = HashMap::<&str, u32>::new();
    for vector in list(&vectors, "bad_events") {
        let verdict = jws::verify(text(vector, "jws"), jws::EVENT, |kid| keys.get(kid).map(|(key, _)| *key));
        let code = match verdict {
            Err(JwsError::Malformed) => "bad_jws",
            Err(JwsError::UnknownKid) => "unknown_kid",
            Err(JwsError::BadSignature) => "bad_signature",
            // What is well signed and still refused is the server's to judge.
            Ok(_) => continue,
        };
        assert_eq!(code, text(vector, "code"), "{}", text(vector, "name"));
        *seen.entry(code).or_default() += 1;
    }
    let expected = |code: &str| list(&vectors, "bad_events").iter().filter(|v| v["code"] == code).count() as u32;
    for code in ["bad_jws", "unknown_kid", "bad_signature"] {
        assert_eq!(seen.get(code).copied().unwrap_or(0), expected(code), "{code}");
    }
}

fn bundle() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/bundle_v1.tar")).unwrap()
}

fn members(bundle: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(bundle);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = vec![];
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
    });
    entries.collect()
}

#[test]
fn a_bundle_says_on_this_side_what_it_says_on_the_other() {
    let vectors = vectors();
    let (keys, described) = (known_keys(&vectors), &vectors["bundle"]);
    let members = members(&bundle());
    let (name, manifest) = members.last().unwrap();
    let manifest = std::str::from_utf8(manifest).unwrap();
    assert_eq!((name.as_str(), manifest), (MANIFEST, text(described, "manifest")));
    let key = |kid: &str| keys.get(kid).map(|(key, _)| *key);
    let verified = jws::verify(manifest, jws::BUNDLE, key).unwrap();
    assert_eq!(jws::verify(manifest, jws::EVENT, key), Err(JwsError::Malformed));
    let manifest: ManifestV1 = serde_json::from_slice(&verified.payload).unwrap();
    assert_eq!((&*manifest.device, &*manifest.audience), (text(described, "device"), text(described, "audience")));

    let (name, lines) = &members[0];
    assert_eq!((name.as_str(), Digest::of(lines).to_string()), (EVENTS, manifest.events.sha256));
    let digests: Vec<_> = lines
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| Digest::of(line.strip_suffix(b"\n").unwrap()).to_string())
        .collect();
    assert_eq!(serde_json::to_value(&digests).unwrap(), described["events"]);
    assert_eq!(manifest.events.count as usize, digests.len());
    assert_eq!(serde_json::to_value(&manifest.photos).unwrap(), described["photos"]);
    let (name, photo) = &members[1];
    assert_eq!(*name, photo_name(Digest::of(photo)));
}

#[test]
fn this_side_spells_a_bundle_as_the_other_does_to_the_byte() {
    let vectors = vectors();
    let wanted = bundle();
    let members = members(&wanted);
    let verified = jws::payload(text(&vectors["bundle"], "manifest")).unwrap();
    let manifest: ManifestV1 = serde_json::from_slice(&verified).unwrap();
    let rfc8037 = &list(&vectors, "keys")[0];
    let signed = jws::sign(jws::BUNDLE, text(rfc8037, "kid"), &serde_json::to_vec(&manifest).unwrap(), |bytes| {
        secret(rfc8037).sign(bytes).to_bytes()
    });
    let mut written = vec![];
    for (name, bytes) in [&members[0], &members[1], &(MANIFEST.to_owned(), signed.into_bytes())] {
        written.extend(header(name, bytes.len() as u64));
        written.extend(bytes);
        written.extend(padding(bytes.len() as u64));
    }
    written.extend(end(written.len() as u64));
    assert_eq!(Digest::of(&written).to_string(), text(&vectors["bundle"], "sha256"));
    assert_eq!(written, wanted);
}

fn book(vectors: &Value, audience: &str) -> Book {
    let mut book = Book::new(audience.to_owned(), text(&list(vectors, "codes")[0], "given").to_owned());
    for (key, device) in known_keys(vectors).into_values() {
        book.add_key(key, &device);
    }
    book
}

#[test]
fn request_tokens_are_judged_alike_on_both_sides() {
    let vectors = vectors();
    for vector in list(&vectors, "request_tokens") {
        let now = vector["now"]
            .as_i64()
            .map(|seconds| seconds * 1000)
            .unwrap_or_else(|| Wall::parse(text(vector, "now")).unwrap().0);
        let outcome = match book(&vectors, text(vector, "audience")).authorise(text(vector, "token"), Wall(now)) {
            Ok(device) => {
                assert_eq!(device, text(vector, "device"));
                "ok".to_owned()
            }
            Err((_, error)) => error.code,
        };
        assert_eq!(outcome, text(vector, "outcome"), "{}", text(vector, "name"));
    }
}

#[test]
fn events_of_another_device_are_refused_by_the_receiver_too() {
    let vectors = vectors();
    let good = &list(&vectors, "events")[0];
    let mut book = book(&vectors, "a");
    assert_eq!(book.receive(text(good, "jws"), text(good, "device")).status, StatusV1::Created);
    assert_eq!(book.receive(text(good, "jws"), text(good, "device")).status, StatusV1::Duplicate);
    let stolen = book.receive(text(good, "jws"), "00000000-0000-4000-8000-000000000000");
    assert_eq!((stolen.status, stolen.error.unwrap().code.as_str()), (StatusV1::Rejected, "wrong_device"));
}

#[test]
fn gtins_have_one_canonical_form_on_both_sides() {
    let vectors = vectors();
    for vector in list(&vectors, "gtin") {
        let canonical = Gtin::parse(text(vector, "given")).map(|gtin| gtin.to_string());
        assert_eq!(canonical.as_deref(), vector["canonical"].as_str(), "{}", text(vector, "given"));
    }
}

#[test]
fn an_enrolment_proves_that_its_sender_holds_the_key() {
    let vectors = vectors();
    for vector in list(&vectors, "enrolments") {
        let verdict = jws::verify_enrolment(text(vector, "jws"));
        if vector["outcome"] == "ok" {
            let (key, _) = verdict.unwrap_or_else(|error| panic!("{}: {error}", text(vector, "name")));
            assert_eq!(jws::thumbprint(&key), text(vector, "kid"), "{}", text(vector, "name"));
        } else if vector["outcome"] == "unauthorized" {
            assert!(verdict.is_err(), "{}", text(vector, "name"));
        }
    }
}
