"""Handshakes: both paddings, every kind of inner data, temporary keys, and what is no handshake."""

import os
import struct
import time
from hashlib import sha1

import pytest
from telethon.crypto import AES
from telethon.tl import functions, types

from clients import code_of, new_phone
from keys import PublicKey, tl_bytes
from mini import (
    DH_OK,
    P_Q_INNER,
    P_Q_INNER_DC,
    P_Q_INNER_TEMP,
    P_Q_INNER_TEMP_DC,
    Handshake,
    Mini,
    RpcError,
    i64,
    new_msg_id,
    rsa_old,
    rsa_pad,
    u32,
)
from wire import Closed, Connection, Padded, TransportError

refused = pytest.raises((TransportError, Closed))


def handshake(server, **transport):
    return Handshake(Connection(server.address, **transport), PublicKey.from_pem(server.public_key))


def works(server, auth):
    client = Mini(server, auth=auth)
    assert client.call(functions.help.GetNearestDcRequest()).this_dc == 2
    return client


@pytest.mark.parametrize("seal", [rsa_pad, rsa_old])
@pytest.mark.parametrize("constructor", [P_Q_INNER, P_Q_INNER_DC, P_Q_INNER_TEMP_DC, P_Q_INNER_TEMP])
def test_each_padding_with_each_inner_data_gives_a_key(server, seal, constructor):
    auth = handshake(server).run(seal, constructor=constructor, expires_in=3600)
    works(server, auth).close()


def test_the_fingerprint_fills_its_digits(server):
    """mtcute looks for it without leading zeros."""
    assert PublicKey.from_pem(server.public_key).fingerprint % 2**64 >= 2**60


def test_the_old_first_query_works_too(server):
    making = handshake(server)
    making.request_pq(multi=False)
    making.request_dh()
    works(server, making.finish()).close()


@pytest.mark.parametrize("dc", [1, 2, 3, 4, 5, -2, 10002])
def test_every_advertised_data_center_is_this_one(server, dc):
    auth = handshake(server).run(constructor=P_Q_INNER_DC, dc=dc)
    works(server, auth).close()


def test_a_foreign_data_center_is_refused(server):
    making = handshake(server)
    making.request_pq()
    with pytest.raises((TransportError, Closed)) as error:
        making.request_dh(constructor=P_Q_INNER_DC, dc=77)
    assert error.type is Closed or error.value.code in (-444, -404)


def test_bytes_after_a_complete_query_are_ignored(server):
    making = handshake(server)
    making.send(u32(0xBE7E8EF1) + making.nonce + os.urandom(64))
    reader = making.receive()
    assert reader.read_int(signed=False) == 0x05162463 and reader.read(16) == making.nonce


def test_a_padded_packet_is_longer_than_its_message(server):
    works(server, handshake(server, framing=Padded).run()).close()


def test_a_repeated_step_gets_the_same_answer(server):
    making = handshake(server)
    making.request_pq()
    query = making.dh_request(rsa_pad(making.rsa, making.inner_data()))
    answers = []
    for _ in range(2):
        reader = making.ask(query, DH_OK)
        answers.append(reader.read())
    assert answers[0] == answers[1]


def test_a_handshake_may_go_on_after_another_began(server):
    first, second = handshake(server), handshake(server)
    first.request_pq()
    second.request_pq()
    first.request_dh()
    second.request_dh()
    works(server, second.finish()).close()
    works(server, first.finish()).close()


def test_a_wrong_factor_is_refused(server):
    making = handshake(server)
    making.request_pq()
    making.p, making.q = making.q, making.p
    with refused:
        making.request_dh()


def test_an_unknown_fingerprint_is_refused(server):
    making = handshake(server)
    making.request_pq()
    body = bytearray(making.dh_request(rsa_pad(making.rsa, making.inner_data())))
    at = body.index(i64(making.rsa.fingerprint))
    body[at] ^= 1
    with refused:
        making.ask(bytes(body), DH_OK)


@pytest.mark.parametrize("sealed", [bytes(256), b"\xff" * 256, os.urandom(256), os.urandom(255), os.urandom(300), b""])
def test_inner_data_that_is_none_is_refused(server, sealed):
    making = handshake(server)
    making.request_pq()
    making.inner_data()
    with refused:
        making.ask(making.dh_request(sealed), DH_OK)


def test_inner_data_of_another_handshake_is_refused(server):
    making, other = handshake(server), handshake(server)
    making.request_pq()
    other.request_pq()
    with refused:
        making.ask(making.dh_request(rsa_pad(making.rsa, other.inner_data())), DH_OK)


@pytest.mark.parametrize(
    "g_b",
    [b"", b"\0", b"\1", b"\2", bytes(256), b"\xff" * 256, b"\1" + bytes(200), b"\xff" * 300],
)
def test_a_public_value_out_of_range_is_refused(server, g_b):
    making = handshake(server)
    making.request_pq()
    making.request_dh()
    making.send(making.dh_answer(g_b))
    try:
        assert making.receive().read_int(signed=False) == 0xA69DAE02, "neither refused nor dh_gen_fail"
    except (TransportError, Closed):
        pass


def test_a_prime_without_its_ends_is_refused(server):
    making = handshake(server)
    making.request_pq()
    making.request_dh()
    for g_b in (making.prime, making.prime - 1):
        making.send(making.dh_answer(g_b.to_bytes(256, "big")))
        try:
            assert making.receive().read_int(signed=False) == 0xA69DAE02
        except (TransportError, Closed):
            return


def test_the_last_step_cannot_come_first(server):
    making = handshake(server)
    making.server_nonce = os.urandom(16)
    with refused:
        making.ask(u32(0xF5045F1F) + making.nonce + making.server_nonce + tl_bytes(os.urandom(336)), 0x3BCBF734)


@pytest.mark.parametrize(
    "body",
    [
        bytes(functions.help.GetConfigRequest()),
        bytes(functions.PingRequest(1)),
        u32(0xDEADBEEF),
        u32(0xBE7E8EF1),
        u32(0xBE7E8EF1) + os.urandom(8),
    ],
    ids=["api", "ping", "unknown", "empty", "short"],
)
def test_only_handshakes_may_come_unencrypted(server, body):
    making = handshake(server)
    making.send(body)
    with refused:
        making.receive()


# Temporary keys.


def bind(perm, temp, client, expires_at, **change):
    """Asks on `client`, whose key is `temp`, to act for `perm`; `change` makes a part of it a lie."""
    nonce = int.from_bytes(os.urandom(8), "little", signed=True)
    inside = {
        "nonce": nonce,
        "temp_id": temp.id_i64,
        "perm_id": perm.id_i64,
        "session": client.session_id,
        "expires": expires_at,
    }
    inside |= change
    msg_id = new_msg_id()
    inner = u32(0x75A3F765) + i64(inside["nonce"], inside["temp_id"], inside["perm_id"], inside["session"])
    inner += struct.pack("<i", inside["expires"])
    plain = os.urandom(16) + i64(inside.get("msg_id", msg_id)) + u32(0) + u32(40) + inner
    msg_key = sha1(plain).digest()[4:20]
    k = inside.get("key", perm.key)
    a, b = sha1(msg_key + k[:32]).digest(), sha1(k[32:48] + msg_key + k[48:64]).digest()
    c, d = sha1(k[64:96] + msg_key).digest(), sha1(msg_key + k[96:128]).digest()
    sealed = AES.encrypt_ige(plain + os.urandom(8), a[:8] + b[8:] + c[4:16], a[8:] + b[:8] + c[16:] + d[:8])
    request = functions.auth.BindTempAuthKeyRequest(perm.id_i64, nonce, expires_at, perm.id + msg_key + sealed)
    return client.result(client.send(client.wrap(bytes(request)), msg_id=msg_id))


def temporary(server, expires_in=3600):
    auth = handshake(server).run(constructor=P_Q_INNER_TEMP_DC, expires_in=expires_in)
    return Mini(server, auth=auth), int(time.time()) + expires_in


def test_a_bound_temporary_key_acts_for_its_user(server, user):
    client, expires_at = temporary(server)
    assert bind(user.auth, client.auth, client, expires_at) == u32(0x997275B5)
    (me,) = client.call(functions.users.GetUsersRequest([types.InputUserSelf()]))
    assert me.id == user.user.id
    # The same again is fine, and a second temporary key may live beside it.
    assert bind(user.auth, client.auth, client, expires_at) == u32(0x997275B5)
    other, expires_at = temporary(server)
    bind(user.auth, other.auth, other, expires_at)
    for each in (client, other):
        assert each.call(functions.users.GetUsersRequest([types.InputUserSelf()]))[0].id == user.user.id
        each.close()


def test_who_logs_in_on_a_temporary_key_logs_in_the_permanent_one(server):
    perm = handshake(server).run()
    client, expires_at = temporary(server)
    bind(perm, client.auth, client, expires_at)
    phone = new_phone()
    user = client.log_in(phone, code_of(phone))
    later, expires_at = temporary(server)
    bind(perm, later.auth, later, expires_at)
    assert later.call(functions.users.GetUsersRequest([types.InputUserSelf()]))[0].id == user.id
    direct = works(server, perm)
    assert direct.call(functions.users.GetUsersRequest([types.InputUserSelf()]))[0].id == user.id
    for each in (client, later, direct):
        each.close()


def test_updates_reach_a_temporary_key(server, user):
    client, expires_at = temporary(server)
    bind(user.auth, client.auth, client, expires_at)
    client.call(functions.updates.GetStateRequest())
    friend = Mini(server)
    phone = new_phone()
    friend.log_in(phone, code_of(phone))
    friend.send_text(friend.meet(user.user.phone), "hello")
    client.drain()
    assert any("hello" in str(update) for update in client.updates)
    friend.close()
    client.close()


def test_other_temporary_keys_can_be_dropped(server, user):
    first, expires_at = temporary(server)
    bind(user.auth, first.auth, first, expires_at)
    second, expires_at = temporary(server)
    bind(user.auth, second.auth, second, expires_at)
    assert second.call(functions.auth.DropTempAuthKeysRequest([]))
    with refused:
        first.send(functions.help.GetNearestDcRequest())
        while True:
            first.receive()
    assert second.call(functions.users.GetUsersRequest([types.InputUserSelf()]))[0].id == user.user.id
    first.close()
    second.close()


def test_an_unbound_temporary_key_may_do_little(server):
    client, _ = temporary(server)
    client.call(functions.help.GetConfigRequest())
    with pytest.raises(RpcError, match="AUTH_KEY_PERM_EMPTY") as error:
        client.call(functions.users.GetUsersRequest([types.InputUserSelf()]))
    assert error.value.code == 401
    client.close()


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": 1},
        {"temp_id": 1},
        {"perm_id": 1},
        {"session": 1},
        {"expires": 1},
        {"msg_id": 4},
        {"key": bytes(range(256))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_binding_that_does_not_fit_is_refused(server, user, change):
    client, expires_at = temporary(server)
    with pytest.raises(RpcError, match="ENCRYPTED_MESSAGE_INVALID"):
        bind(user.auth, client.auth, client, expires_at, **change)
    # A right one still works.
    assert bind(user.auth, client.auth, client, expires_at) == u32(0x997275B5)
    client.close()


def test_a_binding_to_an_unknown_key_is_refused(server):
    client, expires_at = temporary(server)
    nobody = client.auth._replace(key=os.urandom(256))
    with pytest.raises(RpcError, match="ENCRYPTED_MESSAGE_INVALID"):
        bind(nobody, client.auth, client, expires_at)
    client.close()


def test_a_permanent_key_is_not_bound(server, user):
    client = Mini(server)
    with pytest.raises(RpcError, match="TEMP_AUTH_KEY_EMPTY|ENCRYPTED_MESSAGE_INVALID"):
        bind(user.auth, client.auth, client, int(time.time()) + 3600)
    client.close()


def test_a_key_bound_elsewhere_stays_there(server, user):
    client, expires_at = temporary(server)
    bind(user.auth, client.auth, client, expires_at)
    other = handshake(server).run()
    with pytest.raises(RpcError, match="TEMP_AUTH_KEY_ALREADY_BOUND|ENCRYPTED_MESSAGE_INVALID"):
        bind(other, client.auth, client, expires_at)
    client.close()


def test_an_expired_temporary_key_is_unknown(server):
    client, _ = temporary(server, expires_in=2)
    client.call(functions.help.GetConfigRequest())
    deadline = time.monotonic() + 10
    try:
        while time.monotonic() < deadline:
            time.sleep(0.25)
            client.call(functions.help.GetConfigRequest())
        pytest.fail("the key still works")
    except (TransportError, Closed) as error:
        assert getattr(error, "code", -404) == -404


def test_a_binding_comes_in_a_container_too(server, user):
    """As Telegram Desktop sends it, together with its first query."""
    client, expires_at = temporary(server)
    sent = []
    send = client.send

    def packed(body, msg_id=None, **rest):
        message = client.message(bytes(body), msg_id=msg_id)
        other = client.message(bytes(functions.help.GetNearestDcRequest()))
        sent.append(other.msg_id)
        client.send_message(client.container([message, other]))
        return message.msg_id

    client.send = packed
    assert bind(user.auth, client.auth, client, expires_at) == u32(0x997275B5)
    client.send = send
    client.result(sent[0])
    client.close()
