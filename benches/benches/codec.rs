//! Reading requests and writing answers of the API.
//!
//! What to expect: a request of a few dozen bytes is some loads and comparisons: a hundred nanoseconds, a vector
//! of entities included. A page of a history is gone over twice (once to count) and copied once in small pieces: a gigabyte a
//! second; an older layer costs the same.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tl::api::{enums, functions, types};
use tl::{Decode as _, Encode as _, Layer};

/// How many messages clients ask for at once.
const PAGE_COUNT: i32 = 100;

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec/decode");
    let peer = types::InputPeerUser::new(42, -1);
    let reply = types::InputReplyToMessage::new(7);
    let entities = vec![
        types::MessageEntityBold::new(0, 5).into(),
        types::MessageEntityUrl::new(6, 20).into(),
    ];
    let request = functions::messages::SendMessage {
        reply_to: Some(reply.into()),
        entities: Some(entities),
        ..functions::messages::SendMessage::new(
            peer.into(),
            "hello https://example.org and a few words more",
            -7,
        )
    };
    let request = request.to_vec(Layer::NEWEST);
    // The same in the shape of layer 158, whose reply is a number.
    let old = {
        let mut old = vec![0x87, 0x03, 0xc2, 0x1c, 0x01, 0, 0, 0];
        old.extend(enums::InputPeer::InputPeerSelf.to_vec(Layer::NEWEST));
        old.extend(7_i32.to_le_bytes());
        old.extend("hello from afar".to_vec(Layer::NEWEST));
        old.extend((-7_i64).to_le_bytes());
        old
    };
    for (name, request) in [("sendMessage", &request), ("sendMessage of layer 158", &old)] {
        functions::messages::SendMessage::from_bytes(request).expect("it is one");
        group.throughput(Throughput::Bytes(request.len() as u64));
        group.bench_function(name, |bencher| {
            bencher
                .iter(|| functions::messages::SendMessage::from_bytes(black_box(request)).is_ok());
        });
    }
    group.finish();
}

fn message(id: i32) -> enums::Message<'static> {
    let peer = || types::PeerUser::new(42).into();
    let entities = (id % 4 == 0).then(|| vec![types::MessageEntityBold::new(0, 4).into()]);
    let reply = types::MessageReplyHeader {
        reply_to_msg_id: Some(id - 1),
        ..types::MessageReplyHeader::new()
    };
    types::Message {
        out: id % 2 == 0,
        from_id: Some(peer()),
        reply_to: (id % 8 == 0).then_some(reply),
        entities,
        ..types::Message::new(
            id,
            peer(),
            1_700_000_000 + id,
            "some words that somebody wrote to somebody else",
        )
    }
    .into()
}

/// `messages.getHistory`: a page of messages and the two users in it.
fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec/encode");
    let user = |id| types::User {
        first_name: Some("Ada"),
        last_name: Some("Lovelace"),
        username: Some("ada"),
        access_hash: Some(id),
        ..types::User::new(id)
    };
    let page = types::messages::MessagesSlice::new(
        1000,
        (0..PAGE_COUNT).map(message).collect(),
        Vec::new(),
        Vec::new(),
        vec![user(41).into(), user(42).into()],
    );
    let page = enums::messages::Messages::from(page);
    for layer in [Layer::NEWEST, Layer(158)] {
        group.throughput(Throughput::Bytes(page.encoded_len(layer) as u64));
        group.bench_function(format!("history of {PAGE_COUNT}, layer {}", layer.0), |bencher| {
            bencher.iter(|| black_box(&page).to_vec(layer));
        });
    }
    group.finish();
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
