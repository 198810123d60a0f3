//! Unencrypted queries, and auth keys made with them.

use bytes::BytesMut;
use mtproto::envelope::{open_plain, seal_plain};
use mtproto::handshake::client::{Client, Config, Done, Next};
use mtproto::{Buffer, MsgId};
use rand_chacha::ChaCha20Rng;

use super::{Connection, Heard, now};

/// Sends an unencrypted query.
pub(crate) async fn send(connection: &mut Connection, body: &[u8]) {
    let packet = seal_plain(MsgId::at(now()), Buffer::from_body(body));
    connection.send(packet.as_slice(), false).await;
}

/// Sends an unencrypted query and waits for the answer, or for what comes in its place.
pub(crate) async fn ask(connection: &mut Connection, body: &[u8]) -> Result<BytesMut, Heard> {
    send(connection, body).await;
    match connection.hear().await {
        Heard::Packet(packet) => {
            let plain = open_plain(packet).expect("the server answers unencrypted");
            assert_eq!(plain.msg_id.0 & 3, 1, "an answer's identifier");
            Ok(plain.body)
        }
        other => Err(other),
    }
}

/// Makes an auth key.
///
/// # Errors
///
/// What the server said instead of an answer.
pub(crate) async fn make_key(
    connection: &mut Connection,
    config: Config,
    rng: &mut ChaCha20Rng,
) -> Result<Done, Heard> {
    make_key_with(connection, config, rng, |_, _| {}).await
}

/// As [`make_key`], with a hand in each query before it is sent: its number, from 0, and its bytes.
pub(crate) async fn make_key_with(
    connection: &mut Connection,
    config: Config,
    rng: &mut ChaCha20Rng,
    mut tamper: impl FnMut(usize, &mut Vec<u8>),
) -> Result<Done, Heard> {
    let (mut client, mut query) = Client::start(config, rng);
    for step in 0.. {
        let mut body = query.as_slice().to_vec();
        tamper(step, &mut body);
        let answer = ask(connection, &body).await?;
        match client.handle(&answer, rng).expect("the server's answers are right") {
            Next::Send(next, body) => (client, query) = (next, body),
            Next::Done(done) => return Ok(done),
        }
    }
    unreachable!("exchanges end")
}
