//! Vital Product Data, as far as configuration space shows it: a dump does not have the data.

use super::{Body, Text};

pub(super) fn write(text: &mut Text, body: Body<'_, '_>) {
    text.str("Vital Product Data\n");
    if body.details() {
        text.str("\t\tNot readable\n");
    }
}
