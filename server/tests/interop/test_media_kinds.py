"""Each kind of media, sent with the libraries' own calls, seen by the other side, fetched by both."""

import asyncio
import gzip
import io

import pyrogram
import pytest
from telethon import types as telethon_types
from telethon import utils
from telethon.tl import functions, types

from clients import KURIGRAM, updates_of
from media import File, digest, noise, opened, picture

PAIRS = [("telethon", "pyrogram"), ("pyrogram", "telethon")]
both_libraries = pytest.mark.parametrize(("first", "second"), PAIRS)

# Pictures are worked on with what time others leave.
PATIENCE_S = 40
WAVEFORM = bytes(range(0, 252, 4))


def names(values):
    return {type(value).__name__ for value in values}


def attribute(document, name):
    found = [value for value in document.attributes if type(value).__name__ == f"DocumentAttribute{name}"]
    assert len(found) == 1, document.attributes
    return found[0]


class Kind:
    """How each library sends a kind of file, and what the recipient must see of it."""

    def __init__(self, telethon, pyrogram, seen, make):
        self.telethon, self.pyrogram, self.seen, self.make = telethon, pyrogram, seen, make


def seen_video(media):
    video = attribute(media.document, "Video")
    assert (video.duration, video.w, video.h, video.supports_streaming) == (7, 320, 240, True)
    assert media.document.mime_type == "video/mp4" and not video.round_message


def seen_round(media):
    video = attribute(media.document, "Video")
    assert (video.round_message, video.w, video.h, int(video.duration)) == (True, 240, 240, 3)


def seen_voice(media):
    audio = attribute(media.document, "Audio")
    assert audio.voice and audio.duration == 4 and media.document.mime_type == "audio/ogg"


def seen_audio(media):
    audio = attribute(media.document, "Audio")
    assert (audio.title, audio.performer, audio.duration) == ("A song", "A band", 180) and not audio.voice


def seen_animation(media):
    assert "DocumentAttributeAnimated" in names(media.document.attributes)


def seen_document(media):
    assert attribute(media.document, "Filename").file_name == "Ünïcode 文件.pdf"
    assert names(media.document.attributes) == {"DocumentAttributeFilename"}


def seen_sticker(media):
    # pyrogram does not say what it is: a WebP of this size is enough.
    assert media.document.mime_type == "image/webp" and attribute(media.document, "Sticker")
    size = attribute(media.document, "ImageSize")
    assert (size.w, size.h) == (512, 512)


def seen_moving_sticker(media):
    # Neither library says what it is; its type is enough.
    assert media.document.mime_type == "application/x-tgsticker" and attribute(media.document, "Sticker")
    size = attribute(media.document, "ImageSize")
    assert (size.w, size.h) == (512, 512)


def video(duration, w, h, **more):
    return types.DocumentAttributeVideo(duration, w, h, **more)


KINDS = {
    "video": Kind(
        lambda c, to, f: c.send_file(to, f, attributes=[video(7, 320, 240, supports_streaming=True)]),
        lambda c, to, f: c.send_video(to, f, duration=7, width=320, height=240, supports_streaming=True),
        seen_video,
        lambda: File(noise(300_000), "film.mp4"),
    ),
    "round video": Kind(
        lambda c, to, f: c.send_file(to, f, attributes=[video(3, 240, 240, round_message=True)], video_note=True),
        lambda c, to, f: c.send_video_note(to, f, duration=3, length=240),
        seen_round,
        lambda: File(noise(70_000), "note.mp4"),
    ),
    "voice": Kind(
        lambda c, to, f: c.send_file(
            to,
            f,
            voice_note=True,
            mime_type="audio/ogg",
            attributes=[types.DocumentAttributeAudio(4, voice=True, waveform=WAVEFORM)],
        ),
        lambda c, to, f: c.send_voice(to, f, duration=4),
        seen_voice,
        lambda: File(noise(20_000), "voice.ogg"),
    ),
    "audio": Kind(
        lambda c, to, f: c.send_file(
            to, f, attributes=[types.DocumentAttributeAudio(180, title="A song", performer="A band")]
        ),
        lambda c, to, f: c.send_audio(to, f, duration=180, title="A song", performer="A band"),
        seen_audio,
        lambda: File(noise(400_000), "song.mp3"),
    ),
    "animation": Kind(
        lambda c, to, f: c.send_file(
            to, f, attributes=[video(2, 100, 100, nosound=True), types.DocumentAttributeAnimated()]
        ),
        lambda c, to, f: c.send_animation(to, f, duration=2, width=100, height=100),
        seen_animation,
        lambda: File(noise(90_000), "funny.mp4"),
    ),
    "document": Kind(
        lambda c, to, f: c.send_file(to, f, force_document=True),
        lambda c, to, f: c.send_document(to, f, file_name="Ünïcode 文件.pdf"),
        seen_document,
        lambda: File(noise(123_457), "Ünïcode 文件.pdf"),
    ),
    "sticker": Kind(
        lambda c, to, f: c.send_file(
            to,
            f,
            mime_type="image/webp",
            attributes=[types.DocumentAttributeSticker("🙂", types.InputStickerSetEmpty())],
        ),
        lambda c, to, f: c.send_sticker(to, f),
        seen_sticker,
        lambda: File(picture("WEBP", 512, 512), "sticker.webp"),
    ),
    "moving sticker": Kind(
        lambda c, to, f: c.send_file(to, f),
        lambda c, to, f: c.send_sticker(to, f),
        seen_moving_sticker,
        lambda: File(gzip.compress(b'{"tgs": 1, "v": "5.5.2", "w": 512, "h": 512}'), "sticker.tgs"),
    ),
}


async def content(person, peer, message_id):
    """What the library makes of a message's file, all of it."""
    if person.library == "telethon":
        message = await person.client.get_messages(peer, ids=message_id)
        return await person.client.download_media(message, bytes)
    message = await person.client.get_messages(peer, message_id)
    found = await person.client.download_media(message, in_memory=True)
    return bytes(found.getbuffer())


def has_media(update):
    return getattr(update.message, "media", None) is not None


async def received(person):
    return (await person.seen.wait("updateNewMessage", has_media, timeout_s=PATIENCE_S)).message


@both_libraries
@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_sent_comes_back(world, first, second, kind):
    kind = KINDS[kind]
    ada, bob = await world.pair(first, second)
    file = kind.make()
    sent = await getattr(kind, first)(ada.client, bob.id, file)
    message = await received(bob)
    assert type(message.media).__name__ == "MessageMediaDocument"
    kind.seen(message.media)
    assert message.media.document.size == len(file.content)
    assert digest(await content(bob, ada.id, message.id)) == digest(file.content)
    assert digest(await content(ada, bob.id, sent.id)) == digest(file.content)


async def test_the_waveform_of_a_voice_note_is_kept(world):
    ada, bob = await world.pair()
    await KINDS["voice"].telethon(ada.client, bob.id, KINDS["voice"].make())
    message = await received(bob)
    assert attribute(message.media.document, "Audio").waveform == WAVEFORM
    assert message.media.voice and message.media_unread
    await bob.client(functions.messages.ReadMessageContentsRequest([message.id]))
    await ada.seen.wait("updateReadMessagesContents")


@both_libraries
async def test_a_photo_comes_in_its_sizes(world, first, second):
    ada, bob = await world.pair(first, second)
    original = picture(width=1600, height=1200, exif=True)
    if first == "telethon":
        await ada.client.send_file(bob.id, File(original, "p.jpg"), caption="**look**")
    else:
        await ada.client.send_photo(bob.id, File(original, "p.jpg"), caption="**look**")
    message = await received(bob)
    assert message.message == "look" and names(message.entities) == {"MessageEntityBold"}
    photo = message.media.photo
    widths = {size.type: size.w for size in photo.sizes if hasattr(size, "w")}
    assert {"m", "x", "y"} <= set(widths) and widths["m"] == 320 and widths["x"] == 800 and widths["y"] == 1280
    best = opened(await content(bob, ada.id, message.id))
    assert best.width == max(widths.values()) and not best.getexif() and best.format == "JPEG"
    assert abs(best.width * 3 - best.height * 4) <= 4


async def test_every_size_can_be_fetched_and_the_preview_decodes(world):
    ada, bob = await world.pair()
    await ada.client.send_file(bob.id, File(picture(width=2000, height=1000), "p.jpg"))
    message = await received(bob)
    message = await bob.client.get_messages(ada.id, ids=message.id)
    stripped = [size for size in message.photo.sizes if isinstance(size, types.PhotoStrippedSize)]
    assert len(stripped) == 1
    tiny = opened(utils.stripped_photo_to_jpg(stripped[0].bytes))
    assert max(tiny.size) == 40 and tiny.width == 2 * tiny.height
    assert len(message.photo.sizes) >= 4
    for size in message.photo.sizes:
        if isinstance(size, types.PhotoStrippedSize):
            continue
        image = await bob.client.download_media(message, bytes, thumb=size.type)
        length = size.size if isinstance(size, types.PhotoSize) else max(size.sizes)
        assert len(image) == length
        assert opened(image).size == (size.w, size.h)
        if isinstance(size, types.PhotoSizeProgressive):
            # What the first scans show has the size already.
            assert size.sizes == sorted(size.sizes)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP"])
async def test_pictures_of_other_kinds_become_photos(world, kind):
    ada = await world.sign_up()
    upload = await ada.client.upload_file(picture(kind, 300, 200), file_name=f"p.{kind.lower()}")
    request = functions.messages.SendMediaRequest(
        types.InputPeerSelf(), types.InputMediaUploadedPhoto(upload), "", random_id=1
    )
    (new,) = updates_of(await ada.call(request), "updateNewMessage")
    image = opened(await ada.client.download_media(new.message, bytes))
    assert image.format == "JPEG" and image.size == (300, 200)


@both_libraries
async def test_a_document_keeps_the_preview_that_its_sender_made(world, first, second):
    ada, bob = await world.pair(first, second)
    thumb = picture(width=200, height=150)
    file = File(noise(50_000), "book.pdf")
    if first == "telethon":
        await ada.client.send_file(bob.id, file, thumb=File(thumb, "t.jpg"), force_document=True)
    else:
        await ada.client.send_document(bob.id, file, thumb=File(thumb, "t.jpg"))
    message = await received(bob)
    thumbs = [size for size in message.media.document.thumbs if hasattr(size, "w")]
    assert [(size.w, size.h) for size in thumbs] == [(200, 150)]
    if second == "telethon":
        message = await bob.client.get_messages(ada.id, ids=message.id)
        image = await bob.client.download_media(message, bytes, thumb=-1)
    else:
        message = await bob.client.get_messages(ada.id, message.id)
        found = await bob.client.download_media(message.document.thumbs[0].file_id, in_memory=True)
        image = bytes(found.getbuffer())
    assert opened(image).size == (200, 150)


@both_libraries
async def test_a_video_has_a_cover(world, tmp_path, first, second):
    if first == "pyrogram" and not KURIGRAM:
        pytest.skip("it knows nothing of covers")
    ada, bob = await world.pair(first, second)
    cover, film = picture(width=400, height=300), File(noise(40_000), "film.mp4")
    if first == "telethon":
        peer = await ada.client.get_input_entity(bob.id)
        upload = types.InputMediaUploadedPhoto(await ada.client.upload_file(cover, file_name="c.jpg"))
        photo = (await ada.call(functions.messages.UploadMediaRequest(peer, upload))).photo
        media = types.InputMediaUploadedDocument(
            await ada.client.upload_file(film),
            "video/mp4",
            [video(30, 640, 480)],
            video_cover=utils.get_input_photo(photo),
            video_timestamp=5,
        )
        await ada.call(functions.messages.SendMediaRequest(peer, media, "", random_id=1))
    else:
        path = tmp_path / "c.jpg"
        path.write_bytes(cover)
        await ada.client.send_video(
            bob.id, film, duration=30, width=640, height=480, video_cover=str(path), video_start_timestamp=5
        )
    media = (await received(bob)).media
    assert attribute(media.document, "Video").duration == 30
    if second == "telethon" or KURIGRAM:
        assert media.video_timestamp == 5 and media.video_cover.sizes
    if second == "telethon":
        assert opened(await bob.client.download_media(media.video_cover, bytes)).size == (400, 300)
        # Seen by the other side, it is a photo that can be sent on.
        sent = await bob.client.send_file("me", media.video_cover)
        assert opened(await bob.client.download_media(sent, bytes)).size == (400, 300)


@both_libraries
async def test_spoilers_and_media_that_pass(world, first, second):
    ada, bob = await world.pair(first, second)
    if first == "telethon":
        upload = await ada.client.upload_file(picture(), file_name="p.jpg")
        peer = await ada.client.get_input_entity(bob.id)
        media = types.InputMediaUploadedPhoto(upload, spoiler=True, ttl_seconds=10)
        await ada.call(functions.messages.SendMediaRequest(peer, media, "", random_id=1))
    else:
        await ada.client.send_photo(bob.id, File(picture(), "p.jpg"), ttl_seconds=10, has_spoiler=True)
    message = await received(bob)
    assert message.media.spoiler and message.media.ttl_seconds == 10
    assert message.media.photo and message.media_unread


async def test_a_photo_with_a_time_to_live_goes_after_it_was_opened(world):
    ada, bob = await world.pair()
    await ada.client.send_file(bob.id, File(picture(), "p.jpg"), ttl=1)
    message = await received(bob)
    shown = await bob.client.get_messages(ada.id, ids=message.id)
    assert opened(await bob.client.download_media(shown, bytes))
    await bob.client(functions.messages.ReadMessageContentsRequest([message.id]))
    for person, peer in ((bob, ada), (ada, bob)):
        for _ in range(300):
            (left,) = await person.client.get_messages(peer.id, limit=1)
            if left.media.photo is None:
                break
            await asyncio.sleep(0.1)
        assert left.media.photo is None and left.media.ttl_seconds == 1


@both_libraries
async def test_contacts_and_places(world, first, second):
    ada, bob = await world.pair(first, second)
    if first == "telethon":
        await ada.client.send_file(bob.id, types.InputMediaContact("15550199", "Eve", "E", ""))
        point = types.InputGeoPoint(52.5, 13.4)
        await ada.client.send_file(bob.id, types.InputMediaGeoPoint(point))
        await ada.client.send_file(bob.id, types.InputMediaVenue(point, "A café", "A street 1", "", "", ""))
    else:
        await ada.client.send_contact(bob.id, "15550199", "Eve", "E")
        await ada.client.send_location(bob.id, 52.5, 13.4)
        await ada.client.send_venue(bob.id, 52.5, 13.4, "A café", "A street 1")
    updates = await bob.seen.wait("updateNewMessage", has_media, count=3, timeout_s=PATIENCE_S)
    contact, place, venue = (update.message.media for update in updates)
    assert (contact.phone_number, contact.first_name, contact.last_name) == ("15550199", "Eve", "E")
    assert (round(place.geo.lat, 4), round(place.geo.long, 4)) == (52.5, 13.4)
    assert (venue.title, venue.address, round(venue.geo.long, 4)) == ("A café", "A street 1", 13.4)


async def album(person, peer, kinds):
    """Sends an album of photos, documents or videos and returns what was in it, by kind."""
    files = []
    for number, kind in enumerate(kinds):
        if kind == "photo":
            files.append(File(picture(width=320, height=240, seed=number), f"{number}.jpg"))
        else:
            files.append(File(noise(40_000 + number), f"{number}.{'mp4' if kind == 'video' else 'pdf'}"))
    if person.library == "telethon":
        documents = all(kind == "document" for kind in kinds)
        await person.client.send_file(peer, files, caption=["one", "", ""][: len(files)], force_document=documents)
    else:
        media = {
            "photo": pyrogram.types.InputMediaPhoto,
            "video": pyrogram.types.InputMediaVideo,
            "document": pyrogram.types.InputMediaDocument,
        }
        inputs = [media[kind](file) for kind, file in zip(kinds, files, strict=True)]
        inputs[0].caption = "one"
        await person.client.send_media_group(peer, inputs)
    return files


ALBUMS = {"photos": ["photo"] * 3, "documents": ["document"] * 3, "mixed": ["photo", "video"]}


@both_libraries
@pytest.mark.parametrize("kinds", ALBUMS.values(), ids=ALBUMS.keys())
async def test_albums_arrive_together_and_in_order(world, first, second, kinds):
    ada, bob = await world.pair(first, second)
    files = await album(ada, bob.id, kinds)
    updates = await bob.seen.wait("updateNewMessage", has_media, count=len(kinds), timeout_s=PATIENCE_S)
    messages = [update.message for update in updates]
    assert len({message.grouped_id for message in messages}) == 1 and messages[0].grouped_id
    assert [message.message for message in messages] == ["one", "", ""][: len(kinds)]
    for message, kind, file in zip(messages, kinds, files, strict=True):
        assert hasattr(message.media, "photo") == (kind == "photo")
        found = await content(bob, ada.id, message.id)
        if kind == "photo":
            assert opened(found).size == (320, 240)
        else:
            assert digest(found) == digest(file.content)


@both_libraries
async def test_captions_and_media_are_edited(world, tmp_path, first, second):
    ada, bob = await world.pair(first, second)
    old, new = File(noise(30_000), "old.pdf"), File(noise(31_000), "new.pdf")
    if first == "telethon":
        sent = await ada.client.send_file(bob.id, old, caption="old", force_document=True)
        await ada.client.edit_message(bob.id, sent.id, "__new__ caption")
    else:
        sent = await ada.client.send_document(bob.id, old, caption="old")
        await ada.client.edit_message_caption(bob.id, sent.id, "__new__ caption")
    edited = (await bob.seen.wait("updateEditMessage")).message
    assert edited.message == "new caption" and edited.entities
    assert digest(await content(bob, ada.id, edited.id)) == digest(old.content)
    if first == "telethon":
        await ada.client.edit_message(bob.id, sent.id, file=new, force_document=True)
    else:
        # Here it wants a file on disk.
        path = tmp_path / new.name
        path.write_bytes(new.content)
        await ada.client.edit_message_media(bob.id, sent.id, pyrogram.types.InputMediaDocument(str(path)))
    edited = (await bob.seen.wait("updateEditMessage", count=2))[1].message
    assert attribute(edited.media.document, "Filename").file_name == "new.pdf"
    assert digest(await content(bob, ada.id, edited.id)) == digest(new.content)
    assert digest(await content(ada, bob.id, sent.id)) == digest(new.content)


@both_libraries
async def test_files_are_forwarded_and_sent_again_without_uploading(world, first, second):
    ada, bob = await world.pair(first, second)
    file = File(noise(60_000), "kept.bin")
    send = "send_file" if first == "telethon" else "send_document"
    sent = await getattr(ada.client, send)(bob.id, file)
    got = await received(bob)
    # The recipient has it too: it is forwarded and sent back by them, while the sender's copy goes.
    await ada.delete(bob.id, sent.id, revoke=False)
    kept = await bob.forward("me", got.id, ada.id)
    assert digest(await content(bob, "me", kept)) == digest(file.content)
    if second == "telethon":
        message = await bob.client.get_messages(ada.id, ids=got.id)
        await bob.client.send_file(ada.id, message.media, caption="again")
    else:
        message = await bob.client.get_messages(ada.id, got.id)
        await bob.client.send_cached_media(ada.id, message.document.file_id, caption="again")
    again = await ada.seen.message("again")
    assert again.media.document.id == got.media.document.id
    assert digest(await content(ada, bob.id, again.id)) == digest(file.content)


async def test_media_are_found_by_kind(world):
    ada, bob = await world.pair()
    for kind in ("video", "voice", "document"):
        await KINDS[kind].telethon(ada.client, bob.id, KINDS[kind].make())
    await ada.client.send_file(bob.id, File(picture(), "p.jpg"))
    await ada.send(bob.id, "words")

    async def count(which):
        return len(await ada.client.get_messages(bob.id, limit=10, filter=which))

    assert await count(telethon_types.InputMessagesFilterPhotos) == 1
    assert await count(telethon_types.InputMessagesFilterVideo) == 1
    assert await count(telethon_types.InputMessagesFilterPhotoVideo) == 2
    assert await count(telethon_types.InputMessagesFilterVoice) == 1
    assert await count(telethon_types.InputMessagesFilterDocument) == 1


@pytest.mark.parametrize("library", ["telethon", "pyrogram"])
async def test_large_files_go_and_come_in_parallel(world, library):
    if KURIGRAM and library == "pyrogram":
        pytest.skip("its ciphers are written in Python, which takes minutes")
    ada = await world.sign_up("Ada", library)
    # More than 10 MB: `saveBigFilePart`, which pyrogram sends four at a time.
    file = File(noise(30 * 1024 * 1024 + 12345, seed=30), "large.bin")
    if library == "telethon":
        sent = await ada.client.send_file("me", file, force_document=True)
        message = await ada.client.get_messages("me", ids=sent.id)
        # Four readers at once, a quarter each.
        quarter = 8 * 1024 * 1024

        async def read(number):
            out = io.BytesIO()
            async for chunk in ada.client.iter_download(
                message.document, offset=number * quarter, limit=quarter // (512 * 1024), request_size=512 * 1024
            ):
                out.write(chunk)
            return out.getvalue()

        found = b"".join(await asyncio.gather(*(read(number) for number in range(4))))
    else:
        sent = await ada.client.send_document("me", file)
        found = await content(ada, "me", sent.id)
    assert digest(found) == digest(file.content)
