//! Replays what fuzzing started from and what it found, through the bodies of the fuzz targets.

#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
#[path = "../../../fuzz/src/mtproto.rs"]
mod bodies;
#[path = "../../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn envelope() {
    replay("envelope", bodies::envelope);
}

#[test]
fn handshake() {
    replay("handshake", bodies::handshake);
}

#[test]
fn session() {
    replay("session", bodies::session);
}

#[test]
fn gzip() {
    replay("gzip", bodies::gzip);
}
