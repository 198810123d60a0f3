//! Replays what fuzzing of the codecs and of the compiler started from and what it found.

#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
#[path = "../../fuzz/src/tl.rs"]
mod bodies;

use std::fs;
use std::path::Path;

/// Runs `body` on each file of `fuzz/corpus/<target>`.
#[track_caller]
fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the corpus is kept") {
        let path = entry.expect("a file").path();
        body(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        count += 1;
    }
    assert!(count > 0, "no seeds of {target}");
}

#[test]
fn tl_decode() {
    replay("tl_decode", bodies::decode);
}

#[test]
fn tl_parse() {
    replay("tl_parse", bodies::parse);
}
