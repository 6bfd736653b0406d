//! Everything that is odd about an ATOM BIOS.

use super::{AtomBios, MasterTable, NotAtom, Problem};

/// Reports what is odd, each with its place in the image; nothing for an image of another vendor.
///
/// `pcir` is the place of the PCI Data Structure by the ROM header. The image must be whole.
pub(crate) fn check(image: &[u8], pcir: u16, mut report: impl FnMut(usize, Problem)) {
    let atom = match AtomBios::parse(image) {
        Ok(atom) => atom,
        Err(NotAtom::NoMagic) => return,
        Err(NotAtom::NoHeader { pointer }) => {
            return report(super::HEADER_POINTER, Problem::NoHeader { pointer });
        }
    };
    let header = atom.header();
    let at = usize::from(header.offset);
    if header.is_byte_swapped {
        report(at, Problem::ByteSwapped);
    }
    if header.generation().is_none() {
        report(at, Problem::UnknownRevision { revision: header.format_revision });
    }
    if header.pci_info_offset != pcir {
        report(at, Problem::PciInfo { atom: header.pci_info_offset, rom: pcir });
    }
    for (which, master) in [("data", atom.data_tables()), ("command", atom.command_tables())] {
        if let Some((offset, problem)) = master_table(which, &master) {
            report(if offset == 0 { at } else { offset }, problem);
        }
    }
}

fn master_table(which: &'static str, master: &MasterTable<'_>) -> Option<(usize, Problem)> {
    let MasterTable { offset, header, .. } = *master;
    if header.is_none() {
        // Of no place in the image.
        return Some((0, Problem::NoMasterTable { which, offset }));
    }
    // Data tables may claim more bytes than there are: the power tables of Renoir and Cezanne do.
    let mut outside = master.tables().filter(|table| table.header.is_none());
    let first = outside.next()?.index;
    Some((offset.into(), Problem::TablesOutside { which, count: 1 + outside.count(), first }))
}
