//! Devices in step: pushes to every session, the difference for those who were away, `pts` without gaps.

use std::collections::BTreeMap;

use tl::api::{enums, functions, types};

use crate::common::{Person, TestServer};

use enums::Update;
use enums::updates::Difference;
use functions::messages as api;

/// The `pts` and `pts_count` that an update carries.
fn step(update: &Update<'static>) -> Option<(i32, i32)> {
    Some(match update {
        Update::UpdateNewMessage(u) => (u.pts, u.pts_count),
        Update::UpdateEditMessage(u) => (u.pts, u.pts_count),
        Update::UpdateDeleteMessages(u) => (u.pts, u.pts_count),
        Update::UpdateReadHistoryInbox(u) => (u.pts, u.pts_count),
        Update::UpdateReadHistoryOutbox(u) => (u.pts, u.pts_count),
        Update::UpdateReadMessagesContents(u) => (u.pts, u.pts_count),
        Update::UpdatePinnedMessages(u) => (u.pts, u.pts_count),
        _ => return None,
    })
}

/// What a client that keeps to the rules knows of its box.
#[derive(Default)]
struct Replica {
    pts: i32,
    messages: BTreeMap<i32, String>,
    /// Events by the `pts` after them: those that come in a result may overtake pushes.
    waiting: BTreeMap<i32, (i32, Option<Update<'static>>)>,
}

impl Replica {
    async fn of(person: &mut Person) -> Self {
        Self { pts: person.state().await.pts, ..Self::default() }
    }

    /// Takes an event; applies all that are due, passes over what is known. Panics at what can never fit.
    fn take(&mut self, pts: i32, count: i32, update: Option<Update<'static>>) {
        if pts <= self.pts {
            return;
        }
        assert!(count > 0 && pts - count >= self.pts, "{pts} by {count} after {}", self.pts);
        self.waiting.insert(pts, (count, update));
        while let Some(entry) = self.waiting.first_entry() {
            let (pts, (count, _)) = (*entry.key(), entry.get());
            if pts - count != self.pts {
                return;
            }
            let (_, update) = entry.remove();
            self.pts = pts;
            self.apply(update);
        }
    }

    fn apply(&mut self, update: Option<Update<'static>>) {
        match update {
            Some(Update::UpdateNewMessage(new)) => self.put(&new.message),
            Some(Update::UpdateEditMessage(edit)) => self.put(&edit.message),
            Some(Update::UpdateDeleteMessages(gone)) => {
                self.messages.retain(|id, _| !gone.messages.contains(id));
            }
            _ => {}
        }
    }

    fn put(&mut self, message: &enums::Message<'static>) {
        if let enums::Message::Message(message) = message {
            self.messages.insert(message.id, message.message.to_owned());
        }
    }

    fn take_all(&mut self, updates: &enums::Updates<'static>) {
        let enums::Updates::Updates(updates) = updates else { panic!("{updates:?}") };
        for update in &updates.updates {
            if let Some((pts, count)) = step(update) {
                self.take(pts, count, Some(update.clone()));
            }
        }
    }

    /// Takes pushes until the box stands at `pts`.
    async fn follow(&mut self, person: &mut Person, pts: i32) {
        while self.pts < pts {
            let update = person.next_update().await;
            if let Some((pts, count)) = step(&update) {
                self.take(pts, count, Some(update));
            }
        }
        assert!(self.waiting.is_empty() && self.pts == pts, "{} is not {pts}", self.pts);
    }

    /// Takes the difference, part by part; how many parts there were.
    async fn catch_up(&mut self, person: &mut Person, limit: Option<i32>) -> usize {
        let mut parts = 0;
        loop {
            parts += 1;
            let get = functions::updates::GetDifference {
                pts_limit: limit,
                ..functions::updates::GetDifference::new(self.pts, 1, 0)
            };
            let (messages, others, state, is_last) = match person.ask(&get).await {
                Difference::DifferenceEmpty(_) => return parts,
                Difference::Difference(all) => {
                    (all.new_messages, all.other_updates, all.state, true)
                }
                Difference::DifferenceSlice(part) => {
                    (part.new_messages, part.other_updates, part.intermediate_state, false)
                }
                other => panic!("{other:?}"),
            };
            assert!(state.pts > self.pts, "progress");
            messages.iter().for_each(|message| self.put(message));
            for update in others {
                let pts = step(&update).map(|(pts, _)| pts);
                assert!(pts.is_none_or(|pts| pts <= state.pts), "nothing from the future");
                self.apply(Some(update));
            }
            self.pts = state.pts;
            if is_last {
                return parts;
            }
        }
    }
}

/// Does a little of everything between two people; every step is told to the one who acts.
async fn live(
    alice: &mut Person,
    own: &mut Replica,
    to_bob: &enums::InputPeer,
    bob: &mut Person,
    to_alice: &enums::InputPeer,
) {
    let mut sent = Vec::new();
    for number in 0..5 {
        let text = format!("message {number}");
        let random_id = alice.random_id();
        let send = api::SendMessage::new(to_bob.clone(), &text, random_id);
        let answer = alice.ask(&send).await;
        sent.push(crate::common::person::sent_id(&answer));
        own.take_all(&answer);
    }
    let edit = api::EditMessage {
        message: Some("edited"),
        ..api::EditMessage::new(to_bob.clone(), sent[1])
    };
    own.take_all(&alice.ask(&edit).await);
    bob.say(to_alice, "an answer").await;
    let revoke =
        api::DeleteMessages { revoke: true, ..api::DeleteMessages::new(vec![sent[0], sent[3]]) };
    let affected = alice.ask(&revoke).await;
    let gone =
        types::UpdateDeleteMessages::new(vec![sent[0], sent[3]], affected.pts, affected.pts_count);
    own.take(affected.pts, affected.pts_count, Some(gone.into()));
    let last = bob.history(to_alice).await;
    let enums::Message::Message(last) = &last[0] else { panic!() };
    bob.ask(&api::ReadHistory::new(to_alice.clone(), last.id)).await;
    own.take_all(&alice.ask(&api::UpdatePinnedMessage::new(to_bob.clone(), sent[2])).await);
}

fn by_id(messages: &[enums::Message<'static>]) -> BTreeMap<i32, String> {
    let mut replica = Replica::default();
    messages.iter().for_each(|message| replica.put(message));
    replica.messages
}

/// The device that acts, one that listens and one that was away all end with the same box; so do both sides.
#[tokio::test]
async fn all_devices_end_alike() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let (to_bob, to_alice) = (alice.peer(&bob).await, bob.peer(&alice).await);
    let mut tablet = server.device_of(&alice).await;
    let mut away = server.device_of(&alice).await;
    // What the logins themselves wrote is behind us.
    let mut on_phone = Replica::of(&mut alice).await;
    let mut on_tablet = Replica::of(&mut tablet).await;
    let mut on_away = Replica::of(&mut away).await;
    let mut of_bob = Replica::of(&mut bob).await;
    away.disconnect().await;

    live(&mut alice, &mut on_phone, &to_bob, &mut bob, &to_alice).await;

    // Bob's read reaches Alice by a push, in its own time.
    let pts = loop {
        let state = alice.state().await;
        let dialogs =
            api::GetPeerDialogs::new(vec![types::InputDialogPeer::new(to_bob.clone()).into()]);
        let chat = alice.ask(&dialogs).await.dialogs.remove(0);
        if chat.read_outbox_max_id > 0 && state.pts == alice.state().await.pts {
            break state.pts;
        }
    };
    on_tablet.follow(&mut tablet, pts).await;
    on_phone.follow(&mut alice, pts).await;
    away.reconnect().await;
    let _ = on_away.catch_up(&mut away, Some(3)).await;
    assert_eq!(on_away.pts, pts);
    let history = by_id(&alice.history(&to_bob).await);
    assert_eq!(on_tablet.messages, history);
    assert_eq!(on_away.messages, history);
    assert_eq!(on_phone.messages, history);

    of_bob.catch_up(&mut bob, None).await;
    assert_eq!(of_bob.messages, by_id(&bob.history(&to_alice).await));
    let texts = |messages: &BTreeMap<i32, String>| messages.values().cloned().collect::<Vec<_>>();
    assert_eq!(texts(&of_bob.messages), texts(&history), "both sides agree");
}

/// `updates.getDifference` in slices: every event once, an edited message as it is now, a deleted one not at all.
#[tokio::test]
async fn differences_come_in_slices() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_bob = alice.peer(&bob).await;
    let mut replica = Replica::of(&mut bob).await;
    let first = alice.say(&to_bob, "as it was").await;
    for number in 0..250 {
        alice.say(&to_bob, &format!("{number}")).await;
    }
    let edit = api::EditMessage {
        message: Some("as it is"),
        ..api::EditMessage::new(to_bob.clone(), first)
    };
    alice.ask(&edit).await;
    let last = alice.say(&to_bob, "gone").await;
    let revoke = api::DeleteMessages { revoke: true, ..api::DeleteMessages::new(vec![last]) };
    alice.ask(&revoke).await;
    bob.wait_update(|update| matches!(update, Update::UpdateDeleteMessages(_)).then_some(())).await;

    let parts = replica.catch_up(&mut bob, None).await;
    assert!(parts >= 3, "{parts} parts");
    assert_eq!(replica.messages.len(), 251);
    assert_eq!(replica.messages.values().next().unwrap(), "as it is");
    assert_eq!(replica.pts, bob.state().await.pts);
    assert_eq!(replica.catch_up(&mut bob, None).await, 1, "nothing is left");
}

/// `updates.getState` and `updates.getDifference` at their edges.
#[tokio::test]
async fn differences_of_nowhere_are_refused() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let state = alice.state().await;
    assert!(state.pts > 0 && state.date > 1_600_000_000, "{state:?}");
    let get = |pts| functions::updates::GetDifference::new(pts, 1, 0);
    assert_eq!(alice.refused(&get(0)).await, "PERSISTENT_TIMESTAMP_EMPTY");
    assert_eq!(alice.refused(&get(-5)).await, "PERSISTENT_TIMESTAMP_EMPTY");
    assert_eq!(alice.refused(&get(state.pts + 1)).await, "PERSISTENT_TIMESTAMP_INVALID");
    let empty = alice.ask(&get(state.pts)).await;
    assert!(matches!(empty, Difference::DifferenceEmpty(_)));
    // More than one wants to hear of: start anew.
    let myself = enums::InputPeer::InputPeerSelf;
    for number in 0..5 {
        alice.say(&myself, &format!("{number}")).await;
    }
    let few = functions::updates::GetDifference { pts_total_limit: Some(2), ..get(state.pts) };
    let Difference::DifferenceTooLong(too_long) = alice.ask(&few).await else { panic!() };
    assert_eq!(too_long.pts, alice.state().await.pts);
    let channel = types::InputChannel::new(1, 1).into();
    let filter = enums::ChannelMessagesFilter::ChannelMessagesFilterEmpty;
    let get = functions::updates::GetChannelDifference::new(channel, filter, 1, 10);
    assert_eq!(alice.refused(&get).await, "CHANNEL_INVALID");
}

/// A session that lost its connection gets what was pushed meanwhile on the next one, without asking.
#[tokio::test]
async fn a_session_gets_what_it_missed() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_bob = alice.peer(&bob).await;
    bob.state().await;
    bob.disconnect().await;
    for number in 0..20 {
        alice.say(&to_bob, &format!("{number}")).await;
    }
    bob.reconnect().await;
    bob.ping().await;
    for number in 0..20 {
        assert_eq!(bob.next_message().await.message, number.to_string());
    }
    assert_eq!(bob.lives().len(), 1, "the same session");
}

/// Too much is not kept for those who are away: they are told to ask for the difference.
#[tokio::test]
async fn whoever_misses_too_much_is_told_so() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_bob = alice.peer(&bob).await;
    let mut replica = Replica::of(&mut bob).await;
    bob.disconnect().await;
    let long = "x".repeat(4000);
    let mut sent = 0;
    while sent <= mtproto::limits::PUSH_LEN_MAX {
        alice.say(&to_bob, &long).await;
        sent += long.len();
    }
    bob.reconnect().await;
    bob.ping().await;
    loop {
        if matches!(bob.next_push().await, enums::Updates::UpdatesTooLong) {
            break;
        }
    }
    replica.catch_up(&mut bob, None).await;
    assert_eq!(replica.messages.len() * long.len(), sent);
}

/// `invokeWithoutUpdates`: sessions for files want none; of one key's sessions only the one that asked last gets them.
#[tokio::test]
async fn one_session_of_a_key_gets_updates() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_bob = alice.peer(&bob).await;
    bob.state().await;
    let mut files = bob.sibling().await;
    let config = tl::Encode::to_vec(&functions::help::GetConfig {}, tl::Layer::NEWEST);
    let quiet = functions::InvokeWithoutUpdates::new(tl::Raw(&config));
    files.call_bytes(&quiet).await.expect("it is for anybody");
    alice.say(&to_bob, "for the main session").await;
    assert_eq!(bob.next_message().await.message, "for the main session");

    let mut newer = bob.sibling().await;
    newer.call(&functions::updates::GetState {}).await.expect("logged in by the key");
    alice.say(&to_bob, "for the newer session").await;
    let got = newer.next_push().await;
    assert!(matches!(got, enums::Updates::Updates(_)));
    bob.ping().await;
    alice.say(&to_bob, "and again").await;
    newer.next_push().await;
    // A plain request brings them back.
    bob.state().await;
    alice.say(&to_bob, "back again").await;
    assert_eq!(bob.next_message().await.message, "back again");
    for mut other in [files, newer] {
        other.ping().await;
    }
}

/// A session that is opened to carry files takes no updates away from the one that talks, however late it asks.
#[tokio::test]
async fn sessions_for_files_get_no_updates() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_bob = alice.peer(&bob).await;
    bob.state().await;
    let mut files = bob.sibling().await;
    files.call(&functions::help::GetConfig {}).await.expect("it is for anybody");
    let part = functions::upload::SaveFilePart::new(1, 0, &[7; 1024]);
    assert!(files.call(&part).await.expect("it is logged in by the key"));
    alice.say(&to_bob, "for the session that talks").await;
    assert_eq!(bob.next_message().await.message, "for the session that talks");
    files.ping().await;
    assert!(files.pushed_already().is_none());
    // One that asks for anything else is no session for files.
    files.call(&functions::updates::GetState {}).await.expect("it may");
    alice.say(&to_bob, "for the one that asked last").await;
    assert!(matches!(files.next_push().await, enums::Updates::Updates(_)));
}

/// `account.updateStatus`: those who talk to each other see who is there.
#[tokio::test]
async fn presence_is_seen() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let (to_bob, to_alice) = (alice.peer(&bob).await, bob.user(&alice).await);
    bob.ask(&functions::contacts::AddContact::new(to_alice, "Alice", "", &alice.phone)).await;
    let bob_as_user = alice.user(&bob).await;
    alice.ask(&functions::contacts::AddContact::new(bob_as_user, "Bob", "", &bob.phone)).await;
    alice.say(&to_bob, "hello").await;
    bob.next_message().await;
    let id = alice.id;
    let status = move |update: &Update<'static>| match update {
        Update::UpdateUserStatus(update) if update.user_id == id => Some(update.status.clone()),
        _ => None,
    };
    assert!(alice.ask(&functions::account::UpdateStatus::new(false)).await);
    let seen = bob.wait_update(status).await;
    assert!(matches!(seen, enums::UserStatus::UserStatusOnline(_)), "{seen:?}");
    assert!(alice.ask(&functions::account::UpdateStatus::new(true)).await);
    let seen = bob.wait_update(status).await;
    assert!(matches!(seen, enums::UserStatus::UserStatusOffline(_)), "{seen:?}");
}
