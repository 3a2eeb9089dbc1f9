//! The top of the page: who works on what, how the road to Odoo is, and whether the scanners are there.

use maud::{Markup, html};

use super::{icon, slot_icon, slot_name, typable};
use crate::domain::capture::TypedSlot;
use crate::domain::view::Snapshot;
use crate::web::text;

pub(super) fn strip(snapshot: &Snapshot) -> Markup {
    html! {
        header.strip data-region="strip" id="strip" {
            (chip(snapshot, TypedSlot::Operator, snapshot.operator.as_deref(), text::WHO, text::NOBODY))
            (chip(snapshot, TypedSlot::Document, snapshot.document.as_deref(), text::DOCUMENT, text::NO_DOCUMENT))
            (line(snapshot))
        }
        (status(snapshot))
    }
}

/// A tap on who or which document opens the entry for it.
fn chip(snapshot: &Snapshot, slot: TypedSlot, value: Option<&str>, label: &str, none: &str) -> Markup {
    let name = slot_name(slot);
    let tail = slot == TypedSlot::Document && value.is_some();
    html! {
        button.chip.tail[tail] type="button" id={ "chip-" (name) } data-open=(name)
            data-state=(if value.is_some() { "set" } else { "unset" })
            data-asked[value.is_none() && typable(snapshot.question).contains(&slot)] {
            (slot_icon(slot).draw())
            span.chip-label { (label) }
            span.chip-value { bdi { (value.map_or_else(|| none.to_owned(), text::visible)) } }
        }
    }
}

/// The line's state opens the list of reports: that is where the numbers come from.
fn line(snapshot: &Snapshot) -> Markup {
    let line = &snapshot.line;
    let (state, icon, words) = if !line.enrolled {
        ("not-enrolled", icon::STOP, text::NOT_ENROLLED_SHORT)
    } else if line.online {
        ("online", icon::ONLINE, text::ONLINE)
    } else if line.trouble.is_none() {
        // Nothing was sent since the start, so nobody knows yet.
        ("untried", icon::ONLINE, text::UNTRIED)
    } else {
        ("offline", icon::OFFLINE, text::OFFLINE)
    };
    let counts = &snapshot.counts;
    html! {
        button.chip.line type="button" id="line" data-view="mine" data-state=(state)
            data-waiting=(counts.pending) data-parked=(counts.parked) title=(text::OPENS_MINE) {
            (icon.draw())
            span.chip-label { (words) }
            span.chip-value { (text::waiting(counts.pending)) }
            @if counts.parked > 0 {
                span.badge role="img" aria-label=(text::parked(counts.parked)) { "!" (counts.parked) }
            }
        }
    }
}

/// One line that is always there, with the most important thing to know about the device.
fn status(snapshot: &Snapshot) -> Markup {
    let away = snapshot.scanners.iter().find(|scanner| !scanner.connected);
    let (state, icon, words) = if snapshot.testing {
        ("testing", icon::WARNING, text::TEST_IS_ON.to_owned())
    } else if snapshot.low_disk {
        ("low-disk", icon::STOP, text::LOW_DISK.to_owned())
    } else if !snapshot.line.enrolled {
        ("not-enrolled", icon::STOP, text::NOT_ENROLLED.to_owned())
    } else if let Some((_, sentence)) = &snapshot.line.trouble {
        ("trouble", icon::WARNING, sentence.clone())
    } else if let Some(scanner) = away {
        ("scanner-away", icon::WARNING, text::scanner_away(&scanner.name, &scanner.detail))
    } else if snapshot.scanners.is_empty() {
        ("no-scanner", icon::KEYBOARD, text::NO_SCANNER.to_owned())
    } else {
        let names: Vec<&str> = snapshot.scanners.iter().map(|scanner| scanner.name.as_str()).collect();
        ("ready", icon::SCAN, text::scanner_ready(&names.join(", ")))
    };
    let code = snapshot.line.trouble.as_ref().map(|(code, _)| *code);
    html! {
        div.status data-region="status" id="status" data-state=(state) data-trouble=[code] role="status" {
            (icon.draw())
            p { bdi { (text::visible(&words)) } }
        }
    }
}
