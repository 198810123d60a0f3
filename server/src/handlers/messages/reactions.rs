//! Reactions and effects: there are none. Clients ask when they start and want a well-formed answer.

use mtproto::session::Reply;
use tl::{
    api::{
        functions::messages::{
            GetAvailableEffects, GetAvailableReactions, GetDefaultTagReactions,
            GetPaidReactionPrivacy, GetRecentReactions, GetSavedReactionTags, GetTopReactions,
            GetUnreadReactions, ReadReactions,
        },
        types::{Updates, messages as types},
    },
    operations::functions::mailbox,
};

use super::answer::no_messages;
use crate::{
    convert::{peers, users::Users},
    rpc::{Result, UserCtx},
};

/// `messages.getAvailableReactions`.
///
/// Empty by design: there are no reactions.
///
/// Source: <https://core.telegram.org/method/messages.getAvailableReactions>.
pub async fn get_available_reactions(
    ctx: &UserCtx,
    request: GetAvailableReactions,
) -> Result<Reply> {
    Ok(ctx.answer(&request, types::AvailableReactions::new(0, Vec::new())))
}

/// `messages.getTopReactions`.
///
/// Empty by design: there are no reactions.
///
/// Source: <https://core.telegram.org/method/messages.getTopReactions>.
pub async fn get_top_reactions(ctx: &UserCtx, request: GetTopReactions) -> Result<Reply> {
    Ok(ctx.answer(&request, no_reactions()))
}

/// `messages.getRecentReactions`.
///
/// Empty by design: there are no reactions.
///
/// Source: <https://core.telegram.org/method/messages.getRecentReactions>.
pub async fn get_recent_reactions(ctx: &UserCtx, request: GetRecentReactions) -> Result<Reply> {
    Ok(ctx.answer(&request, no_reactions()))
}

/// `messages.getDefaultTagReactions`.
///
/// Empty by design: there are no reactions.
///
/// Source: <https://core.telegram.org/method/messages.getDefaultTagReactions>.
pub async fn get_default_tag_reactions(
    ctx: &UserCtx,
    request: GetDefaultTagReactions,
) -> Result<Reply> {
    Ok(ctx.answer(&request, no_reactions()))
}

/// `messages.getSavedReactionTags`.
///
/// Empty by design: there are no reactions.
///
/// Source: <https://core.telegram.org/method/messages.getSavedReactionTags>.
pub async fn get_saved_reaction_tags(
    ctx: &UserCtx,
    request: GetSavedReactionTags,
) -> Result<Reply> {
    Ok(ctx.answer(&request, types::SavedReactionTags::new(Vec::new(), 0)))
}

/// `messages.getUnreadReactions`.
///
/// Empty by design: there are no reactions.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getUnreadReactions>.
pub async fn get_unread_reactions(ctx: &UserCtx, request: GetUnreadReactions) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let users = Users::load(ctx.shared(), ctx.user, [peer])?;
    Ok(ctx.answer(&request, no_messages(users.to_tl())))
}

/// `messages.readReactions`.
///
/// Empty by design: there are no reactions.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.readReactions>.
pub async fn read_reactions(ctx: &UserCtx, request: ReadReactions) -> Result<Reply> {
    peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let state = ctx.call(ctx.user, &mailbox::GetState {}).await?;
    Ok(ctx.answer(&request, types::AffectedHistory::new(state.pts, 0, 0)))
}

/// `messages.getAvailableEffects`.
///
/// Empty by design: there are no effects.
///
/// Source: <https://core.telegram.org/method/messages.getAvailableEffects>.
pub async fn get_available_effects(ctx: &UserCtx, request: GetAvailableEffects) -> Result<Reply> {
    Ok(ctx.answer(&request, types::AvailableEffects::new(0, Vec::new(), Vec::new())))
}

/// `messages.getPaidReactionPrivacy`.
///
/// Empty by design: there are no reactions to pay for.
///
/// Source: <https://core.telegram.org/method/messages.getPaidReactionPrivacy>.
pub async fn get_paid_reaction_privacy(
    ctx: &UserCtx,
    request: GetPaidReactionPrivacy,
) -> Result<Reply> {
    Ok(ctx.answer(&request, Updates::new(Vec::new(), Vec::new(), Vec::new(), ctx.now(), 0)))
}

/// The list of no reactions.
fn no_reactions() -> types::Reactions<'static> {
    types::Reactions::new(0, Vec::new())
}
