//! Auth keys: made in every way that clients know, refused when anything is wrong, bound, and gone when their time is over.

use crypto::AuthKey;
use mtproto::bind_temp;
use mtproto::handshake::client::{Client as Exchange, Inner, Next, RsaPadding};
use rand_core::Rng as _;
use tl::api::functions;
use tl::mtproto::types::BindAuthKeyInner;
use tl::mtproto::{functions as queries, types};
use tl::{Encode as _, Layer};

use crate::common::exchange::{ask, make_key, make_key_with, send};
use crate::common::{Client, Heard, Options, TestServer, now, rng};

#[tokio::test]
async fn keys_of_all_kinds_with_either_padding() {
    let server = TestServer::start().await;
    let expires_in_s = 3600;
    let inners = [
        Inner::Plain,
        Inner::Dc(2),
        Inner::Dc(-4),
        Inner::Dc(10_001),
        Inner::Temp { expires_in_s },
        Inner::TempDc { dc: 2, expires_in_s },
    ];
    for padding in [RsaPadding::Pad, RsaPadding::Old] {
        for inner in inners {
            let options = Options { padding, inner, ..Options::default() };
            server.client_with(options).await.ping().await;
        }
    }
}

/// The same query again gets the same answer, at every step, and leads to the same key.
#[tokio::test]
async fn repeated_queries_are_answered_alike() {
    let server = TestServer::start().await;
    let mut connection = server.connection().await;
    let (mut exchange, mut query) = Exchange::start(server.handshake(Inner::Plain), &mut rng());
    let done = loop {
        let answer = ask(&mut connection, query.as_slice()).await.unwrap();
        let again = ask(&mut connection, query.as_slice()).await.unwrap();
        assert_eq!(answer, again);
        match exchange.handle(&answer, &mut rng()).unwrap() {
            Next::Send(next, body) => (exchange, query) = (next, body),
            Next::Done(done) => break done,
        }
    };
    // The last answer was sent twice; the key is good on any connection.
    let options = Options::default();
    let salt = done.first_salt;
    Client::resume(server.address, done.auth_key, salt, options).await.ping().await;
}

/// A first query as old clients send it, one with random bytes behind it as TDLib does, an acknowledgement: all harmless.
#[tokio::test]
async fn first_queries_are_taken_generously() {
    let server = TestServer::start().await;
    let mut connection = server.connection().await;
    let mut nonce = [0; 16];
    rng().fill_bytes(&mut nonce);
    let old = ask(&mut connection, &queries::ReqPq::new(nonce).to_vec(Layer::NEWEST)).await;
    send(&mut connection, &types::MsgsAck::new(vec![1]).to_vec(Layer::NEWEST)).await;
    let mut query = queries::ReqPqMulti::new(nonce).to_vec(Layer::NEWEST);
    query.extend_from_slice(&[0xab; 20]);
    assert_eq!(old, ask(&mut connection, &query).await, "one exchange has one answer");
}

/// Makes a key with a byte of one query changed.
async fn check_refused(server: &TestServer, what: &str, inner: Inner, at: Option<(usize, usize)>) {
    let mut connection = server.connection().await;
    let refused =
        make_key_with(&mut connection, server.handshake(inner), &mut rng(), |step, query| {
            if let Some((_, byte)) = at.filter(|(at, _)| *at == step) {
                query[byte] ^= 1;
            }
        })
        .await;
    let code = if inner == Inner::Dc(9) { -444 } else { -404 };
    assert_eq!(refused.err(), Some(Heard::Error(code)), "{what}");
    assert_eq!(connection.hear().await, Heard::Closed, "{what}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let server = TestServer::start().await;
    let changed = [
        ("an unknown first query", (0, 0)),
        ("another nonce in the second query", (1, 4)),
        ("another server nonce in the second query", (1, 20)),
        ("a wrong factor", (1, 38)),
        ("an unknown RSA key", (1, 52)),
        ("RSA data that does not decrypt", (1, 200)),
        ("another nonce in the third query", (2, 4)),
        ("another server nonce in the third query", (2, 20)),
        ("DH data that does not decrypt", (2, 100)),
    ];
    for (what, at) in changed {
        check_refused(&server, what, Inner::Plain, Some(at)).await;
    }
    check_refused(&server, "a foreign data centre", Inner::Dc(9), None).await;
    check_refused(&server, "a key for no time", Inner::Temp { expires_in_s: 0 }, None).await;
    let mut client = server.client().await;
    client.ping().await;
}

/// Only the four queries may come unencrypted.
#[tokio::test]
async fn anything_else_unencrypted_is_refused() {
    let server = TestServer::start().await;
    let bodies = [
        queries::Ping::new(1).to_vec(Layer::NEWEST),
        functions::help::GetConfig {}.to_vec(Layer::NEWEST),
        vec![1, 2, 3, 4],
        Vec::new(),
    ];
    for body in bodies {
        let mut connection = server.connection().await;
        assert_eq!(ask(&mut connection, &body).await, Err(Heard::Error(-404)), "{body:?}");
        assert_eq!(connection.hear().await, Heard::Closed);
    }
}

/// Telegram Desktop makes its permanent and its temporary key side by side; nobody makes many.
#[tokio::test]
async fn exchanges_run_side_by_side_but_not_many() {
    let server = TestServer::start().await;
    let mut connection = server.connection().await;
    let mut rng = rng();
    let config = server.handshake(Inner::Plain);
    let mut exchanges: Vec<_> = (0..2).map(|_| Exchange::start(config.clone(), &mut rng)).collect();
    let mut keys = Vec::new();
    while let Some((exchange, query)) = exchanges.pop() {
        let answer = ask(&mut connection, query.as_slice()).await.unwrap();
        match exchange.handle(&answer, &mut rng).unwrap() {
            Next::Send(next, body) => exchanges.insert(0, (next, body)),
            Next::Done(done) => keys.push(done.auth_key.id()),
        }
    }
    assert!(keys.len() == 2 && keys[0] != keys[1]);

    let mut connection = server.connection().await;
    let mut last = Ok(bytes::BytesMut::new());
    for _ in 0..=mtproto::limits::EXCHANGE_COUNT_MAX {
        let (_, query) = Exchange::start(config.clone(), &mut rng);
        last = ask(&mut connection, query.as_slice()).await;
    }
    assert_eq!(last, Err(Heard::Error(-429)));
}

/// What belongs to one connection means nothing on another.
#[tokio::test]
async fn an_exchange_stays_on_its_connection() {
    let server = TestServer::start().await;
    let mut first = server.connection().await;
    let (exchange, query) = Exchange::start(server.handshake(Inner::Plain), &mut rng());
    let answer = ask(&mut first, query.as_slice()).await.unwrap();
    let Next::Send(_, query) = exchange.handle(&answer, &mut rng()).unwrap() else { panic!() };
    let mut second = server.connection().await;
    assert_eq!(ask(&mut second, query.as_slice()).await, Err(Heard::Error(-404)));
    ask(&mut first, query.as_slice()).await.unwrap();
}

// ===== Binding =====

/// What `auth.bindTempAuthKey` is made of, each part of which may be wrong.
#[derive(Clone)]
struct Binding {
    perm: AuthKey,
    named: i64,
    nonces: [i64; 2],
    expires_at: [i32; 2],
    temp_key_id: i64,
    session_id: i64,
    msg_id_shift: i64,
    broken: bool,
}

impl Binding {
    fn right(temp: &Client, perm: &AuthKey) -> Self {
        let expires_at = now().secs_i32() + 600;
        Self {
            perm: perm.clone(),
            named: perm.id().0.cast_signed(),
            nonces: [5; 2],
            expires_at: [expires_at; 2],
            temp_key_id: temp.auth_key().id().0.cast_signed(),
            session_id: temp.session_id(),
            msg_id_shift: 0,
            broken: false,
        }
    }

    /// Sends it under a key; what the server says.
    async fn send(self, temp: &mut Client) -> Result<bool, String> {
        let msg_id = temp.session().next_msg_id(now());
        let inner = BindAuthKeyInner::new(
            self.nonces[0],
            self.temp_key_id,
            self.perm.id().0.cast_signed(),
            self.session_id,
            self.expires_at[0],
        );
        let proven = mtproto::MsgId(msg_id.0 + self.msg_id_shift);
        let mut message = bind_temp::create(&self.perm, proven, &inner, &[3; 24]);
        if self.broken {
            message[40] ^= 1;
        }
        let query = functions::auth::BindTempAuthKey::new(
            self.named,
            self.nonces[1],
            self.expires_at[1],
            &message,
        );
        let request = temp.session().send_as(msg_id, query.to_vec(Layer::NEWEST).into());
        let answer = temp.answer(request).await.map_err(|error| error.text)?;
        Ok(*answer == tl::BOOL_TRUE_ID.to_le_bytes())
    }
}

/// Binds a temporary key to that of somebody, for so long; what the server says.
pub(crate) async fn try_bind(
    temp: &mut Client,
    perm: &AuthKey,
    expires_in_s: i32,
) -> Result<bool, String> {
    let expires_at = [now().secs_i32() + expires_in_s; 2];
    Binding { expires_at, ..Binding::right(temp, perm) }.send(temp).await
}

/// As [`try_bind`], and it is done.
pub(crate) async fn bind(temp: &mut Client, person: &Client, expires_in_s: i32) {
    assert_eq!(try_bind(temp, person.auth_key(), expires_in_s).await, Ok(true));
}

/// As [`try_bind`], with a proof that is about another temporary key.
pub(crate) async fn bind_as(
    temp: &mut Client,
    perm: &AuthKey,
    other: &Client,
    expires_in_s: i32,
) -> Result<bool, String> {
    let expires_at = [now().secs_i32() + expires_in_s; 2];
    Binding { expires_at, ..Binding::right(other, perm) }.send(temp).await
}

fn temporary(expires_in_s: i32) -> Options {
    Options { inner: Inner::Temp { expires_in_s }, ..Options::default() }
}

/// `auth.bindTempAuthKey`: a temporary key acts for a permanent one, once it has proven to know both.
#[tokio::test]
async fn a_bound_key_acts_for_the_permanent_one() {
    let server = TestServer::start().await;
    let alice = server.person("Alice").await;
    let mut temp = server.client_with(temporary(3600)).await;
    let get_state = functions::updates::GetState {};
    let refused = temp.call(&get_state).await.unwrap_err();
    assert_eq!((refused.code, refused.text.as_str()), (401, "AUTH_KEY_PERM_EMPTY"));
    temp.call(&functions::help::GetConfig {}).await.expect("this much is for anybody");

    let binding = Binding::right(&temp, alice.auth_key());
    assert_eq!(binding.clone().send(&mut temp).await, Ok(true));
    assert_eq!(binding.send(&mut temp).await, Ok(true), "the same again");
    temp.call(&get_state).await.expect("it is Alice's key now");

    // Others may act for the same key meanwhile.
    let mut second = server.client_with(temporary(3600)).await;
    assert_eq!(Binding::right(&second, alice.auth_key()).send(&mut second).await, Ok(true));
    second.call(&get_state).await.expect("so is this");
    temp.call(&get_state).await.expect("and this still is");
}

/// A key bound before anybody logs in follows the login, and the logout.
#[tokio::test]
async fn a_bound_key_follows_the_login_of_the_permanent_one() {
    let server = TestServer::start().await;
    let alice = server.person("Alice").await;
    let perm = server.client().await;
    let mut temp = server.client_with(temporary(3600)).await;
    assert_eq!(Binding::right(&temp, perm.auth_key()).send(&mut temp).await, Ok(true));
    let get_state = functions::updates::GetState {};
    assert_eq!(temp.call(&get_state).await.unwrap_err().text, "AUTH_KEY_UNREGISTERED");
    // Logging in under the temporary key logs the permanent one in.
    let mut under_temp =
        crate::common::Person::sign_in(temp, alice.phone.clone()).await.into_client();
    under_temp.call(&get_state).await.expect("logged in");
    let (key, salt) = (perm.auth_key().clone(), perm.first_salt());
    let mut perm = Client::resume(server.address, key, salt, Options::default()).await;
    perm.call(&get_state).await.expect("so is the permanent key");
    perm.call(&functions::auth::LogOut {}).await.expect("it may leave");
    assert_eq!(under_temp.call(&get_state).await.unwrap_err().text, "AUTH_KEY_UNREGISTERED");
}

#[tokio::test]
async fn a_binding_that_proves_nothing_is_refused() {
    let server = TestServer::start().await;
    let perm = server.client().await.auth_key().clone();
    let other = server.client().await.auth_key().clone();
    let mut temp = server.client_with(temporary(3600)).await;
    let right = Binding::right(&temp, &perm);
    let past = now().secs_i32() - 10;
    let far = now().secs_i32() + 90_000;
    let cases = [
        ("an unknown key", Binding { named: 1, ..right.clone() }, "ENCRYPTED_MESSAGE_INVALID"),
        (
            "another key than it was encrypted with",
            Binding { named: other.id().0.cast_signed(), ..right.clone() },
            "ENCRYPTED_MESSAGE_INVALID",
        ),
        (
            "a broken message",
            Binding { broken: true, ..right.clone() },
            "ENCRYPTED_MESSAGE_INVALID",
        ),
        ("two nonces", Binding { nonces: [1, 2], ..right.clone() }, "ENCRYPTED_MESSAGE_INVALID"),
        (
            "two times",
            Binding { expires_at: [far - 1, far - 2], ..right.clone() },
            "ENCRYPTED_MESSAGE_INVALID",
        ),
        (
            "another temporary key",
            Binding { temp_key_id: 1, ..right.clone() },
            "ENCRYPTED_MESSAGE_INVALID",
        ),
        (
            "another session",
            Binding { session_id: 1, ..right.clone() },
            "ENCRYPTED_MESSAGE_INVALID",
        ),
        (
            "another message",
            Binding { msg_id_shift: 4, ..right.clone() },
            "ENCRYPTED_MESSAGE_INVALID",
        ),
        ("the past", Binding { expires_at: [past; 2], ..right.clone() }, "EXPIRES_AT_INVALID"),
        ("after the key itself", Binding { expires_at: [far; 2], ..right }, "EXPIRES_AT_INVALID"),
    ];
    for (what, binding, expected) in cases {
        assert_eq!(binding.send(&mut temp).await, Err(expected.to_owned()), "{what}");
    }
    assert_eq!(Binding::right(&temp, &perm).send(&mut temp).await, Ok(true));
    assert_eq!(
        Binding::right(&temp, &other).send(&mut temp).await,
        Err("TEMP_AUTH_KEY_ALREADY_BOUND".to_owned())
    );
    let mut permanent = server.client().await;
    assert_eq!(
        Binding::right(&permanent, &perm).send(&mut permanent).await,
        Err("TEMP_AUTH_KEY_EMPTY".to_owned())
    );
}

/// A temporary key ends when it said it would, in the middle of a connection.
#[tokio::test]
async fn an_expired_key_is_unknown() {
    let server = TestServer::start().await;
    let alice = server.person("Alice").await;
    let mut temp = server.client_with(temporary(2)).await;
    let binding = Binding::right(&temp, alice.auth_key());
    let expires_at = [now().secs_i32() + 2; 2];
    assert_eq!(Binding { expires_at, ..binding }.send(&mut temp).await, Ok(true));
    let ping = || queries::Ping::new(1).to_vec(Layer::NEWEST).into();
    let refused = loop {
        temp.session().send_service(ping());
        if let Err(heard) = temp.turn().await {
            break heard;
        }
    };
    assert_eq!(refused, Heard::Error(-404));
    temp.reconnect().await;
    temp.session().send_service(ping());
    assert_eq!(temp.turn().await, Err(Heard::Error(-404)), "on a new connection as well");
}

/// `auth.dropTempAuthKeys`: all temporary keys of the caller's permanent key end, but for those named.
#[tokio::test]
async fn temporary_keys_are_dropped() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut temps = Vec::new();
    for _ in 0..2 {
        let mut temp = server.client_with(temporary(3600)).await;
        assert_eq!(Binding::right(&temp, alice.auth_key()).send(&mut temp).await, Ok(true));
        temps.push(temp);
    }
    let kept = temps[1].auth_key().id().0.cast_signed();
    assert!(alice.ask(&functions::auth::DropTempAuthKeys::new(vec![kept])).await);
    let ping: bytes::Bytes = queries::Ping::new(1).to_vec(Layer::NEWEST).into();
    let ended = loop {
        temps[0].session().send_service(ping.clone());
        if let Err(heard) = temps[0].turn().await {
            break heard;
        }
    };
    assert!(matches!(ended, Heard::Error(-404) | Heard::Closed), "{ended:?}");
    temps[1].call(&functions::updates::GetState {}).await.expect("the other one is still good");
}

#[tokio::test]
async fn unknown_keys_are_unknown() {
    let server = TestServer::start().await;
    let mut rng = rng();
    let mut connection = server.connection().await;
    let mut packet = [0; 104];
    rng.fill_bytes(&mut packet);
    connection.send(&packet, false).await;
    assert_eq!(connection.hear().await, Heard::Error(-404));
    assert_eq!(connection.hear().await, Heard::Closed);
    // A key of another server is as unknown as none.
    let elsewhere = TestServer::start().await;
    let mut there = elsewhere.connection().await;
    let config = elsewhere.handshake(Inner::Plain);
    let done = make_key(&mut there, config, &mut rng).await.unwrap();
    let options = Options::default();
    let mut stranger =
        Client::resume(server.address, done.auth_key, done.first_salt, options).await;
    stranger.session().send_service(queries::Ping::new(1).to_vec(Layer::NEWEST).into());
    assert_eq!(stranger.turn().await, Err(Heard::Error(-404)));
}
