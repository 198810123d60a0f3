//! What is over goes: chores are done when they are due.
//!
//! ```text
//! choreUser    uploads, files and media of a user whose time is over     ──► uploads.expire
//! choreKey     an auth key that may be of use to nobody                  ──► keys.expire
//! choreData    pieces that no row names any more                         ──► Pieces::delete
//! choreObject  an object that was written, or left by its blob           ──► Objects::delete, unless its blob is there
//! chorePieces  pieces that were brought back, or were about to be        ──► Pieces::delete, unless their blob is there
//! ```
//!
//! A chore is noted durably before there is anything to be done, and taken off its list after it was done; each can be done
//! twice. So this can be stopped at any moment, and nothing is lost or left behind. The last two are notes made before
//! contents are brought somewhere, in case that is interrupted; while it goes on they wait (`Depot::is_moving`).

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use services::Origin;
use storage::{AuthKeyId, BlobId, DataId, Owner, UserId, limits::CHORE_LIST_COUNT};
use tl::{
    operations::{functions, types},
    records::{enums::Chore, types::ChoreUser},
};

use super::depot::{Depot, Error, Listed, block};
use crate::{limits, stop::Stop};

/// Goes through the lists every `interval` until it is told to stop.
pub(crate) async fn run(depot: Arc<Depot>, interval: Duration, stop: Stop) {
    while !stop.within(interval).await {
        sweep(&depot, depot.now(), &stop).await;
    }
}

/// Does what is due up to `before`, a bounded part of it. What fails is logged and put off.
pub(crate) async fn sweep(depot: &Arc<Depot>, before: i32, stop: &Stop) {
    for list in 0..CHORE_LIST_COUNT {
        for _ in 0..limits::CHORE_BATCHES_PER_SWEEP {
            let limit = limits::CHORE_BATCH_COUNT;
            let page = functions::chores::List { before, limit };
            let page = match depot.router.read_now(&Owner::Chores(list), &page) {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(list, %error, "chores cannot be listed");
                    return;
                }
            };
            let is_last = i32::try_from(page.entries.len()).is_ok_and(|count| count < limit);
            for entry in page.entries {
                if stop.is_set() {
                    return;
                }
                if let Err(error) = settle(depot, entry).await {
                    // The rows cannot be written: the next sweep sees whether they can again.
                    tracing::error!(list, %error, "a chore cannot be taken off its list");
                    return;
                }
            }
            if is_last {
                break;
            }
        }
    }
}

/// Does a chore and takes it off its list. One that fails, or has to wait, comes later.
async fn settle(depot: &Arc<Depot>, entry: types::chores::Entry) -> Result<(), Error> {
    let listed = Listed { due: entry.due, number: entry.number };
    let later = match perform(depot, &entry.chore).await {
        Ok(Next::Nothing) => None,
        Ok(Next::At(due)) => Some(due),
        Err(error) => {
            tracing::warn!(%error, retry_s = limits::CHORE_RETRY_S, "a chore failed");
            Some(depot.now().saturating_add(limits::CHORE_RETRY_S))
        }
    };
    match later {
        Some(due) if due == entry.due => return Ok(()),
        Some(due) => drop(depot.add_numbered(Listed { due, ..listed }, entry.chore).await?),
        None => {}
    }
    depot.chore_done(listed).await
}

/// What a chore leaves to be done.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Nothing,
    /// The same again, at that time.
    At(i32),
}

async fn perform(depot: &Arc<Depot>, chore: &Chore) -> Result<Next, Error> {
    match chore {
        Chore::ChoreUser(ChoreUser { user }) => {
            expire(depot, UserId(*user), limits::EXPIRE_BATCH_COUNT_MAX).await
        }
        Chore::ChoreKey(chore) => {
            let owner = Owner::AuthKey(AuthKeyId(chore.auth_key_id));
            let expire = functions::keys::Expire {};
            match depot.router.call(&owner, Origin::default(), &expire).await?.due {
                0 => Ok(Next::Nothing),
                due => Ok(Next::At(due)),
            }
        }
        Chore::ChoreData(chore) => {
            delete_pieces(depot, DataId(chore.data)).await?;
            Ok(Next::Nothing)
        }
        Chore::ChoreObject(chore) => {
            let data = DataId(chore.data);
            if depot.is_moving(data) {
                return Ok(Next::At(depot.now().saturating_add(limits::CHORE_RETRY_S)));
            }
            if let Some(blob) = BlobId::from_slice(&chore.blob)
                && !lies_there(depot, blob, data, true)?
            {
                let remote = Arc::clone(depot.remote()?);
                block(move || Ok(remote.delete(blob, data)?)).await?;
            }
            Ok(Next::Nothing)
        }
        Chore::ChorePieces(chore) => {
            let data = DataId(chore.data);
            if depot.is_moving(data) {
                return Ok(Next::At(depot.now().saturating_add(limits::CHORE_RETRY_S)));
            }
            if let Some(blob) = BlobId::from_slice(&chore.blob)
                && !lies_there(depot, blob, data, false)?
            {
                delete_pieces(depot, data).await?;
            }
            Ok(Next::Nothing)
        }
    }
}

/// Whether `blob` lies under `data`, in the remote store or here.
fn lies_there(depot: &Depot, blob: BlobId, data: DataId, remote: bool) -> Result<bool, Error> {
    let layout = depot.layout(blob)?;
    Ok(layout.is_some_and(|layout| (layout.blob.remote, layout.blob.data) == (remote, data.0)))
}

async fn delete_pieces(depot: &Depot, data: DataId) -> Result<(), Error> {
    let pieces = Arc::clone(&depot.pieces);
    block(move || Ok(pieces.delete(data)?)).await
}

/// Drops what is over of a user's, `batches` at most, and says when to look again.
async fn expire(depot: &Depot, user: UserId, batches: usize) -> Result<Next, Error> {
    for _ in 0..batches {
        let expire = functions::uploads::Expire {};
        let next = depot.router.call(&Owner::User(user), Origin::default(), &expire).await?;
        if next.due == 0 {
            return Ok(Next::Nothing);
        }
        if next.due > depot.now() {
            return Ok(Next::At(next.due));
        }
    }
    Ok(Next::At(depot.now().saturating_add(1)))
}
