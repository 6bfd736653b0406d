//! The text of `lspci`, byte for byte.
//!
//! What [`write_function`] prints for a function is what lspci of pciutils 3.14 prints for the same
//! bytes: with its words, its order, its blanks, and its rules for what can be read. It can be
//! checked against lspci and pasted into any forum. Where lspci gives up with an internal error, it goes
//! on: what cannot be read is all ones.
//!
//! ```
//! use pcicfg::{Address, lspci::{NoNames, Options, Subject, Text, write_function}};
//!
//! let mut bytes = [0u8; 64];
//! bytes[0..12].copy_from_slice(&[0x21, 0x1b, 0x12, 0x06, 6, 0, 0x10, 0, 2, 1, 6, 1]);
//! let subject = Subject::new("03:00.0".parse::<Address>()?, &bytes);
//! let mut text = Text::new();
//! write_function(&mut text, &subject, &Options::numeric(), &NoNames);
//! assert_eq!(text.to_str(), "03:00.0 0106: 1b21:0612 (rev 02)\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What lspci leaves out can be had in addition ([`Options::more`]), in lines that no one takes for its own:
//! ```
//! # use pcicfg::{Address, lspci::{NoNames, Options, Subject, Text, write_function}};
//! # let mut bytes = [0u8; 4096];
//! # bytes[..12].copy_from_slice(&[0x21, 0x1b, 0x12, 0x06, 6, 0, 0x10, 0, 2, 1, 6, 1]);
//! # bytes[0x34] = 0x40;
//! # bytes[0x40..0x44].copy_from_slice(&[0x10, 0, 2, 0]);
//! bytes[0x100..0x10c].copy_from_slice(&[0x22, 0, 1, 0, 0x64, 0x08, 0, 0x80, 0x0a, 0x04, 0, 0]);
//! # let subject = Subject::new("03:00.0".parse::<Address>()?, &bytes);
//! # let mut text = Text::new();
//! write_function(&mut text, &subject, &Options::numeric().verbose(2).more(true), &NoNames);
//! assert!(text.to_str().ends_with(
//!     "\tCapabilities: [100 v1] Readiness Time Reporting <?>\n\
//!      \t\t+ Readiness Time Reporting 1: Reset Time 104.8576 ms, DL_Up Time 0 ns, Valid+\n\
//!      \t\t+ Readiness Time Reporting 2: FLR Time 10.24 us, D3hot to D0 Time 0 ns\n\n"
//! ));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # lspci's rules are not ours
//! The walks of [`ConfigSpace`](crate::ConfigSpace) are guarded as the kernel's are. lspci follows
//! pointers into the header, decodes what it finds there, and looks at the extended list only if a PCI
//! Express or PCI-X capability was in the other list. So nothing here uses those walks.
//!
//! Every walk ends: a list's positions are marked, and no position is visited twice.

mod bars;
mod bridge;
mod capability;
mod cardbus;
mod extended;
mod filter;
mod header;
mod hex;
mod machine;
mod more;
mod names;
mod subject;
mod terse;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod walk;

pub use filter::{Filter, FilterError};
pub use names::{Names, NoNames};
pub use subject::{Identity, Resource, RestrictedLink, Subject, System};
pub use text::Text;
pub use tree::{Paths, Topology};

use names::Naming;

/// What is printed of each function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How many `-v` there are; more than 3 are as 3.
    pub verbose: u8,
    /// How ids are printed.
    pub identifiers: Identifiers,
    /// How many `-x` there are: 1 the header, 3 the first 256 bytes, 4 all.
    pub hex: u8,
    /// Print addresses with their domains.
    pub domain: bool,
    /// How many `-P` there are: 1 prints the bridges above a function before its device and function number, 2
    /// its bus number, too.
    pub path: u8,
    /// How many `-m` there are: text for programs.
    pub machine: u8,
    /// Print what the cards see, not the kernel: `-b`. Only a header that is not known shows it here; the rest is
    /// what [`System`] is left without.
    pub bus_centric: bool,
    /// Print the kernel's driver and modules even without `-v`.
    pub kernel: bool,
    /// Add what lspci leaves out, in lines that begin with `+ ` behind their tabs; with two `-v` or more.
    pub more: bool,
}

impl Options {
    /// One line for each function, with numbers only: `lspci -n`.
    #[must_use]
    pub fn numeric() -> Self {
        Self { identifiers: Identifiers::Numbers, ..Self::default() }
    }

    /// The same with this many `-v`.
    #[must_use]
    pub fn verbose(self, verbose: u8) -> Self {
        Self { verbose, ..self }
    }

    /// The same with what lspci leaves out.
    #[must_use]
    pub fn more(self, more: bool) -> Self {
        Self { more, ..self }
    }

    /// The same with this many `-x`.
    #[must_use]
    pub fn hex(self, hex: u8) -> Self {
        Self { hex, ..self }
    }
}

/// How ids are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identifiers {
    /// Names only, numbers for what has none.
    #[default]
    Names,
    /// Numbers only: `-n`.
    Numbers,
    /// Names and numbers: `-nn`.
    Both,
}

/// Writes a function as lspci does, the empty line after it included.
pub fn write_function(text: &mut Text, subject: &Subject<'_>, options: &Options, names: &dyn Names) {
    let naming = Naming { identifiers: options.identifiers, names };
    let start = text.len();
    if options.machine > 0 {
        machine::write(text, subject, options, naming);
    } else {
        terse::write(text, subject, options, naming);
        if options.verbose > 0 {
            header::write(text, subject, options, naming);
        }
        if options.kernel || options.verbose > 0 {
            terse::write_kernel(text, subject);
        }
    }
    if options.hex > 0 {
        hex::write(text, subject, options.hex);
    }
    if options.verbose > 0 || options.hex > 0 {
        text.end();
    }
    if options.more && options.verbose > 1 && options.machine == 0 {
        more::add(text, start, subject);
    }
}
