//! Known answers: every number of the reference vectors that this package computes.
//!
//! The files in `vectors/` name their source. Bytes are in hex there; the tests read them by name.

use std::sync::LazyLock;

use crypto::{
    AesIv, AesKey, AuthKey, Side, aes_ctr, aes_ige,
    auth_key::{NewNonceHash, first_salt, params_fail_hash},
    dh::{self, DhPublic, DhSecret},
    envelope, kdf, pq, rsa, sha,
    srp::{self, Algo, Challenge, Verifier},
};
use serde_json::Value;

/// One file of vectors, or an object inside one.
struct Vectors(Value);

impl Vectors {
    fn read(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(value["source"], "Baudot reference vectors");
        Self(value)
    }

    fn object(&self, name: &str) -> Self {
        assert!(self.0[name].is_object(), "{name}");
        Self(self.0[name].clone())
    }

    #[track_caller]
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("no {name}"))
    }

    #[track_caller]
    fn bytes(&self, name: &str) -> Vec<u8> {
        hex::decode(self.text(name)).unwrap()
    }

    #[track_caller]
    fn array<const LEN: usize>(&self, name: &str) -> [u8; LEN] {
        self.bytes(name).try_into().unwrap_or_else(|_| panic!("{name} is not {LEN} bytes long"))
    }

    #[track_caller]
    fn number(&self, name: &str) -> i64 {
        self.0[name].as_i64().unwrap_or_else(|| panic!("no {name}"))
    }

    /// Compares with the bytes of that name.
    #[track_caller]
    fn check(&self, name: &str, computed: &[u8]) {
        assert_eq!(hex::encode(computed), self.text(name), "{name}");
    }
}

macro_rules! vectors {
    ($($name:ident = $file:literal;)*) => {
        $(static $name: LazyLock<Vectors> =
            LazyLock::new(|| Vectors::read(include_str!(concat!("vectors/", $file))));)*
    };
}

vectors! {
    PRIMITIVES = "primitives.json";
    HANDSHAKE = "handshake.json";
    BIND = "bind.json";
    SESSION = "session.json";
    SRP = "srp.json";
    SECRET = "secret.json";
}

/// The auth key that the handshake's vectors end with.
fn auth_key() -> AuthKey {
    AuthKey::new(HANDSHAKE.array("auth_key"))
}

/// The vectors' RSA key.
fn private_key() -> rsa::PrivateKey {
    let v = &HANDSHAKE;
    rsa::PrivateKey::from_primes(&v.bytes("rsa_p"), &v.bytes("rsa_q")).unwrap()
}

#[test]
fn ige() {
    let v = &PRIMITIVES;
    let (key, iv) = (v.array("ige_key"), v.array("ige_iv"));
    let mut data = v.bytes("ige_plain");
    aes_ige::encrypt(&mut data, &key, &iv).unwrap();
    v.check("ige_cipher", &data);
    aes_ige::decrypt(&mut data, &key, &iv).unwrap();
    v.check("ige_plain", &data);

    let mut copies = vec![data; 20];
    let streams = |copies: &mut Vec<Vec<u8>>, many: fn(Vec<aes_ige::Stream<'_>>)| {
        let stream = |data| aes_ige::Stream::new(data, AesKey::new(key), AesIv::new(iv)).unwrap();
        many(copies.iter_mut().map(|data| stream(data.as_mut_slice())).collect());
    };
    streams(&mut copies, |s| aes_ige::encrypt_many(s));
    copies.iter().for_each(|data| v.check("ige_cipher", data));
    streams(&mut copies, |s| aes_ige::decrypt_many(s));
    copies.iter().for_each(|data| v.check("ige_plain", data));
}

#[test]
fn ctr() {
    let v = &PRIMITIVES;
    for step in 1..=37 {
        let mut ctr = aes_ctr::Ctr::new(&v.array("ctr_key"), &v.array("ctr_iv"));
        let mut data = v.bytes("ctr_plain");
        data.chunks_mut(step).for_each(|chunk| ctr.apply(chunk));
        v.check("ctr_cipher", &data);
    }
}

#[test]
fn pq_factors() {
    let v = &HANDSHAKE;
    let number = u64::from_be_bytes(v.array("pq"));
    let (p, q) = pq::factorize(number).unwrap();
    let pq = pq::Pq { p, q };
    v.check("p", &pq.p_bytes());
    v.check("q", &pq.q_bytes());
    v.check("pq", &pq.pq_bytes());
}

#[test]
fn rsa_key() {
    let (v, key) = (&HANDSHAKE, private_key());
    v.check("rsa_n", key.public().n());
    v.check("rsa_e", key.public().e());
    v.check("fingerprint_wire", &key.fingerprint().to_le_bytes());
    assert_eq!(key.fingerprint(), v.number("fingerprint_i64"));
}

/// The inner data's length is its TL object's: here simply known.
#[test]
fn rsa_pad() {
    let (v, key) = (&HANDSHAKE, private_key());
    let data = v.bytes("p_q_inner_data_dc");
    let padding = v.bytes("rsa_pad_padding");
    let random: [u8; 192] = [data.clone(), padding.clone()].concat().try_into().unwrap();
    // The vector's temporary key may have needed redrawing; the block tells which one was used.
    let expected: [u8; 256] = v.array("rsa_pad_key_aes_encrypted");
    let mut temp_key = v.array::<32>("rsa_pad_temp_key");
    let block = loop {
        let block = rsa::pad_rsa_pad(&data, &random, &temp_key).unwrap();
        match key.public().encrypt_raw(&block) {
            Ok(encrypted) => {
                v.check("rsa_pad_encrypted_data", &encrypted);
                break block;
            }
            Err(_) => temp_key = sha::sha256(&[&temp_key]),
        }
    };
    assert_eq!(block, expected);
    let decrypted = key.decrypt_raw(&v.array("rsa_pad_encrypted_data")).unwrap();
    v.check("rsa_pad_key_aes_encrypted", &*decrypted);
    assert_eq!(rsa::unpad_rsa_pad(&decrypted).unwrap()[..], [&data[..], &padding].concat());
    assert_eq!(**rsa::unpad(&decrypted, |_| Some(data.len())).unwrap(), data);
    for name in ["p_q_inner_data", "p_q_inner_data_temp_dc_86400"] {
        let data = v.bytes(name);
        let block = rsa::pad_rsa_pad(&data, &random, &temp_key).unwrap();
        assert_eq!(**rsa::unpad(&block, |_| Some(data.len())).unwrap(), data, "{name}");
    }
}

#[test]
fn rsa_old() {
    let (v, key) = (&HANDSHAKE, private_key());
    let (data, block) = (v.bytes("p_q_inner_data"), v.bytes("rsa_old_block"));
    let mut random = [0; rsa::DATA_LEN_MAX_OLD];
    random.copy_from_slice(&block[20..]);
    let padded = rsa::pad_old(&data, &random).unwrap();
    v.check("rsa_old_block", &padded[1..]);
    v.check("rsa_old_encrypted_data", &key.public().encrypt_raw(&padded).unwrap());
    let decrypted = key.decrypt_raw(&v.array("rsa_old_encrypted_data")).unwrap();
    v.check("rsa_old_block", &decrypted[1..]);
    assert_eq!(**rsa::unpad(&decrypted, |_| Some(data.len())).unwrap(), data);
}

#[test]
fn diffie_hellman() {
    let v = &HANDSHAKE;
    v.check("dh_prime", &dh::PRIME);
    assert_eq!(i64::from(dh::G), v.number("g"));
    assert_eq!(v.0["prime_g_ok"][dh::G.to_string()], true);
    let (a, b) = (DhSecret::full(v.array("a")), DhSecret::full(v.array("b")));
    let (g_a, g_b) = (a.public().unwrap(), b.public().unwrap());
    v.check("g_a", g_a.as_bytes());
    v.check("g_b", g_b.as_bytes());
    v.check("auth_key", a.shared(&g_b).as_bytes());
    v.check("auth_key", b.shared(&g_a).as_bytes());
}

#[test]
fn handshake_messages() {
    let v = &HANDSHAKE;
    let (key, iv) = kdf::tmp_aes(&v.array("new_nonce"), &v.array("server_nonce"));
    v.check("tmp_aes_key", &*key);
    v.check("tmp_aes_iv", &*iv);
    for (data, padding, sealed) in [
        ("server_DH_inner_data", "answer_padding", "encrypted_answer"),
        ("client_DH_inner_data", "client_padding", "client_encrypted_data"),
    ] {
        let (data, padding) = (v.bytes(data), v.bytes(padding));
        let mut random = [0; 16];
        random[..padding.len()].copy_from_slice(&padding);
        let mut bytes = envelope::seal_dh(&data, &random, &key, &iv);
        v.check(sealed, &bytes);
        let opened = envelope::open_dh(&mut bytes, &key, &iv, |_| Some(data.len()));
        assert_eq!(opened, Ok(&data[..]), "{sealed}");
    }
}

/// The formulas also fit the exchange that the protocol's documentation prints.
///
/// Source: <https://core.telegram.org/mtproto/samples-auth_key>.
#[test]
fn tmp_aes_of_the_published_sample() {
    let new_nonce: [u8; 32] =
        hex::decode("a8bbc849512dac6c67b6efd9157d6ca7377a1776307d84265c6be9bdcf802ac1")
            .unwrap()
            .try_into()
            .unwrap();
    let server_nonce: [u8; 16] =
        hex::decode("e11dbc3bc97d91a26154f932af019943").unwrap().try_into().unwrap();
    let (key, iv) = kdf::tmp_aes(&new_nonce, &server_nonce);
    assert_eq!(
        hex::encode(*key),
        "5ea702f743e850f5546e857f08b7d5337bbaedf9b61248751594851be2e8c297"
    );
    assert_eq!(
        hex::encode(*iv),
        "1cef8e372a63d97ebfa805c0dbb018bc7c1e0931693fbcb1a1afc0c0a8bbc849"
    );
}

#[test]
fn auth_key_hashes() {
    let (v, key) = (&HANDSHAKE, auth_key());
    let (new_nonce, server_nonce) = (v.array("new_nonce"), v.array("server_nonce"));
    v.check("auth_key_id", &key.id().to_le_bytes());
    v.check("auth_key_aux_hash", &key.aux_hash().to_le_bytes());
    v.check("new_nonce_hash1", &key.new_nonce_hash(&new_nonce, NewNonceHash::Ok));
    v.check("new_nonce_hash2", &key.new_nonce_hash(&new_nonce, NewNonceHash::Retry));
    v.check("new_nonce_hash3", &key.new_nonce_hash(&new_nonce, NewNonceHash::Fail));
    v.check("new_nonce_hash_for_params_fail", &params_fail_hash(&new_nonce));
    v.check("server_salt", &first_salt(&new_nonce, &server_nonce).to_le_bytes());
}

/// Seals plaintext and padding under `key`, step by step and whole, and opens the packet again.
#[track_caller]
fn check_message(v: &Vectors, key: &AuthKey, sender: Side, plaintext: &[u8], packet_name: &str) {
    let payload = [plaintext, &v.bytes("padding")].concat();
    let large = kdf::msg_key_large(key, &payload, sender);
    let msg_key = kdf::msg_key(&large);
    v.check("msg_key", &msg_key);
    let (aes_key, iv) = kdf::message_keys(key, &msg_key, sender);
    v.check("aes_key", &*aes_key);
    v.check("aes_iv", &*iv);

    let mut packet = [&[0; envelope::HEADER_LEN][..], &payload].concat();
    assert_eq!(envelope::seal(key, sender, &mut packet), Ok(kdf::quick_ack(&large)));
    v.check(packet_name, &packet);
    assert_eq!(envelope::open(key, sender, &mut packet), Ok(kdf::quick_ack(&large)));
    assert_eq!(packet[envelope::HEADER_LEN..], payload);
}

#[test]
fn session_messages() {
    for (name, sender) in [("client", Side::Client), ("server", Side::Server)] {
        let v = SESSION.object(name);
        assert_eq!(v.number("x"), if sender == Side::Client { 0 } else { 8 });
        let plaintext = v.bytes("plaintext");
        check_message(&v, &auth_key(), sender, &plaintext, "packet");

        let payload = [plaintext, v.bytes("padding")].concat();
        let large = kdf::msg_key_large(&auth_key(), &payload, sender);
        v.check("msg_key_large", &large);
        v.check("quick_ack_token_le", &kdf::quick_ack(&large).to_le_bytes());
        v.check("quick_ack_abridged_wire", &kdf::quick_ack(&large).to_be_bytes());
    }
}

/// Seals and opens a MTProto 1.0 message.
#[track_caller]
fn check_v1(v: &Vectors, packet_name: &str) {
    let (key, data) = (auth_key(), v.bytes("plaintext"));
    let msg_key = kdf::msg_key_v1(&data);
    v.check("msg_key", &msg_key);
    let (aes_key, iv) = kdf::message_keys_v1(&key, &msg_key, Side::Client);
    v.check("aes_key", &*aes_key);
    v.check("aes_iv", &*iv);

    let mut packet = [&[0; envelope::HEADER_LEN][..], &data, &v.bytes("padding")].concat();
    envelope::seal_v1(&key, Side::Client, &mut packet, data.len()).unwrap();
    v.check(packet_name, &packet);
    let len = envelope::open_v1(&key, Side::Client, &mut packet, |_| Some(data.len())).unwrap();
    assert_eq!(packet[envelope::HEADER_LEN..][..len], data);
}

#[test]
fn version_1_message() {
    check_v1(&SESSION.object("client_v1"), "packet");
}

#[test]
fn bind_temp_auth_key() {
    let v = &*BIND;
    check_v1(v, "encrypted_message");
    let temp = AuthKey::new(v.array("temp_auth_key"));
    v.check("temp_auth_key_id", &temp.id().to_le_bytes());
    v.check("perm_auth_key_id", &auth_key().id().to_le_bytes());
}

#[test]
fn srp_log_in() {
    let v = &SRP;
    let (salt1, salt2) = (v.bytes("salt1"), v.bytes("salt2"));
    let algo = Algo { salt1: &salt1, salt2: &salt2 };
    let x = srp::password_hash(v.text("password").as_bytes(), &algo);
    v.check("x", &*x);
    let verifier = Verifier::from_password_hash(&x);
    v.check("v", verifier.as_bytes());
    let challenge = Challenge::new(&verifier, v.array("b")).unwrap();
    v.check("srp_B", challenge.public());
    let proof = srp::prove(&x, &algo, challenge.public(), v.array("a")).unwrap();
    v.check("A", &proof.a);
    v.check("M1", &proof.m1);
    assert_eq!(challenge.check(&verifier, &algo, &proof.a, &proof.m1), Ok(()));
    let mut wrong = proof.m1;
    wrong[31] ^= 1;
    let result = challenge.check(&verifier, &algo, &proof.a, &wrong);
    assert_eq!(result, Err(srp::Error::WrongPassword));
}

#[test]
fn secret_chat() {
    let v = &SECRET;
    let key = AuthKey::new(v.array("key"));
    v.check("key_fingerprint_wire", &key.id().to_le_bytes());
    assert_eq!(key.id().0.cast_signed(), v.number("key_fingerprint_i64"));
    for name in ["g_a", "g_b"] {
        assert!(DhPublic::parse(&v.bytes(name)).is_ok(), "{name}");
    }
    let message = v.bytes("layer_message");
    let len = u32::try_from(message.len()).unwrap().to_le_bytes();
    let plaintext = [&len[..], &message].concat();
    check_message(v, &key, Side::Client, &plaintext, "send_encrypted_data");
}

#[test]
fn secret_file() {
    let v = &SECRET;
    let mut data = v.bytes("file_encrypted");
    aes_ige::decrypt(&mut data, &v.array("file_key"), &v.array("file_iv")).unwrap();
    let plain = v.bytes("file_plain");
    assert_eq!(data[..plain.len()], plain);
    aes_ige::encrypt(&mut data, &v.array("file_key"), &v.array("file_iv")).unwrap();
    v.check("file_encrypted", &data);
}
