//! One MTProto session, as lean as a client can be that still does its duty.
//!
//! `mtproto::client` is the careful client of the tests. This one is for load: a message is written once into the packet
//! that will carry it, all that is due leaves in one packet a turn, and what is remembered of a request is what it takes to
//! send it again. It numbers, packs, acknowledges, follows salts and repeats what was refused, as clients must.

use std::collections::{HashMap, VecDeque};

use bytes::{BufMut as _, Bytes};
use crypto::AuthKey;
use mtproto::session::gzip;
use mtproto::{Buffer, MsgId, UnixTime, envelope};
use tl::mtproto::types;
use tl::{Cursor, Decode as _, DecodeError};

/// After how many messages an acknowledgement is sent that nothing else carries.
const ACK_COUNT: usize = 16;
/// Queued bytes that close a packet.
const PACKET_LEN: usize = 64 * 1024;
/// Packets whose contents are remembered until the server is known to accept them.
const PACKET_COUNT: usize = 64;

/// What a request was made for: whoever asks chooses the number.
pub(crate) type Tag = u64;

/// What came.
#[derive(Debug)]
pub(crate) enum Event {
    /// What `rpc_result` held, unpacked.
    Answer(Tag, Bytes),
    /// What was pushed.
    Update(Bytes),
    /// The `ping_id` of a `pong`.
    Pong(i64),
    /// The server refused a message for good, with this code.
    Refused(i32),
    /// A request that travelled alone was not accepted and has to be sent again.
    Again(Tag),
    /// The server closed the connection, or it broke.
    Closed,
    /// The exchange of this connection made a key.
    KeyMade(Box<mtproto::handshake::client::Done>),
    /// The server said this instead of a packet.
    TransportError(i32),
}

/// A request that has no answer yet.
#[derive(Debug)]
struct Pending {
    tag: Tag,
    /// `None` of what is too large to be kept: whoever asked can make it again.
    body: Option<Bytes>,
}

/// A session.
pub(crate) struct Session {
    pub(crate) key: AuthKey,
    pub(crate) salt: i64,
    session_id: i64,
    last_msg_id: i64,
    content_count: i32,
    /// Messages with their headers, as a container holds them.
    queue: Vec<u8>,
    queued_count: u32,
    first_queued: (i64, i32),
    /// Packets that are complete.
    ready: VecDeque<Buffer>,
    pending: HashMap<i64, Pending>,
    /// Of the last packets: their identifier, and the first and last of what is in them.
    packets: VecDeque<(i64, i64, i64)>,
    acks: Vec<i64>,
}

impl Session {
    pub(crate) fn new(key: AuthKey, salt: i64, session_id: i64) -> Self {
        Self {
            key,
            salt,
            session_id,
            last_msg_id: 0,
            content_count: 0,
            queue: Vec::new(),
            queued_count: 0,
            first_queued: (0, 0),
            ready: VecDeque::new(),
            pending: HashMap::new(),
            packets: VecDeque::new(),
            acks: Vec::new(),
        }
    }

    /// Queues a request.
    pub(crate) fn request(&mut self, now: UnixTime, tag: Tag, body: Bytes) {
        let msg_id = self.push(now, true, &body);
        self.pending.insert(msg_id, Pending { tag, body: Some(body) });
        if self.queue.len() >= PACKET_LEN {
            self.close_packet(now);
        }
    }

    /// Makes a large request a packet of its own, in which it is not copied, for sealing.
    pub(crate) fn request_alone(&mut self, now: UnixTime, tag: Tag, body: Buffer) -> Buffer {
        let (msg_id, seq_no) = self.number(now, true);
        self.pending.insert(msg_id, Pending { tag, body: None });
        self.finish_packet(body, msg_id, seq_no, (msg_id, msg_id))
    }

    /// How many bytes of messages wait to become a packet.
    pub(crate) const fn queued_len(&self) -> usize {
        self.queue.len()
    }

    /// Queues a service message.
    pub(crate) fn service(&mut self, now: UnixTime, body: &[u8]) {
        self.push(now, false, body);
    }

    /// Whether something has to be sent now.
    pub(crate) fn wants_transmit(&self) -> bool {
        self.queued_count > 0 || !self.ready.is_empty() || self.acks.len() >= ACK_COUNT
    }

    /// The next packet, for sealing.
    pub(crate) fn transmit(&mut self, now: UnixTime) -> Option<Buffer> {
        if self.ready.is_empty() && self.wants_transmit() {
            self.close_packet(now);
        }
        self.ready.pop_front()
    }

    /// Makes a packet of what is queued, and of the acknowledgements that are due.
    fn close_packet(&mut self, now: UnixTime) {
        if !self.acks.is_empty() {
            let acks = types::MsgsAck::new(std::mem::take(&mut self.acks));
            let body = tl::Encode::to_vec(&acks, tl::Layer::NEWEST);
            self.push(now, false, &body);
        }
        let inside = (self.first_queued.0, self.last_msg_id);
        let (packet, msg_id, seq_no) = if self.queued_count == 1 {
            let body = self.queue.get(ITEM_HEADER_LEN..).unwrap_or_default();
            (Buffer::from_body(body), self.first_queued.0, self.first_queued.1)
        } else {
            let (msg_id, seq_no) = self.number(now, false);
            let mut packet = Buffer::with_capacity(self.queue.len() + 8);
            packet.tail().put_u32_le(types::MsgContainer::ID);
            packet.tail().put_u32_le(self.queued_count);
            packet.tail().put_slice(&self.queue);
            (packet, msg_id, seq_no)
        };
        if self.queue.capacity() > 2 * PACKET_LEN {
            self.queue = Vec::new();
        }
        self.queue.clear();
        self.queued_count = 0;
        let packet = self.finish_packet(packet, msg_id, seq_no, inside);
        self.ready.push_back(packet);
    }

    fn finish_packet(
        &mut self,
        mut packet: Buffer,
        msg_id: i64,
        seq_no: i32,
        inside: (i64, i64),
    ) -> Buffer {
        self.packets.push_back((msg_id, inside.0, inside.1));
        if self.packets.len() > PACKET_COUNT {
            self.packets.pop_front();
        }
        let mut header = [0; 32];
        let len = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        header[..8].copy_from_slice(&self.salt.to_le_bytes());
        header[8..16].copy_from_slice(&self.session_id.to_le_bytes());
        header[16..24].copy_from_slice(&msg_id.to_le_bytes());
        header[24..28].copy_from_slice(&seq_no.to_le_bytes());
        header[28..].copy_from_slice(&len.to_le_bytes());
        packet.prepend(&header);
        packet
    }

    /// Takes a decrypted message.
    pub(crate) fn receive(
        &mut self,
        now: UnixTime,
        message: envelope::Message,
        mut out: impl FnMut(Event),
    ) -> Result<(), DecodeError> {
        let body = message.body.freeze();
        let mut input = Cursor::new(&body);
        if input.peek_id()? != types::MsgContainer::ID {
            return self.receive_one(now, message.msg_id.0, message.seq_no, body, &mut out);
        }
        input.u32()?;
        for _ in 0..input.u32()? {
            let (msg_id, seq_no, len) = (input.i64()?, input.i32()?, input.u32()?);
            let inner = body.slice_ref(input.take(len as usize)?);
            self.receive_one(now, msg_id, seq_no, inner, &mut out)?;
        }
        Ok(())
    }

    fn receive_one(
        &mut self,
        now: UnixTime,
        msg_id: i64,
        seq_no: i32,
        body: Bytes,
        out: &mut impl FnMut(Event),
    ) -> Result<(), DecodeError> {
        if seq_no & 1 == 1 {
            self.acks.push(msg_id);
        }
        let mut input = Cursor::new(&body);
        match input.peek_id()? {
            types::Pong::ID => out(Event::Pong(types::Pong::decode(&mut input)?.ping_id)),
            types::RpcResult::ID => {
                let result = types::RpcResult::decode(&mut input)?;
                if let Some(pending) = self.pending.remove(&result.req_msg_id) {
                    out(Event::Answer(pending.tag, unpacked(body.slice_ref(result.result.0))));
                }
            }
            types::NewSessionCreated::ID => {
                self.salt = types::NewSessionCreated::decode(&mut input)?.server_salt;
            }
            types::BadServerSalt::ID => {
                let bad = types::BadServerSalt::decode(&mut input)?;
                self.salt = bad.new_server_salt;
                self.again(now, bad.bad_msg_id, out);
            }
            types::BadMsgNotification::ID => {
                let bad = types::BadMsgNotification::decode(&mut input)?;
                match bad.error_code {
                    16 | 17 | 20 | 32 | 33 => self.again(now, bad.bad_msg_id, out),
                    code => out(Event::Refused(code)),
                }
            }
            _ if seq_no & 1 == 1 => out(Event::Update(unpacked(body))),
            _ => {}
        }
        Ok(())
    }

    /// Sends again what was in a packet or message that was refused.
    fn again(&mut self, now: UnixTime, refused: i64, out: &mut impl FnMut(Event)) {
        let packet = self.packets.iter().find(|(msg_id, ..)| *msg_id == refused);
        let (first, last) = packet.map_or((refused, refused), |(_, first, last)| (*first, *last));
        let ids = self.pending.keys().copied().filter(|id| (first..=last).contains(id));
        let mut ids: Vec<_> = ids.collect();
        ids.sort_unstable();
        for pending in ids.iter().filter_map(|id| self.pending.remove(id)).collect::<Vec<_>>() {
            match pending.body {
                Some(body) => self.request(now, pending.tag, body),
                None => out(Event::Again(pending.tag)),
            }
        }
    }

    fn push(&mut self, now: UnixTime, is_content: bool, body: &[u8]) -> i64 {
        let (msg_id, seq_no) = self.number(now, is_content);
        if self.queued_count == 0 {
            self.first_queued = (msg_id, seq_no);
        }
        self.queue.put_i64_le(msg_id);
        self.queue.put_i32_le(seq_no);
        self.queue.put_u32_le(u32::try_from(body.len()).unwrap_or(u32::MAX));
        self.queue.put_slice(body);
        self.queued_count += 1;
        msg_id
    }

    fn number(&mut self, now: UnixTime, is_content: bool) -> (i64, i32) {
        self.last_msg_id = (MsgId::at(now).0 | 4).max(self.last_msg_id + 4);
        let seq_no = self.content_count * 2 + i32::from(is_content);
        self.content_count += i32::from(is_content);
        (self.last_msg_id, seq_no)
    }
}

/// Bytes before a message in a container.
const ITEM_HEADER_LEN: usize = 16;

/// What is inside, if it is compressed.
fn unpacked(body: Bytes) -> Bytes {
    match Cursor::new(&body).peek_id() {
        Ok(gzip::ID) => gzip::unpack(&body).unwrap_or_default(),
        _ => body,
    }
}
