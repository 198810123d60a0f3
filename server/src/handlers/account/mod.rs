//! `account.*`: the caller's own account.
//!
//! | file       | what                                                                      |
//! |------------|---------------------------------------------------------------------------|
//! | `profile`  | names, username, whether the user is there                                |
//! | `notify`   | how chats notify                                                          |
//! | `privacy`  | who may see and do what                                                   |
//! | `sessions` | the devices that are logged in                                            |
//! | `password` | what a client must know to set a second password                          |
//! | `settings` | choices that this server offers one value of                              |
//! | `empty`    | lists of things that do not exist here                                    |

mod empty;
mod notify;
mod password;
mod privacy;
mod profile;
mod sessions;
mod settings;

pub use empty::{
    get_auto_download_settings, get_channel_default_emoji_statuses, get_chat_themes,
    get_collectible_emoji_statuses, get_content_settings, get_default_background_emojis,
    get_default_emoji_statuses, get_default_group_photo_emojis, get_default_profile_photo_emojis,
    get_reactions_notify_settings, get_recent_emoji_statuses, get_saved_music_ids,
    get_saved_ringtones, get_themes, get_wall_papers, get_web_authorizations,
    get_web_browser_settings,
};
pub use notify::{
    get_notify_exceptions, get_notify_settings, reset_notify_settings, update_notify_settings,
};
pub use password::get_password;
pub use privacy::{get_privacy, set_privacy};
pub use profile::{check_username, update_profile, update_status, update_username};
pub use sessions::{
    change_authorization_settings, get_authorizations, reset_authorization, set_authorization_ttl,
};
pub use settings::{
    get_account_ttl, get_contact_sign_up_notification, get_global_privacy_settings,
    register_device, set_account_ttl, set_contact_sign_up_notification,
    set_global_privacy_settings, unregister_device, update_device_locked,
};
