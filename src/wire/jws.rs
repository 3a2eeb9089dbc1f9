//! Compact JWS with Ed25519 (RFC 7515, RFC 8037), as strict as the wire demands: exactly the header members of its kind,
//! canonical base64url, one algorithm.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The kinds of JWS; `typ` keeps one from passing for another.
pub const EVENT: &str = "event+jws";
pub const REQUEST: &str = "request+jwt";
pub const ENROLMENT: &str = "enroll+jws";
pub const BUNDLE: &str = "bundle+jws";

/// An event's JWS is never longer; neither are the others, but for a bundle's manifest.
pub const MAX_BYTES: usize = 64 * 1024;
/// A bundle's manifest lists up to 20,000 photos.
const MAX_BUNDLE_BYTES: usize = 8 << 20;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum JwsError {
    #[error("not a compact JWS of the expected kind")]
    Malformed,
    #[error("no key is known under this kid")]
    UnknownKid,
    #[error("the signature does not fit")]
    BadSignature,
}

/// A public key as a JSON Web Key (RFC 8037 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwk {
    pub kty: String,
    pub crv: String,
    pub x: String,
}

impl Jwk {
    pub fn of(key: &VerifyingKey) -> Jwk {
        Jwk { kty: "OKP".to_owned(), crv: "Ed25519".to_owned(), x: encode(key.as_bytes()) }
    }

    pub fn key(&self) -> Option<VerifyingKey> {
        if self.kty != "OKP" || self.crv != "Ed25519" {
            return None;
        }
        let bytes: [u8; 32] = decode(&self.x)?.try_into().ok()?;
        VerifyingKey::from_bytes(&bytes).ok()
    }
}

/// The key's name: its RFC 7638 thumbprint.
pub fn thumbprint(key: &VerifyingKey) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(key.as_bytes()));
    encode(&Sha256::digest(canonical))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KidHeader {
    alg: String,
    kid: String,
    typ: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JwkHeader {
    alg: String,
    jwk: Jwk,
    typ: String,
}

const ALG: &str = "EdDSA";

/// Signs `payload` as a JWS of kind `typ`, by the key that is named `kid`.
pub fn sign(typ: &str, kid: &str, payload: &[u8], signer: impl FnOnce(&[u8]) -> [u8; 64]) -> String {
    let header = KidHeader { alg: ALG.to_owned(), kid: kid.to_owned(), typ: typ.to_owned() };
    compact(&serde_json::to_vec(&header).unwrap_or_default(), payload, signer)
}

/// Signs an enrolment, which carries its key with it.
pub fn sign_enrolment(jwk: Jwk, payload: &[u8], signer: impl FnOnce(&[u8]) -> [u8; 64]) -> String {
    let header = JwkHeader { alg: ALG.to_owned(), jwk, typ: ENROLMENT.to_owned() };
    compact(&serde_json::to_vec(&header).unwrap_or_default(), payload, signer)
}

fn compact(header: &[u8], payload: &[u8], signer: impl FnOnce(&[u8]) -> [u8; 64]) -> String {
    let mut jws = format!("{}.{}", encode(header), encode(payload));
    let signature = signer(jws.as_bytes());
    jws.push('.');
    jws.push_str(&encode(&signature));
    jws
}

/// A verified JWS.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    pub kid: String,
    pub payload: Vec<u8>,
}

/// Verifies a JWS of kind `typ` under the key that `lookup` knows by its `kid`.
pub fn verify(jws: &str, typ: &str, lookup: impl FnOnce(&str) -> Option<VerifyingKey>) -> Result<Verified, JwsError> {
    let parts = split_within(jws, if typ == BUNDLE { MAX_BUNDLE_BYTES } else { MAX_BYTES })?;
    let header: KidHeader = serde_json::from_slice(&parts.header).map_err(|_| JwsError::Malformed)?;
    if header.alg != ALG || header.typ != typ {
        return Err(JwsError::Malformed);
    }
    let key = lookup(&header.kid).ok_or(JwsError::UnknownKid)?;
    check(&key, &parts)?;
    Ok(Verified { kid: header.kid, payload: parts.payload })
}

/// Verifies an enrolment under the key that it carries: proof that the sender holds that key.
pub fn verify_enrolment(jws: &str) -> Result<(VerifyingKey, Vec<u8>), JwsError> {
    let parts = split(jws)?;
    let header: JwkHeader = serde_json::from_slice(&parts.header).map_err(|_| JwsError::Malformed)?;
    if header.alg != ALG || header.typ != ENROLMENT {
        return Err(JwsError::Malformed);
    }
    let key = header.jwk.key().ok_or(JwsError::Malformed)?;
    check(&key, &parts)?;
    Ok((key, parts.payload))
}

/// The payload of a JWS that was verified elsewhere, or is our own.
pub fn payload(jws: &str) -> Option<Vec<u8>> {
    split(jws).ok().map(|parts| parts.payload)
}

struct Parts<'a> {
    signed: &'a str,
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: [u8; 64],
}

fn split(jws: &str) -> Result<Parts<'_>, JwsError> {
    split_within(jws, MAX_BYTES)
}

fn split_within(jws: &str, most: usize) -> Result<Parts<'_>, JwsError> {
    let parts = || {
        let (signed, signature) = jws.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let signature = decode(signature)?.try_into().ok()?;
        Some(Parts { signed, header: decode(header)?, payload: decode(payload)?, signature })
    };
    if jws.len() > most { Err(JwsError::Malformed) } else { parts().ok_or(JwsError::Malformed) }
}

fn check(key: &VerifyingKey, parts: &Parts<'_>) -> Result<(), JwsError> {
    let signature = Signature::from_bytes(&parts.signature);
    key.verify_strict(parts.signed.as_bytes(), &signature).map_err(|_| JwsError::BadSignature)
}

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Canonical only: padding and stray trailing bits are refused, so that one value has one spelling.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
