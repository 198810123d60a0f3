//! `messages.*`: private chats and Saved Messages.
//!
//! Every answer lists all users that it names: clients that miss one ask for the difference, over and over.
//!
//! | module | methods |
//! |---|---|
//! | [`mod@send`], [`mod@media`], [`mod@forward`], [`mod@edit`] | messages come into being and change |
//! | [`mod@delete`], [`mod@pins`], [`mod@drafts`] | messages go, are pinned, are not yet sent |
//! | [`mod@history`], [`mod@search`] | looking at messages |
//! | [`mod@read`], [`mod@typing`] | what one side tells the other |
//! | [`mod@dialogs`], [`mod@dialog_marks`], [`mod@peer_settings`] | the list of chats |
//! | [`mod@empty`], [`mod@stickers`], [`mod@reactions`] | what does not exist here, said in the form that clients want |

mod answer;
mod attach;

pub mod delete;
pub mod dialog_marks;
pub mod dialogs;
pub mod drafts;
pub mod edit;
pub mod empty;
pub mod forward;
pub mod history;
pub mod media;
pub mod peer_settings;
pub mod pins;
pub mod reactions;
pub mod read;
pub mod search;
pub mod send;
pub mod stickers;
pub mod typing;

pub use delete::{delete_history, delete_messages};
pub use dialog_marks::{
    get_dialog_unread_marks, mark_dialog_unread, reorder_pinned_dialogs, toggle_dialog_pin,
};
pub use dialogs::{get_dialogs, get_peer_dialogs, get_pinned_dialogs};
pub use drafts::{clear_all_drafts, get_all_drafts, save_draft};
pub use edit::edit_message;
pub use empty::{
    get_attach_menu_bots, get_common_chats, get_default_history_ttl, get_dialog_filters,
    get_messages_views, get_onlines, get_pinned_saved_dialogs, get_quick_replies,
    get_saved_dialogs, get_scheduled_history, get_sponsored_messages, get_suggested_dialog_filters,
    get_unread_mentions, read_mentions, received_messages,
};
pub use forward::forward_messages;
pub use history::{get_history, get_messages};
pub use media::{send_media, send_multi_media, upload_media};
pub use peer_settings::{get_peer_settings, hide_peer_settings_bar};
pub use pins::{unpin_all_messages, update_pinned_message};
pub use reactions::{
    get_available_effects, get_available_reactions, get_default_tag_reactions,
    get_paid_reaction_privacy, get_recent_reactions, get_saved_reaction_tags, get_top_reactions,
    get_unread_reactions, read_reactions,
};
pub use read::{get_outbox_read_date, read_history, read_message_contents};
pub use search::{get_search_counters, get_split_ranges, search, search_global};
pub use send::send_message;
pub use stickers::{
    get_all_stickers, get_custom_emoji_documents, get_emoji_groups, get_emoji_keywords,
    get_emoji_keywords_difference, get_emoji_keywords_languages, get_emoji_profile_photo_groups,
    get_emoji_status_groups, get_emoji_sticker_groups, get_emoji_stickers, get_faved_stickers,
    get_featured_emoji_stickers, get_featured_stickers, get_mask_stickers, get_recent_stickers,
    get_saved_gifs, get_sticker_set, get_stickers,
};
pub use typing::set_typing;
