//! HyperTransport (08h), one table a capability type.
//!
//! What a write does is told for the interfaces and the mappings (HyperTransport I/O Link 3.10, chapter
//! 7); the other types are too rare for a public source.

use crate::capability::{
    HtAddressMapType, HtCapabilityType, HtErrorHandling, HtExtendedConfigurationAddress, HtFeature,
    HtHostCommand, HtHostFeature, HtLinkConfiguration, HtLinkControl, HtLinkFrequencyCapability,
    HtLinkFrequencyError, HtMsiMappingCommand, HtRetryControl, HtRetryStatus, HtSlaveCommand,
    HtSwitchCommand, HtSwitchInfo, HyperTransport,
};
use crate::registers::table::{
    FieldRow, Register, address, byte, coded, dword, flags, hex, named, number, word,
};
use crate::registers::{RegisterMap, Structure};

pub(super) fn place(map: &mut RegisterMap, structure: Structure, link: HyperTransport<'_>) {
    let table = match link.capability_type() {
        HtCapabilityType::SlavePrimary => SLAVE_PRIMARY,
        HtCapabilityType::HostSecondary => HOST_SECONDARY,
        HtCapabilityType::Switch => SWITCH,
        HtCapabilityType::InterruptDiscovery => INTERRUPT_DISCOVERY,
        HtCapabilityType::RevisionId => REVISION_ID,
        HtCapabilityType::UnitIdClumping => UNIT_ID_CLUMPING,
        HtCapabilityType::ExtendedConfiguration => EXTENDED_CONFIGURATION,
        HtCapabilityType::AddressMapping => return place_address_mapping(map, structure, link),
        HtCapabilityType::MsiMapping => {
            map.place(structure, MSI_MAPPING);
            let fixed = link.msi_mapping().is_none_or(|mapping| mapping.has_fixed_window());
            if fixed { &[] } else { MSI_MAPPING_ADDRESS }
        }
        HtCapabilityType::DirectRoute => DIRECT_ROUTE,
        HtCapabilityType::VcSet => VC_SET,
        HtCapabilityType::RetryMode => RETRY_MODE,
        _ => COMMAND,
    };
    map.place(structure, table);
}

/// The upper five bits of Command say what the capability is; of an interface the upper three do.
const TYPE: FieldRow = coded(
    "Capability Type",
    0x1f << 11,
    &[
        (0x08, "switch"),
        (0x10, "interrupt discovery and configuration"),
        (0x11, "revision ID"),
        (0x12, "UnitID clumping"),
        (0x13, "extended configuration space access"),
        (0x14, "address mapping"),
        (0x15, "MSI mapping"),
        (0x16, "DirectRoute"),
        (0x17, "VCSet"),
        (0x18, "retry mode"),
        (0x19, "x86"),
        (0x1a, "Gen3"),
        (0x1b, "function extension"),
        (0x1c, "power management"),
    ],
);
const INTERFACE: FieldRow =
    named("Capability Type", 7 << 13, &["slave or primary interface", "host or secondary interface"]);

/// Of a capability of which no more is known.
static COMMAND: &[Register] = &[word("Command", 2).fields(&[TYPE]).unknown()];

const WIDTHS: &[&str] = &["8 bits", "16 bits", "", "32 bits", "2 bits", "4 bits", "", "not connected"];

const fn link_control(name: &'static str, at: u16) -> Register {
    word(name, at)
        .flags(flags::<HtLinkControl>)
        .fields(const { &[hex("CRC Error", 0xf << 8)] })
        .rw(0xf0ce)
        .rw1c(0x0f10)
        .status(1 << 5)
}

const fn link_configuration(name: &'static str, at: u16) -> Register {
    word(name, at)
        .flags(flags::<HtLinkConfiguration>)
        .fields(
            const {
                &[
                    named("Max Link Width In", 7, WIDTHS),
                    named("Max Link Width Out", 7 << 4, WIDTHS),
                    named("Link Width In", 7 << 8, WIDTHS),
                    named("Link Width Out", 7 << 12, WIDTHS),
                ]
            },
        )
        .rw(0xff00)
}

const fn frequency(name: &'static str, at: u16) -> Register {
    byte(name, at)
        .flags(flags::<HtLinkFrequencyError>)
        .fields(
            const {
                &[coded(
                    "Link Frequency",
                    0xf,
                    &[
                        (0, "200 MHz"),
                        (1, "300 MHz"),
                        (2, "400 MHz"),
                        (3, "500 MHz"),
                        (4, "600 MHz"),
                        (5, "800 MHz"),
                        (6, "1000 MHz"),
                        (7, "1200 MHz"),
                        (8, "1400 MHz"),
                        (9, "1600 MHz"),
                        (15, "vendor-specific"),
                    ],
                )]
            },
        )
        .rw(0x0f)
        .rw1c(0xf0)
}

const fn frequency_capability(name: &'static str, at: u16) -> Register {
    word(name, at).flags(flags::<HtLinkFrequencyCapability>)
}

const fn revision(at: u16) -> Register {
    byte("Revision ID", at)
        .fields(const { &[number("Minor Revision", 0x1f), number("Major Revision", 0xe0)] })
}

const fn error_handling(at: u16) -> Register {
    word("Error Handling", at).flags(flags::<HtErrorHandling>).rw(0xfcff).rw1c(1 << 9).status(1 << 8)
}

static SLAVE_PRIMARY: &[Register] = &[
    word("Command", 0x02)
        .flags(flags::<HtSlaveCommand>)
        .fields(&[number("Base Unit ID", 0x1f), number("Unit Count", 0x03e0), INTERFACE])
        .rw(0x181f),
    link_control("Link Control 0", 0x04),
    link_configuration("Link Configuration 0", 0x06),
    link_control("Link Control 1", 0x08),
    link_configuration("Link Configuration 1", 0x0a),
    revision(0x0c),
    frequency("Link Frequency/Error 0", 0x0d),
    frequency_capability("Link Frequency Capability 0", 0x0e),
    byte("Feature Capability", 0x10).flags(flags::<HtFeature>),
    frequency("Link Frequency/Error 1", 0x11),
    frequency_capability("Link Frequency Capability 1", 0x12),
    word("Enumeration Scratchpad", 0x14).rw(0xffff),
    error_handling(0x16),
    byte("Memory Base Upper", 0x18).rw(0xff),
    byte("Memory Limit Upper", 0x19).rw(0xff),
    byte("Bus Number", 0x1a),
];

static HOST_SECONDARY: &[Register] = &[
    word("Command", 0x02)
        .flags(flags::<HtHostCommand>)
        .fields(&[number("Device Number", 0x7c), INTERFACE])
        .rw(0x157f)
        .rw1c(1 << 11),
    link_control("Link Control", 0x04),
    link_configuration("Link Configuration", 0x06),
    revision(0x08),
    frequency("Link Frequency/Error", 0x09),
    frequency_capability("Link Frequency Capability", 0x0a),
    word("Feature Capability", 0x0c).flags(flags::<HtHostFeature>).rw(1 << 9),
    word("Enumeration Scratchpad", 0x10).rw(0xffff),
    error_handling(0x12),
    byte("Memory Base Upper", 0x14).rw(0xff),
    byte("Memory Limit Upper", 0x15).rw(0xff),
];

static SWITCH: &[Register] = &[
    word("Command", 0x02).flags(flags::<HtSwitchCommand>).fields(&[TYPE]).unknown(),
    dword("Partition Mask", 0x04).unknown(),
    dword("Switch Info", 0x08)
        .flags(flags::<HtSwitchInfo>)
        .fields(&[
            number("Default Port", 0x1f),
            number("Performance Counter Index", 0x0f00),
            number("Base/Limit Range Index", 0x0003_f000),
        ])
        .unknown(),
    dword("Performance Counter Data", 0x0c).unknown(),
    dword("Base/Limit Range Data", 0x10).unknown(),
    dword("Secondary Base Data", 0x14).unknown(),
];

static INTERRUPT_DISCOVERY: &[Register] =
    &[byte("Index", 0x02).rw(0xff), byte("Capability Type", 0x03), dword("Data", 0x04).rw(!0).status(!0)];

static REVISION_ID: &[Register] = &[revision(0x02), byte("Capability Type", 0x03)];

static UNIT_ID_CLUMPING: &[Register] = &[
    word("Command", 0x02).fields(&[TYPE]).unknown(),
    dword("Clumping Support", 0x04),
    dword("Clumping Enable", 0x08).rw(!0),
];

static EXTENDED_CONFIGURATION: &[Register] = &[
    word("Command", 0x02).fields(&[TYPE]).unknown(),
    dword("Configuration Address", 0x04)
        .flags(flags::<HtExtendedConfigurationAddress>)
        .fields(&[
            address("Register", 0x0ffc, 0),
            number("Function", 0x7000),
            number("Device", 0x000f_8000),
            hex("Bus Number", 0x0ff0_0000),
        ])
        .rw(0x1fff_fffc),
    dword("Configuration Data", 0x08).rw(!0).status(!0),
];

static ADDRESS_MAPPING: &[Register] = &[word("Command", 0x02)
    .fields(&[
        number("Number of DMA Mappings", 0xf),
        number("I/O Size", 0x01f0),
        named("Map Type", 3 << 9, &["40 bits", "64 bits"]),
        TYPE,
    ])
    .unknown()];
static MAPPING_40: &[Register] = &[
    dword("Secondary Bus Non-Prefetchable Window", 0x04).unknown(),
    dword("Secondary Bus Prefetchable Window", 0x08).unknown(),
];
static MAPPING_64: &[Register] = &[
    dword("Index", 0x04).unknown(),
    dword("Data Lower", 0x08).unknown(),
    dword("Data Upper", 0x0c).unknown(),
];
static DMA_WINDOW: &[Register] = &[dword("First DMA Window Control and Base", 0x0c).unknown()];

fn place_address_mapping(map: &mut RegisterMap, structure: Structure, link: HyperTransport<'_>) {
    map.place(structure, ADDRESS_MAPPING);
    let Some(mapping) = link.address_mapping() else { return };
    match mapping.command().map_type() {
        HtAddressMapType::Bits40 => {
            map.place(structure, MAPPING_40);
            if mapping.command().number_of_dma_mappings() > 0 {
                map.place(structure, DMA_WINDOW);
            }
        }
        HtAddressMapType::Bits64 => map.place(structure, MAPPING_64),
        HtAddressMapType::Reserved(_) => {}
    }
}

static MSI_MAPPING: &[Register] =
    &[word("Command", 0x02).flags(flags::<HtMsiMappingCommand>).fields(&[TYPE]).rw(1)];
static MSI_MAPPING_ADDRESS: &[Register] = &[
    dword("MSI Mapping Address Lower", 0x04).fields(&[address("Address", 0xfff0_0000, 0)]).rw(0xfff0_0000),
    dword("MSI Mapping Address Upper", 0x08).rw(!0),
];

static DIRECT_ROUTE: &[Register] = &[
    word("Command", 0x02)
        .fields(&[number("Number of DirectRoute Spaces", 0xf), number("Index", 0x01f0), TYPE])
        .unknown(),
    dword("Enable Vector", 0x04).unknown(),
    dword("Data", 0x08).unknown(),
];

static VC_SET: &[Register] = &[
    word("Command", 0x02).fields(&[TYPE]).unknown(),
    byte("VCSets Supported", 0x04),
    byte("Link 1 VCSets Enabled", 0x05).unknown(),
    byte("Link 0 VCSets Enabled", 0x06).unknown(),
    byte("Stream Bucket Depth", 0x08).unknown(),
    byte("Stream Interval", 0x09).unknown(),
    byte("Number of Streaming VCs Supported", 0x0a),
    byte("Non-FC Bucket Depth", 0x0c).unknown(),
    byte("Non-FC Bucket Interval", 0x0d).unknown(),
];

const fn retry_control(name: &'static str, at: u16) -> Register {
    byte(name, at)
        .flags(flags::<HtRetryControl>)
        .fields(const { &[number("Allowed Attempts", 0xc0)] })
        .unknown()
}

const fn retry_status(name: &'static str, at: u16) -> Register {
    byte(name, at).flags(flags::<HtRetryStatus>).status(0xff).unknown()
}

static RETRY_MODE: &[Register] = &[
    word("Command", 0x02).fields(&[TYPE]).unknown(),
    retry_control("Control 0", 0x04),
    retry_status("Status 0", 0x05),
    retry_control("Control 1", 0x06),
    retry_status("Status 1", 0x07),
    word("Retry Count 0", 0x08).status(0xffff).unknown(),
    word("Retry Count 1", 0x0a).status(0xffff).unknown(),
];
