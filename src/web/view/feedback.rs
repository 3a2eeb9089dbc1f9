//! What came of the last input, in colour, icon and words; and the refusal that stands until somebody has read it.

use maud::{Markup, html};

use super::Refusal;
use super::icon::{self, Icon};
use crate::domain::capture::Feedback;
use crate::domain::view::{Row, Snapshot};
use crate::web::text;

/// One feedback as it is shown.
struct Shown {
    state: &'static str,
    icon: Icon,
    title: String,
    detail: String,
}

impl Shown {
    fn new(state: &'static str, icon: Icon, title: &str, detail: &str) -> Shown {
        Shown { state, icon, title: title.to_owned(), detail: detail.to_owned() }
    }
}

pub(super) fn feedback(snapshot: &Snapshot) -> Markup {
    let shown = shown(snapshot);
    html! {
        div.feedback data-region="feedback" id="feedback" data-state=(shown.state)
            data-number=(snapshot.feedback_number)
            data-sound=[snapshot.feedback.as_ref().map(sound)] role="status" aria-live="polite" aria-atomic="true" {
            (shown.icon.draw())
            div.words {
                bdi.title { (shown.title) }
                @if !shown.detail.is_empty() { bdi.detail { (shown.detail) } }
            }
        }
    }
}

fn shown(snapshot: &Snapshot) -> Shown {
    match &snapshot.feedback {
        None => Shown::new("none", icon::SCAN, text::READY, text::READY_HELP),
        Some(Feedback::Understood) => Shown::new("understood", icon::CHECK, text::UNDERSTOOD, ""),
        Some(Feedback::Saved { .. }) => saved(snapshot),
        Some(Feedback::Matches) => Shown::new("matches", icon::EQUALS, text::LINE_CLOSED, text::NOTHING_TO_REPORT),
        Some(Feedback::Again) => Shown::new("understood", icon::CHECK, text::AGAIN, text::AGAIN_HELP),
        Some(Feedback::NotUnderstood { read, help }) => {
            Shown::new("not-understood", icon::QUESTION, &text::read(&text::visible(read)), help)
        }
        Some(Feedback::Refused { why }) => Shown::new("refused", icon::STOP, text::REFUSED, &text::sentence(why)),
    }
}

/// Saved means: on this device. Only the report's own state in the outbox may say more, and it does so when it can.
fn saved(snapshot: &Snapshot) -> Shown {
    match newest(snapshot) {
        Some(Row { state: "delivered", case, .. }) => {
            let case = case.as_deref().map(text::case).unwrap_or_default();
            Shown::new("delivered", icon::IN_ODOO, text::ODOO_HAS_IT, &text::visible(&case))
        }
        Some(Row { state: "parked", error, .. }) => {
            Shown::new("parked", icon::WARNING, text::ODOO_REFUSED, error.as_deref().unwrap_or_default())
        }
        Some(_) | None if snapshot.line.online => Shown::new("saved-online", icon::KEPT, text::SAVED, text::ON_ITS_WAY),
        Some(_) | None => {
            let detail = text::kept_until_online(snapshot.counts.pending);
            Shown::new("saved-offline", icon::KEPT, text::SAVED, &detail)
        }
    }
}

/// The report that was saved last is the last of the chain.
fn newest(snapshot: &Snapshot) -> Option<&Row> {
    snapshot.mine.iter().max_by_key(|row| row.sequence)
}

/// Which sound belongs to it: what was known when it was said, whatever is known by now.
fn sound(feedback: &Feedback) -> &'static str {
    match feedback {
        Feedback::Understood | Feedback::Again => "understood",
        Feedback::Saved { online: true, .. } => "saved-online",
        Feedback::Saved { online: false, .. } => "saved-offline",
        Feedback::Matches => "matches",
        Feedback::NotUnderstood { .. } => "not-understood",
        Feedback::Refused { .. } => "refused",
    }
}

/// Covers the page. Later answers are shown inside it, so that nothing that happens meanwhile goes unseen.
pub(super) fn refusal(snapshot: &Snapshot, refusal: Option<&Refusal>) -> Markup {
    let Some(refusal) = refusal else { return html! { div data-region="refusal" id="refusal" hidden {} } };
    let later = (snapshot.feedback_number > refusal.number).then(|| shown(snapshot));
    html! {
        div.refusal data-region="refusal" id="refusal" data-state="refused" data-number=(refusal.number)
            role="alertdialog" aria-modal="true" aria-labelledby="refusal-title" aria-describedby="refusal-why" {
            (icon::STOP.draw())
            h2 id="refusal-title" { (text::REFUSED) }
            p.why id="refusal-why" { bdi { (text::sentence(&refusal.why)) } }
            p.help { (text::REFUSED_HELP) }
            @if let Some(later) = later {
                p.later data-state=(later.state) { (text::SINCE_THEN) " " bdi { (later.title) } }
            }
            button.acknowledge type="button" id="acknowledge" data-acknowledge=(refusal.number) {
                (icon::CHECK.draw()) span { (text::ACKNOWLEDGE) }
            }
        }
    }
}
