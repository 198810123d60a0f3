//! Round trips and tampering; the known answers are in `tests/vectors.rs`.

use super::*;
use crate::kdf::tmp_aes;

fn key() -> AuthKey {
    AuthKey::new(std::array::from_fn(|i| u8::try_from(i).unwrap()))
}

/// A packet with `blocks` blocks of plaintext.
fn packet(blocks: usize) -> Vec<u8> {
    let mut packet = vec![0; HEADER_LEN + blocks * BLOCK_LEN];
    packet[HEADER_LEN..].iter_mut().enumerate().for_each(|(i, byte)| *byte = (i * 7 % 251) as u8);
    packet
}

fn sealed(sender: Side, blocks: usize) -> (Vec<u8>, u32) {
    let mut packet = packet(blocks);
    let token = seal(&key(), sender, &mut packet).unwrap();
    (packet, token)
}

#[test]
fn round_trip() {
    for sender in [Side::Client, Side::Server] {
        for blocks in [1, 2, 3, 8, 65] {
            let (mut bytes, token) = sealed(sender, blocks);
            assert_ne!(bytes[HEADER_LEN..], packet(blocks)[HEADER_LEN..]);
            assert_eq!(open(&key(), sender, &mut bytes), Ok(token));
            assert_eq!(bytes[HEADER_LEN..], packet(blocks)[HEADER_LEN..]);
        }
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (bytes, _) = sealed(Side::Client, 3);
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let expected = if bit < 64 { Error::WrongKey } else { Error::WrongMsgKey };
        assert_eq!(open(&key(), Side::Client, &mut bytes), Err(expected), "bit {bit}");
        if bit >= 64 {
            assert_eq!(bytes[HEADER_LEN..], [0; 48], "bit {bit} left unauthentic bytes");
        }
    }
}

/// A message of one side is none of the other: it cannot be sent back.
#[test]
fn reflection_is_noticed() {
    let (mut bytes, _) = sealed(Side::Client, 3);
    assert_eq!(open(&key(), Side::Server, &mut bytes), Err(Error::WrongMsgKey));
}

#[test]
fn lengths() {
    for len in (0..HEADER_LEN + 64).filter(|len| *len <= HEADER_LEN || len % 16 != 8) {
        let mut bytes = vec![0; len];
        assert_eq!(seal(&key(), Side::Client, &mut bytes), Err(Error::BadLength { len }));
        assert_eq!(open(&key(), Side::Client, &mut bytes), Err(Error::BadLength { len }));
    }
}

/// Many at once give what each alone gives, whatever else is among them.
#[test]
fn many_are_as_one() {
    let keys: Vec<AuthKey> = (0..40).map(|i| AuthKey::new([i; 256])).collect();
    let sizes = [1, 3, 9, 2, 200, 1, 64, 5];
    let mut packets: Vec<Vec<u8>> = (0..40).map(|i| packet(sizes[i % sizes.len()])).collect();
    packets[7].pop();
    packets[23].clear();
    let plain = packets.clone();
    let side = |i: usize| if i.is_multiple_of(3) { Side::Client } else { Side::Server };

    let mut one_by_one = packets.clone();
    let expected: Vec<_> =
        one_by_one.iter_mut().enumerate().map(|(i, p)| seal(&keys[i], side(i), p)).collect();
    let run = |packets: &mut [Vec<u8>], many: fn(&mut [Job<'_>])| -> Vec<_> {
        let jobs = packets.iter_mut().enumerate();
        let mut jobs: Vec<_> = jobs.map(|(i, p)| Job::new(&keys[i], side(i), p)).collect();
        many(&mut jobs);
        jobs.iter().map(|job| job.result).collect()
    };
    assert_eq!(run(&mut packets, seal_many), expected);
    assert_eq!(packets, one_by_one);

    packets[11][HEADER_LEN + 5] ^= 1;
    packets[12][0] ^= 1;
    let mut opened = expected;
    opened[11] = Err(Error::WrongMsgKey);
    opened[12] = Err(Error::WrongKey);
    assert_eq!(run(&mut packets, open_many), opened);
    for (i, (packet, plain)) in packets.iter().zip(&plain).enumerate() {
        match opened[i] {
            Ok(_) => assert_eq!(packet[HEADER_LEN..], plain[HEADER_LEN..], "packet {i}"),
            Err(Error::WrongMsgKey) => assert!(packet[HEADER_LEN..].iter().all(|&b| b == 0)),
            Err(_) => {}
        }
    }
    seal_many(&mut []);
}

#[test]
fn version_1() {
    for data_len in 33..=48 {
        let mut bytes = packet(3);
        seal_v1(&key(), Side::Client, &mut bytes, data_len).unwrap();
        let good = bytes.clone();
        assert_eq!(open_v1(&key(), Side::Client, &mut bytes, |_| Some(data_len)), Ok(data_len));
        assert_eq!(bytes[HEADER_LEN..], packet(3)[HEADER_LEN..]);
        for wrong in [None, Some(0), Some(data_len ^ 1), Some(49), Some(usize::MAX)] {
            let result = open_v1(&key(), Side::Client, &mut good.clone(), |_| wrong);
            assert_eq!(result, Err(Error::WrongMsgKey), "{wrong:?} for {data_len}");
        }
    }
    let mut bytes = packet(3);
    for wrong in [0, 32, 49] {
        let result = seal_v1(&key(), Side::Client, &mut bytes, wrong);
        assert_eq!(result, Err(Error::BadLength { len: bytes.len() }));
    }
}

#[test]
fn handshake_messages() {
    let (key, iv) = tmp_aes(&[1; 32], &[2; 16]);
    for len in 0..40 {
        let data = vec![3; len];
        let sealed = seal_dh(&data, &[4; 16], &key, &iv);
        assert_eq!(open_dh(&mut sealed.clone(), &key, &iv, |_| Some(len)), Ok(&data[..]));
        let mut tampered = sealed.clone();
        tampered[len] ^= 1;
        let result = open_dh(&mut tampered, &key, &iv, |_| Some(len));
        assert_eq!(result, Err(Error::WrongMsgKey));
        let mut sealed = sealed;
        let result = open_dh(&mut sealed, &key, &iv, |_| Some(usize::MAX));
        assert_eq!(result, Err(Error::WrongMsgKey));
    }
    for len in [0, 15, 16, 17] {
        let mut bytes = vec![0; len];
        let result = open_dh(&mut bytes, &key, &iv, |_| Some(0));
        assert_eq!(result, Err(Error::BadLength { len }));
    }
}
