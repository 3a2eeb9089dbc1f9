use super::*;
use crate::config::Source;
use crate::domain::decode::calibrate::{AimSent, ELEMENTS, Separator, TEXT};
use crate::domain::decode::frame::Terminator;
use crate::domain::decode::keymap::Layout;
use crate::domain::decode::trace::Happening;
use std::time::Duration;

const FILE: &str = r#"# The dock's device.
state_dir = "s"

[[scanner]]
name = "gate"      # by the door
kind = "serial"
path = "/dev/a"
# As the manual says.
prefix = "~"       # the maker's
terminator = "tab" # set in May

# Worn on the wrist.
[[scanner]]
name = "wrist"
kind = "evdev"
path = "/dev/b"

[page]
listen = "127.0.0.1:8640" # fixed
"#;

fn found(layout: Option<Layout>) -> Calibration {
    Calibration {
        layout,
        equals: vec![],
        terminator: Terminator::Cr,
        prefix: vec![],
        suffix: vec![],
        separator: Separator::Gs,
        longest_gap: Duration::from_millis(4),
        gap_ms: 30,
        aim: AimSent::Always,
        caps_lock: false,
    }
}

/// The two codes as a serial line brings them.
fn recorded(prefix: &str, separator: &str, ending: &str) -> [Vec<Step>; 2] {
    [TEXT.to_owned(), ELEMENTS.join(separator)].map(|data| {
        let sent = format!("{prefix}{data}{ending}").into_bytes();
        vec![Step { after: Duration::from_millis(3), what: Happening::Bytes(sent) }]
    })
}

fn finished(file: &Path, traces: &[Vec<Step>; 2], dry_run: bool) -> Result<Outcome, Failure> {
    finish(file, "gate", [&traces[0], &traces[1]], dry_run)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn only_the_lines_of_the_scanner_change_and_every_comment_above_a_line_stays() {
    let after = apply(FILE, "gate", &found(None)).unwrap();
    let expected = FILE
        .replace("prefix = \"~\"       # the maker's\n", "")
        .replace("terminator = \"tab\" # set in May", "terminator = \"cr\" # set in May");
    assert_eq!(after, expected);
}

#[test]
fn missing_keys_are_added_to_the_right_block() {
    let all = Calibration {
        terminator: Terminator::Gap,
        gap_ms: 120,
        prefix: b"\x02A".to_vec(),
        suffix: b"\"#".to_vec(),
        separator: Separator::Sent(b"{GS}".to_vec()),
        ..found(Some(Layout::De))
    };
    let after = apply(FILE, "wrist", &all).unwrap();
    let config = Config::parse(Path::new("t.toml"), &after).unwrap();
    let Source::Evdev(evdev) = &config.scanners[1].source else { panic!("{after}") };
    assert_eq!((evdev.layout, &evdev.framing), (Layout::De, &all.framing()));
    let (head, tail) = FILE.split_once("path = \"/dev/b\"\n").unwrap();
    assert!(after.starts_with(head) && after.ends_with(tail), "{after}");
}

#[test]
fn every_layout_and_terminator_that_can_be_found_is_one_that_the_agent_reads() {
    use Terminator::{Any, Cr, CrLf, Etx, Gap, Lf, Line, Tab};
    for layout in Layout::ALL {
        for terminator in [Line, Any, Cr, Lf, CrLf, Etx, Tab, Gap] {
            let calibration = Calibration { terminator, ..found(Some(layout)) };
            let after = apply(FILE, "wrist", &calibration).unwrap();
            let config = Config::parse(Path::new("t.toml"), &after).unwrap();
            let Source::Evdev(evdev) = &config.scanners[1].source else { panic!("{after}") };
            assert_eq!((evdev.layout, evdev.framing.terminator), (layout, terminator));
        }
    }
}

#[test]
fn a_silence_is_written_only_where_the_one_in_force_would_cut_codes() {
    let slow = Calibration { gap_ms: 150, ..found(Some(Layout::Us)) };
    let with = |line: &str| FILE.replace("path = \"/dev/b\"", line);
    for (line, written) in [
        ("path = \"/dev/b\"", None),
        ("any = true", Some("gap_ms = 150")),
        ("path = \"/dev/b\"\ngap_ms = 90", Some("gap_ms = 150")),
        ("path = \"/dev/b\"\ngap_ms = 400", Some("gap_ms = 400")),
    ] {
        let after = apply(&with(line), "wrist", &slow).unwrap();
        assert_eq!(after.lines().find(|line| line.starts_with("gap_ms")), written, "{line}");
    }
}

#[test]
fn applying_twice_changes_nothing_more() {
    let once = apply(FILE, "gate", &found(None)).unwrap();
    assert_eq!(apply(&once, "gate", &found(None)).unwrap(), once);
}

#[test]
fn a_comment_above_the_first_line_of_a_block_stays_when_that_line_goes() {
    let text = "[[scanner]]\n# the maker's\nprefix = \"~\"\nname = \"a\"\nkind = \"serial\"\npath = \"/dev/a\"\n";
    let after = apply(text, "a", &found(None)).unwrap();
    assert!(after.starts_with("[[scanner]]\n# the maker's\nname = \"a\"\n"), "{after}");
}

#[test]
fn scanners_in_an_array_are_found_too() {
    let text = "state_dir = \"s\"\nscanner = [{ name = \"a\", kind = \"serial\", path = \"/dev/a\" }]\n";
    let after = apply(text, "a", &found(None)).unwrap();
    let config = Config::parse(Path::new("t.toml"), &after).unwrap();
    let Source::Serial(serial) = &config.scanners[0].source else { panic!("{after}") };
    assert_eq!(serial.framing.terminator, Terminator::Cr);
}

#[test]
fn what_has_no_place_is_refused_and_says_what_there_is() {
    let none = apply(FILE, "dock", &found(None)).unwrap_err().to_string();
    assert!(none.contains("gate, wrist"), "{none}");
    let empty = apply("state_dir = \"s\"\n", "dock", &found(None)).unwrap_err().to_string();
    assert!(empty.contains("[[scanner]]"), "{empty}");
    let keys = apply(FILE, "gate", &found(Some(Layout::Us))).unwrap_err().to_string();
    assert!(keys.contains("sends keys"), "{keys}");
    let bytes = apply(FILE, "wrist", &found(None)).unwrap_err().to_string();
    assert!(bytes.contains("sends bytes"), "{bytes}");
    let noise = Calibration { suffix: vec![0xff], ..found(None) };
    assert!(matches!(apply(FILE, "gate", &noise), Err(NotApplied::NoText { key: "suffix", .. })));
    assert!(matches!(apply("name = ", "gate", &found(None)), Err(NotApplied::Syntax(_))));
}

#[test]
fn two_recordings_become_settings_in_the_file_with_a_backup_and_the_mode_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.toml");
    fs::write(&file, FILE).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let outcome = finished(&file, &recorded("#", "{GS}", "\r\n"), false).unwrap();

    let Source::Serial(serial) = &Config::load(&file).unwrap().scanners[0].source.clone() else {
        panic!("{outcome:?}")
    };
    let framing = &serial.framing;
    assert_eq!((framing.terminator, &framing.prefix[..]), (Terminator::CrLf, &b"#"[..]));
    assert_eq!(framing.group_separator.as_deref(), Some(&b"{GS}"[..]));
    let backup = outcome.backup.clone().unwrap();
    assert_eq!(fs::read_to_string(&backup).unwrap(), FILE);
    for kept in [&file, &backup] {
        assert_eq!(fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o640);
    }
    let report = outcome.report();
    for line in ["-terminator = \"tab\" # set in May", "+terminator = \"crlf\" # set in May", "+gs = \"{GS}\""] {
        assert!(report.lines().any(|shown| shown == line), "{line} is not in:\n{report}");
    }

    // Again, there is nothing to write and no further backup; a later change gets its own.
    assert!(finished(&file, &recorded("#", "{GS}", "\r\n"), false).unwrap().report().contains("says so already"));
    assert_eq!(names(folder.path()), ["t.toml", "t.toml.before-calibrate-1"]);
    finished(&file, &recorded("", "\u{1d}", "\r"), false).unwrap();
    assert_eq!(names(folder.path()), ["t.toml", "t.toml.before-calibrate-1", "t.toml.before-calibrate-2"]);
}

#[test]
fn a_dry_run_shows_the_change_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.toml");
    fs::write(&file, FILE).unwrap();
    let outcome = finished(&file, &recorded("~", "\u{1d}", "\r"), true).unwrap();
    assert!(outcome.diff.contains("+terminator = \"cr\""), "{}", outcome.diff);
    assert!(outcome.report().contains("Nothing was written"));
    assert_eq!((fs::read_to_string(&file).unwrap().as_str(), names(folder.path()).len()), (FILE, 1));
}

#[test]
fn a_file_reached_by_a_link_is_replaced_behind_the_link() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("t.toml"), folder.path().join("link.toml"));
    fs::write(&file, FILE).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    finished(&link, &recorded("", "\u{1d}", "\r"), false).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&file).unwrap().contains("terminator = \"cr\""));
}

#[test]
fn recordings_that_tell_nothing_leave_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.toml");
    fs::write(&file, FILE).unwrap();
    let [first, _] = recorded("", "\u{1d}", "\r");
    for second in [vec![], first.clone()] {
        assert!(finished(&file, &[first.clone(), second], false).is_err());
    }
    assert_eq!((fs::read_to_string(&file).unwrap().as_str(), names(folder.path()).len()), (FILE, 1));
}
