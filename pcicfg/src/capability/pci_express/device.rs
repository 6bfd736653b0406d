//! Device Capabilities, Control and Status, and their second set.

use bitflags::bitflags;
use core::ops::RangeInclusive;
use core::time::Duration;

bitflags! {
    /// Device Capabilities, offset 04h (PCI Express Base 6.0, 7.5.3.3).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DeviceCapabilities: u32 {
        /// 8-bit tags can be generated.
        const EXTENDED_TAG_FIELD_SUPPORTED = 1 << 5;
        /// There is an attention button (until PCI Express 1.0a).
        const ATTENTION_BUTTON_PRESENT = 1 << 12;
        /// There is an attention indicator (until PCI Express 1.0a).
        const ATTENTION_INDICATOR_PRESENT = 1 << 13;
        /// There is a power indicator (until PCI Express 1.0a).
        const POWER_INDICATOR_PRESENT = 1 << 14;
        /// Errors are reported by role (PCI Express 1.1 and up).
        const ROLE_BASED_ERROR_REPORTING = 1 << 15;
        /// ERR_COR messages tell what they report.
        const ERR_COR_SUBCLASS_CAPABLE = 1 << 16;
        /// Function Level Reset is implemented.
        const FUNCTION_LEVEL_RESET_CAPABLE = 1 << 28;
        /// The function's maximum payload can differ by direction.
        const MIXED_MPS_SUPPORTED = 1 << 29;
        /// The function takes part in TEE-IO (TDISP).
        const TEE_IO_SUPPORTED = 1 << 30;
        const _ = !0;
    }

    /// Device Control, offset 08h (PCI Express Base 6.0, 7.5.3.4).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DeviceControl: u16 {
        /// Correctable errors are reported.
        const CORRECTABLE_ERROR_REPORTING_ENABLE = 1 << 0;
        /// Non-fatal errors are reported.
        const NON_FATAL_ERROR_REPORTING_ENABLE = 1 << 1;
        /// Fatal errors are reported.
        const FATAL_ERROR_REPORTING_ENABLE = 1 << 2;
        /// Unsupported requests are reported.
        const UNSUPPORTED_REQUEST_REPORTING_ENABLE = 1 << 3;
        /// Requests may carry Relaxed Ordering.
        const ENABLE_RELAXED_ORDERING = 1 << 4;
        /// 8-bit tags are used.
        const EXTENDED_TAG_FIELD_ENABLE = 1 << 8;
        /// Unclaimed function numbers extend the tag.
        const PHANTOM_FUNCTIONS_ENABLE = 1 << 9;
        /// Auxiliary power may be drawn without PME; sticky.
        const AUX_POWER_PM_ENABLE = 1 << 10;
        /// Requests may carry No Snoop.
        const ENABLE_NO_SNOOP = 1 << 11;
        /// Writing 1 begins a Function Level Reset, if the function is capable of it; reads 0. On a
        /// PCI Express to PCI bridge the same bit is Bridge Configuration Retry Enable.
        const INITIATE_FUNCTION_LEVEL_RESET = 1 << 15;
        const _ = !0;
    }

    /// Device Status, offset 0Ah (PCI Express Base 6.0, 7.5.3.5).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DeviceStatus: u16 {
        /// A correctable error was seen; write 1 to clear.
        const CORRECTABLE_ERROR_DETECTED = 1 << 0;
        /// A non-fatal error was seen; write 1 to clear.
        const NON_FATAL_ERROR_DETECTED = 1 << 1;
        /// A fatal error was seen; write 1 to clear.
        const FATAL_ERROR_DETECTED = 1 << 2;
        /// An unsupported request was seen; write 1 to clear.
        const UNSUPPORTED_REQUEST_DETECTED = 1 << 3;
        /// There is auxiliary power.
        const AUX_POWER_DETECTED = 1 << 4;
        /// Non-posted requests of the function are not completed yet.
        const TRANSACTIONS_PENDING = 1 << 5;
        /// The function is, or was, in the Emergency Power Reduction State; write 1 to clear.
        const EMERGENCY_POWER_REDUCTION_DETECTED = 1 << 6;
        const _ = !0;
    }

    /// Device Capabilities 2, offset 24h (PCI Express Base 6.0, 7.5.3.15).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DeviceCapabilities2: u32 {
        /// Completion timeouts of 50 us to 10 ms.
        const COMPLETION_TIMEOUT_RANGE_A = 1 << 0;
        /// Completion timeouts of 10 ms to 250 ms.
        const COMPLETION_TIMEOUT_RANGE_B = 1 << 1;
        /// Completion timeouts of 250 ms to 4 s.
        const COMPLETION_TIMEOUT_RANGE_C = 1 << 2;
        /// Completion timeouts of 4 s to 64 s.
        const COMPLETION_TIMEOUT_RANGE_D = 1 << 3;
        /// The completion timeout can be disabled.
        const COMPLETION_TIMEOUT_DISABLE_SUPPORTED = 1 << 4;
        /// The port can forward to function numbers above 7.
        const ARI_FORWARDING_SUPPORTED = 1 << 5;
        /// The port routes AtomicOps.
        const ATOMIC_OP_ROUTING_SUPPORTED = 1 << 6;
        /// 32-bit AtomicOps are completed.
        const ATOMIC_OP_32_COMPLETER_SUPPORTED = 1 << 7;
        /// 64-bit AtomicOps are completed.
        const ATOMIC_OP_64_COMPLETER_SUPPORTED = 1 << 8;
        /// 128-bit compare-and-swap is completed.
        const CAS_128_COMPLETER_SUPPORTED = 1 << 9;
        /// No posted write with relaxed ordering passes another.
        const NO_RO_ENABLED_PR_PR_PASSING = 1 << 10;
        /// Latency Tolerance Reporting.
        const LTR_MECHANISM_SUPPORTED = 1 << 11;
        /// TLP processing hints are completed.
        const TPH_COMPLETER_SUPPORTED = 1 << 12;
        /// Extended TLP processing hints are completed.
        const EXTENDED_TPH_COMPLETER_SUPPORTED = 1 << 13;
        /// 10-bit tags are completed.
        const TAG_10_BIT_COMPLETER_SUPPORTED = 1 << 16;
        /// 10-bit tags can be generated.
        const TAG_10_BIT_REQUESTER_SUPPORTED = 1 << 17;
        /// Optimized Buffer Flush/Fill by message.
        const OBFF_MESSAGE_SUPPORTED = 1 << 18;
        /// Optimized Buffer Flush/Fill by WAKE#.
        const OBFF_WAKE_SUPPORTED = 1 << 19;
        /// The three-bit Fmt field is understood.
        const EXTENDED_FMT_FIELD_SUPPORTED = 1 << 20;
        /// End-End TLP prefixes are received.
        const END_END_TLP_PREFIX_SUPPORTED = 1 << 21;
        /// Emergency power reduction needs a new initialisation afterwards.
        const EMERGENCY_POWER_REDUCTION_INITIALIZATION_REQUIRED = 1 << 26;
        /// Deferrable memory writes are completed.
        const DMWR_COMPLETER_SUPPORTED = 1 << 28;
        /// Function Readiness Status messages are sent.
        const FRS_SUPPORTED = 1 << 31;
        const _ = !0;
    }

    /// Device Control 2, offset 28h (PCI Express Base 6.0, 7.5.3.16).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DeviceControl2: u16 {
        /// Completions are awaited for ever.
        const COMPLETION_TIMEOUT_DISABLE = 1 << 4;
        /// The port forwards to function numbers above 7.
        const ARI_FORWARDING_ENABLE = 1 << 5;
        /// The function may issue AtomicOps.
        const ATOMIC_OP_REQUESTER_ENABLE = 1 << 6;
        /// AtomicOps do not leave through this port.
        const ATOMIC_OP_EGRESS_BLOCKING = 1 << 7;
        /// Requests may carry ID-based ordering.
        const IDO_REQUEST_ENABLE = 1 << 8;
        /// Completions may carry ID-based ordering.
        const IDO_COMPLETION_ENABLE = 1 << 9;
        /// Latency Tolerance Reporting messages are sent, or accepted; a link that goes down clears it
        /// in a downstream port.
        const LTR_MECHANISM_ENABLE = 1 << 10;
        /// Emergency power reduction is asked for.
        const EMERGENCY_POWER_REDUCTION_REQUEST = 1 << 11;
        /// 10-bit tags are used.
        const TAG_10_BIT_REQUESTER_ENABLE = 1 << 12;
        /// TLPs with End-End prefixes do not leave through this port.
        const END_END_TLP_PREFIX_BLOCKING = 1 << 15;
        const _ = !0;
    }
}

/// 128 bytes times two to the power of the code; codes 6 and 7 are reserved.
const fn payload_bytes(code: u32) -> Option<u16> {
    match code & 7 {
        code @ 0..=5 => Some(128 << code),
        _ => None,
    }
}

impl DeviceCapabilities {
    /// Max_Payload_Size Supported in bytes, 128 to 4096; `None` for a reserved code.
    #[must_use]
    pub const fn max_payload_size_supported(self) -> Option<u16> {
        payload_bytes(self.bits())
    }

    /// How many bits of the function number extend the tag, 0 to 3.
    #[must_use]
    pub const fn phantom_functions_supported(self) -> u8 {
        (self.bits() >> 3 & 3) as u8
    }

    /// The latest exit from L0s that an endpoint can live with; `None` for any.
    #[must_use]
    pub const fn endpoint_l0s_acceptable_latency(self) -> Option<Duration> {
        match self.bits() >> 6 & 7 {
            7 => None,
            code => Some(Duration::from_nanos(64 << code)),
        }
    }

    /// The latest exit from L1 that an endpoint can live with; `None` for any.
    #[must_use]
    pub const fn endpoint_l1_acceptable_latency(self) -> Option<Duration> {
        match self.bits() >> 9 & 7 {
            7 => None,
            code => Some(Duration::from_micros(1 << code)),
        }
    }

    /// The slot power limit last sent to an upstream port, in milliwatts.
    #[must_use]
    pub const fn captured_slot_power_limit(self) -> u32 {
        super::slot::power_limit(self.bits() >> 18 & 0xff, self.bits() >> 26 & 3)
    }
}

impl DeviceControl {
    /// Max_Payload_Size in bytes, 128 to 4096; `None` for a reserved code.
    #[must_use]
    pub const fn max_payload_size(self) -> Option<u16> {
        payload_bytes(self.bits() as u32 >> 5)
    }

    /// Max_Read_Request_Size in bytes, 128 to 4096; `None` for a reserved code.
    #[must_use]
    pub const fn max_read_request_size(self) -> Option<u16> {
        payload_bytes(self.bits() as u32 >> 12)
    }
}

/// How a platform tells a device when to use the memory (Optimized Buffer Flush/Fill).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObffEnable {
    /// Not at all.
    Disabled,
    /// By messages, variation A.
    MessageA,
    /// By messages, variation B.
    MessageB,
    /// By WAKE#.
    Wake,
}

/// Which cache lines a lightweight notification system has (LN System CLS; dropped in PCI Express 6.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LnSystemCls {
    /// Lightweight notification is not supported, or not in effect.
    NotSupported,
    /// 64 bytes.
    Bytes64,
    /// 128 bytes.
    Bytes128,
    /// The fourth code.
    Reserved,
}

/// How a device is told to take less power (Emergency Power Reduction Supported).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmergencyPowerReduction {
    /// Not at all.
    NotSupported,
    /// By a mechanism of its own.
    DeviceSpecific,
    /// By one of its form factor, or its own.
    FormFactorOrDeviceSpecific,
    /// The fourth code.
    Reserved,
}

impl DeviceCapabilities2 {
    /// LN System CLS.
    #[must_use]
    pub const fn ln_system_cls(self) -> LnSystemCls {
        match self.bits() >> 14 & 3 {
            0 => LnSystemCls::NotSupported,
            1 => LnSystemCls::Bytes64,
            2 => LnSystemCls::Bytes128,
            _ => LnSystemCls::Reserved,
        }
    }

    /// Emergency Power Reduction Supported.
    #[must_use]
    pub const fn emergency_power_reduction_supported(self) -> EmergencyPowerReduction {
        match self.bits() >> 24 & 3 {
            0 => EmergencyPowerReduction::NotSupported,
            1 => EmergencyPowerReduction::DeviceSpecific,
            2 => EmergencyPowerReduction::FormFactorOrDeviceSpecific,
            _ => EmergencyPowerReduction::Reserved,
        }
    }

    /// How many End-End TLP prefixes may be received in one TLP, 1 to 4.
    #[must_use]
    pub const fn max_end_end_tlp_prefixes(self) -> u8 {
        match (self.bits() >> 22 & 3) as u8 {
            0 => 4,
            count => count,
        }
    }
}

impl DeviceControl2 {
    /// From when to when a missing completion becomes an error; `None` for a reserved code. Whether
    /// it does at all, [`COMPLETION_TIMEOUT_DISABLE`](Self::COMPLETION_TIMEOUT_DISABLE) says.
    #[must_use]
    pub const fn completion_timeout(self) -> Option<RangeInclusive<Duration>> {
        let (from, to) = match self.bits() & 0xf {
            0x0 => (50, 50_000),
            0x1 => (50, 100),
            0x2 => (1_000, 10_000),
            0x5 => (16_000, 55_000),
            0x6 => (65_000, 210_000),
            0x9 => (260_000, 900_000),
            0xa => (1_000_000, 3_500_000),
            0xd => (4_000_000, 13_000_000),
            0xe => (17_000_000, 64_000_000),
            _ => return None,
        };
        Some(RangeInclusive::new(Duration::from_micros(from), Duration::from_micros(to)))
    }

    /// Optimized Buffer Flush/Fill.
    #[must_use]
    pub const fn obff_enable(self) -> ObffEnable {
        match self.bits() >> 13 & 3 {
            0 => ObffEnable::Disabled,
            1 => ObffEnable::MessageA,
            2 => ObffEnable::MessageB,
            _ => ObffEnable::Wake,
        }
    }
}
