//! Starts the server and stops it.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use mtproto::{
    handshake::server as handshake,
    session::SaltSecret,
    transport::{ReplayMemory, Secret, ServerConfig},
};
use storage::{
    Engine, Owner, Partitions, UserId,
    blobs::{
        MemoryPieces, Pieces,
        s3::{Objects, S3Options},
    },
};
use tl::{Encode as _, Layer, api::enums, operations::functions};

use crate::{
    clock::Clock,
    codes::{self, CodeSender},
    config::{self, Config, WebSocket},
    convert::acquaintances::Acquaintances,
    gateway::{self, Admission, Command, Entrance, ShardHandle},
    keyfile,
    media::{Media, mover::Arrivals},
    router::{self, Router, Writers},
    shared::{self, Shared},
    tickets::Tickets,
    updates::Hub,
    upkeep::Upkeep,
};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key files.
    #[error(transparent)]
    Key(#[from] keyfile::Error),
    /// The ways to send codes.
    #[error(transparent)]
    Codes(#[from] codes::Error),
    /// The configuration asks for an engine that this program was built without.
    #[cfg(not(feature = "rocks"))]
    #[error("this program was built without RocksDB")]
    NoRocks,
    /// RocksDB is compiled for instructions that this processor lacks, see `.cargo/config.toml`.
    #[cfg(all(feature = "rocks", target_arch = "x86_64"))]
    #[error("RocksDB needs a processor with SSE 4.2 and PCLMULQDQ")]
    Processor,
    /// The store.
    #[error("failed to open the store: {0}")]
    Storage(#[from] storage::Error),
    /// The threads that write.
    #[error(transparent)]
    Router(#[from] router::StartError),
    /// An address.
    #[error("failed to listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// A thread.
    #[error("failed to start a thread: {0}")]
    Thread(#[from] io::Error),
    /// The service user.
    #[error("failed to set up the service user: {0}")]
    ServiceUser(#[from] router::CallError),
}

/// Where a server keeps what it keeps.
#[derive(Clone)]
pub struct Stores {
    /// The rows.
    pub engine: Arc<dyn Engine>,
    /// File contents on this machine.
    pub pieces: Arc<dyn Pieces>,
    /// File contents elsewhere, if that is configured.
    pub remote: Option<Arc<Objects>>,
}

impl Stores {
    /// Opens those that `config` names.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn open(config: &Config) -> Result<Self, Error> {
        let (engine, pieces) = (open(config)?, open_pieces(config)?);
        Ok(Self { engine, pieces, remote: open_remote(config)? })
    }

    /// The rows in `engine`, file contents in memory, and none elsewhere. For tests.
    pub fn on(engine: Arc<dyn Engine>) -> Self {
        Self { engine, pieces: Arc::new(MemoryPieces::default()), remote: None }
    }
}

/// A running server.
pub struct Server {
    local_addr: SocketAddr,
    shared: Arc<Shared>,
    shards: Vec<ShardHandle>,
    threads: Vec<JoinHandle<()>>,
    upkeep: Upkeep,
    writers: Writers,
}

impl Server {
    /// Opens the store, starts the threads and listens.
    ///
    /// # Errors
    ///
    /// See [`Error`]; nothing runs then.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let stores = Stores::open(&config)?;
        Self::start_on(config, stores).await
    }

    /// Like [`Server::start`], on stores that are open.
    ///
    /// # Errors
    ///
    /// See [`Error`]; nothing runs then.
    pub async fn start_on(config: Config, stores: Stores) -> Result<Self, Error> {
        let mut rng = shared::rng();
        let key = keyfile::load_or_create(&config.data_dir, &mut rng)?;
        let secret = keyfile::secret(&config.data_dir, &mut rng)?;
        let codes = CodeSender::start(&config.codes)?;
        let clock = Arc::new(Clock::default());
        let hub = Arc::new(Hub::default());
        let partitions = Partitions::default();
        let engine = Arc::clone(&stores.engine);
        let (router, writers) =
            Router::start(engine, Arc::clone(&clock), &hub, partitions, config.shards)?;
        set_up_service_user(&router).await?;
        let (local_addr, entrances) = listen(&config)?;
        let handshake = handshake::Config {
            keys: vec![Arc::new(key.private)],
            dcs: config.dc.accepted.clone(),
        };
        let arrivals = Arc::new(Arrivals::default());
        if config.media.store == config::MediaStore::S3 {
            hub.carry(Arc::clone(&arrivals));
        }
        let (pieces, remote) = (Arc::clone(&stores.pieces), stores.remote.clone());
        let reference_secret = shared::derive(&secret, b"file references");
        let media = Media::start(&config.media, pieces, remote, reference_secret, &hub)?;
        let too_long = enums::Updates::UpdatesTooLong.to_vec(Layer::NEWEST);
        let shared = Arc::new(Shared {
            advertised: config.advertised(local_addr),
            started: clock.now(),
            clock,
            acquaintances: Acquaintances::new(Arc::clone(router.generations())),
            router: Arc::new(router),
            hub,
            codes,
            media,
            handshake,
            salts: Arc::new(SaltSecret::new(shared::random())),
            access_secret: shared::derive(&secret, b"access hashes"),
            tickets: Tickets::new(shared::random()),
            updates_too_long: too_long.into(),
            replays: Mutex::new(ReplayMemory::new()),
            config,
        });
        let limits = &shared.config.limits;
        let admission =
            Arc::new(Admission::new(limits.connections_max, limits.connections_per_ip_max));
        let (shards, threads) = gateway::start(&shared, &admission, entrances)?;
        shared.hub.connect(shards.clone());
        let upkeep = Upkeep::start(&shared, stores, partitions, arrivals)?;
        Ok(Self { local_addr, shared, shards, threads, upkeep, writers })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Clears at once what would be cleared within `ahead_s` seconds, rather than when it is due. For tests.
    pub async fn sweep(&self, ahead_s: i32) {
        self.upkeep.sweep(ahead_s).await;
    }

    /// The clock of everything in it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// The media service.
    #[must_use]
    pub fn media(&self) -> &Media {
        &self.shared.media
    }

    /// Accepts nothing more, finishes what runs, syncs, and ends the threads.
    pub async fn shutdown(self) {
        for shard in &self.shards {
            shard.send(Command::Stop).await;
        }
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a shard panicked");
            }
        }
        self.upkeep.stop();
        self.writers.stop();
        self.shared.codes.shutdown();
    }
}

fn open(config: &Config) -> Result<Arc<dyn Engine>, Error> {
    Ok(match config.engine {
        config::Engine::Memory => Arc::new(storage::Memory::new()),
        #[cfg(feature = "rocks")]
        config::Engine::Rocks => {
            #[cfg(target_arch = "x86_64")]
            if !(is_x86_feature_detected!("sse4.2") && is_x86_feature_detected!("pclmulqdq")) {
                return Err(Error::Processor);
            }
            let options = storage::RocksOptions {
                block_cache_len: config.block_cache_mib * 1024 * 1024,
                warn: |text| tracing::warn!(text, "the store warns"),
                ..storage::RocksOptions::default()
            };
            Arc::new(storage::Rocks::open(&config.data_dir.join("db"), &options)?)
        }
        #[cfg(not(feature = "rocks"))]
        config::Engine::Rocks => return Err(Error::NoRocks),
    })
}

/// Opens the store of pieces of this machine.
pub(crate) fn open_pieces(config: &Config) -> Result<Arc<dyn Pieces>, Error> {
    Ok(match config.engine {
        config::Engine::Memory => Arc::new(MemoryPieces::default()),
        #[cfg(feature = "rocks")]
        config::Engine::Rocks => {
            Arc::new(storage::blobs::RocksPieces::open(&config.data_dir.join("media"))?)
        }
        #[cfg(not(feature = "rocks"))]
        config::Engine::Rocks => return Err(Error::NoRocks),
    })
}

/// Makes ready to talk to the remote store, if there is one. It may be down.
pub(crate) fn open_remote(config: &Config) -> Result<Option<Arc<Objects>>, Error> {
    let Some(s3) = &config.media.s3 else { return Ok(None) };
    let options = S3Options {
        bucket: s3.bucket.clone(),
        endpoint: s3.endpoint.clone(),
        region: s3.region.clone(),
        prefix: s3.prefix.clone(),
        virtual_hosted: !s3.path_style,
        allow_http: s3.allow_http,
        ..S3Options::default()
    };
    Ok(Some(Arc::new(Objects::connect(&options)?)))
}

/// Makes the account that service messages come from. Does nothing from the second start on.
async fn set_up_service_user(router: &Router) -> Result<(), router::CallError> {
    use crate::service_user::{FIRST_NAME, ID, PHONE};

    let origin = services::Origin::default();
    let bootstrap = functions::accounts::Bootstrap { phone: PHONE, first_name: FIRST_NAME };
    router.call(&Owner::User(UserId(ID)), origin, &bootstrap).await?;
    let reserve = functions::directory::Reserve { user_id: ID };
    router.call(&Owner::phone(PHONE), origin, &reserve).await?;
    Ok(())
}

/// Binds the sockets: a set for each shard, all on the same addresses.
fn listen(config: &Config) -> Result<(SocketAddr, Vec<Vec<Entrance>>), Error> {
    let secrets: Vec<Secret> = config
        .mtproxy_secrets
        .iter()
        .map(|secret| {
            if secret.padded_only { Secret::Padded(secret.key) } else { Secret::Plain(secret.key) }
        })
        .collect();
    let transport = |websockets| {
        Arc::new(ServerConfig { secrets: secrets.clone(), websockets, ..ServerConfig::default() })
    };
    let bind = |address: SocketAddr| {
        gateway::bind(address).map_err(|error| Error::Listen { address, error })
    };
    let shared_port = transport(matches!(config.websocket, WebSocket::Shared));
    let first = bind(config.listen)?;
    // With port 0 the system chose one, which the other shards must share.
    let local_addr = first.local_addr()?;
    let mut firsts = Some(first);
    let mut entrances = Vec::with_capacity(config.shards);
    for _ in 0..config.shards {
        let listener = match firsts.take() {
            Some(listener) => listener,
            None => bind(local_addr)?,
        };
        let mut of_shard = vec![Entrance { listener, transport: Arc::clone(&shared_port) }];
        if let WebSocket::Own(address) = config.websocket {
            of_shard.push(Entrance { listener: bind(address)?, transport: transport(true) });
        }
        entrances.push(of_shard);
    }
    Ok((local_addr, entrances))
}
