//! Replays what fuzzing started from and what it found, through the bodies of the fuzz targets.

#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
#[path = "../../../fuzz/src/operations.rs"]
mod bodies;
#[path = "../../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn operations() {
    replay("operations", bodies::operations);
}
