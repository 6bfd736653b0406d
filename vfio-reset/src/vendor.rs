//! Resets that only the device's maker knows: sequences of register accesses.
//!
//! A family of devices has a [`ResetSequence`]; its steps act on a [`Device`], through named registers
//! ([`register`]) on a bus ([`bus`]), with every wait inside a budget and every access in a [`Trace`].
//! Which devices belong to which family is data ([`devices`]). A [`Model`] stands in for a device: the
//! sequences are compared with recorded traces on models, and shown on them before they are let at
//! hardware.
//!
//! | you look for | file |
//! |---|---|
//! | what a family does | one file a family, below `vendor/amd/` and beside it |
//! | the ids | `vendor/devices.toml` |
//! | the steps, and what happens without an override | `vendor/sequence.rs`, `vendor/device/standard.rs` |
//! | what `--dry-run` prints | `vendor/dry_run.rs` |
//! | how windows are driven (SMN, SMC, MM_INDEX) | `vendor/device/access.rs` |

pub mod amd;
pub mod bus;
pub mod device;
pub mod devices;
pub mod dry_run;
pub mod family;
pub mod flr;
pub mod intel;
pub mod model;
pub mod network;
pub mod nvme;
pub mod operation;
pub mod outcome;
pub mod register;
pub mod run;
pub mod sequence;
pub mod trace;

pub use device::Device;
pub use devices::Devices;
pub use family::Family;
pub use model::Model;
pub use outcome::Outcome;
pub use sequence::ResetSequence;
pub use trace::Trace;

/// Every family, in the order in which `vendor list` shows them.
pub static FAMILIES: &[&Family] = &[
    &amd::polaris::POLARIS,
    &amd::vega10::VEGA10,
    &amd::vega20::VEGA20,
    &amd::vega20::MI100,
    &amd::navi1x::NAVI1X,
    &amd::smu_reset::NAVI2X,
    &amd::smu_reset::NAVI31,
    &amd::smu_reset::NAVI32,
    &amd::smu_reset::NAVI33,
    &amd::smu_reset::RAVEN,
    &amd::smu_reset::RENOIR,
    &amd::smu_reset::VAN_GOGH,
    &amd::smu_reset::REMBRANDT,
    &amd::smu_reset::PHOENIX,
    &amd::smu_reset::STRIX,
    &amd::sea_islands::SEA_ISLANDS,
    &nvme::NVME_DISABLE,
    &flr::FLR_DELAY,
    &flr::INTEL_82599_VF,
    &intel::IVY_BRIDGE,
    &network::CHELSIO_T4,
    &network::HINIC_VF,
];
