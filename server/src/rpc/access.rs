//! Who may call a method, and how much calling costs.
//!
//! The schema says both at each function (`@access`, `@cost`); the generated dispatch calls the functions here before it
//! even decodes the request.

use super::{Ctx, Result, RpcError, UserCtx};
use crate::limits;

/// What a call costs of what a login may spend in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// Answered from memory.
    None,
    /// Reads rows.
    Read,
    /// Writes rows.
    Write,
    /// Scans, searches, or makes somebody else do something outside of the server.
    Heavy,
}

impl Cost {
    const fn units(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Read => 1,
            Self::Write => limits::WRITE_COST,
            Self::Heavy => limits::HEAVY_COST,
        }
    }
}

/// Anybody may call.
pub(super) struct Anyone;

impl Anyone {
    /// Lets the call in, or tells why not.
    pub(super) fn admit(ctx: Ctx, cost: Cost) -> Result<Ctx> {
        ctx.spend(cost.units())?;
        Ok(ctx)
    }
}

/// Only who is logged in may call.
pub(super) struct User;

impl User {
    /// Lets the call in, or tells why not.
    pub(super) fn admit(ctx: Ctx, cost: Cost) -> Result<UserCtx> {
        let Some(user) = ctx.logged_in() else {
            // Without a permanent key behind it, a temporary one cannot be logged in at all.
            let unbound = ctx.perm_key_id().is_none();
            return Err(if unbound {
                RpcError::AUTH_KEY_PERM_EMPTY
            } else {
                RpcError::AUTH_KEY_UNREGISTERED
            });
        };
        ctx.spend(cost.units())?;
        Ok(UserCtx::new(ctx, user))
    }
}
