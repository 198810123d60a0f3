"""Requests that no client should send: each is refused by name, the connection stays, and nobody else notices."""

import contextlib
import os

import pytest
from telethon.tl import functions, types

from clients import code_of, new_phone
from keys import tl_bytes
from mini import Mini, RpcError, alive, i64, u32
from wire import Closed, TransportError

NEAREST = bytes(functions.help.GetNearestDcRequest())


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("unknown", u32(0xDEADBEEF)),
        ("unknown, long", u32(0xDEADBEEF) + os.urandom(4000)),
        ("a type, no function", bytes(types.InputPeerSelf())),
        ("cut off", bytes(functions.messages.SendMessageRequest(types.InputPeerSelf(), "x" * 100, random_id=1))[:-40]),
        ("too long", NEAREST + bytes(4)),
        ("unknown argument", bytes(functions.users.GetUsersRequest([]))[:8] + u32(1) + u32(0xDEADBEEF)),
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
