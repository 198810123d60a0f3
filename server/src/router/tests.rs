//! More than all queues hold, and what a start has to make up for.

use std::time::Duration;

use services::limits::USER_ID_MIN;
use storage::{Fault, Memory, UserId};
use tl::operations::functions::{accounts, mailbox};
use tokio::task::JoinSet;

use super::*;
use crate::limits::{
    ANSWERS_HELD_COUNT_MAX, DELIVERIES_IN_FLIGHT_MAX, GROUP_COUNT_MAX, WRITER_QUEUE_COUNT,
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
