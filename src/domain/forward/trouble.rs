//! What is wrong with the road to Odoo, as a word for programs and as a sentence for people.

use std::fmt;

use super::{Answer, Unreachable};

/// Why nothing gets through, as a person should read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    NoNetwork(String),
    Timeout,
    Tls(String),
    CaptivePortal {
        status: u16,
    },
    AddonMissing,
    ServerError {
        status: u16,
    },
    /// The server, or a proxy before it, asked to be left alone for a while.
    Busy {
        status: u16,
    },
    /// One event alone is more than the server takes.
    TooLarge,
    ClockSkew,
    Unauthorized(String),
    Revoked(String),
    Refused {
        code: String,
        message: String,
    },
    /// The server answered, but its answer fits nothing that was asked.
    Nonsense,
    Local(String),
}

impl Trouble {
    /// What an answer that is no good answer means.
    pub(super) fn of(answer: Answer) -> Trouble {
        match answer {
            Answer::Refused(error) => match (error.status, error.code.as_str()) {
                (401, "clock_skew") => Trouble::ClockSkew,
                (401, _) => Trouble::Unauthorized(error.message),
                (403, "revoked") => Trouble::Revoked(error.message),
                (413, _) => Trouble::TooLarge,
                (429 | 503, _) => Trouble::Busy { status: error.status },
                (500.., _) => Trouble::ServerError { status: error.status },
                (_, _) => Trouble::Refused { code: error.code, message: error.message },
            },
            Answer::NotOurs { status: 404, html: true } => Trouble::AddonMissing,
            Answer::NotOurs { status: 413, .. } => Trouble::TooLarge,
            Answer::NotOurs { status: 429, .. } => Trouble::Busy { status: 429 },
            Answer::NotOurs { status: 511, .. } => Trouble::CaptivePortal { status: 511 },
            Answer::NotOurs { status: status @ 500.., .. } => Trouble::ServerError { status },
            Answer::NotOurs { status, .. } => Trouble::CaptivePortal { status },
            Answer::Busy { status, .. } => Trouble::Busy { status },
            Answer::Unreachable { why: Unreachable::Timeout, .. } => Trouble::Timeout,
            Answer::Unreachable { why: Unreachable::Tls, detail } => Trouble::Tls(detail),
            Answer::Unreachable { why: Unreachable::TooLarge, .. }
            | Answer::Results { .. }
            | Answer::Photo { .. }
            | Answer::PhotoLost { .. } => Trouble::Nonsense,
            Answer::Unreachable { why: Unreachable::Connect | Unreachable::Broken, detail } => {
                Trouble::NoNetwork(detail)
            }
            Answer::Local { detail } => Trouble::Local(detail),
        }
    }

    /// True when another network, or the same one come back, may be all that is needed.
    pub(super) fn is_of_the_network(&self) -> bool {
        match self {
            Trouble::NoNetwork(_) | Trouble::Timeout | Trouble::Tls(_) | Trouble::CaptivePortal { .. } => true,
            Trouble::AddonMissing
            | Trouble::ServerError { .. }
            | Trouble::Busy { .. }
            | Trouble::TooLarge
            | Trouble::ClockSkew
            | Trouble::Unauthorized(_)
            | Trouble::Revoked(_)
            | Trouble::Refused { .. }
            | Trouble::Nonsense
            | Trouble::Local(_) => false,
        }
    }

    /// What the machine said, for IT: an operator can do nothing with it.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Trouble::NoNetwork(detail) | Trouble::Tls(detail) => Some(detail),
            Trouble::Timeout
            | Trouble::CaptivePortal { .. }
            | Trouble::AddonMissing
            | Trouble::ServerError { .. }
            | Trouble::Busy { .. }
            | Trouble::TooLarge
            | Trouble::ClockSkew
            | Trouble::Unauthorized(_)
            | Trouble::Revoked(_)
            | Trouble::Refused { .. }
            | Trouble::Nonsense
            | Trouble::Local(_) => None,
        }
    }

    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Trouble::NoNetwork(_) => "unreachable",
            Trouble::Timeout => "timeout",
            Trouble::Tls(_) => "tls",
            Trouble::CaptivePortal { .. } => "captive_portal",
            Trouble::AddonMissing => "addon_missing",
            Trouble::ServerError { .. } => "server_error",
            Trouble::Busy { .. } => "busy",
            Trouble::TooLarge => "too_large",
            Trouble::ClockSkew => "clock_skew",
            Trouble::Unauthorized(_) => "unauthorized",
            Trouble::Revoked(_) => "revoked",
            Trouble::Refused { .. } => "refused",
            Trouble::Nonsense => "nonsense",
            Trouble::Local(_) => "local",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::NoNetwork(_) => f.write_str("Odoo can't be reached. Reports are kept here and sent later."),
            Trouble::Timeout => f.write_str("Odoo did not answer in time. Reports are kept here and sent again."),
            Trouble::Tls(_) => {
                f.write_str("The server's certificate was not accepted. Nothing was sent; check the CA and the clock.")
            }
            Trouble::CaptivePortal { status: status @ 300..=399 } => write!(
                f,
                "The server points elsewhere (HTTP {status}), where reports are never sent: a captive portal, or Odoo has \
                 moved. Log this network in, or let IT enrol the device at Odoo's new address; nothing was lost."
            ),
            Trouble::CaptivePortal { status } => write!(
                f,
                "A web page answered instead of Odoo (HTTP {status}): a captive portal or a proxy. \
                 Log this network in; nothing was lost."
            ),
            Trouble::AddonMissing => f.write_str(
                "The server has no Tallyman endpoint (HTML 404): the addon isn't installed there, \
                 or another database answered.",
            ),
            Trouble::ServerError { status } => {
                write!(f, "The server failed (HTTP {status}). Reports are kept and sent again.")
            }
            Trouble::Busy { status } => {
                write!(f, "The server is busy (HTTP {status}) and asked to wait. Reports are kept and sent again.")
            }
            Trouble::TooLarge => f.write_str(
                "A report is more than the server takes at once. It is kept; tallyman queue list shows which and why.",
            ),
            Trouble::ClockSkew => f.write_str("The device's clock was off; it follows the server's time from here on."),
            Trouble::Unauthorized(message) => {
                write!(f, "Odoo doesn't accept this device's key: {message} Enrol it again.")
            }
            Trouble::Revoked(message) => {
                write!(f, "This device was revoked: {message} Everything is kept; ask whoever manages the devices.")
            }
            Trouble::Refused { code, message } => write!(f, "Odoo refused the request ({code}): {message}"),
            Trouble::Nonsense => {
                f.write_str("The server's answer names none of the events sent. They are kept and sent again.")
            }
            Trouble::Local(detail) => write!(f, "The request could not be made: {detail}"),
        }
    }
}
