//! Encrypted messages, each field of their header chosen by hand.

use bytes::Bytes;
use crypto::{AuthKey, Side};
use mtproto::envelope::{self, PADDING_RANDOM_LEN};
use mtproto::{Buffer, MsgId};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use tl::mtproto::types;
use tl::{Cursor, Decode, Encode, Layer};

use super::client::{RpcError, unpacked};
use super::{Connection, Heard, now, random_id, rng};

/// What stands before a message's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) salt: i64,
    pub(crate) session_id: i64,
    pub(crate) msg_id: i64,
    pub(crate) seq_no: i32,
}

/// A message of the server, taken out of its container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) msg_id: i64,
    pub(crate) seq_no: i32,
    pub(crate) body: Bytes,
}

/// A session without any care: it sends what it is told, and says what it gets.
pub(crate) struct Raw {
    pub(crate) connection: Connection,
    pub(crate) auth_key: AuthKey,
    pub(crate) salt: i64,
    pub(crate) session_id: i64,
    last_msg_id: i64,
    first_msg_id: i64,
    content_count: i32,
    inbox: Vec<Received>,
    rng: ChaCha20Rng,
}

impl Raw {
    /// A fresh session of a key.
    pub(crate) fn new(connection: Connection, auth_key: AuthKey, salt: i64) -> Self {
        let mut rng = rng();
        let session_id = random_id(&mut rng);
        Self {
            connection,
            auth_key,
            salt,
            session_id,
            last_msg_id: 0,
            first_msg_id: 0,
            content_count: 0,
            inbox: Vec::new(),
            rng,
        }
    }

    /// An identifier, as good as any.
    pub(crate) fn msg_id(&mut self) -> i64 {
        self.last_msg_id = MsgId::at(now()).0.max(self.last_msg_id + 4);
        if self.first_msg_id == 0 {
            self.first_msg_id = self.last_msg_id;
        }
        self.last_msg_id
    }

    /// The first identifier that was given.
    pub(crate) const fn first_id(&self) -> i64 {
        self.first_msg_id
    }

    /// A number, right for a message that wants (`content`) an acknowledgement.
    pub(crate) fn seq_no(&mut self, content: bool) -> i32 {
        let seq_no = self.content_count * 2 + i32::from(content);
        self.content_count += i32::from(content);
        seq_no
    }

    /// A header without fault.
    pub(crate) fn header(&mut self, content: bool) -> Header {
        let (msg_id, seq_no) = (self.msg_id(), self.seq_no(content));
        Header { salt: self.salt, session_id: self.session_id, msg_id, seq_no }
    }

    /// The packet of a message.
    pub(crate) fn seal(&mut self, header: Header, body: &[u8]) -> Vec<u8> {
        let length = i32::try_from(body.len()).expect("messages are short");
        let Header { salt, session_id, msg_id, seq_no } = header;
        let mut plain = Vec::new();
        plain.extend_from_slice(&salt.to_le_bytes());
        plain.extend_from_slice(&session_id.to_le_bytes());
        plain.extend_from_slice(&msg_id.to_le_bytes());
        plain.extend_from_slice(&seq_no.to_le_bytes());
        plain.extend_from_slice(&length.to_le_bytes());
        plain.extend_from_slice(body);
        self.seal_plaintext(&plain)
    }

    /// The packet of any plaintext.
    pub(crate) fn seal_plaintext(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let mut random = [0; PADDING_RANDOM_LEN];
        self.rng.fill_bytes(&mut random);
        let mut packet = Buffer::from_body(plaintext);
        envelope::seal(&self.auth_key, Side::Client, &mut packet, &random).expect("it is sealed");
        packet.as_slice().to_vec()
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, header: Header, body: &[u8]) {
        let packet = self.seal(header, body);
        self.connection.send(&packet, false).await;
    }

    /// Sends a message that wants an answer, without fault; its identifier.
    pub(crate) async fn request(&mut self, body: &impl Encode) -> i64 {
        let header = self.header(true);
        self.send(header, &body.to_vec(Layer::NEWEST)).await;
        header.msg_id
    }

    /// What comes next: a message, or what else the transport says.
    pub(crate) async fn hear(&mut self) -> Result<Received, Heard> {
        while self.inbox.is_empty() {
            let packet = match self.connection.hear().await {
                Heard::Packet(packet) => packet,
                other => return Err(other),
            };
            let message = envelope::open(&self.auth_key, Side::Server, packet)
                .expect("the server's packets open")
                .message;
            assert_eq!(message.session_id, self.session_id, "the server keeps sessions apart");
            let body = message.body.freeze();
            let (msg_id, seq_no) = (message.msg_id.0, message.seq_no);
            take_apart(Received { msg_id, seq_no, body }, &mut self.inbox);
            self.inbox.reverse();
        }
        Ok(self.inbox.pop().expect("it is not empty"))
    }

    /// The next message that `pick` takes; others are passed over. Panics at the end of the connection.
    pub(crate) async fn wait<T>(&mut self, mut pick: impl FnMut(&Received) -> Option<T>) -> T {
        loop {
            let message = self.hear().await.expect("the server keeps the connection");
            if let Some(picked) = pick(&message) {
                return picked;
            }
        }
    }

    /// The next message that decodes as `T`.
    pub(crate) async fn wait_for<T: for<'a> Decode<'a>>(&mut self) -> T {
        self.wait(|message| T::from_bytes(&message.body).ok()).await
    }

    /// The result of the request `msg_id`, unpacked.
    pub(crate) async fn result(&mut self, msg_id: i64) -> Result<Bytes, RpcError> {
        let body = self.wait(|message| result_of(message, msg_id)).await;
        RpcError::check(body)
    }

    /// The end of the connection, and the transport error before it; messages until then are passed over.
    pub(crate) async fn closed(&mut self) -> Option<i32> {
        let mut code = None;
        loop {
            match self.hear().await {
                Ok(_) => {}
                Err(Heard::Error(error)) => code = Some(error),
                Err(Heard::Closed) => return code,
                Err(Heard::QuickAck(_) | Heard::Packet(_)) => {}
            }
        }
    }
}

/// The result in a message, if it is that of the request `msg_id`.
pub(crate) fn result_of(message: &Received, msg_id: i64) -> Option<Bytes> {
    let result = types::RpcResult::from_bytes(&message.body).ok()?;
    (result.req_msg_id == msg_id).then(|| unpacked(message.body.slice_ref(result.result.0)))
}

fn take_apart(message: Received, into: &mut Vec<Received>) {
    let mut input = Cursor::new(&message.body);
    if input.u32() != Ok(types::MsgContainer::ID) {
        into.push(message);
        return;
    }
    for _ in 0..input.u32().expect("a container has a count") {
        let msg_id = input.i64().expect("messages have identifiers");
        let seq_no = input.i32().expect("messages have numbers");
        let len = input.u32().expect("messages have lengths");
        let body = input.take(len as usize).expect("messages have bodies");
        into.push(Received { msg_id, seq_no, body: message.body.slice_ref(body) });
    }
}

/// A container of messages, as its body has it.
pub(crate) fn container(messages: &[(i64, i32, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::from(types::MsgContainer::ID.to_le_bytes());
    body.extend_from_slice(&u32::try_from(messages.len()).expect("few").to_le_bytes());
    for (msg_id, seq_no, inner) in messages {
        body.extend_from_slice(&msg_id.to_le_bytes());
        body.extend_from_slice(&seq_no.to_le_bytes());
        body.extend_from_slice(&u32::try_from(inner.len()).expect("short").to_le_bytes());
        body.extend_from_slice(inner);
    }
    body
}

/// The constructor at the beginning of a body.
pub(crate) fn id_of(body: &[u8]) -> u32 {
    Cursor::new(body).u32().expect("a body has an id")
}
