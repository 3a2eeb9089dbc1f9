//! The demo's own page: labels to fire, the network's switch, and the cases as they arrive.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::book::Case;
use super::cutter::Cutter;
use super::labels::Label;
use super::receiver::Receiver;
use super::scanner::PretendScanner;
use crate::domain::visible::visible;

/// What the console shows and moves.
#[derive(Debug)]
pub struct Console {
    pub labels: Vec<Label>,
    pub scanner: PretendScanner,
    pub cutter: Cutter,
    /// The embedded receiver; absent when a real Odoo receives.
    pub receiver: Option<Receiver>,
    /// Where the touch page is.
    pub page: String,
    /// Where a person sees the cases when Odoo receives.
    pub odoo: Option<String>,
    /// The console's own address, the only one that it answers to.
    pub host: String,
}

impl Console {
    pub async fn serve(self: Arc<Console>, listener: TcpListener, stop: CancellationToken) {
        let router = Router::new()
            .route("/", get(page))
            .route("/console.css", get(style))
            .route("/console.js", get(script))
            .route("/cases", get(cases))
            .route("/photo/{sha256}", get(photo))
            .route("/fire", post(fire))
            .route("/network", post(network))
            .with_state(self);
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await {
            tracing::error!(%error, "the console failed");
        }
    }
}

type Shared = State<Arc<Console>>;

async fn page(State(console): Shared) -> Response {
    let policy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")];
    (headers, Html(whole_page(&console).into_string())).into_response()
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css")], include_str!("assets/console.css")).into_response()
}

async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript")], include_str!("assets/console.js")).into_response()
}

async fn cases(State(console): Shared) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Html(live(&console).into_string())).into_response()
}

async fn photo(State(console): Shared, Path(sha256): Path<String>) -> Response {
    let photo = console.receiver.as_ref().and_then(|receiver| receiver.book().photo(&sha256).cloned());
    match photo.filter(|photo| photo.complete) {
        Some(photo) => ([(header::CONTENT_TYPE, photo.media_type)], photo.bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
struct Fire {
    code: String,
}

async fn fire(State(console): Shared, headers: HeaderMap, Json(Fire { code }): Json<Fire>) -> StatusCode {
    if !is_own(&console, &headers) {
        return StatusCode::FORBIDDEN;
    }
    if console.scanner.fire(&code).is_ok() { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE }
}

#[derive(Deserialize)]
struct Network {
    connected: bool,
}

async fn network(State(console): Shared, headers: HeaderMap, Json(Network { connected }): Json<Network>) -> StatusCode {
    if !is_own(&console, &headers) {
        return StatusCode::FORBIDDEN;
    }
    console.cutter.connect(connected);
    StatusCode::NO_CONTENT
}

/// Another page in the same browser must not fire labels.
fn is_own(console: &Console, headers: &HeaderMap) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = format!("http://{}", console.host);
    header(header::HOST) == Some(&console.host) && header(header::ORIGIN).is_none_or(|from| from == origin)
}

fn whole_page(console: &Console) -> Markup {
    let mut groups: Vec<&str> = console.labels.iter().map(|label| label.group).collect();
    groups.dedup();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Tallyman demo" }
                link rel="stylesheet" href="/console.css";
                script src="/console.js" defer {}
            }
            body {
                header {
                    h1 { "Tallyman demo" }
                    p {
                        "Fire labels here, watch " a href=(console.page) target="_blank" { "the touch page" }
                        ", cut the network, and see what arrives."
                    }
                }
                main {
                    section aria-label="Labels" {
                        h2 { "1. Fire a label" }
                        @for group in groups {
                            h3 { (group) }
                            div.labels {
                                @for label in console.labels.iter().filter(|label| label.group == group) {
                                    button type="button" data-fire=(label.code) {
                                        code { (visible(&label.code)) }
                                        @if !label.caption.is_empty() { span { (label.caption) } }
                                    }
                                }
                            }
                        }
                    }
                    section #live aria-live="polite" aria-label="Network and cases" { (live(console)) }
                }
            }
        }
    }
}

fn live(console: &Console) -> Markup {
    let connected = console.cutter.is_connected();
    html! {
        h2 { "2. The network" }
        button type="button" .switch .cut[!connected] data-network=(!connected) {
            @if connected { "● connected — press to cut it" } @else { "✕ cut — press to connect it" }
        }
        h2 { "3. What arrived" }
        @match &console.receiver {
            None => p { "The cases are in Odoo: " @if let Some(odoo) = &console.odoo { a href=(odoo) target="_blank" { (odoo) } } }
            Some(receiver) => {
                @let book = receiver.book();
                @if book.cases().is_empty() { p.none { "No case yet. Try: EMP-7, A-03-02, TM-EMPTY, TM-DONE." } }
                @for case in book.cases().iter().rev().take(30) { (one_case(case, &book)) }
            }
        }
    }
}

fn one_case(case: &Case, book: &super::book::Book) -> Markup {
    let data = &case.event.data;
    let kind = case.event.kind.rsplit('.').nth(1).unwrap_or("").replace('_', " ");
    html! {
        article {
            header { strong { (case.number) } " " (kind) span.ok { "✓ signature verified" } }
            p.quantity {
                b { (data.quantity.counted.as_deref().unwrap_or("?")) }
                " of " (data.quantity.expected.as_deref().unwrap_or("?")) " " (data.quantity.unit.as_deref().unwrap_or(""))
                @if let Some(reason) = &data.reason { " — " (reason.replace('_', " ")) }
            }
            p {
                @for (word, value) in [
                    ("document", data.document.as_ref().map(|code| &code.code)),
                    ("bin", data.bin.as_ref().map(|code| &code.code)),
                    ("item", data.item.as_ref().map(|item| &item.code)),
                    ("by", data.operator.as_ref().map(|operator| &operator.badge)),
                ] {
                    @if let Some(value) = value { span.fact { (word) " " code { (value) } } }
                }
            }
            p.fine {
                "event " (case.event.sequence.trim_start_matches('0')) " of its chain, captured " (case.event.time)
                ", came " (case.deliveries) "×, " (data.scans.len()) " raw scans"
            }
            @for photo in &data.photos {
                @if book.photo(&photo.sha256).is_some_and(|photo| photo.complete) {
                    img src={"/photo/" (photo.sha256)} alt="photo of the report";
                } @else { p.fine { "photo on its way…" } }
            }
        }
    }
}
