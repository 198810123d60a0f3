//! A client, the server, and a network between them that cuts connections at any byte.
//!
//! A cut takes what the client was still to get. What it sent may be lost from some byte on, or arrive late, when the client is
//! on another connection already; the server hears of the end only after that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use crypto::{AuthKey, Side};
use mtproto::client::{self, Event, RequestId};
use mtproto::envelope::{self, PlainIds};
use mtproto::handshake::client::{Client, Config, Done, Inner, Next, RsaPadding};
use mtproto::session::{ConnId, FirstSalt};
use mtproto::transport::{ClientTransport, Framing, Incoming, Noise};
use mtproto::{Buffer, UnixTime, bind_temp};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tl::mtproto::types::BindAuthKeyInner;
use tl::{Cursor, Sink as _};

use crate::server::{ANSWER, BIND, KEY, Known, REQUEST, Server, body};

const START: UnixTime = UnixTime::from_secs(1_700_000_000);

/// What a run is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Whether the client makes its key, or has one.
    pub(crate) handshake: bool,
    /// Whether it makes a temporary one beside and binds it.
    pub(crate) temp_key: bool,
    /// Most connections are cut after a random number of bytes below this.
    pub(crate) cut_after: Option<u32>,
    /// The client's clock minus ours.
    pub(crate) skew_s: i64,
    /// Whether either clock is set now and then, by hours: the client's either way, the server's forwards, which is how its
    /// clock hands on what the system's does. Not where connections are cut: what was answered and not heard is numbered anew by
    /// a client that learns of its wrong clock meanwhile.
    pub(crate) jumps: bool,
    /// Pauses between requests, at most.
    pub(crate) pause_s: u32,
    pub(crate) request_count: i32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            handshake: false,
            temp_key: false,
            cut_after: None,
            skew_s: 0,
            jumps: false,
            pause_s: 0,
            request_count: 50,
        }
    }
}

/// One TCP connection.
struct Link {
    conn: ConnId,
    /// Bytes on the way to the server.
    up: BytesMut,
    /// Bytes until it is cut.
    budget: Option<usize>,
    /// The client has left; what is on the way up may still arrive.
    is_cut: bool,
}

/// What the client is at.
enum Stage {
    Handshake(Vec<Done>, Option<Client>),
    Session { key: AuthKey, perm: Option<AuthKey> },
}

pub(crate) struct Pair {
    seed: u64,
    options: Options,
    rng: ChaCha20Rng,
    now: UnixTime,
    server: Server,
    links: Vec<Link>,
    last_conn: u64,

    stage: Stage,
    session: client::Session,
    transport: ClientTransport,
    input: BytesMut,
    plain_ids: PlainIds,
    /// When the client connects again.
    reconnect_at: Option<UnixTime>,
    next_request_at: UnixTime,
    numbers: BTreeMap<RequestId, i32>,
    answered: BTreeMap<i32, usize>,
    bind: Option<RequestId>,
    is_bound: bool,
    updates: BTreeSet<i32>,
    missed_updates: bool,
}

impl Pair {
    pub(crate) fn new(seed: u64, options: Options) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut server = Server::default();
        let mut bytes = [0; 256];
        rng.fill_bytes(&mut bytes);
        let key = AuthKey::new(bytes);
        let stage = if options.handshake {
            Stage::Handshake(Vec::new(), None)
        } else {
            let first_salt = FirstSalt { salt: 1, valid_since: START };
            let known =
                Known { key: key.clone(), first_salt, expires_at: i64::MAX, bound_to: None };
            server.keys.insert(key.id(), known);
            Stage::Session { key, perm: None }
        };
        let mut pair = Self {
            seed,
            options,
            now: START,
            server,
            links: Vec::new(),
            last_conn: 0,
            stage,
            session: client::Session::new(rng.next_u64().cast_signed(), 1),
            transport: ClientTransport::plain(Framing::Intermediate),
            input: BytesMut::new(),
            plain_ids: PlainIds::default(),
            reconnect_at: None,
            next_request_at: START,
            numbers: BTreeMap::new(),
            answered: BTreeMap::new(),
            bind: None,
            is_bound: false,
            updates: BTreeSet::new(),
            missed_updates: false,
            rng,
        };
        pair.connect();
        pair
    }

    /// Runs until everything is answered, and checks that it was done once.
    pub(crate) fn run(mut self) {
        let wanted: BTreeMap<_, _> = (0..self.options.request_count).map(|n| (n, 1)).collect();
        for _ in 0..200_000 {
            self.tick();
            if self.answered.len() == wanted.len() {
                break;
            }
        }
        // Let the rest of the updates arrive.
        self.options.cut_after = None;
        let pushed = self.server.pushed.clone();
        for _ in 0..400 {
            self.tick();
        }
        let seed = self.seed;
        let handled: BTreeMap<_, _> = self.server.handled.clone().into_iter().collect();
        assert_eq!(self.answered, wanted, "answers, SEED={seed}");
        assert_eq!(handled, wanted, "requests handled, SEED={seed}");
        assert_eq!(self.session.unanswered_count(), 0, "SEED={seed}");
        assert_eq!(self.server.bound_count > 0, self.options.temp_key, "SEED={seed}");
        if !self.missed_updates {
            let lost: Vec<_> = pushed.iter().filter(|n| !self.updates.contains(n)).collect();
            assert!(lost.is_empty(), "updates {lost:?}, SEED={seed}");
        }
    }

    fn tick(&mut self) {
        let step_ms = 10 + self.below(190);
        self.now = self.now + Duration::from_millis(u64::from(step_ms));
        if self.options.jumps && self.below(150) == 0 {
            self.set_clocks();
        }
        self.deliver_up();
        self.deliver_down();
        self.server.work(self.now, &mut self.rng);
        self.client_work();
        self.cut();
    }

    fn set_clocks(&mut self) {
        let by_s = 1 + self.below(5 * 3600);
        match self.below(3) {
            0 => self.options.skew_s += i64::from(by_s),
            1 => self.options.skew_s -= i64::from(by_s),
            _ => {
                self.now = self.now + Duration::from_secs(u64::from(by_s));
                self.options.skew_s -= i64::from(by_s);
                // These are the network's, which knows no clock.
                let by = Duration::from_secs(u64::from(by_s));
                self.reconnect_at = self.reconnect_at.map(|at| at + by);
                self.next_request_at = self.next_request_at + by;
            }
        }
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.rng.next_u32() % bound.max(1)
    }

    fn client_now(&self) -> UnixTime {
        let nanos = self.now.nanos().cast_signed() + self.options.skew_s * 1_000_000_000;
        UnixTime::from_nanos(nanos.cast_unsigned())
    }

    // ===== Network =====

    fn connect(&mut self) {
        self.last_conn += 1;
        let conn = ConnId(self.last_conn);
        // Now and then one lives long enough for the largest packet.
        let is_good = self.below(3) == 0;
        let budget = self.options.cut_after.map(|bytes| match is_good {
            true => self.below(200_000) as usize,
            false => self.below(bytes) as usize,
        });
        self.links.push(Link { conn, up: BytesMut::new(), budget, is_cut: false });
        self.server.connect(conn);
        self.transport = ClientTransport::plain(Framing::Intermediate);
        self.input.clear();
        match &mut self.stage {
            Stage::Handshake(..) => self.start_handshake(),
            Stage::Session { .. } => self.session.reconnected(),
        }
    }

    fn deliver_up(&mut self) {
        for at in 0..self.links.len() {
            let len = self.below(3000) as usize;
            let link = &mut self.links[at];
            let bytes = link.up.split_to(len.min(link.up.len()));
            self.server.receive(self.now, link.conn, &bytes, &mut self.rng);
        }
        for at in (0..self.links.len()).rev() {
            if self.links[at].is_cut && self.links[at].up.is_empty() && self.below(20) == 0 {
                let link = self.links.remove(at);
                self.server.disconnect(self.now, link.conn);
            }
        }
    }

    fn deliver_down(&mut self) {
        let len = self.below(6000) as usize;
        let Some(link) = self.links.last_mut().filter(|link| !link.is_cut) else { return };
        let Some(connection) = self.server.connections.get_mut(&link.conn) else { return };
        let mut len = len.min(connection.output.len());
        if let Some(budget) = &mut link.budget {
            len = len.min(*budget);
            *budget -= len;
        }
        self.input.extend_from_slice(&connection.output[..len]);
        connection.output.advance(len);
        while let Some(incoming) = self.transport.next_event(&mut self.input).unwrap() {
            let Incoming::Packet(packet) = incoming else { panic!("{incoming:?}") };
            self.packet(packet);
        }
    }

    /// Cuts the connection when its bytes are used up.
    fn cut(&mut self) {
        if let Some(at) = self.reconnect_at {
            if at <= self.now {
                self.reconnect_at = None;
                self.connect();
            }
            return;
        }
        let kept = self.rng.next_u32() as usize;
        let Some(link) = self.links.last_mut() else { return };
        if link.budget != Some(0) {
            return;
        }
        link.is_cut = true;
        link.up.truncate(kept % (link.up.len() + 1));
        let wait_ms = self.below(3000);
        self.reconnect_at = Some(self.now + Duration::from_millis(u64::from(wait_ms)));
    }

    fn send(&mut self, packet: &Buffer) {
        let Some(link) = self.links.last_mut().filter(|link| !link.is_cut) else { return };
        let mut out = BytesMut::new();
        self.transport.encode_packet(packet.as_slice(), false, &Noise::default(), &mut out);
        if let Some(budget) = &mut link.budget {
            *budget = budget.saturating_sub(out.len());
        }
        link.up.extend_from_slice(&out);
    }

    // ===== Client =====

    fn start_handshake(&mut self) {
        let Stage::Handshake(done, client) = &mut self.stage else { return };
        let expires_in_s = 86_400;
        let inner =
            if done.is_empty() { Inner::Dc(2) } else { Inner::TempDc { dc: 2, expires_in_s } };
        let padding = if self.seed.is_multiple_of(2) { RsaPadding::Pad } else { RsaPadding::Old };
        let config = Config { keys: vec![KEY.public().clone()], padding, inner };
        let (next, query) = Client::start(config, &mut self.rng);
        *client = Some(next);
        let packet = envelope::seal_plain(self.plain_ids.next(self.now), query);
        self.send(&packet);
    }

    fn packet(&mut self, packet: BytesMut) {
        match &mut self.stage {
            Stage::Handshake(done, client) => {
                let plain = envelope::open_plain(packet).unwrap();
                match client.take().unwrap().handle(&plain.body, &mut self.rng).unwrap() {
                    Next::Send(next, query) => {
                        *client = Some(next);
                        let packet = envelope::seal_plain(self.plain_ids.next(self.now), query);
                        self.send(&packet);
                    }
                    Next::Done(key) => {
                        assert_eq!(self.server.keys[&key.auth_key.id()].key, key.auth_key);
                        done.push(key);
                        self.handshake_done();
                    }
                }
            }
            Stage::Session { key, .. } => {
                let opened = envelope::open(key, Side::Server, packet).unwrap();
                let now = self.client_now();
                self.session.handle_message(now, opened.message).unwrap();
                while let Some(event) = self.session.poll_event() {
                    self.event(event);
                }
            }
        }
    }

    fn handshake_done(&mut self) {
        let Stage::Handshake(done, _) = &mut self.stage else { return };
        if done.len() < 1 + usize::from(self.options.temp_key) {
            self.start_handshake();
            return;
        }
        let last = done.pop().unwrap();
        let perm = done.pop().map(|done| done.auth_key);
        let session_id = self.rng.next_u64().cast_signed();
        self.session = client::Session::new(session_id, last.first_salt);
        self.stage = Stage::Session { key: last.auth_key, perm };
        self.send_bind(session_id);
    }

    fn send_bind(&mut self, session_id: i64) {
        let Stage::Session { key, perm: Some(perm) } = &self.stage else { return };
        let (temp_id, perm_id) = (key.id().0.cast_signed(), perm.id().0.cast_signed());
        let expires_at = self.now.secs_i32() + 80_000;
        let msg_id = self.session.next_msg_id(self.now);
        let inner = BindAuthKeyInner::new(7, temp_id, perm_id, session_id, expires_at);
        let proof = bind_temp::create(perm, msg_id, &inner, &[5; 24]);
        let mut body = Vec::new();
        body.u32(BIND);
        body.put(&perm_id.to_le_bytes());
        body.put(&7_i64.to_le_bytes());
        body.put(&expires_at.to_le_bytes());
        body.bytes(&proof);
        self.bind = Some(self.session.send_as(msg_id, Bytes::from(body)));
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Answer { request, body } => {
                let mut input = Cursor::new(&body);
                assert_eq!(input.u32().unwrap(), ANSWER, "SEED={}", self.seed);
                if self.bind == Some(request) {
                    self.is_bound = true;
                } else {
                    let number = self.numbers[&request];
                    assert_eq!(input.i32(), Ok(number));
                    *self.answered.entry(number).or_default() += 1;
                }
            }
            Event::Update(body) => {
                let mut input = Cursor::new(&body);
                match input.u32().unwrap() {
                    ANSWER => {
                        let number = input.i32().unwrap();
                        assert!(self.updates.insert(number), "update twice, SEED={}", self.seed);
                    }
                    _ => self.missed_updates = true,
                }
            }
            Event::Refused { code, .. } => panic!("refused with {code}, SEED={}", self.seed),
            Event::NewSession { .. } | Event::Service(_) => {}
        }
    }

    fn client_work(&mut self) {
        let Stage::Session { perm, .. } = &self.stage else { return };
        let may_ask = perm.is_none() || self.is_bound;
        let sent = i32::try_from(self.numbers.len()).unwrap();
        if may_ask && sent < self.options.request_count && self.now >= self.next_request_at {
            let burst = 1 + self.below(4).cast_signed();
            for number in sent..(sent + burst).min(self.options.request_count) {
                // Mostly short answers; some are announced before they are repeated.
                let len = if self.below(8) == 0 { self.below(20_000) } else { self.below(100) };
                let mut request = body(REQUEST, number, 0).as_slice().to_vec();
                request.u32(len);
                let request = self.session.send(Bytes::from(request));
                self.numbers.insert(request, number);
            }
            let pause_s = self.below(self.options.pause_s + 1);
            let pause_ms = self.below(400);
            self.next_request_at = self.now
                + Duration::from_secs(u64::from(pause_s))
                + Duration::from_millis(u64::from(pause_ms));
        }
        if self.reconnect_at.is_some() {
            return;
        }
        let now = self.client_now();
        while let Some(mut packet) = self.session.poll_transmit(now) {
            let mut random = [0; envelope::PADDING_RANDOM_LEN];
            self.rng.fill_bytes(&mut random);
            let Stage::Session { key, .. } = &self.stage else { return };
            envelope::seal(key, Side::Client, &mut packet, &random).unwrap();
            self.send(&packet);
        }
        // A client pings now and then, so that salts and clocks matter.
        if self.below(200) == 0 {
            let ping = tl::mtproto::functions::Ping::new(1);
            let ping = tl::Encode::to_vec(&ping, tl::Layer::NEWEST);
            self.session.send_service(Bytes::from(ping));
        }
    }
}
