use std::path::Path;

use super::*;
use crate::config::raw::parse;

fn read(lines: &str) -> Result<Vec<Scanner>, ConfigError> {
    let text = format!("state_dir = \"s\"\n[[scanner]]\nname = \"a\"\n{lines}\n");
    parse(Path::new("t.toml"), &text).map(|config| config.scanners)
}

fn source(lines: &str) -> Source {
    read(lines).unwrap().remove(0).source
}

fn serial(lines: &str) -> SerialConfig {
    match source(&format!("kind = \"serial\"\npath = \"/dev/x\"\n{lines}")) {
        Source::Serial(config) => config,
        other @ (Source::Evdev(_) | Source::Hidraw(_) | Source::Stdin) => panic!("{other:?}"),
    }
}

#[test]
fn a_serial_scanner_is_9600_8n1_with_cr_or_lf_unless_it_says_otherwise() {
    let framing = Framing::ended_by(Terminator::Line).with_gap(SERIAL_REST);
    assert_eq!(serial(""), SerialConfig::new(Choice::Path("/dev/x".into()), framing));
    let config = serial(
        "baud = 115200\ndata_bits = 7\nparity = \"even\"\nstop_bits = 2\nflow = \"rtscts\"\nterminator = \"crlf\"\n\
         gap_ms = 80\nprefix = \"\\u0002A\"\nsuffix = \"#\"\ngs = \"{GS}\"\nerror_beep = true",
    );
    assert_eq!((config.baud, config.data_bits, config.parity), (115_200, DataBits::Seven, Parity::Even));
    assert_eq!((config.stop_bits, config.flow), (StopBits::Two, FlowControl::Hardware));
    assert_eq!((config.framing.terminator, config.framing.gap), (Terminator::CrLf, Some(Duration::from_millis(80))));
    assert_eq!((&config.framing.prefix[..], &config.framing.suffix[..]), (&b"\x02A"[..], &b"#"[..]));
    assert_eq!(config.framing.group_separator.as_deref(), Some(&b"{GS}"[..]));
    assert_eq!(config.error_beep.as_deref(), Some(BELL));
    assert_eq!(serial("error_beep = \"\\u0016\\u0007\\r\"").error_beep.as_deref(), Some(&b"\x16\x07\r"[..]));
    assert_eq!(serial("error_beep = false").error_beep, None);
    assert_eq!(serial("terminator = \"gap\"").framing.gap, Some(GAP));
}

#[test]
fn a_device_is_chosen_by_path_by_usb_or_by_its_rhythm() {
    let usb = |serial: Option<&str>, port: Option<&str>| Choice::Usb {
        id: UsbId { vendor: 0x05e0, product: 0x1200 },
        serial: serial.map(Into::into),
        port: port.map(Into::into),
    };
    let choice = |lines: &str| source(lines).claim().unwrap().choice;
    assert_eq!(choice("kind = \"evdev\"\npath = \"/dev/x\""), Choice::Path("/dev/x".into()));
    assert_eq!(choice("kind = \"evdev\"\nusb = \"05e0:1200\""), usb(None, None));
    assert_eq!(
        choice("kind = \"hidraw\"\nusb = \"05E0:1200\"\nusb_serial = \"S1\"\nport = \"1-2\""),
        usb(Some("S1"), Some("1-2"))
    );
    assert_eq!(choice("kind = \"evdev\"\nany = true"), Choice::Any);
    assert_eq!(choice("kind = \"hidraw\"\nany = true"), Choice::Any);
    assert_eq!(choice("kind = \"evdev\"\nany = false\npath = \"/dev/x\""), Choice::Path("/dev/x".into()));
}

#[test]
fn a_keyboard_wedge_ends_its_codes_with_cr_lf_or_tab_unless_it_says_otherwise() {
    let evdev = |lines: &str| match source(&format!("kind = \"evdev\"\n{lines}")) {
        Source::Evdev(config) => config,
        other @ (Source::Serial(_) | Source::Hidraw(_) | Source::Stdin) => panic!("{other:?}"),
    };
    let config = evdev("path = \"/dev/x\"");
    assert_eq!((config.layout, config.framing.terminator), (Layout::default(), Terminator::Any));
    assert_eq!(config.framing.gap, Some(KEYBOARD_REST));
    assert_eq!(evdev("any = true").framing.gap, Some(RHYTHM_REST));
    let config = evdev("path = \"/dev/x\"\nlayout = \"us\"\nterminator = \"tab\"\ngap_ms = 300\nprefix = \"~\"");
    assert_eq!((config.framing.terminator, &config.framing.prefix[..]), (Terminator::Tab, &b"~"[..]));
    assert_eq!(config.framing.gap, Some(Duration::from_millis(300)));
}

#[test]
fn every_mistake_about_a_scanner_says_where_and_what_to_write() {
    let serial = "kind = \"serial\"\npath = \"/dev/x\"\n";
    let evdev = "kind = \"evdev\"\npath = \"/dev/x\"\n";
    for (lines, place, cure) in [
        ("kind = \"seriel\"".to_owned(), "4:8", "did you mean \"serial\"?"),
        ("kind = \"usb\"".to_owned(), "4:8", "\"hidraw\""),
        ("kind = \"serial\"".to_owned(), "4:8", "path ="),
        ("kind = \"evdev\"\nany = false".to_owned(), "4:8", "path ="),
        ("kind = \"evdev\"\nusb = \"05e0\"".to_owned(), "5:7", "05e0:1200"),
        ("kind = \"evdev\"\nport = \"1-1\"".to_owned(), "5:8", "usb = "),
        ("kind = \"evdev\"\nusb_serial = \"S\"\npath = \"/dev/x\"".to_owned(), "5:14", "usb = "),
        ("kind = \"evdev\"\npath = \"/dev/x\"\nusb = \"05e0:1200\"".to_owned(), "6:7", "keep one"),
        ("kind = \"evdev\"\nusb = \"05e0:1200\"\nany = true".to_owned(), "6:7", "keep one"),
        ("kind = \"serial\"\nany = true".to_owned(), "5:7", "by path or by usb"),
        (format!("{serial}baud = 9601"), "6:8", "9600"),
        (format!("{serial}data_bits = 9"), "6:13", "8 or 7"),
        (format!("{serial}parity = \"mark\""), "6:10", "\"none\" or \"odd\" or \"even\""),
        (format!("{serial}stop_bits = 3"), "6:13", "1 or 2"),
        (format!("{serial}flow = \"dtr\""), "6:8", "\"xonxoff\""),
        (format!("{serial}terminator = \"newline\""), "6:14", "\"crlf\""),
        (format!("{serial}gap_ms = 4"), "6:10", "5 to 2000"),
        (format!("{serial}prefix = \"\""), "6:10", "remove this line"),
        (format!("{serial}gs = \"{}\"", "x".repeat(33)), "6:6", "1 to 32 bytes"),
        (format!("{serial}error_beep = \"\""), "6:14", "\\u0007"),
        (format!("{serial}error_beep = 7"), "6:14", ""),
        (format!("{serial}layout = \"us\""), "6:10", "remove"),
        (format!("{evdev}layout = \"martian\""), "6:10", "us"),
        (format!("{evdev}baud = 9600"), "6:8", "remove"),
        (format!("{evdev}error_beep = true"), "6:14", "remove"),
        ("kind = \"hidraw\"\nany = true\nterminator = \"cr\"".to_owned(), "6:14", "remove"),
        ("kind = \"hidraw\"\nany = true\nlayout = \"us\"".to_owned(), "6:10", "remove"),
        ("kind = \"stdin\"\npath = \"/dev/x\"".to_owned(), "5:8", "remove"),
        ("kind = \"stdin\"\ngs = \"|\"".to_owned(), "5:6", "remove"),
        ("kind = \"stdin\"\nspeed = 3".to_owned(), "5:1", ""),
        (format!("{evdev}[[scanner]]\nname = \"b\"\n{evdev}"), "8:8", "tell them apart"),
    ] {
        let error = read(&lines).expect_err(&lines).to_string();
        assert!(error.starts_with(&format!("t.toml:{place}:")), "{lines:?} gave {error}");
        assert!(error.contains(cure), "{lines:?} gave {error}");
    }
}

#[test]
fn a_more_exact_scanner_may_stand_beside_a_general_one() {
    let list = read("kind = \"evdev\"\nany = true\n[[scanner]]\nname = \"b\"\nkind = \"evdev\"\nusb = \"05e0:1200\"");
    assert_eq!(list.map(|list| list.len()), Ok(2));
}

#[test]
fn the_shipped_example_shows_every_key_of_a_scanner() {
    let example = include_str!("../../../../config/tallyman.toml");
    let error = read("kind = \"stdin\"\nzzz = 1").expect_err("an unknown key").to_string();
    // "unknown field `zzz`, expected one of `name`, ..."
    let keys: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(keys.len() > 15, "{error}");
    for key in keys {
        let shown = example.lines().any(|line| line.trim_start_matches(['#', ' ']).starts_with(&format!("{key} = ")));
        assert!(shown, "{key} is not in config/tallyman.toml");
    }
}
