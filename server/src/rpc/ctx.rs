//! What a handler can reach: who asks, the state by operations, the time, randomness; nothing of sockets, sessions or tables.

use std::{net::IpAddr, ops::Deref, rc::Rc, sync::Arc};

use bytes::Bytes;
use mtproto::session::Reply;
use services::Origin;
use storage::{AuthKeyId, Owner, UserId};
use tl::{Decode, Encode, Layer, Method, records::types::Client};

use super::{Result, RpcError};
use crate::{
    codes::CodeSender,
    config::Config,
    gateway::{Answers, Login, Promise, RequestInfo},
    limits,
    router::CallError,
    shared::Shared,
};

/// The context of a request by anybody.
pub struct Ctx {
    shared: Arc<Shared>,
    login: Rc<Login>,
    request: RequestInfo,
    answers: Answers,
    query: Bytes,
}

impl Ctx {
    pub(crate) fn new(
        shared: Arc<Shared>,
        login: Rc<Login>,
        request: RequestInfo,
        answers: Answers,
        query: Bytes,
    ) -> Self {
        Self { shared, login, request, answers, query }
    }

    // ---- who asks ----

    /// The API layer of the session.
    #[must_use]
    pub fn layer(&self) -> Layer {
        self.request.layer
    }

    /// The permanent auth key that the request acts for: a login belongs to it. `None` under a temporary key that is not bound.
    #[must_use]
    pub fn perm_key_id(&self) -> Option<AuthKeyId> {
        self.login.perm_key_id()
    }

    /// The auth key the request came under, which may be a temporary one.
    #[must_use]
    pub fn key_id(&self) -> AuthKeyId {
        self.login.key_id()
    }

    /// When the key that the request came under expires, in unix time, if it is a temporary one.
    #[must_use]
    pub fn temp_key_expires_at(&self) -> Option<i32> {
        self.login.expires_at()
    }

    /// The session the request came in.
    #[must_use]
    pub fn session_id(&self) -> i64 {
        self.request.session_id
    }

    /// The request's `msg_id`.
    #[must_use]
    pub fn msg_id(&self) -> mtproto::MsgId {
        self.request.msg_id
    }

    /// The address the request came from.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.request.ip
    }

    /// What the client told of itself in `initConnection`.
    ///
    /// # Errors
    ///
    /// `CONNECTION_NOT_INITED` if it has not.
    pub fn client(&self) -> Result<Client> {
        self.login.client().ok_or(RpcError::CONNECTION_NOT_INITED)
    }

    /// The user that the key is logged in as.
    #[must_use]
    pub fn logged_in(&self) -> Option<UserId> {
        self.login.user()
    }

    /// Makes the sessions of the request's permanent key those of `user`, or of nobody. The rows must say so already.
    pub fn set_logged_in(&self, user: Option<UserId>) {
        if let Some(key) = self.perm_key_id() {
            self.login.set_user(user);
            self.shared.hub.login_changed(key);
        }
    }

    /// Makes the request's temporary key act for `perm` until `expires_at`. The rows must say so already.
    pub fn set_bound(&self, perm: AuthKeyId, expires_at: i32) {
        self.login.set_bound(perm, expires_at, self.shared.user_of_key(perm));
        self.shared.hub.login_changed(perm);
    }

    /// Takes `units` from what the login may spend.
    pub(super) fn spend(&self, units: u32) -> Result<()> {
        self.login.spend(units).map_err(RpcError::flood_wait)
    }

    /// Takes what a call costs that writes for each of `count` things, beyond what any call costs.
    ///
    /// # Errors
    ///
    /// `FLOOD_WAIT_X`.
    pub fn spend_for(&self, count: usize) -> Result<()> {
        let units = u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(limits::WRITE_COST);
        self.spend(units)
    }

    // ---- what was asked ----

    /// Bytes of the request, to be kept or given to another thread. They are not copied.
    #[must_use]
    pub fn owned(&self, part: &[u8]) -> Bytes {
        let query = self.query.as_ptr_range();
        let part_range = part.as_ptr_range();
        if query.start <= part_range.start && part_range.end <= query.end {
            self.query.slice_ref(part)
        } else {
            // A handler that calls another one with something of its own.
            Bytes::copy_from_slice(part)
        }
    }

    // ---- time and randomness ----

    /// Unix time in seconds.
    #[must_use]
    pub fn now(&self) -> i32 {
        self.request.now.secs_i32()
    }

    /// Unix time, exactly.
    #[must_use]
    pub fn unix_time(&self) -> mtproto::UnixTime {
        self.request.now
    }

    /// `N` random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        self.shared.random()
    }

    /// A random number other than 0.
    #[must_use]
    pub fn random_id(&self) -> i64 {
        i64::from_le_bytes(self.random()) | 1
    }

    // ---- the state ----

    /// Executes an operation of `owner`.
    ///
    /// # Errors
    ///
    /// What the operation refuses, as [`CallError`]; `?` makes it the published error.
    pub async fn call<M>(
        &self,
        owner: impl Into<Owner>,
        operation: &M,
    ) -> core::result::Result<M::Answer<'static>, CallError>
    where
        M: Method + Encode,
        M::Answer<'static>: for<'a> Decode<'a>,
    {
        let origin = Origin { auth_key_id: self.key_id().0, session_id: self.request.session_id };
        self.shared.router.call(&owner.into(), origin, operation).await
    }

    /// The way to users and other peers of this viewer's, for conversions.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    // ---- the server ----

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// What sends login codes.
    #[must_use]
    pub fn codes(&self) -> &CodeSender {
        &self.shared.codes
    }

    // ---- the answer ----

    /// Waits until the connection has room for an answer with `len` bytes in it, to be called before they are read. What it
    /// gives is held until the handler returns.
    pub(crate) async fn answer_room(&self, len: usize) -> Promise {
        self.answers.room(len).await
    }

    /// Encodes the answer to `request` for the session's layer. A value of another type does not compile.
    #[must_use]
    pub fn answer<'v, M: Method>(&self, _request: &M, answer: impl Into<M::Answer<'v>>) -> Reply
    where
        M::Answer<'v>: Encode,
    {
        Reply::encode(&answer.into(), self.request.layer)
    }
}

/// The context of a request by a logged-in user.
pub struct UserCtx {
    ctx: Ctx,
    /// The user.
    pub user: UserId,
}

impl UserCtx {
    pub(super) fn new(ctx: Ctx, user: UserId) -> Self {
        Self { ctx, user }
    }
}

impl Deref for UserCtx {
    type Target = Ctx;

    fn deref(&self) -> &Ctx {
        &self.ctx
    }
}
