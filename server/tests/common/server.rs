//! A server for one test.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use ::server::{Server, Stores, config::Config, keyfile};
use crypto::rsa::{PrivateKey, PublicKey};

use mtproto::handshake::client::{Config as Handshake, Inner, RsaPadding};
use mtproto::transport::Framing;
use storage::{DataId, blobs::PieceKey};

use super::{Client, Connection, Options, Person, Raw, Wire, exchange, rng};

/// A key that everybody knows: making one for each test would take longer than most tests do.
static KEY_PEM: LazyLock<String> = LazyLock::new(|| {
    let vectors = include_str!("../../mtproto/tests/vectors/handshake.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).expect("the vectors are JSON");
    vectors["rsa_pem"].as_str().expect("they have a key").to_owned()
});

/// A server on a free port of loopback, with its rows in memory.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) key: PublicKey,
    server: Server,
    next_phone: AtomicU32,
    _data: Arc<tempfile::TempDir>,
}

impl TestServer {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts one with another configuration.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let data = Arc::new(tempfile::tempdir().expect("there is room for a folder"));
        Self::start_in(&data, None, change).await
    }

    /// Starts one in a folder and on stores that outlive it.
    pub(crate) async fn start_on(
        data: &Arc<tempfile::TempDir>,
        stores: Stores,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        Self::start_in(data, Some(stores), change).await
    }

    async fn start_in(
        data: &Arc<tempfile::TempDir>,
        stores: Option<Stores>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let path = data.path().join(keyfile::PRIVATE_FILE);
        fs::write(&path, KEY_PEM.as_bytes()).expect("the folder can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        let mut config = Config::for_tests(data.path());
        change(&mut config);
        let server = match stores {
            Some(stores) => Server::start_on(config, stores).await,
            None => Server::start(config).await,
        };
        let server = server.expect("the server starts");
        let key = PrivateKey::from_pem(&KEY_PEM).expect("the key is one").public().clone();
        let address = server.local_addr();
        Self { address, key, server, next_phone: AtomicU32::new(0), _data: Arc::clone(data) }
    }

    /// A client that nobody is logged in with.
    pub(crate) async fn client(&self) -> Client {
        self.client_with(Options::default()).await
    }

    /// A client that nobody is logged in with, of some kind.
    pub(crate) async fn client_with(&self, options: Options) -> Client {
        Client::connect(self.address, &self.key, options).await
    }

    /// A connection on which nothing was said yet.
    pub(crate) async fn connection(&self) -> Connection {
        Connection::open(self.address, &Wire::Plain(Framing::Intermediate), rng()).await
    }

    /// How to ask for a key.
    pub(crate) fn handshake(&self, inner: Inner) -> Handshake {
        Handshake { keys: vec![self.key.clone()], padding: RsaPadding::Pad, inner }
    }

    /// A session without any care, of a new key.
    pub(crate) async fn raw(&self) -> Raw {
        let mut connection = self.connection().await;
        let done = exchange::make_key(&mut connection, self.handshake(Inner::Plain), &mut rng())
            .await
            .expect("the server makes a key");
        Raw::new(connection, done.auth_key, done.first_salt)
    }

    /// Another session without any care, of the same key, on a connection of its own.
    pub(crate) async fn raw_beside(&self, raw: &Raw) -> Raw {
        Raw::new(self.connection().await, raw.auth_key.clone(), raw.salt)
    }

    /// A test number that nobody of this server has yet; its code is `22222`.
    pub(crate) fn phone(&self) -> String {
        format!("999662{:04}", self.next_phone.fetch_add(1, Ordering::Relaxed))
    }

    /// Somebody new.
    pub(crate) async fn person(&self, first_name: &str) -> Person {
        self.person_with(first_name, Options::default()).await
    }

    /// Somebody new, with some kind of client.
    pub(crate) async fn person_with(&self, first_name: &str, options: Options) -> Person {
        let client = self.client_with(options).await;
        Person::sign_up(client, self.phone(), first_name).await
    }

    /// Another device of somebody's.
    pub(crate) async fn device_of(&self, person: &Person) -> Person {
        self.device_with(person, Options { device: "second device", ..Options::default() }).await
    }

    /// Another device of somebody's, of some kind.
    pub(crate) async fn device_with(&self, person: &Person, options: Options) -> Person {
        Person::sign_in(self.client_with(options).await, person.phone.clone()).await
    }

    /// How many pieces of files it has stored.
    pub(crate) fn piece_count(&self) -> usize {
        let first = PieceKey { data: DataId(i64::MIN), part: 0, check: [0; 8] };
        let pieces = &self.server.media().pieces;
        pieces.keys(&first, usize::MAX).expect("they can be listed").len()
    }

    /// Has it clear what would be cleared within so many seconds.
    pub(crate) async fn sweep(&self, ahead_s: i32) {
        self.server.sweep(ahead_s).await;
    }

    /// Sets the system's clock, as far as this server can see.
    pub(crate) fn set_clock(&self, by_s: i64) {
        self.server.clock().set(by_s);
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.server.shutdown().await;
    }
}
