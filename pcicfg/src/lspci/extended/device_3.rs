//! Device 3: what came after Device Capabilities 2 was full.

use super::Body;
use super::flags::{Flags, Write, bit, bits};
use crate::config_space::{dword, word};
use crate::lspci::Text;

static CAPABILITIES: Flags<4> = Flags::new(
    "\t\tDevCap3: DMWr Request Routing~, 14-Bit Tag Completer~, 14-Bit Tag Requester~\n\
     \t\t\t L0p~",
    [0, 1, 2, 3],
);
static UIO_CAPABILITIES: Flags<2> =
    Flags::new("\n\t\t\t UIO Mem RdWr Completer~, UIO Mem RdWr Requester~\n", [10, 11]);
static CONTROL: Flags<4> = Flags::new(
    "\t\tDevCtl3: DMWr Requester~, DMWr Egress Blocking~, 14-Bit Tag Requester~\n\
     \t\t\t L0p~, Target Link Width: ",
    [0, 1, 2, 3],
);
static UIO_CONTROL: Flags<1> = Flags::new("\n\t\t\t UIO Mem RdWr Requester~", [7]);
static STATUS: Flags<2> = Flags::new(", Segment Captured~, Remote L0p~\n", [3, 4]);

const EXIT_LATENCIES: [&str; 8] = [
    "Less than 1us",
    "1us to less than 2us",
    "2us to less than 4us",
    "4us to less than 8us",
    "8us to less than 16us",
    "16us to less than 32us",
    "32us-64us",
    "More than 64us",
];

/// Each register is there if it can be read: the capability was made to grow.
pub(super) fn fields(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x08>() else { return };
    let capabilities = dword::<0x04, _>(registers);
    text.signs(&CAPABILITIES, capabilities);
    if bit(capabilities, 3) {
        text.str(", Port L0p Exit Latency: ").named(&EXIT_LATENCIES, bits(capabilities, 4, 3));
        text.str(", Retimer L0p Exit Latency: ").named(&EXIT_LATENCIES, bits(capabilities, 7, 3));
    }
    text.signs(&UIO_CAPABILITIES, capabilities);

    let Some(registers) = body.registers::<0x0a>() else { return };
    let control = u32::from(word::<0x08, _>(registers));
    link_width(text.signs(&CONTROL, control), bits(control, 4, 3));
    text.signs(&UIO_CONTROL, control).flag(", UIO Request 256B Boundary", !bit(control, 8)).end();

    let Some(registers) = body.registers::<0x0e>() else { return };
    let status = u32::from(word::<0x0c, _>(registers));
    link_width(text.str("\t\tDevSta3: Initial Link Width: "), bits(status, 0, 3));
    text.signs(&STATUS, status);
}

/// A link width in the three bits that Flit mode has for it.
pub(super) fn link_width(text: &mut Text, code: u32) {
    let name = match code {
        0 => Some("x1"),
        1 => Some("x2"),
        2 => Some("x4"),
        3 => Some("x8"),
        4 => Some("x16"),
        7 => Some("Dynamic"),
        _ => None,
    };
    text.named_or(name, "Unknown", code);
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown};
    use alloc::format;

    #[test]
    fn registers_that_are_there_are_shown() {
        let list = [0x0001_002f, 0x0000_0bda, 0x0000_00f9, 0x0000_001d];
        let capabilities = "\tCapabilities: [100 v1] Device 3\n\
            \t\tDevCap3: DMWr Request Routing-, 14-Bit Tag Completer+, 14-Bit Tag Requester-\n\
            \t\t\t L0p+, Port L0p Exit Latency: 16us to less than 32us, Retimer L0p Exit Latency: More than 64us\n\
            \t\t\t UIO Mem RdWr Completer-, UIO Mem RdWr Requester+\n";
        let control = "\t\tDevCtl3: DMWr Requester+, DMWr Egress Blocking-, 14-Bit Tag Requester-\n\
            \t\t\t L0p+, Target Link Width: Dynamic\n\
            \t\t\t UIO Mem RdWr Requester+, UIO Request 256B Boundary+\n";
        let status = "\t\tDevSta3: Initial Link Width: Unknown (5), Segment Captured+, Remote L0p+\n";
        assert_eq!(shown(&list), format!("{capabilities}{control}{status}"));
        assert_eq!(shown(&list[..3]), format!("{capabilities}{control}"));
        assert_eq!(shown(&list[..2]), capabilities);
        assert_cut_off(&list[..2], "");
        assert_eq!(
            shown(&[0x0001_002f, 0x0000_0404, 0x0000_0126, 0x0000_0004]),
            "\tCapabilities: [100 v1] Device 3\n\
             \t\tDevCap3: DMWr Request Routing-, 14-Bit Tag Completer-, 14-Bit Tag Requester+\n\
             \t\t\t L0p-\n\
             \t\t\t UIO Mem RdWr Completer+, UIO Mem RdWr Requester-\n\
             \t\tDevCtl3: DMWr Requester-, DMWr Egress Blocking+, 14-Bit Tag Requester+\n\
             \t\t\t L0p-, Target Link Width: x4\n\
             \t\t\t UIO Mem RdWr Requester-, UIO Request 256B Boundary-\n\
             \t\tDevSta3: Initial Link Width: x16, Segment Captured-, Remote L0p-\n"
        );
    }
}
