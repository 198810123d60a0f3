//! Rules for reading requests of older layers, where none can be derived.
//!
//! A function here is called for a shape in `superseded.tl` that is annotated with a lone `@rule`; the struct it takes is
//! that shape, the struct it gives is the newest one.

use crate::api::{enums, functions, superseded, types};

/// Before layer 160 a reply was two numbers; the newest layer has an object for it.
fn reply_to<'a>(
    reply_to_msg_id: Option<i32>,
    top_msg_id: Option<i32>,
) -> Option<enums::InputReplyTo<'a>> {
    reply_to_msg_id.or(top_msg_id).map(|id| {
        types::InputReplyToMessage { top_msg_id, ..types::InputReplyToMessage::new(id) }.into()
    })
}

/// `reply_to_msg_id` and `top_msg_id` become `reply_to`.
pub(crate) fn messages_send_message_1cc20387(
    old: superseded::MessagesSendMessage1cc20387<'_>,
) -> functions::messages::SendMessage<'_> {
    functions::messages::SendMessage {
        no_webpage: old.no_webpage,
        silent: old.silent,
        background: old.background,
        clear_draft: old.clear_draft,
        noforwards: old.noforwards,
        update_stickersets_order: old.update_stickersets_order,
        reply_to: reply_to(old.reply_to_msg_id, old.top_msg_id),
        reply_markup: old.reply_markup,
        entities: old.entities,
        schedule_date: old.schedule_date,
        send_as: old.send_as,
        ..functions::messages::SendMessage::new(old.peer, old.message, old.random_id)
    }
}

/// `reply_to_msg_id` and `top_msg_id` become `reply_to`.
pub(crate) fn messages_send_media_7547c966(
    old: superseded::MessagesSendMedia7547c966<'_>,
) -> functions::messages::SendMedia<'_> {
    functions::messages::SendMedia {
        silent: old.silent,
        background: old.background,
        clear_draft: old.clear_draft,
        noforwards: old.noforwards,
        update_stickersets_order: old.update_stickersets_order,
        reply_to: reply_to(old.reply_to_msg_id, old.top_msg_id),
        reply_markup: old.reply_markup,
        entities: old.entities,
        schedule_date: old.schedule_date,
        send_as: old.send_as,
        ..functions::messages::SendMedia::new(old.peer, old.media, old.message, old.random_id)
    }
}

/// `reply_to_msg_id` and `top_msg_id` become `reply_to`.
pub(crate) fn messages_send_multi_media_b6f11a1c(
    old: superseded::MessagesSendMultiMediaB6f11a1c<'_>,
) -> functions::messages::SendMultiMedia<'_> {
    functions::messages::SendMultiMedia {
        silent: old.silent,
        background: old.background,
        clear_draft: old.clear_draft,
        noforwards: old.noforwards,
        update_stickersets_order: old.update_stickersets_order,
        reply_to: reply_to(old.reply_to_msg_id, old.top_msg_id),
        schedule_date: old.schedule_date,
        send_as: old.send_as,
        ..functions::messages::SendMultiMedia::new(old.peer, old.multi_media)
    }
}

/// `reply_to_msg_id` and `top_msg_id` become `reply_to`.
pub(crate) fn messages_save_draft_b4331e3f(
    old: superseded::MessagesSaveDraftB4331e3f<'_>,
) -> functions::messages::SaveDraft<'_> {
    functions::messages::SaveDraft {
        no_webpage: old.no_webpage,
        reply_to: reply_to(old.reply_to_msg_id, old.top_msg_id),
        entities: old.entities,
        ..functions::messages::SaveDraft::new(old.peer, old.message)
    }
}

/// A button without a type is one that sends its text.
pub(crate) fn keyboard_button_a2fa4880(
    old: superseded::KeyboardButtonA2fa4880<'_>,
) -> types::KeyboardButton<'_> {
    types::KeyboardButton::new(old.text, enums::ButtonType::ButtonTypeDefault)
}

/// A button without a type is one that sends its text.
pub(crate) fn keyboard_button_7d170cff(
    old: superseded::KeyboardButton7d170cff<'_>,
) -> types::KeyboardButton<'_> {
    types::KeyboardButton {
        style: old.style,
        ..types::KeyboardButton::new(old.text, enums::ButtonType::ButtonTypeDefault)
    }
}

/// The duration was in whole seconds.
pub(crate) fn document_attribute_video_0ef02ce6(
    old: superseded::DocumentAttributeVideo0ef02ce6,
) -> types::DocumentAttributeVideo<'static> {
    types::DocumentAttributeVideo {
        round_message: old.round_message,
        supports_streaming: old.supports_streaming,
        ..types::DocumentAttributeVideo::new(f64::from(old.duration), old.w, old.h)
    }
}

/// The flag was an optional `Bool`.
pub(crate) fn global_privacy_settings_bea2f424(
    old: superseded::GlobalPrivacySettingsBea2f424,
) -> types::GlobalPrivacySettings {
    types::GlobalPrivacySettings {
        archive_and_mute_new_noncontact_peers: old
            .archive_and_mute_new_noncontact_peers
            .unwrap_or_default(),
        ..types::GlobalPrivacySettings::new()
    }
}

/// Inline buttons had the type of plain ones, of which only those with a text and nothing else are spoken: they do nothing.
pub(crate) fn reply_inline_markup_48a30254(
    old: superseded::ReplyInlineMarkup48a30254<'_>,
) -> types::ReplyInlineMarkup<'_> {
    types::ReplyInlineMarkup::new(old.rows.into_iter().map(inline_row).collect())
}

fn inline_row(row: types::KeyboardButtonRow<'_>) -> types::KeyboardInlineButtonRow<'_> {
    types::KeyboardInlineButtonRow::new(row.buttons.into_iter().map(disabled).collect())
}

fn disabled(button: types::KeyboardButton<'_>) -> types::KeyboardInlineButton<'_> {
    let kind = enums::InlineButtonType::InlineButtonTypeDisabled;
    types::KeyboardInlineButton {
        style: button.style,
        ..types::KeyboardInlineButton::new(button.text, kind)
    }
}
