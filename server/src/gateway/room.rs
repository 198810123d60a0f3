//! Room for answers with much in them, such as parts of files.
//!
//! A client may ask for more than its connection carries at the moment. What is answered would pile up in memory, so a handler
//! waits for room before it reads anything: until little enough is promised to the connection and not taken by its socket.

use std::{
    cell::Cell,
    rc::{Rc, Weak},
};

use mtproto::session::ConnId;
use tokio::sync::Notify;

use super::{connection::Connection, shard::Shard};
use crate::limits;

/// What answers wait for, in a connection.
#[derive(Default)]
pub(super) struct Room {
    /// The bytes of answers that are being prepared.
    pub(super) promised: Cell<usize>,
    /// Something was taken by the socket, or an answer was prepared.
    pub(super) freed: Notify,
}

/// The way that the answer to a request will go.
pub(crate) struct Answers {
    shard: Weak<Shard>,
    conn: ConnId,
}

/// Room for an answer. Held until the answer is given to the session.
#[must_use]
pub(crate) struct Promise {
    to: Option<(Rc<Shard>, Rc<Connection>)>,
    len: usize,
}

impl Answers {
    pub(super) fn new(shard: &Rc<Shard>, conn: ConnId) -> Self {
        Self { shard: Rc::downgrade(shard), conn }
    }

    /// Waits until there is room for `len` more bytes. At once if the connection is gone: the session bounds what it keeps.
    pub(crate) async fn room(&self, len: usize) -> Promise {
        loop {
            let connection = self.shard.upgrade().and_then(|shard| {
                let connection = shard.connections.borrow().get(&self.conn).cloned()?;
                let backlog = connection.backlog(&shard);
                let has_room = backlog == 0 || backlog + len <= limits::ANSWERS_LEN_MAX;
                Some((shard, connection, has_room))
            });
            match connection {
                Some((shard, connection, true)) => {
                    shard.promised.set(shard.promised.get() + len);
                    let room = &connection.room;
                    room.promised.set(room.promised.get() + len);
                    // There may be room for the next one as well.
                    room.freed.notify_one();
                    return Promise { to: Some((shard, connection)), len };
                }
                // A connection that ends wakes nobody.
                Some((_, connection, false)) => {
                    let freed = connection.room.freed.notified();
                    let _ = tokio::time::timeout(limits::TICK, freed).await;
                }
                None => return Promise { to: None, len },
            }
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some((shard, connection)) = &self.to {
            shard.promised.set(shard.promised.get().saturating_sub(self.len));
            let room = &connection.room;
            room.promised.set(room.promised.get().saturating_sub(self.len));
            room.freed.notify_one();
        }
    }
}
