//! The smallest function that still shows a difference.

use anyhow::Result;

use super::compare::{Finding, Pair};
use super::space::Function;

/// Makes a finding's function as small as it can be: fewer bytes, and of those as many zero as possible.
///
/// # Errors
/// A program cannot be run.
pub(crate) fn smallest(pair: &Pair<'_>, finding: Finding) -> Result<Finding> {
    let arguments = finding.arguments.clone();
    let options: Vec<&str> = arguments.split(' ').collect();
    let mut best = finding;
    let [first] = &best.functions[..] else { return Ok(best) };
    let address = first.address;
    let attempt = |best: &mut Finding, bytes: Vec<u8>| -> Result<bool> {
        if bytes == best.functions[0].bytes {
            return Ok(false);
        }
        let function = Function { address, bytes };
        let Some((theirs, ours)) = pair.differs(&function, &options)? else { return Ok(false) };
        *best = Finding { functions: vec![function], theirs, ours, ..best.clone() };
        Ok(true)
    };
    // It may show only beside other functions: then it stays as it is.
    for size in [64, 128, 256, 512, 1024, 2048] {
        let bytes = best.functions[0].bytes.clone();
        if size < bytes.len() && attempt(&mut best, bytes[..size].to_vec())? {
            break;
        }
    }
    for length in [1024, 256, 64, 16, 4, 1] {
        let mut at = 0;
        while at < best.functions[0].bytes.len() {
            let mut bytes = best.functions[0].bytes.clone();
            let end = (at + length).min(bytes.len());
            bytes[at..end].fill(0);
            attempt(&mut best, bytes)?;
            at += length;
        }
    }
    Ok(best)
}
