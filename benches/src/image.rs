//! A configuration space of 4096 bytes, built capability by capability.

/// A configuration space in the making.
///
/// ```
/// use benches::image::Image;
/// use pcicfg::{ConfigSpace, capability::CapabilityId};
///
/// let mut image = Image::endpoint(0x1b36, 0x0010, 0x01_08_02);
/// image.capability(0x01, &[0x03, 0x00, 0x08, 0x00, 0x00, 0x00]);
/// let space = ConfigSpace::new(image.bytes())?;
/// assert_eq!(space.capabilities().next().unwrap()?.id(), CapabilityId::POWER_MANAGEMENT);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Image {
    bytes: Vec<u8>,
    /// Where the pointer to the next capability stands, and where that will begin.
    pointer: usize,
    free: usize,
    /// The last extended capability, and where the next will begin.
    last: Option<usize>,
    free_extended: usize,
}

impl Image {
    /// A function with a type 0 header and no capabilities.
    #[must_use]
    pub fn endpoint(vendor: u16, device: u16, class: u32) -> Self {
        let mut image =
            Self { bytes: vec![0; 4096], pointer: 0x34, free: 0x40, last: None, free_extended: 0x100 };
        image.put(0x00, &vendor.to_le_bytes());
        image.put(0x02, &device.to_le_bytes());
        // Memory space, bus master, INTx off.
        image.put(0x04, &[0x06, 0x04]);
        image.put(0x08, &(class << 8 | 1).to_le_bytes());
        image.put(0x0c, &[0x10]);
        image
    }

    /// A function with a type 1 header and no capabilities.
    #[must_use]
    pub fn bridge(vendor: u16, device: u16) -> Self {
        let mut image = Self::endpoint(vendor, device, 0x06_04_00);
        image.put(0x0e, &[0x01]);
        // I/O and prefetchable windows of 32 and 64 bits, memory.
        image.put(0x1c, &[0xf1, 0x01]);
        image.put(0x20, &[0x00, 0xf0, 0x10, 0xf0, 0x01, 0x00, 0x11, 0x00, 0x80, 0, 0, 0, 0x80, 0, 0, 0]);
        image.put(0x3e, &[0x03]);
        image
    }

    /// Writes `bytes` at `at`.
    pub fn put(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Says that the device has more than one function.
    pub fn multi_function(&mut self) -> &mut Self {
        self.bytes[0x0e] |= 0x80;
        self
    }

    /// Gives a bridge its bus numbers.
    pub fn buses(&mut self, primary: u8, secondary: u8, subordinate: u8) -> &mut Self {
        self.put(0x18, &[primary, secondary, subordinate])
    }

    /// Appends a capability; `body` is what follows id and pointer.
    ///
    /// # Panics
    /// When the first 256 bytes are full.
    pub fn capability(&mut self, id: u8, body: &[u8]) -> usize {
        let at = self.free;
        assert!(at + 2 + body.len() <= 0x100, "capability {id:#x} has no room");
        self.bytes[0x06] |= 0x10;
        self.bytes[self.pointer] = at as u8;
        self.put(at, &[id, 0]).put(at + 2, body);
        self.pointer = at + 1;
        self.free = (at + 2 + body.len()).next_multiple_of(8);
        at
    }

    /// Appends an extended capability; `body` is what follows its header.
    ///
    /// # Panics
    /// When the 4096 bytes are full.
    pub fn extended(&mut self, id: u16, version: u8, body: &[u8]) -> usize {
        let at = self.free_extended;
        self.put(at, &id.to_le_bytes()).put(at + 2, &[version & 0xf, 0]).put(at + 4, body);
        if let Some(last) = self.last.replace(at) {
            self.bytes[last + 2] |= (at as u8) << 4;
            self.bytes[last + 3] = (at >> 4) as u8;
        }
        self.free_extended = (at + 4 + body.len()).next_multiple_of(16);
        at
    }

    /// The bytes so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The finished bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
