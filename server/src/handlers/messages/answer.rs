//! What answers with messages have in common.

use services::limits::PAGE_COUNT_MAX;
use tl::{
    api::{enums, types},
    operations::types::mailbox::Slice,
    records::types::Message,
};

use crate::{
    convert::messages::{Peers, View},
    rpc::{Result, RpcError, UserCtx},
};

/// A page of messages and the users named in it.
pub(super) struct Page {
    slice: Slice,
    view: View,
    /// Whether a search in all chats goes on after this page.
    rated: bool,
}

impl Page {
    /// The page of a chat. Its other side is listed even if no message of the page names it.
    pub(super) fn new(ctx: &UserCtx, peer: Option<i64>, slice: Slice) -> Result<Self> {
        let mut peers = Peers::default();
        peers.messages(&slice.messages);
        if let Some(peer) = peer {
            peers.peer(peer);
        }
        Ok(Self { view: peers.view(ctx.shared(), ctx.user)?, slice, rated: false })
    }

    /// A page of a search in all chats, which says where the next one begins.
    pub(super) fn rated(ctx: &UserCtx, slice: Slice) -> Result<Self> {
        Ok(Self { rated: true, ..Self::new(ctx, None, slice)? })
    }

    /// The answer to a client whose page of this place has `hash`.
    pub(super) fn to_tl(&self, hash: i64) -> enums::messages::Messages<'_> {
        let Slice { count, offset_id_offset, messages } = &self.slice;
        if hash != 0 && hash == list_hash(messages.iter().map(|message| i64::from(message.id))) {
            return types::messages::MessagesNotModified::new(*count).into();
        }
        let users = self.view.users.to_tl();
        let page = self.view.messages(messages);
        if i32::try_from(messages.len()) == Ok(*count) {
            return types::messages::Messages::new(page, Vec::new(), Vec::new(), users).into();
        }
        let next_rate = messages.last().filter(|_| self.rated).map(|message| message.date);
        types::messages::MessagesSlice {
            next_rate,
            offset_id_offset: *offset_id_offset,
            ..types::messages::MessagesSlice::new(*count, page, Vec::new(), Vec::new(), users)
        }
        .into()
    }
}

/// All messages of a list that has none.
pub(super) fn no_messages<'a>(users: Vec<enums::User<'a>>) -> enums::messages::Messages<'a> {
    types::messages::Messages::new(Vec::new(), Vec::new(), Vec::new(), users).into()
}

/// What is needed to show `messages`; the caller is always among the users.
pub(super) fn view_of<'m>(
    ctx: &UserCtx,
    messages: impl IntoIterator<Item = &'m Message>,
) -> Result<View> {
    let mut peers = Peers::default();
    peers.messages(messages);
    peers.view(ctx.shared(), ctx.user)
}

/// Refuses a request that names more things than a page holds.
pub(super) fn check_count(count: usize) -> Result<()> {
    match i32::try_from(count) {
        Ok(count) if count <= PAGE_COUNT_MAX => Ok(()),
        _ => Err(RpcError::LIMIT_INVALID),
    }
}

/// The hash by which a client names a list that it has.
///
/// Source: <https://core.telegram.org/api/offsets#hash-generation>.
pub(super) fn list_hash(ids: impl IntoIterator<Item = i64>) -> i64 {
    let hash = ids.into_iter().fold(0_u64, |mut hash, id| {
        hash ^= hash >> 21;
        hash ^= hash << 35;
        hash ^= hash >> 4;
        hash.wrapping_add(id.cast_unsigned())
    });
    hash.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ids: &[i64], expected: i64) {
        assert_eq!(list_hash(ids.iter().copied()), expected, "{ids:?}");
    }

    #[test]
    fn a_list_has_the_hash_that_clients_compute() {
        check(&[], 0);
        check(&[7], 7);
        // 1 << 35 ^ 1 = 34359738369; its upper part, shifted by 4, is 2147483648.
        check(&[1, 1], 36_507_222_018);
        assert_ne!(list_hash([1, 2]), list_hash([2, 1]));
    }
}
