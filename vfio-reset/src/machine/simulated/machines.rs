//! The shipped machines.

/// Names and descriptions.
pub(super) const NAMES: [(&str, &str); 7] = [
    ("zoo", include_str!("machines/zoo.toml")),
    ("broken", include_str!("machines/broken.toml")),
    ("f4-424-pro", include_str!("machines/f4-424-pro.toml")),
    ("um880pro", include_str!("machines/um880pro.toml")),
    ("elysium", include_str!("machines/elysium.toml")),
    ("x870e-creator", include_str!("machines/x870e-creator.toml")),
    ("radeons", include_str!("machines/radeons.toml")),
];

/// The description of a shipped machine.
pub(super) fn text(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}
