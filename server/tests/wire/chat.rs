//! Writing to each other: messages, replies, edits, forwards, deletions, reads, pins, drafts, search.

use tl::api::{enums, functions, types};

use crate::common::person::{messages_of, sent_id, texts};
use crate::common::{Person, TestServer};
use crate::dialogs::dialogs;

use enums::Update;
use functions::messages as api;

/// Two people who know each other's number, and how each names the other.
pub(crate) struct Pair {
    pub(crate) server: TestServer,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    /// Bob, as Alice names him.
    pub(crate) to_bob: enums::InputPeer,
    /// Alice, as Bob names her.
    pub(crate) to_alice: enums::InputPeer,
}

impl Pair {
    pub(crate) async fn new() -> Self {
        let server = TestServer::start().await;
        let mut alice = server.person("Alice").await;
        let mut bob = server.person("Bob").await;
        let to_bob = alice.peer(&bob).await;
        let to_alice = bob.peer(&alice).await;
        Self { server, alice, bob, to_bob, to_alice }
    }

    /// Alice writes and Bob gets it; its identifier with her and with him.
    pub(crate) async fn say(&mut self, text: &str) -> (i32, i32) {
        let id = self.alice.say(&self.to_bob, text).await;
        let got = self.bob.next_message().await;
        assert_eq!(got.message, text);
        (id, got.id)
    }
}

pub(crate) fn user(id: i64) -> enums::Peer {
    types::PeerUser::new(id).into()
}

/// The one update of an answer or push that `pick` takes.
fn pick<T>(
    updates: &enums::Updates<'static>,
    pick: impl Fn(&Update<'static>) -> Option<T>,
) -> Option<T> {
    let enums::Updates::Updates(updates) = updates else { panic!("not updates: {updates:?}") };
    updates.updates.iter().find_map(pick)
}

fn new_message(update: &Update<'static>) -> Option<types::Message<'static>> {
    match update {
        Update::UpdateNewMessage(new) => match &new.message {
            enums::Message::Message(message) => Some(message.clone()),
            _ => None,
        },
        _ => None,
    }
}

pub(crate) fn ids(user: &enums::User<'_>) -> Option<i64> {
    match user {
        enums::User::User(user) => Some(user.id),
        enums::User::UserEmpty(_) => None,
    }
}

// ===== Sending =====

/// `messages.sendMessage`: the answer, both boxes, the push; once, however often it is asked.
#[tokio::test]
async fn a_message_is_in_both_boxes() {
    let mut pair = Pair::new().await;
    let send = api::SendMessage::new(pair.to_bob.clone(), "hello", 77);
    let answer = pair.alice.ask(&send).await;
    let sent = pick(&answer, new_message).expect("the message itself");
    assert!(sent.out && sent.message == "hello" && sent.peer_id == user(pair.bob.id));
    assert_eq!(sent_id(&answer), sent.id);
    let enums::Updates::Updates(all) = &answer else { panic!() };
    let of_random_id = all.updates.iter().filter(
        |update| matches!(update, Update::UpdateMessageID(update) if update.random_id == 77),
    );
    assert_eq!(of_random_id.count(), 1);
    assert_eq!(all.seq, 0);
    assert!(all.users.iter().filter_map(ids).any(|id| id == pair.bob.id), "all that are named");

    let push = pair.bob.next_push().await;
    let got = pick(&push, new_message).expect("the message");
    assert!(!got.out && got.message == "hello" && got.peer_id == user(pair.alice.id));
    let enums::Updates::Updates(push) = &push else { panic!() };
    assert!(push.users.iter().filter_map(ids).any(|id| id == pair.alice.id), "all that are named");

    // The same random id again is the same message.
    let again = pair.alice.ask(&send).await;
    assert_eq!(sent_id(&again), sent.id);
    assert_eq!(texts(&pair.alice.history(&pair.to_bob).await), ["hello"]);
    assert_eq!(texts(&pair.bob.history(&pair.to_alice).await), ["hello"]);

    // And back.
    pair.bob.say(&pair.to_alice, "hi").await;
    let got = pair.alice.next_message().await;
    assert_eq!((got.message, got.out), ("hi", false));
    assert_eq!(texts(&pair.alice.history(&pair.to_bob).await), ["hi", "hello"]);
}

/// `messages.sendMessage` refuses what is no message, and what cannot be done with one here.
#[tokio::test]
async fn what_is_no_message_is_refused() {
    let mut pair = Pair::new().await;
    let to = pair.to_bob.clone();
    let long = "x".repeat(4097);
    let some = || api::SendMessage::new(to.clone(), "text", 5);
    let reply = |id| types::InputReplyToMessage::new(id).into();
    let cases = [
        (api::SendMessage { message: "", ..some() }, "MESSAGE_EMPTY"),
        (api::SendMessage { message: "  \n ", ..some() }, "MESSAGE_EMPTY"),
        (api::SendMessage { message: &long, ..some() }, "MESSAGE_TOO_LONG"),
        (api::SendMessage { reply_to: Some(reply(999)), ..some() }, "REPLY_MESSAGE_ID_INVALID"),
        (api::SendMessage { schedule_date: Some(i32::MAX), ..some() }, "SCHEDULE_DATE_INVALID"),
        (api::SendMessage { effect: Some(5), ..some() }, "EFFECT_ID_INVALID"),
        (api::SendMessage { peer: enums::InputPeer::InputPeerEmpty, ..some() }, "PEER_ID_INVALID"),
        (
            api::SendMessage { peer: types::InputPeerChat::new(1).into(), ..some() },
            "CHAT_ID_INVALID",
        ),
        (
            api::SendMessage { peer: types::InputPeerChannel::new(1, 1).into(), ..some() },
            "CHANNEL_INVALID",
        ),
    ];
    for (send, expected) in cases {
        assert_eq!(pair.alice.refused(&send).await, expected);
    }
    let photo = enums::InputMedia::InputMediaEmpty;
    let media = api::SendMedia::new(to, photo, "caption", 6);
    assert_eq!(pair.alice.refused(&media).await, "MEDIA_EMPTY");
    // The longest text is no longer too long.
    pair.say(&long[..4096]).await;
}

/// Entities and replies come through; `messages.sendMedia` takes a preview that may as well be missing.
#[tokio::test]
async fn messages_have_entities_and_replies() {
    let mut pair = Pair::new().await;
    let (first, _) = pair.say("first").await;
    let bold: enums::MessageEntity<'_> = types::MessageEntityBold::new(0, 4).into();
    let reply = api::SendMessage {
        reply_to: Some(types::InputReplyToMessage::new(first).into()),
        entities: Some(vec![bold.clone()]),
        ..api::SendMessage::new(pair.to_bob.clone(), "bold reply", 9)
    };
    pair.alice.ask(&reply).await;
    let got = pair.bob.next_message().await;
    assert_eq!(got.entities, Some(vec![bold]));
    let header = got.reply_to.expect("a reply");
    let here = texts(&pair.bob.history(&pair.to_alice).await);
    assert_eq!(here, ["bold reply", "first"]);
    let get = types::InputMessageID::new(header.reply_to_msg_id.expect("its id here")).into();
    let found = pair.bob.ask(&api::GetMessages::new(vec![get])).await;
    assert_eq!(texts(&messages_of(found)), ["first"], "the id is Bob's");

    let page = types::InputMediaWebPage {
        optional: true,
        ..types::InputMediaWebPage::new("https://example.org")
    };
    let media =
        api::SendMedia::new(pair.to_bob.clone(), page.into(), "see https://example.org", 10);
    pair.alice.ask(&media).await;
    assert_eq!(pair.bob.next_message().await.message, "see https://example.org");
}

/// Saved Messages: one copy, one's own.
#[tokio::test]
async fn one_may_write_to_oneself() {
    let mut pair = Pair::new().await;
    let myself = enums::InputPeer::InputPeerSelf;
    let id = pair.alice.say(&myself, "note").await;
    let history = pair.alice.history(&myself).await;
    assert_eq!(texts(&history), ["note"]);
    let enums::Message::Message(note) = &history[0] else { panic!() };
    assert_eq!((note.id, &note.peer_id), (id, &user(pair.alice.id)));
    assert!(pair.bob.history(&pair.to_alice).await.is_empty());
}

// ===== Changing =====

/// `messages.editMessage`: both copies change; the push says so.
#[tokio::test]
async fn messages_are_edited() {
    let mut pair = Pair::new().await;
    let (here, there) = pair.say("typo").await;
    let edit = |id, message| api::EditMessage {
        message: Some(message),
        ..api::EditMessage::new(pair.to_bob.clone(), id)
    };
    let (right, same, foreign) = (edit(here, "right"), edit(here, "right"), edit(9999, "x"));
    let answer = pair.alice.ask(&right).await;
    let edited = |update: &Update<'static>| match update {
        Update::UpdateEditMessage(edit) => match &edit.message {
            enums::Message::Message(message) => Some(message.clone()),
            _ => None,
        },
        _ => None,
    };
    let own = pick(&answer, edited).expect("the edit");
    assert!(own.id == here && own.message == "right" && own.edit_date.is_some());
    let theirs = pair.bob.wait_update(edited).await;
    assert!(theirs.id == there && theirs.message == "right");
    assert_eq!(pair.alice.refused(&same).await, "MESSAGE_NOT_MODIFIED");
    assert_eq!(pair.alice.refused(&foreign).await, "MESSAGE_ID_INVALID");
    let of_alice = api::EditMessage {
        message: Some("mine now"),
        ..api::EditMessage::new(pair.to_alice.clone(), there)
    };
    assert_eq!(pair.bob.refused(&of_alice).await, "MESSAGE_AUTHOR_REQUIRED");
    assert_eq!(texts(&pair.bob.history(&pair.to_alice).await), ["right"]);
}

/// `messages.forwardMessages`: the copies name their author.
#[tokio::test]
async fn messages_are_forwarded() {
    let mut pair = Pair::new().await;
    let (first, _) = pair.say("one").await;
    let (second, _) = pair.say("two").await;
    let mut carol = pair.server.person("Carol").await;
    let to_carol = pair.alice.peer(&carol).await;
    let forward = api::ForwardMessages::new(
        pair.to_bob.clone(),
        vec![first, second],
        vec![100, 101],
        to_carol.clone(),
    );
    let answer = pair.alice.ask(&forward).await;
    let enums::Updates::Updates(answer) = answer else { panic!() };
    let random_ids: Vec<i64> = answer
        .updates
        .iter()
        .filter_map(|update| match update {
            Update::UpdateMessageID(update) => Some(update.random_id),
            _ => None,
        })
        .collect();
    assert_eq!(random_ids, [100, 101], "in order");
    for text in ["one", "two"] {
        let got = carol.next_message().await;
        assert_eq!(got.message, text);
        let from = got.fwd_from.expect("it is a forward");
        assert_eq!(from.from_id, Some(user(pair.alice.id)));
    }
    let mismatch = api::ForwardMessages { random_id: vec![1], ..forward.clone() };
    assert_eq!(pair.alice.refused(&mismatch).await, "RANDOM_ID_INVALID");
    let nothing = api::ForwardMessages { id: vec![8888], random_id: vec![1], ..forward.clone() };
    assert_eq!(pair.alice.refused(&nothing).await, "MESSAGE_ID_INVALID");
    let bare = api::ForwardMessages {
        drop_author: true,
        id: vec![first],
        random_id: vec![102],
        ..forward
    };
    pair.alice.ask(&bare).await;
    assert_eq!(carol.next_message().await.fwd_from, None);
}

/// `messages.deleteMessages`: one's own copy, or with `revoke` both.
#[tokio::test]
async fn messages_are_deleted() {
    let mut pair = Pair::new().await;
    let (own, _) = pair.say("only mine goes").await;
    let (both, theirs) = pair.say("both go").await;
    let affected = pair.alice.ask(&api::DeleteMessages::new(vec![own])).await;
    assert_eq!(affected.pts_count, 1);
    let revoke = api::DeleteMessages { revoke: true, ..api::DeleteMessages::new(vec![both]) };
    let affected = pair.alice.ask(&revoke).await;
    assert_eq!(affected.pts_count, 1);
    let gone = pair
        .bob
        .wait_update(|update| match update {
            Update::UpdateDeleteMessages(gone) => Some(gone.messages.clone()),
            _ => None,
        })
        .await;
    assert_eq!(gone, [theirs]);
    let nothing = pair.alice.ask(&api::DeleteMessages::new(vec![own, 7777])).await;
    assert_eq!(nothing.pts_count, 0);
    assert!(pair.alice.history(&pair.to_bob).await.is_empty());
    assert_eq!(texts(&pair.bob.history(&pair.to_alice).await), ["only mine goes"]);
}

/// `messages.deleteHistory`: clears a chat for oneself, or for both.
#[tokio::test]
async fn histories_are_deleted() {
    let mut pair = Pair::new().await;
    for number in 0..3 {
        pair.say(&format!("message {number}")).await;
    }
    let mine =
        api::DeleteHistory { just_clear: true, ..api::DeleteHistory::new(pair.to_bob.clone(), 0) };
    let affected = pair.alice.ask(&mine).await;
    assert!(affected.pts_count >= 3 && affected.offset == 0);
    assert!(texts(&pair.alice.history(&pair.to_bob).await).is_empty());
    assert_eq!(pair.bob.history(&pair.to_alice).await.len(), 3);
    let both =
        api::DeleteHistory { revoke: true, ..api::DeleteHistory::new(pair.to_alice.clone(), 0) };
    pair.bob.ask(&both).await;
    assert!(texts(&pair.bob.history(&pair.to_alice).await).is_empty());
    let dialogs = dialogs(&mut pair.bob).await;
    assert!(dialogs.iter().all(|dialog| dialog.peer != user(pair.alice.id)), "the chat is gone");
}

// ===== Reading =====

/// `messages.readHistory`: unread counts fall, the author is told; `messages.getOutboxReadDate` tells when.
#[tokio::test]
async fn reading_is_told() {
    let mut pair = Pair::new().await;
    pair.say("one").await;
    let (here, there) = pair.say("two").await;
    let dialog = dialogs(&mut pair.bob).await.remove(0);
    assert_eq!((dialog.unread_count, dialog.top_message), (2, there));
    let date = api::GetOutboxReadDate::new(pair.to_bob.clone(), here);
    assert_eq!(pair.alice.refused(&date).await, "MESSAGE_NOT_READ_YET");

    let read = api::ReadHistory::new(pair.to_alice.clone(), there);
    let affected = pair.bob.ask(&read).await;
    assert_eq!(affected.pts_count, 1);
    let told = pair
        .alice
        .wait_update(|update| match update {
            Update::UpdateReadHistoryOutbox(read) => Some((read.peer.clone(), read.max_id)),
            _ => None,
        })
        .await;
    assert_eq!(told, (user(pair.bob.id), here), "with her own identifier");
    assert_eq!(pair.bob.ask(&read).await.pts_count, 0, "nothing new to read");
    let dialog = dialogs(&mut pair.bob).await.remove(0);
    assert_eq!((dialog.unread_count, dialog.read_inbox_max_id), (0, there));
    let dialog = dialogs(&mut pair.alice).await.remove(0);
    assert_eq!(dialog.read_outbox_max_id, here);
    assert!(pair.alice.ask(&date).await.date > 1_600_000_000);
}

/// `messages.receivedMessages`, `messages.readMessageContents`: nothing to tell of texts.
#[tokio::test]
async fn texts_have_no_contents_to_read() {
    let mut pair = Pair::new().await;
    let (_, there) = pair.say("text").await;
    assert!(pair.bob.ask(&api::ReceivedMessages::new(there)).await.is_empty());
    let affected = pair.bob.ask(&api::ReadMessageContents::new(vec![there])).await;
    assert_eq!(affected.pts_count, 0);
}

/// `messages.setTyping`: the other side sees it, and nothing is kept.
#[tokio::test]
async fn typing_is_seen() {
    let mut pair = Pair::new().await;
    let before = pair.bob.state().await.pts;
    let typing = enums::SendMessageAction::SendMessageTypingAction;
    assert!(pair.alice.ask(&api::SetTyping::new(pair.to_bob.clone(), typing.clone())).await);
    let seen = pair
        .bob
        .wait_update(|update| match update {
            Update::UpdateUserTyping(typing) => Some((typing.user_id, typing.action.clone())),
            _ => None,
        })
        .await;
    assert_eq!(seen, (pair.alice.id, typing));
    assert_eq!(pair.bob.state().await.pts, before);
}

// ===== Finding =====

/// `messages.getHistory`, `messages.getMessages`: every window of a chat.
#[tokio::test]
async fn histories_come_in_windows() {
    let mut pair = Pair::new().await;
    let mut sent = Vec::new();
    for number in 0..10 {
        sent.push(pair.alice.say(&pair.to_bob, &format!("{number}")).await);
    }
    let all = |from: usize, to: usize| (from..=to).rev().map(|n| n.to_string()).collect::<Vec<_>>();
    let id = |n: usize| sent[n];
    // (offset_id, add_offset, limit, max_id, min_id) and the messages that come.
    let cases = [
        ((0, 0, 100, 0, 0), all(0, 9)),
        ((0, 0, 3, 0, 0), all(7, 9)),
        ((id(5), 0, 3, 0, 0), all(2, 4)),
        ((id(5), -3, 6, 0, 0), all(2, 7)),
        ((id(5), 2, 2, 0, 0), all(1, 2)),
        ((0, 4, 2, 0, 0), all(4, 5)),
        ((0, 0, 100, id(8), id(5)), all(6, 7)),
        ((id(0), 0, 10, 0, 0), vec![]),
    ];
    for ((offset_id, add_offset, limit, max_id, min_id), expected) in cases {
        let peer = pair.to_bob.clone();
        let get = api::GetHistory::new(peer, offset_id, 0, add_offset, limit, max_id, min_id, 0);
        let found = messages_of(pair.alice.ask(&get).await);
        assert_eq!(texts(&found), expected, "{offset_id} {add_offset} {limit} {max_id} {min_id}");
    }
    let negative = api::GetHistory::new(pair.to_bob.clone(), 0, 0, 0, -1, 0, 0, 0);
    assert_eq!(pair.alice.refused(&negative).await, "LIMIT_INVALID");
    let asked = [sent[3], 999_999, sent[1]].map(|id| types::InputMessageID::new(id).into());
    let found = messages_of(pair.alice.ask(&api::GetMessages::new(asked.to_vec())).await);
    assert_eq!(found.len(), 3, "one for each asked");
    assert!(matches!(found[1], enums::Message::MessageEmpty(_)));
    assert_eq!(texts(&found), ["3", "1"]);
}

/// `messages.search`, `messages.searchGlobal`, `messages.getSearchCounters`, `messages.getSplitRanges`.
#[tokio::test]
async fn messages_are_found() {
    let mut pair = Pair::new().await;
    for text in ["the first word", "another", "Words, words"] {
        pair.say(text).await;
    }
    let link = api::SendMessage {
        entities: Some(vec![types::MessageEntityUrl::new(4, 20).into()]),
        ..api::SendMessage::new(pair.to_bob.clone(), "see https://example.org/ there", 4)
    };
    pair.alice.ask(&link).await;
    let empty = enums::MessagesFilter::InputMessagesFilterEmpty;
    let url = enums::MessagesFilter::InputMessagesFilterUrl;
    let search = |q, filter: &enums::MessagesFilter| {
        api::Search::new(pair.to_bob.clone(), q, filter.clone(), 0, 0, 0, 0, 100, 0, 0, 0)
    };
    let cases = [
        (search("word", &empty), vec!["Words, words", "the first word"]),
        (search("nothing like it", &empty), vec![]),
        (search("", &url), vec!["see https://example.org/ there"]),
    ];
    let refused = search("", &empty);
    for (search, expected) in cases {
        let found = messages_of(pair.alice.ask(&search).await);
        assert_eq!(texts(&found), expected, "{:?}", search.q);
    }
    // Without a query it is the history, or refused; either way nothing breaks.
    let _ = pair.alice.call(&refused).await;

    let peer = enums::InputPeer::InputPeerEmpty;
    let global = api::SearchGlobal::new("another", empty, 0, 0, 0, peer, 0, 10);
    assert_eq!(texts(&messages_of(pair.alice.ask(&global).await)), ["another"]);
    let photos = enums::MessagesFilter::InputMessagesFilterPhotos;
    let count = api::GetSearchCounters::new(pair.to_bob.clone(), vec![url, photos]);
    let counters = pair.alice.ask(&count).await;
    assert_eq!(counters.iter().map(|counter| counter.count).collect::<Vec<_>>(), [1, 0]);

    // One range has all of them: who counts range by range counts each once.
    let ranges = pair.alice.ask(&api::GetSplitRanges::new()).await;
    assert_eq!(ranges, [types::MessageRange::new(1, i32::MAX)]);
}

// ===== Pins and drafts =====

/// `messages.updatePinnedMessage`, `messages.unpinAllMessages`: both sides see pins.
#[tokio::test]
async fn messages_are_pinned() {
    let mut pair = Pair::new().await;
    let (here, there) = pair.say("important").await;
    let pin = api::UpdatePinnedMessage::new(pair.to_bob.clone(), here);
    let answer = pair.alice.ask(&pin).await;
    let pinned = |update: &Update<'static>| match update {
        Update::UpdatePinnedMessages(pins) => Some((pins.pinned, pins.messages.clone())),
        _ => None,
    };
    assert_eq!(pick(&answer, pinned), Some((true, vec![here])));
    assert_eq!(pair.bob.wait_update(pinned).await, (true, vec![there]));
    let filter = enums::MessagesFilter::InputMessagesFilterPinned;
    let search = api::Search::new(pair.to_alice.clone(), "", filter, 0, 0, 0, 0, 10, 0, 0, 0);
    assert_eq!(texts(&messages_of(pair.bob.ask(&search).await)), ["important"]);
    assert_eq!(pair.alice.refused(&pin).await, "CHAT_NOT_MODIFIED");
    let affected = pair.alice.ask(&api::UnpinAllMessages::new(pair.to_bob.clone())).await;
    assert_eq!((affected.pts_count, affected.offset), (1, 0));
    assert_eq!(pair.bob.wait_update(pinned).await, (false, vec![there]));
}

/// `messages.saveDraft`, `messages.getAllDrafts`, `messages.clearAllDrafts`: other devices see drafts.
#[tokio::test]
async fn drafts_are_kept() {
    let mut pair = Pair::new().await;
    let mut tablet = pair.server.device_of(&pair.alice).await;
    tablet.state().await;
    let drafted = |update: &Update<'static>| match update {
        Update::UpdateDraftMessage(update) => match &update.draft {
            enums::DraftMessage::DraftMessage(draft) => Some(draft.message),
            enums::DraftMessage::DraftMessageEmpty(_) => Some(""),
        },
        _ => None,
    };
    assert!(pair.alice.ask(&api::SaveDraft::new(pair.to_bob.clone(), "not yet")).await);
    assert_eq!(tablet.wait_update(drafted).await, "not yet");
    let drafts = tablet.ask(&api::GetAllDrafts {}).await;
    assert_eq!(pick(&drafts, drafted), Some("not yet"));
    // Sending clears it, if asked to.
    let send = api::SendMessage {
        clear_draft: true,
        ..api::SendMessage::new(pair.to_bob.clone(), "now", 3)
    };
    pair.alice.ask(&send).await;
    assert_eq!(tablet.wait_update(drafted).await, "");
    pair.alice.ask(&api::SaveDraft::new(pair.to_bob.clone(), "again")).await;
    assert!(pair.alice.ask(&api::ClearAllDrafts {}).await);
    let drafts = pair.alice.ask(&api::GetAllDrafts {}).await;
    assert_eq!(pick(&drafts, drafted), None);
}

/// `messages.getPeerSettings`, `messages.hidePeerSettingsBar`: what to offer for a stranger.
#[tokio::test]
async fn strangers_have_settings() {
    let mut pair = Pair::new().await;
    pair.say("hello stranger").await;
    let get = api::GetPeerSettings::new(pair.to_alice.clone());
    let settings = pair.bob.ask(&get).await;
    assert!(settings.settings.add_contact && settings.settings.block_contact);
    assert!(pair.bob.ask(&api::HidePeerSettingsBar::new(pair.to_alice.clone())).await);
}
