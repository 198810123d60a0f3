//! What a message costs in rows, which is what it costs the engine.

use services::{Origin, UnixTime, partition};
use storage::{
    Engine, Group, Memory, Outbox, Owner, PartitionId, Partitions, RECORD_LAYER, UserId,
};
use tl::Encode;
use tl::operations::functions::mailbox;

const NOW: UnixTime = UnixTime(1_700_000_000);

/// Two users in different partitions.
fn two_users(partitions: Partitions) -> [(i64, PartitionId); 2] {
    let of = |user| partitions.of(&Owner::User(UserId(user)));
    let other = (2..).find(|user| of(*user) != of(1)).unwrap();
    [(1, of(1)), (other, of(other))]
}

/// Rows that one more message writes in both partitions, by how many were sent before.
#[test]
fn message_in_a_chat_that_exists() {
    let partitions = Partitions::default();
    let [(alice, from), (bob, to)] = two_users(partitions);
    let engine = Memory::new();
    let load = |id| Outbox::load(&*engine.snapshot(), id, partitions).unwrap();
    let (mut sender, mut receiver) = (load(from), load(to));
    let mut counts = Vec::new();
    for random_id in 1..=3 {
        let send = mailbox::Send::new(bob, random_id, "hello").to_vec(RECORD_LAYER);
        let snapshot = engine.snapshot();
        let mut group = Group::begin(&*snapshot, &mut sender).unwrap();
        let owner = Owner::User(UserId(alice));
        partition::write(&mut group, &owner, NOW, Origin::default(), &send).unwrap();
        let sent_rows = group.row_count();
        let committed = group.commit(&engine).unwrap();
        drop(snapshot);

        let snapshot = engine.snapshot();
        let mut group = Group::begin(&*snapshot, &mut receiver).unwrap();
        partition::receive(&mut group, NOW, &committed.deliveries[0]);
        counts.push((sent_rows, group.row_count()));
        group.commit(&engine).unwrap();
    }
    // Message, event, random id, delivery; message, event, number of the last delivery (one for all of a group). The first of
    // a chat writes the chat's row as well.
    assert_eq!(counts, [(5, 4), (4, 3), (4, 3)]);
}
