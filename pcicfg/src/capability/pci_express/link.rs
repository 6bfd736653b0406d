//! Link Capabilities, Control and Status, and their second set.

use super::speed::{LinkSpeed, LinkSpeeds, LinkWidth};
use bitflags::bitflags;
use core::time::Duration;

bitflags! {
    /// Active State Power Management: which states, in the two-bit fields of Link Capabilities and
    /// Link Control.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Aspm: u8 {
        /// L0s.
        const L0S = 1 << 0;
        /// L1.
        const L1 = 1 << 1;
    }

    /// Link Capabilities, offset 0Ch (PCI Express Base 6.0, 7.5.3.6).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LinkCapabilities: u32 {
        /// The reference clock may be removed (CLKREQ#).
        const CLOCK_POWER_MANAGEMENT = 1 << 18;
        /// A link that goes down by surprise is reported as an error.
        const SURPRISE_DOWN_ERROR_REPORTING_CAPABLE = 1 << 19;
        /// Link Status tells whether the data link layer is up; without it nobody can know.
        const DATA_LINK_LAYER_LINK_ACTIVE_REPORTING_CAPABLE = 1 << 20;
        /// Changes of speed or width can be notified.
        const LINK_BANDWIDTH_NOTIFICATION_CAPABILITY = 1 << 21;
        /// Always set since PCI Express 3.0.
        const ASPM_OPTIONALITY_COMPLIANCE = 1 << 22;
        const _ = !0;
    }

    /// Link Control, offset 10h (PCI Express Base 6.0, 7.5.3.7).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LinkControl: u16 {
        /// The read completion boundary is 128 bytes, not 64.
        const READ_COMPLETION_BOUNDARY = 1 << 3;
        /// The link is held down (downstream ports).
        const LINK_DISABLE = 1 << 4;
        /// Writing 1 begins a retraining (downstream ports); reads 0.
        const RETRAIN_LINK = 1 << 5;
        /// Both ends use one reference clock.
        const COMMON_CLOCK_CONFIGURATION = 1 << 6;
        /// More ordered sets when leaving L0s and recovery.
        const EXTENDED_SYNCH = 1 << 7;
        /// CLKREQ# may remove the reference clock.
        const ENABLE_CLOCK_POWER_MANAGEMENT = 1 << 8;
        /// The width is changed only to correct errors.
        const HARDWARE_AUTONOMOUS_WIDTH_DISABLE = 1 << 9;
        /// Link Bandwidth Management Status interrupts.
        const LINK_BANDWIDTH_MANAGEMENT_INTERRUPT_ENABLE = 1 << 10;
        /// Link Autonomous Bandwidth Status interrupts.
        const LINK_AUTONOMOUS_BANDWIDTH_INTERRUPT_ENABLE = 1 << 11;
        /// The port is clocked for separate reference clocks with spread spectrum.
        const SRIS_CLOCKING = 1 << 12;
        /// Flit mode is not negotiated.
        const FLIT_MODE_DISABLE = 1 << 13;
        const _ = !0;
    }

    /// Link Status, offset 12h (PCI Express Base 6.0, 7.5.3.8).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LinkStatus: u16 {
        /// The link trains (downstream ports).
        const LINK_TRAINING = 1 << 11;
        /// The component uses the connector's reference clock.
        const SLOT_CLOCK_CONFIGURATION = 1 << 12;
        /// The data link layer is up: the other end answers. Without
        /// [`LinkCapabilities::DATA_LINK_LAYER_LINK_ACTIVE_REPORTING_CAPABLE`] always 0.
        const DATA_LINK_LAYER_LINK_ACTIVE = 1 << 13;
        /// The link was retrained, or its speed or width changed to correct errors; write 1 to clear.
        const LINK_BANDWIDTH_MANAGEMENT_STATUS = 1 << 14;
        /// Hardware changed speed or width on its own; write 1 to clear.
        const LINK_AUTONOMOUS_BANDWIDTH_STATUS = 1 << 15;
        const _ = !0;
    }

    /// Link Capabilities 2, offset 2Ch (PCI Express Base 6.0, 7.5.3.18).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LinkCapabilities2: u32 {
        /// 2.5 GT/s.
        const SPEED_2_5_GT = 1 << 1;
        /// 5 GT/s.
        const SPEED_5_GT = 1 << 2;
        /// 8 GT/s.
        const SPEED_8_GT = 1 << 3;
        /// 16 GT/s.
        const SPEED_16_GT = 1 << 4;
        /// 32 GT/s.
        const SPEED_32_GT = 1 << 5;
        /// 64 GT/s.
        const SPEED_64_GT = 1 << 6;
        /// 128 GT/s.
        const SPEED_128_GT = 1 << 7;
        /// Two ports of the same direction may be linked.
        const CROSSLINK_SUPPORTED = 1 << 8;
        /// Link Status 2 tells of a retimer.
        const RETIMER_PRESENCE_DETECT_SUPPORTED = 1 << 23;
        /// Link Status 2 tells of two retimers.
        const TWO_RETIMERS_PRESENCE_DETECT_SUPPORTED = 1 << 24;
        /// Device Readiness Status messages are understood.
        const DRS_SUPPORTED = 1 << 31;
        const _ = !0;
    }

    /// Link Control 2, offset 30h (PCI Express Base 6.0, 7.5.3.19).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LinkControl2: u16 {
        /// The link is forced into compliance mode.
        const ENTER_COMPLIANCE = 1 << 4;
        /// The speed is changed only to correct errors.
        const HARDWARE_AUTONOMOUS_SPEED_DISABLE = 1 << 5;
        /// De-emphasis of 3.5 dB, not 6 dB, at 5 GT/s.
        const SELECTABLE_DE_EMPHASIS = 1 << 6;
        /// The modified compliance pattern is sent.
        const ENTER_MODIFIED_COMPLIANCE = 1 << 10;
        /// Skip ordered sets are sent in compliance mode.
        const COMPLIANCE_SOS = 1 << 11;
        const _ = !0;
    }

    /// Link Status 2, offset 32h (PCI Express Base 6.0, 7.5.3.20).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LinkStatus2: u16 {
        /// De-emphasis is 3.5 dB, not 6 dB.
        const CURRENT_DE_EMPHASIS_LEVEL = 1 << 0;
        /// Equalization at 8 GT/s is complete.
        const EQUALIZATION_8_GT_COMPLETE = 1 << 1;
        /// Its phase 1 succeeded.
        const EQUALIZATION_8_GT_PHASE_1_SUCCESSFUL = 1 << 2;
        /// Its phase 2 succeeded.
        const EQUALIZATION_8_GT_PHASE_2_SUCCESSFUL = 1 << 3;
        /// Its phase 3 succeeded.
        const EQUALIZATION_8_GT_PHASE_3_SUCCESSFUL = 1 << 4;
        /// The hardware asks for a new equalization; write 1 to clear.
        const LINK_EQUALIZATION_REQUEST_8_GT = 1 << 5;
        /// There is a retimer.
        const RETIMER_PRESENCE_DETECTED = 1 << 6;
        /// There are two retimers.
        const TWO_RETIMERS_PRESENCE_DETECTED = 1 << 7;
        /// The link runs in flit mode.
        const FLIT_MODE_STATUS = 1 << 10;
        /// A Device Readiness Status message came; write 1 to clear.
        const DRS_MESSAGE_RECEIVED = 1 << 15;
        const _ = !0;
    }
}

impl LinkCapabilities {
    /// The highest speed; `None` for a reserved code.
    #[must_use]
    pub const fn max_link_speed(self) -> Option<LinkSpeed> {
        LinkSpeed::from_code(self.bits() as u8 & 0xf)
    }

    /// The largest width.
    #[must_use]
    pub const fn maximum_link_width(self) -> LinkWidth {
        LinkWidth((self.bits() >> 4) as u8 & 0x3f)
    }

    /// The power management states that the link can enter on its own.
    #[must_use]
    pub const fn aspm_support(self) -> Aspm {
        Aspm::from_bits_truncate((self.bits() >> 10) as u8)
    }

    /// The latest exit from L0s; `None` for more than 4 us.
    #[must_use]
    pub const fn l0s_exit_latency(self) -> Option<Duration> {
        match self.bits() >> 12 & 7 {
            7 => None,
            code => Some(Duration::from_nanos(64 << code)),
        }
    }

    /// The latest exit from L1; `None` for more than 64 us.
    #[must_use]
    pub const fn l1_exit_latency(self) -> Option<Duration> {
        match self.bits() >> 15 & 7 {
            7 => None,
            code => Some(Duration::from_micros(1 << code)),
        }
    }

    /// The port's number within the component.
    #[must_use]
    pub const fn port_number(self) -> u8 {
        (self.bits() >> 24) as u8
    }
}

/// Whether Device Readiness Status messages are signalled, and how (downstream ports).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DrsSignaling {
    /// Not.
    NotReported,
    /// By interrupt.
    Interrupt,
    /// By a Function Readiness Status message.
    Frs,
    /// The fourth code.
    Reserved,
}

impl LinkControl {
    /// The bits that hold ASPM Control.
    pub const ASPM_CONTROL_MASK: u16 = 0x3;

    /// The power management states that the link may enter on its own.
    #[must_use]
    pub const fn aspm_control(self) -> Aspm {
        Aspm::from_bits_truncate(self.bits() as u8)
    }

    /// The same register with other ASPM states.
    #[must_use]
    pub const fn with_aspm_control(self, states: Aspm) -> Self {
        Self::from_bits_retain(self.bits() & !Self::ASPM_CONTROL_MASK | (states.bits() & 3) as u16)
    }

    /// Device Readiness Status signalling.
    #[must_use]
    pub const fn drs_signaling_control(self) -> DrsSignaling {
        match self.bits() >> 14 {
            0 => DrsSignaling::NotReported,
            1 => DrsSignaling::Interrupt,
            2 => DrsSignaling::Frs,
            _ => DrsSignaling::Reserved,
        }
    }
}

impl LinkStatus {
    /// The speed of the link; `None` for a reserved code, as a link that is down may have.
    #[must_use]
    pub const fn current_link_speed(self) -> Option<LinkSpeed> {
        LinkSpeed::from_code(self.bits() as u8 & 0xf)
    }

    /// The width of the link.
    #[must_use]
    pub const fn negotiated_link_width(self) -> LinkWidth {
        LinkWidth((self.bits() >> 4) as u8 & 0x3f)
    }
}

impl LinkCapabilities2 {
    /// Whether the link can run at `speed`. All speed bits are 0 in devices older than this register.
    #[must_use]
    pub const fn supports(self, speed: LinkSpeed) -> bool {
        self.supported_link_speeds().contains(speed)
    }

    /// The highest speed of the vector; `None` if it is empty.
    #[must_use]
    pub const fn max_link_speed(self) -> Option<LinkSpeed> {
        self.supported_link_speeds().highest()
    }

    /// Supported Link Speeds Vector; empty in devices older than this register.
    #[must_use]
    pub const fn supported_link_speeds(self) -> LinkSpeeds {
        LinkSpeeds::from_bits(self.bits() >> 1)
    }

    /// Lower SKP OS Generation Supported Speeds Vector.
    #[must_use]
    pub const fn lower_skp_os_generation_supported(self) -> LinkSpeeds {
        LinkSpeeds::from_bits(self.bits() >> 9)
    }

    /// Lower SKP OS Reception Supported Speeds Vector.
    #[must_use]
    pub const fn lower_skp_os_reception_supported(self) -> LinkSpeeds {
        LinkSpeeds::from_bits(self.bits() >> 16)
    }
}

impl LinkControl2 {
    /// The bits that hold Target Link Speed.
    pub const TARGET_LINK_SPEED_MASK: u16 = 0xf;

    /// The speed that the next training aims at; `None` for a reserved code.
    #[must_use]
    pub const fn target_link_speed(self) -> Option<LinkSpeed> {
        LinkSpeed::from_code(self.bits() as u8 & 0xf)
    }

    /// The same register with another target.
    #[must_use]
    pub const fn with_target_link_speed(self, speed: LinkSpeed) -> Self {
        Self::from_bits_retain(self.bits() & !Self::TARGET_LINK_SPEED_MASK | speed.code() as u16)
    }

    /// Transmit Margin: 0 for normal operation.
    #[must_use]
    pub const fn transmit_margin(self) -> u8 {
        (self.bits() >> 7 & 7) as u8
    }

    /// Compliance preset or de-emphasis.
    #[must_use]
    pub const fn compliance_preset(self) -> u8 {
        (self.bits() >> 12) as u8
    }
}

/// What a downstream port sees at the link's other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DownstreamComponentPresence {
    /// The link is down, and whether a component is there is not known.
    LinkDownNotDetermined,
    /// The link is down; nobody is there.
    LinkDownNotPresent,
    /// The link is down; a component is there.
    LinkDownPresent,
    /// The link is up; a component is there.
    LinkUpPresent,
    /// The link is up; a component is there and sent Device Readiness Status.
    LinkUpPresentAndDrsReceived,
    /// One of the three codes without a meaning.
    Reserved(u8),
}

/// What a port became where two ports of the same kind face each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CrosslinkResolution {
    /// The port has no crosslinks, or does not tell.
    NotSupported,
    /// An upstream port.
    UpstreamPort,
    /// A downstream port.
    DownstreamPort,
    /// It is not decided yet.
    NotCompleted,
}

impl LinkStatus2 {
    /// Crosslink Resolution.
    #[must_use]
    pub const fn crosslink_resolution(self) -> CrosslinkResolution {
        match self.bits() >> 8 & 3 {
            0 => CrosslinkResolution::NotSupported,
            1 => CrosslinkResolution::UpstreamPort,
            2 => CrosslinkResolution::DownstreamPort,
            _ => CrosslinkResolution::NotCompleted,
        }
    }

    /// Downstream Component Presence (ports that support Device Readiness Status).
    #[must_use]
    pub const fn downstream_component_presence(self) -> DownstreamComponentPresence {
        match (self.bits() >> 12 & 7) as u8 {
            0 => DownstreamComponentPresence::LinkDownNotDetermined,
            1 => DownstreamComponentPresence::LinkDownNotPresent,
            2 => DownstreamComponentPresence::LinkDownPresent,
            4 => DownstreamComponentPresence::LinkUpPresent,
            5 => DownstreamComponentPresence::LinkUpPresentAndDrsReceived,
            other => DownstreamComponentPresence::Reserved(other),
        }
    }
}
