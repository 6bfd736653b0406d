//! Finding a register by its names.

use super::{PlacedRegister, RegisterMap, Structure};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Why a name leads to no register.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// The function has no structure of this name.
    #[error("the function has no {structure:?}; it has {}", .present.join(", "))]
    NoStructure {
        /// The name that was asked for.
        structure: String,
        /// What there is.
        present: Vec<String>,
    },
    /// It has several of this name.
    #[error("the function has several of {structure:?}: say which, {}", .present.join(" or "))]
    Ambiguous {
        /// The name that was asked for.
        structure: String,
        /// The names with their places.
        present: Vec<String>,
    },
    /// The structure has no register of this name, or none that can be read.
    #[error("{structure} has no register {register:?} that can be read; it has {}", .present.join(", "))]
    NoRegister {
        /// The structure.
        structure: Structure,
        /// The name that was asked for.
        register: String,
        /// What there is.
        present: Vec<String>,
    },
    /// The register has no field of this name.
    #[error("{register} of {structure} has no field {field:?}; it has {}", fields(.present))]
    NoField {
        /// The structure.
        structure: Structure,
        /// The register's name.
        register: String,
        /// The name that was asked for.
        field: String,
        /// What there is.
        present: Vec<String>,
    },
}

fn fields(names: &[String]) -> String {
    if names.is_empty() { "none: it is one number".to_string() } else { names.join(", ") }
}

impl RegisterMap {
    /// The register of this name, as people write it: `("PCI Express", "Device Control")`.
    ///
    /// The structure is `header`, the specification's name of a capability, the abbreviation that
    /// follows it in brackets (`AER`), or any of these with the place, `Vendor Specific at 0a0`. Of a
    /// list's registers the name has a number: `VC Resource Control [1]`. Capitals and small letters are
    /// the same.
    ///
    /// # Errors
    /// [`FindError`] if there is none, or if the structure is one of several; it says what there is.
    pub fn find(&self, structure: &str, register: &str) -> Result<&PlacedRegister, FindError> {
        let structure = self.structure(structure)?;
        self.of(structure)
            .find(|placed| placed.name().is(register))
            .ok_or_else(|| self.no_register(structure, register.to_string()))
    }

    pub(super) fn no_register(&self, structure: Structure, register: String) -> FindError {
        let present = self.of(structure).map(|placed| placed.name().to_string()).collect();
        FindError::NoRegister { structure, register, present }
    }

    pub(super) fn no_structure(&self, structure: String) -> FindError {
        FindError::NoStructure { structure, present: self.all().map(Structure::name).collect() }
    }

    /// The header and the capabilities.
    fn all(&self) -> impl Iterator<Item = Structure> + Clone {
        core::iter::once(Structure::Header).chain(self.structures.iter().copied())
    }

    /// The structure of this name; see [`find`](Self::find).
    ///
    /// # Errors
    /// [`FindError`] if there is none, or if it is one of several.
    pub fn structure(&self, name: &str) -> Result<Structure, FindError> {
        let mut found = self.all().filter(|structure| is_called(*structure, name));
        match (found.next(), found.next()) {
            (Some(structure), None) => Ok(structure),
            (None, _) => Err(self.no_structure(name.to_string())),
            (Some(first), Some(second)) => Err(FindError::Ambiguous {
                structure: name.to_string(),
                present: [first, second].into_iter().chain(found).map(|one| one.to_string()).collect(),
            }),
        }
    }
}

/// Whether a structure may be called so.
fn is_called(structure: Structure, name: &str) -> bool {
    let Some((name, place)) = name.rsplit_once(" at ") else { return has_name(structure, name) };
    u16::from_str_radix(place, 16) == Ok(structure.offset()) && has_name(structure, name)
}

fn has_name(structure: Structure, name: &str) -> bool {
    match structure.known_name() {
        None => structure.name().eq_ignore_ascii_case(name),
        Some(known) => {
            let (long, short) = match known.strip_suffix(')').and_then(|known| known.rsplit_once(" (")) {
                Some((long, short)) => (long, short),
                None => (known, known),
            };
            [known, long, short].iter().any(|known| known.eq_ignore_ascii_case(name))
        }
    }
}
