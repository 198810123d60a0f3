//! Replays what fuzzing of the codecs and of the compiler started from and what it found.

#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
#[path = "../../fuzz/src/tl.rs"]
mod bodies;
#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn tl_decode() {
    replay("tl_decode", bodies::decode);
}

#[test]
fn tl_parse() {
    replay("tl_parse", bodies::parse);
}
