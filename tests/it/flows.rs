//! The two flows from the trigger to the case, through a pty.

use crate::receiver::{Counterpart, enrolled};
use crate::support::{images, until};

#[test]
fn a_short_pick_with_a_photo_walks_the_whole_road() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7", "WH/OUT/00012", "]C1010703206980498810L42\u{1d}17270131", "TM-5", "TM-SHORT"]);
    let photo = images::jpeg(640, 480, 1);
    until("the reason to be taken", || device.page().html().contains("data-question=\"done\"").then_some(()));
    let answer = device.page().photo(photo.clone());
    assert!(answer.status().is_success(), "{}", answer.text().unwrap());
    device.scan(&["TM-DONE"]);

    let case = odoo.until_cases(1).remove(0);
    let (event, data) = (&case.event, &case.event.data);
    assert_eq!(event.kind, "io.tallyman.exception.pick_shortage.v1");
    assert_eq!(data.document.as_ref().unwrap().code, "WH/OUT/00012");
    assert_eq!(data.bin.as_ref().unwrap().code, "A-03-02");
    let item = data.item.as_ref().unwrap();
    assert_eq!(
        (item.gtin.as_deref(), item.lot.as_deref(), item.expiry.as_deref()),
        (Some("07032069804988"), Some("L42"), Some("2027-01-31"))
    );
    assert_eq!((data.quantity.expected.as_deref(), data.quantity.counted.as_deref()), (Some("8"), Some("5")));
    assert_eq!(data.operator.as_ref().unwrap().badge, "EMP-7");
    let texts: Vec<_> = data.scans.iter().map(|scan| (scan.role.as_str(), scan.text.as_str())).collect();
    assert_eq!(texts[0], ("operator", "EMP-7"));
    assert_eq!(texts[1], ("document", "WH/OUT/00012"));
    assert_eq!(texts[2], ("item", "010703206980498810L42\u{1d}17270131"));
    let sha256 = &data.photos[0].sha256;
    assert_eq!(until("the photo", || odoo.photo(sha256)), images::stored(photo));
    let status =
        device.until_status("everything to be in", |status| status["photos_pending"] == 0 && status["delivered"] == 1);
    assert_eq!((&status["pending"], &status["last_error"]), (&0.into(), &serde_json::Value::Null));
    until("the photo's file to go", || crate::support::files(&device.state().join("photos")).is_empty().then_some(()));
}

#[test]
fn a_receipt_is_counted_by_scanning_and_by_buttons() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    // Two codes in one breath are one beep that came twice, unless the site says otherwise.
    device.configure("[policy.receiving_discrepancy]\ncooldown_ms = 0\n[catalog]\nfile = \"catalog.json\"");
    device.start();
    device.scan(&["EMP-8", "WH/IN/00004", "5901234123457", "5901234123457"]);
    until("two pieces", || device.page().html().contains("data-value=\"2\"").then_some(()));
    device.page().press(&["TM-1", "TM-4", "TM-REASON-OVER_DELIVERY", "DONE"]);
    let case = odoo.until_cases(1).remove(0);
    assert_eq!(case.event.kind, "io.tallyman.exception.receiving_discrepancy.v1");
    let quantity = &case.event.data.quantity;
    assert_eq!((quantity.expected.as_deref(), quantity.counted.as_deref()), (Some("12"), Some("14")));
    assert_eq!(case.event.data.reason.as_deref(), Some("over_delivery"));
    // The session goes on: the next line needs no badge and no document.
    device.scan(&["7032069804988", "TM-3", "TM-9", "TM-SHORT", "TM-DONE"]);
    let next = odoo.until_cases(2).remove(1);
    assert_eq!(next.event.data.document.as_ref().unwrap().code, "WH/IN/00004");
    assert_eq!(next.event.data.quantity.counted.as_deref(), Some("39"));
}

#[test]
fn a_photo_that_was_taken_before_done_is_always_on_the_report() {
    let odoo = Counterpart::start();
    let mut device = enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7"]);
    let page = device.page();
    for n in 1..=12 {
        device.scan(&["A-03-02", "TM-EMPTY"]);
        until("DONE to be on", || page.html().contains("data-question=\"done\"").then_some(()));
        assert!(page.photo(images::jpeg(32, 32, n)).status().is_success());
        device.scan(&["TM-DONE"]);
        let cases = odoo.until_cases(n as usize);
        assert_eq!(cases[n as usize - 1].event.data.photos.len(), 1, "report {n} lost its photo");
    }
}
