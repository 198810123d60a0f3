//! Arguments as no sane client sends them: every number of an operation replaced by the extremes, every operation cut short.
//!
//! Nothing may panic, and what is delivered because of it must be applied.

mod common;

use common::media::{Bytes, KIB, attached, document, media_of, own, photo, photo_file, video};
use common::{ALICE, BOB, CAROL, Cluster, user};
use storage::{AuthKeyId, Failure, FileId, Owner, RECORD_LAYER};
use tl::Encode;
use tl::operations::enums::Filter;
use tl::operations::functions::{
    accounts, blobs, chores, contacts, directory, files, holders, keys, mailbox, photos, uploads,
    usernames,
};
use tl::operations::types::{ReplyTo, mailbox::AlbumItem};
use tl::records::enums::{EntityKind, NotifyTarget, PrivacyKey, PrivacyRule};
use tl::records::types::{Client, Entity, MediaDocument, NotifySettings};

/// Executes `operation`, then with each four bytes of it replaced, then cut anywhere.
#[track_caller]
fn check(owner: &Owner, operation: &impl Encode) {
    let mut cluster = Cluster::new();
    for (from, to) in [(ALICE, BOB), (BOB, ALICE), (ALICE, ALICE), (CAROL, ALICE)] {
        cluster.call(user(from), &mailbox::Send::new(to, from, "hello")).unwrap();
    }
    let bytes = file_bytes();
    for file_id in [7, 8] {
        cluster.call(user(ALICE), &uploads::Open::new(file_id, 1000 + file_id, 100)).unwrap();
        let hash = bytes.hash(0);
        cluster.call(user(ALICE), &bytes.store(file_id, 1000 + file_id, 0, &hash)).unwrap();
    }
    let make = files::Make::new(photo_file(5, &bytes), vec![bytes.part(8)], 100);
    cluster.call(user(ALICE), &make).unwrap();
    let create = keys::Create { expires_in: Some(1000), ..keys::Create::new(&[1; 256], 1) };
    cluster.call(Owner::AuthKey(AuthKeyId(1)), &create).unwrap();
    let bytes = operation.to_vec(RECORD_LAYER);
    let mut variants = vec![bytes.clone()];
    for at in (4..bytes.len()).step_by(4) {
        variants.push(bytes[..at].to_vec());
        for extreme in [0, 1, -1, i32::MAX, i32::MIN, 100, -100] {
            let mut variant = bytes.clone();
            variant[at..at + 4].copy_from_slice(&i32::to_le_bytes(extreme));
            variants.push(variant);
        }
    }
    for variant in variants {
        let answer = cluster.raw(owner, &variant);
        assert!(
            !matches!(answer, Err(Failure::Panicked(_) | Failure::Misrouted)),
            "{variant:?}: {answer:?}"
        );
    }
}

/// What the file 5 of Alice's consists of, and what lies under her upload 7.
fn file_bytes() -> Bytes {
    Bytes::new(&[KIB], 1)
}

fn entity() -> Entity {
    Entity::new(EntityKind::EntityBold, 0, 2)
}

#[test]
fn mailbox() {
    let owner = user(ALICE);
    let reply = ReplyTo { quote_text: Some("q".into()), ..ReplyTo::new(2) };
    let entities = Some(vec![entity()]);
    check(
        &owner,
        &mailbox::Send { entities, reply: Some(reply), ..mailbox::Send::new(BOB, 77, "hello") },
    );
    check(&owner, &mailbox::Forward::new(BOB, vec![2, 3], vec![5, 6], CAROL));
    check(&owner, &mailbox::Edit { text: Some("hi"), ..mailbox::Edit::new(BOB, 2) });
    check(&owner, &mailbox::Delete { revoke: true, ids: vec![2, 3, 4] });
    let dates = mailbox::DeleteHistory {
        min_date: Some(1),
        max_date: Some(2),
        ..mailbox::DeleteHistory::new(BOB, 9)
    };
    check(&owner, &dates);
    check(
        &owner,
        &mailbox::DeleteHistory {
            revoke: true,
            just_clear: true,
            ..mailbox::DeleteHistory::new(BOB, 9)
        },
    );
    check(&owner, &mailbox::ReadHistory { peer: BOB, max_id: 3 });
    check(&owner, &mailbox::ReadContents { ids: vec![2, 3] });
    check(&owner, &mailbox::Pin::new(BOB, 2, 9));
    check(&owner, &mailbox::UnpinAll { peer: BOB });
    check(&owner, &mailbox::Typing { from: BOB, action: &[1, 2, 3] });
    check(&owner, &mailbox::SaveDraft { reply_to: Some(2), ..mailbox::SaveDraft::new(BOB, "x") });
    check(&owner, &mailbox::PinDialog { pinned: true, peer: BOB });
    check(&owner, &mailbox::ReorderPinned { force: true, peers: vec![BOB, CAROL] });
    check(&owner, &mailbox::MarkUnread { unread: true, peer: BOB });
    check(&owner, &mailbox::Notice::new(777_000, 9, "x"));
    check(&owner, &mailbox::History::new(BOB, 3, 0, -1, 10, 9, 1));
    check(&owner, &mailbox::History::new(BOB, 0, 1_700_000_000, -1, 10, 0, 0));
    check(&owner, &mailbox::Messages { ids: vec![2, 3, 99] });
    let search = mailbox::Search::new("h", Filter::FilterAll, 1, 2_000_000_000, 3, -1, 10, 9, 1);
    check(&owner, &mailbox::Search { peer: Some(BOB), from: Some(BOB), ..search });
    check(&owner, &mailbox::GetDialogs::new(1_700_000_000, 5, BOB, 10));
    check(&owner, &mailbox::GetChats { peers: vec![BOB, 0] });
    check(&owner, &mailbox::GetDifference { pts: 2, limit: 10, total_limit: 10 });
}

#[test]
fn deliveries_to_a_mailbox() {
    let owner = user(ALICE);
    let receive = mailbox::Receive::new(BOB, 50, 1_700_000_000, "x");
    check(&owner, &mailbox::Receive { reply_mine: Some(2), reply_yours: Some(2), ..receive });
    let receive = mailbox::ReceiveMessage::new(BOB, 50, 1_700_000_000, "x");
    check(
        &owner,
        &mailbox::ReceiveMessage { reply_mine: Some(2), reply_yours: Some(2), ..receive },
    );
    check(&owner, &mailbox::ReceiveEdit::new(BOB, 3, 1_700_000_000, "x"));
    check(&owner, &mailbox::ReceiveDelete { from: BOB, yours: vec![2], mine: vec![3] });
    check(&owner, &mailbox::ReceiveDeleteHistory { from: BOB, yours: 9, mine: 9 });
    check(&owner, &mailbox::ReceiveRead { from: BOB, max_id: 2 });
    check(&owner, &mailbox::ReceiveReadContents { from: BOB, yours: vec![2], mine: vec![3] });
    check(&owner, &mailbox::ReceivePin { pinned: true, from: BOB, yours: vec![2], mine: vec![3] });
}

#[test]
fn accounts_and_contacts() {
    let owner = user(ALICE);
    let text = || "x".to_owned();
    let client = || Client::new(230, 1, text(), text(), text(), text(), text(), text());
    check(&owner, &accounts::Authorize { hash: 1, auth_key_id: 1, ip: "::1", client: client() });
    check(&owner, &accounts::EndOtherAuthorizations { auth_key_id: 1 });
    check(
        &owner,
        &accounts::UpdateProfile { about: Some("x"), first_name: Some("y"), last_name: None },
    );
    let settings =
        NotifySettings { mute_until: Some(1), silent: Some(true), ..NotifySettings::new() };
    check(&owner, &accounts::SetNotify { target: NotifyTarget::NotifyUsers, settings });
    let rules = vec![PrivacyRule::RuleAllowAll];
    check(&owner, &accounts::SetPrivacy { key: PrivacyKey::PrivacyStatus, rules });
    check(&owner, &contacts::Add { peer: BOB, phone: "1", first_name: "x", last_name: "y" });
    check(&owner, &contacts::Remember { phone: "1", first_name: "x", last_name: "y" });
    check(&owner, &contacts::Delete { peers: vec![BOB, CAROL] });
    check(&owner, &contacts::Block { peer: BOB });
    check(&owner, &contacts::GetBlocked { offset: 0, limit: 10 });
    check(&owner, &contacts::Search { q: "x", limit: 10 });
}

#[test]
fn keys_and_names() {
    let key = Owner::AuthKey(AuthKeyId(1));
    check(&key, &keys::Bind { perm_auth_key_id: 2, expires_at: 1_700_000_500 });
    check(&key, &keys::BoundBy { temp_auth_key_id: 3, expires_at: 1_700_000_500 });
    check(&key, &keys::Login { user_id: ALICE });
    check(&key, &keys::Create { expires_in: Some(1), ..keys::Create::new(&[1; 4], 1) });
    let phone = Owner::phone("9996600000");
    check(
        &phone,
        &directory::SendCode { code_hash: "h", code: "1", auth_key_id: 1, lifetime_s: 60 },
    );
    check(&phone, &directory::CheckCode { code_hash: "h", code: "1", auth_key_id: 1 });
    check(&phone, &directory::Reserve { user_id: ALICE });
    check(&phone, &directory::AwaitedBy { user_id: ALICE });
    check(&Owner::username("alice"), &usernames::Claim { peer: ALICE });
}

#[test]
fn uploads_and_files() {
    let owner = user(ALICE);
    let bytes = file_bytes();
    check(&owner, &uploads::Open { total: Some(3), ..uploads::Open::new(9, 1009, 100) });
    let hash = bytes.hash(0);
    check(&owner, &uploads::Store { total: Some(3), ..bytes.store(7, 1007, 0, &hash) });
    check(&owner, &uploads::Get { file_id: 7 });
    let make = files::Make::new(photo_file(6, &bytes), vec![bytes.part(7)], 100);
    check(&owner, &files::Make { used: Some(8), ..make });
    check(&owner, &photos::Add { source: own(5) });
    check(&owner, &photos::SetFallback { source: Some(own(5)) });
    check(&owner, &photos::Delete { ids: vec![5] });
    check(&owner, &photos::List { offset: 1, max_id: 5, limit: 10 });
    check(&FileId(5).into(), &holders::Hold { users: vec![ALICE, BOB] });
    check(&FileId(5).into(), &holders::Release { user: ALICE, count: 1 });
    let create = holders::Create { user: ALICE, blobs: vec![Vec::from(bytes.blob().0)] };
    check(&FileId(5).into(), &create);
    let blob: Owner = bytes.blob().into();
    let adopt = blobs::Adopt { file: 6, data: 1, len: 1024, piece_len: KIB, hashes: &hash };
    check(&blob, &adopt);
    check(&blob, &blobs::Release { file: 5 });
    check(&blob, &blobs::Relocate { remote: true, from: 1008, data: 2 });
    check(&Owner::Chores(1), &chores::List { before: 1, limit: 10 });
    let chore = tl::records::types::ChoreData { data: 1 }.into();
    check(&Owner::Chores(1), &chores::Add { due: 1, number: 1, chore });
}

#[test]
fn messages_with_media() {
    let owner = user(ALICE);
    let bytes = attached(media_of(&photo_file(5, &file_bytes()), Some(5)));
    let media = Some(&*bytes);
    let source = || Some(own(5));
    check(&owner, &mailbox::Send { media, source: source(), ..mailbox::Send::new(BOB, 77, "") });
    check(&owner, &mailbox::Edit { media, source: source(), ..mailbox::Edit::new(BOB, 2) });
    check(&owner, &mailbox::ReceiveEdit { media, ..mailbox::ReceiveEdit::new(BOB, 3, 1, "x") });
    let item = |random_id| AlbumItem {
        source: source(),
        ..AlbumItem::new(random_id, "x".to_owned(), bytes.clone())
    };
    check(&owner, &mailbox::SendAlbum::new(BOB, vec![item(1), item(2)]));
    let covered = MediaDocument {
        video_cover: Some(photo(5, &file_bytes())),
        video_timestamp_s: Some(5),
        ..MediaDocument::new(document(6, &file_bytes(), vec![video(false)]))
    };
    let media = attached(covered.into());
    let media = Some(&*media);
    let (source, beside) = (Some(own(6)), source());
    check(&owner, &mailbox::Send { media, source, beside, ..mailbox::Send::new(BOB, 78, "") });
    check(&owner, &mailbox::ReceiveEdit { media, ..mailbox::ReceiveEdit::new(BOB, 3, 1, "x") });
    let forward = mailbox::Forward::new(BOB, vec![2, 3], vec![7, 8], CAROL);
    check(&owner, &mailbox::Forward { video_timestamp_s: Some(9), ..forward });
}
