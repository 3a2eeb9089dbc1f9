//! Photos on a line that breaks, and on a disk that forgets.

use tallyman::demo::book::PhotoCall;
use tallyman::domain::id::Digest;

use crate::receiver::{Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, files, images, until};

/// The first piece of a fresh photo.
const FIRST_PIECE: u64 = 32 << 10;
/// A report, its headers, the headers of some pieces.
const SMALL_CALLS: u64 = 24 << 10;

/// A report that only waits for DONE, with these photos.
fn report(device: &Device, photos: Vec<Vec<u8>>) {
    device.scan(&["EMP-7", "A-03-02", "TM-EMPTY"]);
    until("DONE to be on", || device.page().html().contains("data-question=\"done\"").then_some(()));
    for photo in photos {
        let answer = device.page().photo(photo);
        assert!(answer.status().is_success(), "{}", answer.text().unwrap());
    }
}

#[test]
fn an_upload_goes_on_where_the_line_died_and_the_agent_was_killed() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    device.start();
    report(&device, vec![images::noise(1100, 1000)]);
    // Dies in the middle of the second piece.
    line.set(Fault::DieAfter(line.sent() + FIRST_PIECE + (60 << 10)));
    device.scan(&["TM-DONE"]);
    until("the line to die", || (line.fault() == Fault::Refuse).then_some(()));
    device.kill();

    let photo = odoo.until_cases(1)[0].event.data.photos[0].clone();
    assert!(photo.size > 4 * FIRST_PIECE, "the photo is too small for this test: {}", photo.size);
    assert!(odoo.photo(&photo.sha256).is_none());
    let before = line.sent();
    line.set(Fault::None);
    device.start();
    device.until_status("the photo to be there", |status| status["photos_pending"] == 0 && status["delivered"] == 1);

    let bytes = odoo.photo(&photo.sha256).unwrap();
    assert_eq!((bytes.len() as u64, Digest::of(&bytes).to_string()), (photo.size, photo.sha256));
    let mut there = 0;
    let mut asked = vec![];
    for call in odoo.photo_calls() {
        match call {
            PhotoCall::Asked { received, .. } => asked.push(received),
            PhotoCall::Piece { offset, length, taken, .. } => {
                assert_eq!((offset, taken), (there, true), "a piece begins where the server stands");
                there += length;
            }
        }
    }
    assert_eq!((there, asked), (photo.size, vec![FIRST_PIECE]));
    // No byte that had arrived was sent again: only what was under way when the line died.
    let again = line.sent() - before;
    assert!(again < photo.size - FIRST_PIECE + SMALL_CALLS, "{again} bytes for {}", photo.size - FIRST_PIECE);
    until("the photo's file to go", || files(&device.state().join("photos")).is_empty().then_some(()));
}

#[test]
fn a_firewall_that_takes_no_photos_holds_up_no_report_and_is_shown() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    device.start();
    line.set(Fault::Forbid("put /tallyman"));
    report(&device, vec![images::jpeg(64, 48, 1), images::jpeg(64, 48, 2)]);
    device.scan(&["TM-DONE"]);
    for n in 1..=4 {
        let status = device.until_status("the report and why its photos wait", |status| {
            status["delivered"] == n && status["photo_trouble"].is_string()
        });
        assert_eq!((&status["photos_pending"], &status["online"]), (&2.into(), &true.into()), "{status}");
        device.scan(&["A-03-02", "TM-EMPTY", "TM-DONE"]);
    }
    let shown = String::from_utf8(device.tallyman(&["status"]).stdout).unwrap();
    assert!(shown.contains("photo waits    something before Odoo answered to it (HTTP 403)"), "{shown}");
    line.set(Fault::None);
    let status = device.until_status("the photos", |status| status["photos_pending"] == 0);
    assert_eq!(status["photo_trouble"], serde_json::Value::Null);
}

#[test]
fn a_photo_that_the_disk_lost_is_given_up_visibly_and_holds_up_no_other() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    device.start();
    line.set(Fault::Refuse);
    report(&device, vec![images::jpeg(64, 48, 1), images::jpeg(64, 48, 2), images::jpeg(64, 48, 3)]);
    device.scan(&["TM-DONE"]);
    device.until_status("the report", |status| status["pending"] == 1);
    let [damaged, gone, good] =
        [1, 2, 3].map(|seed| Digest::of(&images::stored(images::jpeg(64, 48, seed))).to_string());
    let folder = device.state().join("photos");
    let mut bytes = std::fs::read(folder.join(&damaged)).unwrap();
    bytes[300] ^= 4;
    std::fs::write(folder.join(&damaged), bytes).unwrap();
    std::fs::remove_file(folder.join(&gone)).unwrap();
    line.set(Fault::None);

    let status = device.until_status("the good photo", |status| {
        status["photos_pending"] == 0 && status["photos_lost"].as_array().is_some_and(|lost| lost.len() == 2)
    });
    assert!(odoo.photo(&good).is_some());
    let why = |sha256: &str| {
        let lost = status["photos_lost"].as_array().unwrap().iter().find(|lost| lost["sha256"] == sha256);
        lost.unwrap()["why"].as_str().unwrap().to_owned()
    };
    assert!(why(&damaged).contains("damaged") && why(&gone).contains("gone"), "{status}");
    until("the damaged file to be set aside", || (files(&folder) == [format!("quarantine-1-{damaged}")]).then_some(()));
    let shown = String::from_utf8(device.tallyman(&["status"]).stdout).unwrap();
    assert!(shown.contains("photo LOST"), "{shown}");
    assert!(device.page().html().contains("Photos lost"));
    // The journal remembers: after a restart nothing is sent again, and nothing is forgotten.
    device.kill();
    device.start();
    let status = device.status();
    assert_eq!((&status["photos_pending"], status["photos_lost"].as_array().unwrap().len()), (&0.into(), 2));
}

#[test]
fn a_device_without_room_for_photos_says_so_and_reports_without_them() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    device.configure("[catalog]\nfile = \"catalog.json\"\n[photos]\nmax_disk_mib = 16\nmax_edge = 8192\nquality = 95");
    device.start();
    line.set(Fault::Refuse);
    // What waits fills the place: as many bytes as the site allows for.
    device.kill();
    std::fs::write(device.state().join("photos/quarantine-1-old"), vec![0; 16 << 20]).unwrap();
    device.start();
    report(&device, vec![]);
    let answer = device.page().photo(images::jpeg(64, 48, 1));
    assert_eq!(answer.status(), 507);
    assert!(answer.text().unwrap().contains("wait for a network and fill their place"));
    assert!(device.page().html().contains("fill their place"));
    device.scan(&["TM-DONE"]);
    device.until_status("the report", |status| status["pending"] == 1);
    line.set(Fault::None);
    assert!(odoo.until_cases(1)[0].event.data.photos.is_empty());
}
