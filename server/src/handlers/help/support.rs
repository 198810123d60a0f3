//! Who answers questions, and what one invites others with.

use mtproto::session::Reply;
use tl::api::{
    functions::help::{GetInviteText, GetSupport, GetSupportName},
    types::help::{InviteText, Support, SupportName},
};

use crate::{
    convert::users::Users,
    rpc::{Ctx, Result, UserCtx},
    service_user,
};

/// `help.getInviteText`: a text to invite somebody with.
///
/// Source: <https://core.telegram.org/method/help.getInviteText>.
pub async fn get_invite_text(ctx: &Ctx, request: GetInviteText) -> Result<Reply> {
    Ok(ctx.answer(&request, InviteText::new("Hey, let's chat on Baudot!")))
}

/// `help.getSupport`: the account that service messages come from.
///
/// Source: <https://core.telegram.org/method/help.getSupport>.
pub async fn get_support(ctx: &UserCtx, request: GetSupport) -> Result<Reply> {
    let users = Users::load(ctx.shared(), ctx.user, [service_user::ID])?;
    let support = Support::new(service_user::PHONE, users.one(service_user::ID));
    Ok(ctx.answer(&request, support))
}

/// `help.getSupportName`: the name of who answers questions.
///
/// Source: <https://core.telegram.org/method/help.getSupportName>.
pub async fn get_support_name(ctx: &UserCtx, request: GetSupportName) -> Result<Reply> {
    Ok(ctx.answer(&request, SupportName::new(service_user::FIRST_NAME)))
}
