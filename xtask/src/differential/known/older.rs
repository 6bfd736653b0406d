//! What versions before ours print: by version, the newest first.

use super::edit::Printed;
use super::{Difference, OURS};

const V3_14: super::Version = (3, 14, 0);
const V3_13: super::Version = (3, 13, 0);
const V3_12: super::Version = (3, 12, 0);
const V3_11: super::Version = (3, 11, 0);

pub(super) const ALL: &[Difference] = &[
    // From 3.14.0 to what became 3.15.
    Difference::before(OURS, "the speed 128 GT/s", speed_128),
    Difference::before(OURS, "IDE: SelCfg, XT and TeeLim", ide_flags),
    Difference::before(OURS, "Flit Logging", |p| {
        p.name_only("Flit Logging\n", "Extended Capability ID 0x32\n")
    }),
    Difference::before(OURS, "Flit Error Injection", |p| {
        p.name_only("Flit Error Injection\n", "Extended Capability ID 0x34\n");
    }),
    Difference::before(OURS, "MMIO Register Block Locator", |p| {
        p.name_only("MMIO Register Block Locator\n", "Extended Capability ID 0x36\n");
    }),
    // 3.14.
    Difference::before(V3_14, "virtio: SharedMemory", shared_memory),
    Difference::before(V3_14, "Intel's vendor-specific capability", intel),
    Difference::before(V3_14, "flit mode in Link Control and Status", |p| {
        p.drop_flag("\t\t\tExtSynch", " FltModeDis");
        p.drop_flag("\t\t\t Retimer", ", FltMode");
        p.replace("\tCapabilities: ", ", FLIT Mode Supported\n", "\n");
    }),
    Difference::before(V3_14, "Physical Layer 16.0 GT/s", |p| name_alone(p, "Physical Layer 16.0 GT/s")),
    Difference::before(V3_14, "Physical Layer 32.0 GT/s", |p| name_alone(p, "Physical Layer 32.0 GT/s")),
    Difference::before(V3_14, "Physical Layer 64.0 GT/s", |p| {
        p.name_only("Physical Layer 64.0 GT/s\n", "Extended Capability ID 0x31\n");
    }),
    Difference::before(V3_14, "Device 3", |p| p.name_only("Device 3\n", "Extended Capability ID 0x2f\n")),
    Difference::before(V3_14, "CXL: global persistent flush in units of 10 s", flush_time),
    // 3.13.
    Difference::before(V3_13, "AER: more errors", more_errors),
    Difference::before(V3_13, "IDE: the secure state, and CFG", ide_state),
    // 3.12.
    Difference::before(V3_12, "TEE-IO in Device Capabilities", |p| {
        for line in p.beginning("\t\t\tExtTag") {
            drop_last_flag(line, " TEE-IO");
        }
    }),
    Difference::before(V3_12, "IDE", |p| {
        p.name_only("Integrity & Data Encryption\n", "Extended Capability ID 0x30\n");
    }),
    // 3.11.
    Difference::before(V3_11, "message numbers", message_numbers),
    Difference::before(V3_11, "Link Disable by its name", |p| {
        p.replace("\t\tLnkCtl:", " LnkDisable", " Disabled");
    }),
    Difference::before(V3_11, "Device Control 2: more fields", device_control_2),
    Difference::before(V3_11, "the speed 64 GT/s in Link Capabilities 2", |p| {
        p.replace("\t\tLnkCap2:", "2.5-64GT/s", "RsvdP");
    }),
    Difference::before(V3_11, "PRI: PASID", |p| p.drop_flag("\t\tPRISta:", " PASID")),
    Difference::before(V3_11, "Lane Margining at the Receiver", |p| {
        name_alone(p, "Lane Margining at the Receiver")
    }),
    Difference::before(V3_11, "PTM: colons", |p| {
        for name in ["Requester", "Responder", "Root"] {
            p.replace("\t\tPTMCap: ", name, &format!("{name}:"));
        }
        for name in ["Enabled", "RootSelected"] {
            p.replace("\t\tPTMControl: ", name, &format!("{name}:"));
        }
    }),
    Difference::before(V3_11, "DOE: the error bit", |p| {
        // It was taken from the bits of Busy and IntSta.
        for line in p.beginning("\t\tDOESta: ") {
            let error = if line.contains("Busy+") || line.contains("IntSta+") { "Error+" } else { "Error-" };
            *line = line.replace("Error+", error).replace("Error-", error);
        }
    }),
    Difference::before(V3_11, "CXL: structures", |p| {
        p.take_body("Designated Vendor-Specific: Vendor=1e98 ");
    }),
    Difference::before(V3_11, "Physical Layer 32.0 GT/s by its name", |p| {
        p.name_only("Physical Layer 32.0 GT/s <?>\n", "Extended Capability ID 0x2a\n");
    }),
];

/// Leaves of a capability its name, and says that there is more.
fn name_alone(printed: &mut Printed<'_>, name: &str) {
    printed.name_only(&format!("{name}\n"), &format!("{name} <?>\n"));
}

fn speed_128(printed: &mut Printed<'_>) {
    for begin in ["\t\tLnkCap:", "\t\tLnkSta:"] {
        printed.replace(begin, "Speed 128GT/s", "Speed unknown");
    }
    printed.replace("\t\tLnkCtl2:", "Target Link Speed: 128GT/s", "Target Link Speed: Unknown");
    printed.replace("\t\tLnkCap2:", "2.5-128GT/s", "RsvdP");
}

fn ide_flags(printed: &mut Printed<'_>) {
    printed.drop_flag("\t\tIDECap:", " SelCfg");
    printed.drop_flag("\t\tIDECap:", " XT");
    for line in printed.ours.iter_mut().filter(|line| line.contains("IDE#") && line.contains(" Ctl: ")) {
        for name in [" XT", " TeeLim"] {
            drop_last_flag(line, name);
        }
    }
}

/// Takes the last ` name+` or ` name-` out of a line.
fn drop_last_flag(line: &mut String, name: &str) {
    if let Some(at) = line.rfind(name) {
        line.replace_range(at..=at + name.len(), "");
    }
}

/// The structure was one of an unknown type, with addresses of 32 bits.
fn shared_memory(printed: &mut Printed<'_>) {
    const NAME: &str = "Vendor Specific Information: VirtIO: SharedMemory";
    for place in printed.capabilities(NAME) {
        printed.replace_name(place, "SharedMemory", "<unknown>");
        let body = printed.body(place);
        for line in &mut printed.ours[body] {
            let fields: Vec<&str> = line.trim().split(' ').collect();
            if let [bar, offset, size, _] = fields[..]
                && let (Some(offset), Some(size)) = (offset.get(15..), size.get(13..))
            {
                *line = format!("\t\t{bar} offset={offset} size={size}\n");
            }
        }
    }
}

fn intel(printed: &mut Printed<'_>) {
    const NAME: &str = "Vendor Specific Information: Intel ";
    for place in printed.capabilities(NAME).into_iter().rev() {
        // What cannot be read is followed by the length, as it always was.
        let mut body = printed.body(place);
        if printed.ours.get(body.end).is_some_and(|line| line.starts_with("Len=")) {
            body.end += 1;
        }
        printed.ours.drain(body);
        let length = printed.word(printed.offset(place) + 2) & 0xff;
        let line = printed.ours[place].clone();
        if let Some((before, _)) = line.split_once(": Intel ") {
            printed.ours[place] = format!("{before}: Len={length:02x} <?>\n");
        }
    }
}

fn flush_time(printed: &mut Printed<'_>) {
    for place in printed.capabilities("Designated Vendor-Specific: Vendor=1e98 ") {
        let at = printed.offset(place);
        let registers = [
            ("GPF Phase 2 Duration: ", 0x0a),
            ("GPF Phase 1 Timeout: ", 0x0c),
            ("GPF Phase 2 Timeout: ", 0x0e),
        ];
        for (field, register) in registers {
            if printed.word(at + register) >> 8 & 0xf == 7 {
                let body = printed.body(place);
                for line in printed.ours[body].iter_mut().filter(|line| line.contains(field)) {
                    *line = line.replacen("s\n", "<?>\n", 1);
                }
            }
        }
    }
}

fn more_errors(printed: &mut Printed<'_>) {
    for begin in ["\t\tUESta:\t", "\t\tUEMsk:\t", "\t\tUESvrt:\t"] {
        let mut at = 0;
        while at < printed.ours.len() {
            if printed.ours[at].starts_with(begin) {
                let second = printed.ours.get(at + 1).cloned().unwrap_or_default();
                let second: Vec<&str> = second.trim().split(' ').take(3).collect();
                printed.ours[at] = format!("{} {}\n", printed.ours[at].trim_end(), second.join(" "));
                let end = (at + 3).min(printed.ours.len());
                printed.ours.drain(at + 1..end);
            }
            at += 1;
        }
    }
    for begin in ["\t\tCESta:", "\t\tCEMsk:"] {
        printed.drop_flag(begin, " CorrIntErr");
        printed.drop_flag(begin, " HeaderOF");
    }
}

fn ide_state(printed: &mut Printed<'_>) {
    for line in printed.ours.iter_mut().filter(|line| line.contains("IDE#")) {
        if line.contains(" Ctl: ") {
            drop_last_flag(line, " CFG");
        }
    }
}

fn message_numbers(printed: &mut Printed<'_>) {
    printed.number("] Express", "IntMsgNum ", |number| format!("MSI {number:02x}"));
    printed.number("\t\t\t FirstFatal", "IntMsgNum ", |number| format!("IntMsg {number}"));
    printed.number("\t\tDpcCap:", "IntMsgNum ", |number| format!("INT Msg #{number}"));
    printed.number("\t\tIOVCap:", "IntMsgNum ", |number| format!("Interrupt Message Number: {number:03x}"));
    printed
        .number("\t\t\tIntMsgNum ", "IntMsgNum ", |number| format!("Interrupt Message Number {number:03x}"));
}

/// `LTR`, `10BitTagReq` and `OBFF` were in the first line, the rest of the last two was not there.
fn device_control_2(printed: &mut Printed<'_>) {
    let mut at = 0;
    while at < printed.ours.len() {
        let first = printed.ours[at].clone();
        at += 1;
        if !first.starts_with("\t\tDevCtl2: ") {
            continue;
        }
        // A line on Atomic Operations may be in between.
        let Some(flags) = (at..printed.ours.len().min(at + 2))
            .find(|place| printed.ours[*place].starts_with("\t\t\t IDOReq"))
        else {
            continue;
        };
        let fields: String = printed.ours.drain(flags..printed.ours.len().min(flags + 2)).collect();
        let flag = |name: &str| {
            let begin = fields.find(name)?;
            fields.get(begin..=begin + name.len())
        };
        let obff =
            fields.split_once("OBFF ").and_then(|(_, rest)| rest.split_once(", EETLP")).map(|(obff, _)| obff);
        if let (Some(ltr), Some(tag), Some(obff)) = (flag("LTR"), flag("10BitTagReq"), obff)
            && let Some(end) = first.find("TimeoutDis").map(|begin| begin + "TimeoutDis+".len())
        {
            let (begin, rest) = first.split_at(end);
            printed.ours[at - 1] = format!("{begin} {ltr} {tag} OBFF {obff},{rest}");
        }
    }
}
