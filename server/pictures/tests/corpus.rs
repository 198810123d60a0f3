//! Replays what fuzzing started from and what it found, through the bodies of the fuzz targets.

#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
#[path = "../../../fuzz/src/image.rs"]
mod bodies;

use std::fs;
use std::path::Path;

/// Runs `body` on each file of `fuzz/corpus/<target>`.
#[track_caller]
fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the corpus is kept") {
        let path = entry.expect("a file").path();
        body(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        count += 1;
    }
    assert!(count > 0, "no seeds of {target}");
}

#[test]
fn image() {
    replay("image", bodies::picture);
}
