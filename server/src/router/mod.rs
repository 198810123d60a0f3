//! Takes an operation to the partition that executes it, and its answer back.
//!
//! ```text
//! caller ──read──► snapshot, on the caller's thread
//!        ──write─► queue of a writer ──► group ──► one synced write ──► answers
//!                    ▲                                             ├──► effects, to the hub
//!                    └───────────── deliveries, acknowledgements ──┘
//! ```
//!
//! This module alone knows where a partition is: here, on one of this process's writer threads.

mod queue;
#[cfg(test)]
mod tests;
mod trouble;
mod writer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use services::{
    Origin,
    partition::{self, Kind},
};
use storage::{Delivery, Engine, Outbox, Owner, PartitionId, Partitions, View};
use tl::{Decode, Encode, Layer, Method, operations::enums::Refusal};
use tokio::sync::oneshot;

use crate::{
    clock::{self, Clock},
    convert::acquaintances::Generations,
    gateway::this_shard,
    updates::Hub,
};
use queue::Queue;
use trouble::Trouble;

/// Why an operation has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// It was refused.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// There is no room on the disk, which has been logged. Reads go on, and writes do once there is room.
    #[error("the disk is full")]
    DiskFull,
    /// It failed for a reason of ours, which has been logged.
    #[error("failed")]
    Failed,
}

/// An operation's answer on its way to who called.
pub(crate) struct Answer {
    /// Which shard's thread the caller waits on.
    shard: Option<usize>,
    to: oneshot::Sender<Result<Vec<u8>, CallError>>,
    result: Result<Vec<u8>, CallError>,
}

impl Answer {
    /// Hands it over. On the caller's own thread that wakes no other thread, and keeps the order of what the thread does.
    pub(crate) fn give(self) {
        // A caller that is gone does not need its answer.
        let _ = self.to.send(self.result);
    }
}

/// What a writer is asked.
pub(crate) enum Command {
    /// Execute an operation and answer.
    Execute {
        owner: Owner,
        origin: Origin,
        operation: Vec<u8>,
        shard: Option<usize>,
        answer: oneshot::Sender<Result<Vec<u8>, CallError>>,
    },
    /// Take a delivery from another partition.
    Deliver(Delivery),
    /// Look at whether to end.
    Wake,
    /// `to` has durably applied what `from`, a partition of this writer, sent it, up to `number`.
    Acknowledge { from: PartitionId, to: PartitionId, number: u64 },
}

/// The queues of all writers, by number.
#[derive(Clone)]
pub(crate) struct Queues(Arc<[Queue]>);

impl Queues {
    fn of(&self, partition: PartitionId) -> Option<&Queue> {
        self.0.get(writer_of(partition, self.0.len()))
    }
}

/// Which writer owns a partition.
fn writer_of(partition: PartitionId, writers: usize) -> usize {
    usize::from(partition.0) % writers.max(1)
}

/// The way to all partitions.
pub struct Router {
    engine: Arc<dyn Engine>,
    clock: Arc<Clock>,
    partitions: Partitions,
    queues: Queues,
    generations: Arc<Generations>,
}

/// The threads of a [`Router`], to be waited for at the end.
pub struct Writers {
    threads: Vec<JoinHandle<()>>,
    queues: Queues,
    stop: Arc<AtomicBool>,
}

impl Router {
    /// Loads the outboxes and starts `writers` threads.
    ///
    /// # Errors
    ///
    /// The rows cannot be read, or a thread cannot be started.
    pub fn start(
        engine: Arc<dyn Engine>,
        clock: Arc<Clock>,
        hub: &Arc<Hub>,
        partitions: Partitions,
        writers: usize,
    ) -> Result<(Self, Writers), StartError> {
        let mut outboxes = load_outboxes(&*engine, partitions)?;
        let (queues, takers): (Vec<_>, Vec<_>) = (0..writers).map(|_| queue::queue()).unzip();
        let queues = Queues(queues.into());
        let stop = Arc::new(AtomicBool::new(false));
        let generations = Arc::new(Generations::default());
        let trouble = Arc::new(Trouble::default());
        let mut threads = Vec::with_capacity(writers);
        for (number, taker) in takers.into_iter().enumerate() {
            let (own, others) = outboxes
                .into_iter()
                .partition(|outbox| writer_of(outbox.partition(), writers) == number);
            outboxes = others;
            let writer = writer::Writer::new(
                Arc::clone(&engine),
                Arc::clone(&clock),
                Arc::clone(hub),
                Arc::clone(&generations),
                queues.clone(),
                own,
                partitions,
                Arc::clone(&trouble),
            );
            let stop = Arc::clone(&stop);
            let thread = std::thread::Builder::new()
                .name(format!("writer-{number}"))
                .spawn(move || writer.run(taker, &stop))?;
            threads.push(thread);
        }
        let writers = Writers { threads, queues: queues.clone(), stop };
        Ok((Self { engine, clock, partitions, queues, generations }, writers))
    }

    /// What tells that the rows behind what others see of a user have changed.
    pub(crate) const fn generations(&self) -> &Arc<Generations> {
        &self.generations
    }

    /// Executes `operation` of `owner` and returns what it answers, once that is durable.
    ///
    /// A read costs no change of thread; a write waits for its group's sync.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub async fn call<M>(
        &self,
        owner: &Owner,
        origin: Origin,
        operation: &M,
    ) -> Result<M::Answer<'static>, CallError>
    where
        M: Method + Encode,
        M::Answer<'static>: for<'a> Decode<'a>,
    {
        let bytes = operation.to_vec(Layer::NEWEST);
        let answer = match partition::describe(&bytes) {
            Some((Kind::Read, _)) => self.read(owner, &bytes, M::NAME)?,
            _ => self.write(owner.clone(), origin, bytes).await?,
        };
        decode::<M>(&answer)
    }

    /// Executes a read operation at once, on this thread.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub fn read_now<M>(&self, owner: &Owner, operation: &M) -> Result<M::Answer<'static>, CallError>
    where
        M: Method + Encode,
        M::Answer<'static>: for<'a> Decode<'a>,
    {
        let answer = self.read(owner, &operation.to_vec(Layer::NEWEST), M::NAME)?;
        decode::<M>(&answer)
    }

    fn read(
        &self,
        owner: &Owner,
        operation: &[u8],
        name: &'static str,
    ) -> Result<Vec<u8>, CallError> {
        let snapshot = self.engine.snapshot();
        let view = View::new(&*snapshot, owner.clone());
        let now = clock::seconds(self.clock.now());
        partition::read(&view, now, operation).map_err(|failure| refused(name, &failure))
    }

    async fn write(
        &self,
        owner: Owner,
        origin: Origin,
        operation: Vec<u8>,
    ) -> Result<Vec<u8>, CallError> {
        let Some(queue) = self.queues.of(self.partitions.of(&owner)) else {
            return Err(CallError::Failed);
        };
        let (answer, answered) = oneshot::channel();
        let shard = this_shard();
        let command = Command::Execute { owner, origin, operation, shard, answer };
        queue.send(command).await?;
        answered.await.map_err(|_| CallError::Failed)?
    }
}

impl Writers {
    /// Executes what has queued up, syncs, and ends the threads. Callers that come later fail.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        for queue in self.queues.0.iter() {
            // One that has no room is awake.
            queue.try_send(Command::Wake);
        }
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a writer thread panicked");
            }
        }
    }
}

/// Why the partitions cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The system gives no thread.
    #[error("failed to start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What every partition has sent and received. What was applied but not acknowledged when the process ended is acknowledged here.
fn load_outboxes(
    engine: &dyn Engine,
    partitions: Partitions,
) -> Result<Vec<Outbox>, storage::Error> {
    let snapshot = engine.snapshot();
    let mut outboxes = Vec::with_capacity(usize::from(partitions.count()));
    for partition in partitions.iter() {
        outboxes.push(Outbox::load(&*snapshot, partition, partitions)?);
    }
    let mut applied = Vec::new();
    for outbox in &outboxes {
        for (to, numbers) in outbox.waiting() {
            let received =
                outboxes.get(usize::from(to.0)).map_or(0, |o| o.received(outbox.partition()));
            applied.push((outbox.partition(), to, received.min(*numbers.end())));
        }
    }
    for (from, to, number) in applied {
        if let Some(outbox) = outboxes.get_mut(usize::from(from.0)) {
            outbox.acknowledge(to, number)?;
        }
    }
    Ok(outboxes)
}

/// The answer to an operation, from its bytes.
fn decode<M: Method>(answer: &[u8]) -> Result<M::Answer<'static>, CallError>
where
    M::Answer<'static>: for<'a> Decode<'a>,
{
    M::Answer::from_bytes(answer).map_err(|error| {
        tracing::error!(operation = M::NAME, %error, "an answer cannot be decoded");
        CallError::Failed
    })
}

/// What a caller is told of a failed operation. What is our fault is logged here.
fn refused(name: &str, failure: &partition::Failure) -> CallError {
    match failure {
        storage::Failure::Refused(services::Error::Refused(Refusal::Internal)) => {
            tracing::error!(operation = name, "an operation does not decode");
            CallError::Failed
        }
        storage::Failure::Refused(services::Error::Refused(refusal)) => {
            CallError::Refused(refusal.clone())
        }
        storage::Failure::Refused(services::Error::Storage(error)) => {
            tracing::error!(operation = name, %error, "an operation failed");
            CallError::Failed
        }
        storage::Failure::Panicked(message) => {
            tracing::error!(operation = name, message, "an operation panicked");
            CallError::Failed
        }
        storage::Failure::Misrouted => {
            tracing::error!(
                operation = name,
                "an operation went to a partition that is not its owner's"
            );
            CallError::Failed
        }
    }
}
