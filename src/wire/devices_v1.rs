//! What `tallyman devices --json` prints.

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct DevicesV1 {
    /// Whether a running agent was asked.
    pub agent: bool,
    pub devices: Vec<DeviceV1>,
    /// The scanners of the configuration.
    pub scanners: Vec<PlannedV1>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceV1 {
    /// As in the configuration: "evdev", "hidraw" or "serial".
    pub kind: String,
    pub node: String,
    /// Names that survive a replug, the best one first.
    pub links: Vec<String>,
    pub name: String,
    /// "usb", "bluetooth", "virtual" or "platform".
    pub bus: String,
    /// Vendor and product, like "05e0:1200".
    pub usb: Option<String>,
    pub serial: Option<String>,
    pub port: Option<String>,
    /// The scanner of the configuration that takes it.
    pub scanner: Option<String>,
    /// By the agent: "grabbed", "waiting", "watched", "failed". Else: "free", "taken", "denied", "failed".
    pub state: String,
    pub detail: String,
    /// Processes that have it open, as far as this user may see them.
    pub holders: Vec<HolderV1>,
    /// Lines for the configuration, when no scanner of it takes the device.
    pub paste: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct HolderV1 {
    pub pid: u32,
    pub command: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct PlannedV1 {
    pub name: String,
    /// "serial", "evdev", "hidraw" or "stdin".
    pub kind: String,
    /// How its device is chosen.
    pub choice: Option<String>,
    /// What the agent says; absent when none runs.
    pub connected: Option<bool>,
    pub detail: Option<String>,
}
