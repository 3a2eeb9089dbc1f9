//! The list "mine": what became of the reports, how many wait, and how the scanners are.

use maud::{Markup, html};

use super::icon::{self, Icon};
use crate::domain::view::{Row, ScannerView, Snapshot};
use crate::web::text;

pub(super) fn mine(snapshot: &Snapshot) -> Markup {
    html! {
        section.mine data-region="mine" id="mine" aria-labelledby="mine-title" {
            div.mine-head {
                h2 id="mine-title" { (text::MINE) }
                button.choice.back type="button" id="back" data-view="work" {
                    (icon::BACK.draw()) span { (text::BACK) }
                }
            }
            (totals(snapshot))
            @if let Some((code, sentence)) = &snapshot.line.trouble {
                p.trouble data-trouble=(code) { (icon::WARNING.draw()) bdi { (text::visible(sentence)) } }
            }
            @if snapshot.mine.is_empty() {
                p.nothing { (text::NO_REPORTS) }
            } @else {
                ol.rows tabindex="0" aria-labelledby="mine-title" { @for entry in &snapshot.mine { (row(entry)) } }
            }
            (scanners(&snapshot.scanners))
        }
    }
}

fn totals(snapshot: &Snapshot) -> Markup {
    let counts = &snapshot.counts;
    html! {
        dl.totals {
            (total("pending", text::WAITING, counts.pending.to_string()))
            (total("parked", text::PARKED, counts.parked.to_string()))
            (total("delivered", text::DELIVERED, counts.delivered.to_string()))
            (total("photos", text::PHOTOS_WAITING, counts.photos_pending.to_string()))
            @if counts.photos_lost > 0 {
                (total("photos-lost", text::PHOTOS_LOST, counts.photos_lost.to_string()))
            }
        }
    }
}

fn total(state: &str, label: &str, count: String) -> Markup {
    html! { div data-state=(state) data-count=(count) { dt { (label) } dd { (count) } } }
}

fn row(row: &Row) -> Markup {
    let captured = row.captured.to_string();
    html! {
        li.report data-state=(row.state) data-id=(row.id) {
            span.state { (state_icon(row.state).draw()) (text::state(row.state)) }
            bdi.subject { (text::visible(&row.subject)) }
            span.about {
                (text::kind(row.kind)) " \u{b7} "
                // The script writes the time of this device's zone over it.
                time datetime=(captured) { (captured) }
                @if row.photos > 0 { " \u{b7} " (text::photos(row.photos)) }
            }
            @if let Some(case) = &row.case { bdi.case { (text::case(&text::visible(case))) } }
            @if let Some(error) = &row.error { bdi.error { (text::visible(error)) } }
        }
    }
}

fn state_icon(state: &str) -> Icon {
    match state {
        "sending" => icon::SENDING,
        "parked" => icon::WARNING,
        "delivered" => icon::IN_ODOO,
        _ => icon::CLOCK,
    }
}

fn scanners(scanners: &[ScannerView]) -> Markup {
    html! {
        @if !scanners.is_empty() {
            ul.scanners aria-label=(text::SCANNERS) {
                @for scanner in scanners {
                    li data-state=(if scanner.connected { "connected" } else { "away" }) {
                        (if scanner.connected { icon::SCAN } else { icon::WARNING }.draw())
                        span { bdi { (text::visible(&scanner.name)) } ": " bdi { (text::visible(&scanner.detail)) } }
                    }
                }
                li { a href="/scanners" { (text::SCANNER_TEST) } }
            }
        }
    }
}
