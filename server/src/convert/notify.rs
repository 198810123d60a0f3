//! Notification settings, and what they are about.

use storage::UserId;
use tl::{
    Decode as _, Encode as _, Layer,
    api::{enums, types},
    records::{
        enums::NotifyTarget,
        types::{NotifyPeer, NotifySettings},
    },
};

use super::peers;
use crate::{
    rpc::{Result, RpcError},
    shared::Shared,
};

/// What settings are about.
///
/// # Errors
///
/// As [`peers::peer`]; topics and communities do not exist here.
pub fn target(
    shared: &Shared,
    viewer: UserId,
    input: &enums::InputNotifyPeer,
) -> Result<NotifyTarget> {
    match input {
        enums::InputNotifyPeer::InputNotifyPeer(chat) => {
            let peer = peers::peer(shared, viewer, &chat.peer)?;
            Ok(NotifyPeer::new(peer).into())
        }
        enums::InputNotifyPeer::InputNotifyUsers => Ok(NotifyTarget::NotifyUsers),
        enums::InputNotifyPeer::InputNotifyChats => Ok(NotifyTarget::NotifyChats),
        enums::InputNotifyPeer::InputNotifyBroadcasts => Ok(NotifyTarget::NotifyBroadcasts),
        enums::InputNotifyPeer::InputNotifyForumTopic(_) => Err(RpcError::PEER_ID_INVALID),
        enums::InputNotifyPeer::InputNotifyCommunity(_) => Err(RpcError::CHANNEL_INVALID),
    }
}

/// What settings are about, for clients.
#[must_use]
pub fn target_to_tl(target: &NotifyTarget) -> enums::NotifyPeer {
    match target {
        NotifyTarget::NotifyPeer(chat) => types::NotifyPeer::new(peers::to_tl(chat.peer)).into(),
        NotifyTarget::NotifyUsers => enums::NotifyPeer::NotifyUsers,
        NotifyTarget::NotifyChats => enums::NotifyPeer::NotifyChats,
        NotifyTarget::NotifyBroadcasts => enums::NotifyPeer::NotifyBroadcasts,
    }
}

/// Settings to be stored. Sounds of stories are not kept.
#[must_use]
pub fn from_tl(input: &types::InputPeerNotifySettings<'_>) -> NotifySettings {
    NotifySettings {
        show_previews: input.show_previews,
        silent: input.silent,
        mute_until: input.mute_until,
        sound: input.sound.as_ref().map(|sound| sound.to_vec(Layer::NEWEST)),
        stories_muted: input.stories_muted,
        stories_hide_sender: input.stories_hide_sender,
    }
}

/// Settings for clients. The sound is the same on every platform.
#[must_use]
pub fn to_tl(settings: &NotifySettings) -> types::PeerNotifySettings<'_> {
    let sound = settings.sound.as_deref();
    let sound = sound.and_then(|bytes| enums::NotificationSound::from_bytes(bytes).ok());
    types::PeerNotifySettings {
        show_previews: settings.show_previews,
        silent: settings.silent,
        mute_until: settings.mute_until,
        ios_sound: sound.clone(),
        android_sound: sound.clone(),
        other_sound: sound,
        stories_muted: settings.stories_muted,
        stories_hide_sender: settings.stories_hide_sender,
        ..types::PeerNotifySettings::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_as_they_were_set() {
        let sounds = [
            None,
            Some(enums::NotificationSound::NotificationSoundDefault),
            Some(enums::NotificationSound::NotificationSoundNone),
            Some(types::NotificationSoundLocal::new("bell", "bell.ogg").into()),
            Some(types::NotificationSoundRingtone::new(5).into()),
        ];
        for sound in sounds {
            let input = types::InputPeerNotifySettings {
                mute_until: Some(i32::MAX),
                silent: Some(false),
                sound: sound.clone(),
                ..types::InputPeerNotifySettings::new()
            };
            let stored = from_tl(&input);
            let output = to_tl(&stored);
            assert_eq!(
                (output.mute_until, output.silent, output.show_previews),
                (Some(i32::MAX), Some(false), None)
            );
            assert_eq!((&output.ios_sound, &output.other_sound), (&sound, &sound));
        }
    }
}
