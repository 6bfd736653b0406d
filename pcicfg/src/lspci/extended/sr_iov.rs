//! Single Root I/O Virtualization.

use super::Body;
use super::flags::{Flags, Write, bit, bits};
use crate::config_space::{dword, word};
use crate::lspci::Text;

static CAPABILITIES: Flags<2> = Flags::new("\t\tIOVCap:\tMigration~ 10BitTagReq~ IntMsgNum ", [0, 2]);
static CONTROL: Flags<6> = Flags::new(
    "\t\tIOVCtl:\tEnable~ Migration~ Interrupt~ MSE~ ARIHierarchy~ 10BitTagReq~\n",
    [0, 1, 2, 3, 4, 5],
);
static STATUS: Flags<1> = Flags::new("\t\tIOVSta:\tMigration~\n", [0]);

pub(super) fn fields(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x40>() else { return };
    let capabilities = dword::<0x04, _>(registers);
    text.signs(&CAPABILITIES, capabilities).dec(bits(capabilities, 21, 11).into()).end();
    text.signs(&CONTROL, word::<0x08, _>(registers));
    text.signs(&STATUS, word::<0x0a, _>(registers));
    text.str("\t\tInitial VFs: ").dec(word::<0x0c, _>(registers).into());
    text.str(", Total VFs: ").dec(word::<0x0e, _>(registers).into());
    text.str(", Number of VFs: ").dec(word::<0x10, _>(registers).into());
    text.str(", Function Dependency Link: ").hex2(registers[0x12]).end();
    text.str("\t\tVF offset: ").dec(word::<0x14, _>(registers).into());
    text.str(", stride: ").dec(word::<0x16, _>(registers).into());
    text.str(", Device ID: ").hex4(word::<0x1a, _>(registers)).end();
    text.str("\t\tSupported Page Size: ").hex8(dword::<0x1c, _>(registers));
    text.str(", System Page Size: ").hex8(dword::<0x20, _>(registers)).end();
    let migration = dword::<0x3c, _>(registers);
    regions(
        text,
        [
            dword::<0x24, _>(registers),
            dword::<0x28, _>(registers),
            dword::<0x2c, _>(registers),
            dword::<0x30, _>(registers),
            dword::<0x34, _>(registers),
            dword::<0x38, _>(registers),
            migration,
        ],
    );
    text.str("\t\tVF Migration: offset: ").hex8(migration & !7);
    text.str(", BIR: ").hex(1, bits(migration, 0, 3).into()).end();
}

/// The six base address registers of the virtual functions, and what stands behind the last: that is
/// lspci's upper half of a 64-bit one in the sixth.
fn regions(text: &mut Text, registers: [u32; 7]) {
    let mut slots = registers.into_iter().enumerate().take(6);
    while let Some((slot, low)) = slots.next() {
        if matches!(low, 0 | 0xffff_ffff) {
            continue;
        }
        text.str("\t\tRegion ").dec(slot as u64).str(": Memory at ");
        let kind = bits(low, 1, 2);
        if kind == 2 {
            text.hex8(registers.get(slot + 1).copied().unwrap_or_default());
            slots.next();
        }
        text.hex8(low & !0xf).str(if kind == 0 { " (32-bit, " } else { " (64-bit, " });
        text.str(if bit(low, 3) { "prefetchable)\n" } else { "non-prefetchable)\n" });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown};

    #[test]
    fn regions_of_all_widths() {
        let list = [
            0x0001_0010,
            0x0020_0005,
            0x0001_0019,
            0x0040_003f,
            0x0002_0008,
            0x0002_0080,
            0x1520_0000,
            0x0000_0553,
            0x0000_0001,
            0xf000_000c,
            0x0000_0038,
            0xfe00_0000,
            0xffff_ffff,
            0xd000_000a,
            0xe000_0004,
            0x0000_200b,
        ];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Single Root I/O Virtualization (SR-IOV)\n\
             \t\tIOVCap:\tMigration+ 10BitTagReq+ IntMsgNum 1\n\
             \t\tIOVCtl:\tEnable+ Migration- Interrupt- MSE+ ARIHierarchy+ 10BitTagReq-\n\
             \t\tIOVSta:\tMigration+\n\
             \t\tInitial VFs: 63, Total VFs: 64, Number of VFs: 8, Function Dependency Link: 02\n\
             \t\tVF offset: 128, stride: 2, Device ID: 1520\n\
             \t\tSupported Page Size: 00000553, System Page Size: 00000001\n\
             \t\tRegion 0: Memory at 00000038f0000000 (64-bit, prefetchable)\n\
             \t\tRegion 2: Memory at fe000000 (32-bit, non-prefetchable)\n\
             \t\tRegion 4: Memory at d0000000 (64-bit, prefetchable)\n\
             \t\tRegion 5: Memory at 0000200be0000000 (64-bit, non-prefetchable)\n\
             \t\tVF Migration: offset: 00002008, BIR: 3\n"
        );
        assert_cut_off(&list, "");
    }
}
