//! Who may see and do what.

use mtproto::session::Reply;
use services::limits::PRIVACY_RULE_COUNT_MAX;
use tl::{
    api::{
        functions::account::{GetPrivacy, SetPrivacy},
        types::account::PrivacyRules,
    },
    operations::functions::accounts,
};

use crate::{
    convert::{privacy, users::Users},
    rpc::{Result, RpcError, UserCtx},
};

/// `account.getPrivacy`: the rules of one matter.
///
/// Source: <https://core.telegram.org/method/account.getPrivacy>.
pub async fn get_privacy(ctx: &UserCtx, request: GetPrivacy) -> Result<Reply> {
    let get = accounts::GetPrivacy { key: privacy::key_from_tl(&request.key) };
    let stored = ctx.call(ctx.user, &get).await?;
    let named = Users::load(ctx.shared(), ctx.user, privacy::rules_users(&stored.rules))?;
    let rules = privacy::rules_to_tl(&stored.rules);
    Ok(ctx.answer(&request, PrivacyRules::new(rules, Vec::new(), named.to_tl())))
}

/// `account.setPrivacy`: replaces the rules of one matter.
///
/// Errors: `PRIVACY_TOO_LONG`, `USER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/account.setPrivacy>.
pub async fn set_privacy(ctx: &UserCtx, request: SetPrivacy) -> Result<Reply> {
    if request.rules.len() > PRIVACY_RULE_COUNT_MAX {
        return Err(RpcError::PRIVACY_TOO_LONG);
    }
    let set = accounts::SetPrivacy {
        key: privacy::key_from_tl(&request.key),
        rules: privacy::rules_from_tl(ctx.shared(), ctx.user, &request.rules)?,
    };
    let stored = ctx.call(ctx.user, &set).await?;
    let named = Users::load(ctx.shared(), ctx.user, privacy::rules_users(&stored.rules))?;
    let rules = privacy::rules_to_tl(&stored.rules);
    Ok(ctx.answer(&request, PrivacyRules::new(rules, Vec::new(), named.to_tl())))
}
