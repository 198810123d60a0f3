//! How chats notify: per chat, or for all of a kind.

use mtproto::session::Reply;
use services::limits::PAGE_COUNT_MAX;
use tl::{
    api::{
        enums::NotificationSound,
        functions::account::{
            GetNotifyExceptions, GetNotifySettings, ResetNotifySettings, UpdateNotifySettings,
        },
        types,
    },
    operations::{
        functions::{accounts, mailbox},
        types::mailbox::Chat,
    },
    records::{
        enums::NotifyTarget,
        types::{NotifyPeer, NotifySettings},
    },
};

use crate::{
    convert::{messages, notify, users::Users},
    rpc::{Result, UserCtx},
};

/// How many pages of the chat list are looked through for exceptions.
const EXCEPTION_PAGE_COUNT_MAX: usize = 20;

/// `account.updateNotifySettings`: keeps how a chat, or all of a kind, notify; what is absent stays.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/account.updateNotifySettings>.
pub async fn update_notify_settings(
    ctx: &UserCtx,
    request: UpdateNotifySettings<'_>,
) -> Result<Reply> {
    let set = accounts::SetNotify {
        target: notify::target(ctx.shared(), ctx.user, &request.peer)?,
        settings: notify::from_tl(&request.settings),
    };
    ctx.call(ctx.user, &set).await?;
    Ok(ctx.answer(&request, true))
}

/// `account.getNotifySettings`: how a chat, or all of a kind, notify.
///
/// What is absent about a chat follows its kind. Kinds have no fallback, so that nothing about them is absent.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/account.getNotifySettings>.
pub async fn get_notify_settings(ctx: &UserCtx, request: GetNotifySettings) -> Result<Reply> {
    let target = notify::target(ctx.shared(), ctx.user, &request.peer)?;
    let is_kind = !matches!(target, NotifyTarget::NotifyPeer(_));
    let stored = ctx.call(ctx.user, &accounts::GetNotify { target }).await?;
    let mut settings = notify::to_tl(&stored);
    if is_kind {
        fill(&mut settings);
    }
    Ok(ctx.answer(&request, settings))
}

/// `account.resetNotifySettings`: forgets all settings of notifications.
///
/// Source: <https://core.telegram.org/method/account.resetNotifySettings>.
pub async fn reset_notify_settings(ctx: &UserCtx, request: ResetNotifySettings) -> Result<Reply> {
    ctx.call(ctx.user, &accounts::ResetNotify {}).await?;
    Ok(ctx.answer(&request, true))
}

/// `account.getNotifyExceptions`: the chats whose settings differ from those of their kind.
///
/// Looks through the newest chats of the list, `EXCEPTION_PAGE_COUNT_MAX` pages of them.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/account.getNotifyExceptions>.
pub async fn get_notify_exceptions(ctx: &UserCtx, request: GetNotifyExceptions) -> Result<Reply> {
    let asked = match &request.peer {
        Some(peer) => notify::target(ctx.shared(), ctx.user, peer)?,
        None => NotifyTarget::NotifyUsers,
    };
    let mut chats = match asked {
        NotifyTarget::NotifyUsers => settings_of_chats(ctx).await?,
        NotifyTarget::NotifyPeer(NotifyPeer { peer }) => {
            let target = NotifyTarget::NotifyPeer(NotifyPeer { peer });
            vec![(peer, ctx.call(ctx.user, &accounts::GetNotify { target }).await?)]
        }
        // There are no chats of these kinds yet.
        NotifyTarget::NotifyChats | NotifyTarget::NotifyBroadcasts => Vec::new(),
    };
    let kind = accounts::GetNotify { target: NotifyTarget::NotifyUsers };
    let kind = ctx.call(ctx.user, &kind).await?;
    chats.retain(|(_, chat)| {
        differs(chat.show_previews, kind.show_previews)
            || differs(chat.silent, kind.silent)
            || differs(chat.mute_until, kind.mute_until)
            || (request.compare_sound && differs(chat.sound.as_ref(), kind.sound.as_ref()))
            || (request.compare_stories
                && (differs(chat.stories_muted, kind.stories_muted)
                    || differs(chat.stories_hide_sender, kind.stories_hide_sender)))
    });
    let users = Users::load(ctx.shared(), ctx.user, chats.iter().map(|(peer, _)| *peer))?;
    let updates = chats.iter().map(|(peer, settings)| {
        let target = NotifyTarget::NotifyPeer(NotifyPeer { peer: *peer });
        types::UpdateNotifySettings::new(notify::target_to_tl(&target), notify::to_tl(settings))
            .into()
    });
    Ok(ctx.answer(&request, messages::updates(updates.collect(), &users, ctx.now())))
}

/// The chats of the list that have settings of their own.
async fn settings_of_chats(ctx: &UserCtx) -> Result<Vec<(i64, NotifySettings)>> {
    let own = |chat: Chat| chat.notify.map(|settings| (chat.peer, settings));
    let pinned = ctx.call(ctx.user, &mailbox::GetPinned {}).await?;
    let mut found: Vec<_> = pinned.chats.into_iter().filter_map(own).collect();
    let mut page = mailbox::GetDialogs {
        exclude_pinned: true,
        ..mailbox::GetDialogs::new(0, 0, 0, PAGE_COUNT_MAX)
    };
    for _ in 0..EXCEPTION_PAGE_COUNT_MAX {
        let chats = ctx.call(ctx.user, &page).await?.chats;
        let Some((peer, top)) =
            chats.last().and_then(|chat| chat.top.as_ref().map(|top| (chat.peer, top)))
        else {
            break;
        };
        page.offset_date = top.date;
        page.offset_id = top.id;
        page.offset_peer = peer;
        found.extend(chats.into_iter().filter_map(own));
    }
    Ok(found)
}

/// Whether a chat has a setting of its own that is not that of its kind.
fn differs<T: PartialEq>(chat: Option<T>, kind: Option<T>) -> bool {
    chat.is_some() && chat != kind
}

/// Puts what clients assume in the place of what is absent: TDLib would take an absent preview for a hidden one.
fn fill(settings: &mut types::PeerNotifySettings<'_>) {
    settings.show_previews.get_or_insert(true);
    settings.silent.get_or_insert(false);
    settings.mute_until.get_or_insert(0);
    settings.stories_muted.get_or_insert(false);
    settings.stories_hide_sender.get_or_insert(false);
    for sound in [
        &mut settings.ios_sound,
        &mut settings.android_sound,
        &mut settings.other_sound,
        &mut settings.stories_ios_sound,
        &mut settings.stories_android_sound,
        &mut settings.stories_other_sound,
    ] {
        sound.get_or_insert(NotificationSound::NotificationSoundDefault);
    }
}
