//! From a constant's name to the one that people read.

/// Words that are not written like others.
#[rustfmt::skip]
const WORDS: &[(&str, &str)] = &[
    ("IO", "I/O"), ("MHZ", "MHz"), ("L0S", "L0s"), ("DMWR", "DMWr"), ("ATOMIC", "Atomic"), ("OP", "Op"),
    ("AND", "and"), ("OF", "of"), ("ON", "on"), ("IN", "in"), ("TO", "to"), ("BY", "by"), ("WITH", "with"),
    ("THE", "the"), ("NO", "No"),
];

/// Abbreviations.
#[rustfmt::skip]
const CAPITALS: &[&str] = &[
    "ACS", "ARI", "ASPM", "ATS", "BAR", "CA", "CAS", "CFG", "COR", "CPL", "CTO", "CXL", "DL", "DLLP", "DPC", "DRS",
    "ECRC", "EPTM", "ERR", "FLR", "FRS", "GT", "IDE", "IDO", "IDSEL", "ISA", "LTR", "MC", "MEM", "MFVC", "MPS",
    "MRL", "MSI", "NFM", "OBFF", "PASID", "PCI", "PCRC", "PIO", "PM", "PME", "PR", "PRG", "PTM", "RO", "RP", "RRS",
    "SBR", "SERR", "SFW", "SOS", "SRIS", "ST", "TEE", "TLP", "TPH", "UR", "VC", "VF", "VGA", "WRR",
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
