//! The conversation with the person at the bin: inputs in, effects out.
//!
//! Anything may be scanned in any order. What a scan is decides which slot it fills ([`resolve`]), and the session
//! knows which question comes next ([`session`]). Capture doesn't know whether anyone is online: it asks for a report to be
//! saved, is told whether it was, and only then says so to the person.

mod resolve;
mod session;
mod slip;

use std::collections::VecDeque;

use super::catalog::{Catalog, Direction, Known, Operator};
use super::decode::command::Command;
use super::decode::{Flaw, Meaning, Scan};
use super::event::{Photo, Report, Role};
use super::id::{EventId, Seed};
use super::policy::{FlowPolicy, Policies, Reason};
use super::time::Now;
pub use session::Question;
use session::Session;
pub use slip::{Count, OpenDocument, Slip};

/// How many inputs UNDO takes back.
const UNDO_DEPTH: usize = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Scan(Scan),
    /// A button on the page.
    Command(Command),
    /// Typed on the page, for a slot that the person chose.
    Typed {
        slot: TypedSlot,
        text: String,
    },
    /// A photo that is already durable.
    Photo(Photo),
    /// What came as a photo was none, or could not be kept.
    PhotoRefused {
        why: String,
        /// There is no room for it: a site that wants a photo gets the report without one.
        no_room: bool,
    },
    /// The journal has the report: it may be shown as saved.
    Saved {
        waiting: usize,
        online: bool,
    },
    /// The journal refused: the slip is still here.
    NotSaved {
        why: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypedSlot {
    Operator,
    Document,
    Bin,
    Item,
    Note,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Tell(Feedback),
    /// Make it durable; answer with [`Input::Saved`] or [`Input::NotSaved`].
    Save(Box<Report>),
}

/// What the person sees and hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feedback {
    Understood,
    Saved {
        waiting: usize,
        online: bool,
    },
    /// Counted as expected: there is nothing to report.
    Matches,
    /// The same code once more, sooner than a hand can mean it.
    Again,
    /// What was read, and what to do.
    NotUnderstood {
        read: String,
        help: &'static str,
    },
    Refused {
        why: String,
    },
}

#[derive(Debug)]
pub struct Capture {
    catalog: Catalog,
    policies: Policies,
    session: Session,
    undo: VecDeque<Session>,
    /// The report is on its way to the disk; nothing else is looked at until it is there.
    saving: bool,
    last: Option<Feedback>,
    /// The last code and when it came, to know one beep that came twice.
    heard: Option<(Vec<u8>, Now)>,
    /// How many times the person was told something: two equal answers in a row are two answers.
    told: u64,
}

impl Capture {
    pub fn new(catalog: Catalog, policies: Policies) -> Capture {
        Capture {
            catalog,
            policies,
            session: Session::default(),
            undo: VecDeque::new(),
            saving: false,
            last: None,
            heard: None,
            told: 0,
        }
    }

    /// True while a report is on its way to the disk: the shell holds further inputs back meanwhile.
    pub fn is_saving(&self) -> bool {
        self.saving
    }

    pub fn operator(&self) -> Option<&Operator> {
        self.session.operator.as_ref()
    }

    pub fn document(&self) -> Option<&OpenDocument> {
        self.session.document()
    }

    pub fn slip(&self) -> Option<&Slip> {
        self.session.slip.as_ref()
    }

    pub fn last_feedback(&self) -> Option<&Feedback> {
        self.last.as_ref()
    }

    /// The number of the last feedback, counted from 1; 0 before the first.
    pub fn feedback_number(&self) -> u64 {
        self.told
    }

    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What the page asks for next.
    pub fn question(&self) -> Question {
        self.session.question(&self.policies)
    }

    /// The reasons that may be chosen right now, the likeliest first.
    pub fn reasons(&self) -> Vec<Reason> {
        self.session.reasons(&self.policies)
    }

    /// One input, one turn. `seed` feeds the id of a slip that starts here.
    pub fn handle(&mut self, input: Input, now: Now, seed: &Seed) -> Vec<Effect> {
        let effects = match input {
            Input::Saved { waiting, online } => self.saved(waiting, online),
            Input::NotSaved { why } => self.not_saved(why),
            Input::Scan(_) | Input::Command(_) | Input::Typed { .. } | Input::Photo(_) if self.saving => {
                tell(Feedback::Refused { why: "still saving the last report".to_owned() })
            }
            Input::Scan(scan) => self.scan(scan, now, seed),
            Input::Command(command) => self.command(command, now, seed),
            Input::Typed { slot, text } => self.typed(slot, &text, now, seed),
            Input::Photo(photo) => self.photo(photo, now, seed),
            Input::PhotoRefused { why, no_room } => {
                if no_room {
                    self.slip_mut(EventId::mint(now.wall, seed)).photo_excused = true;
                }
                tell(Feedback::Refused { why })
            }
        };
        for effect in &effects {
            if let Effect::Tell(feedback) = effect {
                self.last = Some(feedback.clone());
                self.told = self.told.saturating_add(1);
            }
        }
        effects
    }

    fn scan(&mut self, scan: Scan, now: Now, seed: &Seed) -> Vec<Effect> {
        if scan.flaws.iter().any(|flaw| matches!(flaw, Flaw::Partial | Flaw::Dropped)) {
            self.keep(&scan, Role::NotUnderstood);
            return not_understood(&scan.text, "The code was cut off: scan it again.");
        }
        let again = self.is_one_beep_twice(&scan);
        if let Meaning::Command(command) = &scan.meaning {
            // A digit may well come twice, and UNDO too.
            let command = command.clone();
            return self.command_scan(command, &scan, now, seed);
        }
        if again {
            return tell(Feedback::Again);
        }
        let role = resolve::role(&self.catalog, self.question(), &scan);
        self.fill(role, Some(&scan), now, seed)
    }

    /// True for the code that came last, within the flow's cooldown. Each of them begins the time anew, so that a scanner
    /// that is held on a label is one scan.
    fn is_one_beep_twice(&mut self, scan: &Scan) -> bool {
        let cooldown = self.flow().cooldown;
        let before = self.heard.replace((scan.raw.clone(), scan.at));
        before.is_some_and(|(raw, at)| raw == scan.raw && scan.at.boot.saturating_sub(at.boot) < cooldown)
    }

    /// A command barcode is evidence too, as long as there is a slip for it to stand on.
    fn command_scan(&mut self, command: Command, scan: &Scan, now: Now, seed: &Seed) -> Vec<Effect> {
        let digit = matches!(command, Command::Digit(_) | Command::Point);
        let effects = self.command(command, now, seed);
        if !digit && !self.saving {
            self.keep(scan, Role::Command);
        }
        effects
    }

    /// Puts what was understood into its slot.
    fn fill(&mut self, filling: resolve::Filling, scan: Option<&Scan>, now: Now, seed: &Seed) -> Vec<Effect> {
        use resolve::Filling;
        let id = EventId::mint(now.wall, seed);
        let confirms = self.question() == Question::Done && self.repeats(&filling);
        if confirms {
            return self.done();
        }
        self.remember();
        let (role, effects) = match filling {
            Filling::Operator(operator) => {
                self.session.operator = Some(operator);
                (Role::Operator, tell(Feedback::Understood))
            }
            Filling::Document(document) => {
                self.session.document = Some(document);
                if let Some(slip) = &mut self.session.slip {
                    slip.document = None;
                }
                (Role::Document, tell(Feedback::Understood))
            }
            Filling::Bin(code) => {
                self.slip_mut(id).bin = Some(code);
                (Role::Bin, tell(Feedback::Understood))
            }
            Filling::Item(item) => {
                let counting = self.session.is_receipt();
                self.slip_mut(id).take_item(item, counting);
                (Role::Item, tell(Feedback::Understood))
            }
            Filling::Details(details) => match self.session.slip.as_mut().and_then(|slip| slip.item.as_mut()) {
                Some(item) => {
                    item.lot = details.lot.or(item.lot.take());
                    item.serial = details.serial.or(item.serial.take());
                    item.expiry = details.expiry.or(item.expiry);
                    (Role::Item, tell(Feedback::Understood))
                }
                None => {
                    (Role::NotUnderstood, not_understood(&details.code, "A lot without its item: scan the item first."))
                }
            },
            Filling::Unknown { read, help } => (Role::NotUnderstood, not_understood(&read, help)),
        };
        if let Some(scan) = scan {
            self.keep(scan, role);
        }
        self.complete_from_catalog();
        effects
    }

    fn typed(&mut self, slot: TypedSlot, text: &str, now: Now, seed: &Seed) -> Vec<Effect> {
        let most = if slot == TypedSlot::Note { slip::MAX_NOTE } else { slip::MAX_CODE };
        let text: String = text.trim().chars().take(most).collect();
        if text.is_empty() {
            return not_understood("nothing", "Type the code, then press Enter.");
        }
        if slot == TypedSlot::Note {
            self.remember();
            self.slip_mut(EventId::mint(now.wall, seed)).note = Some(text);
            return tell(Feedback::Understood);
        }
        let filling = resolve::typed(&self.catalog, slot, text);
        self.fill(filling, None, now, seed)
    }

    fn photo(&mut self, photo: Photo, now: Now, seed: &Seed) -> Vec<Effect> {
        self.remember();
        let slip = self.slip_mut(EventId::mint(now.wall, seed));
        if slip.photos.iter().any(|known| known.digest == photo.digest) {
            return tell(Feedback::Understood);
        }
        if slip.photos.len() >= slip::MAX_PHOTOS {
            let why = format!("a report holds {} photos; this one was not added", slip::MAX_PHOTOS);
            return tell(Feedback::Refused { why });
        }
        slip.photos.push(photo);
        tell(Feedback::Understood)
    }

    fn command(&mut self, command: Command, now: Now, seed: &Seed) -> Vec<Effect> {
        let id = EventId::mint(now.wall, seed);
        if !matches!(command, Command::Undo | Command::Done) {
            self.remember();
        }
        match command {
            Command::Digit(digit) => self.digit(char::from(b'0' + digit.min(9)), id),
            Command::Point => self.digit('.', id),
            Command::Empty if self.session.is_receipt() => {
                not_understood("EMPTY", "A receipt has no empty bin: count what arrived, 0 if nothing did.")
            }
            Command::Empty => self.because("bin_empty", Some(Count::Typed("0".to_owned())), id),
            Command::Short if self.session.is_receipt() => self.because("short_delivery", None, id),
            Command::Short => self.because("fewer_than_expected", None, id),
            Command::Over => self.because("over_delivery", None, id),
            Command::Wrong => self.because("wrong_item", None, id),
            Command::Damaged => self.because("damaged", None, id),
            Command::Reason(reason) => self.because(reason.as_str(), None, id),
            Command::Clear => {
                self.session.slip = None;
                tell(Feedback::Understood)
            }
            Command::SignOff => {
                self.session = Session::default();
                self.undo.clear();
                tell(Feedback::Understood)
            }
            Command::Undo => self.undo(),
            Command::Done => self.done(),
        }
    }

    fn digit(&mut self, digit: char, id: EventId) -> Vec<Effect> {
        if self.slip_mut(id).count.push(digit) {
            tell(Feedback::Understood)
        } else {
            not_understood(&digit.to_string(), "That is no quantity: UNDO takes the last digit back.")
        }
    }

    /// Sets the reason that a command stands for, if this site's policy allows it here.
    fn because(&mut self, reason: &str, count: Option<Count>, id: EventId) -> Vec<Effect> {
        let receipt = self.session.is_receipt();
        let Some(reason) = self.flow().reasons.iter().map(|rule| &rule.reason).find(|r| r.as_str() == reason).cloned()
        else {
            return not_understood(reason, "This site does not use that reason here: choose one on the screen.");
        };
        let slip = self.slip_mut(id);
        slip.reason = Some(reason);
        slip.pick = !receipt;
        if let Some(count) = count {
            slip.count = count;
        }
        self.complete_from_catalog();
        tell(Feedback::Understood)
    }

    /// The policy of what is being worked on; a pick, until a document says that it is a receipt.
    fn flow(&self) -> &FlowPolicy {
        if self.session.is_receipt() { &self.policies.receiving_discrepancy } else { &self.policies.pick_shortage }
    }

    fn done(&mut self) -> Vec<Effect> {
        match self.question() {
            Question::Done => {}
            Question::Matches => {
                self.session.slip = None;
                self.undo.clear();
                return tell(Feedback::Matches);
            }
            missing @ (Question::Operator
            | Question::Context
            | Question::BinOrItem
            | Question::Item
            | Question::Count
            | Question::Reason
            | Question::Photo) => return not_understood("DONE", missing.missing()),
        }
        match self.session.report(&self.policies) {
            Some(report) => {
                self.saving = true;
                vec![Effect::Save(Box::new(report))]
            }
            None => not_understood("DONE", "Nothing is counted yet."),
        }
    }

    fn saved(&mut self, waiting: usize, online: bool) -> Vec<Effect> {
        self.saving = false;
        self.session.slip = None;
        self.undo.clear();
        // A pick's bin ends with its slip; the document stays open for the next line.
        tell(Feedback::Saved { waiting, online })
    }

    fn not_saved(&mut self, why: String) -> Vec<Effect> {
        self.saving = false;
        tell(Feedback::Refused { why })
    }

    fn undo(&mut self) -> Vec<Effect> {
        match self.undo.pop_back() {
            Some(before) => {
                self.session = before;
                tell(Feedback::Understood)
            }
            None => not_understood("UNDO", "There is nothing to take back."),
        }
    }

    fn remember(&mut self) {
        if self.undo.len() == UNDO_DEPTH {
            self.undo.pop_front();
        }
        self.undo.push_back(self.session.clone());
    }

    /// The same bin or item once more, when all is there: the hand stays on the trigger.
    fn repeats(&self, filling: &resolve::Filling) -> bool {
        let Some(slip) = &self.session.slip else { return false };
        match filling {
            resolve::Filling::Bin(code) => slip.bin.as_ref() == Some(code),
            resolve::Filling::Item(item) => {
                let by_pieces = matches!(slip.count, Count::Pieces(_));
                !by_pieces && slip.item.as_ref() == Some(item)
            }
            resolve::Filling::Operator(_)
            | resolve::Filling::Document(_)
            | resolve::Filling::Details(_)
            | resolve::Filling::Unknown { .. } => false,
        }
    }

    /// What the catalog can add to what was scanned: the only item of a bin, the expected quantity, the unit.
    fn complete_from_catalog(&mut self) {
        let Session { document, slip, .. } = &mut self.session;
        let Some(slip) = slip else { return };
        let picking = document.as_ref().is_none_or(|document| document.direction == Direction::Pick);
        if picking
            && let Some(bin) = &slip.bin
            && slip.item.is_none()
            && let Some((open, line)) = self.catalog.only_line_in_bin(bin, document.as_ref().map(|d| d.code.as_str()))
        {
            slip.item = Some(resolve::item_on(line));
            slip.document = Some(OpenDocument { code: open.code.clone(), direction: open.direction });
        }
        let (Some(document), Some(item)) = (slip.document.as_ref().or(document.as_ref()), &slip.item) else { return };
        let line = self.catalog.line(&document.code, &item.code, slip.bin.as_deref());
        slip.expected = line.map(|line| line.expected);
        let unit = line.and_then(|line| line.unit.clone());
        slip.unit = unit.or_else(|| self.catalog.product(&item.code).and_then(|product| product.unit.clone()));
        if slip.bin.is_none() {
            slip.bin = line.and_then(|line| line.bin.clone());
        }
    }

    /// Keeps a scan as evidence: with the session what opened it, with the slip the rest. A scan that started neither
    /// (an unknown code before any slip) is no evidence of anything.
    fn keep(&mut self, scan: &Scan, role: Role) {
        match role {
            Role::Operator => self.session.operator_scan = Some(slip::evidence(scan, role)),
            Role::Document => self.session.document_scan = Some(slip::evidence(scan, role)),
            Role::Bin | Role::Item | Role::Command | Role::NotUnderstood => {
                if let Some(slip) = &mut self.session.slip {
                    slip.keep(scan, role);
                }
            }
        }
    }

    fn slip_mut(&mut self, id: EventId) -> &mut Slip {
        self.session.slip.get_or_insert_with(|| Slip::new(id))
    }
}

fn tell(feedback: Feedback) -> Vec<Effect> {
    vec![Effect::Tell(feedback)]
}

fn not_understood(read: &str, help: &'static str) -> Vec<Effect> {
    tell(Feedback::NotUnderstood { read: read.to_owned(), help })
}

/// Used by [`resolve`]: what the catalog's answer means for the slip.
fn filling_of(known: Known) -> resolve::Filling {
    match known {
        Known::Operator(operator) => resolve::Filling::Operator(operator),
        Known::Document { code, direction } => resolve::Filling::Document(OpenDocument { code, direction }),
        Known::Bin(bin) => resolve::Filling::Bin(bin.code),
        Known::Product(product) => resolve::Filling::Item(resolve::item_of(&product.code)),
    }
}

#[cfg(test)]
mod tests;
