//! What a field says, as a value with a type.

use crate::capability::LinkSpeeds;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

/// What a field says.
///
/// ```
/// use core::time::Duration;
/// use pcicfg::registers::Value;
///
/// assert_eq!(Value::Duration(Duration::from_micros(32)).to_string(), "32 us");
/// assert_eq!(Value::Bytes(256 << 20).to_string(), "256 MiB");
/// assert_eq!(Value::Reserved(6).to_string(), "reserved (6)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A single bit.
    Flag(bool),
    /// A number.
    Number(u64),
    /// An address, a bit vector, something to be read in hexadecimal.
    Hex(u64),
    /// A vendor's or device's id.
    Id(u16),
    /// A routing id: bus, device, function.
    RoutingId(u16),
    /// The name of a state, a speed, a mode.
    Name(&'static str),
    /// Some of the speeds of links.
    Speeds(LinkSpeeds),
    /// A link's width in lanes.
    Lanes(u8),
    /// A time.
    Duration(Duration),
    /// A size in bytes.
    Bytes(u64),
    /// Power.
    Milliwatts(u32),
    /// Current.
    Milliamperes(u16),
    /// A code without a meaning.
    Reserved(u32),
}

/// What a field's values are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Nanoseconds,
    /// Milliwatts.
    Milliwatts,
    /// Milliamperes.
    Milliamperes,
    /// Lanes of a link.
    Lanes,
}

impl Unit {
    /// As the end of a key: `ns`, `bytes`.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Nanoseconds => "ns",
            Self::Milliwatts => "mw",
            Self::Milliamperes => "ma",
            Self::Lanes => "lanes",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Flag(value) => f.write_str(if value { "1" } else { "0" }),
            Self::Number(value) => write!(f, "{value}"),
            Self::Hex(value) => write!(f, "{value:#x}"),
            Self::Id(id) => write!(f, "{id:04x}"),
            Self::RoutingId(id) => write!(f, "{:02x}:{:02x}.{}", id >> 8, id >> 3 & 0x1f, id & 7),
            Self::Name(name) => f.write_str(name),
            Self::Speeds(speeds) => write!(f, "{speeds}"),
            Self::Lanes(lanes) => write!(f, "x{lanes}"),
            Self::Duration(time) => write_duration(f, time),
            Self::Bytes(size) => write_bytes(f, size),
            Self::Milliwatts(power) => write_thousandths(f, power, "W"),
            Self::Milliamperes(current) => write!(f, "{current} mA"),
            Self::Reserved(code) => write!(f, "reserved ({code})"),
        }
    }
}

/// A time in the largest unit that it has a whole one of.
fn write_duration(f: &mut fmt::Formatter<'_>, time: Duration) -> fmt::Result {
    // No field says more than five minutes.
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let (unit, name) = match nanoseconds {
        0..1_000 => return write!(f, "{nanoseconds} ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    write!(f, "{}", nanoseconds / unit)?;
    let rest = nanoseconds % unit;
    if rest != 0 {
        let digits = unit.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        write!(f, ".{}", fraction.trim_end_matches('0'))?;
    }
    write!(f, " {name}")
}

fn write_thousandths(f: &mut fmt::Formatter<'_>, value: u32, unit: &str) -> fmt::Result {
    write!(f, "{}", value / 1000)?;
    if !value.is_multiple_of(1000) {
        let fraction = format!("{:03}", value % 1000);
        write!(f, ".{}", fraction.trim_end_matches('0'))?;
    }
    write!(f, " {unit}")
}

fn write_bytes(f: &mut fmt::Formatter<'_>, size: u64) -> fmt::Result {
    const UNITS: [(&str, u32); 6] =
        [("EiB", 60), ("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = UNITS.iter().find(|(_, shift)| size != 0 && size.trailing_zeros() >= *shift);
    match unit {
        Some((name, shift)) => write!(f, "{} {name}", size >> shift),
        None => write!(f, "{size} bytes"),
    }
}

/// A size as people write it: 256 MiB.
#[must_use]
pub fn bytes(size: u64) -> String {
    format!("{}", Value::Bytes(size))
}

/// Flags as booleans, numbers and measures as numbers in the field's unit, ids and names as text, speeds as
/// a list of names, a reserved code as nothing.
#[cfg(feature = "serde")]
impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use crate::capability::LinkSpeed;
        match *self {
            Self::Flag(value) => serializer.serialize_bool(value),
            Self::Number(value) | Self::Hex(value) | Self::Bytes(value) => serializer.serialize_u64(value),
            Self::Id(_) | Self::RoutingId(_) => serializer.collect_str(self),
            Self::Name(name) => serializer.serialize_str(name),
            Self::Speeds(speeds) => serializer.collect_seq(speeds.iter().map(LinkSpeed::name)),
            Self::Lanes(lanes) => serializer.serialize_u8(lanes),
            Self::Duration(time) => {
                serializer.serialize_u64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
            }
            Self::Milliwatts(power) => serializer.serialize_u32(power),
            Self::Milliamperes(current) => serializer.serialize_u16(current),
            Self::Reserved(_) => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn values_read_like_people_write_them() {
        for (value, text) in [
            (Value::Duration(Duration::ZERO), "0 ns"),
            (Value::Duration(Duration::from_nanos(512)), "512 ns"),
            (Value::Duration(Duration::from_nanos(32_768)), "32.768 us"),
            (Value::Duration(Duration::from_micros(1_050)), "1.05 ms"),
            (Value::Duration(Duration::from_millis(100)), "100 ms"),
            (Value::Duration(Duration::from_secs(10)), "10 s"),
            (Value::Milliwatts(75_000), "75 W"),
            (Value::Milliwatts(5_050), "5.05 W"),
            (Value::Milliwatts(26), "0.026 W"),
            (Value::Bytes(4096), "4 KiB"),
            (Value::Bytes(1000), "1000 bytes"),
            (Value::RoutingId(0x03e4), "03:1c.4"),
            (Value::Id(0x1b36), "1b36"),
            (Value::Lanes(16), "x16"),
            (Value::Hex(0xfe00_0000), "0xfe000000"),
        ] {
            assert_eq!(value.to_string(), text);
        }
        assert_eq!(bytes(1 << 40), "1 TiB");
    }
}
