//! A disk that fills up: nothing is acknowledged that isn't durable, what is there is sent, and all is well when there is room.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::kill::{REPORT, judge};
use crate::power::on_a_disk;
use crate::receiver::Counterpart;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, until};

const MIB: u64 = 1 << 20;

fn free(folder: &Path) -> u64 {
    let room = rustix::fs::statvfs(folder).unwrap();
    room.f_bavail * room.f_frsize
}

/// Something else takes the disk, but for so many bytes.
fn fill(folder: &Path, leave: u64) {
    let mut file = File::options().create(true).append(true).open(folder.join("something-else")).unwrap();
    let piece = vec![1; 1 << 16];
    while free(folder) > leave {
        if file.write_all(&piece).and_then(|()| file.sync_all()).is_err() {
            return;
        }
    }
}

/// What a power cut leaves of an unfinished write.
fn tear(state: &Path) {
    let segments = fs::read_dir(state.join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let last = segments.filter(|path| path.extension().is_some_and(|extension| extension == "journal")).max().unwrap();
    let end = fs::read(&last).unwrap().iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let file = File::options().write(true).open(last).unwrap();
    file.write_all_at(&[7; 100], end as u64).unwrap();
    file.sync_all().unwrap();
}

fn report(device: &Device) {
    let before = device.beeped().len();
    device.scan(&REPORT);
    until("the beep", || (device.beeped().len() > before).then_some(()));
}

/// Nobody hears a beep, and everybody sees why.
fn is_refused(device: &Device) {
    let before = device.beeped().len();
    device.scan(&REPORT);
    device.until_status("the refusal", |status| status["low_disk"] == true);
    until("the words on the page", || device.page().html().contains("disk is almost full").then_some(()));
    assert_eq!(device.beeped().len(), before);
    assert!(device.is_alive());
}

#[test]
fn a_full_disk_refuses_visibly_sends_what_it_has_and_recovers_alone() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let (_disk, mut device) = on_a_disk(&line.url(), 96 * MIB);
    let state = device.state();
    line.set(Fault::Refuse);
    device.start();
    (0..3).for_each(|_| report(&device));
    fill(&state, 20 * MIB);
    report(&device);
    // Below the watermark the ballast is given up, and captures are refused all the same.
    fill(&state, 14 * MIB);
    is_refused(&device);
    assert!(free(&state) > 17 * MIB, "the reserve was not given up");
    // Not a byte is left: it lives, it starts, and it holds what it had.
    fill(&state, 0);
    is_refused(&device);
    device.kill();
    // The next record would need a segment, and there is no room for one.
    tear(&state);
    device.replug();
    device.start();
    is_refused(&device);
    assert_eq!(device.status()["pending"], 4);
    // What is there gets away even so.
    line.set(Fault::None);
    device.until_status("the backlog to drain", |status| status["delivered"] == 4);
    // It sees by itself that there is room again, and the next report is taken.
    fs::remove_file(state.join("something-else")).unwrap();
    device.until_status("the room to be seen", |status| status["low_disk"] == false);
    report(&device);
    device.until_status("the report", |status| status["delivered"] == 5);
    // Nothing was damaged: what something else had filled was full.
    assert_eq!(device.status()["quarantined"], serde_json::json!([]), "{}", device.status());
    let counts = judge(&device, &odoo);
    eprintln!("{} beeps, {} cases, 0 lost", counts.beeps, counts.cases);
    device.stop();
}
