//! Enrolment: makes the device's key and exchanges a one-time code for its identity; for a device that has one, exchanges
//! another code for a new address, a new audience or a new key.
//!
//! A device that is enrolled works as before until Odoo has agreed, and its identity's file is the one thing that says so: a
//! new key lies beside the old one until the identity names it (`io::keys`). So a power cut leaves either device, whole.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::config::Config;
use crate::io::durable;
use crate::io::http::{EnrolError, HttpError, OdooClient};
use crate::io::journal::{Journal, Peek, SEGMENT_BYTES};
use crate::io::keys::{DeviceKey, Identity, KeyError};
use crate::wire::device_api_v1::{EnrolPayload, EnrolResponse, Hardware};
use crate::wire::event_v1::EventV1;
use crate::wire::journal_v2::Record;
use crate::wire::jws;

/// Why this device was not enrolled. No report was touched then, and one that was enrolled works as before.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    #[error("another enrolment of this device is under way: wait for that one")]
    UnderWay,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Server(#[from] EnrolError),
    #[error(
        "{said} This device is already enrolled as {name} at {url}, and nothing was changed here. To enrol it again it takes \
         a code from its own page in Odoo ('Give another key')"
    )]
    NoGoodCode { said: EnrolError, name: String, url: String },
    #[error(
        "{said} It isn't its key alone, Odoo lets this device, {name}, in no more. Nothing was changed here, and all reports are \
         kept. To make this machine a new device, stop the agent, move {folder} aside, and enrol with a code for a new device"
    )]
    DeviceRevoked { said: EnrolError, name: String, folder: String },
    #[error("the server enrolled another key than this device's; nothing was changed here")]
    AnotherKey,
    #[error(
        "Odoo made this a new device, {name}, but the reports here were signed as the device {earlier}, and Odoo takes them from \
         that one only. Nothing is lost, and this device is not enrolled: open the device with that ID in Odoo, press 'Give another \
         key', and enrol with that code; the new device there can be revoked. To leave those reports behind, stop the agent and \
         move {folder} aside instead"
    )]
    AnotherDevice { earlier: String, name: String, folder: String },
    #[error(
        "that code is for another device, {other}. This one is {name}, the device {device}; it stays so and works as before. To \
         enrol it again, open the device with that ID in Odoo, press 'Give another key', and enrol with that code; {other} can be \
         revoked there if nothing else uses it. To make this machine another device, let it deliver what waits (tallyman status), \
         stop the agent, and move {folder} aside"
    )]
    CodeOfAnother { other: String, name: String, device: String, folder: String },
    #[error("the server's answer names no device; nothing was changed here")]
    NoDevice,
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What enrolment made of this device.
#[derive(Debug)]
pub struct Enrolled {
    pub identity: Identity,
    /// It had an identity before.
    pub again: bool,
    /// It signs with another key than before.
    pub new_key: bool,
}

/// Enrols the device of `config`, also one that is enrolled. A lost answer costs nothing: the same code with the same key is
/// answered again.
pub async fn enrol(config: &Config, url: &str, code: &str) -> Result<Enrolled, EnrolmentError> {
    let folder = &config.state_dir;
    durable::create_folder(folder)?;
    let _alone = alone(folder)?;
    let office = Office { client: OdooClient::new(url, &config.http)?, payload: payload(code)? };
    let here = Here::look(folder)?;
    let response = office.ask(&here).await.map_err(|error| here.explain(error))?;
    let identity = Identity {
        url: url.trim_end_matches('/').to_owned(),
        device: response.device,
        name: response.name,
        kid: response.kid,
        audience: response.audience,
    };
    if identity.device_id().is_none() {
        return Err(EnrolmentError::NoDevice);
    }
    if here.earlier.as_ref().is_some_and(|earlier| *earlier != identity.device) {
        return here.stay(identity.name);
    }
    if Identity::load(folder).is_err() {
        durable::set_aside(&Identity::path(folder))?;
    }
    identity.save(folder)?;
    DeviceKey::settle(folder)?;
    let new_key = here.identity.as_ref().is_some_and(|before| before.kid != identity.kid);
    Ok(Enrolled { identity, again: here.identity.is_some(), new_key })
}

/// Two that change key and identity at once could leave one's key with the other's identity.
fn alone(folder: &Path) -> Result<File, EnrolmentError> {
    let held = File::open(folder)?;
    match held.try_lock() {
        Ok(()) => Ok(held),
        Err(TryLockError::WouldBlock) => Err(EnrolmentError::UnderWay),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn payload(code: &str) -> Result<Vec<u8>, EnrolmentError> {
    let payload = EnrolPayload {
        code: code.trim().to_owned(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        hardware: Hardware { hostname: hostname(), ..Hardware::default() },
    };
    Ok(serde_json::to_vec(&payload).map_err(std::io::Error::other)?)
}

/// What this device is before it asks.
struct Here<'a> {
    folder: &'a Path,
    /// None also for one that is damaged.
    identity: Option<Identity>,
    key: DeviceKey,
    /// Which device this one must stay: the one that signed its reports; without any, the one that it works as.
    earlier: Option<String>,
}

impl Here<'_> {
    /// All that is damaged but the key stays as it is until Odoo has agreed; a key that can't be read is set aside for a new one.
    fn look(folder: &Path) -> Result<Here<'_>, EnrolmentError> {
        DeviceKey::settle(folder)?;
        let identity = match Identity::load(folder) {
            Err(KeyError::Damaged(_)) => None,
            identity => identity?,
        };
        if let Err(KeyError::Damaged(path)) = DeviceKey::load(folder) {
            let kept = durable::set_aside(&path)?;
            tracing::warn!(kept = %kept.display(), "the key is damaged: it was set aside");
        }
        // A key without an identity is also that of an enrolment whose answer was lost.
        let key = DeviceKey::load_or_create(folder)?;
        let mut here = Here { folder, identity, key, earlier: device_of_the_reports(folder) };
        here.earlier = here.earlier.take().or_else(|| here.working().map(|known| known.device.clone()));
        Ok(here)
    }

    /// The identity, if it and the key are one: then the device works, and must go on to.
    fn working(&self) -> Option<&Identity> {
        self.identity.as_ref().filter(|identity| identity.kid == self.key.kid())
    }

    /// Says to a device that works that it still does.
    fn explain(&self, error: EnrolmentError) -> EnrolmentError {
        let Some(Identity { name, url, .. }) = self.working().cloned() else { return error };
        let folder = self.folder.display().to_string();
        match (word(&error).map(str::to_owned).as_deref(), error) {
            (Some("code_invalid"), EnrolmentError::Server(said)) => EnrolmentError::NoGoodCode { said, name, url },
            (Some("revoked"), EnrolmentError::Server(said)) => EnrolmentError::DeviceRevoked { said, name, folder },
            (_, error) => error,
        }
    }

    /// Odoo made the key the one of another device, `other`, and would not let it in as this one's any more. A key that works
    /// stays, since in the Odoo that this device reports to it may be as good as before; the next enrolment has a fresh one to
    /// show where this one is of no use.
    fn stay(&self, other: String) -> Result<Enrolled, EnrolmentError> {
        let folder = self.folder.display().to_string();
        if let Some(Identity { name, device, .. }) = self.working().cloned() {
            DeviceKey::create_successor(self.folder)?;
            return Err(EnrolmentError::CodeOfAnother { other, name, device, folder });
        }
        durable::set_aside(&DeviceKey::path(self.folder))?;
        DeviceKey::forget_successor(self.folder)?;
        let earlier = self.earlier.clone().unwrap_or_default();
        Err(EnrolmentError::AnotherDevice { earlier, name: other, folder })
    }
}

/// The Odoo that is asked, and what it is told.
struct Office {
    client: OdooClient,
    payload: Vec<u8>,
}

impl Office {
    /// Shows the device's key, and a new one where Odoo trusts that one no more.
    ///
    /// A refusal leaves the code as it was. `code_invalid` may also mean that the code is the successor's already, and that
    /// only the answer was lost.
    async fn ask(&self, here: &Here<'_>) -> Result<EnrolResponse, EnrolmentError> {
        let said = self.show(&here.key).await;
        let waiting = DeviceKey::successor(here.folder);
        let is_first = waiting.is_none();
        match said.as_ref().err().and_then(word) {
            Some("revoked") => {}
            Some("code_invalid") if !is_first => {}
            Some(_) | None => return said,
        }
        if let Some(successor) = waiting {
            let said = self.show(&successor).await;
            if said.as_ref().err().and_then(word) != Some("revoked") {
                return said;
            }
        }
        // On the disk before Odoo knows it: a lost answer must not take the code with it.
        let said = self.show(&DeviceKey::create_successor(here.folder)?).await;
        if is_first && said.as_ref().err().and_then(word).is_some() {
            DeviceKey::forget_successor(here.folder)?;
        }
        said
    }

    async fn show(&self, key: &DeviceKey) -> Result<EnrolResponse, EnrolmentError> {
        let response = self.client.enrol(key.sign_enrolment(&self.payload)).await?;
        if response.kid == key.kid() { Ok(response) } else { Err(EnrolmentError::AnotherKey) }
    }
}

/// The code of a refusal: Odoo itself said no, and has changed nothing.
fn word(error: &EnrolmentError) -> Option<&str> {
    if let EnrolmentError::Server(EnrolError::Refused { code, .. }) = error { Some(code) } else { None }
}

/// Which device signed what is here: Odoo takes it from no other one.
fn device_of_the_reports(folder: &Path) -> Option<String> {
    let mut latest = None;
    let each = |record: Record, _| {
        if let Record::Event(event) | Record::Carried { event, .. } = record {
            latest = Some(event.jws);
        }
    };
    let journal = folder.join("journal");
    if !journal.exists() || Journal::open(Peek::at(&journal), SEGMENT_BYTES, None, each).is_err() {
        return None;
    }
    let event: EventV1 = serde_json::from_slice(&jws::payload(&latest?)?).ok()?;
    event.source.strip_prefix("urn:uuid:").map(str::to_owned)
}

fn hostname() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned())
}
