//! The only place that builds an HTTP client. It makes one request and reports what came back; it never follows a
//! redirect (a portal's, or a downgrade to http), never reads more than an answer of ours can be, and never retries.

mod gzip;
mod hint;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gzip::Gzip;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use reqwest::{Certificate, Client, Response, Url};

use crate::domain::event::Photo;
use crate::domain::forward::{Answer, Unreachable};
use crate::domain::id::Digest;
use crate::wire::device_api_v1::{self as api, EnrolRequest, EnrolResponse, ErrorBody, EventsRequest};

const CONNECT: Duration = Duration::from_secs(10);
const WHOLE_CALL: Duration = Duration::from_secs(60);
/// A connection that was idle for this long is not used again: routers with NAT forget one after a minute and less, and
/// what is sent on it then is lost without a word.
const IDLE: Duration = Duration::from_secs(30);
/// What was sent must be acknowledged by the other machine within this, so that a network that is gone without a word
/// doesn't cost the patience of a whole call.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);
/// 50 results of a few hundred bytes each, with room.
const MAX_ANSWER: usize = 1 << 20;
const UPLOAD_LENGTH: &str = "upload-length";
const UPLOAD_OFFSET: &str = "upload-offset";
const AGENT: &str = concat!("tallyman/", env!("CARGO_PKG_VERSION"));

/// How the site wants its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Trust this CA and no other.
    pub ca_file: Option<PathBuf>,
    /// A lab without TLS says so.
    pub allow_plain_http: bool,
    /// How long a whole call may take, from the connection to the answer's last byte.
    pub timeout: Duration,
}

impl Default for HttpConfig {
    fn default() -> HttpConfig {
        HttpConfig { ca_file: None, allow_plain_http: false, timeout: WHOLE_CALL }
    }
}

impl HttpConfig {
    /// Finds out at the start, and not at the first report, that a CA file can't be used.
    pub fn check(&self) -> Result<(), HttpError> {
        self.roots().map(|_| ())
    }

    fn roots(&self) -> Result<Option<Vec<Certificate>>, HttpError> {
        let Some(path) = &self.ca_file else { return Ok(None) };
        let failed = |why: String| HttpError::CaFile(path.clone(), why);
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let roots = Certificate::from_pem_bundle(&pem).map_err(|error| failed(root_cause(&error)))?;
        if roots.is_empty() { Err(failed("holds no certificate in PEM form".to_owned())) } else { Ok(Some(roots)) }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{0:?} is no URL: write it like https://odoo.example.com")]
    BadUrl(String),
    #[error("{0} is not encrypted: use https, or set allow_plain_http = true under [odoo] in a lab")]
    PlainHttp(Url),
    #[error("{0}: {1}")]
    CaFile(PathBuf, String),
    #[error(
        "no connection can be trusted here ({0}): install ca-certificates, or name the site's CA as ca_file under [odoo]"
    )]
    Build(String),
}

/// A client for one Odoo.
#[derive(Clone, Debug)]
pub struct OdooClient {
    client: Client,
    base: Url,
    gzip: Arc<Gzip>,
}

#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("Odoo can't be reached: {0}")]
    Unreachable(String),
    #[error("{code}: {message}")]
    Refused { code: String, message: String },
    #[error(
        "the server answered HTTP {0} with something that is not Tallyman's: is the addon warehouse_exception \
         installed there, and is it the right database?"
    )]
    NotOurs(u16),
}

impl OdooClient {
    pub fn new(url: &str, config: &HttpConfig) -> Result<OdooClient, HttpError> {
        let base = base_url(url, config.allow_plain_http)?;
        let mut builder = builder()
            .user_agent(AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT.min(config.timeout))
            .timeout(config.timeout)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .https_only(!config.allow_plain_http);
        if let Some(roots) = config.roots()? {
            builder = builder.tls_certs_only(roots);
        }
        if base.scheme() == "http" {
            builder = without_tls(builder);
        }
        if is_loopback(&base) {
            // A proxy of the environment is for what is outside.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| HttpError::Build(root_cause(&error)))?;
        Ok(OdooClient { client, base, gzip: Arc::default() })
    }

    /// Sends events, packed where the server offered to unpack and it pays.
    pub async fn send_events(&self, token: &str, events: Vec<String>) -> Answer {
        let body = match serde_json::to_vec(&EventsRequest { events }) {
            Ok(body) => body,
            Err(error) => return Answer::Local { detail: error.to_string() },
        };
        if let Some(packed) = self.gzip.pack(&body).await {
            match self.post_events(token, packed, true).await {
                // Whoever says that, means the packing (RFC 7694 §3).
                Ok(reply) if reply.status == 415 => self.gzip.refused(),
                said => return self.events_said(said, true),
            }
        }
        let said = self.post_events(token, body, false).await;
        self.events_said(said, false)
    }

    async fn post_events(&self, token: &str, body: Vec<u8>, packed: bool) -> Result<Reply, Answer> {
        let request = self.client.post(self.url("events")).header(AUTHORIZATION, bearer(token));
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        exchange(if packed { request.header(CONTENT_ENCODING, "gzip") } else { request }).await
    }

    fn events_said(&self, said: Result<Reply, Answer>, packed: bool) -> Answer {
        let (answer, unpacks) = match said {
            Ok(reply) => (api::events_answer(reply.status, reply.html, reply.retry_after, &reply.body), reply.unpacks),
            Err(unreachable) => (unreachable, false),
        };
        if matches!(answer, Answer::Results { .. }) {
            self.gzip.passed(packed, unpacks);
        } else if packed {
            self.gzip.failed();
        }
        answer
    }

    /// Sends a piece of a photo that starts at `offset`.
    pub async fn send_photo(&self, token: &str, photo: &Photo, offset: u64, piece: Vec<u8>) -> Answer {
        let request = self
            .client
            .put(self.url(&format!("evidence/{}", photo.digest)))
            .header(AUTHORIZATION, bearer(token))
            .header(CONTENT_TYPE, photo.media_type.name())
            .header(UPLOAD_LENGTH, photo.size)
            .header(UPLOAD_OFFSET, offset)
            .body(piece);
        match exchange(request).await {
            Ok(reply) => api::evidence_answer(reply.status, reply.html, reply.retry_after, &reply.body),
            Err(unreachable) => unreachable,
        }
    }

    /// Asks how much of a photo is there.
    pub async fn ask_photo(&self, token: &str, digest: Digest) -> Answer {
        let request = self.client.head(self.url(&format!("evidence/{digest}"))).header(AUTHORIZATION, bearer(token));
        match exchange(request).await {
            Ok(reply) => api::evidence_state(reply.status, reply.html, reply.retry_after, reply.upload_offset),
            Err(unreachable) => unreachable,
        }
    }

    pub async fn enrol(&self, enrolment: String) -> Result<EnrolResponse, EnrolError> {
        let reply = match exchange(self.client.post(self.url("enroll")).json(&EnrolRequest { enrolment })).await {
            Ok(reply) => reply,
            Err(Answer::Unreachable { detail, .. }) => return Err(EnrolError::Unreachable(detail)),
            Err(_) => return Err(EnrolError::NotOurs(0)),
        };
        if reply.status == 201
            && let Ok(response) = serde_json::from_slice(&reply.body)
        {
            return Ok(response);
        }
        match serde_json::from_slice::<ErrorBody>(&reply.body) {
            Ok(ErrorBody { error }) if reply.status >= 400 => {
                Err(EnrolError::Refused { code: error.code, message: error.message })
            }
            Ok(_) | Err(_) => Err(EnrolError::NotOurs(reply.status)),
        }
    }

    fn url(&self, call: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}/{call}", self.base.path().trim_end_matches('/'), api::BASE));
        url
    }
}

#[expect(clippy::disallowed_types, reason = "this is the one place that builds a client")]
fn builder() -> reqwest::ClientBuilder {
    // Another part of the process may have installed it; either way there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::ClientBuilder::new()
}

/// For what never speaks TLS: a client that trusts nobody, and so doesn't need the system's CAs to be there.
#[expect(clippy::disallowed_types, reason = "as above")]
fn without_tls(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    let nobody = rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty());
    builder.tls_backend_preconfigured(nobody.with_no_client_auth())
}

/// One small request to the agent's own Unix socket, for the command line. Blocks.
pub fn over_socket(socket: &Path, path: &str, post: bool, limit: Duration) -> Result<(u16, Vec<u8>), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let client = without_tls(builder()).unix_socket(socket).no_proxy().timeout(limit).build();
        let client = client.map_err(|error| root_cause(&error))?;
        let url = format!("http://agent{path}");
        let request = if post { client.post(url) } else { client.get(url) };
        let response = request.send().await.map_err(|error| root_cause(&error))?;
        let status = response.status().as_u16();
        Ok((status, response.bytes().await.map_err(|error| root_cause(&error))?.to_vec()))
    })
}

/// The agent's answer over its own socket, handed to `each` as it comes; ends when `each` fails. `patience` is for each piece, a
/// whole answer may take as long as it takes. Blocks.
pub fn stream_over_socket<E: From<String>>(
    socket: &Path,
    path: &str,
    patience: Duration,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |error: &dyn std::error::Error| E::from(root_cause(error));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))?;
    runtime.block_on(async {
        let client = without_tls(builder()).unix_socket(socket).no_proxy().read_timeout(patience).build();
        let client = client.map_err(|error| failed(&error))?;
        let mut response = client.get(format!("http://agent{path}")).send().await.map_err(|error| failed(&error))?;
        if !response.status().is_success() {
            return Err(E::from(format!("HTTP {}", response.status().as_u16())));
        }
        while let Some(bytes) = response.chunk().await.map_err(|error| failed(&error))? {
            each(&bytes)?;
        }
        Ok(())
    })
}

fn base_url(url: &str, allow_plain_http: bool) -> Result<Url, HttpError> {
    let base = Url::parse(url).map_err(|_| HttpError::BadUrl(url.to_owned()))?;
    match base.scheme() {
        "https" => Ok(base),
        "http" if allow_plain_http => Ok(base),
        "http" => Err(HttpError::PlainHttp(base)),
        _ => Err(HttpError::BadUrl(url.to_owned())),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

struct Reply {
    status: u16,
    html: bool,
    retry_after: Option<Duration>,
    /// How much of a photo the server has.
    upload_offset: Option<u64>,
    /// Offers to take packed requests (RFC 7694).
    unpacks: bool,
    body: Vec<u8>,
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<Reply, Answer> {
    let response = request.send().await.map_err(|error| unreachable(&error))?;
    let status = response.status().as_u16();
    let headers = response.headers();
    let (html, retry_after, unpacks) = (is_html(headers), hint::retry_after(headers), offers_gzip(headers));
    let upload_offset = upload_offset(headers);
    let body = bounded_body(response).await?;
    Ok(Reply { status, html, retry_after, upload_offset, unpacks, body })
}

async fn bounded_body(mut response: Response) -> Result<Vec<u8>, Answer> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) if body.len() + piece.len() > MAX_ANSWER => {
                let detail = format!("the answer is longer than {MAX_ANSWER} bytes");
                return Err(Answer::Unreachable { why: Unreachable::TooLarge, detail });
            }
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Ok(None) => return Ok(body),
            Err(error) => return Err(unreachable(&error)),
        }
    }
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| value.starts_with("text/html"))
}

fn upload_offset(headers: &HeaderMap) -> Option<u64> {
    headers.get(UPLOAD_OFFSET)?.to_str().ok()?.parse().ok()
}

fn offers_gzip(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|value| value.split(',')).any(gzip::is_offer)
}

fn unreachable(error: &reqwest::Error) -> Answer {
    let detail = root_cause(error);
    let tls = detail.contains("certificate") || detail.contains("TLS") || detail.contains("HandshakeFailure");
    let why = if error.is_timeout() {
        Unreachable::Timeout
    } else if tls {
        Unreachable::Tls
    } else if error.is_connect() {
        Unreachable::Connect
    } else {
        Unreachable::Broken
    };
    Answer::Unreachable { why, detail }
}

/// The innermost error says what happened; the outer ones only where.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str, lab: bool) -> String {
        match OdooClient::new(text, &HttpConfig { allow_plain_http: lab, ..HttpConfig::default() }) {
            Ok(client) => client.url("events").to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn plain_http_needs_the_sites_word() {
        assert!(url("http://odoo.lan", false).contains("allow_plain_http"));
        assert_eq!(url("http://odoo.lan", true), "http://odoo.lan/tallyman/v1/events");
    }

    #[test]
    fn a_path_prefix_is_kept() {
        assert_eq!(url("https://erp.example/odoo/", false), "https://erp.example/odoo/tallyman/v1/events");
    }

    #[test]
    fn what_is_no_url_is_said() {
        for text in ["odoo", "ftp://odoo.lan", ""] {
            assert!(url(text, true).contains("is no URL"), "{text}");
        }
    }
}
