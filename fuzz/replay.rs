//! Replays what fuzzing started from and what it found. The plain tests of each fuzzed package include this file.

use std::fs;
use std::path::Path;

/// Runs `body`, that of a fuzz target, on each file of `fuzz/corpus/<target>`.
#[track_caller]
pub(crate) fn replay(target: &str, body: fn(&[u8])) {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let folder =
        folders.find(|folder| folder.join("fuzz/corpus").is_dir()).expect("the corpora are kept");
    let mut count = 0;
    for entry in fs::read_dir(folder.join("fuzz/corpus").join(target)).expect("the corpus is kept")
    {
        let path = entry.expect("a file").path();
        body(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        count += 1;
    }
    assert!(count > 0, "no seeds of {target}");
}
