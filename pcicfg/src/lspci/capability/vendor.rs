//! Vendor specific capabilities: virtio's, Intel's, and all others by their length.

use super::{Body, Text, bits, index};

pub(super) fn write(text: &mut Text, body: Body<'_, '_>) {
    text.str("Vendor Specific Information: ");
    let known = match (body.subject.u16(0), body.subject.u16(2)) {
        (0x1af4, 0x1000..=0x107f) => write_virtio(text, body),
        (0x8086, _) => write_intel(text, body),
        _ => false,
    };
    if !known {
        text.str("Len=").hex2(body.flags as u8).str(" <?>\n");
    }
}

/// Whether it could be written: nothing was otherwise.
fn write_virtio(text: &mut Text, body: Body<'_, '_>) -> bool {
    let [length, kind] = body.flags.to_le_bytes();
    if length < 16 || !body.has(0, length.into()) {
        return false;
    }
    text.str("VirtIO: ").str(match kind {
        1 => "CommonCfg\n",
        2 => "Notify\n",
        3 => "ISR\n",
        4 => "DeviceCfg\n",
        8 => "SharedMemory\n",
        _ => "<unknown>\n",
    });
    if !body.details() {
        return true;
    }
    text.str("\t\tBAR=").dec(body.u8(4).into());
    let (offset, size) = (body.u32(8), body.u32(12));
    if kind == 8 {
        let wide = |low: u32, high: usize| u64::from(body.u32(high)) << 32 | u64::from(low);
        text.str(" offset=").hex16(wide(offset, 16)).str(" size=").hex16(wide(size, 20));
        text.str(" id=").dec(body.u8(5).into());
    } else {
        text.str(" offset=").hex8(offset).str(" size=").hex8(size);
    }
    if kind == 2 && length >= 20 {
        text.str(" multiplier=").hex8(body.u32(16));
    }
    text.end();
    true
}

/// Whether it could be written to its end.
fn write_intel(text: &mut Text, body: Body<'_, '_>) -> bool {
    let flags = body.flags();
    let (length, version) = (bits(flags, 0, 8), bits(flags, 8, 4));
    match bits(flags, 12, 4) {
        0 => _ = text.str("Intel Capabilities v").dec(version.into()).end(),
        1 => {
            text.str("Intel Feature Detection\n");
            return true;
        }
        _ => {
            text.str("Intel <unknown>\n");
            return true;
        }
    }
    // The layout of the other versions is not known.
    if version != 1 {
        return true;
    }
    if !body.has(0, length as usize) {
        return false;
    }
    if length >= 8 {
        write_intel_a(text, body.u32(4));
    }
    if length >= 12 {
        write_intel_b(text, body.u32(8));
    }
    if length >= 16 {
        write_intel_c(text, body.u32(12));
    }
    true
}

const CONTINUED: &str = "\n\t\t     ";

fn write_intel_a(text: &mut Text, word: u32) {
    text.str("\t\tCapA:")
        .flags(
            word,
            &[("Peg60Dis", 31), ("Peg12Dis", 30), ("Peg11Dis", 29), ("Peg10Dis", 28), ("PeLWUDis", 27)],
        )
        .str(if word & 1 << 26 != 0 { " DmiWidth=x2" } else { " DmiWidth=x4" })
        .str(CONTINUED)
        .flags(
            word,
            &[("EccDis", 25), ("ForceEccEn", 24), ("VTdDis", 23), ("DmiG2Dis", 22), ("PegG2Dis", 21)],
        )
        .str(" DDRMaxSize=")
        .str(["Unlimited", "8GB/chan", "2GB/chan", "0.5GB/chan"][index(word, 19, 2)])
        .str(CONTINUED)
        .flags(
            word,
            &[("1NDis", 17), ("CDDis", 15), ("DDPCDis", 14), ("X2APICEn", 13), ("PDCDis", 12), ("IGDis", 11)],
        )
        .str(" CDID=")
        .dec(bits(word, 8, 2).into())
        .str(" CRID=")
        .dec(bits(word, 4, 4).into())
        .str(CONTINUED)
        .flags(word, &[("DDROCCAP", 3), ("OCEn", 2), ("DDRWrtVrefEn", 1), ("DDR3LEn", 0)])
        .end();
}

fn write_intel_b(text: &mut Text, word: u32) {
    text.str("\t\tCapB:")
        .flags(word, &[("ImguDis", 31), ("OCbySSKUCap", 30), ("OCbySSKUEn", 29), ("SMTCap", 28)])
        .str(" CacheSzCap 0x")
        .hex(0, bits(word, 25, 3).into())
        .str(CONTINUED)
        .flags(word, &[("SoftBinCap", 24)])
        .str(" DDR3MaxFreqWithRef100=");
    match bits(word, 21, 3) {
        0 => text.str("Disabled"),
        7 => text.str("Unlimited"),
        frequency => text.dec((6 + u64::from(frequency)) * 200).str("MHz"),
    };
    text.flags(word, &[("PegG3Dis", 20)])
        .str(CONTINUED)
        .flags(
            word,
            &[
                ("PkgTyp", 19),
                ("AddGfxEn", 18),
                ("AddGfxCap", 17),
                ("PegX16Dis", 16),
                ("DmiG3Dis", 15),
                ("GmmDis", 8),
            ],
        )
        .str(CONTINUED)
        .str(" DDR3MaxFreq=")
        .dec((11 - u64::from(bits(word, 4, 2))) * 2666 / 10)
        .str("MHz")
        .flags(word, &[("LPDDR3En", 2)])
        .end();
}

fn write_intel_c(text: &mut Text, word: u32) {
    // lspci takes the number from the lowest bits whatever limit it prints.
    let limit = |text: &mut Text, bit| match bits(word, bit, 4) {
        0 => _ = text.str("Unlimited"),
        _ => _ = text.dec(u64::from(bits(word, 0, 4)) * 2666 / 10).str("MHz"),
    };
    text.str("\t\tCapC:").flags(word, &[("PegG4Dis", 28)]).str(" DDR4MaxFreq=");
    limit(text, 23);
    text.flags(word, &[("LPDDREn", 22)]).str(" LPDDR4MaxFreq=");
    limit(text, 17);
    text.flags(word, &[("LPDDR4En", 16)])
        .str(CONTINUED)
        .flags(word, &[("QClkGvDis", 14), ("SgxDis", 9)])
        .str(" BClkOC=")
        .str(["Disabled", "115MHz", "130MHz", "Unlimited"][index(word, 7, 2)])
        .flags(word, &[("IddDis", 6), ("Pipe3Dis", 5)])
        .str(" Gear1MaxFreq=");
    limit(text, 0);
    text.end();
}
