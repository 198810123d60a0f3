//! `langpack.*`: texts of the applications. This server has none: clients use their own, which are English.

use mtproto::session::Reply;
use tl::api::{
    functions::langpack::{GetDifference, GetLangPack, GetLanguage, GetLanguages, GetStrings},
    types::{LangPackDifference, LangPackLanguage},
};

use crate::rpc::{Ctx, Result, RpcError};

/// The version of every pack: they never change.
const VERSION: i32 = 1;

/// The language that is offered.
const LANG_CODE: &str = "en";

/// `langpack.getLangPack`: all texts of a language.
///
/// Empty by design: clients have their own texts.
///
/// Source: <https://core.telegram.org/method/langpack.getLangPack>.
pub async fn get_lang_pack(ctx: &Ctx, request: GetLangPack<'_>) -> Result<Reply> {
    let pack = LangPackDifference::new(request.lang_code, 0, VERSION, Vec::new());
    Ok(ctx.answer(&request, pack))
}

/// `langpack.getStrings`: some texts of a language.
///
/// Empty by design: clients have their own texts.
///
/// Source: <https://core.telegram.org/method/langpack.getStrings>.
pub async fn get_strings(ctx: &Ctx, request: GetStrings<'_>) -> Result<Reply> {
    Ok(ctx.answer(&request, Vec::new()))
}

/// `langpack.getDifference`: texts that changed after a version.
///
/// Empty by design: none do. A client that had a newer version from elsewhere keeps it.
///
/// Source: <https://core.telegram.org/method/langpack.getDifference>.
pub async fn get_difference(ctx: &Ctx, request: GetDifference<'_>) -> Result<Reply> {
    let from = request.from_version;
    let difference =
        LangPackDifference::new(request.lang_code, from, from.max(VERSION), Vec::new());
    Ok(ctx.answer(&request, difference))
}

/// `langpack.getLanguages`: English, which clients have built in.
///
/// Source: <https://core.telegram.org/method/langpack.getLanguages>.
pub async fn get_languages(ctx: &Ctx, request: GetLanguages<'_>) -> Result<Reply> {
    Ok(ctx.answer(&request, vec![english()]))
}

/// `langpack.getLanguage`: one language.
///
/// Errors: `LANG_CODE_NOT_SUPPORTED` for another than English.
///
/// Source: <https://core.telegram.org/method/langpack.getLanguage>.
pub async fn get_language(ctx: &Ctx, request: GetLanguage<'_>) -> Result<Reply> {
    if request.lang_code != LANG_CODE {
        return Err(RpcError::LANG_CODE_NOT_SUPPORTED);
    }
    Ok(ctx.answer(&request, english()))
}

fn english() -> LangPackLanguage<'static> {
    LangPackLanguage {
        official: true,
        ..LangPackLanguage::new("English", "English", LANG_CODE, LANG_CODE, 0, 0, "")
    }
}
