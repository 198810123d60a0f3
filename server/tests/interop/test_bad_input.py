"""What no client should send: each ends in a clear error or a closed connection, and nobody else notices."""

import contextlib
import gzip
import os
import random
import socket
import struct
import threading
import time
import zlib

import pytest
from telethon.tl import functions, types

from clients import code_of, new_phone
from keys import PublicKey, tl_bytes
from mini import BAD_MSG, CONTAINER, GZIP, BadMsg, Handshake, Mini, RpcError, i64, new_msg_id, u32
from wire import Abridged, Closed, Connection, Full, Intermediate, Padded, TransportError

NEAREST = bytes(functions.help.GetNearestDcRequest())
FRAMINGS = [Abridged, Intermediate, Padded, Full]
# What the process may grow by while it is mistreated.
GROWTH_KIB_MAX = 64 * 1024


@pytest.fixture
def bystander(server):
    """Somebody who sends messages to themself all the while, and must not notice anything."""
    person = Mini(server, timeout_s=5)
    phone = new_phone()
    person.log_in(phone, code_of(phone))
    failures, stop = [], threading.Event()

    def live():
        try:
            while not stop.is_set():
                person.send_text(types.InputPeerSelf(), "still here")
                time.sleep(0.02)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=live)
    thread.start()
    yield person
    stop.set()
    thread.join(10)
    person.close()
    assert not failures


@pytest.fixture
def client(server):
    client = Mini(server, timeout_s=5)
    client.call(functions.help.GetNearestDcRequest())
    yield client
    client.close()


@pytest.fixture
def user(server):
    user = Mini(server, timeout_s=5)
    phone = new_phone()
    user.log_in(phone, code_of(phone))
    yield user
    user.close()


def alive(client):
    assert client.call(functions.help.GetNearestDcRequest()).this_dc == 2


def is_refused(client):
    """Whether the connection now ends, with or without a transport error, instead of an answer."""
    with pytest.raises((TransportError, Closed, TimeoutError)) as error:
        while True:
            message = client.receive()
            assert message.id != 0xF35C6D01, "it was answered"
    assert error.type is not TimeoutError, "the connection neither closes nor answers"


def test_garbage_closes_the_connection_or_is_waited_for(server, bystander):
    random_ = random.Random(1)
    for _ in range(60):
        with contextlib.closing(socket.create_connection(server.address, timeout=2)) as stream:
            with contextlib.suppress(OSError):
                stream.sendall(random_.randbytes(random_.choice([1, 3, 8, 63, 64, 200, 5000])))
                stream.shutdown(socket.SHUT_WR)
                while stream.recv(4096):
                    pass


@pytest.mark.parametrize("framing", FRAMINGS)
def test_garbage_in_a_well_framed_packet_is_refused(server, bystander, framing):
    random_ = random.Random(2)
    for length in (4, 8, 12, 16, 20, 24, 28, 40, 100, 1000):
        connection = Connection(server.address, framing, timeout_s=3)
        connection.send(random_.randbytes(length))
        with pytest.raises((TransportError, Closed)):
            connection.receive()
        connection.close()


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_packet_cut_short_leaves_nothing_behind(server, bystander, framing):
    for length in range(0, 120, 7):
        client = Mini(server, auth=bystander.auth, framing=framing)
        packet = client.connection.framing.pack(client.seal(client.message(client.wrap(NEAREST))))
        client.connection.stream.write(packet[:length])
        client.close()


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\xef\x7f\xff\xff\xff", "abridged"),
        (b"\xef\x00", "abridged, empty"),
        (b"\xee\xee\xee\xee\xff\xff\xff\x7f", "intermediate"),
        (b"\xee\xee\xee\xee\x00\x00\x00\x00", "intermediate, empty"),
        (b"\xee\xee\xee\xee\x01\x00\x00\x00\x00", "intermediate, one byte"),
        (b"\xdd\xdd\xdd\xdd\xff\xff\xff\x7f", "padded"),
        (struct.pack("<II", 0x7FFFFFFF, 0), "full"),
        (struct.pack("<II", 8, 0), "full, too short"),
        (struct.pack("<II", 13, 0), "full, odd"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_lengths_that_cannot_be_close_the_connection(server, bystander, start, name):
    stream = socket.create_connection(server.address, timeout=3)
    stream.sendall(start + bytes(64))
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := stream.recv(4096):
            received += piece
    assert len(received) <= 32
    stream.close()


def test_an_announced_length_costs_nothing_until_it_comes(server, bystander):
    before = server.resident_kib()
    streams = []
    for _ in range(100):
        stream = socket.create_connection(server.address, timeout=3)
        # Just under the hard limit: legal, but only the head ever comes.
        stream.sendall(b"\xee\xee\xee\xee" + u32(900_000) + bytes(100))
        streams.append(stream)
    time.sleep(0.3)
    assert server.resident_kib() - before < GROWTH_KIB_MAX
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("where", [0, 8, 15, 24, 40, -1])
def test_a_packet_with_a_flipped_bit_is_refused(client, bystander, where):
    packet = bytearray(client.seal(client.message(NEAREST)))
    packet[where] ^= 0x10
    client.connection.send(bytes(packet))
    is_refused(client)


def test_a_wrong_msg_key_is_refused(client, bystander):
    client.send(NEAREST, msg_key=os.urandom(16))
    is_refused(client)


@pytest.mark.parametrize(
    "lies",
    [
        {"length": 0xFFFFFFFF},
        {"length": 0x7FFFFFF0},
        {"length": 1},
        {"length": 3},
        {"length": len(NEAREST) + 4000},
        {"padding_len": 0 + 12},
        {"padding_len": 2000 + 12},
    ],
    ids=str,
)
def test_lengths_inside_a_packet_are_checked(client, bystander, lies):
    if "padding_len" in lies:
        # 12 bytes are the least and 1024 the most; round to what the cipher takes.
        lies = {"padding_len": 12 if lies["padding_len"] == 12 else 2012 + (-(32 + len(NEAREST) + 2012)) % 16}
    if lies == {"padding_len": 12}:
        lies = {"length": len(NEAREST) + 12}
    client.send(NEAREST, **lies)
    with pytest.raises((TransportError, Closed, RpcError, BadMsg)):
        while True:
            message = client.receive()
            assert message.id != 0xF35C6D01, "it was answered"
            if message.id == BAD_MSG:
                raise BadMsg(0)


def test_a_ciphertext_of_a_crooked_length_is_refused(client, bystander):
    packet = client.seal(client.message(NEAREST))
    client.connection.send(packet[:-4])
    is_refused(client)


def test_a_replayed_packet_is_not_run_again(server, user, bystander):
    user.auto_ack = False
    request = functions.messages.SendMessageRequest(types.InputPeerSelf(), "once", random_id=1)
    packet = user.seal(user.message(bytes(request)))
    for _ in range(20):
        user.connection.send(packet)
    user.drain()
    # On another connection too.
    other = Connection(server.address)
    other.send(packet)
    history = user.call(functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 10, 0, 0, 0))
    assert [message.message for message in history.messages] == ["once"]
    other.close()


def test_message_ids_far_from_now_are_refused(client, bystander):
    for msg_id in (0, 4, 2**62, -4, -(2**63), 2**63 - 4, new_msg_id(86400 * 365), new_msg_id(-86400 * 365)):
        with pytest.raises(BadMsg) as error:
            client.result(client.send(NEAREST, msg_id=msg_id))
        assert error.value.code in (16, 17, 18, 20)
    alive(client)


def nested(client, depth):
    message = client.message(NEAREST)
    for _ in range(depth):
        message = client.container([message])
    return message


@pytest.mark.parametrize("depth", [2, 3, 500])
def test_containers_in_containers_are_refused(client, bystander, depth):
    message = nested(client, depth)
    with pytest.raises((BadMsg, TransportError, Closed)) as error:
        client.result(client.send_message(message))
    if error.type is BadMsg:
        assert error.value.code == 64
        alive(client)


@pytest.mark.parametrize(
    "body",
    [
        u32(CONTAINER),
        u32(CONTAINER) + u32(1),
        u32(CONTAINER) + u32(0xFFFFFFFF),
        u32(CONTAINER) + u32(0x7FFFFFFF) + bytes(64),
        u32(CONTAINER) + u32(2) + i64(new_msg_id()) + u32(1) + u32(4) + NEAREST[:4],
        u32(CONTAINER) + u32(1) + i64(new_msg_id()) + u32(1) + u32(0xFFFFFFFC) + NEAREST,
        u32(CONTAINER) + u32(1) + i64(new_msg_id()) + u32(1) + u32(3) + NEAREST,
        u32(CONTAINER) + u32(0) + bytes(40),
    ],
    ids=["nothing", "no message", "count -1", "count max", "one missing", "length -4", "length 3", "bytes left"],
)
def test_crooked_containers_are_refused(client, bystander, body):
    client.send(body, content=False)
    with contextlib.suppress(TransportError, Closed):
        client.wait(BAD_MSG)
        alive(client)


def test_a_container_of_too_many_messages_is_refused(client, bystander):
    pings = [client.message(bytes(functions.PingRequest(n)), False) for n in range(5000)]
    client.send_message(client.container(pings))
    with contextlib.suppress(TransportError, Closed):
        client.wait(BAD_MSG)
        alive(client)


def bomb(mebibytes):
    """A gzip member of so many mebibytes of zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(mebibytes))
    return data + packer.flush()


def test_a_gzip_bomb_does_not_unfold(server, client, bystander):
    before = server.resident_kib()
    packed = u32(GZIP) + tl_bytes(bomb(500))
    for _ in range(5):
        try:
            client.result(client.send(packed))
            pytest.fail("it was answered")
        except (RpcError, BadMsg):
            pass
        except (TransportError, Closed):
            client.reconnect()
    assert server.resident_kib() - before < GROWTH_KIB_MAX
    alive(client)


def test_gzip_in_gzip_and_broken_gzip_are_refused(client, bystander):
    inner = u32(GZIP) + tl_bytes(gzip.compress(NEAREST))
    deep = inner
    for _ in range(50):
        deep = u32(GZIP) + tl_bytes(gzip.compress(deep))
    whole = gzip.compress(NEAREST)
    for body in (
        u32(GZIP) + tl_bytes(gzip.compress(inner)),
        deep,
        u32(GZIP) + tl_bytes(b""),
        u32(GZIP) + tl_bytes(b"not gzip at all!"),
        u32(GZIP) + tl_bytes(whole[: len(whole) // 2]),
        u32(GZIP) + tl_bytes(gzip.compress(b"abc")),
        u32(GZIP),
    ):
        try:
            client.result(client.send(body))
            pytest.fail(f"it was answered: {body[:40]}")
        except (RpcError, BadMsg):
            pass
        except (TransportError, Closed):
            client.reconnect()
    alive(client)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("unknown", u32(0xDEADBEEF)),
        ("unknown, long", u32(0xDEADBEEF) + os.urandom(4000)),
        ("a type, no function", bytes(types.InputPeerSelf())),
        ("cut off", bytes(functions.messages.SendMessageRequest(types.InputPeerSelf(), "x" * 100, random_id=1))[:-40]),
        ("too long", NEAREST + bytes(4)),
        ("unknown argument", bytes(functions.users.GetUsersRequest([])) [:8] + u32(1) + u32(0xDEADBEEF)),
        ("endless vector", u32(0x0D91A548) + u32(0x1CB5C415) + u32(0x7FFFFFFF)),
        ("negative vector", u32(0x0D91A548) + u32(0x1CB5C415) + u32(0xFFFFFFFF)),
        ("no vector", u32(0x0D91A548) + u32(0xDEADBEEF) + u32(0)),
        ("no text", bytes(functions.contacts.ResolveUsernameRequest("abc"))[:8] + tl_bytes(b"\xff\xfe\xfd")),
        ("endless text", bytes(functions.contacts.ResolveUsernameRequest("a"))[:8] + b"\xfe\xff\xff\xff" + b"a" * 8),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_decoded_is_a_400_and_the_connection_stays(user, bystander, name, body):
    with pytest.raises(RpcError) as error:
        user.result(user.send(body))
    assert error.value.code == 400, error.value
    alive(user)


def test_wrappers_around_wrappers_end_somewhere(client, bystander):
    body = NEAREST
    for _ in range(20_000):
        body = u32(0xBF9459B7) + body
    with contextlib.suppress(TransportError, Closed):
        with pytest.raises(RpcError) as error:
            client.result(client.send(body))
        assert error.value.code == 400
        alive(client)


def test_recursion_in_the_schema_is_bounded(user, bystander):
    # A peer that is named by a message of a peer that is named by a message of …
    peer = bytes(types.InputPeerSelf())
    for _ in range(20_000):
        peer = u32(0xA87B0A1C) + peer + u32(1) + i64(1)
    body = u32(0x4423E6C5) + peer + bytes(32)
    with contextlib.suppress(TransportError, Closed):
        with pytest.raises(RpcError) as error:
            user.result(user.send(body))
        assert error.value.code == 400
        alive(user)


def test_other_peoples_access_hashes_open_nothing(server, user, bystander):
    friend = Mini(server)
    phone = new_phone()
    friend.log_in(phone, code_of(phone))
    right = user.meet(phone)
    theirs = friend.meet(user.user.phone)
    stranger = Mini(server)
    phone = new_phone()
    stranger.log_in(phone, code_of(phone))
    wrong = [
        types.InputPeerUser(right.user_id, right.access_hash),
        types.InputPeerUser(right.user_id, 0),
        types.InputPeerUser(right.user_id, right.access_hash ^ 1),
        types.InputPeerUser(right.user_id, theirs.access_hash),
        types.InputPeerUser(2**40 - 1, right.access_hash),
        types.InputPeerUser(0, 0),
        types.InputPeerUser(-1, 0),
    ]
    for peer in wrong:
        for request in (
            functions.messages.SendMessageRequest(peer, "intrusion", random_id=1),
            functions.messages.GetHistoryRequest(peer, 0, None, 0, 10, 0, 0, 0),
            functions.messages.SetTypingRequest(peer, types.SendMessageTypingAction()),
            functions.messages.ReadHistoryRequest(peer, 1),
            functions.messages.DeleteHistoryRequest(peer, 0, revoke=True),
            functions.messages.SaveDraftRequest(peer, "intrusion"),
            functions.messages.GetPeerDialogsRequest([types.InputDialogPeer(peer)]),
            functions.contacts.BlockRequest(peer),
        ):
            with pytest.raises(RpcError, match="PEER_ID_INVALID|USER_ID_INVALID|CONTACT_ID_INVALID"):
                stranger.call(request)
        input_user = types.InputUser(peer.user_id, peer.access_hash)
        with pytest.raises(RpcError, match="USER_ID_INVALID|PEER_ID_INVALID|CONTACT_ID_INVALID"):
            stranger.call(functions.users.GetFullUserRequest(input_user))
        with pytest.raises(RpcError, match="USER_ID_INVALID|PEER_ID_INVALID|CONTACT_ID_INVALID"):
            stranger.call(functions.contacts.AddContactRequest(input_user, "A", "B", ""))
        # Several may be asked for; those that are not known to the asker come empty or not at all.
        try:
            found = stranger.call(functions.users.GetUsersRequest([input_user]))
        except RpcError as error:
            assert error.code == 400
        else:
            assert all(isinstance(user, types.UserEmpty) for user in found)
    friend.drain(0.1)
    assert not any("intrusion" in str(update) for update in friend.updates)
    # With the right one it works.
    user.send_text(right, "welcome")
    friend.close()
    stranger.close()


def test_peers_of_other_kinds_are_refused_too(user, bystander):
    for peer in (
        types.InputPeerEmpty(),
        types.InputPeerChat(1),
        types.InputPeerChannel(1, 1),
        types.InputPeerUserFromMessage(types.InputPeerSelf(), 1, 1),
        types.InputPeerChannelFromMessage(types.InputPeerSelf(), 1, 1),
    ):
        with pytest.raises(RpcError) as error:
            user.send_text(peer, "hello")
        assert error.value.code == 400


@pytest.mark.parametrize("limit", [-1, 0, 2**31 - 1, -(2**31)])
def test_numbers_at_the_edge_are_taken_calmly(user, bystander, limit):
    requests = [
        functions.messages.GetHistoryRequest(types.InputPeerSelf(), limit, None, limit, limit, limit, limit, limit),
        functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, limit, 100, 0, 0, 0),
        functions.messages.GetDialogsRequest(None, limit, types.InputPeerEmpty(), limit, limit),
        functions.messages.ReadHistoryRequest(types.InputPeerSelf(), limit),
        functions.messages.DeleteMessagesRequest([limit, 0, -5], revoke=True),
        functions.messages.GetMessagesRequest([types.InputMessageID(limit)]),
        functions.contacts.GetBlockedRequest(limit, limit),
        functions.contacts.SearchRequest("abcdef", limit),
        functions.updates.GetDifferenceRequest(limit, None, limit),
        functions.account.ResetAuthorizationRequest(limit),
    ]
    for request in requests:
        try:
            user.call(request)
        except RpcError as error:
            assert error.code in (400, 403, 406), f"{error} to {request}"


def test_an_import_of_very_many_contacts_is_bounded(user, bystander):
    contacts = [types.InputPhoneContact(n, f"9996600{n:05}", "N", "") for n in range(5000)]
    with contextlib.suppress(RpcError):
        user.call(functions.contacts.ImportContactsRequest(contacts))
    alive(user)


def test_many_handshakes_that_never_end_leave_nothing_behind(server, bystander):
    before = server.resident_kib()
    for _ in range(100):
        making = Handshake(Connection(server.address, timeout_s=5), PublicKey.from_pem(server.public_key))
        making.send(u32(0xBE7E8EF1) + making.nonce)
        with contextlib.suppress(TransportError):
            making.receive()
        making.connection.close()
    assert server.resident_kib() - before < GROWTH_KIB_MAX


def test_who_does_not_read_does_not_fill_the_memory(server, user, bystander):
    for number in range(30):
        user.send_text(types.InputPeerSelf(), "x" * 4000)
    before = server.resident_kib()
    user.connection.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    request = bytes(functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 100, 0, 0, 0))
    user.auto_ack = False
    user.connection.stream.socket.settimeout(2)
    # Each answer is 120 KB; none is ever read.
    with contextlib.suppress(Closed, TimeoutError, OSError):
        for _ in range(3000):
            user.send(request)
    time.sleep(0.3)
    assert server.resident_kib() - before < 2 * GROWTH_KIB_MAX


def test_connections_without_a_word_do_not_keep_others_out(server, bystander):
    idle = [socket.create_connection(server.address, timeout=3) for _ in range(300)]
    client = Mini(server, timeout_s=5)
    alive(client)
    client.close()
    for stream in idle:
        stream.close()
