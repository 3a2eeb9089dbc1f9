//! The snapshot as HTML. Every part that changes on its own is a region (`data-region`): the page's script replaces
//! only the regions whose HTML changed, so a half-typed text, the focus and the scroll position survive.
//!
//! `data-question` and `data-state` say in words for programs what the page shows to people.

mod bar;
mod feedback;
mod hands;
mod icon;
mod mine;
mod scanners;
mod shell;
mod slip;
mod strip;

use maud::{Markup, html};

use crate::domain::capture::{Question, TypedSlot};
use crate::domain::view::Snapshot;

pub(super) use scanners::{scanners, scanners_page};
pub(super) use shell::page;

/// A refusal that nobody has acknowledged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) number: u64,
    pub(super) why: String,
}

/// What stands inside `<main>`.
pub(super) fn main(snapshot: &Snapshot, refusal: Option<&Refusal>) -> Markup {
    html! {
        div.stage id="stage" {
            (strip::strip(snapshot))
            div.work {
                (feedback::feedback(snapshot))
                (question(snapshot))
                (slip::slip(snapshot))
                (hands::hands(snapshot))
                (bar::bar(snapshot))
            }
            (mine::mine(snapshot))
        }
        (feedback::refusal(snapshot, refusal))
    }
}

fn question(snapshot: &Snapshot) -> Markup {
    let (state, words) = match (snapshot.saving, snapshot.testing) {
        (true, _) => ("saving", super::text::SAVING),
        (false, true) => ("testing", super::text::TESTING_SHORT),
        (false, false) => ("asking", super::text::question(snapshot.question, exactly(snapshot))),
    };
    html! {
        h1.question data-region="question" id="question" data-question=(slug(snapshot.question))
            data-state=(state) aria-live="polite" { (words) }
    }
}

fn exactly(snapshot: &Snapshot) -> bool {
    snapshot.slip.variance.as_deref() == Some("0")
}

/// The question's word for programs.
fn slug(question: Question) -> &'static str {
    match question {
        Question::Operator => "operator",
        Question::Context => "context",
        Question::BinOrItem => "bin-or-item",
        Question::Item => "item",
        Question::Count => "count",
        Question::Reason => "reason",
        Question::Photo => "photo",
        Question::Done => "done",
        Question::Matches => "matches",
    }
}

/// The slots that a person may fill by typing when `question` is asked.
fn typable(question: Question) -> &'static [TypedSlot] {
    match question {
        Question::Operator => &[TypedSlot::Operator],
        Question::Context => &[TypedSlot::Document, TypedSlot::Bin],
        Question::BinOrItem => &[TypedSlot::Bin, TypedSlot::Item],
        Question::Item => &[TypedSlot::Item],
        Question::Count | Question::Reason | Question::Photo | Question::Done | Question::Matches => &[],
    }
}

/// The slot's word in a request.
pub(super) fn slot_name(slot: TypedSlot) -> &'static str {
    match slot {
        TypedSlot::Operator => "operator",
        TypedSlot::Document => "document",
        TypedSlot::Bin => "bin",
        TypedSlot::Item => "item",
        TypedSlot::Note => "note",
    }
}

fn slot_icon(slot: TypedSlot) -> icon::Icon {
    match slot {
        TypedSlot::Operator => icon::PERSON,
        TypedSlot::Document => icon::DOCUMENT,
        TypedSlot::Bin => icon::BIN,
        TypedSlot::Item => icon::ITEM,
        TypedSlot::Note => icon::NOTE,
    }
}

#[cfg(test)]
pub(super) mod tests;
