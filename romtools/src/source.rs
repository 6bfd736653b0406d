//! Where bytes come from: files, devices, anything that can be read at offsets.
//!
//! A ROM that is read from a device has no file length: a ROM BAR, a VFIO region and the shadow at C0000h are
//! longer than the ROM, and read as FFh, zeros or other memory behind it. [`read_rom`] reads image by
//! image and stops where the chain ends. This is the door for new sources: implement [`ReadAt`] for a
//! VFIO region (a `pread` at the region's offset), and everything above works.
//!
//! ```
//! use romtools::source::{self, Seekable};
//! # let mut rom = vec![0u8; 512];
//! # rom[..3].copy_from_slice(&[0x55, 0xaa, 1]);
//! # rom[0x18] = 0x1c;
//! # rom[0x1c..0x34].copy_from_slice(b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x01\0\x20\x04\0\x80\0\0");
//!
//! // 128 KiB of a BAR, of which the first 512 bytes are the ROM.
//! let bar = [rom.clone(), vec![0xff; 0x2_0000 - 512]].concat();
//! let read = source::read_rom(&Seekable::new(std::io::Cursor::new(bar)), 0, source::MAXIMUM_SIZE)?;
//! assert_eq!(read, rom);
//! # Ok::<(), std::io::Error>(())
//! ```

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};

use crate::bytes::{array_at, u8_at, u16_at};
use crate::image::BLOCK;
use crate::pcir::StructureSignature;
use crate::{Image, Signature, header};

/// The most that a ROM may have, in bytes: UEFI's limit, 16 MiB.
pub const MAXIMUM_SIZE: usize = 16 << 20;

/// Bytes that can be read at any offset.
pub trait ReadAt {
    /// Reads up to as many bytes as `buffer` has, from `offset` on. Returns how many; 0 only at the end.
    ///
    /// # Errors
    /// Those of the device or file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

impl ReadAt for [u8] {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

#[cfg(unix)]
impl ReadAt for std::fs::File {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }
}

#[cfg(windows)]
impl ReadAt for std::fs::File {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, buffer, offset)
    }
}

/// Anything that can be read and sought, as a [`ReadAt`].
#[derive(Debug)]
pub struct Seekable<T>(RefCell<T>);

impl<T: Read + Seek> Seekable<T> {
    /// Takes it.
    #[must_use]
    pub fn new(inner: T) -> Self {
        Self(RefCell::new(inner))
    }
}

impl<T: Read + Seek> ReadAt for Seekable<T> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut inner = self.0.borrow_mut();
        inner.seek(SeekFrom::Start(offset))?;
        inner.read(buffer)
    }
}

/// Fills `buffer` from `offset` on, as far as there is something. Returns how much.
///
/// # Errors
/// Those of the source; an interrupted read is repeated.
pub fn fill<S: ReadAt + ?Sized>(source: &S, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match source.read_at(offset + length as u64, &mut buffer[length..]) {
            Ok(0) => break,
            // A source that claims more than it was asked for is not believed.
            Ok(more) => length = (length + more).min(buffer.len()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// Reads the ROM that begins at `offset`: image by image, to the end of its chain, and not a byte more than `limit`.
///
/// What is returned may hold less than the chain claims, where the source or the limit ends before; [`crate::check`]
/// tells. It is empty, or shorter than a block, where no ROM begins: then it holds what is there, for a message.
///
/// # Errors
/// Those of the source.
pub fn read_rom<S: ReadAt + ?Sized>(source: &S, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
    let mut rom = Growing { source, offset, limit, bytes: Vec::new() };
    let (mut at, mut end) = (0, header::LENGTH);
    while let Some(next) = rom.image(at)? {
        at = next.end;
        end = at.max(next.structure_end);
        if next.is_last {
            break;
        }
    }
    rom.bytes.truncate(end);
    Ok(rom.bytes)
}

/// An image that was read.
struct Next {
    end: usize,
    /// A damaged image's structure can lie behind its end, and the image cannot be read without it.
    structure_end: usize,
    is_last: bool,
}

/// What was read so far.
struct Growing<'a, S: ?Sized> {
    source: &'a S,
    offset: u64,
    limit: usize,
    bytes: Vec<u8>,
}

impl<S: ReadAt + ?Sized> Growing<'_, S> {
    /// Reads up to `length` bytes from the ROM's start on.
    fn up_to(&mut self, length: usize) -> io::Result<()> {
        // A device is read in whole blocks.
        let length = length.next_multiple_of(BLOCK).min(self.limit);
        let have = self.bytes.len();
        if have < length {
            // Twice as much at a time, so that growing is linear, but never more than the limit.
            let room = self.bytes.capacity().saturating_mul(2).min(self.limit).max(length);
            self.bytes.reserve_exact(room - have);
            self.bytes.resize(length, 0);
            let more = fill(self.source, self.offset + have as u64, &mut self.bytes[have..])?;
            self.bytes.truncate(have + more);
        }
        Ok(())
    }

    /// Reads the image at `at`; `None` if there is none.
    fn image(&mut self, at: usize) -> io::Result<Option<Next>> {
        self.up_to(at + header::LENGTH)?;
        let rest = self.bytes.get(at..).unwrap_or_default();
        let signature = array_at(rest, 0).and_then(Signature::from_bytes);
        let (Some(signature), Some(pointer)) = (signature, u16_at(rest, 0x18)) else { return Ok(None) };
        // The structure, and NVIDIA's extension behind it, whose place depends on what the structure says.
        let structure = at + usize::from(pointer);
        self.up_to(structure + usize::from(crate::pcir::LENGTH_REVISION_3))?;
        let found = array_at(self.bytes.get(structure..).unwrap_or_default(), 0);
        if found.and_then(StructureSignature::from_bytes).is_none() {
            return self.isa_image(at, signature);
        }
        let length = u16_at(&self.bytes, structure + 0x0a).unwrap_or_default();
        let length = usize::from(length.max(crate::pcir::LENGTH_REVISION_0));
        let structure_end = (structure + length).next_multiple_of(16) + 0x14;
        self.up_to(structure_end)?;
        let Ok(image) = Image::parse(&self.bytes, at) else { return Ok(None) };
        let (length, is_last) = (image.length(), image.is_last());
        self.up_to(at + length)?;
        let end = (at + length).min(self.bytes.len());
        Ok(Some(Next { end, structure_end, is_last: is_last || length == 0 || end < at + length }))
    }

    /// A ROM from before PCI, at the start only.
    fn isa_image(&mut self, at: usize, signature: Signature) -> io::Result<Option<Next>> {
        let length = usize::from(u8_at(&self.bytes, at + 2).unwrap_or_default()) * BLOCK;
        if at != 0 || signature != Signature::OptionRom || length == 0 {
            return Ok(None);
        }
        self.up_to(length)?;
        Ok(Some(Next { end: length.min(self.bytes.len()), structure_end: 0, is_last: true }))
    }
}

#[cfg(test)]
mod tests;
