//! What a client wants attached to a message, as it is stored.
//!
//! | input | becomes |
//! |---|---|
//! | an upload | a file made of it, which the caller has lately |
//! | a photo or document with its reference | the same file again, from where the caller has it |
//! | an address | a file that is fetched, if the operator wants that |
//! | a contact, a place | what it says |
//!
//! Live places, polls, dice, games, bills, stories, lists of tasks and what is paid for do not exist here. Stickers on a photo
//! are not kept: the rest is.

use services::{
    limits::CAPTION_LEN_MAX,
    mailbox::attachment::{self, Kind},
};
use storage::{Owner, RECORD_LAYER, UserId};
use tl::{
    Encode as _,
    api::{
        enums::{InputDocument, InputMedia, InputPhoto, MessageEntity},
        types as input,
    },
    operations::functions::{accounts, directory, mailbox},
    records::{
        enums::{File, Media, Source},
        types as records,
    },
};

use super::super::contacts::digits;
use crate::{
    convert::{
        attributes::{self, Described},
        cards,
        detect::units,
        media,
        text::{self, Text},
    },
    limits::MEDIA_TTL_S_MAX,
    media::{access, fetch, image, intake, reference::Origin},
    rpc::{Result, RpcError, UserCtx},
};

/// The time of what may be looked at once.
const TTL_ONCE: i32 = i32::MAX;

/// Something to be attached.
#[derive(Debug)]
pub(super) struct Attached {
    /// What it is.
    pub(super) media: Media,
    /// From where the caller has its file, if it has one.
    pub(super) source: Option<Source>,
    /// From where the caller has the file beside it, if there is one.
    pub(super) beside: Option<Source>,
}

impl Attached {
    /// The bytes that a message keeps.
    pub(super) fn to_bytes(&self, grouped_id: Option<i64>) -> Vec<u8> {
        let attachment =
            records::Attachment { grouped_id, ..records::Attachment::new(self.media.clone()) };
        attachment.to_vec(RECORD_LAYER)
    }

    fn made(media: Media) -> Self {
        let source = media::file_id(&media).map(|id| records::SourceFile::new(id).into());
        Self { media, source, beside: None }
    }

    /// Adds what makes a photo a live one: a video.
    async fn with_moment(
        mut self,
        ctx: &UserCtx,
        video: Option<&InputDocument<'_>>,
    ) -> Result<Self> {
        let (Media::MediaPhoto(photo), Some(InputDocument::InputDocument(named))) =
            (&mut self.media, video)
        else {
            return Ok(self);
        };
        let id = (named.id, named.access_hash, named.file_reference);
        let (File::FileDocument(file), source) = again(ctx, id).await? else {
            return Err(RpcError::MEDIA_INVALID);
        };
        if !matches!(Kind::of_document(&file.document), Kind::Video | Kind::Gif) {
            return Err(RpcError::MEDIA_INVALID);
        }
        photo.video = Some(file.document);
        self.beside = Some(source);
        Ok(self)
    }

    /// Adds what a client says of a video: the photo that stands for it, and the second that it begins at.
    async fn with_video(
        mut self,
        ctx: &UserCtx,
        cover: Option<&InputPhoto<'_>>,
        timestamp: Option<i32>,
    ) -> Result<Self> {
        let Some(video) = attachment::video(&mut self.media) else { return Ok(self) };
        video.video_timestamp_s = timestamp.and_then(attachment::begin_at);
        if let Some(InputPhoto::InputPhoto(named)) = cover {
            let id = (named.id, named.access_hash, named.file_reference);
            let (File::FilePhoto(file), source) = again(ctx, id).await? else {
                return Err(RpcError::MEDIA_INVALID);
            };
            video.video_cover = Some(file.photo);
            self.beside = Some(source);
        }
        Ok(self)
    }
}

/// Where something is to be attached: whether it may go after it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To a message of a chat with somebody else.
    Private,
    /// To a message that stays: in Saved Messages, in an album, in place of something else.
    Lasting,
}

impl Place {
    /// That of a message to `peer`.
    pub(super) fn chat(ctx: &UserCtx, peer: i64) -> Self {
        if peer == ctx.user.0 { Self::Lasting } else { Self::Private }
    }

    /// Refuses times that cannot be.
    fn check_ttl(self, ttl_s: Option<i32>) -> Result<()> {
        match (self, ttl_s) {
            (_, None) | (Self::Private, Some(1..=MEDIA_TTL_S_MAX | TTL_ONCE)) => Ok(()),
            _ => Err(RpcError::TTL_MEDIA_INVALID),
        }
    }
}

/// Makes of a client's medium what can be attached.
///
/// # Errors
///
/// `MEDIA_EMPTY`; `MEDIA_INVALID` for what does not exist here or is out of bounds; `TTL_MEDIA_INVALID`; those of
/// [`intake`], [`access::file_of`] and [`fetch`].
pub(super) async fn attach(
    ctx: &UserCtx,
    given: &InputMedia<'_>,
    place: Place,
) -> Result<Attached> {
    match given {
        InputMedia::InputMediaEmpty => Err(RpcError::MEDIA_EMPTY),
        InputMedia::InputMediaUploadedPhoto(given) => {
            place.check_ttl(given.ttl_seconds)?;
            let upload = intake::uploaded(ctx, &given.file).await?;
            let photo = intake::photo(ctx, &upload, image::Kind::Message).await?;
            let file = records::FilePhoto::new(photo).into();
            let media = media::of_file(file, given.spoiler, given.ttl_seconds);
            Attached::made(media).with_moment(ctx, given.video.as_ref()).await
        }
        InputMedia::InputMediaUploadedDocument(given) => {
            place.check_ttl(given.ttl_seconds)?;
            let file = uploaded_document(ctx, given).await?;
            let media = media::of_file(file, given.spoiler, given.ttl_seconds);
            let (cover, timestamp) = (given.video_cover.as_ref(), given.video_timestamp);
            Attached::made(media).with_video(ctx, cover, timestamp).await
        }
        InputMedia::InputMediaPhoto(given) => {
            place.check_ttl(given.ttl_seconds)?;
            let InputPhoto::InputPhoto(named) = &given.id else {
                return Err(RpcError::MEDIA_EMPTY);
            };
            let id = (named.id, named.access_hash, named.file_reference);
            let (file, source) = again(ctx, id).await?;
            if !matches!(file, File::FilePhoto(_)) {
                return Err(RpcError::MEDIA_INVALID);
            }
            let media = media::of_file(file, given.spoiler, given.ttl_seconds);
            let attached = Attached { media, source: Some(source), beside: None };
            attached.with_moment(ctx, given.video.as_ref()).await
        }
        InputMedia::InputMediaDocument(given) => {
            place.check_ttl(given.ttl_seconds)?;
            let InputDocument::InputDocument(named) = &given.id else {
                return Err(RpcError::MEDIA_EMPTY);
            };
            let id = (named.id, named.access_hash, named.file_reference);
            let (file, source) = again(ctx, id).await?;
            if !matches!(file, File::FileDocument(_)) {
                return Err(RpcError::MEDIA_INVALID);
            }
            let media = media::of_file(file, given.spoiler, given.ttl_seconds);
            let (cover, timestamp) = (given.video_cover.as_ref(), given.video_timestamp);
            let attached = Attached { media, source: Some(source), beside: None };
            attached.with_video(ctx, cover, timestamp).await
        }
        InputMedia::InputMediaPhotoExternal(given) => {
            place.check_ttl(given.ttl_seconds)?;
            let photo = fetch::photo(ctx, given.url).await?;
            let file = records::FilePhoto::new(photo).into();
            Ok(Attached::made(media::of_file(file, given.spoiler, given.ttl_seconds)))
        }
        InputMedia::InputMediaDocumentExternal(given) => {
            place.check_ttl(given.ttl_seconds)?;
            let document = fetch::document(ctx, given.url).await?;
            let file = records::FileDocument::new(document).into();
            let media = media::of_file(file, given.spoiler, given.ttl_seconds);
            let (cover, timestamp) = (given.video_cover.as_ref(), given.video_timestamp);
            Attached::made(media).with_video(ctx, cover, timestamp).await
        }
        InputMedia::InputMediaContact(card) => contact(ctx, card).await.map(Attached::made),
        InputMedia::InputMediaGeoPoint(given) => {
            Ok(Attached::made(cards::geo(&given.geo_point)?.into()))
        }
        InputMedia::InputMediaVenue(given) => Ok(Attached::made(cards::venue(given)?.into())),
        InputMedia::InputMediaWebPage(_) => Err(RpcError::WEBPAGE_NOT_FOUND),
        InputMedia::InputMediaStory(_) => Err(RpcError::STORY_ID_INVALID),
        InputMedia::InputMediaGeoLive(_)
        | InputMedia::InputMediaPoll(_)
        | InputMedia::InputMediaDice(_)
        | InputMedia::InputMediaStakeDice(_)
        | InputMedia::InputMediaGame(_)
        | InputMedia::InputMediaInvoice(_)
        | InputMedia::InputMediaPaidMedia(_)
        | InputMedia::InputMediaTodo(_) => Err(RpcError::MEDIA_INVALID),
    }
}

/// What stands below a medium: a text of at most [`CAPTION_LEN_MAX`].
///
/// # Errors
///
/// `MEDIA_CAPTION_TOO_LONG`, and those of [`text::from_tl`].
pub(super) fn caption<'a>(
    ctx: &UserCtx,
    said: &'a str,
    spans: Option<&[MessageEntity<'_>]>,
) -> Result<Text<'a>> {
    let text = text::from_tl(ctx.shared(), ctx.user, said, spans.unwrap_or_default())?;
    if is_too_long(text.text) { Err(RpcError::MEDIA_CAPTION_TOO_LONG) } else { Ok(text) }
}

/// Whether a text is none that can stand below a medium.
pub(super) fn is_too_long(caption: &str) -> bool {
    usize::try_from(units(caption)).is_ok_and(|len| len > CAPTION_LEN_MAX)
}

async fn uploaded_document(
    ctx: &UserCtx,
    given: &input::InputMediaUploadedDocument<'_>,
) -> Result<File> {
    let upload = intake::uploaded(ctx, &given.file).await?;
    // A preview is not worth a refusal.
    let thumb = match &given.thumb {
        Some(thumb) => intake::uploaded(ctx, thumb).await.ok(),
        None => None,
    };
    // What is not animated by itself stays so here: `nosound_video` has nothing to forbid. It does not say that there is no sound.
    let description = attributes::from_tl(&Described {
        attributes: &given.attributes,
        name: &upload.name,
        mime_type: given.mime_type,
        force_file: given.force_file,
    });
    let document = intake::document(ctx, &upload, thumb.as_ref(), description).await?;
    Ok(records::FileDocument::new(document).into())
}

/// A file that the caller has: its id, access hash and reference.
async fn again(ctx: &UserCtx, (id, hash, reference): (i64, i64, &[u8])) -> Result<(File, Source)> {
    let (file, origin) = access::file_of(ctx, id, hash, reference)?;
    if let Origin::Message(message) = origin {
        // What goes after it was opened cannot be kept in this way.
        let ids = vec![message];
        let found = ctx.call(ctx.user, &mailbox::Messages { ids }).await?.messages;
        let attached = found.iter().filter_map(|message| message.media.as_deref());
        let mut attached = attached.filter_map(media::attachment);
        if attached.any(|attachment| media::is_passing(&attachment.media)) {
            return Err(RpcError::MEDIA_INVALID);
        }
    }
    let source = access::source_of(ctx, &file, origin).await?;
    Ok((file, source))
}

/// A contact, with the account that has the number, if it lets itself be found by it.
async fn contact(ctx: &UserCtx, card: &input::InputMediaContact<'_>) -> Result<Media> {
    let stored = cards::contact(card)?;
    let number = digits(card.phone_number);
    let owner = ctx.call(Owner::phone(&number), &directory::Lookup {}).await?.user_id;
    let user_id = match owner {
        Some(user) if user != ctx.user.0 => {
            let profile = ctx.call(UserId(user), &accounts::Get { viewer: ctx.user.0 }).await?;
            if profile.findable_by_phone || profile.phone_visible { user } else { 0 }
        }
        own => own.unwrap_or_default(),
    };
    Ok(records::MediaContact { user_id, ..stored }.into())
}
