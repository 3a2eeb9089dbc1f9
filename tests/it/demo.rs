//! The README's first command, as a person at a terminal uses it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::json;

use crate::support::page::client;
use crate::support::until;

struct Demo {
    process: Child,
    keyboard: ChildStdin,
    console: String,
    page: String,
}

impl Demo {
    fn start() -> Demo {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tallyman"));
        command.args(["demo", "--page-port", "0", "--console-port", "0"]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let keyboard = process.stdin.take().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut address = |name: &str| {
            let line = lines.by_ref().map(Result::unwrap).find(|line| line.trim_start().starts_with(name)).unwrap();
            line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches('/').to_owned()
        };
        let (console, page) = (address("console"), address("touch page"));
        // The rest is read to the end, so that the demo never waits for its reader.
        std::thread::spawn(move || lines.for_each(drop));
        Demo { process, keyboard, console, page }
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").unwrap();
    }

    fn cases(&self) -> String {
        client().get(format!("{}/cases", self.console)).send().unwrap().text().unwrap()
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> u16 {
        client().post(format!("{}{path}", self.console)).json(body).send().unwrap().status().as_u16()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_demo_shows_a_case_an_outage_and_its_end() {
    let mut demo = Demo::start();
    // By number, by text, and by the console's button.
    for line in ["1", "A-03-02", "TM-EMPTY"] {
        demo.type_line(line);
    }
    until("the reason", || {
        let html = client().get(format!("{}/", demo.page)).send().unwrap().text().unwrap();
        html.contains("data-question=\"done\"").then_some(())
    });
    assert_eq!(demo.post("/fire", &json!({ "code": "TM-DONE" })), 204);
    until("the first case", || demo.cases().contains("DEMO/00001").then_some(()));

    demo.type_line("n");
    until("the cut", || demo.cases().contains("press to connect").then_some(()));
    for line in ["B-01-01", "TM-5", "TM-SHORT", "TM-DONE"] {
        demo.type_line(line);
    }
    until("the report to wait", || {
        let html = client().get(format!("{}/", demo.page)).send().unwrap().text().unwrap();
        html.contains("data-waiting=\"1\"").then_some(())
    });
    assert!(!demo.cases().contains("DEMO/00002"), "nothing passes a cut line");
    assert_eq!(demo.post("/network", &json!({ "connected": true })), 204);
    until("the second case", || demo.cases().contains("DEMO/00002").then_some(()));

    let foreign = client().post(format!("{}/fire", demo.console)).header("origin", "http://evil.example");
    assert_eq!(foreign.json(&json!({ "code": "TM-CLEAR" })).send().unwrap().status(), 403);

    let folder = std::env::temp_dir().join(format!("tallyman-demo-{}", demo.process.id()));
    assert!(folder.exists());
    demo.type_line("q");
    let status = until("the end", || demo.process.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    assert!(!folder.exists(), "the demo leaves nothing behind");
}

#[test]
fn a_port_that_is_taken_is_said_in_words() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = crate::support::tallyman(&["demo", "--page-port", "0", "--console-port", &port]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains(&format!("port {port}")) && error.contains("--help"), "{error}");
}
