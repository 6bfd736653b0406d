//! Expansion headers of PC-AT images: what a BIOS can boot from.
//!
//! The word at 1Ah leads to a chain of `$PnP` headers, one for each thing to boot from (Plug and Play BIOS
//! Specification 1.0A, section 3; BIOS Boot Specification 1.01, section 3.3). Two in three ROMs have something else
//! at 1Ah, so it counts only where it leads to `$PnP`. Network ROMs have two more structures, see [`pxe`].
//!
//! ```
//! # let mut image = vec![0u8; 512];
//! # image[..4].copy_from_slice(&[0x55, 0xaa, 1, 0xcb]);
//! # image[0x1a] = 0x20;
//! # image[0x20..0x26].copy_from_slice(b"$PnP\x01\x02");
//! # image[0x2e] = 0x40;
//! # image[0x40..0x45].copy_from_slice(b"Maker");
//! # image[0x3a..0x3c].copy_from_slice(&[0x80, 0]);
//! # image[0x29] = 0u8.wrapping_sub(romtools::checksum::sum(&image[0x20..0x40]));
//! use romtools::expansion::{Headers, Stop};
//!
//! let mut headers = Headers::new(&image);
//! let header = headers.next().unwrap();
//! assert_eq!((header.manufacturer_name(), header.sum()), (Some(&b"Maker"[..]), Some(0)));
//! assert_eq!(header.bootstrap_entry_vector, 0x80);
//! assert!(headers.next().is_none());
//! assert_eq!(headers.stop(), Some(Stop::End));
//! ```

use std::fmt;
use std::iter::FusedIterator;

use crate::bytes::{array_at, u8_at, u16_at};
use crate::pcir::ClassCode;

pub(crate) mod check;
mod problem;
pub mod pxe;
pub(crate) mod text;

pub use problem::Problem;

/// Bytes of a header.
pub const LENGTH: usize = 0x20;
/// The most headers that a walk yields: one for each thing to boot from, and no known ROM has more than ten.
pub const MOST_HEADERS: usize = 64;

/// The pointer to the first header.
const POINTER: usize = 0x1a;
/// How a header begins.
const SIGNATURE: [u8; 4] = *b"$PnP";
/// The pointer to the next header.
const NEXT: usize = 6;
/// No name is longer; what has no end by then is cut.
const LONGEST_NAME: usize = 128;

/// A `$PnP` header. Pointers and vectors count from the start of the image; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PnpHeader<'a> {
    /// Where it begins in the image.
    pub offset: u16,
    /// Structure Revision: 1, in a few ROMs 2.
    pub revision: u8,
    /// Length in 16-byte units: 2.
    pub length: u8,
    /// Offset of Next Header.
    pub next_header: u16,
    /// Checksum: 0 where the ROM's own code sets it when it starts.
    pub checksum: u8,
    /// Device Identifier.
    pub device_id: EisaId,
    /// Pointer to Manufacturer String.
    pub manufacturer_string: u16,
    /// Pointer to Product Name String.
    pub product_name_string: u16,
    /// Device Type Code.
    pub device_type: ClassCode,
    /// Device Indicators.
    pub indicators: DeviceIndicators,
    /// Boot Connection Vector (BCV): makes the device one of the BIOS's disks.
    pub boot_connection_vector: u16,
    /// Disconnect Vector (DV): undoes what the ROM did, where booting failed.
    pub disconnect_vector: u16,
    /// Bootstrap Entry Vector (BEV): boots from the device itself, as from a network.
    pub bootstrap_entry_vector: u16,
    /// Static Resource Information Vector (SRIV): says which resources a device that is no PnP device has.
    pub static_resource_information_vector: u16,
    image: &'a [u8],
}

impl<'a> PnpHeader<'a> {
    /// Reads the header at `offset`; `None` if there is no signature, or the image ends inside.
    fn parse(image: &'a [u8], offset: u16) -> Option<Self> {
        let bytes = image.get(offset.into()..).and_then(<[u8]>::first_chunk::<LENGTH>)?;
        if !bytes.starts_with(&SIGNATURE) {
            return None;
        }
        let word = |at| u16_at(bytes, at);
        // Unlike in the PCI Data Structure, the base class comes first.
        let [base, sub, programming_interface] = array_at(bytes, 0x12)?;
        Some(Self {
            offset,
            revision: u8_at(bytes, 4)?,
            length: u8_at(bytes, 5)?,
            next_header: word(NEXT)?,
            checksum: u8_at(bytes, 9)?,
            device_id: EisaId(array_at(bytes, 0x0a)?),
            manufacturer_string: word(0x0e)?,
            product_name_string: word(0x10)?,
            device_type: ClassCode { base, sub, programming_interface },
            indicators: DeviceIndicators(u8_at(bytes, 0x15)?),
            boot_connection_vector: word(0x16)?,
            disconnect_vector: word(0x18)?,
            bootstrap_entry_vector: word(0x1a)?,
            static_resource_information_vector: word(0x1e)?,
            image,
        })
    }

    /// The sum of its bytes by its own length, which must be zero; `None` if they are not all in the image.
    #[must_use]
    pub fn sum(&self) -> Option<u8> {
        let begin = usize::from(self.offset);
        self.image.get(begin..begin + 16 * usize::from(self.length)).map(crate::checksum::sum)
    }

    /// Who made it, as it stands there; `None` without a pointer, or if it leads out of the image.
    #[must_use]
    pub fn manufacturer_name(&self) -> Option<&'a [u8]> {
        name(self.image, self.manufacturer_string)
    }

    /// What it is called: what a BIOS shows in its list of things to boot from.
    #[must_use]
    pub fn product_name(&self) -> Option<&'a [u8]> {
        name(self.image, self.product_name_string)
    }

    /// The vectors with the specification's names, also those that are 0.
    pub(crate) fn vectors(&self) -> [(&'static str, u16); 4] {
        [
            ("boot connection vector", self.boot_connection_vector),
            ("disconnect vector", self.disconnect_vector),
            ("bootstrap entry vector", self.bootstrap_entry_vector),
            ("static resource information vector", self.static_resource_information_vector),
        ]
    }
}

/// Text up to its NUL.
fn name(image: &[u8], at: u16) -> Option<&[u8]> {
    let rest = image.get(at.into()..).filter(|rest| at != 0 && !rest.is_empty())?;
    let rest = &rest[..rest.len().min(LONGEST_NAME)];
    Some(&rest[..rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len())])
}

/// An EISA product identifier: three letters and four hexadecimal digits in four bytes. Zeros are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EisaId(pub [u8; 4]);

impl EisaId {
    /// If there is none.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.0 == [0; 4]
    }
}

/// `PNP0C31`; a letter that there is none for is `?`.
impl fmt::Display for EisaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, number @ ..] = self.0;
        let letters = u16::from_be_bytes([first, second]);
        for shift in [10, 5, 0] {
            let letter = match letters >> shift & 0x1f {
                letter @ 1..=26 => char::from(b'@' + letter as u8),
                _ => '?',
            };
            fmt::Write::write_char(f, letter)?;
        }
        write!(f, "{:04X}", u16::from_be_bytes(number))
    }
}

/// Device Indicators, offset 15h of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceIndicators(pub u8);

impl DeviceIndicators {
    /// Bit 7: the ROM follows the Device Driver Initialization Model, so its own code may change it when it starts.
    #[must_use]
    pub fn device_driver_initialization_model(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Bit 6: it may be shadowed in RAM.
    #[must_use]
    pub fn may_be_shadowed(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Bit 5: it can be cached for reading.
    #[must_use]
    pub fn is_read_cacheable(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Bit 4: it is needed only if the device is booted from.
    #[must_use]
    pub fn only_for_boot(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// Bit 2: the device can be booted from.
    #[must_use]
    pub fn is_initial_program_load_device(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// Bit 1: it is an input device.
    #[must_use]
    pub fn is_input_device(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// Bit 0: it is a display.
    #[must_use]
    pub fn is_display_device(self) -> bool {
        self.0 & 0x01 != 0
    }
}

/// Why the walk over the headers ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// There is no header, or the last one has no next.
    End,
    /// The next header is not wholly inside the image.
    Outside {
        /// Where it should begin.
        pointer: u16,
    },
    /// The next header is one of another kind, or none.
    NotPnp {
        /// Where it should begin.
        pointer: u16,
        /// What is there.
        found: [u8; 4],
    },
    /// The next header is one that the walk has been at.
    Loop {
        /// Where that begins.
        pointer: u16,
    },
    /// [`MOST_HEADERS`] were read, and more follow.
    TooMany {
        /// Where the next one should begin.
        pointer: u16,
    },
}

/// The `$PnP` headers of an image, one by one, without allocation.
#[derive(Debug, Clone)]
pub struct Headers<'a> {
    image: &'a [u8],
    next: u16,
    read: usize,
    stop: Option<Stop>,
}

impl<'a> Headers<'a> {
    /// Those of a PC-AT or ISA image. It has none where the word at 1Ah does not lead to `$PnP`.
    #[must_use]
    pub fn new(image: &'a [u8]) -> Self {
        Self { image, next: first(image).unwrap_or_default(), read: 0, stop: None }
    }

    /// Without any, as other kinds of images are.
    pub(crate) fn none() -> Self {
        Self { image: &[], next: 0, read: 0, stop: None }
    }

    /// Why the walk has ended; `None` until [`Iterator::next`] has returned `None`.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// Walks to the end and says why it is there.
    pub(crate) fn into_stop(mut self) -> Stop {
        self.by_ref().for_each(drop);
        self.stop.unwrap_or(Stop::End)
    }

    /// If one of the headers that were read begins there: they are few, so they are walked again.
    fn has_been_at(&self, pointer: u16) -> bool {
        let mut at = first(self.image);
        (0..self.read).any(|_| {
            let found = at == Some(pointer);
            at = at.and_then(|at| u16_at(self.image, usize::from(at) + NEXT));
            found
        })
    }

    fn read_next(&self) -> Result<PnpHeader<'a>, Stop> {
        let pointer = self.next;
        if pointer == 0 {
            return Err(Stop::End);
        }
        if self.has_been_at(pointer) {
            return Err(Stop::Loop { pointer });
        }
        if self.read == MOST_HEADERS {
            return Err(Stop::TooMany { pointer });
        }
        PnpHeader::parse(self.image, pointer).ok_or_else(|| match array_at(self.image, pointer.into()) {
            Some(found) if found != SIGNATURE => Stop::NotPnp { pointer, found },
            _ => Stop::Outside { pointer },
        })
    }
}

/// Where the first header is, if there is one.
pub(crate) fn first(image: &[u8]) -> Option<u16> {
    u16_at(image, POINTER).filter(|&at| at != 0 && array_at(image, usize::from(at)) == Some(SIGNATURE))
}

impl<'a> Iterator for Headers<'a> {
    type Item = PnpHeader<'a>;

    fn next(&mut self) -> Option<PnpHeader<'a>> {
        if self.stop.is_some() {
            return None;
        }
        match self.read_next() {
            Ok(header) => {
                self.read += 1;
                self.next = header.next_header;
                Some(header)
            }
            Err(stop) => {
                self.stop = Some(stop);
                None
            }
        }
    }
}

impl FusedIterator for Headers<'_> {}

#[cfg(test)]
mod tests;
