//! What an effect is to a session: the update that tells of it, with everybody whom it names.
//!
//! Typing and online status are `updateShort`, which nothing depends on. All else is `updates` with `seq` 0: what must be
//! applied in order carries its `pts`.

use services::Pushed;
use storage::{Owner, UserId};
use tl::{
    Decode as _,
    api::{enums, types},
    operations::{enums::Effect, types as effects},
};

use crate::{
    convert::{
        messages::{self, Peers, View},
        notify, peers, privacy, users,
    },
    shared::Shared,
};

/// Whose sessions are told.
pub(crate) fn recipients(pushed: &Pushed) -> Vec<UserId> {
    let owner = match &pushed.owner {
        Owner::User(user) => Some(*user),
        _ => None,
    };
    let others = |audience: &[i64]| -> Vec<UserId> {
        let others = audience.iter().copied().map(UserId);
        others.filter(|user| Some(*user) != owner).collect()
    };
    match &pushed.effect {
        Effect::EffectPresence(presence) => others(&presence.audience),
        Effect::EffectUserName(name) => {
            let mut users = others(&name.audience);
            users.extend(owner);
            users
        }
        Effect::EffectUserPhoto(photo) => {
            let mut users = others(&photo.audience);
            users.extend(owner);
            users
        }
        Effect::EffectAuthorizationsEnded(_)
        | Effect::EffectKeyLoggedOut(_)
        | Effect::EffectKeysDestroyed(_) => Vec::new(),
        _ => owner.into_iter().collect(),
    }
}

/// Whether even the session that caused the effect is told: its answer does not say it.
pub(crate) fn concerns_origin(pushed: &Pushed) -> bool {
    match &pushed.effect {
        Effect::EffectNewMessage(new) => new.everyone,
        Effect::EffectServiceNotification(_) => true,
        _ => false,
    }
}

/// Renders an effect for one of its recipients. What no client can be told is not delivered.
///
/// Whoever cannot be looked up now is learned of from the difference: then nothing is delivered either.
pub(crate) fn render(
    shared: &Shared,
    viewer: UserId,
    pushed: &Pushed,
    deliver: &mut dyn FnMut(&enums::Updates<'_>),
) {
    let mut peers = Peers::default();
    named(&pushed.effect, &mut peers);
    let view = match peers.view(shared, viewer) {
        Ok(view) => view,
        Err(error) => {
            tracing::warn!(error = %error.text, "an update was not pushed");
            return;
        }
    };
    let now = shared.clock.now().secs_i32();
    match &pushed.effect {
        Effect::EffectTyping(_) | Effect::EffectPresence(_) => {
            if let Some(update) = short(&pushed.effect, now) {
                deliver(&types::UpdateShort::new(update, now).into());
            }
        }
        effect => {
            if let Some(update) = update(viewer, effect, &view) {
                deliver(&messages::updates(vec![update], &view.users, now).into());
            }
        }
    }
}

/// Whom the update about an effect names.
fn named(effect: &Effect, peers: &mut Peers) {
    match effect {
        Effect::EffectNewMessage(new) => peers.message(&new.message),
        Effect::EffectEditMessage(edit) => peers.message(&edit.message),
        Effect::EffectReadInbox(read) => peers.peer(read.peer),
        Effect::EffectReadOutbox(read) => peers.peer(read.peer),
        Effect::EffectPinnedMessages(pinned) => peers.peer(pinned.peer),
        Effect::EffectUserName(name) => peers.peer(name.user),
        Effect::EffectDraft(draft) => {
            peers.peer(draft.peer);
            if let Some(draft) = &draft.draft {
                peers.draft(draft);
            }
        }
        Effect::EffectNotifySettings(settings) => {
            if let tl::records::enums::NotifyTarget::NotifyPeer(chat) = &settings.target {
                peers.peer(chat.peer);
            }
        }
        Effect::EffectDialogPinned(pinned) => peers.peer(pinned.peer),
        Effect::EffectPinnedDialogs(pinned) => {
            pinned.peers.iter().for_each(|peer| peers.peer(*peer));
        }
        Effect::EffectDialogUnreadMark(mark) => peers.peer(mark.peer),
        Effect::EffectPrivacy(changed) => {
            privacy::rules_users(&changed.rules).for_each(|user| peers.peer(user));
        }
        Effect::EffectBlocked(blocked) => peers.peer(blocked.peer),
        Effect::EffectContact(contact) => peers.peer(contact.peer),
        Effect::EffectUserPhoto(photo) => peers.peer(photo.user),
        Effect::EffectBlobStored(_)
        | Effect::EffectDeleteMessages(_)
        | Effect::EffectReadContents(_)
        | Effect::EffectTyping(_)
        | Effect::EffectPresence(_)
        | Effect::EffectNewAuthorization(_)
        | Effect::EffectAuthorizationsEnded(_)
        | Effect::EffectKeyLoggedOut(_)
        | Effect::EffectKeysDestroyed(_)
        | Effect::EffectServiceNotification(_) => {}
    }
}

/// The update about something that passes.
fn short(effect: &Effect, now: i32) -> Option<enums::Update<'_>> {
    Some(match effect {
        Effect::EffectTyping(typing) => {
            let action = enums::SendMessageAction::from_bytes(&typing.action).ok()?;
            types::UpdateUserTyping::new(typing.peer, action).into()
        }
        // Only those are in the audience who may know it to the second.
        Effect::EffectPresence(effect) => {
            let status = users::exact_status(&effect.presence, now);
            types::UpdateUserStatus::new(effect.user, status).into()
        }
        _ => return None,
    })
}

/// The update about something that stays. `view` has everybody in [`named`].
fn update<'a>(viewer: UserId, effect: &'a Effect, view: &'a View) -> Option<enums::Update<'a>> {
    Some(match effect {
        Effect::EffectNewMessage(new) => {
            let message = view.message(&new.message);
            types::UpdateNewMessage::new(message, new.pts, 1).into()
        }
        Effect::EffectEditMessage(edit) => {
            let message = view.message(&edit.message);
            types::UpdateEditMessage::new(message, edit.pts, 1).into()
        }
        Effect::EffectDeleteMessages(deleted) => {
            let effects::EffectDeleteMessages { ids, pts, pts_count } = deleted;
            types::UpdateDeleteMessages::new(ids.clone(), *pts, *pts_count).into()
        }
        Effect::EffectReadInbox(read) => {
            let peer = peers::to_tl(read.peer);
            let (max_id, unread) = (read.max_id, read.still_unread);
            types::UpdateReadHistoryInbox::new(peer, max_id, unread, read.pts, 1).into()
        }
        Effect::EffectReadOutbox(read) => {
            let peer = peers::to_tl(read.peer);
            types::UpdateReadHistoryOutbox::new(peer, read.max_id, read.pts, 1).into()
        }
        Effect::EffectReadContents(read) => {
            types::UpdateReadMessagesContents::new(read.ids.clone(), read.pts, read.pts_count)
                .into()
        }
        Effect::EffectPinnedMessages(pinned) => {
            let (peer, ids) = (peers::to_tl(pinned.peer), pinned.ids.clone());
            types::UpdatePinnedMessages {
                pinned: pinned.pinned,
                ..types::UpdatePinnedMessages::new(peer, ids, pinned.pts, pinned.pts_count)
            }
            .into()
        }
        Effect::EffectUserName(name) => {
            // To those who chose a name themselves the user keeps that one.
            let (first_name, last_name) =
                view.users.get(name.user).map_or(("", ""), users::Loaded::names);
            let username = Some(name.username.as_str()).filter(|name| !name.is_empty());
            let usernames = username.map(|username| types::Username {
                active: true,
                editable: name.user == viewer.0,
                ..types::Username::new(username)
            });
            let usernames = usernames.into_iter().collect();
            types::UpdateUserName::new(name.user, first_name, last_name, usernames).into()
        }
        Effect::EffectDraft(changed) => {
            let draft = changed
                .draft
                .as_ref()
                .map_or_else(|| types::DraftMessageEmpty::new().into(), messages::draft);
            types::UpdateDraftMessage::new(peers::to_tl(changed.peer), draft).into()
        }
        Effect::EffectNotifySettings(changed) => types::UpdateNotifySettings::new(
            notify::target_to_tl(&changed.target),
            notify::to_tl(&changed.settings),
        )
        .into(),
        Effect::EffectDialogPinned(pinned) => types::UpdateDialogPinned {
            pinned: pinned.pinned,
            ..types::UpdateDialogPinned::new(peers::dialog_peer_to_tl(pinned.peer))
        }
        .into(),
        Effect::EffectPinnedDialogs(pinned) => {
            let order = pinned.peers.iter().map(|peer| peers::dialog_peer_to_tl(*peer)).collect();
            types::UpdatePinnedDialogs { order: Some(order), ..types::UpdatePinnedDialogs::new() }
                .into()
        }
        Effect::EffectDialogUnreadMark(mark) => types::UpdateDialogUnreadMark {
            unread: mark.unread,
            ..types::UpdateDialogUnreadMark::new(peers::dialog_peer_to_tl(mark.peer))
        }
        .into(),
        Effect::EffectPrivacy(changed) => {
            // One rendering goes to sessions of all layers.
            if !privacy::is_known_everywhere(&changed.key) {
                return None;
            }
            let rules = privacy::rules_to_tl(&changed.rules);
            types::UpdatePrivacy::new(privacy::key_to_tl(&changed.key), rules).into()
        }
        Effect::EffectBlocked(blocked) => types::UpdatePeerBlocked {
            blocked: blocked.blocked,
            ..types::UpdatePeerBlocked::new(peers::to_tl(blocked.peer))
        }
        .into(),
        Effect::EffectContact(contact) => {
            let settings = view.users.get(contact.peer)?.settings();
            types::UpdatePeerSettings::new(peers::to_tl(contact.peer), settings).into()
        }
        Effect::EffectNewAuthorization(new) => {
            let authorization = &new.authorization;
            types::UpdateNewAuthorization {
                unconfirmed: true,
                date: Some(authorization.created),
                device: Some(&authorization.device_model),
                location: Some(&authorization.ip),
                ..types::UpdateNewAuthorization::new(authorization.hash)
            }
            .into()
        }
        Effect::EffectServiceNotification(notice) => types::UpdateServiceNotification {
            popup: notice.popup,
            ..types::UpdateServiceNotification::new(
                &notice.type_,
                &notice.text,
                enums::MessageMedia::MessageMediaEmpty,
                Vec::new(),
            )
        }
        .into(),
        Effect::EffectUserPhoto(photo) => types::UpdateUser::new(photo.user).into(),
        Effect::EffectBlobStored(_)
        | Effect::EffectTyping(_)
        | Effect::EffectPresence(_)
        | Effect::EffectAuthorizationsEnded(_)
        | Effect::EffectKeyLoggedOut(_)
        | Effect::EffectKeysDestroyed(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use services::Origin;
    use tl::records::types::{Message, Presence};

    use super::*;

    fn pushed(effect: impl Into<Effect>) -> Pushed {
        let owner = Owner::User(UserId(1));
        Pushed { owner, origin: Origin::default(), effect: effect.into() }
    }

    #[test]
    fn effects_go_to_whom_they_concern() {
        let presence = || Presence::new(0, 0);
        let cases: [(Effect, &[i64]); 5] = [
            (effects::EffectTyping::new(2, Vec::new()).into(), &[1]),
            (effects::EffectPresence::new(1, presence(), vec![2, 3]).into(), &[2, 3]),
            (effects::EffectPresence::new(1, presence(), vec![1, 2]).into(), &[2]),
            (
                effects::EffectUserName::new(
                    1,
                    "A".to_owned(),
                    String::new(),
                    String::new(),
                    vec![1, 2],
                )
                .into(),
                &[2, 1],
            ),
            (effects::EffectAuthorizationsEnded::new(vec![5]).into(), &[]),
        ];
        for (effect, expected) in cases {
            let users: Vec<i64> = recipients(&pushed(effect)).iter().map(|user| user.0).collect();
            assert_eq!(users, expected);
        }
    }

    #[test]
    fn only_what_no_answer_says_is_told_to_its_origin() {
        let message = || Message::new(5, 2, 0, 0, 0, 0, String::new());
        let own = effects::EffectNewMessage::new(5, message());
        let everyone = effects::EffectNewMessage { everyone: true, ..own.clone() };
        assert!(!concerns_origin(&pushed(own)));
        assert!(concerns_origin(&pushed(everyone)));
        assert!(!concerns_origin(&pushed(effects::EffectReadInbox::new(5, 2, 5, 0))));
    }
}
