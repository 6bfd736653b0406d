//! Tests that need more than one crate or more than this machine.
//!
//! `guest/` holds the scenarios of the guest lab (`cargo xtask guest` runs them), and the `lab-tool` program is what
//! they measure with: it shares no code with what is tested.
