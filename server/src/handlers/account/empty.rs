//! Lists of what does not exist here, and presets that are the same for everybody.
//!
//! An empty list has the hash 0, which is also what clients send who have none: it is always answered in full.

use mtproto::session::Reply;
use tl::api::{
    enums::NotificationSound,
    functions::account as requests,
    types::{AutoDownloadSettings, EmojiList, ReactionsNotifySettings, account},
};

use crate::rpc::{Result, UserCtx};

const MIB: i32 = 1024 * 1024;

macro_rules! always {
    ($($(#[$docs:meta])* $handler:ident: $request:ty => $answer:expr;)*) => {$(
        $(#[$docs])*
        pub async fn $handler(ctx: &UserCtx, request: $request) -> Result<Reply> {
            Ok(ctx.answer(&request, $answer))
        }
    )*};
}

always! {
    /// `account.getWebAuthorizations`: on which web sites the account logged in.
    ///
    /// Empty by design: no web site can log in.
    ///
    /// Source: <https://core.telegram.org/method/account.getWebAuthorizations>.
    get_web_authorizations: requests::GetWebAuthorizations => account::WebAuthorizations::new(Vec::new(), Vec::new());

    /// `account.getContentSettings`: whether sensitive contents are shown.
    ///
    /// Empty by design: nothing is marked as sensitive.
    ///
    /// Source: <https://core.telegram.org/method/account.getContentSettings>.
    get_content_settings: requests::GetContentSettings => account::ContentSettings::new();

    /// `account.getSavedMusicIds`: which music is in the own profile.
    ///
    /// Empty by design: music cannot be put into profiles.
    ///
    /// Source: <https://core.telegram.org/method/account.getSavedMusicIds>.
    get_saved_music_ids: requests::GetSavedMusicIds => account::SavedMusicIds::new(Vec::new());

    /// `account.getReactionsNotifySettings`: whose reactions notify.
    ///
    /// Empty by design: there are no reactions.
    ///
    /// Source: <https://core.telegram.org/method/account.getReactionsNotifySettings>.
    get_reactions_notify_settings: requests::GetReactionsNotifySettings => ReactionsNotifySettings::new(NotificationSound::NotificationSoundDefault, true);

    /// `account.getAutoDownloadSettings`: what is fetched by itself.
    ///
    /// Empty by design: presets, the same for everybody.
    ///
    /// Source: <https://core.telegram.org/method/account.getAutoDownloadSettings>.
    get_auto_download_settings: requests::GetAutoDownloadSettings => account::AutoDownloadSettings::new(
        fetched(1, 0, 0, 50),
        fetched(1, 10, 1, 100),
        fetched(1, 15, 3, 100),
    );

    /// `account.getWallPapers`: wallpapers.
    ///
    /// Empty by design: clients have their own.
    ///
    /// Source: <https://core.telegram.org/method/account.getWallPapers>.
    get_wall_papers: requests::GetWallPapers => account::WallPapers::new(0, Vec::new());

    /// `account.getThemes`: themes.
    ///
    /// Empty by design: clients have their own.
    ///
    /// Source: <https://core.telegram.org/method/account.getThemes>.
    get_themes: requests::GetThemes<'_> => account::Themes::new(0, Vec::new());

    /// `account.getChatThemes`: themes of single chats.
    ///
    /// Empty by design: clients have their own.
    ///
    /// Source: <https://core.telegram.org/method/account.getChatThemes>.
    get_chat_themes: requests::GetChatThemes => account::Themes::new(0, Vec::new());

    /// `account.getSavedRingtones`: the user's sounds.
    ///
    /// Empty by design: sounds cannot be uploaded.
    ///
    /// Source: <https://core.telegram.org/method/account.getSavedRingtones>.
    get_saved_ringtones: requests::GetSavedRingtones => account::SavedRingtones::new(0, Vec::new());

    /// `account.getDefaultEmojiStatuses`: which emoji are offered as status.
    ///
    /// Empty by design: there are no custom emoji.
    ///
    /// Source: <https://core.telegram.org/method/account.getDefaultEmojiStatuses>.
    get_default_emoji_statuses: requests::GetDefaultEmojiStatuses => account::EmojiStatuses::new(0, Vec::new());

    /// `account.getRecentEmojiStatuses`: which emoji were status lately.
    ///
    /// Empty by design: there are no custom emoji.
    ///
    /// Source: <https://core.telegram.org/method/account.getRecentEmojiStatuses>.
    get_recent_emoji_statuses: requests::GetRecentEmojiStatuses => account::EmojiStatuses::new(0, Vec::new());

    /// `account.getCollectibleEmojiStatuses`: which gifts can be worn as status.
    ///
    /// Empty by design: there are no gifts.
    ///
    /// Source: <https://core.telegram.org/method/account.getCollectibleEmojiStatuses>.
    get_collectible_emoji_statuses: requests::GetCollectibleEmojiStatuses => account::EmojiStatuses::new(0, Vec::new());

    /// `account.getChannelDefaultEmojiStatuses`: which emoji are offered as status of channels.
    ///
    /// Empty by design: there are no custom emoji.
    ///
    /// Source: <https://core.telegram.org/method/account.getChannelDefaultEmojiStatuses>.
    get_channel_default_emoji_statuses: requests::GetChannelDefaultEmojiStatuses => account::EmojiStatuses::new(0, Vec::new());

    /// `account.getDefaultProfilePhotoEmojis`: which emoji are offered for profile photos.
    ///
    /// Empty by design: there are no custom emoji.
    ///
    /// Source: <https://core.telegram.org/method/account.getDefaultProfilePhotoEmojis>.
    get_default_profile_photo_emojis: requests::GetDefaultProfilePhotoEmojis => EmojiList::new(0, Vec::new());

    /// `account.getDefaultGroupPhotoEmojis`: which emoji are offered for photos of groups.
    ///
    /// Empty by design: there are no custom emoji.
    ///
    /// Source: <https://core.telegram.org/method/account.getDefaultGroupPhotoEmojis>.
    get_default_group_photo_emojis: requests::GetDefaultGroupPhotoEmojis => EmojiList::new(0, Vec::new());

    /// `account.getDefaultBackgroundEmojis`: which emoji are offered for background patterns.
    ///
    /// Empty by design: there are no custom emoji.
    ///
    /// Source: <https://core.telegram.org/method/account.getDefaultBackgroundEmojis>.
    get_default_background_emojis: requests::GetDefaultBackgroundEmojis => EmojiList::new(0, Vec::new());

    /// `account.getWebBrowserSettings`: which links open where.
    ///
    /// Empty by design: the client decides.
    ///
    /// Source: <https://core.telegram.org/method/account.getWebBrowserSettings>.
    get_web_browser_settings: requests::GetWebBrowserSettings => account::WebBrowserSettings::new(Vec::new(), Vec::new(), 0);
}

/// What is fetched by itself up to these sizes in MiB; `bitrate` is in kilobits a second.
fn fetched(photo: i32, video: i32, file: i32, bitrate: i32) -> AutoDownloadSettings {
    AutoDownloadSettings::new(
        photo * MIB,
        i64::from(video * MIB),
        i64::from(file * MIB),
        bitrate,
        super::super::help::SMALL_QUEUE_COUNT,
        super::super::help::LARGE_QUEUE_COUNT,
    )
}
