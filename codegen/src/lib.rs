//! Baudot's TL compiler: schema text in, Rust text out. Build-time only.
//!
//! ```text
//! text --parse--> definitions --model--> resolved types --emit--> Rust
//! ```
//!
//! Everything is a function from text to text; only [`read`] touches files.

pub mod emit;
pub mod model;
pub mod names;
pub mod parse;

use std::path::{Path, PathBuf};

use parse::{Definition, Error};

/// Reads and parses `.tl` files; a folder stands for all in it, in the order of their names.
///
/// # Errors
///
/// What [`parse::parse`] says, or that a file cannot be read.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Definition>, Error> {
    let mut definitions = Vec::new();
    for path in paths {
        for file in files(path)? {
            let name = file.to_string_lossy();
            let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
            definitions.extend(parse::parse(&name, &text)?);
        }
    }
    Ok(definitions)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let file = entry.map_err(|error| unreadable(path, &error))?.path();
        if file.extension().is_some_and(|extension| extension == "tl") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let message = format!("failed to read: {error}");
    Error { file: path.to_string_lossy().into_owned(), line: 1, column: 1, message }
}
