//! `tallyman enroll`: makes the device's key and exchanges a one-time code for its identity.

use super::{ConfigArg, Failure, local, say, serve};
use crate::config::Config;
use crate::io::durable;
use crate::io::http::OdooClient;
use crate::io::keys::{DeviceKey, Identity};
use crate::wire::device_api_v1::{EnrolPayload, Hardware};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Odoo's address, like https://odoo.example.com
    #[arg(long)]
    url: String,
    /// The one-time code that Odoo showed
    #[arg(long)]
    code: String,
    /// Enrol again although this device has an identity; reports that it has not sent will be refused under the new one
    #[arg(long)]
    replace: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let identity = serve::block_on(enrol(&config, &args.url, &args.code, args.replace))?;
    say(&format!("This device is {} ({}) at {}.", identity.name, identity.device, identity.url))?;
    if local::tell_enrolled(&config.state_dir)? {
        say("The running agent knows; it reports from now on.")
    } else {
        say("No agent is running yet: systemctl start tallyman")
    }
}

/// Enrols the device of `config`. The code is used up only when the server's answer could be kept, or can be asked for
/// again with the same key.
pub(super) async fn enrol(config: &Config, url: &str, code: &str, replace: bool) -> Result<Identity, Failure> {
    let folder = &config.state_dir;
    durable::create_folder(folder)?;
    if let Some(known) = Identity::load(folder).map_err(Failure::other)?
        && !replace
    {
        return Err(Failure::other(format!(
            "this device is already enrolled as {} at {}. --replace enrols it again",
            known.name, known.url
        )));
    }
    let client = OdooClient::new(url, &config.http).map_err(Failure::other)?;
    let key = DeviceKey::load_or_create(folder).map_err(Failure::other)?;
    let payload = EnrolPayload {
        code: code.trim().to_owned(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        hardware: Hardware { hostname: hostname(), ..Hardware::default() },
    };
    let payload = serde_json::to_vec(&payload).map_err(Failure::other)?;
    let response = client.enrol(key.sign_enrolment(&payload)).await.map_err(Failure::other)?;
    if response.kid != key.kid() {
        return Err(Failure::other("the server enrolled another key than this device's; nothing was changed here"));
    }
    let identity = Identity {
        url: url.trim_end_matches('/').to_owned(),
        device: response.device,
        name: response.name,
        kid: response.kid,
        audience: response.audience,
    };
    if identity.device_id().is_none() {
        return Err(Failure::other("the server's answer names no device; nothing was changed here"));
    }
    identity.save(folder).map_err(Failure::other)?;
    Ok(identity)
}

fn hostname() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned())
}
