//! Whatever the bytes, the walk ends, stays in the file and never reads a byte as part of two images.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::image::BLOCK;
use crate::testing::{ImageSpec, NpdeSpec};
use crate::{Rom, Stop, check, text};

fn spec() -> impl Strategy<Value = ImageSpec> {
    let code_type = prop_oneof![4 => 0u8..=3, 1 => any::<u8>()];
    let npde = proptest::option::weighted(0.2, (0u16..6, any::<bool>()))
        .prop_map(|npde| npde.map(|(blocks, last)| NpdeSpec { blocks, last }));
    let sizes = (1u16..6, any::<u16>(), any::<bool>(), any::<u8>());
    let ids = (any::<u16>(), any::<u16>(), any::<[u8; 3]>(), vec(1u16.., 0..40));
    (code_type, prop_oneof![Just(0u8), Just(3)], ids, sizes, npde).prop_map(
        |(
            code_type,
            revision,
            (vendor_id, device_id, class, devices),
            (blocks, run_time_blocks, last, fill),
            npde,
        )| {
            let devices = if revision >= 3 { devices } else { Vec::new() };
            // A driver takes more room than one block has.
            let (driver, blocks) = match code_type {
                3 => (ImageSpec::efi(0, 0).driver, blocks.max(2)),
                _ => (Vec::new(), blocks),
            };
            ImageSpec {
                code_type,
                vendor_id,
                device_id,
                class,
                revision,
                devices,
                blocks,
                run_time_blocks,
                last,
                npde,
                fill,
                driver,
            }
        },
    )
}

/// Chains with data around them, then bytes overwritten, words set to extremes, and the end cut off.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let edits =
        vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x80)]), 0..24);
    (
        vec(prop_oneof![4 => spec().prop_map(|s| s.build()), 1 => vec(any::<u8>(), 0..1200)], 1..6),
        edits,
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(parts, edits, cut, cuts)| {
            let mut file = parts.concat();
            if !file.is_empty() {
                for (at, byte) in edits {
                    // Half of the edits where the structures are.
                    let at = at.index(2 * file.len());
                    let at = if at < file.len() { at } else { (at / BLOCK * BLOCK + at % 0x60) % file.len() };
                    file[at] = byte;
                }
                if cuts {
                    file.truncate(cut.index(file.len()));
                }
            }
            file
        })
}

fn holds(file: &[u8]) -> Result<(), TestCaseError> {
    let Ok(rom) = Rom::parse(file) else {
        return Ok(());
    };
    let mut spans: Vec<_> = rom.legacy().map(|l| (0, l.bytes().len())).into_iter().collect();
    for chain in rom.chains() {
        prop_assert!(!chain.images().is_empty());
        for image in chain.images() {
            prop_assert!(image.bytes().len() <= image.length());
            prop_assert_eq!(image.bytes(), &file[image.offset()..image.offset() + image.bytes().len()]);
            prop_assert!(image.structure().device_list().count() <= image.bytes().len() / 2);
            spans.push((image.offset(), image.offset() + image.bytes().len()));
        }
    }
    prop_assert!(spans.len() <= 1 + file.len().div_ceil(BLOCK));
    spans.extend(rom.data().map(|d| (d.offset, d.offset + d.bytes.len())));
    spans.sort_unstable();
    // Images and the data around them are the file: no gap, no overlap, nothing outside.
    let mut at = 0;
    for (begin, end) in spans {
        prop_assert_eq!(begin, at);
        at = end;
    }
    prop_assert_eq!(at, file.len());
    // Everything that is made of it holds, too.
    prop_assert!(!text::info(&rom).to_string().is_empty());
    for finding in check::findings(&rom) {
        prop_assert!(finding.offset() <= file.len(), "{}", finding);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes(file in vec(any::<u8>(), 0..4096)) {
        holds(&file)?;
    }

    #[test]
    fn damaged_chains(file in damaged()) {
        holds(&file)?;
    }

    #[test]
    fn built_then_parsed(specs in vec(spec(), 1..6)) {
        // "last" on the last image only, and an extension that agrees on the length.
        let count = specs.len();
        let specs: Vec<_> = specs
            .into_iter()
            .enumerate()
            .map(|(i, spec)| {
                let last = i + 1 == count;
                let npde = spec.npde.map(|_| NpdeSpec { blocks: spec.blocks, last });
                ImageSpec { last, npde, ..spec }
            })
            .collect();
        let file: Vec<u8> = specs.iter().flat_map(ImageSpec::build).collect();
        let rom = Rom::parse(&file).unwrap();
        prop_assert_eq!(rom.chains().len(), 1);
        prop_assert_eq!(rom.chains()[0].stop(), Stop::LastImage);
        prop_assert_eq!(rom.data().count(), 0);
        let mut at = 0;
        for (image, spec) in rom.images().zip(&specs) {
            let pcir = image.structure();
            let class = pcir.class_code;
            let parsed = ImageSpec {
                code_type: pcir.code_type.0,
                vendor_id: pcir.vendor_id,
                device_id: pcir.device_id,
                class: [class.base, class.sub, class.programming_interface],
                revision: pcir.revision,
                devices: pcir.device_list().collect(),
                blocks: pcir.image_length,
                run_time_blocks: pcir.revision_3.map_or(spec.run_time_blocks, |r| r.maximum_run_time_image_length),
                last: pcir.indicator.is_last(),
                npde: image.npde().map(|n| NpdeSpec { blocks: n.sub_image_length, last: n.last == Some(true) }),
                fill: spec.fill,
                driver: spec.driver.clone(),
            };
            prop_assert_eq!(&parsed, spec);
            prop_assert_eq!(image.offset(), at);
            at += image.length();
        }
        prop_assert_eq!(rom.images().count(), specs.len());
        prop_assert_eq!(at, file.len());
        let damaged = check::findings(&rom).iter().any(|f| f.severity() == check::Severity::Defect);
        prop_assert!(!damaged);
    }
}
