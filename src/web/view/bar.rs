//! Undo, clear and done, across the bottom where the thumb is. They never move.

use maud::{Markup, html};

use super::icon;
use crate::domain::capture::Question;
use crate::domain::view::Snapshot;
use crate::web::text;

pub(super) fn bar(snapshot: &Snapshot) -> Markup {
    html! {
        div.bar data-region="bar" id="bar" role="group" aria-label=(text::ACTIONS) {
            button.act type="button" id="undo" data-command="TM-UNDO" { (icon::UNDO.draw()) span { (text::UNDO) } }
            button.act type="button" id="clear" data-command="TM-CLEAR" { (icon::CLEAR.draw()) span { (text::CLEAR) } }
            (done(snapshot))
        }
    }
}

/// Off, it says what is missing; it keeps the focus that a `disabled` button would lose.
fn done(snapshot: &Snapshot) -> Markup {
    let missing = snapshot.question.missing();
    let (state, below) = match snapshot.question {
        _ if snapshot.saving => ("saving", text::SAVING),
        _ if !missing.is_empty() => ("off", missing),
        Question::Matches => ("on", text::CLOSES),
        Question::Operator
        | Question::Context
        | Question::BinOrItem
        | Question::Item
        | Question::Count
        | Question::Reason
        | Question::Photo
        | Question::Done => ("on", text::SAVES),
    };
    html! {
        button.done type="button" id="done" data-command="TM-DONE" data-state=(state)
            aria-disabled=(if state == "on" { "false" } else { "true" }) {
            span.word { @if state == "on" { (icon::CHECK.draw()) } (text::DONE) }
            span.below { (below) }
        }
    }
}
