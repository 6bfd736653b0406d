//! PCI option ROMs: what is in a file, and is it whole.
//!
//! An option ROM is a *chain* of images, each a multiple of 512 bytes. An image opens with a
//! header (`55 AA`), which points at a data structure (`PCIR`) with the ids, the length, the kind
//! of code and a bit that says "I am the last one". Files rarely hold just that: dumps of a whole
//! flash chip put a container in front and copies behind, dumps of a shadow stop too early, and
//! ROMs from before PCI have no data structure at all. [`Rom`] finds all of it; nothing here
//! panics, copies the image or trusts a length.
//!
//! Memory is bounded: what is found in a file takes its length again at most, and 64 KiB; a decompressed driver 16 MiB, and a
//! scan 16 MiB. A walk over images, records or headers allocates nothing.
//!
//! ```
//! # let mut file = vec![0u8; 1024];
//! # file[..4].copy_from_slice(&[0x55, 0xaa, 2, 0xcb]);
//! # file[0x18] = 0x1c;
//! # file[0x1c..0x34].copy_from_slice(b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x02\0\x20\x04\0\x80\0\0");
//! # file[1023] = 0u8.wrapping_sub(romtools::checksum::sum(&file));
//! use romtools::{Rom, Severity, check};
//!
//! let rom = Rom::parse(&file)?;
//! for image in rom.images() {
//!     let pcir = image.structure();
//!     println!("{:#x}: {} {:04x}:{:04x}", image.offset(), pcir.code_type, pcir.vendor_id, pcir.device_id);
//! }
//! assert!(check::findings(&rom).iter().all(|f| f.severity() < Severity::Defect));
//! # Ok::<(), romtools::Error>(())
//! ```
//!
//! | module | subject |
//! |---|---|
//! | [`rom`] | a whole file: its chains, and the data before, between and behind them |
//! | [`chain`] | the walk from image to image |
//! | [`image`] | one image, found and bounded |
//! | [`header`] | the fields at the start of an image, which depend on its code type |
//! | [`expansion`] | what a PC-AT header leads to: `$PnP`, PXE's and iPXE's structures |
//! | [`open_firmware`] | the FCode program in an Open Firmware image |
//! | [`pcir`] | the PCI Data Structure |
//! | [`nvidia`] | NVIDIA's extension of it, its container, its table in the image |
//! | [`checksum`] | which images must sum to zero |
//! | [`compression`] | the algorithm that EFI images are compressed with |
//! | [`efi`] | the driver in an EFI image |
//! | [`pe`] | the PE file that a driver is: headers, sections, signature |
//! | [`check`](mod@check) | everything that is odd about a file, each with advice |
//! | [`cut`](mod@cut) | what a virtual machine wants out of a dump |
//! | [`fix`] | ids, last-image bits, sizes and checksums, in a new file |
//! | [`build`] | EFI drivers and legacy images, made a chain |
//! | [`compare`](mod@compare) | two files, by what they are made of |
//! | [`scan`](mod@scan) | ROMs, VFCT tables and containers inside of any file |
//! | [`source`] | where bytes come from: files, devices, anything that can be read at offsets |
//! | [`edit`] | what was changed in an image, and why |
//! | [`text`] | the lines that `romtools info` prints |
//! | [`atom`] | the ATOM BIOS in the images of AMD GPUs |
//! | [`vfct`] | the ACPI table with the video BIOS of AMD GPUs |
//! | [`acpi`] | the header of ACPI tables, and the files that they are dumped to |
#![forbid(unsafe_code)]

pub mod acpi;
pub mod atom;
pub mod build;
mod bytes;
pub mod chain;
pub mod check;
pub mod checksum;
pub mod compare;
pub mod compression;
pub mod cut;
pub mod edit;
pub mod efi;
mod error;
pub mod expansion;
mod firmware;
pub mod fix;
pub mod header;
pub mod image;
pub mod nvidia;
pub mod open_firmware;
pub mod pcir;
pub mod pe;
mod printable;
pub mod rom;
pub mod scan;
pub mod source;
#[cfg(test)]
mod testing;
pub mod text;
pub mod vfct;

pub use chain::{Chain, Images, Stop};
pub use check::{Finding, Problem, Severity};
pub use error::{Error, Result};
pub use header::Header;
pub use image::{Image, Signature};
pub use nvidia::Npde;
pub use pcir::{CodeType, DataStructure};
pub use rom::{LegacyImage, Rom};
