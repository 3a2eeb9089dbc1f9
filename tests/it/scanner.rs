//! Scanners as the agent meets them: every framing over a real pty, plugs that are pulled, settings of the line, the beep
//! back, and the views for IT. What needs a kernel's input devices is tested in the virtual machine.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::time::Duration;

use rustix::termios::{ControlModes, InputModes, tcgetattr};
use serde_json::Value;
use tallyman::demo::scanner::PretendScanner;

use crate::support::{Device, until};
use tester::Tester;

mod tester;

/// A device whose scanner has these lines in its configuration, with somebody watching what it scans.
fn watched(lines: &str) -> (Device, Tester) {
    let mut device = Device::new("");
    configure(&device, lines);
    device.start();
    let tester = Tester::begin(&device);
    (device, tester)
}

fn configure(device: &Device, lines: &str) {
    let text = format!(
        "state_dir = \"state\"\n[page]\nlisten = \"127.0.0.1:0\"\n[[scanner]]\nname = \"dock\"\nkind = \"serial\"\n\
         path = \"{}\"\n{lines}\n",
        device.folder.path().join("scanner").display()
    );
    fs::write(device.config(), text).unwrap();
}

fn hex(text: &[u8]) -> String {
    text.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_framing_gives_the_same_codes() {
    for (lines, sent) in [
        ("", &b"]C110A\x1d21B\rWH/OUT/1\r"[..]),
        ("", b"]C110A\x1d21B\r\nWH/OUT/1\n"),
        ("terminator = \"cr\"", b"]C110A\x1d21B\rWH/OUT/1\r"),
        ("terminator = \"lf\"", b"]C110A\x1d21B\nWH/OUT/1\n"),
        ("terminator = \"crlf\"", b"]C110A\x1d21B\r\nWH/OUT/1\r\n"),
        ("terminator = \"etx\"", b"\x02]C110A\x1d21B\x03\x02WH/OUT/1\x03"),
        ("terminator = \"tab\"", b"]C110A\x1d21B\tWH/OUT/1\t"),
        ("terminator = \"any\"", b"]C110A\x1d21B\tWH/OUT/1\r\n"),
        ("prefix = \"~S\"\nsuffix = \"#\"", b"~S]C110A\x1d21B#\r~SWH/OUT/1#\r"),
        ("gs = \"{GS}\"", b"]C110A{GS}21B\rWH/OUT/1\r"),
    ] {
        let (device, mut tester) = watched(lines);
        device.scanner.send(sent).unwrap();
        let scans = tester.scans(2);
        assert_eq!(scans[0]["hex"], hex(b"]C110A\x1d21B"), "{lines}");
        assert_eq!(scans[1]["hex"], hex(b"WH/OUT/1"), "{lines}");
        assert!(scans.iter().all(|scan| scan["flaws"].as_array().unwrap().is_empty()), "{scans:?}");
    }
}

#[test]
fn silence_ends_a_code_where_nothing_else_does() {
    let (device, mut tester) = watched("terminator = \"gap\"\ngap_ms = 60");
    device.scanner.send(b"FIRST").unwrap();
    assert_eq!(tester.scans(1)[0]["printable"], "FIRST");
    device.scanner.send(b"SECOND").unwrap();
    assert_eq!(tester.scans(1)[0]["printable"], "SECOND");
}

#[test]
fn a_code_whose_end_was_lost_is_told_and_does_not_spoil_the_next() {
    let (device, mut tester) = watched("gap_ms = 100");
    device.scanner.send(b"HALF A CO").unwrap();
    let scan = tester.scans(1).remove(0);
    assert_eq!((&scan["printable"], scan["flaws"].as_array().unwrap().len()), (&"HALF A CO".into(), 1));
    device.scanner.send(b"WHOLE\r").unwrap();
    let scan = tester.scans(1).remove(0);
    assert_eq!((&scan["printable"], scan["flaws"].as_array().unwrap().len()), (&"WHOLE".into(), 0));
}

#[test]
fn a_code_in_many_reads_is_one_and_its_events_are_shown() {
    let (device, mut tester) = watched("");
    for byte in b"5901234123457" {
        device.scanner.send(&[*byte]).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    device.scanner.send(b"\r").unwrap();
    let scan = tester.scans(1).remove(0);
    assert_eq!((&scan["printable"], &scan["kind"]), (&"5901234123457".into(), &"gtin".into()));
    assert_eq!(scan["gtin14"], "05901234123457");
    let events: String =
        scan["events"].as_array().unwrap().iter().map(|event| event["hex"].as_str().unwrap().to_owned()).collect();
    assert_eq!(events, hex(b"5901234123457\r"));
}

#[test]
fn an_unplugged_scanner_leaves_half_a_code_as_a_flaw_and_is_read_again_under_its_link() {
    let (mut device, mut tester) = watched("");
    // In one write, so that the half is read with the whole: the kernel throws away what nobody has read at a hang-up.
    device.scanner.send(b"WHOLE\r70320").unwrap();
    assert_eq!(tester.scans(1)[0]["printable"], "WHOLE");
    until("the half to be read", || (device.scanner.unread().unwrap() == 0).then_some(()));
    device.replug();
    let scan = tester.scans(1).remove(0);
    assert_eq!(scan["printable"], "70320");
    assert!(scan["flaws"][0].as_str().unwrap().contains("cut off"), "{scan}");
    device.until_status("the scanner to be back", |status| status["scanners"][0]["connected"] == true);
    device.scanner.fire("NEXT").unwrap();
    assert_eq!(tester.scans(1)[0]["printable"], "NEXT");
}

#[test]
fn a_link_that_moves_to_another_device_is_followed_though_the_old_one_lives() {
    let (device, mut tester) = watched("");
    let link = device.folder.path().join("scanner");
    let other = PretendScanner::plug_in().unwrap();
    let beside = device.folder.path().join("scanner.new");
    symlink(other.path(), &beside).unwrap();
    // As udev does it: the link is never absent.
    fs::rename(&beside, &link).unwrap();
    let node = other.path().display().to_string();
    device.until_status("the other device", |status| {
        status["scanners"][0]["devices"].as_array().unwrap().iter().any(|held| held["node"] == *node)
    });
    other.fire("OTHER").unwrap();
    assert_eq!(tester.scans(1)[0]["printable"], "OTHER");
}

#[test]
fn a_scanner_that_comes_later_into_a_folder_that_comes_later_is_found() {
    let mut device = Device::new("");
    let later = device.folder.path().join("serial/by-id");
    let pretend = PretendScanner::plug_in().unwrap();
    let extra = format!("[[scanner]]\nname = \"late\"\nkind = \"serial\"\npath = \"{}/usb-Gun\"", later.display());
    device.configure(&extra);
    device.start();
    let of = |status: &Value| status["scanners"].as_array().unwrap().iter().find(|s| s["name"] == "late").cloned();
    let away = device.until_status("the absent scanner", |status| of(status).is_some());
    assert_eq!(of(&away).unwrap()["detail"], "not plugged in");
    fs::create_dir_all(&later).unwrap();
    symlink(pretend.path(), later.join("usb-Gun")).unwrap();
    device.until_status("the late scanner", |status| of(status).is_some_and(|late| late["connected"] == true));
}

#[test]
fn the_line_is_set_as_the_configuration_says() {
    let (device, _tester) = watched("baud = 19200\ndata_bits = 7\nparity = \"odd\"\nstop_bits = 2\nflow = \"rtscts\"");
    let line = tcgetattr(device.scanner.line()).unwrap();
    assert_eq!((line.input_speed(), line.output_speed()), (19200, 19200));
    let modes = line.control_modes;
    // A pty has no parity: the kernel keeps 8N1 there and nothing else of it.
    assert!(modes.contains(ControlModes::CSTOPB | ControlModes::CRTSCTS), "{modes:?}");
    let (device, _tester) = watched("flow = \"xonxoff\"");
    let line = tcgetattr(device.scanner.line()).unwrap();
    assert!(line.input_modes.contains(InputModes::IXON | InputModes::IXOFF), "{:?}", line.input_modes);
    assert_eq!(line.input_speed(), 9600);
}

#[test]
fn a_scanner_beeps_for_a_code_that_was_not_taken_and_for_no_other() {
    let mut device = Device::new("");
    configure(&device, "error_beep = \"\\u0016\\u0007\\r\"");
    device.start();
    // A badge, and a code that fits nowhere: no slot is open for a second badge-like text before a document.
    device.scan(&["EMP-7"]);
    until("the badge", || device.page().html().contains("data-question=\"context\"").then_some(()));
    device.scan(&["TM-DONE"]);
    let mut master = device.scanner.other_end().unwrap();
    let mut heard = [0; 3];
    master.read_exact(&mut heard).unwrap();
    assert_eq!(heard, *b"\x16\x07\r");
    assert_eq!(device.scanner.waiting_to_be_heard().unwrap(), 0, "it beeped for the badge too");
}

#[test]
fn a_test_makes_no_report_and_the_page_says_so_until_it_ends() {
    let mut device = Device::new("");
    device.start();
    let mut tester = Tester::begin(&device);
    until("the words", || device.page().html().contains("make no reports").then_some(()));
    assert_eq!(device.status()["testing"], true);
    device.scan(&["EMP-7"]);
    assert_eq!(tester.scans(1)[0]["printable"], "EMP-7");
    assert!(device.page().html().contains("data-question=\"operator\""), "a tested badge signed somebody on");
    tester.interrupt();
    device.until_status("the test to end", |status| status["testing"] == false);
    device.scan(&["EMP-7"]);
    until("the badge", || device.page().html().contains("data-question=\"context\"").then_some(()));
}

#[test]
fn without_an_agent_the_scanners_are_read_by_the_test_itself() {
    let device = Device::new("");
    let mut tester = Tester::begin_alone(&device);
    // It waits in the line until the reader is there.
    device.scanner.fire("]E07032069804988").unwrap();
    let scan = tester.scans(1).remove(0);
    assert_eq!((&scan["kind"], &scan["gtin14"]), (&"gtin".into(), &"07032069804988".into()));
}

#[test]
fn devices_are_listed_with_and_without_an_agent() {
    let mut device = Device::new("");
    let listed = |device: &Device| -> Value {
        let output = device.tallyman(&["devices", "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let list = listed(&device);
    assert_eq!((&list["agent"], &list["scanners"][0]["name"]), (&false.into(), &"dock".into()));
    assert!(list["devices"].is_array() && list["scanners"][0]["connected"].is_null());
    device.start();
    let list = listed(&device);
    assert_eq!((&list["agent"], &list["scanners"][0]["connected"]), (&true.into(), &true.into()));
    let output = device.tallyman(&["devices"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("scanner \"dock\": serial"), "{text}");
}

#[test]
fn a_mistake_about_a_scanner_is_78_with_place_and_cure_in_every_command() {
    let device = Device::new("");
    configure(&device, "parity = \"mark\"");
    for command in ["run", "devices", "scan"] {
        let output = device.tallyman(&[command]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{command}: {error}");
        assert!(error.starts_with(&format!("{}:8:10: ", device.config().display())), "{command}: {error}");
        assert!(error.contains("\"none\" or \"odd\" or \"even\""), "{command}: {error}");
    }
}

#[test]
fn latency_is_measured_from_the_read_to_the_journal() {
    let odoo = crate::receiver::Counterpart::start();
    let mut device = crate::receiver::enrolled(&odoo.url());
    device.start();
    device.scan(&["EMP-7", "A-03-02", "TM-EMPTY", "TM-DONE"]);
    odoo.until_cases(1);
    let latency = device.status()["latency"].clone();
    println!("read to journal, a debug build on a busy machine: {}", latency["read_to_journal"]);
    assert_eq!((&latency["read_to_journal"]["count"], &latency["read_to_understood"]["count"]), (&1.into(), &4.into()));
    assert!(latency["read_to_journal"]["p99_us"].as_u64().unwrap() > 0);
    assert_eq!(latency["kernel_to_journal"]["count"], 0, "a serial line carries no times");
}

#[test]
fn an_idle_agent_wakes_up_for_nothing() {
    let mut device = Device::new("");
    // No pty: the other tests plug theirs into the folder that would be watched for it.
    let config = format!(
        "state_dir = \"state\"\n[page]\nlisten = \"127.0.0.1:0\"\n[[scanner]]\nname = \"keys\"\nkind = \"stdin\"\n\
         [[scanner]]\nname = \"away\"\nkind = \"evdev\"\nusb = \"05e0:1200\"\n\
         [[scanner]]\nname = \"away too\"\nkind = \"serial\"\npath = \"{}/by-id/usb-Gun\"\n",
        device.folder.path().display()
    );
    fs::write(device.config(), config).unwrap();
    device.start();
    device.until_status("all scanners", |status| status["scanners"].as_array().is_some_and(|all| all.len() == 3));
    // The connection of the question above is closed a moment later.
    std::thread::sleep(Duration::from_secs(1));
    let before = switches(device.pid());
    std::thread::sleep(Duration::from_secs(5));
    let after = switches(device.pid());
    let woken = |ours: fn(&str) -> bool| -> u64 {
        let sum =
            |all: &[(String, u64)]| all.iter().filter(|(name, _)| ours(name)).map(|(_, count)| count).sum::<u64>();
        sum(&after).saturating_sub(sum(&before))
    };
    let (own, index) = (woken(|name| !name.starts_with("sled")), woken(|name| name.starts_with("sled")));
    println!(
        "an idle agent with a missing scanner woke up {own} times in 5 s, and the index's own threads {index} times"
    );
    // Looking for the scanner every quarter of a second alone would be more.
    assert!(own < 20, "{own} wake-ups in 5 s: {before:?} {after:?}");
}

/// How often each thread of a process has gone to sleep, by the thread's name.
fn switches(pid: u32) -> Vec<(String, u64)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let counts = tasks.map(|task| {
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse().ok());
        (name.trim().to_owned(), line.unwrap_or(0_u64))
    });
    counts.collect()
}
