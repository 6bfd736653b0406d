//! Ids as people write them: hexadecimal, always.
//!
//! EfiRom reads `1002` as a decimal number unless `0x` stands before it, which gave the world ROMs for
//! vendor 03ea. Here `1002`, `0x1002` and `1002h` are the same, and what was read is printed.

use romtools::pcir::ClassCode;

/// A vendor or device id.
pub(crate) fn id(text: &str) -> Result<u16, String> {
    let value = hexadecimal(text, 4)?;
    u16::try_from(value).map_err(|_| too_long(4))
}

/// If several device ids can be in a list.
pub(crate) fn device_list(ids: &[u16]) -> Result<(), String> {
    match ids {
        [_, _, ..] if ids.contains(&0) => Err("device 0000 ends a device list and cannot be in it".into()),
        _ => Ok(()),
    }
}

/// A vendor and a device id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) vendor: u16,
    pub(crate) device: u16,
}

/// Both ids of a device, as `lspci -nn` shows them.
pub(crate) fn ids(text: &str) -> Result<Ids, String> {
    let (vendor, device) = text
        .split_once(':')
        .ok_or("two ids and a colon are expected, as `lspci -nn` shows them: 1002:1900")?;
    Ok(Ids { vendor: id(vendor)?, device: id(device)? })
}

/// A class code: base class, sub-class, programming interface.
pub(crate) fn class(text: &str) -> Result<ClassCode, String> {
    let digits = digits(text);
    if digits.len() != 6 {
        return Err("a class code has six hexadecimal digits, as in 030000 for a VGA controller".into());
    }
    let [_, base, sub, programming_interface] = hexadecimal(text, 6)?.to_be_bytes();
    Ok(ClassCode { base, sub, programming_interface })
}

fn digits(text: &str) -> &str {
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    text.strip_suffix(['h', 'H']).unwrap_or(text)
}

fn hexadecimal(text: &str, most: usize) -> Result<u32, String> {
    let digits = digits(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("this is no hexadecimal number".into());
    }
    if digits.len() > most {
        return Err(too_long(most));
    }
    u32::from_str_radix(digits, 16).map_err(|error| error.to_string())
}

fn too_long(most: usize) -> String {
    format!("more than {most} hexadecimal digits (a decimal number? ids are read as hexadecimal)")
}

/// What to tell somebody whose vendor id is a well-known one in decimal.
pub(crate) fn decimal_vendor(id: u16) -> Option<&'static str> {
    Some(match id {
        0x4098 => "vendor 4098h was read; 4098 in decimal is AMD, 1002h",
        0x4318 => "vendor 4318h was read; 4318 in decimal is NVIDIA, 10deh",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hexadecimal_however_they_are_written() {
        for text in ["1002", "0x1002", "0X1002", "1002h", "1002H"] {
            assert_eq!(id(text), Ok(0x1002), "{text}");
        }
        assert_eq!(id("a"), Ok(10));
        for text in ["", "0x", "g", "10 02", "-1", "+1", "10020", "32902"] {
            assert!(id(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_device_has_two_ids() {
        assert_eq!(ids("1002:1900"), Ok(Ids { vendor: 0x1002, device: 0x1900 }));
        assert_eq!(ids("0x1b21:0x06AF"), Ok(Ids { vendor: 0x1b21, device: 0x06af }));
        for text in ["", "1002", "1002:", ":1900", "1002:19000", "1002:1900:1", "1002-1900"] {
            assert!(ids(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_class_code_has_six_digits() {
        let vga = ClassCode { base: 3, sub: 0, programming_interface: 1 };
        assert_eq!(class("030001"), Ok(vga));
        assert_eq!(class("0x030001"), Ok(vga));
        assert!(class("0300").is_err() && class("30000").is_err() && class("0300zz").is_err());
    }
}
