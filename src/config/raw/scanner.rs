//! `[[scanner]]` as written, and its checks.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use tokio_serial::{DataBits, FlowControl, Parity, StopBits};
use toml::Spanned;

use super::{Text, closest};
use crate::config::{ConfigError, Scanner, Source};
use crate::domain::decode::frame::{Framing, Terminator};
use crate::domain::decode::keymap::Layout;
use crate::domain::device::{Choice, UsbId};
use crate::io::evdev::EvdevConfig;
use crate::io::serial::SerialConfig;

const BAUD_RATES: &[u32] = &[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115_200, 230_400, 460_800, 921_600];
const MAX_SCANNERS: usize = 16;
/// A prefix, a suffix or a maker's beep command; none is longer.
const MAX_TEXT: usize = 32;
const GAP_MS: std::ops::RangeInclusive<u64> = 5..=2000;
const KINDS: &[&str] = &["serial", "evdev", "hidraw", "stdin"];
/// BEL, which most serial scanners answer with a beep.
const BELL: &[u8] = &[0x07];
/// Silence that ends a code which nothing else has ended: the rest was lost on the way, and must not spoil the next.
const SERIAL_REST: Duration = Duration::from_secs(2);
const KEYBOARD_REST: Duration = Duration::from_secs(1);
/// On a keyboard that is known by its rhythm alone, silence ends a code as well as a terminator does.
const RHYTHM_REST: Duration = Duration::from_millis(100);
const GAP: Duration = Duration::from_millis(50);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScanner {
    name: Spanned<String>,
    kind: Spanned<String>,
    path: Option<Spanned<PathBuf>>,
    usb: Option<Spanned<String>>,
    usb_serial: Option<Spanned<String>>,
    port: Option<Spanned<String>>,
    any: Option<Spanned<bool>>,
    layout: Option<Spanned<String>>,
    terminator: Option<Spanned<String>>,
    gap_ms: Option<Spanned<u64>>,
    prefix: Option<Spanned<String>>,
    suffix: Option<Spanned<String>>,
    gs: Option<Spanned<String>>,
    baud: Option<Spanned<u32>>,
    data_bits: Option<Spanned<u8>>,
    parity: Option<Spanned<String>>,
    stop_bits: Option<Spanned<u8>>,
    flow: Option<Spanned<String>>,
    error_beep: Option<Spanned<RawBeep>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "error_beep is true, false or a text")]
enum RawBeep {
    Switch(bool),
    Bytes(String),
}

type Place = Option<std::ops::Range<usize>>;

fn place<T>(value: &Option<Spanned<T>>) -> Place {
    value.as_ref().map(Spanned::span)
}

impl RawScanner {
    /// Keys that choose a device.
    fn choosing(&self) -> [Place; 5] {
        [place(&self.path), place(&self.usb), place(&self.usb_serial), place(&self.port), place(&self.any)]
    }

    /// Keys about how codes are wrapped.
    fn wrapping(&self) -> [Place; 5] {
        [place(&self.terminator), place(&self.gap_ms), place(&self.prefix), place(&self.suffix), place(&self.gs)]
    }

    /// Keys about a serial line.
    fn line(&self) -> [Place; 6] {
        [
            place(&self.baud),
            place(&self.data_bits),
            place(&self.parity),
            place(&self.stop_bits),
            place(&self.flow),
            place(&self.error_beep),
        ]
    }
}

impl Text<'_> {
    pub(super) fn scanners(&self, list: Vec<RawScanner>) -> Result<Vec<Scanner>, ConfigError> {
        let mut scanners: Vec<Scanner> = Vec::new();
        for raw in list {
            let span = raw.name.span();
            if scanners.len() == MAX_SCANNERS {
                return Err(self.error(
                    span,
                    format!("more than {MAX_SCANNERS} scanners"),
                    "one agent serves one person's scanners",
                ));
            }
            let name = raw.name.get_ref().clone();
            if name.is_empty() || name.len() > 40 || name == "page" {
                let message = format!("{name:?} is no name for a scanner");
                return Err(self.error(span, message, "write 1 to 40 characters, and not \"page\""));
            }
            if scanners.iter().any(|known| known.name == name) {
                return Err(self.error(span, format!("two scanners are named {name:?}"), "give each its own name"));
            }
            let kind = raw.kind.span();
            let source = self.source(raw)?;
            if let Some(other) = scanners.iter().find(|known| clash(&known.source, &source)) {
                let message = format!("the scanner {:?} above has the same device", other.name);
                let help = "tell them apart by path, usb_serial or port; one block reads all equal scanners";
                return Err(self.error(kind, message, help));
            }
            scanners.push(Scanner { name, source });
        }
        Ok(scanners)
    }

    fn source(&self, raw: RawScanner) -> Result<Source, ConfigError> {
        match raw.kind.get_ref().as_str() {
            "serial" => self.serial(&raw).map(Source::Serial),
            "evdev" => self.evdev(&raw).map(Source::Evdev),
            "hidraw" => {
                self.only("a serial scanner", raw.line())?;
                self.only("a serial or keyboard scanner", raw.wrapping())?;
                self.only("a keyboard scanner", [place(&raw.layout)])?;
                self.choice(&raw, "/dev/hidraw0").map(Source::Hidraw)
            }
            "stdin" => {
                self.only("a scanner that is a device", raw.choosing())?;
                self.only("a serial scanner", raw.line())?;
                self.only("a serial or keyboard scanner", raw.wrapping())?;
                self.only("a keyboard scanner", [place(&raw.layout)])?;
                Ok(Source::Stdin)
            }
            other => {
                let help = closest(other, KINDS).map_or_else(
                    || "write \"serial\", \"evdev\", \"hidraw\" or \"stdin\"".to_owned(),
                    |word| format!("did you mean \"{word}\"?"),
                );
                Err(self.error(raw.kind.span(), format!("{other:?} is no kind of scanner"), help))
            }
        }
    }

    fn serial(&self, raw: &RawScanner) -> Result<SerialConfig, ConfigError> {
        self.only("a keyboard scanner", [place(&raw.layout)])?;
        if let Some(any) = &raw.any {
            let message = "a serial line doesn't tell whether a scanner is behind it";
            return Err(self.error(any.span(), message, "choose it by path or by usb"));
        }
        Ok(SerialConfig {
            choice: self.choice(raw, "/dev/serial/by-id/usb-...")?,
            baud: self.baud(raw.baud.as_ref())?,
            data_bits: self.number(
                raw.data_bits.as_ref(),
                "data_bits",
                &[(8, DataBits::Eight), (7, DataBits::Seven)],
            )?,
            parity: self.word(
                raw.parity.as_ref(),
                "parity",
                &[("none", Parity::None), ("odd", Parity::Odd), ("even", Parity::Even)],
            )?,
            stop_bits: self.number(raw.stop_bits.as_ref(), "stop_bits", &[(1, StopBits::One), (2, StopBits::Two)])?,
            flow: self.word(
                raw.flow.as_ref(),
                "flow control",
                &[("none", FlowControl::None), ("xonxoff", FlowControl::Software), ("rtscts", FlowControl::Hardware)],
            )?,
            framing: self.framing(raw, Terminator::Line, SERIAL_REST)?,
            error_beep: self.error_beep(raw.error_beep.as_ref())?,
        })
    }

    fn evdev(&self, raw: &RawScanner) -> Result<EvdevConfig, ConfigError> {
        self.only("a serial scanner", raw.line())?;
        let choice = self.choice(raw, "/dev/input/by-id/usb-...-event-kbd")?;
        let rest = if choice == Choice::Any { RHYTHM_REST } else { KEYBOARD_REST };
        Ok(EvdevConfig { choice, layout: self.layout(raw)?, framing: self.framing(raw, Terminator::Any, rest)? })
    }

    /// Exactly one of path, usb and any.
    fn choice(&self, raw: &RawScanner, example: &str) -> Result<Choice, ConfigError> {
        let any = raw.any.as_ref().filter(|any| *any.get_ref());
        let places = [place(&raw.path), place(&raw.usb), any.map(Spanned::span)];
        let mut chosen = places.into_iter().flatten();
        if let (Some(_), Some(second)) = (chosen.next(), chosen.next()) {
            let message = "the device is chosen twice";
            return Err(self.error(second, message, "keep one of path, usb and any, the most exact"));
        }
        if let Some(usb) = &raw.usb {
            let Some(id) = UsbId::parse(usb.get_ref()) else {
                let message = format!("{:?} is no vendor and product", usb.get_ref());
                let help = "write it as lsusb and tallyman devices print it, like \"05e0:1200\"";
                return Err(self.error(usb.span(), message, help));
            };
            let text = |value: &Option<Spanned<String>>| value.as_ref().map(|text| text.get_ref().clone());
            return Ok(Choice::Usb { id, serial: text(&raw.usb_serial), port: text(&raw.port) });
        }
        if let Some(span) = place(&raw.usb_serial).or(place(&raw.port)) {
            return Err(self.error(span, "this needs usb beside it", "add the line: usb = \"vvvv:pppp\""));
        }
        match (&raw.path, any) {
            (Some(path), _) => Ok(Choice::Path(path.get_ref().clone())),
            (None, Some(_)) => Ok(Choice::Any),
            (None, None) => Err(self.error(
                raw.kind.span(),
                "which device?",
                format!("add the line: path = \"{example}\" (tallyman devices lists what is plugged in), or usb ="),
            )),
        }
    }

    /// Keys that mean something to other kinds of scanners.
    fn only<const N: usize>(&self, who: &str, keys: [Place; N]) -> Result<(), ConfigError> {
        match keys.into_iter().flatten().next() {
            Some(span) => Err(self.error(span, format!("only {who} has this setting"), "remove this line")),
            None => Ok(()),
        }
    }

    fn layout(&self, raw: &RawScanner) -> Result<Layout, ConfigError> {
        let Some(word) = &raw.layout else { return Ok(Layout::default()) };
        Layout::parse(word.get_ref()).ok_or_else(|| {
            let names: Vec<&str> = Layout::ALL.iter().map(|layout| layout.name()).collect();
            let message = format!("{:?} is no keyboard layout", word.get_ref());
            self.error(word.span(), message, format!("write one of: {}", names.join(", ")))
        })
    }

    fn baud(&self, baud: Option<&Spanned<u32>>) -> Result<u32, ConfigError> {
        match baud {
            None => Ok(9600),
            Some(baud) if BAUD_RATES.contains(baud.get_ref()) => Ok(*baud.get_ref()),
            Some(baud) => {
                let help = "9600 and 115200 are usual; the scanner's manual says which it has";
                Err(self.error(baud.span(), format!("{} is no baud rate", baud.get_ref()), help))
            }
        }
    }

    /// One of the words, or the first when nothing is written.
    fn word<T: Copy>(&self, word: Option<&Spanned<String>>, what: &str, known: &[(&str, T)]) -> Result<T, ConfigError> {
        let wanted = word.map(|word| word.get_ref().as_str()).or(known.first().map(|(first, _)| *first));
        known.iter().find(|(name, _)| Some(*name) == wanted).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<String> = known.iter().map(|(name, _)| format!("{name:?}")).collect();
            let message = format!("{:?} is no {what}", wanted.unwrap_or_default());
            self.error(word.map(Spanned::span).unwrap_or_default(), message, format!("write {}", names.join(" or ")))
        })
    }

    /// One of the numbers, or the first when nothing is written.
    fn number<T: Copy>(&self, number: Option<&Spanned<u8>>, what: &str, known: &[(u8, T)]) -> Result<T, ConfigError> {
        let wanted = number.map(|number| *number.get_ref()).or(known.first().map(|(first, _)| *first));
        known.iter().find(|(value, _)| Some(*value) == wanted).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<String> = known.iter().map(|(value, _)| value.to_string()).collect();
            let span = number.map(Spanned::span).unwrap_or_default();
            self.error(span, format!("{what} is out of range"), format!("write {}", names.join(" or ")))
        })
    }

    fn framing(&self, raw: &RawScanner, usual: Terminator, rest: Duration) -> Result<Framing, ConfigError> {
        let terminator = self.terminator(raw.terminator.as_ref(), usual)?;
        let gap = match &raw.gap_ms {
            None if terminator == Terminator::Gap => GAP,
            None => rest,
            Some(gap) if GAP_MS.contains(gap.get_ref()) => Duration::from_millis(*gap.get_ref()),
            Some(gap) => return Err(self.error(gap.span(), "gap_ms is out of range", "write 5 to 2000")),
        };
        let bytes = |value: &Option<Spanned<String>>, example: &str| match value {
            None => Ok(None),
            Some(text) => self.bytes(text.get_ref(), text.span(), example).map(Some),
        };
        Ok(Framing {
            prefix: bytes(&raw.prefix, "~")?.unwrap_or_default(),
            suffix: bytes(&raw.suffix, "#")?.unwrap_or_default(),
            group_separator: bytes(&raw.gs, "|")?,
            ..Framing::ended_by(terminator).with_gap(gap)
        })
    }

    fn terminator(&self, word: Option<&Spanned<String>>, usual: Terminator) -> Result<Terminator, ConfigError> {
        let Some(word) = word else { return Ok(usual) };
        Ok(match word.get_ref().as_str() {
            "line" => Terminator::Line,
            "any" => Terminator::Any,
            "cr" => Terminator::Cr,
            "lf" => Terminator::Lf,
            "crlf" => Terminator::CrLf,
            "etx" => Terminator::Etx,
            "tab" => Terminator::Tab,
            "gap" => Terminator::Gap,
            other => {
                let message = format!("{other:?} is no terminator");
                let help = "write \"line\" (CR, LF or both), \"any\" (CR, LF or TAB), \"cr\", \"lf\", \"crlf\", \
                            \"etx\", \"tab\" or \"gap\"";
                return Err(self.error(word.span(), message, help));
            }
        })
    }

    fn error_beep(&self, beep: Option<&Spanned<RawBeep>>) -> Result<Option<Vec<u8>>, ConfigError> {
        let Some(beep) = beep else { return Ok(None) };
        match beep.get_ref() {
            RawBeep::Switch(on) => Ok(on.then(|| BELL.to_vec())),
            RawBeep::Bytes(text) => self.bytes(text, beep.span(), "\\u0007").map(Some),
        }
    }

    fn bytes(&self, text: &str, span: std::ops::Range<usize>, example: &str) -> Result<Vec<u8>, ConfigError> {
        if (1..=MAX_TEXT).contains(&text.len()) {
            return Ok(text.as_bytes().to_vec());
        }
        let help = format!("write 1 to {MAX_TEXT} bytes, like \"{example}\", or remove this line");
        Err(self.error(span, format!("{} bytes are no such text", text.len()), help))
    }
}

/// Whether two scanners mean the very same devices. Where one is more exact than the other, it has its device.
fn clash(one: &Source, other: &Source) -> bool {
    match (one.claim(), other.claim()) {
        (Some(one), Some(other)) => one == other,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests;
