//! All backends against the portable one; the known answers are in `tests/vectors.rs`.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::*;

/// Every backend that this processor can run.
fn backends() -> Vec<Backend> {
    let mut backends = vec![Backend::Portable];
    #[cfg(target_arch = "x86_64")]
    {
        backends.extend(ni::AesNi::detect().map(Backend::AesNi));
        backends.extend(ni::Vaes512::detect().map(Backend::Vaes512));
    }
    backends
}

fn random<const LEN: usize>(rng: &mut ChaCha8Rng) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Streams of `lens` blocks, all with keys, IVs and contents of their own.
fn streams(seed: u64, lens: &[usize]) -> Vec<(Vec<u8>, [u8; 32], [u8; 32])> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let stream = |len: &usize| {
        let mut data = vec![0; len * BLOCK_LEN];
        rng.fill_bytes(&mut data);
        (data, random(&mut rng), random(&mut rng))
    };
    lens.iter().map(stream).collect()
}

/// Both directions, alone and interleaved, on every backend: the portable one's answer, and back again.
#[track_caller]
fn check(seed: u64, lens: &[usize]) {
    let plain = streams(seed, lens);
    let mut sealed = plain.clone();
    for (data, key, iv) in &mut sealed {
        portable::one(Direction::Encrypt, blocks(data).unwrap(), key, iv);
    }
    for backend in backends() {
        for (direction, from, to) in
            [(Direction::Encrypt, &plain, &sealed), (Direction::Decrypt, &sealed, &plain)]
        {
            let mut one = from.clone();
            for (data, key, iv) in &mut one {
                one_with(backend, direction, blocks(data).unwrap(), key, iv);
            }
            assert!(one == *to, "{backend:?} {direction:?} one by one, seed {seed}, {lens:?}");

            let mut together = from.clone();
            let mut streams = together.iter_mut().map(|(data, key, iv)| {
                Stream::new(data, AesKey::new(*key), AesIv::new(*iv)).unwrap()
            });
            many(backend, direction, &mut streams);
            assert!(together == *to, "{backend:?} {direction:?} together, seed {seed}, {lens:?}");
        }
    }
}

#[test]
fn backends_agree() {
    check(1, &[]);
    check(2, &[0]);
    check(3, &[1]);
    check(4, &[1, 1]);
    check(5, &[0, 5, 0]);
    check(6, &[7; 8]);
    check(7, &[7; 16]);
    check(8, &[7; 17]);
    check(9, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    check(10, &[200, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn backends_agree_at_random() {
    for seed in 100..200 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let count = rng.next_u32() % 40;
        let lens: Vec<_> = (0..count).map(|_| (rng.next_u32() % 20) as usize).collect();
        check(seed, &lens);
    }
}

#[test]
fn decrypting_and_hashing_together() {
    for len in (0..70).chain([1000]) {
        for (mut data, key, iv) in streams(len as u64, &[len]) {
            let mut expected = data.clone();
            portable::one(Direction::Decrypt, blocks(&mut expected).unwrap(), &key, &iv);
            let hash = decrypt_hashing(&mut data, &key, &iv, &[7; 32]);
            assert!(data == expected, "{len} blocks");
            assert_eq!(hash, Ok(sha::sha256(&[&[7; 32], &expected])), "{len} blocks");
        }
    }
    assert_eq!(
        decrypt_hashing(&mut [0; 17], &[0; 32], &[0; 32], &[0; 32]),
        Err(NotBlocks { len: 17 })
    );
}

#[test]
fn only_whole_blocks() {
    for len in [1, 15, 17, 31] {
        let mut buf = vec![7; len];
        assert_eq!(encrypt(&mut buf, &[0; 32], &[0; 32]), Err(NotBlocks { len }));
        assert_eq!(decrypt(&mut buf, &[0; 32], &[0; 32]), Err(NotBlocks { len }));
        assert!(Stream::new(&mut buf, AesKey::new([0; 32]), AesIv::new([0; 32])).is_err());
        assert_eq!(buf, vec![7; len]);
    }
    assert_eq!(encrypt(&mut [], &[0; 32], &[0; 32]), Ok(()));
}

#[test]
fn the_backend_has_a_name() {
    assert!(["vaes-512", "aes-ni", "portable"].contains(&backend()));
}
