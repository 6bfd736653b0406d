//! The tables: every register of every structure, one file a family.
//!
//! A row is `dword("Name", offset)` with what its bits are: `flags` from the register's type, `fields` of
//! several bits, and what a write does (`rw`, `rw1c`, …). Access is the specification's; where no public
//! source tells it, the row says `unknown`.

pub(super) mod capability;
mod conventional;
mod cxl;
mod errors;
mod express;
pub(super) mod extended;
mod flit;
mod functions;
pub(super) mod header;
mod hyper_transport;
mod ide;
mod links;
mod power;
mod root_complex;
mod vendor;
mod virtual_channel;
mod virtualization;
