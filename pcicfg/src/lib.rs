//! PCI configuration space, from untrusted bytes.
//!
//! The bytes come from devices that a hostile guest may have held, from broken hardware, or from a
//! mail: nothing here panics, loops for ever or trusts a pointer. Walks and views are zero-copy over a `&[u8]` and
//! allocate nothing; modules behind the feature `alloc` take memory in proportion to their input, or within a bound that
//! they name. Names are the PCI Express Base specification's own.
//!
//! ```
//! use pcicfg::{ConfigSpace, capability::Capability};
//!
//! // A function with one capability: Power Management at 40h.
//! let mut bytes = [0u8; 256];
//! bytes[0..4].copy_from_slice(&[0x36, 0x1b, 0x10, 0x00]); // vendor, device
//! bytes[0x06] = 0x10; // Status: Capabilities List
//! bytes[0x34] = 0x40; // Capabilities Pointer
//! bytes[0x40..0x48].copy_from_slice(&[0x01, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x00]);
//!
//! let space = ConfigSpace::new(&bytes)?;
//! assert_eq!(space.header().vendor_id(), 0x1b36);
//! let capability = space.capabilities().next().unwrap()?.decode().unwrap();
//! let Capability::PowerManagement(pm) = capability else { panic!() };
//! assert!(pm.control_status().no_soft_reset());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Features: `std` (default) implies `alloc`; `alloc` brings `dump`, the reader and writer of `lspci -x` text,
//! `lspci`, `registers` (every register by name, with its fields and who may write them), `diff`, and `edit`
//! (the least writes that set some fields); `serde` brings `tree`, a function as a typed document. Without
//! any the crate is `no_std` and needs no allocator.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod access;
pub mod address;
pub mod bar;
pub mod capability;
pub mod config_space;
pub mod defect;
#[cfg(feature = "alloc")]
pub mod diff;
#[cfg(feature = "alloc")]
pub mod dump;
#[cfg(feature = "alloc")]
pub mod edit;
pub mod extended;
pub mod header;
pub mod live;
#[cfg(feature = "alloc")]
pub mod lspci;
#[cfg(feature = "alloc")]
pub mod registers;
#[cfg(feature = "serde")]
pub mod tree;

/// Its examples are true.
#[cfg(all(doctest, feature = "alloc"))]
#[doc = include_str!("../README.md")]
pub struct Readme;

pub use access::{ConfigRead, ConfigWrite};
pub use address::{Address, ParseAddressError};
pub use config_space::{ConfigSpace, SizeError, Truncated};
pub use defect::{Defect, Defects};
#[cfg(feature = "alloc")]
pub use dump::Dump;
