//! From what sessions have to say to bytes on sockets.
//!
//! Whatever gives a session something to say only marks it. One task a shard then takes all marked sessions together: what
//! became ready in the same wake-up is sealed in one call and reaches each socket in one write. Parts of files, which cost most,
//! wait a moment for those that are being read for other requests: eight of them are sealed in the time of two.

use std::rc::Rc;

use crypto::Side;
use mtproto::{
    envelope::{self, PADDING_RANDOM_LEN, SealJob},
    session::Outgoing,
};
use rand_core::Rng as _;

use super::{live::Live, shard::Shard};
use crate::limits;

impl Shard {
    /// Has the session looked at by the next flush.
    pub(super) fn mark(&self, live: &Rc<Live>) {
        if !live.dirty.replace(true) {
            self.dirty.borrow_mut().push(Rc::clone(live));
            self.flush.notify_one();
        }
    }

    pub(super) async fn flush_forever(self: Rc<Self>) {
        loop {
            self.flush.notified().await;
            self.take_outgoing();
            if self.expects_large() {
                // What else is about to come is sealed with it. A lone one waits for nothing.
                let _ =
                    tokio::time::timeout(limits::SEALED_TOGETHER_WAIT, self.gather_large()).await;
            }
            self.send(self.unsealed.take());
        }
    }

    /// Takes what comes until no more large packets are expected; what is small goes out meanwhile.
    async fn gather_large(&self) {
        while self.expects_large() {
            self.flush.notified().await;
            self.take_outgoing();
        }
    }

    /// Seals and sends what all marked sessions have to say.
    pub(super) fn flush_now(&self) {
        self.take_outgoing();
        self.send(self.unsealed.take());
    }

    /// Whether large packets wait that are better sealed together with those being prepared.
    fn expects_large(&self) -> bool {
        let count = self.unsealed.borrow().len();
        (1..limits::SEALED_TOGETHER_COUNT).contains(&count) && self.promised.get() > 0
    }

    /// Takes what all marked sessions have to say: sends what is small, and puts aside what is large.
    fn take_outgoing(&self) {
        let dirty = std::mem::take(&mut *self.dirty.borrow_mut());
        let now = self.now();
        let mut small: Vec<(Rc<Live>, Outgoing)> = Vec::new();
        for live in dirty {
            live.dirty.set(false);
            let mut session = live.session.borrow_mut();
            while let Some(out) = session.poll_transmit(now) {
                if out.packet.len() >= limits::LARGE_PACKET_LEN {
                    self.unsealed.borrow_mut().push((Rc::clone(&live), out));
                } else {
                    small.push((Rc::clone(&live), out));
                }
            }
        }
        self.send(small);
    }

    /// Seals packets in one pass and sends them, each connection's in one write.
    fn send(&self, mut outgoing: Vec<(Rc<Live>, Outgoing)>) {
        if outgoing.is_empty() {
            return;
        }
        let mut rng = self.rng.borrow_mut();
        let mut jobs: Vec<SealJob<'_>> = outgoing
            .iter_mut()
            .map(|(live, out)| {
                let mut random = [0; PADDING_RANDOM_LEN];
                rng.fill_bytes(&mut random);
                SealJob { key: live.login.auth_key(), packet: &mut out.packet, random }
            })
            .collect();
        drop(rng);
        if let Err(error) = envelope::seal_many(Side::Server, &mut jobs) {
            tracing::error!(%error, "packets cannot be sealed");
            return;
        }
        let connections = self.connections.borrow();
        let mut touched = Vec::new();
        for (live, out) in outgoing {
            // A connection that is gone took its packets along; the session sends again what matters.
            let Some(connection) = connections.get(&out.conn) else { continue };
            if !connection.queue(self, out.packet) {
                live.session.borrow_mut().set_writable(out.conn, false);
            }
            if !connection.touched.replace(true) {
                touched.push(connection);
            }
        }
        for connection in touched {
            connection.touched.set(false);
            connection.write(self);
        }
    }
}
