//! PE files made by hand: the smallest driver that is right in every field that firmware looks at.

/// What a PE file shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PeSpec {
    /// Where `PE\0\0` is.
    pub(crate) headers: usize,
    pub(crate) machine: u16,
    pub(crate) subsystem: u16,
    /// Bytes of its only section, `.text`.
    pub(crate) code: Vec<u8>,
    /// Bytes of its attribute certificate table; none if empty.
    pub(crate) signature: Vec<u8>,
}

impl PeSpec {
    /// A boot service driver for X64.
    pub(crate) fn driver() -> Self {
        Self {
            headers: 0x40,
            machine: 0x8664,
            subsystem: 0x0b,
            code: vec![0xc3; 0x20],
            signature: Vec::new(),
        }
    }

    /// Where the section table is.
    pub(crate) fn section_table(&self) -> usize {
        self.headers + 0x18 + 0x98
    }

    /// Where the code is, behind the headers.
    pub(crate) fn code_at(&self) -> usize {
        (self.section_table() + 40).next_multiple_of(0x20)
    }

    /// The bytes.
    pub(crate) fn build(&self) -> Vec<u8> {
        let code_at = self.code_at();
        let mut file = vec![0; code_at];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"MZ");
        put(0x3c, &(self.headers as u32).to_le_bytes());
        put(self.headers, b"PE\0\0");
        put(self.headers + 4, &self.machine.to_le_bytes());
        put(self.headers + 6, &1u16.to_le_bytes());
        // PE32+ with the first five data directories: up to the certificate table.
        put(self.headers + 20, &0x98u16.to_le_bytes());
        let optional = self.headers + 24;
        put(optional, &0x020bu16.to_le_bytes());
        put(optional + 0x44, &self.subsystem.to_le_bytes());
        let word = |value: usize| (value as u32).to_le_bytes();
        put(optional + 0x10, &word(0x1000));
        put(optional + 0x38, &word((0x1000 + self.code.len()).next_multiple_of(0x1000)));
        put(optional + 0x3c, &word(code_at));
        put(optional + 0x6c, &word(5));
        if !self.signature.is_empty() {
            put(optional + 0x90, &word(code_at + self.code.len()));
            put(optional + 0x94, &word(self.signature.len()));
        }
        let section = self.section_table();
        put(section, b".text");
        put(section + 8, &word(self.code.len()));
        put(section + 12, &word(0x1000));
        put(section + 16, &word(self.code.len()));
        put(section + 20, &word(code_at));
        file.extend(&self.code);
        file.extend(&self.signature);
        file
    }
}
