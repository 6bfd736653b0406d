//! What firmware would say about an EFI image: its header, and the driver in it.

use super::Problem;
use crate::compression::Variant;
use crate::efi::{self, Drivers};
use crate::header::EfiHeader;
use crate::image::BLOCK;
use crate::{Image, Severity};

/// What was found.
pub(super) struct Look {
    /// Each with its offset in the file.
    pub(super) problems: Vec<(usize, Problem)>,
    /// If the driver carries a signature; `None` where it cannot be read.
    pub(super) is_signed: Option<bool>,
}

impl Look {
    /// If firmware loads the driver, as far as that can be told.
    pub(super) fn is_loadable(&self) -> bool {
        self.problems.iter().all(|(_, problem)| {
            problem.severity() < Severity::Defect && !matches!(problem, Problem::EfiSubsystem { .. })
        })
    }
}

/// Looks at the header, and with `drivers` at the driver. One defect is one problem: the driver is not looked for where
/// the header is wrong.
pub(super) fn look(image: &Image<'_>, header: &EfiHeader, drivers: Option<&mut Drivers>) -> Look {
    let mut look = Look { problems: Vec::new(), is_signed: None };
    // Firmware does not know NVIDIA's extension.
    let (begin, length) = (image.offset(), usize::from(image.structure().image_length) * BLOCK);
    let initialization = usize::from(header.initialization_size) * BLOCK;
    let mut push = |problem| look.problems.push((begin, problem));
    if !header.has_signature() {
        // Not one field of such a header can be trusted.
        push(Problem::EfiSignature { found: header.signature });
        return look;
    }
    if initialization > length {
        push(Problem::EfiInitializationSize { initialization, length });
    }
    if usize::from(header.image_offset) >= initialization {
        push(Problem::EfiImageOffset { image_offset: header.image_offset, initialization });
    }
    if header.compression.name().is_none() {
        push(Problem::EfiCompression { found: header.compression.0 });
    }
    let is_whole = look.problems.is_empty() && !image.is_truncated();
    if !header.subsystem.is_driver() {
        look.problems.push((begin, Problem::EfiSubsystem { found: header.subsystem.0 }));
    }
    if let Some(drivers) = drivers.filter(|_| is_whole) {
        self::driver(image, header, drivers, &mut look);
    }
    look
}

fn driver(image: &Image<'_>, header: &EfiHeader, drivers: &mut Drivers, look: &mut Look) {
    let mut push = |offset, problem: efi::Problem| look.problems.push((offset, problem.into()));
    let driver = match drivers.driver(image) {
        None => return,
        Some(Err(error)) => return push(error.offset(), efi::Problem::Unreadable { error }),
        Some(Ok(driver)) => driver,
    };
    let offset = driver.offset;
    if driver.compression == Some(Variant::Tiano) {
        push(offset, efi::Problem::Tiano);
    }
    if driver.beyond != 0 {
        push(offset, efi::Problem::Beyond { bytes: driver.beyond });
    }
    if driver.machine != header.machine {
        push(offset, efi::Problem::Machine { header: header.machine, driver: driver.machine });
    }
    if driver.subsystem != header.subsystem && header.subsystem.is_driver() {
        push(offset, efi::Problem::Subsystem { header: header.subsystem, driver: driver.subsystem });
    }
    if let Some(pe) = driver.pe() {
        for (at, defect) in pe.defects() {
            // A place in what was decompressed is none in the file.
            push(if driver.compression.is_none() { offset + at } else { offset }, defect.into());
        }
    }
    look.is_signed = Some(driver.is_signed());
}
