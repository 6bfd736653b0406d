//! AMD GPUs.
//!
//! | family | reset by | file |
//! |---|---|---|
//! | Polaris 10, 11, 12 | BACO, or the reset register in configuration space | `amd/polaris.rs`, `amd/polaris/tables.rs` |
//! | Vega 10 | BACO; PSP mode 1 if the SMU is silent | `amd/vega10.rs` |
//! | Vega 20, MI100 | PSP mode 1; on Vega 20 else BACO by the SMU | `amd/vega20.rs` |
//! | Navi 10, 12, 14 | PSP mode 1 | `amd/navi1x.rs` |
//! | Navi 2x, 3x; APUs | the SMU, mode 1 or 2; on Renoir the PSP | `amd/smu_reset.rs`, `amd/smu_reset/families.rs` |
//! | Bonaire, Hawaii | the reset register in configuration space | `amd/sea_islands.rs` |
//!
//! What they share: the PSP ([`psp`]) and the SMU ([`smu`]), firmware that is asked through mailboxes;
//! the places of register blocks ([`soc15`]), which newer cards tell themselves ([`discovery`]); and
//! tables of register operations ([`table`]).
//!
//! A VBIOS is never needed: no command table is executed, and the one thing that others take from it,
//! the place of the scratch registers, is the same on every card.

pub mod discovery;
pub mod navi1x;
pub mod polaris;
pub mod psp;
pub mod sea_islands;
pub mod smu;
pub mod smu_reset;
pub mod soc15;
pub mod table;
pub mod vega10;
pub mod vega20;

use super::device::Device;
use super::outcome::StepResult;

/// The register aperture, BAR 5.
pub(super) const MMIO: u8 = 5;

/// The smallest aperture there is: 256 KiB.
const APERTURE: u64 = 0x4_0000;

/// What every detection begins with: the function answers, and its register aperture is accessible.
pub(super) fn open(device: &mut Device<'_>) -> StepResult {
    device.must_answer()?;
    device.open(MMIO, APERTURE).map(drop)
}

/// What is next if a sequence fails.
pub(super) const REMEDY: &str = "do not reset its bus: that makes a second try impossible on these cards; suspend the \
     host and wake it, which switches the card off and on, or switch the host off and on (power cycle needed if neither \
     helps)";
