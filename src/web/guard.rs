//! Who may speak to the page. A browser on this device may have other sites open; none of them may press DONE here.
//!
//! The host must be this listener (a name that was rebound to 127.0.0.1 is not), an origin must be this page, and
//! whatever changes something carries a token that only this page has. A process of the same device that reads the page
//! gets the token too: loopback is the border, not the user.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::{App, reply, text};
use crate::domain::id::{Digest, hex};
use crate::io::entropy;

pub(super) const TOKEN: &str = "x-tallyman-token";
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

#[derive(Debug)]
pub(super) struct Guard {
    hosts: [String; 4],
    token: String,
    session: String,
}

impl Guard {
    /// For a listener on `address`, with a token of this process alone.
    pub(super) fn new(address: SocketAddr) -> io::Result<Guard> {
        let port = address.port();
        let hosts = [
            format!("127.0.0.1:{port}"),
            format!("localhost:{port}"),
            format!("[::1]:{port}"),
            // Any other loopback address that IT chose.
            address.to_string(),
        ];
        Ok(Guard { hosts, token: hex(&entropy::bytes::<32>()?), session: hex(&entropy::bytes::<32>()?) })
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Names this run of the agent, so that a page of an earlier one notices.
    pub(super) fn session(&self) -> &str {
        &self.session
    }

    fn refuses(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        let host = text_of(headers, header::HOST.as_str()).filter(|host| self.hosts.iter().any(|own| own == host));
        let Some(host) = host else {
            return Some(reply::error(StatusCode::MISDIRECTED_REQUEST, "host", text::WRONG_HOST));
        };
        if headers.contains_key(header::ORIGIN) && text_of(headers, "origin") != Some(&format!("http://{host}")) {
            return Some(reply::error(StatusCode::FORBIDDEN, "origin", text::WRONG_ORIGIN));
        }
        let reads = method == Method::GET || method == Method::HEAD;
        if !reads && !text_of(headers, TOKEN).is_some_and(|token| self.knows(token)) {
            return Some(reply::error(StatusCode::FORBIDDEN, "token", text::WRONG_TOKEN));
        }
        None
    }

    /// Compares digests, so that the time it takes tells nothing about the token.
    fn knows(&self, token: &str) -> bool {
        Digest::of(token.as_bytes()) == Digest::of(self.token.as_bytes())
    }
}

pub(super) async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = match app.guard.refuses(request.method(), request.headers()) {
        Some(refused) => refused,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
