//! What an application has: a session with answers and updates, over connections that may break.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;
use crypto::rsa::PublicKey;
use crypto::{AuthKey, Side};
use mtproto::client::{Event, RequestId, Session};
use mtproto::envelope::{self, PADDING_RANDOM_LEN};
use mtproto::handshake::client::{Config, Inner, RsaPadding};
use mtproto::session::gzip;
use mtproto::transport::Framing;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use tl::api::{enums, functions};
use tl::mtproto::types;
use tl::{Cursor, Decode, Encode, Layer, Method};

use super::{Connection, Heard, PATIENCE, Wire, exchange, now, random_id, rng};

/// How a client connects, and what it says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The transport.
    pub(crate) wire: Wire,
    /// The layer it speaks: answers come in its shapes. Requests are encoded in the newest ones.
    pub(crate) layer: u16,
    /// The padding of the handshake's encrypted data.
    pub(crate) padding: RsaPadding,
    /// The kind of key it asks for.
    pub(crate) inner: Inner,
    /// The name of the device, which lists of logins show.
    pub(crate) device: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            wire: Wire::Plain(Framing::Intermediate),
            layer: Layer::NEWEST.0,
            padding: RsaPadding::Pad,
            inner: Inner::Plain,
            device: "test device",
        }
    }
}

/// An `rpc_error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RpcError {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl RpcError {
    /// A result, if it is none.
    pub(crate) fn check(body: Bytes) -> Result<Bytes, Self> {
        match types::RpcError::from_bytes(&body) {
            Ok(error) => Err(Self { code: error.error_code, text: error.error_message.to_owned() }),
            Err(_) => Ok(body),
        }
    }
}

/// What came without being asked for.
type Pushed = enums::Updates<'static>;

/// A client.
pub(crate) struct Client {
    address: SocketAddr,
    options: Options,
    connection: Connection,
    auth_key: AuthKey,
    first_salt: i64,
    session_id: i64,
    session: Session,
    /// Whether the server has answered something wrapped in `initConnection`.
    is_met: bool,
    introductions: HashSet<RequestId>,
    answers: HashMap<RequestId, Bytes>,
    pushed: VecDeque<Bytes>,
    updates: VecDeque<enums::Update<'static>>,
    /// Service messages, and the lives of the session that the server told of.
    service: VecDeque<Bytes>,
    lives: Vec<i64>,
    rng: ChaCha20Rng,
}

impl Client {
    /// Connects and makes a key.
    pub(crate) async fn connect(address: SocketAddr, key: &PublicKey, options: Options) -> Self {
        let mut rng = rng();
        let mut connection = Connection::open(address, &options.wire, rng.clone()).await;
        let config =
            Config { keys: vec![key.clone()], padding: options.padding, inner: options.inner };
        let done = exchange::make_key(&mut connection, config, &mut rng)
            .await
            .expect("the server makes a key");
        Self::with(address, connection, done.auth_key, done.first_salt, options)
    }

    /// A new session of a key, on a connection of its own.
    pub(crate) async fn resume(
        address: SocketAddr,
        auth_key: AuthKey,
        salt: i64,
        options: Options,
    ) -> Self {
        let connection = Connection::open(address, &options.wire, rng()).await;
        Self::with(address, connection, auth_key, salt, options)
    }

    fn with(
        address: SocketAddr,
        connection: Connection,
        auth_key: AuthKey,
        first_salt: i64,
        options: Options,
    ) -> Self {
        let mut rng = rng();
        let session_id = random_id(&mut rng);
        Self {
            address,
            options,
            connection,
            auth_key,
            first_salt,
            session_id,
            session: Session::new(session_id, first_salt),
            is_met: false,
            introductions: HashSet::new(),
            answers: HashMap::new(),
            pushed: VecDeque::new(),
            updates: VecDeque::new(),
            service: VecDeque::new(),
            lives: Vec::new(),
            rng,
        }
    }

    // ---- who it is ----

    pub(crate) const fn auth_key(&self) -> &AuthKey {
        &self.auth_key
    }

    /// The salt of the handshake.
    pub(crate) const fn first_salt(&self) -> i64 {
        self.first_salt
    }

    pub(crate) const fn session_id(&self) -> i64 {
        self.session_id
    }

    pub(crate) const fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The lives that the server gave the session (`new_session_created`).
    pub(crate) fn lives(&self) -> &[i64] {
        &self.lives
    }

    /// A random number other than 0.
    pub(crate) fn random_id(&mut self) -> i64 {
        random_id(&mut self.rng)
    }

    // ---- connections ----

    /// Ends the connection; the session is kept for another one.
    pub(crate) async fn disconnect(&mut self) {
        self.connection.finish().await;
        while self.connection.hear().await != Heard::Closed {}
    }

    /// Goes on with the session on a new connection.
    pub(crate) async fn reconnect(&mut self) {
        self.connection = Connection::open(self.address, &self.options.wire, rng()).await;
        self.session.reconnected();
    }

    /// Another session of the same key.
    pub(crate) async fn sibling(&self) -> Self {
        let (key, options) = (self.auth_key.clone(), self.options.clone());
        Self::resume(self.address, key, self.first_salt, options).await
    }

    // ---- requests ----

    /// Queues a request, wrapped in `invokeWithLayer` and `initConnection` until one was answered. Sent by the next wait.
    pub(crate) fn queue(&mut self, query: &impl Encode) -> RequestId {
        let query = query.to_vec(Layer::NEWEST);
        if self.is_met {
            return self.session.send(query.into());
        }
        let body = self.introduced(&query);
        let request = self.session.send(body.into());
        self.introductions.insert(request);
        request
    }

    /// Queues a request as it is.
    pub(crate) fn queue_bytes(&mut self, body: Vec<u8>) -> RequestId {
        self.session.send(body.into())
    }

    /// A request with all that the server must know around it.
    pub(crate) fn introduced(&self, query: &[u8]) -> Vec<u8> {
        let (device, raw) = (self.options.device, tl::Raw(query));
        let init = functions::InitConnection::new(1, device, "1", "0.1", "en", "", "en", raw);
        let init = init.to_vec(Layer::NEWEST);
        let layer = i32::from(self.options.layer);
        functions::InvokeWithLayer::new(layer, tl::Raw(&init)).to_vec(Layer::NEWEST)
    }

    /// The answer to a request, as it came.
    pub(crate) async fn answer(&mut self, request: RequestId) -> Result<Bytes, RpcError> {
        loop {
            if let Some(body) = self.answers.remove(&request) {
                let body = RpcError::check(body);
                self.is_met |= self.introductions.remove(&request) && body.is_ok();
                return body;
            }
            self.turn().await.unwrap_or_else(|heard| panic!("{heard:?} instead of an answer"));
        }
    }

    /// Asks, and waits for the answer, as it came.
    pub(crate) async fn call_bytes(&mut self, query: &impl Encode) -> Result<Bytes, RpcError> {
        let request = self.queue(query);
        self.answer(request).await
    }

    /// Asks, and waits for the answer.
    ///
    /// An answer borrows from bytes that are never given back: tests may look at it as long as they like.
    pub(crate) async fn call<M>(&mut self, query: &M) -> Result<M::Answer<'static>, RpcError>
    where
        M: Method + Encode,
        M::Answer<'static>: Decode<'static>,
    {
        let bytes = leak(self.call_bytes(query).await?);
        let answer = M::Answer::from_bytes(bytes);
        Ok(answer.unwrap_or_else(|error| panic!("the answer to {}: {error}", M::NAME)))
    }

    // ---- what comes by itself ----

    /// The next push, whole.
    pub(crate) async fn next_push_bytes(&mut self) -> Bytes {
        loop {
            if let Some(body) = self.pushed.pop_front() {
                return body;
            }
            self.turn().await.unwrap_or_else(|heard| panic!("{heard:?} instead of an update"));
        }
    }

    /// A push that has come already.
    pub(crate) fn pushed_already(&mut self) -> Option<Pushed> {
        let bytes = leak(self.pushed.pop_front()?);
        Some(Pushed::from_bytes(bytes).expect("pushes are updates"))
    }

    /// The next push, whole.
    pub(crate) async fn next_push(&mut self) -> Pushed {
        let bytes = leak(self.next_push_bytes().await);
        Pushed::from_bytes(bytes).expect("pushes are updates")
    }

    /// The next update, taken out of what it came in.
    pub(crate) async fn next_update(&mut self) -> enums::Update<'static> {
        loop {
            if let Some(update) = self.updates.pop_front() {
                return update;
            }
            match self.next_push().await {
                enums::Updates::Updates(push) => self.updates.extend(push.updates),
                enums::Updates::UpdatesCombined(push) => self.updates.extend(push.updates),
                enums::Updates::UpdateShort(push) => self.updates.push_back(push.update),
                other => panic!("a push that these tests do not expect: {other:?}"),
            }
        }
    }

    /// The next update that `pick` takes; others are passed over.
    pub(crate) async fn wait_update<T>(
        &mut self,
        mut pick: impl FnMut(&enums::Update<'static>) -> Option<T>,
    ) -> T {
        loop {
            let update = self.next_update().await;
            if let Some(picked) = pick(&update) {
                return picked;
            }
        }
    }

    /// The next service message.
    pub(crate) async fn next_service(&mut self) -> Bytes {
        loop {
            if let Some(body) = self.service.pop_front() {
                return body;
            }
            self.turn().await.unwrap_or_else(|heard| panic!("{heard:?} instead of a message"));
        }
    }

    /// `ping`, and its `pong`: the server has handled all that was sent before.
    pub(crate) async fn ping(&mut self) {
        let ping_id = self.random_id();
        let ping = tl::mtproto::functions::Ping::new(ping_id).to_vec(Layer::NEWEST);
        self.session.send_service(ping.into());
        loop {
            let body = self.next_service().await;
            if types::Pong::from_bytes(&body).is_ok_and(|pong| pong.ping_id == ping_id) {
                return;
            }
        }
    }

    /// Sends what waits without waiting for anything.
    pub(crate) async fn flush(&mut self) {
        while let Some(mut packet) = self.session.poll_transmit(now()) {
            let mut random = [0; PADDING_RANDOM_LEN];
            self.rng.fill_bytes(&mut random);
            envelope::seal(&self.auth_key, Side::Client, &mut packet, &random).expect("it seals");
            self.connection.send(packet.as_slice(), false).await;
        }
    }

    /// Sends what waits, and takes one packet.
    ///
    /// # Errors
    ///
    /// What came instead of a packet.
    pub(crate) async fn turn(&mut self) -> Result<(), Heard> {
        self.flush().await;
        let heard = tokio::time::timeout(PATIENCE, self.connection.next()).await;
        let packet = match heard.expect("the server says something") {
            Heard::Packet(packet) => packet,
            Heard::QuickAck(_) => return Ok(()),
            other => return Err(other),
        };
        let message = envelope::open(&self.auth_key, Side::Server, packet)
            .expect("the server's packets open")
            .message;
        self.session.handle_message(now(), message).expect("the server keeps to the protocol");
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Answer { request, body } => {
                    self.answers.insert(request, body);
                }
                Event::Update(body) => self.pushed.push_back(unpacked(body)),
                Event::NewSession { unique_id, .. } => self.lives.push(unique_id),
                Event::Refused { msg_id, code } => panic!("{msg_id} was refused: {code}"),
                Event::Service(body) => self.service.push_back(body),
            }
        }
        Ok(())
    }
}

/// What is inside, if it is compressed.
pub(crate) fn unpacked(body: Bytes) -> Bytes {
    match Cursor::new(&body).peek_id() {
        Ok(gzip::ID) => gzip::unpack(&body).expect("the server compresses well"),
        _ => body,
    }
}

fn leak(bytes: Bytes) -> &'static [u8] {
    Vec::leak(bytes.to_vec())
}
