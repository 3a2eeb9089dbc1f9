//! Any bytes in any pieces, framed in any way: no panic, bounded memory, and nothing of what came is made up.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::{arbitrary, fuzz_target};

use tallyman::domain::decode::frame::{Framer, Framing, MAX_FRAME, Terminator};
use tallyman::domain::time::{Now, Wall};

#[derive(Debug, arbitrary::Arbitrary)]
struct Input<'a> {
    terminator: u8,
    gap: Option<u8>,
    prefix: &'a [u8],
    suffix: &'a [u8],
    group_separator: Option<&'a [u8]>,
    pieces: Vec<(&'a [u8], u8)>,
}

fuzz_target!(|input: Input<'_>| {
    use Terminator::{Any, Cr, CrLf, Etx, Gap, Lf, Line, Tab};
    let terminator = [Line, Any, Cr, Lf, CrLf, Etx, Tab, Gap][usize::from(input.terminator % 8)];
    let mut framer = Framer::new(Framing {
        terminator,
        gap: input.gap.map(|ms| Duration::from_millis(u64::from(ms) + 1)),
        prefix: input.prefix.to_vec(),
        suffix: input.suffix.to_vec(),
        group_separator: input.group_separator.map(<[u8]>::to_vec),
    });
    let mut boot = Duration::ZERO;
    let (mut came, mut left) = (0, 0);
    for (piece, after) in input.pieces {
        boot += Duration::from_millis(u64::from(after));
        let now = Now { boot, wall: Wall(0) };
        let mut frames: Vec<_> = framer.on_silence(now).into_iter().collect();
        frames.extend(framer.feed(piece, now));
        came += piece.len();
        left += frames.iter().map(|frame| frame.bytes.len()).sum::<usize>();
        assert!(frames.iter().all(|frame| frame.bytes.len() <= MAX_FRAME));
    }
    left += framer.unplugged().map_or(0, |frame| frame.bytes.len());
    assert!(left <= came);
    assert_eq!(framer.unplugged(), None);
});
