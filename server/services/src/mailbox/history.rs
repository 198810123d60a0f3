//! Windows of a chat, and messages by id.
//!
//! A window is placed around a message, not by a count from the newest. With the messages newest first, `offset_id` 4 and
//! `add_offset` -2:
//!
//! ```text
//! 9  8  6  5  4 │ 3  2  1        │ stands before the first message older than 4
//!          └──────┘              the window begins two places before it: limit 4 gives 5 4 3 2
//! ```

use std::ops::ControlFlow;
use storage::{Desc, MessageId, Order, Read};
use tl::operations::{
    enums::Refusal,
    functions::mailbox as functions,
    types::mailbox::{Found, Slice},
};
use tl::records::types::Message;

use super::chat::{Chat, keys};
use super::log::find;
use crate::limits::{PAGE_COUNT_MAX, PAGE_SKIP_COUNT_MAX};
use crate::tables::MESSAGES;
use crate::{Result, UnixTime};

/// `mailbox.history`
pub fn history(rows: &impl Read, _now: UnixTime, op: functions::History) -> Result<Slice> {
    let window = Window::new(op.add_offset, op.limit)?;
    let chat = Chat::open(rows, op.peer)?;
    let count = chat.count();
    // The newest message that is older than the offset; those before it are newer.
    let anchor = match (op.offset_id, op.offset_date) {
        (0, 0) => i32::MAX,
        (0, date) => before_date(rows, op.peer, date)?,
        (id, _) => id.saturating_sub(1),
    };
    let mut messages = newer(rows, op.peer, anchor, &window)?;
    messages.extend(older(rows, op.peer, anchor, &window)?);
    messages.retain(|message| (op.max_id <= 0 || message.id < op.max_id) && message.id > op.min_id);
    let offset_id_offset = (anchor == i32::MAX).then(|| op.add_offset.max(0));
    Ok(Slice { offset_id_offset, count, messages })
}

/// `mailbox.messages`
pub fn messages(rows: &impl Read, _now: UnixTime, op: functions::Messages) -> Result<Found> {
    let mut messages = Vec::new();
    for id in op.ids.into_iter().take(PAGE_COUNT_MAX as usize) {
        messages.extend(find(rows, id)?);
    }
    Ok(Found { messages })
}

/// Which places around an anchor are asked for: from `start` on, negative ones being newer than the anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    start: i32,
    end: i32,
}

impl Window {
    /// The window of a request.
    pub(super) fn new(add_offset: i32, limit: i32) -> Result<Self> {
        if limit < 0 {
            return Err(Refusal::LimitInvalid.into());
        }
        let start = add_offset.clamp(-PAGE_SKIP_COUNT_MAX, PAGE_SKIP_COUNT_MAX);
        Ok(Self { start, end: start + limit.min(PAGE_COUNT_MAX) })
    }

    /// How many of the messages behind the anchor to skip, and to take.
    fn behind(self) -> (usize, usize) {
        let (start, end) = (self.start.max(0), self.end.max(0));
        (start as usize, (end - start) as usize)
    }

    /// How many of the messages before the anchor, nearest first, to skip, and to take.
    fn before(self) -> (usize, usize) {
        let (skip, end) = (-self.end.min(0), -self.start.min(0));
        (skip as usize, (end - skip) as usize)
    }

    /// The part of a list asked for, if the anchor stands before its place `at`.
    pub(super) fn of<T>(self, list: &[T], at: usize) -> &[T] {
        let (skip, take) = self.before();
        let (from, to) = (at.saturating_sub(skip + take), at.saturating_sub(skip));
        let (skip, take) = self.behind();
        let (behind_from, behind_to) = (at.saturating_add(skip), at.saturating_add(skip + take));
        // One of both parts is empty, or they meet at the anchor.
        let (from, to) = match (from == to, skip == 0 && take > 0) {
            (true, _) => (behind_from, behind_to),
            (false, true) => (from, behind_to),
            (false, false) => (from, to),
        };
        &list[from.min(list.len())..to.min(list.len())]
    }
}

fn newer(rows: &impl Read, peer: i64, anchor: i32, window: &Window) -> Result<Vec<Message>> {
    let (skip, take) = window.before();
    if take == 0 || anchor == i32::MAX {
        return Ok(Vec::new());
    }
    let mut messages = page(rows, keys(peer, i32::MAX, anchor), Order::Backward, skip, take)?;
    messages.reverse();
    Ok(messages)
}

fn older(rows: &impl Read, peer: i64, anchor: i32, window: &Window) -> Result<Vec<Message>> {
    let (skip, take) = window.behind();
    if take == 0 || anchor <= 0 {
        return Ok(Vec::new());
    }
    page(rows, keys(peer, anchor, 0), Order::Forward, skip, take)
}

fn page(
    rows: &impl Read,
    keys: std::ops::RangeInclusive<(i64, Desc<MessageId>)>,
    order: Order,
    skip: usize,
    take: usize,
) -> Result<Vec<Message>> {
    let mut at = 0;
    let mut page = Vec::new();
    rows.visit(MESSAGES, keys, order, |_, message| {
        at += 1;
        if at > skip {
            page.push(message);
        }
        if page.len() < take { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(page)
}

/// The id of the newest message older than `date`; 0 if there is none.
///
/// Dates grow with ids but for clocks that disagree, so it is found by bisecting.
fn before_date(rows: &impl Read, peer: i64, date: i32) -> Result<i32> {
    let Some(top) = super::chat::newest(rows, peer, i32::MAX)? else { return Ok(0) };
    let (mut low, mut high) = (0, top.id + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match rows.first(MESSAGES, keys(peer, middle, low), Order::Forward)? {
            Some((_, message)) if message.date >= date => high = message.id,
            Some((_, message)) => low = message.id.max(middle),
            None => low = middle,
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The window of the list `[0, 10)` whose anchor is before place 5.
    #[track_caller]
    fn check(add_offset: i32, limit: i32, expected: core::ops::Range<i32>) {
        let list: Vec<i32> = (0..10).collect();
        let window = Window::new(add_offset, limit).unwrap();
        assert_eq!(window.of(&list, 5), expected.collect::<Vec<_>>(), "{add_offset} {limit}");
    }

    #[test]
    fn windows_are_clipped_to_the_list() {
        check(0, 3, 5..8);
        check(0, 100, 5..10);
        check(2, 2, 7..9);
        check(7, 2, 0..0);
        check(-1, 3, 4..7);
        check(-3, 3, 2..5);
        check(-4, 2, 1..3);
        check(-5, 100, 0..10);
        check(-7, 4, 0..2);
        check(-20, 4, 0..0);
        check(0, 0, 0..0);
        assert!(Window::new(0, -1).is_err());
    }
}
