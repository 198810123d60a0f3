//! Photos, documents and other media for clients.
//!
//! Whoever is shown a file gets an access hash and a reference to the place where it is seen, both good for this viewer alone.
//! They are no part of what is stored, so a file is shown in two steps: [`Handle::new`] makes them, and what is made for the
//! client borrows from both.

use services::mailbox::attachment;
use storage::UserId;
use tl::{
    Decode as _,
    api::{enums, types},
    records::{
        enums::{File, Media},
        types::{Attachment, Document, Photo, Pictures},
    },
};

use super::attributes::{self, Kind};
use crate::{
    media::reference::{self, Origin},
    shared::{AccessKind, Shared},
};

/// What clients call the video of a photo among its sizes.
pub const PHOTO_VIDEO: &str = "u";

/// How a viewer names a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handle {
    access_hash: i64,
    reference: Vec<u8>,
    dc_id: i32,
}

impl Handle {
    /// For `viewer`, who sees the file at `origin`.
    #[must_use]
    pub fn new(shared: &Shared, viewer: UserId, file: i64, origin: Origin) -> Self {
        Self {
            access_hash: shared.access_hash(viewer, AccessKind::File, file),
            reference: reference::issue(shared, viewer, file, origin),
            dc_id: shared.config.dc.this,
        }
    }
}

/// A photo for a client.
#[must_use]
pub fn photo<'a>(photo: &'a Photo, handle: &'a Handle) -> types::Photo<'a> {
    let video = photo.video.as_ref().map(|video| {
        let size = types::VideoSize {
            video_start_ts: video.start_ts,
            ..types::VideoSize::new(PHOTO_VIDEO, video.width, video.height, video.len)
        };
        vec![size.into()]
    });
    types::Photo {
        video_sizes: video,
        ..types::Photo::new(
            photo.id,
            handle.access_hash,
            &handle.reference,
            photo.date,
            pictures(&photo.pictures),
            handle.dc_id,
        )
    }
}

/// A document for a client.
#[must_use]
pub fn document<'a>(document: &'a Document, handle: &'a Handle) -> types::Document<'a> {
    types::Document {
        thumbs: document.thumbs.as_ref().map(pictures).filter(|thumbs| !thumbs.is_empty()),
        ..types::Document::new(
            document.id,
            handle.access_hash,
            &handle.reference,
            document.date,
            &document.mime_type,
            document.content.len,
            handle.dc_id,
            attributes::to_tl(&document.attributes),
        )
    }
}

/// The sizes of a picture: the preview, then from the smallest on.
#[must_use]
pub fn pictures(pictures: &Pictures) -> Vec<enums::PhotoSize<'_>> {
    let stripped = pictures.stripped.as_deref();
    let stripped = stripped.map(|bytes| types::PhotoStrippedSize::new("i", bytes).into());
    let sizes = pictures.sizes.iter().map(|size| match &size.scans {
        Some(scans) if !scans.is_empty() => {
            types::PhotoSizeProgressive::new(&size.type_, size.width, size.height, scans.clone())
                .into()
        }
        _ => types::PhotoSize::new(&size.type_, size.width, size.height, size.len).into(),
    });
    stripped.into_iter().chain(sizes).collect()
}

/// How a viewer names the files of a medium.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handles {
    /// Its own.
    pub file: Handle,
    /// Of the one beside it: the cover of a video, the video of a live photo.
    pub beside: Handle,
}

/// A medium that is not in a message of the viewer's (yet), or what is attached to one.
#[derive(Clone, Debug)]
pub struct Shown {
    /// `None` for what a later version stored.
    media: Option<Media>,
    grouped_id: Option<i64>,
    handles: Handles,
}

impl Shown {
    /// What is attached to a message of the viewer's box: the bytes of an [`Attachment`].
    #[must_use]
    pub fn attached(shared: &Shared, viewer: UserId, message: i32, attachment: Attachment) -> Self {
        let Attachment { grouped_id, media } = attachment;
        let origin = Origin::Message(message);
        Self { grouped_id, ..Self::new(shared, viewer, media, origin, origin) }
    }

    /// A medium that the viewer sees at `origin`, and the file beside it at `beside`.
    #[must_use]
    pub fn new(
        shared: &Shared,
        viewer: UserId,
        media: Media,
        origin: Origin,
        beside: Origin,
    ) -> Self {
        let handle = |file: Option<i64>, origin| {
            file.map(|file| Handle::new(shared, viewer, file, origin)).unwrap_or_default()
        };
        let handles = Handles {
            file: handle(file_id(&media), origin),
            beside: handle(attachment::beside_id(&media), beside),
        };
        Self { media: Some(media), grouped_id: None, handles }
    }

    /// Something that cannot be shown.
    #[must_use]
    pub fn unsupported() -> Self {
        Self { media: None, grouped_id: None, handles: Handles::default() }
    }

    /// The album that it belongs to.
    #[must_use]
    pub fn grouped_id(&self) -> Option<i64> {
        self.grouped_id
    }

    /// The medium for a client.
    #[must_use]
    pub fn to_tl(&self) -> enums::MessageMedia<'_> {
        match &self.media {
            Some(media) => media_to_tl(media, &self.handles),
            None => enums::MessageMedia::MessageMediaUnsupported,
        }
    }
}

/// What is attached to a message; `None` for what a later version stored.
#[must_use]
pub fn attachment(bytes: &[u8]) -> Option<Attachment> {
    Attachment::from_bytes(bytes).ok()
}

/// The file of a medium.
#[must_use]
pub fn file_id(media: &Media) -> Option<i64> {
    match media {
        Media::MediaPhoto(media) => Some(media.photo.id),
        Media::MediaDocument(media) => Some(media.document.id),
        _ => None,
    }
}

/// Whether it goes after it was opened.
#[must_use]
pub fn is_passing(media: &Media) -> bool {
    match media {
        Media::MediaPhoto(media) => media.ttl_s.is_some(),
        Media::MediaDocument(media) => media.ttl_s.is_some(),
        Media::MediaPhotoExpired(_) | Media::MediaDocumentExpired(_) => true,
        Media::MediaContact(_) | Media::MediaGeo(_) | Media::MediaVenue(_) => false,
    }
}

/// Whether the sender sees if it was opened.
#[must_use]
pub fn is_opened(media: &Media) -> bool {
    match media {
        Media::MediaDocument(media) => {
            // Whoever forwards it decides by the same.
            let kind = attachment::Kind::of_document(&media.document);
            media.ttl_s.is_some() || kind.is_played()
        }
        media => is_passing(media),
    }
}

/// A file as the medium of a message.
#[must_use]
pub fn of_file(file: File, spoiler: bool, ttl_s: Option<i32>) -> Media {
    use tl::records::types::{MediaDocument, MediaPhoto};
    match file {
        File::FilePhoto(file) => {
            MediaPhoto { spoiler, ttl_s, ..MediaPhoto::new(file.photo) }.into()
        }
        File::FileDocument(file) => {
            MediaDocument { spoiler, ttl_s, ..MediaDocument::new(file.document) }.into()
        }
    }
}

/// A medium for a client, who names its files, if it has any, by `handles`.
#[must_use]
pub fn media_to_tl<'a>(media: &'a Media, handles: &'a Handles) -> enums::MessageMedia<'a> {
    match media {
        Media::MediaPhoto(media) => types::MessageMediaPhoto {
            spoiler: media.spoiler,
            live_photo: media.video.is_some(),
            photo: Some(photo(&media.photo, &handles.file).into()),
            video: media.video.as_ref().map(|video| document(video, &handles.beside).into()),
            ttl_seconds: media.ttl_s,
        }
        .into(),
        Media::MediaDocument(media) => {
            let Kind { video, round, voice } = Kind::of(&media.document.attributes);
            let cover = media.video_cover.as_ref();
            types::MessageMediaDocument {
                spoiler: media.spoiler,
                video,
                round,
                voice,
                document: Some(document(&media.document, &handles.file).into()),
                video_cover: cover.map(|cover| photo(cover, &handles.beside).into()),
                video_timestamp: media.video_timestamp_s,
                ttl_seconds: media.ttl_s,
                ..types::MessageMediaDocument::new()
            }
            .into()
        }
        // Without a file, clients say that it has gone.
        Media::MediaPhotoExpired(media) => types::MessageMediaPhoto {
            ttl_seconds: Some(media.ttl_s),
            ..types::MessageMediaPhoto::new()
        }
        .into(),
        Media::MediaDocumentExpired(media) => types::MessageMediaDocument {
            video: media.video,
            round: media.round,
            voice: media.voice,
            ttl_seconds: Some(media.ttl_s),
            ..types::MessageMediaDocument::new()
        }
        .into(),
        Media::MediaContact(card) => types::MessageMediaContact::new(
            &card.phone,
            &card.first_name,
            &card.last_name,
            &card.vcard,
            card.user_id,
        )
        .into(),
        Media::MediaGeo(place) => {
            types::MessageMediaGeo::new(geo_point(place.long, place.lat, place.accuracy)).into()
        }
        Media::MediaVenue(venue) => types::MessageMediaVenue::new(
            geo_point(venue.long, venue.lat, venue.accuracy),
            &venue.title,
            &venue.address,
            &venue.provider,
            &venue.venue_id,
            &venue.venue_type,
        )
        .into(),
    }
}

/// A place. Its access hash would lead to a picture of a map, which there is none of.
fn geo_point(long: f64, lat: f64, accuracy: Option<i32>) -> enums::GeoPoint {
    types::GeoPoint { accuracy_radius: accuracy, ..types::GeoPoint::new(long, lat, 0) }.into()
}

#[cfg(test)]
mod tests {
    use tl::records::types as records;

    use super::*;

    fn some_pictures() -> Pictures {
        let size = |type_: &str, offset, scans| records::PictureSize {
            scans,
            ..records::PictureSize::new(type_.to_owned(), 10, 20, offset, 30)
        };
        let sizes = vec![size("m", 0, None), size("x", 30, Some(vec![10, 30]))];
        let content = records::Content::new(vec![7; 32], 60);
        Pictures { stripped: Some(vec![1, 2, 3]), ..Pictures::new(content, sizes) }
    }

    fn some_document(attributes: Vec<tl::records::enums::Attribute>) -> Document {
        let content = records::Content::new(vec![8; 32], 1_000);
        Document::new(5, 6, "video/mp4".to_owned(), content, attributes)
    }

    #[test]
    fn previews_come_before_sizes() {
        let pictures = some_pictures();
        let expected: [enums::PhotoSize<'_>; 3] = [
            types::PhotoStrippedSize::new("i", &[1, 2, 3]).into(),
            types::PhotoSize::new("m", 10, 20, 30).into(),
            types::PhotoSizeProgressive::new("x", 10, 20, vec![10, 30]).into(),
        ];
        assert_eq!(super::pictures(&pictures), expected);
    }

    #[test]
    fn documents_say_what_they_are_even_when_they_are_gone() {
        let video =
            records::AttributeVideo { round: true, ..records::AttributeVideo::new(1.0, 2, 3) };
        let media = records::MediaDocument {
            ttl_s: Some(9),
            ..records::MediaDocument::new(some_document(vec![video.into()]))
        };
        let media = Media::from(media);
        let handles = Handles::default();
        let enums::MessageMedia::MessageMediaDocument(shown) = media_to_tl(&media, &handles) else {
            panic!("no document")
        };
        assert!(shown.video && shown.round && !shown.voice && shown.document.is_some());
        assert!(is_passing(&media) && is_opened(&media));
        let gone =
            records::MediaDocumentExpired { round: true, ..records::MediaDocumentExpired::new(9) };
        let gone = Media::from(gone);
        let enums::MessageMedia::MessageMediaDocument(shown) = media_to_tl(&gone, &handles) else {
            panic!("no document")
        };
        assert!(shown.round && shown.document.is_none() && shown.ttl_seconds == Some(9));
        assert_eq!(file_id(&gone), None);
    }
}
