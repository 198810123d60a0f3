//! The state of a box, and what happened since another one.
//!
//! Events say which messages they are about; their content is read when somebody asks, so whoever was away gets what is
//! there now, once.

use std::collections::BTreeSet;

use storage::{Desc, Order, Pts, Read};
use tl::operations::{
    enums::{Refusal, mailbox::Difference},
    functions::mailbox as functions,
    types::mailbox::{self as answers, Logged, State},
};
use tl::records::enums::Change;

use super::log::{Log, find_in};
use crate::limits::{DIFFERENCE_EVENT_COUNT, DIFFERENCE_EVENT_COUNT_MAX};
use crate::tables::LOG;
use crate::{Result, UnixTime};

/// `mailbox.getState`
pub fn get_state(rows: &impl Read, _now: UnixTime, _op: functions::GetState) -> Result<State> {
    Ok(Log::open(rows)?.state())
}

/// `mailbox.getDifference`
pub fn get_difference(
    rows: &impl Read,
    _now: UnixTime,
    op: functions::GetDifference,
) -> Result<Difference> {
    let log = Log::open(rows)?;
    if op.pts <= 0 {
        return Err(Refusal::PersistentTimestampEmpty.into());
    }
    if op.pts > log.pts {
        return Err(Refusal::PersistentTimestampInvalid.into());
    }
    if op.pts == log.pts {
        return Ok(answers::DifferenceEmpty { date: log.date }.into());
    }
    if op.pts < log.floor || (op.total_limit > 0 && log.pts - op.pts > op.total_limit) {
        return Ok(answers::DifferenceTooLong { pts: log.pts }.into());
    }
    let limit = match op.limit {
        1.. => op.limit.min(DIFFERENCE_EVENT_COUNT_MAX),
        _ => DIFFERENCE_EVENT_COUNT,
    };
    let since = Desc(Pts(i32::MAX))..Desc(Pts(op.pts));
    let rows_since =
        rows.scan(LOG, since, Order::Backward, usize::try_from(limit).unwrap_or_default())?;
    let Some((Desc(last), event)) = rows_since.last() else {
        return Ok(answers::DifferenceEmpty { date: log.date }.into());
    };
    let state = Log::after(*last, event).state();
    let mut answer = answers::Difference {
        more: last.0 < log.pts,
        ..answers::Difference::new(Vec::new(), Vec::new(), Vec::new(), state)
    };
    let mut given = BTreeSet::new();
    for (Desc(pts), event) in &rows_since {
        if let Change::ChangeNewMessage(new) = &event.change
            && let Some(message) = find_in(rows, new.peer, pts.0)?
        {
            given.insert(message.id);
            answer.messages.push(message);
        }
    }
    // Of several edits the last one tells all; those of messages given above tell nothing.
    for (Desc(pts), event) in rows_since.into_iter().rev() {
        match &event.change {
            Change::ChangeNewMessage(_) => continue,
            Change::ChangeEditMessage(edit) => {
                if !given.insert(edit.id) {
                    continue;
                }
                let Some(message) = find_in(rows, edit.peer, edit.id)? else { continue };
                answer.edited.push(message);
            }
            _ => {}
        }
        answer.events.push(Logged { pts: pts.0, event });
    }
    answer.events.reverse();
    answer.edited.reverse();
    Ok(answer.into())
}
