//! One connection: a socket, its transport, and what waits to be written to it.
//!
//! It holds no buffer while nothing happens: the read buffer is made when bytes arrive and dropped when all of
//! them were taken.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    io,
    net::SocketAddr,
    os::fd::AsFd as _,
    rc::Rc,
    sync::Arc,
    task::Poll,
};

use bytes::{Buf as _, BufMut as _, BytesMut};
use crypto::Side;
use mtproto::{
    UnixTime,
    envelope::{self, Kind, PlainIds},
    handshake::server::Handshakes,
    session::ConnId,
    transport::{Output, Packet, ServerConfig, ServerTransport},
};
use storage::limits::LARGE_ADDRESS_ALIGNMENT;
use tokio::{io::Interest, net::TcpStream};

use super::{
    Login,
    command::{Command, ShardHandle},
    listen::Admitted,
    live::{Live, LiveId},
    room::Room,
    shard::Shard,
    unopened::Unopened,
    wake::Wake,
};
use crate::limits;

/// A malformed or unknown packet: the connection ends with it.
pub(super) const NOT_FOUND: i32 = -404;
/// Too much of something.
pub(super) const FLOOD: i32 = -429;

/// A connection on its way to another shard, with the packet that says so and what was read behind it.
pub(crate) struct Handoff {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    admitted: Admitted,
    transport: ServerTransport,
    config: Arc<ServerConfig>,
    input: BytesMut,
    out: Output,
    packet: Packet,
    count: u8,
}

/// A connection, on the one thread that owns it.
pub(super) struct Connection {
    pub(super) id: ConnId,
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    admitted: Cell<Option<Admitted>>,
    config: Arc<ServerConfig>,
    pub(super) transport: RefCell<ServerTransport>,
    pub(super) handshakes: RefCell<Option<Box<Handshakes>>>,
    pub(super) plain_ids: RefCell<PlainIds>,
    /// What waits to be written.
    pub(super) out: RefCell<Output>,
    /// Wakes the task that reads, to look at `out` and `closing`.
    pub(super) wake: Wake,
    /// Whether it ends once `out` is written.
    pub(super) closing: Cell<bool>,
    /// The sessions that use it.
    pub(super) sessions: RefCell<Vec<LiveId>>,
    /// When bytes last came; until a whole packet came: when it was opened.
    pub(super) heard: Cell<UnixTime>,
    pub(super) has_packet: Cell<bool>,
    /// Whether so much waits that its sessions give it no more.
    pub(super) full: Cell<bool>,
    /// Since when the socket takes hardly anything of what keeps the connection from going on.
    pub(super) stuck_since: Cell<Option<UnixTime>>,
    /// How many bytes it took since then.
    pub(super) taken: Cell<usize>,
    /// The bytes of requests that run.
    asked: Cell<usize>,
    /// How many requests run.
    running: Cell<usize>,
    /// Whether its sessions may have much for it.
    pub(super) crowded: Cell<bool>,
    /// Whether nothing more is read because of what runs and what waits.
    pub(super) held: Cell<bool>,
    /// What answers with much in them wait for.
    pub(super) room: Room,
    /// How much room it keeps for a packet that is not whole, how much of that has come, and since when.
    pub(super) kept: Cell<usize>,
    kept_len: Cell<usize>,
    pub(super) kept_since: Cell<UnixTime>,
    /// How many of its packets wait to be opened together with others.
    pub(super) unopened: Cell<u16>,
    /// Whether the flush that runs has put something into `out`.
    pub(super) touched: Cell<bool>,
    handoffs: u8,
}

/// What a connection waited for; `false` if the socket is broken.
enum Ready {
    Read(bool),
    Write(bool),
    Woken,
}

/// What became of a packet.
enum Next {
    /// Go on.
    Continue,
    /// The connection lives on another shard now.
    Moved,
}

impl Connection {
    /// Takes a fresh socket.
    pub(super) fn open(
        shard: &Rc<Shard>,
        stream: TcpStream,
        peer: SocketAddr,
        admitted: Admitted,
        config: Arc<ServerConfig>,
    ) {
        // A message is written at once, whole: waiting for more would only delay it.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let transport = ServerTransport::new(Arc::clone(&config));
        let connection =
            Self::new(shard, stream, peer, admitted, config, transport, Output::default(), 0);
        tokio::task::spawn_local(connection.run(Rc::clone(shard), BytesMut::new(), None));
    }

    /// Takes a connection from another shard.
    pub(super) fn take_over(shard: &Rc<Shard>, handoff: Handoff) {
        let Handoff { stream, peer, admitted, transport, config, input, out, packet, count } =
            handoff;
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was lost on its way to its shard");
                return;
            }
        };
        let connection = Self::new(shard, stream, peer, admitted, config, transport, out, count);
        connection.has_packet.set(true);
        tokio::task::spawn_local(connection.run(Rc::clone(shard), input, Some(packet)));
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one value, from two places")]
    fn new(
        shard: &Rc<Shard>,
        stream: TcpStream,
        peer: SocketAddr,
        admitted: Admitted,
        config: Arc<ServerConfig>,
        transport: ServerTransport,
        out: Output,
        handoffs: u8,
    ) -> Rc<Self> {
        let connection = Rc::new(Self {
            id: shard.conn_id(),
            stream,
            peer,
            admitted: Cell::new(Some(admitted)),
            config,
            transport: RefCell::new(transport),
            handshakes: RefCell::new(None),
            plain_ids: RefCell::new(PlainIds::default()),
            out: RefCell::new(out),
            wake: Wake::default(),
            closing: Cell::new(false),
            sessions: RefCell::new(Vec::new()),
            heard: Cell::new(shard.now()),
            has_packet: Cell::new(false),
            full: Cell::new(false),
            stuck_since: Cell::new(None),
            taken: Cell::new(0),
            asked: Cell::new(0),
            running: Cell::new(0),
            crowded: Cell::new(false),
            held: Cell::new(false),
            room: Room::default(),
            kept: Cell::new(0),
            kept_len: Cell::new(0),
            kept_since: Cell::new(shard.now()),
            unopened: Cell::new(0),
            touched: Cell::new(false),
            handoffs,
        });
        shard.connections.borrow_mut().insert(connection.id, Rc::clone(&connection));
        connection
    }

    /// Reads and handles packets until the connection ends.
    async fn run(self: Rc<Self>, shard: Rc<Shard>, mut input: BytesMut, first: Option<Packet>) {
        let moved = match first {
            Some(packet) => matches!(self.handle(&shard, packet, &mut input), Next::Moved),
            None => false,
        };
        if !moved {
            self.read_on(&shard, &mut input).await;
        }
        self.keep(&shard, &BytesMut::new());
        if self.unopened.get() > 0 {
            shard.open_now();
        }
        shard.connections.borrow_mut().remove(&self.id);
        let now = shard.now();
        for id in self.sessions.take() {
            if let Some(live) = shard.find_session(id) {
                live.session.borrow_mut().detach(now, self.id);
                shard.poll_events(&live);
                // What went out here and nobody acknowledged goes to another connection, if there is one already.
                shard.mark(&live);
            }
        }
    }

    async fn read_on(self: &Rc<Self>, shard: &Rc<Shard>, input: &mut BytesMut) {
        loop {
            if matches!(self.take_packets(shard, input), Next::Moved) {
                return;
            }
            if input.is_empty() {
                // Nothing is kept for a connection that says nothing, and little for one that says little.
                *input = BytesMut::new();
            } else if input.len() <= limits::PARTIAL_LEN_MAX {
                *input = BytesMut::from(&input[..]);
            }
            self.keep(shard, input);
            let was_held = !self.takes_requests(shard);
            self.held.set(was_held);
            let has_output = !self.try_write();
            self.resume(shard);
            if self.closing.get() && !has_output {
                return;
            }
            if was_held && self.takes_requests(shard) && !self.closing.get() {
                // Packets may be left in `input`.
                continue;
            }
            let goes_on = match self.next(self.reads(shard), has_output).await {
                Ready::Read(ready) => ready && self.read(shard, input),
                Ready::Write(ready) => ready,
                Ready::Woken => true,
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Counts what is kept for a packet that is not whole: all its room, which may be more than has come.
    fn keep(&self, shard: &Shard, input: &BytesMut) {
        let len_before = self.kept_len.replace(input.len());
        let room = if input.is_empty() { 0 } else { input.capacity() };
        let before = self.kept.replace(room);
        if (len_before, before) == (input.len(), room) {
            return;
        }
        if len_before == 0 || input.len() < len_before {
            self.kept_since.set(self.heard.get());
        }
        shard.kept.set((shard.kept.get() + room).saturating_sub(before));
        if shard.kept.get() > limits::PARTIALS_LEN_MAX {
            shard.close_slowest();
        }
    }

    /// Waits for what there is to do. Every connection is in here most of its life, so that this keeps next to nothing: the
    /// socket and the waker have room of their own for the one task that waits.
    fn next(&self, reads: bool, writes: bool) -> impl Future<Output = Ready> {
        poll_fn(move |cx| {
            if reads && let Poll::Ready(ready) = self.stream.poll_read_ready(cx) {
                return Poll::Ready(Ready::Read(ready.is_ok()));
            }
            if writes && let Poll::Ready(ready) = self.stream.poll_write_ready(cx) {
                return Poll::Ready(Ready::Write(ready.is_ok()));
            }
            self.wake.poll(cx).map(|()| Ready::Woken)
        })
    }

    /// Whether more is read: not while too much of what came is being worked on, nor while what was answered is not taken. The
    /// peer's socket fills then.
    fn reads(&self, shard: &Shard) -> bool {
        !self.closing.get() && !shard.stopping.get() && self.takes_requests(shard)
    }

    /// Whether it may have more requests: on a busy shard it has its share, so that whoever asks for little is served soon.
    pub(super) fn takes_requests(&self, shard: &Shard) -> bool {
        let share = if shard.is_busy() { limits::REQUESTS_READ_BUSY_MAX } else { usize::MAX };
        self.asked.get() < limits::REQUESTS_LEN_MAX
            && self.running.get() < share
            && !self.has_enough_to_take(shard)
    }

    /// A request of `len` bytes begins to run.
    pub(super) fn request_begins(&self, len: usize) {
        self.asked.set(self.asked.get() + len);
        self.running.set(self.running.get() + 1);
    }

    /// A request that runs becomes longer by `len` bytes; false if that is too much.
    pub(super) fn request_grows(&self, len: usize) -> bool {
        let fits = self.asked.get() < limits::REQUESTS_LEN_MAX;
        if fits {
            self.asked.set(self.asked.get() + len);
        }
        fits
    }

    /// A request of `len` bytes has ended.
    pub(super) fn request_ended(&self, len: usize) {
        let (asked, running) = (self.asked.get(), self.running.get());
        self.asked.set(asked.saturating_sub(len));
        self.running.set(running.saturating_sub(1));
        if asked >= limits::REQUESTS_LEN_MAX || running == limits::REQUESTS_READ_BUSY_MAX {
            self.wake.notify_one();
        }
    }

    /// Reads what the socket has, up to a bound; `false` at its end.
    fn read(&self, shard: &Shard, input: &mut BytesMut) -> bool {
        // The rest of a large packet is read by itself: it gets all the room it needs, and nothing of it or of the next one
        // has to be moved later.
        let missing = self.transport.borrow().missing();
        // Some of it has to be there: what is announced alone gets no room.
        let is_long = input.len() >= limits::READ_LEN;
        let is_large = is_long && missing > 0 && input.len() + missing >= limits::LARGE_PACKET_LEN;
        if is_large {
            let spare = input.capacity() - input.len();
            if spare < missing.min(limits::READ_LEN) {
                // As much again at least, so that what is longer than parts are is not moved with every read.
                let room = missing.min(limits::READ_LONG_LEN.max(input.len()));
                *input = placed(input, room, shard.next_place());
            }
        } else {
            input.reserve(if is_long { limits::READ_LONG_LEN } else { limits::READ_LEN });
        }
        let room = input.capacity() - input.len();
        let room = if is_large { room.min(missing) } else { room };
        match self.stream.try_read_buf(&mut input.limit(room)) {
            Ok(0) => false,
            Ok(read) => {
                if read < room {
                    // That was all: it is not asked again before the system says that there is more.
                    let _ = self.stream.try_io(Interest::READABLE, || -> io::Result<()> {
                        Err(io::ErrorKind::WouldBlock.into())
                    });
                }
                if self.has_packet.get() {
                    self.heard.set(shard.now());
                }
                true
            }
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Handles all whole packets of `input`.
    fn take_packets(self: &Rc<Self>, shard: &Rc<Shard>, input: &mut BytesMut) -> Next {
        while !self.closing.get() && self.takes_requests(shard) {
            let next = self.transport.borrow_mut().next_packet(input);
            self.take_transport_output();
            match next {
                Ok(Some(packet)) => {
                    if !self.is_fresh(shard) {
                        self.closing.set(true);
                        break;
                    }
                    self.has_packet.set(true);
                    if matches!(self.handle(shard, packet, input), Next::Moved) {
                        return Next::Moved;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(%error, "a stream is no MTProto stream");
                    self.closing.set(true);
                }
            }
        }
        Next::Continue
    }

    /// Whether the start of an obfuscated stream has not been seen before.
    fn is_fresh(&self, shard: &Shard) -> bool {
        match self.transport.borrow_mut().take_init() {
            Some(init) => shard.shared.is_fresh(shard.now(), init),
            None => true,
        }
    }

    fn handle(self: &Rc<Self>, shard: &Rc<Shard>, packet: Packet, input: &mut BytesMut) -> Next {
        match envelope::peek(&packet.payload) {
            Ok(Kind::Unencrypted) => self.handle_plain(shard, packet.payload),
            Ok(Kind::Encrypted(key)) => {
                if let Some(home) = shard.elsewhere(key) {
                    if self.move_to(home, packet, input) {
                        return Next::Moved;
                    }
                    self.refuse(NOT_FOUND);
                    return Next::Continue;
                }
                self.handle_encrypted(shard, key, packet);
            }
            Err(error) => {
                tracing::debug!(%error, "a packet is none");
                self.refuse(NOT_FOUND);
            }
        }
        Next::Continue
    }

    fn handle_encrypted(
        self: &Rc<Self>,
        shard: &Rc<Shard>,
        key: crypto::AuthKeyId,
        packet: Packet,
    ) {
        let Some(login) = shard.login(key) else {
            tracing::debug!("a packet under an unknown auth key");
            self.refuse(NOT_FOUND);
            return;
        };
        // Those of a connection stay in order.
        if packet.payload.len() >= limits::LARGE_PACKET_LEN || self.unopened.get() > 0 {
            self.unopened.set(self.unopened.get().saturating_add(1));
            shard.open_later(Unopened { connection: Rc::clone(self), login, packet });
            return;
        }
        let opened = envelope::open(login.auth_key(), Side::Client, packet.payload);
        self.take_message(shard, &login, packet.quick_ack, opened);
    }

    /// Takes a message to its session, if its packet could be opened.
    pub(super) fn take_message(
        self: &Rc<Self>,
        shard: &Rc<Shard>,
        login: &Rc<Login>,
        quick_ack: bool,
        opened: Result<envelope::Opened, envelope::Error>,
    ) {
        if self.closing.get() {
            return;
        }
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!(%error, "a packet cannot be opened");
                self.refuse(NOT_FOUND);
                return;
            }
        };
        let now = shard.now();
        let live = shard.session(login, opened.message.session_id);
        live.used.set(now);
        live.ip.set(self.peer.ip());
        self.attach(&live, now);
        let result = live.session.borrow_mut().handle_message(now, self.id, opened.message);
        match result {
            Ok(()) if quick_ack => self.quick_ack(shard, opened.quick_ack),
            Ok(()) => {}
            Err(violation) => {
                tracing::debug!(%violation, "a message breaks the protocol");
                if violation.is_fatal() {
                    let flood = matches!(violation, mtproto::session::Violation::Flood);
                    self.refuse(if flood { FLOOD } else { NOT_FOUND });
                }
            }
        }
        if live.session.borrow().waiting_len() >= limits::UNTAKEN_LEN_MAX / 2 {
            self.crowded.set(true);
        }
        shard.poll_events(&live);
        shard.mark(&live);
    }

    fn attach(&self, live: &Rc<Live>, now: UnixTime) {
        let id = live.id();
        let mut sessions = self.sessions.borrow_mut();
        if !sessions.contains(&id) {
            live.session.borrow_mut().attach(now, self.id);
            if sessions.is_empty() {
                // Hardly any connection serves more than one.
                sessions.reserve_exact(1);
            }
            sessions.push(id);
        }
    }

    /// Gives the connection to another shard; `false` if it must end instead.
    fn move_to(self: &Rc<Self>, home: &ShardHandle, packet: Packet, input: &mut BytesMut) -> bool {
        if self.handoffs >= limits::HANDOFFS_MAX {
            return false;
        }
        // A second handle to the same socket: dropping the first one then does not close it.
        let stream = match self.stream.as_fd().try_clone_to_owned() {
            Ok(stream) => std::net::TcpStream::from(stream),
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be handed over");
                return false;
            }
        };
        let Some(admitted) = self.admitted.take() else { return false };
        let fresh = ServerTransport::new(Arc::clone(&self.config));
        home.try_send(Command::Connection(Box::new(Handoff {
            stream,
            peer: self.peer,
            admitted,
            transport: self.transport.replace(fresh),
            config: Arc::clone(&self.config),
            input: std::mem::take(input),
            out: self.out.take(),
            packet,
            count: self.handoffs + 1,
        })))
    }
}

/// The beginning of a large packet in a buffer with `room` for more of it, so that a part of a large file, as clients send
/// it, lies where it can be written from.
///
/// Each `place` is another one within a page: at the same one, parts would be in each other's way in the processor's cache while
/// they are deciphered together.
fn placed(input: &[u8], room: usize, place: usize) -> BytesMut {
    const PAGE_LEN: usize = 4096;
    let mut buffer = BytesMut::with_capacity(input.len() + room + 2 * PAGE_LEN);
    let page = buffer.as_ptr().align_offset(PAGE_LEN);
    let place = place * LARGE_ADDRESS_ALIGNMENT % PAGE_LEN;
    buffer.put_bytes(0, page + (place + PAGE_LEN - limits::LARGE_PART_AT) % PAGE_LEN);
    let before = buffer.len();
    buffer.put_slice(input);
    buffer.advance(before);
    buffer
}

#[cfg(test)]
mod tests {
    use mtproto::{
        Buffer,
        limits::{ENVELOPE_HEADER_LEN, MESSAGE_HEADER_LEN},
    };
    use storage::limits::PIECE_LEN_MAX;
    use tl::{Layer, api::functions::upload::SaveBigFilePart};

    use super::*;

    /// `LARGE_PART_AT`, `READ_LONG_LEN`: a part of a large file lies where it can be written from, each at another place within
    /// its page until all have had their turn; and the longest comes in one piece.
    #[test]
    fn parts_of_large_files_are_aligned() {
        let content: Vec<u8> = (0..PIECE_LEN_MAX).map(|at| (at % 251) as u8).collect();
        let body = Buffer::encode(&SaveBigFilePart::new(1, 2, 3, &content), Layer::NEWEST);
        let before = 4 + ENVELOPE_HEADER_LEN + MESSAGE_HEADER_LEN;
        let packet = [&vec![7; before][..], body.as_slice()].concat();
        const { assert!(limits::READ_LONG_LEN > PIECE_LEN_MAX + limits::LARGE_PART_AT + 1024) };
        let mut places = Vec::new();
        for place in 0..2 * limits::OPENED_TOGETHER_COUNT {
            let (begin, rest) = packet.split_at(limits::READ_LEN);
            let mut buffer = placed(begin, rest.len(), place);
            let room = buffer.as_ptr();
            buffer.extend_from_slice(rest);
            assert_eq!((&buffer[..], buffer.as_ptr()), (&packet[..], room), "nothing is moved");
            let part = &buffer[limits::LARGE_PART_AT..][..PIECE_LEN_MAX];
            assert!(part == content);
            assert_eq!(part.as_ptr().align_offset(LARGE_ADDRESS_ALIGNMENT), 0);
            places.push(part.as_ptr().align_offset(4096));
        }
        let (first, again) = places.split_at_mut(limits::OPENED_TOGETHER_COUNT);
        assert_eq!(first, again);
        first.sort_unstable();
        assert!(first.windows(2).all(|pair| pair[0] != pair[1]), "{first:?}");
    }
}
