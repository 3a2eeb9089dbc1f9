//! Cuts what a scanner sends into frames, one code each, within a fixed amount of memory.
//!
//! A serial line's bytes and a keyboard's characters are cut by the same rules: a keyboard's Enter is a CR here, its Tab a
//! TAB, its Ctrl+J a LF.

use std::time::Duration;

use super::Flaw;
use crate::domain::time::{Deadline, Now};

/// The longest frame kept while it is being read. No barcode is longer; what is, is noise.
pub const MAX_FRAME: usize = 4096;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const GS: u8 = 0x1d;

/// How a scanner ends its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminator {
    /// CR, LF or both: an empty frame between them is nobody's scan.
    Line,
    /// CR, LF or TAB: whatever a keyboard wedge may be set to send, since no code holds one of them.
    Any,
    Cr,
    Lf,
    /// Both, in this order: a CR or a LF alone is data.
    CrLf,
    Etx,
    Tab,
    /// No terminator: silence ends the code.
    Gap,
}

/// How one device wraps its codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framing {
    pub terminator: Terminator,
    /// Silence after which a code is over: complete where no terminator is sent, cut off where one should have come.
    pub gap: Option<Duration>,
    /// Sent before each code; taken off when it is there. A leading STX is always taken off.
    pub prefix: Vec<u8>,
    /// Sent behind each code, before the terminator; taken off when it is there.
    pub suffix: Vec<u8>,
    /// What the scanner sends in the place of GS (0x1D), when it is set to send something else.
    pub group_separator: Option<Vec<u8>>,
}

impl Framing {
    pub const fn ended_by(terminator: Terminator) -> Framing {
        Framing { terminator, gap: None, prefix: Vec::new(), suffix: Vec::new(), group_separator: None }
    }

    pub fn with_gap(self, gap: Duration) -> Framing {
        Framing { gap: Some(gap), ..self }
    }

    /// The code inside: prefix, suffix and STX gone, GS where it belongs.
    fn unwrap(&self, bytes: Vec<u8>) -> Vec<u8> {
        let inside = bytes.strip_prefix(&[STX]).unwrap_or(&bytes);
        let inside = inside.strip_prefix(&self.prefix[..]).unwrap_or(inside);
        let inside = inside.strip_suffix(&self.suffix[..]).unwrap_or(inside);
        match &self.group_separator {
            Some(sent) if !sent.is_empty() => replace(inside, sent, GS),
            Some(_) | None if inside.len() == bytes.len() => bytes,
            Some(_) | None => inside.to_vec(),
        }
    }
}

fn replace(bytes: &[u8], what: &[u8], with: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(what) {
            out.push(with);
            rest = behind;
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub bytes: Vec<u8>,
    pub flaws: Vec<Flaw>,
}

#[derive(Clone, Debug)]
pub struct Framer {
    framing: Framing,
    buffer: Vec<u8>,
    /// Bytes of this frame, those included that no longer fit.
    length: usize,
    /// The last byte, to know CR LF as one.
    last: u8,
    flaws: Vec<Flaw>,
    silence: Option<Deadline>,
}

impl Framer {
    pub fn new(framing: Framing) -> Framer {
        Framer { framing, buffer: Vec::new(), length: 0, last: 0, flaws: Vec::new(), silence: None }
    }

    /// Takes what was read and returns the frames that it completes.
    pub fn feed(&mut self, bytes: &[u8], now: Now) -> Vec<Frame> {
        let mut frames = Vec::new();
        for &byte in bytes {
            frames.extend(self.push(byte));
        }
        let gap = self.framing.gap.filter(|_| self.length > 0);
        self.silence = gap.map(|gap| now.plus(gap));
        frames
    }

    /// When silence will have ended the current frame, if silence means anything on this device.
    pub fn deadline(&self) -> Option<Deadline> {
        self.silence
    }

    /// The frame that silence has ended.
    pub fn on_silence(&mut self, now: Now) -> Option<Frame> {
        self.silence.filter(|deadline| deadline.is_past(now))?;
        if self.framing.terminator != Terminator::Gap {
            self.flag(Flaw::Partial);
        }
        self.finish()
    }

    /// The source is gone: what was there of a frame comes out as a partial one.
    pub fn unplugged(&mut self) -> Option<Frame> {
        if self.length == 0 && self.flaws.is_empty() {
            return None;
        }
        self.flag(Flaw::Partial);
        self.finish()
    }

    /// Notes something odd about the frame that is being read.
    pub fn flag(&mut self, flaw: Flaw) {
        let of_the_whole = matches!(flaw, Flaw::Partial | Flaw::Dropped | Flaw::TooLong { .. });
        if !self.flaws.contains(&flaw) && (of_the_whole || self.flaws.len() < MAX_FLAWS) {
            self.flaws.push(flaw);
        }
    }

    fn push(&mut self, byte: u8) -> Option<Frame> {
        let before = std::mem::replace(&mut self.last, byte);
        let ends = match self.framing.terminator {
            Terminator::Line => matches!(byte, b'\r' | b'\n'),
            Terminator::Any => matches!(byte, b'\r' | b'\n' | b'\t'),
            Terminator::Cr => byte == b'\r',
            Terminator::Lf => byte == b'\n',
            Terminator::CrLf => before == b'\r' && byte == b'\n',
            Terminator::Etx => byte == ETX,
            Terminator::Tab => byte == b'\t',
            Terminator::Gap => false,
        };
        if ends {
            if self.framing.terminator == Terminator::CrLf {
                self.take_back();
            }
            return self.finish();
        }
        self.length += 1;
        if self.buffer.len() < MAX_FRAME {
            self.buffer.push(byte);
        }
        None
    }

    /// Removes the CR that turned out to be half of the terminator.
    fn take_back(&mut self) {
        if self.buffer.len() == self.length {
            self.buffer.pop();
        }
        self.length = self.length.saturating_sub(1);
    }

    fn finish(&mut self) -> Option<Frame> {
        self.silence = None;
        let bytes = std::mem::take(&mut self.buffer);
        let length = std::mem::take(&mut self.length);
        if length > bytes.len() {
            self.flag(Flaw::TooLong { length });
        }
        let flaws = std::mem::take(&mut self.flaws);
        if bytes.is_empty() && flaws.is_empty() {
            return None;
        }
        let bytes = self.framing.unwrap(bytes);
        (!bytes.is_empty() || !flaws.is_empty()).then_some(Frame { bytes, flaws })
    }
}

/// More remarks about the parts of one frame tell a person nothing new. That it isn't whole is said all the same.
const MAX_FLAWS: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::super::time::Wall;
    use super::*;

    const fn at(ms: u64) -> Now {
        Now { boot: Duration::from_millis(ms), wall: Wall(0) }
    }

    fn texts(frames: Vec<Frame>) -> Vec<String> {
        frames.into_iter().map(|f| String::from_utf8_lossy(&f.bytes).into_owned()).collect()
    }

    fn cut(terminator: Terminator, bytes: &[u8]) -> Vec<String> {
        texts(Framer::new(Framing::ended_by(terminator)).feed(bytes, at(0)))
    }

    #[test]
    fn a_code_split_over_reads_is_one_frame_and_two_in_one_read_are_two() {
        let mut framer = Framer::new(Framing::ended_by(Terminator::Line));
        assert_eq!(framer.feed(b"AB", at(0)), []);
        assert_eq!(texts(framer.feed(b"C\r\nDE\rF", at(1))), ["ABC", "DE"]);
        assert_eq!(texts(framer.feed(b"G\n", at(2))), ["FG"]);
    }

    #[test]
    fn each_terminator_ends_its_own_codes_and_no_others() {
        assert_eq!(cut(Terminator::Line, b"A\tB\r\nC\n"), ["A\tB", "C"]);
        assert_eq!(cut(Terminator::Any, b"A\tB\rC\n\t"), ["A", "B", "C"]);
        assert_eq!(cut(Terminator::Cr, b"A\nB\rC\r"), ["A\nB", "C"]);
        assert_eq!(cut(Terminator::Lf, b"A\rB\nC\n"), ["A\rB", "C"]);
        assert_eq!(cut(Terminator::CrLf, b"A\rB\nC\r\nD\r\n"), ["A\rB\nC", "D"]);
        assert_eq!(cut(Terminator::Etx, b"\x02A\x03\x02B\x03"), ["A", "B"]);
        assert_eq!(cut(Terminator::Tab, b"A\tB\t"), ["A", "B"]);
    }

    #[test]
    fn memory_stays_bounded_under_an_endless_line() {
        let mut framer = Framer::new(Framing::ended_by(Terminator::Cr));
        for _ in 0..2560 {
            assert_eq!(framer.feed(&[b'x'; 4096], at(0)), []);
        }
        let frames = framer.feed(b"\rnext\r", at(0));
        assert_eq!(frames[0].bytes.len(), MAX_FRAME);
        assert_eq!(frames[0].flaws, [Flaw::TooLong { length: 2560 * 4096 }]);
        assert_eq!(texts(frames)[1], "next");
    }

    #[test]
    fn a_half_code_at_unplug_is_a_flaw_not_a_scan() {
        let mut framer = Framer::new(Framing::ended_by(Terminator::Cr));
        framer.feed(b"70320", at(0));
        assert_eq!(framer.unplugged(), Some(Frame { bytes: b"70320".to_vec(), flaws: vec![Flaw::Partial] }));
        assert_eq!(framer.unplugged(), None);
    }

    #[test]
    fn a_frame_with_many_remarks_still_says_that_it_is_not_whole() {
        let mut framer = Framer::new(Framing::ended_by(Terminator::Cr));
        framer.feed(b"70320", at(0));
        (0..100).for_each(|code| framer.flag(Flaw::UnknownKey { code }));
        framer.flag(Flaw::Dropped);
        let flaws = framer.unplugged().map(|frame| frame.flaws).unwrap();
        assert_eq!(flaws.len(), MAX_FLAWS + 2);
        assert!(flaws.ends_with(&[Flaw::Dropped, Flaw::Partial]), "{flaws:?}");
    }

    #[test]
    fn silence_ends_a_frame_where_no_terminator_does() {
        let mut framer = Framer::new(Framing::ended_by(Terminator::Gap).with_gap(Duration::from_millis(50)));
        framer.feed(b"AB", at(0));
        framer.feed(b"C", at(40));
        assert_eq!(framer.on_silence(at(80)), None);
        assert_eq!(framer.on_silence(at(90)), Some(Frame { bytes: b"ABC".to_vec(), flaws: vec![] }));
        assert_eq!(framer.deadline(), None);
    }

    #[test]
    fn silence_before_the_terminator_is_a_cut_off_code_that_hurts_no_other() {
        let mut framer = Framer::new(Framing::ended_by(Terminator::Cr).with_gap(Duration::from_millis(50)));
        framer.feed(b"703", at(0));
        assert_eq!(framer.on_silence(at(60)), Some(Frame { bytes: b"703".to_vec(), flaws: vec![Flaw::Partial] }));
        assert_eq!(texts(framer.feed(b"WHOLE\r", at(70))), ["WHOLE"]);
    }

    #[test]
    fn what_the_scanner_wraps_around_a_code_is_taken_off_and_gs_put_back() {
        let framing = Framing {
            prefix: b"~S".to_vec(),
            suffix: b"#".to_vec(),
            group_separator: Some(b"{GS}".to_vec()),
            ..Framing::ended_by(Terminator::Line)
        };
        let mut framer = Framer::new(framing);
        assert_eq!(texts(framer.feed(b"~S10A{GS}21B#\r", at(0))), ["10A\u{1d}21B"]);
        assert_eq!(texts(framer.feed(b"bare\r", at(0))), ["bare"]);
        assert_eq!(framer.feed(b"~S#\r", at(0)), []);
    }
}
