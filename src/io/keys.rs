//! The device's own key and what enrolment made of it. The private key never leaves this module, let alone the device.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::{durable, entropy};
use crate::domain::id::DeviceId;
use crate::domain::time::Wall;
use crate::wire::device_api_v1::Claims;
use crate::wire::jws::{self, Jwk};

const KEY_FILE: &str = "device-key.pem";
/// A key that is to take the other one's place. It does so the moment `identity.json` names it; until then it is only shown to
/// Odoo, and what this device signs is signed by the other one.
const SUCCESSOR_FILE: &str = "device-key.next.pem";
const IDENTITY_FILE: &str = "identity.json";
/// A request token's life; the server allows at most five minutes.
const TOKEN_SECONDS: i64 = 120;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error(
        "{0} is damaged. All reports are kept: enrol this device again (tallyman enroll) with a code from its own page in Odoo \
         ('Give another key')"
    )]
    Damaged(PathBuf),
    #[error("no random numbers: {0}")]
    Entropy(io::Error),
}

/// Signs what this device says.
pub struct DeviceKey {
    key: SigningKey,
    kid: String,
}

impl DeviceKey {
    /// The key in `folder`, made there when there is none.
    pub fn load_or_create(folder: &Path) -> Result<DeviceKey, KeyError> {
        match DeviceKey::load(folder)? {
            Some(key) => Ok(key),
            None => DeviceKey::create(folder, KEY_FILE),
        }
    }

    pub fn path(folder: &Path) -> PathBuf {
        folder.join(KEY_FILE)
    }

    /// The key that this device signs with. A successor is it as soon as the identity names it, whatever came between that
    /// and its change of name.
    pub fn load(folder: &Path) -> Result<Option<DeviceKey>, KeyError> {
        match DeviceKey::enrolled_successor(folder) {
            Some(key) => Ok(Some(key)),
            None => DeviceKey::read(folder, KEY_FILE),
        }
    }

    /// The key that waits to take the other one's place; none as well when it can't be read, since another can be made.
    pub fn successor(folder: &Path) -> Option<DeviceKey> {
        DeviceKey::read(folder, SUCCESSOR_FILE).ok().flatten()
    }

    /// Makes a successor, in the place of one that may be there.
    pub fn create_successor(folder: &Path) -> Result<DeviceKey, KeyError> {
        DeviceKey::create(folder, SUCCESSOR_FILE)
    }

    /// Gives a successor that was enrolled the key's name. The key before it is no more then.
    pub fn settle(folder: &Path) -> Result<(), KeyError> {
        if DeviceKey::enrolled_successor(folder).is_none() {
            return Ok(());
        }
        let path = folder.join(SUCCESSOR_FILE);
        let renamed = fs::rename(&path, DeviceKey::path(folder)).and_then(|()| durable::sync_folder(folder));
        renamed.map_err(|source| KeyError::File { path, source })
    }

    /// Deletes a successor that is of no use to anybody.
    pub fn forget_successor(folder: &Path) -> Result<(), KeyError> {
        let path = folder.join(SUCCESSOR_FILE);
        match fs::remove_file(&path).and_then(|()| durable::sync_folder(folder)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(KeyError::File { path, source }),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn enrolled_successor(folder: &Path) -> Option<DeviceKey> {
        let identity = Identity::load(folder).ok()??;
        DeviceKey::successor(folder).filter(|key| key.kid == identity.kid)
    }

    fn read(folder: &Path, name: &str) -> Result<Option<DeviceKey>, KeyError> {
        let path = folder.join(name);
        let pem = match fs::read_to_string(&path) {
            Ok(pem) => zeroize::Zeroizing::new(pem),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(KeyError::Damaged(path)),
            Err(source) => return Err(KeyError::File { path, source }),
        };
        let key = SigningKey::from_pkcs8_pem(&pem).map_err(|_| KeyError::Damaged(path))?;
        Ok(Some(DeviceKey::of(key)))
    }

    fn create(folder: &Path, name: &str) -> Result<DeviceKey, KeyError> {
        let path = folder.join(name);
        let key = SigningKey::from_bytes(&entropy::bytes().map_err(KeyError::Entropy)?);
        let pem = key
            .to_pkcs8_pem(ed25519_dalek::pkcs8::spki::der::pem::LineEnding::LF)
            .map_err(|_| KeyError::Damaged(path.clone()))?;
        durable::write(folder, name, pem.as_bytes(), 0o600).map_err(|source| KeyError::File { path, source })?;
        Ok(DeviceKey::of(key))
    }

    fn of(key: SigningKey) -> DeviceKey {
        let kid = jws::thumbprint(&key.verifying_key());
        DeviceKey { key, kid }
    }

    pub fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub fn sign_event(&self, payload: &[u8]) -> String {
        jws::sign(jws::EVENT, &self.kid, payload, |bytes| self.key.sign(bytes).to_bytes())
    }

    /// Signs the manifest of a bundle.
    pub fn sign_bundle(&self, manifest: &[u8]) -> String {
        jws::sign(jws::BUNDLE, &self.kid, manifest, |bytes| self.key.sign(bytes).to_bytes())
    }

    pub fn sign_enrolment(&self, payload: &[u8]) -> String {
        let jwk = Jwk::of(&self.key.verifying_key());
        jws::sign_enrolment(jwk, payload, |bytes| self.key.sign(bytes).to_bytes())
    }

    /// A token for one request. `wall` is the best known time.
    pub fn request_token(&self, identity: &Identity, wall: Wall, id: uuid::Uuid) -> String {
        let iat = wall.0.div_euclid(1000);
        let claims = Claims {
            iss: identity.device.clone(),
            aud: identity.audience.clone(),
            iat,
            exp: iat + TOKEN_SECONDS,
            jti: id.to_string(),
        };
        let payload = serde_json::to_vec(&claims).unwrap_or_default();
        jws::sign(jws::REQUEST, &self.kid, &payload, |bytes| self.key.sign(bytes).to_bytes())
    }
}

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// What enrolment answered: who this device is, and to whom it reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub url: String,
    pub device: String,
    pub name: String,
    pub kid: String,
    pub audience: String,
}

impl Identity {
    /// `None` when this device was never enrolled.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(IDENTITY_FILE)
    }

    pub fn load(folder: &Path) -> Result<Option<Identity>, KeyError> {
        let path = Identity::path(folder);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| KeyError::Damaged(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(KeyError::File { path, source }),
        }
    }

    pub fn save(&self, folder: &Path) -> Result<(), KeyError> {
        let path = folder.join(IDENTITY_FILE);
        let bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        durable::write(folder, IDENTITY_FILE, &bytes, 0o600).map_err(|source| KeyError::File { path, source })
    }

    pub fn device_id(&self) -> Option<DeviceId> {
        uuid::Uuid::try_parse(&self.device).ok().map(DeviceId)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_readable_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = DeviceKey::load_or_create(folder.path()).unwrap();
        let second = DeviceKey::load_or_create(folder.path()).unwrap();
        assert_eq!(first.kid(), second.kid());
        let mode = fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_said_and_never_replaced_silently() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY_FILE), "not a key").unwrap();
        assert!(matches!(DeviceKey::load_or_create(folder.path()), Err(KeyError::Damaged(_))));
    }

    fn identity_of(key: &DeviceKey) -> Identity {
        let text = |word: &str| word.to_owned();
        Identity {
            url: text("https://odoo.example"),
            device: text("6f1d5c1e-2d53-4c0a-9c39-0d1b6f1e8a77"),
            name: text("DOCK-01"),
            kid: key.kid().to_owned(),
            audience: text("urn:uuid:0"),
        }
    }

    /// Wherever the power goes, there is a key that is the identity's.
    #[test]
    fn a_successor_is_the_key_from_the_moment_the_identity_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let current = || DeviceKey::load(folder).unwrap().unwrap().kid().to_owned();
        let first = DeviceKey::load_or_create(folder).unwrap();
        identity_of(&first).save(folder).unwrap();
        let next = DeviceKey::create_successor(folder).unwrap();
        assert_eq!(current(), first.kid());
        DeviceKey::settle(folder).unwrap();
        assert_eq!(current(), first.kid(), "nobody enrolled it yet");
        identity_of(&next).save(folder).unwrap();
        assert_eq!(current(), next.kid(), "before it has the key's name");
        DeviceKey::settle(folder).unwrap();
        assert_eq!(current(), next.kid());
        assert!(DeviceKey::successor(folder).is_none());
        DeviceKey::settle(folder).unwrap();
        assert_eq!(current(), next.kid());
    }

    #[test]
    fn a_damaged_successor_is_none_and_harms_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let first = DeviceKey::load_or_create(folder.path()).unwrap();
        identity_of(&first).save(folder.path()).unwrap();
        fs::write(folder.path().join(SUCCESSOR_FILE), [0xff; 40]).unwrap();
        assert!(DeviceKey::successor(folder.path()).is_none());
        assert_eq!(DeviceKey::load(folder.path()).unwrap().unwrap().kid(), first.kid());
        let next = DeviceKey::create_successor(folder.path()).unwrap();
        assert_eq!(DeviceKey::successor(folder.path()).unwrap().kid(), next.kid());
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let key = DeviceKey::load_or_create(folder.path()).unwrap();
        assert_eq!(format!("{key:?}"), format!("DeviceKey {{ kid: {:?}, .. }}", key.kid()));
    }
}
