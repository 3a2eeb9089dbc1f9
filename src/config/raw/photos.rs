//! `[photos]`: how photos are kept.

use std::ops::RangeInclusive;

use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, Text};
use crate::io::photos::PhotoConfig;

/// Below, no label can be read; above, a device's memory has its say.
const EDGES: RangeInclusive<u16> = 640..=8192;
const QUALITIES: RangeInclusive<u8> = 40..=95;
/// From a few photos to a terabyte.
const DISK_MIB: RangeInclusive<u64> = 16..=1 << 20;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPhotos {
    max_edge: Option<Spanned<u64>>,
    quality: Option<Spanned<u64>>,
    max_disk_mib: Option<Spanned<u64>>,
}

impl Text<'_> {
    pub(super) fn photos(&self, raw: RawPhotos) -> Result<PhotoConfig, ConfigError> {
        let default = PhotoConfig::default();
        let disk = self.within("max_disk_mib", raw.max_disk_mib, DISK_MIB)?;
        Ok(PhotoConfig {
            max_edge: self.within("max_edge", raw.max_edge, EDGES)?.unwrap_or(default.max_edge),
            quality: self.within("quality", raw.quality, QUALITIES)?.unwrap_or(default.quality),
            max_disk: disk.map_or(default.max_disk, |mib| mib << 20),
            min_free: default.min_free,
        })
    }

    fn within<T>(
        &self,
        key: &str,
        value: Option<Spanned<u64>>,
        may: RangeInclusive<T>,
    ) -> Result<Option<T>, ConfigError>
    where
        T: TryFrom<u64> + PartialOrd + std::fmt::Display,
    {
        let Some(value) = value else { return Ok(None) };
        match T::try_from(*value.get_ref()) {
            Ok(number) if may.contains(&number) => Ok(Some(number)),
            Ok(_) | Err(_) => {
                let help = format!("write {} to {}", may.start(), may.end());
                Err(self.error(value.span(), format!("{key} is out of range"), help))
            }
        }
    }
}
