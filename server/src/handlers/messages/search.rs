//! `messages.search`, `messages.searchGlobal`, `messages.getSearchCounters`, `messages.getSplitRanges`.

use mtproto::session::Reply;
use tl::{
    api::{
        functions::messages::{GetSearchCounters, GetSplitRanges, Search, SearchGlobal},
        types::{MessageRange, messages::SearchCounter},
    },
    operations::functions::mailbox,
};

use super::answer::{Page, no_messages};
use crate::{
    convert::{peers, users},
    rpc::{Result, RpcError, UserCtx},
};

/// The most filters that one call counts: each is a walk through the chat, and there are fewer kinds than this.
const COUNTER_COUNT_MAX: usize = 32;

/// `messages.search`: messages of a chat that contain a text or are of a kind; of all chats without a `peer`.
///
/// Nothing has a reaction yet, so nothing is found by one.
///
/// Errors: `LIMIT_INVALID`, `PEER_ID_INVALID`, `SEARCH_QUERY_EMPTY`.
///
/// Source: <https://core.telegram.org/method/messages.search>.
pub async fn search(ctx: &UserCtx, request: Search<'_>) -> Result<Reply> {
    let peer = peers::optional_peer(ctx.shared(), ctx.user, &request.peer)?;
    let from = match &request.from_id {
        Some(from) => peers::optional_peer(ctx.shared(), ctx.user, from)?,
        None => None,
    };
    if request.saved_reaction.as_ref().is_some_and(|reactions| !reactions.is_empty()) {
        let users = users::own(ctx.shared(), ctx.user)?;
        return Ok(ctx.answer(&request, no_messages(users.to_tl())));
    }
    let search = mailbox::Search {
        peer,
        from,
        q: request.q,
        filter: peers::filter(&request.filter),
        min_date: request.min_date,
        max_date: request.max_date,
        offset_id: request.offset_id,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    let slice = ctx.call(ctx.user, &search).await?;
    let page = Page::new(ctx, peer, slice)?;
    Ok(ctx.answer(&request, page.to_tl(request.hash)))
}

/// `messages.searchGlobal`: messages of all chats. There are private chats only, and nothing is archived.
///
/// Ids grow along the box, so `offset_id` alone says where a page begins; `next_rate` is told for clients that want one.
///
/// Errors: `FOLDER_ID_INVALID`, `LIMIT_INVALID`, `SEARCH_QUERY_EMPTY`.
///
/// Source: <https://core.telegram.org/method/messages.searchGlobal>.
pub async fn search_global(ctx: &UserCtx, request: SearchGlobal<'_>) -> Result<Reply> {
    if !matches!(request.folder_id, None | Some(0 | 1)) {
        return Err(RpcError::FOLDER_ID_INVALID);
    }
    if request.community.is_some() {
        return Err(RpcError::CHANNEL_INVALID);
    }
    if request.broadcasts_only || request.groups_only || request.folder_id == Some(1) {
        return Ok(ctx.answer(&request, no_messages(Vec::new())));
    }
    let search = mailbox::Search {
        peer: None,
        from: None,
        q: request.q,
        filter: peers::filter(&request.filter),
        min_date: request.min_date,
        max_date: request.max_date,
        offset_id: request.offset_id,
        add_offset: 0,
        limit: request.limit,
        max_id: 0,
        min_id: 0,
    };
    let slice = ctx.call(ctx.user, &search).await?;
    let page = Page::rated(ctx, slice)?;
    Ok(ctx.answer(&request, page.to_tl(0)))
}

/// `messages.getSearchCounters`: how many messages of each kind a chat has.
///
/// Errors: `LIMIT_INVALID`, `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getSearchCounters>.
pub async fn get_search_counters(ctx: &UserCtx, request: GetSearchCounters) -> Result<Reply> {
    if request.filters.len() > COUNTER_COUNT_MAX {
        return Err(RpcError::LIMIT_INVALID);
    }
    let counts = mailbox::SearchCounts {
        peer: peers::peer(ctx.shared(), ctx.user, &request.peer)?,
        filters: request.filters.iter().map(peers::filter).collect(),
    };
    let counts = ctx.call(ctx.user, &counts).await?.counts;
    let counters = request.filters.iter().cloned().zip(counts);
    let answer: Vec<_> =
        counters.map(|(filter, count)| SearchCounter::new(filter, count)).collect();
    Ok(ctx.answer(&request, answer))
}

/// `messages.getSplitRanges`: one range, in which all messages of private chats lie.
///
/// Clients that count what they find, as kurigram does, ask in each range of it by itself.
///
/// Source: <https://core.telegram.org/method/messages.getSplitRanges>.
pub async fn get_split_ranges(ctx: &UserCtx, request: GetSplitRanges) -> Result<Reply> {
    Ok(ctx.answer(&request, vec![MessageRange::new(1, i32::MAX)]))
}
