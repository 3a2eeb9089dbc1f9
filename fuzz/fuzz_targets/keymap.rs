//! Any key events at any times, in any layout and framing: no panic, bounded memory, and no key that was pressed is lost: it
//! stays in the code that is under way, as a character or as a flaw, until that code comes out.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::{arbitrary, fuzz_target};

use tallyman::domain::decode::Flaw;
use tallyman::domain::decode::frame::{Frame, Framing, MAX_FRAME, Terminator};
use tallyman::domain::decode::keymap::{KeyAssembler, Layout};
use tallyman::domain::time::{Now, Wall};

/// Modifiers and locks type nothing by themselves.
const SILENT: [u16; 9] = [42, 54, 29, 97, 56, 100, 58, 69, 70];

#[derive(Debug, arbitrary::Arbitrary)]
struct Input<'a> {
    layout: u8,
    terminator: u8,
    gap: Option<u8>,
    /// Prefix, suffix and what stands for GS; these take bytes off, so without them alone is every byte accounted for.
    wrap: Option<(&'a [u8], &'a [u8], &'a [u8])>,
    caps_lock: bool,
    events: Vec<(Event, u8)>,
}

#[derive(Debug, arbitrary::Arbitrary)]
enum Event {
    /// A key of a usual keyboard.
    Key(u8, bool),
    /// Any code with any value.
    Odd(u16, i8),
    /// A key of the keypad under Alt, where a code's characters may come from.
    AltDigits(u8, u8),
    Pause(u16),
    Dropped(Vec<u16>),
    Unplugged,
}

fuzz_target!(|input: Input<'_>| {
    let mut keys = assembler(&input);
    let strict = input.wrap.is_none();
    let gap_ends = strict && input.terminator % 8 == 7;
    let mut boot = Duration::ZERO;
    for (event, after) in input.events {
        boot += Duration::from_millis(u64::from(after));
        if let Event::Pause(ms) = event {
            boot += Duration::from_millis(u64::from(ms));
        }
        let now = Now { boot, wall: Wall(0) };
        // As the reader does it: silence is looked at before each key.
        let mut step = Step::begin(&keys);
        step.end(&keys_on_silence(&mut keys, now), &keys, strict);
        for (code, value) in events_of(&event) {
            step = Step::begin(&keys);
            let kept = step.end(&keys.key(code, value, now), &keys, strict);
            assert!(kept || !gap_ends || value != 1 || SILENT.contains(&code), "key {code} is lost");
        }
        step = Step::begin(&keys);
        match event {
            Event::Dropped(held) => {
                keys.dropped();
                keys.resync(&held);
                step.end(&None, &keys, strict);
            }
            Event::Unplugged => {
                step.end(&keys.unplugged(), &keys, strict);
                assert_eq!((keys.unplugged(), keys.deadline()), (None, None));
            }
            Event::Key(..) | Event::Odd(..) | Event::AltDigits(..) | Event::Pause(_) => {}
        }
    }
    keys.unplugged();
    assert_eq!((keys.unplugged(), keys.deadline()), (None, None));
});

fn assembler(input: &Input<'_>) -> KeyAssembler {
    use Terminator::{Any, Cr, CrLf, Etx, Gap, Lf, Line, Tab};
    let (prefix, suffix, separator) = input.wrap.unwrap_or_default();
    let framing = Framing {
        terminator: [Line, Any, Cr, Lf, CrLf, Etx, Tab, Gap][usize::from(input.terminator % 8)],
        gap: input.gap.map(|ms| Duration::from_millis(u64::from(ms) + 1)),
        prefix: prefix.to_vec(),
        suffix: suffix.to_vec(),
        group_separator: input.wrap.map(|_| separator.to_vec()),
    };
    let mut keys = KeyAssembler::new(Layout::ALL[usize::from(input.layout) % Layout::ALL.len()], framing);
    keys.set_caps_lock(input.caps_lock);
    keys
}

fn events_of(event: &Event) -> Vec<(u16, i32)> {
    const KEYPAD: [u16; 10] = [82, 79, 80, 81, 75, 76, 77, 71, 72, 73];
    match *event {
        Event::Key(code, down) => vec![(u16::from(code), i32::from(down))],
        Event::Odd(code, value) => vec![(code, i32::from(value))],
        Event::AltDigits(tens, ones) => {
            let digit = |n: u8| KEYPAD[usize::from(n % 10)];
            vec![(56, 1), (digit(tens), 1), (digit(tens), 0), (digit(ones), 1), (digit(ones), 0), (56, 0)]
        }
        Event::Pause(_) | Event::Dropped(_) | Event::Unplugged => vec![],
    }
}

fn keys_on_silence(keys: &mut KeyAssembler, now: Now) -> Option<Frame> {
    let frame = keys.on_silence(now);
    assert!(keys.deadline().is_none_or(|deadline| !deadline.is_past(now)), "silence ends what it can end at once");
    frame
}

/// What was there of a code before something happened.
struct Step(Option<Frame>);

impl Step {
    fn begin(keys: &KeyAssembler) -> Step {
        Step(keys.clone().unplugged())
    }

    /// Whether anything is there now, in a code that came out or in one under way. It must have all that was there before,
    /// but for the last character: an accent is joined with its letter, and a CR was half of the terminator.
    fn end(&self, out: &Option<Frame>, keys: &KeyAssembler, strict: bool) -> bool {
        let kept = out.clone().or_else(|| keys.clone().unplugged());
        let (bytes, flaws) = kept.as_ref().map_or((&[][..], &[][..]), |frame| (&frame.bytes, &frame.flaws));
        assert!(bytes.len() <= MAX_FRAME && flaws.len() <= 8 + 3);
        if let (Some(before), true) = (&self.0, strict) {
            let sure = before.bytes.len().saturating_sub(2);
            assert!(bytes.starts_with(&before.bytes[..sure]), "{before:?} became {kept:?}");
            let mut remarks =
                before.flaws.iter().filter(|flaw| matches!(flaw, Flaw::UnknownKey { .. } | Flaw::Dropped));
            assert!(remarks.all(|flaw| flaws.contains(flaw)), "{before:?} became {kept:?}");
        }
        kept.is_some()
    }
}
