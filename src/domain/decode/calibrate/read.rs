//! Recordings, read with one setting after the other.

use std::time::Duration;

use super::super::Flaw;
use super::super::frame::{Frame, Framer, Framing, Terminator};
use super::super::keymap::{KeyAssembler, Layout};
use super::super::trace::{Happening, Step};
use crate::domain::time::{Deadline, Now, Wall};

/// Longer than the sheet's codes with anything that may stand around them: a limit for comparing.
const MOST_COMPARED: usize = 256;

/// What has to be known to read key codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) layout: Option<Layout>,
    pub(super) caps_lock: bool,
}

impl Setting {
    /// The likeliest first.
    pub(super) fn typed(caps_lock: bool) -> Vec<Setting> {
        Layout::ALL.map(|layout| Setting { layout: Some(layout), caps_lock }).to_vec()
    }

    pub(super) fn bytes() -> Vec<Setting> {
        vec![Setting { layout: None, caps_lock: false }]
    }
}

/// Everything that one recording says, terminators included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) bytes: Vec<u8>,
    /// Keys without a character.
    pub(super) silent_keys: Vec<u16>,
}

pub(super) fn reading(trace: &[Step], setting: Setting) -> Reading {
    // Without a terminator and without a gap, nothing ends the frame but the end of the recording.
    let mut reader = Reader::new(setting, Framing::ended_by(Terminator::Gap), true);
    let mut now = START;
    for step in trace {
        now.boot = now.boot.saturating_add(step.after);
        reader.take(&step.what, now);
    }
    let Some(frame) = reader.end() else { return Reading::default() };
    let silent = |flaw: &Flaw| if let Flaw::UnknownKey { code } = flaw { Some(*code) } else { None };
    Reading { silent_keys: frame.flaws.iter().filter_map(silent).collect(), bytes: frame.bytes }
}

/// The frames that `framing` cuts the recording into, with the silence behind it.
pub(super) fn frames(trace: &[Step], setting: Setting, framing: Framing) -> Vec<Frame> {
    let mut reader = Reader::new(setting, framing, false);
    let mut frames = vec![];
    let mut now = START;
    for step in trace {
        now.boot = now.boot.saturating_add(step.after);
        frames.extend(reader.silence(now));
        frames.extend(reader.take(&step.what, now));
    }
    if let Some(Deadline(boot)) = reader.deadline() {
        frames.extend(reader.silence(Now { boot, ..now }));
    }
    frames.extend(reader.end());
    frames
}

/// The longest silence between two characters.
pub(super) fn longest_gap(trace: &[Step]) -> Duration {
    let (mut longest, mut since) = (Duration::ZERO, None);
    for step in trace {
        since = since.map(|since: Duration| since.saturating_add(step.after));
        let speaks = match &step.what {
            Happening::Key { value, .. } => *value == 1,
            Happening::Bytes(_) => true,
            Happening::Dropped => false,
        };
        if speaks {
            longest = longest.max(since.unwrap_or_default());
            since = Some(Duration::ZERO);
        }
    }
    longest
}

/// How many bytes two texts have in common, in the same order.
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    let b = &b[..b.len().min(MOST_COMPARED)];
    let mut row = vec![0; b.len() + 1];
    for &x in a.iter().take(MOST_COMPARED) {
        let mut diagonal = 0;
        for (place, &y) in b.iter().enumerate() {
            let above = row[place + 1];
            row[place + 1] = if x == y { diagonal + 1 } else { above.max(row[place]) };
            diagonal = above;
        }
    }
    row.last().copied().unwrap_or_default()
}

const START: Now = Now { boot: Duration::ZERO, wall: Wall(0) };

enum Reader {
    Keys(Box<KeyAssembler>),
    Bytes(Box<Framer>),
}

impl Reader {
    fn new(setting: Setting, framing: Framing, spelling: bool) -> Reader {
        let Some(layout) = setting.layout else { return Reader::Bytes(Box::new(Framer::new(framing))) };
        let mut assembler = KeyAssembler::new(layout, framing);
        assembler.set_caps_lock(setting.caps_lock);
        Reader::Keys(Box::new(if spelling { assembler.spelling_all() } else { assembler }))
    }

    fn take(&mut self, what: &Happening, now: Now) -> Vec<Frame> {
        match (self, what) {
            (Reader::Keys(assembler), Happening::Key { code, value }) => {
                assembler.key(*code, *value, now).into_iter().collect()
            }
            (Reader::Bytes(framer), Happening::Bytes(bytes)) => framer.feed(bytes, now),
            (Reader::Keys(_) | Reader::Bytes(_), Happening::Key { .. } | Happening::Bytes(_) | Happening::Dropped) => {
                vec![]
            }
        }
    }

    fn deadline(&self) -> Option<Deadline> {
        match self {
            Reader::Keys(assembler) => assembler.deadline(),
            Reader::Bytes(framer) => framer.deadline(),
        }
    }

    fn silence(&mut self, now: Now) -> Option<Frame> {
        match self {
            Reader::Keys(assembler) => assembler.on_silence(now),
            Reader::Bytes(framer) => framer.on_silence(now),
        }
    }

    fn end(&mut self) -> Option<Frame> {
        match self {
            Reader::Keys(assembler) => assembler.unplugged(),
            Reader::Bytes(framer) => framer.unplugged(),
        }
    }
}
