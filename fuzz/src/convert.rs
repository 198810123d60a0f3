//! Bodies of `attributes` and `records`: what clients say of their media is kept within bounds, and whatever is stored can be
//! read, written again and shown to a client of any layer.
//!
//! ```text
//! attributes  | layer (1) | options (1) | kind (1) | fields of an `InputMedia` |    kind: see `MEDIA`
//! records     | layer (1) | id (4) | fields of a record |    an id that there is not chooses one that there is
//!
//! layer: counted from the oldest one on
//! options: 1 as a file, 2 with a preview, 4 in an album, 8 with a spoiler
//! ```

use core::mem::discriminant;

use server::convert::attributes::{self, Described, Description};
use server::convert::media::{self, Handle, Handles};
use server::convert::messages::{View, draft};
use server::convert::{cards, entities, notify, privacy, users};
use server::limits::{
    ATTRIBUTE_COUNT_MAX, ATTRIBUTE_TEXT_LEN_MAX, CARD_TEXT_LEN_MAX, CODEC_LEN_MAX,
    GEO_ACCURACY_MAX, MIME_TYPE_LEN_MAX, STICKER_ALT_LEN_MAX, VCARD_LEN_MAX, WAVEFORM_LEN_MAX,
};
use services::limits::MEDIA_LEN_MAX;
use services::mailbox::attachment;
use storage::{RECORD_LAYER, UserId};
use tl::api::enums::{InputFile, InputMedia};
use tl::records::enums::{Attribute, Media, PrivacyKey};
use tl::records::types as records;
use tl::{Decode, Encode, Layer};

/// What clients attach, by the words that name it: uploads first, which say most.
const MEDIA: [u32; 8] = [
    tl::api::types::InputMediaUploadedDocument::ID,
    tl::api::types::InputMediaUploadedDocument::ID,
    tl::api::types::InputMediaUploadedDocument::ID,
    tl::api::types::InputMediaUploadedPhoto::ID,
    tl::api::types::InputMediaContact::ID,
    tl::api::types::InputMediaGeoPoint::ID,
    tl::api::types::InputMediaVenue::ID,
    tl::api::types::InputMediaDocument::ID,
];

/// The user who looks at everything.
const VIEWER: UserId = UserId(1);

// ===== What clients say =====

/// Any medium.
pub fn attributes(data: &[u8]) {
    let Some((&[layer, options, kind], fields)) = data.split_first_chunk::<3>() else { return };
    let id = MEDIA[usize::from(kind) % MEDIA.len()];
    let bytes = [&id.to_le_bytes()[..], fields].concat();
    let Ok(given) = InputMedia::from_bytes(&bytes) else { return };
    let kept: Media = match &given {
        InputMedia::InputMediaUploadedDocument(given) => {
            let described = Described {
                attributes: &given.attributes,
                name: name(&given.file),
                mime_type: given.mime_type,
                force_file: given.force_file || options & 1 != 0,
            };
            let description = attributes::from_tl(&described);
            check_description(&described, &description);
            let content = records::Content::new(vec![7; 32], i64::from(kind));
            let document = records::Document {
                thumbs: (options & 2 != 0).then(pictures),
                ..records::Document::new(
                    5,
                    6,
                    description.mime_type,
                    content,
                    description.attributes,
                )
            };
            let file = records::FileDocument::new(document).into();
            media::of_file(file, given.spoiler || options & 8 != 0, given.ttl_seconds)
        }
        InputMedia::InputMediaUploadedPhoto(given) => {
            let file = records::FilePhoto::new(records::Photo::new(5, 6, pictures())).into();
            media::of_file(file, given.spoiler, given.ttl_seconds)
        }
        InputMedia::InputMediaContact(given) => {
            let Ok(card) = cards::contact(given) else { return };
            let texts = [&card.phone, &card.first_name, &card.last_name];
            assert!(texts.iter().all(|text| text.len() <= CARD_TEXT_LEN_MAX));
            assert!(card.vcard.len() <= VCARD_LEN_MAX && card.user_id == 0);
            card.into()
        }
        InputMedia::InputMediaGeoPoint(given) => {
            let Ok(place) = cards::geo(&given.geo_point) else { return };
            check_place(place.long, place.lat, place.accuracy);
            place.into()
        }
        InputMedia::InputMediaVenue(given) => {
            let Ok(venue) = cards::venue(given) else { return };
            check_place(venue.long, venue.lat, venue.accuracy);
            let texts = [&venue.title, &venue.address, &venue.provider, &venue.venue_id];
            assert!(texts.iter().all(|text| text.len() <= CARD_TEXT_LEN_MAX));
            assert!(venue.venue_type.len() <= CARD_TEXT_LEN_MAX);
            venue.into()
        }
        _ => return,
    };
    let grouped_id = (options & 4 != 0).then_some(9);
    let attachment = records::Attachment { grouped_id, media: kept };
    let bytes = attachment.to_vec(RECORD_LAYER);
    assert!(bytes.len() <= MEDIA_LEN_MAX, "{} bytes of a medium", bytes.len());
    assert_eq!(media::attachment(&bytes), Some(attachment));
    show_attachment(&bytes, layer_of(layer));
}

/// The name of an upload.
fn name<'a>(file: &InputFile<'a>) -> &'a str {
    match file {
        InputFile::InputFile(file) => file.name,
        InputFile::InputFileBig(file) => file.name,
        InputFile::InputFileStoryDocument(_) => "",
    }
}

fn pictures() -> records::Pictures {
    let size = |type_: &str, offset, scans| records::PictureSize {
        scans,
        ..records::PictureSize::new(type_.to_owned(), 10, 20, offset, 30)
    };
    let sizes = vec![size("m", 0, None), size("x", 30, Some(vec![10, 30]))];
    let content = records::Content::new(vec![7; 32], 60);
    records::Pictures { stripped: Some(vec![1, 2, 3]), ..records::Pictures::new(content, sizes) }
}

fn check_place(long: f64, lat: f64, accuracy: Option<i32>) {
    assert!((-180.0..=180.0).contains(&long) && (-90.0..=90.0).contains(&lat));
    assert!(accuracy.is_none_or(|metres| (1..=GEO_ACCURACY_MAX).contains(&metres)));
}

/// What is kept of a document is bounded and does not contradict itself, and a client that sends it again changes nothing.
fn check_description(given: &Described<'_>, kept: &Description) {
    let Description { mime_type, attributes, force_file: _ } = kept;
    assert!(mime_type.is_ascii() && mime_type.len() <= MIME_TYPE_LEN_MAX, "{mime_type}");
    assert_eq!(attributes::mime_type(mime_type), *mime_type);
    // One may be the name of the upload.
    assert!(attributes.len() <= ATTRIBUTE_COUNT_MAX + 1);
    for (at, attribute) in attributes.iter().enumerate() {
        let kind = discriminant(attribute);
        assert!(attributes[..at].iter().all(|it| discriminant(it) != kind), "{attributes:?}");
        check_attribute(attribute, given, mime_type);
    }
    let shown = attributes::to_tl(attributes);
    let again = Described { attributes: &shown, name: "", mime_type, ..*given };
    assert_eq!(attributes::from_tl(&again), *kept, "sent again");
}

fn check_attribute(attribute: &Attribute, given: &Described<'_>, mime_type: &str) {
    let is_short =
        |text: &Option<String>, len_max| text.as_ref().is_none_or(|it| it.len() <= len_max);
    match attribute {
        Attribute::AttributeImageSize(size) => assert!(size.width >= 0 && size.height >= 0),
        Attribute::AttributeAnimated => {
            assert!(!given.force_file);
            assert!(mime_type.starts_with("video/") || mime_type == "image/gif", "{mime_type}");
        }
        Attribute::AttributeVideo(video) => {
            assert!(!given.force_file && video.width >= 0 && video.height >= 0);
            assert!((0.0..=f64::from(i32::MAX)).contains(&video.duration));
            assert!(video.preload_len.is_none_or(|len| len > 0));
            assert!(video.start_ts.is_none_or(|at| at.is_finite() && at >= 0.0));
            assert!(is_short(&video.codec, CODEC_LEN_MAX));
        }
        Attribute::AttributeAudio(audio) => {
            assert!(!given.force_file && audio.duration >= 0);
            assert!(is_short(&audio.title, ATTRIBUTE_TEXT_LEN_MAX));
            assert!(is_short(&audio.performer, ATTRIBUTE_TEXT_LEN_MAX));
            assert!(audio.waveform.as_ref().is_none_or(|wave| wave.len() <= WAVEFORM_LEN_MAX));
        }
        Attribute::AttributeFilename(file) => {
            assert!(!file.name.is_empty() && file.name.len() <= ATTRIBUTE_TEXT_LEN_MAX);
            assert!(!file.name.contains(['/', '\\']) && !file.name.contains(char::is_control));
        }
        Attribute::AttributeSticker(sticker) => {
            assert!(!given.force_file && sticker.alt.len() <= STICKER_ALT_LEN_MAX);
        }
        Attribute::AttributeHasStickers => {}
    }
}

// ===== What is stored =====

/// Any record.
pub fn stored(data: &[u8]) {
    let Some((&[layer, a, b, c, d], fields)) = data.split_first_chunk::<5>() else { return };
    let ids = tl::records::any::VALUES;
    let mut id = u32::from_le_bytes([a, b, c, d]);
    if !ids.contains(&id) {
        id = ids[id as usize % ids.len()];
    }
    let bytes = [&id.to_le_bytes()[..], fields].concat();
    let Ok(value) = tl::records::any::value(&bytes, RECORD_LAYER) else { return };
    let again = tl::records::any::value(&value, RECORD_LAYER);
    assert_eq!(again.as_ref(), Ok(&value), "what is read is written as it was read");
    show_record(&value, layer_of(layer));
}

fn layer_of(byte: u8) -> Layer {
    let count = Layer::NEWEST.0 - Layer::OLDEST.0 + 1;
    Layer(Layer::OLDEST.0 + u16::from(byte) % count)
}

/// Shows what the bytes are, if clients are shown such things.
fn show_record(bytes: &[u8], layer: Layer) {
    if let Ok(message) = records::Message::from_bytes(bytes) {
        show(&View::empty(VIEWER).message(&message), layer);
        let attached = attachment::of(&message);
        if let Some(media) = &message.media {
            assert_eq!(attached, media::attachment(media), "both read the same");
            show_attachment(media, layer);
        }
    }
    if records::Attachment::from_bytes(bytes).is_ok() {
        show_attachment(bytes, layer);
    }
    if let Ok(photo) = records::Photo::from_bytes(bytes) {
        show(&media::photo(&photo, &Handle::default()), layer);
    }
    if let Ok(document) = records::Document::from_bytes(bytes) {
        show(&media::document(&document, &Handle::default()), layer);
    }
    if let Ok(entity) = records::Entity::from_bytes(bytes) {
        entities::to_tl(&[entity]).iter().for_each(|entity| show(entity, layer));
    }
    if let Ok(record) = records::Draft::from_bytes(bytes) {
        show(&draft(&record), layer);
    }
    if let Ok(settings) = records::NotifySettings::from_bytes(bytes) {
        show(&notify::to_tl(&settings), layer);
    }
    if let Ok(target) = tl::records::enums::NotifyTarget::from_bytes(bytes) {
        show(&notify::target_to_tl(&target), layer);
    }
    if let Ok(record) = records::Privacy::from_bytes(bytes) {
        privacy::rules_to_tl(&record.rules).iter().for_each(|rule| show(rule, layer));
        let _ = privacy::rules_users(&record.rules).count();
    }
    if let Ok(key) = PrivacyKey::from_bytes(bytes) {
        show(&privacy::key_to_tl(&key), layer);
    }
    if let Ok(presence) = records::Presence::from_bytes(bytes) {
        show(&users::exact_status(&presence, 1_700_000_000), layer);
    }
}

fn show_attachment(bytes: &[u8], layer: Layer) {
    let Some(attachment) = media::attachment(bytes) else { return };
    let media = &attachment.media;
    show(&media::media_to_tl(media, &Handles::default()), layer);
    assert_eq!(media::file_id(media), attachment::file_id(media));
    // Who is told that a message was played must be those who were told that it was not.
    if !media::is_passing(media) {
        assert_eq!(media::is_opened(media), attachment::Kind::of(media).is_played(), "{media:?}");
    }
}

/// A client of this layer can be sent it; one of the newest reads what was meant.
fn show(value: &impl Encode, layer: Layer) {
    assert_eq!(value.to_vec(layer).len(), value.encoded_len(layer));
    let bytes = value.to_vec(Layer::NEWEST);
    let again = tl::api::any::value(&bytes, Layer::NEWEST);
    assert_eq!(again.as_ref(), Ok(&bytes));
}
