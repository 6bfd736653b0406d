//! The names of hot-plug slots: `/sys/bus/pci/slots`.

use super::sysfs;
use pcicfg::Address;
use std::path::Path;

/// The slots and what sits in them.
#[derive(Debug, Default)]
pub(super) struct Slots(Vec<(Place, String)>);

/// A slot holds a device, or all that is on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    domain: u32,
    bus: u8,
    device: Option<u8>,
}

impl Slots {
    /// The slots of the host; none if they cannot be read, they are only names.
    pub(super) fn read(root: &Path) -> Self {
        let folder = root.join("sys/bus/pci/slots");
        let names = sysfs::names(&folder).unwrap_or_default();
        let place = |name: String| {
            let text = sysfs::read(&folder.join(&name).join("address")).ok()??;
            Some((Place::parse(&text)?, name))
        };
        Self(names.into_iter().filter_map(place).collect())
    }

    /// The name of the slot that a function sits in.
    pub(super) fn of(&self, address: Address) -> Option<&str> {
        let holds = |place: &Place| {
            (place.domain, place.bus) == (address.domain(), address.bus())
                && place.device.is_none_or(|device| device == address.device())
        };
        // A device's own slot says more than the one of its bus.
        let mut slots: Vec<_> = self.0.iter().filter(|(place, _)| holds(place)).collect();
        slots.sort_by_key(|(place, _)| place.device.is_none());
        slots.first().map(|(_, name)| name.as_str())
    }
}

impl Place {
    /// `0000:03:00`, or `0000:03` of a slot whose device number is not known (`address_read_file`).
    fn parse(text: &str) -> Option<Self> {
        // With a function it is what Address reads; and a bus alone is one with a device, too.
        let whole = match text.matches(':').count() {
            2 => format!("{text}.0"),
            1 => format!("{text}:00.0"),
            _ => return None,
        };
        let address: Address = whole.parse().ok()?;
        let device = (text.matches(':').count() == 2).then(|| address.device());
        Some(Self { domain: address.domain(), bus: address.bus(), device })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_a_device_or_a_bus() {
        let slots = Slots(vec![
            (Place::parse("0000:03").unwrap(), "bus".into()),
            (Place::parse("0000:03:01").unwrap(), "device".into()),
        ]);
        assert_eq!(slots.of("03:01.5".parse().unwrap()), Some("device"));
        assert_eq!(slots.of("03:02.0".parse().unwrap()), Some("bus"));
        assert_eq!(slots.of("04:01.0".parse().unwrap()), None);
        assert_eq!(slots.of("1:03:01.0".parse().unwrap()), None);
    }

    #[test]
    fn what_is_no_place_is_none() {
        for text in ["", ":", "::", "0000:03:20", "x:03:00", "0000:03:00.0", "1:2:3:4"] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
