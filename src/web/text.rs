//! Every word that the page says on its own account. What the domain says (what is missing, what to do about a code
//! that was not understood, what is wrong with the line) comes with the snapshot.

use std::time::Duration;

use crate::domain::capture::{Question, TypedSlot};
use crate::domain::policy::{Kind, Reason};
pub(super) use crate::domain::visible::visible;
use crate::io::photos::{MAX_UPLOAD, PhotoError};

pub(super) const LANG: &str = "en";
pub(super) const TITLE: &str = "Tallyman";

pub(super) const WHO: &str = "Who";
pub(super) const DOCUMENT: &str = "Document";
pub(super) const NOBODY: &str = "No badge yet";
pub(super) const NO_DOCUMENT: &str = "None open";
pub(super) const ONLINE: &str = "Online";
pub(super) const OFFLINE: &str = "Offline";
pub(super) const UNTRIED: &str = "Not used yet";
pub(super) const NOT_ENROLLED_SHORT: &str = "Not enrolled";
pub(super) const NOT_ENROLLED: &str =
    "This device is not enrolled, so no report can be saved on it yet. Ask IT to enrol it.";
pub(super) const LOW_DISK: &str =
    "The disk is almost full: nothing new is saved until this device has sent what it holds, or IT frees space.";
pub(super) const NO_SCANNER: &str = "No scanner is set up: type the codes instead.";
pub(super) const OPENS_MINE: &str = "Shows your reports";

pub(super) const BIN: &str = "Bin";
pub(super) const ITEM: &str = "Item";
pub(super) const LOT: &str = "Lot";
pub(super) const EXPECTED: &str = "Expected";
pub(super) const COUNTED: &str = "Counted";
pub(super) const VARIANCE: &str = "Difference";
pub(super) const REASON: &str = "Reason";
pub(super) const PHOTOS: &str = "Photos";
pub(super) const NOTE: &str = "Note";
pub(super) const EMPTY: &str = "\u{2013}";
pub(super) const SLIP: &str = "This report";
pub(super) const SHORT: &str = "short";
pub(super) const OVER: &str = "over";
pub(super) const MATCHES: &str = "matches";

pub(super) const KEYPAD: &str = "Count";
pub(super) const POINT: &str = "Decimal point";
pub(super) const BIN_IS_EMPTY: &str = "Bin is empty";
pub(super) const TAKE_PHOTO: &str = "Take a photo";
pub(super) const ADD_PHOTO: &str = "Add a photo";
pub(super) const REASONS: &str = "Reasons";

pub(super) const UNDO: &str = "Undo";
pub(super) const CLEAR: &str = "Clear";
pub(super) const DONE: &str = "DONE";
pub(super) const SAVING: &str = "Saving\u{2026}";
pub(super) const SAVES: &str = "Saves the report";
pub(super) const CLOSES: &str = "Closes the line";
pub(super) const ACTIONS: &str = "Undo, clear, done";

pub(super) const READY: &str = "Ready";
pub(super) const READY_HELP: &str = "Scan in any order.";
pub(super) const UNDERSTOOD: &str = "Understood";
pub(super) const AGAIN: &str = "Same code again";
pub(super) const AGAIN_HELP: &str = "It came twice within a moment and counts once.";
pub(super) const LINE_CLOSED: &str = "Line closed";
pub(super) const NOTHING_TO_REPORT: &str = "Nothing is missing, so nothing is reported.";
pub(super) const SAVED: &str = "Saved on this device";
pub(super) const ON_ITS_WAY: &str = "On its way to Odoo.";
pub(super) const ODOO_HAS_IT: &str = "Saved, and Odoo has it";
pub(super) const ODOO_REFUSED: &str = "Saved here, but Odoo refused it";
pub(super) const REFUSED: &str = "Refused";
pub(super) const REFUSED_HELP: &str = "This step did nothing. What you entered before is still here. \
    If it happens again, show this screen to your supervisor.";
pub(super) const ACKNOWLEDGE: &str = "I have read this";
pub(super) const SINCE_THEN: &str = "Since then:";

pub(super) const MINE: &str = "My reports";
pub(super) const BACK: &str = "Back";
pub(super) const NO_REPORTS: &str = "No reports yet. The first one that is saved shows up here.";
pub(super) const SCANNERS: &str = "Scanners";
pub(super) const SCANNER_TEST: &str = "Scanner test";
pub(super) const START_TEST: &str = "Start the test";
pub(super) const STOP_TEST: &str = "Stop the test";
pub(super) const TESTING_SHORT: &str = "Scanner test";
pub(super) const TEST_IS_ON: &str =
    "The scanners are being tested: codes are only shown to the tester and make no reports.";
pub(super) const TEST_IS_OFF: &str = "No test is on: codes go to the reports as always.";
pub(super) const LAST_SCANS: &str = "The last codes";
pub(super) const NO_TESTER: &str = "That is no test of the scanners.";
pub(super) const WAITING: &str = "Waiting";
pub(super) const PARKED: &str = "Need a person";
pub(super) const DELIVERED: &str = "In Odoo";
pub(super) const PHOTOS_WAITING: &str = "Photos to send";
pub(super) const PHOTOS_LOST: &str = "Photos lost";
pub(super) const CASE: &str = "Case";

pub(super) const CLOSE: &str = "Close";
pub(super) const ENTER: &str = "Enter";
pub(super) const WHICH_SLOT: &str = "What are you typing?";
pub(super) const SIGN_OFF: &str = "Sign off";
pub(super) const SIGN_OFF_HELP: &str = "Ends your session. A report that is not saved is dropped.";

// What the page's script shows when it can't ask the agent for words.
pub(super) const LINE_LOST: &str = "The connection to the agent is lost. Nothing you tap arrives until it is back.";
pub(super) const NOT_SENT: &str = "That did not reach the agent: tap it again.";
pub(super) const UPLOADING: &str = "Photo on its way to this device\u{2026}";
pub(super) const PHOTO_NOT_SENT: &str = "The photo did not reach the agent: take it again.";
pub(super) const SILENT: &str = "Sounds are off until you touch the screen once.";

// What is answered to a request that can't be served.
pub(super) const WRONG_HOST: &str = "This page is served under the address of this device only.";
pub(super) const WRONG_ORIGIN: &str = "Another site may not speak to this agent.";
pub(super) const WRONG_TOKEN: &str = "The agent was restarted: reload the page.";
pub(super) const NOT_FOUND: &str = "There is nothing at this address.";
pub(super) const WRONG_METHOD: &str = "This address does not take that method.";
pub(super) const NOT_JSON: &str = "Inputs are sent as JSON.";
pub(super) const BAD_INPUT: &str = "The agent does not know this input: reload the page.";
pub(super) const TOO_LONG: &str = "That is too long for one input.";
pub(super) const BUSY: &str = "The agent is busy: try again in a moment.";
pub(super) const STOPPING: &str = "The agent is stopping.";
pub(super) const TOO_MANY_PAGES: &str = "This page is open too often on this device: close the others.";
pub(super) const UPLOAD_BROKE: &str = "The photo arrived incomplete: take it again.";
pub(super) const PHOTO_FAILED: &str = "The photo could not be handled: take it again.";

/// Why a photo was not taken, and what to do. The report itself is as it was.
pub(super) fn photo_refused(error: &PhotoError) -> String {
    match error {
        PhotoError::NotAnImage => "That is not a photo (JPEG, PNG or WebP): take one with the camera.".to_owned(),
        PhotoError::TooLarge => {
            format!("The photo is larger than {} MiB: set the camera to smaller pictures.", MAX_UPLOAD >> 20)
        }
        PhotoError::TooManyPixels { width, height } => format!(
            "The photo has {width} x {height} pixels, more than this device can work on: set the camera to smaller pictures."
        ),
        PhotoError::Damaged(_) => "The photo is damaged or not whole: take it again.".to_owned(),
        PhotoError::Full { photos } => format!(
            "{photos} photos wait for a network and fill their place. Send the report without this photo, or bring the \
             device to a network."
        ),
        PhotoError::DiskFull => {
            "This device's disk is full. Send the report without this photo, or bring the device to \
             a network; IT can make room."
                .to_owned()
        }
        PhotoError::Disk(why) => format!("The photo could not be saved ({why}): take it again, or send without it."),
    }
}

/// The one question, short enough for one line of large type. A line may close because enough is there, or because the
/// count is exactly as expected; only the second is a match.
pub(super) fn question(question: Question, exactly: bool) -> &'static str {
    match question {
        Question::Operator => "Scan your badge",
        Question::Context => "Scan document or bin",
        Question::BinOrItem => "Scan bin or item",
        Question::Item => "Scan the item",
        Question::Count => "How many are there?",
        Question::Reason => "What is the reason?",
        Question::Photo => "Take a photo of it",
        Question::Done => "All there: DONE",
        Question::Matches if exactly => "It matches: DONE",
        Question::Matches => "Nothing missing: DONE",
    }
}

/// One sentence more, where the space beside the keypad has nothing else to offer.
pub(super) fn hint(question: Question) -> &'static str {
    match question {
        Question::Operator => "The barcode on your badge, or its number.",
        Question::Context => "The delivery or picking paper, or the bin you stand at.",
        Question::BinOrItem => "The label on the shelf, or the one on the goods.",
        Question::Item => "The barcode on the goods.",
        Question::Count => "Count what you see. Tap 0 if there is nothing.",
        Question::Reason => "Choose what explains the difference.",
        Question::Photo => "This site wants to see it.",
        Question::Done => "DONE saves the report on this device.",
        Question::Matches => "DONE closes this line. Nothing is reported.",
    }
}

pub(super) fn slot(slot: TypedSlot) -> &'static str {
    match slot {
        TypedSlot::Operator => "Badge",
        TypedSlot::Document => "Document",
        TypedSlot::Bin => "Bin",
        TypedSlot::Item => "Item",
        TypedSlot::Note => "Note",
    }
}

pub(super) fn type_slot(slot: TypedSlot) -> &'static str {
    match slot {
        TypedSlot::Operator => "Type badge number",
        TypedSlot::Document => "Type document number",
        TypedSlot::Bin => "Type bin",
        TypedSlot::Item => "Type item code",
        TypedSlot::Note => "Write a note",
    }
}

pub(super) fn waiting(count: usize) -> String {
    match count {
        0 => "None waiting".to_owned(),
        count => format!("{count} waiting"),
    }
}

pub(super) fn parked(count: usize) -> String {
    match count {
        1 => "1 needs a person".to_owned(),
        count => format!("{count} need a person"),
    }
}

pub(super) fn kept_until_online(waiting: usize) -> String {
    format!("{waiting} waiting. They are sent when Odoo can be reached.")
}

pub(super) fn case(number: &str) -> String {
    format!("{CASE} {number}")
}

pub(super) fn read(code: &str) -> String {
    format!("Not understood: {code}")
}

pub(super) fn scanner_ready(names: &str) -> String {
    format!("Ready to scan: {names}")
}

pub(super) fn scanner_away(name: &str, detail: &str) -> String {
    format!("Scanner {name} is not there: {detail}")
}

pub(super) fn photos(count: usize) -> String {
    match count {
        1 => "1 photo".to_owned(),
        count => format!("{count} photos"),
    }
}

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::ReceivingDiscrepancy => "Receipt differs",
        Kind::Damaged => "Damaged",
        Kind::PickShortage => "Pick shortage",
        Kind::Overage => "Too many",
        Kind::LocationMismatch => "Wrong place",
        Kind::BlockedStock => "Blocked stock",
        Kind::QualityHold => "Quality hold",
        Kind::ReturnDiscrepancy => "Return differs",
        Kind::CycleCountVariance => "Count differs",
    }
}

/// The outbox's word for a state, as a person says it.
pub(super) fn state(name: &str) -> &'static str {
    match name {
        "sending" => "Sending",
        "parked" => "Needs a person",
        "delivered" => "In Odoo",
        _ => "Waiting",
    }
}

/// A site's own reasons read as their identifiers do, until the server's translation is here.
pub(super) fn reason(reason: &Reason) -> String {
    let known = match reason.as_str() {
        "fewer_than_expected" => "Fewer than expected",
        "bin_empty" => BIN_IS_EMPTY,
        "damaged" => "Damaged",
        "wrong_item" => "Wrong item",
        "not_found" => "Not found",
        "short_delivery" => "Short delivery",
        "over_delivery" => "Over-delivery",
        own => {
            return sentence(&own.replace('_', " "));
        }
    };
    known.to_owned()
}

/// What a program says in small letters, standing on its own.
pub(super) fn sentence(words: &str) -> String {
    let shown = visible(words);
    let mut letters = shown.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// How fast a device sent.
pub(super) fn gaps(min: Duration, median: Duration, max: Duration) -> String {
    let ms = |gap: Duration| gap.as_secs_f64() * 1000.0;
    format!("gaps {:.1} / {:.1} / {:.1} ms", ms(min), ms(median), ms(max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_only_this_site_knows_is_still_readable() {
        let words = |text| Reason::parse(text).map(|own| reason(&own));
        assert_eq!(words("bin_empty").as_deref(), Some("Bin is empty"));
        assert_eq!(words("left_in_rain").as_deref(), Some("Left in rain"));
    }
}
