//! Kills, a stopped server, lost replies, four posts at once: every beep one case, none twice.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tallyman::domain::id::Digest;

use crate::forgery::Stranger;
use crate::server::Odoo;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, images, until};

const CAPTURES: usize = 25;

fn case_ids(events: &[Value]) -> HashSet<i64> {
    events.iter().map(|event| event["case_id"][0].as_i64().unwrap()).collect()
}

#[test]
fn captures_of_a_stopped_server_and_a_killed_agent_are_one_case_each() {
    let (odoo, _alone) = Odoo::alone();
    let mut device = Device::new("");
    let line = Proxy::before(odoo.address());
    let uuid = odoo.enrol(&device, &line.url(), "TEST-KILL");
    // Somebody else's server can't be stopped; the line to it can be cut.
    let stopped = odoo.stop();
    if stopped.is_none() {
        line.set(Fault::Refuse);
    }
    device.start();
    // Moments between 0 and 50 ms after the trigger, spread by a fixed sequence: before, in and after the write.
    let mut moment = 7u64;
    let mut kills = 0;
    while device.beeped().len() < CAPTURES {
        device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
        moment = (moment * 31 + 11) % 50;
        thread::sleep(Duration::from_millis(moment));
        if kills < 15 {
            device.kill();
            device.start();
            kills += 1;
        } else {
            let before = device.beeped().len();
            until("a beep", || {
                (device.beeped().len() > before).then_some(()).or_else(|| {
                    device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
                    thread::sleep(Duration::from_millis(300));
                    None
                })
            });
        }
    }
    let beeped = device.beeped();
    drop(stopped);
    line.set(Fault::None);
    device.until_status("the backlog to drain", |status| status["pending"] == 0);

    let events = odoo.events(&uuid);
    let arrived: HashSet<&str> = events.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    let lost: Vec<_> = beeped.iter().filter(|id| !arrived.contains(id.as_str())).collect();
    println!(
        "{} beeps, {kills} kills, {} events, {} cases, {} lost",
        beeped.len(),
        events.len(),
        case_ids(&events).len(),
        lost.len()
    );
    assert!(lost.is_empty(), "beeped, but not in Odoo: {lost:?}");
    assert_eq!(arrived.len(), events.len(), "an event is there twice");
    assert_eq!(case_ids(&events).len(), events.len(), "two events share a case, or one has two");
    assert_eq!(odoo.cases(&uuid).len(), events.len());
    assert!(events.iter().all(|event| matches!(event["chain"].as_str(), Some("first" | "linked"))), "{events:?}");
    assert_eq!(device.status()["parked"], 0);
}

#[test]
fn a_reply_that_is_lost_after_the_commit_makes_no_second_case() {
    let (odoo, _shared) = Odoo::shared();
    let mut device = Device::new("");
    let line = Proxy::before(odoo.address());
    let uuid = odoo.enrol(&device, &line.url(), "TEST-LOST-REPLY");
    line.set(Fault::DropReply);
    device.start();
    for n in 1..=3 {
        device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1", "TM-DONE"]);
        until("the beep", || (device.beeped().len() == n).then_some(()));
    }
    until("Odoo to have committed them", || (odoo.cases(&uuid).len() == 3).then_some(()));
    assert_eq!(device.status()["delivered"], 0, "released without a receipt");
    line.set(Fault::None);
    device.until_status("the receipts", |status| status["delivered"] == 3);
    assert_eq!(odoo.cases(&uuid).len(), 3);
    assert_eq!(odoo.events(&uuid).len(), 3);
}

#[test]
fn a_photo_goes_on_where_odoo_stands_when_the_line_died_and_the_agent_was_killed() {
    const FIRST_PIECE: u64 = 128 << 10;
    let (odoo, _shared) = Odoo::shared();
    let mut device = Device::new("");
    let line = Proxy::before(odoo.address());
    let uuid = odoo.enrol(&device, &line.url(), "TEST-PIECES");
    device.start();
    device.scan(&["EMP-1", "LOC-1", "TM-EMPTY", "ITEM-1"]);
    until("DONE to be on", || device.page().html().contains("data-question=\"done\"").then_some(()));
    let photo = images::noise(1100, 1000);
    assert!(device.page().photo(photo.clone()).status().is_success());
    line.set(Fault::DieAfter(line.sent() + FIRST_PIECE + (100 << 10)));
    device.scan(&["TM-DONE"]);
    until("the line to die", || (line.fault() == Fault::Refuse).then_some(()));
    device.kill();
    let photo = images::stored(photo);
    let before = line.sent();
    line.set(Fault::None);
    device.start();
    device.until_status("the photo to be there", |status| status["photos_pending"] == 0 && status["delivered"] == 1);
    let wanted = json!([["sha256", "=", Digest::of(&photo).to_string()]]);
    let evidence = odoo.read("warehouse.exception.evidence", &wanted, &["received", "complete"]);
    assert_eq!((evidence.len(), &evidence[0]["complete"]), (1, &json!(true)));
    assert_eq!(evidence[0]["received"], photo.len());
    assert_eq!(odoo.cases(&uuid).len(), 1);
    let again = line.sent() - before;
    assert!(again < photo.len() as u64 - FIRST_PIECE + (24 << 10), "{again} bytes of {}", photo.len());
}

#[test]
fn four_posts_of_one_event_at_once_are_one_case_and_four_good_receipts() {
    let (odoo, _shared) = Odoo::shared();
    let sender = Stranger::enrolled(&odoo, "TEST-FOUR");
    for round in 1..=5 {
        let event = sender.event(round);
        let gate = Barrier::new(4);
        let receipts: Vec<Value> = thread::scope(|scope| {
            let post = || {
                gate.wait();
                sender.post(&[&event])
            };
            let posts: Vec<_> = (0..4).map(|_| scope.spawn(post)).collect();
            posts.into_iter().map(|post| post.join().unwrap()).collect()
        });
        let mut statuses: Vec<_> =
            receipts.iter().map(|receipt| receipt["results"][0]["status"].as_str().unwrap_or("?")).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, ["created", "duplicate", "duplicate", "duplicate"], "{receipts:?}");
        let cases: HashSet<_> =
            receipts.iter().map(|receipt| receipt["results"][0]["case"].as_str().unwrap()).collect();
        assert_eq!(cases.len(), 1);
        assert_eq!(odoo.cases(&sender.device).len(), round as usize);
    }
}
