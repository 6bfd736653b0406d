//! Virtual Channel (0002h, 0009h) and Multi-Function Virtual Channel (0008h): traffic classes (PCI
//! Express Base 6.0, 7.9.1 and 7.9.2). All three have one layout.

use crate::capability::registers::{dword_at, word_at};
use crate::config_space::{Truncated, dword, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// Port VC Capability 1, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PortVcCapability1: u32 {
        const _ = !0;
    }

    /// Port VC Capability 2, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PortVcCapability2: u32 {
        /// Arbitration by hardware, such as round robin.
        const HARDWARE_FIXED_ARBITRATION = 1 << 0;
        /// Weighted round robin with 32 phases.
        const WRR_32_PHASES = 1 << 1;
        /// Weighted round robin with 64 phases.
        const WRR_64_PHASES = 1 << 2;
        /// Weighted round robin with 128 phases.
        const WRR_128_PHASES = 1 << 3;
        const _ = !0;
    }

    /// Port VC Control, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PortVcControl: u16 {
        /// Writing 1 puts the VC arbitration table in force; reads 0.
        const LOAD_VC_ARBITRATION_TABLE = 1 << 0;
        const _ = !0;
    }

    /// Port VC Status, offset 0Eh.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PortVcStatus: u16 {
        /// The VC arbitration table was written and is not in force yet.
        const VC_ARBITRATION_TABLE_STATUS = 1 << 0;
        const _ = !0;
    }

    /// VC Resource Capability, offset 10h of the first resource.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct VcResourceCapability: u32 {
        /// Arbitration by hardware, such as round robin.
        const HARDWARE_FIXED_ARBITRATION = 1 << 0;
        /// Weighted round robin with 32 phases.
        const WRR_32_PHASES = 1 << 1;
        /// Weighted round robin with 64 phases.
        const WRR_64_PHASES = 1 << 2;
        /// Weighted round robin with 128 phases.
        const WRR_128_PHASES = 1 << 3;
        /// Time-based weighted round robin with 128 phases.
        const TIME_BASED_WRR_128_PHASES = 1 << 4;
        /// Weighted round robin with 256 phases.
        const WRR_256_PHASES = 1 << 5;
        /// Advanced packet switching only (deprecated).
        const ADVANCED_PACKET_SWITCHING = 1 << 14;
        /// Requests that may be snooped are refused.
        const REJECT_SNOOP_TRANSACTIONS = 1 << 15;
        const _ = !0;
    }

    /// VC Resource Control, offset 14h of the first resource.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct VcResourceControl: u32 {
        /// Writing 1 puts the port arbitration table in force; reads 0.
        const LOAD_PORT_ARBITRATION_TABLE = 1 << 16;
        /// The channel is in use.
        const VC_ENABLE = 1 << 31;
        const _ = !0;
    }

    /// VC Resource Status, offset 1Ah of the first resource.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct VcResourceStatus: u16 {
        /// The port arbitration table was written and is not in force yet.
        const PORT_ARBITRATION_TABLE_STATUS = 1 << 0;
        /// The channel's flow control is not initialised yet.
        const VC_NEGOTIATION_PENDING = 1 << 1;
        const _ = !0;
    }
}

/// A table of arbitration phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArbitrationTable {
    /// Where the table begins, from the capability's start.
    pub offset: u16,
    /// How many bytes it has for the longest arbitration that is supported.
    pub length: u16,
}

impl PortVcCapability1 {
    /// How many channels there are besides VC0, 0 to 7.
    #[must_use]
    pub const fn extended_vc_count(self) -> u8 {
        self.bits() as u8 & 7
    }

    /// How many of them are of low priority, 0 to 7.
    #[must_use]
    pub const fn low_priority_extended_vc_count(self) -> u8 {
        (self.bits() >> 4) as u8 & 7
    }

    /// The size of a port arbitration table's entry in bits: 1, 2, 4 or 8.
    #[must_use]
    pub const fn port_arbitration_table_entry_size(self) -> u8 {
        1 << (self.bits() >> 10 & 3)
    }
}

impl PortVcCapability2 {
    /// The VC arbitration table, from the capability's start; `None` without one.
    #[must_use]
    pub const fn vc_arbitration_table(self) -> Option<ArbitrationTable> {
        let phases = if self.contains(Self::WRR_128_PHASES) {
            128
        } else if self.contains(Self::WRR_64_PHASES) {
            64
        } else if self.contains(Self::WRR_32_PHASES) {
            32
        } else {
            return None;
        };
        match (self.bits() >> 24) as u16 {
            0 => None,
            offset => Some(ArbitrationTable { offset: 16 * offset, length: phases / 2 }),
        }
    }
}

impl PortVcControl {
    /// VC Arbitration Select: the number of a bit in [`PortVcCapability2`].
    #[must_use]
    pub const fn vc_arbitration_select(self) -> u8 {
        (self.bits() >> 1) as u8 & 7
    }
}

impl VcResourceCapability {
    /// Maximum Time Slots, 1 to 128.
    #[must_use]
    pub const fn maximum_time_slots(self) -> u8 {
        (self.bits() >> 16 & 0x7f) as u8 + 1
    }

    /// The port arbitration table (in Multi-Function VC: function arbitration table), from the
    /// capability's start; `None` without one. Its entries have `entry_bits` bits.
    #[must_use]
    pub const fn port_arbitration_table(self, entry_bits: u8) -> Option<ArbitrationTable> {
        let phases = if self.contains(Self::WRR_256_PHASES) {
            256
        } else if self.intersects(Self::WRR_128_PHASES.union(Self::TIME_BASED_WRR_128_PHASES)) {
            128
        } else if self.contains(Self::WRR_64_PHASES) {
            64
        } else if self.contains(Self::WRR_32_PHASES) {
            32
        } else {
            return None;
        };
        match (self.bits() >> 24) as u16 {
            0 => None,
            offset => Some(ArbitrationTable { offset: 16 * offset, length: phases / 8 * entry_bits as u16 }),
        }
    }
}

impl VcResourceControl {
    /// TC/VC Map: bit n for traffic class n.
    #[must_use]
    pub const fn tc_vc_map(self) -> u8 {
        self.bits() as u8
    }

    /// Port Arbitration Select: the number of a bit in [`VcResourceCapability`].
    #[must_use]
    pub const fn port_arbitration_select(self) -> u8 {
        (self.bits() >> 17) as u8 & 7
    }

    /// VC ID, 0 to 7.
    #[must_use]
    pub const fn vc_id(self) -> u8 {
        (self.bits() >> 24) as u8 & 7
    }
}

/// One channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VcResource {
    /// Where the resource's VC Resource Control stands in configuration space.
    pub control_offset: u16,
    /// VC Resource Capability.
    pub capability: VcResourceCapability,
    /// VC Resource Control.
    pub control: VcResourceControl,
    /// VC Resource Status.
    pub status: VcResourceStatus,
    /// The port (or function) arbitration table, from the capability's start.
    pub arbitration_table: Option<ArbitrationTable>,
}

/// The Virtual Channel capability, or the Multi-Function one.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x02, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x00, 0x00, 0x00, 0x00, 0xff, 0x00, 0x00, 0x80,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::VirtualChannel(channels) = entry.decode()? else { panic!() };
/// assert_eq!(channels.resources().next().unwrap().control.tc_vc_map(), 0xff);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VirtualChannel<'a> {
    fixed: &'a [u8; 16],
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> VirtualChannel<'a> {
    /// Offset of Port VC Capability 1 from the capability's start.
    pub const PORT_CAPABILITY_1: u16 = 0x04;
    /// Offset of Port VC Capability 2 from the capability's start.
    pub const PORT_CAPABILITY_2: u16 = 0x08;
    /// Offset of Port VC Control from the capability's start.
    pub const PORT_CONTROL: u16 = 0x0c;
    /// Offset of Port VC Status from the capability's start.
    pub const PORT_STATUS: u16 = 0x0e;
    /// Offset of the first VC Resource Capability from the capability's start.
    pub const RESOURCE_CAPABILITY: u16 = 0x10;
    /// Offset of the first VC Resource Control from the capability's start.
    pub const RESOURCE_CONTROL: u16 = 0x14;
    /// Offset of the first VC Resource Status from the capability's start.
    pub const RESOURCE_STATUS: u16 = 0x1a;
    /// The distance from one resource's registers to the next one's, in bytes.
    pub const RESOURCE_SIZE: u16 = 12;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Port VC Capability 1.
    #[must_use]
    pub const fn port_capability_1(self) -> PortVcCapability1 {
        PortVcCapability1::from_bits_retain(dword::<0x04, 16>(self.fixed))
    }

    /// Port VC Capability 2.
    #[must_use]
    pub const fn port_capability_2(self) -> PortVcCapability2 {
        PortVcCapability2::from_bits_retain(dword::<0x08, 16>(self.fixed))
    }

    /// Port VC Control.
    #[must_use]
    pub const fn port_control(self) -> PortVcControl {
        PortVcControl::from_bits_retain(word::<0x0c, 16>(self.fixed))
    }

    /// Port VC Status.
    #[must_use]
    pub const fn port_status(self) -> PortVcStatus {
        PortVcStatus::from_bits_retain(word::<0x0e, 16>(self.fixed))
    }

    /// The VC arbitration table; ports with channels of low priority have one.
    #[must_use]
    pub const fn vc_arbitration_table(self) -> Option<ArbitrationTable> {
        if self.port_capability_1().low_priority_extended_vc_count() == 0 {
            return None;
        }
        self.port_capability_2().vc_arbitration_table()
    }

    /// The channels, VC0's resource first: as many as there are and can be read, at most eight.
    pub fn resources(self) -> impl Iterator<Item = VcResource> + Clone + use<'a> {
        let port = self.port_capability_1();
        (0..=u16::from(port.extended_vc_count())).map_while(move |index| {
            let by = index * Self::RESOURCE_SIZE;
            let capability = dword_at(self.bytes, Self::RESOURCE_CAPABILITY + by)?;
            let capability = VcResourceCapability::from_bits_retain(capability);
            let control = dword_at(self.bytes, Self::RESOURCE_CONTROL + by)?;
            let status = word_at(self.bytes, Self::RESOURCE_STATUS + by)?;
            Some(VcResource {
                control_offset: self.offset + Self::RESOURCE_CONTROL + by,
                capability,
                control: VcResourceControl::from_bits_retain(control),
                status: VcResourceStatus::from_bits_retain(status),
                arbitration_table: capability
                    .port_arbitration_table(port.port_arbitration_table_entry_size()),
            })
        })
    }

    /// The bytes of a table of this capability; `None` if they cannot all be read.
    #[must_use]
    pub fn table(self, table: ArbitrationTable) -> Option<&'a [u8]> {
        self.bytes.get(usize::from(table.offset)..)?.get(..usize::from(table.length))
    }
}
