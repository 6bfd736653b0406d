//! Integrity and Data Encryption (0030h): which streams of packets are encrypted (PCI Express Base 6.0,
//! 7.9.26).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// IDE Capability, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IdeCapability: u32 {
        /// Streams of the whole link.
        const LINK_IDE_STREAM_SUPPORTED = 1 << 0;
        /// Streams between two ports.
        const SELECTIVE_IDE_STREAMS_SUPPORTED = 1 << 1;
        /// The port lets encrypted packets through.
        const FLOW_THROUGH_IDE_STREAM_SUPPORTED = 1 << 2;
        /// Part of the header can be encrypted too.
        const PARTIAL_HEADER_ENCRYPTION_SUPPORTED = 1 << 3;
        /// Several packets can share a MAC.
        const AGGREGATION_SUPPORTED = 1 << 4;
        /// The plain text can have a checksum.
        const PCRC_SUPPORTED = 1 << 5;
        /// Keys come by the IDE_KM protocol.
        const IDE_KM_PROTOCOL_SUPPORTED = 1 << 6;
        /// Configuration requests can be encrypted.
        const SELECTIVE_IDE_FOR_CONFIGURATION_REQUESTS_SUPPORTED = 1 << 7;
        /// A stream can be kept for trusted functions.
        const TEE_LIMITED_STREAM_SUPPORTED = 1 << 24;
        /// The extra trust bit exists.
        const XT_SUPPORTED = 1 << 25;
        const _ = !0;
    }

    /// IDE Control, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IdeControl: u32 {
        /// The port lets encrypted packets through.
        const FLOW_THROUGH_IDE_STREAM_ENABLED = 1 << 2;
        const _ = !0;
    }

    /// Link or Selective IDE Stream Control.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IdeStreamControl: u32 {
        /// The stream is on.
        const ENABLE = 1 << 0;
        /// The extra trust bit is in use.
        const XT_ENABLE = 1 << 1;
        /// The plain text has a checksum.
        const PCRC_ENABLE = 1 << 8;
        /// Configuration requests are encrypted (selective streams).
        const SELECTIVE_IDE_FOR_CONFIGURATION_REQUESTS_ENABLE = 1 << 9;
        /// What no other stream is for belongs to this one (selective streams).
        const DEFAULT_STREAM = 1 << 22;
        /// Only trusted functions may use it (selective streams).
        const TEE_LIMITED_STREAM = 1 << 23;
        const _ = !0;
    }

    /// Link or Selective IDE Stream Status.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IdeStreamStatus: u32 {
        /// The other side found a packet that was changed; write 1 to clear.
        const RECEIVED_INTEGRITY_CHECK_FAIL_MESSAGE = 1 << 31;
        const _ = !0;
    }

    /// Selective IDE Stream Capability.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IdeSelectiveStreamCapability: u32 {
        const _ = !0;
    }
}

/// What a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdeStreamState {
    /// It is not in use.
    Insecure,
    /// It encrypts.
    Secure,
    /// A code without a meaning.
    Reserved(u8),
}

impl IdeStreamState {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Insecure,
            2 => Self::Secure,
            other => Self::Reserved(other),
        }
    }
}

/// How many packets share a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdeAggregation {
    /// Each has its own.
    None,
    /// Up to two.
    UpTo2,
    /// Up to four.
    UpTo4,
    /// Up to eight.
    UpTo8,
}

impl IdeAggregation {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::None,
            1 => Self::UpTo2,
            2 => Self::UpTo4,
            _ => Self::UpTo8,
        }
    }
}

/// How a stream is encrypted and protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdeAlgorithm {
    /// AES-GCM with keys of 256 bits and a MAC of 96.
    AesGcm256,
    /// A code without a meaning.
    Reserved(u8),
}

impl IdeAlgorithm {
    const fn from_code(code: u8) -> Self {
        if code == 0 { Self::AesGcm256 } else { Self::Reserved(code) }
    }
}

/// Which part of a memory request's header is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartialHeaderEncryption {
    /// None.
    None,
    /// The bits of its address from 2 to this one.
    AddressBits {
        /// 17, 25, 33 or 41.
        last: u8,
    },
    /// A code without a meaning.
    Reserved(u8),
}

impl IdeCapability {
    /// Supported Algorithms.
    #[must_use]
    pub const fn supported_algorithms(self) -> IdeAlgorithm {
        IdeAlgorithm::from_code((self.bits() >> 8 & 0x1f) as u8)
    }

    /// Number of TCs Supported for Link IDE, 1 to 8.
    #[must_use]
    pub const fn number_of_tcs_supported_for_link_ide(self) -> u8 {
        let code = self.bits() >> 13 & 0x7;
        code as u8 + 1
    }

    /// Number of Selective IDE Streams Supported, 1 to 256.
    #[must_use]
    pub const fn number_of_selective_ide_streams_supported(self) -> u16 {
        let code = self.bits() >> 16 & 0xff;
        code as u16 + 1
    }
}

impl IdeStreamControl {
    /// Tx Aggregation Mode NPR: of non-posted requests.
    #[must_use]
    pub const fn tx_aggregation_mode_npr(self) -> IdeAggregation {
        IdeAggregation::from_code((self.bits() >> 2 & 0x3) as u8)
    }

    /// Tx Aggregation Mode PR: of posted requests.
    #[must_use]
    pub const fn tx_aggregation_mode_pr(self) -> IdeAggregation {
        IdeAggregation::from_code((self.bits() >> 4 & 0x3) as u8)
    }

    /// Tx Aggregation Mode CPL: of completions.
    #[must_use]
    pub const fn tx_aggregation_mode_cpl(self) -> IdeAggregation {
        IdeAggregation::from_code((self.bits() >> 6 & 0x3) as u8)
    }

    /// Partial Header Encryption Mode.
    #[must_use]
    pub const fn partial_header_encryption_mode(self) -> PartialHeaderEncryption {
        match (self.bits() >> 10 & 0xf) as u8 {
            0 => PartialHeaderEncryption::None,
            code @ 1..=4 => PartialHeaderEncryption::AddressBits { last: 9 + 8 * code },
            other => PartialHeaderEncryption::Reserved(other),
        }
    }

    /// Selected Algorithm.
    #[must_use]
    pub const fn selected_algorithm(self) -> IdeAlgorithm {
        IdeAlgorithm::from_code((self.bits() >> 14 & 0x1f) as u8)
    }

    /// TC: the stream's traffic class.
    #[must_use]
    pub const fn tc(self) -> u8 {
        (self.bits() >> 19 & 0x7) as u8
    }

    /// Stream ID.
    #[must_use]
    pub const fn stream_id(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

impl IdeStreamStatus {
    /// Link or Selective IDE Stream State.
    #[must_use]
    pub const fn state(self) -> IdeStreamState {
        IdeStreamState::from_code((self.bits() & 0xf) as u8)
    }
}

impl IdeSelectiveStreamCapability {
    /// Number of Address Association Register Blocks, 0 to 15.
    #[must_use]
    pub const fn number_of_address_association_register_blocks(self) -> u8 {
        (self.bits() & 0xf) as u8
    }
}

/// A stream of the whole link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdeLinkStream {
    /// Link IDE Stream Control.
    pub control: IdeStreamControl,
    /// Link IDE Stream Status.
    pub status: IdeStreamStatus,
    /// Where the stream's registers begin in configuration space.
    pub offset: u16,
}

/// IDE RID Association: whose packets belong to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdeRidAssociation {
    /// Valid.
    pub valid: bool,
    /// RID Base: the first routing id.
    pub rid_base: u16,
    /// RID Limit: the last routing id.
    pub rid_limit: u16,
    /// Segment Base.
    pub segment_base: u8,
}

/// IDE Address Association: which memory a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdeAddressAssociation {
    /// Valid.
    pub valid: bool,
    /// Memory Base: the first byte, aligned to 1 MiB.
    pub memory_base: u64,
    /// Memory Limit: the last byte, the one before 1 MiB ends.
    pub memory_limit: u64,
}

/// A stream between two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdeSelectiveStream<'a> {
    bytes: &'a [u8; 20],
    addresses: &'a [u8],
    offset: u16,
}

impl<'a> IdeSelectiveStream<'a> {
    /// Where the stream's registers begin in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Selective IDE Stream Capability.
    #[must_use]
    pub const fn capability(self) -> IdeSelectiveStreamCapability {
        IdeSelectiveStreamCapability::from_bits_retain(dword::<0, 20>(self.bytes))
    }

    /// Selective IDE Stream Control.
    #[must_use]
    pub const fn control(self) -> IdeStreamControl {
        IdeStreamControl::from_bits_retain(dword::<4, 20>(self.bytes))
    }

    /// Selective IDE Stream Status.
    #[must_use]
    pub const fn status(self) -> IdeStreamStatus {
        IdeStreamStatus::from_bits_retain(dword::<8, 20>(self.bytes))
    }

    /// IDE RID Association, of both registers.
    #[must_use]
    pub const fn rid_association(self) -> IdeRidAssociation {
        let (first, second) = (dword::<12, 20>(self.bytes), dword::<16, 20>(self.bytes));
        IdeRidAssociation {
            valid: second & 1 != 0,
            rid_base: (second >> 8) as u16,
            rid_limit: (first >> 8) as u16,
            segment_base: (second >> 24) as u8,
        }
    }

    /// The address associations: at most 15, and as many as can be read.
    pub fn address_associations(self) -> impl Iterator<Item = IdeAddressAssociation> + Clone + use<'a> {
        let (blocks, _) = self.addresses.as_chunks::<12>();
        blocks.iter().map(|block| {
            let low = dword::<0, 12>(block);
            IdeAddressAssociation {
                valid: low & 1 != 0,
                memory_base: u64::from(dword::<8, 12>(block)) << 32 | u64::from(low >> 8 & 0xfff) << 20,
                memory_limit: u64::from(dword::<4, 12>(block)) << 32 | u64::from(low >> 20) << 20 | 0xf_ffff,
            }
        })
    }
}

/// The link streams; made by [`IntegrityAndDataEncryption::link_streams`].
#[derive(Clone, Debug)]
pub struct IdeLinkStreams<'a> {
    bytes: &'a [u8],
    left: u8,
    offset: u16,
}

impl Iterator for IdeLinkStreams<'_> {
    type Item = IdeLinkStream;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (registers, rest) = self.bytes.split_first_chunk::<8>()?;
        let stream = IdeLinkStream {
            control: IdeStreamControl::from_bits_retain(dword::<0, 8>(registers)),
            status: IdeStreamStatus::from_bits_retain(dword::<4, 8>(registers)),
            offset: self.offset,
        };
        self.bytes = rest;
        self.offset += 8;
        Some(stream)
    }
}

/// The selective streams; made by [`IntegrityAndDataEncryption::selective_streams`].
#[derive(Clone, Debug)]
pub struct IdeSelectiveStreams<'a> {
    bytes: &'a [u8],
    left: u16,
    offset: u16,
}

impl<'a> Iterator for IdeSelectiveStreams<'a> {
    type Item = IdeSelectiveStream<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (bytes, rest) = self.bytes.split_first_chunk::<20>()?;
        let stream = IdeSelectiveStream { bytes, addresses: rest, offset: self.offset };
        let blocks = stream.capability().number_of_address_association_register_blocks();
        let length = 12 * usize::from(blocks);
        // Cut off within the blocks: this stream is the last, with as many as can be read.
        let (addresses, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        self.bytes = rest;
        self.offset += 20 + length as u16;
        Some(IdeSelectiveStream { addresses, ..stream })
    }
}

/// The Integrity and Data Encryption capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x30, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x05,
///     0x02, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::IntegrityAndDataEncryption(ide) = entry.decode()? else { panic!() };
/// assert_eq!(ide.link_streams().next().unwrap().control.stream_id(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegrityAndDataEncryption<'a> {
    fixed: &'a [u8; 0xc],
    /// As much as can be read.
    bytes: &'a [u8],
    offset: u16,
}

impl<'a> IntegrityAndDataEncryption<'a> {
    /// Offset of IDE Capability from the capability's start.
    pub const CAPABILITY: u16 = 0x04;
    /// Offset of IDE Control from the capability's start.
    pub const CONTROL: u16 = 0x08;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { fixed: fixed(bytes, offset)?, bytes, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// IDE Capability.
    #[must_use]
    pub const fn capability(self) -> IdeCapability {
        IdeCapability::from_bits_retain(dword::<0x04, 0xc>(self.fixed))
    }

    /// IDE Control.
    #[must_use]
    pub const fn control(self) -> IdeControl {
        IdeControl::from_bits_retain(dword::<0x08, 0xc>(self.fixed))
    }

    /// Offset of the first stream's registers from the capability's start.
    pub const STREAMS: u16 = 0x0c;

    /// The streams of the whole link, one for each traffic class that is supported: at most eight.
    #[must_use]
    pub fn link_streams(self) -> IdeLinkStreams<'a> {
        let capability = self.capability();
        let left = match capability.contains(IdeCapability::LINK_IDE_STREAM_SUPPORTED) {
            true => capability.number_of_tcs_supported_for_link_ide(),
            false => 0,
        };
        let bytes = self.bytes.get(usize::from(Self::STREAMS)..).unwrap_or_default();
        IdeLinkStreams { bytes, left, offset: self.offset + Self::STREAMS }
    }

    /// The streams between two ports: at most 256, and as many as can be read.
    #[must_use]
    pub fn selective_streams(self) -> IdeSelectiveStreams<'a> {
        let capability = self.capability();
        let left = match capability.contains(IdeCapability::SELECTIVE_IDE_STREAMS_SUPPORTED) {
            true => capability.number_of_selective_ide_streams_supported(),
            false => 0,
        };
        let at = Self::STREAMS + 8 * u16::from(self.link_streams().left);
        let bytes = self.bytes.get(usize::from(at)..).unwrap_or_default();
        IdeSelectiveStreams { bytes, left, offset: self.offset + at }
    }
}
