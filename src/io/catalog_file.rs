//! Reads the catalog from the file that the configuration names.

use std::path::{Path, PathBuf};

use crate::domain::catalog::{Catalog, Conventions};
use crate::wire::catalog_v1::CatalogV1;

#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("{0}: {1}")]
    Read(PathBuf, std::io::Error),
    #[error("{}:{}:{}: {error}", path.display(), error.line(), error.column())]
    Syntax { path: PathBuf, error: serde_json::Error },
    #[error("{0}: {1}")]
    Meaning(PathBuf, String),
}

pub fn load(path: &Path, conventions: Conventions) -> Result<Catalog, CatalogError> {
    let text = std::fs::read(path).map_err(|error| CatalogError::Read(path.to_owned(), error))?;
    let catalog: CatalogV1 =
        serde_json::from_slice(&text).map_err(|error| CatalogError::Syntax { path: path.to_owned(), error })?;
    catalog.into_domain(conventions).map_err(|why| CatalogError::Meaning(path.to_owned(), why))
}
