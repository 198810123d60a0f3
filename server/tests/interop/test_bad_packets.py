"""Packets that no client should send: each ends in a clear error or a closed connection, and nobody else notices."""

import contextlib
import gzip
import os
import random
import socket
import struct
import time
import zlib

import pytest
from telethon.tl import functions, types

from harness import GROWTH_KIB_MAX
from keys import PublicKey, tl_bytes
from mini import BAD_MSG, CONTAINER, GZIP, BadMsg, Handshake, Mini, RpcError, alive, i64, new_msg_id, u32
from wire import Abridged, Closed, Connection, Full, Intermediate, Padded, TransportError

NEAREST = bytes(functions.help.GetNearestDcRequest())
FRAMINGS = [Abridged, Intermediate, Padded, Full]


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


# The body has 4 bytes and 12 of padding behind it.
@pytest.mark.parametrize(
    "lies",
    [
        {"length": 0xFFFFFFFF},
        {"length": 0x7FFFFFF0},
        {"length": 1},
        {"length": 3},
        {"length": 4004},
        # No padding is left.
        {"length": 16},
        # More than 1024 bytes of padding.
        {"padding_len": 1036},
    ],
    ids=str,
)
def test_lengths_inside_a_packet_are_checked(client, bystander, lies):
    client.send(NEAREST, **lies)
    with pytest.raises((TransportError, Closed, BadMsg)):
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
    for _ in range(30):
        user.send_text(types.InputPeerSelf(), os.urandom(2000).hex())
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
