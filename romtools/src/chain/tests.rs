use super::*;
use crate::image::BLOCK;
use crate::testing::{ImageSpec, NpdeSpec};

mod properties;

fn chain_of(specs: &[ImageSpec]) -> Vec<u8> {
    specs.iter().flat_map(ImageSpec::build).collect()
}

#[test]
fn the_step_is_the_image_s_length() {
    // A stray 55 AA in the first image, at a block boundary, is not an image.
    let mut first = ImageSpec { blocks: 3, ..ImageSpec::pc_at(0x1002, 1) }.build();
    first[BLOCK..BLOCK + 2].copy_from_slice(&[0x55, 0xaa]);
    let file = [first, ImageSpec { last: true, ..ImageSpec::efi(0x1002, 1) }.build()].concat();
    let chain = Chain::walk(&file, 0);
    let offsets: Vec<_> = chain.images().iter().map(Image::offset).collect();
    assert_eq!(offsets, [0, 3 * BLOCK]);
    assert_eq!((chain.stop(), chain.end()), (Stop::LastImage, file.len()));
}

#[test]
fn a_chain_that_goes_on_behind_the_file_says_where() {
    let file = chain_of(&[ImageSpec::pc_at(1, 2)]);
    assert_eq!(Chain::walk(&file, 0).stop(), Stop::EndOfFile { offset: file.len() });
    let chain = Chain::walk(&file[..file.len() - 1], 0);
    assert_eq!((chain.stop(), chain.end()), (Stop::EndOfFile { offset: file.len() }, file.len() - 1));
    assert!(chain.images()[0].is_truncated());
}

#[test]
fn a_last_image_that_is_cut_still_is_the_last() {
    let file = chain_of(&[ImageSpec { last: true, ..ImageSpec::pc_at(1, 2) }]);
    let chain = Chain::walk(&file[..BLOCK], 0);
    assert_eq!(chain.stop(), Stop::LastImage);
    assert!(chain.images()[0].is_truncated());
}

#[test]
fn a_length_of_zero_ends_the_walk() {
    let file = chain_of(&[ImageSpec { blocks: 0, ..ImageSpec::pc_at(1, 2) }, ImageSpec::pc_at(1, 2)]);
    let chain = Chain::walk(&file, 0);
    assert_eq!((chain.images().len(), chain.stop()), (1, Stop::ZeroLength { offset: 0 }));
    assert!(chain.images()[0].bytes().is_empty());
    assert_eq!(chain.images()[0].structure().vendor_id, 1);
}

#[test]
fn what_follows_and_is_no_image_is_told() {
    let mut file = chain_of(&[ImageSpec::pc_at(1, 2)]);
    let end = file.len();
    file.extend([0xff; BLOCK]);
    let error = Error::HeaderSignature { offset: end, found: [0xff; 2] };
    assert_eq!(Chain::walk(&file, 0).stop(), Stop::NotAnImage(error));
    file.truncate(end + 1);
    assert!(matches!(Chain::walk(&file, 0).stop(), Stop::NotAnImage(Error::Truncated { available: 1, .. })));
}

#[test]
fn nvidia_s_chain_goes_on_behind_the_firmware_s_last_image() {
    let efi = ImageSpec {
        last: true,
        npde: Some(NpdeSpec { blocks: 2, last: false }),
        ..ImageSpec::efi(0x10de, 1)
    };
    let private = ImageSpec {
        code_type: 0xe0,
        npde: Some(NpdeSpec { blocks: 2, last: true }),
        ..ImageSpec::pc_at(0x10de, 1)
    };
    let file = chain_of(&[ImageSpec::pc_at(0x10de, 1), efi, private, ImageSpec::pc_at(0x10de, 1)]);
    let chain = Chain::walk(&file, 0);
    assert_eq!((chain.images().len(), chain.stop()), (3, Stop::LastImage));
}

#[test]
fn the_iterator_knows_why_only_at_the_end() {
    let file = chain_of(&[ImageSpec::pc_at(1, 2)]);
    let mut images = Images::new(&file, 0);
    assert!(images.next().is_some());
    assert_eq!(images.stop(), None);
    assert!(images.next().is_none() && images.next().is_none());
    assert!(images.stop().is_some());
}

#[test]
fn no_image_at_all_is_an_empty_chain() {
    let chain = Chain::walk(b"no ROM", 3);
    assert_eq!((chain.images().len(), chain.offset(), chain.end()), (0, 3, 3));
    assert_eq!(Chain::walk(&[], 0).stop(), Stop::EndOfFile { offset: 0 });
    assert_eq!(Chain::walk(&[], usize::MAX).stop(), Stop::EndOfFile { offset: usize::MAX });
}

#[test]
fn the_bound_on_memory_holds() {
    // The least that an image takes of a file is a block, and a chain holds at least one image.
    assert!(size_of::<Image<'_>>() + size_of::<Chain<'_>>() <= BLOCK / 2);
}
