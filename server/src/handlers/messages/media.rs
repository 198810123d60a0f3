//! `messages.sendMedia`, `messages.sendMultiMedia`, `messages.uploadMedia`.

use mtproto::session::Reply;
use services::limits::ALBUM_COUNT_MAX;
use storage::UserId;
use tl::{
    api::{
        enums::InputMedia,
        functions::messages::{SendMedia, SendMultiMedia, UploadMedia},
        types::InputSingleMedia,
    },
    operations::{functions::mailbox, types::mailbox::AlbumItem},
    records::enums::Source,
};

use super::{
    answer::view_of,
    attach::{Attached, Place, attach, caption},
    send::{Extras, Options, Text, reply_with, send},
};
use crate::{
    convert::{
        media::{self, Shown},
        messages, peers,
    },
    media::reference::Origin,
    rpc::{Result, RpcError, UserCtx},
};

/// `messages.sendMedia`: stores a medium with its caption in both boxes.
///
/// Answers as `messages.sendMessage`. A preview of a link that may as well be missing leaves a text: there are no previews.
///
/// Errors: `MEDIA_CAPTION_TOO_LONG`, `MEDIA_EMPTY`, `MEDIA_INVALID` for kinds that do not exist here, `STORY_ID_INVALID`,
/// `TTL_MEDIA_INVALID`, `WEBPAGE_NOT_FOUND`; of uploads `FILE_PART_X_MISSING`, `FILE_PARTS_INVALID`, `FILE_ID_INVALID`,
/// `MD5_CHECKSUM_INVALID`; of photos `IMAGE_PROCESS_FAILED`, `PHOTO_EXT_INVALID`, `PHOTO_INVALID_DIMENSIONS`; of files used again
/// `FILE_REFERENCE_EMPTY`, `FILE_REFERENCE_EXPIRED`, `FILE_REFERENCE_INVALID`; of addresses `EXTERNAL_URL_INVALID`,
/// `WEBPAGE_CURL_FAILED`; and those of `messages.sendMessage`.
///
/// Source: <https://core.telegram.org/method/messages.sendMedia>.
pub async fn send_media(ctx: &UserCtx, request: SendMedia<'_>) -> Result<Reply> {
    Extras {
        scheduled: request.schedule_date.is_some(),
        send_as: request.send_as.as_ref(),
        shortcut: request.quick_reply_shortcut.is_some(),
        effect: request.effect,
        suggested_post: request.suggested_post.is_some(),
    }
    .check(ctx)?;
    let options = Options {
        silent: request.silent,
        no_webpage: false,
        clear_draft: request.clear_draft,
        invert_media: request.invert_media,
        random_id: request.random_id,
    };
    let text = Text { text: request.message, entities: request.entities.as_deref() };
    if matches!(&request.media, InputMedia::InputMediaWebPage(page) if page.optional) {
        let sent = send(ctx, &request.peer, request.reply_to.as_ref(), text, options).await?;
        return reply_with(ctx, &request, &sent);
    }
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let reply = peers::reply_to(ctx.shared(), ctx.user, request.reply_to.as_ref())?;
    let caption = caption(ctx, text.text, text.entities)?;
    let attached = attach(ctx, &request.media, Place::chat(ctx, peer)).await?;
    let sent = mailbox::Send {
        silent: options.silent,
        no_webpage: false,
        clear_draft: options.clear_draft,
        invert_media: options.invert_media,
        media_unread: is_unread(ctx, peer, &attached),
        peer,
        random_id: options.random_id,
        text: caption.text,
        entities: Some(caption.entities),
        reply,
        media: Some(&attached.to_bytes(None)),
        source: attached.source,
        beside: attached.beside,
    };
    let sent = ctx.call(ctx.user, &sent).await?;
    reply_with(ctx, &request, &sent)
}

/// `messages.sendMultiMedia`: sends media that the server has as one album, each with its caption.
///
/// Answers one `updateMessageID` for each item, in order, then the messages. All items are sent, or none.
///
/// Errors: `MEDIA_EMPTY` for no item, `MULTI_MEDIA_TOO_LONG` for more than [`ALBUM_COUNT_MAX`], `MEDIA_INVALID` for items that are
/// no photo or document of the server's, or do not go together; `FILE_REFERENCE_X_EXPIRED` (`_INVALID`, `_EMPTY`) with the number
/// of the item; and those of `messages.sendMedia`.
///
/// Source: <https://core.telegram.org/method/messages.sendMultiMedia>.
pub async fn send_multi_media(ctx: &UserCtx, request: SendMultiMedia<'_>) -> Result<Reply> {
    Extras {
        scheduled: request.schedule_date.is_some(),
        send_as: request.send_as.as_ref(),
        shortcut: request.quick_reply_shortcut.is_some(),
        effect: request.effect,
        suggested_post: false,
    }
    .check(ctx)?;
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let reply = peers::reply_to(ctx.shared(), ctx.user, request.reply_to.as_ref())?;
    match request.multi_media.len() {
        0 => return Err(RpcError::MEDIA_EMPTY),
        1..=ALBUM_COUNT_MAX => {}
        _ => return Err(RpcError::MULTI_MEDIA_TOO_LONG),
    }
    let mut items = Vec::with_capacity(request.multi_media.len());
    for (number, item) in request.multi_media.iter().enumerate() {
        items.push(album_item(ctx, peer, number, item).await?);
    }
    let album = mailbox::SendAlbum {
        silent: request.silent,
        clear_draft: request.clear_draft,
        invert_media: request.invert_media,
        peer,
        reply,
        items,
    };
    let album = ctx.call(ctx.user, &album).await?;
    let view = view_of(ctx, album.sent.iter().map(|sent| &sent.message))?;
    let updates = view.all_sent_updates(&album.sent);
    Ok(ctx.answer(&request, messages::updates(updates, &view.users, ctx.now())))
}

/// `messages.uploadMedia`: makes a medium to be sent later, above all in an album.
///
/// Its reference is good as long as the caller has the file lately.
///
/// Errors: `BUSINESS_CONNECTION_INVALID`, `PEER_ID_INVALID`, and those of media in `messages.sendMedia`.
///
/// Source: <https://core.telegram.org/method/messages.uploadMedia>.
pub async fn upload_media(ctx: &UserCtx, request: UploadMedia<'_>) -> Result<Reply> {
    if request.business_connection_id.is_some() {
        return Err(RpcError::BUSINESS_CONNECTION_INVALID);
    }
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let Attached { media, source, beside } =
        attach(ctx, &request.media, Place::chat(ctx, peer)).await?;
    let [file, beside] = [source, beside].map(|source| origin(ctx.user, source.as_ref()));
    let shown = Shown::new(ctx.shared(), ctx.user, media, file, beside);
    Ok(ctx.answer(&request, shown.to_tl()))
}

/// Where the caller sees a file that it has from `source`.
fn origin(user: UserId, source: Option<&Source>) -> Origin {
    match source {
        Some(Source::SourceMessage(message)) => Origin::Message(message.id),
        Some(Source::SourceProfile(_)) => Origin::Profile(user),
        Some(Source::SourceFile(_)) | None => Origin::Own,
    }
}

async fn album_item(
    ctx: &UserCtx,
    peer: i64,
    number: usize,
    item: &InputSingleMedia<'_>,
) -> Result<AlbumItem> {
    match &item.media {
        InputMedia::InputMediaPhoto(_) | InputMedia::InputMediaDocument(_) => {}
        InputMedia::InputMediaEmpty => return Err(RpcError::MEDIA_EMPTY),
        _ => return Err(RpcError::MEDIA_INVALID),
    }
    let caption = caption(ctx, item.message, item.entities.as_deref())?;
    let attached = attach(ctx, &item.media, Place::Lasting).await;
    let attached = attached.map_err(|error| error.of_item(number))?;
    Ok(AlbumItem {
        media_unread: is_unread(ctx, peer, &attached),
        random_id: item.random_id,
        text: caption.text.to_owned(),
        entities: Some(caption.entities),
        media: attached.to_bytes(None),
        source: attached.source,
        beside: attached.beside,
    })
}

/// Whether the other side has yet to open it.
fn is_unread(ctx: &UserCtx, peer: i64, attached: &Attached) -> bool {
    peer != ctx.user.0 && media::is_opened(&attached.media)
}
