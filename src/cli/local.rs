//! Asks the running agent through its socket.

use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::Failure;
use crate::agent::socket;

const ANSWER: Duration = Duration::from_secs(10);

/// Asks the running agent. `Ok(None)` when it says that there is no such thing.
pub(super) fn get_json<T: DeserializeOwned>(state_dir: &Path, path: &str) -> Result<Option<T>, Failure> {
    call(state_dir, path, false)
}

/// Tells the running agent something that it answers with JSON.
pub(super) fn post_json<T: DeserializeOwned>(state_dir: &Path, path: &str) -> Result<Option<T>, Failure> {
    call(state_dir, path, true)
}

/// Whether an agent of this state folder answers.
pub(super) fn is_running(state_dir: &Path) -> bool {
    socket::path(state_dir).exists()
        && crate::io::http::over_socket(&socket::path(state_dir), "/status", false, ANSWER).is_ok()
}

/// Tells the running agent that this device is enrolled; false when none runs.
pub(super) fn tell_enrolled(state_dir: &Path) -> Result<bool, Failure> {
    if !socket::path(state_dir).exists() {
        return Ok(false);
    }
    match call::<Result<bool, String>>(state_dir, "/reload", true) {
        Ok(Some(Ok(enrolled))) => Ok(enrolled),
        Ok(Some(Err(why))) => Err(Failure::Other(why)),
        // A socket without an agent behind it: the next start reads the identity.
        Ok(None) | Err(_) => Ok(false),
    }
}

fn call<T: DeserializeOwned>(state_dir: &Path, path: &str, post: bool) -> Result<Option<T>, Failure> {
    let path_of_socket = socket::path(state_dir);
    let not_running = |why: &dyn std::fmt::Display| {
        Failure::other(format!(
            "no agent answers on {} ({why}). Is it running? systemctl status tallyman",
            path_of_socket.display()
        ))
    };
    let reply =
        crate::io::http::over_socket(&path_of_socket, path, post, ANSWER).map_err(|error| not_running(&error))?;
    match reply {
        (200, body) => serde_json::from_slice(&body).map(Some).map_err(|error| not_running(&error)),
        (404, _) => Ok(None),
        (status, _) => Err(not_running(&format!("HTTP {status}"))),
    }
}
