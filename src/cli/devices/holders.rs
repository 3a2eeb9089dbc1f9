//! Who else has a device open, and whether it could be read.

use std::fs;
use std::path::Path;

use rustix::fs::Access;

use super::permission;
use crate::domain::device::{Device, DeviceKind};
use crate::io::evdev::{Trial, try_grab};
use crate::wire::devices_v1::HolderV1;

const MAX_PROCESSES: usize = 32_768;
const MAX_HOLDERS: usize = 16;

/// The processes that have a node open, as far as this user may see them.
pub(super) fn of(target: &Path) -> Vec<HolderV1> {
    let own = std::process::id();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten().take(MAX_PROCESSES);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).filter(|pid| *pid != own);
    let holding = pids.filter(|pid| {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.map(|entry| entry.path()).any(|link| fs::read_link(link).is_ok_and(|path| path == target))
    });
    let named = holding.map(|pid| {
        let command = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        HolderV1 { pid, command: command.trim().to_owned() }
    });
    named.take(MAX_HOLDERS).collect()
}

/// How a device is that the agent says nothing of: a word for programs and a sentence for people.
pub(super) fn state(device: &Device, holders: &[HolderV1]) -> (String, String) {
    let (state, detail) = match device.kind {
        DeviceKind::Keyboard => match try_grab(&device.target) {
            Ok(Trial::Free) => ("free", "nobody has grabbed it".to_owned()),
            Ok(Trial::Taken) => ("taken", "another program has grabbed it".to_owned()),
            Ok(Trial::KeyHeld) => ("free", "a key is held down, so a grab was not tried".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => ("denied", permission(device.kind)),
            Err(error) => ("failed", error.to_string()),
        },
        // Opening a serial line resets some scanners, so it is not tried.
        DeviceKind::HidPos | DeviceKind::Serial => match rustix::fs::access(&device.target, Access::READ_OK) {
            Ok(()) if holders.is_empty() => ("free", "nobody has it open".to_owned()),
            Ok(()) => ("taken", "another program has it open".to_owned()),
            Err(rustix::io::Errno::ACCESS) => ("denied", permission(device.kind)),
            Err(error) => ("failed", error.to_string()),
        },
    };
    (state.to_owned(), detail)
}
