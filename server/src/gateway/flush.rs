//! From what sessions have to say to bytes on sockets.
//!
//! Whatever gives a session something to say only marks it. One task a shard then takes all marked sessions together: what
//! became ready in the same wake-up is sealed in one call and reaches each socket in one write.

use std::rc::Rc;

use crypto::Side;
use mtproto::{
    envelope::{self, PADDING_RANDOM_LEN, SealJob},
    session::Outgoing,
};
use rand_core::Rng as _;

use super::{live::Live, shard::Shard};

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
            self.flush_now();
        }
    }

    /// Seals and sends what all marked sessions have to say.
    pub(super) fn flush_now(&self) {
        let dirty = std::mem::take(&mut *self.dirty.borrow_mut());
        let now = self.now();
        let mut outgoing: Vec<(Rc<Live>, Outgoing)> = Vec::new();
        for live in dirty {
            live.dirty.set(false);
            let mut session = live.session.borrow_mut();
            while let Some(packet) = session.poll_transmit(now) {
                outgoing.push((Rc::clone(&live), packet));
            }
        }
        if outgoing.is_empty() {
            return;
        }
        let mut jobs: Vec<SealJob<'_>> = outgoing
            .iter_mut()
            .map(|(live, out)| {
                let mut random = [0; PADDING_RANDOM_LEN];
                self.rng.borrow_mut().fill_bytes(&mut random);
                SealJob { key: live.login.auth_key(), packet: &mut out.packet, random }
            })
            .collect();
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
            if !touched.contains(&out.conn) {
                touched.push(out.conn);
            }
        }
        for conn in touched {
            if let Some(connection) = connections.get(&conn) {
                connection.write(self);
            }
        }
    }
}
