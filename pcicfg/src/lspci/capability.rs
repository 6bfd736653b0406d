//! The capability list.

use super::names::Naming;
use super::walk::{Step, Walk};
use super::{Subject, Text, extended};

const PCI_X: u8 = 0x07;
const PCI_EXPRESS: u8 = 0x10;

/// Writes the list that begins at the pointer at `pointer`, and the extended one if lspci would look
/// at it.
pub(super) fn write_list(
    text: &mut Text,
    subject: &Subject<'_>,
    pointer: usize,
    verbose: u8,
    naming: Naming<'_>,
) {
    let _ = (verbose, naming);
    let mut may_be_extended = false;
    let mut express = None;
    for step in Walk::new(subject, pointer) {
        text.str("\tCapabilities: ");
        match step {
            Step::Unreadable => text.str("<access denied>\n"),
            Step::Looped { at } => text.str("[").hex2(at as u8).str("] <chain looped>\n"),
            Step::Broken { at } => text.str("[").hex2(at as u8).str("] <chain broken>\n"),
            Step::Capability { at, id, flags } => {
                text.str("[").hex2(at as u8).str("] ");
                may_be_extended |= matches!(id, PCI_X | PCI_EXPRESS);
                if id == PCI_EXPRESS {
                    express = Some((flags >> 4 & 0xf) as u8);
                }
                text.end()
            }
        };
    }
    if may_be_extended {
        extended::write(text, subject, verbose, express);
    }
}
