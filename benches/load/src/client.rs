//! Clients: connections with a transport each, exchanges that make keys, sessions, and all their cryptography in bulk.
//!
//! A turn opens everything that came in one pass and seals everything that is due in another, as the server does, since a
//! generator on one core must not be slower than a server on one core.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use crypto::rsa::PublicKey;
use crypto::{AuthKey, Side};
use mtproto::envelope::{OpenJob, PADDING_RANDOM_LEN, SealJob, open_many, open_plain, seal_many};
use mtproto::handshake::client::{self as handshake, Inner, Next, RsaPadding};
use mtproto::transport::{self, ClientTransport, Framing, Incoming, Noise};
use mtproto::{Buffer, MsgId, envelope};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tl::api::functions;
use tl::mtproto::types;
use tl::{Decode as _, Encode, Layer};

use crate::clock;
use crate::error::{Error, Result};
use crate::net::{Id, Net, Turn};
use crate::session::{Event, Session, Tag};

/// How long anything awaited may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// From which length on a packet is not copied on its way.
const LARGE_PACKET_LEN: usize = 64 * 1024;

/// What a connection is doing.
enum State {
    /// Nothing: it waits to be told.
    Idle,
    Handshake(Box<handshake::Client>),
    Session(Box<Session>),
}

struct Connection {
    transport: ClientTransport,
    state: State,
    /// It is in the list of those that may have something to send.
    is_due: bool,
    /// Packets that are sealed and not sent.
    ahead: VecDeque<Buffer>,
}

/// All clients.
pub(crate) struct Clients {
    server: SocketAddr,
    handshake: handshake::Config,
    net: Net,
    connections: Vec<Connection>,
    due: Vec<Id>,
    /// Packets to be sealed ahead.
    unsealed: Vec<(Id, Buffer)>,
    turn: Turn,
    events: VecDeque<(Id, Event)>,
    rng: ChaCha8Rng,
}

impl Clients {
    /// None yet, of a server.
    pub(crate) fn new(server: SocketAddr, key: &PublicKey) -> Result<Self> {
        let mut seed = [0; 32];
        #[expect(clippy::disallowed_methods, reason = "clients draw random numbers")]
        getrandom::fill(&mut seed).map_err(|error| Error::Io(io::Error::other(error)))?;
        Ok(Self {
            server,
            handshake: handshake::Config {
                keys: vec![key.clone()],
                padding: RsaPadding::Pad,
                inner: Inner::Plain,
            },
            net: Net::new()?,
            connections: Vec::new(),
            due: Vec::new(),
            unsealed: Vec::new(),
            turn: Turn::default(),
            events: VecDeque::new(),
            rng: ChaCha8Rng::from_seed(seed),
        })
    }

    /// A random number other than 0.
    pub(crate) fn random_id(&mut self) -> i64 {
        self.rng.next_u64().cast_signed() | 1
    }

    /// Connects, from an address of this machine if it matters which.
    pub(crate) fn connect(&mut self, from: Option<SocketAddr>) -> Result<Id> {
        let id = self.net.connect(self.server, from)?;
        let transport = ClientTransport::plain(Framing::Intermediate);
        let ahead = VecDeque::new();
        self.connections.push(Connection { transport, state: State::Idle, is_due: false, ahead });
        Ok(id)
    }

    /// Starts to make a key; [`Event::KeyMade`] ends it.
    pub(crate) fn make_key(&mut self, id: Id) {
        let (client, query) = handshake::Client::start(self.handshake.clone(), &mut self.rng);
        self.connections[id].state = State::Handshake(Box::new(client));
        self.send_plain(id, query);
    }

    /// Begins a session.
    pub(crate) fn begin(&mut self, id: Id, key: AuthKey, salt: i64) {
        let session_id = self.random_id();
        self.connections[id].state = State::Session(Box::new(Session::new(key, salt, session_id)));
    }

    /// Ends a connection.
    pub(crate) fn close(&mut self, id: Id) {
        self.net.close(id);
        self.connections[id].state = State::Idle;
        self.connections[id].ahead.clear();
        self.unsealed.retain(|(of, _)| *of != id);
        // What it still had to say concerns nobody any more.
        self.events.retain(|(of, _)| *of != id);
    }

    /// The salt of a connection's session.
    pub(crate) fn salt(&self, id: Id) -> Option<i64> {
        match &self.connections[id].state {
            State::Session(session) => Some(session.salt),
            State::Idle | State::Handshake(_) => None,
        }
    }

    /// Asks; [`Event::Answer`] will have the tag.
    pub(crate) fn request(&mut self, id: Id, tag: Tag, body: Bytes) {
        if let State::Session(session) = &mut self.connections[id].state {
            session.request(clock::unix(), tag, body);
            self.mark(id);
        }
    }

    /// Makes a packet of a large request, to be sealed with others by [`Clients::seal_ahead`] and sent by
    /// [`Clients::send_ahead`]. [`Event::Again`] asks for it once more.
    pub(crate) fn prepare(&mut self, id: Id, tag: Tag, query: &impl Encode) {
        if let State::Session(session) = &mut self.connections[id].state {
            let body = Buffer::encode(query, Layer::NEWEST);
            self.unsealed.push((id, session.request_alone(clock::unix(), tag, body)));
        }
    }

    /// Seals what was prepared. A client who has time for that before it is due is not what a server waits for.
    pub(crate) fn seal_ahead(&mut self) {
        let mut packets = std::mem::take(&mut self.unsealed);
        self.seal(&mut packets);
        for (id, packet) in packets {
            self.connections[id].ahead.push_back(packet);
        }
    }

    /// Sends the first packet of a connection that was prepared; one that is not sealed yet is sealed now.
    pub(crate) fn send_ahead(&mut self, id: Id) {
        if self.connections[id].ahead.is_empty() {
            self.seal_ahead();
        }
        if let Some(packet) = self.connections[id].ahead.pop_front() {
            self.send(id, packet);
        }
    }

    /// Asks with something large, in a packet of its own. [`Event::Again`] asks for it once more.
    pub(crate) fn request_alone(&mut self, id: Id, tag: Tag, query: &impl Encode) {
        self.prepare(id, tag, query);
        self.send_ahead(id);
    }

    /// Pings; [`Event::Pong`] will have the number.
    pub(crate) fn ping(&mut self, id: Id, ping_id: i64) {
        if let State::Session(session) = &mut self.connections[id].state {
            let mut body = [0; 12];
            body[..4].copy_from_slice(&PING_ID.to_le_bytes());
            body[4..].copy_from_slice(&ping_id.to_le_bytes());
            session.service(clock::unix(), &body);
            self.mark(id);
        }
    }

    /// Sends a service message.
    pub(crate) fn service(&mut self, id: Id, body: &[u8]) {
        if let State::Session(session) = &mut self.connections[id].state {
            session.service(clock::unix(), body);
            self.mark(id);
        }
    }

    /// How much of what is to be sent on a connection waits in this process.
    pub(crate) fn unsent_len(&self, id: Id) -> usize {
        let queued = match &self.connections[id].state {
            State::Session(session) => session.queued_len(),
            State::Idle | State::Handshake(_) => 0,
        };
        queued + self.net.unsent_len(id)
    }

    fn mark(&mut self, id: Id) {
        let connection = &mut self.connections[id];
        if !connection.is_due {
            connection.is_due = true;
            self.due.push(id);
        }
    }

    /// Sends what is due, and waits for something to come. [`Clients::poll_event`] tells what.
    pub(crate) fn turn(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.seal_due();
        let mut turn = std::mem::take(&mut self.turn);
        self.net.turn(timeout, &mut turn)?;
        let result = self.receive(&turn);
        self.turn = turn;
        result
    }

    /// Sends what is due, and takes nothing: a turn in which a client does not read.
    pub(crate) fn only_write(&mut self) {
        self.seal_due();
        self.net.only_write();
    }

    /// What came.
    pub(crate) fn poll_event(&mut self) -> Option<(Id, Event)> {
        self.events.pop_front()
    }

    fn send_plain(&mut self, id: Id, query: Buffer) {
        let packet = envelope::seal_plain(MsgId::at(clock::unix()), query);
        self.send(id, packet);
    }

    fn seal_due(&mut self) {
        if self.due.is_empty() {
            return;
        }
        let now = clock::unix();
        let mut packets: Vec<(Id, Buffer)> = Vec::with_capacity(self.due.len());
        for id in self.due.drain(..) {
            let connection = &mut self.connections[id];
            connection.is_due = false;
            if let State::Session(session) = &mut connection.state {
                while let Some(packet) = session.transmit(now) {
                    packets.push((id, packet));
                }
            }
        }
        self.seal(&mut packets);
        for (id, packet) in packets {
            self.send(id, packet);
        }
    }

    fn seal(&mut self, packets: &mut [(Id, Buffer)]) {
        let mut jobs = Vec::with_capacity(packets.len());
        for (id, packet) in packets {
            if let State::Session(session) = &self.connections[*id].state {
                let mut random = [0; PADDING_RANDOM_LEN];
                self.rng.fill_bytes(&mut random);
                jobs.push(SealJob { key: &session.key, packet, random });
            }
        }
        seal_many(Side::Client, &mut jobs).expect("packets of a session can be sealed");
    }

    fn send(&mut self, id: Id, packet: Buffer) {
        let out = self.net.output(id);
        let transport = &mut self.connections[id].transport;
        let noise = Noise::default();
        if packet.len() < LARGE_PACKET_LEN {
            transport.encode_packet(packet.as_slice(), false, &noise, out.tail());
            return;
        }
        if let Some(first) = transport.poll_output() {
            out.tail().extend_from_slice(&first);
        }
        let mut bytes = packet.into_bytes_with_room(transport::HEADROOM);
        transport.encode_in_place(&mut bytes, &noise);
        out.push(bytes);
    }

    fn receive(&mut self, turn: &Turn) -> Result<()> {
        let mut sealed: Vec<(Id, BytesMut)> = Vec::new();
        for &id in &turn.readable {
            loop {
                let connection = &mut self.connections[id];
                let event = connection.transport.next_event(self.net.input(id));
                match event.map_err(|error| Error::Protocol(error.to_string()))? {
                    None => break,
                    Some(Incoming::QuickAck(_)) => {}
                    Some(Incoming::Error(code)) => {
                        self.events.push_back((id, Event::TransportError(code)));
                    }
                    Some(Incoming::Packet(packet)) => match connection.state {
                        State::Session(_) => sealed.push((id, packet)),
                        State::Handshake(_) => self.exchange(id, packet)?,
                        State::Idle => {}
                    },
                }
            }
        }
        self.open(sealed)?;
        for &id in &turn.closed {
            self.events.push_back((id, Event::Closed));
        }
        Ok(())
    }

    fn open(&mut self, sealed: Vec<(Id, BytesMut)>) -> Result<()> {
        if sealed.is_empty() {
            return Ok(());
        }
        let mut ids = Vec::with_capacity(sealed.len());
        let mut jobs = Vec::with_capacity(sealed.len());
        for (id, packet) in sealed {
            if let State::Session(session) = &self.connections[id].state {
                ids.push(id);
                jobs.push(OpenJob { key: &session.key, packet });
            }
        }
        let now = clock::unix();
        for (id, opened) in ids.into_iter().zip(open_many(Side::Server, jobs)) {
            let message = opened.map_err(|error| Error::Protocol(error.to_string()))?.message;
            let State::Session(session) = &mut self.connections[id].state else { continue };
            let events = &mut self.events;
            session
                .receive(now, message, |event| events.push_back((id, event)))
                .map_err(|error| Error::Protocol(error.to_string()))?;
            if session.wants_transmit() {
                self.mark(id);
            }
        }
        Ok(())
    }

    fn exchange(&mut self, id: Id, packet: BytesMut) -> Result<()> {
        let state = std::mem::replace(&mut self.connections[id].state, State::Idle);
        let State::Handshake(client) = state else { return Ok(()) };
        let plain = open_plain(packet).map_err(|error| Error::Protocol(error.to_string()))?;
        let next = client.handle(&plain.body, &mut self.rng);
        match next.map_err(|error| Error::Protocol(error.to_string()))? {
            Next::Send(client, query) => {
                self.connections[id].state = State::Handshake(Box::new(client));
                self.send_plain(id, query);
            }
            Next::Done(done) => self.events.push_back((id, Event::KeyMade(Box::new(done)))),
        }
        Ok(())
    }

    // ---- many at once, in step: for setting up ----

    /// Connects many clients and makes a key for each. Sessions have begun afterwards.
    pub(crate) fn connect_with_new_keys(&mut self, count: usize) -> Result<Vec<(Id, Key)>> {
        let mut made: Vec<(Id, Option<Key>)> = Vec::with_capacity(count);
        for _ in 0..count {
            let id = self.connect(None)?;
            self.make_key(id);
            made.push((id, None));
        }
        let first = made.first().map_or(0, |(id, _)| *id);
        let mut missing = count;
        let deadline = clock::instant() + PATIENCE;
        while missing > 0 {
            self.patient_turn(deadline)?;
            while let Some((id, event)) = self.poll_event() {
                match event {
                    Event::KeyMade(done) => {
                        let key = Key { key: done.auth_key, salt: done.first_salt };
                        self.begin(id, key.key.clone(), key.salt);
                        made[id - first].1 = Some(key);
                        missing -= 1;
                    }
                    Event::Closed => return Err(Error::Closed),
                    Event::TransportError(code) => return Err(Error::Transport(code)),
                    _ => {}
                }
            }
        }
        Ok(made.into_iter().filter_map(|(id, key)| Some((id, key?))).collect())
    }

    /// Asks on many connections, and waits for all answers, which come in the order of the requests.
    pub(crate) fn ask_all(&mut self, requests: Vec<(Id, Bytes)>) -> Result<Vec<Answer>> {
        let mut answers: Vec<Option<Answer>> = requests.iter().map(|_| None).collect();
        let mut missing = answers.len();
        for (tag, (id, body)) in requests.into_iter().enumerate() {
            self.request(id, tag as Tag, body);
        }
        let deadline = clock::instant() + PATIENCE;
        while missing > 0 {
            self.patient_turn(deadline)?;
            while let Some((_, event)) = self.poll_event() {
                match event {
                    Event::Answer(tag, body) => {
                        let slot = usize::try_from(tag).ok().and_then(|tag| answers.get_mut(tag));
                        if let Some(slot) = slot {
                            missing -= usize::from(slot.is_none());
                            *slot = Some(checked(body));
                        }
                    }
                    Event::Closed => return Err(Error::Closed),
                    Event::TransportError(code) => return Err(Error::Transport(code)),
                    Event::Refused(code) => {
                        return Err(Error::Protocol(format!("a message was refused: {code}")));
                    }
                    Event::Update(_) | Event::Pong(_) | Event::KeyMade(_) | Event::Again(_) => {}
                }
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Asks once.
    pub(crate) fn ask(&mut self, id: Id, body: Bytes) -> Result<Answer> {
        let mut answers = self.ask_all(vec![(id, body)])?;
        answers.pop().ok_or(Error::Closed)
    }

    fn patient_turn(&mut self, deadline: std::time::Instant) -> Result<()> {
        if clock::instant() > deadline {
            return Err(Error::Timeout);
        }
        self.turn(Some(Duration::from_millis(200)))
    }
}

/// An auth key and a salt that was good once.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) key: AuthKey,
    pub(crate) salt: i64,
}

/// An answer, or the text of the `rpc_error`.
pub(crate) type Answer = std::result::Result<Bytes, String>;

/// The result, if it is no `rpc_error`.
pub(crate) fn checked(body: Bytes) -> Answer {
    match types::RpcError::from_bytes(&body) {
        Ok(error) => Err(error.error_message.to_owned()),
        Err(_) => Ok(body),
    }
}

/// A query as it is sent.
pub(crate) fn bytes(query: &impl Encode) -> Bytes {
    query.to_vec(Layer::NEWEST).into()
}

/// A query with all that a server must know before it takes the first.
pub(crate) fn introduced(query: &impl Encode) -> Bytes {
    let query = query.to_vec(Layer::NEWEST);
    let raw = tl::Raw(&query);
    let init = functions::InitConnection::new(1, "load", "1", "1", "en", "", "en", raw);
    let init = init.to_vec(Layer::NEWEST);
    let layer = i32::from(Layer::NEWEST.0);
    bytes(&functions::InvokeWithLayer::new(layer, tl::Raw(&init)))
}

/// The constructor of `ping`.
const PING_ID: u32 = <tl::mtproto::functions::Ping as tl::Method>::ID;
