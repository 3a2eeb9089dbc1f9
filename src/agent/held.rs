//! The lock of a state folder, seen by a command: whether an agent runs there, and that none begins meanwhile.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// Its file, made by the agent.
pub(super) const NAME: &str = "lock";

#[derive(Debug)]
pub(super) enum Held {
    ByAgent,
    /// No agent begins as long as this is there; without a file, none ever did.
    ByUs {
        _lock: Option<File>,
    },
}

/// Takes the lock if it is free. Makes no file: one of another user would keep the agent from its folder.
pub(super) fn hold(state_dir: &Path) -> io::Result<Held> {
    let file = match File::open(state_dir.join(NAME)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Held::ByUs { _lock: None }),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => Ok(Held::ByUs { _lock: Some(file) }),
        Err(TryLockError::WouldBlock) => Ok(Held::ByAgent),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
