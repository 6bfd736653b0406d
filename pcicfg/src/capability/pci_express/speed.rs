//! How fast and how wide a link is.

use core::fmt;

/// A link's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LinkSpeed {
    /// 2.5 GT/s (first generation).
    Gt2_5 = 1,
    /// 5 GT/s.
    Gt5 = 2,
    /// 8 GT/s.
    Gt8 = 3,
    /// 16 GT/s.
    Gt16 = 4,
    /// 32 GT/s.
    Gt32 = 5,
    /// 64 GT/s.
    Gt64 = 6,
    /// 128 GT/s.
    Gt128 = 7,
}

impl LinkSpeed {
    /// The speed that a four-bit field means; `None` for 0 and for codes of no known speed.
    ///
    /// In Link Capabilities, Control 2 and Status the code is the number of a bit in
    /// [`LinkCapabilities2`](super::LinkCapabilities2)'s vector; every device that exists numbers them as this type does.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Gt2_5,
            2 => Self::Gt5,
            3 => Self::Gt8,
            4 => Self::Gt16,
            5 => Self::Gt32,
            6 => Self::Gt64,
            7 => Self::Gt128,
            _ => return None,
        })
    }

    /// The four-bit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// As it is written: `8 GT/s`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gt2_5 => "2.5 GT/s",
            Self::Gt5 => "5 GT/s",
            Self::Gt8 => "8 GT/s",
            Self::Gt16 => "16 GT/s",
            Self::Gt32 => "32 GT/s",
            Self::Gt64 => "64 GT/s",
            Self::Gt128 => "128 GT/s",
        }
    }

    /// The rate of one lane in megatransfers a second.
    #[must_use]
    pub const fn megatransfers_per_second(self) -> u32 {
        match self {
            Self::Gt2_5 => 2_500,
            Self::Gt5 => 5_000,
            Self::Gt8 => 8_000,
            Self::Gt16 => 16_000,
            Self::Gt32 => 32_000,
            Self::Gt64 => 64_000,
            Self::Gt128 => 128_000,
        }
    }
}

impl fmt::Display for LinkSpeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A link's width in lanes, as the six-bit field has it: 1, 2, 4, 8, 12, 16 or 32 by the specification,
/// 0 where there is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkWidth(pub u8);

impl LinkWidth {
    /// How many lanes.
    #[must_use]
    pub const fn lanes(self) -> u8 {
        self.0
    }

    /// Whether the specification has such a width.
    #[must_use]
    pub const fn is_defined(self) -> bool {
        matches!(self.0, 1 | 2 | 4 | 8 | 12 | 16 | 32)
    }
}

impl fmt::Display for LinkWidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x{}", self.0)
    }
}

/// The speeds of a vector: what a link can do, or does something at.
///
/// ```
/// use pcicfg::capability::{LinkCapabilities2, LinkSpeed};
///
/// let speeds = LinkCapabilities2::from_bits_retain(0x0e).supported_link_speeds();
/// assert!(speeds.contains(LinkSpeed::Gt8) && !speeds.contains(LinkSpeed::Gt16));
/// assert_eq!(speeds.to_string(), "2.5, 5, 8 GT/s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkSpeeds(u8);

impl LinkSpeeds {
    /// The seven bits of a vector, 2.5 GT/s the lowest.
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self((bits & 0x7f) as u8)
    }

    /// The vector: bit 0 for 2.5 GT/s.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether it has no speed.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the speed is one of them.
    #[must_use]
    pub const fn contains(self, speed: LinkSpeed) -> bool {
        self.0 >> (speed.code() - 1) & 1 != 0
    }

    /// The highest of them.
    #[must_use]
    pub const fn highest(self) -> Option<LinkSpeed> {
        if self.0 == 0 { None } else { LinkSpeed::from_code(self.0.ilog2() as u8 + 1) }
    }

    /// All of them, the lowest first.
    pub fn iter(self) -> impl Iterator<Item = LinkSpeed> + Clone {
        (1..=7).filter_map(LinkSpeed::from_code).filter(move |speed| self.contains(*speed))
    }
}

/// `2.5, 5, 8 GT/s`, or `none`.
impl fmt::Display for LinkSpeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = " GT/s";
        let Some(highest) = self.highest() else { return f.write_str("none") };
        for speed in self.iter().filter(|speed| *speed != highest) {
            write!(f, "{}, ", speed.name().trim_end_matches(unit))?;
        }
        f.write_str(highest.name())
    }
}
