//! The page over a real socket, spoken to byte by byte: what a browser sends, and what an attacker would.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::view::tests::snapshot;
use super::*;
use crate::domain::capture::{Feedback, Input, TypedSlot};
use crate::domain::decode::command::Command;
use crate::domain::event::MediaType;
use crate::io::photos::{MAX_UPLOAD, PhotoConfig, Photos};
use crate::io::source::Inward;

struct Page {
    address: SocketAddr,
    token: String,
    snapshots: watch::Sender<Arc<Snapshot>>,
    inputs: mpsc::Receiver<Inward>,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Page {
    async fn open() -> Page {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let photos = Photos::open(folder.path(), PhotoConfig::default()).unwrap();
        let (snapshots, shown) = watch::channel(Arc::new(snapshot()));
        let (sender, inputs) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listener, shown, sender, photos, stop.clone()));
        let mut page = Page { address, token: String::new(), snapshots, inputs, stop, served, _folder: folder };
        let html = page.get("/").await.body;
        page.token = html.split("name=\"tallyman-token\" content=\"").nth(1).unwrap()[..64].to_owned();
        page
    }

    async fn send(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await.unwrap();
        let text = String::from_utf8(read).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address), b"").await
    }

    async fn post_as(&self, path: &str, headers: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
        self.send(&head, body).await
    }

    async fn post(&self, path: &str, body: &[u8]) -> Answer {
        let headers = format!("Host: {}\r\nContent-Type: application/json\r\n", self.address);
        self.post_as(path, &format!("{headers}X-Tallyman-Token: {}\r\n", self.token), body).await
    }

    async fn input(&mut self) -> Option<Input> {
        match tokio::time::timeout(Duration::from_secs(5), self.inputs.recv()).await.unwrap()? {
            Inward::Page(input) => Some(input),
            other @ (Inward::Scan(_) | Inward::Scanner(_) | Inward::Tester { .. }) => panic!("the page sent {other:?}"),
        }
    }

    fn show(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut snapshot = snapshot();
        change(&mut snapshot);
        self.snapshots.send_replace(Arc::new(snapshot));
    }

    /// Opens the stream of events; what it says is read with [`until`].
    async fn events(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!("GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

async fn until(stream: &mut TcpStream, words: &str) -> String {
    let mut read = String::new();
    while !read.contains(words) {
        let mut buffer = [0; 4096];
        let count = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
        let count = count.unwrap_or_else(|_| panic!("{words:?} did not come: {read}")).unwrap();
        assert!(count > 0, "the stream ended without {words:?}: {read}");
        read.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    read
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(vec![]);
    image::DynamicImage::new_rgb8(4, 3).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_a_browser_in_line() {
    let page = Page::open().await;
    for path in ["/", "/page.css", "/page.js", "/nowhere"] {
        let head = page.get(path).await.head;
        for line in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: \
             data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(head.contains(line), "{path}: {line} in {head}");
        }
    }
    assert_eq!(page.get("/nowhere").await.status, 404);
    assert_eq!(page.get("/input").await.status, 405);
}

#[tokio::test]
async fn only_the_listener_s_own_names_are_answered() {
    let page = Page::open().await;
    let port = page.address.port();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        (format!("evil.example:{port}"), 421),
        ("localhost".to_owned(), 421),
        ("127.0.0.1:1".to_owned(), 421),
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(page.send(&head, b"").await.status, status, "{host}");
    }
}

#[tokio::test]
async fn another_site_in_the_same_browser_can_press_nothing() {
    let mut page = Page::open().await;
    let host = format!("Host: {}\r\nContent-Type: application/json\r\n", page.address);
    let token = format!("X-Tallyman-Token: {}\r\n", page.token);
    let own = format!("Origin: http://{}\r\n", page.address);
    for (headers, code) in [
        (host.clone(), "token"),
        (format!("{host}X-Tallyman-Token: {}\r\n", "0".repeat(64)), "token"),
        (format!("{host}{token}Origin: http://evil.example\r\n"), "origin"),
        (format!("{host}{token}Origin: null\r\n"), "origin"),
    ] {
        for path in ["/input", "/photo"] {
            let answer = page.post_as(path, &headers, b"{\"command\":\"DONE\"}").await;
            assert_eq!(answer.status, 403, "{headers}");
            assert!(answer.body.contains(&format!("\"code\":\"{code}\"")), "{}", answer.body);
        }
    }
    assert!(page.inputs.try_recv().is_err());
    let answer = page.post_as("/input", &format!("{host}{token}{own}"), b"{\"command\":\"DONE\"}").await;
    assert_eq!(answer.status, 202);
    assert_eq!(page.input().await, Some(Input::Command(Command::Done)));
}

#[tokio::test]
async fn commands_and_typed_texts_reach_the_loop() {
    let mut page = Page::open().await;
    let typed = |slot| Input::Typed { slot, text: "A <b>".into() };
    for (body, input) in [
        (r#"{"command":"TM-5"}"#, Input::Command(Command::Digit(5))),
        (r#"{"slot":"operator","text":"A <b>"}"#, typed(TypedSlot::Operator)),
        (r#"{"slot":"document","text":"A <b>"}"#, typed(TypedSlot::Document)),
        (r#"{"slot":"bin","text":"A <b>"}"#, typed(TypedSlot::Bin)),
        (r#"{"slot":"item","text":"A <b>"}"#, typed(TypedSlot::Item)),
        (r#"{"slot":"note","text":"A <b>"}"#, typed(TypedSlot::Note)),
    ] {
        assert_eq!(page.post("/input", body.as_bytes()).await.status, 202, "{body}");
        assert_eq!(page.input().await, Some(input));
    }
}

#[tokio::test]
async fn what_is_no_input_is_refused_in_a_sentence() {
    let mut page = Page::open().await;
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"command":"LAUNCH"}"#,
        r#"{"command":"DONE","slot":"bin","text":"A"}"#,
        r#"{"slot":"bin"}"#,
        r#"{"slot":"kitchen","text":"A"}"#,
        r#"{"command":"DONE","extra":1}"#,
    ] {
        let answer = page.post("/input", body.as_bytes()).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.body.contains("reload the page"), "{body}: {}", answer.body);
    }
    let long = format!(r#"{{"slot":"note","text":"{}"}}"#, "x".repeat(8000));
    assert_eq!(page.post("/input", long.as_bytes()).await.status, 413);
    let plain = format!("Host: {}\r\nContent-Type: text/plain\r\nX-Tallyman-Token: {}\r\n", page.address, page.token);
    assert_eq!(page.post_as("/input", &plain, b"{\"command\":\"DONE\"}").await.status, 415);
    assert!(page.inputs.try_recv().is_err());
}

#[tokio::test]
async fn a_loop_that_does_not_listen_is_said_to_be_busy() {
    let page = Page::open().await;
    assert_eq!(page.post("/input", b"{\"command\":\"TM-1\"}").await.status, 202);
    let answer = page.post("/input", b"{\"command\":\"TM-2\"}").await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("try again"), "{}", answer.body);
}

#[tokio::test]
async fn a_photo_is_kept_and_told_and_what_is_none_is_refused_aloud() {
    let mut page = Page::open().await;
    assert_eq!(page.post("/photo", &png()).await.status, 202);
    assert!(matches!(page.input().await, Some(Input::Photo(photo)) if photo.media_type == MediaType::Jpeg));

    let answer = page.post("/photo", b"%PDF-1.7").await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("That is not a photo"), "{}", answer.body);
    assert!(
        matches!(page.input().await, Some(Input::PhotoRefused { why, no_room: false }) if why.contains("not a photo"))
    );

    let answer = page.post("/photo", &vec![0xff; MAX_UPLOAD + 1]).await;
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("larger than 24 MiB"), "{}", answer.body);
    assert!(matches!(page.input().await, Some(Input::PhotoRefused { .. })));
}

#[tokio::test]
async fn what_changed_is_pushed_and_what_did_not_is_not() {
    let page = Page::open().await;
    let mut events = page.events().await;
    let first = until(&mut events, "data-question=\\\"count\\\"").await;
    assert!(first.contains("text/event-stream") && first.contains("event: session"), "{first}");
    page.show(|_| {});
    page.show(|snapshot| snapshot.document = Some("WH/IN/<4>".into()));
    let next = until(&mut events, "WH/IN/&lt;4&gt;").await;
    assert_eq!(next.matches("id=\\\"question\\\"").count(), 1, "{next}");
}

#[tokio::test]
async fn a_refusal_stands_until_it_is_acknowledged() {
    let page = Page::open().await;
    let mut events = page.events().await;
    page.show(|snapshot| {
        snapshot.feedback = Some(Feedback::Refused { why: "the disk is full".into() });
        snapshot.feedback_number = 1;
    });
    until(&mut events, "The disk is full").await;
    page.show(|snapshot| {
        snapshot.feedback = Some(Feedback::Understood);
        snapshot.feedback_number = 2;
    });
    until(&mut events, "Since then").await;
    assert!(page.get("/").await.body.contains("The disk is full"), "a reload shows it too");
    assert_eq!(page.post("/input", b"{\"acknowledge\":1}").await.status, 202);
    until(&mut events, "id=\\\"refusal\\\" hidden").await;
}

#[tokio::test]
async fn a_stop_ends_the_stream_and_the_server() {
    let page = Page::open().await;
    let mut events = page.events().await;
    until(&mut events, "data-question").await;
    page.stop.cancel();
    tokio::time::timeout(DRAIN + Duration::from_secs(3), page.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_page_may_not_be_opened_without_end() {
    let page = Page::open().await;
    let mut open = vec![];
    for _ in 0..push::MAX_VIEWERS {
        let mut events = page.events().await;
        until(&mut events, "event: session").await;
        open.push(events);
    }
    assert_eq!(page.get("/events").await.status, 503);
    open.pop();
    let mut freed = page.events().await;
    for _ in 0..50 {
        let mut buffer = [0; 12];
        freed.read_exact(&mut buffer).await.unwrap();
        if buffer.ends_with(b"200") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        freed = page.events().await;
    }
    panic!("a closed page did not make room");
}

#[tokio::test]
async fn a_test_of_the_scanners_needs_the_pages_token_and_is_told_to_the_loop() {
    let mut page = Page::open().await;
    let host = format!("Host: {}\r\nContent-Type: application/json\r\n", page.address);
    let body = br#"{"tester":"ab12","stays":true}"#;
    assert_eq!(page.post_as("/scanners/test", &host, body).await.status, 403);
    assert_eq!(page.post("/scanners/test", body).await.status, 202);
    let told = tokio::time::timeout(Duration::from_secs(5), page.inputs.recv()).await.unwrap();
    assert!(matches!(told, Some(Inward::Tester { who, stays: true }) if who == "page-ab12"));
    for wrong in [&br#"{"tester":"","stays":true}"#[..], br#"{"tester":"a b","stays":true}"#, b"{}"] {
        assert_eq!(page.post("/scanners/test", wrong).await.status, 422);
    }
}

#[tokio::test]
async fn the_scanners_page_shows_what_is_tested_as_it_comes() {
    use crate::domain::decode::{RawScan, decode};
    use crate::domain::tester::Tested;
    use crate::domain::time::{Now, Wall};
    let page = Page::open().await;
    let html = page.get("/scanners").await.body;
    assert!(html.contains("data-state=\"off\"") && html.contains("gun") && html.contains("/scanners.js"));
    let mut stream = TcpStream::connect(page.address).await.unwrap();
    let head = format!("GET /scanners/events HTTP/1.1\r\nHost: {}\r\n\r\n", page.address);
    stream.write_all(head.as_bytes()).await.unwrap();
    until(&mut stream, "</ol>").await;
    let at = Now { boot: Duration::ZERO, wall: Wall(0) };
    let codes = [&b"]C1010703206980498810<b>L1"[..], b"]E001234565"];
    let tested = codes.map(|code| decode(RawScan::new("gun", code, at)));
    page.show(|snapshot| {
        snapshot.testing = true;
        snapshot.tested =
            (1..).zip(tested).map(|(number, scan)| Arc::new(Tested { number, scan, steps: vec![] })).collect();
    });
    let pushed = until(&mut stream, "</ol>").await;
    assert!(pushed.contains("07032069804988") && pushed.contains("data-state=\\\"on\\\""), "{pushed}");
    assert!(pushed.contains("GTIN 00012345000065"), "a short code is shown in full: {pushed}");
    assert!(!pushed.contains("<b>"), "a code must stay text: {pushed}");
}
