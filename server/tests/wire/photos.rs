//! Photos of profiles: put there, looked at, changed, removed.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};
use pictures::limits::VIDEO_LEN_MAX;
use tl::api::{enums, functions, types};

use crate::common::{Person, TestServer};

use functions::photos as api;
use functions::{account, messages, upload, users};

/// A picture unlike those of other seeds.
fn picture(width: u32, height: u32, seed: u8) -> Vec<u8> {
    let pixels = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], seed])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pixels)
        .write_to(&mut bytes, ImageFormat::Png)
        .expect("pictures can be written");
    bytes.into_inner()
}

/// Uploads a file.
async fn upload(person: &mut Person, bytes: &[u8]) -> enums::InputFile<'static> {
    let file_id = person.random_id();
    let mut count = 0;
    for part in bytes.chunks(512 * 1024) {
        assert!(person.ask(&upload::SaveFilePart::new(file_id, count, part)).await);
        count += 1;
    }
    types::InputFile::new(file_id, count, "me.png", "").into()
}

fn photo_of(photo: &enums::Photo<'static>) -> types::Photo<'static> {
    match photo {
        enums::Photo::Photo(photo) => photo.clone(),
        other => panic!("no photo: {other:?}"),
    }
}

fn user_of(user: &enums::User<'static>) -> types::User<'static> {
    match user {
        enums::User::User(user) => user.clone(),
        other => panic!("nobody: {other:?}"),
    }
}

/// The id of the photo beside a user's name.
fn small(user: &enums::User<'static>) -> Option<i64> {
    match user_of(user).photo {
        Some(enums::UserProfilePhoto::UserProfilePhoto(photo)) => Some(photo.photo_id),
        _ => None,
    }
}

fn input(photo: &types::Photo<'static>) -> enums::InputPhoto<'static> {
    types::InputPhoto::new(photo.id, photo.access_hash, photo.file_reference).into()
}

/// Puts a new photo into the profile.
async fn put(person: &mut Person, seed: u8) -> types::Photo<'static> {
    let file = upload(person, &picture(200, 200, seed)).await;
    let request = api::UploadProfilePhoto { file: Some(file), ..api::UploadProfilePhoto::new() };
    photo_of(&person.ask(&request).await.photo)
}

/// The ids of a page of photos, and of how many it is.
async fn list(
    person: &mut Person,
    whose: &enums::InputUser,
    offset: i32,
    max_id: i64,
    limit: i32,
) -> (Vec<i64>, Option<i32>) {
    let get = api::GetUserPhotos::new(whose.clone(), offset, max_id, limit);
    let (photos, count) = match person.ask(&get).await {
        enums::photos::Photos::Photos(all) => (all.photos, None),
        enums::photos::Photos::PhotosSlice(some) => (some.photos, Some(some.count)),
    };
    (photos.iter().map(|photo| photo_of(photo).id).collect(), count)
}

/// Asks for a user until the photo beside the name is this one: what one sees of another may come a moment later.
async fn shows(person: &mut Person, whose: &enums::InputUser, photo: Option<i64>) {
    for _ in 0..200 {
        let seen = person.ask(&users::GetUsers::new(vec![whose.clone()])).await;
        if small(&seen[0]) == photo {
            return;
        }
    }
    panic!("not {photo:?}");
}

const ME: enums::InputUser = enums::InputUser::InputUserSelf;

/// `photos.uploadProfilePhoto`: seen beside the name, in the profile and in the list, by both sides; others are told.
#[tokio::test]
async fn a_photo_is_put_into_the_profile() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let (to_alice, peer) = (bob.user(&alice).await, bob.peer(&alice).await);
    bob.say(&peer, "hello").await;
    alice.next_message().await;

    let photo = put(&mut alice, 1).await;
    let types = photo.sizes.iter().map(|size| match size {
        enums::PhotoSize::PhotoSize(size) => (size.type_, size.w == size.h && size.size > 0),
        enums::PhotoSize::PhotoSizeProgressive(size) => (size.type_, size.w == size.h),
        enums::PhotoSize::PhotoStrippedSize(size) => (size.type_, !size.bytes.is_empty()),
        other => panic!("{other:?}"),
    });
    let types: Vec<_> = types.collect();
    assert!(types.contains(&("a", true)) && types.contains(&("c", true)), "{types:?}");
    assert!(!photo.file_reference.is_empty());

    let full = alice.ask(&users::GetFullUser::new(ME)).await;
    assert_eq!(full.full_user.profile_photo.as_ref().map(|one| photo_of(one).id), Some(photo.id));
    assert_eq!(small(&full.users[0]), Some(photo.id));
    shows(&mut bob, &to_alice, Some(photo.id)).await;
    let full = bob.ask(&users::GetFullUser::new(to_alice.clone())).await;
    let seen = photo_of(full.full_user.profile_photo.as_ref().expect("a photo"));
    assert_eq!(seen.id, photo.id);
    assert_ne!(seen.access_hash, photo.access_hash, "hashes are a viewer's own");
    assert_eq!(list(&mut bob, &to_alice, 0, 0, 10).await, (vec![photo.id], None));
}

/// `photos.getUserPhotos`, `photos.updateProfilePhoto`, `photos.deletePhotos`: latest first, in pages; one of old is set again.
#[tokio::test]
async fn photos_are_listed_set_again_and_removed() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut photos = Vec::new();
    for seed in 0..4 {
        photos.push(put(&mut alice, seed).await);
    }
    let ids: Vec<i64> = photos.iter().rev().map(|photo| photo.id).collect();
    assert_eq!(list(&mut alice, &ME, 0, 0, 10).await, (ids.clone(), None));
    assert_eq!(list(&mut alice, &ME, 1, 0, 2).await, (ids[1..3].to_vec(), Some(4)));
    assert_eq!(list(&mut alice, &ME, 9, 0, 2).await, (Vec::new(), Some(4)));
    for (offset, limit, text) in [(-1, 1, "OFFSET_INVALID"), (0, -1, "LIMIT_INVALID")] {
        let get = api::GetUserPhotos::new(ME, offset, 0, limit);
        assert_eq!(alice.refused(&get).await, text);
    }

    // The first one again: it is the present one, and there is no fifth.
    let again = alice.ask(&api::UpdateProfilePhoto::new(input(&photos[0]))).await;
    let again = photo_of(&again.photo);
    shows(&mut alice, &ME, Some(again.id)).await;
    let (now, _) = list(&mut alice, &ME, 0, 0, 10).await;
    assert_eq!((now[0], now.len()), (again.id, 4));

    // Without a photo the present one goes, and the one before it is back.
    let gone = alice.ask(&api::UpdateProfilePhoto::new(enums::InputPhoto::InputPhotoEmpty)).await;
    assert!(matches!(gone.photo, enums::Photo::PhotoEmpty(_)));
    shows(&mut alice, &ME, Some(photos[3].id)).await;

    // What is not there is passed over.
    let mut foreign = photos[2].clone();
    foreign.access_hash ^= 1;
    let named = [&photos[3], &foreign, &photos[1], &photos[1]].map(input).to_vec();
    let mut removed = alice.ask(&api::DeletePhotos::new(named.clone())).await;
    removed.sort_unstable();
    let mut expected = vec![photos[1].id, photos[3].id];
    expected.sort_unstable();
    assert_eq!(removed, expected);
    assert!(alice.ask(&api::DeletePhotos::new(named)).await.is_empty());
    assert_eq!(list(&mut alice, &ME, 0, 0, 10).await, (vec![photos[2].id], None));
    let last = alice.ask(&api::DeletePhotos::new(vec![input(&photos[2])])).await;
    assert_eq!(last, [photos[2].id]);
    shows(&mut alice, &ME, None).await;
    let full = alice.ask(&users::GetFullUser::new(ME)).await;
    assert_eq!(full.full_user.profile_photo, None);
}

/// What is no picture, or not served, is refused.
#[tokio::test]
async fn bad_photos_are_refused() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let none = api::UploadProfilePhoto::new();
    assert_eq!(alice.refused(&none).await, "PHOTO_FILE_MISSING");
    let file = upload(&mut alice, &picture(200, 200, 1)).await;
    let cases = [
        (
            api::UploadProfilePhoto { video: Some(file.clone()), ..none.clone() },
            "VIDEO_FILE_INVALID",
        ),
        (
            api::UploadProfilePhoto {
                video_emoji_markup: Some(
                    types::VideoSizeEmojiMarkup::new(1, vec![0xffffff]).into(),
                ),
                ..none.clone()
            },
            "EMOJI_MARKUP_INVALID",
        ),
        (
            api::UploadProfilePhoto { file: Some(file), bot: Some(ME), ..none.clone() },
            "BOT_INVALID",
        ),
    ];
    for (request, text) in &cases {
        assert_eq!(alice.refused(request).await, *text);
    }
    for (bytes, text) in [
        (&b"this is no picture, is it?"[..], &["IMAGE_PROCESS_FAILED", "PHOTO_EXT_INVALID"][..]),
        (&picture(2, 2, 1), &["PHOTO_CROP_SIZE_SMALL"]),
    ] {
        let file = upload(&mut alice, bytes).await;
        let request = api::UploadProfilePhoto { file: Some(file), ..none.clone() };
        let refused = alice.refused(&request).await;
        assert!(text.contains(&&*refused), "{refused}");
    }
    let missing = types::InputFile::new(4711, 1, "x", "").into();
    let request = api::UploadProfilePhoto { file: Some(missing), ..none };
    assert_eq!(alice.refused(&request).await, "FILE_PART_0_MISSING");
    let unknown = types::InputPhoto::new(1, 2, &[1; 26]).into();
    let refused = alice.refused(&api::UpdateProfilePhoto::new(unknown)).await;
    assert!(["PHOTO_ID_INVALID", "FILE_REFERENCE_INVALID"].contains(&&*refused), "{refused}");
}

/// Lets those see the photos of a profile whom `rule` names.
async fn show_photos(person: &mut Person, rule: enums::InputPrivacyRule) {
    let key = enums::InputPrivacyKey::InputPrivacyKeyProfilePhoto;
    person.ask(&account::SetPrivacy::new(key, vec![rule])).await;
}

/// `account.setPrivacy` with photos: who may not see them sees none anywhere, and fetches none.
#[tokio::test]
async fn privacy_hides_photos() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_alice = bob.user(&alice).await;
    let photo = put(&mut alice, 1).await;
    shows(&mut bob, &to_alice, Some(photo.id)).await;
    show_photos(&mut alice, enums::InputPrivacyRule::InputPrivacyValueDisallowAll).await;
    shows(&mut bob, &to_alice, None).await;
    assert_eq!(list(&mut bob, &to_alice, 0, 0, 10).await, (Vec::new(), None));
    let full = bob.ask(&users::GetFullUser::new(to_alice.clone())).await;
    assert_eq!(full.full_user.profile_photo, None);
    let peer = bob.peer(&alice).await;
    let location = types::InputPeerPhotoFileLocation::new(peer, photo.id);
    let fetch = upload::GetFile::new(location.into(), 0, 4096);
    assert_eq!(bob.call(&fetch).await.expect_err("it is hidden").code, 400);
    // Oneself one may always see.
    shows(&mut alice, &ME, Some(photo.id)).await;
    show_photos(&mut alice, enums::InputPrivacyRule::InputPrivacyValueAllowAll).await;
    shows(&mut bob, &to_alice, Some(photo.id)).await;
    let file = bob.ask(&fetch).await;
    assert!(file.bytes.starts_with(&[0xff, 0xd8]), "a JPEG");
}

/// `messages.sendMedia`, `messages.uploadMedia`, `photos.updateProfilePhoto` with somebody else's photo, whose owner then
/// removes it: what was made of it stays, and nothing more comes of it.
#[tokio::test]
async fn the_photo_of_somebody_else_is_used_again() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let mut carol = server.person("Carol").await;
    let to_alice = bob.user(&alice).await;
    let (to_carol, from_bob) = (bob.peer(&carol).await, carol.peer(&bob).await);
    let photo = put(&mut alice, 1).await;
    shows(&mut bob, &to_alice, Some(photo.id)).await;
    let get = api::GetUserPhotos::new(to_alice.clone(), 0, 0, 1);
    let enums::photos::Photos::Photos(seen) = bob.ask(&get).await else { panic!("not all") };
    let seen = photo_of(&seen.photos[0]);
    let media: enums::InputMedia<'_> = types::InputMediaPhoto::new(input(&seen)).into();

    let send = messages::SendMedia::new(to_carol.clone(), media.clone(), "look", 1);
    bob.ask(&send).await;
    let got = carol.next_message().await;
    let Some(enums::MessageMedia::MessageMediaPhoto(shown)) = &got.media else { panic!() };
    let shown = photo_of(shown.photo.as_ref().expect("a photo"));
    assert_eq!((got.message, shown.id), ("look", photo.id));
    let upload = messages::UploadMedia::new(to_carol.clone(), media.clone());
    let enums::MessageMedia::MessageMediaPhoto(again) = bob.ask(&upload).await else { panic!() };
    let again = photo_of(again.photo.as_ref().expect("a photo"));
    let item = types::InputMediaPhoto::new(input(&again));
    let item = types::InputSingleMedia::new(item.into(), 2, "");
    bob.ask(&messages::SendMultiMedia::new(to_carol.clone(), vec![item])).await;
    carol.next_message().await;
    let own = photo_of(&bob.ask(&api::UpdateProfilePhoto::new(input(&seen))).await.photo);
    assert_eq!(own.id, photo.id);

    assert_eq!(alice.ask(&api::DeletePhotos::new(vec![input(&photo)])).await, [photo.id]);
    let send = messages::SendMedia::new(to_carol, media, "once more", 3);
    assert_eq!(bob.refused(&send).await, "FILE_REFERENCE_EXPIRED");
    let update = api::UpdateProfilePhoto::new(input(&seen));
    assert_eq!(bob.refused(&update).await, "FILE_REFERENCE_EXPIRED");
    assert_eq!(carol.history(&from_bob).await.len(), 2);
    let letter =
        types::InputPhotoFileLocation::new(shown.id, shown.access_hash, shown.file_reference, "c");
    let file = carol.ask(&upload::GetFile::new(letter.into(), 0, 4096)).await;
    assert!(file.bytes.starts_with(&[0xff, 0xd8]), "a JPEG");
    shows(&mut bob, &ME, Some(photo.id)).await;
}

/// Who may not see a photo any longer cannot use it either, with whatever was learned before.
#[tokio::test]
async fn hidden_photos_are_not_used_again() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_alice = bob.user(&alice).await;
    let photo = put(&mut alice, 1).await;
    shows(&mut bob, &to_alice, Some(photo.id)).await;
    let full = bob.ask(&users::GetFullUser::new(to_alice)).await;
    let seen = photo_of(full.full_user.profile_photo.as_ref().expect("a photo"));
    show_photos(&mut alice, enums::InputPrivacyRule::InputPrivacyValueDisallowAll).await;
    let media = types::InputMediaPhoto::new(input(&seen)).into();
    let send = messages::SendMedia::new(enums::InputPeer::InputPeerSelf, media, "", 1);
    assert_eq!(bob.refused(&send).await, "FILE_REFERENCE_EXPIRED");
    let update = api::UpdateProfilePhoto::new(input(&seen));
    assert_eq!(bob.refused(&update).await, "FILE_REFERENCE_EXPIRED");
}

/// A video without anything to be seen, of this many bytes at least, and seconds.
fn video(side: u32, duration_s: u32, len: usize) -> Vec<u8> {
    let boxed = |kind: &[u8; 4], content: &[u8]| {
        let len = u32::try_from(content.len() + 8).expect("short");
        [&len.to_be_bytes()[..], kind, content].concat()
    };
    let side = (side << 16).to_be_bytes();
    let header = [&[0; 12][..], &1_u32.to_be_bytes(), &duration_s.to_be_bytes(), &[0; 80]].concat();
    let track = boxed(b"trak", &boxed(b"tkhd", &[&[0; 76][..], &side, &side].concat()));
    let movie = boxed(b"moov", &[boxed(b"mvhd", &header), track].concat());
    [boxed(b"ftyp", b"isom"), movie, boxed(b"mdat", &vec![7; len])].concat()
}

/// Fetches the beginning of a size of a photo.
async fn fetched(
    person: &mut Person,
    photo: &types::Photo<'static>,
    letter: &'static str,
) -> Result<types::upload::File<'static>, String> {
    let (hash, reference) = (photo.access_hash, photo.file_reference);
    let place = types::InputPhotoFileLocation::new(photo.id, hash, reference, letter);
    let get = upload::GetFile::new(place.into(), 0, 1024 * 1024);
    person.call(&get).await.map_err(|error| error.text)
}

/// `photos.uploadProfilePhoto` with a video: it plays in the place of the photo for whoever may see that.
#[tokio::test]
async fn a_video_is_put_into_the_profile() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let to_alice = bob.user(&alice).await;
    let moving = video(800, 4, 300_000);
    let file = upload(&mut alice, &moving).await;
    let request = api::UploadProfilePhoto {
        video: Some(file),
        video_start_ts: Some(1.5),
        ..api::UploadProfilePhoto::new()
    };
    let photo = photo_of(&alice.ask(&request).await.photo);
    let size = |start_ts| {
        let len = i32::try_from(moving.len()).expect("short");
        let size = types::VideoSize::new("u", 800, 800, len);
        Some(vec![types::VideoSize { video_start_ts: start_ts, ..size }.into()])
    };
    assert_eq!(photo.video_sizes, size(Some(1.5)));
    // Again, because the answer was not heard: the same one.
    assert_eq!(photo_of(&alice.ask(&request).await.photo).id, photo.id);
    assert_eq!(list(&mut alice, &ME, 0, 0, 10).await, (vec![photo.id], None));

    shows(&mut bob, &to_alice, Some(photo.id)).await;
    let full = bob.ask(&users::GetFullUser::new(to_alice.clone())).await;
    let Some(enums::UserProfilePhoto::UserProfilePhoto(small)) = user_of(&full.users[0]).photo
    else {
        panic!("no photo")
    };
    assert!(small.has_video);
    let get = api::GetUserPhotos::new(to_alice, 0, 0, 1);
    let enums::photos::Photos::Photos(all) = bob.ask(&get).await else { panic!("not all") };
    let seen = photo_of(&all.photos[0]);
    assert_eq!(seen.video_sizes, size(Some(1.5)));
    let played = fetched(&mut bob, &seen, "u").await.expect("the video");
    assert!(played.bytes == moving, "other bytes");
    assert_eq!(played.type_, enums::storage::FileType::FileMp4);
    for letter in ["a", "b", "c"] {
        let still = fetched(&mut bob, &seen, letter).await.expect("a picture");
        image::load_from_memory(still.bytes).expect("one that can be seen");
    }

    // With a picture beside it that is what is seen; a moment that the video has not is none.
    let (file, still) = (upload(&mut alice, &moving).await, picture(200, 200, 1));
    let still = upload(&mut alice, &still).await;
    let request = api::UploadProfilePhoto {
        file: Some(still),
        video: Some(file),
        video_start_ts: Some(4.5),
        ..api::UploadProfilePhoto::new()
    };
    let other = photo_of(&alice.ask(&request).await.photo);
    assert_eq!(other.video_sizes, size(None));
    let (one, two) =
        (fetched(&mut alice, &photo, "c").await, fetched(&mut alice, &other, "c").await);
    assert_ne!(one.expect("a picture").bytes, two.expect("a picture").bytes);
    assert!(fetched(&mut alice, &other, "u").await.expect("the video").bytes == moving);
    assert_eq!(alice.ask(&api::DeletePhotos::new(vec![input(&other)])).await, [other.id]);

    // Who may not see the photo may not see the video, and a photo that does not move has none.
    show_photos(&mut alice, enums::InputPrivacyRule::InputPrivacyValueDisallowAll).await;
    assert_eq!(fetched(&mut bob, &seen, "u").await, Err("FILE_REFERENCE_EXPIRED".to_owned()));
    let plain = put(&mut alice, 2).await;
    assert_eq!(plain.video_sizes, None);
    assert_eq!(fetched(&mut alice, &plain, "u").await, Err("LOCATION_INVALID".to_owned()));

    let refused = [video(800, 11, 9), video(100, 1, 9), video(800, 1, VIDEO_LEN_MAX), vec![1; 999]];
    for bytes in refused {
        let file = upload(&mut alice, &bytes).await;
        let request =
            api::UploadProfilePhoto { video: Some(file), ..api::UploadProfilePhoto::new() };
        assert_eq!(alice.refused(&request).await, "VIDEO_FILE_INVALID");
    }
}

/// `photos.uploadProfilePhoto`, `photos.updateProfilePhoto` with `fallback`: a photo for those who may not see the present one.
#[tokio::test]
async fn who_may_not_see_photos_sees_another_one() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let (to_alice, peer) = (bob.user(&alice).await, bob.peer(&alice).await);
    let photo = put(&mut alice, 1).await;
    let file = upload(&mut alice, &picture(200, 200, 2)).await;
    let request = api::UploadProfilePhoto {
        fallback: true,
        file: Some(file),
        ..api::UploadProfilePhoto::new()
    };
    let fallback = photo_of(&alice.ask(&request).await.photo);
    let of = |full: &types::users::UserFull<'static>| {
        let full = &full.full_user;
        let id = |photo: &Option<enums::Photo<'static>>| Some(photo_of(photo.as_ref()?).id);
        (id(&full.profile_photo), id(&full.fallback_photo))
    };
    // Its owner sees it apart; who sees the present one does not.
    let full = alice.ask(&users::GetFullUser::new(ME)).await;
    assert_eq!(of(&full), (Some(photo.id), Some(fallback.id)));
    assert_eq!(list(&mut alice, &ME, 0, 0, 10).await, (vec![photo.id], None));
    shows(&mut alice, &ME, Some(photo.id)).await;
    shows(&mut bob, &to_alice, Some(photo.id)).await;
    let full = bob.ask(&users::GetFullUser::new(to_alice.clone())).await;
    assert_eq!(of(&full), (Some(photo.id), None));
    let small = |id| {
        let place = types::InputPeerPhotoFileLocation::new(peer.clone(), id);
        upload::GetFile::new(place.into(), 0, 4096)
    };
    assert_eq!(bob.refused(&small(fallback.id)).await, "LOCATION_INVALID");

    show_photos(&mut alice, enums::InputPrivacyRule::InputPrivacyValueDisallowAll).await;
    shows(&mut bob, &to_alice, Some(fallback.id)).await;
    let full = bob.ask(&users::GetFullUser::new(to_alice.clone())).await;
    assert_eq!(of(&full), (None, Some(fallback.id)));
    assert_eq!(list(&mut bob, &to_alice, 0, 0, 10).await, (Vec::new(), None));
    assert_eq!(bob.refused(&small(photo.id)).await, "LOCATION_INVALID");
    assert!(bob.ask(&small(fallback.id)).await.bytes.starts_with(&[0xff, 0xd8]));
    let seen = photo_of(full.full_user.fallback_photo.as_ref().expect("a photo"));
    assert!(fetched(&mut bob, &seen, "c").await.is_ok());
    // What somebody sees can be sent on.
    let media = types::InputMediaPhoto::new(input(&seen)).into();
    let send = messages::SendMedia::new(enums::InputPeer::InputPeerSelf, media, "", 1);
    bob.ask(&send).await;

    // Another one, of those there are; then none.
    let request =
        api::UpdateProfilePhoto { fallback: true, ..api::UpdateProfilePhoto::new(input(&photo)) };
    assert_eq!(photo_of(&alice.ask(&request).await.photo).id, photo.id);
    shows(&mut bob, &to_alice, Some(photo.id)).await;
    assert_eq!(fetched(&mut bob, &seen, "c").await, Err("FILE_REFERENCE_EXPIRED".to_owned()));
    let none = api::UpdateProfilePhoto::new(enums::InputPhoto::InputPhotoEmpty);
    let none = api::UpdateProfilePhoto { fallback: true, ..none };
    assert!(matches!(alice.ask(&none).await.photo, enums::Photo::PhotoEmpty(_)));
    shows(&mut bob, &to_alice, None).await;
    shows(&mut alice, &ME, Some(photo.id)).await;
}
