//! Replays what fuzzing started from and what it found, through the bodies of the fuzz targets.

#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
#[path = "../../../../fuzz/src/transport.rs"]
mod bodies;
#[path = "../../../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn transport() {
    replay("transport", bodies::connection);
}

#[test]
fn websocket() {
    replay("websocket", bodies::websocket);
}
