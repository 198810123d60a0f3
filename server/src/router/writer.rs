//! One writer thread: executes what has queued up for its partitions as a group, writes it at once, then lets the answers go.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mtproto::UnixTime;
use services::{Pushed, partition};
use storage::{
    Committed, Delivery, Engine, Group, Outbox, PartitionId, Partitions, Receipt, Round,
};

use super::{
    Answer, CallError, Command, Queues, queue::Taker, refused, trouble::Trouble, writer_of,
};
use crate::{
    clock::{self, Clock},
    convert::acquaintances::Generations,
    limits,
    updates::Hub,
};

/// An answer that waits for the group's write, and then for what the operation delivers.
///
/// Once it is written, nothing that was done can be lost. Waiting for the deliveries as well lets a caller who has the answer find
/// what it did wherever it looks, such as the message in the other side's box.
struct Waiting {
    answer: Answer,
    partition: PartitionId,
    /// Which of the group's deliveries the operation made.
    deliveries: Range<usize>,
}

/// An answer that is durable, and waits for deliveries to be applied.
struct Held {
    waiting: Waiting,
    /// The last number to each receiver that is not acknowledged yet.
    waits: Vec<(PartitionId, u64)>,
    since: UnixTime,
}

/// Owns some partitions: their outboxes, and the right to write their rows.
pub(super) struct Writer {
    engine: Arc<dyn Engine>,
    clock: Arc<Clock>,
    hub: Arc<Hub>,
    generations: Arc<Generations>,
    queues: Queues,
    outboxes: Vec<Outbox>,
    partitions: Partitions,
    /// What was sent of each pair's deliveries, and when.
    sent: BTreeMap<(PartitionId, PartitionId), Sent>,
    /// Deliveries and acknowledgements between partitions of this writer: the next round takes them.
    own: Vec<Command>,
    /// Answers whose deliveries are on their way, oldest first.
    held: VecDeque<Held>,
    /// Answers that can go.
    ready: Vec<Answer>,
    /// When unacknowledged deliveries were last looked for; `None` before the first time.
    checked: Option<UnixTime>,
    trouble: Arc<Trouble>,
}

#[derive(Clone, Copy)]
struct Sent {
    /// All up to this number were put into the receiver's queue.
    up_to: u64,
    /// All up to this number were acknowledged.
    acknowledged: u64,
    /// Since when there has been no progress: the last acknowledgement, or the first sending after one.
    since: UnixTime,
}

impl Sent {
    /// How many more may be on their way.
    fn room(self) -> usize {
        let in_flight = self.up_to.saturating_sub(self.acknowledged);
        let in_flight = usize::try_from(in_flight).unwrap_or(usize::MAX);
        limits::DELIVERIES_IN_FLIGHT_MAX.saturating_sub(in_flight)
    }
}

impl Writer {
    #[expect(clippy::too_many_arguments, reason = "the parts of one value, from one place")]
    pub(super) fn new(
        engine: Arc<dyn Engine>,
        clock: Arc<Clock>,
        hub: Arc<Hub>,
        generations: Arc<Generations>,
        queues: Queues,
        outboxes: Vec<Outbox>,
        partitions: Partitions,
        trouble: Arc<Trouble>,
    ) -> Self {
        Self {
            engine,
            clock,
            hub,
            generations,
            queues,
            outboxes,
            partitions,
            sent: BTreeMap::new(),
            own: Vec::new(),
            held: VecDeque::new(),
            ready: Vec::new(),
            checked: None,
            trouble,
        }
    }

    /// Runs until `stop` is set and the queue is empty.
    pub(super) fn run(mut self, mut queue: Taker, stop: &AtomicBool) {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!(%error, "a writer cannot start");
                return;
            }
        };
        // What the last process did not get to deliver: somebody may look for it at once.
        self.retry();
        let mut commands = Vec::with_capacity(limits::GROUP_COUNT_MAX);
        loop {
            commands.append(&mut self.own);
            let wait = if !commands.is_empty() || stop.load(Ordering::Acquire) {
                Duration::ZERO
            } else if self.held.is_empty() {
                limits::DELIVERY_RETRY
            } else {
                limits::ANSWER_HELD_MAX
            };
            let room = limits::GROUP_COUNT_MAX.saturating_sub(commands.len()).max(1);
            runtime.block_on(async {
                // Time-out: nothing came, and it is time to look at what was not acknowledged.
                let _ = tokio::time::timeout(wait, queue.take(&mut commands, room)).await;
            });
            if commands.is_empty() && stop.load(Ordering::Acquire) {
                break;
            }
            self.round(std::mem::take(&mut commands));
            self.retry();
            self.answer_the_late();
            self.give_answers();
        }
        self.ready
            .extend(std::mem::take(&mut self.held).into_iter().map(|held| held.waiting.answer));
        self.give_answers();
        if let Err(error) = self.engine.sync() {
            tracing::error!(%error, "failed to sync at the end");
        }
    }

    /// Executes `commands` and commits them together.
    fn round(&mut self, commands: Vec<Command>) {
        let mut work: BTreeMap<PartitionId, Vec<Command>> = BTreeMap::new();
        for command in commands {
            let partition = match &command {
                Command::Acknowledge { from, to, number } => {
                    self.acknowledge(*from, *to, *number);
                    continue;
                }
                Command::Wake => continue,
                Command::Execute { owner, .. } => self.partitions.of(owner),
                Command::Deliver(delivery) => delivery.to,
            };
            work.entry(partition).or_default().push(command);
        }
        if work.is_empty() {
            return;
        }
        let now = clock::seconds(self.clock.now());
        let snapshot = self.engine.snapshot();
        let mut answers: Vec<Waiting> = Vec::new();
        let mut round: Round<'_, Pushed> = Round::begin(&*snapshot, &mut self.outboxes);
        for (partition, commands) in work {
            let group = match round.group(partition) {
                Ok(Some(group)) => group,
                // The callers' answers are dropped, which tells them that it failed; deliveries come again.
                Ok(None) => {
                    let partition = partition.0;
                    tracing::error!(partition, "a command came to another's writer");
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, "a partition cannot be read");
                    continue;
                }
            };
            for command in commands {
                execute(group, now, command, &mut answers);
            }
        }
        round.settle(limits::DIRECT_COUNT_MAX, |group, delivery| receive(group, now, delivery));
        match round.commit(&*self.engine) {
            Ok(mut committed) => {
                drop(snapshot);
                if committed.iter().any(|committed| committed.written) {
                    self.trouble.succeeded();
                }
                // Before the answers: whoever has one may rely on what it did, such as having ended a login.
                for committed in &mut committed {
                    committed.watched.iter().for_each(|owner| self.generations.changed(owner));
                    committed.effects.drain(..).for_each(|effect| self.hub.publish(effect));
                }
                self.hold(answers, &committed);
                for committed in committed {
                    self.release(committed);
                }
            }
            Err(error) => {
                self.generations.all_changed();
                self.trouble.failed(self.clock.now(), answers.len(), &error);
                let why =
                    if error.is_disk_full() { CallError::DiskFull } else { CallError::Failed };
                for Waiting { answer, .. } in answers {
                    self.ready.push(Answer { result: Err(why.clone()), ..answer });
                }
            }
        }
    }

    /// Lets the answers of a group go that is durable, but for those whose deliveries must be applied first.
    fn hold(&mut self, answers: Vec<Waiting>, committed: &[Committed<Pushed>]) {
        let now = self.clock.now();
        for waiting in answers {
            let group = committed.iter().find(|group| group.partition == waiting.partition);
            let made = group.and_then(|group| group.deliveries.get(waiting.deliveries.clone()));
            let mut waits: Vec<(PartitionId, u64)> = Vec::new();
            let kept = made.unwrap_or_default().iter().filter(|delivery| !delivery.is_direct());
            for delivery in kept {
                match waits.iter_mut().find(|(to, _)| *to == delivery.to) {
                    Some((_, number)) => *number = delivery.number.max(*number),
                    None => waits.push((delivery.to, delivery.number)),
                }
            }
            if waits.is_empty() || self.held.len() >= limits::ANSWERS_HELD_COUNT_MAX {
                self.ready.push(waiting.answer);
            } else {
                self.held.push_back(Held { waiting, waits, since: now });
            }
        }
    }

    /// Sends the answers that wait for nothing more, to each shard all at once.
    fn give_answers(&mut self) {
        let mut by_shard: Vec<(usize, Vec<Answer>)> = Vec::new();
        for answer in self.ready.drain(..) {
            let Some(shard) = answer.shard else {
                answer.give();
                continue;
            };
            match by_shard.iter_mut().find(|(other, _)| *other == shard) {
                Some((_, answers)) => answers.push(answer),
                None => by_shard.push((shard, vec![answer])),
            }
        }
        for (shard, answers) in by_shard {
            self.hub.answer(shard, answers);
        }
    }

    /// Lets the answers go that waited for `to` to apply what `from` delivered, up to `number`.
    fn answer_the_held(&mut self, from: PartitionId, to: PartitionId, number: u64) {
        let mut kept = VecDeque::with_capacity(self.held.len());
        for mut held in std::mem::take(&mut self.held) {
            if held.waiting.partition == from {
                held.waits.retain(|(waited, last)| *waited != to || *last > number);
            }
            if held.waits.is_empty() {
                self.ready.push(held.waiting.answer)
            } else {
                kept.push_back(held)
            }
        }
        self.held = kept;
    }

    /// Lets the answers go that have waited long enough: what they tell of is durable and will be delivered.
    fn answer_the_late(&mut self) {
        let now = self.clock.now();
        while let Some(held) = self.held.front() {
            if now.since(held.since) < limits::ANSWER_HELD_MAX {
                break;
            }
            self.ready.extend(self.held.pop_front().map(|held| held.waiting.answer));
        }
    }

    /// Tells other partitions what they are to know of a group that is durable.
    fn release(&mut self, committed: Committed<Pushed>) {
        let partition = committed.partition;
        for (from, number) in committed.received {
            // One that gets lost is made up for by the next, or by the answer to a repetition.
            self.send(from, Command::Acknowledge { from, to: partition, number });
        }
        for delivery in committed.deliveries {
            if !delivery.is_direct() {
                self.deliver(delivery);
            }
        }
    }

    /// Puts a new delivery into its receiver's queue, if it is its turn and not too many are on their way.
    fn deliver(&mut self, delivery: Delivery) {
        let pair = (delivery.from, delivery.to);
        let number = delivery.number;
        let now = self.clock.now();
        let before = number.saturating_sub(1);
        let first = Sent { up_to: before, acknowledged: before, since: now };
        let sent = *self.sent.entry(pair).or_insert(first);
        let is_next = sent.up_to == before && sent.room() > 0;
        if is_next && self.send(delivery.to, Command::Deliver(delivery)) {
            let since = if sent.acknowledged == before { now } else { sent.since };
            self.sent.insert(pair, Sent { up_to: number, since, ..sent });
        }
    }

    /// Puts a command into the queue of the writer that owns `partition`. Never waits: two writers that waited for each other would
    /// wait for good.
    fn send(&mut self, partition: PartitionId, command: Command) -> bool {
        if self.owns(partition) {
            self.own.push(command);
            return true;
        }
        self.queues.of(partition).is_some_and(|queue| queue.try_send(command))
    }

    fn owns(&self, partition: PartitionId) -> bool {
        let own = self.outboxes.first().map(Outbox::partition);
        let writers = self.queues.0.len();
        own.is_some_and(|own| writer_of(own, writers) == writer_of(partition, writers))
    }

    fn acknowledge(&mut self, from: PartitionId, to: PartitionId, number: u64) {
        let Some(outbox) = self.outboxes.iter_mut().find(|outbox| outbox.partition() == from)
        else {
            return;
        };
        if let Err(error) = outbox.acknowledge(to, number) {
            tracing::error!(%error, "an acknowledgement does not fit the outbox");
        }
        let unacknowledged = outbox.unacknowledged(to);
        self.answer_the_held(from, to, number);
        let Some(sent) = self.sent.get_mut(&(from, to)) else {
            return;
        };
        sent.acknowledged = sent.acknowledged.max(number);
        sent.up_to = sent.up_to.max(sent.acknowledged);
        sent.since = self.clock.now();
        let sent = *sent;
        let is_more = unacknowledged.is_some_and(|numbers| *numbers.end() > sent.up_to);
        if is_more && sent.room() >= limits::DELIVERIES_IN_FLIGHT_MAX / 2 {
            self.send_pending(from, to, sent);
        }
    }

    /// Sends what was not acknowledged in time once more, and what found no room before.
    fn retry(&mut self) {
        let now = self.clock.now();
        if self.checked.is_some_and(|checked| now.since(checked) < limits::DELIVERY_RETRY) {
            return;
        }
        self.checked = Some(now);
        let mut due = Vec::new();
        for outbox in &self.outboxes {
            for (to, numbers) in outbox.waiting() {
                let pair = (outbox.partition(), to);
                let sent = self.sent.get(&pair).copied();
                let is_due =
                    sent.is_none_or(|sent| now.since(sent.since) >= limits::DELIVERY_RETRY);
                if is_due {
                    let acknowledged = numbers.start().saturating_sub(1);
                    due.push((pair, Sent { up_to: acknowledged, acknowledged, since: now }));
                }
            }
        }
        for ((from, to), sent) in due {
            self.send_pending(from, to, sent);
        }
    }

    /// Reads what comes after `sent` of a pair, and sends as much of it as there is room for.
    fn send_pending(&mut self, from: PartitionId, to: PartitionId, mut sent: Sent) {
        let Some(outbox) = self.outboxes.iter().find(|outbox| outbox.partition() == from) else {
            return;
        };
        let snapshot = self.engine.snapshot();
        let pending = outbox.pending(&*snapshot, to, sent.up_to, sent.room());
        drop(snapshot);
        let deliveries = match pending {
            Ok(deliveries) => deliveries,
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read");
                return;
            }
        };
        for delivery in deliveries {
            let number = delivery.number;
            if !self.send(to, Command::Deliver(delivery)) {
                break;
            }
            sent.up_to = number;
        }
        self.sent.insert((from, to), sent);
    }
}

/// Executes one command within its partition's group.
fn execute(
    group: &mut Group<'_, Pushed>,
    now: services::UnixTime,
    command: Command,
    answers: &mut Vec<Waiting>,
) {
    match command {
        Command::Execute { owner, origin, operation, shard, answer } => {
            let before = group.delivery_count();
            let result = partition::write(group, &owner, now, origin, &operation);
            let name = partition::describe(&operation).map_or("unknown", |(_, name)| name);
            let result = result.map_err(|failure| refused(name, &failure));
            answers.push(Waiting {
                answer: Answer { shard, to: answer, result },
                partition: group.partition(),
                deliveries: before..group.delivery_count(),
            });
        }
        Command::Deliver(delivery) => {
            receive(group, now, &delivery);
        }
        Command::Acknowledge { .. } | Command::Wake => {}
    }
}

/// Applies a delivery within its receiver's group, if it is its turn. What keeps it from that is logged.
fn receive(
    group: &mut Group<'_, Pushed>,
    now: services::UnixTime,
    delivery: &Delivery,
) -> Receipt<Vec<u8>, services::Error> {
    let receipt = partition::receive(group, now, delivery);
    let name = partition::describe(delivery.operation()).map_or("unknown", |(_, name)| name);
    match &receipt {
        Receipt::Applied(Ok(_)) | Receipt::Duplicate | Receipt::Gap { .. } => {}
        Receipt::Applied(Err(failure)) => {
            let error = refused(name, failure);
            tracing::error!(operation = name, %error, "a delivery did nothing");
        }
        Receipt::Unread(error) => {
            tracing::error!(operation = name, %error, "a delivery must wait");
        }
        Receipt::Misrouted => {
            tracing::error!(operation = name, "a delivery went to the wrong partition");
        }
    }
    receipt
}
