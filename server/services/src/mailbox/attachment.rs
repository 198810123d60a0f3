//! What is attached to a message: its `media`, which is an encoded `Attachment`.

use std::collections::BTreeMap;

use storage::RECORD_LAYER;
use tl::records::{
    enums::{Attribute, File, Media},
    types::{
        Attachment, Document, FileDocument, FilePhoto, MediaDocument, MediaDocumentExpired,
        MediaPhotoExpired, Message,
    },
};
use tl::{Decode as _, Encode as _};

use crate::{Result, Txn, files};

/// What kind of medium it is, as clients sort media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A photo.
    Photo,
    /// A video with sound or without, not round, that plays once.
    Video,
    /// An animation: plays by itself, again and again.
    Gif,
    /// A round video note.
    RoundVideo,
    /// A voice note.
    Voice,
    /// Music, or another sound.
    Music,
    /// A sticker.
    Sticker,
    /// A document that is nothing else.
    Document,
    /// A place, with or without a name.
    Geo,
    /// Somebody's name and number.
    Contact,
    /// Something whose time was over.
    Expired,
}

impl Kind {
    /// The kind of a medium.
    #[must_use]
    pub fn of(media: &Media) -> Self {
        match media {
            Media::MediaPhoto(_) => Self::Photo,
            Media::MediaDocument(media) => Self::of_document(&media.document),
            Media::MediaPhotoExpired(_) | Media::MediaDocumentExpired(_) => Self::Expired,
            Media::MediaContact(_) => Self::Contact,
            Media::MediaGeo(_) | Media::MediaVenue(_) => Self::Geo,
        }
    }

    /// The kind of a document, by its attributes.
    #[must_use]
    pub fn of_document(document: &Document) -> Self {
        let mut kind = Self::Document;
        for attribute in &document.attributes {
            kind = match (attribute, kind) {
                (Attribute::AttributeSticker(_), _) => return Self::Sticker,
                (Attribute::AttributeAnimated, _) => Self::Gif,
                (Attribute::AttributeVideo(_), Self::Gif) => Self::Gif,
                (Attribute::AttributeVideo(video), _) if video.round => Self::RoundVideo,
                (Attribute::AttributeVideo(_), _) => Self::Video,
                (Attribute::AttributeAudio(audio), Self::Document) if audio.voice => Self::Voice,
                (Attribute::AttributeAudio(_), Self::Document) => Self::Music,
                (_, kind) => kind,
            };
        }
        kind
    }

    /// Whether it is played, so that its sender is told when it was.
    #[must_use]
    pub const fn is_played(self) -> bool {
        matches!(self, Self::Voice | Self::RoundVideo)
    }

    /// What it can stand beside in an album; `None` for what cannot be in one.
    pub(super) const fn album(self) -> Option<Album> {
        match self {
            Self::Photo | Self::Video => Some(Album::Visual),
            Self::Music => Some(Album::Music),
            Self::Document => Some(Album::Documents),
            _ => None,
        }
    }

    /// Whether a medium of this kind can take the place of another, or be replaced.
    pub(super) const fn is_replaceable(self) -> bool {
        matches!(self, Self::Photo | Self::Video | Self::Gif | Self::Music | Self::Document)
    }
}

/// What albums there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Album {
    /// Photos and videos.
    Visual,
    /// Music.
    Music,
    /// Other documents.
    Documents,
}

/// Reads what is attached; `None` for bytes that are none.
#[must_use]
pub fn decode(media: &[u8]) -> Option<Attachment> {
    Attachment::from_bytes(media).ok()
}

/// What is attached to a message, if something is.
#[must_use]
pub fn of(message: &Message) -> Option<Attachment> {
    message.media.as_deref().and_then(decode)
}

/// As it stands in a message.
#[must_use]
pub fn encode(attachment: &Attachment) -> Vec<u8> {
    attachment.to_vec(RECORD_LAYER)
}

/// The id of the file of a medium, if it has one.
#[must_use]
pub const fn file_id(media: &Media) -> Option<i64> {
    match media {
        Media::MediaPhoto(media) => Some(media.photo.id),
        Media::MediaDocument(media) => Some(media.document.id),
        _ => None,
    }
}

/// The id of the file beside it, if there is one: the cover of a video, the video of a live photo.
#[must_use]
pub fn beside_id(media: &Media) -> Option<i64> {
    match media {
        Media::MediaPhoto(media) => media.video.as_ref().map(|video| video.id),
        Media::MediaDocument(media) => media.video_cover.as_ref().map(|cover| cover.id),
        _ => None,
    }
}

/// The ids of all files of a medium: its own, then the one beside it.
pub fn file_ids(media: &Media) -> impl Iterator<Item = i64> {
    file_id(media).into_iter().chain(beside_id(media))
}

/// All files of a medium: its own, then the one beside it.
pub fn files(media: Media) -> impl Iterator<Item = File> {
    let (file, beside) = match media {
        Media::MediaPhoto(media) => {
            let video = media.video.map(|document| FileDocument { document }.into());
            (Some(FilePhoto { photo: media.photo }.into()), video)
        }
        Media::MediaDocument(media) => {
            let cover = media.video_cover.map(|photo| FilePhoto { photo }.into());
            (Some(FileDocument { document: media.document }.into()), cover)
        }
        _ => (None, None),
    };
    file.into_iter().chain(beside)
}

/// What a document is called, and what sounds in it: by that, people look for it.
pub(super) fn words(media: &Media) -> impl Iterator<Item = &str> {
    let attributes = match media {
        Media::MediaDocument(media) => &*media.document.attributes,
        _ => &[],
    };
    attributes.iter().flat_map(|attribute| {
        let words = match attribute {
            Attribute::AttributeFilename(file) => [Some(&*file.name), None],
            Attribute::AttributeAudio(audio) => {
                [audio.title.as_deref(), audio.performer.as_deref()]
            }
            _ => [None, None],
        };
        words.into_iter().flatten()
    })
}

/// How long a medium lives once it was opened, in seconds, if not for ever.
#[must_use]
pub const fn ttl_s(media: &Media) -> Option<i32> {
    match media {
        Media::MediaPhoto(media) => media.ttl_s,
        Media::MediaDocument(media) => media.ttl_s,
        _ => None,
    }
}

/// A medium as a video, which may have a cover, and begin at a second of it; `None` for anything else.
#[must_use]
pub fn video(media: &mut Media) -> Option<&mut MediaDocument> {
    match media {
        Media::MediaDocument(media) if Kind::of_document(&media.document) == Kind::Video => {
            Some(media)
        }
        _ => None,
    }
}

/// Where a video is to begin, as it is stored: not at all for its beginning.
#[must_use]
pub fn begin_at(second: i32) -> Option<i32> {
    Some(second).filter(|second| *second > 0)
}

/// Lets a medium live for ever.
pub(super) const fn keep(media: &mut Media) {
    match media {
        Media::MediaPhoto(media) => media.ttl_s = None,
        Media::MediaDocument(media) => media.ttl_s = None,
        _ => {}
    }
}

/// What is left of a medium with a time to live when that is over.
pub(super) fn expired(media: &Media) -> Option<Media> {
    let ttl_s = ttl_s(media)?;
    match media {
        Media::MediaDocument(media) => {
            let kind = Kind::of_document(&media.document);
            let expired = MediaDocumentExpired {
                video: matches!(kind, Kind::Video | Kind::Gif),
                round: kind == Kind::RoundVideo,
                voice: kind == Kind::Voice,
                ttl_s,
            };
            Some(expired.into())
        }
        _ => Some(MediaPhotoExpired { ttl_s }.into()),
    }
}

/// The ids of the files that a message holds.
pub(crate) fn held(message: &Message) -> Vec<i64> {
    of(message).iter().flat_map(|attachment| file_ids(&attachment.media)).collect()
}

/// Lets the files go that messages hold.
pub(crate) fn release(txn: &mut Txn<'_, '_>, messages: &[Message]) -> Result<()> {
    let mut counts: BTreeMap<i64, i32> = BTreeMap::new();
    for file in messages.iter().flat_map(held) {
        *counts.entry(file).or_default() += 1;
    }
    for (file, count) in counts {
        files::release(txn, file, count)?;
    }
    Ok(())
}
