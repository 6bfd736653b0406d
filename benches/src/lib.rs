//! Benches of the workspace, with what users would use instead in the same run.
//!
//! `cargo bench -p benches` gives the details; `cargo run --release -p benches --bin ratios` measures
//! ours beside the peers, round by round in turn, and prints a table; `--bin rom_ratios` does so for option ROMs.
//!
//! Everything is measured on bytes that the project makes itself ([`host`]), and, where the folder
//! `shared` is at hand, on what real devices have ([`corpus`]). The [`work`] is the same in both.

pub mod code;
pub mod corpus;
pub mod decompressors;
pub mod firmware;
pub mod host;
pub mod image;
pub mod kinds;
pub mod process;
pub mod random;
pub mod report;
pub mod resets;
pub mod rounds;
pub mod seeds;
pub mod sysfs;
pub mod work;
