//! `kernel.log`: which messages go in, and the text, out and in.

use crate::machine::LogLine;
use std::time::Duration;

/// A log of fewer bytes is kept whole.
const SMALL: usize = 64 << 10;

/// What a message of ours has in it, in lower case.
const WORDS: [&str; 10] =
    ["pci", "vfio", "dmar", "amd-vi", "iommu", "aer:", "dpc:", "linux version", "command line", "lockdown"];

/// What a parameter of the kernel must have in it, in lower case, to go in: those that bear on devices.
/// All others may name disks, networks or secrets.
const PARAMETERS: [&str; 18] = [
    "iommu",
    "pci",
    "vfio",
    "aer",
    "acs",
    "acpi",
    "kvm",
    "video",
    "efifb",
    "nomodeset",
    "blacklist",
    "hugepage",
    "lockdown",
    "amdgpu",
    "i915",
    "nouveau",
    "nvidia",
    "nvme",
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
            None => line.text.split(' ').map(mask).collect::<Vec<_>>().join(" "),
        };
        (kept && !lower.contains("serialnumber") && !lower.contains("serial number"))
            .then_some(LogLine { time: line.time, text })
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
        let lower = word.to_ascii_lowercase();
        let may = PARAMETERS.iter().any(|known| lower.contains(known))
            && !["uuid", "nqn", "root="].iter().any(|secret| lower.contains(secret));
        if may {
            text.push(' ');
            text.push_str(word);
        } else if !text.ends_with("...") {
            text.push_str(" ...");
        }
    }
    text
}

/// The word, a MAC address masked.
fn mask(word: &str) -> String {
    let bare = word.trim_matches(|c: char| !c.is_ascii_hexdigit());
    let is_mac = bare.len() == 17
        && bare.split(':').count() == 6
        && bare.split(':').all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_mac { word.replace(bare, "xx:xx:xx:xx:xx:xx") } else { word.to_owned() }
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
