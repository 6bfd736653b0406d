//! The registers of the HyperTransport capabilities, and what their bits mean.

use bitflags::bitflags;

bitflags! {
    /// Command of a slave or primary interface, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtSlaveCommand: u16 {
        /// Link 0 leads to the host; else link 1 does.
        const MASTER_HOST = 1 << 10;
        /// Requests begin away from the master host.
        const DEFAULT_DIRECTION = 1 << 11;
        /// What is for a link that is not up is dropped.
        const DROP_ON_UNINITIALIZED_LINK = 1 << 12;
        const _ = !0;
    }

    /// Command of a host or secondary interface, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtHostCommand: u16 {
        /// A reset of the chain is a warm one.
        const WARM_RESET = 1 << 0;
        /// The chain has a host at each end.
        const DOUBLE_ENDED = 1 << 1;
        /// The access came from the chain.
        const CHAIN_SIDE = 1 << 7;
        /// Accesses from the chain do not reach the configuration space.
        const HOST_HIDE = 1 << 8;
        /// The host behaves like a slave.
        const ACT_AS_SLAVE = 1 << 10;
        /// A packet from the chain met no one.
        const HOST_INBOUND_END_OF_CHAIN_ERROR = 1 << 11;
        /// What is for a link that is not up is dropped.
        const DROP_ON_UNINITIALIZED_LINK = 1 << 12;
        const _ = !0;
    }

    /// Link Control.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtLinkControl: u16 {
        /// A CRC error floods the chain with sync packets.
        const CRC_FLOOD_ENABLE = 1 << 1;
        /// CRC Start Test.
        const CRC_START_TEST = 1 << 2;
        /// CRC Force Error.
        const CRC_FORCE_ERROR = 1 << 3;
        /// The link failed; write 1 to clear.
        const LINK_FAILURE = 1 << 4;
        /// The link is up.
        const INITIALIZATION_COMPLETE = 1 << 5;
        /// Nothing follows on this link.
        const END_OF_CHAIN = 1 << 6;
        /// Transmitter Off.
        const TRANSMITTER_OFF = 1 << 7;
        /// Isochronous Flow Control Enable.
        const ISOCHRONOUS_FLOW_CONTROL_ENABLE = 1 << 12;
        /// LDTSTOP Tristate Enable.
        const LDTSTOP_TRISTATE_ENABLE = 1 << 13;
        /// Extended CTL Time.
        const EXTENDED_CTL_TIME = 1 << 14;
        /// Addresses have 64 bits.
        const ADDRESSING_64_BIT_ENABLE = 1 << 15;
        const _ = !0;
    }

    /// Link Configuration.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtLinkConfiguration: u16 {
        /// Doubleword Flow Control in.
        const DOUBLEWORD_FLOW_CONTROL_IN = 1 << 3;
        /// Doubleword Flow Control Out.
        const DOUBLEWORD_FLOW_CONTROL_OUT = 1 << 7;
        /// Doubleword Flow Control in Enable.
        const DOUBLEWORD_FLOW_CONTROL_IN_ENABLE = 1 << 11;
        /// Doubleword Flow Control Out Enable.
        const DOUBLEWORD_FLOW_CONTROL_OUT_ENABLE = 1 << 15;
        const _ = !0;
    }

    /// Revision ID of the link specification.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtRevision: u8 {
        const _ = !0;
    }

    /// Link Frequency and Link Error.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtLinkFrequencyError: u8 {
        /// Protocol Error.
        const PROTOCOL_ERROR = 1 << 4;
        /// Overflow Error.
        const OVERFLOW_ERROR = 1 << 5;
        /// End of Chain Error.
        const END_OF_CHAIN_ERROR = 1 << 6;
        /// CTL Timeout.
        const CTL_TIMEOUT = 1 << 7;
        const _ = !0;
    }

    /// Link Frequency Capability.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtLinkFrequencyCapability: u16 {
        /// MHz 200.
        const MHZ_200 = 1 << 0;
        /// MHz 300.
        const MHZ_300 = 1 << 1;
        /// MHz 400.
        const MHZ_400 = 1 << 2;
        /// MHz 500.
        const MHZ_500 = 1 << 3;
        /// MHz 600.
        const MHZ_600 = 1 << 4;
        /// MHz 800.
        const MHZ_800 = 1 << 5;
        /// MHz 1000.
        const MHZ_1000 = 1 << 6;
        /// MHz 1200.
        const MHZ_1200 = 1 << 7;
        /// MHz 1400.
        const MHZ_1400 = 1 << 8;
        /// MHz 1600.
        const MHZ_1600 = 1 << 9;
        /// Vendor Specific.
        const VENDOR_SPECIFIC = 1 << 15;
        const _ = !0;
    }

    /// Feature Capability.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtFeature: u8 {
        /// Isochronous Flow Control Mode.
        const ISOCHRONOUS_FLOW_CONTROL_MODE = 1 << 0;
        /// LDTSTOP Supported.
        const LDTSTOP_SUPPORTED = 1 << 1;
        /// CRC Test Mode.
        const CRC_TEST_MODE = 1 << 2;
        /// Extended CTL Time Required.
        const EXTENDED_CTL_TIME_REQUIRED = 1 << 3;
        /// Addressing 64 Bit.
        const ADDRESSING_64_BIT = 1 << 4;
        /// Unit ID Reorder Disable.
        const UNIT_ID_REORDER_DISABLE = 1 << 5;
        const _ = !0;
    }

    /// Feature Capability of a host or secondary interface.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtHostFeature: u16 {
        /// Isochronous Flow Control Mode.
        const ISOCHRONOUS_FLOW_CONTROL_MODE = 1 << 0;
        /// LDTSTOP Supported.
        const LDTSTOP_SUPPORTED = 1 << 1;
        /// CRC Test Mode.
        const CRC_TEST_MODE = 1 << 2;
        /// Extended CTL Time Required.
        const EXTENDED_CTL_TIME_REQUIRED = 1 << 3;
        /// Addressing 64 Bit.
        const ADDRESSING_64_BIT = 1 << 4;
        /// Unit ID Reorder Disable.
        const UNIT_ID_REORDER_DISABLE = 1 << 5;
        /// Extended Register Set.
        const EXTENDED_REGISTER_SET = 1 << 8;
        /// Upstream Configuration Enable.
        const UPSTREAM_CONFIGURATION_ENABLE = 1 << 9;
        const _ = !0;
    }

    /// Error Handling.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtErrorHandling: u16 {
        /// Protocol Error Flood Enable.
        const PROTOCOL_ERROR_FLOOD_ENABLE = 1 << 0;
        /// Overflow Error Flood Enable.
        const OVERFLOW_ERROR_FLOOD_ENABLE = 1 << 1;
        /// Protocol Error Fatal Enable.
        const PROTOCOL_ERROR_FATAL_ENABLE = 1 << 2;
        /// Overflow Error Fatal Enable.
        const OVERFLOW_ERROR_FATAL_ENABLE = 1 << 3;
        /// End of Chain Error Fatal Enable.
        const END_OF_CHAIN_ERROR_FATAL_ENABLE = 1 << 4;
        /// Response Error Fatal Enable.
        const RESPONSE_ERROR_FATAL_ENABLE = 1 << 5;
        /// CRC Error Fatal Enable.
        const CRC_ERROR_FATAL_ENABLE = 1 << 6;
        /// System Error Fatal Enable.
        const SYSTEM_ERROR_FATAL_ENABLE = 1 << 7;
        /// The chain saw a sync flood.
        const CHAIN_FAIL = 1 << 8;
        /// Response Error.
        const RESPONSE_ERROR = 1 << 9;
        /// Protocol Error Non Fatal Enable.
        const PROTOCOL_ERROR_NON_FATAL_ENABLE = 1 << 10;
        /// Overflow Error Non Fatal Enable.
        const OVERFLOW_ERROR_NON_FATAL_ENABLE = 1 << 11;
        /// End of Chain Error Non Fatal Enable.
        const END_OF_CHAIN_ERROR_NON_FATAL_ENABLE = 1 << 12;
        /// Response Error Non Fatal Enable.
        const RESPONSE_ERROR_NON_FATAL_ENABLE = 1 << 13;
        /// CRC Error Non Fatal Enable.
        const CRC_ERROR_NON_FATAL_ENABLE = 1 << 14;
        /// System Error Non Fatal Enable.
        const SYSTEM_ERROR_NON_FATAL_ENABLE = 1 << 15;
        const _ = !0;
    }

    /// Command of MSI Mapping, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtMsiMappingCommand: u16 {
        /// Messages to the window become interrupts.
        const ENABLE = 1 << 0;
        /// The window is the fixed one at FEE0_0000h, and there is no address register.
        const FIXED = 1 << 1;
        const _ = !0;
    }

    /// Command of a switch, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtSwitchCommand: u16 {
        /// Vib Error.
        const VIB_ERROR = 1 << 7;
        /// Vib Flood.
        const VIB_FLOOD = 1 << 8;
        /// Vib Fatal.
        const VIB_FATAL = 1 << 9;
        /// Vib Non Fatal.
        const VIB_NON_FATAL = 1 << 10;
        const _ = !0;
    }

    /// Switch Info, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtSwitchInfo: u32 {
        /// Enable Decode.
        const ENABLE_DECODE = 1 << 5;
        /// Cold Reset.
        const COLD_RESET = 1 << 6;
        /// Hot Plug.
        const HOT_PLUG = 1 << 18;
        /// Hide Port.
        const HIDE_PORT = 1 << 19;
        const _ = !0;
    }

    /// Configuration Address, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtExtendedConfigurationAddress: u32 {
        /// The access is one of type 1.
        const TYPE_1 = 1 << 28;
        const _ = !0;
    }

    /// Command of Address Mapping, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtAddressMappingCommand: u16 {
        const _ = !0;
    }

    /// Command of DirectRoute, offset 02h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtDirectRouteCommand: u16 {
        const _ = !0;
    }

    /// Control of Retry Mode.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtRetryControl: u8 {
        /// Link Retry Enable.
        const LINK_RETRY_ENABLE = 1 << 0;
        /// Force Single Error.
        const FORCE_SINGLE_ERROR = 1 << 1;
        /// Rollover Non Fatal Enable.
        const ROLLOVER_NON_FATAL_ENABLE = 1 << 2;
        /// Force Single Stomp.
        const FORCE_SINGLE_STOMP = 1 << 3;
        /// Retry Non Fatal Enable.
        const RETRY_NON_FATAL_ENABLE = 1 << 4;
        /// Retry Fatal Enable.
        const RETRY_FATAL_ENABLE = 1 << 5;
        const _ = !0;
    }

    /// Status of Retry Mode.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HtRetryStatus: u8 {
        /// Retry Sent.
        const RETRY_SENT = 1 << 0;
        /// Count Rollover.
        const COUNT_ROLLOVER = 1 << 1;
        /// Stomp Received.
        const STOMP_RECEIVED = 1 << 2;
        const _ = !0;
    }
}

const fn frequency(code: u8) -> Option<u16> {
    Some(match code {
        0 => 200,
        1 => 300,
        2 => 400,
        3 => 500,
        4 => 600,
        5 => 800,
        6 => 1000,
        7 => 1200,
        8 => 1400,
        9 => 1600,
        _ => return None,
    })
}

/// The width of a HyperTransport link, or what it could be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HtLinkWidth {
    /// 8 bits.
    Bits8,
    /// 16 bits.
    Bits16,
    /// 32 bits.
    Bits32,
    /// 2 bits.
    Bits2,
    /// 4 bits.
    Bits4,
    /// No link.
    NotConnected,
    /// A code without a meaning.
    Reserved(u8),
}

impl HtLinkWidth {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Bits8,
            1 => Self::Bits16,
            3 => Self::Bits32,
            4 => Self::Bits2,
            5 => Self::Bits4,
            7 => Self::NotConnected,
            other => Self::Reserved(other),
        }
    }
}

impl HtSlaveCommand {
    /// Base UnitID.
    #[must_use]
    pub const fn base_unit_id(self) -> u8 {
        (self.bits() & 0x1f) as u8
    }

    /// Unit Count: how many unit ids the device takes.
    #[must_use]
    pub const fn unit_count(self) -> u8 {
        (self.bits() >> 5 & 0x1f) as u8
    }
}

impl HtHostCommand {
    /// Device Number: the host's, seen from the chain.
    #[must_use]
    pub const fn device_number(self) -> u8 {
        (self.bits() >> 2 & 0x1f) as u8
    }
}

impl HtLinkControl {
    /// CRC Error: one bit for each byte lane; write 1 to clear.
    #[must_use]
    pub const fn crc_error(self) -> u8 {
        (self.bits() >> 8 & 0xf) as u8
    }
}

impl HtLinkConfiguration {
    /// Max Link Width in.
    #[must_use]
    pub const fn max_link_width_in(self) -> HtLinkWidth {
        HtLinkWidth::from_code((self.bits() & 0x7) as u8)
    }

    /// Max Link Width Out.
    #[must_use]
    pub const fn max_link_width_out(self) -> HtLinkWidth {
        HtLinkWidth::from_code((self.bits() >> 4 & 0x7) as u8)
    }

    /// Link Width in.
    #[must_use]
    pub const fn link_width_in(self) -> HtLinkWidth {
        HtLinkWidth::from_code((self.bits() >> 8 & 0x7) as u8)
    }

    /// Link Width Out.
    #[must_use]
    pub const fn link_width_out(self) -> HtLinkWidth {
        HtLinkWidth::from_code((self.bits() >> 12 & 0x7) as u8)
    }
}

impl HtRevision {
    /// Minor Revision.
    #[must_use]
    pub const fn minor_revision(self) -> u8 {
        self.bits() & 0x1f
    }

    /// Major Revision.
    #[must_use]
    pub const fn major_revision(self) -> u8 {
        self.bits() >> 5
    }
}

impl HtLinkFrequencyError {
    /// Link Frequency, in MHz; `None` for a code of the vendor's or without a meaning.
    #[must_use]
    pub const fn link_frequency(self) -> Option<u16> {
        let code = self.bits() & 0xf;
        frequency(code)
    }
}

impl HtSwitchInfo {
    /// Default Port.
    #[must_use]
    pub const fn default_port(self) -> u8 {
        (self.bits() & 0x1f) as u8
    }

    /// Performance Counter Index.
    #[must_use]
    pub const fn performance_counter_index(self) -> u8 {
        (self.bits() >> 8 & 0xf) as u8
    }

    /// Base/Limit Range Index.
    #[must_use]
    pub const fn base_limit_range_index(self) -> u8 {
        (self.bits() >> 12 & 0x3f) as u8
    }
}

impl HtExtendedConfigurationAddress {
    /// The register, as an offset in bytes.
    #[must_use]
    pub const fn register(self) -> u16 {
        let code = self.bits() >> 2 & 0x3ff;
        (code as u16) << 2
    }

    /// Function.
    #[must_use]
    pub const fn function(self) -> u8 {
        (self.bits() >> 12 & 0x7) as u8
    }

    /// Device.
    #[must_use]
    pub const fn device(self) -> u8 {
        (self.bits() >> 15 & 0x1f) as u8
    }

    /// Bus Number.
    #[must_use]
    pub const fn bus_number(self) -> u8 {
        (self.bits() >> 20 & 0xff) as u8
    }
}

impl HtAddressMappingCommand {
    /// Number of DMA Mappings.
    #[must_use]
    pub const fn number_of_dma_mappings(self) -> u8 {
        (self.bits() & 0xf) as u8
    }

    /// I/O Size.
    #[must_use]
    pub const fn io_size(self) -> u8 {
        (self.bits() >> 4 & 0x1f) as u8
    }

    /// Map Type.
    #[must_use]
    pub const fn map_type(self) -> HtAddressMapType {
        match (self.bits() >> 9 & 0x3) as u8 {
            0 => HtAddressMapType::Bits40,
            1 => HtAddressMapType::Bits64,
            other => HtAddressMapType::Reserved(other),
        }
    }
}

/// How wide the addresses of a HyperTransport address mapping are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HtAddressMapType {
    /// 40 bits.
    Bits40,
    /// 64 bits.
    Bits64,
    /// A code without a meaning.
    Reserved(u8),
}

impl HtDirectRouteCommand {
    /// Number of DirectRoute Spaces.
    #[must_use]
    pub const fn number_of_direct_route_spaces(self) -> u8 {
        (self.bits() & 0xf) as u8
    }

    /// Index.
    #[must_use]
    pub const fn index(self) -> u8 {
        (self.bits() >> 4 & 0x1f) as u8
    }
}

impl HtRetryControl {
    /// Allowed Attempts.
    #[must_use]
    pub const fn allowed_attempts(self) -> u8 {
        self.bits() >> 6
    }
}
