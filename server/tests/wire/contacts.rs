//! People: contacts, the address book, blocking, usernames, finding and looking at each other.

use tl::api::{enums, functions, types};

use crate::common::{Person, TestServer};

use functions::contacts as api;
use functions::{account, messages, users};

fn user(id: i64) -> enums::Peer {
    types::PeerUser::new(id).into()
}

fn found(user: &enums::User<'static>) -> types::User<'static> {
    match user {
        enums::User::User(user) => user.clone(),
        other => panic!("nobody: {other:?}"),
    }
}

/// Takes a number into the address book; who was found.
async fn import(person: &mut Person, phone: &str, name: &str) -> Option<types::User<'static>> {
    let entry = types::InputPhoneContact::new(7, phone, name, "");
    let done = person.ask(&api::ImportContacts::new(vec![entry])).await;
    assert_eq!(done.imported.len(), done.users.len());
    assert!(done.imported.iter().all(|imported| imported.client_id == 7));
    done.users.first().map(found)
}

async fn contacts(person: &mut Person) -> Vec<(i64, bool)> {
    match person.ask(&api::GetContacts::new(0)).await {
        enums::contacts::Contacts::Contacts(list) => {
            assert_eq!(list.contacts.len(), list.users.len());
            list.contacts.iter().map(|contact| (contact.user_id, contact.mutual)).collect()
        }
        enums::contacts::Contacts::ContactsNotModified => panic!("no hash was given"),
    }
}

/// `contacts.importContacts`, `contacts.getContacts`, `contacts.getContactIDs`: numbers become contacts under one's own names.
#[tokio::test]
async fn an_address_book_becomes_contacts() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let here = import(&mut alice, &format!("+{}", bob.phone), "Bobby").await.expect("Bob");
    assert_eq!((here.id, here.first_name), (bob.id, Some("Bobby")));
    assert!(here.contact && !here.mutual_contact && here.access_hash.is_some());
    assert_eq!(contacts(&mut alice).await, [(bob.id, false)]);
    let back = import(&mut bob, &alice.phone.clone(), "Al").await.expect("Alice");
    assert!(back.mutual_contact);
    assert_eq!(contacts(&mut alice).await, [(bob.id, true)]);
    // A number without account is none; one's own neither.
    assert_eq!(import(&mut alice, &server.phone(), "Nobody").await, None);
    let own = alice.phone.clone();
    assert_eq!(import(&mut alice, &own, "Me").await, None);
    let ids = alice.ask(&api::GetContactIDs::new(0)).await;
    assert!(ids.len() <= 1, "as far as they fit");
    // The same list again is not sent.
    let get = api::GetContacts::new(bob.id);
    let same = alice.ask(&get).await;
    assert!(matches!(same, enums::contacts::Contacts::ContactsNotModified));
}

/// Somebody in the address book signs up: a contact, and a message about it.
#[tokio::test]
async fn friends_join() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let phone = server.phone();
    assert_eq!(import(&mut alice, &phone, "Old friend").await, None);
    let friend = Person::sign_up(server.client().await, phone, "Frieda").await;
    let joined = alice
        .wait_update(|update| match update {
            enums::Update::UpdateNewMessage(new) => match &new.message {
                enums::Message::MessageService(message) => Some(message.clone()),
                _ => None,
            },
            _ => None,
        })
        .await;
    assert_eq!(joined.peer_id, user(friend.id));
    assert!(matches!(joined.action, enums::MessageAction::MessageActionContactSignUp));
    assert_eq!(contacts(&mut alice).await.first().map(|(id, _)| *id), Some(friend.id));
}

/// `contacts.addContact`, `contacts.acceptContact`, `contacts.deleteContacts`, `contacts.deleteByPhones`.
#[tokio::test]
async fn contacts_come_and_go() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let bob = server.person("Bob").await;
    let to_bob = alice.user(&bob).await;
    let add = |first_name| api::AddContact::new(to_bob.clone(), first_name, "", "");
    assert_eq!(alice.refused(&add("")).await, "CONTACT_NAME_EMPTY");
    let enums::Updates::Updates(done) = alice.ask(&add("Robert")).await else { panic!() };
    assert_eq!(found(&done.users[0]).first_name, Some("Robert"));
    alice.ask(&add("Bob the")).await;
    assert_eq!(contacts(&mut alice).await, [(bob.id, false)]);
    let myself = api::AddContact::new(enums::InputUser::InputUserSelf, "Me", "", "");
    assert_eq!(alice.refused(&myself).await, "CONTACT_ID_INVALID");

    alice.ask(&api::DeleteContacts::new(vec![to_bob.clone()])).await;
    assert!(contacts(&mut alice).await.is_empty());
    alice.ask(&api::AcceptContact::new(to_bob.clone())).await;
    let again = alice.ask(&users::GetUsers::new(vec![to_bob])).await;
    assert_eq!(found(&again[0]).first_name, Some("Bob"), "by the own name");
    import(&mut alice, &bob.phone, "B").await;
    assert!(alice.ask(&functions::contacts::DeleteByPhones::new(vec![&bob.phone])).await);
    assert!(contacts(&mut alice).await.is_empty());
}

/// `contacts.block`, `contacts.unblock`, `contacts.getBlocked`: neither side writes to the other.
#[tokio::test]
async fn blocked_people_do_not_write() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let (to_bob, to_alice) = (alice.peer(&bob).await, bob.peer(&alice).await);
    assert!(alice.ask(&api::Block::new(to_bob.clone())).await);
    let write = |peer: &enums::InputPeer| messages::SendMessage::new(peer.clone(), "hello", 5);
    // What was blocked reaches the other box by delivery, so Bob asks until it has.
    let refused = loop {
        match bob.call(&write(&to_alice)).await {
            Ok(_) => {}
            Err(error) => break error.text,
        }
    };
    assert_eq!(refused, "USER_IS_BLOCKED");
    assert_eq!(alice.refused(&write(&to_bob)).await, "YOU_BLOCKED_USER");
    let blocked = match alice.ask(&api::GetBlocked::new(0, 10)).await {
        enums::contacts::Blocked::Blocked(all) => all.blocked,
        other => panic!("{other:?}"),
    };
    assert_eq!(blocked.iter().map(|one| one.peer_id.clone()).collect::<Vec<_>>(), [user(bob.id)]);
    assert_eq!(alice.refused(&api::GetBlocked::new(0, -1)).await, "LIMIT_INVALID");
    let myself = api::Block::new(enums::InputPeer::InputPeerSelf);
    assert_eq!(alice.refused(&myself).await, "PEER_ID_INVALID");
    assert!(alice.ask(&api::Unblock::new(to_bob.clone())).await);
    alice.say(&to_bob, "sorry").await;
    bob.next_message().await;
    loop {
        let random_id = bob.random_id();
        let again = messages::SendMessage::new(to_alice.clone(), "fine", random_id);
        if bob.call(&again).await.is_ok() {
            break;
        }
    }
}

/// `account.checkUsername`, `account.updateUsername`, `contacts.resolveUsername`, `contacts.search`.
#[tokio::test]
async fn usernames_lead_to_people() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    assert!(alice.ask(&account::CheckUsername::new("alice_smith")).await);
    for bad in ["a", "1alice", "with space", "ünicode", &*"x".repeat(33)] {
        let text = alice.refused(&account::UpdateUsername::new(bad)).await;
        assert_eq!(text, "USERNAME_INVALID", "{bad}");
    }
    let own = found(&alice.ask(&account::UpdateUsername::new("Alice_Smith")).await);
    assert_eq!(own.username, Some("Alice_Smith"));
    let same = account::UpdateUsername::new("Alice_Smith");
    assert_eq!(alice.refused(&same).await, "USERNAME_NOT_MODIFIED");
    assert_eq!(
        bob.refused(&account::UpdateUsername::new("alice_smith")).await,
        "USERNAME_OCCUPIED"
    );
    assert!(!bob.ask(&account::CheckUsername::new("ALICE_SMITH")).await);

    let resolved = bob.ask(&api::ResolveUsername::new("aLiCe_sMiTh")).await;
    assert_eq!(resolved.peer, user(alice.id));
    let hash = found(&resolved.users[0]).access_hash.expect("to write to her");
    bob.say(&types::InputPeerUser::new(alice.id, hash).into(), "found you").await;
    let search = bob.ask(&api::Search::new("alice_smith", 10)).await;
    assert_eq!(search.results, [user(alice.id)]);
    import(&mut bob, &alice.phone.clone(), "Alice Wonder").await;
    let search = bob.ask(&api::Search::new("wonder", 10)).await;
    assert_eq!(search.my_results, [user(alice.id)]);

    // Given up, it is free, and the old one leads nowhere.
    alice.ask(&account::UpdateUsername::new("")).await;
    loop {
        match bob.call(&api::ResolveUsername::new("alice_smith")).await {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.text, "USERNAME_NOT_OCCUPIED");
                break;
            }
        }
    }
    assert_eq!(
        bob.refused(&api::ResolveUsername::new("nobody_here")).await,
        "USERNAME_NOT_OCCUPIED"
    );
    let taken = found(&bob.ask(&account::UpdateUsername::new("alice_smith")).await);
    assert_eq!(taken.username, Some("alice_smith"));
}

/// `contacts.resolvePhone`: found by number, unless that is not wanted (`account.setPrivacy`).
#[tokio::test]
async fn numbers_lead_to_people_who_allow_it() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let resolve =
        |phone: &str| api::ResolvePhone::new(Box::leak(phone.to_owned().into_boxed_str()));
    assert_eq!(bob.ask(&resolve(&alice.phone)).await.peer, user(alice.id));
    assert_eq!(bob.refused(&resolve(&server.phone())).await, "PHONE_NOT_OCCUPIED");
    let key = enums::InputPrivacyKey::InputPrivacyKeyAddedByPhone;
    let contacts_only = vec![enums::InputPrivacyRule::InputPrivacyValueAllowContacts];
    alice.ask(&account::SetPrivacy::new(key, contacts_only)).await;
    assert_eq!(bob.refused(&resolve(&alice.phone)).await, "PHONE_NOT_OCCUPIED");
}

/// `users.getUsers`, `users.getFullUser`, `users.getRequirementsToContact`: what one may see of others.
#[tokio::test]
async fn people_are_looked_at() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let about =
        account::UpdateProfile { about: Some("builds things"), ..account::UpdateProfile::new() };
    bob.ask(&about).await;
    let (to_bob, me) = (alice.user(&bob).await, enums::InputUser::InputUserSelf);
    let seen = alice.ask(&users::GetUsers::new(vec![me.clone(), to_bob.clone()])).await;
    assert!(found(&seen[0]).self_ && found(&seen[0]).phone.is_some());
    assert_eq!(found(&seen[1]).first_name, Some("Bob"));
    assert_eq!(found(&seen[1]).phone, None, "numbers are for contacts");
    let full = alice.ask(&users::GetFullUser::new(to_bob.clone())).await;
    assert_eq!((full.full_user.id, full.full_user.about), (bob.id, Some("builds things")));
    assert!(full.users.iter().any(|user| found(user).id == bob.id));
    let none = alice.ask(&users::GetRequirementsToContact::new(vec![to_bob])).await;
    assert_eq!(none.len(), 1);
    // The service user is there for everybody.
    let own = alice.ask(&users::GetFullUser::new(me)).await;
    assert_eq!(own.full_user.id, alice.id);
}

/// `contacts.getStatuses`: when contacts were there.
#[tokio::test]
async fn statuses_of_contacts() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    import(&mut alice, &bob.phone.clone(), "Bob").await;
    bob.ask(&account::UpdateStatus::new(false)).await;
    let statuses = alice.ask(&api::GetStatuses {}).await;
    assert_eq!(statuses.len(), 1);
    assert_eq!(statuses[0].user_id, bob.id);
    assert!(matches!(statuses[0].status, enums::UserStatus::UserStatusOnline(_)));
}
