//! The walk from image to image.
//!
//! A step is the image's length: nothing between two images is guessed. The walk ends with the
//! image that says it is the last, with one of length 0 (a real firmware hung on that), with the end
//! of the file, or where no image follows. Each step is at least 512 bytes forward, so it ends.
//!
//! ```
//! use romtools::{Chain, Stop};
//! # let mut file = vec![0u8; 512];
//! # file[..3].copy_from_slice(&[0x55, 0xaa, 1]);
//! # file[0x18] = 0x1c;
//! # file[0x1c..0x34].copy_from_slice(b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x01\0\x20\x04\0\x00\0\0");
//!
//! // `file` holds one image, which does not say that it is the last.
//! let chain = Chain::walk(&file, 0);
//! assert_eq!(chain.images().len(), 1);
//! assert_eq!(chain.stop(), Stop::EndOfFile { offset: 512 });
//! ```

use std::iter::FusedIterator;

use crate::{Error, Image};

/// Why a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// An image said that it is the last.
    LastImage,
    /// The chain goes on where the file ends: normal for a shadow or a VFCT image, else a dump cut short.
    EndOfFile {
        /// Where the next image would begin; behind the end of the file if the image before it is cut.
        offset: usize,
    },
    /// An image claims no length, so no next one can be found.
    ZeroLength {
        /// Where that image begins.
        offset: usize,
    },
    /// The chain goes on, and what follows is not an image.
    NotAnImage(Error),
}

/// The images of a chain, one by one, without allocation.
#[derive(Debug, Clone)]
pub struct Images<'a> {
    file: &'a [u8],
    next: usize,
    stop: Option<Stop>,
}

impl<'a> Images<'a> {
    /// Begins a walk at `offset` of `file`.
    #[must_use]
    pub fn new(file: &'a [u8], offset: usize) -> Self {
        Self { file, next: offset, stop: None }
    }

    /// Why the walk has ended; `None` until [`Iterator::next`] has returned `None`.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }
}

impl<'a> Iterator for Images<'a> {
    type Item = Image<'a>;

    fn next(&mut self) -> Option<Image<'a>> {
        if self.stop.is_some() {
            return None;
        }
        if self.next >= self.file.len() {
            self.stop = Some(Stop::EndOfFile { offset: self.next });
            return None;
        }
        match Image::parse(self.file, self.next) {
            Ok(image) => {
                if image.length() == 0 {
                    self.stop = Some(Stop::ZeroLength { offset: self.next });
                } else if image.is_last() {
                    self.stop = Some(Stop::LastImage);
                }
                // An offset lies in the file, and a length has 25 bits: the sum fits.
                self.next += image.length();
                Some(image)
            }
            Err(error) => {
                self.stop = Some(Stop::NotAnImage(error));
                None
            }
        }
    }
}

impl FusedIterator for Images<'_> {}

/// A chain, walked to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain<'a> {
    offset: usize,
    images: Vec<Image<'a>>,
    stop: Stop,
}

impl<'a> Chain<'a> {
    /// Walks the chain that begins at `offset` of `file`. It has no images if none begins there.
    ///
    /// It holds a fixed number of bytes per image, and images do not overlap: at most half of the
    /// file's length, if the file is nothing but images of 512 bytes.
    #[must_use]
    pub fn walk(file: &'a [u8], offset: usize) -> Self {
        let mut walk = Images::new(file, offset);
        let mut images: Vec<_> = walk.by_ref().collect();
        images.shrink_to_fit();
        // The walk has ended, so it knows why.
        let stop = walk.stop().unwrap_or(Stop::EndOfFile { offset: walk.next });
        Self { offset, images, stop }
    }

    /// Where the chain begins in the file.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Where its last image ends, inside the file.
    #[must_use]
    pub fn end(&self) -> usize {
        self.images.last().map_or(self.offset, |image| image.offset() + image.bytes().len())
    }

    /// Its images, in the order of the file.
    #[must_use]
    pub fn images(&self) -> &[Image<'a>] {
        &self.images
    }

    /// Why the walk ended.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop
    }
}

#[cfg(test)]
mod tests;
