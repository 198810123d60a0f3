//! What messages carry: photos, documents of every kind, contacts and places; sent, seen, forwarded, changed, used again.

use std::io::Cursor;
use std::time::Duration;

use image::{DynamicImage, ImageFormat, RgbImage};
use server::limits::{
    CARD_TEXT_LEN_MAX, GEO_ACCURACY_MAX, MEDIA_TTL_S_MAX, MOVING_STICKER_LEN_MAX, VCARD_LEN_MAX,
};
use services::limits::{ALBUM_COUNT_MAX, CAPTION_LEN_MAX};
use tl::api::{enums, functions, types};

use crate::chat::{Pair, user};
use crate::common::person::messages_of;
use crate::common::{PATIENCE, Person, TestServer};

use enums::{InputMedia, MessageMedia, Update};
use functions::{messages as api, upload};

/// Bytes of a part: the most there may be.
const PART_LEN: usize = 512 * 1024;

/// A PNG unlike those of other seeds.
pub(crate) fn picture(width: u32, height: u32, seed: u8) -> Vec<u8> {
    picture_as(width, height, seed, ImageFormat::Png)
}

fn picture_as(width: u32, height: u32, seed: u8, format: ImageFormat) -> Vec<u8> {
    let pixels = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], seed])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, format).expect("pictures can be written");
    bytes.into_inner()
}

/// Bytes that compress badly.
fn noise(len: usize, seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) | 1;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    (0..len).map(next).collect()
}

/// Uploads a small file.
pub(crate) async fn upload(
    person: &mut Person,
    bytes: &[u8],
    name: &'static str,
) -> enums::InputFile<'static> {
    let file_id = person.random_id();
    let mut parts = 0;
    for (part, bytes) in (0..).zip(bytes.chunks(PART_LEN)) {
        assert!(person.ask(&upload::SaveFilePart::new(file_id, part, bytes)).await);
        parts = part + 1;
    }
    types::InputFile::new(file_id, parts, name, "").into()
}

/// An upload that is to be a photo.
pub(crate) async fn photo(person: &mut Person, seed: u8) -> InputMedia<'static> {
    let file = upload(person, &picture(300, 200, seed), "photo.png").await;
    types::InputMediaUploadedPhoto::new(file).into()
}

/// An upload that is to be a document.
pub(crate) async fn document(
    person: &mut Person,
    bytes: &[u8],
    mime_type: &'static str,
    attributes: Vec<enums::DocumentAttribute<'static>>,
) -> InputMedia<'static> {
    let file = upload(person, bytes, "file.bin").await;
    types::InputMediaUploadedDocument::new(file, mime_type, attributes).into()
}

/// The updates of an answer.
pub(crate) fn updates_of(answer: enums::Updates<'static>) -> Vec<Update<'static>> {
    match answer {
        enums::Updates::Updates(updates) => updates.updates,
        other => panic!("not updates: {other:?}"),
    }
}

/// The new messages among updates.
pub(crate) fn new_messages(updates: &[Update<'static>]) -> Vec<types::Message<'static>> {
    let new = updates.iter().filter_map(|update| match update {
        Update::UpdateNewMessage(new) => match &new.message {
            enums::Message::Message(message) => Some(message.clone()),
            _ => None,
        },
        _ => None,
    });
    new.collect()
}

/// Sends a medium; the message as its sender sees it.
pub(crate) async fn send(
    person: &mut Person,
    peer: &enums::InputPeer,
    media: InputMedia<'static>,
    caption: &str,
) -> types::Message<'static> {
    let random_id = person.random_id();
    let send = api::SendMedia::new(peer.clone(), media, caption, random_id);
    let updates = updates_of(person.ask(&send).await);
    let sent = new_messages(&updates).pop();
    sent.expect("the message that was sent")
}

/// Asks to send a medium, and is refused.
pub(crate) async fn refused(
    person: &mut Person,
    peer: &enums::InputPeer,
    media: InputMedia<'_>,
) -> String {
    let random_id = person.random_id();
    person.refused(&api::SendMedia::new(peer.clone(), media, "", random_id)).await
}

fn plain(message: &enums::Message<'static>) -> types::Message<'static> {
    match message {
        enums::Message::Message(message) => message.clone(),
        other => panic!("no message: {other:?}"),
    }
}

pub(crate) fn photo_of(message: &types::Message<'static>) -> types::Photo<'static> {
    match &message.media {
        Some(MessageMedia::MessageMediaPhoto(media)) => match &media.photo {
            Some(enums::Photo::Photo(photo)) => photo.clone(),
            other => panic!("no photo: {other:?}"),
        },
        other => panic!("no photo: {other:?}"),
    }
}

/// What Bob gets of bytes that Alice sends as a file, of which she tells no more than the type.
async fn as_file(
    pair: &mut Pair,
    bytes: &[u8],
    mime_type: &'static str,
    force_file: bool,
) -> types::Document<'static> {
    let file = upload(&mut pair.alice, bytes, "file.bin").await;
    let media = types::InputMediaUploadedDocument {
        force_file,
        ..types::InputMediaUploadedDocument::new(file, mime_type, vec![])
    };
    send(&mut pair.alice, &pair.to_bob, media.into(), "").await;
    document_of(&pair.bob.next_message().await)
}

pub(crate) fn document_of(message: &types::Message<'static>) -> types::Document<'static> {
    match &message.media {
        Some(MessageMedia::MessageMediaDocument(media)) => match &media.document {
            Some(enums::Document::Document(document)) => document.clone(),
            other => panic!("no document: {other:?}"),
        },
        other => panic!("no document: {other:?}"),
    }
}

fn photo_again(photo: &types::Photo<'static>) -> types::InputMediaPhoto<'static> {
    let photo = types::InputPhoto::new(photo.id, photo.access_hash, photo.file_reference);
    types::InputMediaPhoto::new(photo.into())
}

fn document_again(document: &types::Document<'static>) -> types::InputMediaDocument<'static> {
    let (hash, reference) = (document.access_hash, document.file_reference);
    let document = types::InputDocument::new(document.id, hash, reference);
    types::InputMediaDocument::new(document.into())
}

/// The letters of sizes and how many bytes each has.
fn sizes(photo: &types::Photo<'static>) -> Vec<(&'static str, usize)> {
    let len = |len: i32| usize::try_from(len).expect("no size is negative");
    let sizes = photo.sizes.iter().map(|size| match size {
        enums::PhotoSize::PhotoSize(size) => (size.type_, len(size.size)),
        enums::PhotoSize::PhotoSizeProgressive(size) => {
            (size.type_, len(*size.sizes.last().expect("a last one")))
        }
        enums::PhotoSize::PhotoStrippedSize(size) => (size.type_, size.bytes.len()),
        other => panic!("{other:?}"),
    });
    sizes.collect()
}

/// Fetches all of a file.
pub(crate) async fn fetch(
    person: &mut Person,
    location: enums::InputFileLocation<'static>,
) -> Vec<u8> {
    let limit = 512 * 1024;
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let offset = i64::try_from(bytes.len()).expect("small");
        let get = upload::GetFile::new(location.clone(), offset, limit);
        let file = person.ask(&get).await;
        bytes.extend_from_slice(file.bytes);
        if file.bytes.len() < PART_LEN {
            return bytes;
        }
    }
}

pub(crate) fn location(document: &types::Document<'static>) -> enums::InputFileLocation<'static> {
    let (hash, reference) = (document.access_hash, document.file_reference);
    types::InputDocumentFileLocation::new(document.id, hash, reference, "").into()
}

// ===== Kinds =====

/// `messages.sendMedia` with a photo: the answer, both boxes, the push, the difference, and the bytes.
#[tokio::test]
async fn photos_come_in_sizes() {
    let mut pair = Pair::new().await;
    let state = pair.bob.state().await;
    let media = photo(&mut pair.alice, 1).await;
    let sent = send(&mut pair.alice, &pair.to_bob, media, "look").await;
    assert!(sent.out && sent.message == "look" && !sent.media_unread);
    let own = photo_of(&sent);
    let letters: Vec<&str> = sizes(&own).iter().map(|(letter, _)| *letter).collect();
    assert_eq!(letters.first(), Some(&"i"), "the preview is first: {letters:?}");
    assert!(letters.contains(&"m") && letters.len() >= 3, "{letters:?}");
    assert!(own.dc_id > 0 && own.date > 1_600_000_000);

    let got = pair.bob.next_message().await;
    let theirs = photo_of(&got);
    assert_eq!((got.message, theirs.id), ("look", own.id));
    assert_eq!(theirs.sizes, own.sizes);
    assert_ne!(theirs.access_hash, own.access_hash, "hashes are a viewer's own");
    assert_ne!(theirs.file_reference, own.file_reference, "and so are references");

    let history = pair.bob.history(&pair.to_alice).await;
    assert_eq!(photo_of(&plain(&history[0])), theirs);
    let get = functions::updates::GetDifference::new(state.pts, state.date, 0);
    let enums::updates::Difference::Difference(difference) = pair.bob.ask(&get).await else {
        panic!("no difference")
    };
    assert_eq!(photo_of(&plain(&difference.new_messages[0])), theirs);
    let dialogs =
        functions::messages::GetDialogs::new(0, 0, enums::InputPeer::InputPeerEmpty, 20, 0);
    let enums::messages::Dialogs::Dialogs(dialogs) = pair.bob.ask(&dialogs).await else {
        panic!("no dialogs")
    };
    assert_eq!(photo_of(&plain(&dialogs.messages[0])), theirs);

    for (letter, len) in sizes(&theirs).into_iter().filter(|(letter, _)| *letter != "i") {
        let (hash, reference) = (theirs.access_hash, theirs.file_reference);
        let place = types::InputPhotoFileLocation::new(theirs.id, hash, reference, letter);
        let bytes = fetch(&mut pair.bob, place.into()).await;
        assert_eq!(bytes.len(), len, "{letter}");
        assert!(bytes.starts_with(&[0xff, 0xd8]) && bytes.ends_with(&[0xff, 0xd9]), "{letter}");
    }
}

/// `messages.sendMedia` with documents: what comes back is what was sent; names and kinds are kept, or guessed, or bounded.
#[tokio::test]
async fn documents_come_back_as_they_were() {
    let mut pair = Pair::new().await;
    let bytes = noise(PART_LEN + 12_345, 1);
    let media = document(&mut pair.alice, &bytes, "text/html; charset=utf-8", vec![]).await;
    let sent = send(&mut pair.alice, &pair.to_bob, media, "").await;
    let got = document_of(&pair.bob.next_message().await);
    assert_eq!((got.id, got.mime_type), (document_of(&sent).id, "text/html"));
    assert_eq!(got.size, i64::try_from(bytes.len()).expect("small"));
    let name = types::DocumentAttributeFilename::new("file.bin");
    assert_eq!(got.attributes, [name.into()]);
    assert!(fetch(&mut pair.bob, location(&got)).await == bytes, "other bytes");

    // The preview comes along as a size of its own.
    let thumb = upload(&mut pair.alice, &picture(320, 240, 9), "thumb.jpg").await;
    let file = upload(&mut pair.alice, &noise(1000, 2), "../../etc/passwd").await;
    let media = types::InputMediaUploadedDocument {
        thumb: Some(thumb),
        ..types::InputMediaUploadedDocument::new(file, "nonsense", vec![])
    };
    send(&mut pair.alice, &pair.to_bob, media.into(), "").await;
    let got = document_of(&pair.bob.next_message().await);
    assert_eq!(got.mime_type, "application/octet-stream");
    assert_eq!(got.attributes, [types::DocumentAttributeFilename::new("passwd").into()]);
    let thumbs = got.thumbs.clone().expect("a preview");
    assert!(thumbs.iter().any(|size| matches!(
        size,
        enums::PhotoSize::PhotoSize(types::PhotoSize { type_: "m", .. })
            | enums::PhotoSize::PhotoSizeProgressive(types::PhotoSizeProgressive {
                type_: "m",
                ..
            })
    )));
    let (hash, reference) = (got.access_hash, got.file_reference);
    let place = types::InputDocumentFileLocation::new(got.id, hash, reference, "m");
    assert!(fetch(&mut pair.bob, place.into()).await.starts_with(&[0xff, 0xd8]));
}

/// `messages.sendMedia` with pictures as documents: the server looks at what its client did not describe.
#[tokio::test]
async fn documents_that_are_pictures_are_seen() {
    use enums::DocumentAttribute as Attribute;
    let mut pair = Pair::new().await;
    let size = |w, h| Attribute::from(types::DocumentAttributeImageSize::new(w, h));
    let name = || Attribute::from(types::DocumentAttributeFilename::new("file.bin"));
    let no_set = enums::InputStickerSet::InputStickerSetEmpty;
    let sticker = || Attribute::from(types::DocumentAttributeSticker::new("", no_set.clone()));
    let animated = || Attribute::DocumentAttributeAnimated;
    let as_is = |format| picture_as(400, 200, 1, format);
    // The bytes, their type, whether they are to be a file; what it becomes, with or without a preview.
    let cases = [
        (as_is(ImageFormat::Png), "image/png", false, vec![name(), size(400, 200)], true),
        (as_is(ImageFormat::Jpeg), "image/jpeg", true, vec![name(), size(400, 200)], true),
        (
            as_is(ImageFormat::Gif),
            "image/gif",
            false,
            vec![name(), size(400, 200), animated()],
            true,
        ),
        (as_is(ImageFormat::Gif), "image/gif", true, vec![name(), size(400, 200)], true),
        (
            as_is(ImageFormat::WebP),
            "image/webp",
            false,
            vec![name(), size(400, 200), sticker()],
            false,
        ),
        (as_is(ImageFormat::WebP), "image/webp", true, vec![name(), size(400, 200)], true),
        (as_is(ImageFormat::Png), "text/plain", false, vec![name()], false),
        (noise(1000, 1), "image/png", false, vec![name()], false),
    ];
    for (bytes, mime_type, force_file, attributes, previewed) in cases {
        let got = as_file(&mut pair, &bytes, mime_type, force_file).await;
        assert_eq!((&got.attributes, got.mime_type), (&attributes, mime_type));
        assert_eq!(got.thumbs.is_some(), previewed, "{mime_type} {force_file}");
        assert!(fetch(&mut pair.bob, location(&got)).await == bytes, "other bytes");
        if previewed {
            let (hash, reference) = (got.access_hash, got.file_reference);
            let place = types::InputDocumentFileLocation::new(got.id, hash, reference, "m");
            let preview = fetch(&mut pair.bob, place.into()).await;
            let preview = image::load_from_memory(&preview).expect("a picture");
            assert_eq!((preview.width(), preview.height()), (320, 160));
        }
    }
}

/// `messages.sendMedia`: a picture is looked at also where its client made a preview, which stands for what is none.
#[tokio::test]
async fn previews_of_clients_stand_for_what_is_no_picture() {
    let mut pair = Pair::new().await;
    let picture_of = |format| picture_as(400, 200, 1, format);
    // The bytes, their type; the size that is seen, whether it is a sticker, the size of the preview.
    let cases = [
        (picture_of(ImageFormat::Png), "image/png", Some((400, 200)), false, (320, 160)),
        (picture_of(ImageFormat::WebP), "image/webp", Some((400, 200)), true, (240, 240)),
        (noise(1000, 1), "image/png", None, false, (240, 240)),
        (noise(1000, 1), "application/pdf", None, false, (240, 240)),
    ];
    for (bytes, mime_type, size, is_sticker, preview) in cases {
        let thumb = upload(&mut pair.alice, &picture(240, 240, 9), "thumb.jpg").await;
        let file = upload(&mut pair.alice, &bytes, "file.bin").await;
        let media = types::InputMediaUploadedDocument {
            thumb: Some(thumb),
            ..types::InputMediaUploadedDocument::new(file, mime_type, vec![])
        };
        let sent = document_of(&send(&mut pair.alice, &pair.to_bob, media.into(), "").await);
        let seen = sent.attributes.iter().find_map(|attribute| match attribute {
            enums::DocumentAttribute::DocumentAttributeImageSize(size) => Some((size.w, size.h)),
            _ => None,
        });
        assert_eq!(seen, size, "{mime_type}");
        let sticker = |it: &_| matches!(it, enums::DocumentAttribute::DocumentAttributeSticker(_));
        assert_eq!(sent.attributes.iter().any(sticker), is_sticker, "{mime_type}");
        let (hash, reference) = (sent.access_hash, sent.file_reference);
        let place = types::InputDocumentFileLocation::new(sent.id, hash, reference, "m");
        let shown = fetch(&mut pair.alice, place.into()).await;
        let shown = image::load_from_memory(&shown).expect("a picture");
        assert_eq!((shown.width(), shown.height()), preview, "{mime_type}");
    }
}

/// `messages.sendMedia`: what is called a sticker that moves, and is packed, is one; pyrogram does not say so.
#[tokio::test]
async fn stickers_that_move_are_recognised() {
    let mut pair = Pair::new().await;
    let packed = |len: usize| [&[0x1f, 0x8b, 8, 0][..], &noise(len - 4, 1)].concat();
    let name = enums::DocumentAttribute::from(types::DocumentAttributeFilename::new("file.bin"));
    let most = usize::try_from(MOVING_STICKER_LEN_MAX).expect("small");
    let named =
        types::DocumentAttributeSticker::new("x", enums::InputStickerSet::InputStickerSetEmpty);
    let (bytes, said) = (packed(999), vec![named.clone().into()]);
    let media = document(&mut pair.alice, &bytes, "application/x-tgsticker", said).await;
    let sent = document_of(&send(&mut pair.alice, &pair.to_bob, media, "").await);
    pair.bob.next_message().await;
    let side = types::DocumentAttributeImageSize::new(512, 512);
    assert_eq!(sent.attributes, [named.into(), name.clone(), side.into()]);
    for (bytes, mime_type, force_file, is_sticker) in [
        (packed(1000), "application/x-tgsticker", false, true),
        (packed(most), "application/x-tgsticker", false, true),
        (packed(most + 1), "application/x-tgsticker", false, false),
        (packed(1000), "application/x-tgsticker", true, false),
        (packed(1000), "application/gzip", false, false),
        (b"{}".to_vec(), "application/x-tgsticker", false, false),
    ] {
        let got = as_file(&mut pair, &bytes, mime_type, force_file).await;
        let mut expected = vec![name.clone()];
        if is_sticker {
            let no_set = enums::InputStickerSet::InputStickerSetEmpty;
            expected.push(types::DocumentAttributeImageSize::new(512, 512).into());
            expected.push(types::DocumentAttributeSticker::new("", no_set).into());
        }
        assert_eq!(got.attributes, expected, "{} {mime_type} {force_file}", bytes.len());
        assert!(fetch(&mut pair.bob, location(&got)).await == bytes, "other bytes");
    }
}

/// What a document is, follows from its attributes; `messages.readMessageContents` tells that it was played.
#[tokio::test]
async fn documents_are_of_kinds() {
    let mut pair = Pair::new().await;
    let video = |round_message| types::DocumentAttributeVideo {
        round_message,
        ..types::DocumentAttributeVideo::new(2.5, 320, 240)
    };
    let voice = types::DocumentAttributeAudio {
        voice: true,
        waveform: Some(b"wave"),
        ..types::DocumentAttributeAudio::new(3)
    };
    let song = types::DocumentAttributeAudio {
        title: Some("Title"),
        performer: Some("Performer"),
        ..types::DocumentAttributeAudio::new(180)
    };
    let sticker = types::DocumentAttributeSticker::new(
        "\u{1f600}",
        enums::InputStickerSet::InputStickerSetEmpty,
    );
    let animated = enums::DocumentAttribute::DocumentAttributeAnimated;
    // The attribute, its type; video, round, voice, unread.
    let cases: [(Vec<enums::DocumentAttribute<'_>>, &str, [bool; 4]); 6] = [
        (vec![video(false).into()], "video/mp4", [true, false, false, false]),
        (vec![video(true).into()], "video/mp4", [true, true, false, true]),
        (vec![voice.into()], "audio/ogg", [false, false, true, true]),
        (vec![song.into()], "audio/mpeg", [false, false, false, false]),
        (vec![video(false).into(), animated], "video/mp4", [false, false, false, false]),
        (vec![sticker.into()], "image/webp", [false, false, false, false]),
    ];
    let mut unread = Vec::new();
    for (number, (attributes, mime_type, flags)) in (1..).zip(cases) {
        let (own, bytes) = (pair.alice.id, noise(100, number));
        let media = document(&mut pair.alice, &bytes, mime_type, attributes.clone()).await;
        let sent = send(&mut pair.alice, &pair.to_bob, media, "").await;
        let got = pair.bob.next_message().await;
        let Some(MessageMedia::MessageMediaDocument(media)) = &got.media else { panic!() };
        assert_eq!([media.video, media.round, media.voice, got.media_unread], flags, "{number}");
        assert_eq!((sent.media_unread, got.peer_id.clone()), (flags[3], user(own)), "{number}");
        let document = document_of(&got);
        assert_eq!(document.mime_type, mime_type);
        for attribute in &attributes {
            assert!(document.attributes.contains(attribute), "{:?}", document.attributes);
        }
        if flags[3] {
            unread.push((sent.id, got.id));
        }
    }
    let theirs = unread.iter().map(|(_, there)| *there).collect();
    let affected = pair.bob.ask(&api::ReadMessageContents::new(theirs)).await;
    assert_eq!(affected.pts_count, 2);
    let told = pair
        .alice
        .wait_update(|update| match update {
            Update::UpdateReadMessagesContents(read) => Some(read.messages.clone()),
            _ => None,
        })
        .await;
    assert_eq!(told, unread.iter().map(|(here, _)| *here).collect::<Vec<_>>());
    let history = pair.bob.history(&pair.to_alice).await;
    assert!(history.iter().all(|message| !plain(message).media_unread), "all are played");

    // To oneself nothing is unread.
    let media = document(
        &mut pair.alice,
        b"voice",
        "audio/ogg",
        vec![
            types::DocumentAttributeAudio { voice: true, ..types::DocumentAttributeAudio::new(1) }
                .into(),
        ],
    );
    let media = media.await;
    let own = send(&mut pair.alice, &enums::InputPeer::InputPeerSelf, media, "note").await;
    assert!(!own.media_unread && own.message == "note");
}

/// `messages.sendMedia` with what has no file.
#[tokio::test]
async fn contacts_and_places_are_sent() {
    let mut pair = Pair::new().await;
    let carol = pair.server.person("Carol").await;
    let number: &'static str = carol.phone.clone().leak();
    let card = types::InputMediaContact::new(number, "Caro", "L", "");
    let random_id = pair.alice.random_id();
    let card = api::SendMedia::new(pair.to_bob.clone(), card.into(), "", random_id);
    let enums::Updates::Updates(sent) = pair.alice.ask(&card).await else { panic!() };
    let names = |users: &[enums::User<'_>]| {
        users.iter().any(|it| matches!(it, enums::User::User(it) if it.id == carol.id))
    };
    assert!(names(&sent.users), "who is named comes along");
    let got = pair.bob.next_message().await;
    let expected = types::MessageMediaContact::new(number, "Caro", "L", "", carol.id);
    assert_eq!(got.media, Some(expected.into()));

    let place = || types::InputGeoPoint {
        accuracy_radius: Some(i32::MAX),
        ..types::InputGeoPoint::new(52.5, 13.4)
    };
    let point = types::InputMediaGeoPoint::new(place().into());
    send(&mut pair.alice, &pair.to_bob, point.into(), "").await;
    let point = types::GeoPoint {
        accuracy_radius: Some(GEO_ACCURACY_MAX),
        ..types::GeoPoint::new(13.4, 52.5, 0)
    };
    let got = pair.bob.next_message().await;
    assert_eq!(got.media, Some(types::MessageMediaGeo::new(point.clone().into()).into()));
    let venue =
        |title| types::InputMediaVenue::new(place().into(), title, "1, Street", "p", "i", "t");
    send(&mut pair.alice, &pair.to_bob, venue("Café").into(), "").await;
    let expected = types::MessageMediaVenue::new(point.into(), "Café", "1, Street", "p", "i", "t");
    assert_eq!(pair.bob.next_message().await.media, Some(expected.into()));

    let nowhere = types::InputGeoPoint::new(f64::NAN, 13.4);
    let long: &'static str = "x".repeat(CARD_TEXT_LEN_MAX + 1).leak();
    let vcard: &'static str = "x".repeat(VCARD_LEN_MAX + 1).leak();
    let fits = types::InputMediaContact::new("1", &long[1..], &long[1..], &vcard[1..]);
    let random_id = pair.alice.random_id();
    pair.alice.ask(&api::SendMedia::new(pair.to_bob.clone(), fits.into(), "", random_id)).await;
    let url = "http://127.0.0.1/secret.png";
    let cases: [(InputMedia<'static>, &str); 10] = [
        (InputMedia::InputMediaEmpty, "MEDIA_EMPTY"),
        (types::InputMediaDice::new("\u{1f3b2}").into(), "MEDIA_INVALID"),
        (types::InputMediaGeoPoint::new(nowhere.into()).into(), "MEDIA_INVALID"),
        (
            types::InputMediaGeoPoint::new(enums::InputGeoPoint::InputGeoPointEmpty).into(),
            "MEDIA_EMPTY",
        ),
        (venue(long).into(), "MEDIA_INVALID"),
        (types::InputMediaContact::new(long, "a", "b", "").into(), "MEDIA_INVALID"),
        (types::InputMediaContact::new("1", "a", "b", vcard).into(), "MEDIA_INVALID"),
        (types::InputMediaPhotoExternal::new(url).into(), "EXTERNAL_URL_INVALID"),
        (types::InputMediaDocumentExternal::new(url).into(), "EXTERNAL_URL_INVALID"),
        (types::InputMediaPhoto::new(enums::InputPhoto::InputPhotoEmpty).into(), "MEDIA_EMPTY"),
    ];
    for (media, error) in cases {
        assert_eq!(refused(&mut pair.alice, &pair.to_bob, media.clone()).await, error, "{media:?}");
    }
}

/// Uploads that are not there, or not what they are said to be.
#[tokio::test]
async fn bad_uploads_are_refused() {
    let mut pair = Pair::new().await;
    let unknown = types::InputFile::new(4711, 2, "a", "");
    let media = types::InputMediaUploadedPhoto::new(unknown.into());
    let error = refused(&mut pair.alice, &pair.to_bob, media.into()).await;
    assert_eq!(error, "FILE_PART_0_MISSING");
    let text = upload(&mut pair.alice, b"this is no picture", "a.png").await;
    let media = types::InputMediaUploadedPhoto::new(text);
    let error = refused(&mut pair.alice, &pair.to_bob, media.into()).await;
    assert!(["IMAGE_PROCESS_FAILED", "PHOTO_EXT_INVALID"].contains(&&*error), "{error}");
    // A JPEG that ends in the middle of its pixels.
    let jpeg = picture_as(300, 200, 1, ImageFormat::Jpeg);
    let cut = upload(&mut pair.alice, &jpeg[..jpeg.len() / 2], "a.jpg").await;
    let media = types::InputMediaUploadedPhoto::new(cut);
    let error = refused(&mut pair.alice, &pair.to_bob, media.into()).await;
    assert_eq!(error, "IMAGE_PROCESS_FAILED");
    assert!(pair.alice.history(&pair.to_bob).await.is_empty(), "nothing was sent");
}

/// Captions are bounded, in UTF-16 code units.
#[tokio::test]
async fn captions_are_bounded() {
    let mut pair = Pair::new().await;
    let media = photo(&mut pair.alice, 1).await;
    let sent = send(&mut pair.alice, &pair.to_bob, media, &"a".repeat(CAPTION_LEN_MAX)).await;
    assert_eq!(sent.message.len(), CAPTION_LEN_MAX);
    let again: InputMedia<'_> = photo_again(&photo_of(&sent)).into();
    for caption in ["a".repeat(CAPTION_LEN_MAX + 1), "😀".repeat(CAPTION_LEN_MAX / 2 + 1)] {
        let send = api::SendMedia::new(pair.to_bob.clone(), again.clone(), &caption, 5);
        assert_eq!(pair.alice.refused(&send).await, "MEDIA_CAPTION_TOO_LONG");
        let edit = api::EditMessage {
            message: Some(&caption),
            ..api::EditMessage::new(pair.to_bob.clone(), sent.id)
        };
        assert_eq!(pair.alice.refused(&edit).await, "MEDIA_CAPTION_TOO_LONG");
    }
}

// ===== Again =====

/// A file is used again by who can see it, with the reference that was given to them.
#[tokio::test]
async fn files_are_used_again() {
    let mut pair = Pair::new().await;
    let media = document(&mut pair.alice, b"contents", "text/plain", vec![]).await;
    let sent = document_of(&send(&mut pair.alice, &pair.to_bob, media, "").await);
    let message = pair.bob.next_message().await;
    let got = document_of(&message);
    let back = send(&mut pair.bob, &pair.to_alice, document_again(&got).into(), "back").await;
    assert_eq!(document_of(&back).id, sent.id);
    assert_ne!(document_of(&back).file_reference, got.file_reference, "another place");
    assert_eq!(document_of(&pair.alice.next_message().await).id, sent.id);

    let input = |id, hash, reference: &'static [u8]| {
        types::InputMediaDocument::new(types::InputDocument::new(id, hash, reference).into()).into()
    };
    let mut forged = got.file_reference.to_vec();
    *forged.last_mut().expect("it has bytes") ^= 1;
    let reference = got.file_reference;
    let cases = [
        (input(got.id, got.access_hash, sent.file_reference), "FILE_REFERENCE_INVALID"),
        (input(got.id, got.access_hash, forged.leak()), "FILE_REFERENCE_INVALID"),
        (input(got.id, got.access_hash, b""), "FILE_REFERENCE_EMPTY"),
        (input(got.id + 1, got.access_hash, reference), "FILE_ID_INVALID"),
        (input(got.id, sent.access_hash, reference), "FILE_ID_INVALID"),
    ];
    for (media, error) in cases {
        assert_eq!(refused(&mut pair.bob, &pair.to_alice, media).await, error);
    }
    // A document is no photo.
    let photo = types::InputPhoto::new(got.id, got.access_hash, reference);
    let photo = types::InputMediaPhoto::new(photo.into());
    assert_eq!(refused(&mut pair.bob, &pair.to_alice, photo.into()).await, "MEDIA_INVALID");

    // Who loses the message loses what is in it.
    pair.bob.ask(&api::DeleteMessages::new(vec![message.id])).await;
    let error = refused(&mut pair.bob, &pair.to_alice, document_again(&got).into()).await;
    assert_eq!(error, "FILE_REFERENCE_EXPIRED");
    let get = upload::GetFile::new(location(&got), 0, 4096);
    assert_eq!(pair.bob.refused(&get).await, "FILE_REFERENCE_EXPIRED");
    // Where it was sent back, it still is.
    assert_eq!(fetch(&mut pair.bob, location(&document_of(&back))).await, b"contents");
}

/// References end; whoever looks at the message again gets another one.
#[tokio::test]
async fn references_expire() {
    let server = TestServer::start_with(|config| config.media.reference_s = 1).await;
    let mut alice = server.person("Alice").await;
    let me = enums::InputPeer::InputPeerSelf;
    let media = photo(&mut alice, 1).await;
    let sent = photo_of(&send(&mut alice, &me, media, "").await);
    // The least time that can be configured, and the clock is the real one.
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let error = refused(&mut alice, &me, photo_again(&sent).into()).await;
    assert_eq!(error, "FILE_REFERENCE_EXPIRED");
    let fresh = photo_of(&plain(&alice.history(&me).await[0]));
    assert_eq!(fresh.id, sent.id);
    let again = send(&mut alice, &me, photo_again(&fresh).into(), "").await;
    assert_eq!(photo_of(&again).id, sent.id);
}

/// `messages.forwardMessages`: files go along, captions too unless they are dropped.
#[tokio::test]
async fn media_are_forwarded() {
    let mut pair = Pair::new().await;
    let media = photo(&mut pair.alice, 1).await;
    let sent = send(&mut pair.alice, &pair.to_bob, media, "caption").await;
    let got = pair.bob.next_message().await;
    let mut carol = pair.server.person("Carol").await;
    let to_carol = pair.bob.peer(&carol).await;
    let forward = |random_id| {
        let (from, to) = (pair.to_alice.clone(), to_carol.clone());
        api::ForwardMessages::new(from, vec![got.id], vec![random_id], to)
    };
    let answer = updates_of(pair.bob.ask(&forward(7)).await);
    assert_eq!(photo_of(&new_messages(&answer)[0]).id, photo_of(&sent).id);
    let theirs = carol.next_message().await;
    assert_eq!((photo_of(&theirs).id, theirs.message), (photo_of(&sent).id, "caption"));
    let bare = api::ForwardMessages { drop_media_captions: true, ..forward(8) };
    pair.bob.ask(&bare).await;
    let theirs = carol.next_message().await;
    assert_eq!((photo_of(&theirs).id, theirs.message), (photo_of(&sent).id, ""));

    // The copies of others keep the file.
    let revoke = api::DeleteMessages { revoke: true, ..api::DeleteMessages::new(vec![sent.id]) };
    pair.alice.ask(&revoke).await;
    let photo = photo_of(&theirs);
    let (letter, len) = *sizes(&photo).last().expect("a size");
    let (hash, reference) = (photo.access_hash, photo.file_reference);
    let place = types::InputPhotoFileLocation::new(photo.id, hash, reference, letter);
    assert_eq!(fetch(&mut carol, place.into()).await.len(), len);
}

/// Media with a time to live: for private chats, of certain lengths, neither forwarded nor used again.
#[tokio::test]
async fn some_media_go_after_they_were_opened() {
    let mut pair = Pair::new().await;
    let file = upload(&mut pair.alice, &picture(100, 100, 1), "a.png").await;
    let media = |ttl_s| -> InputMedia<'static> {
        let media = types::InputMediaUploadedPhoto::new(file.clone());
        types::InputMediaUploadedPhoto { ttl_seconds: Some(ttl_s), spoiler: true, ..media }.into()
    };
    for ttl_s in [-1, 0, MEDIA_TTL_S_MAX + 1, i32::MAX - 1] {
        let error = refused(&mut pair.alice, &pair.to_bob, media(ttl_s)).await;
        assert_eq!(error, "TTL_MEDIA_INVALID", "{ttl_s}");
    }
    let me = enums::InputPeer::InputPeerSelf;
    assert_eq!(refused(&mut pair.alice, &me, media(10)).await, "TTL_MEDIA_INVALID");
    let sent = send(&mut pair.alice, &pair.to_bob, media(MEDIA_TTL_S_MAX), "").await;
    let got = pair.bob.next_message().await;
    let Some(MessageMedia::MessageMediaPhoto(shown)) = &got.media else { panic!() };
    assert!(shown.spoiler && shown.ttl_seconds == Some(MEDIA_TTL_S_MAX) && got.media_unread);
    let forward =
        api::ForwardMessages::new(pair.to_alice.clone(), vec![got.id], vec![1], me.clone());
    assert_eq!(pair.bob.refused(&forward).await, "MESSAGE_ID_INVALID");
    let again = photo_again(&photo_of(&got));
    assert_eq!(refused(&mut pair.bob, &me, again.into()).await, "MEDIA_INVALID");
    pair.bob.ask(&api::ReadMessageContents::new(vec![got.id])).await;
    let told = pair.alice.wait_update(|update| match update {
        Update::UpdateReadMessagesContents(read) => Some(read.messages.clone()),
        _ => None,
    });
    assert_eq!(told.await, [sent.id]);
}

/// How a message looks once its medium is gone, when its owner is told of it.
async fn gone(person: &mut Person) -> types::Message<'static> {
    person
        .wait_update(|update| match update {
            Update::UpdateEditMessage(edit) => Some(plain(&edit.message)),
            _ => None,
        })
        .await
}

/// `messages.readMessageContents`: what was to be seen once, or for a second, is gone on both sides after it was opened, with
/// the bytes; not before.
#[tokio::test]
async fn opened_media_go() {
    let server = TestServer::start_with(|config| {
        (config.media.sweep_s, config.media.upload_s, config.media.cache_mib) = (1, 1, 0);
    })
    .await;
    let (mut alice, mut bob) = (server.person("Alice").await, server.person("Bob").await);
    let to_bob = alice.peer(&bob).await;
    for ttl_s in [1, i32::MAX] {
        let file = upload(&mut alice, &picture(100, 100, 1), "a.png").await;
        let media = types::InputMediaUploadedPhoto::new(file);
        let media = types::InputMediaUploadedPhoto { ttl_seconds: Some(ttl_s), ..media };
        let sent = send(&mut alice, &to_bob, media.into(), "look").await;
        let got = bob.next_message().await;
        let (photo, own) = (photo_of(&got), photo_of(&sent));
        let (letter, len) = *sizes(&photo).last().expect("a size");
        let place = |photo: &types::Photo<'static>| {
            let (hash, reference) = (photo.access_hash, photo.file_reference);
            types::InputPhotoFileLocation::new(photo.id, hash, reference, letter)
        };
        // However late it is: nobody opened it, and who sent it cannot.
        alice.ask(&api::ReadMessageContents::new(vec![sent.id])).await;
        server.sweep(3600).await;
        assert_eq!(fetch(&mut bob, place(&photo).into()).await.len(), len);

        bob.ask(&api::ReadMessageContents::new(vec![got.id])).await;
        for (person, id) in [(&mut bob, got.id), (&mut alice, sent.id)] {
            let gone = gone(person).await;
            assert_eq!((gone.id, gone.message), (id, "look"));
            let Some(MessageMedia::MessageMediaPhoto(media)) = gone.media else { panic!() };
            assert_eq!((media.photo, media.ttl_seconds), (None, Some(ttl_s)));
        }
        for (person, photo) in [(&mut bob, &photo), (&mut alice, &own)] {
            let get = upload::GetFile::new(place(photo).into(), 0, 4096);
            assert_eq!(person.refused(&get).await, "FILE_REFERENCE_EXPIRED");
        }
    }
    // Until nobody has the bytes, and their maker's second with them is over.
    for _ in 0..PATIENCE.as_millis() / 50 {
        if server.piece_count() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.sweep(3600).await;
    }
    panic!("{} pieces are left", server.piece_count());
}

// ===== Albums =====

/// An item of an album.
fn item(
    media: impl Into<InputMedia<'static>>,
    random_id: i64,
    caption: &'static str,
) -> types::InputSingleMedia<'static> {
    types::InputSingleMedia::new(media.into(), random_id, caption)
}

/// Uploads a photo that is to be sent later.
pub(crate) async fn uploaded(
    person: &mut Person,
    peer: &enums::InputPeer,
    seed: u8,
) -> types::Photo<'static> {
    let media = photo(person, seed).await;
    match person.ask(&api::UploadMedia::new(peer.clone(), media)).await {
        MessageMedia::MessageMediaPhoto(media) => match media.photo {
            Some(enums::Photo::Photo(photo)) => photo,
            other => panic!("no photo: {other:?}"),
        },
        other => panic!("no photo: {other:?}"),
    }
}

/// `messages.uploadMedia`, `messages.sendMultiMedia`: several messages with one group, all or none.
#[tokio::test]
async fn albums_are_sent_and_forwarded() {
    let mut pair = Pair::new().await;
    let mut items = Vec::new();
    for (seed, caption) in (1_u8..).zip(["one", "two", "three"]) {
        let photo = uploaded(&mut pair.alice, &pair.to_bob, seed).await;
        items.push(item(photo_again(&photo), i64::from(seed), caption));
    }
    let album = api::SendMultiMedia::new(pair.to_bob.clone(), items.clone());
    let answer = updates_of(pair.alice.ask(&album).await);
    let random_ids: Vec<i64> = answer
        .iter()
        .filter_map(|update| match update {
            Update::UpdateMessageID(update) => Some(update.random_id),
            _ => None,
        })
        .collect();
    assert_eq!(random_ids, [1, 2, 3], "in order");
    let sent = new_messages(&answer);
    let group = sent[0].grouped_id;
    assert!(group.is_some());
    let mut theirs = Vec::new();
    for message in &sent {
        let got = pair.bob.next_message().await;
        assert_eq!((message.grouped_id, got.grouped_id), (group, group));
        assert_eq!((got.message, photo_of(&got).id), (message.message, photo_of(message).id));
        theirs.push(got.id);
    }
    let again = new_messages(&updates_of(pair.alice.ask(&album).await));
    let ids = |messages: &[types::Message<'_>]| messages.iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&sent), "once, however often it is asked");

    let me = enums::InputPeer::InputPeerSelf;
    let forward = api::ForwardMessages::new(pair.to_alice.clone(), theirs, vec![4, 5, 6], me);
    let forwarded = new_messages(&updates_of(pair.bob.ask(&forward).await));
    assert!(forwarded[0].grouped_id.is_some() && forwarded[0].grouped_id != group);
    assert!(forwarded.iter().all(|message| message.grouped_id == forwarded[0].grouped_id));
}

/// What is no album.
#[tokio::test]
async fn wrong_albums_are_refused() {
    let mut pair = Pair::new().await;
    let first = uploaded(&mut pair.alice, &pair.to_bob, 1).await;
    let foreign = uploaded(&mut pair.bob, &pair.to_alice, 2).await;
    let text = document(&mut pair.alice, b"text", "text/plain", vec![]).await;
    let text = send(&mut pair.alice, &pair.to_bob, text, "").await;
    let stolen = types::InputPhoto::new(foreign.id, first.access_hash, foreign.file_reference);
    let stolen = types::InputMediaPhoto::new(stolen.into());
    let wrong = types::InputPhoto::new(first.id, first.access_hash, foreign.file_reference);
    let wrong = types::InputMediaPhoto::new(wrong.into());
    let fresh = photo(&mut pair.alice, 3).await;
    let good = || item(photo_again(&first), 1, "");
    let cases = [
        (vec![], "MEDIA_EMPTY"),
        (vec![good(); ALBUM_COUNT_MAX + 1], "MULTI_MEDIA_TOO_LONG"),
        (vec![good(), item(fresh, 2, "")], "MEDIA_INVALID"),
        (vec![good(), item(stolen, 2, "")], "FILE_ID_INVALID"),
        (vec![good(), item(wrong, 2, "")], "FILE_REFERENCE_1_INVALID"),
        (vec![good(), item(document_again(&document_of(&text)), 2, "")], "MEDIA_INVALID"),
        (
            vec![good(), item(photo_again(&first), 2, "x".repeat(CAPTION_LEN_MAX + 1).leak())],
            "MEDIA_CAPTION_TOO_LONG",
        ),
    ];
    for (items, error) in cases {
        let album = api::SendMultiMedia::new(pair.to_bob.clone(), items);
        assert_eq!(pair.alice.refused(&album).await, error);
    }
    assert_eq!(pair.alice.history(&pair.to_bob).await.len(), 1, "nothing but the text was sent");
    // One alone is no album, but is sent.
    let alone = api::SendMultiMedia::new(pair.to_bob.clone(), vec![good()]);
    let alone = new_messages(&updates_of(pair.alice.ask(&alone).await));
    assert_eq!(alone[0].grouped_id, None);
}

// ===== Changing and finding =====

/// `messages.editMessage`: captions and files change on both sides, but not all of them.
#[tokio::test]
async fn media_are_edited() {
    let mut pair = Pair::new().await;
    let media = photo(&mut pair.alice, 1).await;
    let sent = send(&mut pair.alice, &pair.to_bob, media, "before").await;
    let first = photo_of(&pair.bob.next_message().await);
    let edited = |update: &Update<'static>| match update {
        Update::UpdateEditMessage(edit) => Some(plain(&edit.message)),
        _ => None,
    };
    let to_bob = pair.to_bob.clone();
    let edit = |id, message, media| api::EditMessage {
        message,
        media,
        ..api::EditMessage::new(to_bob.clone(), id)
    };
    pair.alice.ask(&edit(sent.id, Some("after"), None)).await;
    let theirs = pair.bob.wait_update(edited).await;
    assert_eq!((theirs.message, photo_of(&theirs).id), ("after", first.id));
    let other = photo(&mut pair.alice, 2).await;
    pair.alice.ask(&edit(sent.id, None, Some(other))).await;
    let theirs = pair.bob.wait_update(edited).await;
    assert_eq!(theirs.message, "after");
    assert_ne!(photo_of(&theirs).id, first.id);
    let text = document(&mut pair.alice, b"text", "text/plain", vec![]).await;
    pair.alice.ask(&edit(sent.id, Some(""), Some(text))).await;
    let theirs = pair.bob.wait_update(edited).await;
    assert_eq!((theirs.message, document_of(&theirs).mime_type), ("", "text/plain"));

    let card: InputMedia<'_> = types::InputMediaContact::new("1", "a", "b", "").into();
    let voice =
        types::DocumentAttributeAudio { voice: true, ..types::DocumentAttributeAudio::new(1) };
    let voice = document(&mut pair.alice, b"voice", "audio/ogg", vec![voice.into()]).await;
    for new in [card.clone(), voice] {
        let edit = edit(sent.id, None, Some(new));
        assert_eq!(pair.alice.refused(&edit).await, "MEDIA_NEW_INVALID");
    }
    let card = send(&mut pair.alice, &pair.to_bob, card, "").await;
    let new = photo(&mut pair.alice, 3).await;
    let edit_card = edit(card.id, None, Some(new));
    assert_eq!(pair.alice.refused(&edit_card).await, "MEDIA_PREV_INVALID");
    let passing = types::InputMediaUploadedPhoto::new(
        upload(&mut pair.alice, &picture(100, 100, 4), "a.png").await,
    );
    let passing = types::InputMediaUploadedPhoto { ttl_seconds: Some(9), ..passing };
    let passing = send(&mut pair.alice, &pair.to_bob, passing.into(), "").await;
    let caption = edit(passing.id, Some("caption"), None);
    assert_eq!(pair.alice.refused(&caption).await, "MEDIA_PREV_INVALID");
}

/// `messages.editMessage`: a text gets a medium, which both sides see, also who comes later; the text stands below it.
#[tokio::test]
async fn media_are_added_to_texts() {
    let mut pair = Pair::new().await;
    let (id, _) = pair.say("text").await;
    let before = pair.bob.state().await;
    let edit = |id, message, media| api::EditMessage {
        message,
        media,
        ..api::EditMessage::new(pair.to_bob.clone(), id)
    };
    let new = photo(&mut pair.alice, 1).await;
    let answer = updates_of(pair.alice.ask(&edit(id, None, Some(new.clone()))).await);
    let [Update::UpdateEditMessage(answer)] = &*answer else { panic!("{answer:?}") };
    let own = plain(&answer.message);
    assert_eq!((own.message, own.edit_date.is_some()), ("text", true));
    let theirs = pair
        .bob
        .wait_update(|update| match update {
            Update::UpdateEditMessage(edit) => Some((edit.pts, plain(&edit.message))),
            _ => None,
        })
        .await;
    assert_eq!(theirs.0, before.pts + 1);
    let theirs = theirs.1;
    assert_eq!((theirs.message, photo_of(&theirs).id), ("text", photo_of(&own).id));
    let get = functions::updates::GetDifference::new(before.pts, before.date, 0);
    let enums::updates::Difference::Difference(missed) = pair.bob.ask(&get).await else {
        panic!("no difference")
    };
    let [Update::UpdateEditMessage(missed)] = &*missed.other_updates else { panic!("{missed:?}") };
    assert_eq!(photo_of(&plain(&missed.message)), photo_of(&theirs));
    let (letter, len) = *sizes(&photo_of(&theirs)).last().expect("a size");
    let (hash, reference) = (photo_of(&theirs).access_hash, photo_of(&theirs).file_reference);
    let place = types::InputPhotoFileLocation::new(photo_of(&theirs).id, hash, reference, letter);
    assert_eq!(fetch(&mut pair.bob, place.into()).await.len(), len);

    // Now it is a medium like any other.
    let text = document(&mut pair.alice, b"text", "text/plain", vec![]).await;
    pair.alice.ask(&edit(id, Some("file"), Some(text))).await;

    let long = "x".repeat(1025);
    let long = pair.alice.say(&pair.to_bob, &long).await;
    let edit_long = edit(long, None, Some(new.clone()));
    assert_eq!(pair.alice.refused(&edit_long).await, "MEDIA_CAPTION_TOO_LONG");
    pair.alice.ask(&edit(long, Some("shorter"), Some(new.clone()))).await;
    let text = pair.alice.say(&pair.to_bob, "text").await;
    let voice =
        types::DocumentAttributeAudio { voice: true, ..types::DocumentAttributeAudio::new(1) };
    let voice = document(&mut pair.alice, b"voice", "audio/ogg", vec![voice.into()]).await;
    let card: InputMedia<'_> = types::InputMediaContact::new("1", "a", "b", "").into();
    for media in [voice, card] {
        let edit = edit(text, None, Some(media));
        assert_eq!(pair.alice.refused(&edit).await, "MEDIA_NEW_INVALID");
    }
    pair.bob.say(&pair.to_alice, "mine").await;
    let foreign = pair.alice.next_message().await.id;
    let foreign = edit(foreign, None, Some(new));
    assert_eq!(pair.alice.refused(&foreign).await, "MESSAGE_AUTHOR_REQUIRED");
}

/// `messages.search`, `messages.getSearchCounters`: by kind.
#[tokio::test]
async fn media_are_found_by_kind() {
    use enums::MessagesFilter as Filter;
    let mut pair = Pair::new().await;
    let media = photo(&mut pair.alice, 1).await;
    let photo = send(&mut pair.alice, &pair.to_bob, media, "").await.id;
    let video = types::DocumentAttributeVideo::new(2.5, 320, 240);
    let media = document(&mut pair.alice, b"video", "video/mp4", vec![video.into()]).await;
    let video = send(&mut pair.alice, &pair.to_bob, media, "").await.id;
    let media = document(&mut pair.alice, b"text", "text/plain", vec![]).await;
    let text = send(&mut pair.alice, &pair.to_bob, media, "").await.id;
    let card = types::InputMediaContact::new("1", "a", "b", "");
    let card = send(&mut pair.alice, &pair.to_bob, card.into(), "").await.id;
    let cases = [
        (Filter::InputMessagesFilterPhotos, vec![photo]),
        (Filter::InputMessagesFilterVideo, vec![video]),
        (Filter::InputMessagesFilterPhotoVideo, vec![video, photo]),
        (Filter::InputMessagesFilterDocument, vec![text]),
        (Filter::InputMessagesFilterContacts, vec![card]),
        (Filter::InputMessagesFilterVoice, vec![]),
        (Filter::InputMessagesFilterChatPhotos, vec![]),
    ];
    let filters = cases.iter().map(|(filter, _)| filter.clone()).collect();
    let counters = pair.alice.ask(&api::GetSearchCounters::new(pair.to_bob.clone(), filters)).await;
    for ((filter, expected), counter) in cases.into_iter().zip(counters) {
        let search =
            api::Search::new(pair.to_bob.clone(), "", filter.clone(), 0, 0, 0, 0, 100, 0, 0, 0);
        let found = messages_of(pair.alice.ask(&search).await);
        let ids: Vec<i32> = found.iter().map(|message| plain(message).id).collect();
        assert_eq!(ids, expected, "{filter:?}");
        assert_eq!(usize::try_from(counter.count), Ok(expected.len()), "{filter:?}");
    }
}

/// `messages.search`, `messages.searchGlobal`: files are found by their names, music by its title and performer.
#[tokio::test]
async fn files_are_found_by_name() {
    let mut pair = Pair::new().await;
    let song = types::DocumentAttributeAudio {
        title: Some("Spring"),
        performer: Some("The Seasons"),
        ..types::DocumentAttributeAudio::new(180)
    };
    let media = document(&mut pair.alice, b"song", "audio/mpeg", vec![song.into()]).await;
    let song = send(&mut pair.alice, &pair.to_bob, media, "").await.id;
    let name = types::DocumentAttributeFilename::new("Accounts of Spring.pdf");
    let media = document(&mut pair.alice, b"text", "application/pdf", vec![name.into()]).await;
    let text = send(&mut pair.alice, &pair.to_bob, media, "look at this").await.id;
    let all = enums::MessagesFilter::InputMessagesFilterEmpty;
    let documents = enums::MessagesFilter::InputMessagesFilterDocument;
    for (q, filter, expected) in [
        ("spring", &all, vec![text, song]),
        ("spring", &documents, vec![text]),
        ("Seasons", &all, vec![song]),
        ("accounts of", &all, vec![text]),
        ("look", &all, vec![text]),
        ("pdf", &all, vec![text]),
        ("application", &all, vec![]),
    ] {
        let chat =
            api::Search::new(pair.to_bob.clone(), q, filter.clone(), 0, 0, 0, 0, 100, 0, 0, 0);
        let nowhere = enums::InputPeer::InputPeerEmpty;
        let everywhere = api::SearchGlobal::new(q, filter.clone(), 0, 0, 0, nowhere, 0, 100);
        let found = [pair.alice.ask(&chat).await, pair.alice.ask(&everywhere).await];
        for found in found.map(messages_of) {
            let ids: Vec<i32> = found.iter().map(|message| plain(message).id).collect();
            assert_eq!(ids, expected, "{q}");
        }
    }
}
