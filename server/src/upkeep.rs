//! The thread that looks after files: chores, moves to the remote store, and what operators ask.
//!
//! It has a runtime of its own, with threads for what blocks, so that nothing of this takes time from those who serve
//! clients.

use std::{io, sync::Arc, thread::JoinHandle, time::Duration};

use storage::Partitions;
use tokio::{
    runtime::{self, Runtime},
    sync::Mutex,
    task::JoinSet,
};

use crate::{
    admin::{
        desk::{Desk, Gauges},
        socket::Socket,
    },
    clock::Clock,
    config::{self, Config, MediaStore},
    limits,
    media::{
        chores,
        depot::Depot,
        mover::{self, Arrivals},
    },
    router::{Router, Writers},
    server::{Error, Stores},
    shared::Shared,
    stop::{Stop, Stopper},
    updates::Hub,
};

/// The thread, in a running server.
pub(crate) struct Upkeep {
    thread: JoinHandle<()>,
    stopper: Stopper,
    depot: Arc<Depot>,
    stop: Stop,
}

impl Upkeep {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// There is no thread to be had.
    pub(crate) fn start(
        shared: &Arc<Shared>,
        stores: Stores,
        partitions: Partitions,
        arrivals: Arc<Arrivals>,
    ) -> io::Result<Self> {
        let (stopper, stop) = Stopper::new();
        let depot = Arc::new(Depot::new(
            stores.engine,
            partitions,
            Arc::clone(&shared.router),
            Arc::clone(&shared.clock),
            stores.pieces,
            stores.remote,
        ));
        let runtime = runtime()?;
        let desk = Desk {
            depot: Arc::clone(&depot),
            carries: carries(&shared.config.media, &depot),
            arrivals,
            stop: stop.clone(),
            gauges: gauges(shared),
            busy: Arc::new(Mutex::new(())),
        };
        let sweep = Duration::from_secs(shared.config.media.sweep_s);
        // Before the server says that it is there.
        let socket = {
            let _runtime = runtime.enter();
            open_socket(&shared.config)
        };
        let thread = std::thread::Builder::new().name("upkeep".into()).spawn(move || {
            runtime.block_on(run(sweep, socket, desk));
            // What blocks has been told to stop, and does so within a piece.
            runtime.shutdown_timeout(limits::UPKEEP_STOP);
        })?;
        Ok(Self { thread, stopper, depot, stop })
    }

    /// Does now what is due within `ahead_s` seconds.
    pub(crate) async fn sweep(&self, ahead_s: i32) {
        let before = self.depot.now().saturating_add(ahead_s);
        chores::sweep(&self.depot, before, &self.stop).await;
    }

    /// Ends it. The writers must still run.
    pub(crate) fn stop(self) {
        self.stopper.stop();
        if self.thread.join().is_err() {
            tracing::error!("the upkeep of files panicked");
        }
    }
}

fn runtime() -> io::Result<Runtime> {
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_all().thread_name("upkeep");
    builder.max_blocking_threads(limits::UPKEEP_THREADS).build()
}

/// Without a socket the server does all but answer operators.
fn open_socket(config: &Config) -> Option<Socket> {
    Socket::open(&config.data_dir)
        .inspect_err(|error| {
            let folder = config.data_dir.display();
            tracing::warn!(%folder, %error, "operators cannot ask this server: no socket");
        })
        .ok()
}

async fn run(sweep: Duration, socket: Option<Socket>, desk: Desk) {
    let (depot, stop) = (Arc::clone(&desk.depot), desk.stop.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(chores::run(Arc::clone(&depot), sweep, stop.clone()));
    if desk.carries {
        tasks.spawn(mover::run(depot, Arc::clone(&desk.arrivals), stop.clone()));
    }
    let socket = socket.map(|socket| tokio::spawn(socket.run(Arc::new(desk))));
    stop.wait().await;
    if let Some(socket) = socket {
        // Removes it.
        socket.abort();
        let _ = socket.await;
    }
    // A chore in hand is finished, a move is not.
    end(tasks).await;
}

/// Waits for `tasks`, which were told to stop, for a while.
async fn end(tasks: JoinSet<()>) {
    let _ = tokio::time::timeout(limits::UPKEEP_STOP, tasks.join_all()).await;
}

/// Whether new files go to the remote store.
fn carries(config: &config::Media, depot: &Depot) -> bool {
    config.store == MediaStore::S3 && depot.remote.is_some()
}

/// What a running server counts.
fn gauges(shared: &Arc<Shared>) -> Gauges {
    let shared = Arc::downgrade(shared);
    Box::new(move || {
        let Some(shared) = shared.upgrade() else { return Vec::new() };
        let cache = shared.media.reader.counts();
        vec![("cache_hits", cache.hits), ("cache_misses", cache.misses), ("cache_bytes", cache.len)]
    })
}

/// The stores in a process that has them open alone.
pub(crate) struct Alone {
    depot: Arc<Depot>,
    writers: Writers,
    stopper: Stopper,
    stop: Stop,
    carries: bool,
}

impl Alone {
    /// Opens the stores that `config` names.
    ///
    /// # Errors
    ///
    /// They are not there, or another process has them open.
    pub(crate) fn open(config: &Config) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = config.data_dir.display();
        if config.engine == config::Engine::Memory {
            return Err(format!(
                "no server runs in {folder}, and with the engine `memory` there is nothing without one"
            )
            .into());
        }
        if !config.data_dir.join("db").exists() {
            return Err(format!("there is no store in {folder}: start the server once").into());
        }
        let stores = Stores::open(config)?;
        let clock = Arc::new(Clock::default());
        let partitions = Partitions::default();
        let hub = Arc::new(Hub::default());
        let engine = Arc::clone(&stores.engine);
        let (router, writers) =
            Router::start(engine, Arc::clone(&clock), &hub, partitions, 1).map_err(Error::from)?;
        let depot = Arc::new(Depot::new(
            stores.engine,
            partitions,
            Arc::new(router),
            clock,
            stores.pieces,
            stores.remote,
        ));
        let (stopper, stop) = Stopper::new();
        let carries = carries(&config.media, &depot);
        Ok(Self { depot, writers, stopper, stop, carries })
    }

    /// Who does what is asked.
    pub(crate) fn desk(&self) -> Desk {
        Desk {
            depot: Arc::clone(&self.depot),
            carries: self.carries,
            arrivals: Arc::default(),
            stop: self.stop.clone(),
            gauges: Box::new(Vec::new),
            busy: Arc::new(Mutex::new(())),
        }
    }

    /// Ends the threads.
    pub(crate) fn close(self) {
        self.stopper.stop();
        self.writers.stop();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::time::{Instant, sleep};

    use super::*;

    /// `UPKEEP_THREADS`: so much blocks at once, and no more; all has its turn.
    #[test]
    fn so_many_threads_block() {
        const COUNT: usize = limits::UPKEEP_THREADS;
        let runtime = runtime().unwrap();
        let (at_work, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // Ends with all of them at work at once, or never.
        let all = Arc::new(Barrier::new(COUNT));
        let works: Vec<_> = (0..3 * COUNT)
            .map(|_| {
                let (all, at_work) = (Arc::clone(&all), Arc::clone(&at_work));
                let most = Arc::clone(&most);
                runtime.spawn_blocking(move || {
                    let count = at_work.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(count, Ordering::SeqCst);
                    all.wait();
                    // Who may not work yet has a moment to begin.
                    std::thread::sleep(Duration::from_millis(20));
                    at_work.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        works.into_iter().for_each(|work| runtime.block_on(work).unwrap());
        assert_eq!(most.load(Ordering::SeqCst), COUNT);
    }

    /// `UPKEEP_STOP`: what ends soon is waited for, what does not is left.
    #[tokio::test(start_paused = true)]
    async fn tasks_are_waited_for_for_a_while() {
        let most = limits::UPKEEP_STOP;
        for (takes, waited) in [
            (Duration::ZERO, Duration::ZERO),
            (most - Duration::from_millis(1), most - Duration::from_millis(1)),
            (most + Duration::from_millis(1), most),
            (Duration::MAX, most),
        ] {
            let mut tasks = JoinSet::new();
            tasks.spawn(async {});
            tasks.spawn(sleep(takes));
            let begun = Instant::now();
            end(tasks).await;
            assert_eq!(begun.elapsed(), waited);
        }
    }
}
