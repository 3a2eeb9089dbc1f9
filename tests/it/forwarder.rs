//! How reports are sent: parked ones again, over connections that are kept, packed where the server takes it, and at once
//! when the network is back.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use tallyman::domain::forward::Answer;
use tallyman::io::http::{HttpConfig, OdooClient};

use crate::receiver::{Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy, read_request};
use crate::support::{Device, until};

const EMPTY_BIN: [&str; 3] = ["A-03-02", "TM-EMPTY", "TM-DONE"];

fn report(device: &Device, count: usize) {
    let before = device.beeped().len();
    for n in 1..=count {
        device.scan(&EMPTY_BIN);
        until("the beep", || (device.beeped().len() >= before + n).then_some(()));
    }
}

fn ready(url: &str) -> Device {
    let mut device = enrolled(url);
    device.start();
    device.scan(&["EMP-7"]);
    device
}

/// A command's exit code, and what it said.
fn said(device: &Device, args: &[&str]) -> (Option<i32>, String) {
    let output = device.tallyman(args);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn parked_reports_are_sent_again_when_a_person_says_so() {
    let odoo = Counterpart::start();
    let device = ready(&odoo.url());
    assert_eq!(said(&device, &["queue", "retry", "--all"]), (Some(0), "Nothing is parked.\n".into()));
    odoo.reject(true);
    report(&device, 3);
    device.until_status("the parking", |status| status["parked"] == 3);
    let (_, list) = said(&device, &["queue", "list"]);
    assert!(list.contains("The event lacks what every event has."), "{list}");
    let (code, words) = said(&device, &["queue", "retry", "99"]);
    assert!(code == Some(1) && words.contains("no report 99"), "{words}");

    // One by its number: the server has not changed its mind, and its reason is there all the time.
    let (code, words) = said(&device, &["queue", "retry", "2"]);
    assert!(code == Some(0) && words.contains("1 report waits again") && words.contains("2 still parked"), "{words}");
    device.until_status("the second parking", |status| status["parked"] == 3);
    let (_, list) = said(&device, &["queue", "list"]);
    assert_eq!(list.matches("The event lacks what every event has.").count(), 3, "{list}");

    odoo.reject(false);
    let id = device.beeped()[1].clone();
    assert_eq!(said(&device, &["queue", "retry", &id]).0, Some(0));
    device.until_status("the first case", |status| status["delivered"] == 1);
    let (code, words) = said(&device, &["queue", "retry", "2"]);
    assert!(code == Some(1) && words.contains("is in Odoo"), "{words}");
    let (_, words) = said(&device, &["queue", "retry", "--all"]);
    assert!(words.contains("2 reports wait again"), "{words}");
    device.until_status("the others", |status| status["delivered"] == 3 && status["parked"] == 0);
    assert_eq!(said(&device, &["queue", "retry"]).0, Some(2), "which one must be said");
}

/// More of them than the store takes at a time.
#[test]
fn all_that_is_sent_again_is_still_so_after_a_restart() {
    const MANY: usize = 400;
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = ready(&line.url());
    odoo.reject(true);
    report(&device, MANY);
    device.until_status("the parking", |status| status["parked"] == MANY);
    // No connection of before is left to send them by.
    line.set(Fault::Refuse);
    device.stop();
    device.start();
    let (code, words) = said(&device, &["queue", "retry", "--all"]);
    assert!(code == Some(0) && words.contains(&format!("{MANY} reports wait again")), "{words}");
    let status = device.status();
    assert_eq!((&status["pending"], &status["parked"]), (&MANY.into(), &0.into()), "{status}");
    device.stop();
    device.start();
    let status = device.status();
    assert_eq!((&status["pending"], &status["parked"]), (&MANY.into(), &0.into()), "{status}");
}

#[test]
fn what_waits_is_not_parked_and_the_status_says_when_it_goes() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let device = ready(&line.url());
    line.set(Fault::Refuse);
    report(&device, 1);
    let open = device.until_status("the breaker", |status| status["road"]["circuit"] == "open");
    assert!(open["road"]["next_try_s"].as_u64().is_some_and(|seconds| seconds <= 1), "{open}");
    let (code, words) = said(&device, &["queue", "retry", "1"]);
    assert!(code == Some(1) && words.contains("it waits"), "{words}");
    let (_, words) = said(&device, &["status"]);
    assert!(words.contains("next try") && words.contains("several requests failed"), "{words}");
    line.set(Fault::None);
    let status = device.until_status("the case", |status| status["delivered"] == 1);
    assert_eq!(status["road"], serde_json::json!({"circuit": "closed", "next_try_s": null}));
}

#[test]
fn a_device_that_may_report_again_goes_on_when_it_is_told() {
    let odoo = Counterpart::start();
    let device = ready(&odoo.url());
    odoo.revoke();
    report(&device, 2);
    let status = device.until_status("the revocation", |status| status["road"]["circuit"] == "stopped");
    assert_eq!(status["pending"], 2);
    odoo.reinstate();
    let socket = device.state().join("agent.sock");
    let told = tallyman::io::http::over_socket(&socket, "/reload", true, Duration::from_secs(30)).unwrap();
    assert_eq!(told.0, 200);
    device.until_status("the cases", |status| status["delivered"] == 2);
}

#[test]
fn one_connection_serves_many_requests_where_the_server_keeps_it() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let device = ready(&line.url());
    let before = line.connections();
    for n in 1..=20 {
        report(&device, 1);
        device.until_status("the case", |status| status["delivered"] == n);
    }
    // A second one only if the machine was so busy that the first was idle for half a minute.
    assert!(line.connections() - before <= 2, "{} connections", line.connections() - before);
}

#[test]
fn a_server_that_closes_each_connection_gets_everything_too() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let device = ready(&line.url());
    line.set(Fault::CloseEach);
    let before = line.connections();
    for n in 1..=5 {
        report(&device, 1);
        device.until_status("the case", |status| status["delivered"] == n);
    }
    assert!(line.connections() - before >= 5);
    assert_eq!(odoo.cases().len(), 5);
}

#[test]
fn requests_are_packed_once_the_server_has_offered_it() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let device = ready(&line.url());
    line.set(Fault::Refuse);
    report(&device, 12);
    device.until_status("the breaker", |status| status["road"]["circuit"] == "open");
    line.set(Fault::None);
    // The first request is the probe, whose answer makes the offer.
    device.until_status("the cases", |status| status["delivered"] == 12);
    assert!(odoo.packed() > 0);
    let mut arrived: Vec<_> = odoo.cases().iter().map(|case| case.event.id.clone()).collect();
    arrived.sort();
    assert_eq!(arrived, device.beeped());
}

/// Answers request after request with `answers`; returns each request's head and the first byte of its body.
fn scripted(answers: Vec<&'static str>) -> (String, JoinHandle<Vec<(String, u8)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut seen = vec![];
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read_request(&mut stream).unwrap();
            let end = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
            seen.push((String::from_utf8_lossy(&request[..end]).to_lowercase(), request[end]));
            stream.write_all(answer.as_bytes()).unwrap();
        }
        seen
    });
    (url, serving)
}

#[test]
fn a_server_that_offers_to_unpack_and_then_refuses_gets_everything_plain() {
    const OFFER: &str = "HTTP/1.1 200 OK\r\naccept-encoding: br, gzip\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 15\r\n\r\n{\"results\": []}";
    const REFUSAL: &str = "HTTP/1.1 415 Unsupported Media Type\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let (url, serving) = scripted(vec![OFFER, REFUSAL, OFFER, OFFER]);
    let config = HttpConfig { allow_plain_http: true, ..HttpConfig::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = OdooClient::new(&url, &config).unwrap();
        for _ in 0..3 {
            let answer = client.send_events("token", vec!["event".repeat(1000)]).await;
            assert_eq!(answer, Answer::Results { results: vec![], server_time: None });
        }
    });
    let requests = serving.join().unwrap();
    let packed: Vec<bool> = requests.iter().map(|(head, _)| head.contains("content-encoding: gzip")).collect();
    assert_eq!(packed, [false, true, false, false]);
    assert!(requests.iter().zip(packed).all(|((_, first), packed)| *first == if packed { 0x1f } else { b'{' }));
}

#[test]
fn a_firewall_that_forbids_packed_requests_holds_up_nothing() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    // A connection that is kept would pass by the firewall.
    line.set(Fault::CloseEach);
    let device = ready(&line.url());
    report(&device, 1);
    device.until_status("the offer", |status| status["delivered"] == 1);
    line.set(Fault::Forbid("content-encoding: gzip"));
    for n in 1..=5 {
        // One that is worth packing alone.
        device.scan(&["A-03-02", "TM-EMPTY", "7032069804988", "7032069804988", "7032069804988", "TM-DONE"]);
        device.until_status("the case", |status| status["delivered"] == 1 + n);
    }
    assert_eq!(odoo.packed(), 0);
    assert_eq!(device.status()["parked"], 0);
}

/// In a network of its own, whose only interface the test switches off and on.
#[test]
fn a_network_that_comes_back_is_used_at_once_although_the_wait_was_long() {
    const INSIDE: &str = "TALLYMAN_TEST_INSIDE";
    const NAME: &str = "forwarder::a_network_that_comes_back_is_used_at_once_although_the_wait_was_long";
    if std::env::var_os(INSIDE).is_some() {
        return in_a_network_of_its_own();
    }
    let itself = std::env::current_exe().unwrap();
    let ways: [&[&str]; 2] =
        [&["unshare", "--user", "--map-root-user", "--net"], &["sudo", "-n", "-E", "unshare", "--net"]];
    let possible = |way: &&&[&str]| {
        let tried = Command::new(way[0]).args(&way[1..]).arg("true").stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    let way = ways.iter().find(possible).expect("a network namespace: by user namespaces, or as root");
    let mut inside = Command::new(way[0]);
    inside.args(&way[1..]).arg(itself).args(["--exact", NAME, "--nocapture"]);
    let output = inside.env(INSIDE, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
    println!("{}", text.lines().filter(|line| line.contains("after the link")).collect::<String>());
}

fn link(state: &str) {
    let done = Command::new("ip").args(["link", "set", "lo", state]).status().unwrap();
    assert!(done.success(), "ip link set lo {state}");
}

fn in_a_network_of_its_own() {
    link("up");
    let odoo = Counterpart::start();
    assert_eq!(odoo.address.ip(), Ipv4Addr::LOCALHOST);
    let mut device = enrolled(&odoo.url());
    let config = std::fs::read_to_string(device.config()).unwrap();
    std::fs::write(
        device.config(),
        config.replace("retry_max_seconds = 1", "retry_max_seconds = 600\ntimeout_seconds = 1"),
    )
    .unwrap();
    device.start();
    device.scan(&["EMP-7"]);
    link("down");
    report(&device, 1);
    let next_try = |status: &serde_json::Value| status["road"]["next_try_s"].as_u64().unwrap_or(0);
    let waits = device.until_status("a long wait", |status| next_try(status) >= 20);
    link("up");
    #[expect(clippy::disallowed_methods, reason = "a measurement, and a wait that must be cut short")]
    let up = std::time::Instant::now();
    until("the case", || (odoo.cases().len() == 1).then_some(()));
    let after = up.elapsed();
    println!(
        "the report arrived {} ms after the link came back; the wait had {} s to go",
        after.as_millis(),
        next_try(&waits)
    );
    assert!(after < Duration::from_secs(next_try(&waits)) / 2, "the wait was not cut short: {after:?}");
}
