//! Replays what fuzzing started from and what it found, through the bodies of the fuzz targets.

#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
#[path = "../../fuzz/src/convert.rs"]
mod bodies;
#[path = "../../fuzz/replay.rs"]
mod replay;
#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
#[path = "../../fuzz/src/wrappers.rs"]
mod wrapping;

use replay::replay;

#[test]
fn attributes() {
    replay("attributes", bodies::attributes);
}

#[test]
fn records() {
    replay("records", bodies::stored);
}

#[test]
fn wrappers() {
    replay("wrappers", wrapping::wrappers);
}
