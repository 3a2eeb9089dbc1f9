//! A keyboard made with uinput, and a typist on it who takes one order a line from a FIFO:
//!
//! | order | what it does |
//! | --- | --- |
//! | `type RATE "TEXT"` | types a JSON string, RATE reports a second |
//! | `again RATE COUNT "TEXT"` | the same COUNT times |
//! | `labels RATE PREFIX COUNT LENGTH` | types COUNT labels of LENGTH characters, each ended by Enter |
//! | `hold CODE`, `release CODE`, `repeat CODE` | one report with that key going down, up, or repeating itself |
//! | `burst COUNT` | COUNT key taps as fast as the kernel takes them |
//! | `unplug` | takes the keyboard away and ends |
//!
//! Prints where the keyboard is, then a line of JSON for each order that is done.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::time::Instant;

use evdev::uinput::VirtualDevice;
use evdev::{AttributeSet, BusType, EventType, InputEvent, InputId, KeyCode, MiscCode};

use crate::keys::{self, Stroke};
use crate::pace::{Pace, median_gap_us, now};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

pub(crate) fn run(fifo: &str, name: &str, usb: &str) -> Outcome {
    let mut typist = Typist::plug_in(name, usb)?;
    // Held open for writing too: the FIFO must not end when one giver of orders has left.
    let orders = BufReader::new(OpenOptions::new().read(true).write(true).open(fifo)?);
    for order in orders.lines() {
        let order = order?;
        if order == "unplug" {
            break;
        }
        typist.obey(&order)?;
    }
    Ok(())
}

struct Typist {
    keyboard: VirtualDevice,
    /// When each report of the order at hand went out.
    sent: Vec<Instant>,
}

impl Typist {
    fn plug_in(name: &str, usb: &str) -> Outcome<Typist> {
        let (vendor, product) = usb.split_once(':').ok_or("USB ids are written vendor:product")?;
        let id =
            InputId::new(BusType::BUS_USB, u16::from_str_radix(vendor, 16)?, u16::from_str_radix(product, 16)?, 0x0110);
        let keys: AttributeSet<KeyCode> = keys::all().collect();
        // Real keyboards say each key's scan code before the key: one event more in the kernel's buffer.
        let scan_codes: AttributeSet<MiscCode> = [MiscCode::MSC_SCAN].into_iter().collect();
        let mut keyboard =
            VirtualDevice::builder()?.name(name).input_id(id).with_keys(&keys)?.with_msc(&scan_codes)?.build()?;
        let node = keyboard.enumerate_dev_nodes_blocking()?.next().ok_or("the keyboard has no device node")??;
        println!("{}", serde_json::json!({ "node": node }));
        Ok(Typist { keyboard, sent: Vec::new() })
    }

    fn obey(&mut self, order: &str) -> Outcome {
        self.sent.clear();
        let (word, rest) = order.split_once(' ').unwrap_or((order, ""));
        match (word, rest.split(' ').collect::<Vec<_>>().as_slice()) {
            ("type", [rate, ..]) => {
                let text: String = serde_json::from_str(rest[rate.len()..].trim_start())?;
                self.type_text(&text, &mut Pace::of(rate.parse()?))?;
            }
            ("again", [rate, count, ..]) => {
                let text: String = serde_json::from_str(rest[rate.len() + 1 + count.len()..].trim_start())?;
                let mut pace = Pace::of(rate.parse()?);
                for _ in 0..count.parse()? {
                    self.type_text(&text, &mut pace)?;
                }
            }
            ("labels", [rate, prefix, count, length]) => {
                let mut pace = Pace::of(rate.parse()?);
                for number in 0..count.parse()? {
                    self.type_text(&label(prefix, number, length.parse()?), &mut pace)?;
                }
            }
            ("hold", [code]) => self.report(&[change(KeyCode::new(code.parse()?), 1)])?,
            ("release", [code]) => self.report(&[change(KeyCode::new(code.parse()?), 0)])?,
            ("repeat", [code]) => self.report(&[change(KeyCode::new(code.parse()?), 2)])?,
            ("burst", [count]) => {
                for _ in 0..count.parse()? {
                    self.report(&[change(KeyCode::KEY_Z, 1)])?;
                    self.report(&[change(KeyCode::KEY_Z, 0)])?;
                }
            }
            _ => return Err(format!("{order:?} is no order").into()),
        }
        let gap_us = median_gap_us(&self.sent);
        println!("{}", serde_json::json!({ "done": word, "reports": self.sent.len(), "median_gap_us": gap_us }));
        Ok(())
    }

    fn type_text(&mut self, text: &str, pace: &mut Pace) -> Outcome {
        for character in text.chars() {
            let Stroke { with, key } = keys::stroke(character).ok_or(format!("there is no key for {character:?}"))?;
            let down = with.into_iter().chain([key]).map(|key| change(key, 1)).collect::<Vec<_>>();
            let up = [key].into_iter().chain(with).map(|key| change(key, 0)).collect::<Vec<_>>();
            for report in [down, up] {
                pace.wait();
                self.report(&report)?;
            }
        }
        Ok(())
    }

    /// One report of the keyboard: what changed, with scan codes, closed by a SYN_REPORT.
    fn report(&mut self, changes: &[InputEvent]) -> Outcome {
        let with_scan_codes = |change: &InputEvent| {
            let scan_code = InputEvent::new(EventType::MISC.0, MiscCode::MSC_SCAN.0, i32::from(change.code()));
            [scan_code, *change]
        };
        self.keyboard.emit(&changes.iter().flat_map(with_scan_codes).collect::<Vec<_>>())?;
        self.sent.push(now());
        Ok(())
    }
}

fn change(key: KeyCode, value: i32) -> InputEvent {
    InputEvent::new(EventType::KEY.0, key.code(), value)
}

/// A label that says whose it is and which, filled up with characters that differ from label to label, so that a lost, a
/// doubled and a strayed one all show. `tests/vm/lab/bench.py` writes the same.
fn label(prefix: &str, number: usize, length: usize) -> String {
    const FILL: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-./";
    let mut text = format!("{prefix}-{number:05}-");
    text.extend((text.len()..length).map(|place| char::from(FILL[(number * 7 + place * 3) % FILL.len()])));
    text.push('\n');
    text
}
