//! What has its contents on the line of its name: the serial number, and what vendors define.

use super::{Body, cxl};
use crate::config_space::dword;
use crate::lspci::Text;

/// lspci names a serial number only with its bytes. Without them it does not even end the line.
pub(super) fn serial_number(text: &mut Text, body: Body<'_>) {
    let Some([_, _, _, _, number @ ..]) = body.registers::<0x0c>() else { return };
    text.str("Device Serial Number ");
    for (index, byte) in number.iter().rev().enumerate() {
        text.str(if index > 0 { "-" } else { "" }).hex2(*byte);
    }
    text.end();
}

/// The vendor-specific header.
#[derive(Clone, Copy)]
struct Header {
    /// Of the contents, in a vendor-specific one; of the vendor, in a designated one.
    id: u16,
    revision: u8,
    len: u16,
}

impl Header {
    const fn new(register: u32) -> Self {
        Self { id: register as u16, revision: (register >> 16) as u8 & 0xf, len: (register >> 20) as u16 }
    }
}

pub(super) fn vendor_specific(text: &mut Text, body: Body<'_>) {
    text.str("Vendor Specific Information: ");
    let Some(registers) = body.registers::<0x08>() else {
        text.str("<unreadable>\n");
        return;
    };
    let Header { id, revision, len } = Header::new(dword::<0x04, _>(registers));
    text.str("ID=").hex4(id).str(" Rev=").dec(revision.into()).str(" Len=").hex(3, len.into()).str(" <?>\n");
}

pub(super) fn designated(text: &mut Text, body: Body<'_>) {
    text.str("Designated Vendor-Specific: ");
    let Some(registers) = body.registers::<0x0c>() else {
        text.str("<unreadable>\n");
        return;
    };
    let Header { id: vendor, revision, len } = Header::new(dword::<0x04, _>(registers));
    let id = dword::<0x08, _>(registers) as u16;
    text.str("Vendor=").hex4(vendor).str(" ID=").hex4(id);
    text.str(" Rev=").dec(revision.into()).str(" Len=").dec(len.into());
    if vendor == cxl::VENDOR && len >= 16 {
        cxl::structure(text, body, id, revision, len);
    } else {
        text.str(" <?>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use alloc::format;

    #[test]
    fn serial_numbers() {
        let list = [0x0001_0003, 0xff05_0607, 0x0102_0304];
        assert_eq!(shown(&list), "\tCapabilities: [100 v1] Device Serial Number 01-02-03-04-ff-05-06-07\n");
        assert_eq!(shown(&list[..2]), "\tCapabilities: [100 v1] ");
    }

    #[test]
    fn vendor_specific_headers() {
        let name = "\tCapabilities: [100 v1] Vendor Specific Information: ";
        assert_eq!(shown(&[0x0001_000b, 0x0381_0002]), format!("{name}ID=0002 Rev=1 Len=038 <?>\n"));
        assert_eq!(shown(&[0x0001_000b]), format!("{name}<unreadable>\n"));
    }

    #[test]
    fn designated_headers() {
        let name = "\tCapabilities: [100 v1] Designated Vendor-Specific: ";
        let list = [0x0001_0023, 0x0182_8086, 0xffff_0005];
        assert_eq!(shown(&list), format!("{name}Vendor=8086 ID=0005 Rev=2 Len=24 <?>\n"));
        assert_eq!(shown(&list[..2]), format!("{name}<unreadable>\n"));
        let short = [0x0001_0023, 0x00f0_1e98, 0x0000_0000];
        assert_eq!(shown(&short), format!("{name}Vendor=1e98 ID=0000 Rev=0 Len=15 <?>\n"));
    }
}
