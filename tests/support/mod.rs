//! What the tests of a running agent share: the real binary, a pretend scanner on a pty, its page and its status.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]

pub mod images;
pub mod page;
pub mod proxy;
pub mod receiver;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tallyman::demo::scanner::PretendScanner;

/// No test waits longer for anything. Generous, because a busy machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "a test's own patience is no deadline of the product")]
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "gave up waiting for {what}");
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// A device: its state folder, its scanner, and its agent when that runs.
pub struct Device {
    pub folder: tempfile::TempDir,
    pub scanner: PretendScanner,
    agent: Option<Child>,
    runs: u32,
    log_read: String,
}

impl Device {
    /// A device whose scanner is a pty, with the catalog of `catalog.json` when the test writes one.
    pub fn new(extra_config: &str) -> Device {
        let folder = tempfile::tempdir().unwrap();
        let scanner = PretendScanner::plug_in().unwrap();
        std::os::unix::fs::symlink(scanner.path(), folder.path().join("scanner")).unwrap();
        let device = Device { folder, scanner, agent: None, runs: 0, log_read: String::new() };
        device.configure(extra_config);
        device
    }

    pub fn configure(&self, extra: &str) {
        let config = format!(
            "state_dir = \"state\"\n[page]\nlisten = \"127.0.0.1:0\"\n[odoo]\nallow_plain_http = true\nretry_max_seconds = 1\n\
             [[scanner]]\nname = \"dock\"\nkind = \"serial\"\npath = \"{}\"\nbaud = 9600\nterminator = \"cr\"\n{extra}\n",
            self.folder.path().join("scanner").display()
        );
        fs::write(self.config(), config).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("tallyman.toml")
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn enrol(&self, url: &str, code: &str) {
        let output = self.tallyman(&["enroll", "--url", url, "--code", code]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs a command of the real binary on this device.
    pub fn tallyman(&self, args: &[&str]) -> Output {
        tallyman(&[args, &["--config", &self.config().to_string_lossy()]].concat())
    }

    pub fn start(&mut self) {
        self.start_by(Command::new(env!("CARGO_BIN_EXE_tallyman")));
    }

    /// Starts the agent with a standard input that says `bytes` and stays open.
    pub fn start_with_input(&mut self, bytes: &[u8]) {
        self.start_by(Command::new(env!("CARGO_BIN_EXE_tallyman")));
        self.agent.as_mut().unwrap().stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Starts the agent with a wall clock that is a year behind (by libfaketime, which leaves boot time alone).
    pub fn start_in_the_past(&mut self) {
        // The wrapper would stay between us and the agent, and a kill would reach it alone: only its library is wanted.
        let mut wrapper = Command::new("faketime");
        let library = wrapper.args(["-f", "-365d", "printenv", "LD_PRELOAD"]).output().unwrap().stdout;
        let mut command = Command::new(env!("CARGO_BIN_EXE_tallyman"));
        command.env("LD_PRELOAD", String::from_utf8(library).unwrap().trim()).env("FAKETIME", "-365d");
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        self.start_by(command);
    }

    /// Starts the agent and doesn't wait until it is ready.
    pub fn start_soon(&mut self) {
        self.spawn(Command::new(env!("CARGO_BIN_EXE_tallyman")));
    }

    fn start_by(&mut self, command: Command) {
        self.spawn(command);
        until("the agent to be ready", || {
            let log = fs::read_to_string(self.log_path()).unwrap();
            assert!(self.is_alive(), "the agent ended:\n{log}");
            log.contains("scanner opened").then_some(())
        });
    }

    fn spawn(&mut self, mut command: Command) {
        assert!(self.agent.is_none(), "the agent runs already");
        self.runs += 1;
        let log = File::create(self.log_path()).unwrap();
        command.args(["run", "--config"]).arg(self.config()).env("RUST_LOG", "info");
        self.agent = Some(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// SIGKILL, as the kernel's memory killer or a flat battery would.
    pub fn kill(&mut self) {
        let mut agent = self.agent.take().unwrap();
        agent.kill().unwrap();
        agent.wait().unwrap();
        self.scanner.release().unwrap();
        self.keep_log();
    }

    /// SIGTERM, as systemd does.
    pub fn stop(&mut self) -> ExitStatus {
        let mut agent = self.agent.take().unwrap();
        let pid = rustix::process::Pid::from_child(&agent);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = until("the agent to stop", || agent.try_wait().unwrap());
        self.scanner.release().unwrap();
        self.keep_log();
        status
    }

    pub fn is_alive(&self) -> bool {
        self.agent.as_ref().is_some_and(|agent| is_running(&agent.id().to_string()))
    }

    pub fn pid(&self) -> u32 {
        self.agent.as_ref().unwrap().id()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join(format!("run-{}.log", self.runs))
    }

    fn keep_log(&mut self) {
        let text = fs::read_to_string(self.log_path()).unwrap_or_default();
        self.log_read.push_str(&text);
    }

    /// What the agent has logged in all its runs.
    pub fn log(&self) -> String {
        let running =
            if self.agent.is_some() { fs::read_to_string(self.log_path()).unwrap_or_default() } else { String::new() };
        format!("{}{running}", self.log_read)
    }

    /// The ids of the reports that were shown as saved: what the operator heard a beep for.
    pub fn beeped(&self) -> Vec<String> {
        let log = self.log();
        let saved = log.lines().filter(|line| line.contains(": saved id="));
        saved.filter_map(|line| Some(line.split("id=").nth(1)?.split(' ').next()?.to_owned())).collect()
    }

    /// Pulls the trigger for each code.
    pub fn scan(&self, codes: &[&str]) {
        for code in codes {
            self.scanner.fire(code).unwrap();
        }
    }

    pub fn status(&self) -> Value {
        let output = self.tallyman(&["status", "--json"]);
        assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), self.log());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn until_status(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        until(what, || {
            last = self.status();
            wanted(&last).then(|| last.clone())
        })
    }

    /// Pulls the scanner's plug and plugs it in again, under the same name, as a udev link would.
    pub fn replug(&mut self) {
        let fresh = PretendScanner::plug_in().unwrap();
        let link = self.folder.path().join("scanner");
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(fresh.path(), &link).unwrap();
        self.scanner = fresh;
    }

    /// Where the touch page is, from the log of this run. A scanner may be open before the page is up.
    pub fn page(&self) -> page::Page {
        let address = until("the touch page", || {
            let log = fs::read_to_string(self.log_path()).unwrap();
            let after = log.split_once("page=http://")?.1;
            Some(after.split_once('/')?.0.to_string())
        });
        page::Page::open(&format!("http://{address}"))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            let _ = agent.kill();
            let _ = agent.wait();
            if std::thread::panicking() {
                self.keep_log();
            }
        }
        if std::thread::panicking() {
            eprintln!("--- the agent's log\n{}", self.log_read);
        }
    }
}

/// Runs the real binary to its end.
pub fn tallyman(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tallyman")).args(args).stdin(Stdio::null()).output().unwrap()
}

/// True while there is such a process that is more than a zombie.
pub fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// Resident memory of a process, in bytes.
pub fn resident(pid: u32) -> u64 {
    let mut status = String::new();
    File::open(format!("/proc/{pid}/status")).unwrap().read_to_string(&mut status).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// The files of a folder, for a look at what was left on the disk.
pub fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// All files of a folder but its socket, with their bytes.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.append(&mut tree(&entry.path()));
        } else if entry.file_type().unwrap().is_file() {
            found.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    found
}
