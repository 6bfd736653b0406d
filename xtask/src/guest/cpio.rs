//! A writer for the `newc` cpio format, the one the kernel unpacks as an initramfs.
//!
//! Only what an initramfs needs: folders, regular files and symbolic links. Owner, times and inode numbers are
//! constant, so that the same input gives the same bytes.

/// An archive under construction; [`Archive::finish`] gives its bytes.
///
/// Two finished archives may be put one after the other: the kernel unpacks both, and what the second holds wins.
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

const FOLDER: u32 = 0o040_755;
const LINK: u32 = 0o120_777;
const FILE: u32 = 0o100_644;
const PROGRAM: u32 = 0o100_755;

impl Archive {
    /// An archive without entries.
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::new(), entries: 0 }
    }

    /// Adds a folder. Its parent has to be there already (in this archive or an earlier one).
    pub(crate) fn folder(&mut self, path: &str) {
        self.entry(path, FOLDER, &[]);
    }

    /// Adds a file with the given content.
    pub(crate) fn file(&mut self, path: &str, content: &[u8]) {
        self.entry(path, FILE, content);
    }

    /// Adds a file that may be executed.
    pub(crate) fn program(&mut self, path: &str, content: &[u8]) {
        self.entry(path, PROGRAM, content);
    }

    /// Adds a symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.entry(path, LINK, target.as_bytes());
    }

    /// Closes the archive and returns its bytes, padded so that another archive may follow.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        while !self.bytes.len().is_multiple_of(512) {
            self.bytes.push(0);
        }
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        let path = path.trim_start_matches('/');
        self.entries += 1;
        let links = if mode == FOLDER { 2 } else { 1 };
        // magic, ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
        let fields =
            [self.entries, mode, 0, 0, links, 0, content.len() as u32, 0, 0, 0, 0, path.len() as u32 + 1, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of a header field, counted from 0 after the magic.
    fn field(bytes: &[u8], at: usize, number: usize) -> u32 {
        let start = at + 6 + number * 8;
        u32::from_str_radix(std::str::from_utf8(&bytes[start..start + 8]).unwrap(), 16).unwrap()
    }

    #[test]
    fn header_and_content_are_padded_to_four_bytes() {
        let mut archive = Archive::new();
        archive.program("/init", b"hello");
        let bytes = archive.finish();
        assert_eq!(&bytes[..6], b"070701");
        assert_eq!(field(&bytes, 0, 1), PROGRAM);
        assert_eq!(field(&bytes, 0, 6), 5, "file size");
        assert_eq!(field(&bytes, 0, 11), 5, "name size with its NUL");
        assert_eq!(&bytes[110..115], b"init\0");
        assert_eq!(&bytes[116..121], b"hello");
        assert_eq!(&bytes[124..130], b"070701", "the trailer follows at a multiple of four");
        assert_eq!(bytes.len() % 512, 0);
    }

    #[test]
    fn a_link_holds_its_target() {
        let mut archive = Archive::new();
        archive.folder("bin");
        archive.link("bin/sh", "busybox");
        let text = archive.finish();
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("bin/sh\0"));
        assert!(text.contains("busybox"));
    }
}
