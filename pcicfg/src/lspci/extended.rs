//! The extended capabilities.

use super::{Subject, Text};

/// Writes the extended capabilities; called once, after the capability list, for functions with a
/// PCI Express or PCI-X capability in it. `express` is Device/Port Type of the last Express
/// capability in the list, `None` if there was none.
///
/// A stub: the list is written on the branch `ecaps`.
pub(super) fn write(_text: &mut Text, _subject: &Subject<'_>, _verbose: u8, _express: Option<u8>) {}
