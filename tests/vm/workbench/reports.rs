//! A scanner's end of the USB cable: hands the reports of boot keyboards to HID gadgets, one a tick to each.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;

use crate::pace::{Pace, median_gap_us, now};

const REPORT: usize = 8;

/// `pairs` are a file of reports and the gadget's node, in turn. Prints a line of JSON when all is sent.
pub(crate) fn run(rate: f64, pairs: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut gadgets = Vec::new();
    for pair in pairs.chunks_exact(2) {
        gadgets.push((fs::read(pair[0])?, OpenOptions::new().write(true).open(pair[1])?));
    }
    let longest = gadgets.iter().map(|(reports, _)| reports.len() / REPORT).max().unwrap_or(0);
    let (mut pace, mut sent) = (Pace::of(rate), Vec::with_capacity(longest));
    for number in 0..longest {
        pace.wait();
        sent.push(now());
        for (reports, node) in &mut gadgets {
            if let Some(report) = reports.chunks_exact(REPORT).nth(number) {
                node.write_all(report)?;
            }
        }
    }
    println!("{}", serde_json::json!({ "reports": sent.len(), "median_gap_us": median_gap_us(&sent) }));
    Ok(())
}
