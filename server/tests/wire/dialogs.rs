//! Lists of chats: their order, pages, pins and marks.

use tl::api::{enums, functions, types};

use crate::chat::{Pair, ids, user};
use crate::common::{Person, TestServer};

use functions::messages as api;

/// All chats.
pub(crate) async fn dialogs(person: &mut Person) -> Vec<types::Dialog<'static>> {
    let get = api::GetDialogs::new(0, 0, enums::InputPeer::InputPeerEmpty, 100, 0);
    match person.ask(&get).await {
        enums::messages::Dialogs::Dialogs(all) => all.dialogs,
        enums::messages::Dialogs::DialogsSlice(slice) => slice.dialogs,
        other => panic!("not dialogs: {other:?}"),
    }
}

/// `messages.getDialogs`, in pages, `messages.getPeerDialogs`: the latest chat first, each with all it names.
#[tokio::test]
async fn chats_are_listed() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut others = Vec::new();
    for number in 0..5 {
        let other = server.person(&format!("Friend {number}")).await;
        let peer = alice.peer(&other).await;
        alice.say(&peer, "hello").await;
        others.push((other, peer));
    }
    let listed = dialogs(&mut alice).await;
    let peers: Vec<_> = listed.iter().map(|dialog| dialog.peer.clone()).collect();
    let expected: Vec<_> = others.iter().rev().map(|(other, _)| user(other.id)).collect();
    assert_eq!(peers, expected);

    // Page by page.
    let (mut seen, mut offset) = (Vec::new(), (0, 0, enums::InputPeer::InputPeerEmpty));
    while seen.len() < 5 {
        let get = api::GetDialogs::new(offset.0, offset.1, offset.2, 2, 0);
        let enums::messages::Dialogs::DialogsSlice(page) = alice.ask(&get).await else {
            panic!("a part of the list")
        };
        assert_eq!(page.count, 5);
        let last = page.dialogs.last().expect("progress");
        let date = page.messages.iter().find_map(|message| match message {
            enums::Message::Message(message) if message.id == last.top_message => {
                Some(message.date)
            }
            _ => None,
        });
        let at = seen.len() + page.dialogs.len() - 1;
        offset = (date.expect("the newest message"), last.top_message, others[4 - at].1.clone());
        seen.extend(page.dialogs.iter().map(|dialog| dialog.peer.clone()));
    }
    assert_eq!(seen, expected);

    let asked: Vec<enums::InputDialogPeer> =
        vec![types::InputDialogPeer::new(others[2].1.clone()).into()];
    let peer_dialogs = alice.ask(&api::GetPeerDialogs::new(asked)).await;
    assert_eq!(peer_dialogs.dialogs.len(), 1);
    assert_eq!(peer_dialogs.state.pts, alice.state().await.pts);
    assert!(peer_dialogs.users.iter().filter_map(ids).any(|id| id == others[2].0.id));
}

/// `messages.toggleDialogPin`, `messages.reorderPinnedDialogs`, `messages.getPinnedDialogs`.
#[tokio::test]
async fn chats_are_pinned() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut peers = Vec::new();
    for number in 0..3 {
        let other = server.person(&format!("Friend {number}")).await;
        let peer = alice.peer(&other).await;
        alice.say(&peer, "hello").await;
        peers.push((user(other.id), types::InputDialogPeer::new(peer)));
    }
    for (_, peer) in &peers[..2] {
        let pin =
            api::ToggleDialogPin { pinned: true, ..api::ToggleDialogPin::new(peer.clone().into()) };
        assert!(alice.ask(&pin).await);
    }
    let pinned = |answer: types::messages::PeerDialogs<'static>| -> Vec<enums::Peer> {
        assert!(answer.dialogs.iter().all(|dialog| dialog.pinned));
        answer.dialogs.into_iter().map(|dialog| dialog.peer).collect()
    };
    let get = api::GetPinnedDialogs::new(0);
    assert_eq!(pinned(alice.ask(&get).await), [peers[1].0.clone(), peers[0].0.clone()]);
    let order: Vec<enums::InputDialogPeer> =
        peers[..2].iter().map(|(_, peer)| peer.clone().into()).collect();
    let reorder =
        api::ReorderPinnedDialogs { force: true, ..api::ReorderPinnedDialogs::new(0, order) };
    assert!(alice.ask(&reorder).await);
    assert_eq!(pinned(alice.ask(&get).await), [peers[0].0.clone(), peers[1].0.clone()]);
    let listed = dialogs(&mut alice).await;
    assert!(listed[0].pinned && listed[0].peer == peers[0].0, "pinned chats come first");
    let unpin = api::ToggleDialogPin::new(peers[0].1.clone().into());
    assert!(alice.ask(&unpin).await);
    assert_eq!(pinned(alice.ask(&get).await), [peers[1].0.clone()]);
}

/// `messages.markDialogUnread`, `messages.getDialogUnreadMarks`.
#[tokio::test]
async fn chats_are_marked_unread() {
    let mut pair = Pair::new().await;
    pair.say("read me").await;
    let peer: enums::InputDialogPeer = types::InputDialogPeer::new(pair.to_alice.clone()).into();
    let mark = api::MarkDialogUnread { unread: true, ..api::MarkDialogUnread::new(peer.clone()) };
    assert!(pair.bob.ask(&mark).await);
    let marks = pair.bob.ask(&api::GetDialogUnreadMarks::new()).await;
    assert_eq!(marks.len(), 1);
    assert!(dialogs(&mut pair.bob).await[0].unread_mark);
    assert!(pair.bob.ask(&api::MarkDialogUnread::new(peer)).await);
    assert!(pair.bob.ask(&api::GetDialogUnreadMarks::new()).await.is_empty());
}
