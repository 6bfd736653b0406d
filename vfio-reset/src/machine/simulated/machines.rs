//! The shipped machines.

/// Names and descriptions.
pub(super) const NAMES: [(&str, &str); 1] = [("zoo", include_str!("machines/zoo.toml"))];

/// The description of a shipped machine.
pub(super) fn text(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}
