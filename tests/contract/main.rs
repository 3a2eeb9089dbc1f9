//! The wire's test vectors, which the addon's own tests read too. They were made by another implementation
//! (`make_vectors.py`), so agreement means something.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, and may say why")]

use std::collections::HashMap;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde_json::Value;
use tallyman::demo::book::Book;
use tallyman::domain::decode::gtin::Gtin;
use tallyman::domain::id::Digest;
use tallyman::domain::time::Wall;
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
        assert_eq!(event.data.clock.offset_ms, vector["offset_ms"].as_i64(), "{}", text(vector, "name"));
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
