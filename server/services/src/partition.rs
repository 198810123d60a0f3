//! Executes operations: bytes in; answer or refusal out; rows, deliveries and effects in the group.
//!
//! ```text
//! call      ──► write   ──► Group::execute ──┐
//! delivery  ──► receive ──► Group::receive ──┼──► generated dispatch ──► crate::<service>::<operation>
//! read      ──► read    ──► View ────────────┘
//! ```
//!
//! Panics are caught: they cost the operation, not the thread. The caller logs them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use storage::{Delivery, Group, Owner, Receipt, View};
use tl::{Cursor, Decode, Encode, Method, operations::enums::Refusal};

use crate::{Error, Origin, Pushed, Txn, UnixTime};

/// Why an operation has no answer.
pub type Failure = storage::Failure<Error>;

/// Where an operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On a snapshot, on any thread.
    Read,
    /// On the partition's writer.
    Write,
}

/// What an operation is and its name; `None` for bytes that are none.
pub fn describe(operation: &[u8]) -> Option<(Kind, &'static str)> {
    dispatch::describe_id(id(operation).ok()?)
}

/// Executes a write operation of `owner` for `origin` within `group`, and returns the encoded answer.
///
/// # Errors
///
/// See [`Failure`]: nothing of the operation is left.
pub fn write(
    group: &mut Group<'_, Pushed>,
    owner: &Owner,
    now: UnixTime,
    origin: Origin,
    operation: &[u8],
) -> Result<Vec<u8>, Failure> {
    group.execute(owner, |txn| execute(txn, now, origin, operation))
}

/// Executes a delivery from another partition within `group`, if it is its turn.
pub fn receive(
    group: &mut Group<'_, Pushed>,
    now: UnixTime,
    delivery: &Delivery,
) -> Receipt<Vec<u8>, Error> {
    group.receive(delivery, |txn| execute(txn, now, Origin::default(), delivery.operation()))
}

/// Executes a read operation on `view` and returns the encoded answer.
///
/// # Errors
///
/// See [`Failure`].
pub fn read(view: &View<'_>, now: UnixTime, operation: &[u8]) -> Result<Vec<u8>, Failure> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        dispatch::read_by_id(id(operation)?, view, now, operation)
    }));
    match outcome {
        Ok(result) => result.map_err(Failure::Refused),
        Err(panic) => Err(Failure::Panicked(message(&*panic))),
    }
}

fn execute(
    txn: &mut storage::Txn<'_, Pushed>,
    now: UnixTime,
    origin: Origin,
    operation: &[u8],
) -> Result<Vec<u8>, Error> {
    dispatch::write_by_id(id(operation)?, &mut Txn::new(txn, origin), now, operation)
}

fn id(operation: &[u8]) -> Result<u32, Error> {
    Cursor::new(operation).u32().map_err(|_| Refusal::Internal.into())
}

/// Decodes the arguments, calls, encodes the answer: no other than the operation's compiles.
fn run<'a, M: Method + Decode<'a>>(
    bytes: &'a [u8],
    call: impl FnOnce(M) -> Result<M::Answer<'static>, Error>,
) -> Result<Vec<u8>, Error> {
    let Ok(operation) = M::from_bytes(bytes) else { return Err(Refusal::Internal.into()) };
    Ok(call(operation)?.to_vec(storage::RECORD_LAYER))
}

fn message(panic: &(dyn core::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without message").into()
}

#[expect(elided_lifetimes_in_paths, reason = "the generator need not know which operations borrow")]
mod dispatch {
    use super::{Error, Kind, Refusal, Txn, UnixTime, View, run};

    include!(concat!(env!("OUT_DIR"), "/dispatch.rs"));
}
