//! Private chats, one operation after another: what each side has then, and is told.

mod common;

use common::{ALICE, BOB, CAROL, Cluster, START, user};
use services::limits::{EDIT_TIME_S, LOG_LEN_MAX, LOG_TRIM_BATCH};
use services::tables;
use storage::{Desc, Order, Pts, Read, View};
use tl::operations::enums::{Effect, Filter, Refusal, mailbox::Difference};
use tl::operations::functions::{contacts, mailbox};
use tl::operations::types::{HiddenAuthor, ReplyTo, mailbox::Sent};
use tl::records::enums::{Action, EntityKind};
use tl::records::types::{ChangeReadContents, Entity, Event, Message};

fn send(cluster: &mut Cluster, from: i64, to: i64, text: &str) -> Sent {
    let random_id = i64::from(cluster.now) + text.bytes().map(i64::from).sum::<i64>() * 1_000_003;
    try_send(cluster, from, to, text, random_id).unwrap()
}

fn try_send(
    cluster: &mut Cluster,
    from: i64,
    to: i64,
    text: &str,
    random_id: i64,
) -> Result<Sent, Refusal> {
    cluster.now += 1;
    cluster.call(user(from), &mailbox::Send::new(to, random_id, text))
}

/// A chat's messages, newest first.
fn chat(cluster: &mut Cluster, owner: i64, peer: i64) -> Vec<Message> {
    cluster.call(user(owner), &mailbox::History::new(peer, 0, 0, 0, 100, 0, 0)).unwrap().messages
}

/// Whether what `owner` sees of the chat with `peer` is this, newest first.
#[track_caller]
fn check(cluster: &mut Cluster, owner: i64, peer: i64, expected: &[&str]) {
    let texts: Vec<_> =
        chat(cluster, owner, peer).into_iter().map(|message| message.text).collect();
    assert_eq!(texts, expected);
}

fn unread(cluster: &mut Cluster, owner: i64, peer: i64) -> i32 {
    cluster.call(user(owner), &mailbox::GetChats { peers: vec![peer] }).unwrap().chats[0]
        .unread_count
}

#[test]
fn sent_message_is_in_both_boxes_and_told_to_both() {
    let mut cluster = Cluster::new();
    let sent = send(&mut cluster, ALICE, BOB, "hello");
    assert_eq!((sent.pts, sent.message.id, sent.message.out, sent.message.peer), (2, 2, true, BOB));
    let bob = chat(&mut cluster, BOB, ALICE).remove(0);
    assert_eq!((bob.id, bob.out, bob.peer, bob.link, &*bob.text), (2, false, ALICE, 2, "hello"));
    assert_eq!((unread(&mut cluster, ALICE, BOB), unread(&mut cluster, BOB, ALICE)), (0, 1));
    let told = cluster.effects(&user(BOB));
    assert!(
        matches!(&told[..], [Effect::EffectNewMessage(new)] if new.message == bob && new.random_id.is_none())
    );
    let told = cluster.effects(&user(ALICE));
    assert!(
        matches!(&told[..], [Effect::EffectNewMessage(new)] if new.random_id == Some(sent.random_id))
    );
}

#[test]
fn the_same_random_id_stores_nothing_again() {
    let mut cluster = Cluster::new();
    let first = try_send(&mut cluster, ALICE, BOB, "a", 5).unwrap();
    let again = try_send(&mut cluster, ALICE, BOB, "a", 5).unwrap();
    assert_eq!(again, Sent { repeated: true, ..first.clone() });
    check(&mut cluster, BOB, ALICE, &["a"]);
    cluster
        .call(user(ALICE), &mailbox::Delete { revoke: false, ids: vec![first.message.id] })
        .unwrap();
    assert_eq!(try_send(&mut cluster, ALICE, BOB, "a", 5), Err(Refusal::RandomIdDuplicate));
    assert_eq!(try_send(&mut cluster, ALICE, BOB, "a", 0), Err(Refusal::RandomIdInvalid));
}

#[test]
fn sending_is_refused() {
    let mut cluster = Cluster::new();
    for (to, text, refusal) in [
        (BOB, "", Refusal::MessageEmpty),
        (BOB, &*"a".repeat(5000), Refusal::MessageTooLong),
        (0, "a", Refusal::PeerIdInvalid),
        (-5, "a", Refusal::PeerIdInvalid),
    ] {
        assert_eq!(try_send(&mut cluster, ALICE, to, text, 1), Err(refusal));
    }
    let reply = mailbox::Send { reply: Some(ReplyTo::new(9)), ..mailbox::Send::new(BOB, 1, "a") };
    assert_eq!(cluster.call(user(ALICE), &reply), Err(Refusal::ReplyMessageIdInvalid));
    cluster.call(user(BOB), &contacts::Block { peer: ALICE }).unwrap();
    assert_eq!(try_send(&mut cluster, ALICE, BOB, "a", 1), Err(Refusal::UserIsBlocked));
    assert_eq!(try_send(&mut cluster, BOB, ALICE, "a", 1), Err(Refusal::YouBlockedUser));
    cluster.call(user(BOB), &contacts::Unblock { peer: ALICE }).unwrap();
    assert!(try_send(&mut cluster, ALICE, BOB, "a", 1).is_ok());
}

#[test]
fn saved_messages_have_one_copy_that_is_always_read() {
    let mut cluster = Cluster::new();
    let sent = send(&mut cluster, ALICE, ALICE, "note");
    check(&mut cluster, ALICE, ALICE, &["note"]);
    assert_eq!(unread(&mut cluster, ALICE, ALICE), 0);
    let edit = mailbox::Edit { text: Some("note 2"), ..mailbox::Edit::new(ALICE, sent.message.id) };
    cluster.now += EDIT_TIME_S * 2;
    cluster.call(user(ALICE), &edit).unwrap();
    check(&mut cluster, ALICE, ALICE, &["note 2"]);
}

#[test]
fn replies_name_each_sides_own_copy() {
    let mut cluster = Cluster::new();
    // Bob's box is ahead, so that ids differ.
    send(&mut cluster, CAROL, BOB, "noise");
    let first = send(&mut cluster, ALICE, BOB, "question").message;
    let bobs_first = chat(&mut cluster, BOB, ALICE).remove(0);
    assert_ne!(first.id, bobs_first.id);
    let reply = mailbox::Send {
        reply: Some(ReplyTo::new(bobs_first.id)),
        ..mailbox::Send::new(ALICE, 7, "answer")
    };
    cluster.call(user(BOB), &reply).unwrap();
    assert_eq!(chat(&mut cluster, ALICE, BOB)[0].reply.clone().unwrap().id, Some(first.id));
    let reply = mailbox::Send {
        reply: Some(ReplyTo::new(first.id)),
        ..mailbox::Send::new(BOB, 8, "myself")
    };
    cluster.call(user(ALICE), &reply).unwrap();
    let copy = chat(&mut cluster, BOB, ALICE).remove(0);
    assert_eq!(copy.reply.unwrap().id, Some(bobs_first.id));
    assert!(!copy.media_unread, "there is no medium");
    // The other side deleted its copy: the reply loses its header there.
    cluster.call(user(BOB), &mailbox::Delete { revoke: false, ids: vec![bobs_first.id] }).unwrap();
    let reply = mailbox::Send {
        reply: Some(ReplyTo::new(first.id)),
        ..mailbox::Send::new(BOB, 9, "again")
    };
    cluster.call(user(ALICE), &reply).unwrap();
    assert_eq!(chat(&mut cluster, BOB, ALICE)[0].reply, None);
}

#[test]
fn edits_reach_the_other_side_and_are_refused_where_they_must() {
    let mut cluster = Cluster::new();
    let id = send(&mut cluster, ALICE, BOB, "helo").message.id;
    let edit = |peer, id, text| mailbox::Edit { text: Some(text), ..mailbox::Edit::new(peer, id) };
    cluster.forget();
    let edited = cluster.call(user(ALICE), &edit(BOB, id, "hello")).unwrap();
    assert_eq!((edited.pts, edited.message.edit_date), (3, Some(cluster.now)));
    check(&mut cluster, BOB, ALICE, &["hello"]);
    assert!(
        matches!(&cluster.effects(&user(BOB))[..], [Effect::EffectEditMessage(edit)] if edit.pts == 3)
    );
    let bobs = chat(&mut cluster, BOB, ALICE)[0].id;
    for (who, operation, refusal) in [
        (ALICE, edit(BOB, id, "hello"), Refusal::MessageNotModified),
        (ALICE, edit(BOB, id, " "), Refusal::MessageEmpty),
        (ALICE, edit(CAROL, id, "x"), Refusal::MessageIdInvalid),
        (ALICE, edit(BOB, 99, "x"), Refusal::MessageIdInvalid),
        (BOB, edit(ALICE, bobs, "x"), Refusal::MessageAuthorRequired),
    ] {
        assert_eq!(cluster.call(user(who), &operation), Err(refusal));
    }
    cluster.now += EDIT_TIME_S + 1;
    assert_eq!(
        cluster.call(user(ALICE), &edit(BOB, id, "x")),
        Err(Refusal::MessageEditTimeExpired)
    );
}

#[test]
fn a_copy_is_found_however_far_back_it_is() {
    let mut cluster = Cluster::new();
    let mut ids = Vec::new();
    for at in 0..150 {
        ids.push(
            try_send(&mut cluster, ALICE, BOB, &format!("{at}"), 1000 + at).unwrap().message.id,
        );
        if at % 3 == 0 {
            try_send(&mut cluster, BOB, ALICE, "hm", 1000 + at).unwrap();
        }
    }
    for at in [0, 1, 74, 148, 149] {
        let edit = mailbox::Edit { text: Some("edited"), ..mailbox::Edit::new(BOB, ids[at]) };
        cluster.call(user(ALICE), &edit).unwrap();
        let search = mailbox::Search::new("edited", Filter::FilterAll, 0, 0, 0, 0, 10, 0, 0);
        let search = mailbox::Search { peer: Some(ALICE), ..search };
        let found = cluster.call(user(BOB), &search).unwrap();
        assert_eq!(
            found.messages[0].link,
            if at == 149 { ids[149] } else { found.messages[0].link }
        );
        assert!(found.messages.iter().any(|message| message.link == ids[at]), "{at}");
    }
}

#[test]
fn reading_moves_marks_on_both_sides() {
    let mut cluster = Cluster::new();
    let ids: Vec<_> =
        ["a", "b", "c"].map(|text| send(&mut cluster, ALICE, BOB, text).message.id).into();
    let bobs: Vec<_> =
        chat(&mut cluster, BOB, ALICE).iter().rev().map(|message| message.id).collect();
    let read = |max_id| mailbox::ReadHistory { peer: ALICE, max_id };
    let outbox = |cluster: &mut Cluster| {
        cluster.call(user(ALICE), &mailbox::GetChats { peers: vec![BOB] }).unwrap().chats[0]
            .read_outbox_max_id
    };
    for (max_id, pts_count, left, mark) in [
        (bobs[1], 1, 1, ids[1]),
        (bobs[0], 0, 1, ids[1]),
        (bobs[2] + 100, 1, 0, ids[2]),
        (0, 0, 0, ids[2]),
    ] {
        assert_eq!(cluster.call(user(BOB), &read(max_id)).unwrap().pts_count, pts_count);
        assert_eq!(unread(&mut cluster, BOB, ALICE), left);
        assert_eq!(outbox(&mut cluster), mark);
    }
    // Deleted ones are not unread any more.
    for text in ["d", "e", "f"] {
        send(&mut cluster, ALICE, BOB, text);
    }
    let newest: Vec<_> = chat(&mut cluster, BOB, ALICE).iter().map(|message| message.id).collect();
    cluster.call(user(BOB), &mailbox::Delete { revoke: false, ids: vec![newest[1]] }).unwrap();
    assert_eq!(unread(&mut cluster, BOB, ALICE), 2);
    cluster.call(user(BOB), &read(newest[2])).unwrap();
    assert_eq!(unread(&mut cluster, BOB, ALICE), 1);
    assert_eq!(cluster.call(user(BOB), &mailbox::GetState {}).unwrap().unread_count, 1);
}

#[test]
fn deleting_takes_one_copy_or_both() {
    let mut cluster = Cluster::new();
    let ids: Vec<_> =
        ["a", "b", "c"].map(|text| send(&mut cluster, ALICE, BOB, text).message.id).into();
    let delete = |revoke, ids: &[i32]| mailbox::Delete { revoke, ids: ids.to_vec() };
    let gone = cluster.call(user(ALICE), &delete(false, &[ids[0], ids[0], 99])).unwrap();
    assert_eq!((gone.pts, gone.pts_count), (5, 1));
    check(&mut cluster, ALICE, BOB, &["c", "b"]);
    check(&mut cluster, BOB, ALICE, &["c", "b", "a"]);
    cluster.call(user(ALICE), &delete(true, &ids[1..2])).unwrap();
    check(&mut cluster, BOB, ALICE, &["c", "a"]);
    // The recipient can revoke as well.
    let newest = chat(&mut cluster, BOB, ALICE)[0].id;
    cluster.call(user(BOB), &delete(true, &[newest])).unwrap();
    check(&mut cluster, ALICE, BOB, &[]);
    assert_eq!(cluster.call(user(ALICE), &mailbox::GetDialogs::new(0, 0, 0, 10)).unwrap().count, 0);
    assert_eq!(cluster.call(user(ALICE), &delete(true, &ids)).unwrap().pts_count, 0);
}

#[test]
fn histories_go_in_batches_for_one_side_or_both() {
    let mut cluster = Cluster::new();
    for at in 0..250 {
        try_send(&mut cluster, ALICE, BOB, &format!("{at}"), 1 + at).unwrap();
    }
    let clear = |just_clear, revoke| mailbox::DeleteHistory {
        just_clear,
        revoke,
        ..mailbox::DeleteHistory::new(BOB, 0)
    };
    let mut counts = Vec::new();
    loop {
        let gone = cluster.call(user(ALICE), &clear(true, false)).unwrap();
        counts.push(gone.pts_count);
        if gone.offset == 0 {
            break;
        }
    }
    assert_eq!(counts, [100, 100, 50]);
    // A service message keeps the chat's place.
    let left = chat(&mut cluster, ALICE, BOB);
    assert_eq!((left.len(), left[0].action.clone()), (1, Some(Action::ActionHistoryClear)));
    assert_eq!(chat(&mut cluster, BOB, ALICE).len(), 100);
    let clear = mailbox::DeleteHistory { revoke: true, ..mailbox::DeleteHistory::new(ALICE, 0) };
    while cluster.call(user(BOB), &clear).unwrap().offset > 0 {}
    check(&mut cluster, BOB, ALICE, &[]);
    check(&mut cluster, ALICE, BOB, &[""]);
    // Both sides, by one call: the other side's rest follows by itself.
    for at in 0..150 {
        try_send(&mut cluster, ALICE, BOB, &format!("{at}"), 1000 + at).unwrap();
    }
    let clear = mailbox::DeleteHistory { revoke: true, ..mailbox::DeleteHistory::new(BOB, 0) };
    assert_eq!(cluster.call(user(ALICE), &clear).unwrap().offset, 1);
    check(&mut cluster, BOB, ALICE, &[]);
}

#[test]
fn forwards_name_the_first_author() {
    let mut cluster = Cluster::new();
    let original = send(&mut cluster, ALICE, BOB, "joke").message;
    let bobs = chat(&mut cluster, BOB, ALICE)[0].id;
    let forward = |from, id, random_id, to| {
        mailbox::Forward::new(from, vec![id, 999], vec![random_id, random_id + 1], to)
    };
    let sent = cluster.call(user(BOB), &forward(ALICE, bobs, 50, CAROL)).unwrap().sent;
    assert_eq!(sent.len(), 1);
    let carols = chat(&mut cluster, CAROL, BOB).remove(0);
    let header = carols.forward.clone().unwrap();
    assert_eq!((header.from, header.date, &*carols.text), (Some(ALICE), original.date, "joke"));
    cluster.call(user(CAROL), &forward(BOB, carols.id, 60, CAROL)).unwrap();
    let saved = chat(&mut cluster, CAROL, CAROL).remove(0).forward.unwrap();
    assert_eq!(
        (saved.from, saved.saved_from_peer, saved.saved_from_id),
        (Some(ALICE), Some(BOB), Some(carols.id))
    );
    let hidden = mailbox::Forward { drop_author: true, ..forward(BOB, carols.id, 70, ALICE) };
    cluster.call(user(CAROL), &hidden).unwrap();
    assert_eq!(chat(&mut cluster, ALICE, CAROL)[0].forward, None);
    let anonymous = HiddenAuthor { user: ALICE, name: "A.".into() };
    let named =
        mailbox::Forward { hidden: Some(vec![anonymous]), ..forward(ALICE, bobs, 75, CAROL) };
    let header = cluster.call(user(BOB), &named).unwrap().sent[0].message.forward.clone().unwrap();
    assert_eq!((header.from, header.from_name.as_deref()), (None, Some("A.")));
    let none = mailbox::Forward::new(BOB, vec![999], vec![80], ALICE);
    assert_eq!(cluster.call(user(CAROL), &none), Err(Refusal::MessageIdInvalid));
    let uneven = mailbox::Forward::new(BOB, vec![1, 2], vec![80], ALICE);
    assert_eq!(cluster.call(user(CAROL), &uneven), Err(Refusal::RandomIdInvalid));
}

#[test]
fn pins_are_on_both_sides_with_a_notice() {
    let mut cluster = Cluster::new();
    let id = send(&mut cluster, ALICE, BOB, "rules").message.id;
    let pinned = cluster.call(user(ALICE), &mailbox::Pin::new(BOB, id, 5)).unwrap();
    assert_eq!(pinned.notice.unwrap().message.action, Some(Action::ActionPinMessage));
    let bobs = chat(&mut cluster, BOB, ALICE);
    assert_eq!(bobs[0].reply.clone().unwrap().id, Some(bobs[1].id));
    assert!(bobs[1].pinned);
    assert_eq!(cluster.call(user(ALICE), &mailbox::Pin::new(BOB, id, 6)).unwrap().pts_count, 0);
    assert_eq!(cluster.call(user(BOB), &mailbox::UnpinAll { peer: ALICE }).unwrap().pts_count, 1);
    assert!(!chat(&mut cluster, ALICE, BOB)[1].pinned);
}

#[test]
fn windows_of_a_history() {
    let mut cluster = Cluster::new();
    let ids: Vec<i32> = (0..10)
        .map(|at| try_send(&mut cluster, ALICE, BOB, &format!("{at}"), 1 + at).unwrap().pts)
        .collect();
    let window = |cluster: &mut Cluster, offset: (i32, i32), add, limit, max_id, min_id| {
        let history = mailbox::History::new(BOB, offset.0, offset.1, add, limit, max_id, min_id);
        let slice = cluster.call(user(ALICE), &history).unwrap();
        assert_eq!(slice.count, 10);
        slice.messages.into_iter().map(|message| message.text).collect::<String>()
    };
    for (offset, add, limit, max_id, min_id, expected) in [
        ((0, 0), 0, 3, 0, 0, "987"),
        ((0, 0), 3, 3, 0, 0, "654"),
        ((0, 0), -2, 3, 0, 0, "9"),
        ((ids[5], 0), 0, 3, 0, 0, "432"),
        ((ids[5], 0), -1, 3, 0, 0, "543"),
        ((ids[5], 0), -3, 3, 0, 0, "765"),
        ((ids[5], 0), -10, 3, 0, 0, ""),
        ((ids[5], 0), -10, 100, 0, 0, "9876543210"),
        ((ids[9] + 50, 0), 0, 2, 0, 0, "98"),
        ((0, START + 6), 0, 2, 0, 0, "43"),
        ((0, START), 0, 2, 0, 0, ""),
        ((0, 0), 0, 100, ids[6], ids[2], "543"),
        ((0, 0), 0, 0, 0, 0, ""),
    ] {
        let found = window(&mut cluster, offset, add, limit, max_id, min_id);
        assert_eq!(found, expected, "{offset:?} {add} {limit} {max_id} {min_id}");
    }
    let bad = mailbox::History::new(BOB, 0, 0, 0, -1, 0, 0);
    assert_eq!(cluster.call(user(ALICE), &bad), Err(Refusal::LimitInvalid));
}

#[test]
fn searches() {
    let mut cluster = Cluster::new();
    send(&mut cluster, ALICE, BOB, "Früh am Morgen");
    send(&mut cluster, BOB, ALICE, "morgen früh");
    send(&mut cluster, ALICE, CAROL, "morgens");
    let link = vec![Entity::new(EntityKind::EntityUrl, 0, 1)];
    let op = mailbox::Send { entities: Some(link), ..mailbox::Send::new(BOB, 99, "x.y") };
    cluster.call(user(ALICE), &op).unwrap();
    let search = |q, peer, from, filter| mailbox::Search {
        peer,
        from,
        ..mailbox::Search::new(q, filter, 0, 0, 0, 0, 10, 0, 0)
    };
    for (operation, expected) in [
        (
            search("MORGEN", Some(BOB), None, Filter::FilterAll),
            &["morgen früh", "Früh am Morgen"][..],
        ),
        (search("FRÜH", None, None, Filter::FilterAll), &["morgen früh", "Früh am Morgen"]),
        (
            search("morgen", None, None, Filter::FilterAll),
            &["morgens", "morgen früh", "Früh am Morgen"],
        ),
        (search("morgen", Some(BOB), Some(ALICE), Filter::FilterAll), &["Früh am Morgen"]),
        (search("", Some(BOB), Some(BOB), Filter::FilterAll), &["morgen früh"]),
        (search("", Some(BOB), None, Filter::FilterUrl), &["x.y"]),
        (search("", Some(BOB), None, Filter::FilterNone), &[]),
    ] {
        let found = cluster.call(user(ALICE), &operation).unwrap();
        let texts: Vec<_> = found.messages.iter().map(|message| &*message.text).collect();
        assert_eq!(
            (texts.as_slice(), found.count as usize),
            (expected, expected.len()),
            "{operation:?}"
        );
    }
    let empty = search(" ", None, None, Filter::FilterAll);
    assert_eq!(cluster.call(user(ALICE), &empty), Err(Refusal::SearchQueryEmpty));
    let filters = vec![Filter::FilterUrl, Filter::FilterAll];
    let counts = mailbox::SearchCounts { peer: BOB, filters };
    assert_eq!(cluster.call(user(ALICE), &counts).unwrap().counts, [1, 3]);
}

#[test]
fn chat_list_is_ordered_paged_and_has_pins_first() {
    let mut cluster = Cluster::new();
    let peers: Vec<i64> = (0..5).map(|at| 1_000_000_100 + at).collect();
    for (at, peer) in peers.iter().enumerate() {
        try_send(&mut cluster, ALICE, *peer, "x", 1 + at as i64).unwrap();
    }
    let page = |cluster: &mut Cluster, exclude_pinned, offset: Option<&Message>, limit| {
        let (date, id, peer) = offset.map_or((0, 0, 0), |top| (top.date, top.id, top.peer));
        let op = mailbox::GetDialogs {
            exclude_pinned,
            ..mailbox::GetDialogs::new(date, id, peer, limit)
        };
        let page = cluster.call(user(ALICE), &op).unwrap();
        let order: Vec<_> = page.chats.iter().map(|chat| chat.peer - peers[0]).collect();
        (order, page.chats.last().and_then(|chat| chat.top.clone()), page.count)
    };
    let (order, last, count) = page(&mut cluster, false, None, 2);
    assert_eq!((order, count), (vec![4, 3], 5));
    let (order, last, _) = page(&mut cluster, false, last.as_ref(), 2);
    assert_eq!(order, [2, 1]);
    assert_eq!(page(&mut cluster, false, last.as_ref(), 2).0, [0]);
    for peer in [peers[0], peers[2]] {
        cluster.call(user(ALICE), &mailbox::PinDialog { pinned: true, peer }).unwrap();
    }
    let (order, last, _) = page(&mut cluster, false, None, 3);
    assert_eq!(order, [2, 0, 4]);
    assert_eq!(page(&mut cluster, false, last.as_ref(), 3).0, [3, 1]);
    assert_eq!(
        page(&mut cluster, true, None, 3),
        (vec![4, 3, 1], page(&mut cluster, true, None, 3).1, 3)
    );
    let reorder = mailbox::ReorderPinned { force: true, peers: vec![peers[1], peers[2]] };
    cluster.call(user(ALICE), &reorder).unwrap();
    let pinned = cluster.call(user(ALICE), &mailbox::GetPinned {}).unwrap();
    assert_eq!(pinned.chats.iter().map(|chat| chat.peer).collect::<Vec<_>>(), [peers[1], peers[2]]);
    let unknown = mailbox::PinDialog { pinned: true, peer: CAROL };
    assert_eq!(cluster.call(user(ALICE), &unknown), Err(Refusal::PeerIdInvalid));
}

#[test]
fn drafts_marks_typing_and_notices() {
    let mut cluster = Cluster::new();
    send(&mut cluster, BOB, ALICE, "hi");
    cluster.call(user(ALICE), &mailbox::SaveDraft::new(BOB, "well")).unwrap();
    cluster.call(user(ALICE), &mailbox::MarkUnread { unread: true, peer: BOB }).unwrap();
    let view =
        cluster.call(user(ALICE), &mailbox::GetChats { peers: vec![BOB] }).unwrap().chats.remove(0);
    assert_eq!((&*view.draft.unwrap().text, view.unread_mark), ("well", true));
    cluster.call(user(ALICE), &mailbox::ReadHistory { peer: BOB, max_id: 0 }).unwrap();
    let op = mailbox::Send { clear_draft: true, ..mailbox::Send::new(BOB, 1, "well") };
    cluster.call(user(ALICE), &op).unwrap();
    let view =
        cluster.call(user(ALICE), &mailbox::GetChats { peers: vec![BOB] }).unwrap().chats.remove(0);
    assert_eq!((view.draft, view.unread_mark), (None, false));

    cluster.forget();
    cluster.call(user(BOB), &mailbox::Typing { from: ALICE, action: &[1] }).unwrap();
    assert!(
        matches!(&cluster.effects(&user(BOB))[..], [Effect::EffectTyping(typing)] if typing.peer == ALICE)
    );
    cluster.call(user(BOB), &contacts::Block { peer: ALICE }).unwrap();
    cluster.forget();
    cluster.call(user(BOB), &mailbox::Typing { from: ALICE, action: &[1] }).unwrap();
    assert_eq!(cluster.effects(&user(BOB)), []);

    for _ in 0..2 {
        cluster.call(user(ALICE), &mailbox::Notice::new(777_000, 3, "code 12345")).unwrap();
    }
    check(&mut cluster, ALICE, 777_000, &["code 12345"]);
    assert_eq!(unread(&mut cluster, ALICE, 777_000), 1);
}

fn difference(cluster: &mut Cluster, pts: i32, total_limit: i32) -> Result<Difference, Refusal> {
    cluster.call(user(ALICE), &mailbox::GetDifference { pts, limit: 2, total_limit })
}

#[test]
fn difference_tells_each_event_once_with_what_is_there_now() {
    let mut cluster = Cluster::new();
    let ids: Vec<_> =
        ["a", "b", "c"].map(|text| send(&mut cluster, ALICE, BOB, text).message.id).into();
    let edit = mailbox::Edit { text: Some("B"), ..mailbox::Edit::new(BOB, ids[1]) };
    cluster.call(user(ALICE), &edit).unwrap();
    cluster.call(user(ALICE), &mailbox::Delete { revoke: false, ids: vec![ids[0]] }).unwrap();
    let slice = |answer| match answer {
        Ok(Difference::Difference(difference)) => difference,
        other => panic!("{other:?}"),
    };
    let first = slice(difference(&mut cluster, 1, 0));
    assert_eq!(
        (first.messages.len(), &*first.messages[0].text, first.state.pts, first.more),
        (1, "B", 3, true)
    );
    let second = slice(difference(&mut cluster, 3, 0));
    assert_eq!(
        (second.messages.len(), second.edited.len(), second.events.len(), second.state.pts),
        (1, 1, 1, 5)
    );
    let third = slice(difference(&mut cluster, 5, 0));
    assert_eq!((third.events[0].pts, third.more, third.state.pts), (6, false, 6));
    assert!(matches!(difference(&mut cluster, 6, 0), Ok(Difference::DifferenceEmpty(_))));
    assert!(
        matches!(difference(&mut cluster, 1, 4), Ok(Difference::DifferenceTooLong(long)) if long.pts == 6)
    );
    assert_eq!(difference(&mut cluster, 7, 0), Err(Refusal::PersistentTimestampInvalid));
    assert_eq!(difference(&mut cluster, 0, 0), Err(Refusal::PersistentTimestampEmpty));
}

#[test]
fn old_events_are_dropped_but_for_messages_that_exist() {
    let mut cluster = Cluster::new();
    let kept = try_send(&mut cluster, ALICE, BOB, "kept", 1).unwrap().message.id;
    let gone = try_send(&mut cluster, ALICE, BOB, "gone", 2).unwrap().message.id;
    cluster.call(user(ALICE), &mailbox::Delete { revoke: false, ids: vec![gone] }).unwrap();
    // As if much had happened since.
    let pts = 5 + LOG_LEN_MAX + LOG_TRIM_BATCH;
    let event = Event::new(pts - 4, START, 0, 1, ChangeReadContents { ids: Vec::new() }.into());
    cluster.rows(&user(ALICE), |txn| txn.put(tables::LOG, &Desc(Pts(pts)), &event));
    let sent = try_send(&mut cluster, ALICE, BOB, "new", 3).unwrap();
    assert_eq!(sent.pts, pts + 1);
    let snapshot = storage::Engine::snapshot(&cluster.engine);
    let view = View::new(&*snapshot, user(ALICE));
    let log = view.scan(tables::LOG, .., Order::Backward, 100).unwrap();
    assert_eq!(log.iter().map(|(Desc(at), _)| at.0).collect::<Vec<_>>(), [kept, pts, sent.pts]);
    assert_eq!(view.scan(tables::RANDOM_IDS, .., Order::Forward, 9).unwrap().len(), 2);
    drop(view);
    drop(snapshot);
    assert!(matches!(difference(&mut cluster, 2, 0), Ok(Difference::DifferenceTooLong(_))));
    let found = cluster.call(user(ALICE), &mailbox::Messages { ids: vec![gone, kept] }).unwrap();
    assert_eq!(found.messages.len(), 1);
    assert!(try_send(&mut cluster, ALICE, BOB, "kept", 1).unwrap().repeated);
}
