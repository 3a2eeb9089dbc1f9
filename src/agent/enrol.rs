//! Enrolment: makes the device's key and exchanges a one-time code for its identity.

use std::path::Path;

use crate::config::Config;
use crate::io::durable;
use crate::io::http::{EnrolError, HttpError, OdooClient};
use crate::io::keys::{DeviceKey, Identity, KeyError};
use crate::wire::device_api_v1::{EnrolPayload, Hardware};

/// Why this device was not enrolled. Nothing of it was changed then.
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
    #[error("the server's answer names no device; nothing was changed here")]
    NoDevice,
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Enrols the device of `config`. A lost answer costs nothing: the same code with the same key is answered again.
pub async fn enrol(config: &Config, url: &str, code: &str) -> Result<Identity, EnrolmentError> {
    let folder = &config.state_dir;
    durable::create_folder(folder)?;
    make_way(folder)?;
    let client = OdooClient::new(url, &config.http)?;
    let key = DeviceKey::load_or_create(folder)?;
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
    identity.save(folder)?;
    Ok(identity)
}

/// An enrolled device is left as it is. One whose key or identity is damaged is not: both are set aside, for Odoo gives a new
/// code to a new key only. What was signed with the old one stays valid there until somebody revokes it.
fn make_way(folder: &Path) -> Result<(), EnrolmentError> {
    let is_damaged = |error: &KeyError| matches!(error, KeyError::Damaged(_));
    match (Identity::load(folder), DeviceKey::load(folder)) {
        (Ok(Some(Identity { name, url, kid, .. })), Ok(Some(key))) if kid == key.kid() => {
            Err(EnrolmentError::AlreadyEnrolled { name, url, folder: folder.display().to_string() })
        }
        // A key alone is that of an enrolment whose answer was lost.
        (Ok(None), Ok(_)) => Ok(()),
        (Err(error), _) | (_, Err(error)) if !is_damaged(&error) => Err(error.into()),
        _ => {
            for path in [Identity::path(folder), DeviceKey::path(folder)].iter().filter(|path| path.exists()) {
                let kept = durable::set_aside(path)?;
                tracing::warn!(kept = %kept.display(), "this was damaged, or belonged to what was: it was set aside");
            }
            Ok(())
        }
    }
}

fn hostname() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned())
}
