//! Two programs in machine code that do one thing: print a line to QEMU's debug port, by themselves.
//!
//! They are as small as they are so that nothing but the ROM around them can be the reason why they do not run.

/// QEMU's debug port.
const PORT: u16 = 0x402;

/// An EFI boot service driver for X64 that prints `line` and returns.
///
/// It has a relocation section, because firmware loads it where it likes, and none of it needs relocation. It is larger
/// than 4 KiB: OVMF does not read a ROM from a BAR that is smaller than a page.
pub(super) fn efi_driver(line: &str) -> Vec<u8> {
    const TEXT: usize = 0x1000;
    let [low, high] = PORT.to_le_bytes();
    let mut code = Vec::new();
    code.push(0x56); // push rsi, which the caller keeps
    code.extend([0x48, 0x8d, 0x35, 16, 0, 0, 0]); // lea rsi, [rip + 16]: the line
    code.extend([0x66, 0xba, low, high]); // mov dx, PORT
    code.extend([0xac, 0x84, 0xc0, 0x74, 3, 0xee, 0xeb, 0xf8]); // lodsb; test al, al; jz +3; out dx, al; jmp back
    code.extend([0x31, 0xc0, 0x5e, 0xc3]); // xor eax, eax (EFI_SUCCESS); pop rsi; ret
    code.extend(line.bytes());
    code.extend([b'\n', 0]);
    code.resize(TEXT, 0);

    let mut file = vec![0; 0x200];
    put(&mut file, 0, b"MZ");
    put(&mut file, 0x3c, &[0x40]);
    put(&mut file, 0x40, b"PE\0\0");
    // COFF header: X64, two sections, an optional header of F0h bytes, executable and large address aware.
    put(&mut file, 0x44, &[0x64, 0x86, 2, 0]);
    put(&mut file, 0x54, &[0xf0, 0, 0x22, 0]);
    // Optional header, PE32+.
    let optional = 0x58;
    put(&mut file, optional, &[0x0b, 0x02]);
    for (offset, value) in [
        (0x04, TEXT as u32),    // size of code
        (0x10, 0x1000),         // entry point
        (0x14, 0x1000),         // base of code
        (0x20, 0x1000),         // section alignment
        (0x24, 0x200),          // file alignment
        (0x38, 0x3000),         // size of the image
        (0x3c, 0x200),          // size of the headers
        (0x44, 0x0b),           // subsystem: EFI boot service driver
        (0x6c, 16),             // data directories
        (0x70 + 5 * 8, 0x2000), // base relocations: place
        (0x74 + 5 * 8, 12),     // and length
    ] {
        put(&mut file, optional + offset, &u32::to_le_bytes(value));
    }
    section(&mut file, 0x148, b".text", [0x1000, 0x1000, TEXT as u32, 0x200], 0x6000_0020);
    section(&mut file, 0x170, b".reloc", [0x200, 0x2000, 0x200, 0x1200], 0x4200_0040);
    file.extend(code);
    // One block of relocations for the page at 1000h, with two entries that are padding.
    file.extend([0, 0x10, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0]);
    file.resize(0x1400, 0);
    file
}

/// A section header: virtual size and address, size and place in the file.
fn section(file: &mut [u8], at: usize, name: &[u8], places: [u32; 4], characteristics: u32) {
    put(file, at, name);
    for (index, value) in places.into_iter().enumerate() {
        put(file, at + 8 + 4 * index, &value.to_le_bytes());
    }
    put(file, at + 0x24, &characteristics.to_le_bytes());
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A PC-AT image from before PCI that prints `line` and returns: header and code, without checksum.
pub(super) fn legacy_image(line: &str) -> Vec<u8> {
    const ENTRY: u8 = 0x1c;
    let [low, high] = PORT.to_le_bytes();
    let mut image = vec![0x55, 0xaa, 1, 0xe9, ENTRY - 6, 0]; // jmp ENTRY
    image.resize(ENTRY.into(), 0);
    // pusha; mov dx, PORT; mov si, the line; cs lodsb; test al, al; jz +3; out dx, al; jmp back; popa; xor ax, ax; retf
    image.extend([0x60, 0xba, low, high, 0xbe, ENTRY + 20, 0]);
    image.extend([0x2e, 0xac, 0x84, 0xc0, 0x74, 3, 0xee, 0xeb, 0xf7]);
    image.extend([0x61, 0x31, 0xc0, 0xcb]);
    image.extend(line.bytes());
    image.extend([b'\n', 0]);
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_finds_its_line() {
        let driver = efi_driver("HELLO");
        // Behind the first instruction and `lea`, whose displacement counts from its own end.
        let behind_lea = 0x200 + 8;
        assert_eq!(&driver[behind_lea + 16..][..6], b"HELLO\n");
        let image = legacy_image("HELLO");
        let at = usize::from(image[0x21]);
        assert_eq!(&image[at..at + 6], b"HELLO\n");
        assert!(image.len() <= 512);
    }
}
