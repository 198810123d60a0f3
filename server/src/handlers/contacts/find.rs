//! Finding people: by name, username and phone number.

use mtproto::session::Reply;
use storage::{Owner, UserId};
use tl::{
    api::{
        functions::contacts::{GetSponsoredPeers, ResolvePhone, ResolveUsername, Search},
        types::contacts::{Found, ResolvedPeer, SponsoredPeersEmpty},
    },
    operations::functions::{accounts, contacts as operations, directory, usernames},
};

use super::digits;
use crate::{
    convert::{peers, users::Users},
    rpc::{Result, RpcError, UserCtx},
};

/// `contacts.search`: contacts by the beginning of a name, and whoever has exactly this username.
///
/// Errors: `SEARCH_QUERY_EMPTY`.
///
/// Source: <https://core.telegram.org/method/contacts.search>.
pub async fn search(ctx: &UserCtx, request: Search<'_>) -> Result<Reply> {
    let query = request.q.trim();
    let query = query.strip_prefix('@').unwrap_or(query);
    let find = operations::Search { q: query, limit: request.limit };
    let contacts = ctx.call(ctx.user, &find).await?.peers;
    let known: Vec<i64> = contacts.iter().map(|known| known.peer).collect();
    let named = if services::usernames::is_username(query) {
        by_username(ctx, query).await?.filter(|user| !known.contains(&user.0))
    } else {
        None
    };
    let ids = known.iter().copied().chain(named.map(|user| user.0));
    let users = Users::load(ctx.shared(), ctx.user, ids)?;
    let mine = known.iter().map(|id| peers::to_tl(*id)).collect();
    let others = named.iter().map(|user| peers::to_tl(user.0)).collect();
    Ok(ctx.answer(&request, Found::new(mine, others, Vec::new(), users.to_tl())))
}

/// `contacts.resolveUsername`: who has a username.
///
/// Errors: `USERNAME_INVALID`, `USERNAME_NOT_OCCUPIED`.
///
/// Source: <https://core.telegram.org/method/contacts.resolveUsername>.
pub async fn resolve_username(ctx: &UserCtx, request: ResolveUsername<'_>) -> Result<Reply> {
    let name = request.username.strip_prefix('@').unwrap_or(request.username);
    let user = by_username(ctx, name).await?.ok_or(RpcError::USERNAME_NOT_OCCUPIED)?;
    let users = Users::load(ctx.shared(), ctx.user, [user.0])?;
    let answer = ResolvedPeer::new(peers::to_tl(user.0), Vec::new(), users.to_tl());
    Ok(ctx.answer(&request, answer))
}

/// `contacts.resolvePhone`: who has a phone number and lets be found by it.
///
/// Errors: `PHONE_NOT_OCCUPIED`.
///
/// Source: <https://core.telegram.org/method/contacts.resolvePhone>.
pub async fn resolve_phone(ctx: &UserCtx, request: ResolvePhone<'_>) -> Result<Reply> {
    let owner = Owner::phone(&digits(request.phone));
    let found = ctx.call(owner, &directory::Lookup {}).await?.user_id;
    let user = found.ok_or(RpcError::PHONE_NOT_OCCUPIED)?;
    let profile = ctx.call(UserId(user), &accounts::Get { viewer: ctx.user.0 }).await?;
    if user != ctx.user.0 && !profile.findable_by_phone {
        return Err(RpcError::PHONE_NOT_OCCUPIED);
    }
    let users = Users::load(ctx.shared(), ctx.user, [user])?;
    let answer = ResolvedPeer::new(peers::to_tl(user), Vec::new(), users.to_tl());
    Ok(ctx.answer(&request, answer))
}

/// `contacts.getSponsoredPeers`. Empty by design: nobody advertises here.
///
/// Source: <https://core.telegram.org/method/contacts.getSponsoredPeers>.
pub async fn get_sponsored_peers(ctx: &UserCtx, request: GetSponsoredPeers<'_>) -> Result<Reply> {
    Ok(ctx.answer(&request, SponsoredPeersEmpty::new()))
}

/// Who has a username, according to the user too: a claim that was not followed up does not count.
async fn by_username(ctx: &UserCtx, name: &str) -> Result<Option<UserId>> {
    let owner = ctx.call(Owner::username(name), &usernames::Lookup {}).await?;
    let Some(peer) = owner.peer else { return Ok(None) };
    let profile = ctx.call(UserId(peer), &accounts::Get { viewer: ctx.user.0 }).await?;
    let has_it = profile.account.username.is_some_and(|own| own.eq_ignore_ascii_case(name));
    Ok(has_it.then_some(UserId(peer)))
}
