//! PCI option ROMs: what is in a file, and is it whole.
//!
//! An option ROM is a *chain* of images, each a multiple of 512 bytes. An image opens with a
//! header (`55 AA`), which points at a data structure (`PCIR`) with the ids, the length, the kind
//! of code and a bit that says "I am the last one". Files rarely hold just that: dumps of a whole
//! flash chip put a container in front and copies behind, dumps of a shadow stop too early, and
//! ROMs from before PCI have no data structure at all. [`Rom`] finds all of it; nothing here
//! panics, copies the image or trusts a length.
#![forbid(unsafe_code)]

mod bytes;
pub mod chain;
pub mod check;
pub mod checksum;
mod error;
pub mod header;
pub mod image;
pub mod nvidia;
pub mod pcir;
pub mod rom;
#[cfg(test)]
mod testing;

pub use chain::{Chain, Images, Stop};
pub use check::{Finding, Problem, Severity};
pub use error::{Error, Result};
pub use header::Header;
pub use image::{Image, Signature};
pub use nvidia::Npde;
pub use pcir::{CodeType, DataStructure};
pub use rom::{LegacyImage, Rom};
