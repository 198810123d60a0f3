//! Signing up, signing in, logging out, devices; and data centres that are all this one.

use tl::api::{enums, functions, types};
use tl::{Encode as _, Layer, Raw};

use crate::common::person::{code_of, send_code};
use crate::common::{Client, Options, Person, TestServer, now};

use enums::auth::Authorization;
use functions::{account, auth};

async fn refused<M>(client: &mut Client, query: &M) -> String
where
    M: tl::Method + tl::Encode,
    M::Answer<'static>: tl::Decode<'static> + core::fmt::Debug,
{
    client.call(query).await.expect_err(M::NAME).text
}

/// `auth.signUp`, `auth.signIn`: a number becomes an account once, and logs in after that.
#[tokio::test]
async fn a_number_becomes_an_account() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let phone = server.phone();
    let hash = send_code(&mut client, &phone).await;
    let code = code_of(&phone);

    // No account without the right code.
    let early = auth::SignUp::new(&phone, &hash, "Alice", "");
    assert_eq!(refused(&mut client, &early).await, "PHONE_CODE_INVALID");
    let sign_in = auth::SignIn { phone_code: Some(&code), ..auth::SignIn::new(&phone, &hash) };
    let answer = client.call(&sign_in).await.unwrap();
    assert!(matches!(answer, Authorization::AuthorizationSignUpRequired(_)));
    for (first_name, last_name, expected) in [
        ("", "", "FIRSTNAME_INVALID"),
        (&*"x".repeat(65), "", "FIRSTNAME_INVALID"),
        ("Alice", &*"x".repeat(65), "LASTNAME_INVALID"),
    ] {
        let sign_up = auth::SignUp::new(&phone, &hash, first_name, last_name);
        assert_eq!(refused(&mut client, &sign_up).await, expected);
    }
    let sign_up = auth::SignUp::new(&phone, &hash, "Alice", "Ångström");
    let Authorization::Authorization(done) = client.call(&sign_up).await.unwrap() else { panic!() };
    let enums::User::User(user) = done.user else { panic!() };
    assert!(user.self_ && user.phone == Some(&*phone));
    assert_eq!((user.first_name, user.last_name), (Some("Alice"), Some("Ångström")));

    // The code is used up; the next one leads to the account.
    let mut second = server.client().await;
    let other_hash = send_code(&mut second, &phone).await;
    let foreign = auth::SignIn { phone_code: Some(&code), ..auth::SignIn::new(&phone, &hash) };
    assert_eq!(refused(&mut second, &foreign).await, "PHONE_CODE_EXPIRED");
    let sign_in =
        auth::SignIn { phone_code: Some(&code), ..auth::SignIn::new(&phone, &other_hash) };
    let Authorization::Authorization(done) = second.call(&sign_in).await.unwrap() else { panic!() };
    assert!(matches!(done.user, enums::User::User(again) if again.id == user.id));
}

/// `auth.sendCode`: numbers in any spelling, and what is none.
#[tokio::test]
async fn codes_are_sent_to_numbers() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    for bad in ["", "+", "1234", "12345678901234567", "letters"] {
        let settings = types::CodeSettings::new();
        let send = auth::SendCode::new(bad, 1, "hash", settings);
        assert_eq!(refused(&mut client, &send).await, "PHONE_NUMBER_INVALID", "{bad:?}");
    }
    let hash = send_code(&mut client, "+99966 3 00 01").await;
    let sign_in =
        auth::SignIn { phone_code: Some("33333"), ..auth::SignIn::new("999663-0001", &hash) };
    client.call(&sign_in).await.expect("the same number");
}

/// `auth.signIn` with a wrong code, and too many of them.
#[tokio::test]
async fn wrong_codes_are_counted() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let phone = server.phone();
    let hash = send_code(&mut client, &phone).await;
    let none = auth::SignIn::new(&phone, &hash);
    assert_eq!(refused(&mut client, &none).await, "PHONE_CODE_EMPTY");
    let no_hash = auth::SignIn { phone_code: Some("1"), ..auth::SignIn::new(&phone, "") };
    assert_eq!(refused(&mut client, &no_hash).await, "PHONE_CODE_HASH_EMPTY");
    let unknown = auth::SignIn { phone_code: Some("1"), ..auth::SignIn::new(&phone, "unknown") };
    assert_eq!(refused(&mut client, &unknown).await, "PHONE_CODE_EXPIRED");
    let wrong = auth::SignIn { phone_code: Some("00000"), ..auth::SignIn::new(&phone, &hash) };
    for _ in 0..services::limits::CODE_ATTEMPT_COUNT_MAX {
        assert_eq!(refused(&mut client, &wrong).await, "PHONE_CODE_INVALID");
    }
    let code = code_of(&phone);
    let right = auth::SignIn { phone_code: Some(&code), ..auth::SignIn::new(&phone, &hash) };
    assert_eq!(refused(&mut client, &right).await, "PHONE_CODE_EXPIRED", "too late");
}

/// Where somebody logged in from is shown to them; a request that waited for another one is from there, too.
#[tokio::test]
async fn waiting_hides_no_address() {
    let server = TestServer::start().await;
    let person = server.person("Alice").await;
    let mut client = server.client().await;
    let hash = send_code(&mut client, &person.phone).await;
    let code = code_of(&person.phone);
    let sign_in =
        auth::SignIn { phone_code: Some(&code), ..auth::SignIn::new(&person.phone, &hash) };
    // Something that takes a moment: it writes.
    let settings = types::CodeSettings::new();
    let first = auth::SendCode::new(&person.phone, 1, "hash", settings).to_vec(Layer::NEWEST);
    let first_id = client.session().next_msg_id(now());
    client.session().send_as(first_id, first.into());
    let sign_in = sign_in.to_vec(Layer::NEWEST);
    let after = functions::InvokeAfterMsg::new(first_id.0, Raw(&sign_in));
    client.call_bytes(&after).await.expect("logged in");
    let devices = client.call(&account::GetAuthorizations {}).await.unwrap().authorizations;
    let own = devices.iter().find(|device| device.current).expect("it is logged in");
    assert_eq!(own.ip, "127.0.0.1");
}

/// A code is bound to the key that asked for it.
#[tokio::test]
async fn a_code_is_good_where_it_was_asked_for() {
    let server = TestServer::start().await;
    let (mut asker, mut thief) = (server.client().await, server.client().await);
    let phone = server.phone();
    let hash = send_code(&mut asker, &phone).await;
    let code = code_of(&phone);
    let sign_in = auth::SignIn { phone_code: Some(&code), ..auth::SignIn::new(&phone, &hash) };
    assert_eq!(refused(&mut thief, &sign_in).await, "PHONE_CODE_EXPIRED");
    asker.call(&sign_in).await.unwrap();
}

/// `auth.resendCode`, `auth.cancelCode`.
#[tokio::test]
async fn codes_are_sent_again_or_cancelled() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let phone = server.phone();
    let hash = send_code(&mut client, &phone).await;
    let resend = auth::ResendCode::new(&phone, &hash);
    for _ in 0..services::limits::CODE_RESEND_COUNT_MAX {
        let enums::auth::SentCode::SentCode(sent) = client.call(&resend).await.unwrap() else {
            panic!()
        };
        assert_eq!(sent.phone_code_hash, hash, "the same code");
    }
    assert_eq!(refused(&mut client, &resend).await, "SEND_CODE_UNAVAILABLE");
    assert!(client.call(&auth::CancelCode::new(&phone, &hash)).await.unwrap());
    let code = code_of(&phone);
    let sign_in = auth::SignIn { phone_code: Some(&code), ..auth::SignIn::new(&phone, &hash) };
    assert_eq!(refused(&mut client, &sign_in).await, "PHONE_CODE_EXPIRED");
    let unknown = auth::ResendCode::new(&phone, "unknown");
    assert_eq!(refused(&mut client, &unknown).await, "PHONE_CODE_EXPIRED");
}

/// Sessions of the account get the code, and are told of a new login.
#[tokio::test]
async fn other_devices_are_told() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    alice.state().await;
    let options = Options { device: "suspicious phone", ..Options::default() };
    let mut client = server.client_with(options).await;
    let settings = types::CodeSettings::new();
    let send = auth::SendCode::new(&alice.phone, 1, "hash", settings);
    let enums::auth::SentCode::SentCode(sent) = client.call(&send).await.unwrap() else { panic!() };
    assert!(matches!(sent.type_, enums::auth::SentCodeType::SentCodeTypeApp(_)));
    let got = alice.next_message().await;
    assert_eq!(got.peer_id, types::PeerUser::new(777_000).into());
    assert!(got.message.contains(&code_of(&alice.phone)), "{}", got.message);
    let code = code_of(&alice.phone);
    let sign_in = auth::SignIn {
        phone_code: Some(&code),
        ..auth::SignIn::new(&alice.phone, sent.phone_code_hash)
    };
    client.call(&sign_in).await.unwrap();
    let (mut by_message, mut by_update) = (false, false);
    while !(by_message && by_update) {
        match alice.next_update().await {
            enums::Update::UpdateNewMessage(new) => {
                let enums::Message::Message(message) = &new.message else { continue };
                by_message |= message.message.contains("suspicious phone");
            }
            enums::Update::UpdateNewAuthorization(_) => by_update = true,
            _ => {}
        }
    }
}

/// `auth.logOut`: the key is nobody's, and may be somebody's again.
#[tokio::test]
async fn logging_out() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut tablet = server.device_of(&alice).await;
    alice.ask(&auth::LogOut {}).await;
    assert_eq!(alice.refused(&functions::updates::GetState {}).await, "AUTH_KEY_UNREGISTERED");
    let own = functions::users::GetUsers::new(vec![enums::InputUser::InputUserSelf]);
    assert_eq!(alice.refused(&own).await, "AUTH_KEY_UNREGISTERED");
    tablet.state().await;
    let phone = alice.phone.clone();
    let id = alice.id;
    let again = Person::sign_in(alice.into_client(), phone).await;
    assert_eq!(again.id, id);
    // Another person may use the same device.
    let mut device = again;
    device.ask(&auth::LogOut {}).await;
    let other = Person::sign_up(device.into_client(), server.phone(), "Bob").await;
    assert_ne!(other.id, id);
}

async fn devices(person: &mut Person) -> Vec<types::Authorization<'static>> {
    person.ask(&account::GetAuthorizations {}).await.authorizations
}

/// `account.getAuthorizations`, `account.resetAuthorization`, `auth.resetAuthorizations`: which devices there are, and no longer.
#[tokio::test]
async fn devices_are_listed_and_ended() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut second = server.device_of(&alice).await;
    let mut third = server.device_of(&alice).await;
    let listed = devices(&mut alice).await;
    assert_eq!(listed.len(), 3);
    let own: Vec<_> = listed.iter().filter(|device| device.current).collect();
    assert!(own.len() == 1 && own[0].hash == 0 && own[0].device_model == "test device");
    assert!(listed.iter().filter(|device| !device.current).all(|device| device.hash != 0));

    let of_second = devices(&mut second).await;
    let hash_of_second = listed
        .iter()
        .map(|device| device.hash)
        .find(|hash| *hash != 0 && of_second.iter().all(|device| device.hash != *hash))
        .expect("its own hash is told as 0");
    assert_eq!(alice.refused(&account::ResetAuthorization::new(12_345)).await, "HASH_INVALID");
    assert!(alice.ask(&account::ResetAuthorization::new(hash_of_second)).await);
    assert_eq!(second.refused(&functions::updates::GetState {}).await, "AUTH_KEY_UNREGISTERED");
    third.state().await;
    assert!(alice.ask(&auth::ResetAuthorizations {}).await);
    assert_eq!(third.refused(&functions::updates::GetState {}).await, "AUTH_KEY_UNREGISTERED");
    assert_eq!(devices(&mut alice).await.len(), 1);
}

/// A device that was ended gets nothing more, even on a connection that was open all the time.
#[tokio::test]
async fn an_ended_device_hears_nothing() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_alice = bob.peer(&alice).await;
    let mut ended = server.device_of(&alice).await;
    ended.state().await;
    alice.ask(&auth::ResetAuthorizations {}).await;
    bob.say(&to_alice, "for Alice only").await;
    while alice.next_message().await.message != "for Alice only" {}
    // Whatever was pushed to it came before the end.
    ended.ping().await;
    assert_eq!(ended.refused(&functions::updates::GetState {}).await, "AUTH_KEY_UNREGISTERED");
    while let Some(push) = ended.pushed_already() {
        let push = format!("{push:?}");
        assert!(!push.contains("for Alice only"), "{push}");
    }
}

/// `auth.exportAuthorization`, `auth.importAuthorization`: what clients do before they fetch files of another data centre.
#[tokio::test]
async fn a_login_is_taken_to_another_key() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut other = server.client().await;
    let exported = alice.ask(&auth::ExportAuthorization::new(4)).await;
    let wrong = auth::ImportAuthorization::new(exported.id, b"wrong");
    assert_eq!(refused(&mut other, &wrong).await, "AUTH_BYTES_INVALID");
    let import = auth::ImportAuthorization::new(exported.id, exported.bytes);
    let Authorization::Authorization(done) = other.call(&import).await.unwrap() else { panic!() };
    assert!(matches!(done.user, enums::User::User(user) if user.id == alice.id));
    other.call(&functions::updates::GetState {}).await.expect("logged in");
    let mut third = server.client().await;
    assert_eq!(refused(&mut third, &import).await, "AUTH_BYTES_INVALID", "once");
    assert_eq!(alice.refused(&auth::ExportAuthorization::new(99)).await, "DC_ID_INVALID");
}
