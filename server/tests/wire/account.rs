//! Settings of an account, and what the server says of itself.

use tl::api::{enums, functions, types};

use crate::common::{Client, TestServer};

use functions::{account as api, help, langpack};

/// `account.updateProfile`: names and description; others see them (`updateUserName`).
#[tokio::test]
async fn profiles_change() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut tablet = server.device_of(&alice).await;
    tablet.state().await;
    let change = api::UpdateProfile {
        first_name: Some("Alicia"),
        last_name: Some("Smith"),
        about: Some("about me"),
    };
    let enums::User::User(own) = alice.ask(&change).await else { panic!() };
    assert_eq!((own.first_name, own.last_name), (Some("Alicia"), Some("Smith")));
    let told = tablet
        .wait_update(|update| match update {
            enums::Update::UpdateUserName(name) => Some((name.user_id, name.first_name)),
            _ => None,
        })
        .await;
    assert_eq!(told, (alice.id, "Alicia"));
    // What is absent stays.
    let last = api::UpdateProfile { last_name: Some(""), ..api::UpdateProfile::new() };
    let enums::User::User(own) = alice.ask(&last).await else { panic!() };
    assert_eq!(own.first_name, Some("Alicia"));
    let long = "x".repeat(71);
    let refusals = [
        (
            api::UpdateProfile { first_name: Some(""), ..api::UpdateProfile::new() },
            "FIRSTNAME_INVALID",
        ),
        (api::UpdateProfile { about: Some(&long), ..api::UpdateProfile::new() }, "ABOUT_TOO_LONG"),
    ];
    for (change, expected) in refusals {
        assert_eq!(alice.refused(&change).await, expected);
    }
}

/// `account.updateNotifySettings`, `account.getNotifySettings`, `account.resetNotifySettings`, `account.getNotifyExceptions`.
#[tokio::test]
async fn notifications_are_set() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let bob = server.person("Bob").await;
    let to_bob = alice.peer(&bob).await;
    alice.say(&to_bob, "a chat").await;
    let mut tablet = server.device_of(&alice).await;
    tablet.state().await;
    let peer: enums::InputNotifyPeer = types::InputNotifyPeer::new(to_bob).into();
    let settings = types::InputPeerNotifySettings {
        mute_until: Some(i32::MAX),
        silent: Some(true),
        ..types::InputPeerNotifySettings::new()
    };
    assert!(alice.ask(&api::UpdateNotifySettings::new(peer.clone(), settings)).await);
    let told = tablet
        .wait_update(|update| match update {
            enums::Update::UpdateNotifySettings(settings) => Some(settings.clone()),
            _ => None,
        })
        .await;
    assert_eq!(told.notify_settings.mute_until, Some(i32::MAX));
    let kept = alice.ask(&api::GetNotifySettings::new(peer.clone())).await;
    assert_eq!((kept.mute_until, kept.silent), (Some(i32::MAX), Some(true)));
    let enums::Updates::Updates(exceptions) = alice.ask(&api::GetNotifyExceptions::new()).await
    else {
        panic!()
    };
    assert_eq!(exceptions.updates.len(), 1);
    assert!(alice.ask(&api::ResetNotifySettings {}).await);
    let kept = alice.ask(&api::GetNotifySettings::new(peer)).await;
    assert_eq!(kept.mute_until, None);
    for all in [
        enums::InputNotifyPeer::InputNotifyUsers,
        enums::InputNotifyPeer::InputNotifyChats,
        enums::InputNotifyPeer::InputNotifyBroadcasts,
    ] {
        alice.ask(&api::GetNotifySettings::new(all)).await;
    }
}

/// `account.getPrivacy`, `account.setPrivacy`: rules are kept, told to other devices, and hold.
#[tokio::test]
async fn privacy_rules_hold() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_alice = bob.user(&alice).await;
    let key = enums::InputPrivacyKey::InputPrivacyKeyAbout;
    let about = api::UpdateProfile { about: Some("secret"), ..api::UpdateProfile::new() };
    alice.ask(&about).await;
    let full = functions::users::GetFullUser::new(to_alice);
    assert_eq!(bob.ask(&full).await.full_user.about, Some("secret"));
    let nobody = vec![enums::InputPrivacyRule::InputPrivacyValueDisallowAll];
    let set = alice.ask(&api::SetPrivacy::new(key.clone(), nobody)).await;
    assert_eq!(set.rules, [enums::PrivacyRule::PrivacyValueDisallowAll]);
    assert_eq!(alice.ask(&api::GetPrivacy::new(key.clone())).await.rules, set.rules);
    assert_eq!(bob.ask(&full).await.full_user.about, None);
    // But for Bob.
    let to_bob = alice.user(&bob).await;
    let but_bob = vec![
        types::InputPrivacyValueAllowUsers::new(vec![to_bob]).into(),
        enums::InputPrivacyRule::InputPrivacyValueDisallowAll,
    ];
    let set = alice.ask(&api::SetPrivacy::new(key, but_bob)).await;
    assert_eq!(set.users.len(), 1, "all that are named");
    assert_eq!(bob.ask(&full).await.full_user.about, Some("secret"));
}

/// `account.getPassword`: there is none yet, and clients may know how one would be made.
#[tokio::test]
async fn there_is_no_password() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let password = alice.ask(&api::GetPassword {}).await;
    assert!(!password.has_password && password.srp_id.is_none());
    assert_ne!(password.secure_random.len(), 0);
}

/// `account.changeAuthorizationSettings`, `account.setAuthorizationTTL`: of devices that exist.
#[tokio::test]
async fn devices_have_settings() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    server.device_of(&alice).await;
    let listed = alice.ask(&api::GetAuthorizations {}).await.authorizations;
    let hash = listed.iter().map(|device| device.hash).find(|hash| *hash != 0).expect("two");
    let settings = |hash| api::ChangeAuthorizationSettings {
        confirmed: true,
        ..api::ChangeAuthorizationSettings::new(hash)
    };
    assert!(alice.ask(&settings(hash)).await);
    assert_eq!(alice.refused(&settings(hash ^ 2)).await, "HASH_INVALID");
    let days = alice.ask(&api::GetAuthorizations {}).await.authorization_ttl_days;
    assert!(alice.ask(&api::SetAuthorizationTTL::new(days)).await);
    assert_eq!(alice.refused(&api::SetAuthorizationTTL::new(-1)).await, "TTL_DAYS_INVALID");
}

// ===== The server itself =====

async fn ask<M>(client: &mut Client, query: &M) -> M::Answer<'static>
where
    M: tl::Method + tl::Encode,
    M::Answer<'static>: tl::Decode<'static>,
{
    client.call(query).await.unwrap_or_else(|error| panic!("{}: {error:?}", M::NAME))
}

/// `help.getConfig`, `help.getNearestDc`, `help.getAppConfig`, `help.getCountriesList`, `help.getSupport`, `help.getSupportName`,
/// `help.getInviteText`: what clients ask before anybody logs in, and after.
#[tokio::test]
async fn the_server_tells_of_itself() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let config = ask(&mut client, &help::GetConfig {}).await;
    let [ip, port] = [server.address.ip().to_string(), server.address.port().to_string()];
    assert!(!config.dc_options.is_empty());
    for option in &config.dc_options {
        assert_eq!((option.ip_address, option.port.to_string()), (&*ip, port.clone()));
    }
    assert!(config.dc_options.iter().any(|option| option.id == config.this_dc));
    assert!(config.date > 1_600_000_000 && config.expires > config.date);
    assert_eq!((config.message_length_max, config.caption_length_max), (4096, 1024));
    let near = ask(&mut client, &help::GetNearestDc {}).await;
    assert_eq!((near.this_dc, near.nearest_dc), (config.this_dc, config.this_dc));

    let enums::help::AppConfig::AppConfig(app) =
        ask(&mut client, &help::GetAppConfig::new(0)).await
    else {
        panic!()
    };
    let again = ask(&mut client, &help::GetAppConfig::new(app.hash)).await;
    assert!(matches!(again, enums::help::AppConfig::AppConfigNotModified));
    let get = help::GetCountriesList::new("en", 0);
    let enums::help::CountriesList::CountriesList(list) = ask(&mut client, &get).await else {
        panic!()
    };
    assert!(list.countries.iter().any(|country| country.iso2 == "DE"));
    let again = ask(&mut client, &help::GetCountriesList::new("en", list.hash)).await;
    assert!(matches!(again, enums::help::CountriesList::CountriesListNotModified));

    let mut alice = server.person("Alice").await;
    let support = alice.ask(&help::GetSupport {}).await;
    assert!(!support.phone_number.is_empty());
    alice.ask(&help::GetInviteText {}).await;
    let _ = alice.call(&help::GetSupportName {}).await;
}

/// `langpack.getLanguages`, `langpack.getLanguage`: the languages that clients bring themselves.
#[tokio::test]
async fn languages_are_listed() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let all = ask(&mut client, &langpack::GetLanguages::new("tdesktop")).await;
    assert!(all.iter().any(|language| language.lang_code == "en"));
    let one = ask(&mut client, &langpack::GetLanguage::new("tdesktop", "en")).await;
    assert_eq!(one.lang_code, "en");
    let unknown = langpack::GetLanguage::new("tdesktop", "xx-nowhere");
    let _ = client.call(&unknown).await;
}

/// A key keeps the data centre that it was made for: TDLib begins with 1, most others with 2.
#[tokio::test]
async fn data_centres_are_as_clients_believe() {
    let server = TestServer::start().await;
    for dc in [1, 2, 4] {
        let inner = mtproto::handshake::client::Inner::Dc(dc);
        let options = crate::common::Options { inner, ..crate::common::Options::default() };
        let mut client = server.client_with(options).await;
        let config = ask(&mut client, &help::GetConfig {}).await;
        assert!(config.dc_options.iter().any(|option| option.id == dc), "it may stay");
    }
}
