//! A writer's queue. Callers wait for room in it; other writers may not, and have room of their own.
//!
//! Were it the same room, callers who wait for it would take whatever becomes free, and another writer, which only tries, would
//! find none as long as more comes than is served. All that is in the queue is taken in the order in which it came.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::{CallError, Command};
use crate::limits;

/// The end where commands come in.
pub(super) struct Queue {
    commands: mpsc::UnboundedSender<Command>,
    room: Arc<Room>,
}

/// The end where its writer takes them.
pub(super) struct Taker {
    commands: mpsc::UnboundedReceiver<Command>,
    room: Arc<Room>,
}

/// What bounds the channel.
struct Room {
    callers: Semaphore,
    writers: Semaphore,
}

/// An empty queue.
pub(super) fn queue() -> (Queue, Taker) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let callers = Semaphore::new(limits::WRITER_QUEUE_COUNT);
    let writers = Semaphore::new(limits::WRITER_DELIVERIES_COUNT);
    let room = Arc::new(Room { callers, writers });
    (Queue { commands: sender, room: Arc::clone(&room) }, Taker { commands: receiver, room })
}

impl Queue {
    /// Puts a caller's command in as soon as there is room; first come, first served.
    ///
    /// # Errors
    ///
    /// [`CallError::Failed`] if the writer has ended.
    pub(super) async fn send(&self, command: Command) -> Result<(), CallError> {
        let room = self.room.callers.acquire().await.map_err(|_| CallError::Failed)?;
        self.commands.send(command).map_err(|_| CallError::Failed)?;
        room.forget();
        Ok(())
    }

    /// Puts another writer's command in if there is room. Whether there was.
    pub(super) fn try_send(&self, command: Command) -> bool {
        let Ok(room) = self.room.writers.try_acquire() else {
            return false;
        };
        let is_sent = self.commands.send(command).is_ok();
        if is_sent {
            room.forget();
        }
        is_sent
    }

    /// How many more callers' commands it takes at once.
    #[cfg(test)]
    pub(super) fn room_for_callers(&self) -> usize {
        self.room.callers.available_permits()
    }

    /// How many more commands of other writers it takes.
    #[cfg(test)]
    pub(super) fn room_for_writers(&self) -> usize {
        self.room.writers.available_permits()
    }
}

impl Taker {
    /// Waits for commands, and takes what is there: `limit` at most.
    pub(super) async fn take(&mut self, commands: &mut Vec<Command>, limit: usize) {
        let before = commands.len();
        self.commands.recv_many(commands, limit).await;
        let taken = &commands[before..];
        let callers = taken.iter().filter(|taken| matches!(taken, Command::Execute { .. })).count();
        self.room.callers.add_permits(callers);
        self.room.writers.add_permits(taken.len() - callers);
    }
}

impl Drop for Taker {
    /// Whoever waits for room learns that there will be none.
    fn drop(&mut self) {
        self.room.callers.close();
    }
}
