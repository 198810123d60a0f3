//! Settings of the client application: limits it keeps by itself, and which parts of it have nothing behind them here.

use std::sync::LazyLock;

use mtproto::session::Reply;
use services::limits::{ABOUT_LEN_MAX, CAPTION_LEN_MAX, PINNED_CHAT_COUNT_MAX, QUOTE_LEN_MAX};
use tl::api::{
    enums::{self, JSONValue},
    functions::help::GetAppConfig,
    types::{
        JsonArray, JsonBool, JsonNumber, JsonObject, JsonObjectValue, JsonString, help::AppConfig,
    },
};

use super::{LARGE_QUEUE_COUNT, SMALL_QUEUE_COUNT, config::count, hash_of};
use crate::{
    limits::{UPLOAD_PART_COUNT_MAX, UPLOAD_PART_COUNT_MAX_LARGE},
    rpc::{Ctx, Result},
};

/// A setting's value. Limits are told for those who pay and those who do not; here they are the same.
enum Setting {
    Limit(i32),
    Number(i32),
    Bool(bool),
    Text(&'static str),
    Nothing,
}

use Setting::{Bool, Limit, Nothing, Number, Text};

/// Names and values. `Limit` stands for the two names with `_default` and `_premium` behind.
fn settings(part_count_max: i32) -> Vec<(&'static str, Setting)> {
    vec![
        ("about_length_limit", Limit(count(ABOUT_LEN_MAX))),
        ("autoarchive_setting_available", Bool(false)),
        ("autologin_domains", Nothing),
        ("can_edit_factcheck", Bool(false)),
        ("caption_length_limit", Limit(count(CAPTION_LEN_MAX))),
        ("channels_limit", Limit(500)),
        ("channels_public_limit", Limit(10)),
        ("dialog_filters_chats_limit", Limit(100)),
        ("dialog_filters_enabled", Bool(false)),
        ("dialog_filters_limit", Limit(10)),
        ("dialog_filters_tooltip", Bool(false)),
        ("dialogs_folder_pinned_limit", Limit(count(PINNED_CHAT_COUNT_MAX))),
        ("dialogs_pinned_limit", Limit(count(PINNED_CHAT_COUNT_MAX))),
        ("dismissed_suggestions", Nothing),
        ("emojies_send_dice", Nothing),
        ("gif_search_emojies", Nothing),
        ("giveaway_gifts_purchase_available", Bool(false)),
        ("ignore_restriction_reasons", Nothing),
        ("large_queue_max_active_operations_count", Number(LARGE_QUEUE_COUNT)),
        ("message_animated_emoji_max", Number(100)),
        ("pending_suggestions", Nothing),
        ("premium_purchase_blocked", Bool(true)),
        ("qr_login_camera", Bool(false)),
        ("qr_login_code", Text("disabled")),
        ("quote_length_max", Number(count(QUOTE_LEN_MAX))),
        ("saved_gifs_limit", Limit(200)),
        ("small_queue_max_active_operations_count", Number(SMALL_QUEUE_COUNT)),
        ("stars_purchase_blocked", Bool(true)),
        ("stickers_emoji_cache_time", Number(86_400)),
        ("stickers_emoji_suggest_only_api", Bool(false)),
        ("stickers_faved_limit", Limit(5)),
        ("stories_posting", Text("disabled")),
        ("upload_max_fileparts", Limit(part_count_max)),
        ("url_auth_domains", Nothing),
        ("whitelisted_domains", Nothing),
    ]
}

/// The settings by their full names, which live as long as the server: those without large uploads, and those with them.
static MEMBERS: LazyLock<[Vec<(String, Setting)>; 2]> = LazyLock::new(|| {
    [UPLOAD_PART_COUNT_MAX, UPLOAD_PART_COUNT_MAX_LARGE].map(|part_count_max| {
        let mut members = Vec::new();
        for (name, setting) in settings(part_count_max) {
            if let Limit(limit) = setting {
                members.push((format!("{name}_default"), Number(limit)));
                members.push((format!("{name}_premium"), Number(limit)));
            } else {
                members.push((name.to_owned(), setting));
            }
        }
        members
    })
});

/// The settings as JSON, and their hash.
static APP_CONFIG: LazyLock<[AppConfig<'static>; 2]> = LazyLock::new(|| {
    MEMBERS.each_ref().map(|members| {
        let members = members.iter();
        let members = members.map(|(name, setting)| JsonObjectValue::new(name, json(setting)));
        let config = JSONValue::from(JsonObject::new(members.collect()));
        AppConfig::new(hash_of(&config), config)
    })
});

fn json(setting: &Setting) -> JSONValue<'static> {
    match setting {
        Limit(number) | Number(number) => JsonNumber::new(f64::from(*number)).into(),
        Bool(value) => JsonBool::new(*value).into(),
        Text(text) => JsonString::new(text).into(),
        Nothing => JsonArray::new(Vec::new()).into(),
    }
}

/// `help.getAppConfig`: settings of the client application, unless it has them.
///
/// Source: <https://core.telegram.org/method/help.getAppConfig>.
pub async fn get_app_config(ctx: &Ctx, request: GetAppConfig) -> Result<Reply> {
    let [plain, large] = &*APP_CONFIG;
    let config = if ctx.config().media.large_uploads { large } else { plain };
    if request.hash == config.hash {
        let known = enums::help::AppConfig::AppConfigNotModified;
        return Ok(ctx.answer(&request, known));
    }
    Ok(ctx.answer(&request, config.clone()))
}
