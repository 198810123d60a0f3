//! Rules for encoding values for layers older than [`Layer::NEWEST`], where none can be derived.
//!
//! Two kinds. `<constructor>_<field>` gives the value of a field that an old shape has and the newest has not, or has with
//! another type (annotated `@rule field` in `superseded.tl`). `<type>` writes something else where a layer lacks a constructor and
//! the value cannot be left out, since it is a required field or the whole answer.

use crate::{
    Encode, Layer, Sink,
    api::{enums, types},
};

/// Writes a value in its newest shape for a layer that is not meant to know it.
///
/// For answers of methods that are as new as the value: who asks knows it, whatever layer was announced. For parts that are only ever
/// found in values that are as new themselves.
fn as_it_is<S: Sink>(value: &impl Encode, out: &mut S) {
    value.encode(Layer::NEWEST, out);
}

macro_rules! only_in_newer_answers {
    ($($(#[$docs:meta])* $rule:ident: $type:ty),* $(,)?) => {$(
        $(#[$docs])*
        pub(crate) fn $rule<S: Sink>(value: &$type, _: Layer, out: &mut S) {
            as_it_is(value, out);
        }
    )*};
}

only_in_newer_answers! {
    /// Answer of `stories.getAllStories`, as old as the method.
    stories_all_stories: enums::stories::AllStories<'_>,
    /// Answer of `messages.getSavedReactionTags`, as old as the method.
    messages_saved_reaction_tags: enums::messages::SavedReactionTags<'_>,
    /// Answer of `messages.getSavedDialogs`, as old as the method.
    messages_saved_dialogs: enums::messages::SavedDialogs<'_>,
    /// Answer of `messages.getQuickReplies`, as old as the method.
    messages_quick_replies: enums::messages::QuickReplies<'_>,
    /// Answer of `users.getSavedMusic`, as old as the method.
    users_saved_music: enums::users::SavedMusic<'_>,
    /// Answer of `account.getSavedMusicIds`, as old as the method.
    account_saved_music_ids: enums::account::SavedMusicIds,
    /// Answer of `messages.getAvailableEffects`, as old as the method.
    messages_available_effects: enums::messages::AvailableEffects<'_>,
    /// Answer of `help.getTimezonesList`, as old as the method.
    help_timezones_list: enums::help::TimezonesList<'_>,
    /// Answer of `help.getPeerColors`, as old as the method.
    help_peer_colors: enums::help::PeerColors,
    /// Answer of `account.getWebBrowserSettings`, as old as the method.
    account_web_browser_settings: enums::account::WebBrowserSettings<'_>,
    /// Field of buttons of layer 229.
    button_type: enums::ButtonType<'_>,
    /// Field of buttons of layer 229.
    inline_button_type: enums::InlineButtonType<'_>,
}

/// An `updateShort` around something unknown: the update that asks for nothing but the configuration.
pub(crate) fn update<S: Sink>(_: &enums::Update<'_>, layer: Layer, out: &mut S) {
    enums::Update::UpdateConfig.encode(layer, out);
}

/// A draft's upload out of a story, which clients of these layers do not have: an upload of nothing.
pub(crate) fn input_file<S: Sink>(_: &enums::InputFile<'_>, layer: Layer, out: &mut S) {
    types::InputFile::new(0, 0, "", "").encode(layer, out);
}

/// Media that a layer cannot name are none: only clients say this, in albums.
pub(crate) fn input_media<S: Sink>(_: &enums::InputMedia<'_>, layer: Layer, out: &mut S) {
    enums::InputMedia::InputMediaEmpty.encode(layer, out);
}

/// A button that asks for a bot to be made: to older clients one that asks for a user.
pub(crate) fn request_peer_type<S: Sink>(
    _: &enums::RequestPeerType<'_>,
    layer: Layer,
    out: &mut S,
) {
    types::RequestPeerTypeUser::new().encode(layer, out);
}

/// The category of a list of top peers: people one writes to.
pub(crate) fn top_peer_category<S: Sink>(_: &enums::TopPeerCategory, layer: Layer, out: &mut S) {
    enums::TopPeerCategory::TopPeerCategoryCorrespondents.encode(layer, out);
}

/// Whatever somebody is doing, to older clients they are typing.
pub(crate) fn send_message_action<S: Sink>(
    _: &enums::SendMessageAction<'_>,
    layer: Layer,
    out: &mut S,
) {
    enums::SendMessageAction::SendMessageTypingAction.encode(layer, out);
}

/// A reaction that cannot be shown is none.
pub(crate) fn reaction<S: Sink>(_: &enums::Reaction<'_>, layer: Layer, out: &mut S) {
    enums::Reaction::ReactionEmpty.encode(layer, out);
}

/// `updatePrivacy` for a newer key: clients then fetch the rules of a key they know, which is harmless.
pub(crate) fn privacy_key<S: Sink>(_: &enums::PrivacyKey, layer: Layer, out: &mut S) {
    enums::PrivacyKey::PrivacyKeyStatusTimestamp.encode(layer, out);
}

/// The filter of a search counter.
pub(crate) fn messages_filter<S: Sink>(_: &enums::MessagesFilter, layer: Layer, out: &mut S) {
    enums::MessagesFilter::InputMessagesFilterEmpty.encode(layer, out);
}

/// A sticker's set that the layer cannot name.
pub(crate) fn input_sticker_set<S: Sink>(
    _: &enums::InputStickerSet<'_>,
    layer: Layer,
    out: &mut S,
) {
    enums::InputStickerSet::InputStickerSetEmpty.encode(layer, out);
}

/// Before layer 155 `help.getAppConfig` answered the JSON itself.
pub(crate) fn help_app_config<S: Sink>(
    value: &enums::help::AppConfig<'_>,
    layer: Layer,
    out: &mut S,
) {
    match value {
        enums::help::AppConfig::AppConfig(config) => config.config.encode(layer, out),
        // Older requests carry no hash, so that nothing is ever "not modified" to them.
        enums::help::AppConfig::AppConfigNotModified => {
            types::JsonObject::new(Vec::new()).encode(layer, out);
        }
    }
}

/// A story was only its id.
pub(crate) fn user_stories_max_id(user: &types::User<'_>, _: Layer) -> Option<i32> {
    user.stories_max_id.as_ref().and_then(|story| story.max_id)
}

/// A story was only its id.
pub(crate) fn channel_stories_max_id(channel: &types::Channel<'_>, _: Layer) -> Option<i32> {
    channel.stories_max_id.as_ref().and_then(|story| story.max_id)
}

/// The colour stood in the user itself.
pub(crate) fn user_color(user: &types::User<'_>, _: Layer) -> Option<i32> {
    user.color.as_ref().and_then(|color| color.color)
}

/// The pattern stood in the user itself.
pub(crate) fn user_background_emoji_id(user: &types::User<'_>, _: Layer) -> Option<i64> {
    user.color.as_ref().and_then(|color| color.background_emoji_id)
}

/// The colour stood in the channel itself.
pub(crate) fn channel_color(channel: &types::Channel<'_>, _: Layer) -> Option<i32> {
    channel.color.as_ref().and_then(|color| color.color)
}

/// The pattern stood in the channel itself.
pub(crate) fn channel_background_emoji_id(channel: &types::Channel<'_>, _: Layer) -> Option<i64> {
    channel.color.as_ref().and_then(|color| color.background_emoji_id)
}

/// The balance was a whole number of stars.
pub(crate) fn payments_stars_status_balance(
    status: &types::payments::StarsStatus<'_>,
    _: Layer,
) -> i64 {
    status.balance.amount
}

/// The reply was only the id of a message.
pub(crate) fn draft_message_reply_to_msg_id(
    draft: &types::DraftMessage<'_>,
    _: Layer,
) -> Option<i32> {
    match &draft.reply_to {
        Some(enums::InputReplyTo::InputReplyToMessage(reply)) => Some(reply.reply_to_msg_id),
        _ => None,
    }
}

/// The id was required; 0 stands for replies to what has none.
pub(crate) fn message_reply_header_reply_to_msg_id(
    header: &types::MessageReplyHeader<'_>,
    _: Layer,
) -> i32 {
    header.reply_to_msg_id.unwrap_or(0)
}

/// The duration was in whole seconds; a started one counts.
pub(crate) fn document_attribute_video_duration(
    video: &types::DocumentAttributeVideo<'_>,
    _: Layer,
) -> i32 {
    let seconds = video.duration.ceil().clamp(0.0, f64::from(i32::MAX));
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i32")]
    let seconds = seconds as i32;
    seconds
}

/// The flag was an optional `Bool`.
pub(crate) fn global_privacy_settings_archive_and_mute_new_noncontact_peers(
    settings: &types::GlobalPrivacySettings,
    _: Layer,
) -> Option<bool> {
    Some(settings.archive_and_mute_new_noncontact_peers)
}

/// The flag was a `Bool`.
pub(crate) fn update_peer_blocked_blocked(update: &types::UpdatePeerBlocked, _: Layer) -> bool {
    update.blocked
}

/// Limits that `help.getAppConfig` has from layer 158 on.
pub(crate) fn config_saved_gifs_limit(_: &types::Config<'_>, _: Layer) -> i32 {
    200
}

/// See [`config_saved_gifs_limit`].
pub(crate) fn config_stickers_faved_limit(_: &types::Config<'_>, _: Layer) -> i32 {
    5
}

/// See [`config_saved_gifs_limit`].
pub(crate) fn config_pinned_dialogs_count_max(_: &types::Config<'_>, _: Layer) -> i32 {
    5
}

/// See [`config_saved_gifs_limit`].
pub(crate) fn config_pinned_infolder_count_max(_: &types::Config<'_>, _: Layer) -> i32 {
    100
}

/// Inline buttons were plain buttons; only their texts carry over.
pub(crate) fn reply_inline_markup_rows<'a>(
    markup: &types::ReplyInlineMarkup<'a>,
    _: Layer,
) -> Vec<types::KeyboardButtonRow<'a>> {
    let row = |row: &types::KeyboardInlineButtonRow<'a>| {
        let button = |button: &types::KeyboardInlineButton<'a>| {
            types::KeyboardButton::new(button.text, enums::ButtonType::ButtonTypeDefault)
        };
        types::KeyboardButtonRow::new(row.buttons.iter().map(button).collect())
    };
    markup.rows.iter().map(row).collect()
}

/// The answer was the vector of filters itself.
pub(crate) fn messages_dialog_filters_filters(
    filters: &types::messages::DialogFilters,
    _: Layer,
) -> Vec<types::DialogFilterDefault> {
    filters.filters.clone()
}
