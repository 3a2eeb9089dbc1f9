//! Any report descriptor and any reports: no panic, bounded memory, and nothing is left behind when a code is over.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::{arbitrary, fuzz_target};

use tallyman::domain::decode::frame::{Frame, MAX_FRAME};
use tallyman::domain::decode::hid_pos::{HidPos, ReportMap};
use tallyman::domain::time::{Now, Wall};

/// A scanner's: report 2 is a byte count, three symbology characters, 16 bytes of data, 7 bits of filling, "continued".
const SCANNER: &[u8] = &[
    0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x12, 0xa1, 0x02, 0x85, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75,
    0x08, //
    0xa4, 0x05, 0x01, 0x09, 0x3b, 0x95, 0x01, 0x81, 0x02, 0xb4, // byte count
    0x95, 0x03, 0x09, 0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81, 0x02, // symbology
    0x95, 0x10, 0x09, 0xfe, 0x82, 0x02, 0x01, // data
    0x95, 0x07, 0x75, 0x01, 0x81, 0x03, 0x95, 0x01, 0x09, 0xff, 0x81, 0x02, 0xc0, 0xc0, // continued
];

#[derive(Debug, arbitrary::Arbitrary)]
struct Input<'a> {
    /// The descriptor alone, or what is put into a scanner's in the place of some of its bytes.
    descriptor: &'a [u8],
    within: Option<(u8, u8)>,
    /// A report, how many milliseconds after the one before, and how many more of it.
    reports: Vec<(&'a [u8], u16, u8)>,
}

fuzz_target!(|input: Input<'_>| {
    let descriptor = match input.within {
        None => input.descriptor.to_vec(),
        Some((from, instead_of)) => {
            let from = usize::from(from) % SCANNER.len();
            let to = (from + usize::from(instead_of % 8)).min(SCANNER.len());
            [&SCANNER[..from], input.descriptor, &SCANNER[to..]].concat()
        }
    };
    let Some(map) = ReportMap::parse(&descriptor) else { return };
    let mut scanner = HidPos::new(map);
    let mut boot = Duration::ZERO;
    // The bits that came for the code under way: a value has one at least, and gives one byte.
    let mut bits = 0;
    let often = |&(report, after, more): &(_, u16, u8)| {
        std::iter::once((report, after)).chain(std::iter::repeat_n((report, 0), usize::from(more)))
    };
    for (report, after) in input.reports.iter().flat_map(often) {
        boot += Duration::from_millis(u64::from(after));
        let now = Now { boot, wall: Wall(0) };
        let late = scanner.on_silence(now);
        check(late.as_ref(), bits, &scanner);
        bits = if late.is_some() { 0 } else { bits } + 8 * report.len();
        let frame = scanner.report(report, now);
        check(frame.as_ref(), bits, &scanner);
        if scanner.deadline().is_none() {
            bits = 0;
        }
    }
    check(scanner.unplugged().as_ref(), bits, &scanner);
    assert_eq!((scanner.unplugged(), scanner.deadline()), (None, None));
});

fn check(frame: Option<&Frame>, bits: usize, scanner: &HidPos) {
    let Some(frame) = frame else { return };
    assert!(frame.bytes.len() <= MAX_FRAME.min(bits) && frame.flaws.len() <= 2, "{frame:?} of {bits} bits");
    assert_eq!(scanner.deadline(), None, "a code that came out is over");
}
