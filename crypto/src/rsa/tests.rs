//! Keys and paddings; the known answers are in `tests/vectors.rs`.

use std::sync::LazyLock;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::*;

/// One key for all tests: drawing one takes a while.
static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(&mut rng(1)).unwrap());

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// The tests' data says its own length in its first byte.
fn data_len(bytes: &[u8]) -> Option<usize> {
    bytes.first().map(|&len| usize::from(len))
}

fn data(len: u8, fill: u8) -> Vec<u8> {
    let mut data = vec![fill; usize::from(len)];
    data[0] = len;
    data
}

#[test]
fn pem_round_trips() {
    let pem = KEY.to_pem().unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let again = PrivateKey::from_pem(&pem).unwrap();
    assert_eq!(again.fingerprint(), KEY.fingerprint());

    let pkcs1 = KEY.key.to_pkcs1_pem(LineEnding::LF).unwrap();
    assert!(pkcs1.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    assert_eq!(PrivateKey::from_pem(&pkcs1).unwrap().fingerprint(), KEY.fingerprint());

    let public = KEY.public_pem();
    assert!(public.starts_with("-----BEGIN RSA PUBLIC KEY-----\n"));
    let again = PublicKey::from_pem(&public).unwrap();
    assert_eq!((again.n(), again.e()), (KEY.public().n(), KEY.public().e()));
    assert_eq!(again.fingerprint(), KEY.fingerprint());
    assert_ne!(KEY.fingerprint().cast_unsigned() >> 60, 0);
}

#[test]
fn foreign_pem_is_refused() {
    for pem in ["", "-----BEGIN RSA PUBLIC KEY-----\n", &KEY.public_pem()] {
        assert_eq!(PrivateKey::from_pem(pem).map(|_| ()), Err(Error::Pem), "{pem}");
    }
    assert_eq!(PublicKey::from_pem(&KEY.to_pem().unwrap()).map(|_| ()), Err(Error::Pem));
    let small = RsaPrivateKey::new(&mut Random(&mut rng(2)), 512).unwrap();
    let pem = small.to_pkcs8_pem(LineEnding::LF).unwrap();
    assert_eq!(PrivateKey::from_pem(&pem).map(|_| ()), Err(Error::Size { bits: 512 }));
}

#[test]
fn both_paddings_round_trip() {
    for (seed, len) in [(0, 1), (1, 96), (2, 104), (3, 144)] {
        let data = data(len, 0x5a);
        for encrypted in [
            KEY.public().encrypt_pad(&data, &mut rng(seed)).unwrap(),
            KEY.public().encrypt_old(&data, &mut rng(seed)).unwrap(),
        ] {
            let block = KEY.decrypt_raw(&encrypted).unwrap();
            assert_eq!(**unpad(&block, data_len).unwrap(), *data, "{len} bytes");
        }
    }
}

#[test]
fn too_much_data_is_refused() {
    let mut rng = rng(0);
    let long = KEY.public().encrypt_pad(&[0; DATA_LEN_MAX_PAD + 1], &mut rng);
    assert_eq!(long, Err(Error::DataLength { len: 145 }));
    let long = KEY.public().encrypt_old(&[0; DATA_LEN_MAX_OLD + 1], &mut rng);
    assert_eq!(long, Err(Error::DataLength { len: 236 }));
}

/// The number has two leading zero bytes: the block's own, and the hash's. They must come back.
#[test]
fn old_padding_whose_hash_begins_with_zero() {
    let (fill, data) = (0..=u8::MAX)
        .flat_map(|fill| (1..=200).map(move |len| (fill, data(len, fill))))
        .find(|(_, data)| sha::sha1(&[data])[0] == 0)
        .unwrap();
    let encrypted = KEY.public().encrypt_old(&data, &mut rng(0)).unwrap();
    let block = KEY.decrypt_raw(&encrypted).unwrap();
    assert_eq!(block[..2], [0, 0], "fill {fill}");
    assert_eq!(**unpad(&block, data_len).unwrap(), *data);
}

/// Looks like the old padding, is the present one.
#[test]
fn rsa_pad_block_that_begins_with_zero() {
    let data = data(96, 7);
    let block = (0..=u16::MAX)
        .map(|number| {
            let mut temp_key = [1; 32];
            temp_key[..2].copy_from_slice(&number.to_be_bytes());
            pad_rsa_pad(&data, &[9; 192], &temp_key).unwrap()
        })
        .find(|block| block[0] == 0)
        .unwrap();
    let encrypted = KEY.public().encrypt_raw(&block).unwrap();
    let block = KEY.decrypt_raw(&encrypted).unwrap();
    assert_eq!(block[0], 0);
    assert!(unpad_old(&block, data_len).is_none());
    assert_eq!(**unpad(&block, data_len).unwrap(), *data);
}

#[test]
fn tampered_blocks_are_refused() {
    let data = data(96, 7);
    let pad = pad_rsa_pad(&data, &[9; 192], &[1; 32]).unwrap();
    let old = pad_old(&data, &[9; DATA_LEN_MAX_OLD]).unwrap();
    for at in [0, 31, 32, 100, 255] {
        let mut block = pad;
        block[at] ^= 1;
        assert!(unpad(&block, data_len).is_none(), "byte {at}");
    }
    for at in [0, 1, 20, 21, 116] {
        let mut block = *old;
        block[at] ^= 1;
        assert!(unpad(&block, data_len).is_none(), "byte {at}");
    }
    // The old padding's random tail is not covered by its hash.
    let mut block = *old;
    block[255] ^= 1;
    assert!(unpad(&block, data_len).is_some());
    // Lengths beyond the block, or none at all.
    assert!(unpad(&old, |_| Some(usize::MAX)).is_none());
    assert!(unpad(&old, |_| None).is_none());
}

/// "Four Attacks and a Proof for Telegram", the fourth: whoever multiplies a recorded block and has the product decrypted
/// must not learn from the time it takes whether it begins with a zero, or with what looks like an object.
///
/// So the same is done with every block that does not open: the old kind is looked for in all, its hash taken over the
/// same bytes, and RSA_PAD is undone in all. The length of what is hashed here is what `data_len` says, and it is asked once.
#[test]
fn every_block_is_looked_at_alike() {
    use std::cell::RefCell;

    let data = data(96, 7);
    let pad = pad_rsa_pad(&data, &[9; 192], &[1; 32]).unwrap();
    let old = *pad_old(&data, &[9; DATA_LEN_MAX_OLD]).unwrap();
    let changed = |block: &[u8; 256], at: usize| {
        let mut block = *block;
        block[at] ^= 1;
        block
    };
    // Of the old kind with a wrong hash, with a wrong first byte, with data that is none; of RSA_PAD with a wrong hash; none.
    let blocks = [changed(&old, 1), changed(&old, 0), changed(&old, 21), changed(&pad, 100)];
    for block in blocks.into_iter().chain([[0; 256], [0x5a; 256], [0; 256].map(|_: u8| 1)]) {
        let asked = RefCell::new(Vec::new());
        let opened = unpad(&block, |bytes| {
            asked.borrow_mut().push(bytes.len());
            data_len(bytes)
        });
        assert!(opened.is_none());
        assert_eq!(asked.into_inner(), [DATA_LEN_MAX_OLD], "{block:02x?}");
    }
}

#[test]
fn blocks_out_of_range_are_refused() {
    assert_eq!(KEY.decrypt_raw(&[0xff; 256]).map(|_| ()), Err(Error::Block));
    assert_eq!(KEY.decrypt_raw(KEY.public().n()).map(|_| ()), Err(Error::Block));
    assert_eq!(KEY.public().encrypt_raw(&[0xff; 256]), Err(Error::Block));
    // 0, 1 and n - 1 are their own powers: no honest block, and refused as well.
    let mut block = [0; 256];
    assert_eq!(KEY.decrypt_raw(&block).map(|_| ()), Err(Error::Block));
    block[255] = 1;
    assert_eq!(KEY.decrypt_raw(&block).map(|_| ()), Err(Error::Block));
    block = *KEY.public().n();
    block[255] -= 1;
    assert_eq!(KEY.decrypt_raw(&block).map(|_| ()), Err(Error::Block));
}
