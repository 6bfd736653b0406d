//! `/proc/self/mountinfo`, `/proc/mounts` and `/proc/swaps`.

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// The block device's `major:minor`, as in sysfs's `dev`; of btrfs and others an invented one. Empty
    /// where it is not known.
    pub(super) number: String,
    /// What was mounted: `/dev/nvme0n1p2`, `/dev/mapper/vg-root`, `tmpfs`.
    pub(super) source: String,
    /// Where.
    pub(super) path: String,
}

/// The lines of `mountinfo`: `36 35 98:0 /root /where rw,noatime master:1 - ext3 /dev/root rw`.
pub(super) fn parse_mountinfo(text: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (own, of_type) = line.split_once(" - ")?;
        let mut own = own.split(' ');
        Some(Mount {
            number: own.nth(2)?.to_owned(),
            path: unescape(own.nth(1)?),
            source: unescape(of_type.split(' ').nth(1)?),
        })
    };
    text.lines().filter_map(mount).collect()
}

/// The lines of `mounts`: `/dev/sda1 /where ext4 rw 0 0`.
pub(super) fn parse_mounts(text: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let mut words = line.split(' ');
        let (source, path) = (words.next()?, words.next()?);
        Some(Mount { number: String::new(), source: unescape(source), path: unescape(path) })
    };
    text.lines().filter_map(mount).collect()
}

/// The block devices and files of `swaps`, under a line of titles.
pub(super) fn parse_swaps(text: &str) -> Vec<String> {
    text.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().next()).map(unescape).collect()
}

/// Takes back the `\040` that the kernel writes for a space.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let octal = |digit: u8| (b'0'..=b'7').contains(&digit).then(|| digit - b'0');
        let value = match after {
            [a, b, c, ..] if byte == b'\\' => {
                octal(*a).zip(octal(*b)).zip(octal(*c)).and_then(|((a, b), c)| {
                    u8::try_from(u16::from(a) << 6 | u16::from(b) << 3 | u16::from(c)).ok()
                })
            }
            _ => None,
        };
        match value {
            Some(value) => (bytes.push(value), rest = &after[3..]),
            None => (bytes.push(byte), rest = after),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_kinds_of_lines_are_read() {
        assert_eq!(
            parse_mountinfo(
                "36 35 259:2 /sub /mnt/a\\040b rw shared:1 master:2 - ext4 /dev/mapper/vg-root rw\nbad\n"
            ),
            [Mount { number: "259:2".into(), source: "/dev/mapper/vg-root".into(), path: "/mnt/a b".into() }]
        );
        // No optional fields, and an empty source.
        assert_eq!(parse_mountinfo("1 1 0:1 / / rw - tmpfs  rw")[0].source, "");
        assert_eq!(
            parse_mounts("/dev/sda1 /mnt/x\\134y ext4 rw 0 0\n\n"),
            [Mount { number: String::new(), source: "/dev/sda1".into(), path: "/mnt/x\\y".into() }]
        );
        assert_eq!(
            parse_swaps("Filename\tType\n/dev/nvme0n1p3  partition 1 0 -2\n/swap\\040file file 1 0 -3\n"),
            ["/dev/nvme0n1p3", "/swap file"]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "([0-9:/ \\\\\n-]|.){0,200}") {
            let lines = text.lines().count();
            prop_assert!(parse_mountinfo(&text).len() <= lines);
            prop_assert!(parse_mounts(&text).len() <= lines);
            prop_assert!(parse_swaps(&text).len() <= lines);
            prop_assert!(unescape(&text).len() <= 3 * text.len());
        }
    }
}
