//! Servers that mean no good, or are no servers of ours: whatever they answer, nothing is released, nothing is parked,
//! memory stays bounded, and the backlog drains when the honest one is back.

mod tls;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::receiver::{Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, images, until};

const EMPTY_BIN: [&str; 3] = ["A-03-02", "TM-EMPTY", "TM-DONE"];
/// What an agent may grow by, whatever is poured into it: its own bound on an answer is 1 MiB.
const GROWTH: u64 = 32 << 20;

/// Plays with one connection, until the agent has had enough of it.
type Trick = fn(&mut TcpStream) -> std::io::Result<()>;

/// A server that plays one trick on everyone.
struct Hostile {
    address: SocketAddr,
    /// Connections that were made, and those that the agent has left.
    met: Arc<AtomicU64>,
    left: Arc<AtomicU64>,
}

impl Hostile {
    fn start(trick: Trick) -> Hostile {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (met, left) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counts = (met.clone(), left.clone());
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (met, left) = (counts.0.clone(), counts.1.clone());
                met.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || {
                    // How the agent hangs up on us is its own business.
                    let _ = trick(&mut stream);
                    left.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Hostile { address, met, left }
    }
}

/// Takes the request's head, so that the answer isn't met by a reset of what was not read.
fn take_request(stream: &mut TcpStream) -> std::io::Result<()> {
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => break,
            read => seen.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(())
}

fn says(stream: &mut TcpStream, head: &str, body: &[u8]) -> std::io::Result<()> {
    take_request(stream)?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

/// Writes the same again until the agent hangs up, with a pause in between, but no more than `most` times.
fn pours(stream: &mut TcpStream, piece: &[u8], pause: Duration, most: u64) -> std::io::Result<()> {
    for _ in 0..most {
        stream.write_all(piece)?;
        thread::sleep(pause);
    }
    Ok(())
}

/// Ten gigabytes, a megabyte at a time.
fn ten_gigabytes(stream: &mut TcpStream, piece: &[u8]) -> std::io::Result<()> {
    pours(stream, piece, Duration::ZERO, 10_000_000_000 / piece.len() as u64)
}

fn json(stream: &mut TcpStream, body: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    says(stream, &head, body.as_bytes())
}

fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(b"{\"results\": [], \"padding\": \"").unwrap();
    (0..256).for_each(|_| encoder.write_all(&[b' '; 1 << 20]).unwrap());
    encoder.finish().unwrap()
}

const SLOW: Duration = Duration::from_millis(200);
const JSON_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// Name, what the agent calls it, and the trick itself.
const TRICKS: &[(&str, &str, Trick)] = &[
    ("silence", "timeout", |stream| {
        take_request(stream)?;
        let mut rest = Vec::new();
        stream.take(1 << 20).read_to_end(&mut rest).map(drop)
    }),
    ("a head, a byte at a time", "timeout", |stream| {
        says(stream, "HTTP/1.1 200 OK\r\nx-slow: ", b"")?;
        pours(stream, b"a", SLOW, 10_000)
    }),
    ("a body, a byte at a time", "timeout", |stream| {
        says(stream, &format!("{JSON_HEAD}content-length: 100000\r\n\r\n"), b"{")?;
        pours(stream, b" ", SLOW, 10_000)
    }),
    ("a chunked body, a chunk of one byte at a time", "timeout", |stream| {
        says(stream, &format!("{JSON_HEAD}transfer-encoding: chunked\r\n\r\n"), b"")?;
        pours(stream, b"1\r\n \r\n", SLOW, 10_000)
    }),
    ("one header without an end", "unreachable", |stream| {
        says(stream, "HTTP/1.1 200 OK\r\nx-long: ", b"")?;
        ten_gigabytes(stream, &[b'a'; 1 << 20])
    }),
    ("headers without an end", "unreachable", |stream| {
        says(stream, "HTTP/1.1 200 OK\r\n", b"")?;
        ten_gigabytes(stream, "x-more: and more\r\n".repeat(1 << 16).as_bytes())
    }),
    ("a body of 10 GB", "nonsense", |stream| {
        says(stream, &format!("{JSON_HEAD}content-length: 10000000000\r\n\r\n"), b"")?;
        ten_gigabytes(stream, &[b' '; 1 << 20])
    }),
    ("a chunked body of 10 GB", "nonsense", |stream| {
        says(stream, &format!("{JSON_HEAD}transfer-encoding: chunked\r\n\r\n"), b"")?;
        let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
        ten_gigabytes(stream, chunk.as_bytes())
    }),
    ("a body without a length that never ends", "nonsense", |stream| {
        says(stream, &format!("{JSON_HEAD}connection: close\r\n\r\n"), b"")?;
        ten_gigabytes(stream, &[b' '; 1 << 20])
    }),
    ("a bomb of 256 MB, packed", "captive_portal", |stream| {
        let bomb = bomb();
        let head = format!("{JSON_HEAD}content-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
        says(stream, &head, &bomb)
    }),
    ("JSON of a million brackets", "captive_portal", |stream| json(stream, &"[".repeat(1_000_000))),
    ("JSON of something else", "captive_portal", |stream| json(stream, "{\"results\": {\"ok\": true}}")),
    ("no results", "nonsense", |stream| json(stream, "{\"results\": []}")),
    ("results for other events", "nonsense", |stream| {
        let digest = "ab".repeat(32);
        let other = format!(
            "{{\"id\": \"0193570e-7c2a-7b3c-9d4e-5f60718293a4\", \"digest\": \"{digest}\", \"status\": \"created\"}}"
        );
        json(stream, &format!("{{\"results\": [{}]}}", vec![other; 60].join(",")))
    }),
    ("HTTP 0.9", "unreachable", |stream| says(stream, "<html>Welcome!</html>", b"")),
    ("another protocol", "unreachable", |stream| {
        says(stream, "SSH-2.0-OpenSSH_9.2\r\n", b"")?;
        pours(stream, &[0xff; 1024], SLOW, 100)
    }),
    ("a reset in the middle of the answer", "unreachable", |stream| {
        // What was not read makes the kernel say RST instead of FIN.
        stream.write_all(format!("{JSON_HEAD}content-length: 500\r\n\r\n{{\"results\": [").as_bytes())?;
        thread::sleep(SLOW);
        Ok(())
    }),
    ("an end in the middle of the answer", "unreachable", |stream| {
        says(stream, &format!("{JSON_HEAD}content-length: 500\r\n\r\n"), b"{\"results\": [")
    }),
    ("100 Continue without an end", "timeout", |stream| {
        take_request(stream)?;
        pours(stream, b"HTTP/1.1 100 Continue\r\n\r\n", SLOW, 10_000)
    }),
    ("100 Continue and a portal", "captive_portal", |stream| {
        let portal = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\nhello";
        says(stream, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n", portal.as_bytes())
    }),
    ("a status that nobody knows", "server_error", |stream| {
        says(stream, "HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n", b"")
    }),
    ("no content", "captive_portal", |stream| says(stream, "HTTP/1.1 204 No Content\r\n\r\n", b"")),
    ("a refusal by a proxy", "captive_portal", |stream| {
        says(stream, "HTTP/1.1 422 Unprocessable\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nno", b"")
    }),
];

/// The most resident memory that a process ever had, in bytes.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

fn report(device: &Device) {
    let before = device.beeped().len();
    device.scan(&EMPTY_BIN);
    until("the beep", || (device.beeped().len() > before).then_some(()));
}

/// A short patience, so that a test needs none.
fn impatient(device: &Device) {
    let config = std::fs::read_to_string(device.config()).unwrap();
    let config = config.replace("retry_max_seconds = 1", "retry_max_seconds = 1\ntimeout_seconds = 2");
    std::fs::write(device.config(), config).unwrap();
}

/// The agent meets `hostile` with one report that waits, and neither loses nor releases it.
fn stand(device: &Device, name: &str, code: &str, hostile: &Hostile) {
    let before = peak(device.pid());
    let status = device
        .until_status(name, |status| status["last_error"]["code"] == code && hostile.left.load(Ordering::SeqCst) >= 2);
    assert_eq!((&status["pending"], &status["parked"]), (&1.into(), &0.into()), "{name}");
    let grown = peak(device.pid()) - before;
    println!("{name}: the agent's memory peaked {} KB higher", grown / 1024);
    assert!(grown < GROWTH, "{name}: the agent grew by {} KB", grown / 1024);
    assert!(device.is_alive(), "{name}");
}

fn against(tricks: &[(&str, &str, Trick)]) {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    impatient(&device);
    device.start();
    device.scan(&["EMP-7"]);
    for (n, (name, code, trick)) in tricks.iter().enumerate() {
        let hostile = Hostile::start(*trick);
        // The connection to the honest server ends with the agent's run.
        device.stop();
        line.redirect(hostile.address);
        device.start();
        device.scan(&["EMP-7"]);
        report(&device);
        stand(&device, name, code, &hostile);
        assert_eq!(odoo.cases().len(), n, "{name}");
        line.redirect(odoo.address);
        device.until_status(name, |status| status["delivered"] == n + 1);
    }
    let mut arrived: Vec<_> = odoo.cases().iter().map(|case| case.event.id.clone()).collect();
    arrived.sort();
    assert_eq!(arrived, device.beeped());
}

#[test]
fn slow_servers_cost_a_calls_patience_and_nothing_else() {
    let slow: Vec<_> = TRICKS.iter().filter(|(_, code, _)| *code == "timeout").copied().collect();
    assert!(slow.len() > 4);
    against(&slow);
}

#[test]
fn endless_and_senseless_answers_release_nothing_and_need_no_memory() {
    let fast: Vec<_> = TRICKS.iter().filter(|(_, code, _)| *code != "timeout").copied().collect();
    assert!(fast.len() > 14);
    against(&fast);
}

/// Those that are worth the time: each way to answer slowly, endlessly, and with what isn't for a photo.
const TO_PHOTOS: [&str; 8] = [
    "silence",
    "a body, a byte at a time",
    "one header without an end",
    "a body of 10 GB",
    "a bomb of 256 MB, packed",
    "JSON of a million brackets",
    "results for other events",
    "a reset in the middle of the answer",
];

#[test]
fn whoever_answers_to_photos_alone_holds_up_no_report_and_needs_no_memory() {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    impatient(&device);
    line.set(Fault::CloseEach);
    device.start();
    device.scan(&["EMP-7"]);
    let tricks: Vec<_> = TRICKS.iter().filter(|(name, _, _)| TO_PHOTOS.contains(name)).collect();
    assert_eq!(tricks.len(), TO_PHOTOS.len());
    for (n, (name, _, trick)) in tricks.into_iter().enumerate() {
        let hostile = Hostile::start(*trick);
        line.set(Fault::Divert("put /tallyman", hostile.address));
        let before = peak(device.pid());
        device.scan(&EMPTY_BIN[..2]);
        until("DONE to be on", || device.page().html().contains("data-question=\"done\"").then_some(()));
        assert!(device.page().photo(images::jpeg(64, 48, n as u32)).status().is_success());
        device.scan(&EMPTY_BIN[2..]);
        let status = device.until_status(name, |status| {
            let known = status["photo_trouble"].is_string() || status["last_error"].is_object();
            known && hostile.left.load(Ordering::SeqCst) >= 1
        });
        assert_eq!((&status["delivered"], &status["photos_pending"]), (&(n + 1).into(), &1.into()), "{name}");
        let grown = peak(device.pid()) - before;
        println!("{name}: the agent's memory peaked {} KB higher", grown / 1024);
        assert!(grown < GROWTH, "{name}: the agent grew by {} KB", grown / 1024);
        line.set(Fault::CloseEach);
        device.until_status(name, |status| status["photos_pending"] == 0);
    }
    let photos = odoo.cases().iter().flat_map(|case| case.event.data.photos.clone()).collect::<Vec<_>>();
    assert_eq!(photos.len(), TO_PHOTOS.len());
    assert!(photos.iter().all(|photo| odoo.photo(&photo.sha256).is_some()));
}

#[test]
fn a_redirect_is_not_followed_and_the_other_host_sees_nothing() {
    let odoo = Counterpart::start();
    let elsewhere = Hostile::start(|stream| json(stream, "{}"));
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    impatient(&device);
    for status in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: http://{}/tallyman/v1/events\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            elsewhere.address
        );
        line.set(Fault::Say(answer));
        device.start();
        device.scan(&["EMP-7"]);
        report(&device);
        let waiting = device.beeped().len();
        let said = device.until_status("the redirect", |status| status["last_error"]["code"] == "captive_portal");
        assert!(said["last_error"]["message"].to_string().contains(&status.to_string()), "{said}");
        assert_eq!((&said["pending"], &said["parked"]), (&waiting.into(), &0.into()));
        device.stop();
    }
    assert_eq!(elsewhere.met.load(Ordering::SeqCst), 0, "a token went to another host");
    line.set(Fault::None);
    device.start();
    device.until_status("the backlog to drain", |status| status["delivered"] == 5);
    assert_eq!(odoo.cases().len(), 5);
}
