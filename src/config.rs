//! The configuration: TOML text in, a checked [`Config`] or an error that names file, line, column and the cure out.

mod raw;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::catalog::Conventions;
use crate::domain::policy::Policies;
use crate::io::http::HttpConfig;
use crate::io::photos::PhotoConfig;
pub use crate::io::scanner::{Scanner, Source};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub state_dir: PathBuf,
    pub http: HttpConfig,
    /// The longest pause between two attempts to reach Odoo.
    pub retry_max: Duration,
    pub listen: SocketAddr,
    pub catalog: Option<PathBuf>,
    pub photos: PhotoConfig,
    pub conventions: Conventions,
    pub scanners: Vec<Scanner>,
    pub policies: Policies,
}

/// What is wrong, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub file: PathBuf,
    /// Line and column from 1; absent when the file as a whole is the trouble.
    pub place: Option<(usize, usize)>,
    pub message: String,
    pub help: Option<String>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  {help}"),
            None => Ok(()),
        }
    }
}

impl Config {
    /// Reads and checks the file. Relative paths in it are relative to its folder.
    pub fn load(file: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError {
            file: file.to_owned(),
            place: None,
            message: format!("can't be read: {error}"),
            help: Some("give the file with --config, or write one: see config/tallyman.toml in the sources".to_owned()),
        })?;
        Config::parse(file, &text)
    }

    /// Checks `text`, which came from `file`.
    pub fn parse(file: &Path, text: &str) -> Result<Config, ConfigError> {
        raw::parse(file, text)
    }
}
