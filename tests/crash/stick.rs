//! An export onto a stick that is too small, or is pulled out: no file that looks whole, and words about it.

use std::fs;

use crate::kill::REPORT;
use crate::loop_fs::LoopFs;
use crate::receiver::{Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{files, images, until};

const MIB: u64 = 1 << 20;

#[test]
fn a_stick_that_is_too_small_or_is_pulled_out_holds_no_bundle() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    line.set(Fault::Refuse);
    device.start();
    device.scan(&REPORT[..REPORT.len() - 1]);
    until("DONE to be on", || device.page().html().contains("data-question=\"done\"").then_some(()));
    assert!(device.page().photo(images::jpeg(1600, 1200, 1)).status().is_success());
    device.scan(&REPORT[REPORT.len() - 1..]);
    until("the beep", || (!device.beeped().is_empty()).then_some(()));

    let folder = tempfile::tempdir().unwrap();
    let point = folder.path().join("stick");
    let mut stick = LoopFs::mount(folder.path(), &point, 8 * MIB);
    let export = || {
        let output = device.tallyman(&["queue", "export", &point.join("b.tar").to_string_lossy()]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let mut left = fs::File::create(point.join("films")).unwrap();
    let filled = std::io::copy(&mut std::io::repeat(7), &mut left);
    assert_eq!(filled.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    let words = export();
    assert!(words.contains("are needed") && words.contains("All that waits is still on the device"), "{words}");
    fs::remove_file(point.join("films")).unwrap();
    drop(left);
    fs::File::open(&point).unwrap().sync_all().unwrap();

    stick.cut_power();
    let words = export();
    assert!(words.contains("could not be written") && words.contains("No file was left behind"), "{words}");
    stick.power_up();
    assert!(files(&point).iter().all(|name| name == "lost+found"), "{:?}", files(&point));
    let output = device.tallyman(&["queue", "export", &point.join("b.tar").to_string_lossy()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(device.status()["pending"], 1);
}
