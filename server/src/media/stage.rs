//! For tests: stores in memory and a writer, a clock that stands still, and a remote store that fails or waits when it is told to.

use std::{ops::ControlFlow, sync::Arc, thread, time::Duration};

use services::{Origin, tables::CHORES};
use storage::{
    BlobId, DataId, Engine as _, Memory, Order, Owner, Partitions, Read as _, View,
    blobs::{MemoryPieces, PieceKey, s3::Objects, tree},
    limits::{CHORE_LIST_COUNT, PIECE_LEN_MAX},
};
use tl::operations::functions;
use tokio::sync::oneshot;

use super::depot::Depot;
use crate::{
    clock::Clock,
    router::{Router, Writers},
    stop::{Stop, Stopper},
};

/// What the tasks around files work with.
pub(crate) struct Stage {
    pub(crate) memory: Arc<Memory>,
    pub(crate) depot: Arc<Depot>,
    pub(crate) remote: Arc<Objects>,
    pub(crate) stop: Stop,
    pub(crate) stopper: Stopper,
    writers: Option<Writers>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.remote.hold(false);
        self.writers.take().into_iter().for_each(Writers::stop);
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(Clock::default());
        clock.stop();
        let memory = Arc::new(Memory::new());
        let partitions = Partitions::default();
        let engine = || Arc::clone(&memory) as _;
        let (router, writers) =
            Router::start(engine(), Arc::clone(&clock), &Arc::default(), partitions, 1)
                .expect("there are threads");
        let remote = Arc::new(Objects::in_memory().expect("there are threads"));
        let pieces = Arc::new(MemoryPieces::default());
        let router = Arc::new(router);
        let remote_too = Some(Arc::clone(&remote));
        let depot = Depot::new(engine(), partitions, router, clock, pieces, remote_too);
        let (stopper, stop) = Stopper::new();
        let (depot, writers) = (Arc::new(depot), Some(writers));
        Self { memory, depot, remote, stop, stopper, writers }
    }

    /// A blob of `len` bytes, another for each number, that lies here.
    pub(crate) async fn blob(&self, number: u8, len: usize) -> BlobId {
        let content: Vec<u8> = (0..len).map(|at| (at % 251) as u8 ^ number).collect();
        let data = DataId(i64::from(number) + 1);
        let mut hashes = Vec::new();
        for (part, bytes) in content.chunks(PIECE_LEN_MAX).enumerate() {
            let hash = tree::piece((part * PIECE_LEN_MAX) as u64, bytes).expect("a piece");
            let key = PieceKey::new(data, part as u32, &hash);
            self.depot.pieces.put(&key, bytes).expect("there is room");
            hashes.push(hash);
        }
        let blob = tree::blob(len as u64, PIECE_LEN_MAX as u32, &hashes).expect("a blob");
        self.adopt(blob, data, len, &hashes.iter().flat_map(|hash| hash.0).collect::<Vec<_>>())
            .await;
        blob
    }

    /// The rows of a blob.
    pub(crate) async fn adopt(&self, blob: BlobId, data: DataId, len: usize, hashes: &[u8]) {
        let (len, piece_len) = (len as i64, PIECE_LEN_MAX as i32);
        let adopt = functions::blobs::Adopt { file: 1, data: data.0, len, piece_len, hashes };
        let owner = Owner::Blob(blob);
        self.depot.router.call(&owner, Origin::default(), &adopt).await.expect("it is adopted");
    }

    /// Whether a blob lies in the remote store, as the rows say.
    pub(crate) fn is_there(&self, blob: BlobId) -> bool {
        let layout = self.depot.layout(blob).expect("the rows are there");
        layout.expect("so is the blob").blob.remote
    }

    /// How many chores are due up to `before`.
    pub(crate) fn chores(&self, before: i32) -> usize {
        let snapshot = self.memory.snapshot();
        let mut count = 0;
        for number in 0..CHORE_LIST_COUNT {
            let view = View::new(&*snapshot, Owner::Chores(number));
            let all = ..=(before, i64::MAX);
            let visited = view.visit(CHORES, all, Order::Forward, |_, _| {
                count += 1;
                ControlFlow::Continue(())
            });
            visited.expect("it can be read");
        }
        count
    }
}

/// Waits until `is_so`, without a timer: time that stands still for the caller goes on for what is under test alone.
pub(crate) async fn until(is_so: impl Fn() -> bool + Send + 'static) {
    let (done, told) = oneshot::channel();
    thread::spawn(move || {
        while !is_so() && !done.is_closed() {
            thread::sleep(Duration::from_millis(1));
        }
        let _ = done.send(());
    });
    told.await.expect("the thread looks on");
}
