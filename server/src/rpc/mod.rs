//! One request, from its body to its reply.
//!
//! ```text
//! body ──wrappers──► layer, client, query ──dispatch──► access, cost ──decode──► handler ──► reply
//! ```
//!
//! The dispatch is generated from the schema: a method without a handler does not compile.

mod access;
mod ctx;
mod error;
pub mod wrappers;

use mtproto::session::Reply;
use tl::Decode;

pub use ctx::{Ctx, UserCtx};
pub use error::{Result, RpcError};

pub use dispatch::method_name;

#[allow(
    elided_lifetimes_in_paths,
    clippy::too_many_lines,
    clippy::allow_attributes,
    reason = "generated code names every request alike, whether it borrows or not"
)]
mod dispatch {
    use super::{Ctx, Reply, Result, RpcError, access, decode};

    include!(concat!(env!("OUT_DIR"), "/dispatch.rs"));
}

/// Runs a query that has no wrappers any more.
pub(crate) async fn run(ctx: Ctx, query: &[u8]) -> Result<Reply> {
    let id = tl::Cursor::new(query).u32().map_err(RpcError::from)?;
    dispatch::dispatch(id, ctx, query).await
}

fn decode<'a, R: Decode<'a>>(query: &'a [u8]) -> Result<R> {
    R::from_bytes(query).map_err(RpcError::from)
}
