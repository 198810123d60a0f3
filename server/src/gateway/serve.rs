//! From a session's events to requests that run, and their results back into the session.

use std::{
    cell::Cell,
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use mtproto::{
    Buffer, MsgId, UnixTime,
    session::{DestroyAuthKey, Event, Predecessors, Reply, Request},
};
use services::Origin;
use storage::Owner;
use tl::operations::functions;

use super::{
    Login,
    connection::Connection,
    live::{Live, RequestInfo},
    room::Answers,
    shard::{self, Shard},
};
use crate::{
    limits,
    router::CallError,
    rpc::{
        self, Ctx, RpcError,
        wrappers::{self, Unwrapped},
    },
};

impl Shard {
    /// Handles what a session has found in its messages.
    pub(super) fn poll_events(self: &Rc<Self>, live: &Rc<Live>) {
        loop {
            let event = live.session.borrow_mut().poll_event();
            let Some(event) = event else { break };
            match event {
                Event::Request(request) => self.start(live, request),
                // The result is ignored when it comes.
                Event::Cancelled { .. } => {}
                Event::DestroySession { msg_id, session_id } => {
                    let other = self.find_session((live.login.auth_key().id(), session_id));
                    if let Some(other) = &other {
                        self.drop_session(other);
                    }
                    let existed = other.is_some();
                    live.session.borrow_mut().send_destroy_session(msg_id, session_id, existed);
                    self.mark(live);
                }
                Event::DestroyAuthKey { msg_id } => {
                    let destroy = Rc::clone(self).destroy_key(Rc::clone(live), msg_id);
                    tokio::task::spawn_local(destroy);
                }
                Event::Close { conn } => {
                    if let Some(connection) = self.connections.borrow().get(&conn) {
                        connection.close_after_flush();
                    }
                }
                Event::Expired => self.drop_session(live),
            }
        }
    }

    /// Runs a request beside others, or refuses it; whoever waited for it is found by the caller.
    fn start(self: &Rc<Self>, live: &Rc<Live>, request: Request) {
        let busy = self.is_busy();
        let most =
            if busy { limits::REQUESTS_RUNNING_BUSY_MAX } else { limits::REQUESTS_RUNNING_MAX };
        if live.running.get() >= most {
            self.give(live, request.msg_id, Err(RpcError::flood_wait(1)));
            return;
        }
        live.running.set(live.running.get() + 1);
        self.running.set(self.running.get() + 1);
        let connection = self.connections.borrow().get(&request.conn).cloned();
        // Where a request is from that was held back, its session knows, should the connection be gone.
        let ip =
            connection.as_ref().map_or_else(|| live.ip.get(), |connection| connection.peer.ip());
        let asked = Asked::new(self, connection, request.body.len());
        let (shard, live) = (Rc::clone(self), Rc::clone(live));
        tokio::task::spawn_local(async move {
            let msg_id = request.msg_id;
            let served = CatchPanic(Box::pin(shard.serve(&live, request, &asked, ip))).await;
            drop(asked);
            live.running.set(live.running.get().saturating_sub(1));
            shard.running.set(shard.running.get().saturating_sub(1));
            if shard.running.get() == 0 {
                shard.idle.notify_one();
            }
            match served {
                Ok(Some(result)) => shard.finish(&live, msg_id, result),
                // Held back: the session brings it again.
                Ok(None) => {
                    shard.poll_events(&live);
                    shard.mark(&live);
                }
                Err(message) => {
                    tracing::error!(message, "a handler panicked");
                    shard.finish(&live, msg_id, Err(RpcError::INTERNAL));
                }
            }
        });
    }

    fn finish(self: &Rc<Self>, live: &Rc<Live>, msg_id: MsgId, result: rpc::Result<Reply>) {
        self.give(live, msg_id, result);
        // Whoever waited for this one may run now.
        self.poll_events(live);
        self.subscribe(live);
    }

    /// Gives a result to the session.
    fn give(&self, live: &Rc<Live>, msg_id: MsgId, result: rpc::Result<Reply>) {
        let reply = result.unwrap_or_else(|error| {
            tracing::trace!(code = error.code, text = %error.text, "refused");
            Buffer::rpc_error(error.code, &error.text)
        });
        live.session.borrow_mut().send_result(msg_id, reply);
        self.mark(live);
    }

    /// Answers a request; `None` if it must wait for others first.
    async fn serve(
        self: &Rc<Self>,
        live: &Rc<Live>,
        request: Request,
        asked: &Asked,
        ip: IpAddr,
    ) -> Option<rpc::Result<Reply>> {
        let unwrapped = match wrappers::unwrap(&request.body, |len| asked.grow(&live.login, len)) {
            Ok(unwrapped) => unwrapped,
            Err(error) => return Some(Err(error)),
        };
        if !unwrapped.after.is_empty() && matches!(request.predecessors, Predecessors::Unchecked) {
            live.session.borrow_mut().hold(self.now(), request, &unwrapped.after);
            return None;
        }
        let from = Answers::new(self, request.conn);
        Some(self.answer(live, request.msg_id, from, unwrapped, ip).await)
    }

    async fn answer(
        self: &Rc<Self>,
        live: &Rc<Live>,
        msg_id: MsgId,
        answers: Answers,
        request: Unwrapped,
        ip: IpAddr,
    ) -> rpc::Result<Reply> {
        if let Some(announced) = request.layer {
            live.layer.set(shard::layer(announced));
        }
        if request.client.is_some() {
            self.meet(live, &request, ip).await?;
        } else if live.login.client().is_none() && !wrappers::is_allowed_early(&request.query) {
            return Err(RpcError::CONNECTION_NOT_INITED);
        }
        if !request.without_updates {
            // A session for files gets updates only while the key has no other.
            let is_plain = !wrappers::is_of_file_session(&request.query);
            let before = live.plain_request.get().unwrap_or(UnixTime::from_nanos(0));
            live.plain_request.set(Some(if is_plain { self.now() } else { before }));
        }
        self.subscribe(live);
        let info = RequestInfo {
            layer: live.layer.get(),
            session_id: live.session.borrow().session_id(),
            msg_id,
            ip,
            now: self.now(),
        };
        let query = request.query;
        let shared = Arc::clone(&self.shared);
        let ctx = Ctx::new(shared, Rc::clone(&live.login), info, answers, query.clone());
        rpc::run(ctx, &query).await
    }

    /// Keeps what a client tells of itself, if it is news.
    async fn meet(&self, live: &Live, request: &Unwrapped, ip: IpAddr) -> rpc::Result<()> {
        let Some(mut client) = request.client.clone() else { return Ok(()) };
        client.layer = i32::from(live.layer.get().0);
        if !live.login.set_client(&client) {
            return Ok(());
        }
        let login = &live.login;
        let router = &self.shared.router;
        let set = functions::keys::SetClient { client: client.clone() };
        match router.call(&Owner::AuthKey(login.key_id()), Origin::default(), &set).await {
            // It is no reason to refuse what can be served without a write. The next one who connects tells it again.
            Err(CallError::DiskFull) => return Ok(()),
            known => known?,
        };
        if let (Some(user), Some(perm)) = (login.user(), login.perm_key_id()) {
            let ip = ip.to_string();
            let touch = functions::accounts::Touch { auth_key_id: perm.0, ip: &ip, client };
            // An authorization that ended meanwhile is found out by the request itself.
            let _ = router.call(&Owner::User(user), Origin::default(), &touch).await;
        }
        Ok(())
    }

    async fn destroy_key(self: Rc<Self>, live: Rc<Live>, msg_id: MsgId) {
        // Under a temporary key it is the permanent one that is meant.
        let key = live.login.perm_key_id().unwrap_or_else(|| live.login.key_id());
        // Otherwise the connection might end with the key, before the answer was sent on it.
        live.destroys_key.set(true);
        let destroy = functions::keys::Destroy {};
        let result =
            self.shared.router.call(&Owner::AuthKey(key), Origin::default(), &destroy).await;
        live.destroys_key.set(false);
        let outcome = if result.is_ok() { DestroyAuthKey::Ok } else { DestroyAuthKey::Fail };
        live.session.borrow_mut().send_destroy_auth_key(msg_id, outcome);
        self.mark(&live);
        self.flush_now();
        if result.is_ok() {
            self.forget_key(key);
        }
    }
}

/// What a request that runs takes of what its connection may ask for.
struct Asked {
    /// Of a large request.
    shard: Option<Rc<Shard>>,
    connection: Option<Rc<Connection>>,
    len: Cell<usize>,
}

impl Asked {
    fn new(shard: &Rc<Shard>, connection: Option<Rc<Connection>>, len: usize) -> Self {
        let shard = (len >= limits::LARGE_PACKET_LEN).then(|| Rc::clone(shard));
        if let Some(shard) = &shard {
            shard.large_running.set(shard.large_running.get() + 1);
        }
        if let Some(connection) = &connection {
            connection.request_begins(len);
        }
        Self { shard, connection, len: Cell::new(len) }
    }

    /// A packed request becomes longer: that takes time and memory that its sender does not have to spend.
    fn grow(&self, login: &Login, len: usize) -> rpc::Result<()> {
        let units = u32::try_from(len / limits::UNPACKED_UNIT_LEN).unwrap_or(u32::MAX);
        login.spend(units).map_err(RpcError::flood_wait)?;
        if self.connection.as_ref().is_some_and(|connection| !connection.request_grows(len)) {
            return Err(RpcError::flood_wait(1));
        }
        self.len.set(self.len.get().saturating_add(len));
        Ok(())
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(shard) = &self.shard {
            shard.large_running.set(shard.large_running.get().saturating_sub(1));
            shard.open.notify_one();
        }
        if let Some(connection) = &self.connection {
            connection.request_ended(self.len.get());
        }
    }
}

/// A future whose panics are values: they cost the request, not the shard.
struct CatchPanic<F>(Pin<Box<F>>);

impl<F: Future> Future for CatchPanic<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // After a panic the future is never polled again, and what it shared with others is only changed in whole steps.
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                Poll::Ready(Err(text.unwrap_or_else(|| "a panic without message".to_owned())))
            }
        }
    }
}
