//! CXL's structures in designated vendor-specific capabilities.

use super::flags::{Flags, Write, bits};
use super::{Body, unreadable};
use crate::capability::registers::word_at;
use crate::config_space::{dword, word};
use crate::lspci::Text;

/// The vendor id of the CXL consortium.
pub(super) const VENDOR: u16 = 0x1e98;

/// Ends the line, and writes what the structure holds.
pub(super) fn structure(text: &mut Text, body: Body<'_>, id: u16, revision: u8, len: u16) {
    text.str(": CXL\n");
    if body.verbose < 2 || !body.reaches(len.into()) {
        return;
    }
    match id {
        0 => device(text.str("\t\tPCIe DVSEC for CXL Devices\n"), body, revision, len),
        2 => function_map(text.str("\t\tNon-CXL Function Map DVSEC\n"), body),
        3 => port(text.str("\t\tCXL Extensions DVSEC for Ports\n"), body, len),
        4 => flush_port(text.str("\t\tGPF DVSEC for CXL Ports\n"), body),
        5 => flush_device(text.str("\t\tGPF DVSEC for CXL Devices\n"), body),
        7 => flex_bus(text.str("\t\tPCIe DVSEC for Flex Bus Port\n"), body, revision, len),
        8 => register_locator(text.str("\t\tRegister Locator DVSEC\n"), body, len),
        9 => multi_logical_device(text.str("\t\tMLD DVSEC\n"), body),
        0xa => _ = text.str("\t\tPCIe DVSEC for Test Capability <?>\n"),
        _ => _ = text.str("\t\tUnknown ID ").hex4(id).end(),
    }
}

static DEVICE_CAPABILITY: Flags<4> =
    Flags::new("\t\tCXLCap:\tCache~ IO~ Mem~ MemHWInit~ HDMCount ", [0, 1, 2, 3]);
static DEVICE_CONTROL: Flags<3> = Flags::new("\t\tCXLCtl:\tCache~ IO~ Mem~ CacheSFCov ", [0, 1, 2]);
static DEVICE_CLEAN: Flags<2> = Flags::new(" CacheClean~ Viral~\n", [11, 14]);
static VIRAL: Flags<1> = Flags::new(" Viral~\n", [14]);
static DEVICE_STATUS: Flags<1> = Flags::new("\t\tCXLSta:\tViral~\n", [14]);
// lspci has bit numbers where it needs masks: it looks at bits 0 and 1 for the third flag, and at 0
// and 2 for what revision 2 adds.
static DEVICE_CONTROL_2: Flags<4> = Flags::of_masks(
    "\t\tCXLCtl2:\tDisableCaching~ InitCacheWB&Inval~ InitRst~ RstMemClrEn~",
    [0x1, 0x2, 0x3, 0x4],
);
static DEVICE_HOT_RESET: Flags<1> = Flags::of_masks(" DesiredVolatileHDMStateAfterHotReset~", [0x5]);
static DEVICE_STATUS_2: Flags<3> =
    Flags::new("\t\tCXLSta2:\tResetComplete~ ResetError~ PMComplete~\n", [1, 2, 15]);
// The same here: bits 0 and 1 for the third, bit 2 for the fourth.
static DEVICE_CAPABILITY_3: Flags<4> = Flags::of_masks(
    "\t\tCXLCap3:\tDefaultVolatile HDM State After:\
     \tColdReset~ WarmReset~ HotReset~ HotResetConfigurability~\n",
    [0x1, 0x2, 0x3, 0x4],
);

/// How long the structure is from revision 1 on, and from 2.
const DEVICE_LEN: u16 = 0x38;
const DEVICE_LEN_2: u16 = 0x3c;

fn device(text: &mut Text, body: Body<'_>, revision: u8, len: u16) {
    // Revision 0 is CXL 1.1, which lspci leaves alone.
    if revision == 0 {
        return;
    }
    if len >= DEVICE_LEN
        && let Some(registers) = body.registers::<{ DEVICE_LEN as usize }>()
    {
        let capability = u32::from(word::<0x0a, _>(registers));
        text.signs(&DEVICE_CAPABILITY, capability).dec(bits(capability, 4, 2).into());
        text.signs(&VIRAL, capability);
        let control = u32::from(word::<0x0c, _>(registers));
        text.signs(&DEVICE_CONTROL, control).dec(bits(control, 3, 5).into());
        text.str(" CacheSFGran ").dec(bits(control, 8, 3).into()).signs(&DEVICE_CLEAN, control);
        text.signs(&DEVICE_STATUS, word::<0x0e, _>(registers));
        let control_2 = word::<0x10, _>(registers);
        text.signs(&DEVICE_CONTROL_2, control_2);
        if revision >= 2 {
            text.signs(&DEVICE_HOT_RESET, control_2);
        }
        text.end().signs(&DEVICE_STATUS_2, word::<0x12, _>(registers));
        cache_size(text, word::<0x16, _>(registers));
        for (at, number) in [(0x18, 1), (0x28, 2)] {
            if let Some(registers) = body.block::<16>(at) {
                range(text, registers, number);
            }
        }
    }
    if revision >= 2
        && len >= DEVICE_LEN_2
        && let Some(registers) = body.registers::<{ DEVICE_LEN_2 as usize }>()
    {
        text.signs(&DEVICE_CAPABILITY_3, word::<0x38, _>(registers));
    }
    if len > DEVICE_LEN_2 {
        text.str("\t\t<?>\n");
    }
}

fn cache_size(text: &mut Text, capability: u16) {
    let (unit, count) = (u32::from(capability & 0xf), u32::from(capability >> 8));
    text.str("\t\tCXLCap2:\t");
    match unit {
        0 => text.str("Cache Size Not Reported"),
        1 => text.str("Cache Size: ").hex8(count << 16),
        2 => text.str("Cache Size: ").hex8(count << 20),
        _ => {
            text.str("Cache Size: ").dec(count.into());
            text.str(" of unknown unit size (").dec(unit.into()).str(")")
        }
    };
    text.end();
}

static RANGE: Flags<2> = Flags::new("\t\t\tValid~ Active~ Type=", [0, 1]);

/// A memory range that the device decodes. lspci reads beyond its tables for a type, class or
/// interleaving without a name; they are shown as codes.
fn range(text: &mut Text, registers: &[u8; 16], number: u64) {
    let [size_high, size_low] = [dword::<0, _>(registers), dword::<4, _>(registers)];
    let [base_high, base_low] = [dword::<8, _>(registers), dword::<12, _>(registers)];
    let size = u64::from(size_high) << 32 | u64::from(size_low & 0xf000_0000);
    let base = u64::from(base_high) << 32 | u64::from(base_low);
    text.str("\t\tRange").dec(number).str(": ").hex16(base).str("-");
    text.hex16(base.wrapping_add(size).wrapping_sub(1)).str(" [size=0x").hex(1, size).str("]\n");
    text.signs(&RANGE, size_low).named(&["Volatile", "Non-volatile", "CDAT"], bits(size_low, 2, 3));
    text.str(" Class=").named(&["DRAM", "Storage", "CDAT"], bits(size_low, 5, 3));
    let interleavings = ["0", "256", "4096", "512", "1024", "2048", "8192", "16384"];
    text.str(" interleave=").named(&interleavings, bits(size_low, 8, 5));
    text.str(" timeout=").dec(1 << (2 * bits(size_low, 13, 3))).str("s\n");
}

// lspci has the register's offset, ah, where it needs a mask.
static PORT_STATUS: Flags<1> = Flags::of_masks("\t\tCXLPortSta:\tPMComplete~\n", [0xa]);
static PORT_CONTROL: Flags<5> = Flags::new(
    "\t\tCXLPortCtl:\tUnmaskSBR~ UnmaskLinkDisable~ AltMem~ AltBME~ ViralEnable~\n",
    [0, 1, 2, 3, 14],
);

fn port(text: &mut Text, body: Body<'_>, len: u16) {
    let Some(registers) = body.registers::<0x28>().filter(|_| len >= 0x28) else { return };
    text.signs(&PORT_STATUS, word::<0x0a, _>(registers));
    text.signs(&PORT_CONTROL, word::<0x0c, _>(registers));
    text.str("\t\tAlternateBus:\t").hex2(registers[0x0e]).str("-").hex2(registers[0x0f]).end();
    // The second is memory, and lspci calls it a bus.
    text.str("\t\tAlternateBus:\t").hex4(word::<0x10, _>(registers));
    text.str("-").hex4(word::<0x12, _>(registers)).end();
}

fn register_locator(text: &mut Text, body: Body<'_>, len: u16) {
    let Some(blocks) = body.bytes.get(0x0c..len.into()) else { return };
    for (registers, number) in blocks.as_chunks::<8>().0.iter().zip(1..) {
        let (low, high) = (dword::<0, _>(registers), dword::<4, _>(registers));
        let name = match bits(low, 8, 8) {
            0 => continue,
            1 => "component registers",
            2 => "BAR virtualization",
            3 => "CXL device registers",
            4 => "CPMU registers",
            0xff => "vendor-specific",
            _ => "<?>",
        };
        text.str("\t\tBlock").dec(number).str(": BIR: bar").dec(bits(low, 0, 3).into());
        text.str(", ID: ").str(name).str(", offset: ").hex8(high).hex8(low & 0xffff_0000).end();
    }
}

fn flush_device(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x10>() else { return };
    flush_time(text, "\t\tGPF Phase 2 Duration: ", word::<0x0a, _>(registers));
    text.str("\t\tGPF Phase 2 Power: ").dec(dword::<0x0c, _>(registers).into()).str("mW\n");
}

fn flush_port(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x10>() else { return };
    flush_time(text, "\t\tGPF Phase 1 Timeout: ", word::<0x0c, _>(registers));
    flush_time(text, "\t\tGPF Phase 2 Timeout: ", word::<0x0e, _>(registers));
}

/// A time of the Global Persistent Flush: four bits, and a power of ten from a microsecond up.
fn flush_time(text: &mut Text, name: &str, register: u16) {
    let (base, scale) = (u64::from(register & 0xf), u64::from(register >> 8 & 0xf));
    if scale > 7 {
        text.str("\t\tReserved time scale encoding ").hex(1, scale).end();
    }
    let (factor, unit) = match scale {
        0 => (1, "us\n"),
        1 => (10, "us\n"),
        2 => (100, "us\n"),
        3 => (1, "ms\n"),
        4 => (10, "ms\n"),
        5 => (100, "ms\n"),
        6 => (1, "s\n"),
        7 => (10, "s\n"),
        _ => (1, "<?>\n"),
    };
    text.str(name).dec(base * factor).str(unit);
}

static BUS_CAPABILITY: Flags<5> =
    Flags::new("\t\tFBCap:\tCache~ IO~ Mem~ 68BFlit~ MltLogDev~", [0, 1, 2, 5, 6]);
static BUS_CONTROL: Flags<10> = Flags::new(
    "\n\t\tFBCtl:\tCache~ IO~ Mem~ SynHdrByp~ DrftBuf~ 68BFlit~ MltLogDev~ RCD~ Retimer1~ Retimer2~",
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
);
static BUS_STATUS: Flags<7> = Flags::new(
    "\n\t\tFBSta:\tCache~ IO~ Mem~ SynHdrByp~ DrftBuf~ 68BFlit~ MltLogDev~",
    [0, 1, 2, 3, 4, 5, 6],
);
/// In each of the three, from revision 2 on.
static BUS_FLITS: Flags<2> = Flags::new(" 256BFlit~ PBRFlit~", [13, 14]);
static BUS_CAPABILITY_2: Flags<1> = Flags::new("\t\tFBCap2:\tNOPHint~\n", [0]);
static BUS_CONTROL_2: Flags<1> = Flags::new("\t\tFBCtl2:\tNOPHint~\n", [0]);

/// The structure's length says little here: registers are read where the revision has them, beyond
/// the length if need be. lspci gives up on the whole dump at the first that cannot be read, unless it read
/// the bytes for another capability before.
fn flex_bus(text: &mut Text, body: Body<'_>, revision: u8, len: u16) {
    let expected = [0x10, 0x14, 0x20].get(usize::from(revision));
    if expected.is_some_and(|&expected| len != expected) {
        text.str("\t\t<Wrong length for Revision ").dec(revision.into()).str(">\n");
    }
    let Some(registers) = body.registers::<0x0c>() else { return };
    signs_and_flits(text, &BUS_CAPABILITY, word::<0x0a, _>(registers), revision);
    let Some(registers) = body.registers::<0x10>() else {
        text.end();
        return unreadable(text);
    };
    signs_and_flits(text, &BUS_CONTROL, word::<0x0c, _>(registers), revision);
    signs_and_flits(text, &BUS_STATUS, word::<0x0e, _>(registers), revision);
    text.end();
    if revision >= 1 {
        let Some(registers) = body.registers::<0x14>() else { return unreadable(text) };
        let data = bits(dword::<0x10, _>(registers), 0, 24);
        text.str("\t\tFBModTS:\tReceived FB Data: ").hex(6, data.into()).end();
    }
    if revision >= 2 {
        let Some(registers) = body.registers::<0x18>() else { return unreadable(text) };
        text.signs(&BUS_CAPABILITY_2, dword::<0x14, _>(registers));
        let Some(registers) = body.registers::<0x1c>() else { return unreadable(text) };
        text.signs(&BUS_CONTROL_2, dword::<0x18, _>(registers));
        let Some(registers) = body.registers::<0x20>() else { return unreadable(text) };
        let hint = bits(dword::<0x1c, _>(registers), 0, 2);
        text.str("\t\tFBSta2:\tNOPHintInfo: ").hex(1, hint.into()).end();
    }
    if len > 0x20 {
        text.str("\t\t<?>\n");
    }
}

fn signs_and_flits<const N: usize>(text: &mut Text, flags: &Flags<N>, register: u16, revision: u8) {
    text.signs(flags, register);
    if revision > 1 {
        text.signs(&BUS_FLITS, register);
    }
}

fn multi_logical_device(text: &mut Text, body: Body<'_>) {
    // More than 16 is reserved.
    if let Some(count @ 1..=16) = word_at(body.bytes, 0x0a) {
        text.str("\t\tNumLogDevs: ").dec(count.into()).end();
    }
}

/// Eight registers whatever the structure's length, of which lspci shows the lower halves. As with
/// the Flex Bus, it gives up where the length is short.
fn function_map(text: &mut Text, body: Body<'_>) {
    for index in 0..8 {
        let Some(register) = word_at(body.bytes, 0x0c + 4 * index) else { return unreadable(text) };
        text.str("\t\tFuncMap ").dec(index.into()).str(": ").hex8(register.into()).end();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::VENDOR;
    use alloc::format;
    use alloc::string::String;
    use alloc::string::ToString;
    use alloc::vec;

    /// What is shown of a structure with this id, revision and length, from its tenth byte on: the
    /// words before the first dword's upper half are the header's.
    fn structure(id: u32, revision: u32, len: u32, words: &[u32]) -> String {
        let mut list = vec![0x0001_0023, VENDOR as u32 | revision << 16 | len << 20];
        list.push(id | words.first().copied().unwrap_or(0) << 16);
        list.extend(words.get(1..).unwrap_or_default());
        let text = shown(&list);
        let (first, fields) = text.split_once('\n').expect("a line for the name");
        assert_eq!(
            first,
            format!(
                "\tCapabilities: [100 v1] Designated Vendor-Specific: \
                 Vendor=1e98 ID={id:04x} Rev={revision} Len={len}: CXL"
            )
        );
        fields.to_string()
    }

    const DEVICE: [u32; 13] = [
        0x402d,
        0x4001_0d25,
        0x8002_0007,
        0x0402_0000,
        0,
        0x4000_2105,
        1,
        0x8000_0000,
        2,
        0x1000_ff4b,
        0,
        0,
        3,
    ];

    #[test]
    fn devices() {
        let title = "\t\tPCIe DVSEC for CXL Devices\n";
        assert_eq!(structure(0, 0, 0x38, &DEVICE), title, "CXL 1.1");
        assert_eq!(structure(0, 1, 0x37, &DEVICE), title);
        let before = "\t\tCXLCap:\tCache+ IO- Mem+ MemHWInit+ HDMCount 2 Viral+\n\
            \t\tCXLCtl:\tCache+ IO- Mem+ CacheSFCov 4 CacheSFGran 5 CacheClean+ Viral-\n\
            \t\tCXLSta:\tViral+\n\
            \t\tCXLCtl2:\tDisableCaching+ InitCacheWB&Inval+ InitRst+ RstMemClrEn+";
        let after = "\n\t\tCXLSta2:\tResetComplete+ ResetError- PMComplete+\n\
            \t\tCXLCap2:\tCache Size: 00400000\n\
            \t\tRange1: 0000000180000000-00000001bfffffff [size=0x40000000]\n\
            \t\t\tValid+ Active- Type=Non-volatile Class=DRAM interleave=256 timeout=4s\n";
        let second = "\t\tRange2: 0000000000000000-000000020fffffff [size=0x210000000]\n\
            \t\t\tValid+ Active+ Type=CDAT Class=CDAT interleave=??31 timeout=16384s\n";
        assert_eq!(structure(0, 1, 0x38, &DEVICE), [title, before, after, second].concat());
        let hot_reset = " DesiredVolatileHDMStateAfterHotReset+";
        let third = "\t\tCXLCap3:\tDefaultVolatile HDM State After:\tColdReset+ WarmReset+ HotReset+ \
            HotResetConfigurability-\n";
        let all = [title, before, hot_reset, after, second, third].concat();
        assert_eq!(structure(0, 2, 0x3c, &DEVICE), all);
        assert_eq!(structure(0, 2, 0x3d, &DEVICE), "", "longer than what can be read");
        let more = [&DEVICE[..], &[0]].concat();
        assert_eq!(structure(0, 3, 0x40, &more), all + "\t\t<?>\n");
    }

    #[test]
    fn cache_sizes() {
        for (register, line) in [
            (0x0700, "Cache Size Not Reported"),
            (0xff01, "Cache Size: 00ff0000"),
            (0xff02, "Cache Size: 0ff00000"),
            (0x1103, "Cache Size: 17 of unknown unit size (3)"),
        ] {
            let mut device = DEVICE;
            device[3] = register << 16;
            let text = structure(0, 1, 0x38, &device);
            assert!(text.contains(&format!("\t\tCXLCap2:\t{line}\n")), "{text}");
        }
    }

    /// lspci reads beyond its tables here, and prints whatever it finds there, or dies.
    #[test]
    fn range_codes_without_a_name() {
        let mut device = DEVICE;
        device[5] = 0x0000_08fc;
        let text = structure(0, 1, 0x38, &device);
        assert!(text.contains("Type=??7 Class=??7 interleave=??8 timeout=1s\n"), "{text}");
        assert!(text.contains("Range1: 0000000180000000-000000017fffffff [size=0x0]\n"), "{text}");
    }

    #[test]
    fn function_maps_go_beyond_a_short_length() {
        let map = [0, 0xffff_0001, 2, 3, 4, 5, 6, 7, 0x8000_0008];
        let lines: String = (0..8).map(|index| format!("\t\tFuncMap {index}: {:08x}\n", index + 1)).collect();
        let title = "\t\tNon-CXL Function Map DVSEC\n";
        assert_eq!(structure(2, 0, 0x2c, &map), format!("{title}{lines}"));
        assert_eq!(structure(2, 0, 0x10, &map), format!("{title}{lines}"));
        assert_eq!(
            structure(2, 0, 0x10, &map[..3]),
            format!("{title}\t\tFuncMap 0: 00000001\n\t\tFuncMap 1: 00000002\n\t\t<unreadable>\n")
        );
    }

    #[test]
    fn ports() {
        let words = [0x0001, 0x2010_4005, 0xfff0_d000, 0, 0, 0, 0, 0];
        assert_eq!(
            structure(3, 0, 0x28, &words),
            "\t\tCXL Extensions DVSEC for Ports\n\
             \t\tCXLPortSta:\tPMComplete-\n\
             \t\tCXLPortCtl:\tUnmaskSBR+ UnmaskLinkDisable- AltMem+ AltBME- ViralEnable+\n\
             \t\tAlternateBus:\t10-20\n\
             \t\tAlternateBus:\td000-fff0\n"
        );
        assert_eq!(structure(3, 0, 0x27, &words), "\t\tCXL Extensions DVSEC for Ports\n");
    }

    #[test]
    fn flush_times() {
        assert_eq!(
            structure(4, 0, 0x10, &[0, 0x0703_020f]),
            "\t\tGPF DVSEC for CXL Ports\n\
             \t\tGPF Phase 1 Timeout: 1500us\n\
             \t\tGPF Phase 2 Timeout: 30s\n"
        );
        assert_eq!(
            structure(5, 0, 0x10, &[0x0304, 5000]),
            "\t\tGPF DVSEC for CXL Devices\n\
             \t\tGPF Phase 2 Duration: 4ms\n\
             \t\tGPF Phase 2 Power: 5000mW\n"
        );
        assert_eq!(
            structure(5, 0, 0x10, &[0x0a04, 0]),
            "\t\tGPF DVSEC for CXL Devices\n\
             \t\tReserved time scale encoding a\n\
             \t\tGPF Phase 2 Duration: 4<?>\n\
             \t\tGPF Phase 2 Power: 0mW\n"
        );
    }

    #[test]
    fn flex_bus_by_revision() {
        let words = [0x2045, 0x4027_0281, 0x0012_3456, 1, 0, 0x0000_0003, 0];
        let title = "\t\tPCIe DVSEC for Flex Bus Port\n";
        let first = "\t\tFBCap:\tCache+ IO- Mem+ 68BFlit- MltLogDev+\n\
            \t\tFBCtl:\tCache+ IO- Mem- SynHdrByp- DrftBuf- 68BFlit- MltLogDev- RCD+ Retimer1- Retimer2+\n\
            \t\tFBSta:\tCache+ IO+ Mem+ SynHdrByp- DrftBuf- 68BFlit+ MltLogDev-\n";
        let second = "\t\tFBModTS:\tReceived FB Data: 123456\n";
        let third = "\t\tFBCap2:\tNOPHint+\n\t\tFBCtl2:\tNOPHint-\n\t\tFBSta2:\tNOPHintInfo: 3\n";
        assert_eq!(structure(7, 0, 0x10, &words), format!("{title}{first}"));
        assert_eq!(structure(7, 1, 0x14, &words[..3]), format!("{title}{first}{second}"));
        let wrong = |revision| format!("\t\t<Wrong length for Revision {revision}>\n");
        assert_eq!(structure(7, 0, 0x14, &words), format!("{title}{}{first}", wrong(0)));
        let flits = first
            .replace("MltLogDev+\n", "MltLogDev+ 256BFlit+ PBRFlit-\n")
            .replace("Retimer2+\n", "Retimer2+ 256BFlit- PBRFlit-\n")
            .replace("MltLogDev-\n", "MltLogDev- 256BFlit- PBRFlit+\n");
        assert_eq!(structure(7, 2, 0x20, &words[..6]), format!("{title}{flits}{second}{third}"));
        assert_eq!(structure(7, 3, 0x21, &words), format!("{title}{flits}{second}{third}\t\t<?>\n"));
        // lspci gives up where the length is too short for the revision.
        assert_eq!(structure(7, 2, 0x10, &words[..6]), format!("{title}{}{flits}{second}{third}", wrong(2)));
        assert_eq!(
            structure(7, 2, 0x10, &words[..3]),
            format!("{title}{}{flits}{second}\t\t<unreadable>\n", wrong(2))
        );
        // Up to there everything is printed.
        let (capability, rest) = third.split_at(third.find("\t\tFBCtl2").expect("it is there"));
        let (control, _) = rest.split_at(rest.find("\t\tFBSta2").expect("it is there"));
        assert_eq!(
            structure(7, 2, 0x18, &words[..4]),
            format!("{title}{}{flits}{second}{capability}\t\t<unreadable>\n", wrong(2))
        );
        assert_eq!(
            structure(7, 2, 0x18, &words[..5]),
            format!("{title}{}{flits}{second}{capability}{control}\t\t<unreadable>\n", wrong(2))
        );
        assert_eq!(
            structure(7, 1, 0x10, &words[..2]),
            format!("{title}{}{first}\t\t<unreadable>\n", wrong(1))
        );
    }

    #[test]
    fn register_blocks() {
        let words = [
            0,
            0x0001_0100,
            0,
            0,
            0,
            0x0002_0202,
            1,
            0x0000_0303,
            0,
            0x0000_0404,
            0,
            0x0000_0505,
            0,
            0x0000_ff06,
            0,
        ];
        let lines = "\t\tRegister Locator DVSEC\n\
            \t\tBlock1: BIR: bar0, ID: component registers, offset: 0000000000010000\n\
            \t\tBlock3: BIR: bar2, ID: BAR virtualization, offset: 0000000100020000\n\
            \t\tBlock4: BIR: bar3, ID: CXL device registers, offset: 0000000000000000\n\
            \t\tBlock5: BIR: bar4, ID: CPMU registers, offset: 0000000000000000\n\
            \t\tBlock6: BIR: bar5, ID: <?>, offset: 0000000000000000\n";
        assert_eq!(structure(8, 0, 0x43, &words), lines);
        let last = "\t\tBlock7: BIR: bar6, ID: vendor-specific, offset: 0000000000000000\n";
        assert_eq!(structure(8, 0, 0x44, &words), format!("{lines}{last}"));
        assert_eq!(structure(8, 0, 0x10, &[0, 0x101]), "\t\tRegister Locator DVSEC\n");
    }

    #[test]
    fn small_structures() {
        let title = "\t\tMLD DVSEC\n";
        assert_eq!(structure(9, 0, 0x10, &[16, 0]), format!("{title}\t\tNumLogDevs: 16\n"));
        assert_eq!(structure(9, 0, 0x10, &[17, 0]), title);
        assert_eq!(structure(9, 0, 0x10, &[0, 0]), title);
        assert_eq!(structure(10, 0, 0x10, &[0, 0]), "\t\tPCIe DVSEC for Test Capability <?>\n");
        assert_eq!(structure(0xabcd, 0, 0x10, &[0, 0]), "\t\tUnknown ID abcd\n");
        assert_eq!(structure(9, 0, 0x14, &[1, 0]), "", "cut off");
    }
}
