//! Cuts a serial scanner's byte stream into frames, within a fixed amount of memory.

use std::time::Duration;

use super::Flaw;
use crate::domain::time::{Deadline, Now};

/// The longest frame kept while it is being read. No barcode is longer; what is, is noise.
pub const MAX_FRAME: usize = 4096;

/// How a scanner ends its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminator {
    /// CR, LF or both: an empty frame between them is nobody's scan.
    Line,
    Cr,
    Lf,
    Etx,
    Tab,
    /// No terminator: silence ends the code.
    Gap(Duration),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub bytes: Vec<u8>,
    pub flaws: Vec<Flaw>,
}

#[derive(Debug)]
pub struct Framer {
    terminator: Terminator,
    buffer: Vec<u8>,
    /// Bytes of this frame, those included that no longer fit.
    length: usize,
    silence: Option<Deadline>,
}

impl Framer {
    pub fn new(terminator: Terminator) -> Framer {
        Framer { terminator, buffer: Vec::new(), length: 0, silence: None }
    }

    /// Takes what was read and returns the frames that it completes.
    pub fn feed(&mut self, bytes: &[u8], now: Now) -> Vec<Frame> {
        let mut frames = Vec::new();
        for &byte in bytes {
            if self.ends(byte) {
                frames.extend(self.finish(None));
            } else {
                self.length += 1;
                if self.buffer.len() < MAX_FRAME {
                    self.buffer.push(byte);
                }
            }
        }
        self.silence = match self.terminator {
            Terminator::Gap(gap) if self.length > 0 => Some(now.plus(gap)),
            Terminator::Gap(_)
            | Terminator::Line
            | Terminator::Cr
            | Terminator::Lf
            | Terminator::Etx
            | Terminator::Tab => None,
        };
        frames
    }

    /// When silence will have ended the current frame, if silence is what ends frames.
    pub fn deadline(&self) -> Option<Deadline> {
        self.silence
    }

    /// The frame that silence has ended.
    pub fn on_silence(&mut self, now: Now) -> Option<Frame> {
        self.silence.filter(|deadline| deadline.is_past(now)).and_then(|_| self.finish(None))
    }

    /// The source is gone: what was there of a frame comes out as a partial one.
    pub fn unplugged(&mut self) -> Option<Frame> {
        self.finish(Some(Flaw::Partial))
    }

    fn ends(&self, byte: u8) -> bool {
        match self.terminator {
            Terminator::Line => matches!(byte, b'\r' | b'\n'),
            Terminator::Cr => byte == b'\r',
            Terminator::Lf => byte == b'\n',
            Terminator::Etx => byte == 0x03,
            Terminator::Tab => byte == b'\t',
            Terminator::Gap(_) => false,
        }
    }

    fn finish(&mut self, flaw: Option<Flaw>) -> Option<Frame> {
        self.silence = None;
        let bytes = std::mem::take(&mut self.buffer);
        let length = std::mem::take(&mut self.length);
        if bytes.is_empty() {
            return None;
        }
        let too_long = (length > bytes.len()).then_some(Flaw::TooLong { length });
        Some(Frame { bytes, flaws: too_long.into_iter().chain(flaw).collect() })
    }
}

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

    #[test]
    fn a_code_split_over_reads_is_one_frame_and_two_in_one_read_are_two() {
        let mut framer = Framer::new(Terminator::Line);
        assert_eq!(framer.feed(b"AB", at(0)), []);
        assert_eq!(texts(framer.feed(b"C\r\nDE\rF", at(1))), ["ABC", "DE"]);
        assert_eq!(texts(framer.feed(b"G\n", at(2))), ["FG"]);
    }

    #[test]
    fn memory_stays_bounded_under_an_endless_line() {
        let mut framer = Framer::new(Terminator::Cr);
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
        let mut framer = Framer::new(Terminator::Cr);
        framer.feed(b"70320", at(0));
        assert_eq!(framer.unplugged(), Some(Frame { bytes: b"70320".to_vec(), flaws: vec![Flaw::Partial] }));
        assert_eq!(framer.unplugged(), None);
    }

    #[test]
    fn silence_ends_a_frame_where_no_terminator_does() {
        let mut framer = Framer::new(Terminator::Gap(Duration::from_millis(50)));
        framer.feed(b"AB", at(0));
        framer.feed(b"C", at(40));
        assert_eq!(framer.on_silence(at(80)), None);
        assert_eq!(framer.on_silence(at(90)).map(|f| f.bytes), Some(b"ABC".to_vec()));
        assert_eq!(framer.deadline(), None);
    }
}
