//! Vendor Specific capabilities whose vendor has told what is in them: virtio, and Intel's feature words.

use crate::capability::{
    IntelCapabilitiesA, IntelCapabilitiesB, IntelCapabilitiesC, VendorSpecific, Virtio, VirtioStructure,
};
use crate::registers::table::{Register, byte, bytes, coded, dword, flags, number};
use crate::registers::{RegisterMap, Structure, Value};

static VENDOR_SPECIFIC: &[Register] = &[byte("Vendor Specific Length", 2)];

pub(super) fn place(map: &mut RegisterMap, structure: Structure, vendor: VendorSpecific<'_>) {
    map.place(structure, VENDOR_SPECIFIC);
    map.vendor_bytes(structure, u16::from(vendor.length()));
    if let Some(virtio) = vendor.virtio() {
        place_virtio(map, structure, virtio);
    }
    if let Some(intel) = vendor.intel() {
        map.place(structure, INTEL);
        for (exists, table) in [
            (intel.capabilities_a().is_some(), INTEL_A),
            (intel.capabilities_b().is_some(), INTEL_B),
            (intel.capabilities_c().is_some(), INTEL_C),
        ] {
            if exists {
                map.place(structure, table);
            }
        }
    }
}

const fn cfg_type() -> Register {
    byte("virtio cfg_type", 0x03).fields(
        const {
            &[coded(
                "Structure",
                0xff,
                &[
                    (1, "common configuration"),
                    (2, "notifications"),
                    (3, "ISR status"),
                    (4, "device-specific configuration"),
                    (5, "PCI configuration access"),
                    (8, "shared memory region"),
                    (9, "vendor-specific data"),
                ],
            )]
        },
    )
}

static VIRTIO: &[Register] = &[
    cfg_type(),
    byte("virtio bar", 0x04),
    byte("virtio id", 0x05),
    dword("virtio offset", 0x08),
    dword("virtio length", 0x0c),
];
/// Of a window the driver writes where it is.
static VIRTIO_WINDOW: &[Register] = &[
    cfg_type(),
    byte("virtio bar", 0x04).rw(0xff),
    byte("virtio id", 0x05),
    dword("virtio offset", 0x08).rw(!0),
    dword("virtio length", 0x0c).rw(!0),
    dword("virtio pci_cfg_data", 0x10).rw(!0).status(!0),
];
static NOTIFY: &[Register] = &[dword("virtio notify_off_multiplier", 0x10)];
static SHARED_MEMORY: &[Register] = &[dword("virtio offset_hi", 0x10), dword("virtio length_hi", 0x14)];

fn place_virtio(map: &mut RegisterMap, structure: Structure, virtio: Virtio<'_>) {
    match virtio.structure() {
        VirtioStructure::PciAccess => return map.place(structure, VIRTIO_WINDOW),
        VirtioStructure::Notify if virtio.notify_off_multiplier().is_some() => map.place(structure, NOTIFY),
        VirtioStructure::SharedMemory if virtio.structure_length_high().is_some() => {
            map.place(structure, SHARED_MEMORY);
        }
        _ => {}
    }
    map.place(structure, VIRTIO);
}

static INTEL: &[Register] = &[byte("Intel Capability Version and Type", 0x03).fields(&[
    number("Version", 0xf),
    coded("Type", 0xf0, &[(0, "capabilities"), (1, "feature detection")]),
])];
static INTEL_A: &[Register] = &[dword("CAPID0_A", 0x04).flags(flags::<IntelCapabilitiesA>).fields(&[
    number("Compatibility Revision ID", 0xf << 4),
    number("Compatibility Device ID", 3 << 8),
    bytes("DDR Maximum Size per Channel", 3 << 19, |code| match code {
        0 => Value::Name("no limit"),
        _ => Value::Bytes(512 << (20 + 2 * (3 - code))),
    }),
])];
static INTEL_B: &[Register] = &[dword("CAPID0_B", 0x08).flags(flags::<IntelCapabilitiesB>).fields(&[
    number("DDR3 Maximum Frequency Code", 7 << 4),
    number("DDR3 Maximum Frequency Code with 100 MHz Reference", 7 << 21),
    number("Cache Size Capability", 7 << 25),
])];
static INTEL_C: &[Register] = &[dword("CAPID0_C", 0x0c).flags(flags::<IntelCapabilitiesC>).fields(&[
    number("Gear 1 Maximum Frequency Code", 0xf),
    coded("BCLK Overclocking", 3 << 7, &[(0, "none"), (1, "115 MHz"), (2, "130 MHz"), (3, "no limit")]),
    number("LPDDR4 Maximum Frequency Code", 0xf << 17),
    number("DDR4 Maximum Frequency Code", 0xf << 23),
])];
