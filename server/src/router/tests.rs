//! More than all queues hold, and what a start has to make up for.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use services::limits::{FORWARD_COUNT_MAX, USER_ID_MIN};
use storage::{Batch, Durability, Fault, Memory, Snapshot, UserId};
use tl::operations::functions::{accounts, mailbox};
use tokio::task::JoinSet;

use super::*;
use crate::limits::{
    self, ANSWER_HELD_MAX, ANSWERS_HELD_COUNT_MAX, DELIVERIES_IN_FLIGHT_MAX, DIRECT_COUNT_MAX,
    GROUP_COUNT_MAX, WRITER_QUEUE_COUNT,
};

/// So many messages at once, all from one user to one other, whom another writer serves: each is answered and arrives once,
/// although neither the queues, nor a group, nor what is on its way between the two, nor the answers that wait have room for
/// them all.
#[test]
fn a_flood_between_two_arrives_once() {
    let count = WRITER_QUEUE_COUNT + ANSWERS_HELD_COUNT_MAX;
    const { assert!(WRITER_QUEUE_COUNT > GROUP_COUNT_MAX) };
    const { assert!(WRITER_QUEUE_COUNT > DELIVERIES_IN_FLIGHT_MAX) };
    let engine = Arc::new(Memory::new());
    let partitions = Partitions::new(2).expect("there may be two");
    let (clock, hub) = (Arc::new(Clock::default()), Arc::new(Hub::default()));
    let (router, writers) = Router::start(engine, clock, &hub, partitions, 2).expect("it starts");
    let user = |id| Owner::User(UserId(id));
    let alice = USER_ID_MIN;
    let of = |id| writer_of(partitions.of(&user(id)), 2);
    let bob = (alice + 1..).find(|id| of(*id) != of(alice)).expect("half of all are there");

    let router = Arc::new(router);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for id in [alice, bob] {
            let phone = id.to_string();
            let create = accounts::Create { phone: &phone, first_name: "A", last_name: "" };
            router.call(&user(id), Origin::default(), &create).await.expect("it is new");
        }
        let mut sent = JoinSet::new();
        for random_id in 1..=count as i64 {
            let (router, alice) = (Arc::clone(&router), user(alice));
            sent.spawn(async move {
                let send = mailbox::Send::new(bob, random_id, "text");
                router.call(&alice, Origin::default(), &send).await
            });
        }
        while let Some(sent) = sent.join_next().await {
            sent.expect("no panic").expect("each is answered");
        }
    });
    // What was not delivered yet is on its way; stopping ends only what has come.
    let history = mailbox::History::new(alice, 0, 0, 0, 1, 0, 0);
    let arrived = || router.read_now(&user(bob), &history).expect("it may be read").count as usize;
    while arrived() < count {
        std::thread::yield_now();
    }
    writers.stop();
    assert_eq!(arrived(), count);
}

fn start(engine: &Arc<Memory>, clock: &Arc<Clock>) -> (Router, Writers) {
    let hub = Arc::new(Hub::default());
    let engine = Arc::clone(engine) as Arc<dyn Engine>;
    Router::start(engine, Arc::clone(clock), &hub, Partitions::default(), 2).unwrap()
}

/// What one process did not get to deliver the next one delivers when it starts, not only when it is time to look: on this
/// clock that never comes.
#[tokio::test]
async fn what_was_not_delivered_is_so_at_the_start() {
    let user = |id| Owner::User(UserId(id));
    let of = |id| writer_of(Partitions::default().of(&user(id)), 2);
    // Whom another writer serves: within one there is no delivery.
    let other = (2..).find(|id| of(*id) != of(1)).expect("half of all are there");
    let (from, to) = (user(1), user(other));
    let clock = Arc::new(Clock::default());
    clock.stop();
    let memory = Arc::new(Memory::new());
    let (router, writers) = start(&memory, &clock);
    // The message is durable, and that it is to be delivered; then the power is gone.
    memory.inject(1, Fault::PowerAfter);
    let send = mailbox::Send::new(other, 7, "in time");
    router.call(&from, Origin::default(), &send).await.unwrap_err();
    writers.stop();

    let memory = Arc::new(memory.restarted(0));
    let (router, writers) = start(&memory, &clock);
    let history = mailbox::History {
        peer: 1,
        offset_id: 0,
        offset_date: 0,
        add_offset: 0,
        limit: 10,
        max_id: 0,
        min_id: 0,
    };
    let delivered = async {
        while router.read_now(&to, &history).unwrap().messages.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let patience = 100 * limits::DELIVERY_RETRY;
    tokio::time::timeout(patience, delivered).await.expect("it is delivered");
    writers.stop();
}

/// An engine in which one writer's writes wait while the gate is closed.
#[derive(Default)]
struct Gated {
    memory: Memory,
    /// The writer's thread.
    writer: String,
    is_closed: Mutex<bool>,
    opened: Condvar,
}

impl Gated {
    fn close(&self, is_closed: bool) {
        *self.is_closed.lock().unwrap() = is_closed;
        self.opened.notify_all();
    }
}

impl Engine for Gated {
    fn snapshot(&self) -> Box<dyn Snapshot + '_> {
        self.memory.snapshot()
    }

    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), storage::Error> {
        if std::thread::current().name() == Some(&self.writer) {
            let is_closed = self.is_closed.lock().unwrap();
            drop(self.opened.wait_while(is_closed, |is_closed| *is_closed).unwrap());
        }
        self.memory.write(batch, durability)
    }

    fn sync(&self) -> Result<(), storage::Error> {
        self.memory.sync()
    }
}

/// Makes an account, or does nothing the second time.
async fn create(router: &Router, id: i64) {
    let phone = id.to_string();
    let create = accounts::Create { phone: &phone, first_name: "A", last_name: "" };
    let user = Owner::User(UserId(id));
    router.call(&user, Origin::default(), &create).await.expect("it is made");
}

/// Starts two writers on a clock that stands still, so that nothing is sent a second time; `bob`'s waits at the gate. Returns
/// both people, whom different writers serve.
async fn start_gated() -> (Arc<Gated>, Arc<Clock>, Arc<Router>, Writers, [i64; 2]) {
    let of = |id| writer_of(Partitions::default().of(&Owner::User(UserId(id))), 2);
    let alice = USER_ID_MIN;
    let bob = (alice + 1..).find(|id| of(*id) != of(alice)).expect("half of all are there");
    let engine = Arc::new(Gated { writer: format!("writer-{}", of(bob)), ..Gated::default() });
    let (clock, hub) = (Arc::new(Clock::default()), Arc::new(Hub::default()));
    clock.stop();
    let store = Arc::clone(&engine) as Arc<dyn Engine>;
    let (router, writers) =
        Router::start(store, Arc::clone(&clock), &hub, Partitions::default(), 2).unwrap();
    let router = Arc::new(router);
    create(&router, alice).await;
    create(&router, bob).await;
    engine.close(true);
    (engine, clock, router, writers, [alice, bob])
}

/// Sends `count` messages at once, without waiting for an answer.
fn send_all(router: &Arc<Router>, from: i64, to: i64, count: usize) -> JoinSet<()> {
    let mut all = JoinSet::new();
    for random_id in 1..=count as i64 {
        let router = Arc::clone(router);
        all.spawn(async move {
            let send = mailbox::Send::new(to, random_id, "text");
            let owner = Owner::User(UserId(from));
            router.call(&owner, Origin::default(), &send).await.expect("it is answered");
        });
    }
    all
}

fn queue_of(router: &Router, user: i64) -> &Queue {
    router.queues.of(router.partitions.of(&Owner::User(UserId(user)))).expect("it has a writer")
}

fn history_count(router: &Router, owner: i64, peer: i64) -> usize {
    let history = mailbox::History::new(peer, 0, 0, 0, 1, 0, 0);
    router.read_now(&Owner::User(UserId(owner)), &history).unwrap().count as usize
}

/// `WRITER_DELIVERIES_COUNT`: other writers' deliveries find room in a queue for which more callers wait than it has room for.
#[tokio::test]
async fn deliveries_find_room_where_callers_wait_for_it() {
    let (engine, _clock, router, writers, [alice, bob]) = start_gated().await;
    let own = send_all(&router, bob, bob, WRITER_QUEUE_COUNT + 2 * GROUP_COUNT_MAX);
    while queue_of(&router, bob).room_for_callers() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let sent = send_all(&router, alice, bob, 1);
    while history_count(&router, alice, bob) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    engine.close(false);
    let patience = 100 * limits::DELIVERY_RETRY;
    tokio::time::timeout(patience, sent.join_all()).await.expect("it is delivered");
    assert_eq!(history_count(&router, bob, alice), 1);
    own.join_all().await;
    writers.stop();
}

/// `DELIVERIES_IN_FLIGHT_MAX`: what found no room goes on its way as soon as what went before was applied, not when it is time
/// to send again.
#[tokio::test]
async fn deliveries_go_on_when_those_before_were_applied() {
    let (engine, _clock, router, writers, [alice, bob]) = start_gated().await;
    let count = 4 * DELIVERIES_IN_FLIGHT_MAX;
    let sent = send_all(&router, alice, bob, count);
    while history_count(&router, alice, bob) < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(history_count(&router, bob, alice), 0);
    let room = queue_of(&router, bob).room_for_writers();
    assert!(room >= limits::WRITER_DELIVERIES_COUNT - DELIVERIES_IN_FLIGHT_MAX, "{room}");
    engine.close(false);
    let patience = 100 * limits::DELIVERY_RETRY;
    tokio::time::timeout(patience, sent.join_all()).await.expect("each is delivered");
    assert_eq!(history_count(&router, bob, alice), count);
    writers.stop();
}

/// `ANSWER_HELD_MAX`: an answer waits so long for its deliveries to be applied, and then for nothing more. The clock moves by hand.
#[tokio::test]
async fn answers_are_held_for_a_moment() {
    let user = |id| Owner::User(UserId(id));
    let (engine, clock, router, writers, [alice, bob]) = start_gated().await;
    let sent = tokio::spawn({
        let router = Arc::clone(&router);
        async move {
            let send = mailbox::Send::new(bob, 7, "late");
            router.call(&user(alice), Origin::default(), &send).await
        }
    });
    tokio::task::yield_now().await;
    let least = Duration::from_nanos(1);
    for passed in [Duration::ZERO, ANSWER_HELD_MAX - least] {
        clock.advance(passed);
        // Whoever waits for nothing is answered, and later than the other would be.
        create(&router, alice).await;
        create(&router, alice).await;
        tokio::task::yield_now().await;
        assert!(!sent.is_finished(), "{passed:?}");
    }
    clock.advance(least);
    let patience = 100 * limits::DELIVERY_RETRY;
    let sent = tokio::time::timeout(patience, sent).await.expect("it is answered");
    sent.unwrap().expect("it is durable");
    let history = mailbox::History::new(alice, 0, 0, 0, 1, 0, 0);
    let arrived = || router.read_now(&user(bob), &history).unwrap().count;
    assert_eq!(arrived(), 0);
    engine.close(false);
    while arrived() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    writers.stop();
}

/// `DIRECT_COUNT_MAX`: up to so many deliveries are applied by the write that makes them, further ones by the next.
#[tokio::test]
async fn so_many_deliveries_are_applied_at_once() {
    let most = DIRECT_COUNT_MAX / FORWARD_COUNT_MAX;
    for (count, writes) in [(most, 1), (most + 1, 2)] {
        let engine = Gated { writer: "writer-0".to_owned(), ..Gated::default() };
        let engine = Arc::new(engine);
        let (clock, hub) = (Arc::new(Clock::default()), Arc::new(Hub::default()));
        clock.stop();
        let store = Arc::clone(&engine) as Arc<dyn Engine>;
        let partitions = Partitions::new(2).unwrap();
        let (router, writers) = Router::start(store, clock, &hub, partitions, 1).unwrap();
        let router = Arc::new(router);
        let of = |id| partitions.of(&Owner::User(UserId(id)));
        let alice = USER_ID_MIN;
        let bob = (alice + 1..).find(|id| of(*id) != of(alice)).expect("half of all are there");
        let user = |id| Owner::User(UserId(id));
        create(&router, alice).await;
        create(&router, bob).await;
        let mut ids = Vec::new();
        for random_id in 1..=FORWARD_COUNT_MAX as i64 {
            let note = mailbox::Send::new(alice, random_id, "note");
            let sent = router.call(&user(alice), Origin::default(), &note).await.unwrap();
            ids.push(sent.message.id);
        }
        // Something is being written, and all the others come meanwhile.
        let before = engine.memory.writes() + 1;
        engine.close(true);
        let mut all = JoinSet::new();
        let ids = Arc::new(ids);
        for number in 0..=count as i64 {
            let (calls, ids) = (Arc::clone(&router), Arc::clone(&ids));
            all.spawn(async move {
                let note = mailbox::Send::new(alice, -1, "the first write");
                let first = number * 1000 + 1000;
                let random_ids = (first..).take(FORWARD_COUNT_MAX).collect();
                let forward = mailbox::Forward::new(alice, Vec::clone(&ids), random_ids, bob);
                let (owner, origin) = (Owner::User(UserId(alice)), Origin::default());
                match number {
                    0 => calls.call(&owner, origin, &note).await.map(drop),
                    _ => calls.call(&owner, origin, &forward).await.map(drop),
                }
            });
            tokio::task::yield_now().await;
            if number == 0 {
                // Until the writer has it: what comes from now on is one group.
                while router.queues.0[0].room_for_callers() < WRITER_QUEUE_COUNT {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
        engine.close(false);
        while let Some(done) = all.join_next().await {
            done.unwrap().expect("it is durable");
        }
        assert_eq!(engine.memory.writes() - before, writes, "{count} times {FORWARD_COUNT_MAX}");
        let history = mailbox::History::new(alice, 0, 0, 0, 1, 0, 0);
        let arrived = router.read_now(&user(bob), &history).unwrap().count as usize;
        assert_eq!(arrived, count * FORWARD_COUNT_MAX);
        writers.stop();
    }
}
