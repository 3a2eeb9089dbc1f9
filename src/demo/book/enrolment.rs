//! Who gets in: codes and keys.

use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};

use super::{Book, Key, Refused, refused};
use crate::domain::time::Wall;
use crate::wire::device_api_v1::{EnrolPayload, EnrolResponse};
use crate::wire::jws;

/// A code that was issued.
#[derive(Debug)]
pub(super) struct Invitation {
    code: [u8; 32],
    /// The device that gets another key; without one, the code lets a new device in.
    device: Option<String>,
    used_by: Option<String>,
}

impl Book {
    /// Issues a code: for a new device, or for another key of one that is known.
    pub fn invite(&mut self, code: &str, device: Option<&str>) {
        let device = device.map(str::to_owned);
        self.invitations.push(Invitation { code: canonical_code(code), device, used_by: None });
    }

    /// Trusts this key no more; its device may get another.
    pub fn revoke_key(&mut self, kid: &str) {
        if let Some(key) = self.keys.get_mut(kid) {
            key.revoked = true;
        }
    }

    /// Goes on as another database, as one does that was restored elsewhere.
    pub fn move_to(&mut self, audience: String) {
        self.audience = audience;
    }

    /// Knows a key without an enrolment.
    pub fn add_key(&mut self, key: VerifyingKey, device: &str) {
        self.keys.insert(jws::thumbprint(&key), Key { key, device: device.to_owned(), revoked: false });
    }

    /// Exchanges a code for an identity; `device` is the id of a new one.
    pub fn enrol(&mut self, enrolment: &str, device: String, now: Wall) -> Result<EnrolResponse, Refused> {
        let (key, payload) = jws::verify_enrolment(enrolment)
            .map_err(|_| refused(401, "unauthorized", "The enrolment isn't signed by the key that it shows."))?;
        let payload: EnrolPayload = serde_json::from_slice(&payload)
            .map_err(|_| refused(400, "bad_request", "The enrolment can't be read."))?;
        let (kid, code) = (jws::thumbprint(&key), canonical_code(&payload.code));
        let invalid = || refused(403, "code_invalid", "This code is unknown, used or expired. Ask for a new one.");
        let invitation = self.invitations.iter_mut().find(|known| known.code == code).ok_or_else(invalid)?;
        let known = self.keys.get(&kid);
        let good = match (&invitation.used_by, known) {
            (Some(user), _) => *user == kid,
            (None, Some(known)) => invitation.device.as_ref() == Some(&known.device),
            (None, None) => true,
        };
        if !good {
            return Err(invalid());
        }
        let joins_another = known.is_some() || invitation.device.is_some();
        if known.is_some_and(|known| known.revoked) || (self.revoked && joins_another) {
            return Err(refused(403, "revoked", "This device was revoked."));
        }
        invitation.used_by = Some(kid.clone());
        let device = invitation.device.clone().unwrap_or(device);
        let device = self.keys.entry(kid.clone()).or_insert(Key { key, device, revoked: false }).device.clone();
        Ok(EnrolResponse {
            device,
            name: "DEMO-01".to_owned(),
            kid,
            audience: self.audience.clone(),
            server_time: Some(now.to_string()),
        })
    }
}

fn canonical_code(code: &str) -> [u8; 32] {
    let letters = code.chars().filter(|c| *c != '-').map(|c| match c.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    });
    Sha256::digest(letters.collect::<String>()).into()
}
