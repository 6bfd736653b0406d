//! Downstream Port Containment (001Dh): a port that takes its link down on an error (PCI Express Base
//! 6.0, 7.9.14).

use crate::capability::registers::dword_at;
use crate::config_space::{Truncated, fixed, word};
use bitflags::bitflags;

bitflags! {
    /// DPC Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DpcCapability: u16 {
        /// The root port's own registers (RP PIO) exist.
        const RP_EXTENSIONS_FOR_DPC = 1 << 5;
        /// Poisoned TLPs can be kept from leaving.
        const POISONED_TLP_EGRESS_BLOCKING_SUPPORTED = 1 << 6;
        /// Software can trigger the containment.
        const SOFTWARE_TRIGGERING_SUPPORTED = 1 << 7;
        /// ERR_COR can be sent when the link comes up.
        const DL_ACTIVE_ERR_COR_SIGNALING_SUPPORTED = 1 << 12;
        const _ = !0;
    }

    /// DPC Control, offset 06h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DpcControl: u16 {
        /// Requests are completed with Unsupported Request, not Completer Abort.
        const COMPLETION_CONTROL = 1 << 2;
        /// The trigger interrupts.
        const INTERRUPT_ENABLE = 1 << 3;
        /// The trigger sends ERR_COR.
        const ERR_COR_ENABLE = 1 << 4;
        /// Poisoned TLPs do not leave through this port.
        const POISONED_TLP_EGRESS_BLOCKING_ENABLE = 1 << 5;
        /// Writing 1 triggers the containment; reads 0.
        const SOFTWARE_TRIGGER = 1 << 6;
        /// A link that comes up sends ERR_COR.
        const DL_ACTIVE_ERR_COR_ENABLE = 1 << 7;
        /// The trigger signals the system firmware.
        const SIG_SFW_ENABLE = 1 << 8;
        const _ = !0;
    }

    /// DPC Status, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DpcStatus: u16 {
        /// The containment was triggered, and the link is held down until this is cleared (write 1).
        const TRIGGER_STATUS = 1 << 0;
        /// The trigger interrupted; write 1 to clear.
        const INTERRUPT_STATUS = 1 << 3;
        /// The root port is busy with the containment: do not clear Trigger Status yet.
        const RP_BUSY = 1 << 4;
        /// The system firmware was signalled; write 1 to clear.
        const SIG_SFW_STATUS = 1 << 13;
        const _ = !0;
    }

    /// Errors of the root port's own requests: RP PIO Status (0Ch, write 1 to clear), Mask (10h),
    /// Severity (14h), SysError (18h) and Exception (1Ch).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RootPortPioErrors: u32 {
        /// A configuration request was answered with Unsupported Request.
        const CFG_UR_CPL = 1 << 0;
        /// A configuration request was answered with Completer Abort.
        const CFG_CA_CPL = 1 << 1;
        /// A configuration request was not answered.
        const CFG_CTO = 1 << 2;
        /// An I/O request was answered with Unsupported Request.
        const IO_UR_CPL = 1 << 8;
        /// An I/O request was answered with Completer Abort.
        const IO_CA_CPL = 1 << 9;
        /// An I/O request was not answered.
        const IO_CTO = 1 << 10;
        /// A memory request was answered with Unsupported Request.
        const MEM_UR_CPL = 1 << 16;
        /// A memory request was answered with Completer Abort.
        const MEM_CA_CPL = 1 << 17;
        /// A memory request was not answered.
        const MEM_CTO = 1 << 18;
        const _ = !0;
    }
}

impl DpcCapability {
    /// Which MSI or MSI-X vector carries the interrupts, 0 to 31.
    #[must_use]
    pub const fn interrupt_message_number(self) -> u8 {
        self.bits() as u8 & 0x1f
    }

    /// How many dwords the RP PIO logs take: bits 11 to 8, and bit 13 as the fifth, which is reserved
    /// in ports that do not support flit mode.
    #[must_use]
    pub const fn rp_pio_log_size(self) -> u8 {
        (self.bits() >> 8 & 0xf | self.bits() >> 9 & 0x10) as u8
    }
}

/// What triggers the containment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DpcTriggerEnable {
    /// Nothing: it is disabled.
    Disabled,
    /// Uncorrectable errors of the port and ERR_FATAL from below.
    Fatal,
    /// Uncorrectable errors of the port, ERR_NONFATAL and ERR_FATAL from below.
    NonFatalOrFatal,
    /// The fourth code.
    Reserved,
}

impl DpcControl {
    /// The bits that hold DPC Trigger Enable.
    pub const TRIGGER_ENABLE_MASK: u16 = 0x3;

    /// What triggers the containment.
    #[must_use]
    pub const fn trigger_enable(self) -> DpcTriggerEnable {
        match self.bits() & Self::TRIGGER_ENABLE_MASK {
            0 => DpcTriggerEnable::Disabled,
            1 => DpcTriggerEnable::Fatal,
            2 => DpcTriggerEnable::NonFatalOrFatal,
            _ => DpcTriggerEnable::Reserved,
        }
    }
}

/// What triggered the containment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DpcTriggerReason {
    /// An uncorrectable error of the port itself.
    UnmaskedUncorrectableError,
    /// ERR_NONFATAL from DPC Error Source ID.
    ErrNonFatal,
    /// ERR_FATAL from DPC Error Source ID.
    ErrFatal,
    /// An error of a request of the root port.
    RootPortPioError,
    /// Software.
    SoftwareTrigger,
    /// One of the extension's codes without a meaning.
    Reserved(u8),
}

impl DpcStatus {
    /// What triggered the containment; of a meaning while Trigger Status is set.
    #[must_use]
    pub const fn trigger_reason(self) -> DpcTriggerReason {
        match (self.bits() >> 1 & 3, self.bits() >> 5 & 3) {
            (0, _) => DpcTriggerReason::UnmaskedUncorrectableError,
            (1, _) => DpcTriggerReason::ErrNonFatal,
            (2, _) => DpcTriggerReason::ErrFatal,
            (_, 0) => DpcTriggerReason::RootPortPioError,
            (_, 1) => DpcTriggerReason::SoftwareTrigger,
            (_, other) => DpcTriggerReason::Reserved(other as u8),
        }
    }

    /// RP PIO First Error Pointer: the number of the bit in RP PIO Status that was set first.
    #[must_use]
    pub const fn rp_pio_first_error_pointer(self) -> u8 {
        (self.bits() >> 8 & 0x1f) as u8
    }
}

/// The Downstream Port Containment capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x1d, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x01,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::DownstreamPortContainment(dpc) = entry.decode()? else { panic!() };
/// assert_eq!(dpc.error_source_id(), 0x0100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownstreamPortContainment<'a> {
    fixed: &'a [u8; 12],
    /// As much as can be read, the root port's registers included.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> DownstreamPortContainment<'a> {
    /// Offset of DPC Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of DPC Control from the capability's start.
    pub const CONTROL: u16 = 0x06;
    /// Offset of DPC Status from the capability's start.
    pub const STATUS: u16 = 0x08;
    /// Offset of DPC Error Source ID from the capability's start.
    pub const ERROR_SOURCE_ID: u16 = 0x0a;
    /// Offset of RP PIO Status from the capability's start.
    pub const RP_PIO_STATUS: u16 = 0x0c;
    /// Offset of RP PIO Mask from the capability's start.
    pub const RP_PIO_MASK: u16 = 0x10;
    /// Offset of RP PIO Severity from the capability's start.
    pub const RP_PIO_SEVERITY: u16 = 0x14;
    /// Offset of RP PIO SysError from the capability's start.
    pub const RP_PIO_SYS_ERROR: u16 = 0x18;
    /// Offset of RP PIO Exception from the capability's start.
    pub const RP_PIO_EXCEPTION: u16 = 0x1c;
    /// Offset of RP PIO Header Log from the capability's start.
    pub const RP_PIO_HEADER_LOG: u16 = 0x20;
    /// Offset of RP PIO ImpSpec Log from the capability's start.
    pub const RP_PIO_IMP_SPEC_LOG: u16 = 0x30;
    /// Offset of RP PIO TLP Prefix Log from the capability's start.
    pub const RP_PIO_TLP_PREFIX_LOG: u16 = 0x34;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// DPC Capability.
    #[must_use]
    pub const fn capability(self) -> DpcCapability {
        DpcCapability::from_bits_retain(word::<0x04, 12>(self.fixed))
    }

    /// DPC Control.
    #[must_use]
    pub const fn control(self) -> DpcControl {
        DpcControl::from_bits_retain(word::<0x06, 12>(self.fixed))
    }

    /// DPC Status.
    #[must_use]
    pub const fn status(self) -> DpcStatus {
        DpcStatus::from_bits_retain(word::<0x08, 12>(self.fixed))
    }

    /// DPC Error Source ID: the routing id that sent the error message.
    #[must_use]
    pub const fn error_source_id(self) -> u16 {
        word::<0x0a, 12>(self.fixed)
    }

    /// RP PIO Status; `None` without the root port's registers.
    #[must_use]
    pub fn rp_pio_status(self) -> Option<RootPortPioErrors> {
        self.rp_pio(Self::RP_PIO_STATUS).map(RootPortPioErrors::from_bits_retain)
    }

    /// RP PIO Mask; `None` without the root port's registers.
    #[must_use]
    pub fn rp_pio_mask(self) -> Option<RootPortPioErrors> {
        self.rp_pio(Self::RP_PIO_MASK).map(RootPortPioErrors::from_bits_retain)
    }

    /// RP PIO Severity; `None` without the root port's registers.
    #[must_use]
    pub fn rp_pio_severity(self) -> Option<RootPortPioErrors> {
        self.rp_pio(Self::RP_PIO_SEVERITY).map(RootPortPioErrors::from_bits_retain)
    }

    /// RP PIO SysError; `None` without the root port's registers.
    #[must_use]
    pub fn rp_pio_sys_error(self) -> Option<RootPortPioErrors> {
        self.rp_pio(Self::RP_PIO_SYS_ERROR).map(RootPortPioErrors::from_bits_retain)
    }

    /// RP PIO Exception; `None` without the root port's registers.
    #[must_use]
    pub fn rp_pio_exception(self) -> Option<RootPortPioErrors> {
        self.rp_pio(Self::RP_PIO_EXCEPTION).map(RootPortPioErrors::from_bits_retain)
    }

    /// RP PIO Header Log; `None` unless the log has at least its four dwords.
    #[must_use]
    pub fn rp_pio_header_log(self) -> Option<[u32; 4]> {
        if self.capability().rp_pio_log_size() < 4 {
            return None;
        }
        let mut log = [0; 4];
        for (index, entry) in (0..).zip(&mut log) {
            *entry = self.rp_pio(Self::RP_PIO_HEADER_LOG + 4 * index)?;
        }
        Some(log)
    }

    /// RP PIO ImpSpec Log; `None` unless the log has a fifth dword.
    #[must_use]
    pub fn rp_pio_imp_spec_log(self) -> Option<u32> {
        if self.capability().rp_pio_log_size() < 5 {
            return None;
        }
        self.rp_pio(Self::RP_PIO_IMP_SPEC_LOG)
    }

    /// The dwords of RP PIO TLP Prefix Log, up to four.
    pub fn rp_pio_tlp_prefix_log(self) -> impl Iterator<Item = u32> + Clone + use<'a> {
        let count = u16::from(self.capability().rp_pio_log_size()).saturating_sub(5).min(4);
        (0..count).map_while(move |index| self.rp_pio(Self::RP_PIO_TLP_PREFIX_LOG + 4 * index))
    }

    fn rp_pio(self, at: u16) -> Option<u32> {
        if !self.capability().contains(DpcCapability::RP_EXTENSIONS_FOR_DPC) {
            return None;
        }
        dword_at(self.bytes, at)
    }
}
