//! What sealing and opening cost by themselves, beside `grammers-crypto`: on the generator's core, without any socket.
//!
//! Both sides draw their padding, write it and the header, and encrypt. grammers seals one message after the other, since
//! that is what it offers; ours seals sixteen in a pass, as the server does when several are ready.

use std::hint::black_box;
use std::time::Duration;

use crypto::envelope::{HEADER_LEN, Job};
use crypto::{AesIv, AesKey, AuthKey, Side, aes_ige, envelope};
use grammers_crypto::{DequeBuffer, encrypt_data_v2};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::clock;

/// How long each thing is repeated.
const SPAN: Duration = Duration::from_millis(400);
/// Messages in a pass.
const MANY: usize = 16;
/// File parts in a pass.
const PART_COUNT: usize = 8;
/// A file part, as large as parts get.
const PART_LEN: usize = 512 * 1024;

/// Time for one of each, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    /// A sealed message of 100 B among sixteen.
    pub(crate) seal_100_ns: f64,
    pub(crate) grammers_seal_100_ns: f64,
    /// Of 1,000 B.
    pub(crate) seal_1000_ns: f64,
    pub(crate) grammers_seal_1000_ns: f64,
    /// IGE of a file part, among eight.
    pub(crate) ige_part_ns: f64,
    pub(crate) grammers_ige_part_ns: f64,
    /// A file part sealed whole, one alone: key derivation, hash, IGE.
    pub(crate) seal_part_ns: f64,
    /// The same opened.
    pub(crate) open_part_ns: f64,
}

/// The best of many short rounds: what else the machine does only ever adds.
fn time(per_call: usize, mut call: impl FnMut()) -> f64 {
    let begun = clock::instant();
    let mut best = f64::INFINITY;
    while clock::instant() - begun < SPAN {
        let round = clock::instant();
        let mut calls = 0;
        while calls < 4 || clock::instant() - round < Duration::from_millis(4) {
            call();
            calls += 1;
        }
        let took = (clock::instant() - round).as_nanos() as f64;
        best = best.min(took / f64::from(calls) / per_call as f64);
    }
    best
}

fn random<const LEN: usize>(rng: &mut ChaCha8Rng) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Buffers at different page offsets: equal ones would collide in the cache and measure that.
fn buffers(count: usize, len: usize) -> Vec<(Vec<u8>, usize)> {
    (0..count).map(|i| (vec![0x5a; len + 4096], i * 208 % 4096 / 16 * 16)).collect()
}

/// Measures all.
pub(crate) fn measure() -> Costs {
    Costs {
        seal_100_ns: seal_many(100),
        grammers_seal_100_ns: grammers_seal(100),
        seal_1000_ns: seal_many(1000),
        grammers_seal_1000_ns: grammers_seal(1000),
        ige_part_ns: ige_many(),
        grammers_ige_part_ns: grammers_ige(),
        seal_part_ns: part(true),
        open_part_ns: part(false),
    }
}

fn seal_many(body_len: usize) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let key = AuthKey::new(random(&mut rng));
    let plain_len = 32 + body_len;
    let len = HEADER_LEN + (plain_len + 12).next_multiple_of(16);
    let mut buffers = buffers(MANY, len);
    time(MANY, || {
        let packets = buffers.iter_mut().map(|(buffer, at)| &mut buffer[*at..][..len]);
        let mut jobs: Vec<_> = packets
            .map(|packet| {
                rng.fill_bytes(&mut packet[HEADER_LEN + plain_len..]);
                Job::new(&key, Side::Server, packet)
            })
            .collect();
        envelope::seal_many(&mut jobs);
        black_box(&jobs);
    })
}

fn grammers_seal(body_len: usize) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let key = grammers_crypto::AuthKey::from_bytes(random(&mut rng));
    let body = vec![0x5a; 32 + body_len];
    let mut buffer = DequeBuffer::with_capacity(body.len() + 64, 64);
    // Filling the buffer is no part of sealing.
    let fill = time(1, || {
        buffer.clear();
        buffer.extend(body.iter().copied());
        black_box(&buffer[..]);
    });
    let both = time(1, || {
        buffer.clear();
        buffer.extend(body.iter().copied());
        encrypt_data_v2(&mut buffer, &key);
        black_box(&buffer[..]);
    });
    both - fill
}

fn ige_many() -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (key, iv) = (random(&mut rng), random(&mut rng));
    let mut buffers = buffers(PART_COUNT, PART_LEN);
    time(PART_COUNT, || {
        aes_ige::encrypt_many(buffers.iter_mut().filter_map(|(buffer, at)| {
            let data = &mut buffer[*at..][..PART_LEN];
            aes_ige::Stream::new(data, AesKey::new(key), AesIv::new(iv)).ok()
        }));
    })
}

fn grammers_ige() -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (key, iv) = (random(&mut rng), random(&mut rng));
    let mut buffer = vec![0x5a; PART_LEN];
    time(1, || grammers_crypto::aes::ige_encrypt(&mut buffer, &key, &iv))
}

/// What a part costs to seal, or to open, alone, in nanoseconds: what one connection that carries a file needs.
pub(crate) fn part(seal: bool) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let key = AuthKey::new(random(&mut rng));
    let len = HEADER_LEN + (32 + PART_LEN + 12_usize).next_multiple_of(16);
    let mut sealed = vec![0x5a; len];
    envelope::seal(&key, Side::Client, &mut sealed).expect("its length is right");
    let mut packet = sealed.clone();
    let side = Side::Client;
    let copy = time(1, || packet.copy_from_slice(black_box(&sealed)));
    let both = time(1, || {
        packet.copy_from_slice(&sealed);
        let done = if seal {
            envelope::seal(&key, side, &mut packet)
        } else {
            envelope::open(&key, side, &mut packet)
        };
        black_box(done).expect("its length is right");
    });
    both - copy
}
