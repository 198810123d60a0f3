//! Stickers, custom emoji, animations: there are none. Clients ask when they start and want a well-formed answer.
//!
//! Every list is empty, and the hash of an empty list is 0.

use mtproto::session::Reply;
use tl::api::{
    functions::messages::{
        GetAllStickers, GetCustomEmojiDocuments, GetEmojiGroups, GetEmojiKeywords,
        GetEmojiKeywordsDifference, GetEmojiKeywordsLanguages, GetEmojiProfilePhotoGroups,
        GetEmojiStatusGroups, GetEmojiStickerGroups, GetEmojiStickers, GetFavedStickers,
        GetFeaturedEmojiStickers, GetFeaturedStickers, GetMaskStickers, GetRecentStickers,
        GetSavedGifs, GetStickerSet, GetStickers,
    },
    types::{EmojiKeywordsDifference, messages as types},
};

use crate::rpc::{Result, RpcError, UserCtx};

/// The version of the words for emoji, of which there are none. Clients do not take 0 for one.
const KEYWORDS_VERSION: i32 = 1;

/// `messages.getStickers`.
///
/// Empty by design: there are no stickers.
///
/// Source: <https://core.telegram.org/method/messages.getStickers>.
pub async fn get_stickers(ctx: &UserCtx, request: GetStickers<'_>) -> Result<Reply> {
    Ok(ctx.answer(&request, types::Stickers::new(0, Vec::new())))
}

/// `messages.getAllStickers`.
///
/// Empty by design: there are no stickers.
///
/// Source: <https://core.telegram.org/method/messages.getAllStickers>.
pub async fn get_all_stickers(ctx: &UserCtx, request: GetAllStickers) -> Result<Reply> {
    Ok(ctx.answer(&request, types::AllStickers::new(0, Vec::new())))
}

/// `messages.getMaskStickers`.
///
/// Empty by design: there are no masks.
///
/// Source: <https://core.telegram.org/method/messages.getMaskStickers>.
pub async fn get_mask_stickers(ctx: &UserCtx, request: GetMaskStickers) -> Result<Reply> {
    Ok(ctx.answer(&request, types::AllStickers::new(0, Vec::new())))
}

/// `messages.getEmojiStickers`.
///
/// Empty by design: there are no custom emoji.
///
/// Source: <https://core.telegram.org/method/messages.getEmojiStickers>.
pub async fn get_emoji_stickers(ctx: &UserCtx, request: GetEmojiStickers) -> Result<Reply> {
    Ok(ctx.answer(&request, types::AllStickers::new(0, Vec::new())))
}

/// `messages.getRecentStickers`.
///
/// Empty by design: there are no stickers.
///
/// Source: <https://core.telegram.org/method/messages.getRecentStickers>.
pub async fn get_recent_stickers(ctx: &UserCtx, request: GetRecentStickers) -> Result<Reply> {
    Ok(ctx.answer(&request, types::RecentStickers::new(0, Vec::new(), Vec::new(), Vec::new())))
}

/// `messages.getFavedStickers`.
///
/// Empty by design: there are no stickers.
///
/// Source: <https://core.telegram.org/method/messages.getFavedStickers>.
pub async fn get_faved_stickers(ctx: &UserCtx, request: GetFavedStickers) -> Result<Reply> {
    Ok(ctx.answer(&request, types::FavedStickers::new(0, Vec::new(), Vec::new())))
}

/// `messages.getFeaturedStickers`.
///
/// Empty by design: there are no stickers.
///
/// Source: <https://core.telegram.org/method/messages.getFeaturedStickers>.
pub async fn get_featured_stickers(ctx: &UserCtx, request: GetFeaturedStickers) -> Result<Reply> {
    Ok(ctx.answer(&request, types::FeaturedStickers::new(0, 0, Vec::new(), Vec::new())))
}

/// `messages.getFeaturedEmojiStickers`.
///
/// Empty by design: there are no custom emoji.
///
/// Source: <https://core.telegram.org/method/messages.getFeaturedEmojiStickers>.
pub async fn get_featured_emoji_stickers(
    ctx: &UserCtx,
    request: GetFeaturedEmojiStickers,
) -> Result<Reply> {
    Ok(ctx.answer(&request, types::FeaturedStickers::new(0, 0, Vec::new(), Vec::new())))
}

/// `messages.getStickerSet`.
///
/// Empty by design: there are no sets, so that every one is refused.
///
/// Errors: `STICKERSET_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getStickerSet>.
pub async fn get_sticker_set(_ctx: &UserCtx, _request: GetStickerSet<'_>) -> Result<Reply> {
    Err(RpcError::STICKERSET_INVALID)
}

/// `messages.getSavedGifs`.
///
/// Empty by design: GIFs cannot be kept.
///
/// Source: <https://core.telegram.org/method/messages.getSavedGifs>.
pub async fn get_saved_gifs(ctx: &UserCtx, request: GetSavedGifs) -> Result<Reply> {
    Ok(ctx.answer(&request, types::SavedGifs::new(0, Vec::new())))
}

/// `messages.getCustomEmojiDocuments`.
///
/// Empty by design: there are no custom emoji.
///
/// Source: <https://core.telegram.org/method/messages.getCustomEmojiDocuments>.
pub async fn get_custom_emoji_documents(
    ctx: &UserCtx,
    request: GetCustomEmojiDocuments,
) -> Result<Reply> {
    Ok(ctx.answer(&request, Vec::new()))
}

/// `messages.getEmojiKeywords`.
///
/// Empty by design: there are no words for emoji.
///
/// Source: <https://core.telegram.org/method/messages.getEmojiKeywords>.
pub async fn get_emoji_keywords(ctx: &UserCtx, request: GetEmojiKeywords<'_>) -> Result<Reply> {
    Ok(ctx.answer(&request, no_keywords(request.lang_code, 0)))
}

/// `messages.getEmojiKeywordsDifference`.
///
/// Empty by design: there are no words for emoji.
///
/// Source: <https://core.telegram.org/method/messages.getEmojiKeywordsDifference>.
pub async fn get_emoji_keywords_difference(
    ctx: &UserCtx,
    request: GetEmojiKeywordsDifference<'_>,
) -> Result<Reply> {
    Ok(ctx.answer(&request, no_keywords(request.lang_code, request.from_version)))
}

/// `messages.getEmojiKeywordsLanguages`.
///
/// Empty by design: there are no words for emoji.
///
/// Source: <https://core.telegram.org/method/messages.getEmojiKeywordsLanguages>.
pub async fn get_emoji_keywords_languages(
    ctx: &UserCtx,
    request: GetEmojiKeywordsLanguages<'_>,
) -> Result<Reply> {
    Ok(ctx.answer(&request, Vec::new()))
}

/// `messages.getEmojiGroups`.
///
/// Empty by design: there are no groups of emoji.
///
/// Source: <https://core.telegram.org/method/messages.getEmojiGroups>.
pub async fn get_emoji_groups(ctx: &UserCtx, request: GetEmojiGroups) -> Result<Reply> {
    Ok(ctx.answer(&request, types::EmojiGroups::new(0, Vec::new())))
}

/// `messages.getEmojiStatusGroups`.
///
/// Empty by design: there are no groups of emoji.
///
/// Source: <https://core.telegram.org/method/messages.getEmojiStatusGroups>.
pub async fn get_emoji_status_groups(
    ctx: &UserCtx,
    request: GetEmojiStatusGroups,
) -> Result<Reply> {
    Ok(ctx.answer(&request, types::EmojiGroups::new(0, Vec::new())))
}

/// `messages.getEmojiProfilePhotoGroups`.
///
/// Empty by design: there are no groups of emoji.
///
/// Source: <https://core.telegram.org/method/messages.getEmojiProfilePhotoGroups>.
pub async fn get_emoji_profile_photo_groups(
    ctx: &UserCtx,
    request: GetEmojiProfilePhotoGroups,
) -> Result<Reply> {
    Ok(ctx.answer(&request, types::EmojiGroups::new(0, Vec::new())))
}

/// `messages.getEmojiStickerGroups`.
///
/// Empty by design: there are no groups of emoji.
///
/// Source: <https://core.telegram.org/method/messages.getEmojiStickerGroups>.
pub async fn get_emoji_sticker_groups(
    ctx: &UserCtx,
    request: GetEmojiStickerGroups,
) -> Result<Reply> {
    Ok(ctx.answer(&request, types::EmojiGroups::new(0, Vec::new())))
}

/// No change of the words for emoji since a version.
fn no_keywords(lang_code: &str, from_version: i32) -> EmojiKeywordsDifference<'_> {
    let version = from_version.max(KEYWORDS_VERSION);
    EmojiKeywordsDifference::new(lang_code, from_version, version, Vec::new())
}
