//! Which owners there are: found by their rows, bucket by bucket, without reading the rows.

use std::ops::ControlFlow;

use crate::Error;
use crate::engine::{Order, Snapshot};
use crate::ids::{Owner, OwnerKind};
use crate::key::{Key, KeyBuf, KeyReader};
use crate::limits::BUCKET_COUNT;
use crate::table::next_prefix;

/// The next `limit` owners of `kind` that have rows, behind `after` (`None`: from the first one on), in the order of
/// their keys. Fewer than `limit` means that there are no more.
///
/// Costs a seek an owner, and one a bucket.
///
/// # Errors
///
/// [`Error::Engine`], also for a key that is no owner's.
pub fn owners(
    snapshot: &dyn Snapshot,
    kind: OwnerKind,
    after: Option<&Owner>,
    limit: usize,
) -> Result<Vec<Owner>, Error> {
    let mut found = Vec::new();
    let (first, mut start) = match after {
        None => (0, start_of(0, kind)),
        Some(owner) => (owner.bucket().0, next_prefix(&space(owner))),
    };
    for bucket in first..BUCKET_COUNT {
        if bucket != first {
            start = start_of(bucket, kind);
        }
        let end = next_prefix(&start_of(bucket, kind));
        while found.len() < limit {
            let Some(owner) = first_owner(snapshot, &start, &end)? else { break };
            start = next_prefix(&space(&owner));
            found.push(owner);
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

fn first_owner(snapshot: &dyn Snapshot, start: &[u8], end: &[u8]) -> Result<Option<Owner>, Error> {
    let mut found = None;
    snapshot.scan(start, end, Order::Forward, &mut |key, _| {
        let mut reader = KeyReader::new(key);
        found = Some(u16::decode(&mut reader).and_then(|_| Owner::decode(&mut reader)));
        ControlFlow::Break(())
    })?;
    let unreadable = || Error::Engine { doing: "list owners", reason: "a key names none".into() };
    found.map(|owner| owner.ok_or_else(unreadable)).transpose()
}

fn start_of(bucket: u16, kind: OwnerKind) -> KeyBuf {
    let mut key = KeyBuf::new();
    bucket.encode(&mut key);
    key.push(kind.tag());
    key
}

/// The beginning that all keys of an owner's share.
fn space(owner: &Owner) -> KeyBuf {
    let mut key = KeyBuf::new();
    owner.bucket().0.encode(&mut key);
    owner.encode(&mut key);
    key
}
