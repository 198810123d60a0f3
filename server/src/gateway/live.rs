//! A session that is in memory, with what the gateway adds to it.

use std::{
    cell::{Cell, RefCell},
    net::IpAddr,
    rc::Rc,
};

use mtproto::{MsgId, UnixTime, session::Session};
use storage::UserId;
use tl::Layer;

use super::Login;

/// What a handler may know of the request it answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestInfo {
    /// The API layer of the session.
    pub(crate) layer: Layer,
    /// The session.
    pub(crate) session_id: i64,
    /// The request.
    pub(crate) msg_id: MsgId,
    /// Where it came from.
    pub(crate) ip: IpAddr,
    /// When it is run.
    pub(crate) now: UnixTime,
}

/// Names a session: the key that its packets come under, and its id.
pub(super) type LiveId = (crypto::AuthKeyId, i64);

/// A session, on the one thread that owns it.
pub(crate) struct Live {
    pub(super) login: Rc<Login>,
    pub(super) session: RefCell<Session>,
    pub(super) layer: Cell<Layer>,
    /// How many requests of it run.
    pub(super) running: Cell<usize>,
    /// When it last made a request that was not wrapped in `invokeWithoutUpdates`; `None` if it never did.
    ///
    /// Of the sessions of one key only the one that did so last gets updates. Requests for files do not count.
    pub(super) plain_request: Cell<Option<UnixTime>>,
    /// Whose updates it is subscribed to.
    pub(super) subscribed: Cell<Option<UserId>>,
    /// When a message last came in it, and from where.
    pub(super) used: Cell<UnixTime>,
    pub(super) ip: Cell<IpAddr>,
    /// Whether it has asked for the end of its key, and awaits the answer.
    pub(super) destroys_key: Cell<bool>,
    /// Whether it waits to be flushed.
    pub(super) dirty: Cell<bool>,
}

impl Live {
    pub(super) fn id(&self) -> LiveId {
        (self.login.auth_key().id(), self.session.borrow().session_id())
    }
}
