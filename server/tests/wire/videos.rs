//! Two files in one message: a video with the cover that stands for it until it plays, a photo with the video of its moment.

use tl::api::{enums, functions, types};

use crate::chat::Pair;
use crate::common::Person;
use crate::media::{
    document_of, fetch, new_messages, photo, photo_of, refused, send, updates_of, upload,
};

use enums::{InputMedia, MessageMedia, Update};
use functions::messages as api;

type Message = types::Message<'static>;

/// A photo that is to be a cover, as its uploader names it.
async fn cover(
    person: &mut Person,
    peer: &enums::InputPeer,
    seed: u8,
) -> enums::InputPhoto<'static> {
    named(&crate::media::uploaded(person, peer, seed).await)
}

fn named(photo: &types::Photo<'static>) -> enums::InputPhoto<'static> {
    types::InputPhoto::new(photo.id, photo.access_hash, photo.file_reference).into()
}

fn id(photo: &enums::InputPhoto<'static>) -> i64 {
    match photo {
        enums::InputPhoto::InputPhoto(photo) => photo.id,
        enums::InputPhoto::InputPhotoEmpty => 0,
    }
}

/// An upload that is to be a video, or a round one.
async fn video(
    person: &mut Person,
    bytes: &[u8],
    round_message: bool,
) -> types::InputMediaUploadedDocument<'static> {
    let file = upload(person, bytes, "film.mp4").await;
    let video = types::DocumentAttributeVideo::new(60.0, 640, 480);
    let video = types::DocumentAttributeVideo { round_message, ..video };
    types::InputMediaUploadedDocument::new(file, "video/mp4", vec![video.into()])
}

fn media_of(message: &Message) -> types::MessageMediaDocument<'static> {
    match &message.media {
        Some(MessageMedia::MessageMediaDocument(media)) => media.clone(),
        other => panic!("no document: {other:?}"),
    }
}

fn cover_of(message: &Message) -> types::Photo<'static> {
    match media_of(message).video_cover {
        Some(enums::Photo::Photo(photo)) => photo,
        other => panic!("no cover: {other:?}"),
    }
}

/// Where the cover of a message can be fetched, in its size `m`.
fn place(message: &Message) -> enums::InputFileLocation<'static> {
    let cover = cover_of(message);
    let (hash, reference) = (cover.access_hash, cover.file_reference);
    types::InputPhotoFileLocation::new(cover.id, hash, reference, "m").into()
}

fn again(message: &Message) -> types::InputMediaDocument<'static> {
    let document = document_of(message);
    let (hash, reference) = (document.access_hash, document.file_reference);
    types::InputMediaDocument::new(types::InputDocument::new(document.id, hash, reference).into())
}

/// `messages.sendMedia`, `messages.forwardMessages`: a cover is seen and fetched by whoever sees its video, as long as they do.
#[tokio::test]
async fn covers_are_where_their_videos_are() {
    let mut pair = Pair::new().await;
    let cover = cover(&mut pair.alice, &pair.to_bob, 1).await;
    let film = types::InputMediaUploadedDocument {
        video_cover: Some(cover.clone()),
        video_timestamp: Some(7),
        ..video(&mut pair.alice, b"film", false).await
    };
    let sent = send(&mut pair.alice, &pair.to_bob, film.into(), "look").await;
    let got = pair.bob.next_message().await;
    for message in [&sent, &got] {
        assert_eq!(cover_of(message).id, id(&cover));
        assert_eq!(media_of(message).video_timestamp, Some(7));
    }
    assert_ne!(cover_of(&got).access_hash, cover_of(&sent).access_hash);
    let bytes = fetch(&mut pair.bob, place(&got)).await;
    assert!(bytes.starts_with(&[0xff, 0xd8]) && bytes.ends_with(&[0xff, 0xd9]));
    // It is a photo like any other.
    let as_photo = types::InputMediaPhoto::new(named(&cover_of(&got)));
    let alone = send(&mut pair.bob, &pair.to_alice, as_photo.into(), "").await;
    assert_eq!(photo_of(&alone).id, id(&cover));

    let me = enums::InputPeer::InputPeerSelf;
    let forward = |random_id, video_timestamp| api::ForwardMessages {
        video_timestamp,
        ..api::ForwardMessages::new(
            pair.to_alice.clone(),
            vec![got.id],
            vec![random_id],
            me.clone(),
        )
    };
    let mut saved = Vec::new();
    for (random_id, given, expected) in
        [(1, None, Some(7)), (2, Some(9), Some(9)), (3, Some(0), None), (4, Some(-1), None)]
    {
        let answer = updates_of(pair.bob.ask(&forward(random_id, given)).await);
        let message = new_messages(&answer).remove(0);
        assert_eq!(cover_of(&message).id, id(&cover));
        assert_eq!(media_of(&message).video_timestamp, expected, "{given:?}");
        saved.push(message);
    }
    // The document again has no cover but the one that is said, be it that of the message.
    let bare = send(&mut pair.bob, &me, again(&got).into(), "").await;
    assert_eq!((media_of(&bare).video_cover, media_of(&bare).video_timestamp), (None, None));
    let full = types::InputMediaDocument {
        video_cover: Some(named(&cover_of(&got))),
        video_timestamp: Some(3),
        ..again(&got)
    };
    let full = send(&mut pair.bob, &me, full.into(), "").await;
    assert_eq!((cover_of(&full).id, media_of(&full).video_timestamp), (id(&cover), Some(3)));

    // Who loses the message loses the cover; who has another one keeps it.
    let revoke = api::DeleteMessages { revoke: true, ..api::DeleteMessages::new(vec![sent.id]) };
    pair.alice.ask(&revoke).await;
    pair.bob
        .wait_update(|update| matches!(update, Update::UpdateDeleteMessages(_)).then_some(()))
        .await;
    let get = functions::upload::GetFile::new(place(&got), 0, 4096);
    assert_eq!(pair.bob.refused(&get).await, "FILE_REFERENCE_EXPIRED");
    for message in [&saved[0], &full] {
        assert!(fetch(&mut pair.bob, place(message)).await == bytes, "other bytes");
    }
}

/// `messages.uploadMedia`, `messages.sendMultiMedia`, `messages.editMessage`: covers come by each of them, and go by an edit.
#[tokio::test]
async fn covers_come_in_albums_and_by_edits() {
    let mut pair = Pair::new().await;
    let covers = [
        cover(&mut pair.alice, &pair.to_bob, 1).await,
        cover(&mut pair.alice, &pair.to_bob, 2).await,
    ];
    let mut items = Vec::new();
    for (random_id, cover) in (1_u8..).zip(&covers) {
        let film = types::InputMediaUploadedDocument {
            video_cover: Some(cover.clone()),
            ..video(&mut pair.alice, &[random_id; 100], false).await
        };
        let upload = api::UploadMedia::new(pair.to_bob.clone(), film.into());
        let answer = pair.alice.ask(&upload).await;
        let MessageMedia::MessageMediaDocument(types::MessageMediaDocument {
            document: Some(enums::Document::Document(document)),
            video_cover: Some(enums::Photo::Photo(shown)),
            ..
        }) = answer
        else {
            panic!("no video with a cover: {answer:?}")
        };
        assert_eq!(shown.id, id(cover));
        let (hash, reference) = (document.access_hash, document.file_reference);
        let document = types::InputDocument::new(document.id, hash, reference);
        let media = types::InputMediaDocument {
            video_cover: Some(named(&shown)),
            ..types::InputMediaDocument::new(document.into())
        };
        items.push(types::InputSingleMedia::new(media.into(), random_id.into(), ""));
    }
    let album = api::SendMultiMedia::new(pair.to_bob.clone(), items);
    let sent = new_messages(&updates_of(pair.alice.ask(&album).await));
    for (message, cover) in sent.iter().zip(&covers) {
        let got = pair.bob.next_message().await;
        assert_eq!([cover_of(message).id, cover_of(&got).id], [id(cover); 2]);
    }

    let text = pair.alice.say(&pair.to_bob, "text").await;
    let film = video(&mut pair.alice, b"film", false).await;
    let film = types::InputMediaUploadedDocument { video_cover: Some(covers[0].clone()), ..film };
    let mut edits: Vec<(InputMedia<'static>, Option<i64>)> = vec![
        (film.into(), Some(id(&covers[0]))),
        // Its own, at another second.
        (
            types::InputMediaDocument {
                video_cover: Some(named(&cover_of(&sent[0]))),
                video_timestamp: Some(5),
                ..again(&sent[0])
            }
            .into(),
            Some(id(&covers[0])),
        ),
        (
            types::InputMediaDocument { video_cover: Some(covers[1].clone()), ..again(&sent[0]) }
                .into(),
            Some(id(&covers[1])),
        ),
        (again(&sent[0]).into(), None),
    ];
    for (media, expected) in edits.drain(..) {
        let edit = api::EditMessage {
            media: Some(media),
            ..api::EditMessage::new(pair.to_bob.clone(), text)
        };
        pair.alice.ask(&edit).await;
        let theirs = pair
            .bob
            .wait_update(|update| match update {
                Update::UpdateEditMessage(edit) => Some(edit.message.clone()),
                _ => None,
            })
            .await;
        let enums::Message::Message(theirs) = theirs else { panic!("{theirs:?}") };
        assert_eq!(media_of(&theirs).video_cover.is_some(), expected.is_some());
        if let Some(expected) = expected {
            assert_eq!(cover_of(&theirs).id, expected);
            assert!(!fetch(&mut pair.bob, place(&theirs)).await.is_empty());
        }
    }
}

/// What is no video has neither; a cover must be a photo that its sender has.
#[tokio::test]
async fn covers_are_of_videos_and_are_photos() {
    let mut pair = Pair::new().await;
    let own = cover(&mut pair.alice, &pair.to_bob, 1).await;
    let foreign = cover(&mut pair.bob, &pair.to_alice, 2).await;
    let round = types::InputMediaUploadedDocument {
        video_cover: Some(own.clone()),
        video_timestamp: Some(7),
        ..video(&mut pair.alice, b"round", true).await
    };
    let sent = send(&mut pair.alice, &pair.to_bob, round.into(), "").await;
    assert!(media_of(&sent).round);
    assert_eq!((media_of(&sent).video_cover, media_of(&sent).video_timestamp), (None, None));
    let text = crate::media::document(&mut pair.alice, b"text", "text/plain", vec![]).await;
    let text = document_of(&send(&mut pair.alice, &pair.to_bob, text, "").await);
    let no_photo = types::InputPhoto::new(text.id, text.access_hash, text.file_reference);
    for (cover, error) in [(foreign, "FILE_ID_INVALID"), (no_photo.into(), "MEDIA_INVALID")] {
        let film = video(&mut pair.alice, b"film", false).await;
        let film = types::InputMediaUploadedDocument { video_cover: Some(cover), ..film };
        assert_eq!(refused(&mut pair.alice, &pair.to_bob, film.into()).await, error);
    }
    let film = types::InputMediaUploadedDocument {
        video_cover: Some(enums::InputPhoto::InputPhotoEmpty),
        video_timestamp: Some(-5),
        ..video(&mut pair.alice, b"film", false).await
    };
    let sent = send(&mut pair.alice, &pair.to_bob, film.into(), "").await;
    assert_eq!((media_of(&sent).video_cover, media_of(&sent).video_timestamp), (None, None));
}

fn photo_media_of(message: &Message) -> types::MessageMediaPhoto<'static> {
    match &message.media {
        Some(MessageMedia::MessageMediaPhoto(media)) => media.clone(),
        other => panic!("no photo: {other:?}"),
    }
}

/// The video of a live photo.
fn moment_of(message: &Message) -> types::Document<'static> {
    let media = photo_media_of(message);
    match media.video {
        Some(enums::Document::Document(video)) if media.live_photo => video,
        other => panic!("no video: {other:?}"),
    }
}

/// A document that is to be used, as its uploader names it.
async fn uploaded(
    person: &mut Person,
    peer: &enums::InputPeer,
    media: InputMedia<'static>,
) -> enums::InputDocument<'static> {
    let answer = person.ask(&api::UploadMedia::new(peer.clone(), media)).await;
    let MessageMedia::MessageMediaDocument(types::MessageMediaDocument {
        document: Some(enums::Document::Document(document)),
        ..
    }) = answer
    else {
        panic!("no document: {answer:?}")
    };
    let (hash, reference) = (document.access_hash, document.file_reference);
    types::InputDocument::new(document.id, hash, reference).into()
}

/// `messages.sendMedia`, `messages.forwardMessages`, `messages.editMessage`: a live photo has its video wherever it is seen.
#[tokio::test]
async fn live_photos_have_their_videos() {
    let mut pair = Pair::new().await;
    let moment = video(&mut pair.alice, b"moment", false).await;
    let moment = uploaded(&mut pair.alice, &pair.to_bob, moment.into()).await;
    let plain = upload(&mut pair.alice, &crate::media::picture(300, 200, 1), "a.png").await;
    let live = types::InputMediaUploadedPhoto {
        live_photo: true,
        video: Some(moment.clone()),
        ..types::InputMediaUploadedPhoto::new(plain)
    };
    let sent = send(&mut pair.alice, &pair.to_bob, live.into(), "").await;
    let got = pair.bob.next_message().await;
    assert_eq!(moment_of(&sent).id, moment_of(&got).id);
    assert_eq!(fetch(&mut pair.bob, crate::media::location(&moment_of(&got))).await, b"moment");

    let me = enums::InputPeer::InputPeerSelf;
    let forward =
        api::ForwardMessages::new(pair.to_alice.clone(), vec![got.id], vec![1], me.clone());
    let saved = new_messages(&updates_of(pair.bob.ask(&forward).await)).remove(0);
    // Again, with its video and without.
    let (theirs, video) = (named(&photo_of(&got)), moment_of(&got));
    let (hash, reference) = (video.access_hash, video.file_reference);
    let video = types::InputDocument::new(video.id, hash, reference);
    let still = types::InputMediaPhoto::new(theirs);
    let moving =
        types::InputMediaPhoto { live_photo: true, video: Some(video.into()), ..still.clone() };
    let again = send(&mut pair.bob, &me, moving.into(), "").await;
    let still = send(&mut pair.bob, &me, still.into(), "").await;
    let media = photo_media_of(&still);
    assert_eq!((media.live_photo, media.video), (false, None));

    let revoke = api::DeleteMessages { revoke: true, ..api::DeleteMessages::new(vec![sent.id]) };
    pair.alice.ask(&revoke).await;
    pair.bob
        .wait_update(|update| matches!(update, Update::UpdateDeleteMessages(_)).then_some(()))
        .await;
    for message in [&saved, &again] {
        let place = crate::media::location(&moment_of(message));
        assert_eq!(fetch(&mut pair.bob, place).await, b"moment");
    }
    let gone = functions::upload::GetFile::new(crate::media::location(&moment_of(&got)), 0, 4096);
    assert_eq!(pair.bob.refused(&gone).await, "FILE_REFERENCE_EXPIRED");

    // A text becomes one, and what is no video makes none.
    let text = pair.alice.say(&pair.to_bob, "text").await;
    let photo = photo(&mut pair.alice, 2).await;
    let InputMedia::InputMediaUploadedPhoto(photo) = photo else { panic!("{photo:?}") };
    let live_again =
        types::InputMediaUploadedPhoto { live_photo: true, video: Some(moment), ..photo };
    let edit = api::EditMessage {
        media: Some(live_again.into()),
        ..api::EditMessage::new(pair.to_bob.clone(), text)
    };
    let updates = updates_of(pair.alice.ask(&edit).await);
    let [Update::UpdateEditMessage(edited)] = &*updates else { panic!("{updates:?}") };
    let enums::Message::Message(edited) = &edited.message else { panic!("{edited:?}") };
    assert!(photo_media_of(edited).live_photo);
    let file = crate::media::document(&mut pair.alice, b"text", "text/plain", vec![]).await;
    let file = uploaded(&mut pair.alice, &pair.to_bob, file).await;
    let live = types::InputMediaPhoto {
        live_photo: true,
        video: Some(file),
        ..types::InputMediaPhoto::new(named(&photo_of(edited)))
    };
    assert_eq!(refused(&mut pair.alice, &pair.to_bob, live.into()).await, "MEDIA_INVALID");
}

/// `messages.sendMedia`: videos have the sound that their attribute says; kurigram and mtcute send all of them with `nosound_video`,
/// so that they stay videos if there is none.
#[tokio::test]
async fn videos_are_heard() {
    let mut pair = Pair::new().await;
    for (nosound_video, nosound) in [(false, false), (true, false), (false, true), (true, true)] {
        let file = upload(&mut pair.alice, &[nosound_video.into(), nosound.into()], "a.mp4").await;
        let attribute = types::DocumentAttributeVideo::new(60.0, 640, 480);
        let attribute = types::DocumentAttributeVideo { nosound, ..attribute };
        let film = types::InputMediaUploadedDocument {
            nosound_video,
            ..types::InputMediaUploadedDocument::new(
                file,
                "video/mp4",
                vec![attribute.clone().into()],
            )
        };
        let sent = send(&mut pair.alice, &pair.to_bob, film.into(), "").await;
        assert!(media_of(&sent).video);
        assert!(document_of(&sent).attributes.contains(&attribute.into()), "{nosound_video}");
    }
}
