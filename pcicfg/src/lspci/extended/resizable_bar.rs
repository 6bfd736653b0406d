//! Resizable BAR, of the function itself and of its virtual functions.

use super::flags::bits;
use super::{Body, unreadable};
use crate::config_space::dword;
use crate::lspci::Text;

pub(super) fn fields(text: &mut Text, body: Body<'_>) {
    // The first entry's control register says how many there are.
    let mut count = 1;
    let mut index = 0;
    while index < count {
        let Some(entry) = body.block::<8>(4 + 8 * index) else { return unreadable(text) };
        let (capability, control) = (dword::<0, _>(entry), dword::<4, _>(entry));
        if index == 0 {
            count = bits(control, 5, 3) as usize;
            if !(1..=6).contains(&count) {
                text.str("\t\t<error in resizable BAR: num_bars=").dec(count as u64);
                text.str(" is out of specification>\n");
                return;
            }
        }
        text.str("\t\tBAR ").dec(bits(control, 0, 3).into()).str(": current size:");
        size(text, bits(control, 8, 6));
        // Bits 4 to 31 of one register, then 16 to 31 of the other: 1 MB and up.
        let supported = u64::from(capability >> 4) | u64::from(control >> 16) << 28;
        if supported != 0 {
            text.str(", supported:");
        }
        for exponent in (0..44).filter(|exponent| supported >> exponent & 1 != 0) {
            size(text, exponent);
        }
        text.end();
        index += 1;
    }
}

/// A megabyte times two to the power of `exponent`.
fn size(text: &mut Text, exponent: u32) {
    let unit = match exponent / 10 {
        0 => "MB",
        1 => "GB",
        2 => "TB",
        3 => "PB",
        4 if exponent < 44 => "EB",
        _ => {
            text.str(" <unknown>");
            return;
        }
    };
    text.str(" ").dec(1 << (exponent % 10)).str(unit);
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown};
    use alloc::format;

    #[test]
    fn two_bars_with_all_units() {
        let list = [0x0001_0024, 0x8010_4010, 0x8001_0840, 0x0000_0000, 0x0000_2c03];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Virtual Resizable BAR\n\
             \t\tBAR 0: current size: 256MB, supported: 1MB 1GB 64GB 128TB 256TB 8EB\n\
             \t\tBAR 3: current size: <unknown>\n"
        );
        assert_eq!(
            shown(&list[..4]),
            "\tCapabilities: [100 v1] Virtual Resizable BAR\n\
             \t\tBAR 0: current size: 256MB, supported: 1MB 1GB 64GB 128TB 256TB 8EB\n\
             \t\t<unreadable>\n"
        );
        assert_cut_off(&list[..3], "\t\t<unreadable>\n");
    }

    #[test]
    fn a_wrong_count_is_named() {
        for (control, count) in [(0x0000_0800, 0), (0x0000_08e0, 7)] {
            assert_eq!(
                shown(&[0x0001_0015, 0x0000_0010, control, 0, 0]),
                format!(
                    "\tCapabilities: [100 v1] Physical Resizable BAR\n\
                     \t\t<error in resizable BAR: num_bars={count} is out of specification>\n"
                )
            );
        }
    }
}
