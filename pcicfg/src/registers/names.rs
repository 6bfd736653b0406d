//! From a constant's name to the one that people read.

use alloc::string::String;

/// Words that are not written like others.
#[rustfmt::skip]
const WORDS: &[(&str, &str)] = &[
    ("IO", "I/O"), ("MHZ", "MHz"), ("L0S", "L0s"), ("DMWR", "DMWr"), ("ATOMIC", "Atomic"), ("OP", "Op"),
    ("AND", "and"), ("OF", "of"), ("ON", "on"), ("IN", "in"), ("TO", "to"), ("BY", "by"), ("WITH", "with"),
    ("THE", "the"), ("NO", "No"), ("L0P", "L0p"), ("FOR", "for"), ("AT", "at"), ("OR", "or"), ("RD", "Rd"), ("WR", "Wr"),
];

/// Abbreviations.
#[rustfmt::skip]
const CAPITALS: &[&str] = &[
    "ACS", "AGP", "ARI", "ASPM", "ATS", "BAR", "CA", "CAM", "CAS", "CFG", "CLS", "COR", "CPL", "CPMU", "CRC",
    "CTL", "CTO", "CXL", "DL", "DLL", "DLLP", "DOE", "DPA", "DPC", "DRS", "DSP", "ECRC", "EIEOS", "EIOS",
    "EOI", "EPTM", "ERR", "FEC", "FLR", "FPB", "FRS", "GART", "GPF", "GT", "HDM", "HS", "HT", "ID", "IDD",
    "IDE", "IDO", "IDSEL", "IOTLB", "ISA", "KM", "LD", "LDTSTOP", "LNR", "LTR", "MC", "MEM", "MFVC", "MLD",
    "MPS", "MRL", "MSI", "NFM", "NOP", "NPEM", "OBFF", "OOB", "OS", "PASID", "PBR", "PCI", "PCRC", "PD",
    "PFA", "PIO", "PM", "PME", "PMUX", "PPR", "PR", "PRG", "PTM", "RCD", "RCRB", "RID", "RO", "RP", "RRAP",
    "RRS", "SBR", "SDS", "SERR", "SFI", "SFW", "SGX", "SKP", "SMT", "SOS", "SRIS", "ST", "TEE", "TLP", "TPH",
    "TS", "UIO", "UR", "USP", "VC", "VF", "VGA", "VH", "VIB", "VPD", "WRR",
];

/// `BUS_MASTER` as `Bus Master`, `PCI_PM_L1_2_ENABLE` as `PCI PM L1.2 Enable`.
pub(super) fn readable(constant: &str) -> String {
    let mut text = String::with_capacity(constant.len() + 4);
    for word in constant.split('_') {
        let number = word.bytes().all(|byte| byte.is_ascii_digit());
        // Two numbers in a row are one with a point.
        if number && text.ends_with(|last: char| last.is_ascii_digit()) {
            text.push('.');
        } else if !text.is_empty() {
            text.push(' ');
        }
        if let Some((_, written)) = WORDS.iter().find(|(other, _)| *other == word) {
            text.push_str(written);
        } else if CAPITALS.contains(&word) || word.bytes().any(|byte| byte.is_ascii_digit()) {
            text.push_str(word);
        } else {
            let mut letters = word.chars();
            text.extend(letters.next());
            text.extend(letters.flat_map(char::to_lowercase));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn constants_read_like_names() {
        for (constant, name) in [
            ("BUS_MASTER", "Bus Master"),
            ("IO_SPACE", "I/O Space"),
            ("SERR_ENABLE", "SERR Enable"),
            ("PCI_PM_L1_2_ENABLE", "PCI PM L1.2 Enable"),
            ("SPEED_2_5_GT", "Speed 2.5 GT"),
            ("NO_SOFT_RESET", "No Soft Reset"),
            ("", ""),
        ] {
            assert_eq!(readable(constant), name);
        }
    }
}
