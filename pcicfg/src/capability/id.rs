//! The ids of the capability list, and their names.

/// A capability's id (PCI Code and ID Assignment, "Capability IDs").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CapabilityId(pub u8);

macro_rules! ids {
    ($($name:ident = $id:literal $text:literal;)*) => {
        impl CapabilityId {
            $(
                #[doc = concat!($text, ".")]
                pub const $name: Self = Self($id);
            )*

            /// The specification's name; `None` for an id that it does not know.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                Some(match self.0 {
                    $($id => $text,)*
                    _ => return None,
                })
            }
        }
    };
}

ids! {
    NULL = 0x00 "Null Capability";
    POWER_MANAGEMENT = 0x01 "PCI Power Management Interface";
    AGP = 0x02 "AGP";
    VITAL_PRODUCT_DATA = 0x03 "VPD";
    SLOT_IDENTIFICATION = 0x04 "Slot Identification";
    MSI = 0x05 "Message Signaled Interrupts (MSI)";
    COMPACT_PCI_HOT_SWAP = 0x06 "CompactPCI Hot Swap";
    PCI_X = 0x07 "PCI-X";
    HYPER_TRANSPORT = 0x08 "HyperTransport";
    VENDOR_SPECIFIC = 0x09 "Vendor Specific";
    DEBUG_PORT = 0x0a "Debug port";
    COMPACT_PCI_RESOURCE_CONTROL = 0x0b "CompactPCI central resource control";
    HOT_PLUG = 0x0c "PCI Hot-Plug";
    BRIDGE_SUBSYSTEM_VENDOR_ID = 0x0d "PCI Bridge Subsystem Vendor ID";
    AGP_8X = 0x0e "AGP 8x";
    SECURE_DEVICE = 0x0f "Secure Device";
    PCI_EXPRESS = 0x10 "PCI Express";
    MSI_X = 0x11 "MSI-X";
    SATA = 0x12 "Serial ATA Data/Index Configuration";
    ADVANCED_FEATURES = 0x13 "Advanced Features (AF)";
    ENHANCED_ALLOCATION = 0x14 "Enhanced Allocation";
    FLATTENING_PORTAL_BRIDGE = 0x15 "Flattening Portal Bridge";
}
