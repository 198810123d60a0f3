//! One thread with its connections and sessions.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use mtproto::{
    UnixTime,
    session::{ConnId, Outgoing, Session},
    transport::ServerConfig,
};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng as _;
use services::Pushed;
use storage::{AuthKeyId, UserId};
use tl::Layer;
use tokio::{
    sync::{Notify, mpsc},
    task::LocalSet,
};

use super::{
    Login,
    command::{Command, ShardHandle},
    computer::Computer,
    connection::{Connection, NOT_FOUND},
    listen::Admission,
    live::{Live, LiveId},
    unopened::Unopened,
};
use crate::{limits, media::large::Stored, router::Answer, shared::Shared};

thread_local! {
    /// Which shard this thread is, if it is one.
    static SHARD: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Which shard the calling thread is, if it is one.
pub(crate) fn this_shard() -> Option<usize> {
    SHARD.get()
}

/// A socket to listen on, and how its connections begin.
pub(crate) struct Entrance {
    pub(crate) listener: TcpListener,
    pub(crate) transport: Arc<ServerConfig>,
}

/// Starts one shard for each of `entrances` and returns the ways to them.
///
/// # Errors
///
/// The system gives no thread.
pub(crate) fn start(
    shared: &Arc<Shared>,
    admission: &Arc<Admission>,
    entrances: Vec<Vec<Entrance>>,
) -> io::Result<(Vec<ShardHandle>, Vec<JoinHandle<()>>)> {
    let (handles, queues): (Vec<_>, Vec<_>) =
        entrances.iter().map(|_| ShardHandle::new(limits::SHARD_QUEUE_COUNT)).unzip();
    let mut threads = Vec::with_capacity(handles.len());
    for (index, (entrances, queue)) in entrances.into_iter().zip(queues).enumerate() {
        let (shared, admission, handles) =
            (Arc::clone(shared), Arc::clone(admission), handles.clone());
        let computer = Computer::start(index)?;
        let thread =
            std::thread::Builder::new().name(format!("shard-{index}")).spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                match runtime {
                    Ok(runtime) => {
                        SHARD.set(Some(index));
                        let shard =
                            Rc::new(Shard::new(shared, admission, index, handles, computer));
                        LocalSet::new().block_on(&runtime, shard.run(entrances, queue));
                    }
                    Err(error) => tracing::error!(%error, "a shard cannot start"),
                }
            })?;
        threads.push(thread);
    }
    Ok((handles, threads))
}

/// Everything that one thread owns.
pub(crate) struct Shard {
    pub(super) shared: Arc<Shared>,
    pub(super) admission: Arc<Admission>,
    index: usize,
    handles: Vec<ShardHandle>,
    logins: RefCell<HashMap<crypto::AuthKeyId, Rc<Login>>>,
    sessions: RefCell<HashMap<LiveId, Rc<Live>>>,
    pub(super) connections: RefCell<HashMap<ConnId, Rc<Connection>>>,
    subscribers: RefCell<HashMap<UserId, Vec<Rc<Live>>>>,
    pub(super) dirty: RefCell<Vec<Rc<Live>>>,
    pub(super) flush: Notify,
    /// Large packets that wait to be sealed together.
    pub(super) unsealed: RefCell<Vec<(Rc<Live>, Outgoing)>>,
    /// Large packets that wait to be opened together.
    pub(super) unopened: RefCell<Vec<Unopened>>,
    pub(super) open: Notify,
    /// How many bytes of room are kept for packets that are not whole.
    pub(super) kept: Cell<usize>,
    /// How many bytes of answers are being prepared.
    pub(super) promised: Cell<usize>,
    pub(super) rng: RefCell<ChaCha12Rng>,
    pub(super) computer: Computer,
    next_conn: Cell<u64>,
    next_place: Cell<usize>,
    /// How many requests run on this shard.
    pub(super) running: Cell<usize>,
    /// How many of them came in large packets.
    pub(super) large_running: Cell<usize>,
    pub(super) idle: Notify,
    pub(super) stopping: Cell<bool>,
    /// When timers were last looked at.
    ticked: Cell<UnixTime>,
}

impl Shard {
    fn new(
        shared: Arc<Shared>,
        admission: Arc<Admission>,
        index: usize,
        handles: Vec<ShardHandle>,
        computer: Computer,
    ) -> Self {
        let rng = ChaCha12Rng::from_seed(shared.random());
        let ticked = Cell::new(shared.clock.now());
        Self {
            ticked,
            shared,
            admission,
            index,
            handles,
            logins: RefCell::default(),
            sessions: RefCell::default(),
            connections: RefCell::default(),
            subscribers: RefCell::default(),
            dirty: RefCell::default(),
            flush: Notify::new(),
            unsealed: RefCell::default(),
            unopened: RefCell::default(),
            open: Notify::new(),
            kept: Cell::new(0),
            promised: Cell::new(0),
            rng: RefCell::new(rng),
            computer,
            next_conn: Cell::new(0),
            next_place: Cell::new(0),
            running: Cell::new(0),
            large_running: Cell::new(0),
            idle: Notify::new(),
            stopping: Cell::new(false),
        }
    }

    pub(super) fn now(&self) -> UnixTime {
        self.shared.clock.now()
    }

    /// Whether so much runs that everybody gets a share only.
    pub(super) fn is_busy(&self) -> bool {
        self.running.get() >= limits::SHARD_BUSY_COUNT
    }

    /// A number that no other connection of this shard has.
    pub(super) fn conn_id(&self) -> ConnId {
        let id = self.next_conn.get();
        self.next_conn.set(id.wrapping_add(1));
        ConnId(id)
    }

    /// A number that is another one the next time.
    pub(super) fn next_place(&self) -> usize {
        self.next_place.replace(self.next_place.get().wrapping_add(1))
    }

    async fn run(self: Rc<Self>, entrances: Vec<Entrance>, mut queue: mpsc::Receiver<Command>) {
        let mut tasks = Vec::new();
        for entrance in entrances {
            tasks.push(tokio::task::spawn_local(Rc::clone(&self).accept(entrance)));
        }
        tasks.push(tokio::task::spawn_local(Rc::clone(&self).flush_forever()));
        tasks.push(tokio::task::spawn_local(Rc::clone(&self).open_forever()));
        let mut tick = tokio::time::interval(limits::TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut commands = Vec::new();
        while !self.stopping.get() {
            tokio::select! {
                count = queue.recv_many(&mut commands, limits::SHARD_COMMANDS_AT_ONCE) => {
                    commands.drain(..).for_each(|command| self.handle(command));
                    if count == 0 {
                        self.stopping.set(true);
                    }
                }
                _ = tick.tick() => self.tick(),
            }
        }
        self.drain(&tasks, queue).await;
    }

    /// Ends: nothing new is accepted or read, what runs is finished and answered.
    async fn drain(
        self: &Rc<Self>,
        tasks: &[tokio::task::JoinHandle<()>],
        mut queue: mpsc::Receiver<Command>,
    ) {
        self.open_now();
        let drain = Duration::from_secs(self.shared.config.limits.drain_s);
        let finished = async {
            while self.running.get() > 0 {
                tokio::select! {
                    () = self.idle.notified() => {}
                    // Answers to what runs come this way.
                    Some(command) = queue.recv() => self.handle(command),
                }
            }
        };
        if tokio::time::timeout(drain, finished).await.is_err() {
            tracing::warn!(running = self.running.get(), "requests were cut off at the end");
        }
        self.flush_now();
        let connections: Vec<_> = self.connections.borrow().values().cloned().collect();
        for connection in connections {
            connection.say_goodbye(self);
        }
        for task in tasks {
            task.abort();
        }
    }

    async fn accept(self: Rc<Self>, entrance: Entrance) {
        let listener = match tokio::net::TcpListener::from_std(entrance.listener) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, "a shard cannot listen");
                return;
            }
        };
        while !self.stopping.get() {
            match listener.accept().await {
                Ok((stream, peer)) => match self.admission.admit(peer.ip()) {
                    Some(admitted) => {
                        let transport = Arc::clone(&entrance.transport);
                        // People are shown it: one of IPv4 is to look like one.
                        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                        Connection::open(&self, stream, peer, admitted, transport);
                    }
                    None => tracing::debug!("a connection too many was closed"),
                },
                Err(error) => {
                    // Out of file descriptors, most likely: wait for some to be given back.
                    tracing::warn!(%error, "failed to accept a connection");
                    tokio::time::sleep(limits::TICK).await;
                }
            }
        }
    }

    /// Too much is kept of packets that are not whole: closes the connections whose packets have been coming for longest. A
    /// quarter goes at once, so that not each read looks at all connections.
    pub(super) fn close_slowest(&self) {
        let connections = self.connections.borrow();
        let mut keeping: Vec<_> =
            connections.values().filter(|it| it.kept.get() > 0 && !it.closing.get()).collect();
        keeping.sort_by_key(|connection| connection.kept_since.get());
        let mut kept: usize = keeping.iter().map(|connection| connection.kept.get()).sum();
        let mut keeping = keeping.into_iter();
        while kept > limits::PARTIALS_LEN_MAX / 4 * 3
            && let Some(slowest) = keeping.next()
        {
            kept = kept.saturating_sub(slowest.kept.get());
            slowest.close_after_flush();
        }
    }

    fn handle(self: &Rc<Self>, command: Command) {
        match command {
            Command::Connection(handoff) => Connection::take_over(self, *handoff),
            Command::Answers(answers) => answers.into_iter().for_each(Answer::give),
            Command::Stored(parts) => parts.into_iter().for_each(Stored::give),
            Command::Effect { user, pushed } => self.push(user, &pushed),
            Command::LoginChanged(key) => {
                let user = self.shared.user_of_key(key);
                self.set_user_of(key, user);
            }
            Command::LoginsEnded { user, keys } => {
                for key in keys.iter() {
                    self.end_login(AuthKeyId(*key), user);
                }
            }
            Command::KeysDestroyed(keys) => {
                for key in keys.iter() {
                    self.forget_key(AuthKeyId(*key));
                }
            }
            Command::Stop => self.stopping.set(true),
        }
    }

    // ---- keys ----

    /// The login of an auth key, from memory or from the rows.
    pub(super) fn login(&self, id: crypto::AuthKeyId) -> Option<Rc<Login>> {
        let now = self.now();
        if let Some(login) = self.logins.borrow().get(&id) {
            return Some(Rc::clone(login)).filter(|login| !login.has_expired(now));
        }
        let login = Rc::new(Login::load(&self.shared, id)?);
        if login.has_expired(now) {
            return None;
        }
        self.logins.borrow_mut().insert(id, Rc::clone(&login));
        Some(login)
    }

    /// Ends the login of `perm` as `user`. Somebody else may have logged in with the key since.
    fn end_login(&self, perm: AuthKeyId, user: UserId) {
        let is_user =
            |login: &Rc<Login>| login.perm_key_id() == Some(perm) && login.user() == Some(user);
        if self.logins.borrow().values().any(is_user) {
            self.set_user_of(perm, None);
        }
    }

    /// Looks all keys up again: that one is gone or logged out may be what was lost.
    fn check_logins(&self) {
        let logins: Vec<_> = self.logins.borrow().values().cloned().collect();
        for login in logins {
            if Login::load(&self.shared, login.auth_key().id()).is_none() {
                self.forget_key(login.key_id());
            } else if let Some(perm) = login.perm_key_id() {
                self.set_user_of(perm, self.shared.user_of_key(perm));
            }
        }
    }

    fn set_user_of(&self, perm: AuthKeyId, user: Option<UserId>) {
        let logins: Vec<_> = self.logins.borrow().values().cloned().collect();
        for login in logins.iter().filter(|login| login.perm_key_id() == Some(perm)) {
            login.set_user(user);
        }
        let sessions: Vec<_> = self.sessions.borrow().values().cloned().collect();
        for live in sessions.iter().filter(|live| live.login.perm_key_id() == Some(perm)) {
            self.subscribe(live);
        }
    }

    /// Drops a destroyed key with its sessions, and closes their connections.
    pub(super) fn forget_key(&self, key: AuthKeyId) {
        let id = crypto::AuthKeyId(key.0.cast_unsigned());
        let sessions: Vec<_> = self.sessions.borrow().values().cloned().collect();
        for live in sessions {
            if live.login.key_id() != key && live.login.perm_key_id() != Some(key) {
                continue;
            }
            if live.destroys_key.get() {
                continue;
            }
            let connections: Vec<_> = live.session.borrow().connections().collect();
            self.drop_session(&live);
            for conn in connections {
                if let Some(connection) = self.connections.borrow().get(&conn) {
                    connection.refuse(NOT_FOUND);
                }
            }
        }
        self.logins
            .borrow_mut()
            .retain(|other, login| *other != id && login.perm_key_id() != Some(key));
    }

    // ---- sessions ----

    /// The session with this id, made if it is not in memory.
    pub(super) fn session(&self, login: &Rc<Login>, session_id: i64) -> Rc<Live> {
        let id = (login.auth_key().id(), session_id);
        if let Some(live) = self.sessions.borrow().get(&id) {
            return Rc::clone(live);
        }
        self.make_room(login);
        let now = self.now();
        let config = mtproto::session::Config {
            auth_key_id: id.0,
            session_id,
            unique_id: i64::from_le_bytes(self.shared.random()),
            salt_secret: Arc::clone(&self.shared.salts),
            first_salt: login.first_salt(self.shared.started),
            received_up_to: login.received_up_to(session_id),
            updates_too_long: self.shared.updates_too_long.clone(),
        };
        let layer = login.client().map_or(Layer::NEWEST, |client| layer(client.layer));
        let live = Rc::new(Live {
            login: Rc::clone(login),
            session: RefCell::new(Session::new(now, config)),
            layer: Cell::new(layer),
            running: Cell::new(0),
            plain_request: Cell::new(None),
            subscribed: Cell::new(None),
            used: Cell::new(now),
            ip: Cell::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            destroys_key: Cell::new(false),
            dirty: Cell::new(false),
        });
        self.sessions.borrow_mut().insert(id, Rc::clone(&live));
        login.sessions.borrow_mut().push(session_id);
        live
    }

    /// Drops the least recently used session of a key that has too many.
    fn make_room(&self, login: &Login) {
        let oldest = {
            let (of_key, sessions) = (login.sessions.borrow(), self.sessions.borrow());
            if of_key.len() < limits::SESSIONS_PER_KEY_MAX {
                return;
            }
            let of_key = of_key.iter().filter_map(|id| sessions.get(&(login.auth_key().id(), *id)));
            of_key.min_by_key(|live| live.used.get()).cloned()
        };
        if let Some(live) = oldest {
            self.drop_session(&live);
        }
    }

    pub(super) fn find_session(&self, id: LiveId) -> Option<Rc<Live>> {
        self.sessions.borrow().get(&id).cloned()
    }

    pub(super) fn drop_session(&self, live: &Rc<Live>) {
        self.unsubscribe(live);
        let (_, session_id) = live.id();
        live.login.note_dropped(session_id, live.session.borrow().received_up_to());
        live.login.sessions.borrow_mut().retain(|id| *id != session_id);
        self.sessions.borrow_mut().remove(&live.id());
    }

    /// Subscribes a session to the updates of the user it is logged in as, if it wants them; ends what no longer holds.
    pub(super) fn subscribe(&self, live: &Rc<Live>) {
        let user = live.login.user().filter(|_| live.plain_request.get().is_some());
        if live.subscribed.get() == user {
            return;
        }
        self.unsubscribe(live);
        live.session.borrow_mut().set_wants_updates(user.is_some());
        if let Some(user) = user {
            self.subscribers.borrow_mut().entry(user).or_default().push(Rc::clone(live));
            self.shared.hub.subscribe(user, self.index);
            live.subscribed.set(Some(user));
        }
    }

    fn unsubscribe(&self, live: &Rc<Live>) {
        let Some(user) = live.subscribed.take() else { return };
        let mut subscribers = self.subscribers.borrow_mut();
        if let Some(sessions) = subscribers.get_mut(&user) {
            sessions.retain(|other| !Rc::ptr_eq(other, live));
            if sessions.is_empty() {
                subscribers.remove(&user);
            }
        }
        self.shared.hub.unsubscribe(user, self.index);
    }

    /// Tells the sessions of `user`, but for the one that caused it.
    fn push(&self, user: UserId, pushed: &Pushed) {
        let sessions = self.receivers(user, pushed);
        if sessions.is_empty() {
            return;
        }
        crate::updates::push::render(&self.shared, user, pushed, &mut |updates| {
            // One rendering serves all layers; each is encoded once.
            let mut encoded: Vec<(Layer, bytes::Bytes)> = Vec::new();
            for live in &sessions {
                let layer = live.layer.get();
                let known =
                    encoded.iter().find(|(of, _)| *of == layer).map(|(_, bytes)| bytes.clone());
                let bytes = known.unwrap_or_else(|| {
                    let bytes = bytes::Bytes::from(tl::Encode::to_vec(updates, layer));
                    encoded.push((layer, bytes.clone()));
                    bytes
                });
                let update = mtproto::Buffer::from_body(&bytes);
                live.session.borrow_mut().send_update(update);
                self.mark(live);
            }
        });
    }

    /// The sessions of `user` that are told: of each key the one that last made a plain request, connected ones first.
    fn receivers(&self, user: UserId, pushed: &Pushed) -> Vec<Rc<Live>> {
        let subscribers = self.subscribers.borrow();
        let mut chosen: Vec<Rc<Live>> = Vec::new();
        for live in subscribers.get(&user).into_iter().flatten() {
            let rank =
                |live: &Live| (live.session.borrow().is_connected(), live.plain_request.get());
            match chosen.iter_mut().find(|other| Rc::ptr_eq(&other.login, &live.login)) {
                Some(other) if rank(other) < rank(live) => *other = Rc::clone(live),
                Some(_) => {}
                None => chosen.push(Rc::clone(live)),
            }
        }
        chosen.retain(|live| {
            let origin = pushed.origin;
            let caused_it = origin.auth_key_id == live.login.key_id().0
                && origin.session_id == live.session.borrow().session_id();
            !caused_it || crate::updates::push::concerns_origin(pushed)
        });
        chosen
    }

    // ---- time ----

    fn tick(self: &Rc<Self>) {
        let now = self.now();
        let expired: Vec<_> =
            self.logins.borrow().values().filter(|login| login.has_expired(now)).cloned().collect();
        for login in expired {
            // Nothing goes out under a key whose time is over, not even on a connection that is open.
            self.forget_key(login.key_id());
        }
        if self.shared.hub.take_overflow(self.index) {
            self.check_logins();
            self.push_too_long();
        }
        let due: Vec<_> = self
            .sessions
            .borrow()
            .values()
            .filter(|live| {
                live.session
                    .try_borrow()
                    .is_ok_and(|s| s.poll_timeout().is_some_and(|at| at <= now))
            })
            .cloned()
            .collect();
        for live in due {
            live.session.borrow_mut().handle_timeout(now);
            self.poll_events(&live);
            self.mark(&live);
        }
        let connections: Vec<_> = self.connections.borrow().values().cloned().collect();
        let jumped = now.since(self.ticked.replace(now)) >= limits::TICK_LATE;
        if jumped {
            tracing::warn!("the clock was set forwards, or this process stood still");
        }
        for connection in connections {
            if jumped {
                connection.begin_deadlines_anew(now);
            }
            connection.check_deadlines(self, now);
        }
        let mut logins = self.logins.borrow_mut();
        if logins.len() > self.shared.config.limits.idle_keys_max {
            logins.retain(|_, login| Rc::strong_count(login) > 1);
        }
    }

    /// Something meant for sessions of this shard was lost: all must ask for the difference.
    fn push_too_long(&self) {
        let sessions: Vec<_> = self.subscribers.borrow().values().flatten().cloned().collect();
        for live in sessions {
            let update = mtproto::Buffer::from_body(&self.shared.updates_too_long);
            live.session.borrow_mut().send_update(update);
            self.mark(&live);
        }
    }

    // ---- homes ----

    /// The shard on which everything of an auth key meets, if it is another one.
    pub(super) fn elsewhere(&self, key: crypto::AuthKeyId) -> Option<&ShardHandle> {
        let count = u64::try_from(self.handles.len()).unwrap_or(1).max(1);
        // The id is a part of a SHA-1 of the key: as good as any hash.
        let home = usize::try_from((key.0 >> 8) % count).unwrap_or(0);
        if home == self.index { None } else { self.handles.get(home) }
    }
}

/// A layer as announced, as far as it is spoken.
pub(crate) fn layer(announced: i32) -> Layer {
    let number = u16::try_from(announced).unwrap_or(Layer::NEWEST.0);
    Layer(number).clamp(Layer::OLDEST, Layer::NEWEST)
}
