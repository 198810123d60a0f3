"""Every way of framing and hiding packets, on the one port."""

import os
import struct

import pytest
from telethon.network import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.tl import functions, types

from clients import code_of, new_phone
from mini import Mini, RpcError
from wire import Abridged, Closed, Full, Intermediate, Padded, Tcp, TransportError, WebSocket

FRAMINGS = [Abridged, Intermediate, Padded, Full]
# One payload a size class of each framing, the last beyond a socket's buffer.
SIZES = [1, 400, 1100, 70_000, 400_000]

# How the connection is dressed: plain, obfuscated, WebSocket, WebSocket in small pieces.
DRESSES = {
    "plain": {},
    "obfuscated": {"obfuscated": True},
    "websocket": {"websocket": True},
    "websocket-pieces": {"websocket": True, "pieces": 7},
}
WAYS = [
    pytest.param({"framing": framing} | dress, id=f"{framing.__name__.lower()}-{name}")
    for framing in FRAMINGS
    for name, dress in DRESSES.items()
    if framing is not Full or name == "plain"
]


@pytest.mark.parametrize(
    "connection",
    [ConnectionTcpFull, ConnectionTcpAbridged, ConnectionTcpIntermediate, ConnectionTcpObfuscated],
)
async def test_telethon_chats_on_each_of_its_transports(world, connection):
    ada, bob = await world.sign_up("Ada", connection=connection), await world.sign_up("Bob")
    await ada.meet(bob)
    await bob.meet(ada)
    await ada.send(bob.id, "hello")
    await bob.send(ada.id, "hi")
    await ada.seen.message("hi")
    assert [text for _, _, text in await bob.history(ada.id)] == ["hi", "hello"]


@pytest.mark.parametrize("way", WAYS)
def test_a_login_works_on_each_transport(server, way):
    client = Mini(server, **way)
    phone = new_phone()
    assert client.log_in(phone, code_of(phone)).phone == phone
    text = "x" * 4000
    client.send_text(types.InputPeerSelf(), text)
    history = client.call(functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 10, 0, 0, 0))
    assert [message.message for message in history.messages] == [text]
    client.close()


@pytest.mark.parametrize("way", WAYS)
def test_packets_of_every_size_are_taken_whole(server, way):
    client = Mini(server, **way)
    for size in SIZES:
        query = functions.help.SaveAppLogRequest([types.InputAppEvent(0, "x" * size, 0, types.JsonNull())])
        try:
            client.call(query)
        except RpcError as error:
            # Not served, or too long: an answer to exactly this query, so the packet was understood.
            assert error.code in (400, 401)
    client.call(functions.help.GetNearestDcRequest())
    client.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_session_goes_on_over_another_transport(server, way):
    client = Mini(server)
    first = client.call(functions.help.GetNearestDcRequest())
    client.reconnect(**way)
    assert client.call(functions.help.GetNearestDcRequest()).to_dict() == first.to_dict()
    client.close()


@pytest.mark.parametrize("way", [way for way in WAYS if way.values[0]["framing"] is not Full])
def test_quick_acks_name_the_packet(server, way):
    client = Mini(server, **way)
    client.call(functions.help.GetNearestDcRequest())
    client.result(client.send(functions.help.GetNearestDcRequest(), quick_ack=True))
    token = int.from_bytes(client.token[:4], "little") | 0x80000000
    assert client.quick_acks == [token]
    client.close()


def test_bytes_may_come_one_by_one(server):
    client = Mini(server, framing=Abridged)
    write = client.connection.stream.write

    def trickle(data):
        for at in range(len(data)):
            write(data[at : at + 1])

    client.connection.stream.write = trickle
    client.call(functions.help.GetNearestDcRequest())
    client.close()


def test_many_packets_may_come_at_once(server):
    client = Mini(server, framing=Intermediate)
    client.call(functions.help.GetNearestDcRequest())
    frames, ids = b"", []
    for _ in range(100):
        message = client.message(bytes(functions.help.GetNearestDcRequest()))
        frames += client.connection.framing.pack(client.seal(message))
        ids.append(message.msg_id)
    client.connection.stream.write(frames)
    for msg_id in ids:
        client.result(msg_id)
    client.close()


@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_unknown_key_is_answered_404(server, framing):
    client = Mini(server, framing=framing)
    client.auth = client.auth._replace(key=os.urandom(256))
    client.send(functions.help.GetNearestDcRequest())
    with pytest.raises(TransportError) as error:
        client.receive()
    assert error.value.code == -404


@pytest.mark.parametrize("change", ["crc", "number"])
def test_the_full_transport_checks_its_frames(server, change):
    client = Mini(server, framing=Full)
    client.call(functions.help.GetNearestDcRequest())
    frame = bytearray(
        client.connection.framing.pack(client.seal(client.message(bytes(functions.help.GetConfigRequest()))))
    )
    if change == "crc":
        frame[-1] ^= 1
    else:
        client.connection.framing._sent += 1
        frame = client.connection.framing.pack(client.seal(client.message(bytes(functions.help.GetConfigRequest()))))
    client.connection.stream.write(bytes(frame))
    with pytest.raises((Closed, TransportError)):
        client.receive()


def test_a_websocket_ping_is_answered(server):
    socket = WebSocket(Tcp(server.address))
    socket.ping(b"are you there")
    assert socket.read_message() == (10, b"are you there")
    socket.close()


def test_a_page_that_is_no_websocket_is_refused(server):
    for request in (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /apiws HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HEAD / HTTP/1.0\r\n\r\n",
    ):
        stream = Tcp(server.address)
        stream.write(request)
        answer = b""
        try:
            while True:
                answer += stream.read(1)
        except Closed:
            pass
        assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 5")), answer
        stream.close()


def test_a_telethon_ping_keeps_the_connection(server):
    client = Mini(server)
    for number in range(3):
        msg_id = client.send(functions.PingRequest(number))
        pong = client.wait(0x347773C5)
        assert struct.unpack("<qq", pong.body[4:20]) == (msg_id, number)
        assert pong.msg_id % 4 == 1
    client.close()


def test_two_connections_may_serve_one_session(server):
    first = Mini(server)
    first.call(functions.help.GetNearestDcRequest())
    second = Mini(server, auth=first.auth, session_id=first.session_id)
    second.introduced, second.sent = True, first.sent
    assert second.call(functions.help.GetNearestDcRequest()).this_dc == 2
    first.sent = second.sent
    assert first.call(functions.help.GetNearestDcRequest()).this_dc == 2
    first.close()
    second.close()
