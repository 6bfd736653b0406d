//! Advanced Error Reporting (0001h): which errors happened, and which matter (PCI Express Base 6.0,
//! 7.8.4).

use crate::capability::PciExpress;
use crate::capability::registers::dword_at;
use crate::config_space::{ConfigSpace, Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// Uncorrectable errors: Uncorrectable Error Status (04h, write 1 to clear), Mask (08h, 1 for not
    /// reported) and Severity (0Ch, 1 for fatal).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct UncorrectableErrors: u32 {
        /// Data Link Protocol Error.
        const DATA_LINK_PROTOCOL_ERROR = 1 << 4;
        /// Surprise Down Error: the link went away.
        const SURPRISE_DOWN_ERROR = 1 << 5;
        /// Poisoned TLP Received.
        const POISONED_TLP_RECEIVED = 1 << 12;
        /// Flow Control Protocol Error.
        const FLOW_CONTROL_PROTOCOL_ERROR = 1 << 13;
        /// Completion Timeout: a request was never answered.
        const COMPLETION_TIMEOUT = 1 << 14;
        /// Completer Abort.
        const COMPLETER_ABORT = 1 << 15;
        /// Unexpected Completion.
        const UNEXPECTED_COMPLETION = 1 << 16;
        /// Receiver Overflow.
        const RECEIVER_OVERFLOW = 1 << 17;
        /// Malformed TLP.
        const MALFORMED_TLP = 1 << 18;
        /// ECRC Error.
        const ECRC_ERROR = 1 << 19;
        /// Unsupported Request Error.
        const UNSUPPORTED_REQUEST_ERROR = 1 << 20;
        /// ACS Violation.
        const ACS_VIOLATION = 1 << 21;
        /// Uncorrectable Internal Error.
        const UNCORRECTABLE_INTERNAL_ERROR = 1 << 22;
        /// MC Blocked TLP.
        const MC_BLOCKED_TLP = 1 << 23;
        /// AtomicOp Egress Blocked.
        const ATOMIC_OP_EGRESS_BLOCKED = 1 << 24;
        /// TLP Prefix Blocked Error.
        const TLP_PREFIX_BLOCKED_ERROR = 1 << 25;
        /// Poisoned TLP Egress Blocked.
        const POISONED_TLP_EGRESS_BLOCKED = 1 << 26;
        /// DMWr Request Egress Blocked.
        const DMWR_REQUEST_EGRESS_BLOCKED = 1 << 27;
        /// IDE Check Failed.
        const IDE_CHECK_FAILED = 1 << 28;
        /// Misrouted IDE TLP.
        const MISROUTED_IDE_TLP = 1 << 29;
        /// PCRC Check Failed.
        const PCRC_CHECK_FAILED = 1 << 30;
        /// TLP Translation Egress Blocked.
        const TLP_TRANSLATION_EGRESS_BLOCKED = 1 << 31;
        const _ = !0;
    }

    /// Correctable errors: Correctable Error Status (10h, write 1 to clear) and Mask (14h).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CorrectableErrors: u32 {
        /// Receiver Error.
        const RECEIVER_ERROR = 1 << 0;
        /// Bad TLP.
        const BAD_TLP = 1 << 6;
        /// Bad DLLP.
        const BAD_DLLP = 1 << 7;
        /// REPLAY_NUM Rollover.
        const REPLAY_NUM_ROLLOVER = 1 << 8;
        /// Replay Timer Timeout.
        const REPLAY_TIMER_TIMEOUT = 1 << 12;
        /// Advisory Non-Fatal Error.
        const ADVISORY_NON_FATAL_ERROR = 1 << 13;
        /// Corrected Internal Error.
        const CORRECTED_INTERNAL_ERROR = 1 << 14;
        /// Header Log Overflow.
        const HEADER_LOG_OVERFLOW = 1 << 15;
        const _ = !0;
    }

    /// Advanced Error Capabilities and Control, offset 18h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AdvancedErrorControl: u32 {
        /// ECRC can be generated.
        const ECRC_GENERATION_CAPABLE = 1 << 5;
        /// ECRC is generated.
        const ECRC_GENERATION_ENABLE = 1 << 6;
        /// ECRC can be checked.
        const ECRC_CHECK_CAPABLE = 1 << 7;
        /// ECRC is checked.
        const ECRC_CHECK_ENABLE = 1 << 8;
        /// More than one header can be kept.
        const MULTIPLE_HEADER_RECORDING_CAPABLE = 1 << 9;
        /// More than one header is kept.
        const MULTIPLE_HEADER_RECORDING_ENABLE = 1 << 10;
        /// TLP Prefix Log holds the prefixes of the logged TLP.
        const TLP_PREFIX_LOG_PRESENT = 1 << 11;
        /// The header of a request whose completion never came is logged.
        const COMPLETION_TIMEOUT_PREFIX_HEADER_LOG_CAPABLE = 1 << 12;
        /// The logged TLP came in flit mode.
        const TLP_LOGGED_IN_FLIT_MODE = 1 << 18;
        const _ = !0;
    }

    /// Root Error Command, offset 2Ch: which messages from below interrupt.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RootErrorCommand: u32 {
        /// ERR_COR messages.
        const CORRECTABLE_ERROR_REPORTING_ENABLE = 1 << 0;
        /// ERR_NONFATAL messages.
        const NON_FATAL_ERROR_REPORTING_ENABLE = 1 << 1;
        /// ERR_FATAL messages.
        const FATAL_ERROR_REPORTING_ENABLE = 1 << 2;
        const _ = !0;
    }

    /// Root Error Status, offset 30h: which messages came from below; write 1 to clear.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RootErrorStatus: u32 {
        /// An ERR_COR message.
        const ERR_COR_RECEIVED = 1 << 0;
        /// A second ERR_COR message.
        const MULTIPLE_ERR_COR_RECEIVED = 1 << 1;
        /// An ERR_FATAL or ERR_NONFATAL message.
        const ERR_FATAL_NONFATAL_RECEIVED = 1 << 2;
        /// A second ERR_FATAL or ERR_NONFATAL message.
        const MULTIPLE_ERR_FATAL_NONFATAL_RECEIVED = 1 << 3;
        /// The first of these was ERR_FATAL.
        const FIRST_UNCORRECTABLE_FATAL = 1 << 4;
        /// An ERR_NONFATAL message.
        const NON_FATAL_ERROR_MESSAGES_RECEIVED = 1 << 5;
        /// An ERR_FATAL message.
        const FATAL_ERROR_MESSAGES_RECEIVED = 1 << 6;
        const _ = !0;
    }
}

impl AdvancedErrorControl {
    /// First Error Pointer: the number of the bit in Uncorrectable Error Status that was set first.
    #[must_use]
    pub const fn first_error_pointer(self) -> u8 {
        self.bits() as u8 & 0x1f
    }

    /// Logged TLP Size: how many dwords of the TLP were logged in flit mode.
    #[must_use]
    pub const fn logged_tlp_size(self) -> u8 {
        (self.bits() >> 19) as u8 & 0x1f
    }
}

impl RootErrorStatus {
    /// Which MSI or MSI-X vector carries error interrupts, 0 to 31.
    #[must_use]
    pub const fn interrupt_message_number(self) -> u8 {
        (self.bits() >> 27) as u8
    }
}

/// Error Source Identification, offset 34h: who sent the first messages, as routing ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorSource {
    /// Who sent the first ERR_COR.
    pub correctable: u16,
    /// Who sent the first ERR_FATAL or ERR_NONFATAL.
    pub uncorrectable: u16,
}

/// The Advanced Error Reporting capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x01, 0x00, 0x01, 0x00, 0x20, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::AdvancedErrorReporting(errors) = entry.decode()? else { panic!() };
/// assert!(errors.uncorrectable_error_status().contains(pcicfg::extended::UncorrectableErrors::SURPRISE_DOWN_ERROR));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvancedErrorReporting<'a> {
    bytes: &'a [u8; 0x2c],
    space: ConfigSpace<'a>,
    /// Which registers there are depends on the PCI Express capability: looked for once.
    express: Option<PciExpress<'a>>,
    offset: u16,
}

impl<'a> AdvancedErrorReporting<'a> {
    /// Offset of Uncorrectable Error Status from the capability's start.
    pub const UNCORRECTABLE_ERROR_STATUS: u16 = 0x04;
    /// Offset of Uncorrectable Error Mask from the capability's start.
    pub const UNCORRECTABLE_ERROR_MASK: u16 = 0x08;
    /// Offset of Uncorrectable Error Severity from the capability's start.
    pub const UNCORRECTABLE_ERROR_SEVERITY: u16 = 0x0c;
    /// Offset of Correctable Error Status from the capability's start.
    pub const CORRECTABLE_ERROR_STATUS: u16 = 0x10;
    /// Offset of Correctable Error Mask from the capability's start.
    pub const CORRECTABLE_ERROR_MASK: u16 = 0x14;
    /// Offset of Advanced Error Capabilities and Control from the capability's start.
    pub const CAPABILITIES_AND_CONTROL: u16 = 0x18;
    /// Offset of the four dwords of Header Log from the capability's start.
    pub const HEADER_LOG: u16 = 0x1c;
    /// Offset of Root Error Command from the capability's start.
    pub const ROOT_ERROR_COMMAND: u16 = 0x2c;
    /// Offset of Root Error Status from the capability's start.
    pub const ROOT_ERROR_STATUS: u16 = 0x30;
    /// Offset of Error Source Identification from the capability's start.
    pub const ERROR_SOURCE_IDENTIFICATION: u16 = 0x34;
    /// Offset of the four dwords of TLP Prefix Log from the capability's start.
    pub const TLP_PREFIX_LOG: u16 = 0x38;

    pub(crate) fn new(bytes: &'a [u8], space: ConfigSpace<'a>, offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, space, express: space.pci_express(), offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Uncorrectable Error Status.
    #[must_use]
    pub const fn uncorrectable_error_status(self) -> UncorrectableErrors {
        UncorrectableErrors::from_bits_retain(dword::<0x04, 0x2c>(self.bytes))
    }

    /// Uncorrectable Error Mask.
    #[must_use]
    pub const fn uncorrectable_error_mask(self) -> UncorrectableErrors {
        UncorrectableErrors::from_bits_retain(dword::<0x08, 0x2c>(self.bytes))
    }

    /// Uncorrectable Error Severity.
    #[must_use]
    pub const fn uncorrectable_error_severity(self) -> UncorrectableErrors {
        UncorrectableErrors::from_bits_retain(dword::<0x0c, 0x2c>(self.bytes))
    }

    /// Correctable Error Status.
    #[must_use]
    pub const fn correctable_error_status(self) -> CorrectableErrors {
        CorrectableErrors::from_bits_retain(dword::<0x10, 0x2c>(self.bytes))
    }

    /// Correctable Error Mask.
    #[must_use]
    pub const fn correctable_error_mask(self) -> CorrectableErrors {
        CorrectableErrors::from_bits_retain(dword::<0x14, 0x2c>(self.bytes))
    }

    /// Advanced Error Capabilities and Control.
    #[must_use]
    pub const fn capabilities_and_control(self) -> AdvancedErrorControl {
        AdvancedErrorControl::from_bits_retain(dword::<0x18, 0x2c>(self.bytes))
    }

    /// Header Log: the header of the TLP that the first error is about.
    #[must_use]
    pub const fn header_log(self) -> [u32; 4] {
        [
            dword::<0x1c, 0x2c>(self.bytes),
            dword::<0x20, 0x2c>(self.bytes),
            dword::<0x24, 0x2c>(self.bytes),
            dword::<0x28, 0x2c>(self.bytes),
        ]
    }

    /// Root Error Command; root ports and root complex event collectors have it.
    #[must_use]
    pub fn root_error_command(self) -> Option<RootErrorCommand> {
        self.root(Self::ROOT_ERROR_COMMAND).map(RootErrorCommand::from_bits_retain)
    }

    /// Root Error Status; root ports and root complex event collectors have it.
    #[must_use]
    pub fn root_error_status(self) -> Option<RootErrorStatus> {
        self.root(Self::ROOT_ERROR_STATUS).map(RootErrorStatus::from_bits_retain)
    }

    /// Error Source Identification; root ports and root complex event collectors have it.
    #[must_use]
    pub fn error_source_identification(self) -> Option<ErrorSource> {
        let source = self.root(Self::ERROR_SOURCE_IDENTIFICATION)?;
        Some(ErrorSource { correctable: source as u16, uncorrectable: (source >> 16) as u16 })
    }

    /// TLP Prefix Log; functions that support End-End TLP prefixes have it.
    #[must_use]
    pub fn tlp_prefix_log(self) -> Option<[u32; 4]> {
        use crate::capability::DeviceCapabilities2 as Capabilities2;
        if !self.express?.device_capabilities_2()?.contains(Capabilities2::END_END_TLP_PREFIX_SUPPORTED) {
            return None;
        }
        let mut log = [0; 4];
        for (index, entry) in (0..).zip(&mut log) {
            *entry = self.behind(Self::TLP_PREFIX_LOG + 4 * index)?;
        }
        Some(log)
    }

    fn root(self, at: u16) -> Option<u32> {
        if !self.express?.device_port_type().is_root() {
            return None;
        }
        self.behind(at)
    }

    fn behind(self, at: u16) -> Option<u32> {
        dword_at(self.space.bytes().get(usize::from(self.offset)..)?, at)
    }
}
