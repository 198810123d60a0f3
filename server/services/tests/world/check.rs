//! What must hold when all has come through.

use std::collections::{BTreeMap, BTreeSet};

use services::tables;
use storage::{Desc, Order, Owner, Pts, Read, UserId};
use tl::records::enums::Change;
use tl::records::types::{Dialog, Message};

use super::cluster::Cluster;
use super::people::{Name, People, Person, messages, name};

/// Checks everything.
pub(crate) fn all(cluster: &Cluster, people: &People) {
    let boxes: BTreeMap<i64, BTreeMap<Name, Message>> =
        people.all.iter().map(|person| (person.user, by_name(cluster, person.user))).collect();
    sent_once(people, &boxes);
    cluster.check_rows();
    for person in &people.all {
        log_has_no_gap(cluster, person.user);
        totals_are_those_of_the_rows(cluster, person.user);
        devices_know_what_is_stored(cluster, person);
        for peer in people.all.iter().filter(|peer| peer.user != person.user) {
            both_sides_agree(cluster, person.user, peer.user, &boxes);
        }
    }
}

fn owner(user: i64) -> Owner {
    Owner::User(UserId(user))
}

/// The messages that are shared, each of which must be in the box once.
fn by_name(cluster: &Cluster, user: i64) -> BTreeMap<Name, Message> {
    let mut by_name = BTreeMap::new();
    for message in messages(cluster, user).into_iter().filter(|message| !message.local) {
        let twice = by_name.insert(name(user, &message), message);
        assert!(twice.is_none(), "a message is in box {user} twice: {twice:?}");
    }
    by_name
}

/// What was answered as sent is in both boxes, with its last content, unless it was deleted there; and nothing else is.
fn sent_once(people: &People, boxes: &BTreeMap<i64, BTreeMap<Name, Message>>) {
    let sent: BTreeSet<Name> = people.sent.values().map(|(name, _)| *name).collect();
    for (name, message) in boxes.values().flatten() {
        assert!(message.action.is_some() || sent.contains(name), "never answered: {message:?}");
    }
    for (name, peer) in people.sent.values() {
        for user in [name.0, *peer] {
            let found = boxes[&user].get(name);
            let gone = people.gone.contains(&(user, *name));
            assert_eq!(found.is_none(), gone, "message {name:?} in box {user}: {found:?}");
            if let Some(message) = found {
                assert_eq!(message.text, people.text[name], "message {name:?} in box {user}");
            }
        }
    }
}

fn both_sides_agree(
    cluster: &Cluster,
    user: i64,
    peer: i64,
    boxes: &BTreeMap<i64, BTreeMap<Name, Message>>,
) {
    let relation = |user, about: i64| {
        let row = cluster.view(owner(user), |view| view.get(tables::RELATIONS, &about).unwrap());
        row.unwrap_or_else(tl::records::types::Relation::new)
    };
    let (mine, theirs) = (relation(user, peer), relation(peer, user));
    assert_eq!(mine.blocked.is_some(), theirs.blocks_me, "{user} blocks {peer}");
    assert_eq!(mine.contact.is_some(), theirs.knows_me, "{user} knows {peer}");

    let mark = |user, about: i64| {
        cluster.view(owner(user), |view| view.get(tables::DIALOGS, &about).unwrap())
    };
    let read_outbox = mark(user, peer).map_or(0, |row: Dialog| row.read_outbox_max_id);
    let read_inbox = mark(peer, user).map_or(0, |row: Dialog| row.read_inbox_max_id);
    for (name, message) in
        boxes[&user].iter().filter(|(name, message)| name.0 == user && message.peer == peer)
    {
        let Some(copy) = boxes[&peer].get(name) else { continue };
        let content = |message: &Message| {
            (
                message.text.clone(),
                message.date,
                message.edit_date,
                message.pinned,
                message.action.clone(),
            )
        };
        assert_eq!(content(message), content(copy), "both copies of {name:?}");
        let read = copy.id <= read_inbox;
        assert_eq!(
            message.id <= read_outbox,
            read,
            "{name:?} read by {peer}: {read_outbox} {read_inbox} {copy:?}"
        );
        if let (Some(reply), Some(reply_copy)) = (&message.reply, &copy.reply) {
            // Each names the message in its own box; if both still exist they are the same one.
            let at = |user: i64, id: Option<i32>| {
                boxes[&user]
                    .iter()
                    .find(|(_, message)| Some(message.id) == id)
                    .map(|(name, _)| *name)
            };
            if let (Some(own), Some(other)) = (at(user, reply.id), at(peer, reply_copy.id)) {
                assert_eq!(own, other, "what {name:?} replies to");
            }
        }
    }
}

/// Each event follows the one before it, and each message has the event it came with.
pub(crate) fn log_has_no_gap(cluster: &Cluster, user: i64) {
    let log = cluster
        .view(owner(user), |view| view.scan(tables::LOG, .., Order::Backward, usize::MAX).unwrap());
    let mut before = 1;
    for (Desc(Pts(pts)), event) in &log {
        assert_eq!(pts - event.pts_count, before, "event {pts} of box {user}: {event:?}");
        before = *pts;
    }
    let places: BTreeMap<i32, i64> = log
        .iter()
        .filter_map(|(Desc(Pts(pts)), event)| match &event.change {
            Change::ChangeNewMessage(new) => Some((*pts, new.peer)),
            _ => None,
        })
        .collect();
    for message in messages(cluster, user) {
        assert_eq!(places.get(&message.id), Some(&message.peer), "event of {message:?}");
    }
}

/// What the newest rows carry along is what counting all rows gives.
pub(crate) fn totals_are_those_of_the_rows(cluster: &Cluster, user: i64) {
    use tl::operations::functions::mailbox::{GetChats, GetState, History};
    use tl::operations::types::mailbox::{Chats, Slice, State};
    use tl::{Decode, Encode};

    let messages = messages(cluster, user);
    let chats = cluster.view(owner(user), |view| {
        view.scan(tables::DIALOGS, .., Order::Forward, usize::MAX).unwrap()
    });
    let mut unread_in_all = 0;
    for (peer, row) in chats {
        let of_chat = || messages.iter().filter(|message| message.peer == peer);
        let unread =
            of_chat().filter(|message| !message.out && message.id > row.read_inbox_max_id).count();
        unread_in_all += unread;
        let ask = GetChats { peers: vec![peer] }.to_vec(storage::RECORD_LAYER);
        let chat = Chats::from_bytes(&cluster.read(owner(user), &ask)).unwrap().chats.remove(0);
        assert_eq!(
            usize::try_from(chat.unread_count),
            Ok(unread),
            "unread in chat {peer} of {user}"
        );
        let ask = History::new(peer, 0, 0, 0, 0, 0, 0).to_vec(storage::RECORD_LAYER);
        let slice = Slice::from_bytes(&cluster.read(owner(user), &ask)).unwrap();
        assert_eq!(
            usize::try_from(slice.count),
            Ok(of_chat().count()),
            "count of chat {peer} of {user}"
        );
        let links: Vec<_> = of_chat().map(|message| message.link).collect();
        assert!(links.is_sorted(), "links in chat {peer} of {user}: {links:?}");
    }
    let state =
        State::from_bytes(&cluster.read(owner(user), &GetState {}.to_vec(storage::RECORD_LAYER)))
            .unwrap();
    assert_eq!(usize::try_from(state.unread_count), Ok(unread_in_all), "unread in box {user}");
}

fn devices_know_what_is_stored(cluster: &Cluster, person: &Person) {
    let stored: BTreeMap<i32, Message> =
        messages(cluster, person.user).into_iter().map(|message| (message.id, message)).collect();
    let chats = cluster.view(owner(person.user), |view| {
        view.scan(tables::DIALOGS, .., Order::Forward, usize::MAX).unwrap()
    });
    for device in &person.devices {
        assert_eq!(device.messages, stored, "messages on a device of {}", person.user);
        for (peer, row) in &chats {
            let read = device.read.get(peer).copied().unwrap_or_default();
            assert_eq!(
                read,
                (row.read_inbox_max_id, row.read_outbox_max_id),
                "marks on a device of {}",
                person.user
            );
        }
    }
}
