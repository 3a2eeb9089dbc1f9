//! One keyboard wedge: its events become codes, and it is held alone where it should be.

use std::time::Duration;

use evdev::{EventSummary, InputEvent, SynchronizationCode};

use super::{EvdevConfig, Known, Node, explain};
use crate::domain::decode::Flaw;
use crate::domain::decode::frame::Frame;
use crate::domain::decode::keymap::KeyAssembler;
use crate::domain::decode::pace::{Pace, Rhythm};
use crate::domain::decode::trace::Happening;
use crate::domain::device::{Choice, Device};
use crate::domain::time::{Deadline, Now};
use crate::domain::view::Hold;
use crate::io::clock;
use crate::io::scanner::Ended;
use crate::io::source::{Outlet, Reading, Recorder};

/// After dropped events, a code that doesn't go on for so long is told all the same: its end may be among what was lost.
const AFTER_DROP: Duration = Duration::from_millis(500);
/// A key that is held down for longer than this before the grab is stuck, and is not waited for.
const RELEASE: Duration = Duration::from_secs(10);
/// Ctrl, Shift, Alt and Meta on both sides: they belong to the key after them.
const MODIFIERS: [u16; 8] = [29, 42, 54, 56, 97, 100, 125, 126];

pub(super) struct Wedge<'a> {
    device: &'a Device,
    outlet: &'a Outlet,
    known: &'a Known,
    keys: KeyAssembler,
    recorder: Recorder,
    hold: Hold,
    /// The rhythm, where it alone tells whether this is a scanner.
    pace: Option<Pace>,
    /// Events are missing: what comes before the next SYN_REPORT is not to be trusted.
    discarding: bool,
    dropped: Option<Deadline>,
    stuck: Option<Deadline>,
    /// When the last key came, by the kernel's clock.
    typed: Option<Duration>,
    /// When the events under way were read.
    read: Now,
    /// What was last said about the device.
    told: Option<Hold>,
}

/// What one event came to.
type Outcome = Result<(), Ended>;

impl<'a> Wedge<'a> {
    pub(super) fn new(config: &EvdevConfig, device: &'a Device, outlet: &'a Outlet, known: &'a Known) -> Wedge<'a> {
        let by_rhythm = config.choice == Choice::Any;
        Wedge {
            device,
            outlet,
            known,
            keys: KeyAssembler::new(config.layout, config.framing.clone()),
            recorder: Recorder::default(),
            hold: if by_rhythm && !known.has(device) { Hold::Watched } else { Hold::Waiting },
            pace: by_rhythm.then(Pace::default),
            discarding: false,
            dropped: None,
            stuck: None,
            typed: None,
            read: clock::now(),
            told: None,
        }
    }

    pub(super) async fn begin(&mut self, node: &mut Node) -> Outcome {
        self.keys.set_caps_lock(node.caps_lock().unwrap_or(false));
        if self.hold == Hold::Waiting {
            self.stuck = Some(clock::now().plus(RELEASE));
            self.grab_when_released(node).map_err(|error| explain(&error))?;
        }
        let path = self.device.links.first().unwrap_or(&self.device.node);
        let (name, hold) = (self.device.name.as_str(), self.hold.name());
        tracing::info!(scanner = self.outlet.name(), path = %path.display(), name, hold, "scanner opened");
        self.tell().await
    }

    /// When something must be done although no key comes.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let stuck = self.stuck.filter(|_| self.hold == Hold::Waiting);
        [self.keys.deadline(), self.dropped, stuck].into_iter().flatten().min()
    }

    /// Silence has ended a code, or a wait.
    pub(super) async fn silence(&mut self, node: &mut Node) -> Outcome {
        let now = clock::now();
        self.read = now;
        if let Some(frame) = self.keys.on_silence(now) {
            self.code(frame).await?;
        }
        if self.dropped.take_if(|deadline| deadline.is_past(now)).is_some()
            && let Some(mut frame) = self.keys.unplugged()
        {
            frame.flaws.retain(|flaw| *flaw != Flaw::Partial);
            self.code(frame).await?;
        }
        self.hold_or_let_go(node).await
    }

    /// Takes the events of one read.
    pub(super) async fn events(&mut self, node: &mut Node) -> Outcome {
        self.read = clock::now();
        let mut events = std::mem::take(&mut node.events);
        for event in events.drain(..) {
            self.event(event, node).await?;
        }
        node.events = events;
        self.hold_or_let_go(node).await
    }

    async fn event(&mut self, event: InputEvent, node: &Node) -> Outcome {
        let at = clock::happened(event.timestamp());
        let now = at.unwrap_or_else(clock::now);
        let summary = event.destructure();
        if let EventSummary::Synchronization(_, code, _) = summary {
            return self.synchronization(code, now, node);
        }
        let EventSummary::Key(_, key, value) = summary else { return Ok(()) };
        if self.discarding {
            return Ok(());
        }
        // By the kernel's clock: however late this is read, a gap between two codes stays a gap.
        if let Some(frame) = self.keys.on_silence(now) {
            self.code(frame).await?;
        }
        if self.dropped.is_some() {
            self.dropped = Some(self.read.plus(AFTER_DROP));
        }
        self.typed = at.map(|at| at.boot);
        let code = key.code();
        self.recorder.note(self.outlet, now, || Happening::Key { code, value });
        if value == 1
            && !MODIFIERS.contains(&code)
            && let Some(pace) = &mut self.pace
        {
            pace.press(now.boot);
        }
        match self.keys.key(code, value, now) {
            Some(frame) => self.code(frame).await,
            None => Ok(()),
        }
    }

    fn synchronization(&mut self, code: SynchronizationCode, now: Now, node: &Node) -> Outcome {
        if code == SynchronizationCode::SYN_DROPPED {
            tracing::warn!(scanner = self.outlet.name(), "the kernel dropped events: the code must be scanned again");
            self.recorder.note(self.outlet, now, || Happening::Dropped);
            self.keys.dropped();
            self.discarding = true;
            self.dropped = Some(clock::now().plus(AFTER_DROP));
        } else if code == SynchronizationCode::SYN_REPORT && std::mem::replace(&mut self.discarding, false) {
            self.keys.resync(&node.held().map_err(|error| explain(&error))?);
        }
        Ok(())
    }

    /// A code is over. One that a person typed on a watched keyboard is nobody's business.
    async fn code(&mut self, mut frame: Frame) -> Outcome {
        self.dropped = None;
        let trace = self.recorder.take();
        if let Some(pace) = &mut self.pace {
            match (pace.end(), self.hold) {
                (Rhythm::Scanner, Hold::Watched) => self.becomes(Hold::Waiting, "types faster than a human: a scanner"),
                (Rhythm::Person, Hold::Grabbed | Hold::Waiting) => {
                    self.becomes(Hold::Watched, "types like a human: let go");
                    return Ok(());
                }
                (Rhythm::Person | Rhythm::Unsure, Hold::Watched) => return Ok(()),
                (Rhythm::Scanner | Rhythm::Unsure, _) | (Rhythm::Person, Hold::Failed) => {}
            }
            // Silence ends a code here as well as a terminator does: what this device sends is not known.
            frame.flaws.retain(|flaw| *flaw != Flaw::Partial);
        }
        let reading = Reading { typed: self.typed, trace, ..Reading::at(self.read) };
        if self.outlet.scan(frame, reading).await { Ok(()) } else { Err(Ended::Stopping) }
    }

    fn becomes(&mut self, hold: Hold, why: &str) {
        let device = self.device.node.display();
        tracing::info!(scanner = self.outlet.name(), %device, name = self.device.name, "{why}");
        self.known.set(self.device, hold == Hold::Waiting);
        self.stuck = (hold == Hold::Waiting).then(|| clock::now().plus(RELEASE));
        self.hold = hold;
    }

    /// After each read: grabs what should be grabbed and lets go of what a person uses.
    async fn hold_or_let_go(&mut self, node: &mut Node) -> Outcome {
        match self.hold {
            Hold::Waiting => self.grab_when_released(node).map_err(|error| explain(&error))?,
            Hold::Watched => node.let_go().map_err(|error| explain(&error))?,
            Hold::Grabbed | Hold::Failed => {}
        }
        self.tell().await
    }

    /// A grab while a key is down would leave the desktop with a key that never comes up.
    fn grab_when_released(&mut self, node: &mut Node) -> std::io::Result<()> {
        let given_up = self.stuck.is_some_and(|deadline| deadline.is_past(clock::now()));
        if node.held()?.is_empty() || given_up {
            node.grab()?;
            self.hold = Hold::Grabbed;
        }
        Ok(())
    }

    async fn tell(&mut self) -> Outcome {
        if self.told.replace(self.hold) == Some(self.hold) {
            return Ok(());
        }
        let told = self.outlet.device(&self.device.target, self.hold, self.device.name.clone()).await;
        if told { Ok(()) } else { Err(Ended::Stopping) }
    }

    pub(super) async fn gone(mut self, why: &str) -> Ended {
        let partial = self.keys.unplugged().filter(|_| self.hold != Hold::Watched);
        let reading = Reading { typed: self.typed, trace: self.recorder.take(), ..Reading::at(clock::now()) };
        Ended::gone(why, self.outlet, partial, reading).await
    }
}
