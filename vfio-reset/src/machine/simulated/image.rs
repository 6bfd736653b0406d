//! Configuration images in descriptions: text as `lspci -xxxx` prints it.

use pcicfg::Address;
use pcicfg::dump::{Dump, WarningKind};

/// The bytes in the text, and the address in the line before them if there is one.
///
/// A dump from somebody's mail may have holes; an image that somebody wrote may not.
///
/// # Errors
/// Which line, from 1, and what is wrong with it.
pub(super) fn parse(text: &str) -> Result<(Vec<u8>, Option<Address>), (usize, String)> {
    let dump = Dump::parse(text.as_bytes()).map_err(|error| (error.line as usize, error.kind.to_string()))?;
    let assumed = dump.warnings().iter().any(|warning| warning.kind == WarningKind::AssumedAddress);
    if let Some(warning) = dump.warnings().iter().find(|w| w.kind != WarningKind::AssumedAddress) {
        return Err((warning.line as usize, warning.kind.to_string()));
    }
    let mut functions = dump.functions();
    let (Some(function), None) = (functions.next(), functions.next()) else {
        return Err((1, format!("{} functions: one image is one function's", dump.len())));
    };
    let bytes = function.bytes()[..function.present().min(function.bytes().len())].to_vec();
    Ok((bytes, (!assumed).then_some(function.address())))
}
