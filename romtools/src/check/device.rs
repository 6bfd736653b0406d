//! Is a ROM for this device?

use super::{Finding, Problem};
use crate::{CodeType, Rom, firmware};

/// Vendor ids that consist of decimal digits, and whose ROMs people build.
const DECIMAL_LOOKING: [u16; 6] = [0x1000, 0x1002, 0x1022, 0x1106, 0x1912, 0x8086];

/// The id that becomes this one if its digits are read as a decimal number: 03eah is 1002.
fn before_decimal(id: u16) -> Option<u16> {
    u16::from_str_radix(&id.to_string(), 16).ok()
}

/// What somebody typed whose tool read both ids as decimal numbers: 03ea:0668 is 1002:1640.
pub(super) fn typed_as_decimal(vendor_id: u16, device_id: u16) -> Option<(u16, u16)> {
    let vendor = before_decimal(vendor_id).filter(|vendor| DECIMAL_LOOKING.contains(vendor))?;
    Some((vendor, before_decimal(device_id)?))
}

/// Whether the images that firmware looks at are for this device.
///
/// No finding if they are. An image of ids 0000:0000 is for any device, as some EFI images of NVIDIA are.
#[must_use]
pub fn for_device(rom: &Rom<'_>, vendor_id: u16, device_id: u16) -> Vec<Finding> {
    let wanted = (vendor_id, device_id);
    if rom.chain_for_firmware().is_none() {
        return vec![Finding::new(0, Problem::NoIds { wanted })];
    }
    let images = firmware::looked_at(rom);
    let fits = |image: &crate::Image<'_>| image.structure().is_for(vendor_id, device_id);
    let any_fits = images.iter().any(fits);
    let mut findings = Vec::new();
    for image in images {
        let found = (image.structure().vendor_id, image.structure().device_id);
        let offset = image.offset() + usize::from(image.structure().pointer);
        // For a BIOS neither a device list counts, nor zeros that stand for any device.
        if image.code_type() == CodeType::X86_PC_AT && found != wanted && (fits(&image) || found == (0, 0)) {
            findings.push(Finding::new(offset, Problem::BiosIds { wanted, found }));
            continue;
        }
        // Typed wrongly, and told as such already.
        if fits(&image) || found == (0, 0) || typed_as_decimal(found.0, found.1) == Some(wanted) {
            continue;
        }
        findings.push(Finding::new(
            offset,
            if any_fits {
                Problem::OtherDevice { wanted, found }
            } else {
                Problem::WrongDevice { wanted, found }
            },
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ImageSpec, PCIR};

    fn ids(file: &[u8], vendor_id: u16, device_id: u16) -> Vec<(&'static str, usize)> {
        let found = for_device(&Rom::parse(file).unwrap(), vendor_id, device_id);
        found.iter().map(|finding| (finding.problem().id(), finding.offset())).collect()
    }

    fn last(spec: ImageSpec) -> Vec<u8> {
        ImageSpec { last: true, ..spec }.build()
    }

    #[test]
    fn ids_and_device_lists_decide() {
        let file = last(ImageSpec { devices: vec![0x1638, 0x1900], ..ImageSpec::efi(0x1002, 0x1637) });
        assert_eq!(ids(&file, 0x1002, 0x1637), []);
        assert_eq!(ids(&file, 0x1002, 0x1900), []);
        assert_eq!(ids(&file, 0x1002, 0x1901), [("wrong-device", PCIR)]);
        assert_eq!(ids(&file, 0x10de, 0x1637), [("wrong-device", PCIR)]);
    }

    #[test]
    fn one_image_for_another_device_is_a_warning_and_none_is_for_any() {
        let both = [ImageSpec::pc_at(0x1002, 0x1900).build(), last(ImageSpec::efi(0x1002, 0x164e))].concat();
        assert_eq!(ids(&both, 0x1002, 0x1900), [("other-device", 0x400 + PCIR)]);
        let any = [ImageSpec::pc_at(0x10de, 0x249c).build(), last(ImageSpec::efi(0, 0))].concat();
        assert_eq!(ids(&any, 0x10de, 0x249c), []);
        assert_eq!(ids(&last(ImageSpec::efi(0, 0)), 0x10de, 0x249c), []);
    }

    #[test]
    fn ids_that_were_typed_as_decimal_are_recognised() {
        assert_eq!(typed_as_decimal(0x03ea, 0x0668), Some((0x1002, 0x1640)));
        assert_eq!(typed_as_decimal(0x1f96, 0x0668), Some((0x8086, 0x1640)));
        assert_eq!(typed_as_decimal(0x1002, 0x1640), None);
        assert_eq!(typed_as_decimal(0x03ea, 0xffff), None, "65535 has too many digits");
        let file = last(ImageSpec::efi(0x03ea, 0x0668));
        assert_eq!(ids(&file, 0x1002, 0x1640), [], "check tells it without being asked");
        assert_eq!(ids(&file, 0x1002, 0x1900), [("wrong-device", PCIR)]);
    }

    #[test]
    fn a_rom_from_before_pci_has_no_ids() {
        let mut file = vec![0; 512];
        file[..4].copy_from_slice(&[0x55, 0xaa, 1, 0]);
        assert_eq!(ids(&file, 1, 2), [("no-ids", 0)]);
    }
}
