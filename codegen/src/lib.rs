//! Baudot's TL compiler: schema text in, Rust text out. Build-time only.
//!
//! ```text
//! text --parse--> definitions --model--> resolved types --emit--> Rust
//! ```
//!
//! Everything is a function from text to text; only [`read`] touches files. `tests/golden/` shows what each form of TL becomes.
//!
//! # Annotations
//!
//! Lines of a definition's comment that start with `@`:
//!
//! | annotation | at | meaning |
//! |---|---|---|
//! | `@until N` | an old shape | the last published layer that has it; sessions up to it are sent this shape |
//! | `@superseded` | an old shape | is read for good and never written: records and operations, which know no layers |
//! | `@since N` | the newest shape | the first layer that has anything of this name; older ones are never sent it |
//! | `@rule` | an old shape | `crate::upgrade::<name>_<id>` makes the newest struct of it |
//! | `@rule FIELD…` | an old shape | `crate::downgrade::<name>_<field>` gives these fields when it is written |
//! | `@drop FIELD…` | an old shape | these fields are deliberately ignored when it is read |
//! | `@id-of TEXT` | any | the id is the CRC32 of `TEXT`, not of the line |
//! | `@pushed` | a constructor | is sent though no function answers it |
//! | `@access`, `@cost`, `@read`, `@write` | a function | for the dispatch: see [`emit::dispatch`] |
//!
//! # Versions of what is stored
//!
//! The id of a constructor is its version. To change a record, write the new shape under the same name and put `@superseded`
//! above the old one:
//!
//! ```text
//! // A row as it is now.
//! row#24b0e6e9 flags:# name:string data:bytes note:flags.0?string = Row;
//!
//! // Was written before notes.
//! // @superseded
//! row#aa35ab41 name:string = Row;
//! ```
//!
//! Bytes that start with either id decode into the newest struct. Fields of one name and type carry over, what the old shape
//! lacks is absent, 0, empty or false, and the build fails where that cannot be said (`@rule`, `@drop`). The same holds for
//! operations, which wait encoded in outboxes.

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
