//! Ciphers, whole messages, and the handshake's big numbers.
//!
//! What to expect, from a sketch: one IGE stream is bound by the latency of AES, 14 rounds of 4 cycles for 16 bytes
//! (3.5 cycles a byte, 1.03 GB/s at 3.6 GHz); `ige/aes crate` is the same mode over the `aes` crate on the same
//! machine, for a ratio. Sealing a message of 100 bytes is some 6 blocks of SHA-256, a key schedule and 9 blocks of
//! AES. A power with a 320-bit exponent is a sixth of a full one.

use std::hint::black_box;

use aes::cipher::{
    Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser,
    KeyInit, consts::U16,
};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use crypto::{
    AesIv, AesKey, AuthKey, Side, aes_ctr, aes_ige,
    dh::DhSecret,
    envelope::{self, HEADER_LEN, Job},
    pq, rsa, srp,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// One file part, as large as parts get.
const PART_LEN: usize = 512 * 1024;

/// Many messages in one call.
const MANY: usize = 16;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn random<const LEN: usize>(rng: &mut ChaCha8Rng) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Buffers at different page offsets: equal ones would collide in the cache and measure that.
fn buffers(count: usize, len: usize) -> Vec<(Vec<u8>, usize)> {
    let buffer = |i: usize| (vec![0x5a; len + 4096], i * 208 % 4096 / 16 * 16);
    (0..count).map(buffer).collect()
}

fn ige(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("ige/{}", aes_ige::backend()));
    let (key, iv) = (random(&mut rng()), [7; 32]);
    for len in [1024, PART_LEN] {
        let mut buf = vec![0x5a; len];
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::new("encrypt", len), |bencher| {
            bencher.iter(|| aes_ige::encrypt(&mut buf, &key, &iv));
        });
        group.bench_function(BenchmarkId::new("decrypt", len), |bencher| {
            bencher.iter(|| aes_ige::decrypt(&mut buf, &key, &iv));
        });
        group.bench_function(BenchmarkId::new("aes crate encrypt", len), |bencher| {
            let cipher = aes::Aes256Enc::new(&key.into());
            bencher.iter(|| cipher.encrypt_with_backend(Ige { buf: &mut buf, iv: &iv }));
        });

        for count in [8, MANY] {
            let mut buffers = buffers(count, len);
            group.throughput(Throughput::Bytes((len * count) as u64));
            group.bench_function(BenchmarkId::new(format!("encrypt x{count}"), len), |bencher| {
                bencher.iter(|| {
                    aes_ige::encrypt_many(buffers.iter_mut().filter_map(|(buf, at)| {
                        let data = &mut buf[*at..][..len];
                        aes_ige::Stream::new(data, AesKey::new(key), AesIv::new(iv)).ok()
                    }));
                });
            });
        }
    }
}

/// IGE over the `aes` crate, within its backend: the best that crate allows for one stream.
struct Ige<'a> {
    buf: &'a mut [u8],
    iv: &'a [u8; 32],
}

impl BlockSizeUser for Ige<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Ige<'_> {
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let (iv1, iv2) = self.iv.split_at(16);
        let as_number = |bytes: &[u8]| u128::from_le_bytes(bytes.try_into().expect("16 bytes"));
        let (mut before, mut after) = (as_number(iv1), as_number(iv2));
        for block in self.buf.as_chunks_mut::<16>().0 {
            let input = u128::from_le_bytes(*block);
            let mut state: Array<u8, U16> = (input ^ before).to_le_bytes().into();
            backend.encrypt_block((&mut state).into());
            before = u128::from_le_bytes(state.into()) ^ after;
            after = input;
            *block = before.to_le_bytes();
        }
    }
}

fn ctr(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ctr");
    for len in [100, PART_LEN] {
        let (mut ctr, mut buf) = (aes_ctr::Ctr::new(&[1; 32], &[2; 16]), vec![0; len]);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::new("apply", len), |bencher| {
            bencher.iter(|| ctr.apply(&mut buf));
        });
    }
}

/// Whole messages: header, body of so many bytes, padding, in a buffer of their own.
fn messages(criterion: &mut Criterion) {
    let key = AuthKey::new(random(&mut rng()));
    for body_len in [100, 1000] {
        // Salt, session, id, number, length; at least 12 bytes of padding.
        let len = HEADER_LEN + (32 + body_len + 12_usize).next_multiple_of(16);
        let mut group = criterion.benchmark_group(format!("message/{body_len} B"));
        group.throughput(Throughput::Elements(1));
        let mut packet = vec![0x5a; len];
        group.bench_function("seal x1", |bencher| {
            bencher.iter(|| envelope::seal(&key, Side::Server, &mut packet));
        });
        let mut sealed = vec![0x5a; len];
        envelope::seal(&key, Side::Server, &mut sealed).expect("whole blocks");
        group.bench_function("open x1", |bencher| {
            bencher.iter_batched_ref(
                || sealed.clone(),
                |packet| envelope::open(&key, Side::Server, packet),
                BatchSize::SmallInput,
            );
        });

        group.throughput(Throughput::Elements(MANY as u64));
        let mut packets = vec![vec![0x5a; len]; MANY];
        group.bench_function(format!("seal x{MANY}"), |bencher| {
            bencher.iter(|| {
                let mut jobs = jobs(&key, &mut packets);
                envelope::seal_many(&mut jobs);
                black_box(jobs.len())
            });
        });
        group.bench_function(format!("seal x{MANY} one by one"), |bencher| {
            bencher.iter(|| {
                packets.iter_mut().for_each(|packet| {
                    black_box(envelope::seal(&key, Side::Server, packet).is_ok());
                });
            });
        });
        let sealed = vec![sealed; MANY];
        group.bench_function(format!("open x{MANY}"), |bencher| {
            bencher.iter_batched_ref(
                || sealed.clone(),
                |packets| {
                    let mut jobs = jobs(&key, packets);
                    envelope::open_many(&mut jobs);
                    black_box(jobs.len())
                },
                BatchSize::SmallInput,
            );
        });
    }
}

fn jobs<'a>(key: &'a AuthKey, packets: &'a mut [Vec<u8>]) -> Vec<Job<'a>> {
    packets.iter_mut().map(|packet| Job::new(key, Side::Server, packet)).collect()
}

fn handshake(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("handshake");
    let mut rng = rng();
    let full = DhSecret::full(random(&mut rng));
    let (short, public) = DhSecret::generate(&mut rng);
    group.bench_function("power, 2048-bit exponent", |bencher| {
        bencher.iter(|| full.shared(&public));
    });
    group.bench_function("power, 320-bit exponent", |bencher| {
        bencher.iter(|| short.shared(&public));
    });
    let key = rsa::PrivateKey::generate(&mut rng).expect("a key can be drawn");
    let block = key.public().encrypt_pad(&[7; 96], &mut rng).expect("96 bytes fit");
    group.bench_function("rsa private", |bencher| bencher.iter(|| key.decrypt_raw(&block)));
    group.bench_function("rsa public", |bencher| bencher.iter(|| key.public().encrypt_raw(&block)));
    group.bench_function("pq generate", |bencher| bencher.iter(|| pq::Pq::generate(&mut rng)));
    let product = pq::Pq::generate(&mut ChaCha8Rng::seed_from_u64(2)).product();
    group.bench_function("pq factorize", |bencher| bencher.iter(|| pq::factorize(product)));
    let verifier = srp::Verifier::from_password_hash(&[7; 32]);
    group.bench_function("srp challenge", |bencher| {
        bencher.iter(|| srp::Challenge::new(&verifier, [0xb7; 256]));
    });
}

criterion_group!(benches, ige, ctr, messages, handshake);
criterion_main!(benches);
