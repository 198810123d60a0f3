//! More than all queues hold.

use services::limits::USER_ID_MIN;
use storage::{Memory, UserId};
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
