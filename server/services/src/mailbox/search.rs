//! Messages that contain something.
//!
//! There is no index of words: a search reads the chat, or the box, newest first, up to a bound.

use std::ops::ControlFlow;

use storage::{Order, Read};
use tl::operations::{
    enums::{Filter, Refusal},
    functions::mailbox as functions,
    types::mailbox::{Counts, Slice},
};
use tl::records::{
    enums::{Change, EntityKind},
    types::Message,
};

use super::attachment::{self, Kind};
use super::chat::keys;
use super::history::Window;
use super::log::find_in;
use crate::limits::{FILTER_COUNT_MAX, QUERY_LEN_MAX, SEARCH_SCAN_COUNT_MAX};
use crate::tables::{LOG, MESSAGES, PINS};
use crate::{Result, UnixTime, user};

/// `mailbox.search`
pub fn search(rows: &impl Read, _now: UnixTime, op: functions::Search<'_>) -> Result<Slice> {
    let window = Window::new(op.add_offset, op.limit)?;
    let me = user(rows)?.0;
    let query = op.q.trim().to_lowercase();
    if query.len() > QUERY_LEN_MAX
        || (query.is_empty() && op.peer.is_none() && op.filter == Filter::FilterAll)
    {
        return Err(Refusal::SearchQueryEmpty.into());
    }
    let fits = |message: &Message| {
        let author = if message.out { me } else { message.peer };
        (op.min_date <= 0 || message.date > op.min_date)
            && (op.max_date <= 0 || message.date < op.max_date)
            && op.from.is_none_or(|from| from == author)
            && passes(&op.filter, message)
            && (query.is_empty() || says(message, &query))
    };
    let mut matches = Vec::new();
    each(rows, op.peer, &op.filter, |message| {
        if message.action.is_none() && fits(&message) {
            matches.push((message.peer, message.id));
        }
    })?;
    let count = i32::try_from(matches.len()).unwrap_or(i32::MAX);
    let at = match op.offset_id {
        0 => 0,
        offset_id => matches.partition_point(|(_, id)| *id >= offset_id),
    };
    let mut messages = Vec::new();
    for (peer, id) in window.of(&matches, at) {
        if (op.max_id <= 0 || *id < op.max_id) && *id > op.min_id {
            messages.extend(find_in(rows, *peer, *id)?);
        }
    }
    let offset_id_offset = i32::try_from(at).ok().map(|at| at.saturating_add(op.add_offset).max(0));
    Ok(Slice { offset_id_offset, count, messages })
}

/// `mailbox.searchCounts`
pub fn search_counts(
    rows: &impl Read,
    _now: UnixTime,
    op: functions::SearchCounts,
) -> Result<Counts> {
    let mut counts = vec![0; op.filters.len().min(FILTER_COUNT_MAX)];
    // Pins have an index; whatever else is asked for takes one look at the chat.
    let indexed = |filter: &Filter| matches!(filter, Filter::FilterPinned | Filter::FilterNone);
    let mut count = |source: &Filter, wanted: &dyn Fn(&Filter) -> bool| {
        each(rows, Some(op.peer), source, |message| {
            for (filter, count) in op.filters.iter().zip(&mut counts) {
                let fits = wanted(filter) && message.action.is_none() && passes(filter, &message);
                *count += i32::from(fits);
            }
        })
    };
    count(&Filter::FilterPinned, &|filter| *filter == Filter::FilterPinned)?;
    if op.filters.iter().any(|filter| !indexed(filter)) {
        count(&Filter::FilterAll, &|filter| !indexed(filter))?;
    }
    Ok(Counts { counts })
}

/// Whether a message says `query`, which is in small letters: in its text, or in the name or title of its file.
fn says(message: &Message, query: &str) -> bool {
    let is_said = |text: &str| text.to_lowercase().contains(query);
    is_said(&message.text)
        || attachment::of(message).is_some_and(|it| attachment::words(&it.media).any(is_said))
}

fn passes(filter: &Filter, message: &Message) -> bool {
    let is = |kinds: &[Kind]| {
        attachment::of(message)
            .is_some_and(|attachment| kinds.contains(&Kind::of(&attachment.media)))
    };
    match filter {
        Filter::FilterAll => true,
        Filter::FilterPinned => message.pinned,
        Filter::FilterMentions => message.mentioned,
        Filter::FilterUrl => {
            message.entities.iter().flatten().any(|entity| {
                matches!(entity.kind, EntityKind::EntityUrl | EntityKind::EntityTextUrl)
            })
        }
        Filter::FilterPhotos => is(&[Kind::Photo]),
        Filter::FilterVideo => is(&[Kind::Video]),
        Filter::FilterPhotoVideo => is(&[Kind::Photo, Kind::Video]),
        Filter::FilterDocument => is(&[Kind::Document]),
        Filter::FilterGif => is(&[Kind::Gif]),
        Filter::FilterVoice => is(&[Kind::Voice]),
        Filter::FilterMusic => is(&[Kind::Music]),
        Filter::FilterRoundVoice => is(&[Kind::Voice, Kind::RoundVideo]),
        Filter::FilterRoundVideo => is(&[Kind::RoundVideo]),
        Filter::FilterGeo => is(&[Kind::Geo]),
        Filter::FilterContacts => is(&[Kind::Contact]),
        Filter::FilterNone => false,
    }
}

/// Hands the messages that may pass to `visit`, newest first: of a chat, or of the box.
fn each(
    rows: &impl Read,
    peer: Option<i64>,
    filter: &Filter,
    mut visit: impl FnMut(Message),
) -> Result<()> {
    let mut left = SEARCH_SCAN_COUNT_MAX;
    let mut more = || {
        left -= 1;
        if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    match (peer, filter) {
        (_, Filter::FilterNone) => {}
        (Some(peer), Filter::FilterPinned) => {
            for (_, pin) in rows.scan_prefix(PINS, &peer, Order::Forward, SEARCH_SCAN_COUNT_MAX)? {
                find_in(rows, peer, pin.id)?.into_iter().for_each(&mut visit);
            }
        }
        (Some(peer), _) => {
            rows.visit(MESSAGES, keys(peer, i32::MAX, 0), Order::Forward, |_, message| {
                visit(message);
                more()
            })?
        }
        (None, _) => {
            let mut ids = Vec::new();
            rows.visit(LOG, .., Order::Forward, |at, event| {
                if let Change::ChangeNewMessage(new) = event.change {
                    ids.push((new.peer, at.0.0));
                }
                more()
            })?;
            for (peer, id) in ids {
                find_in(rows, peer, id)?.into_iter().for_each(&mut visit);
            }
        }
    }
    Ok(())
}
