//! `kernel.log`: which messages go in, and the text, out and in.

use crate::machine::LogLine;
use std::time::Duration;

/// A log of fewer bytes is kept whole.
const SMALL: usize = 64 << 10;

/// What a message of ours has in it, in lower case.
const WORDS: [&str; 10] =
    ["pci", "vfio", "dmar", "amd-vi", "iommu", "aer:", "dpc:", "linux version", "command line", "lockdown"];

/// Parameters of the kernel that go in: those that bear on devices, with `-` as `_`. All others may name
/// disks, networks or secrets.
const PARAMETERS: [&str; 34] = [
    "iommu",
    "intel_iommu",
    "amd_iommu",
    "amd_iommu_dump",
    "intremap",
    "pci",
    "pcie_acs_override",
    "pcie_aspm",
    "pcie_ports",
    "pcie_port_pm",
    "pcie_hp",
    "acpi",
    "acpi_osi",
    "acpi_enforce_resources",
    "acpi_rev_override",
    "noacpi",
    "noaer",
    "aer",
    "video",
    "efifb",
    "nomodeset",
    "nofb",
    "blacklist",
    "module_blacklist",
    "initcall_blacklist",
    "modprobe.blacklist",
    "rd.driver.blacklist",
    "rd.driver.pre",
    "hugepages",
    "hugepagesz",
    "default_hugepagesz",
    "transparent_hugepage",
    "lockdown",
    "swiotlb",
];

/// Modules all of whose parameters (`module.parameter`) go in, with `-` as `_`.
const MODULES: [&str; 22] = [
    "iommu",
    "pci",
    "pci_stub",
    "pciehp",
    "pcie_aspm",
    "aer",
    "vfio",
    "vfio_pci",
    "vfio_pci_core",
    "vfio_iommu_type1",
    "kvm",
    "kvm_amd",
    "kvm_intel",
    "amdgpu",
    "radeon",
    "i915",
    "xe",
    "nouveau",
    "nvidia",
    "nvidia_drm",
    "nvme",
    "nvme_core",
];

/// The lines that go in, without what is nobody's business.
pub(super) fn select(lines: &[LogLine]) -> Vec<LogLine> {
    let small = lines.iter().map(|line| line.text.len()).sum::<usize>() < SMALL;
    let keep = |line: &LogLine| {
        let lower = line.text.to_ascii_lowercase();
        let is_ours = WORDS.iter().any(|word| lower.contains(word)) || names_function(&lower);
        // Indented lines are, among others, the arguments of the first process.
        let kept = is_ours || (small && !line.text.starts_with("    "));
        let text = match lower.find("command line").map(|at| line.text.split_at(at + "command line".len())) {
            Some((start, parameters)) => format!("{start}{}", redact(parameters)),
            None => line.text.clone(),
        };
        // The last is how systemd writes the name of a disk's unit.
        let secret = ["serialnumber", "serial number", "/by-id/", "disk-by\\x2did"];
        let secret = secret.iter().any(|secret| lower.contains(secret)) && !lower.contains("command line");
        (kept && !secret).then(|| LogLine { time: line.time, text: mask(&text) })
    };
    lines.iter().filter_map(keep).collect()
}

/// Whether a function's address is in the text, with its domain or without.
fn names_function(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_hexdigit() && !matches!(c, ':' | '.'))
        .any(|word| word.trim_matches(':').trim_end_matches('.').parse::<pcicfg::Address>().is_ok())
}

/// The parameters that may go in, with `...` for runs of others.
fn redact(parameters: &str) -> String {
    let mut text = String::from(":");
    for word in parameters.trim_start_matches(':').split_whitespace() {
        match parameter(word) {
            Some(word) => {
                text.push(' ');
                text.push_str(&word);
            }
            None if text.ends_with("...") => {}
            None => text.push_str(" ..."),
        }
    }
    text
}

/// The parameter, if it may go in, without a value that could be a disk.
fn parameter(word: &str) -> Option<String> {
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    let known = name.to_ascii_lowercase().replace('-', "_");
    let of_module = known.split_once('.').is_some_and(|(module, _)| MODULES.contains(&module));
    if !of_module && !PARAMETERS.contains(&known.as_str()) {
        return None;
    }
    let lower = value.unwrap_or_default().to_ascii_lowercase();
    let names_disk = lower.trim_start_matches('"').starts_with('/')
        || ["/dev/", "by-id", "uuid", "nqn", "serial"].iter().any(|secret| lower.contains(secret));
    Some(if names_disk { format!("{name}=...") } else { word.to_owned() })
}

/// The text with the digits of MAC addresses, and of longer identifiers of that form, masked.
fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let is_pair = |at: usize| is_hex(at) && is_hex(at + 1) && !is_hex(at + 2);
    let mut masked = String::with_capacity(text.len());
    let mut hidden = 0;
    for (at, c) in text.char_indices() {
        if at >= hidden && (at == 0 || !is_hex(at - 1)) && is_pair(at) {
            let separator = bytes.get(at + 2).copied().filter(|b| matches!(b, b':' | b'-'));
            let mut end = at + 2;
            while separator.is_some() && bytes.get(end).copied() == separator && is_pair(end + 1) {
                end += 3;
            }
            if end - at >= "xx:xx:xx:xx:xx:xx".len() {
                hidden = end;
            }
        }
        masked.push(if at < hidden && c.is_ascii_hexdigit() { 'x' } else { c });
    }
    masked
}

/// Lines as `dmesg` prints them: `[   12.345678] text`.
pub(super) fn to_text(lines: &[LogLine]) -> String {
    let mut text = String::new();
    for line in lines {
        let (seconds, micros) = (line.time.as_secs(), line.time.subsec_micros());
        // A control character in a log is somebody's attempt on the reader's terminal.
        let clean = line.text.replace(|c: char| c.is_control() && c != '\t', " ");
        text.push_str(&format!("[{seconds:5}.{micros:06}] {clean}\n"));
    }
    text
}

/// Reads such lines; a line without a time, such as the second one of a message, has that of the one
/// before.
pub(crate) fn parse(text: &str) -> Vec<LogLine> {
    let mut time = Duration::ZERO;
    let mut lines = Vec::new();
    for line in text.lines() {
        let text = match stamp(line) {
            Some((stamp, text)) => {
                time = stamp;
                text
            }
            None => line,
        };
        lines.push(LogLine { time, text: text.to_owned() });
    }
    lines
}

fn stamp(line: &str) -> Option<(Duration, &str)> {
    let (stamp, text) = line.strip_prefix('[')?.split_once(']')?;
    let (seconds, micros) = stamp.trim_start().split_once('.')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
    if micros.len() != 6 {
        return None;
    }
    // Ten digits of seconds are three centuries; more is no time.
    let seconds = number(seconds).filter(|&seconds| seconds < 10_000_000_000)?;
    let time = Duration::from_secs(seconds) + Duration::from_micros(number(micros)?);
    Some((time, text.strip_prefix(' ').unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> LogLine {
        LogLine { time: Duration::from_micros(1_500_000), text: text.into() }
    }

    fn texts(lines: &[LogLine]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn of_a_long_log_only_what_is_ours_goes_in() {
        let mut lines = vec![line("EXT4-fs (vda): mounted"); 4000];
        assert_eq!(select(&lines).len(), 0);
        lines.extend(
            ["pcieport 0000:00:1c.6: AER: Corrected error", "ahci 0000:03:00.0: failed", "nvidia 03:00.0: x"]
                .map(line),
        );
        lines.extend(["DMAR: [DMA Read] fault", "AMD-Vi: Completion-Wait loop timed out"].map(line));
        assert_eq!(select(&lines).len(), 5);
        assert_eq!(select(&lines[..10]).len(), 10, "a short one goes in whole");
    }

    #[test]
    fn what_is_nobodys_business_stays_out() {
        let lines = [
            "usb 1-1: SerialNumber: 123",
            "e1000e 0000:02:00.0 eth0: (PCI Express) 52:54:00:12:34:56",
            "Command line: BOOT_IMAGE=/vmlinuz root=UUID=1-2 intel_iommu=on ip=10.0.0.1 vfio-pci.ids=1:2",
            "Unknown kernel command line parameters \"secret=1 x\", will be passed to user space.",
            "    secret=1",
        ]
        .map(line);
        assert_eq!(
            texts(&select(&lines)),
            [
                "e1000e 0000:02:00.0 eth0: (PCI Express) xx:xx:xx:xx:xx:xx",
                "Command line: ... intel_iommu=on ... vfio-pci.ids=1:2",
                "Unknown kernel command line: ...",
            ]
        );
    }

    #[test]
    fn a_parameter_counts_by_its_name_and_names_no_disk() {
        let disk = "/dev/disk/by-id/nvme-Samsung_SSD_970_S5GXNX0";
        let redacted = |parameters: &str| redact(&format!(": {parameters}"));
        assert_eq!(redacted(&format!("resume={disk} pci=noaer")), ": ... pci=noaer");
        assert_eq!(redacted("cryptdevice=/dev/nvme0n1p3:root iommu=pt"), ": ... iommu=pt");
        assert_eq!(redacted(&format!("nvme.disk={disk} efifb=\"{disk}\"")), ": nvme.disk=... efifb=...");
        assert_eq!(redacted("password=vfio-pci my.pci=1 xpci=2"), ": ...");
        let kept = "vfio-pci.ids=10de:1b81 pcie_acs_override=downstream video=efifb:off nomodeset \
                    rd.driver.pre=vfio-pci kvm.ignore_msrs=1 pci=disable_acs_redir=0000:00:01.0/00.0";
        assert_eq!(redacted(kept), format!(": {kept}"));
        let unit = line("systemd: Expecting device dev-disk-by\\x2did-nvme\\x2dS5GX.device of pci");
        assert!(select(&[unit, line(&format!("pci: mounted {disk}"))]).is_empty());
    }

    #[test]
    fn mac_addresses_are_masked_wherever_they_stand() {
        for (text, masked) in [
            ("mac=52:54:00:12:34:56", "mac=xx:xx:xx:xx:xx:xx"),
            ("eth0:52:54:00:12:34:56,up", "eth0:xx:xx:xx:xx:xx:xx,up"),
            ("BOOTIF=01-52-54-00-aB-34-56", "BOOTIF=xx-xx-xx-xx-xx-xx-xx"),
            ("ä52:54:00:12:34:56ä", "äxx:xx:xx:xx:xx:xxä"),
            ("pci 0000:03:00.0: [1b21:0612] 12:34:56", "pci 0000:03:00.0: [1b21:0612] 12:34:56"),
        ] {
            assert_eq!(mask(text), masked);
        }
        let lines = [line("Command line: vfio_pci.mac=52:54:00:12:34:56")];
        assert_eq!(texts(&select(&lines)), ["Command line: vfio_pci.mac=xx:xx:xx:xx:xx:xx"]);
    }

    #[test]
    fn lines_are_as_dmesg_prints_them() {
        let text = to_text(&[line("one\x1b[2J"), line("")]);
        assert_eq!(text, "[    1.500000] one [2J\n[    1.500000] \n");
        assert_eq!(parse("[1.5] x\ny\n[    2.000001] z")[2].time, Duration::from_micros(2_000_001));
        assert_eq!(texts(&parse("[1.5] x\ny\n[    2.000001] z")), ["[1.5] x", "y", "z"]);
    }

    proptest! {
        #[test]
        fn text_round_trips(lines in proptest::collection::vec((0u64..1 << 50, "[^\\pC]{0,30}"), 0..9)) {
            let lines: Vec<_> = lines
                .into_iter()
                .map(|(time, text)| LogLine { time: Duration::from_micros(time), text })
                .collect();
            prop_assert_eq!(parse(&to_text(&lines)), lines);
        }

        #[test]
        fn any_text_is_read(text in "(\\[[ 0-9.+]{0,30}\\]|.|\n){0,40}") {
            prop_assert_eq!(parse(&text).len(), text.lines().count());
            let _ = select(&parse(&text));
        }
    }
}
