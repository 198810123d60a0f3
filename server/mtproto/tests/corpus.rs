//! Replays what fuzzing started from and what it found, through the bodies of the fuzz targets.

#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
#[path = "../../../fuzz/src/mtproto.rs"]
mod bodies;
#[path = "../../../fuzz/replay.rs"]
mod replay;
#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
#[path = "../../../fuzz/src/session.rs"]
mod session_body;

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
    replay("session", session_body::session);
}

#[test]
fn gzip() {
    replay("gzip", bodies::gzip);
}
