//! Gets PCI devices back.
//!
//! When a virtual machine that owned a device stops, the host must reset the device before anyone
//! can use it again. This library explains what can reset it and what else is hit, saves state,
//! resets, waits, restores, **verifies**, and says plainly what is next.
//!
//! The way of the data is one line, each arrow a module that never reaches back:
//!
//! ```text
//! Machine ── Inventory ── Plan ── Reset ── Report
//! ```
#![deny(unsafe_code)]

pub mod capture;
pub mod describe;
pub mod error;
pub mod inventory;
pub mod json;
pub mod machine;
pub mod method;
pub mod modules;
pub mod pci_ids;
pub mod plan;
pub mod quirk;
pub mod report;
pub mod reset;
pub mod state;
mod toml_file;
pub mod vendor;

pub use error::{Error, Result};
pub use inventory::Inventory;
pub use machine::Machine;
pub use plan::{Plan, Request};
pub use report::Report;
