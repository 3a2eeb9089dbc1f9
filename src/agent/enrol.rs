//! Enrolment: makes the device's key and exchanges a one-time code for its identity.

use std::path::Path;

use crate::config::Config;
use crate::io::durable;
use crate::io::http::{EnrolError, HttpError, OdooClient};
use crate::io::journal::{Journal, Peek, SEGMENT_BYTES};
use crate::io::keys::{DeviceKey, Identity, KeyError};
use crate::wire::device_api_v1::{EnrolPayload, Hardware};
use crate::wire::event_v1::EventV1;
use crate::wire::journal_v2::Record;
use crate::wire::jws;

/// Why this device was not enrolled. No report was touched then.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    #[error(
        "this device is already enrolled as {name} at {url}. To make it another device, let it deliver what waits \
         (tallyman status), stop the agent, and move {folder} aside"
    )]
    AlreadyEnrolled { name: String, url: String, folder: String },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Server(#[from] EnrolError),
    #[error("the server enrolled another key than this device's; nothing was changed here")]
    AnotherKey,
    #[error(
        "Odoo made this a new device, {name}, but the reports here were signed as the device {earlier}, and Odoo takes them from \
         that one only. Nothing is lost, and this device is not enrolled: open the device with that ID in Odoo, press 'Give another \
         key', and enrol with that code; the new device there can be revoked. To leave those reports behind, stop the agent and \
         move {folder} aside instead"
    )]
    AnotherDevice { earlier: String, name: String, folder: String },
    #[error("the server's answer names no device; nothing was changed here")]
    NoDevice,
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Enrols the device of `config`. A lost answer costs nothing: the same code with the same key is answered again.
pub async fn enrol(config: &Config, url: &str, code: &str) -> Result<Identity, EnrolmentError> {
    let folder = &config.state_dir;
    durable::create_folder(folder)?;
    let client = OdooClient::new(url, &config.http)?;
    let key = key_to_enrol(folder)?;
    let earlier = earlier_device(folder);
    let payload = EnrolPayload {
        code: code.trim().to_owned(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        hardware: Hardware { hostname: hostname(), ..Hardware::default() },
    };
    let payload = serde_json::to_vec(&payload).map_err(std::io::Error::other)?;
    let response = client.enrol(key.sign_enrolment(&payload)).await?;
    if response.kid != key.kid() {
        return Err(EnrolmentError::AnotherKey);
    }
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
    if let Some(earlier) = earlier.filter(|earlier| *earlier != identity.device) {
        // Odoo knows this key as the new device's from now on, and would not let it in as the earlier one's.
        durable::set_aside(&DeviceKey::path(folder))?;
        return Err(EnrolmentError::AnotherDevice {
            earlier,
            name: identity.name,
            folder: folder.display().to_string(),
        });
    }
    if Identity::load(folder).is_err() {
        durable::set_aside(&Identity::path(folder))?;
    }
    identity.save(folder)?;
    Ok(identity)
}

/// The key to enrol with. An enrolled device is left as it is. One whose key or identity is damaged is not: a key that can't
/// be read is set aside for a new one, and all else stays until Odoo has agreed.
fn key_to_enrol(folder: &Path) -> Result<DeviceKey, EnrolmentError> {
    let identity = match Identity::load(folder) {
        Err(KeyError::Damaged(_)) => None,
        identity => identity?,
    };
    let key = match DeviceKey::load(folder) {
        Err(KeyError::Damaged(path)) => {
            let kept = durable::set_aside(&path)?;
            tracing::warn!(kept = %kept.display(), "the key is damaged: it was set aside");
            None
        }
        key => key?,
    };
    match (identity, key) {
        (Some(Identity { name, url, kid, .. }), Some(key)) if kid == key.kid() => {
            Err(EnrolmentError::AlreadyEnrolled { name, url, folder: folder.display().to_string() })
        }
        // A key without an identity is also that of an enrolment whose answer was lost.
        (_, Some(key)) => Ok(key),
        (_, None) => Ok(DeviceKey::load_or_create(folder)?),
    }
}

/// Which device signed what is here: Odoo takes it from no other one.
fn earlier_device(folder: &Path) -> Option<String> {
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
