//! What the hands do next: digits on the left where the thumb learns them, and on the right what fits the question.
//! Digits stay while a reason is asked for: the first of two digits already makes a difference that wants one.

use maud::{Markup, html};

use super::icon;
use super::{slot_icon, slot_name, typable};
use crate::domain::capture::Question;
use crate::domain::policy::Reason;
use crate::domain::view::Snapshot;
use crate::web::text;

pub(super) fn hands(snapshot: &Snapshot) -> Markup {
    let counting = match snapshot.question {
        Question::Operator | Question::Context | Question::BinOrItem | Question::Item => false,
        Question::Count | Question::Reason | Question::Photo | Question::Done | Question::Matches => true,
    };
    html! {
        div.hands data-region="hands" id="hands" data-state=(if counting { "counting" } else { "scanning" }) {
            @if counting { (keypad()) }
            (beside(snapshot))
        }
    }
}

fn keypad() -> Markup {
    html! {
        div.keypad role="group" aria-label=(text::KEYPAD) {
            @for digit in 1..=9 { (key(digit)) }
            button.key type="button" id="key-point" data-command="TM-POINT" aria-label=(text::POINT) { "." }
            button.key.zero type="button" id="key-0" data-command="TM-0" { "0" }
        }
    }
}

fn key(digit: u8) -> Markup {
    html! {
        button.key type="button" id={ "key-" (digit) } data-command={ "TM-" (digit) } { (digit) }
    }
}

/// Never empty: a choice where there is one, else a sentence.
fn beside(snapshot: &Snapshot) -> Markup {
    let question = snapshot.question;
    let counted = snapshot.slip.counted.is_some();
    html! {
        div.beside id="beside" {
            @match question {
                Question::Reason => { (reasons(snapshot)) }
                Question::Done if !snapshot.reasons.is_empty() => { (reasons(snapshot)) }
                Question::Photo => {
                    button.choice.large type="button" id="take-photo" data-photo {
                        (icon::CAMERA.draw()) span { (text::TAKE_PHOTO) }
                    }
                    (hint(question))
                }
                Question::Operator | Question::Context | Question::BinOrItem | Question::Item | Question::Count
                | Question::Done | Question::Matches => {
                    (hint(question))
                    @for &slot in typable(question) {
                        button.choice type="button" id={ "type-" (slot_name(slot)) } data-open=(slot_name(slot)) {
                            (slot_icon(slot).draw()) span { (text::type_slot(slot)) }
                        }
                    }
                    @if !counted && allows_empty(snapshot) {
                        button.choice type="button" id="bin-empty" data-command="TM-EMPTY" {
                            (icon::EMPTY_BIN.draw()) span { (text::BIN_IS_EMPTY) }
                        }
                    }
                }
            }
        }
    }
}

fn hint(question: Question) -> Markup {
    html! {
        div.hint {
            (hint_icon(question).draw())
            p { (text::hint(question)) }
        }
    }
}

fn hint_icon(question: Question) -> icon::Icon {
    match question {
        Question::Operator | Question::Context | Question::BinOrItem | Question::Item => icon::SCAN,
        Question::Count => icon::ITEM,
        Question::Reason => icon::QUESTION,
        Question::Photo => icon::CAMERA,
        Question::Done => icon::CHECK,
        Question::Matches => icon::EQUALS,
    }
}

/// The reasons that may be chosen, the likeliest first; the chosen one stays marked and may be changed.
fn reasons(snapshot: &Snapshot) -> Markup {
    let chosen = super::slip::reason_in_force(snapshot);
    let many = snapshot.reasons.len() > 5;
    html! {
        div.reasons role="group" aria-label=(text::REASONS) data-many[many] {
            @for reason in &snapshot.reasons { (choice(reason, chosen == Some(reason))) }
        }
    }
}

fn choice(reason: &Reason, chosen: bool) -> Markup {
    let command = format!("TM-REASON-{}", reason.as_str().to_ascii_uppercase());
    html! {
        button.choice.reason type="button" id={ "reason-" (reason.as_str()) } data-command=(command)
            aria-pressed=(if chosen { "true" } else { "false" }) {
            span { (text::reason(reason)) }
            @if chosen { (icon::CHECK.draw()) }
        }
    }
}

fn allows_empty(snapshot: &Snapshot) -> bool {
    snapshot.reasons.iter().any(|reason| reason.as_str() == "bin_empty")
}
