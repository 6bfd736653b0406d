//! Registers by their type: where to find each, known when compiling.
//!
//! ```
//! use pcicfg::{ConfigSpace, header::Command, registers::{handles, registers}};
//!
//! let mut bytes = [0; 64];
//! bytes[0x04] = 0x06;
//! let space = ConfigSpace::new(&bytes)?;
//! let command: Command = registers(space).typed(handles::COMMAND, space).unwrap();
//! assert!(command.contains(Command::BUS_MASTER));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::{FindError, PlacedRegister, RegisterMap, Structure};
use crate::ConfigSpace;
use crate::capability::*;
use crate::extended::*;
use crate::header::{BridgeControl, Command, SecondaryStatus, Status};
use alloc::string::{String, ToString};
use bitflags::Flags;
use core::fmt;
use core::marker::PhantomData;

/// A register's type: one of this crate's `bitflags`.
pub trait Typed: Copy + sealed::Sealed {
    /// The bits that it has.
    const MASK: u32;

    /// The register of this value.
    fn from_register(value: u32) -> Self;

    /// Its value.
    fn into_register(self) -> u32;
}

mod sealed {
    pub trait Sealed {}
}

impl<F> sealed::Sealed for F where F: Flags<Bits: Into<u32> + TryFrom<u32>> + Copy {}

impl<F> Typed for F
where
    F: Flags<Bits: Into<u32> + TryFrom<u32>> + Copy,
{
    const MASK: u32 = u32::MAX >> (32 - 8 * size_of::<F::Bits>());

    fn from_register(value: u32) -> Self {
        // Of these bits none is lost.
        F::Bits::try_from(value & Self::MASK).map_or_else(|_| F::empty(), F::from_bits_retain)
    }

    fn into_register(self) -> u32 {
        self.bits().into()
    }
}

/// Where a register of type `R` is: in the header, or in the first capability of an id.
pub struct Handle<R> {
    place: Place,
    name: &'static str,
    register: PhantomData<fn() -> R>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Header,
    Capability(CapabilityId),
    Extended(ExtendedCapabilityId),
}

impl<R> Handle<R> {
    const fn new(place: Place, name: &'static str) -> Self {
        Self { place, name, register: PhantomData }
    }

    /// The register's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Handle<R> {}

impl<R> fmt::Debug for Handle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("place", &self.place).field("name", &self.name).finish()
    }
}

impl Place {
    fn is(self, structure: Structure) -> bool {
        match (self, structure) {
            (Self::Header, Structure::Header) => true,
            (Self::Capability(wanted), Structure::Capability { id, .. }) => id == wanted,
            (Self::Extended(wanted), Structure::Extended { id, .. }) => id == wanted,
            _ => false,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Header => Structure::Header.name(),
            Self::Capability(id) => Structure::Capability { id, offset: 0 }.name(),
            Self::Extended(id) => Structure::Extended { id, offset: 0 }.name(),
        }
    }
}

impl RegisterMap {
    /// The register of a handle.
    ///
    /// # Errors
    /// [`FindError`] if the function has none.
    pub fn get<R>(&self, handle: Handle<R>) -> Result<&PlacedRegister, FindError> {
        let mut structures = core::iter::once(Structure::Header).chain(self.structures.iter().copied());
        let Some(structure) = structures.find(|structure| handle.place.is(*structure)) else {
            return Err(self.no_structure(handle.place.name()));
        };
        self.of(structure)
            .find(|register| register.name().is(handle.name))
            .ok_or_else(|| self.no_register(structure, handle.name.to_string()))
    }

    /// The register of a handle, read.
    #[must_use]
    pub fn typed<R: Typed>(&self, handle: Handle<R>, space: ConfigSpace<'_>) -> Option<R> {
        self.get(handle).ok()?.read(space).map(R::from_register)
    }
}

macro_rules! handles {
    ($($place:expr => { $($constant:ident: $register:ty = $name:literal;)* })*) => {
        $($(
            #[doc = concat!($name, ".")]
            pub const $constant: Handle<$register> = Handle::new($place, $name);
        )*)*

        /// Each handle's place and name, for tests.
        #[cfg(test)]
        pub(super) const ALL: &[(Structure, &str, u32)] = &[$($(
            (structure($place), $name, <$register as Typed>::MASK),
        )*)*];
    };
}

#[cfg(test)]
const fn structure(place: Place) -> Structure {
    match place {
        Place::Header => Structure::Header,
        Place::Capability(id) => Structure::Capability { id, offset: 0x40 },
        Place::Extended(id) => Structure::Extended { id, offset: 0x100 },
    }
}

handles! {
    Place::Header => {
        COMMAND: Command = "Command";
        STATUS: Status = "Status";
        SECONDARY_STATUS: SecondaryStatus = "Secondary Status";
        BRIDGE_CONTROL: BridgeControl = "Bridge Control";
    }
    Place::Capability(CapabilityId::POWER_MANAGEMENT) => {
        POWER_MANAGEMENT_CONTROL_STATUS: PowerManagementControlStatus = "Power Management Control/Status";
    }
    Place::Capability(CapabilityId::AGP) => {
        AGP_COMMAND: AgpCommand = "AGP Command";
    }
    Place::Capability(CapabilityId::MSI) => {
        MSI_MESSAGE_CONTROL: MsiMessageControl = "MSI Message Control";
    }
    Place::Capability(CapabilityId::PCI_X) => {
        PCI_X_COMMAND: PciXCommand = "PCI-X Command";
    }
    Place::Capability(CapabilityId::PCI_EXPRESS) => {
        DEVICE_CONTROL: DeviceControl = "Device Control";
        DEVICE_STATUS: DeviceStatus = "Device Status";
        LINK_CONTROL: LinkControl = "Link Control";
        LINK_STATUS: LinkStatus = "Link Status";
        SLOT_CONTROL: SlotControl = "Slot Control";
        SLOT_STATUS: SlotStatus = "Slot Status";
        ROOT_CONTROL: RootControl = "Root Control";
        ROOT_STATUS: RootStatus = "Root Status";
        DEVICE_CONTROL_2: DeviceControl2 = "Device Control 2";
        LINK_CONTROL_2: LinkControl2 = "Link Control 2";
        LINK_STATUS_2: LinkStatus2 = "Link Status 2";
    }
    Place::Capability(CapabilityId::MSI_X) => {
        MSI_X_MESSAGE_CONTROL: MsiXMessageControl = "MSI-X Message Control";
    }
    Place::Capability(CapabilityId::ADVANCED_FEATURES) => {
        ADVANCED_FEATURES_CONTROL: AdvancedFeaturesControl = "AF Control";
    }
    Place::Extended(ExtendedCapabilityId::ADVANCED_ERROR_REPORTING) => {
        UNCORRECTABLE_ERROR_STATUS: UncorrectableErrors = "Uncorrectable Error Status";
        UNCORRECTABLE_ERROR_MASK: UncorrectableErrors = "Uncorrectable Error Mask";
        UNCORRECTABLE_ERROR_SEVERITY: UncorrectableErrors = "Uncorrectable Error Severity";
        CORRECTABLE_ERROR_STATUS: CorrectableErrors = "Correctable Error Status";
        CORRECTABLE_ERROR_MASK: CorrectableErrors = "Correctable Error Mask";
        ADVANCED_ERROR_CONTROL: AdvancedErrorControl = "Advanced Error Capabilities and Control";
        ROOT_ERROR_COMMAND: RootErrorCommand = "Root Error Command";
        ROOT_ERROR_STATUS: RootErrorStatus = "Root Error Status";
    }
    Place::Extended(ExtendedCapabilityId::VIRTUAL_CHANNEL) => {
        PORT_VC_CONTROL: PortVcControl = "Port VC Control";
    }
    Place::Extended(ExtendedCapabilityId::ACCESS_CONTROL_SERVICES) => {
        ACS_CONTROL: AcsControl = "ACS Control";
    }
    Place::Extended(ExtendedCapabilityId::ALTERNATIVE_ROUTING_ID) => {
        ARI_CONTROL: AriControl = "ARI Control";
    }
    Place::Extended(ExtendedCapabilityId::ADDRESS_TRANSLATION_SERVICES) => {
        ATS_CONTROL: AtsControl = "ATS Control";
    }
    Place::Extended(ExtendedCapabilityId::SR_IOV) => {
        SR_IOV_CONTROL: SrIovControl = "SR-IOV Control";
        SR_IOV_STATUS: SrIovStatus = "SR-IOV Status";
    }
    Place::Extended(ExtendedCapabilityId::MULTICAST) => {
        MULTICAST_CONTROL: MulticastControl = "Multicast Control";
    }
    Place::Extended(ExtendedCapabilityId::PAGE_REQUEST_INTERFACE) => {
        PAGE_REQUEST_CONTROL: PageRequestControl = "Page Request Control";
        PAGE_REQUEST_STATUS: PageRequestStatus = "Page Request Status";
    }
    Place::Extended(ExtendedCapabilityId::DYNAMIC_POWER_ALLOCATION) => {
        DPA_CONTROL: DpaControl = "DPA Control";
    }
    Place::Extended(ExtendedCapabilityId::TPH_REQUESTER) => {
        TPH_CONTROL: TphControl = "TPH Requester Control";
    }
    Place::Extended(ExtendedCapabilityId::SECONDARY_PCI_EXPRESS) => {
        LINK_CONTROL_3: LinkControl3 = "Link Control 3";
    }
    Place::Extended(ExtendedCapabilityId::PASID) => {
        PASID_CONTROL: PasidControl = "PASID Control";
    }
    Place::Extended(ExtendedCapabilityId::DOWNSTREAM_PORT_CONTAINMENT) => {
        DPC_CONTROL: DpcControl = "DPC Control";
        DPC_STATUS: DpcStatus = "DPC Status";
    }
    Place::Extended(ExtendedCapabilityId::L1_PM_SUBSTATES) => {
        L1_PM_SUBSTATES_CONTROL_1: L1PmSubstatesControl1 = "L1 PM Substates Control 1";
        L1_PM_SUBSTATES_CONTROL_2: L1PmSubstatesControl2 = "L1 PM Substates Control 2";
    }
    Place::Extended(ExtendedCapabilityId::PRECISION_TIME_MEASUREMENT) => {
        PTM_CONTROL: PtmControl = "PTM Control";
    }
    Place::Extended(ExtendedCapabilityId::FRS_QUEUEING) => {
        FRS_QUEUEING_CONTROL: FrsQueueingControl = "FRS Queueing Control";
        FRS_QUEUEING_STATUS: FrsQueueingStatus = "FRS Queueing Status";
    }
    Place::Extended(ExtendedCapabilityId::NATIVE_PCIE_ENCLOSURE_MANAGEMENT) => {
        NPEM_CONTROL: NpemIndicators = "NPEM Control";
    }
    Place::Extended(ExtendedCapabilityId::SYSTEM_FIRMWARE_INTERMEDIARY) => {
        SFI_CONTROL: SfiControl = "SFI Control";
    }
    Place::Extended(ExtendedCapabilityId::DATA_OBJECT_EXCHANGE) => {
        DOE_CONTROL: DoeControl = "DOE Control";
        DOE_STATUS: DoeStatus = "DOE Status";
    }
    Place::Extended(ExtendedCapabilityId::DEVICE_3) => {
        DEVICE_CONTROL_3: DeviceControl3 = "Device Control 3";
    }
    Place::Extended(ExtendedCapabilityId::INTEGRITY_AND_DATA_ENCRYPTION) => {
        IDE_CONTROL: IdeControl = "IDE Control";
    }
}
