//! Blobs move between here and the remote store.
//!
//! ```text
//!  chores.add ──► Objects::put ──► blobs.relocate ──► chores.done       here to there
//!  chores.add ──► Pieces::put  ──► blobs.relocate ──► chores.done       there to here
//!     │ in an hour, if nobody came so far: removes what was brought, unless the blob lies there
//! ```
//!
//! Contents always come here first, so that the remote store can be down: nothing waits for it but this. What is left
//! behind by a move becomes a chore of its own ([`super::chores`]), after a pause in which those who read there finish.
//! Each move brings the contents under a new number, so that no chore can mean what another move brings.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use services::Origin;
use storage::{
    BlobId, DataId, Owner, OwnerKind,
    blobs::{Pieces, s3::Objects},
    owners,
};
use tl::{
    operations::{enums::Refusal, functions},
    records::types::{ChoreObject, ChorePieces},
};
use tokio::{sync::Notify, task::JoinSet};

use super::{
    depot::{Depot, Error, block},
    parts::Parts,
};
use crate::{admin::report::Report, limits, router::CallError, stop::Stop};

/// Where blobs are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the store of pieces.
    Here,
    /// In the remote store.
    There,
}

/// Blobs that came into being and are to be carried to the remote store. Bounded: what does not fit is found by a scan.
#[derive(Default)]
pub(crate) struct Arrivals {
    blobs: Mutex<VecDeque<BlobId>>,
    missed: AtomicBool,
    news: Notify,
}

impl Arrivals {
    /// Notes a blob. Never waits.
    pub(crate) fn push(&self, blob: BlobId) {
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        if blobs.len() < limits::MOVE_QUEUE_COUNT {
            blobs.push_back(blob);
        } else {
            self.missed.store(true, Ordering::Release);
        }
        drop(blobs);
        self.news.notify_one();
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn pop(&self) -> Option<BlobId> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Carries new blobs to the remote store; at the start, and after something went wrong, those that are still here.
pub(crate) async fn run(depot: Arc<Depot>, arrivals: Arc<Arrivals>, stop: Stop) {
    let mut moves: JoinSet<bool> = JoinSet::new();
    let mut scan = Some(Scan::default());
    let mut again = false;
    loop {
        if moves.len() >= limits::MOVES_AT_ONCE {
            tokio::select! {
                moved = moves.join_next() => again |= !matches!(moved, Some(Ok(true)) | None),
                () = stop.wait() => return,
            }
            continue;
        }
        if arrivals.missed.swap(false, Ordering::AcqRel) && scan.is_none() {
            scan = Some(Scan::default());
        }
        let mut next = arrivals.pop();
        if next.is_none()
            && let Some(scanning) = &mut scan
        {
            next = scanning.next(&depot).await.unwrap_or_else(|error| {
                tracing::error!(%error, "blobs cannot be listed");
                again = true;
                None
            });
            if next.is_none() {
                scan = None;
            }
        }
        if let Some(blob) = next {
            let (depot, stop) = (Arc::clone(&depot), stop.clone());
            moves.spawn(async move { carry_with_patience(&depot, blob, &stop).await });
            continue;
        }
        tokio::select! {
            () = arrivals.news.notified() => {}
            Some(moved) = moves.join_next() => again |= !matches!(moved, Ok(true)),
            () = tokio::time::sleep(limits::MOVE_AGAIN), if again => {
                again = false;
                scan = Some(Scan::default());
            }
            () = stop.wait() => return,
        }
    }
}

/// Carries a blob, with pauses while the remote store does not take it. Whether it need not be tried again.
async fn carry_with_patience(depot: &Arc<Depot>, blob: BlobId, stop: &Stop) -> bool {
    let mut pause = limits::MOVE_PAUSE;
    loop {
        let Err(error) = carry(depot, blob, Place::There, stop).await else { return true };
        if stop.is_set() {
            return false;
        }
        if error.is_lasting() {
            tracing::error!(%blob, %error, "a blob cannot be carried to the remote store");
            return true;
        }
        tracing::warn!(%blob, %error, pause_s = pause.as_secs(), "a blob waits for the remote store");
        if pause > limits::MOVE_PAUSE_MAX || stop.within(pause).await {
            return false;
        }
        pause *= 2;
    }
}

/// What [`migrate`] did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Migrated {
    /// Blobs that were moved.
    pub(crate) moved: u64,
    /// Their bytes.
    pub(crate) moved_len: u64,
    /// Blobs that were there already, or went meanwhile.
    pub(crate) skipped: u64,
}

/// Moves all blobs to `place`; tells of those that cannot be.
///
/// # Errors
///
/// The rows cannot be read, or many moves in a row failed.
pub(crate) async fn migrate(
    depot: &Arc<Depot>,
    place: Place,
    report: &Report,
    stop: &Stop,
) -> Result<Migrated, Error> {
    depot.remote()?;
    let counted = {
        let depot = Arc::clone(depot);
        block(move || count(&depot)).await?
    };
    let stage = match place {
        Place::Here => "Bringing blobs back",
        Place::There => "Carrying blobs to the remote store",
    };
    let len = if place == Place::Here { counted.there_len } else { counted.here_len };
    report.begin(stage, len, true);
    let mut scan = Scan::default();
    let mut moves = JoinSet::new();
    let mut done = Migrated::default();
    let mut failures = 0;
    let mut is_last = false;
    while !is_last || !moves.is_empty() {
        if report.is_unwanted() || stop.is_set() {
            break;
        }
        if !is_last && moves.len() < limits::MOVES_AT_ONCE {
            match scan.next(depot).await? {
                Some(blob) => {
                    let (depot, stop) = (Arc::clone(depot), stop.clone());
                    moves.spawn(async move { (blob, carry(&depot, blob, place, &stop).await) });
                }
                None => is_last = true,
            }
            continue;
        }
        match moves.join_next().await {
            Some(Ok((_, Ok(Some(len))))) => {
                failures = 0;
                done.moved += 1;
                done.moved_len += len;
                report.advance(len);
            }
            Some(Ok((_, Ok(None)))) => done.skipped += 1,
            Some(Ok((blob, Err(error)))) => {
                // What is wrong with a blob is not wrong with the next.
                failures += u32::from(!error.is_lasting());
                if failures >= limits::MOVE_FAILURE_COUNT_MAX {
                    return Err(error);
                }
                report.find(format!("blob {blob} was not moved: {error}"));
            }
            Some(Err(_)) => return Err(Error::Panicked),
            None => {}
        }
    }
    Ok(done)
}

/// Moves a blob to `place`. Answers its length, or `None` if there is nothing to be moved.
async fn carry(
    depot: &Arc<Depot>,
    blob: BlobId,
    place: Place,
    stop: &Stop,
) -> Result<Option<u64>, Error> {
    let remote = Arc::clone(depot.remote()?);
    let Some(layout) = depot.layout(blob)? else { return Ok(None) };
    let parts = Parts::of(blob, &layout)?;
    if parts.remote == (place == Place::There) {
        return Ok(None);
    }
    let moving = depot.begin_move();
    let data = moving.data();
    let due = depot.now().saturating_add(limits::MOVE_INTENT_S);
    let id = blob.0.to_vec();
    let chore = match place {
        Place::There => ChoreObject { blob: id, data: data.0 }.into(),
        Place::Here => ChorePieces { blob: id, data: data.0 }.into(),
    };
    let listed = depot.add_chore(due, chore).await?;

    let (from, len) = (parts.data, parts.len);
    let pieces = Arc::clone(&depot.pieces);
    let stop = stop.clone();
    let objects = Arc::clone(&remote);
    block(move || match place {
        Place::There => put_object(&*pieces, &objects, &parts, data, &stop),
        Place::Here => put_pieces(&*pieces, &objects, &parts, data, &stop),
    })
    .await?;

    let relocate =
        functions::blobs::Relocate { remote: place == Place::There, from: from.0, data: data.0 };
    let origin = Origin::default();
    let moved = match depot.router.call(&Owner::Blob(blob), origin, &relocate).await {
        Ok(_) => Some(len),
        // It went, or was moved by somebody else. Nobody will ever look for what was brought.
        Err(CallError::Refused(Refusal::FileReferenceExpired)) => {
            let pieces = Arc::clone(&depot.pieces);
            block(move || match place {
                Place::There => Ok(remote.delete(blob, data)?),
                Place::Here => Ok(pieces.delete(data)?),
            })
            .await?;
            None
        }
        // It may have happened: the chore will see.
        Err(error) => return Err(error.into()),
    };
    depot.chore_done(listed).await?;
    Ok(moved)
}

/// Writes a blob's object out of its pieces, each of them checked.
fn put_object(
    pieces: &dyn Pieces,
    objects: &Objects,
    parts: &Parts,
    data: DataId,
    stop: &Stop,
) -> Result<(), Error> {
    let mut numbers = 0..parts.count();
    let mut failure = None;
    let mut next_piece = || {
        let Some(number) = numbers.next() else { return Ok(None) };
        let read = if stop.is_set() { Err(Error::Stopped) } else { parts.read(pieces, number) };
        read.map(Some).map_err(|error| {
            let reason = error.to_string();
            failure = Some(error);
            storage::Error::Engine { doing: "read a piece", reason }
        })
    };
    let put = objects.put(parts.blob, data, parts.len, &mut next_piece);
    match failure {
        Some(error) => Err(error),
        None => Ok(put?),
    }
}

/// Writes a blob's pieces out of its object, each of them checked.
fn put_pieces(
    pieces: &dyn Pieces,
    objects: &Objects,
    parts: &Parts,
    data: DataId,
    stop: &Stop,
) -> Result<(), Error> {
    for run in parts.runs(limits::REMOTE_RUN_LEN) {
        for (number, bytes) in parts.read_run(objects, run)? {
            if stop.is_set() {
                return Err(Error::Stopped);
            }
            if let Some(key) = parts.key(data, number) {
                pieces.put(&key, &bytes)?;
            }
        }
    }
    Ok(())
}

/// Goes through all blobs, a page at a time; those that come meanwhile may be missed.
#[derive(Default)]
struct Scan {
    page: VecDeque<BlobId>,
    last: Option<Owner>,
    is_over: bool,
}

impl Scan {
    async fn next(&mut self, depot: &Arc<Depot>) -> Result<Option<BlobId>, Error> {
        if self.page.is_empty() && !self.is_over {
            let (depot, last) = (Arc::clone(depot), self.last.take());
            let page = block(move || {
                let limit = limits::OWNER_PAGE_COUNT;
                Ok(owners(&*depot.engine.snapshot(), OwnerKind::Blob, last.as_ref(), limit)?)
            });
            let page = page.await?;
            self.is_over = page.len() < limits::OWNER_PAGE_COUNT;
            self.last = page.last().cloned();
            self.page = page.iter().filter_map(blob_of).collect();
        }
        Ok(self.page.pop_front())
    }
}

fn blob_of(owner: &Owner) -> Option<BlobId> {
    match owner {
        Owner::Blob(blob) => Some(*blob),
        _ => None,
    }
}

/// How many blobs and bytes are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) here: u64,
    pub(crate) here_len: u64,
    pub(crate) there: u64,
    pub(crate) there_len: u64,
}

/// Counts all blobs. Blocks; costs a look at each.
pub(crate) fn count(depot: &Depot) -> Result<Counted, Error> {
    let snapshot = depot.engine.snapshot();
    let mut counted = Counted::default();
    let mut last = None;
    loop {
        let page = owners(&*snapshot, OwnerKind::Blob, last.as_ref(), limits::OWNER_PAGE_COUNT)?;
        for owner in &page {
            let view = storage::View::new(&*snapshot, owner.clone());
            // One without this row waits for the file that holds it.
            if let Some(blob) = storage::Read::get(&view, services::tables::BLOB, &())? {
                let (count, len) = if blob.remote {
                    (&mut counted.there, &mut counted.there_len)
                } else {
                    (&mut counted.here, &mut counted.here_len)
                };
                *count += 1;
                *len = len.saturating_add(u64::try_from(blob.len).unwrap_or_default());
            }
        }
        if page.len() < limits::OWNER_PAGE_COUNT {
            return Ok(counted);
        }
        last = page.last().cloned();
    }
}

const _: () = assert!(limits::MOVE_PAUSE.as_secs() <= limits::MOVE_PAUSE_MAX.as_secs());
