//! Configuration images in descriptions: text as `lspci -xxxx` prints it.

/// The bytes in the text, and the address in the line before them if there is one.
///
/// # Errors
/// Which line, from 0, and what is wrong with it.
pub(super) fn parse(text: &str) -> Result<(Vec<u8>, Option<pcicfg::Address>), (usize, String)> {
    let (mut bytes, mut address) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        let wrong = |message: String| (number, message);
        let line = line.trim();
        let Some((offset, rest)) = line.split_once(": ") else {
            if let Some(first) = line.split_whitespace().next() {
                let parsed = first
                    .parse()
                    .map_err(|_| wrong(format!("{first:?}: expected `00: 36 1b ...` or an address")))?;
                if address.replace(parsed).is_some() || !bytes.is_empty() {
                    return Err(wrong("a second function: one image is one function's".into()));
                }
            }
            continue;
        };
        if let Ok(parsed) = offset.split_whitespace().next().unwrap_or_default().parse() {
            address = Some(parsed);
            continue;
        }
        if usize::from_str_radix(offset, 16) != Ok(bytes.len()) {
            return Err(wrong(format!("offset {offset:?}: expected {:x}", bytes.len())));
        }
        for digits in rest.split_whitespace() {
            let byte = u8::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 2);
            bytes.push(byte.ok_or_else(|| wrong(format!("{digits:?}: expected two hexadecimal digits")))?);
        }
        if bytes.len() > 4096 {
            return Err(wrong("more than 4096 bytes".into()));
        }
    }
    Ok((bytes, address))
}
