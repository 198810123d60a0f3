//! Accounts, presence, privacy, contacts.

mod common;

use common::{ALICE, BOB, CAROL, Cluster, START, user};
use services::limits::{PRESENCE_ONLINE_S, SERVICE_PHONE, SERVICE_USER_ID};
use services::{Origin, UnixTime, partition};
use storage::{Engine as _, Failure, Owner, View};
use tl::operations::enums::{Effect, Refusal};
use tl::operations::functions::{accounts, contacts, directory, mailbox};
use tl::records::enums::{NotifyTarget, PrivacyKey, PrivacyRule};
use tl::records::types::{NotifyPeer, NotifySettings, RuleAllowUsers};

#[test]
fn accounts_are_created_once() {
    let mut cluster = Cluster::empty();
    let create = |phone, first_name| accounts::Create { phone, first_name, last_name: "" };
    for (id, operation, refusal) in [
        (ALICE, create("1", " "), Some(Refusal::FirstnameInvalid)),
        (ALICE, create("1", "A"), None),
        (ALICE, create("1", "A"), None),
        (ALICE, create("2", "A"), Some(Refusal::UserIdInvalid)),
        (5, create("2", "A"), Some(Refusal::UserIdInvalid)),
        (1 << 40, create("2", "A"), Some(Refusal::UserIdInvalid)),
    ] {
        assert_eq!(cluster.call(user(id), &operation).err(), refusal, "{id} {operation:?}");
    }
    // One that nobody uses can be taken back.
    cluster.call(user(ALICE), &accounts::Abandon {}).unwrap();
    assert_eq!(
        cluster.call(user(ALICE), &accounts::Get { viewer: BOB }),
        Err(Refusal::UserIdInvalid)
    );
    let bootstrap = accounts::Bootstrap { phone: SERVICE_PHONE, first_name: "Baudot" };
    for _ in 0..2 {
        assert!(cluster.call(user(SERVICE_USER_ID), &bootstrap).unwrap().service);
        let reserve = directory::Reserve { user_id: SERVICE_USER_ID };
        assert!(cluster.call(Owner::phone(SERVICE_PHONE), &reserve).is_ok());
    }
    assert_eq!(cluster.call(user(BOB), &bootstrap).err(), Some(Refusal::UserIdInvalid));
}

#[test]
fn profile_changes_are_told_to_those_who_show_the_user() {
    let mut cluster = Cluster::new();
    let add = contacts::Add { peer: ALICE, phone: "", first_name: "Al", last_name: "" };
    cluster.call(user(BOB), &add).unwrap();
    cluster.call(user(ALICE), &mailbox::Send::new(CAROL, 1, "hi")).unwrap();
    cluster.forget();
    let update =
        accounts::UpdateProfile { last_name: Some("Smith"), ..accounts::UpdateProfile::new() };
    assert_eq!(cluster.call(user(ALICE), &update).unwrap().last_name, "Smith");
    let effects = cluster.effects(&user(ALICE));
    let [Effect::EffectUserName(names)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((names.audience.as_slice(), &*names.last_name), (&[BOB, CAROL][..], "Smith"));
    let long = "x".repeat(71);
    let update = accounts::UpdateProfile { about: Some(&long), ..accounts::UpdateProfile::new() };
    assert_eq!(cluster.call(user(ALICE), &update), Err(Refusal::AboutTooLong));
}

#[test]
fn presence_is_told_as_privacy_allows_and_not_more_often_than_needed() {
    let mut cluster = Cluster::new();
    for peer in [BOB, CAROL] {
        cluster.call(user(ALICE), &mailbox::Send::new(peer, peer, "hi")).unwrap();
    }
    let rules = vec![RuleAllowUsers { users: vec![CAROL] }.into()];
    cluster
        .call(user(ALICE), &accounts::SetPrivacy { key: PrivacyKey::PrivacyStatus, rules })
        .unwrap();
    cluster.forget();
    for (after_s, offline, expected) in [
        (0, false, Some(START + PRESENCE_ONLINE_S)),
        (10, false, None),
        (200, false, Some(START + 210 + PRESENCE_ONLINE_S)),
        (1, true, Some(START + 211)),
        (1, true, None),
    ] {
        cluster.now += after_s;
        cluster.call(user(ALICE), &accounts::SetPresence { offline }).unwrap();
        let told = cluster.effects(&user(ALICE)).into_iter().map(|effect| match effect {
            Effect::EffectPresence(effect) => (effect.audience, effect.presence.online_until),
            other => panic!("{other:?}"),
        });
        let expected = expected.map(|until| (vec![CAROL], until));
        assert_eq!(told.collect::<Vec<_>>(), Vec::from_iter(expected), "{after_s} {offline}");
    }
}

#[test]
fn profiles_show_what_privacy_allows() {
    let mut cluster = Cluster::new();
    let shown = |cluster: &mut Cluster, viewer| {
        let profile = cluster.call(user(ALICE), &accounts::Get { viewer }).unwrap();
        (
            profile.phone_visible,
            profile.presence_visible,
            profile.viewer_is_contact,
            profile.blocks_viewer,
        )
    };
    assert_eq!(shown(&mut cluster, ALICE), (true, true, false, false));
    assert_eq!(shown(&mut cluster, BOB), (false, true, false, false));
    let add = contacts::Add { peer: BOB, phone: "", first_name: "Bo", last_name: "" };
    cluster.call(user(ALICE), &add).unwrap();
    assert_eq!(shown(&mut cluster, BOB), (true, true, true, false));
    cluster.call(user(ALICE), &contacts::Block { peer: BOB }).unwrap();
    assert_eq!(shown(&mut cluster, BOB), (true, false, true, true));
    let everyone = accounts::SetPrivacy {
        key: PrivacyKey::PrivacyPhoneNumber,
        rules: vec![PrivacyRule::RuleAllowAll],
    };
    cluster.call(user(ALICE), &everyone).unwrap();
    assert!(shown(&mut cluster, CAROL).0);
}

#[test]
fn contacts_are_mutual_when_both_added() {
    let mut cluster = Cluster::new();
    let add = |peer, first_name| contacts::Add { peer, phone: "+1 23", first_name, last_name: "" };
    assert!(!cluster.call(user(ALICE), &add(BOB, "Bo")).unwrap().mutual);
    assert!(cluster.call(user(BOB), &add(ALICE, "Al")).unwrap().mutual);
    for (operation, refusal) in [
        (add(ALICE, "x"), Refusal::ContactIdInvalid),
        (add(BOB, " "), Refusal::ContactNameEmpty),
        (add(-1, "x"), Refusal::ContactIdInvalid),
    ] {
        assert_eq!(cluster.call(user(ALICE), &operation), Err(refusal));
    }
    let list = cluster.call(user(ALICE), &contacts::List {}).unwrap().peers;
    assert_eq!((list.len(), list[0].relation.knows_me), (1, true));
    assert_eq!(list[0].relation.contact.clone().unwrap().phone, "123");
    for (q, count) in [("b", 1), ("BO", 1), ("o", 0)] {
        let found = cluster.call(user(ALICE), &contacts::Search { q, limit: 5 }).unwrap();
        assert_eq!(found.peers.len(), count, "{q}");
    }
    let delete = contacts::Delete { peers: vec![BOB, CAROL] };
    assert_eq!(cluster.call(user(ALICE), &delete).unwrap().peers.len(), 1);
    let bobs = cluster.call(user(BOB), &contacts::Get { peers: vec![ALICE] }).unwrap().peers;
    assert!(!bobs[0].relation.knows_me);
}

#[test]
fn blocked_peers_are_listed_latest_first() {
    let mut cluster = Cluster::new();
    for peer in [BOB, CAROL] {
        cluster.now += 1;
        cluster.call(user(ALICE), &contacts::Block { peer }).unwrap();
    }
    assert_eq!(
        cluster.call(user(ALICE), &contacts::Block { peer: ALICE }),
        Err(Refusal::PeerIdInvalid)
    );
    for (offset, limit, expected) in
        [(0, 9, &[CAROL, BOB][..]), (1, 9, &[BOB]), (0, 1, &[CAROL]), (9, 9, &[])]
    {
        let page = cluster.call(user(ALICE), &contacts::GetBlocked { offset, limit }).unwrap();
        assert_eq!(page.peers.iter().map(|peer| peer.peer).collect::<Vec<_>>(), expected);
        assert_eq!(page.count, 2);
    }
}

#[test]
fn notification_settings_are_merged() {
    let mut cluster = Cluster::new();
    let target = || NotifyTarget::from(NotifyPeer { peer: BOB });
    let mute = NotifySettings { mute_until: Some(9), ..NotifySettings::new() };
    let silent = NotifySettings { silent: Some(true), ..NotifySettings::new() };
    cluster.call(user(ALICE), &accounts::SetNotify { target: target(), settings: mute }).unwrap();
    let both = cluster
        .call(user(ALICE), &accounts::SetNotify { target: target(), settings: silent })
        .unwrap();
    assert_eq!((both.mute_until, both.silent), (Some(9), Some(true)));
    let users = accounts::GetNotify { target: NotifyTarget::NotifyUsers };
    assert_eq!(cluster.call(user(ALICE), &users).unwrap(), NotifySettings::new());
    cluster.call(user(ALICE), &accounts::ResetNotify {}).unwrap();
    let after = cluster.call(user(ALICE), &accounts::GetNotify { target: target() }).unwrap();
    assert_eq!(after, NotifySettings::new());
}

/// Bytes that are no operation, or one of the other kind, are refused; nothing panics.
#[test]
fn foreign_bytes_are_refused() {
    let cluster = Cluster::new();
    let snapshot = cluster.engine.snapshot();
    let view = View::new(&*snapshot, user(ALICE));
    let write = tl::Encode::to_vec(&contacts::Block { peer: BOB }, storage::RECORD_LAYER);
    let mut cut = tl::Encode::to_vec(&contacts::Get { peers: vec![BOB] }, storage::RECORD_LAYER);
    cut.pop();
    for bytes in [&[][..], &[1, 2, 3], &[0; 64], &[0xff; 64], &write, &cut] {
        let answer = partition::read(&view, UnixTime(START), bytes);
        let refused =
            matches!(answer, Err(Failure::Refused(services::Error::Refused(Refusal::Internal))));
        assert!(refused, "{bytes:?}: {answer:?}");
    }
    assert_eq!(partition::describe(&write), Some((partition::Kind::Write, "contacts.block")));
    assert_eq!(Origin::default(), Origin { auth_key_id: 0, session_id: 0 });
}
