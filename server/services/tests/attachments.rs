//! Media in messages and profiles: where files come from, who holds them, what goes when.

mod common;

use common::media::{
    Bytes, attached, audio, document_file, media_of, named, of_message, of_profile, own,
    photo_file, sticker, video,
};
use common::{ALICE, BOB, CAROL, Cluster, START, user};
use services::limits::{ALBUM_COUNT_MAX, CAPTION_LEN_MAX, PROFILE_PHOTO_COUNT_MAX, TTL_ONCE};
use services::mailbox::attachment::{self, Kind};
use services::tables;
use storage::{Engine as _, FileId, Order, Read as _, View};
use tl::operations::enums::{Effect, Filter, Refusal};
use tl::operations::functions::{accounts, chores, contacts, files, mailbox, photos, uploads};
use tl::operations::types::mailbox::{AlbumItem, Forwarded, Sent};
use tl::records::enums::{Attribute, File, Media, PrivacyKey, PrivacyRule, Source};
use tl::records::types::{
    AttributeImageSize, MediaContact, MediaDocument, MediaGeo, MediaPhotoExpired, MediaVenue,
    Message,
};

const LIFE_S: i32 = 1000;

/// Makes a file of `owner`'s out of bytes of its own.
fn made(cluster: &mut Cluster, owner: i64, file: impl FnOnce(&Bytes) -> File, id: i64) -> File {
    let bytes = Bytes::new(&[7], id.cast_unsigned());
    cluster.call(user(owner), &uploads::Open::new(id, 1_000_000 + id, LIFE_S)).unwrap();
    let hash = bytes.hash(0);
    cluster.call(user(owner), &bytes.store(id, 1_000_000 + id, 0, &hash)).unwrap();
    let file = file(&bytes);
    let make = files::Make::new(file.clone(), vec![bytes.part(id)], LIFE_S);
    cluster.call(user(owner), &make).unwrap();
    file
}

fn photo(cluster: &mut Cluster, owner: i64, id: i64) -> File {
    made(cluster, owner, |bytes| photo_file(id, bytes), id)
}

fn document(cluster: &mut Cluster, owner: i64, id: i64, attributes: Vec<Attribute>) -> File {
    made(cluster, owner, |bytes| document_file(id, bytes, attributes), id)
}

fn try_send(
    cluster: &mut Cluster,
    (from, to): (i64, i64),
    media: &Media,
    source: Option<Source>,
    text: &str,
) -> Result<Sent, Refusal> {
    cluster.now += 1;
    let media = attached(media.clone());
    let random_id = i64::from(cluster.now) * 1000;
    let send =
        mailbox::Send { media: Some(&media), source, ..mailbox::Send::new(to, random_id, text) };
    cluster.call(user(from), &send)
}

/// Sends a file that `from` made lately.
fn send(cluster: &mut Cluster, from: i64, to: i64, file: &File) -> Message {
    send_for(cluster, from, to, file, None)
}

fn send_for(cluster: &mut Cluster, from: i64, to: i64, file: &File, ttl_s: Option<i32>) -> Message {
    let source = Some(own(services::files::id(file)));
    try_send(cluster, (from, to), &media_of(file, ttl_s), source, "").unwrap().message
}

/// A chat's messages, newest first.
fn chat(cluster: &mut Cluster, owner: i64, peer: i64) -> Vec<Message> {
    cluster.call(user(owner), &mailbox::History::new(peer, 0, 0, 0, 100, 0, 0)).unwrap().messages
}

fn delete(cluster: &mut Cluster, owner: i64, revoke: bool, ids: &[i32]) {
    cluster.call(user(owner), &mailbox::Delete { revoke, ids: ids.to_vec() }).unwrap();
}

/// Lets all files go that were made and not used.
fn forget_own(cluster: &mut Cluster) {
    cluster.now += LIFE_S;
    for owner in [ALICE, BOB, CAROL] {
        cluster.call(user(owner), &uploads::Expire {}).unwrap();
    }
}

/// Who holds a file, and how often.
fn holders(cluster: &Cluster, id: i64) -> Vec<(i64, i32)> {
    let snapshot = cluster.engine.snapshot();
    let view = View::new(&*snapshot, FileId(id).into());
    let rows = view.scan(tables::HOLDERS, .., Order::Forward, 100).unwrap();
    rows.into_iter().map(|(holder, holds)| (holder, holds.count)).collect()
}

/// Whether those who hold a file are these, so often; with nobody the file must be gone.
#[track_caller]
fn check_held(cluster: &Cluster, id: i64, expected: &[(i64, i32)]) {
    assert_eq!(holders(cluster, id), expected, "file {id}");
    let snapshot = cluster.engine.snapshot();
    let view = View::new(&*snapshot, FileId(id).into());
    let there = view.contains(tables::FILE, &()).unwrap();
    assert_eq!(there, !expected.is_empty(), "file {id}");
}

fn group(message: &Message) -> Option<i64> {
    attachment::of(message).unwrap().grouped_id
}

fn kind(message: &Message) -> Kind {
    Kind::of(&attachment::of(message).unwrap().media)
}

#[test]
fn file_lives_as_long_as_a_message_shows_it() {
    let mut cluster = Cluster::new();
    let file = photo(&mut cluster, ALICE, 5);
    let sent = send(&mut cluster, ALICE, BOB, &file);
    check_held(&cluster, 5, &[(ALICE, 2), (BOB, 1)]);
    let copy = chat(&mut cluster, BOB, ALICE).remove(0);
    assert_eq!(copy.media, sent.media);
    assert_eq!(
        attachment::of(&copy).map(|attachment| attachment.media),
        Some(media_of(&file, None))
    );
    let saved = send(&mut cluster, ALICE, ALICE, &file);
    check_held(&cluster, 5, &[(ALICE, 3), (BOB, 1)]);
    forget_own(&mut cluster);
    delete(&mut cluster, ALICE, false, &[sent.id, saved.id]);
    check_held(&cluster, 5, &[(BOB, 1)]);
    // Bob can send it on, from his copy.
    let source = Some(of_message(copy.id));
    let on = try_send(&mut cluster, (BOB, CAROL), &media_of(&file, None), source, "").unwrap();
    check_held(&cluster, 5, &[(BOB, 2), (CAROL, 1)]);
    delete(&mut cluster, BOB, false, &[copy.id]);
    delete(&mut cluster, BOB, true, &[on.message.id]);
    check_held(&cluster, 5, &[]);
}

#[test]
fn histories_let_their_files_go() {
    for revoke in [false, true] {
        let mut cluster = Cluster::new();
        let file = photo(&mut cluster, ALICE, 5);
        for _ in 0..3 {
            send(&mut cluster, ALICE, BOB, &file);
        }
        forget_own(&mut cluster);
        check_held(&cluster, 5, &[(ALICE, 3), (BOB, 3)]);
        let clear = mailbox::DeleteHistory { revoke, ..mailbox::DeleteHistory::new(ALICE, 0) };
        cluster.call(user(BOB), &clear).unwrap();
        check_held(&cluster, 5, if revoke { &[] } else { &[(ALICE, 3)] });
    }
}

#[test]
fn what_one_does_not_have_cannot_be_sent() {
    let mut cluster = Cluster::new();
    let (mine, other) = (photo(&mut cluster, ALICE, 5), photo(&mut cluster, ALICE, 6));
    let theirs = photo(&mut cluster, CAROL, 7);
    let sent = send(&mut cluster, ALICE, BOB, &other);
    let note = cluster.call(user(ALICE), &mailbox::Send::new(BOB, 1, "text")).unwrap().message;
    let expired = MediaPhotoExpired { ttl_s: 5 }.into();
    let gone = Refusal::FileReferenceExpired;
    for (media, source, refusal) in [
        (media_of(&mine, None), None, gone.clone()),
        (media_of(&mine, None), Some(own(6)), gone.clone()),
        (media_of(&theirs, None), Some(own(7)), gone.clone()),
        (media_of(&mine, None), Some(of_message(sent.id)), gone.clone()),
        (media_of(&mine, None), Some(of_message(note.id)), gone.clone()),
        (media_of(&mine, None), Some(of_message(99)), gone.clone()),
        (media_of(&mine, None), Some(of_profile(5)), gone),
        (media_of(&mine, Some(0)), Some(own(5)), Refusal::MediaInvalid),
        (expired, None, Refusal::MediaInvalid),
    ] {
        let result = try_send(&mut cluster, (ALICE, BOB), &media, source, "");
        assert_eq!(result, Err(refusal), "{media:?}");
    }
    for media in [&b""[..], b"none", &attached(media_of(&mine, None))[..20]] {
        let send = mailbox::Send { media: Some(media), ..mailbox::Send::new(BOB, 9, "") };
        assert_eq!(cluster.call(user(ALICE), &send), Err(Refusal::MediaInvalid));
    }
    // Captions are shorter than texts.
    let caption = "a".repeat(CAPTION_LEN_MAX);
    let mut with = |caption: &str| {
        try_send(&mut cluster, (ALICE, BOB), &media_of(&mine, None), Some(own(5)), caption).err()
    };
    assert_eq!(
        (with(&caption), with(&format!("{caption}a"))),
        (None, Some(Refusal::MessageTooLong))
    );
    // What was sent answers again, though the file is gone from where it was.
    let media = attached(media_of(&mine, None));
    let again = mailbox::Send {
        media: Some(&media),
        source: Some(own(5)),
        ..mailbox::Send::new(BOB, 77, "")
    };
    let first = cluster.call(user(ALICE), &again).unwrap();
    forget_own(&mut cluster);
    let second = cluster.call(user(ALICE), &again).unwrap();
    assert_eq!(second, Sent { repeated: true, ..first });
}

/// Sends these as an album from Alice to Bob.
fn album(cluster: &mut Cluster, files: &[File]) -> Result<Vec<Sent>, Refusal> {
    cluster.now += 100;
    let item = |(at, file): (i64, &File)| {
        let source = Some(own(services::files::id(file)));
        let random_id = i64::from(cluster.now) + at;
        AlbumItem {
            source,
            ..AlbumItem::new(random_id, format!("{at}"), attached(media_of(file, None)))
        }
    };
    let items = (0..).zip(files).map(item).collect();
    cluster.call(user(ALICE), &mailbox::SendAlbum::new(BOB, items)).map(|album| album.sent)
}

#[test]
fn album_has_a_group_in_common() {
    let mut cluster = Cluster::new();
    let files =
        [photo(&mut cluster, ALICE, 5), document(&mut cluster, ALICE, 6, vec![video(false)])];
    let sent = album(&mut cluster, &files).unwrap();
    let first = sent[0].random_id;
    let copies = chat(&mut cluster, BOB, ALICE);
    assert_eq!(copies.iter().map(|copy| &*copy.text).collect::<Vec<_>>(), ["1", "0"]);
    for message in sent.iter().map(|sent| &sent.message).chain(&copies) {
        assert_eq!(group(message), Some(first));
    }
    check_held(&cluster, 5, &[(ALICE, 2), (BOB, 1)]);
    cluster.now -= 100;
    let again = album(&mut cluster, &files).unwrap();
    assert!(again.iter().zip(&sent).all(|(again, sent)| again.repeated && again.pts == sent.pts));
    check_held(&cluster, 5, &[(ALICE, 2), (BOB, 1)]);
    // One alone is no group.
    let alone = album(&mut cluster, &files[..1]).unwrap();
    assert_eq!(group(&alone[0].message), None);
}

#[test]
fn only_what_clients_can_show_together_makes_an_album() {
    let mut cluster = Cluster::new();
    let photo = photo(&mut cluster, ALICE, 1);
    let mut next = 1;
    let mut of = |attributes: Vec<Attribute>| {
        next += 1;
        document(&mut cluster, ALICE, next, attributes)
    };
    let (movie, plain, music) = (of(vec![video(false)]), of(vec![named()]), of(vec![audio(false)]));
    let (voice, round) = (of(vec![audio(true)]), of(vec![video(true)]));
    let gif = of(vec![Attribute::AttributeAnimated, video(false)]);
    let too_many: Vec<&File> = (0..=ALBUM_COUNT_MAX).map(|_| &photo).collect();
    for (files, fits) in [
        (&[&photo, &movie, &photo][..], true),
        (&[&plain, &plain], true),
        (&[&music, &music], true),
        (&too_many[1..], true),
        (&[&voice], true),
        (&[&gif], true),
        (&[&photo, &plain], false),
        (&[&plain, &music], false),
        (&[&music, &movie], false),
        (&[&voice, &voice], false),
        (&[&round, &movie], false),
        (&[&gif, &photo], false),
        (&too_many, false),
        (&[], false),
    ] {
        let before = chat(&mut cluster, BOB, ALICE).len();
        let files: Vec<File> = files.iter().map(|file| (*file).clone()).collect();
        let sent = album(&mut cluster, &files);
        assert_eq!(sent.is_ok(), fits, "{files:?}");
        assert!(fits || sent == Err(Refusal::MediaInvalid));
        // All or none.
        let count = chat(&mut cluster, BOB, ALICE).len() - before;
        assert_eq!(count, if fits { files.len() } else { 0 });
    }
}

fn forward(cluster: &mut Cluster, to: i64, ids: &[i32]) -> Result<Forwarded, Refusal> {
    cluster.now += 100;
    let random_ids = (0..ids.len() as i64).map(|at| i64::from(cluster.now) + at).collect();
    let forward = mailbox::Forward {
        drop_captions: true,
        ..mailbox::Forward::new(ALICE, ids.to_vec(), random_ids, to)
    };
    cluster.call(user(BOB), &forward)
}

#[test]
fn forwarded_album_is_a_new_one() {
    let mut cluster = Cluster::new();
    let files = [1, 2, 3].map(|id| photo(&mut cluster, ALICE, id));
    let sent = album(&mut cluster, &files).unwrap();
    forget_own(&mut cluster);
    let ids: Vec<i32> = chat(&mut cluster, BOB, ALICE).iter().rev().map(|copy| copy.id).collect();
    let two = forward(&mut cluster, CAROL, &ids[..2]).unwrap().sent;
    let groups: Vec<_> = two.iter().map(|sent| group(&sent.message)).collect();
    assert_eq!(groups, [Some(two[0].random_id); 2]);
    assert_ne!(groups[0], group(&sent[0].message));
    assert!(two.iter().all(|sent| sent.message.text.is_empty()));
    check_held(&cluster, 1, &[(ALICE, 1), (BOB, 2), (CAROL, 1)]);
    check_held(&cluster, 3, &[(ALICE, 1), (BOB, 1)]);
    let one = forward(&mut cluster, BOB, &ids[..1]).unwrap().sent;
    assert_eq!(group(&one[0].message), None);
    check_held(&cluster, 1, &[(ALICE, 1), (BOB, 3), (CAROL, 1)]);
}

#[test]
fn media_that_go_are_not_forwarded_and_played_ones_are_new_again() {
    let mut cluster = Cluster::new();
    let (file, voice) =
        (photo(&mut cluster, ALICE, 5), document(&mut cluster, ALICE, 6, vec![audio(true)]));
    send_for(&mut cluster, ALICE, BOB, &file, Some(10));
    let passing = chat(&mut cluster, BOB, ALICE).remove(0).id;
    assert_eq!(forward(&mut cluster, CAROL, &[passing]), Err(Refusal::MessageIdInvalid));
    send(&mut cluster, ALICE, BOB, &voice);
    let note = chat(&mut cluster, BOB, ALICE).remove(0).id;
    forward(&mut cluster, CAROL, &[passing, note]).unwrap();
    assert!(chat(&mut cluster, CAROL, BOB).remove(0).media_unread);
    check_held(&cluster, 5, &[(ALICE, 2), (BOB, 1)]);
}

fn edit(
    cluster: &mut Cluster,
    message: &Message,
    media: Option<(&File, Option<Source>)>,
    text: Option<&str>,
) -> Result<Message, Refusal> {
    cluster.now += 1;
    let bytes = media.as_ref().map(|(file, _)| attached(media_of(file, None)));
    let source = media.and_then(|(_, source)| source);
    let edit = mailbox::Edit {
        text,
        media: bytes.as_deref(),
        source,
        ..mailbox::Edit::new(message.peer, message.id)
    };
    cluster.call(user(ALICE), &edit).map(|edited| edited.message)
}

#[test]
fn edit_puts_one_file_in_the_place_of_another() {
    let mut cluster = Cluster::new();
    let files = [1, 2].map(|id| photo(&mut cluster, ALICE, id));
    let sent = send(&mut cluster, ALICE, BOB, &files[0]);
    let edited = edit(&mut cluster, &sent, Some((&files[1], Some(own(2)))), Some("new")).unwrap();
    let copy = chat(&mut cluster, BOB, ALICE).remove(0);
    assert_eq!((&copy.media, &*copy.text), (&edited.media, "new"));
    check_held(&cluster, 1, &[(ALICE, 1)]);
    check_held(&cluster, 2, &[(ALICE, 2), (BOB, 1)]);
    forget_own(&mut cluster);
    check_held(&cluster, 1, &[]);
    // Another caption, or the same file again, changes nothing about who holds it.
    edit(&mut cluster, &sent, None, Some("newer")).unwrap();
    check_held(&cluster, 2, &[(ALICE, 1), (BOB, 1)]);
    edit(&mut cluster, &sent, Some((&files[1], None)), Some("newest")).unwrap();
    check_held(&cluster, 2, &[(ALICE, 1), (BOB, 1)]);
    // What comes for a copy that is gone is let go.
    delete(&mut cluster, BOB, false, &[copy.id]);
    check_held(&cluster, 2, &[(ALICE, 1)]);
    let third = photo(&mut cluster, ALICE, 3);
    edit(&mut cluster, &sent, Some((&third, Some(own(3)))), None).unwrap();
    check_held(&cluster, 2, &[]);
    check_held(&cluster, 3, &[(ALICE, 2)]);
    edit(&mut cluster, &sent, None, Some("alone")).unwrap();
    check_held(&cluster, 3, &[(ALICE, 2)]);
}

/// A video with a photo that stands for it, beginning at a second.
fn covered(video: &File, cover: &File, second: i32) -> Media {
    let (File::FileDocument(video), File::FilePhoto(cover)) = (video, cover) else {
        panic!("no video with a cover: {video:?} {cover:?}")
    };
    MediaDocument {
        video_cover: Some(cover.photo.clone()),
        video_timestamp_s: Some(second),
        ..MediaDocument::new(video.document.clone())
    }
    .into()
}

#[test]
fn a_cover_lives_as_long_as_its_video_is_shown() {
    let mut cluster = Cluster::new();
    let cover = photo(&mut cluster, ALICE, 1);
    let film = document(&mut cluster, ALICE, 2, vec![video(false)]);
    let media = covered(&film, &cover, 7);
    let mut try_send = |from, to, source: Source, beside: Option<Source>| {
        cluster.now += 1;
        let media = attached(media.clone());
        let random_id = i64::from(cluster.now) * 1000;
        let send = mailbox::Send {
            media: Some(&media),
            source: Some(source),
            beside,
            ..mailbox::Send::new(to, random_id, "")
        };
        cluster.call(user(from), &send).map(|sent| sent.message)
    };
    // Both must be the sender's.
    for cover in [None, Some(own(9)), Some(own(2))] {
        let refused = try_send(ALICE, BOB, own(2), cover);
        assert_eq!(refused, Err(Refusal::FileReferenceExpired));
    }
    assert_eq!(try_send(CAROL, BOB, own(2), Some(own(1))), Err(Refusal::FileReferenceExpired));
    let sent = try_send(ALICE, BOB, own(2), Some(own(1))).unwrap();
    // A message gives both.
    let again = try_send(ALICE, ALICE, of_message(sent.id), Some(of_message(sent.id))).unwrap();
    let copy = chat(&mut cluster, BOB, ALICE).remove(0);
    assert_eq!(attachment::of(&copy).unwrap().media, media);
    forget_own(&mut cluster);
    for id in [1, 2] {
        check_held(&cluster, id, &[(ALICE, 2), (BOB, 1)]);
    }
    delete(&mut cluster, ALICE, false, &[sent.id, again.id]);

    // What goes on goes with its cover, and begins where that is said.
    let mut forward = |video_timestamp_s| {
        cluster.now += 1;
        let random_ids = vec![i64::from(cluster.now)];
        let forward = mailbox::Forward::new(ALICE, vec![copy.id], random_ids, CAROL);
        let forward = mailbox::Forward { video_timestamp_s, ..forward };
        let sent = cluster.call(user(BOB), &forward).unwrap().sent.remove(0).message;
        let Media::MediaDocument(media) = attachment::of(&sent).unwrap().media else {
            panic!("no document")
        };
        assert_eq!(media.video_cover.map(|cover| cover.id), Some(1));
        (sent.id, media.video_timestamp_s)
    };
    let forwarded = [None, Some(9), Some(0)].map(&mut forward);
    assert_eq!(forwarded.map(|(_, second)| second), [Some(7), Some(9), None]);
    for id in [1, 2] {
        check_held(&cluster, id, &[(BOB, 4), (CAROL, 3)]);
    }
    delete(&mut cluster, BOB, true, &forwarded.map(|(id, _)| id));
    delete(&mut cluster, BOB, true, &[copy.id]);
    for id in [1, 2] {
        check_held(&cluster, id, &[]);
    }
}

#[test]
fn a_cover_is_put_before_a_video_and_taken_away() {
    let mut cluster = Cluster::new();
    let film = document(&mut cluster, ALICE, 3, vec![video(false)]);
    let sent = send(&mut cluster, ALICE, BOB, &film);
    forget_own(&mut cluster);
    let covers = [4, 5].map(|id| photo(&mut cluster, ALICE, id));
    let mut edit = |media: &Media, beside: Option<Source>| {
        cluster.now += 1;
        let media = attached(media.clone());
        let edit =
            mailbox::Edit { media: Some(&media), beside, ..mailbox::Edit::new(BOB, sent.id) };
        cluster.call(user(ALICE), &edit).unwrap();
        let copy = chat(&mut cluster, BOB, ALICE).remove(0);
        assert_eq!(copy.media.as_deref(), Some(&*media));
        [3, 4, 5].map(|id| holders(&cluster, id))
    };
    let (both, own_alone) = (vec![(ALICE, 1), (BOB, 1)], vec![(ALICE, 1)]);
    let with_own = vec![(ALICE, 2), (BOB, 1)];
    // The first, the same at another second, the second in its place, none.
    let held = edit(&covered(&film, &covers[0], 5), Some(own(4)));
    assert_eq!(held, [both.clone(), with_own.clone(), own_alone.clone()]);
    let held = edit(&covered(&film, &covers[0], 6), None);
    assert_eq!(held, [both.clone(), with_own.clone(), own_alone.clone()]);
    let held = edit(&covered(&film, &covers[1], 6), Some(own(5)));
    assert_eq!(held, [both.clone(), own_alone.clone(), with_own]);
    let held = edit(&media_of(&film, None), None);
    assert_eq!(held, [both, own_alone.clone(), own_alone]);
    delete(&mut cluster, ALICE, true, &[sent.id]);
    check_held(&cluster, 3, &[]);
}

#[test]
fn edit_adds_a_file_to_a_text() {
    let mut cluster = Cluster::new();
    let file = photo(&mut cluster, ALICE, 1);
    let text = cluster.call(user(ALICE), &mailbox::Send::new(BOB, 1, "text")).unwrap().message;
    let saved = cluster.call(user(ALICE), &mailbox::Send::new(ALICE, 2, "note")).unwrap().message;
    let edited = edit(&mut cluster, &text, Some((&file, Some(own(1)))), None).unwrap();
    assert_eq!((&*edited.text, kind(&edited)), ("text", Kind::Photo));
    let copy = chat(&mut cluster, BOB, ALICE).remove(0);
    assert_eq!((&copy.media, &*copy.text), (&edited.media, "text"));
    check_held(&cluster, 1, &[(ALICE, 2), (BOB, 1)]);
    edit(&mut cluster, &saved, Some((&file, Some(of_message(text.id)))), Some("")).unwrap();
    check_held(&cluster, 1, &[(ALICE, 3), (BOB, 1)]);
    // A text may be longer than what stands below a medium.
    let long = "x".repeat(CAPTION_LEN_MAX + 1);
    let long = cluster.call(user(ALICE), &mailbox::Send::new(BOB, 3, &long)).unwrap().message;
    let refused = edit(&mut cluster, &long, Some((&file, Some(own(1)))), None);
    assert_eq!(refused, Err(Refusal::MessageTooLong));
    forget_own(&mut cluster);
    check_held(&cluster, 1, &[(ALICE, 2), (BOB, 1)]);
    delete(&mut cluster, BOB, true, &[copy.id]);
    delete(&mut cluster, ALICE, false, &[saved.id]);
    check_held(&cluster, 1, &[]);
}

#[test]
fn not_everything_takes_the_place_of_everything() {
    let mut cluster = Cluster::new();
    let files = [1, 2, 3].map(|id| photo(&mut cluster, ALICE, id));
    let plain = document(&mut cluster, ALICE, 4, vec![named()]);
    let voice = document(&mut cluster, ALICE, 5, vec![audio(true)]);
    let alone = send(&mut cluster, ALICE, BOB, &files[0]);
    let member = album(&mut cluster, &files).unwrap().remove(1).message;
    let note = send(&mut cluster, ALICE, BOB, &voice);
    let passing = send_for(&mut cluster, ALICE, BOB, &files[0], Some(5));
    let text = cluster.call(user(ALICE), &mailbox::Send::new(BOB, 1, "text")).unwrap().message;
    let place = MediaGeo::new(1.0, 2.0).into();
    let place = try_send(&mut cluster, (ALICE, BOB), &place, None, "").unwrap().message;
    let invalid = || Some(Refusal::MediaInvalid);
    for (message, file, refusal) in [
        (&alone, &plain, None),
        (&alone, &voice, invalid()),
        (&member, &plain, invalid()),
        (&member, &files[2], None),
        (&note, &plain, invalid()),
        (&passing, &files[1], invalid()),
        (&text, &voice, invalid()),
        (&text, &files[1], None),
        (&place, &files[1], invalid()),
    ] {
        let source = Some(own(services::files::id(file)));
        let result = edit(&mut cluster, message, Some((file, source)), None);
        assert_eq!(result.clone().err(), refusal, "{message:?}");
        if let Ok(edited) = result {
            let group_before = attachment::of(message).and_then(|before| before.grouped_id);
            assert_eq!(group(&edited), group_before);
        }
    }
    assert_eq!(edit(&mut cluster, &passing, None, Some("x")), Err(Refusal::MediaInvalid));
    let stolen = photo(&mut cluster, CAROL, 9);
    let result = edit(&mut cluster, &alone, Some((&stolen, Some(own(9)))), None);
    assert_eq!(result, Err(Refusal::FileReferenceExpired));
}

/// When the owner is looked after next.
fn expire(cluster: &mut Cluster, owner: i64) -> i32 {
    cluster.call(user(owner), &mailbox::ExpireMedia {}).unwrap().due
}

#[test]
fn media_go_some_time_after_they_were_opened() {
    for (ttl_s, lives_s) in [(10, 10), (TTL_ONCE, 0)] {
        let mut cluster = Cluster::new();
        let file = document(&mut cluster, ALICE, 5, vec![video(true)]);
        let sent = send_for(&mut cluster, ALICE, BOB, &file, Some(ttl_s));
        forget_own(&mut cluster);
        let copy = chat(&mut cluster, BOB, ALICE).remove(0);
        assert!(sent.media_unread && copy.media_unread);
        // Its sender does not open it.
        cluster.call(user(ALICE), &mailbox::ReadContents { ids: vec![sent.id] }).unwrap();
        assert_eq!((expire(&mut cluster, ALICE), expire(&mut cluster, BOB)), (0, 0));
        assert!(chat(&mut cluster, BOB, ALICE).remove(0).media_unread);

        cluster.call(user(BOB), &mailbox::ReadContents { ids: vec![copy.id] }).unwrap();
        cluster.call(user(BOB), &mailbox::ReadContents { ids: vec![copy.id] }).unwrap();
        cluster.forget();
        if lives_s > 0 {
            cluster.now += lives_s - 1;
            let due = cluster.now + 1;
            assert_eq!((expire(&mut cluster, ALICE), expire(&mut cluster, BOB)), (due, due));
            check_held(&cluster, 5, &[(ALICE, 1), (BOB, 1)]);
            cluster.now += 1;
        }
        assert_eq!((expire(&mut cluster, ALICE), expire(&mut cluster, BOB)), (0, 0));
        check_held(&cluster, 5, &[]);
        for (owner, peer) in [(ALICE, BOB), (BOB, ALICE)] {
            let message = chat(&mut cluster, owner, peer).remove(0);
            let media = attachment::of(&message).unwrap().media;
            assert!(
                matches!(&media, Media::MediaDocumentExpired(gone) if gone.round && gone.ttl_s == ttl_s)
            );
            let told = cluster.effects(&user(owner));
            assert!(
                matches!(&told[..], [Effect::EffectEditMessage(edit)] if edit.message == message)
            );
        }
    }
}

/// The user is looked after for the upload first, and then earlier for what was opened meanwhile.
#[test]
fn what_goes_earlier_is_looked_after_earlier() {
    let mut cluster = Cluster::new();
    let file = photo(&mut cluster, ALICE, 5);
    send_for(&mut cluster, ALICE, BOB, &file, Some(10));
    cluster.call(user(BOB), &uploads::Open::new(9, 9, LIFE_S)).unwrap();
    let id = chat(&mut cluster, BOB, ALICE).remove(0).id;
    cluster.call(user(BOB), &mailbox::ReadContents { ids: vec![id] }).unwrap();
    let mut due = Vec::new();
    for list in 0..storage::limits::CHORE_LIST_COUNT {
        let ask = chores::List { before: i32::MAX, limit: 100 };
        let page = cluster.call(storage::Owner::Chores(list), &ask).unwrap();
        let of_bob = page.entries.into_iter().filter(|entry| entry.number == BOB);
        due.extend(of_bob.map(|entry| entry.due));
    }
    assert_eq!(due, [cluster.now + 10, cluster.now + LIFE_S]);
}

#[test]
fn message_that_was_deleted_before_its_medium_goes() {
    let mut cluster = Cluster::new();
    let file = photo(&mut cluster, ALICE, 5);
    let sent = send_for(&mut cluster, ALICE, BOB, &file, Some(10));
    forget_own(&mut cluster);
    let copy = chat(&mut cluster, BOB, ALICE).remove(0);
    cluster.call(user(BOB), &mailbox::ReadContents { ids: vec![copy.id] }).unwrap();
    delete(&mut cluster, BOB, true, &[copy.id]);
    check_held(&cluster, 5, &[]);
    cluster.now += 10;
    assert_eq!((expire(&mut cluster, ALICE), expire(&mut cluster, BOB)), (0, 0));
    check_held(&cluster, 5, &[]);
    // To oneself nothing goes.
    let file = photo(&mut cluster, ALICE, 6);
    let saved = send_for(&mut cluster, ALICE, ALICE, &file, Some(10));
    assert!(sent.media_unread && !saved.media_unread);
    assert_eq!(attachment::ttl_s(&attachment::of(&saved).unwrap().media), None);
}

#[test]
fn messages_are_searched_for_by_what_is_attached() {
    let mut cluster = Cluster::new();
    let size = AttributeImageSize { width: 1, height: 1 };
    let files = [
        photo(&mut cluster, ALICE, 1),
        document(&mut cluster, ALICE, 2, vec![video(false), named()]),
        document(&mut cluster, ALICE, 3, vec![named(), size.clone().into()]),
        document(&mut cluster, ALICE, 4, vec![video(false), Attribute::AttributeAnimated]),
        document(&mut cluster, ALICE, 5, vec![audio(true)]),
        document(&mut cluster, ALICE, 6, vec![named(), audio(false)]),
        document(&mut cluster, ALICE, 7, vec![video(true)]),
        document(&mut cluster, ALICE, 8, vec![sticker(), size.into()]),
    ];
    for file in &files {
        send(&mut cluster, ALICE, BOB, file);
    }
    let text = String::new;
    for media in [
        MediaGeo::new(1.0, 2.0).into(),
        MediaVenue::new(1.0, 2.0, text(), text(), text(), text(), text()).into(),
        MediaContact::new(text(), text(), text(), text(), 0).into(),
    ] {
        try_send(&mut cluster, (ALICE, BOB), &media, None, "").unwrap();
    }
    let expected = [
        (Filter::FilterPhotos, &[Kind::Photo][..]),
        (Filter::FilterVideo, &[Kind::Video]),
        (Filter::FilterPhotoVideo, &[Kind::Video, Kind::Photo]),
        (Filter::FilterDocument, &[Kind::Document]),
        (Filter::FilterGif, &[Kind::Gif]),
        (Filter::FilterVoice, &[Kind::Voice]),
        (Filter::FilterMusic, &[Kind::Music]),
        (Filter::FilterRoundVoice, &[Kind::RoundVideo, Kind::Voice]),
        (Filter::FilterRoundVideo, &[Kind::RoundVideo]),
        (Filter::FilterGeo, &[Kind::Geo, Kind::Geo]),
        (Filter::FilterContacts, &[Kind::Contact]),
        (Filter::FilterNone, &[]),
        (Filter::FilterPinned, &[]),
    ];
    for (filter, kinds) in &expected {
        for peer in [Some(ALICE), None] {
            let search = mailbox::Search::new("", filter.clone(), 0, 0, 0, 0, 100, 0, 0);
            let search = mailbox::Search { peer, ..search };
            let found = cluster.call(user(BOB), &search).unwrap();
            let found: Vec<_> = found.messages.iter().map(kind).collect();
            assert_eq!(found, *kinds, "{filter:?}");
        }
    }
    let filters = expected.iter().map(|(filter, _)| filter.clone()).collect();
    let counts = cluster.call(user(BOB), &mailbox::SearchCounts { peer: ALICE, filters }).unwrap();
    let lens: Vec<_> = expected.iter().map(|(_, kinds)| kinds.len() as i32).collect();
    assert_eq!(counts.counts, lens);
}

fn add_photo(cluster: &mut Cluster, source: Source) -> Result<i64, Refusal> {
    cluster.call(user(ALICE), &photos::Add { source }).map(|photo| photo.id)
}

fn profile_photos(cluster: &mut Cluster, offset: i32, max_id: i64, limit: i32) -> Vec<i64> {
    let page = cluster.call(user(ALICE), &photos::List { offset, max_id, limit }).unwrap();
    page.photos.iter().map(|photo| photo.id).collect()
}

fn seen_photo(cluster: &mut Cluster, viewer: i64) -> Option<i64> {
    let profile = cluster.call(user(ALICE), &accounts::Get { viewer }).unwrap();
    profile.photo.map(|photo| photo.id)
}

#[test]
fn profile_shows_its_latest_photo() {
    let mut cluster = Cluster::new();
    for id in [1, 2, 3] {
        photo(&mut cluster, ALICE, id);
        cluster.forget();
        assert_eq!(add_photo(&mut cluster, own(id)), Ok(id));
        let told = cluster.effects(&user(ALICE));
        assert!(matches!(&told[..], [Effect::EffectUserPhoto(told)] if told.user == ALICE));
    }
    forget_own(&mut cluster);
    assert_eq!(profile_photos(&mut cluster, 0, 0, 100), [3, 2, 1]);
    assert_eq!(profile_photos(&mut cluster, 1, 0, 1), [2]);
    assert_eq!(profile_photos(&mut cluster, 0, 3, 100), [2, 1]);
    assert_eq!(profile_photos(&mut cluster, 0, 99, 100), [0; 0]);
    // A former one becomes the present one.
    assert_eq!(add_photo(&mut cluster, of_profile(1)), Ok(1));
    assert_eq!(profile_photos(&mut cluster, 0, 0, 100), [1, 3, 2]);
    check_held(&cluster, 1, &[(ALICE, 1)]);
    cluster.forget();
    assert_eq!(add_photo(&mut cluster, of_profile(1)), Ok(1));
    assert!(cluster.pushed.is_empty(), "nothing changed");
    // A photo of the profile can be sent.
    let file = photo_file(1, &Bytes::new(&[7], 1));
    let media = media_of(&file, None);
    try_send(&mut cluster, (ALICE, BOB), &media, Some(of_profile(1)), "").unwrap();
    check_held(&cluster, 1, &[(ALICE, 2), (BOB, 1)]);

    let gone = cluster.call(user(ALICE), &photos::Delete { ids: vec![1, 2, 77] }).unwrap();
    assert_eq!(gone.photos.iter().map(|photo| photo.id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(seen_photo(&mut cluster, BOB), Some(3));
    check_held(&cluster, 1, &[(ALICE, 1), (BOB, 1)]);
    check_held(&cluster, 2, &[]);
}

#[test]
fn photo_comes_from_what_the_owner_has() {
    let mut cluster = Cluster::new();
    let received = photo(&mut cluster, BOB, 5);
    send(&mut cluster, BOB, ALICE, &received);
    let copy = chat(&mut cluster, ALICE, BOB).remove(0).id;
    assert_eq!(add_photo(&mut cluster, of_message(copy)), Ok(5));
    check_held(&cluster, 5, &[(ALICE, 2), (BOB, 2)]);
    assert_eq!(add_photo(&mut cluster, own(5)), Err(Refusal::FileReferenceExpired));
    assert_eq!(add_photo(&mut cluster, of_profile(6)), Err(Refusal::FileReferenceExpired));
    document(&mut cluster, ALICE, 7, vec![named()]);
    assert_eq!(add_photo(&mut cluster, own(7)), Err(Refusal::PhotoIdInvalid));
}

#[test]
fn photo_is_seen_by_whom_privacy_lets() {
    let mut cluster = Cluster::new();
    photo(&mut cluster, ALICE, 1);
    let know = contacts::Add { peer: BOB, phone: "", first_name: "Bob", last_name: "" };
    cluster.call(user(ALICE), &know).unwrap();
    add_photo(&mut cluster, own(1)).unwrap();
    assert_eq!(
        (seen_photo(&mut cluster, BOB), seen_photo(&mut cluster, CAROL)),
        (Some(1), Some(1))
    );
    let rules = vec![PrivacyRule::RuleAllowContacts];
    let key = PrivacyKey::PrivacyProfilePhoto;
    cluster.call(user(ALICE), &accounts::SetPrivacy { key, rules }).unwrap();
    assert_eq!((seen_photo(&mut cluster, BOB), seen_photo(&mut cluster, CAROL)), (Some(1), None));
    assert_eq!(seen_photo(&mut cluster, ALICE), Some(1));
    cluster.call(user(ALICE), &contacts::Block { peer: BOB }).unwrap();
    assert_eq!(seen_photo(&mut cluster, BOB), None);
}

fn lend(cluster: &mut Cluster, user_id: i64, id: i64) -> Result<(), Refusal> {
    let lend = photos::Lend { user: user_id, id, hold_s: LIFE_S };
    cluster.call(user(ALICE), &lend).map(|_| ())
}

#[test]
fn photo_of_a_profile_is_lent() {
    let mut cluster = Cluster::new();
    let file = photo(&mut cluster, ALICE, 1);
    add_photo(&mut cluster, own(1)).unwrap();
    forget_own(&mut cluster);
    assert_eq!(lend(&mut cluster, BOB, 2), Err(Refusal::FileReferenceExpired));
    lend(&mut cluster, BOB, 1).unwrap();
    check_held(&cluster, 1, &[(ALICE, 1), (BOB, 1)]);
    // Once, however often; the last time counts.
    cluster.now += LIFE_S - 1;
    lend(&mut cluster, BOB, 1).unwrap();
    check_held(&cluster, 1, &[(ALICE, 1), (BOB, 1)]);
    cluster.now += LIFE_S - 1;
    cluster.call(user(BOB), &uploads::Expire {}).unwrap();
    check_held(&cluster, 1, &[(ALICE, 1), (BOB, 1)]);
    // What was sent of it stays, whatever its owner does.
    let sent = send(&mut cluster, BOB, CAROL, &file);
    cluster.call(user(ALICE), &photos::Delete { ids: vec![1] }).unwrap();
    check_held(&cluster, 1, &[(BOB, 2), (CAROL, 1)]);
    assert_eq!(lend(&mut cluster, CAROL, 1), Err(Refusal::FileReferenceExpired));
    forget_own(&mut cluster);
    check_held(&cluster, 1, &[(BOB, 1), (CAROL, 1)]);
    delete(&mut cluster, BOB, true, &[sent.id]);
    check_held(&cluster, 1, &[]);
}

#[test]
fn photo_is_lent_to_whom_privacy_lets() {
    let mut cluster = Cluster::new();
    photo(&mut cluster, ALICE, 1);
    add_photo(&mut cluster, own(1)).unwrap();
    let know = contacts::Add { peer: BOB, phone: "", first_name: "Bob", last_name: "" };
    cluster.call(user(ALICE), &know).unwrap();
    let rules = vec![PrivacyRule::RuleAllowContacts];
    let key = PrivacyKey::PrivacyProfilePhoto;
    cluster.call(user(ALICE), &accounts::SetPrivacy { key, rules }).unwrap();
    assert_eq!(lend(&mut cluster, CAROL, 1), Err(Refusal::FileReferenceExpired));
    check_held(&cluster, 1, &[(ALICE, 2)]);
    lend(&mut cluster, BOB, 1).unwrap();
    check_held(&cluster, 1, &[(ALICE, 2), (BOB, 1)]);
    cluster.call(user(ALICE), &contacts::Block { peer: BOB }).unwrap();
    assert_eq!(lend(&mut cluster, BOB, 1), Err(Refusal::FileReferenceExpired));
}

fn set_fallback(cluster: &mut Cluster, source: Option<Source>) -> Result<Vec<i64>, Refusal> {
    let set = cluster.call(user(ALICE), &photos::SetFallback { source });
    set.map(|set| set.photos.iter().map(|photo| photo.id).collect())
}

fn seen_fallback(cluster: &mut Cluster, viewer: i64) -> Option<i64> {
    let profile = cluster.call(user(ALICE), &accounts::Get { viewer }).unwrap();
    profile.fallback_photo.map(|photo| photo.id)
}

#[test]
fn fallback_photo_is_for_whom_privacy_does_not_let() {
    let mut cluster = Cluster::new();
    for id in [1, 2] {
        photo(&mut cluster, ALICE, id);
    }
    document(&mut cluster, ALICE, 7, vec![named()]);
    add_photo(&mut cluster, own(1)).unwrap();
    assert_eq!(set_fallback(&mut cluster, Some(own(7))), Err(Refusal::PhotoIdInvalid));
    assert_eq!(set_fallback(&mut cluster, Some(own(2))), Ok(vec![2]));
    forget_own(&mut cluster);
    check_held(&cluster, 2, &[(ALICE, 1)]);
    assert_eq!(profile_photos(&mut cluster, 0, 0, 100), [1]);
    assert_eq!([ALICE, BOB].map(|it| seen_fallback(&mut cluster, it)), [Some(2), None]);
    assert_eq!(lend(&mut cluster, BOB, 2), Err(Refusal::FileReferenceExpired));

    let know = contacts::Add { peer: BOB, phone: "", first_name: "Bob", last_name: "" };
    cluster.call(user(ALICE), &know).unwrap();
    let rules = vec![PrivacyRule::RuleAllowContacts];
    let key = PrivacyKey::PrivacyProfilePhoto;
    cluster.call(user(ALICE), &accounts::SetPrivacy { key, rules }).unwrap();
    assert_eq!([BOB, CAROL].map(|it| seen_photo(&mut cluster, it)), [Some(1), None]);
    assert_eq!([BOB, CAROL].map(|it| seen_fallback(&mut cluster, it)), [None, Some(2)]);
    lend(&mut cluster, CAROL, 2).unwrap();
    assert_eq!(lend(&mut cluster, CAROL, 1), Err(Refusal::FileReferenceExpired));
    check_held(&cluster, 2, &[(ALICE, 1), (CAROL, 1)]);
    // Who is blocked sees neither.
    cluster.call(user(ALICE), &contacts::Block { peer: CAROL }).unwrap();
    assert_eq!(seen_fallback(&mut cluster, CAROL), None);
    assert_eq!(lend(&mut cluster, CAROL, 2), Err(Refusal::FileReferenceExpired));
}

#[test]
fn fallback_photo_is_replaced_and_removed() {
    let mut cluster = Cluster::new();
    for id in [1, 2] {
        photo(&mut cluster, ALICE, id);
        add_photo(&mut cluster, own(id)).unwrap();
    }
    forget_own(&mut cluster);
    cluster.forget();
    assert_eq!(set_fallback(&mut cluster, Some(of_profile(1))), Ok(vec![1]));
    let told = cluster.effects(&user(ALICE));
    assert!(matches!(&told[..], [Effect::EffectUserPhoto(told)] if told.user == ALICE));
    check_held(&cluster, 1, &[(ALICE, 2)]);
    cluster.forget();
    assert_eq!(set_fallback(&mut cluster, Some(of_profile(1))), Ok(vec![1]));
    assert!(cluster.pushed.is_empty(), "nothing changed");
    // What is removed from the list stands on; what stands alone is removed by its id.
    let delete = photos::Delete { ids: vec![1] };
    for (count, left) in [(1, Some(1)), (1, None), (0, None)] {
        let gone = cluster.call(user(ALICE), &delete).unwrap();
        assert_eq!((gone.photos.len(), seen_fallback(&mut cluster, ALICE)), (count, left));
    }
    check_held(&cluster, 1, &[]);
    assert_eq!(set_fallback(&mut cluster, Some(of_profile(2))), Ok(vec![2]));
    check_held(&cluster, 2, &[(ALICE, 2)]);
    assert_eq!(set_fallback(&mut cluster, None), Ok(vec![]));
    assert_eq!(set_fallback(&mut cluster, None), Ok(vec![]));
    check_held(&cluster, 2, &[(ALICE, 1)]);
    assert_eq!(seen_fallback(&mut cluster, ALICE), None);
}

#[test]
fn oldest_photo_of_many_gives_way() {
    let mut cluster = Cluster::new();
    let count = PROFILE_PHOTO_COUNT_MAX as i64;
    for id in 1..=count + 1 {
        photo(&mut cluster, ALICE, id);
        add_photo(&mut cluster, own(id)).unwrap();
    }
    assert_eq!(profile_photos(&mut cluster, 0, 0, 1), [count + 1]);
    assert_eq!(profile_photos(&mut cluster, 0, 2, 100), [0; 0]);
    forget_own(&mut cluster);
    check_held(&cluster, 1, &[]);
    check_held(&cluster, 2, &[(ALICE, 1)]);
    assert!(cluster.now > START);
}
