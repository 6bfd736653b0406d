//! HyperTransport.

use super::{Body, Text, bits, index};

/// From this revision on, interfaces have the registers of HyperTransport 1.05.
const EXTENDED_REVISION: u8 = 0x22;
const WIDTH: [&str; 8] = ["8bit", "16bit", "[2]", "32bit", "2bit", "4bit", "[6]", "N/C"];
const FREQUENCY: [&str; 16] = [
    "200MHz", "300MHz", "400MHz", "500MHz", "600MHz", "800MHz", "1.0GHz", "1.2GHz", "1.4GHz", "1.6GHz",
    "[a]", "[b]", "[c]", "[d]", "[e]", "Vend",
];

pub(super) fn write(text: &mut Text, body: Body<'_, '_>) {
    let command = body.flags();
    match bits(command, 13, 3) {
        0 => return write_primary(text, body),
        1 => return write_secondary(text, body),
        _ => _ = text.str("HyperTransport: "),
    }
    match bits(command, 11, 5) {
        0x08 => _ = text.str("Switch\n"),
        0x10 => _ = text.str("Interrupt Discovery and Configuration\n"),
        0x11 => write_revision(text, command as u8),
        0x12 => _ = text.str("UnitID Clumping\n"),
        0x13 => _ = text.str("Extended Configuration Space Access\n"),
        0x14 => _ = text.str("Address Mapping\n"),
        0x15 => {
            text.str("MSI Mapping").flags(command, &[("Enable", 0), ("Fixed", 1)]).end();
            if body.details() && command & 2 == 0 && body.has(4, 8) {
                text.str("\t\tMapping Address Base: ").hex8(body.u32(8)).hex8(body.u32(4) & !0xf_ffff).end();
            }
        }
        0x16 => _ = text.str("DirectRoute\n"),
        0x17 => _ = text.str("VCSet\n"),
        0x18 => _ = text.str("Retry Mode\n"),
        0x19 => _ = text.str("X86 (reserved)\n"),
        other => _ = text.str("#").hex2(other as u8).end(),
    }
}

fn write_revision(text: &mut Text, revision: u8) {
    text.str("Revision ID: ")
        .dec((revision >> 5).into())
        .str(".")
        .dec_padded(2, (revision & 0x1f).into())
        .end();
}

fn write_doubts(text: &mut Text, revision: u8) {
    if (0x12..EXTENDED_REVISION).contains(&revision) {
        text.str("\t\t!!! Possibly incomplete decoding\n");
    }
}

/// A slave, or the primary interface of a bridge: it has two links.
fn write_primary(text: &mut Text, body: Body<'_, '_>) {
    text.str("HyperTransport: Slave or Primary Interface\n");
    if !body.details() || !body.has(4, 24) {
        return;
    }
    let (command, revision) = (body.flags(), body.u8(12));
    let extended = revision >= EXTENDED_REVISION;
    write_doubts(text, revision);
    text.str("\t\tCommand: BaseUnitID=").dec(bits(command, 0, 5).into());
    text.str(" UnitCnt=").dec(bits(command, 5, 5).into());
    text.flags(command, &[("MastHost", 10), ("DefDir", 11)]);
    if extended {
        text.flags(command, &[("DUL", 12)]);
    }
    text.end();
    for (link, at) in [(" 0", 4), (" 1", 8)] {
        write_link_control(text, link, body.u16(at), extended);
        write_link_config(text, link, body.u16(at + 2), extended);
    }
    write_revision(text.str("\t\t"), revision);
    if !extended {
        return;
    }
    write_frequency(text, " 0", body.u8(13), body.u8(14));
    write_features(text, body.u8(16).into());
    text.end();
    write_frequency(text, " 1", body.u8(17), body.u8(18));
    write_errors(text, body.u16(22));
    write_upper(text, body.u8(24), body.u8(25));
    text.str("\t\tBus Number: ").hex2(body.u8(26)).end();
}

/// A host, or the secondary interface of a bridge: it has one link.
fn write_secondary(text: &mut Text, body: Body<'_, '_>) {
    text.str("HyperTransport: Host or Secondary Interface\n");
    if !body.details() || !body.has(4, 20) {
        return;
    }
    let (command, revision) = (body.flags(), body.u8(8));
    let extended = revision >= EXTENDED_REVISION;
    write_doubts(text, revision);
    text.str("\t\tCommand:").flags(command, &[("WarmRst", 0), ("DblEnd", 1)]);
    if extended {
        text.str(" DevNum=").dec(bits(command, 2, 5).into());
        text.flags(
            command,
            &[("ChainSide", 7), ("HostHide", 8), ("Slave", 10), ("<EOCErr", 11), ("DUL", 12)],
        );
    }
    text.end();
    write_link_control(text, "", body.u16(4), extended);
    write_link_config(text, "", body.u16(6), extended);
    write_revision(text.str("\t\t"), revision);
    if !extended {
        return;
    }
    write_frequency(text, "", body.u8(9), body.u8(10));
    let features = u32::from(body.u16(12));
    write_features(text, features);
    text.flags(features, &[("ExtRS", 8), ("UCnfE", 9)]).end();
    if features & 1 << 8 != 0 {
        write_errors(text, body.u16(18));
        write_upper(text, body.u8(20), body.u8(21));
    }
}

fn write_link_control(text: &mut Text, link: &str, control: u16, extended: bool) {
    let control = u32::from(control);
    text.str("\t\tLink Control")
        .str(link)
        .str(":")
        .flags(
            control,
            &[("CFlE", 1), ("CST", 2), ("CFE", 3), ("<LkFail", 4), ("Init", 5), ("EOC", 6), ("TXO", 7)],
        )
        .str(" <CRCErr=")
        .hex(0, bits(control, 8, 4).into());
    if extended {
        text.flags(control, &[("IsocEn", 12), ("LSEn", 13), ("ExtCTL", 14), ("64b", 15)]);
    }
    text.end();
}

fn write_link_config(text: &mut Text, link: &str, config: u16, extended: bool) {
    let config = u32::from(config);
    text.str("\t\tLink Config").str(link).str(":");
    for (name, bit, flow_control) in [
        (" MLWI=", 0, "DwFcIn"),
        (" MLWO=", 4, "DwFcOut"),
        (" LWI=", 8, "DwFcInEn"),
        (" LWO=", 12, "DwFcOutEn"),
    ] {
        text.str(name).str(WIDTH[index(config, bit, 3)]);
        if extended {
            text.flags(config, &[(flow_control, bit as u8 + 3)]);
        }
    }
    text.end();
}

/// lspci reads only the low byte of the frequencies that are supported: those from 1.4 GHz on never
/// show.
fn write_frequency(text: &mut Text, link: &str, frequency: u8, supported: u8) {
    let frequency = u32::from(frequency);
    text.str("\t\tLink Frequency").str(link).str(": ").str(FREQUENCY[index(frequency, 0, 4)]).end();
    text.str("\t\tLink Error").str(link).str(":");
    text.flags(frequency, &[("<Prot", 4), ("<Ovfl", 5), ("<EOC", 6), ("CTLTm", 7)]).end();
    text.str("\t\tLink Frequency Capability").str(link).str(":");
    for (bit, name) in FREQUENCY.iter().enumerate().take(10) {
        text.flags(supported.into(), &[(*name, bit as u8)]);
    }
    text.str(" Vend-\n");
}

fn write_features(text: &mut Text, features: u32) {
    text.str("\t\tFeature Capability:").flags(
        features,
        &[("IsocFC", 0), ("LDTSTOP", 1), ("CRCTM", 2), ("ECTLT", 3), ("64bA", 4), ("UIDRD", 5)],
    );
}

fn write_errors(text: &mut Text, errors: u16) {
    text.str("\t\tError Handling:")
        .flags(
            errors.into(),
            &[
                ("PFlE", 0),
                ("OFlE", 1),
                ("PFE", 2),
                ("OFE", 3),
                ("EOCFE", 4),
                ("RFE", 5),
                ("CRCFE", 6),
                ("SERRFE", 7),
                ("CF", 8),
                ("RE", 9),
                ("PNFE", 10),
                ("ONFE", 11),
                ("EOCNFE", 12),
                ("RNFE", 13),
                ("CRCNFE", 14),
                ("SERRNFE", 15),
            ],
        )
        .end();
}

fn write_upper(text: &mut Text, base: u8, limit: u8) {
    text.str("\t\tPrefetchable memory behind bridge Upper: ").hex2(base).str("-").hex2(limit).end();
}
