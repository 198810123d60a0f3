//! Large packets that are decrypted together.
//!
//! One message is decrypted block after block, each of which waits for the one before; of several messages a block each is
//! under way at once, which takes hardly longer than one: eight in the time of three. So a part of a file waits until the
//! connections that can be read have been; and, while parts before it are being stored, for a moment longer, as their clients
//! send the next ones when they have their answers. A lone one waits for nothing.

use std::rc::Rc;

use crypto::Side;
use mtproto::{
    envelope::{self, OpenJob},
    transport::Packet,
};

use tokio::time::{Instant, timeout_at};

use super::{Login, connection::Connection, shard::Shard};
use crate::limits;

/// A packet that came and was not decrypted yet.
pub(super) struct Unopened {
    pub(super) connection: Rc<Connection>,
    pub(super) login: Rc<Login>,
    pub(super) packet: Packet,
}

impl Shard {
    /// Has a packet opened together with others; at once if there are enough.
    pub(super) fn open_later(self: &Rc<Self>, unopened: Unopened) {
        let count = {
            let mut all = self.unopened.borrow_mut();
            all.push(unopened);
            all.len()
        };
        if count >= limits::OPENED_TOGETHER_COUNT {
            self.open_now();
        } else {
            self.open.notify_one();
        }
    }

    pub(super) async fn open_forever(self: Rc<Self>) {
        loop {
            self.open.notified().await;
            // Goes on reading as long as that brings more.
            let mut before = 0;
            while before < self.unopened.borrow().len() {
                before = self.unopened.borrow().len();
                tokio::task::yield_now().await;
            }
            let (mut count, mut until) = (0, Instant::now());
            while self.expects_to_open() {
                if self.unopened.borrow().len() > count {
                    count = self.unopened.borrow().len();
                    until = Instant::now() + limits::OPENED_TOGETHER_WAIT;
                }
                if timeout_at(until, self.open.notified()).await.is_err() {
                    break;
                }
            }
            self.open_now();
        }
    }

    /// Whether packets wait that are better opened together with those that are about to come.
    fn expects_to_open(&self) -> bool {
        let count = self.unopened.borrow().len();
        (1..limits::OPENED_TOGETHER_COUNT).contains(&count) && self.large_running.get() > 0
    }

    /// Opens all packets that wait and takes their messages to their sessions.
    pub(super) fn open_now(self: &Rc<Self>) {
        let (mut whose, mut packets) = (Vec::new(), Vec::new());
        for Unopened { connection, login, packet } in self.unopened.take() {
            connection.unopened.set(connection.unopened.get().saturating_sub(1));
            whose.push((connection, login, packet.quick_ack));
            packets.push(packet.payload);
        }
        let jobs = whose.iter().zip(packets);
        let jobs = jobs.map(|((_, login, _), packet)| OpenJob { key: login.auth_key(), packet });
        let opened = envelope::open_many(Side::Client, jobs.collect());
        for ((connection, login, quick_ack), opened) in whose.into_iter().zip(opened) {
            connection.take_message(self, &login, quick_ack, opened);
        }
    }
}
