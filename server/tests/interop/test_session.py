"""MTProto sessions: salts, containers, acknowledgements, what is asked about messages, what is sent again."""

import gzip
import struct
import zlib

import pytest
from telethon.tl import functions, types

from clients import code_of, new_phone
from keys import tl_bytes
from mini import (
    ACK,
    BAD_MSG,
    BAD_SALT,
    DETAILED,
    FUTURE_SALTS,
    GZIP,
    NEW_SESSION,
    PONG,
    RPC_RESULT,
    STATE_INFO,
    BadMsg,
    Mini,
    RpcError,
    alive,
    i64,
    new_msg_id,
    u32,
)
from wire import Closed, TransportError

NEAREST = bytes(functions.help.GetNearestDcRequest())


def vector(*ids):
    return u32(0x1CB5C415) + u32(len(ids)) + i64(*ids)


def test_a_new_session_is_announced_once(server):
    client = Mini(server)
    first = client.send(client.wrap(NEAREST))
    client.result(first)
    client.drain()
    (notice,) = [n for n in client.notices if n.id == NEW_SESSION]
    first_msg_id, unique_id, salt = struct.unpack("<qqq", notice.body[4:28])
    assert first_msg_id == first and notice.seq_no % 2 == 1
    client.notices.clear()
    alive(client)
    client.reconnect()
    alive(client)
    client.drain()
    assert NEW_SESSION not in [n.id for n in client.notices], "announced again after a reconnect"
    other = Mini(server, auth=client.auth)
    other.call(functions.help.GetNearestDcRequest())
    other.drain(0.1)
    (notice,) = [n for n in other.notices if n.id == NEW_SESSION]
    assert struct.unpack("<q", notice.body[12:20])[0] != unique_id


def test_a_wrong_salt_is_corrected(client):
    msg_id = client.send(NEAREST, salt=client.salt ^ 0x55)
    notice = client.wait(BAD_SALT)
    bad_id, _, code, salt = struct.unpack("<qiiq", notice.body[4:28])
    assert (bad_id, code) == (msg_id, 48)
    client.salt = salt
    alive(client)


def test_future_salts_can_be_had_and_the_current_one_used(client):
    msg_id = client.send(u32(0xB921BD04) + u32(10))
    answer = client.wait(FUTURE_SALTS)
    req, now, count = struct.unpack("<qii", answer.body[4:20])
    assert req == msg_id and 1 <= count <= 64 and len(answer.body) == 20 + count * 16
    salts = [struct.unpack_from("<iiq", answer.body, 20 + 16 * n) for n in range(count)]
    assert all(since < until for since, until, _ in salts)
    current = [salt for since, until, salt in salts if since <= now < until]
    assert current
    client.salt = current[0]
    alive(client)


@pytest.mark.parametrize(
    ("code", "offset_s", "low_bits"),
    [(16, -400, 0), (17, 120, 0), (18, 0, 2), (18, 0, 1)],
)
def test_bad_message_ids_are_told_apart(client, code, offset_s, low_bits):
    with pytest.raises(BadMsg) as error:
        client.result(client.send(NEAREST, msg_id=new_msg_id(offset_s) + low_bits))
    assert error.value.code == code
    alive(client)


def test_a_query_with_an_even_number_is_refused(client):
    with pytest.raises(BadMsg) as error:
        client.result(client.send(NEAREST, seq_no=client.sent * 2))
    assert error.value.code == 35
    alive(client)


def test_an_ack_may_have_an_odd_number(client):
    """mtcute numbers them so, and gives up if that is refused."""
    client.drain(0.1)
    client.send(u32(ACK) + vector(*client.to_ack), content=True)
    alive(client)
    client.drain(0.1)
    assert BAD_MSG not in [notice.id for notice in client.notices]


def test_a_container_carries_queries_pings_and_acks(client):
    queries = [client.message(NEAREST) for _ in range(3)]
    ping = client.message(bytes(functions.PingRequest(7)))
    ack = client.message(u32(ACK) + vector(*client.to_ack), content=False)
    client.send_message(client.container([*queries, ping, ack]))
    for query in queries:
        assert client.result(query.msg_id)
    assert client.wait(PONG).body[12:20] == i64(7)


def test_one_bad_query_does_not_spoil_its_container(client):
    unknown = client.message(u32(0xDEADBEEF))
    good = client.message(NEAREST)
    client.send_message(client.container([unknown, good]))
    assert client.result(good.msg_id)
    with pytest.raises(RpcError) as error:
        client.result(unknown.msg_id)
    assert error.value.code == 400


def test_an_empty_container_is_fine(client):
    client.send_message(client.container([]))
    alive(client)


def test_a_compressed_query_is_unpacked(client):
    client.result(client.send(u32(GZIP) + tl_bytes(gzip.compress(NEAREST))))
    # TDLib's is a zlib stream.
    client.result(client.send(u32(GZIP) + tl_bytes(zlib.compress(NEAREST))))
    # And around what initConnection wraps.
    body = client.wrap(u32(GZIP) + tl_bytes(gzip.compress(NEAREST)))
    client.result(client.send(body))


def test_a_repeated_query_is_answered_again_but_runs_once(user):
    request = functions.messages.SendMessageRequest(types.InputPeerSelf(), "once", random_id=1)
    other = functions.messages.SendMessageRequest(types.InputPeerSelf(), "twice", random_id=2)
    message = user.message(bytes(request))
    user.auto_ack = False
    first = user.result(user.send_message(message))
    user.send_message(message)
    while True:
        answer = user.wait(RPC_RESULT, DETAILED)
        if answer.body[4:12] == i64(message.msg_id):
            break
    if answer.id == RPC_RESULT:
        assert user._result(answer) == first
    # After a reconnect too.
    user.reconnect()
    user.result(user.send(bytes(other)))
    user.send_message(message)
    user.drain()
    history = user.call(functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 10, 0, 0, 0))
    assert [m.message for m in history.messages] == ["twice", "once"]


def test_an_answer_that_was_not_acknowledged_comes_again(user):
    user.auto_ack = False
    msg_id = user.send(NEAREST)
    # Wait until it is answered, on a connection that then breaks.
    assert user.connection.readable(5)
    user.reconnect()
    user.send(functions.PingRequest(1))
    assert user.result(msg_id)


def test_an_update_that_was_not_acknowledged_comes_again(server, user):
    friend = Mini(server)
    phone = new_phone()
    friend.log_in(phone, code_of(phone))
    user.call(functions.updates.GetStateRequest())
    peer = friend.meet(user.user.phone)
    user.drain(0.1)
    user.auto_ack = False
    friend.send_text(peer, "hello")
    user.drain()
    seen = [u for u in user.updates if "hello" in str(u)]
    assert seen, user.updates
    user.updates.clear()
    user.reconnect()
    user.send(functions.PingRequest(1))
    user.drain()
    assert any("hello" in str(update) for update in user.updates), "not sent again"
    # Acknowledged, it does not come a third time.
    user.auto_ack = True
    alive(user)
    user.drain(0.1)
    user.updates.clear()
    user.reconnect()
    alive(user)
    user.drain()
    assert not any("hello" in str(update) for update in user.updates)
    friend.close()


def test_the_state_of_messages_can_be_asked(client):
    done = client.send(NEAREST)
    client.result(done)
    ask = client.send(u32(0xDA69FB52) + vector(done, new_msg_id()), content=True)
    answer = client.wait(STATE_INFO)
    assert answer.body[4:12] == i64(ask)
    assert answer.body[12] == 2, "one byte a message"
    received, unknown = answer.body[13:15]
    assert received & 7 == 4 and unknown & 7 in (1, 2, 3)


def test_an_answer_can_be_asked_for_again(client):
    client.auto_ack = False
    msg_id = client.send(NEAREST)
    while True:
        answer = client.receive()
        if answer.id == RPC_RESULT and answer.body[4:12] == i64(msg_id):
            break
    client.send(u32(0x7D861A08) + vector(answer.msg_id), content=True)
    again = client.wait(RPC_RESULT)
    assert again.body == answer.body


def test_a_ping_can_limit_the_life_of_its_connection(client):
    client.send(functions.PingDelayDisconnectRequest(1, 1))
    client.wait(PONG)
    assert client.connection.readable(5)
    with pytest.raises((Closed, TransportError)):
        while True:
            client.receive()


def test_a_query_may_wait_for_another(user):
    first = user.message(bytes(functions.messages.SendMessageRequest(types.InputPeerSelf(), "1", random_id=1)))
    request = functions.messages.SendMessageRequest(types.InputPeerSelf(), "2", random_id=2)
    second = user.message(bytes(functions.InvokeAfterMsgRequest(first.msg_id, request)))
    user.send_message(user.container([first, second]))
    user.result(second.msg_id)
    user.result(first.msg_id)
    request = functions.messages.SendMessageRequest(types.InputPeerSelf(), "3", random_id=3)
    user.call(functions.InvokeAfterMsgsRequest([first.msg_id, second.msg_id], request))
    bad = user.message(u32(0xDEADBEEF))
    last = user.message(u32(0xCB9F372D) + i64(bad.msg_id) + NEAREST)
    user.send_message(user.container([bad, last]))
    with pytest.raises(RpcError, match="MSG_WAIT_FAILED"):
        user.result(last.msg_id)


def test_a_session_can_be_destroyed_by_another_of_its_key(server, client):
    other = Mini(server, auth=client.auth)
    other.call(functions.help.GetNearestDcRequest())
    for session_id, expected in ((client.session_id, 0xE22045FC), (12345, 0x62D350C9)):
        other.send(u32(0xE7512126) + i64(session_id))
        answer = other.wait(0xE22045FC, 0x62D350C9)
        assert (answer.id, answer.body[4:12]) == (expected, i64(session_id))
    other.close()


def test_a_destroyed_key_is_unknown(server):
    client = Mini(server)
    alive(client)
    client.send(u32(0xD1435160))
    assert client.wait(0xF660E1D4, 0x0A9F2259, 0xEA109B13).id == 0xF660E1D4
    with pytest.raises((TransportError, Closed)) as error:
        client.reconnect()
        client.send(NEAREST)
        while True:
            client.receive()
    assert error.type is Closed or error.value.code == -404


def test_a_query_before_any_layer_is_refused_or_answered(server):
    client = Mini(server)
    client.introduced = True
    try:
        client.call(functions.help.GetNearestDcRequest())
    except RpcError as error:
        assert error.text in ("CONNECTION_NOT_INITED", "CONNECTION_LAYER_INVALID")
    client.introduced = False
    alive(client)


@pytest.mark.parametrize(
    "wrapper",
    [
        functions.InvokeWithMessagesRangeRequest(types.MessageRange(0, 1), None),
        functions.InvokeWithBusinessConnectionRequest("id", None),
        functions.InvokeWithGooglePlayIntegrityRequest("nonce", "token", None),
        functions.InvokeWithApnsSecretRequest("nonce", "secret", None),
        functions.InvokeWithReCaptchaRequest("token", None),
    ],
    ids=lambda wrapper: type(wrapper).__name__,
)
def test_wrappers_that_mean_nothing_here_are_taken_off(client, wrapper):
    wrapper.query = functions.help.GetNearestDcRequest()
    assert client.call_bytes(bytes(wrapper))


def test_a_takeout_that_was_not_begun_is_refused(user):
    with pytest.raises(RpcError, match="TAKEOUT_INVALID"):
        user.call(functions.InvokeWithTakeoutRequest(1, functions.help.GetNearestDcRequest()))


def test_sessions_without_updates_get_none(server, user):
    quiet = Mini(server, auth=user.auth)
    wrapped = u32(0xBF9459B7) + bytes(functions.updates.GetStateRequest())
    quiet.call_bytes(wrapped)
    quiet.drain(0.1)
    user.call(functions.updates.GetStateRequest())
    phone = new_phone()
    friend = Mini(server)
    friend.log_in(phone, code_of(phone))
    friend.send_text(friend.meet(user.user.phone), "hello")
    user.drain()
    quiet.drain(0.1)
    assert any("hello" in str(update) for update in user.updates)
    assert not any("hello" in str(update) for update in quiet.updates)
    assert BAD_MSG not in [notice.id for notice in quiet.notices]
    friend.close()
    quiet.close()
