//! What touches the world: clocks, keys, scanners, disks, the network. It does what it is told and reports what
//! happened; when to try again and what an answer means is the domain's to say.

pub mod catalog_file;
pub mod clock;
pub mod devices;
pub mod durable;
pub mod entropy;
pub mod evdev;
pub mod hidraw;
pub mod hotplug;
pub mod http;
pub mod index;
pub mod journal;
pub mod keys;
pub mod network;
pub mod new_file;
pub mod notify;
pub mod photos;
pub mod ready;
pub mod scanner;
pub mod serial;
pub mod source;
pub mod stdin;
pub mod store;
