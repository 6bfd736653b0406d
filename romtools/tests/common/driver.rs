//! The least PE file that firmware loads: the headers of an EFI driver for X64, without sections.

/// Its bytes; code may follow.
pub(crate) fn driver() -> Vec<u8> {
    let mut file = vec![0; 0x200];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 0x40;
    file[0x40..0x46].copy_from_slice(b"PE\0\0\x64\x86");
    file[0x58..0x5a].copy_from_slice(&[0x0b, 0x02]);
    // Where it begins to run, its size in memory, and that of its headers.
    file[0x69] = 0x10;
    file[0x91] = 0x20;
    file[0x95] = 0x02;
    file[0x9c] = 0x0b;
    file
}
