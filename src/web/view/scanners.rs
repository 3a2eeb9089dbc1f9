//! The test page of the scanners, in the look of the touch page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::icon;
use crate::domain::tester::Tested;
use crate::domain::view::{ScannerView, Snapshot};
use crate::web::text;

/// Bytes of a code that are shown one by one; a terminal shows them all.
const BYTES: usize = 64;

/// The whole page around `main`, which is HTML already.
pub(in crate::web) fn scanners_page(main: &str, token: &str, session: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(text::LANG) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="tallyman-token" content=(token);
                meta name="tallyman-session" content=(session);
                title { (text::SCANNER_TEST) }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/page.css";
                script src="/scanners.js" defer {}
            }
            body.test-page {
                header.mine-head {
                    h1 { (text::SCANNER_TEST) }
                    a.choice href="/" { (icon::BACK.draw()) span { (text::BACK) } }
                }
                p.notice.lost id="lost" role="alert" hidden { (icon::OFFLINE.draw()) span { (text::LINE_LOST) } }
                button.choice type="button" id="test" aria-pressed="false" data-start=(text::START_TEST)
                    data-stop=(text::STOP_TEST) { (text::START_TEST) }
                main id="main" { (PreEscaped(main)) }
            }
        }
    }
}

/// What changes: whether a test is on, the scanners, the last scans with the newest first.
pub(in crate::web) fn scanners(snapshot: &Snapshot) -> Markup {
    html! {
        p.notice.local id="testing" role="status" data-state=(if snapshot.testing { "on" } else { "off" }) {
            (if snapshot.testing { icon::WARNING } else { icon::SCAN }.draw())
            span { (if snapshot.testing { text::TEST_IS_ON } else { text::TEST_IS_OFF }) }
        }
        ul.scanners aria-label=(text::SCANNERS) {
            @for scanner in &snapshot.scanners { (about(scanner)) }
            @if snapshot.scanners.is_empty() { li { (text::NO_SCANNER) } }
        }
        ol.tested id="tested" aria-label=(text::LAST_SCANS) {
            @for tested in snapshot.tested.iter().rev() { (scan(tested)) }
        }
    }
}

fn about(scanner: &ScannerView) -> Markup {
    html! {
        li data-state=(if scanner.connected { "connected" } else { "away" }) {
            (if scanner.connected { icon::SCAN } else { icon::WARNING }.draw())
            span {
                bdi { (text::visible(&scanner.name)) } ": " bdi { (text::visible(&scanner.detail)) }
                @for device in &scanner.devices {
                    br;
                    small {
                        bdi { (text::visible(&device.node)) } " " (device.hold.name())
                        @if device.detail != device.node { ", " bdi { (text::visible(&device.detail)) } }
                    }
                }
            }
        }
    }
}

fn scan(tested: &Tested) -> Markup {
    let scan = &tested.scan;
    let bytes: Vec<String> = scan.raw.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect();
    let more = if scan.raw.len() > BYTES { " \u{2026}" } else { "" };
    html! {
        li.report data-number=(tested.number) data-kind=(scan.meaning.name()) data-flaws=(scan.flaws.len()) {
            p.subject { bdi { (text::visible(&scan.text)) } }
            p.about {
                (scan.meaning.name()) ", " bdi { (text::visible(&scan.source)) }
                @if let Some(gaps) = tested.gaps() {
                    ", " (text::gaps(gaps.min, gaps.median, gaps.max))
                }
            }
            @if let Some(item) = scan.meaning.item() {
                @if let Some(gtin) = item.gtin.filter(|_| item.elements.is_empty()) { p.about { "GTIN " (gtin) } }
                @for element in &item.elements {
                    p.about { "(" (element.ai) ") " bdi { (text::visible(&element.value)) } }
                }
            }
            @for flaw in &scan.flaws { p.error { (text::visible(&flaw.to_string())) } }
            p.about { code { (bytes.join(" ")) (more) } }
        }
    }
}
