//! `lspci -x`, `-xxx` and `-xxxx` text, in and out.
//!
//! The reader is for what people have: a file made by `lspci -xxxx`, but also a mail that quotes
//! one, a forum copy with indentation, or an `nvidia-bug-report.log` with a dump somewhere inside.
//! What it cannot use it steps over, and where something was dropped it leaves a [`Warning`] with
//! line and column. Only a text from which nothing at all could be read is an error.
//!
//! ```
//! use pcicfg::dump::{Dump, Style};
//!
//! let mail = b"> 03:00.0 SATA controller [0106]: ASMedia [1b21:0612]\r\n\
//!              > \tKernel driver in use: vfio-pci\r\n\
//!              > 00: 21 1b 12 06 06 00 10 00 02 01 06 01 08 00 00 00\r\n";
//! let dump = Dump::parse(mail)?;
//! let function = dump.functions().next().unwrap();
//! assert_eq!(function.address().to_string(), "0000:03:00.0");
//! assert_eq!(function.description(), "SATA controller [0106]: ASMedia [1b21:0612]");
//! assert_eq!(function.config_space().header().vendor_id(), 0x1b21);
//! assert_eq!(function.present(), 16); // what the mail has; the rest of the header reads as ff
//!
//! let mut text = String::new();
//! dump.write(&mut text, Style::default())?;
//! assert!(text.starts_with("03:00.0 SATA controller"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is read
//! The grammar is that of `lspci -F` (pciutils, `lib/dump.c`):
//!
//! * A *slot line*, `[domain:]bus:device.function` and any text, begins a function.
//! * A *row*, `offset: byte byte ...`, belongs to the function above it. Rows come in any order and
//!   with any number of bytes; bytes that no row gives read as ff; a byte that is given twice has the
//!   later value.
//! * An empty line ends the function. All other lines mean nothing.
//!
//! Taken as well, where `lspci -F` gives up or loses a function without a word:
//!
//! | deviation | what happens |
//! |---|---|
//! | no newline at the end, lines over 254 bytes | read |
//! | quoting (`> 00: 86 80`, `\|`, `%`, `}`, `&gt;`, nested), a patch's `+`, indentation, tabs, no-break spaces, a byte order mark | read |
//! | `Slot:` or `Device:` before the slot (`lspci -vmm`) | read |
//! | domains of 7 and 8 digits | read |
//! | quoted-printable line ends (`=0A=`, `=20`, `=`) | read |
//! | rows after an empty line that go on where the function stopped (double-spaced text) | read |
//! | text after the bytes of a row | bytes kept, rest dropped, warning |
//! | offsets of 1000h and more | dropped, warning |
//! | rows after an empty line that do not go on, rows before the first slot line | dropped, warning |
//! | a device above 1f, a function above 7 | line and its rows dropped, warning |
//! | rows from offset 0 and nowhere a function with a slot line | a function at `0000:00:00.0`, warning |
//! | holes between rows | read as ff, warning |
//! | rows behind a prefix that is no quoting, such as a log's time | dropped, one warning |
//!
//! One difference is on purpose: a slot line without a single row makes no function here (there is
//! nothing to be seen of it, and logs often hold a plain `lspci` list before the dump); it leaves a
//! warning unless the same slot has bytes elsewhere. A slot that is dumped twice gives two functions,
//! as with lspci, and a warning.
//!
//! # Memory
//! A well-formed dump takes a third of its text. A hostile one cannot take more than about 50 times
//! its text plus 64 KiB: a row that would make a hole is dropped (with a warning) once the bytes
//! stored exceed 64 KiB plus 8 times the text read so far, and at most [`MAX_WARNINGS`] warnings
//! are kept. A text with more than [`MAX_FUNCTIONS`] functions is an error: what is built from a
//! function is far larger than the twenty bytes of text that make one.
//!
//! A text that need not stand in memory as a whole is read with [`Pieces`].

mod cut;
mod hex;
mod pieces;
mod read;
mod skim;
mod write;

use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, iter::FusedIterator, slice};

use crate::address::Address;
use crate::config_space::ConfigSpace;
use crate::defect::Defects;

pub use pieces::{Piece, Pieces};
pub use write::{Extent, Style, write_function, write_rows};

/// How many functions a text may have: as many as a PCI domain has room for, and more than any host has.
pub const MAX_FUNCTIONS: usize = 1 << 16;

/// How many warnings a [`Dump`] keeps; the others are only counted.
pub const MAX_WARNINGS: usize = 1000;

/// The functions that a text shows, in the text's order.
///
/// All configuration spaces stand in one buffer, all descriptions in another: reading 4,096
/// functions costs a handful of allocations.
#[derive(Clone, Debug, Default)]
pub struct Dump {
    bytes: Vec<u8>,
    descriptions: String,
    entries: Vec<Entry>,
    warnings: Vec<Warning>,
    warnings_omitted: usize,
}

/// Where a function's parts stand in the buffers of its [`Dump`].
#[derive(Clone, Copy, Debug)]
struct Entry {
    address: Address,
    line: u32,
    /// Bytes that the text gives, holes included.
    present: u16,
    /// Bytes that are stored.
    size: u16,
    start: usize,
    description: (usize, usize),
}

impl Dump {
    /// Reads a text; see [the module](self) for what is taken.
    ///
    /// # Errors
    /// [`DumpError`] if the text shows not one function, or more than [`MAX_FUNCTIONS`]: where the
    /// trouble begins, what it is, and what to do.
    pub fn parse(text: &[u8]) -> Result<Self, DumpError> {
        match read::parse(text, false) {
            (dump, None) => Ok(dump),
            (_, Some(error)) => Err(error),
        }
    }

    /// The functions, in the text's order.
    #[must_use]
    pub fn functions(&self) -> Functions<'_> {
        Functions { dump: self, entries: self.entries.iter() }
    }

    /// How many functions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no function; [`Dump::parse`] never returns such a dump, a [`Piece`] may have one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The function at `index` in the text's order.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<DumpedFunction<'_>> {
        self.entries.get(index).map(|entry| self.function(entry))
    }

    /// The first function at `address`.
    #[must_use]
    pub fn find(&self, address: Address) -> Option<DumpedFunction<'_>> {
        self.functions().find(|function| function.address == address)
    }

    /// What was dropped or assumed, in the text's order; the first [`MAX_WARNINGS`] of it.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// How many warnings there were beyond [`MAX_WARNINGS`].
    #[must_use]
    pub fn warnings_omitted(&self) -> usize {
        self.warnings_omitted
    }

    /// Writes all functions as lspci does: with their domains if `style` asks for it or any of them
    /// is not 0.
    ///
    /// With [`Extent::All`], the default, reading the text gives the same functions again.
    ///
    /// # Errors
    /// What `out` returns.
    pub fn write(&self, out: &mut impl fmt::Write, style: Style) -> fmt::Result {
        let domain = style.domain || self.entries.iter().any(|entry| entry.address.domain() != 0);
        for function in self.functions() {
            function.write(out, Style { domain, ..style })?;
        }
        Ok(())
    }

    fn function(&self, entry: &Entry) -> DumpedFunction<'_> {
        let bytes = self.bytes.get(entry.start..entry.start + usize::from(entry.size)).unwrap_or_default();
        let description = self.descriptions.get(entry.description.0..entry.description.1).unwrap_or_default();
        DumpedFunction {
            address: entry.address,
            description,
            line: entry.line,
            present: entry.present,
            // Entries always have 64 to 4096 bytes.
            space: ConfigSpace::new(bytes).unwrap_or(ALL_ONES),
        }
    }
}

const ALL_ONES: ConfigSpace<'static> = match ConfigSpace::new(&[0xff; 64]) {
    Ok(space) => space,
    Err(_) => panic!(),
};

impl<'a> IntoIterator for &'a Dump {
    type Item = DumpedFunction<'a>;
    type IntoIter = Functions<'a>;

    fn into_iter(self) -> Functions<'a> {
        self.functions()
    }
}

/// The functions of a [`Dump`], in the text's order; made by [`Dump::functions`].
#[derive(Clone, Debug)]
pub struct Functions<'a> {
    dump: &'a Dump,
    entries: slice::Iter<'a, Entry>,
}

impl<'a> Iterator for Functions<'a> {
    type Item = DumpedFunction<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.entries.next().map(|entry| self.dump.function(entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl DoubleEndedIterator for Functions<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.entries.next_back().map(|entry| self.dump.function(entry))
    }
}

impl ExactSizeIterator for Functions<'_> {}
impl FusedIterator for Functions<'_> {}

/// One function of a [`Dump`], borrowed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DumpedFunction<'a> {
    address: Address,
    description: &'a str,
    line: u32,
    present: u16,
    space: ConfigSpace<'a>,
}

impl<'a> DumpedFunction<'a> {
    /// The address in the slot line.
    #[must_use]
    pub const fn address(self) -> Address {
        self.address
    }

    /// What follows the address in the slot line: class and name, as lspci wrote them. What is not
    /// UTF-8 is replaced, and control characters are spaces: it is safe to print.
    #[must_use]
    pub const fn description(self) -> &'a str {
        self.description
    }

    /// The line that the function begins at, from 1.
    #[must_use]
    pub const fn line(self) -> u32 {
        self.line
    }

    /// How many bytes the text gives: one more than the highest offset in it, 1 to 4096. This is
    /// what lspci takes as the readable size.
    #[must_use]
    pub const fn present(self) -> usize {
        self.present as usize
    }

    /// The bytes: [`present`](Self::present) of them, holes filled with ff; if they are less than
    /// 64, then ff up to 64.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.space.bytes()
    }

    /// What is wrong with the function, of the bytes that are [`present`](Self::present).
    #[must_use]
    pub fn defects(self) -> Defects<'a> {
        Defects::of(self.bytes().get(..self.present()).unwrap_or_default())
    }

    /// The bytes as a configuration space of 64 to 4096 bytes.
    #[must_use]
    pub const fn config_space(self) -> ConfigSpace<'a> {
        self.space
    }

    /// Writes slot line, rows and an empty line; only bytes that are
    /// [`present`](Self::present).
    ///
    /// # Errors
    /// What `out` returns.
    pub fn write(self, out: &mut impl fmt::Write, style: Style) -> fmt::Result {
        let bytes = self.bytes();
        let present = bytes.get(..self.present()).unwrap_or(bytes);
        write_function(out, self.address, self.description, present, style)
    }
}

/// Something in a text that was dropped or assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct Warning {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in bytes.
    pub column: u32,
    /// What happened.
    pub kind: WarningKind,
}

/// What was dropped or assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WarningKind {
    /// A row goes on with something that is no byte.
    #[error("dropped what follows the bytes of the row: it is no two-digit byte")]
    TrailingText,
    /// A line begins as a row does, with no byte after it.
    #[error("dropped the row: no two-digit byte follows the offset")]
    NoByte,
    /// A row, or its end, is beyond the 4096 bytes of a configuration space.
    #[error("dropped the bytes from offset {offset:#x} on: a configuration space ends at 0xfff")]
    BeyondEnd {
        /// The offset of the first byte that was dropped.
        offset: u32,
    },
    /// Rows that no slot line or an empty line precedes; later ones of the same run are not reported.
    #[error("dropped rows that belong to no function: put the slot line right above them")]
    NoSlot,
    /// Rows from offset 0 in a text that has no function with a slot line.
    #[error("no slot line: took the rows as the function 0000:00:00.0")]
    AssumedAddress,
    /// A slot line whose numbers no function can have.
    #[error("dropped the function: devices end at 1f and functions at 7")]
    NoSuchFunction,
    /// A slot line without rows.
    #[error("dropped the function {address}: it has no hex rows (lspci needs -xxxx, and root for all bytes)")]
    NoRows {
        /// The address in the slot line.
        address: Address,
    },
    /// A slot that the text has before.
    #[error("the function {address} is there twice: line {first} has it first")]
    Repeated {
        /// The address in the slot line.
        address: Address,
        /// The line where it was first.
        first: u32,
    },
    /// Bytes within the function that no row gives. The position is that of the slot line.
    #[error("{missing} bytes are missing from offset {offset:#x} on and read as ff")]
    Hole {
        /// The offset of the first missing byte.
        offset: u16,
        /// How many are missing in all.
        missing: u16,
    },
    /// A row of sixteen bytes behind something that is no quoting; only the first is reported, others of the
    /// text are dropped as well.
    #[error(
        "dropped what looks like a dump behind a prefix, such as a log's time: take it off every line, with \
         `cut -c` and this column, or `sed 's/^.*kernel: //'`"
    )]
    Prefixed,
    /// A row that makes a hole in a text that has too many of them, see [the module](self#memory).
    #[error("dropped the row at {offset:#x}: too many holes for so little text")]
    TooSparse {
        /// The offset.
        offset: u16,
    },
}

/// Why a text shows not one function, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct DumpError {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in bytes.
    pub column: u32,
    /// What is wrong.
    pub kind: DumpErrorKind,
}

/// What is wrong with a text that shows not one function, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DumpErrorKind {
    /// No bytes, or only white space.
    #[error("the dump is empty: make one with `lspci -xxxx` as root")]
    Empty,
    /// A packed file.
    #[error("this is packed by {program}: unpack it first")]
    Compressed {
        /// What unpacks it.
        program: &'static str,
    },
    /// UTF-16, as some Windows shells write.
    #[error("this is UTF-16 text: convert it to UTF-8 first")]
    Utf16,
    /// A byte that no text has.
    #[error(
        "byte {byte:#04x}: this is no text; expected the output of `lspci -xxxx`, not raw configuration space"
    )]
    Binary {
        /// The byte.
        byte: u8,
    },
    /// The first of the slot lines, which all have no rows.
    #[error("the function {address} has no hex rows, nor has any other: use `lspci -xxxx` as root")]
    NoRows {
        /// The address in the slot line.
        address: Address,
    },
    /// Rows behind something that is no quoting.
    #[error(
        "this looks like a dump behind a prefix, such as a log's time: take it off every line, with \
         `cut -c` and this column, or `sed 's/^.*kernel: //'`"
    )]
    Prefixed,
    /// Rows, but none that a function begins with.
    #[error("these rows belong to no function: put a slot line such as `00:00.0 x` right above them")]
    NoSlot,
    /// A slot line whose numbers no function can have, and no other function.
    #[error("there is no such function: devices end at 1f and functions at 7")]
    NoSuchFunction,
    /// The first function beyond [`MAX_FUNCTIONS`].
    #[error("more than {MAX_FUNCTIONS} functions: no host has so many, split the text")]
    TooManyFunctions,
    /// Text, but neither a slot line nor a row.
    #[error(
        "no function found: expected lines such as `00:00.0 Host bridge` and `00: 86 80 c0 29`, the output of `lspci -xxxx`"
    )]
    NoFunction,
}
