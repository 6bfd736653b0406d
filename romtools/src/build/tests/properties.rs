//! What was built is found again, whatever it was built from.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::compression::{self, Variant};

#[derive(Debug, Clone)]
enum Made {
    Efi(Vec<u8>),
    Isa(Vec<u8>),
    Legacy(ImageSpec),
}

fn made() -> impl Strategy<Value = Made> {
    let driver =
        (any::<u16>(), 0x0bu16..=0x0c, 0usize..3000, any::<u8>()).prop_map(|(machine, sub, n, fill)| {
            let mut file = testing::pe(machine, sub, 0x200);
            file.extend(vec![fill; n]);
            Made::Efi(file)
        });
    let code = (0x1cusize..4000, vec(any::<u8>(), 64)).prop_map(|(length, fill)| {
        let mut code = isa(length);
        code[0x1a..].iter_mut().zip(fill.iter().cycle()).for_each(|(to, from)| *to = *from);
        Made::Isa(code)
    });
    let legacy = (0u8..2, vec(1u16.., 0..5), 1u16..9, any::<u8>()).prop_map(|(r, devices, blocks, fill)| {
        let revision = 3 * r;
        let devices = if revision == 3 { devices } else { Vec::new() };
        Made::Legacy(ImageSpec { revision, devices, blocks, fill, ..ImageSpec::pc_at(7, 8) })
    });
    prop_oneof![driver, code, legacy]
}

proptest! {
    #[test]
    fn built_then_parsed(
        parts in vec(made(), 1..6),
        vendor in any::<u16>(),
        devices in vec(1u16.., 1..60),
        class in any::<[u8; 3]>(),
        version in any::<u16>(),
        older in any::<bool>(),
        compress in any::<bool>(),
    ) {
        let older = older && devices.len() == 1;
        let class = ClassCode { base: class[0], sub: class[1], programming_interface: class[2] };
        let revision = if older { Revision::Revision0 } else { Revision::Revision3 };
        let mut builder =
            Builder::new(vendor, devices.clone()).class_code(class).vendor_rom_revision(version).revision(revision);
        let files: Vec<_> = parts.iter().map(|part| match part {
            Made::Efi(file) | Made::Isa(file) => file.clone(),
            Made::Legacy(spec) => spec.build(),
        }).collect();
        for (part, file) in parts.iter().zip(&files) {
            builder = builder.part(match part {
                Made::Efi(_) => Part::Efi { file, compress },
                _ => Part::Legacy(file),
            });
        }
        let bytes = builder.build().unwrap();
        let rom = Rom::parse(&bytes).unwrap();
        prop_assert_eq!(rom.chains()[0].stop(), Stop::LastImage);
        prop_assert_eq!(rom.chains().len(), 1);
        prop_assert_eq!(rom.data().count(), 0);
        let found: Vec<_> = rom.images().collect();
        prop_assert_eq!(found.len(), parts.len());
        for (index, ((image, part), file)) in found.iter().zip(&parts).zip(&files).enumerate() {
            let pcir = image.structure();
            prop_assert_eq!(pcir.indicator.is_last(), index + 1 == parts.len());
            prop_assert_eq!((pcir.vendor_id, pcir.device_id), (vendor, devices[0]));
            prop_assert_eq!((pcir.class_code, pcir.vendor_rom_revision), (class, version));
            let listed: Vec<_> = pcir.device_list().collect();
            prop_assert_eq!(&listed[..], if devices.len() > 1 { &devices[..] } else { &[] });
            match (part, image.header()) {
                (Made::Efi(_), Header::Efi(efi)) => {
                    let at = usize::from(efi.image_offset);
                    let stored = &image.bytes()[at..];
                    if compress {
                        prop_assert_eq!(&compression::decompress(stored, Variant::Uefi).unwrap(), file);
                    } else {
                        prop_assert_eq!(&stored[..file.len()], &file[..]);
                    }
                    prop_assert_eq!(efi.compression.0, u16::from(compress));
                    prop_assert_eq!(efi.machine.0, u16::from_le_bytes([file[0x44], file[0x45]]));
                    prop_assert_eq!(efi.subsystem.0, u16::from_le_bytes([file[0x9c], file[0x9d]]));
                    prop_assert_eq!(usize::from(efi.initialization_size) * BLOCK, image.length());
                }
                (Made::Isa(_) | Made::Legacy(_), Header::PcAt(header)) => {
                    prop_assert_eq!(image.checksum(), Verdict::Good);
                    prop_assert_eq!(usize::from(header.initialization_size) * BLOCK, image.length());
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
        let defect = check::findings(&rom).iter().any(|f| f.severity() == Severity::Defect);
        prop_assert!(!defect);
    }

    #[test]
    fn any_bytes_are_built_or_refused(file in vec(any::<u8>(), 0..2000), kind in 0u8..3) {
        let part = match kind {
            0 => efi(&file),
            1 => Part::Legacy(&file),
            _ => Part::Images(&file),
        };
        if let Ok(rom) = Builder::new(1, vec![2, 3]).part(part).build() {
            prop_assert!(Rom::parse(&rom).is_ok());
        }
    }

    /// An image whose fields were overwritten anywhere is refused or becomes an image; never a panic.
    #[test]
    fn damaged_images_are_built_or_refused(
        kind in any::<bool>(),
        edits in vec((0usize..0x80, any::<u8>()), 0..8),
        devices in vec(1u16.., 1..9),
    ) {
        let spec = if kind { ImageSpec::pc_at(1, 2) } else { ImageSpec::efi(1, 2) };
        let mut file = ImageSpec { devices: vec![1, 2], revision: 3, last: true, ..spec }.build();
        for (at, byte) in edits {
            file[at] = byte;
        }
        for part in [Part::Legacy(&file), Part::Images(&file)] {
            if let Ok(rom) = Builder::new(1, devices.clone()).part(part).build() {
                prop_assert!(Rom::parse(&rom).is_ok());
            }
        }
    }
}
