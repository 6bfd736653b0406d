//! What SeaBIOS, the BIOS of QEMU's guests, makes of a PC-AT image.
//!
//! It goes from image to image by the PCI Data Structure, and takes the first of code type 0 whose vendor and device id are
//! the device's. Of that it copies as many bytes as the initialization size says, and sums those: the image length and the
//! device list it does not look at. Read from its `src/optionroms.c`; `cargo xtask rom-boot` shows it.

use super::Problem;
use crate::checksum::Verdict;
use crate::header::PcAtHeader;
use crate::image::BLOCK;
use crate::{Image, checksum};

/// Bytes that are copied and run.
fn initialization(header: &PcAtHeader) -> usize {
    usize::from(header.initialization_size) * BLOCK
}

/// The sum of these bytes. What the file does not have reads as zero: QEMU fills the ROM BAR up.
fn sum(file: &[u8], image: &Image<'_>, header: &PcAtHeader) -> u8 {
    let rest = file.get(image.offset()..).unwrap_or_default();
    checksum::sum(&rest[..initialization(header).min(rest.len())])
}

/// If the image is started.
pub(super) fn starts(file: &[u8], image: &Image<'_>, header: &PcAtHeader) -> bool {
    header.initialization_size != 0 && sum(file, image, header) == 0
}

/// If the file does not hold the image whole. SeaBIOS takes it all the same; what it runs then is damaged, whatever it sums
/// to.
pub(super) fn is_cut_short(file: &[u8], image: &Image<'_>) -> bool {
    // NVIDIA's extension may say that the image is shorter than `PCIR` does.
    !Image::parse(file, image.offset()).is_ok_and(|image| !image.is_truncated())
}

/// Why it is not, where neither what the file lacks nor the checksum of the image tells it.
pub(super) fn refuses(file: &[u8], image: &Image<'_>, header: &PcAtHeader) -> Option<Problem> {
    let initialization = initialization(header);
    if image.length() == 0 || image.is_truncated() {
        return None;
    }
    if initialization == 0 {
        return Some(Problem::NoInitializationSize);
    }
    let is_told = initialization == image.length() && matches!(image.checksum(), Verdict::Wrong { .. });
    match sum(file, image, header) {
        0 => None,
        _ if is_told => None,
        sum => Some(Problem::InitializationSum { initialization, sum }),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{ImageSpec, PCIR};
    use crate::{Rom, Severity, check};

    /// Finding ids, and what a guest with a BIOS makes of the file.
    fn of(file: &[u8]) -> (Vec<&'static str>, bool) {
        let rom = Rom::parse(file).unwrap();
        let findings = check::findings(&rom);
        assert!(findings.iter().all(|finding| finding.severity() < Severity::Defect));
        let ids = findings.iter().map(|finding| finding.problem().id()).collect();
        (ids, matches!(check::guests(&rom).bios, check::Answer::Yes(_)))
    }

    /// Both sums are zero, or the image's alone.
    fn image(initialization: u8, both: bool) -> Vec<u8> {
        let mut file = ImageSpec { last: true, ..ImageSpec::pc_at(1, 2) }.build();
        file[2] = initialization;
        let end = file.len() - 1;
        let first = crate::checksum::sum(&file[..0x200]);
        file[0x1ff] = file[0x1ff].wrapping_sub(first).wrapping_add(u8::from(!both));
        file[end] = file[end].wrapping_sub(crate::checksum::sum(&file));
        file
    }

    #[test]
    fn the_initialization_size_is_what_is_summed() {
        assert_eq!(of(&image(2, false)), (vec![], true));
        assert_eq!(of(&image(1, true)), (vec!["initialization-size"], true));
        assert_eq!(of(&image(1, false)), (vec!["initialization-sum"], false));
        assert_eq!(of(&image(0, true)), (vec!["no-initialization-size"], false));
    }

    #[test]
    fn a_size_beyond_the_image_takes_in_what_follows() {
        let longer = image(3, true);
        assert_eq!(of(&longer), (vec!["initialization-size"], true), "zeros follow");
        let followed = [&longer[..], &[1], &[0; 511]].concat();
        let (ids, starts) = of(&followed);
        assert!(ids.contains(&"initialization-sum") && !starts, "{ids:?}");
    }

    #[test]
    fn fix_makes_both_sizes_and_the_sum_right() {
        let file = image(1, false);
        let fixes = crate::fix::Fixes { initialization_size: true, checksum: true, ..Default::default() };
        let fixed = crate::fix::apply(&Rom::parse(&file).unwrap(), &fixes).unwrap();
        assert_eq!(of(&fixed.bytes), (vec![], true));
    }

    #[test]
    fn the_device_list_is_not_looked_at() {
        let list = vec![0x1638, 0x1900];
        let file =
            ImageSpec { last: true, revision: 3, devices: list, ..ImageSpec::pc_at(0x1002, 0x1637) }.build();
        let ids = |device| {
            let findings = check::for_device(&Rom::parse(&file).unwrap(), 0x1002, device);
            findings.iter().map(|finding| (finding.problem().id(), finding.offset())).collect::<Vec<_>>()
        };
        assert_eq!(ids(0x1637), []);
        assert_eq!(ids(0x1900), [("bios-ids", PCIR)]);
        let starts = |device| {
            let guests = check::guests_of_device(&Rom::parse(&file).unwrap(), 0x1002, device);
            matches!(guests.bios, check::Answer::Yes(_))
        };
        assert!(starts(0x1637));
        assert!(!starts(0x1900));
        // An id of 0 is any device's for a driver, and no device's for a BIOS.
        let any = ImageSpec { last: true, ..ImageSpec::pc_at(0, 0) }.build();
        let findings = check::for_device(&Rom::parse(&any).unwrap(), 0x1002, 0x1900);
        assert_eq!(findings[0].problem().id(), "bios-ids");
    }
}
