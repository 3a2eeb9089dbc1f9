//! The file as written, and its checks. Unknown keys are refused: a misspelt key that is silently ignored costs IT a day.

mod photos;
mod rewrite;
mod scanner;

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::{Config, ConfigError};
use crate::domain::catalog::Conventions;
use crate::domain::policy::{FlowPolicy, PhotoRule, Policies, Reason, ReasonRule};
use crate::io::http::HttpConfig;
use photos::RawPhotos;
use scanner::RawScanner;

const DEFAULT_LISTEN: &str = "127.0.0.1:8640";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    state_dir: PathBuf,
    #[serde(default)]
    odoo: RawOdoo,
    #[serde(default)]
    page: RawPage,
    #[serde(default)]
    catalog: RawCatalog,
    #[serde(default)]
    codes: RawCodes,
    #[serde(default)]
    photos: RawPhotos,
    #[serde(default)]
    scanner: Vec<RawScanner>,
    #[serde(default)]
    policy: RawPolicies,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOdoo {
    ca_file: Option<PathBuf>,
    #[serde(default)]
    allow_plain_http: bool,
    retry_max_seconds: Option<Spanned<u64>>,
    timeout_seconds: Option<Spanned<u64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPage {
    listen: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalog {
    file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCodes {
    badge: Option<Vec<String>>,
    receipt: Option<Vec<String>>,
    pick: Option<Vec<String>>,
    bin: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicies {
    #[serde(default)]
    pick_shortage: RawPolicy,
    #[serde(default)]
    receiving_discrepancy: RawPolicy,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    photo: Option<Spanned<String>>,
    reasons: Option<Vec<Spanned<String>>>,
    cooldown_ms: Option<Spanned<u64>>,
}

/// The text with its name, to say where something is wrong.
struct Text<'a> {
    file: &'a Path,
    text: &'a str,
}

pub(super) fn parse(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let at = Text { file, text };
    let raw: RawConfig = toml::from_str(text).map_err(|error| at.syntax(&error))?;
    let folder = file.parent().unwrap_or(Path::new("."));
    Ok(Config {
        state_dir: folder.join(raw.state_dir),
        http: HttpConfig {
            ca_file: raw.odoo.ca_file.map(|path| folder.join(path)),
            allow_plain_http: raw.odoo.allow_plain_http,
            timeout: at.timeout(raw.odoo.timeout_seconds)?,
        },
        retry_max: at.retry_max(raw.odoo.retry_max_seconds)?,
        listen: at.listen(raw.page.listen)?,
        catalog: raw.catalog.file.map(|path| folder.join(path)),
        conventions: conventions(raw.codes),
        photos: at.photos(raw.photos)?,
        scanners: at.scanners(raw.scanner)?,
        policies: at.policies(raw.policy)?,
    })
}

impl Text<'_> {
    fn error(&self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> ConfigError {
        let help: String = help.into();
        ConfigError {
            file: self.file.to_owned(),
            place: Some(self.place(span.start)),
            message: message.into(),
            help: Some(help).filter(|help| !help.is_empty()),
        }
    }

    fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        let help = suggestion(&message).unwrap_or_default();
        self.error(error.span().unwrap_or(0..0), message, help)
    }

    fn retry_max(&self, seconds: Option<Spanned<u64>>) -> Result<Duration, ConfigError> {
        match seconds {
            None => Ok(Duration::from_secs(60)),
            Some(s) if (1..=600).contains(s.get_ref()) => Ok(Duration::from_secs(s.into_inner())),
            Some(s) => Err(self.error(s.span(), "retry_max_seconds is out of range", "write 1 to 600")),
        }
    }

    fn timeout(&self, seconds: Option<Spanned<u64>>) -> Result<Duration, ConfigError> {
        match seconds {
            None => Ok(HttpConfig::default().timeout),
            Some(s) if (1..=300).contains(s.get_ref()) => Ok(Duration::from_secs(s.into_inner())),
            Some(s) => Err(self.error(s.span(), "timeout_seconds is out of range", "write 1 to 300")),
        }
    }

    fn listen(&self, listen: Option<Spanned<String>>) -> Result<SocketAddr, ConfigError> {
        let (text, span) = listen.map_or((DEFAULT_LISTEN.to_owned(), 0..0), |l| (l.get_ref().clone(), l.span()));
        let help = format!("write an address of this machine alone, like \"{DEFAULT_LISTEN}\"");
        let Ok(address) = text.parse::<SocketAddr>() else {
            return Err(self.error(span, format!("{text:?} is no address with a port"), help));
        };
        if address.ip().is_loopback() {
            Ok(address)
        } else {
            Err(self.error(span, "the page has no login, so it is served on the loopback address only", help))
        }
    }

    fn policies(&self, raw: RawPolicies) -> Result<Policies, ConfigError> {
        let defaults = Policies::default();
        Ok(Policies {
            pick_shortage: self.policy(raw.pick_shortage, defaults.pick_shortage)?,
            receiving_discrepancy: self.policy(raw.receiving_discrepancy, defaults.receiving_discrepancy)?,
        })
    }

    fn policy(&self, raw: RawPolicy, default: FlowPolicy) -> Result<FlowPolicy, ConfigError> {
        let photo = match raw.photo {
            None => default.photo,
            Some(word) => match word.get_ref().as_str() {
                "optional" => PhotoRule::Optional,
                "required" => PhotoRule::Required,
                other => {
                    let message = format!("{other:?} says nothing about photos");
                    return Err(self.error(word.span(), message, "write \"optional\" or \"required\""));
                }
            },
        };
        let cooldown = match raw.cooldown_ms {
            None => default.cooldown,
            Some(ms) if *ms.get_ref() <= 10_000 => Duration::from_millis(ms.into_inner()),
            Some(ms) => return Err(self.error(ms.span(), "cooldown_ms is out of range", "write 0 to 10000")),
        };
        let Some(words) = raw.reasons else { return Ok(FlowPolicy { photo, cooldown, ..default }) };
        let mut reasons = Vec::new();
        for word in words {
            let Some(reason) = Reason::parse(word.get_ref()) else {
                let message = format!("{:?} is no reason", word.get_ref());
                return Err(self.error(
                    word.span(),
                    message,
                    "write small letters, digits and underscores, like \"bin_empty\"",
                ));
            };
            let side = default.reasons.iter().find(|rule| rule.reason == reason).and_then(|rule| rule.side);
            reasons.push(ReasonRule { reason, side });
        }
        Ok(FlowPolicy { reasons, photo, cooldown })
    }
}

fn conventions(raw: RawCodes) -> Conventions {
    let default = Conventions::default();
    Conventions {
        badge: raw.badge.unwrap_or(default.badge),
        receipt: raw.receipt.unwrap_or(default.receipt),
        pick: raw.pick.unwrap_or(default.pick),
        bin: raw.bin.unwrap_or(default.bin),
    }
}

/// For "unknown field `x`, expected one of `a`, `b`": the one that was probably meant.
fn suggestion(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, expected) = rest.split_once('`')?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    closest(unknown, &known).map(|word| format!("did you mean `{word}`?"))
}

fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known.iter().map(|candidate| (strsim::jaro_winkler(word, candidate), *candidate));
    scored.filter(|(score, _)| *score > 0.7).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &str) -> String {
        match parse(Path::new("etc/t.toml"), text) {
            Ok(config) => panic!("accepted: {config:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_shortest_file_has_sensible_defaults() {
        let config = parse(Path::new("etc/t.toml"), "state_dir = \"state\"").unwrap();
        assert_eq!(config.state_dir, Path::new("etc/state"));
        assert_eq!(config.listen.to_string(), DEFAULT_LISTEN);
        assert!(!config.http.allow_plain_http);
        assert_eq!(config.policies, Policies::default());
    }

    #[test]
    fn the_shipped_example_is_valid() {
        let example = include_str!("../../config/tallyman.toml");
        parse(Path::new("/etc/tallyman/tallyman.toml"), example).unwrap();
    }

    #[test]
    fn rewriting_rules_are_read_in_their_order_and_one_that_can_not_work_is_refused_where_it_stands() {
        let file = |rules: &str| format!("state_dir = \"s\"\n[[scanner]]\nname = \"a\"\nkind = \"stdin\"\n{rules}");
        let rules = "[[scanner.rewrite]]\nstrip_prefix = \"~\"\n[[scanner.rewrite]]\nmatch = \"^B(.)$\"\nreplace = \"LOC-$1\"\n";
        let config = parse(Path::new("etc/t.toml"), &file(rules)).unwrap();
        assert_eq!(config.scanners[0].rewrite.apply("~B7".into()), "LOC-7");
        for (rules, place, cure) in [
            ("[[scanner.rewrite]]\nmatch = \"(\"\nreplace = \"\"", "6:9", "unclosed group"),
            ("[[scanner.rewrite]]\nmatch = \"a\"\nreplace = \"$1\"", "6:9", "no such group"),
            ("[[scanner.rewrite]]\nmatch = \"a\"", "5:1", "match with replace"),
            ("[[scanner.rewrite]]\nstrip_prefix = \"a\"\nstrip_suffix = \"b\"", "5:1", "one of them"),
            ("[[scanner.rewrite]]\nstrip_prefx = \"a\"", "6:1", "strip_prefix"),
        ] {
            let error = fails(&file(rules));
            assert!(error.starts_with(&format!("etc/t.toml:{place}:")), "{rules:?} gave {error}");
            assert!(error.contains(cure), "{rules:?} gave {error}");
        }
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_place_and_the_right_word() {
        let text = "state_dir = \"s\"\n\n[odoo]\nallow_plain_htp = true\n";
        let error = fails(text);
        assert!(error.starts_with("etc/t.toml:4:1: unknown field `allow_plain_htp`"), "{error}");
        assert!(error.contains("did you mean `allow_plain_http`?"), "{error}");
    }

    #[test]
    fn every_mistake_says_where_and_what_to_write() {
        let scanner = |lines: &str| format!("state_dir = \"s\"\n[[scanner]]\nname = \"a\"\n{lines}\n");
        for (text, place, cure) in [
            ("".to_owned(), "1:1", ""),
            ("state_dir = 5".to_owned(), "1:13", ""),
            ("state_dir = \"s\"\n[page]\nlisten = \"0.0.0.0:80\"".to_owned(), "3:10", "127.0.0.1"),
            ("state_dir = \"s\"\n[odoo]\nretry_max_seconds = 0".to_owned(), "3:21", "1 to 600"),
            ("state_dir = \"s\"\n[photos]\nmax_edge = 320".to_owned(), "3:12", "640 to 8192"),
            ("state_dir = \"s\"\n[photos]\nquality = 101".to_owned(), "3:11", "40 to 95"),
            ("state_dir = \"s\"\n[photos]\nmax_disk_mib = 1".to_owned(), "3:16", "16 to"),
            ("state_dir = \"s\"\n[odoo]\ntimeout_seconds = 301".to_owned(), "3:19", "1 to 300"),
            (scanner("kind = \"seriel\""), "4:8", "did you mean \"serial\"?"),
            (scanner("kind = \"serial\""), "4:8", "path ="),
            (scanner("kind = \"serial\"\npath = \"/dev/x\"\nbaud = 9601"), "6:8", "9600"),
            (scanner("kind = \"serial\"\npath = \"/dev/x\"\nterminator = \"crcr\""), "6:14", "\"line\""),
            (scanner("kind = \"evdev\"\npath = \"/dev/x\"\nbaud = 9600"), "6:8", "remove"),
            (scanner("kind = \"stdin\"\npath = \"/dev/x\""), "5:8", "remove"),
            (scanner("kind = \"stdin\"\n[[scanner]]\nname = \"a\"\nkind = \"stdin\""), "6:8", "own name"),
            ("state_dir = \"s\"\n[policy.pick_shortage]\nphoto = \"yes\"".to_owned(), "3:9", "required"),
            ("state_dir = \"s\"\n[policy.pick_shortage]\ncooldown_ms = 60000".to_owned(), "3:15", "0 to 10000"),
            ("state_dir = \"s\"\n[policy.pick_shortage]\nreasons = [\"Bin Empty\"]".to_owned(), "3:12", "bin_empty"),
        ] {
            let error = fails(&text);
            assert!(error.starts_with(&format!("etc/t.toml:{place}:")), "{text:?} gave {error}");
            assert!(error.contains(cure), "{text:?} gave {error}");
        }
    }
}
