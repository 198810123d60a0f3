//! What a message costs in rows, which is what it costs the engine.

#[path = "common/media.rs"]
mod media;

use media::{Bytes, KIB, attached, media_of, own, photo_file};
use services::{Origin, UnixTime, partition};
use storage::{
    Delivery, Engine, FileId, Group, Memory, Outbox, Owner, PartitionId, Partitions, RECORD_LAYER,
    UserId,
};
use tl::Encode;
use tl::operations::functions::{files, mailbox, uploads};

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

/// Executes an operation of `owner`. Answers how many rows it wrote, and what it delivers.
fn write(
    engine: &Memory,
    outbox: &mut Outbox,
    owner: i64,
    operation: &impl Encode,
) -> (usize, Vec<Delivery>) {
    let snapshot = engine.snapshot();
    let mut group = Group::begin(&*snapshot, outbox).unwrap();
    let owner = Owner::User(UserId(owner));
    let operation = operation.to_vec(RECORD_LAYER);
    partition::write(&mut group, &owner, NOW, Origin::default(), &operation).unwrap();
    let rows = group.row_count();
    (rows, group.commit(engine).unwrap().deliveries)
}

/// Rows that a part costs, a file made of parts, and a message with that file; each again, as users do.
#[test]
fn photo_from_its_upload_to_a_message() {
    let partitions = Partitions::default();
    let [(alice, from), (bob, _)] = two_users(partitions);
    // A file in a partition of its own, so that each delivery counts.
    let of = |file| partitions.of(&Owner::File(FileId(file)));
    let file_id = (1..).find(|file| of(*file) != from).unwrap();
    let engine = Memory::new();
    let load = |id| Outbox::load(&*engine.snapshot(), id, partitions).unwrap();
    let (mut sender, mut holder) = (load(from), load(of(file_id)));

    let bytes = Bytes::new(&[KIB, KIB, KIB], 1);
    write(&engine, &mut sender, alice, &uploads::Open::new(7, 1000, 100));
    let parts = (0..3).map(|part| {
        let hash = bytes.hash(part);
        write(&engine, &mut sender, alice, &bytes.store(7, 1000, part, &hash)).0
    });
    // The part, its upload, what is under way.
    assert_eq!(parts.collect::<Vec<_>>(), [3, 3, 3]);
    let file = photo_file(file_id, &bytes);
    let make = files::Make::new(file.clone(), vec![bytes.part(7)], 100);
    let (rows, made) = write(&engine, &mut sender, alice, &make);
    // Three parts go; the upload, what is under way, the file, when it goes; to the file and to the blob.
    assert_eq!((rows, made.len()), (9, 2));

    let media = attached(media_of(&file, None));
    let mut counts = Vec::new();
    let mut first = made;
    for random_id in 1..=3 {
        let send = mailbox::Send {
            media: Some(&media),
            source: Some(own(file_id)),
            ..mailbox::Send::new(bob, random_id, "")
        };
        let (sent, deliveries) = write(&engine, &mut sender, alice, &send);
        let holds = first.drain(..).chain(deliveries);
        let snapshot = engine.snapshot();
        let mut group = Group::begin(&*snapshot, &mut holder).unwrap();
        for delivery in holds.filter(|delivery| delivery.to == of(file_id)) {
            partition::receive(&mut group, NOW, &delivery);
        }
        counts.push((sent, group.row_count()));
        group.commit(&engine).unwrap();
    }
    // As without a file, and a delivery to it. There: a count for each side, the number of the last delivery; at first the
    // file itself.
    assert_eq!(counts, [(6, 4), (5, 3), (5, 3)]);
}
