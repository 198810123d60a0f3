"""Uploads and downloads on the wire: every order, every interruption, every way to get it wrong."""

import itertools
import random
import threading
import time
from hashlib import sha256

import pytest
from telethon.tl import functions, types

from clients import code_of, new_phone
from harness import Server
from media import (
    KIB,
    MIB,
    PART_MAX,
    Part,
    as_document,
    as_photo,
    cut,
    digest,
    fetch,
    get,
    input_document,
    input_file,
    input_photo,
    location,
    new_id,
    new_message,
    noise,
    picture,
    save,
    save_request,
    send,
    sizes_of,
    upload,
)
from mini import Mini, RpcError, alive
from wire import Closed

each_way = pytest.mark.parametrize("how", ["stop", "kill"])


def signed_up(server, **options):
    client = Mini(server, timeout_s=20, **options)
    client.phone = new_phone()
    client.log_in(client.phone, code_of(client.phone))
    return client


def pair(server):
    """Two new users, and how each names the other."""
    ada, bob = signed_up(server), signed_up(server)
    return ada, bob, ada.meet(bob.phone), bob.meet(ada.phone)


def refused(*texts):
    """Fails unless the block is refused with one of these errors."""
    return pytest.raises(RpcError, match=f"^400 ({'|'.join(texts)})$")


def newest(client, peer=None):
    """The newest message of a chat, as the client is shown it now."""
    peer = peer or types.InputPeerSelf()
    history = client.call(functions.messages.GetHistoryRequest(peer, 0, None, 0, 1, 0, 0, 0))
    return history.messages[0]


def sent_document(client, file, **options):
    return send(client, as_document(file, **options)).media.document


def check(client, file, content):
    """An upload is a file: sent to oneself it comes back as it was."""
    document = sent_document(client, file)
    assert document.size == len(content)
    assert digest(fetch(client, location(document))) == digest(content)


# ---- in any order ----


@pytest.mark.parametrize("part_kib", [1, 4, 32, 64, 256, 512])
def test_parts_of_each_size(user, part_kib):
    part_len = part_kib * KIB
    for length in (part_len * 3, part_len * 3 + 1, part_len * 4 - 1, part_len, 1):
        content = noise(length)
        check(user, upload(user, content, part_len), content)


@pytest.mark.parametrize("total", [None, 9, -1], ids=["small", "big", "unknown"])
def test_parts_come_in_any_order_and_again(user, total):
    content, part_len = noise(8 * 64 * KIB + 777), 64 * KIB
    for seed in range(4):
        file_id, parts = new_id(), cut(content, part_len)
        order = parts + parts[2:5]
        random.Random(seed).shuffle(order)
        # With the short last one first, and once more at the end, now that the others are known.
        save(user, file_id, [parts[-1], *order, parts[-1]], total)
        check(user, input_file(file_id, len(parts), big=total is not None), content)


def test_a_part_that_comes_again_with_other_bytes_counts_as_it_came_last(user):
    content, other = noise(3 * KIB), noise(KIB)
    file_id, parts = new_id(), cut(content, KIB)
    save(user, file_id, parts)
    save(user, file_id, [parts[1]._replace(content=other)])
    check(user, input_file(file_id, 3), content[:KIB] + other + content[2 * KIB :])


def test_many_parts_are_under_way_at_once(user):
    content = noise(12 * MIB + 5)
    check(user, upload(user, content, at_once=8), content)


def test_connections_and_sessions_of_a_user_share_an_upload(server):
    first = signed_up(server)
    others = [Mini(server, auth=first.auth, timeout_s=20) for _ in range(3)]
    content = noise(16 * MIB)
    file_id, parts = new_id(), cut(content, PART_MAX)
    clients = [first, *others]
    failures = []

    def work(number):
        try:
            save(clients[number], file_id, parts[number :: len(clients)], len(parts), at_once=4)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    document = sent_document(first, input_file(file_id, len(parts), big=True))
    found = {}

    def read(number):
        try:
            for block in range(number, 16, len(clients)):
                found[block] = get(clients[number], location(document), block * MIB)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=read, args=[number]) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert digest(b"".join(found[block] for block in range(16))) == digest(content)
    for client in clients:
        client.close()


def test_an_upload_is_used_more_than_once(user):
    content = noise(100_000)
    file = upload(user, content)
    first, second = sent_document(user, file), sent_document(user, file)
    assert first.id == second.id
    media = user.call(functions.messages.UploadMediaRequest(types.InputPeerSelf(), as_document(file)))
    assert media.document.id == first.id
    photo = upload(user, picture(), name="p.jpg")
    assert send(user, as_photo(photo)).media.photo.id == send(user, as_photo(photo)).media.photo.id


def test_uploaded_media_become_an_album(user):
    me = types.InputPeerSelf()
    items = []
    for number in range(3):
        file = upload(user, picture(seed=number), name="p.jpg")
        photo = user.call(functions.messages.UploadMediaRequest(me, as_photo(file))).photo
        items.append(types.InputSingleMedia(types.InputMediaPhoto(input_photo(photo)), f"{number}", random_id=new_id()))
    sent = user.call(functions.messages.SendMultiMediaRequest(me, items))
    messages = [u.message for u in sent.updates if isinstance(u, types.UpdateNewMessage)]
    assert [message.message for message in messages] == ["0", "1", "2"]
    assert len({message.grouped_id for message in messages}) == 1
    assert [m.media.photo.id for m in messages] == [item.media.id.id for item in items]


# ---- wrong ----


def part(file_id, number, content, total=None):
    return save_request(file_id, Part(number, content), total)


@pytest.mark.parametrize(
    ("number", "length", "total", "error"),
    [
        (0, 0, None, "FILE_PART_EMPTY"),
        (0, PART_MAX + 1, None, "FILE_PART_TOO_BIG"),
        (-1, KIB, None, "FILE_PART_INVALID"),
        (4000, KIB, 4000, "FILE_PART_INVALID"),
        (9, KIB, 5, "FILE_PART_INVALID"),
        (0, KIB, 0, "FILE_PARTS_INVALID"),
        (0, KIB, -2, "FILE_PARTS_INVALID"),
        (0, KIB, 4001, "FILE_PARTS_INVALID"),
    ],
)
def test_a_part_that_cannot_be_is_refused(user, number, length, total, error):
    with refused(error):
        user.call(part(new_id(), number, bytes(length), total))
    alive(user)


def test_parts_that_do_not_fit_each_other_are_refused(user):
    file_id = new_id()
    save(user, file_id, cut(bytes(4 * KIB), 4 * KIB))
    with refused("FILE_PART_SIZE_CHANGED"):
        user.call(part(file_id, 1, bytes(8 * KIB)))
    # 3 KiB divide no 512 KiB: fine for a last part, but there is one behind it.
    file_id = new_id()
    with refused("FILE_PART_SIZE_INVALID", "FILE_PART_SIZE_CHANGED"):
        user.call(part(file_id, 0, bytes(3 * KIB)))
        user.call(part(file_id, 1, bytes(3 * KIB)))


def test_incomplete_uploads_are_refused(user):
    file_id, parts = new_id(), cut(noise(5 * KIB), KIB)
    save(user, file_id, [parts[0], parts[1], parts[4]])
    with refused("FILE_PART_2_MISSING"):
        sent_document(user, input_file(file_id, 5))
    save(user, file_id, [parts[2]])
    with refused("FILE_PART_3_MISSING"):
        sent_document(user, input_file(file_id, 5))
    for count in (-1, 8001):
        with refused("FILE_PARTS_INVALID"):
            sent_document(user, input_file(file_id, count))
    for file in (input_file(file_id, 0), input_file(new_id(), 1)):
        with refused("FILE_PART_0_MISSING"):
            sent_document(user, file)
    # What is missing may still come.
    save(user, file_id, [parts[3]])
    check(user, input_file(file_id, 5), b"".join(part.content for part in parts))


def test_a_wrong_sum_is_refused(user):
    content = noise(10_000)
    with refused("MD5_CHECKSUM_INVALID"):
        sent_document(user, upload(user, content, checksum="0" * 32))
    check(user, upload(user, content, checksum=""), content)
    check(user, upload(user, content), content)


def test_uploads_are_their_users_own(server):
    ada, bob, _, _ = pair(server)
    file = upload(ada, noise(1000))
    with refused("FILE_PART_0_MISSING"):
        sent_document(bob, file)
    ada.close()
    bob.close()


def test_nobody_uploads_without_an_account(client):
    with pytest.raises(RpcError, match="401 AUTH_KEY_UNREGISTERED"):
        client.call(part(1, 0, bytes(KIB)))


@pytest.mark.parametrize(
    ("content", "name", "errors"),
    [
        (b"no picture at all" * 100, "p.jpg", ["IMAGE_PROCESS_FAILED", "PHOTO_EXT_INVALID", "PHOTO_SAVE_FILE_INVALID"]),
        (picture()[:300], "p.jpg", ["IMAGE_PROCESS_FAILED"]),
        (picture("PNG", 4000, 10), "p.png", ["PHOTO_INVALID_DIMENSIONS"]),
        (picture("PNG", 9990, 600), "p.png", ["PHOTO_INVALID_DIMENSIONS"]),
    ],
)
def test_what_is_no_photo_is_refused(user, content, name, errors):
    file = upload(user, content, name=name)
    with refused(*errors):
        send(user, as_photo(file))
    # As a document it is as good as any.
    check(user, upload(user, content, name=name), content)


# ---- ranges ----


def test_ranges_follow_the_published_rules(user):
    content = noise(3 * MIB + 5000)
    where = location(sent_document(user, upload(user, content)))
    wide = [(MIB, MIB), (3 * MIB, MIB), (2 * MIB, 512 * KIB)]
    for offset, limit in [(0, 4096), (4096, 8192), (MIB - 4096, 4096), *wide]:
        assert get(user, where, offset, limit) == content[offset:][:limit], (offset, limit)
    for offset, limit in [(1024, 1024), (5 * KIB, 3 * KIB), (3 * MIB + 4 * KIB, 100 * KIB)]:
        assert get(user, where, offset, limit, precise=True) == content[offset:][:limit], (offset, limit)
    for offset in (4 * MIB, 1 << 40):
        assert get(user, where, offset, 4096) == b""
    for offset, limit, precise, error in [
        (1, 4096, None, "OFFSET_INVALID"),
        (1024, 4096, None, "OFFSET_INVALID"),
        (-4096, 4096, None, "OFFSET_INVALID"),
        (512, 1024, True, "OFFSET_INVALID"),
        (0, 0, None, "LIMIT_INVALID"),
        (0, -1, None, "LIMIT_INVALID"),
        (0, 1000, None, "LIMIT_INVALID"),
        (0, 3 * 4096, None, "LIMIT_INVALID"),
        (0, 2 * MIB, None, "LIMIT_INVALID"),
        (0, 1000, True, "LIMIT_INVALID"),
        (0, 2 * MIB, True, "LIMIT_INVALID"),
        (MIB - 4096, 8192, None, "LIMIT_INVALID|OFFSET_INVALID"),
        (MIB - 1024, 2048, True, "LIMIT_INVALID|OFFSET_INVALID"),
    ]:
        with refused(error):
            get(user, where, offset, limit, precise)


def test_hashes_of_a_file_are_those_of_its_bytes(user):
    content = noise(2 * MIB + 77)
    where = location(sent_document(user, upload(user, content)))
    offset = 0
    while offset < len(content):
        hashes = user.call(functions.upload.GetFileHashesRequest(where, offset))
        assert hashes
        for found in hashes:
            if found.offset + found.limit > offset:
                assert found.offset <= offset
                assert found.hash == sha256(content[found.offset :][: found.limit]).digest()
                offset = found.offset + found.limit
    assert offset == len(content)


def test_what_is_nowhere_is_not_fetched(user):
    unknown = [
        types.InputDocumentFileLocation(1, 2, b"12345", ""),
        types.InputPhotoFileLocation(1, 2, b"12345", "x"),
        types.InputPeerPhotoFileLocation(types.InputPeerSelf(), 77),
        types.InputEncryptedFileLocation(1, 2),
        types.InputTakeoutFileLocation(),
        types.InputStickerSetThumb(types.InputStickerSetEmpty(), 1),
    ]
    for where in unknown:
        with refused("LOCATION_INVALID", "FILE_ID_INVALID", "FILE_REFERENCE_INVALID", "STICKERSET_INVALID"):
            get(user, where)
    alive(user)


# ---- who may ----


def test_file_references_are_checked(server):
    ada, bob, to_bob, to_ada = pair(server)
    content = noise(50_000)
    document = send(ada, as_document(upload(ada, content)), to_bob).media.document
    where = location(document)
    assert fetch(ada, where) == content
    tampered = bytearray(document.file_reference)
    tampered[-1] ^= 1
    for reference, error in [(b"", "FILE_REFERENCE_EMPTY"), (bytes(tampered), "FILE_REFERENCE_INVALID")]:
        where.file_reference = reference
        with refused(error):
            get(ada, where)
        reused = types.InputMediaDocument(types.InputDocument(document.id, document.access_hash, reference))
        with refused(error):
            send(ada, reused)
    # Another user's hash and reference lead nowhere, one's own do.
    foreign = location(document)
    with refused("FILE_ID_INVALID", "FILE_REFERENCE_INVALID", "LOCATION_INVALID"):
        get(bob, foreign)
    own = newest(bob, to_ada).media.document
    assert own.id == document.id and own.access_hash != document.access_hash
    assert fetch(bob, location(own)) == content
    # A message that is gone takes its reference along.
    bob.call(functions.messages.DeleteMessagesRequest([newest(bob, to_ada).id]))
    with refused("FILE_REFERENCE_EXPIRED"):
        get(bob, location(own))
    assert fetch(ada, location(document)) == content
    ada.close()
    bob.close()


def test_references_expire_and_are_renewed(tmp_path):
    server = Server(tmp_path, "--set", "media.reference_s=2").start()
    user = signed_up(server)
    content = noise(10_000)
    message = send(user, as_document(upload(user, content)))
    document = message.media.document
    assert fetch(user, location(document)) == content
    time.sleep(3)
    with refused("FILE_REFERENCE_EXPIRED"):
        get(user, location(document))
    with refused("FILE_REFERENCE_EXPIRED"):
        send(user, types.InputMediaDocument(input_document(document)))
    album = [
        types.InputSingleMedia(types.InputMediaDocument(input_document(document)), "", random_id=new_id()) for _ in "ab"
    ]
    with refused("FILE_REFERENCE_0_EXPIRED"):
        user.call(functions.messages.SendMultiMediaRequest(types.InputPeerSelf(), album))
    again = user.call(functions.messages.GetMessagesRequest([types.InputMessageID(message.id)])).messages[0]
    assert again.media.document.file_reference != document.file_reference
    assert fetch(user, location(again.media.document)) == content
    user.close()
    assert server.stop() == 0
    assert not server.complaints()


# ---- interrupted ----


def test_an_upload_goes_on_after_the_connection_was_cut(server):
    user = signed_up(server)
    content = noise(2 * MIB + 3)
    file_id, parts = new_id(), cut(content, 128 * KIB)
    for start in range(0, len(parts), 3):
        save(user, file_id, parts[start : start + 3])
        # In the middle of a packet.
        packet = user.connection.framing.pack(user.seal(user.message(bytes(save_request(file_id, parts[-1])))), False)
        user.connection.stream.write(packet[: len(packet) // 2])
        user.reconnect()
    check(user, input_file(file_id, len(parts)), content)
    user.close()


def test_a_download_goes_on_after_the_connection_was_cut(server):
    user = signed_up(server)
    content = noise(6 * MIB)
    where = location(sent_document(user, upload(user, content)))
    found = b""
    for block in itertools.count():
        # One request is answered; the answers of two more are never read to their end.
        found += get(user, where, block * MIB)
        for ahead in (1, 2):
            user.send(functions.upload.GetFileRequest(where, (block + ahead) * MIB, MIB))
        user.connection.stream.read(100)
        user.reconnect()
        if len(found) == len(content):
            break
    assert digest(found) == digest(content)
    user.close()


@each_way
def test_an_upload_goes_on_after_a_restart(own_server, how):
    user = signed_up(own_server)
    content = noise(12 * MIB + 1)
    file_id, parts = new_id(), cut(content, PART_MAX)
    half = len(parts) // 2
    save(user, file_id, parts[:half], len(parts))
    own_server.restart(how)
    user.reconnect()
    save(user, file_id, parts[half:], len(parts))
    document = sent_document(user, input_file(file_id, len(parts), big=True))
    own_server.restart(how)
    user.reconnect()
    document = newest(user).media.document
    assert digest(fetch(user, location(document))) == digest(content)
    user.close()


def test_acknowledged_parts_survive_a_kill(own_server):
    user = signed_up(own_server)
    content = noise(40 * MIB, seed=1)
    file_id, parts = new_id(), cut(content, PART_MAX)
    random.Random(2).shuffle(parts)
    done = set()
    for kill_after in (9, 33, 50):
        left = [part for part in parts if part.number not in done]
        waiting = {}
        stop = threading.Event()

        def kill_later(wanted=kill_after, stop=stop):
            while len(done) < wanted and not stop.is_set():
                time.sleep(0.001)
            own_server.kill()

        killer = threading.Thread(target=kill_later)
        killer.start()
        try:
            for part in left:
                waiting[user.send(save_request(file_id, part, len(parts)))] = part.number
                while len(waiting) >= 6:
                    msg_id = next(iter(waiting))
                    user.result(msg_id)
                    done.add(waiting.pop(msg_id))
        except (OSError, Closed):
            pass
        stop.set()
        killer.join()
        own_server.start()
        user.reconnect()
        # Learns the new salts.
        user.call(functions.help.GetNearestDcRequest())
    # Only what was not acknowledged is sent again.
    assert done and len(done) < len(parts)
    save(user, file_id, [part for part in parts if part.number not in done], len(parts))
    document = sent_document(user, input_file(file_id, len(parts), big=True))
    assert digest(fetch(user, location(document))) == digest(content)
    user.close()


def test_a_photo_sent_right_before_a_kill_is_there(own_server):
    user = signed_up(own_server)
    photo = send(user, as_photo(upload(user, picture(width=1500, height=1000), name="p.jpg"))).media.photo
    before = {kind: fetch(user, location(photo, kind)) for kind in sizes_of(photo.sizes)}
    own_server.restart("kill")
    user.reconnect()
    photo = newest(user).media.photo
    assert before and before == {kind: fetch(user, location(photo, kind)) for kind in sizes_of(photo.sizes)}
    user.close()


def test_what_was_forwarded_outlives_the_original(server):
    ada, bob, to_bob, to_ada = pair(server)
    content = noise(70_000)
    first = send(ada, as_document(upload(ada, content)), to_bob)
    at_bob = newest(bob, to_ada)
    me = types.InputPeerSelf()
    forward = functions.messages.ForwardMessagesRequest(to_ada, [at_bob.id], me, random_id=[new_id()])
    kept = new_message(bob.call(forward))
    ada.call(functions.messages.DeleteMessagesRequest([first.id], revoke=True))
    with refused("FILE_REFERENCE_EXPIRED"):
        get(ada, location(first.media.document))
    time.sleep(0.5)
    assert fetch(bob, location(kept.media.document)) == content
    ada.close()
    bob.close()
