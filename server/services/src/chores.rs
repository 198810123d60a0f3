//! Things to be done later, in lists that the server goes through.
//!
//! A chore is done at least once: it is taken off its list after it was done. So each can be done twice without harm.

use std::ops::ControlFlow;

use storage::{Order, Owner, Read, limits::CHORE_LIST_COUNT};
use tl::operations::{functions::chores as functions, types};
use tl::records::enums::Chore;

use crate::limits::CHORE_COUNT_MAX;
use crate::tables::CHORES;
use crate::{Done, Result, Txn, UnixTime};

/// `chores.add`
pub fn add(txn: &mut Txn<'_, '_>, _: UnixTime, op: functions::Add) -> Result<Done> {
    let mut number = op.number;
    // Numbers are random, or those of users: that two chores have the same moment and number is a rare chance.
    while txn.get(CHORES, &(op.due, number))?.is_some_and(|there| there != op.chore) {
        // A number of the same list.
        number = number.wrapping_add(i64::from(CHORE_LIST_COUNT));
    }
    txn.put(CHORES, &(op.due, number), &op.chore);
    Ok(Done {})
}

/// `chores.list`
pub fn list(rows: &impl Read, _: UnixTime, op: functions::List) -> Result<types::chores::Page> {
    let limit = usize::try_from(op.limit.clamp(0, CHORE_COUNT_MAX)).unwrap_or_default();
    let mut entries = Vec::new();
    if limit > 0 {
        rows.visit(CHORES, ..=(op.before, i64::MAX), Order::Forward, |(due, number), chore| {
            entries.push(types::chores::Entry { due, number, chore });
            if entries.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
    }
    Ok(types::chores::Page { entries })
}

/// `chores.done`
pub fn done(txn: &mut Txn<'_, '_>, _: UnixTime, op: functions::Done) -> Result<Done> {
    txn.delete(CHORES, &(op.due, op.number));
    Ok(Done {})
}

/// Has something done at `due`. `number` says on which list.
pub(crate) fn later(
    txn: &mut Txn<'_, '_>,
    due: UnixTime,
    number: i64,
    chore: impl Into<Chore>,
) -> Result<()> {
    let add = functions::Add { due: due.0, number, chore: chore.into() };
    Ok(txn.deliver(Owner::chores(number), &add)?)
}
