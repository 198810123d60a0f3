//! What somebody on the wire, or with a key of their own, may try against others: recordings sent again, numbers and salts of
//! others, keys whose time is over. Each test says what a server must do.
//!
//! The published attacks on the protocol itself are in `server/mtproto/tests/attacks.rs`. Beside these:
//!
//! | what is tried | what a server must do | shown by |
//! |---|---|---|
//! | packets that are altered, in any way | close with one code, whatever was wrong | [`crate::bad_input`]: `packets_that_do_not_open` |
//! | queries of a handshake that are altered | the same | [`crate::handshake`]: `what_does_not_fit_is_refused` |
//! | an exchange on another connection | know nothing of it | [`crate::handshake`]: `an_exchange_stays_on_its_connection` |
//! | requests in another order | run them in the order they name | [`crate::session`]: `requests_wait_for_those_they_name` |
//! | proofs of another key, session, message | bind nothing | [`crate::handshake`]: `a_binding_that_proves_nothing_is_refused` |
//! | keys of another server | know nothing of them | [`crate::handshake`]: `unknown_keys_are_unknown` |
//! | beginnings of obfuscated connections, sent again | close | [`crate::transports`] |

use std::sync::Arc;

use mtproto::handshake::client::Inner as Kind;
use server::{Stores, limits::SESSIONS_PER_KEY_MAX};
use storage::Memory;
use tl::api::{enums as api_enums, functions as api};
use tl::mtproto::{functions, types};
use tl::{Decode as _, Encode, Layer};

use crate::common::person::{code_of, send_code};
use crate::common::raw::{Raw, result_of};
use crate::common::{Client, Heard, Options, Person, TestServer, now};

fn bytes(value: &impl Encode) -> Vec<u8> {
    value.to_vec(Layer::NEWEST)
}

/// A session without any care of somebody who is logged in.
async fn raw_of(server: &TestServer, person: &Person) -> Raw {
    let (key, salt) = (person.auth_key().clone(), person.first_salt());
    Raw::new(server.connection().await, key, salt)
}

/// What changes somebody's profile: to be seen, and not protected by anything but the session.
fn introduce_as(about: &str) -> Vec<u8> {
    bytes(&api::account::UpdateProfile { about: Some(about), ..api::account::UpdateProfile::new() })
}

async fn about(person: &mut Person) -> String {
    let full = person.ask(&api::users::GetFullUser::new(api_enums::InputUser::InputUserSelf)).await;
    full.full_user.about.unwrap_or_default().to_owned()
}

/// Sends a request, and gives its packet back as somebody on the wire has recorded it.
async fn recorded(raw: &mut Raw, body: &[u8]) -> Vec<u8> {
    let header = raw.header(true);
    let packet = raw.seal(header, body);
    raw.connection.send(&packet, false).await;
    raw.result(header.msg_id).await.expect("it is served");
    packet
}

/// Sends a recording, on a connection of its own, and something harmless behind it, by which it is known to be handled.
async fn replay(server: &TestServer, raw: &Raw, recording: &[u8]) {
    let mut thief = server.connection().await;
    thief.send(recording, false).await;
    // Who recorded has no key; the owner's next packet on the same connection is what tells that the first was handled.
    let mut owner = server.raw_beside(raw).await;
    owner.connection = thief;
    let ping = owner.header(false);
    let packet = owner.seal(ping, &bytes(&functions::Ping::new(77)));
    owner.connection.send(&packet, false).await;
    // What comes may be for either session.
    while let Heard::Packet(packet) = owner.connection.hear().await {
        let opened = mtproto::envelope::open(&owner.auth_key, crypto::Side::Server, packet);
        let message = opened.expect("the server's packets open").message;
        if message.session_id == owner.session_id
            && message.body.windows(8).any(|part| part == 77_i64.to_le_bytes())
        {
            break;
        }
    }
}

/// A recorded packet is sent again: on another connection, after the session was destroyed, after it gave way to others. A server
/// must run what is in it once. While the session lives, it knows the message; and when a session of the same number begins again,
/// nothing up to what the one before had received may be taken.
///
/// It would fail if identifiers were kept by connection, or forgotten with the session.
#[tokio::test]
async fn a_recording_is_run_once() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut raw = raw_of(&server, &alice).await;
    let init = alice.introduced(&bytes(&api::help::GetConfig {}));
    recorded(&mut raw, &init).await;
    let recording = recorded(&mut raw, &introduce_as("first")).await;
    recorded(&mut raw, &introduce_as("second")).await;
    replay(&server, &raw, &recording).await;
    assert_eq!(about(&mut alice).await, "second", "on another connection");

    alice.session().send_service(bytes(&functions::DestroySession::new(raw.session_id)).into());
    let gone = alice.next_service().await;
    assert!(types::DestroySessionOk::from_bytes(&gone).is_ok(), "{gone:?}");
    replay(&server, &raw, &recording).await;
    assert_eq!(about(&mut alice).await, "second", "after the session was destroyed");

    // As many again as a key may have, so that it gives way; and more, so that it is no longer known by its number.
    for _ in 0..2 * SESSIONS_PER_KEY_MAX {
        let mut other = server.raw_beside(&raw).await;
        other.request(&functions::Ping::new(1)).await;
        other.wait_for::<types::Pong>().await;
    }
    replay(&server, &raw, &recording).await;
    assert_eq!(about(&mut alice).await, "second", "after it gave way");
    // Its owner goes on.
    raw.connection = server.connection().await;
    recorded(&mut raw, &introduce_as("third")).await;
    assert_eq!(about(&mut alice).await, "third");
}

/// A server that is started again has forgotten its sessions, but not the keys: a recording from before opens, and its session is
/// unknown. A server must not run it. It cannot know what it has received, so all salts end with it: whoever has the key is told
/// the new one, whoever has a recording cannot use it.
///
/// It would fail if salts were the same after a restart, or if that of the handshake were taken by another life of the server.
#[tokio::test]
async fn a_recording_means_nothing_after_a_restart() {
    let data = Arc::new(tempfile::tempdir().expect("there is room"));
    let stores = Stores::on(Arc::new(Memory::new()));
    let server = TestServer::start_on(&data, stores.clone(), |_| {}).await;
    let alice = server.person("Alice").await;
    let mut raw = raw_of(&server, &alice).await;
    let init = alice.introduced(&bytes(&api::help::GetConfig {}));
    recorded(&mut raw, &init).await;
    // With the salt of the handshake, and with that of the hour.
    let mut recordings = vec![recorded(&mut raw, &introduce_as("first")).await];
    raw.request(&functions::GetFutureSalts::new(1)).await;
    raw.salt = raw.wait_for::<types::FutureSalts>().await.salts[0].salt;
    recordings.push(recorded(&mut raw, &introduce_as("second")).await);
    recorded(&mut raw, &introduce_as("third")).await;
    let made_at = now().secs();
    server.stop().await;
    // Keys know the second in which they were made, and salts with them.
    while now().secs() == made_at {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    let server = TestServer::start_on(&data, stores, |_| {}).await;
    for recording in recordings {
        raw.connection = server.connection().await;
        raw.connection.send(&recording, false).await;
        let refused: types::BadServerSalt = raw.wait_for().await;
        assert_eq!(refused.error_code, 48);
        raw.salt = refused.new_server_salt;
    }
    // The key is good as before, with the salt that its owner was told.
    let (key, salt) = (alice.auth_key().clone(), raw.salt);
    let client = Client::resume(server.address, key, salt, Options::default()).await;
    let mut alice = Person::known(client, alice.id, alice.phone.clone());
    assert_eq!(about(&mut alice).await, "third");
}

/// A session's number is not secret: it may be that of another key's session, by chance or on purpose. A server must keep the
/// sessions of different keys apart, whatever their numbers.
///
/// It would fail if Mallory's session were Alice's: her request would be answered from what Alice was answered, her acknowledgement
/// would make Alice lose an answer, her wish to destroy it would end it, and updates for Alice would come to her.
#[tokio::test]
async fn numbers_of_others_sessions_are_of_no_use() {
    let server = TestServer::start().await;
    let alice = server.person("Alice").await;
    let mut mallory = server.person("Mallory").await;
    let mut raw = raw_of(&server, &alice).await;
    let init = alice.introduced(&bytes(&api::updates::GetState {}));
    recorded(&mut raw, &init).await;
    // Answered, and not acknowledged: it would be sent again.
    let header = raw.header(true);
    raw.send(header, &introduce_as("Alice's")).await;
    let answer =
        raw.wait(|message| result_of(message, header.msg_id).map(|_| message.clone())).await;

    let mut other = raw_of(&server, &mallory).await;
    other.session_id = raw.session_id;
    let init = mallory.introduced(&bytes(&api::updates::GetState {}));
    recorded(&mut other, &init).await;
    // The same identifier as well: another request, that of another person.
    let same = crate::common::raw::Header { salt: other.salt, ..header };
    other.send(same, &introduce_as("Mallory's")).await;
    other.result(header.msg_id).await.expect("it is hers");
    assert_eq!(about(&mut mallory).await, "Mallory's");
    let ack = other.header(false);
    other.send(ack, &bytes(&types::MsgsAck::new(vec![answer.msg_id]))).await;
    mallory.session().send_service(bytes(&functions::DestroySession::new(raw.session_id)).into());
    mallory.next_service().await;

    // Alice's session is the one that it was, with her answer.
    raw.connection = server.connection().await;
    raw.request(&functions::Ping::new(1)).await;
    raw.result(header.msg_id).await.expect("it comes again: nobody has acknowledged it");
    let mut alice = alice;
    assert_eq!(about(&mut alice).await, "Alice's");
}

/// Salts are told to whoever asks, for their own key. A server must take none of them under another key, or a recording could be
/// refreshed by whoever has a key of their own; and must not take those of the time to come.
///
/// It would fail if salts were those of the server, not of the key.
#[tokio::test]
async fn salts_of_other_keys_are_wrong() {
    let server = TestServer::start().await;
    let (mut raw, mut other) = (server.raw().await, server.raw().await);
    let mut salts = vec![other.salt];
    for raw in [&mut other, &mut raw] {
        raw.request(&functions::GetFutureSalts::new(4)).await;
        let told: types::FutureSalts = raw.wait_for().await;
        // All of the other key's; of the own one those that are far off.
        let skip = if salts.len() == 1 { 0 } else { 2 };
        salts.extend(told.salts[skip..].iter().map(|salt| salt.salt));
    }
    for salt in salts {
        let header = crate::common::raw::Header { salt, ..raw.header(false) };
        raw.send(header, &bytes(&functions::Ping::new(1))).await;
        let refused: types::BadServerSalt = raw.wait_for().await;
        assert_eq!((refused.bad_msg_id, refused.error_code), (header.msg_id, 48), "{salt}");
    }
}

/// A temporary key is there so that whoever takes it later cannot read what was said before its end, nor anything after it. A server
/// must not send anything under it once its time is over, not even on a connection that was open before.
///
/// It would fail if the key's end were looked at only when a packet comes: an update would go out under it.
#[tokio::test]
async fn nothing_is_said_under_a_key_that_expired() {
    // The key itself, or what it was bound for.
    for (lives_s, bound_s) in [(2, 2), (600, 2)] {
        check_expiry(lives_s, bound_s).await;
    }
}

async fn check_expiry(lives_s: i32, bound_s: i32) {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_alice = bob.peer(&alice).await;
    let inner = Kind::Temp { expires_in_s: lives_s };
    let mut temp = server.client_with(Options { inner, ..Options::default() }).await;
    crate::handshake::bind(&mut temp, &alice, bound_s).await;
    temp.call(&api::updates::GetState {}).await.expect("it is Alice's");
    // It hears what is said while it lives, and then the end.
    bob.say(&to_alice, "early").await;
    temp.next_push().await;
    let end = loop {
        if let Err(end) = temp.turn().await {
            break end;
        }
    };
    assert_eq!(end, Heard::Error(-404));
    bob.say(&to_alice, "late").await;
    assert_eq!(temp.turn().await, Err(Heard::Closed));
    while alice.next_message().await.message != "late" {}
}

/// Somebody logs in while the owner ends all other logins. A server must have the new one in the list of devices, or not let it in:
/// what is in no list cannot be ended by its owner.
///
/// It would fail if a login were ended before its key is logged in, and the key were logged in all the same.
#[tokio::test]
async fn who_is_logged_in_is_in_the_list() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let phone = alice.phone.clone();
    for _ in 0..8 {
        let mut other = server.client().await;
        let hash = send_code(&mut other, &phone).await;
        let code = code_of(&phone);
        let sign_in =
            api::auth::SignIn { phone_code: Some(&code), ..api::auth::SignIn::new(&phone, &hash) };
        let end_all = async {
            for _ in 0..12 {
                alice.ask(&api::auth::ResetAuthorizations {}).await;
            }
        };
        let (_, ()) = tokio::join!(other.call(&sign_in), end_all);
        let known = alice.ask(&api::account::GetAuthorizations {}).await.authorizations.len();
        // What was ended is not let in any more, at once or in a moment.
        let mut is_in = true;
        for _ in 0..40 {
            is_in = other.call(&api::updates::GetState {}).await.is_ok();
            if is_in == (known == 2) {
                break;
            }
        }
        assert_eq!(is_in, known == 2, "{known} in the list");
    }
}

/// A temporary key is bound by a proof made with a permanent one. A server must not take another temporary key for the permanent
/// one, or a key that is taken later could stand for a person for ever; nor a proof that was used, under another key.
///
/// It would fail if the kind of the key that is named were not looked at, or if the proof did not name the key that it is for.
#[tokio::test]
async fn keys_are_bound_to_permanent_ones_alone() {
    let server = TestServer::start().await;
    let alice = server.person("Alice").await;
    let temporary = || Options { inner: Kind::Temp { expires_in_s: 600 }, ..Options::default() };
    let mut bound = server.client_with(temporary()).await;
    crate::handshake::bind(&mut bound, &alice, 600).await;
    let mut thief = server.client_with(temporary()).await;
    let refused = crate::handshake::try_bind(&mut thief, bound.auth_key(), 600).await;
    assert_eq!(refused, Err("ENCRYPTED_MESSAGE_INVALID".to_owned()));
    // The proof that bound the other key, as it was recorded.
    let perm = alice.auth_key();
    let refused = crate::handshake::bind_as(&mut thief, perm, &bound, 600).await;
    assert_eq!(refused, Err("ENCRYPTED_MESSAGE_INVALID".to_owned()));
    let error = thief.call(&api::updates::GetState {}).await.unwrap_err();
    assert_eq!((error.code, error.text.as_str()), (401, "AUTH_KEY_PERM_EMPTY"));
}
