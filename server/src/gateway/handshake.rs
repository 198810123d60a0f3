//! Runs handshakes: expensive steps on a thread of their own, keys stored before they are confirmed.

use std::rc::Rc;

use bytes::BytesMut;
use mtproto::{
    envelope,
    handshake::server::{Handshakes, Job, JobDone, KeyKind, NewKey, Step, Stored},
};
use services::Origin;
use storage::{AuthKeyId, Owner};
use tl::operations::{enums::Refusal, functions};

use super::{
    connection::{Connection, FLOOD, NOT_FOUND},
    shard::Shard,
};
use crate::router::CallError;

impl Connection {
    /// Handles an unencrypted packet.
    pub(super) fn handle_plain(self: &Rc<Self>, shard: &Rc<Shard>, packet: BytesMut) {
        let plain = match envelope::open_plain(packet) {
            Ok(plain) => plain,
            Err(error) => {
                tracing::debug!(%error, "an unencrypted packet is none");
                self.refuse(NOT_FOUND);
                return;
            }
        };
        let step = self.with_handshakes(|handshakes| {
            let config = &shard.shared.handshake;
            handshakes.handle(shard.now(), config, &plain.body, &mut *shard.rng.borrow_mut())
        });
        self.take_step(shard, step);
    }

    fn with_handshakes<T>(&self, act: impl FnOnce(&mut Handshakes) -> T) -> T {
        act(self.handshakes.borrow_mut().get_or_insert_default())
    }

    fn take_step(self: &Rc<Self>, shard: &Rc<Shard>, step: Step) {
        match step {
            Step::Answer(body) => self.send_plain(shard, body),
            Step::Run(job) => self.run_job(shard, job),
            Step::Store(key) => {
                tokio::task::spawn_local(Rc::clone(self).store(Rc::clone(shard), key));
            }
            Step::Nothing => {}
            Step::Refuse(error) => {
                tracing::debug!(%error, "a handshake failed");
                self.refuse(error.transport_code());
            }
        }
    }

    /// Computes on the thread for it; a flood of handshakes waits there, not in the way of others.
    fn run_job(self: &Rc<Self>, shard: &Rc<Shard>, job: Job) {
        let Some(done) = shard.computer.run(job) else {
            tracing::debug!("too many handshakes at once");
            self.refuse(FLOOD);
            return;
        };
        let (connection, shard) = (Rc::clone(self), Rc::clone(shard));
        tokio::task::spawn_local(async move {
            match done.await {
                Ok(done) => connection.job_done(&shard, done),
                Err(_) => {
                    tracing::error!("a handshake's computation panicked");
                    connection.refuse(NOT_FOUND);
                }
            }
        });
    }

    fn job_done(self: &Rc<Self>, shard: &Rc<Shard>, done: JobDone) {
        let step = self.with_handshakes(|handshakes| handshakes.job_done(shard.now(), done));
        self.take_step(shard, step);
    }

    /// Stores a key durably, and only then confirms it.
    async fn store(self: Rc<Self>, shard: Rc<Shard>, key: NewKey) {
        let owner = Owner::AuthKey(AuthKeyId(key.auth_key.id().0.cast_signed()));
        let create = functions::keys::Create {
            expires_in: match key.kind {
                KeyKind::Perm => None,
                KeyKind::Temp { expires_in_s } => Some(expires_in_s),
            },
            ..functions::keys::Create::new(key.auth_key.as_bytes(), key.first_salt)
        };
        let outcome = match shard.shared.router.call(&owner, Origin::default(), &create).await {
            Ok(_) => Stored::Ok,
            Err(CallError::Refused(Refusal::AuthKeyInvalid)) => Stored::Duplicate,
            Err(_) => Stored::Failed,
        };
        let step = self.with_handshakes(|handshakes| {
            handshakes.key_stored(shard.now(), key.exchange, outcome)
        });
        self.take_step(&shard, step);
    }
}
