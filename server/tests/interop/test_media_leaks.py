"""What nobody needs any more goes, to the last byte; what somebody needs stays."""

import time

import pytest
from telethon.tl import functions, types

from clients import code_of, new_phone
from harness import Server
from media import (
    KIB,
    as_document,
    as_photo,
    cut,
    fetch,
    input_document,
    input_file,
    input_photo,
    location,
    new_id,
    noise,
    picture,
    save,
    send,
    upload,
)
from mini import Mini, RpcError

# Uploads and own files are over after this long, in seconds.
LIFETIME_S = 6
WAIT_S_MAX = 40


@pytest.fixture
def hasty_server(tmp_path):
    """A server that clears up at once."""
    server = Server(tmp_path, "--set", f"media.upload_s={LIFETIME_S}", "--set", "media.sweep_s=1").start()
    yield server
    if server.running:
        assert server.stop() == 0
    assert not server.complaints()


def signed_up(server):
    client = Mini(server, timeout_s=30)
    client.phone = new_phone()
    client.log_in(client.phone, code_of(client.phone))
    return client


def blobs(server):
    return int(server.stored()["blobs here"])


def until_stored(server, **wanted):
    """Waits until there is as much of each as wanted; nothing but time is needed for it."""
    wanted = {name.replace("_", " "): str(count) for name, count in wanted.items()}
    deadline = time.monotonic() + WAIT_S_MAX
    while any((stored := server.stored()).get(name) != count for name, count in wanted.items()):
        assert time.monotonic() < deadline, f"{stored}, not {wanted}"
        time.sleep(0.3)


def nothing_left(server):
    until_stored(server, blobs_here=0, uploads_open=0, chores_waiting=0)
    # Whatever lies there without a row would be found.
    server.media("check")


def delete(client, *messages, revoke=True):
    client.call(functions.messages.DeleteMessagesRequest([message.id for message in messages], revoke=revoke))


def test_what_was_deleted_is_gone(hasty_server):
    server = hasty_server
    ada, bob = signed_up(server), signed_up(server)
    to_bob, to_ada = ada.meet(bob.phone), bob.meet(ada.phone)
    content = noise(700 * KIB)
    thumb = upload(ada, picture(width=200, height=100), name="t.jpg")
    sent = [
        send(ada, as_document(upload(ada, content)), to_bob),
        send(ada, as_document(upload(ada, content), thumb=thumb), to_bob),
        send(ada, as_photo(upload(ada, picture(), name="p.jpg")), to_bob),
    ]
    # The same content is one blob; a preview and a photo are one each.
    assert blobs(server) == 3
    time.sleep(LIFETIME_S + 2)
    # Uploads are over, messages are not.
    until_stored(server, uploads_open=0)
    assert blobs(server) == 3
    server.media("check")
    delete(ada, *sent[:2], revoke=False)
    time.sleep(2)
    history = bob.call(functions.messages.GetHistoryRequest(to_ada, 0, None, 0, 10, 0, 0, 0)).messages
    assert [fetch(bob, location(message.media.document)) == content for message in history[1:]] == [True, True]
    bob.call(functions.messages.DeleteHistoryRequest(to_ada, 0, revoke=True))
    nothing_left(server)


def test_abandoned_uploads_are_cleared(hasty_server):
    server = hasty_server
    user = signed_up(server)
    for total in (None, 40, -1):
        file_id = new_id()
        save(user, file_id, cut(noise(300 * KIB), 64 * KIB)[:3], total)
    assert int(server.stored()["uploads open"]) == 3
    time.sleep(LIFETIME_S)
    nothing_left(server)
    with pytest.raises(RpcError, match="FILE_PART"):
        send(user, as_document(input_file(file_id, 3, big=True)))


def test_files_that_were_refused_or_not_sent_leave_nothing(hasty_server):
    server = hasty_server
    user = signed_up(server)
    me = types.InputPeerSelf()
    # Made, but not sent.
    user.call(functions.messages.UploadMediaRequest(me, as_document(upload(user, noise(10_000)))))
    user.call(functions.messages.UploadMediaRequest(me, as_photo(upload(user, picture(), name="p.jpg"))))
    assert blobs(server) > 0
    for media in (
        as_photo(upload(user, b"no picture" * 1000, name="p.jpg")),
        as_document(upload(user, noise(5000), checksum="0" * 32)),
    ):
        with pytest.raises(RpcError):
            send(user, media)
    for length, number in ((0, 0), (3 * KIB, -1), (600 * KIB, 0)):
        with pytest.raises(RpcError):
            user.call(functions.upload.SaveFilePartRequest(new_id(), number, bytes(length)))
    time.sleep(LIFETIME_S)
    nothing_left(server)


def test_every_way_to_lose_a_file(hasty_server):
    server = hasty_server
    user = signed_up(server)
    me = types.InputPeerSelf()

    def document(length=5000):
        return send(user, as_document(upload(user, noise(length))))

    # Edited away, deleted, its album deleted, sent again and both deleted, with its chat, gone by its time, before a video.
    edited = document()
    media = as_document(upload(user, noise(5001)))
    user.call(functions.messages.EditMessageRequest(me, edited.id, message="", media=media))
    first = document()
    reused = types.InputMediaDocument(input_document(first.media.document))
    second = send(user, reused)
    delete(user, first)
    assert fetch(user, location(second.media.document))
    items = []
    for number in range(2):
        photo = upload(user, picture(seed=number), name="p.jpg")
        photo = user.call(functions.messages.UploadMediaRequest(me, as_photo(photo))).photo
        items.append(types.InputSingleMedia(types.InputMediaPhoto(input_photo(photo)), "", random_id=new_id()))
    user.call(functions.messages.SendMultiMediaRequest(me, items))
    for seed in (7, 8):
        file = upload(user, picture(seed=seed), name="me.jpg")
        photo = user.call(functions.photos.UploadProfilePhotoRequest(file=file)).photo
    user.call(functions.photos.DeletePhotosRequest([input_photo(photo)]))
    user.call(functions.photos.UpdateProfilePhotoRequest(types.InputPhotoEmpty()))
    document()
    cover = upload(user, picture(seed=9), name="cover.jpg")
    cover = user.call(functions.messages.UploadMediaRequest(me, as_photo(cover))).photo
    attributes = [types.DocumentAttributeVideo(1, 2, 3)]
    film = as_document(upload(user, noise(5002)), "video/mp4", attributes, video_cover=input_photo(cover))
    assert send(user, film).media.video_cover.id == cover.id
    time.sleep(LIFETIME_S + 2)
    # What the message was edited to, what was sent again, the album, the last document, the video and its cover.
    until_stored(server, uploads_open=0, blobs_here=7)
    server.media("check")
    user.call(functions.messages.DeleteHistoryRequest(me, 0))
    nothing_left(server)


def test_a_kill_leaves_nothing_behind(tmp_path):
    server = Server(tmp_path, "--set", f"media.upload_s={LIFETIME_S}", "--set", "media.sweep_s=1")
    if server.forgets:
        pytest.skip("the store is in memory")
    server.start()
    user = signed_up(server)
    for number in range(3):
        parts = cut(noise(600 * KIB), 64 * KIB)
        file_id = new_id()
        save(user, file_id, parts[:5])
        kept = send(user, as_photo(upload(user, picture(seed=number), name="p.jpg")))
        gone = send(user, as_document(upload(user, noise(100_000))))
        delete(user, gone)
        server.restart("kill")
        user.reconnect()
    time.sleep(LIFETIME_S)
    until_stored(server, uploads_open=0, chores_waiting=0, blobs_here=3)
    server.media("check")
    found = user.call(functions.messages.GetMessagesRequest([types.InputMessageID(kept.id)])).messages[0]
    assert fetch(user, location(found.media.photo, "m"))
    user.call(functions.messages.DeleteHistoryRequest(types.InputPeerSelf(), 0))
    nothing_left(server)
    # And the folder, once it was cleared up, can be checked without a server.
    assert server.stop() == 0
    server.media("check")
    assert not server.complaints()
