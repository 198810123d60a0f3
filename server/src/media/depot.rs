//! What the tasks around files work with: the stores, the way to the rows, the time.
//!
//! They run in a server, or alone in a process that has the store open while no server does ([`crate::admin`]).

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use services::Origin;
use storage::{
    BlobId, DataId, Engine, Owner, Partitions,
    blobs::{Pieces, s3::Objects},
};
use tl::{
    operations::{enums::Refusal, functions, types},
    records::enums::Chore,
};

use crate::{
    clock::{self, Clock},
    router::{CallError, Router},
    shared,
};

/// The stores, the way to the rows, the time.
pub struct Depot {
    /// Where the rows are, for those who read many of them.
    pub engine: Arc<dyn Engine>,
    /// How rows are spread.
    pub partitions: Partitions,
    /// The way to operations.
    pub router: Arc<Router>,
    /// The clock.
    pub clock: Arc<Clock>,
    /// The store of pieces.
    pub pieces: Arc<dyn Pieces>,
    /// The remote store, where one is configured.
    pub remote: Option<Arc<Objects>>,
    /// Under which data contents are being brought somewhere, so that no row names them yet.
    moving: Mutex<HashSet<DataId>>,
}

/// Why a task around files could not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operation.
    #[error("an operation {0}")]
    Call(#[from] CallError),
    /// A store.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The remote store is needed and none is configured.
    #[error("no remote store is configured: set `media.s3.bucket`")]
    NoRemote,
    /// A piece is not what its hash says, or is not there.
    #[error("piece {part} of blob {blob} is {what}")]
    Piece {
        /// Whose piece it is.
        blob: BlobId,
        /// Its number.
        part: u32,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A row about a blob contradicts itself.
    #[error("the rows of blob {0} contradict each other")]
    Layout(BlobId),
    /// The server stops.
    #[error("the server is stopping")]
    Stopped,
    /// Work panicked.
    #[error("work on files panicked")]
    Panicked,
}

impl Error {
    /// Whether another try would fail as well.
    pub(crate) const fn is_lasting(&self) -> bool {
        matches!(self, Self::NoRemote | Self::Piece { .. } | Self::Layout(_))
    }
}

/// A chore in its list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    pub(crate) due: i32,
    pub(crate) number: i64,
}

/// Contents that are on their way somewhere, until this is dropped. Chores leave them alone.
pub(crate) struct Moving<'d> {
    depot: &'d Depot,
    data: DataId,
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        self.depot.moving.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.data);
    }
}

impl Depot {
    /// What they work with.
    #[must_use]
    pub fn new(
        engine: Arc<dyn Engine>,
        partitions: Partitions,
        router: Arc<Router>,
        clock: Arc<Clock>,
        pieces: Arc<dyn Pieces>,
        remote: Option<Arc<Objects>>,
    ) -> Self {
        Self { engine, partitions, router, clock, pieces, remote, moving: Mutex::default() }
    }

    pub(crate) fn now(&self) -> i32 {
        clock::seconds(self.clock.now()).0
    }

    pub(crate) fn remote(&self) -> Result<&Arc<Objects>, Error> {
        self.remote.as_ref().ok_or(Error::NoRemote)
    }

    /// Where a blob is and what its pieces are; `None` if it is gone.
    pub(crate) fn layout(&self, blob: BlobId) -> Result<Option<types::blobs::Layout>, Error> {
        match self.router.read_now(&Owner::Blob(blob), &functions::blobs::Get {}) {
            Ok(layout) => Ok(Some(layout)),
            Err(CallError::Refused(Refusal::FileReferenceExpired)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A number under which nothing lies yet, marked as on its way.
    pub(crate) fn begin_move(&self) -> Moving<'_> {
        let data = DataId(i64::from_le_bytes(shared::random()));
        self.moving.lock().unwrap_or_else(PoisonError::into_inner).insert(data);
        Moving { depot: self, data }
    }

    pub(crate) fn is_moving(&self, data: DataId) -> bool {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner).contains(&data)
    }

    /// How many blobs are on their way.
    pub(crate) fn moving_count(&self) -> usize {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Notes a chore durably.
    pub(crate) async fn add_chore(&self, due: i32, chore: Chore) -> Result<Listed, Error> {
        let number = i64::from_le_bytes(shared::random());
        self.add_numbered(Listed { due, number }, chore).await
    }

    pub(crate) async fn add_numbered(&self, listed: Listed, chore: Chore) -> Result<Listed, Error> {
        let Listed { due, number } = listed;
        let add = functions::chores::Add { due, number, chore };
        self.router.call(&Owner::chores(number), Origin::default(), &add).await?;
        Ok(listed)
    }

    /// Removes a chore from its list.
    pub(crate) async fn chore_done(&self, listed: Listed) -> Result<(), Error> {
        let Listed { due, number } = listed;
        let done = functions::chores::Done { due, number };
        self.router.call(&Owner::chores(number), Origin::default(), &done).await?;
        Ok(())
    }
}

impl Moving<'_> {
    /// Under what the contents come to lie.
    pub(crate) fn data(&self) -> DataId {
        self.data
    }
}

/// Does `work` on a thread that may block.
pub(crate) async fn block<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Panicked)?
}
