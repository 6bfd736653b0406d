//! TOML files of ours and of the user: read with the place of whatever is wrong in them.

use crate::error::{Error, Result};
use serde::de::DeserializeOwned;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Reads a value from a file's text.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, file: &Path) -> Result<T> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        at_offset(text, file, at, error.message().to_string())
    })
}

/// What to say of a value that TOML allows and its meaning does not.
pub(crate) fn malformed<T>(text: &str, file: &Path, value: &toml::Spanned<T>, message: String) -> Error {
    let Range { start, .. } = value.span();
    at_offset(text, file, start, message)
}

fn at_offset(text: &str, file: &Path, offset: usize, message: String) -> Error {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    Error::Malformed { file: file.to_path_buf(), line, column, message }
}

/// The `*.toml` files of a directory with their texts, by name; none if there is no such directory.
pub(crate) fn read_directory(directory: &Path) -> Result<Vec<(PathBuf, String)>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::read(directory, error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| Error::read(directory, error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) => Err(Error::read(&path, error)),
    };
    paths.into_iter().map(read).collect()
}
