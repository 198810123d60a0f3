//! What other threads have a shard do, and the way to it.

use std::sync::Arc;

use services::Pushed;
use storage::{AuthKeyId, UserId};
use tokio::sync::mpsc::{self, error::TrySendError};

use super::connection::Handoff;
use crate::{media::large::Stored, router::Answer};

/// What other threads ask of a shard.
pub(crate) enum Command {
    /// Take over a connection whose sessions live here.
    Connection(Box<Handoff>),
    /// Hand operations' answers to those who wait for them on this thread.
    Answers(Vec<Answer>),
    /// Tell those who wait on this thread what became of their parts of files.
    Stored(Vec<Stored>),
    /// Tell the sessions of `user`.
    Effect { user: UserId, pushed: Arc<Pushed> },
    /// Look up again who is logged in with a permanent key.
    LoginChanged(AuthKeyId),
    /// These permanent keys are no longer logged in as `user`.
    LoginsEnded { user: UserId, keys: Arc<[i64]> },
    /// These keys are gone.
    KeysDestroyed(Arc<[i64]>),
    /// Accept nothing more, finish what runs, and end.
    Stop,
}

/// The way to a shard.
#[derive(Clone)]
pub(crate) struct ShardHandle(mpsc::Sender<Command>);

impl ShardHandle {
    /// A way, and the queue at its end, which takes `queue_count` commands.
    pub(crate) fn new(queue_count: usize) -> (Self, mpsc::Receiver<Command>) {
        let (sender, receiver) = mpsc::channel(queue_count);
        (Self(sender), receiver)
    }

    /// Puts `command` into the shard's queue; whether there was room.
    pub(crate) fn try_send(&self, command: Command) -> bool {
        self.try_send_or_back(command).is_none()
    }

    /// Puts `command` into the shard's queue, or gives it back if there is no room.
    pub(crate) fn try_send_or_back(&self, command: Command) -> Option<Command> {
        match self.0.try_send(command) {
            Ok(()) => None,
            Err(TrySendError::Full(command) | TrySendError::Closed(command)) => Some(command),
        }
    }

    /// Waits for room.
    pub(crate) async fn send(&self, command: Command) {
        // A shard that has ended needs no commands.
        let _ = self.0.send(command).await;
    }
}
