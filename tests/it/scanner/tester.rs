//! `tallyman scan --json` as a person's terminal would run it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::support::{Device, PATIENCE};

pub(super) struct Tester {
    terminal: Child,
    lines: Receiver<String>,
}

impl Tester {
    /// Begins a test of a running agent's scanners.
    pub(super) fn begin(device: &Device) -> Tester {
        let tester = Tester::begin_alone(device);
        device.until_status("the test to begin", |status| status["testing"] == true);
        tester
    }

    pub(super) fn begin_alone(device: &Device) -> Tester {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tallyman"));
        command.args(["scan", "--json", "--config"]).arg(device.config());
        let mut terminal = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(terminal.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Tester { terminal, lines }
    }

    /// The next scans that are shown.
    pub(super) fn scans(&mut self, count: usize) -> Vec<Value> {
        let next = || self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no scan was shown: {error}"));
        (0..count).map(|_| serde_json::from_str(&next()).unwrap()).collect()
    }

    /// Ctrl-C.
    pub(super) fn interrupt(mut self) {
        let pid = rustix::process::Pid::from_child(&self.terminal);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        assert!(self.terminal.wait().unwrap().success());
    }
}

impl Drop for Tester {
    fn drop(&mut self) {
        let _ = self.terminal.kill();
        let _ = self.terminal.wait();
    }
}
