//! The models that are compiled in: the project's own, for rehearsals and simulated machines.

use super::Model;
use crate::error::{Error, Result};
use std::path::Path;

macro_rules! models {
    ($($name:literal),* $(,)?) => {
        /// Names and texts.
        const MODELS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../models/", $name, ".json")))),*];
    };
}

models!(
    "polaris10_baco",
    "polaris10_config",
    "polaris10_stays_on",
    "vega10",
    "vega10_smu_silent",
    "vega10_off",
    "vega10_stays_on",
    "vega20_mode1",
    "vega20_baco",
    "vega20_psp_silent",
    "vega20_refuses",
    "mi100_mode1",
    "mi100_psp_silent",
    "navi10",
    "navi10_smu_silent",
    "navi10_config_lost",
    "navi10_psp_silent",
    "polaris10_unstarted",
    "navi2x_mode1",
    "navi31_mode1",
    "navi32_mode1",
    "navi33_mode1",
    "raven_mode2",
    "renoir_mode1",
    "renoir_mode2",
    "vangogh_mode2",
    "rembrandt_mode2",
    "phoenix_mode2",
    "strix_mode2",
    "hawaii",
    "nvme",
    "flr_delay",
    "intel_82599_vf",
    "intel_ivybridge",
    "chelsio_t4",
    "hinic_vf",
);

/// The files that the models name.
const BLOBS: &[(&str, &[u8])] = &[("discovery_navi10.bin", include_bytes!("../models/discovery_navi10.bin"))];

impl Model {
    /// The model that is shipped under this name.
    ///
    /// # Errors
    /// When there is none; the names there are.
    pub fn shipped(name: &str) -> Result<Self> {
        let Some((_, text)) = MODELS.iter().find(|(known, _)| *known == name) else {
            return Err(Error::NoSuchModel {
                name: name.to_string(),
                reason: format!("shipped are {}; a path to one ends in .json", Self::names().join(", ")),
            });
        };
        Self::parse(text, Path::new(name), &|file| {
            let found = BLOBS.iter().find(|(known, _)| *known == file).map(|(_, bytes)| bytes.to_vec());
            found.ok_or_else(|| Error::read(file, std::io::ErrorKind::NotFound.into()))
        })
    }

    /// The names of the shipped models.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        MODELS.iter().map(|(name, _)| *name).collect()
    }
}
