//! Every bound that other tests of this package do not name: what is within is done, what is beyond is refused or left out.

mod common;

use common::media::{Bytes, attached, document_file, own, photo_file};
use common::{ALICE, BOB, CAROL, Cluster, START, user};
use services::limits::*;
use services::tables;
use storage::{AuthKeyId, Desc, MessageId, Order, Owner, Pts, Read as _, View, limits};
use tl::operations::enums::{Effect, Filter, Refusal, mailbox::Difference};
use tl::operations::functions::{
    accounts, chores, contacts, directory, files, keys, mailbox, uploads, usernames,
};
use tl::operations::types::ReplyTo;
use tl::records::enums::{EntityKind, PrivacyKey, PrivacyRule};
use tl::records::types::{
    ChangeNewMessage, ChangeReadContents, ChoreData, Client, Contact, Dialog, Draft, Entity, Event,
    Message, MessageRef, PinnedDialogs, Relation, RuleAllowUsers,
};

/// Users who have no account.
fn stranger(number: usize) -> i64 {
    1_000_001_000 + i64::try_from(number).unwrap()
}

fn int(count: usize) -> i32 {
    i32::try_from(count).unwrap()
}

// ===== Accounts =====

#[test]
fn names_and_texts_about_oneself() {
    let mut cluster = Cluster::new();
    for (len, is_ok) in [(NAME_LEN_MAX, true), (NAME_LEN_MAX + 1, false)] {
        let name = "ä".repeat(len);
        let first =
            accounts::UpdateProfile { first_name: Some(&name), ..accounts::UpdateProfile::new() };
        let last =
            accounts::UpdateProfile { last_name: Some(&name), ..accounts::UpdateProfile::new() };
        assert_eq!(cluster.call(user(ALICE), &first).is_ok(), is_ok, "{len}");
        assert_eq!(cluster.call(user(ALICE), &last).is_ok(), is_ok, "{len}");
        let add = contacts::Add { peer: BOB, phone: "", first_name: &name, last_name: "" };
        assert_eq!(cluster.call(user(ALICE), &add).is_ok(), is_ok, "{len}");
    }
    for (len, is_ok) in [(ABOUT_LEN_MAX, true), (ABOUT_LEN_MAX + 1, false)] {
        let about = "ä".repeat(len);
        let update =
            accounts::UpdateProfile { about: Some(&about), ..accounts::UpdateProfile::new() };
        assert_eq!(cluster.call(user(ALICE), &update).is_ok(), is_ok, "{len}");
    }
    for (len, is_ok) in [
        (USERNAME_LEN_MIN - 1, false),
        (USERNAME_LEN_MIN, true),
        (USERNAME_LEN_MAX, true),
        (USERNAME_LEN_MAX + 1, false),
    ] {
        let name = Owner::username(&"a".repeat(len));
        let claim = usernames::Claim { peer: ALICE };
        assert_eq!(cluster.call(name, &claim).is_ok(), is_ok, "{len}");
    }
    for (id, is_ok) in [
        (USER_ID_MIN - 1, false),
        (USER_ID_MIN, true),
        (USER_ID_MAX, true),
        (USER_ID_MAX + 1, false),
    ] {
        let phone = format!("{id}");
        let create = accounts::Create { phone: &phone, first_name: "A", last_name: "" };
        assert_eq!(cluster.call(user(id), &create).is_ok(), is_ok, "{id}");
    }
}

#[test]
fn privacy_rules_and_the_users_they_name() {
    let mut cluster = Cluster::new();
    let users = (0..=PRIVACY_USER_COUNT_MAX).map(stranger).collect();
    let mut rules = vec![PrivacyRule::from(RuleAllowUsers { users })];
    rules.resize(PRIVACY_RULE_COUNT_MAX + 1, PrivacyRule::RuleAllowAll);
    let set = accounts::SetPrivacy { key: PrivacyKey::PrivacyStatus, rules };
    let kept = cluster.call(user(ALICE), &set).unwrap().rules;
    assert_eq!(kept.len(), PRIVACY_RULE_COUNT_MAX);
    let PrivacyRule::RuleAllowUsers(named) = &kept[0] else { panic!("{kept:?}") };
    assert_eq!(named.users.len(), PRIVACY_USER_COUNT_MAX);
}

#[test]
fn only_so_many_are_told_of_a_change() {
    let mut cluster = Cluster::new();
    // Half of them have the user in their address book, the others chat with it.
    cluster.rows(&user(ALICE), |txn| {
        for number in 0..AUDIENCE_COUNT_MAX / 2 + 1 {
            let relation = Relation { knows_me: true, ..Relation::new() };
            txn.put(tables::RELATIONS, &stranger(number), &relation);
            let dialog = Dialog::new(0, 0, 0, 0, 0, 0, 0, 0);
            txn.put(tables::DIALOGS, &stranger(AUDIENCE_COUNT_MAX + number), &dialog);
        }
    });
    cluster.call(user(ALICE), &accounts::SetPresence { offline: false }).unwrap();
    let told = cluster.effects(&user(ALICE));
    let [Effect::EffectPresence(told)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(told.audience.len(), AUDIENCE_COUNT_MAX);
}

fn client() -> Client {
    let text = || "x".to_owned();
    Client::new(230, 1, text(), text(), text(), text(), text(), text())
}

#[test]
fn the_device_used_least_recently_gives_way() {
    let mut cluster = Cluster::new();
    let count = i64::try_from(AUTHORIZATION_COUNT_MAX).unwrap();
    let all = |cluster: &mut Cluster| {
        let all = cluster.call(user(ALICE), &accounts::GetAuthorizations {}).unwrap();
        all.authorizations.iter().map(|one| (one.auth_key_id, one.active)).collect::<Vec<_>>()
    };
    for id in 1..=count {
        cluster.now += 1;
        let authorize =
            accounts::Authorize { hash: id, auth_key_id: id, ip: "::1", client: client() };
        cluster.call(user(ALICE), &authorize).unwrap();
    }
    assert_eq!(all(&mut cluster).len(), AUTHORIZATION_COUNT_MAX);
    // The first one is used again, but that is noted only now and then.
    let touch = accounts::Touch { auth_key_id: 1, ip: "::1", client: client() };
    for (after_s, noted) in [(AUTHORIZATION_TOUCH_S - 1, false), (AUTHORIZATION_TOUCH_S, true)] {
        cluster.now = START + 1 + after_s;
        cluster.call(user(ALICE), &touch).unwrap();
        assert_eq!(all(&mut cluster).contains(&(1, cluster.now)), noted, "{after_s}");
    }
    let one_more =
        accounts::Authorize { hash: 0, auth_key_id: count + 1, ip: "::1", client: client() };
    cluster.call(user(ALICE), &one_more).unwrap();
    let left: Vec<_> = all(&mut cluster).into_iter().map(|(id, _)| id).collect();
    assert_eq!(left.len(), AUTHORIZATION_COUNT_MAX);
    assert!(left.contains(&1) && !left.contains(&2), "{left:?}");
}

fn key(id: i64) -> Owner {
    Owner::AuthKey(AuthKeyId(id))
}

#[test]
fn the_temporary_key_that_expires_first_gives_way() {
    let mut cluster = Cluster::new();
    let create = |expires_in| keys::Create { expires_in, ..keys::Create::new(&[7; 256], 5) };
    cluster.call(key(1), &create(None)).unwrap();
    let life_s = 10_000;
    let bind = |expires_at| keys::Bind { perm_auth_key_id: 1, expires_at };
    let last = 2 + i64::try_from(BOUND_KEY_COUNT_MAX).unwrap();
    for id in 2..=last {
        cluster.call(key(id), &create(Some(life_s + i32::try_from(id).unwrap()))).unwrap();
        let end = START + life_s + i32::try_from(id).unwrap();
        // Clients' clocks differ a little, but a binding does not make the key live longer.
        let beyond = cluster.call(key(id), &bind(end + BIND_SLACK_S + 1));
        assert_eq!(beyond, Err(Refusal::ExpiresAtInvalid));
        let bound = cluster.call(key(id), &bind(end + BIND_SLACK_S)).unwrap();
        assert_eq!(bound.expires_at, Some(end));
    }
    let bound = cluster.call(key(1), &keys::GetBound {}).unwrap().auth_key_ids;
    assert_eq!(bound, (3..=last).collect::<Vec<_>>());
    assert_eq!(cluster.call(key(2), &keys::Get {}), Err(Refusal::AuthKeyInvalid));
}

// ===== Contacts =====

#[test]
fn address_books() {
    let mut cluster = Cluster::new();
    let digits = "1".repeat(PHONE_LEN_MAX + 1);
    let add = contacts::Add { peer: BOB, phone: &digits, first_name: "B", last_name: "" };
    cluster.call(user(ALICE), &add).unwrap();
    let kept = cluster.call(user(ALICE), &contacts::List {}).unwrap().peers.remove(0);
    assert_eq!(kept.relation.contact.unwrap().phone.len(), PHONE_LEN_MAX);

    let search = |q, limit| contacts::Search { q, limit };
    let (fits, beyond) = ("b".repeat(QUERY_LEN_MAX), "b".repeat(QUERY_LEN_MAX + 1));
    assert!(cluster.call(user(ALICE), &search(&fits, 1)).is_ok());
    assert_eq!(cluster.call(user(ALICE), &search(&beyond, 1)), Err(Refusal::SearchQueryEmpty));
    let (fits, beyond) = (mailbox_search(&fits), mailbox_search(&beyond));
    assert!(cluster.call(user(ALICE), &fits).is_ok());
    assert_eq!(cluster.call(user(ALICE), &beyond), Err(Refusal::SearchQueryEmpty));

    cluster.rows(&user(ALICE), |txn| {
        for number in 0..=CONTACT_COUNT_MAX {
            let (phone, first_name, last_name) = (String::new(), "Bob".to_owned(), String::new());
            let contact = Contact { phone, first_name, last_name, date: 0 };
            let relation = Relation { contact: Some(contact), ..Relation::new() };
            txn.put(tables::RELATIONS, &stranger(number), &relation);
        }
    });
    let list = cluster.call(user(ALICE), &contacts::List {}).unwrap().peers;
    assert_eq!(list.len(), CONTACT_COUNT_MAX);
    let found = cluster.call(user(ALICE), &search("bob", i32::MAX)).unwrap().peers;
    assert_eq!(found.len(), usize::try_from(PAGE_COUNT_MAX).unwrap());
}

fn mailbox_search(q: &str) -> mailbox::Search<'_> {
    mailbox::Search::new(q, Filter::FilterAll, 0, 0, 0, 0, i32::MAX, 0, 0)
}

// ===== Login codes =====

#[test]
fn codes_of_one_number() {
    let mut cluster = Cluster::empty();
    let phone = Owner::phone("9996612345");
    let send = |cluster: &mut Cluster, hash: &str| {
        cluster.now += 1;
        let send = directory::SendCode {
            code_hash: hash,
            code: "12345",
            auth_key_id: 1,
            lifetime_s: i32::MAX,
        };
        cluster.call(phone.clone(), &send).unwrap();
    };
    let is_live = |cluster: &mut Cluster, hash: &str| {
        let check = directory::CheckCode { code_hash: hash, code: "0", auth_key_id: 1 };
        cluster.call(phone.clone(), &check).is_ok()
    };
    for number in 0..=CODE_LIVE_COUNT_MAX {
        send(&mut cluster, &format!("{number}"));
    }
    assert!(!is_live(&mut cluster, "0"), "the oldest gave way");
    assert!(is_live(&mut cluster, "1"));
    let last = format!("{CODE_LIVE_COUNT_MAX}");
    cluster.now += CODE_LIFETIME_S_MAX - 1;
    assert!(is_live(&mut cluster, &last));
    cluster.now += 1;
    assert!(!is_live(&mut cluster, &last));
}

#[test]
fn only_so_many_learn_of_a_sign_up() {
    let mut cluster = Cluster::empty();
    let phone = Owner::phone("9996612345");
    for number in 0..=AWAITING_COUNT_MAX {
        let awaited = directory::AwaitedBy { user_id: stranger(number) };
        cluster.call(phone.clone(), &awaited).unwrap();
    }
    let snapshot = storage::Engine::snapshot(&cluster.engine);
    let view = View::new(&*snapshot, phone);
    let waiting = view.scan(tables::AWAITED_BY, .., Order::Forward, usize::MAX).unwrap();
    assert_eq!(waiting.len(), AWAITING_COUNT_MAX);
}

// ===== Messages =====

/// Whether `send` is carried out, after it got a number of its own.
fn is_sent(cluster: &mut Cluster, send: mailbox::Send<'_>) -> bool {
    cluster.now += 1;
    let send = mailbox::Send { random_id: i64::from(cluster.now), ..send };
    cluster.call(user(ALICE), &send).is_ok()
}

#[test]
fn what_a_message_holds() {
    let mut cluster = Cluster::new();
    let text = "a".repeat(MESSAGE_LEN_MAX + 1);
    assert!(is_sent(&mut cluster, mailbox::Send::new(BOB, 0, &text[1..])));
    assert!(!is_sent(&mut cluster, mailbox::Send::new(BOB, 0, &text)));
    let entities = |count| Some(vec![Entity::new(EntityKind::EntityBold, 0, 1); count]);
    for (count, is_ok) in [(ENTITY_COUNT_MAX, true), (ENTITY_COUNT_MAX + 1, false)] {
        let send =
            mailbox::Send { entities: entities(count), ..mailbox::Send::new(BOB, 0, "text") };
        assert_eq!(is_sent(&mut cluster, send), is_ok, "{count}");
    }
    for (len, is_ok) in [(QUOTE_LEN_MAX, true), (QUOTE_LEN_MAX + 1, false)] {
        let reply = ReplyTo { quote_text: Some("q".repeat(len)), ..ReplyTo::new(2) };
        let send = mailbox::Send { reply: Some(reply), ..mailbox::Send::new(BOB, 0, "text") };
        assert_eq!(is_sent(&mut cluster, send), is_ok, "{len}");
    }
    for (len, is_told) in [(TYPING_LEN_MAX, true), (TYPING_LEN_MAX + 1, false)] {
        cluster.forget();
        let typing = mailbox::Typing { from: ALICE, action: &vec![1; len] };
        cluster.call(user(BOB), &typing).unwrap();
        assert_eq!(!cluster.effects(&user(BOB)).is_empty(), is_told, "{len}");
    }
}

/// A medium of this length, encoded: a document with a long name, whose file is Alice's.
#[test]
fn how_long_a_medium_is() {
    let mut cluster = Cluster::new();
    for (id, len, is_ok) in [(5, MEDIA_LEN_MAX, true), (6, MEDIA_LEN_MAX + 4, false)] {
        let bytes = Bytes::new(&[7], u64::try_from(id).unwrap());
        let file = |name_len: usize| {
            let name = "n".repeat(name_len);
            let named = tl::records::types::AttributeFilename { name };
            document_file(id, &bytes, vec![named.into()])
        };
        let medium = |name_len| attached(common::media::media_of(&file(name_len), None));
        let name_len = len - medium(1000).len() + 1000;
        assert_eq!(medium(name_len).len(), len);
        cluster.call(user(ALICE), &uploads::Open::new(id, 1000 + id, 1000)).unwrap();
        let hash = bytes.hash(0);
        cluster.call(user(ALICE), &bytes.store(id, 1000 + id, 0, &hash)).unwrap();
        let make = files::Make::new(file(name_len), vec![bytes.part(id)], 1000);
        cluster.call(user(ALICE), &make).unwrap();
        let send = mailbox::Send {
            media: Some(&medium(name_len)),
            source: Some(own(id)),
            ..mailbox::Send::new(BOB, 0, "")
        };
        assert_eq!(is_sent(&mut cluster, send), is_ok, "{len}");
    }
}

/// Puts `count` messages of Bob's into Alice's box without sending them, and answers the least id.
fn fill(cluster: &mut Cluster, count: usize, change: impl Fn(&mut Message)) {
    assert!(is_sent(cluster, mailbox::Send::new(BOB, 0, "text")));
    let history = mailbox::History::new(BOB, 0, 0, 0, 1, 0, 0);
    let sample = cluster.call(user(ALICE), &history).unwrap().messages.remove(0);
    cluster.rows(&user(ALICE), |txn| {
        for id in 10..10 + int(count) {
            let mut message = Message { id, link: id, ..sample.clone() };
            change(&mut message);
            let key = (BOB, Desc(MessageId(id)));
            txn.put(tables::MESSAGES, &key, &message);
            let event = Event::new(1, START, 0, 1, ChangeNewMessage::new(BOB).into());
            txn.put(tables::LOG, &Desc(Pts(id)), &event);
            if message.pinned {
                txn.put(tables::PINS, &key, &MessageRef { id });
            }
        }
    });
}

#[test]
fn what_one_call_is_about() {
    let mut cluster = Cluster::new();
    fill(&mut cluster, DELETE_COUNT_MAX + PIN_BATCH + 1, |message| message.pinned = true);
    let ids: Vec<i32> = (10..).take(FORWARD_COUNT_MAX + 1).collect();
    let random_ids: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
    let forward = |from: usize| {
        mailbox::Forward::new(BOB, ids[from..].to_vec(), random_ids[from..].to_vec(), CAROL)
    };
    assert_eq!(cluster.call(user(ALICE), &forward(0)), Err(Refusal::RandomIdInvalid));
    let sent = cluster.call(user(ALICE), &forward(1)).unwrap().sent;
    assert_eq!(sent.len(), FORWARD_COUNT_MAX);

    let ids = (10..10 + 2 * PAGE_COUNT_MAX).collect();
    let found = cluster.call(user(ALICE), &mailbox::Messages { ids }).unwrap().messages;
    assert_eq!(found.len(), usize::try_from(PAGE_COUNT_MAX).unwrap());

    let unpinned = cluster.call(user(ALICE), &mailbox::UnpinAll { peer: BOB }).unwrap();
    assert_eq!((unpinned.pts_count, unpinned.offset), (int(PIN_BATCH), 1));

    let ids = (10..).take(DELETE_COUNT_MAX + 1).collect();
    let delete = mailbox::Delete { revoke: false, ids };
    let gone = cluster.call(user(ALICE), &delete).unwrap();
    assert_eq!(gone.pts_count, int(DELETE_COUNT_MAX));
    let clear = mailbox::DeleteHistory::new(BOB, 0);
    let gone = cluster.call(user(ALICE), &clear).unwrap();
    assert_eq!((gone.pts_count, gone.offset), (int(HISTORY_DELETE_BATCH), 1));
}

#[test]
fn how_far_one_call_looks() {
    let mut cluster = Cluster::new();
    // The oldest one alone has the word.
    fill(&mut cluster, SEARCH_SCAN_COUNT_MAX, |message| {
        message.text = if message.id == 10 { "rare" } else { "x" }.to_owned();
    });
    // With the one that was sent, one message too many is there.
    let search = |q| mailbox::Search { peer: Some(BOB), ..mailbox_search(q) };
    let found = cluster.call(user(ALICE), &search("x")).unwrap();
    assert_eq!(found.count, int(SEARCH_SCAN_COUNT_MAX) - 1);
    assert_eq!(found.messages.len(), usize::try_from(PAGE_COUNT_MAX).unwrap());
    assert_eq!(cluster.call(user(ALICE), &search("rare")).unwrap().count, 1);
    assert_eq!(cluster.call(user(ALICE), &search("text")).unwrap().count, 0, "too far back");
    // Nor is more skipped.
    let page = |skip| mailbox::History::new(BOB, 0, 0, skip, 1, 0, 0);
    let last = cluster.call(user(ALICE), &page(PAGE_SKIP_COUNT_MAX)).unwrap().messages;
    assert_eq!(&*last[0].text, "text");
    let beyond = cluster.call(user(ALICE), &page(PAGE_SKIP_COUNT_MAX + 1)).unwrap().messages;
    assert_eq!(beyond, last);

    let filters = vec![Filter::FilterNone; FILTER_COUNT_MAX + 1];
    let counts = cluster.call(user(ALICE), &mailbox::SearchCounts { peer: BOB, filters }).unwrap();
    assert_eq!(counts.counts.len(), FILTER_COUNT_MAX);
}

/// A copy is found by its link, be it among the newest or beyond, where it is bisected for.
#[test]
fn copies_beyond_the_newest_are_found() {
    let mut cluster = Cluster::new();
    for _ in 0..LINK_SCAN_COUNT + 2 {
        assert!(is_sent(&mut cluster, mailbox::Send::new(BOB, 0, "text")));
    }
    let history = mailbox::History::new(BOB, 0, 0, 0, 100, 0, 0);
    let messages = cluster.call(user(ALICE), &history).unwrap().messages;
    for at in [LINK_SCAN_COUNT - 1, LINK_SCAN_COUNT, LINK_SCAN_COUNT + 1] {
        let delete = mailbox::Delete { revoke: true, ids: vec![messages[at].id] };
        cluster.call(user(ALICE), &delete).unwrap();
    }
    let history = mailbox::History::new(ALICE, 0, 0, 0, 100, 0, 0);
    let left = cluster.call(user(BOB), &history).unwrap().messages;
    assert_eq!(left.len(), LINK_SCAN_COUNT - 1);
}

#[test]
fn lists_of_chats_and_drafts() {
    let mut cluster = Cluster::new();
    let peers: Vec<i64> = (0..=PINNED_CHAT_COUNT_MAX).map(stranger).collect();
    for peer in &peers {
        assert!(is_sent(&mut cluster, mailbox::Send::new(*peer, 0, "text")));
    }
    let pin = |peer| mailbox::PinDialog { pinned: true, peer };
    for peer in &peers[1..] {
        cluster.call(user(ALICE), &pin(*peer)).unwrap();
    }
    let too_many = Err(Refusal::PinnedDialogsTooMuch);
    assert_eq!(cluster.call(user(ALICE), &pin(peers[0])), too_many);
    let reorder = mailbox::ReorderPinned { force: true, peers: peers.clone() };
    assert_eq!(cluster.call(user(ALICE), &reorder), too_many);
    let pinned = tables::PINNED_DIALOGS;
    cluster.rows(&user(ALICE), |txn| txn.put(pinned, &(), &PinnedDialogs { peers: vec![] }));

    let list = mailbox::GetDialogs::new(0, 0, 0, i32::MAX);
    let page = cluster.call(user(ALICE), &list).unwrap();
    assert_eq!(page.chats.len(), usize::try_from(PAGE_COUNT_MAX).unwrap());
    assert_eq!(page.count, int(peers.len()));
    // Chats without a message are in no list, but count for how many are looked at; their peers come first.
    cluster.rows(&user(ALICE), |txn| {
        for number in 0..CHAT_COUNT_MAX - 1 {
            let peer = 1_000 + i64::try_from(number).unwrap();
            txn.put(tables::DIALOGS, &peer, &Dialog::new(0, 0, 0, 0, 0, 0, 0, 0));
        }
    });
    assert_eq!(cluster.call(user(ALICE), &list).unwrap().count, 1);

    cluster.rows(&user(ALICE), |txn| {
        for number in 0..=DRAFT_BATCH {
            txn.put(tables::DRAFTS, &stranger(number), &Draft::new(START, "x".to_owned()));
        }
    });
    let clear = |cluster: &mut Cluster| {
        cluster.call(user(ALICE), &mailbox::ClearDrafts {}).unwrap().drafts.len()
    };
    assert_eq!((clear(&mut cluster), clear(&mut cluster)), (DRAFT_BATCH, 1));
}

#[test]
fn events_of_one_difference() {
    let mut cluster = Cluster::new();
    let state = cluster.call(user(ALICE), &mailbox::GetState {}).unwrap();
    assert_eq!(state.pts, PTS_START);
    cluster.rows(&user(ALICE), |txn| {
        for at in 1..=DIFFERENCE_EVENT_COUNT_MAX + 1 {
            let event =
                Event::new(1, START, 0, PTS_START, ChangeReadContents { ids: vec![at] }.into());
            txn.put(tables::LOG, &Desc(Pts(PTS_START + at)), &event);
        }
    });
    for (limit, count) in [(0, DIFFERENCE_EVENT_COUNT), (i32::MAX, DIFFERENCE_EVENT_COUNT_MAX)] {
        let get = mailbox::GetDifference { pts: PTS_START, limit, total_limit: 0 };
        let answer = cluster.call(user(ALICE), &get).unwrap();
        let Difference::Difference(slice) = answer else { panic!("{answer:?}") };
        assert_eq!((int(slice.events.len()), slice.more), (count, true));
    }
}

// ===== Files =====

#[test]
fn files_and_uploads() {
    let mut cluster = Cluster::new();
    // However long is asked for.
    cluster.call(user(ALICE), &uploads::Open::new(1, 1001, i32::MAX)).unwrap();
    let due = |cluster: &mut Cluster| cluster.call(user(ALICE), &uploads::Expire {}).unwrap().due;
    assert_eq!(due(&mut cluster), START + UPLOAD_LIFETIME_S_MAX);
    let bytes = Bytes::new(&[7], 1);
    let hash = bytes.hash(0);
    cluster.call(user(ALICE), &bytes.store(1, 1001, 0, &hash)).unwrap();
    let make = files::Make::new(photo_file(5, &bytes), vec![bytes.part(1)], i32::MAX);
    cluster.call(user(ALICE), &make).unwrap();
    cluster.now = START + UPLOAD_LIFETIME_S_MAX;
    assert_eq!(due(&mut cluster), START + OWN_FILE_S_MAX);

    // What is missing is told of as many uploads as a file may be made of, and of no more.
    let parts = |count: usize| (0..count).map(|at| bytes.part(100 + at as i64)).collect();
    for (count, refusal) in [
        (FILE_PART_COUNT_MAX, Refusal::FileIdInvalid),
        (FILE_PART_COUNT_MAX + 1, Refusal::FilePartsInvalid),
    ] {
        let make = files::Make::new(photo_file(6, &bytes), parts(count), 1000);
        assert_eq!(cluster.call(user(ALICE), &make), Err(refusal), "{count}");
    }
    let pieces = int(limits::PIECE_COUNT_MAX);
    for (total, is_ok) in [(pieces, true), (pieces + 1, false)] {
        let open = uploads::Open {
            total: Some(total),
            ..uploads::Open::new(i64::from(total), 1002, 1000)
        };
        assert_eq!(cluster.call(user(ALICE), &open).is_ok(), is_ok, "{total}");
    }
}

#[test]
fn what_is_over_goes_in_batches() {
    let mut cluster = Cluster::new();
    for file_id in 0..=EXPIRE_BATCH as i64 {
        cluster.call(user(ALICE), &uploads::Open::new(file_id, 1000 + file_id, 10)).unwrap();
    }
    cluster.now += 10;
    let due = |cluster: &mut Cluster| cluster.call(user(ALICE), &uploads::Expire {}).unwrap().due;
    assert_ne!(due(&mut cluster), 0, "one is left");
    assert_eq!(due(&mut cluster), 0);
}

#[test]
fn chores_of_one_answer() {
    let mut cluster = Cluster::new();
    let list = Owner::chores(3);
    cluster.rows(&list, |txn| {
        for number in 0..=i64::from(CHORE_COUNT_MAX) {
            txn.put(tables::CHORES, &(10, number), &ChoreData { data: number }.into());
        }
    });
    let page = cluster.call(list, &chores::List { before: 10, limit: i32::MAX }).unwrap();
    assert_eq!(int(page.entries.len()), CHORE_COUNT_MAX);
}
