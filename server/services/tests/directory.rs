//! Phone numbers, login codes, usernames, keys: each test is a list of calls and what they answer.

mod common;

use common::{ALICE, BOB, Cluster, user};
use services::limits::{
    CODE_ATTEMPT_COUNT_MAX, CODE_RESEND_COUNT_MAX, CODE_SENT_COUNT_MAX, CODE_WINDOW_S,
    CODE_WRONG_COUNT_MAX, UNUSED_KEY_LIFETIME_S,
};
use storage::limits::CHORE_LIST_COUNT;
use storage::{AuthKeyId, Owner};
use tl::operations::enums::{Effect, Refusal};
use tl::operations::functions::{accounts, chores, contacts, directory, keys, mailbox, usernames};
use tl::operations::types::{
    EffectAuthorizationsEnded, EffectKeyLoggedOut, EffectKeysDestroyed, FloodWait,
    directory::Checked,
};
use tl::records::enums::{Action, Chore};
use tl::records::types::Client;

const PHONE: &str = "9996612345";
const KEY: i64 = 77;

fn phone() -> Owner {
    Owner::phone(PHONE)
}

fn send_code(cluster: &mut Cluster, hash: &str) -> Result<(), Refusal> {
    let send =
        directory::SendCode { code_hash: hash, code: "12345", auth_key_id: KEY, lifetime_s: 300 };
    cluster.call(phone(), &send).map(|_| ())
}

fn check(cluster: &mut Cluster, hash: &str, code: &str, expected: Result<Checked, Refusal>) {
    let check = directory::CheckCode { code_hash: hash, code, auth_key_id: KEY };
    assert_eq!(cluster.call(phone(), &check), expected, "{hash} {code}");
}

const RIGHT: Checked = Checked { valid: true, user_id: None };
const WRONG: Checked = Checked { valid: false, user_id: None };

#[test]
fn code_allows_sign_up_once_and_only_for_its_key() {
    let mut cluster = Cluster::new();
    send_code(&mut cluster, "h").unwrap();
    let claim = |auth_key_id, user_id| directory::Claim { code_hash: "h", auth_key_id, user_id };
    assert_eq!(cluster.call(phone(), &claim(KEY, ALICE)), Err(Refusal::PhoneCodeInvalid));
    check(&mut cluster, "h", "54321", Ok(WRONG));
    let foreign = directory::CheckCode { code_hash: "h", code: "12345", auth_key_id: KEY + 1 };
    assert_eq!(cluster.call(phone(), &foreign), Err(Refusal::PhoneCodeExpired));
    check(&mut cluster, "h", "12345", Ok(RIGHT));
    let may = directory::MaySignUp { code_hash: "h", auth_key_id: KEY };
    assert!(cluster.call(phone(), &may).is_ok());
    assert_eq!(cluster.call(phone(), &claim(KEY + 1, ALICE)), Err(Refusal::PhoneCodeExpired));
    assert!(cluster.call(phone(), &claim(KEY, ALICE)).is_ok());
    assert!(cluster.call(phone(), &claim(KEY, ALICE)).is_ok());
    assert_eq!(cluster.call(phone(), &claim(KEY, BOB)), Err(Refusal::PhoneNumberOccupied));
    assert_eq!(cluster.call(phone(), &directory::Lookup {}).unwrap().user_id, Some(ALICE));
    // With an account a code is used up by its first right entry.
    send_code(&mut cluster, "i").unwrap();
    check(&mut cluster, "i", "12345", Ok(Checked { valid: true, user_id: Some(ALICE) }));
    check(&mut cluster, "i", "12345", Err(Refusal::PhoneCodeExpired));
}

#[test]
fn codes_expire_by_time_by_wrong_entries_and_by_cancelling() {
    let mut cluster = Cluster::empty();
    send_code(&mut cluster, "a").unwrap();
    cluster.now += 300;
    check(&mut cluster, "a", "12345", Err(Refusal::PhoneCodeExpired));
    send_code(&mut cluster, "b").unwrap();
    for _ in 0..CODE_ATTEMPT_COUNT_MAX {
        check(&mut cluster, "b", "0", Ok(WRONG));
    }
    check(&mut cluster, "b", "12345", Err(Refusal::PhoneCodeExpired));
    send_code(&mut cluster, "c").unwrap();
    let cancel = directory::CancelCode { code_hash: "c", auth_key_id: KEY };
    assert!(cluster.call(phone(), &cancel).is_ok());
    assert_eq!(cluster.call(phone(), &cancel), Err(Refusal::PhoneCodeExpired));
    check(&mut cluster, "c", "12345", Err(Refusal::PhoneCodeExpired));
}

#[test]
fn codes_and_wrong_entries_are_bounded_until_a_login_or_the_window_ends() {
    let mut cluster = Cluster::empty();
    for at in 0..CODE_SENT_COUNT_MAX {
        send_code(&mut cluster, &format!("{at}")).unwrap();
    }
    cluster.now += 10;
    let wait = Refusal::from(FloodWait { wait_s: CODE_WINDOW_S - 10 });
    assert_eq!(send_code(&mut cluster, "x"), Err(wait));
    // A login clears the count.
    let last = format!("{}", CODE_SENT_COUNT_MAX - 1);
    check(&mut cluster, &last, "12345", Ok(RIGHT));
    send_code(&mut cluster, "y").unwrap();
    // Wrong entries count across codes.
    let mut wrong = 0;
    for at in 0.. {
        send_code(&mut cluster, &format!("w{at}")).unwrap();
        for _ in 0..CODE_ATTEMPT_COUNT_MAX {
            check(&mut cluster, &format!("w{at}"), "0", Ok(WRONG));
            wrong += 1;
        }
        if wrong >= CODE_WRONG_COUNT_MAX {
            break;
        }
    }
    assert!(matches!(send_code(&mut cluster, "z"), Err(Refusal::FloodWait(_))));
    let right = directory::CheckCode { code_hash: "y", code: "12345", auth_key_id: KEY };
    assert!(matches!(
        cluster.call(phone(), &right),
        Err(Refusal::FloodWait(_) | Refusal::PhoneCodeExpired)
    ));
    cluster.now += CODE_WINDOW_S;
    send_code(&mut cluster, "z").unwrap();
}

#[test]
fn the_same_code_is_sent_again_a_few_times() {
    let mut cluster = Cluster::empty();
    send_code(&mut cluster, "a").unwrap();
    let resend = directory::ResendCode { code_hash: "a", auth_key_id: KEY };
    for resends in 1..=CODE_RESEND_COUNT_MAX {
        let sent = cluster.call(phone(), &resend).unwrap();
        assert_eq!((sent.code.as_str(), sent.resends), ("12345", resends));
    }
    assert_eq!(cluster.call(phone(), &resend), Err(Refusal::SendCodeUnavailable));
}

#[test]
fn who_awaits_a_number_learns_of_the_sign_up() {
    let mut cluster = Cluster::new();
    let remember = contacts::Remember { phone: PHONE, first_name: "Dave", last_name: "" };
    cluster.call(user(ALICE), &remember).unwrap();
    cluster.call(phone(), &directory::Reserve { user_id: 1_000_000_009 }).unwrap();
    let list = cluster.call(user(ALICE), &contacts::List {}).unwrap();
    assert_eq!(list.peers.len(), 1);
    let contact = list.peers[0].relation.contact.clone().unwrap();
    assert_eq!(
        (list.peers[0].peer, &*contact.first_name, &*contact.phone),
        (1_000_000_009, "Dave", PHONE)
    );
    let chats =
        cluster.call(user(ALICE), &mailbox::GetChats { peers: vec![1_000_000_009] }).unwrap();
    assert_eq!(chats.chats[0].top.clone().unwrap().action, Some(Action::ActionContactSignUp));
    assert_eq!(chats.chats[0].unread_count, 1);
    // Somebody who asks later is told at once.
    cluster.call(user(BOB), &remember).unwrap();
    assert_eq!(cluster.call(user(BOB), &contacts::List {}).unwrap().peers.len(), 1);
}

#[test]
fn usernames_have_one_owner_whatever_the_case() {
    let mut cluster = Cluster::new();
    let name = || Owner::username("Baudot");
    assert!(cluster.call(name(), &usernames::Claim { peer: ALICE }).is_ok());
    assert!(cluster.call(name(), &usernames::Claim { peer: ALICE }).is_ok());
    let other = Owner::username("bAUDOT");
    assert_eq!(
        cluster.call(other, &usernames::Claim { peer: BOB }),
        Err(Refusal::UsernameOccupied)
    );
    let bad = Owner::username("1x");
    assert_eq!(cluster.call(bad, &usernames::Claim { peer: BOB }), Err(Refusal::UsernameInvalid));
    cluster.call(user(ALICE), &accounts::SetUsername { username: "Baudot" }).unwrap();
    let again = cluster.call(user(ALICE), &accounts::SetUsername { username: "Baudot" });
    assert_eq!(again, Err(Refusal::UsernameNotModified));
    // Another case keeps the name, another name releases it.
    cluster.call(user(ALICE), &accounts::SetUsername { username: "baudot" }).unwrap();
    assert_eq!(cluster.call(name(), &usernames::Lookup {}).unwrap().peer, Some(ALICE));
    cluster.call(user(ALICE), &accounts::SetUsername { username: "" }).unwrap();
    assert_eq!(cluster.call(name(), &usernames::Lookup {}).unwrap().peer, None);
}

fn key(id: i64) -> Owner {
    Owner::AuthKey(AuthKeyId(id))
}

fn create(cluster: &mut Cluster, id: i64, expires_in: Option<i32>) {
    let create = keys::Create { key: &[7; 256], salt: 5, expires_in };
    cluster.call(key(id), &create).unwrap();
    assert_eq!(cluster.call(key(id), &create), Err(Refusal::AuthKeyInvalid));
}

#[test]
fn temporary_keys_act_for_a_permanent_one_until_they_expire() {
    let mut cluster = Cluster::new();
    create(&mut cluster, 1, None);
    create(&mut cluster, 2, Some(1000));
    create(&mut cluster, 3, Some(2000));
    let end = cluster.now + 1000;
    let bind = |perm, expires_at| keys::Bind { perm_auth_key_id: perm, expires_at };
    assert_eq!(cluster.call(key(1), &bind(9, end)), Err(Refusal::TempAuthKeyEmpty));
    assert_eq!(cluster.call(key(2), &bind(1, end + 1000)), Err(Refusal::ExpiresAtInvalid));
    assert_eq!(cluster.call(key(2), &bind(1, end - 1000)), Err(Refusal::ExpiresAtInvalid));
    assert_eq!(cluster.call(key(9), &bind(1, end)), Err(Refusal::AuthKeyInvalid));
    for _ in 0..2 {
        assert_eq!(cluster.call(key(2), &bind(1, end)).unwrap().bound_to, Some(1));
    }
    cluster.call(key(3), &bind(1, end + 500)).unwrap();
    assert_eq!(cluster.call(key(2), &bind(3, end)), Err(Refusal::TempAuthKeyAlreadyBound));
    assert_eq!(cluster.call(key(1), &keys::GetBound {}).unwrap().auth_key_ids, [2, 3]);
    cluster.now = end;
    assert_eq!(cluster.call(key(2), &keys::Get {}), Err(Refusal::AuthKeyInvalid));
    assert_eq!(cluster.call(key(1), &keys::GetBound {}).unwrap().auth_key_ids, [3]);
    cluster.call(key(1), &keys::Destroy {}).unwrap();
    assert_eq!(cluster.call(key(3), &keys::Get {}), Err(Refusal::AuthKeyInvalid));
    let destroyed = Effect::from(EffectKeysDestroyed { auth_key_ids: vec![3] });
    assert!(cluster.effects(&key(3)).contains(&destroyed));
}

/// The keys that are to be looked at, and when.
fn keys_due(cluster: &mut Cluster) -> Vec<(i32, i64)> {
    let ask = chores::List { before: i32::MAX, limit: 100 };
    let mut due = Vec::new();
    for list in 0..CHORE_LIST_COUNT {
        for entry in cluster.call(Owner::Chores(list), &ask).unwrap().entries {
            let Chore::ChoreKey(chore) = entry.chore else { continue };
            due.push((entry.due, chore.auth_key_id));
        }
    }
    due.sort_unstable();
    due
}

/// Anybody makes keys: those that are of use to nobody go, and no others.
#[test]
fn keys_of_use_to_nobody_go() {
    let mut cluster = Cluster::new();
    let expire = |cluster: &mut Cluster, id| cluster.call(key(id), &keys::Expire {}).unwrap().due;
    let is_there = |cluster: &mut Cluster, id| cluster.call(key(id), &keys::Get {}).is_ok();
    let begun = cluster.now;
    create(&mut cluster, 1, None);
    create(&mut cluster, 2, None);
    create(&mut cluster, 3, None);
    create(&mut cluster, 4, Some(UNUSED_KEY_LIFETIME_S + 10));
    create(&mut cluster, 5, Some(10));
    let end = begun + UNUSED_KEY_LIFETIME_S + 10;
    let bind = keys::Bind { perm_auth_key_id: 2, expires_at: end };
    cluster.call(key(4), &bind).unwrap();
    cluster.call(key(3), &keys::Login { user_id: ALICE }).unwrap();
    // Each is looked at when it may be over.
    let unused = begun + UNUSED_KEY_LIFETIME_S;
    let due = [(begun + 10, 5), (unused, 1), (unused, 2), (unused, 3), (end, 4)];
    assert_eq!(keys_due(&mut cluster), due);

    assert_eq!(expire(&mut cluster, 5), begun + 10, "too early");
    cluster.now = begun + 10;
    assert_eq!(expire(&mut cluster, 5), 0);
    cluster.now = unused;
    assert_eq!(expire(&mut cluster, 1), 0);
    assert!(!is_there(&mut cluster, 1), "of use to nobody");
    assert_eq!(expire(&mut cluster, 2), unused + UNUSED_KEY_LIFETIME_S);
    assert!(is_there(&mut cluster, 2), "another acts for it");
    assert_eq!(expire(&mut cluster, 3), 0);
    assert!(is_there(&mut cluster, 3), "somebody is logged in");
    assert_eq!(expire(&mut cluster, 4), end);
    cluster.now = end;
    assert_eq!(expire(&mut cluster, 4), 0);
    assert_eq!(expire(&mut cluster, 2), 0);
    assert!(!is_there(&mut cluster, 2), "no more");
    cluster.call(key(3), &keys::Logout { user_id: ALICE }).unwrap();
    assert!(keys_due(&mut cluster).contains(&(end + UNUSED_KEY_LIFETIME_S, 3)));
    assert!(is_there(&mut cluster, 3));
    for id in [1, 2, 4, 5, 6] {
        assert_eq!(expire(&mut cluster, id), 0, "what is gone stays so");
        assert_eq!(cluster.call(key(id), &keys::Get {}), Err(Refusal::AuthKeyInvalid));
    }
}

fn client() -> Client {
    let text = || "x".to_owned();
    Client::new(230, 1, text(), text(), text(), text(), text(), text())
}

fn authorize(cluster: &mut Cluster, id: i64) {
    create(cluster, id, None);
    let authorize =
        accounts::Authorize { hash: id * 10, auth_key_id: id, ip: "::1", client: client() };
    cluster.call(user(ALICE), &authorize).unwrap();
    cluster.call(key(id), &keys::Login { user_id: ALICE }).unwrap();
}

#[test]
fn ended_authorizations_take_the_user_from_their_keys() {
    let mut cluster = Cluster::new();
    for id in 1..=4 {
        authorize(&mut cluster, id);
        cluster.now += 1;
    }
    let user_of = |cluster: &mut Cluster, id| cluster.call(key(id), &keys::Get {}).unwrap().user_id;
    let ended =
        |ids: &[i64]| Effect::from(EffectAuthorizationsEnded { auth_key_ids: ids.to_vec() });
    let all = cluster.call(user(ALICE), &accounts::GetAuthorizations {}).unwrap().authorizations;
    assert_eq!(all.iter().map(|one| one.auth_key_id).collect::<Vec<_>>(), [4, 3, 2, 1]);
    cluster.forget();
    cluster.call(user(ALICE), &accounts::LogOut { auth_key_id: 1 }).unwrap();
    assert_eq!(user_of(&mut cluster, 1), None);
    assert_eq!(cluster.effects(&user(ALICE)), [ended(&[1])]);
    let logged_out = Effect::from(EffectKeyLoggedOut { auth_key_id: 1 });
    assert_eq!(cluster.effects(&key(1)), [logged_out]);
    let end = accounts::EndAuthorization { hash: 20 };
    cluster.call(user(ALICE), &end).unwrap();
    assert_eq!(cluster.call(user(ALICE), &end), Err(Refusal::HashInvalid));
    assert_eq!((user_of(&mut cluster, 2), user_of(&mut cluster, 3)), (None, Some(ALICE)));
    cluster.call(user(ALICE), &accounts::EndOtherAuthorizations { auth_key_id: 3 }).unwrap();
    assert_eq!((user_of(&mut cluster, 3), user_of(&mut cluster, 4)), (Some(ALICE), None));
    let touch = |auth_key_id| accounts::Touch { auth_key_id, ip: "::1", client: client() };
    assert_eq!(cluster.call(user(ALICE), &touch(4)), Err(Refusal::AuthKeyUnregistered));
    assert!(cluster.call(user(ALICE), &touch(3)).is_ok());
    // A key that logs in as somebody else leaves the first user, whose sessions need not be told.
    cluster.forget();
    cluster.call(key(4), &keys::Login { user_id: ALICE }).unwrap();
    cluster.call(key(4), &keys::Login { user_id: BOB }).unwrap();
    assert_eq!((user_of(&mut cluster, 4), cluster.effects(&user(ALICE))), (Some(BOB), vec![]));
    // A key that its client destroys takes its authorization along.
    cluster.call(key(3), &keys::Destroy {}).unwrap();
    assert!(
        cluster
            .call(user(ALICE), &accounts::GetAuthorizations {})
            .unwrap()
            .authorizations
            .is_empty()
    );
}
