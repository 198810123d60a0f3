//! Messages from one user to another, without clocks or randomness, for `scripts/counts` to count what one costs.
//!
//! `message COUNT store`: sent, received and committed in one round on the memory engine. `message COUNT seal`: sealed by the one
//! side and opened by the other, 16 at a time.

use std::process::ExitCode;

use bytes::BytesMut;
use crypto::{AuthKey, Side};
use mtproto::{
    Buffer,
    envelope::{self, OpenJob, PADDING_RANDOM_LEN, SealJob},
};
use services::{Origin, UnixTime, partition};
use storage::{Engine as _, Memory, Outbox, Owner, Partitions, RECORD_LAYER, Round, UserId};
use tl::{Encode as _, operations::functions::mailbox};

const NOW: UnixTime = UnixTime(1_700_000_000);
/// How many are sealed together.
const TOGETHER: usize = 16;
/// A text of 100 bytes.
const TEXT: &str = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().and_then(|count| count.parse().ok());
    match (count, arguments.next().as_deref()) {
        (Some(count), Some("store")) => store(count),
        (Some(count), Some("seal")) => seal(count),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

fn store(count: i64) {
    let (engine, partitions) = (Memory::new(), Partitions::default());
    let load = |id| Outbox::load(&*engine.snapshot(), id, partitions).expect("it is empty");
    let mut outboxes: Vec<_> = partitions.iter().map(load).collect();
    let sender = Owner::User(UserId(1));
    for random_id in 1..=count {
        let send = mailbox::Send::new(2, random_id, TEXT).to_vec(RECORD_LAYER);
        let snapshot = engine.snapshot();
        let mut round = Round::begin(&*snapshot, &mut outboxes);
        let group = round.group(partitions.of(&sender)).expect("it is read").expect("it is here");
        partition::write(group, &sender, NOW, Origin::default(), &send).expect("it is sent");
        round.settle(1, |group, delivery| partition::receive(group, NOW, delivery));
        assert_eq!(round.commit(&engine).expect("it is written").len(), 2);
    }
}

fn seal(count: i64) {
    let key = AuthKey::new([7; 256]);
    for _ in 0..count / TOGETHER as i64 {
        let body = || Buffer::from_body(&[1; 32 + TEXT.len()]);
        let mut packets: Vec<_> = (0..TOGETHER).map(|_| body()).collect();
        let mut jobs: Vec<_> = packets
            .iter_mut()
            .map(|packet| SealJob { key: &key, packet, random: [3; PADDING_RANDOM_LEN] })
            .collect();
        envelope::seal_many(Side::Client, &mut jobs).expect("it is sealed");
        let jobs = packets.into_iter().map(Buffer::into_bytes);
        let jobs = jobs.map(|packet: BytesMut| OpenJob { key: &key, packet }).collect();
        // The header is made up, so that none is a message; every block of it was decrypted and hashed all the same.
        assert_eq!(envelope::open_many(Side::Client, jobs).len(), TOGETHER);
    }
}
