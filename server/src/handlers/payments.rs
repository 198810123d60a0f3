//! `payments.*`: nothing is paid for here.

use mtproto::session::Reply;
use tl::api::{
    functions::payments::GetStarsStatus,
    types::{StarsAmount, payments::StarsStatus},
};

use crate::{
    convert::peers,
    rpc::{Result, RpcError, UserCtx},
};

/// `payments.getStarsStatus`: how many stars there are.
///
/// Empty by design: none, of either currency.
///
/// Errors: `PEER_ID_INVALID` for somebody else than the caller.
///
/// Source: <https://core.telegram.org/method/payments.getStarsStatus>.
pub async fn get_stars_status(ctx: &UserCtx, request: GetStarsStatus) -> Result<Reply> {
    if peers::peer(ctx.shared(), ctx.user, &request.peer)? != ctx.user.0 {
        return Err(RpcError::PEER_ID_INVALID);
    }
    let none = StarsStatus::new(StarsAmount::new(0, 0), Vec::new(), Vec::new());
    Ok(ctx.answer(&request, none))
}
