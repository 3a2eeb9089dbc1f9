//! The slip that fills up. What can be typed is a button for it; what is computed is not.

use maud::{Markup, html};

use super::icon::{self, Icon};
use crate::domain::capture::Question;
use crate::domain::policy::Reason;
use crate::domain::view::{SlipView, Snapshot};
use crate::web::text;

pub(super) fn slip(snapshot: &Snapshot) -> Markup {
    let slip = &snapshot.slip;
    let question = snapshot.question;
    let asked = |questions: &[Question]| questions.contains(&question);
    html! {
        section.slip id="slip" aria-label=(text::SLIP) {
            div.row.things {
                (typed("bin", icon::BIN, text::BIN, slip.bin.as_deref(),
                    asked(&[Question::Context, Question::BinOrItem])))
                (item(slip, asked(&[Question::BinOrItem, Question::Item])))
            }
            div.row.numbers {
                (number("expected", text::EXPECTED, slip.expected.as_deref(), slip.unit.as_deref(), false))
                (number("counted", text::COUNTED, slip.counted.as_deref(), slip.unit.as_deref(),
                    asked(&[Question::Count])))
                (variance(slip.variance.as_deref()))
            }
            div.row.rest {
                (reason(reason_in_force(snapshot), asked(&[Question::Reason])))
                (photos(slip.photos, asked(&[Question::Photo])))
                (typed("note", icon::NOTE, text::NOTE, slip.note.as_deref(), false))
            }
        }
    }
}

fn filled(value: Option<&str>) -> &'static str {
    if value.is_some() { "set" } else { "unset" }
}

fn typed(slot: &str, icon: Icon, label: &str, value: Option<&str>, asked: bool) -> Markup {
    let shown = value.map_or_else(|| text::EMPTY.to_owned(), text::visible);
    let tail = slot == "bin" && value.is_some();
    html! {
        button.slot.tail[tail] type="button" data-region={ "slot-" (slot) } id={ "slot-" (slot) } data-open=(slot)
            data-state=(filled(value)) data-asked[asked] {
            span.label { (icon.draw()) (label) }
            span.value { bdi { (shown) } }
        }
    }
}

/// The label's name first, the code below it: a person compares names, and codes only when names are alike.
fn item(slip: &SlipView, asked: bool) -> Markup {
    let code = slip.item.as_deref().map(text::visible);
    let name = slip.item_name.as_deref().map(text::visible);
    let below = name.as_ref().and(code.as_ref());
    let headline = name.as_deref().or(code.as_deref()).unwrap_or(text::EMPTY);
    html! {
        button.slot.item type="button" data-region="slot-item" id="slot-item" data-open="item"
            data-state=(filled(slip.item.as_deref())) data-asked[asked] {
            span.label {
                (icon::ITEM.draw()) (text::ITEM)
                @if let Some(code) = below { bdi.code { (code) } }
                @if let Some(lot) = &slip.lot { span.lot { (text::LOT) " " bdi { (text::visible(lot)) } } }
            }
            bdi.value { (headline) }
        }
    }
}

fn number(name: &str, label: &str, value: Option<&str>, unit: Option<&str>, asked: bool) -> Markup {
    html! {
        div.slot.number data-region={ "slot-" (name) } id={ "slot-" (name) } data-state=(filled(value))
            data-value=[value] data-asked[asked] data-length=[value.and_then(length)] {
            span.label { (label) @if let Some(unit) = unit { bdi.unit { (text::visible(unit)) } } }
            span.value { (value.unwrap_or(text::EMPTY)) }
        }
    }
}

/// How far the type must shrink for a number to stay whole.
fn length(number: &str) -> Option<&'static str> {
    match number.chars().count() {
        0..=8 => None,
        9..=12 => Some("long"),
        _ => Some("longest"),
    }
}

fn variance(variance: Option<&str>) -> Markup {
    let (state, word) = match variance {
        None => ("unset", ""),
        Some(short) if short.starts_with('-') => ("short", text::SHORT),
        Some(over) if over.starts_with('+') => ("over", text::OVER),
        Some(_) => ("matches", text::MATCHES),
    };
    // A hyphen is too thin to be seen at arm's length.
    let shown = variance.map_or_else(|| text::EMPTY.to_owned(), |variance| variance.replace('-', "\u{2212}"));
    html! {
        div.slot.number.variance data-region="slot-variance" id="slot-variance" data-state=(state)
            data-length=[variance.and_then(length)] {
            span.label { (text::VARIANCE) span.unit { (word) } }
            span.value { (shown) }
        }
    }
}

fn reason(reason: Option<&Reason>, asked: bool) -> Markup {
    html! {
        div.slot data-region="slot-reason" id="slot-reason" data-state=(filled(reason.map(Reason::as_str)))
            data-asked[asked] {
            span.label { (text::REASON) }
            span.value { (reason.map_or_else(|| text::EMPTY.to_owned(), text::reason)) }
        }
    }
}

fn photos(count: usize, asked: bool) -> Markup {
    html! {
        button.slot.photos type="button" data-region="slot-photos" id="slot-photos" data-photo data-count=(count)
            aria-label={ (text::ADD_PHOTO) ", " (text::photos(count)) }
            data-state=(if count > 0 { "set" } else { "unset" }) data-asked[asked] {
            span.label { (icon::CAMERA.draw()) (text::PHOTOS) }
            span.value { (count) }
        }
    }
}

/// What was chosen, or the only reason that policy leaves: then nobody is asked, but everybody may see it.
pub(super) fn reason_in_force(snapshot: &Snapshot) -> Option<&Reason> {
    let only = match (snapshot.question, snapshot.reasons.as_slice()) {
        (Question::Photo | Question::Done, [only]) => Some(only),
        _ => None,
    };
    snapshot.slip.reason.as_ref().or(only)
}
