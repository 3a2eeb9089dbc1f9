//! What damage on the device takes is said, listed, and off the list when somebody has seen to it.

use std::fs;

use crate::receiver::{Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, until};

fn said(device: &Device, args: &[&str]) -> (Option<i32>, String) {
    let output = device.tallyman(args);
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// Flips a bit in the second event of the journal.
fn damage_the_second(device: &Device) {
    let file = device.state().join("journal/00000001.journal");
    let mut bytes = fs::read(&file).unwrap();
    let starts: Vec<usize> = (0..bytes.len() - 7).filter(|at| &bytes[*at..*at + 7] == b"eyJhbGc").collect();
    assert_eq!(starts.len(), 3);
    bytes[starts[1] + 100] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_report_that_damage_took_is_listed_until_somebody_has_seen_to_it() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    line.set(Fault::Refuse);
    device.start();
    device.scan(&["EMP-7"]);
    for n in 1..=3 {
        device.scan(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
        until("the beep", || (device.beeped().len() == n).then_some(()));
    }
    device.stop();
    damage_the_second(&device);
    device.start();
    let (_, status) = said(&device, &["status"]);
    assert!(status.contains("lost           1   (to damage"), "{status}");
    assert!(status.contains("damage took report 2 from this device"), "{status}");
    let (_, list) = said(&device, &["queue", "list", "--all"]);
    let row = list.lines().find(|line| line.contains(" lost ")).unwrap();
    assert!(row.trim_start().starts_with("2 ") && row.contains("Look in Odoo whether it arrived"), "{row}");

    // The others get through, and it stays what it is, now and after a start.
    line.set(Fault::None);
    until("the rest to be sent", || said(&device, &["status"]).1.contains("delivered      2").then_some(()));
    device.stop();
    device.start();
    assert!(said(&device, &["queue", "list", "--all"]).1.contains(" lost "));
    assert!(!said(&device, &["status"]).1.contains("damage took"), "it was said once");
    let (code, words) = said(&device, &["queue", "dismiss", "1"]);
    assert!(code == Some(1) && words.contains("report 1 is not lost"), "{words}");
    assert_eq!(said(&device, &["queue", "dismiss", "2"]), (Some(0), "1 lost report is off the list.\n".into()));
    assert_eq!(said(&device, &["queue", "dismiss", "--all"]), (Some(0), "Nothing is lost.\n".into()));
    assert_eq!(said(&device, &["queue", "dismiss"]).0, Some(2), "which one must be said");
    assert!(!said(&device, &["queue", "list", "--all"]).1.contains(" lost "));
    assert!(said(&device, &["status"]).1.contains("lost           -"));
}
