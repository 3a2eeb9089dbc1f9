//! A second reader of a keyboard: prints every key that goes down, as long as it is let live.

use std::error::Error;

use evdev::{Device, EventSummary};

pub(crate) fn run(node: &str) -> Result<(), Box<dyn Error>> {
    let mut device = Device::open(node)?;
    println!("watching {}", device.name().unwrap_or("a device without a name"));
    loop {
        for event in device.fetch_events()? {
            if let EventSummary::Key(_, key, 1) = event.destructure() {
                println!("{key:?}");
            }
        }
    }
}
