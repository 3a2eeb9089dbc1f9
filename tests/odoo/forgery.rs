//! What an attacker or a broken device may post. Each is refused in JSON, and nothing is created.

use ed25519_dalek::{Signer, SigningKey};
use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use tallyman::io::{clock, entropy};
use tallyman::wire::jws;

use crate::server::Odoo;
use crate::support::Device;

/// A sender that signs what it likes, with a key of its own or an enrolled one.
pub(crate) struct Stranger {
    pub(crate) device: String,
    pub(crate) kid: String,
    audience: String,
    url: String,
    key: SigningKey,
    client: Client,
    run: u64,
}

impl Stranger {
    /// Enrols by the real protocol.
    pub(crate) fn enrolled(odoo: &Odoo, name: &str) -> Stranger {
        let device = Device::new("");
        odoo.enrol(&device, &odoo.url, name);
        let identity: Value =
            serde_json::from_slice(&std::fs::read(device.state().join("identity.json")).unwrap()).unwrap();
        let pem = std::fs::read_to_string(device.state().join("device-key.pem")).unwrap();
        let key: SigningKey = ed25519_dalek::pkcs8::DecodePrivateKey::from_pkcs8_pem(&pem).unwrap();
        let text = |member: &str| identity[member].as_str().unwrap().to_owned();
        Stranger {
            device: text("device"),
            kid: text("kid"),
            audience: text("audience"),
            url: odoo.url.clone(),
            key,
            client: crate::support::page::client(),
            run: u64::from_le_bytes(entropy::bytes().unwrap()),
        }
    }

    /// The same device as it would look with another key.
    fn with_key(&self, seed: u8) -> Stranger {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let kid = jws::thumbprint(&key.verifying_key());
        Stranger {
            kid,
            key,
            device: self.device.clone(),
            audience: self.audience.clone(),
            url: self.url.clone(),
            client: crate::support::page::client(),
            run: self.run,
        }
    }

    fn sign(&self, typ: &str, payload: &Value) -> String {
        jws::sign(typ, &self.kid, payload.to_string().as_bytes(), |bytes| self.key.sign(bytes).to_bytes())
    }

    pub(crate) fn payload(&self, n: u64) -> Value {
        json!({
            "specversion": "1.0",
            "id": uuid::Uuid::from_u64_pair(self.run & !0xf000 | 0x7000, n | 1 << 63).to_string(),
            "source": format!("urn:uuid:{}", self.device),
            "type": "io.tallyman.exception.pick_shortage.v1",
            "subject": "FORGE-1",
            "time": "2026-11-23T06:12:33.123Z",
            "datacontenttype": "application/json",
            "sequence": format!("{n:020}"),
            "prevhash": "0".repeat(64),
            "data": {
                "bin": {"code": "FORGE-1"},
                "item": {"code": "FORGE-ITEM"},
                "quantity": {"counted": "1"},
                "scans": [],
                "clock": {"boot_id": "3c9d2b0e-8a41-4f27-9d57-6f0f1c2e4b5a", "boot_ms": 1},
            },
        })
    }

    pub(crate) fn event(&self, n: u64) -> String {
        self.sign(jws::EVENT, &self.payload(n))
    }

    fn claims(&self, seconds_off: i64) -> Value {
        let now = clock::now().wall.0 / 1000 + seconds_off;
        json!({
            "iss": self.device, "aud": self.audience, "iat": now, "exp": now + 60,
            "jti": uuid::Uuid::from_u64_pair(self.run & !0xf000 | 0x4000, 1 << 63).to_string(),
        })
    }

    fn token(&self) -> String {
        self.sign(jws::REQUEST, &self.claims(0))
    }

    fn send(&self, token: &str, events: &[&str]) -> Response {
        let request = self.client.post(format!("{}/tallyman/v1/events", self.url)).bearer_auth(token);
        request.json(&json!({ "events": events })).send().unwrap()
    }

    pub(crate) fn post(&self, events: &[&str]) -> Value {
        let response = self.send(&self.token(), events);
        assert_eq!(response.status(), 200);
        response.json().unwrap()
    }
}

/// A whole call that is refused: its status and code, from a JSON error.
fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let text = response.text().unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON in {text}"));
    assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    assert!(body["error"]["retryable"].is_boolean(), "{body}");
    (status, body["error"]["code"].as_str().unwrap().to_owned())
}

#[test]
fn forged_tampered_and_replayed_events_are_rejected_and_create_nothing() {
    let (odoo, _shared) = Odoo::shared();
    let honest = Stranger::enrolled(&odoo, "TEST-HONEST");
    let other = Stranger::enrolled(&odoo, "TEST-OTHER");
    let good = honest.event(1);
    let parts: Vec<&str> = good.split('.').collect();
    let mut replayed = honest.payload(1);
    replayed["id"] = json!("0193570e-7c2a-7b3c-9d4e-5f60718293a4");
    let moved = format!("{}.{}.{}", parts[0], jws::encode(replayed.to_string().as_bytes()), parts[2]);
    let mut tampered = honest.payload(1);
    tampered["data"]["quantity"]["counted"] = json!("100");
    let tampered = format!("{}.{}.{}", parts[0], jws::encode(tampered.to_string().as_bytes()), parts[2]);
    let forged = jws::sign(jws::EVENT, &honest.kid, honest.payload(1).to_string().as_bytes(), |b| {
        SigningKey::from_bytes(&[9; 32]).sign(b).to_bytes()
    });
    for (name, event, code) in [
        ("forged with another key under an honest kid", forged, "bad_signature"),
        ("tampered", tampered, "bad_signature"),
        ("replayed under another id", moved, "bad_signature"),
        ("signed by a key that nobody enrolled", honest.with_key(9).event(1), "unknown_kid"),
        ("another device's event", other.event(1), "wrong_device"),
        ("no JWS at all", "hello".to_owned(), "bad_jws"),
    ] {
        let answer = honest.post(&[&event]);
        let result = &answer["results"][0];
        assert_eq!(
            (&result["status"], &result["error"]["code"]),
            (&json!("rejected"), &json!(code)),
            "{name}: {answer}"
        );
    }
    assert_eq!(odoo.cases(&honest.device).len() + odoo.cases(&other.device).len(), 0);

    // One bad event never fails its batch, and a second truth under one id is a conflict.
    let answer = honest.post(&["hello", &good]);
    assert_eq!(
        (&answer["results"][0]["status"], &answer["results"][1]["status"]),
        (&json!("rejected"), &json!("created"))
    );
    let mut second = honest.payload(1);
    second["data"]["quantity"]["counted"] = json!("2");
    let answer = honest.post(&[&honest.sign(jws::EVENT, &second)]);
    assert_eq!(answer["results"][0]["status"], "conflict");
    assert_eq!(odoo.cases(&honest.device).len(), 1);
    assert_eq!(odoo.cases(&honest.device)[0]["quantity_counted"].as_f64(), Some(1.0));
}

#[test]
fn requests_without_a_valid_token_are_refused_in_json() {
    let (odoo, _shared) = Odoo::shared();
    let honest = Stranger::enrolled(&odoo, "TEST-TOKENS");
    let event = honest.event(1);
    let token = |claims: &Value| honest.sign(jws::REQUEST, claims);
    let mut elsewhere = honest.claims(0);
    elsewhere["aud"] = json!("urn:uuid:00000000-0000-4000-8000-000000000000");
    for (name, token, status, code) in [
        ("expired", token(&honest.claims(-3600)), 401, "clock_skew"),
        ("from the future", token(&honest.claims(3600)), 401, "clock_skew"),
        ("for another database", token(&elsewhere), 401, "unauthorized"),
        ("an event in a token's place", honest.event(2), 401, "unauthorized"),
        ("wrong kid", honest.with_key(9).token(), 401, "unauthorized"),
        ("nonsense", "nonsense".to_owned(), 401, "unauthorized"),
    ] {
        assert_eq!(refusal(honest.send(&token, &[&event])), (status, code.to_owned()), "{name}");
    }
    let response =
        honest.client.post(format!("{}/tallyman/v1/events", odoo.url)).body("{not json").bearer_auth(honest.token());
    assert_eq!(refusal(response.send().unwrap()), (400, "bad_request".to_owned()));
    assert_eq!(odoo.cases(&honest.device).len(), 0);
}

#[test]
fn a_revoked_device_is_refused_stops_and_keeps_everything() {
    let (odoo, _shared) = Odoo::shared();
    let mut device = Device::new("");
    let uuid = odoo.enrol(&device, &odoo.url, "TEST-REVOKED");
    let found = odoo.one("warehouse.exception.device", &json!([["uuid", "=", uuid]]), &["id"]);
    odoo.call("warehouse.exception.device", "action_revoke", &json!({ "ids": [found["id"]] }));
    device.start();
    device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
    let status = device.until_status("the revocation", |status| status["last_error"]["code"] == "revoked");
    assert_eq!((&status["pending"], &status["parked"]), (&json!(1), &json!(0)));
    assert_eq!(odoo.cases(&uuid).len(), 0);
}

#[test]
fn a_device_whose_clock_is_a_year_off_corrects_itself() {
    let (odoo, _shared) = Odoo::shared();
    let mut device = Device::new("");
    let uuid = odoo.enrol(&device, &odoo.url, "TEST-CLOCK");
    device.start_in_the_past();
    device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
    device.until_status("the case in spite of the clock", |status| status["delivered"] == 1);
    device.scan(&["LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
    device.until_status("the second case", |status| status["delivered"] == 2);
    let captured: Vec<_> =
        odoo.cases(&uuid).iter().map(|case| case["captured_at"].as_str().unwrap()[..4].to_owned()).collect();
    let this_year = &clock::now().wall.to_string()[..4];
    assert_ne!(captured[0], this_year, "the first was captured before anyone told the time");
    assert_eq!(captured[1], this_year, "the second knows it");
    let of_second = json!([["case_id", "=", odoo.cases(&uuid)[1]["id"]], ["role", "=", "bin"]]);
    let scan = odoo.one("warehouse.exception.scan", &of_second, &["at"]);
    assert_eq!(&scan["at"].as_str().unwrap()[..4], this_year, "so do its scans");
}
