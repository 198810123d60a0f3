"""Two people write to each other, on every pairing of the libraries."""

import asyncio
import contextlib
import time

import pytest
from telethon import errors
from telethon.tl import functions, types

from clients import until

PAIRS = [("telethon", "telethon"), ("telethon", "pyrogram"), ("pyrogram", "telethon")]
both_libraries = pytest.mark.parametrize(("first", "second"), PAIRS)


async def texts(person, peer):
    return [text for _, _, text in await person.history(peer)]


def unix(date):
    """Telethon makes dates of what pyrogram's raw types leave as numbers."""
    return date if isinstance(date, int) else date.timestamp()


@both_libraries
async def test_messages_arrive_live_both_ways(world, first, second):
    ada, bob = await world.pair(first, second)
    sent = await ada.send(bob.id, "hello")
    received = await bob.seen.message("hello")
    assert received.peer_id.user_id == ada.id and not received.out
    await bob.send(ada.id, "hi")
    received = await ada.seen.message("hi")
    assert received.peer_id.user_id == bob.id and not received.out
    assert abs(unix(received.date) - time.time()) < 10
    assert (await ada.history(bob.id))[1] == (sent, True, "hello")


@both_libraries
async def test_many_messages_keep_their_order_on_both_sides(world, first, second):
    ada, bob = await world.pair(first, second)
    for number in range(10):
        await ada.send(bob.id, f"a{number}")
        await bob.seen.message(f"a{number}")
        await bob.send(ada.id, f"b{number}")
        await ada.seen.message(f"b{number}")
    expected = [f"{who}{number}" for number in range(9, -1, -1) for who in "ba"]
    assert await texts(ada, bob.id) == expected
    assert await texts(bob, ada.id) == expected


@both_libraries
async def test_a_reply_names_the_same_message_on_both_sides(world, first, second):
    ada, bob = await world.pair(first, second)
    # So that the same message has different ids in the two boxes.
    await ada.send("me", "note")
    original = await ada.send(bob.id, "question")
    at_bob = (await bob.seen.message("question")).id
    answer = await bob.send(ada.id, "answer", reply_to=at_bob)
    received = await ada.seen.message("answer")
    assert received.reply_to.reply_to_msg_id == original
    [(found, _, _)] = [line for line in await bob.history(ada.id) if line[2] == "answer"]
    assert found == answer
    if second == "pyrogram":
        message = await bob.client.get_messages(ada.id, answer)
        assert message.reply_to_message.text == "question"
    else:
        message = await bob.client.get_messages(ada.id, ids=answer)
        assert (await message.get_reply_message()).message == "question"


@both_libraries
async def test_an_edit_reaches_both_sides(world, first, second):
    ada, bob = await world.pair(first, second)
    sent = await ada.send(bob.id, "wrong")
    at_bob = (await bob.seen.message("wrong")).id
    await ada.edit(bob.id, sent, "right")
    edited = (await bob.seen.wait("updateEditMessage")).message
    assert (edited.id, edited.message) == (at_bob, "right") and edited.edit_date
    assert await texts(bob, ada.id) == await texts(ada, bob.id) == ["right"]


async def test_only_the_author_edits_and_only_to_something_else(world):
    ada, bob = await world.pair()
    sent = await ada.send(bob.id, "mine")
    at_bob = (await bob.seen.message("mine")).id
    with pytest.raises((errors.MessageAuthorRequiredError, errors.MessageIdInvalidError)):
        await bob.edit(ada.id, at_bob, "not mine")
    with pytest.raises(errors.MessageNotModifiedError):
        await ada.edit(bob.id, sent, "mine")
    with pytest.raises(errors.MessageIdInvalidError):
        await ada.edit(bob.id, sent + 100, "nothing there")


@both_libraries
async def test_a_message_deleted_for_both_is_gone_for_both(world, first, second):
    ada, bob = await world.pair(first, second)
    await ada.send(bob.id, "stays")
    sent = await ada.send(bob.id, "goes")
    at_bob = (await bob.seen.message("goes")).id
    await ada.delete(bob.id, sent)
    assert (await bob.seen.wait("updateDeleteMessages")).messages == [at_bob]
    assert await texts(ada, bob.id) == await texts(bob, ada.id) == ["stays"]


@both_libraries
async def test_a_message_deleted_for_oneself_stays_with_the_other(world, first, second):
    ada, bob = await world.pair(first, second)
    await ada.send(bob.id, "only mine goes")
    at_bob = (await bob.seen.message("only mine goes")).id
    await bob.delete(ada.id, at_bob, revoke=False)
    assert await texts(bob, ada.id) == []
    assert await texts(ada, bob.id) == ["only mine goes"]


@both_libraries
async def test_a_forward_names_its_author(world, first, second):
    ada, bob = await world.pair(first, second)
    await bob.send(ada.id, "original")
    original = await ada.seen.message("original")
    kept = await ada.forward("me", original.id, bob.id)
    assert (await ada.history("me"))[0] == (kept, True, "original")
    await ada.forward(bob.id, original.id, bob.id)
    returned = (await bob.seen.wait("updateNewMessage", lambda u: u.message.fwd_from is not None)).message
    assert returned.message == "original" and returned.peer_id.user_id == ada.id
    assert returned.fwd_from.from_id.user_id == bob.id
    assert unix(returned.fwd_from.date) == unix(original.date)


async def test_several_messages_are_forwarded_in_order(world):
    ada, bob = await world.pair()
    ids = [await ada.send("me", f"note {number}") for number in range(5)]
    forwarded = await ada.client.forward_messages(bob.id, ids, "me")
    assert [message.message for message in forwarded] == [f"note {number}" for number in range(5)]
    await bob.seen.message("note 4")
    assert await texts(bob, ada.id) == [f"note {number}" for number in range(4, -1, -1)]


@both_libraries
async def test_read_marks_reach_the_author(world, first, second):
    ada, bob = await world.pair(first, second)
    await ada.send(bob.id, "one")
    last = await ada.send(bob.id, "two")
    at_bob = (await bob.seen.message("two")).id
    await bob.read(ada.id, at_bob)
    mark = await ada.seen.wait("updateReadHistoryOutbox")
    assert mark.max_id == last and mark.peer.user_id == bob.id


async def dialog(person, peer):
    """The dialog of a Telethon person with this peer."""
    answer = await person.call(functions.messages.GetPeerDialogsRequest([types.InputDialogPeer(peer)]))
    (found,) = answer.dialogs
    return found


async def test_dialogs_count_what_is_unread(world):
    ada, bob = await world.pair()
    ids = [await ada.send(bob.id, f"{number}") for number in range(3)]
    await bob.seen.message("2")
    peer = await bob.client.get_input_entity(ada.id)
    there = await dialog(bob, peer)
    assert (there.unread_count, there.read_inbox_max_id) == (3, 0)
    received = [m.id for m in (await bob.client.get_messages(ada.id, limit=3))][::-1]
    assert there.top_message == received[2]
    await bob.read(ada.id, received[1])
    there = await dialog(bob, peer)
    assert (there.unread_count, there.read_inbox_max_id) == (1, received[1])
    # Reading less than was read changes nothing.
    answer = await bob.call(functions.messages.ReadHistoryRequest(peer, received[0]))
    assert answer.pts_count == 0
    assert (await dialog(bob, peer)).unread_count == 1
    await ada.seen.wait("updateReadHistoryOutbox")
    here = await dialog(ada, await ada.client.get_input_entity(bob.id))
    assert (here.unread_count, here.read_outbox_max_id) == (0, ids[1])


@both_libraries
async def test_typing_is_seen(world, first, second):
    ada, bob = await world.pair(first, second)
    await ada.start_typing(bob.id)
    update = await bob.seen.wait("updateUserTyping")
    assert update.user_id == ada.id
    assert type(update.action).__name__ == "SendMessageTypingAction"


@both_libraries
async def test_contacts_see_who_is_online(world, first, second):
    ada, bob = await world.pair(first, second)
    teller = ada if first == "telethon" else bob
    watcher = bob if first == "telethon" else ada
    for offline, status in ((False, "UserStatusOnline"), (True, "UserStatusOffline")):
        await teller.call(functions.account.UpdateStatusRequest(offline))
        update = await watcher.seen.wait("updateUserStatus", lambda u, s=status: type(u.status).__name__ == s)
        assert update.user_id == teller.id


@both_libraries
async def test_history_is_paged_without_gaps_or_repeats(world, first, second):
    ada, bob = await world.pair(first, second)
    for start in range(0, 120, 40):
        await asyncio.gather(*(ada.send(bob.id, f"{start + number}") for number in range(40)))
    # The client asks for at most a hundred at a time.
    lines = await ada.history(bob.id, limit=200)
    assert sorted(int(text) for _, _, text in lines) == list(range(120))
    ids = [message_id for message_id, _, _ in lines]
    assert ids == sorted(ids, reverse=True)
    await bob.seen.wait("updateNewMessage", count=120)
    # Both boxes hold the same messages in the same order.
    assert [text for _, _, text in await bob.history(ada.id, limit=200)] == [text for _, _, text in lines]


async def test_history_windows_are_cut_where_the_offsets_say(world):
    ada = await world.sign_up()
    ids = [await ada.send("me", f"{number}") for number in range(12)]

    async def window(**options):
        defaults = {
            "offset_id": 0,
            "offset_date": None,
            "add_offset": 0,
            "limit": 3,
            "max_id": 0,
            "min_id": 0,
            "hash": 0,
        }
        answer = await ada.call(functions.messages.GetHistoryRequest(types.InputPeerSelf(), **defaults | options))
        if isinstance(answer, types.messages.MessagesSlice):
            assert answer.count == 12
        return [ids.index(message.id) for message in answer.messages]

    assert await window() == [11, 10, 9]
    assert await window(offset_id=ids[9]) == [8, 7, 6]
    assert await window(offset_id=ids[9], add_offset=-1) == [9, 8, 7]
    assert await window(offset_id=ids[6], add_offset=-3) == [8, 7, 6]
    assert await window(offset_id=ids[11], add_offset=-3) == [11]
    assert await window(offset_id=ids[2], add_offset=1) == [0]
    assert await window(limit=100, min_id=ids[8]) == [11, 10, 9]
    assert await window(limit=100, max_id=ids[2]) == [1, 0]
    assert await window(limit=100) == list(range(11, -1, -1))
    # Telethon turns this into offsets, the other way round.
    assert [m.id for m in await ada.client.get_messages("me", limit=4, reverse=True)] == ids[:4]


@pytest.mark.parametrize("library", ["telethon", "pyrogram"])
async def test_saved_messages_are_one_copy(world, library):
    ada = await world.sign_up("Ada", library)
    sent = await ada.send("me", "note to self")
    assert await ada.history("me") == [(sent, True, "note to self")]
    await ada.edit("me", sent, "note")
    assert await ada.history("me") == [(sent, True, "note")]
    await ada.delete("me", sent)
    assert await ada.history("me") == []


async def test_messages_are_found_by_their_words(world):
    ada, bob = await world.pair()
    for text in ("red apple", "green pear", "Apple pie", "Зелёное ЯБЛОКО"):
        await ada.send(bob.id, text)
    await ada.send("me", "apple elsewhere")

    async def search(query):
        return [m.message for m in await ada.client.get_messages(bob.id, search=query, limit=10)]

    assert await search("apple") == ["Apple pie", "red apple"]
    assert await search("яблоко") == ["Зелёное ЯБЛОКО"]
    assert await search("plum") == []


async def test_pyrogram_finds_messages_too(world):
    ada, bob = await world.pair("pyrogram", "telethon")
    for text in ("red apple", "green pear"):
        await ada.send(bob.id, text)
    assert [m.text async for m in ada.client.search_messages(bob.id, "apple")] == ["red apple"]
    # kurigram counts range by range.
    assert await ada.client.search_messages_count(bob.id, "apple") == 1


async def test_the_same_random_id_sends_once(world):
    ada, bob = await world.pair()
    peer = await ada.client.get_input_entity(bob.id)
    request = functions.messages.SendMessageRequest(peer, "once", random_id=4711)
    first = await ada.call(request)
    try:
        second = await ada.call(request)
    except errors.RPCError as error:
        assert "RANDOM_ID_DUPLICATE" in str(error) or isinstance(error, errors.RandomIdDuplicateError)
    else:
        ids = [
            getattr(a, "id", None) or next(u.id for u in a.updates if hasattr(u, "random_id")) for a in (first, second)
        ]
        assert ids[0] == ids[1]
    await bob.seen.message("once")
    assert await texts(ada, bob.id) == await texts(bob, ada.id) == ["once"]


@pytest.mark.parametrize("revoke", [False, True])
async def test_a_deleted_history_is_gone_for_whom_it_was_deleted(world, revoke):
    ada, bob = await world.pair()
    for number in range(5):
        await ada.send(bob.id, f"{number}")
    await bob.seen.message("4")
    await ada.client.delete_dialog(bob.id, revoke=revoke)
    assert await texts(ada, bob.id) == []
    assert bob.id not in [dialog.id for dialog in await ada.client.get_dialogs()]
    if revoke:

        async def told():
            return sum(len(update.messages) for update in bob.seen.all("updateDeleteMessages")) == 5

        await until(told)
        assert await texts(bob, ada.id) == []
    else:
        assert len(await texts(bob, ada.id)) == 5


async def test_what_a_blocked_person_writes_does_not_arrive(world):
    ada, bob = await world.pair()
    await bob.call(functions.contacts.BlockRequest(await bob.client.get_input_entity(ada.id)))
    # Either the sender is told, or the message stays with them.
    with contextlib.suppress(errors.UserIsBlockedError):
        await ada.send(bob.id, "let me in")
    await bob.call(functions.contacts.UnblockRequest(await bob.client.get_input_entity(ada.id)))
    await ada.send(bob.id, "thanks")
    await bob.seen.message("thanks")
    assert await texts(bob, ada.id) == ["thanks"]


async def test_who_blocks_cannot_write_to_the_blocked_one(world):
    ada, bob = await world.pair()
    peer = await bob.client.get_input_entity(ada.id)
    await bob.call(functions.contacts.BlockRequest(peer))
    with pytest.raises(errors.YouBlockedUserError):
        await bob.send(ada.id, "and another thing")


async def test_dialogs_come_newest_first_and_in_pages(world):
    ada = await world.sign_up()
    friends = await asyncio.gather(*(world.sign_up(f"F{number}") for number in range(4)))
    for friend in friends:
        await ada.meet(friend)
        await ada.send(friend.id, f"to {friend.name}")
    listed = await ada.client.get_dialogs()
    assert [d.id for d in listed] == [friend.id for friend in reversed(friends)]
    assert [d.message.message for d in listed] == ["to F3", "to F2", "to F1", "to F0"]
    first = await ada.call(functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 2, 0))
    assert isinstance(first, types.messages.DialogsSlice) and first.count == 4
    assert [d.peer.user_id for d in first.dialogs] == [friends[3].id, friends[2].id]
    peer = await ada.client.get_input_entity(friends[2].id)
    last = first.messages[-1] if first.messages[-1].peer_id.user_id == friends[2].id else first.messages[0]
    rest = await ada.call(functions.messages.GetDialogsRequest(last.date, last.id, peer, 2, 0))
    assert [d.peer.user_id for d in rest.dialogs] == [friends[1].id, friends[0].id]


async def test_pyrogram_lists_dialogs(world):
    ada, bob = await world.pair("pyrogram", "telethon")
    await bob.send(ada.id, "hello")
    await ada.seen.message("hello")
    (listed,) = [d async for d in ada.client.get_dialogs()]
    assert (listed.chat.id, listed.top_message.text, listed.unread_messages_count) == (bob.id, "hello", 1)


async def test_an_unknown_message_is_empty_in_its_place(world):
    ada = await world.sign_up()
    sent = await ada.send("me", "here")
    answer = await ada.call(
        functions.messages.GetMessagesRequest([types.InputMessageID(sent + 50), types.InputMessageID(sent)])
    )
    kinds = [type(message) for message in answer.messages]
    assert kinds == [types.MessageEmpty, types.Message]


async def test_another_boxs_message_cannot_be_touched(world):
    ada, bob = await world.pair()
    eve = await world.sign_up("Eve")
    for number in range(3):
        await ada.send(bob.id, f"private {number}")
    answer = await eve.call(functions.messages.GetMessagesRequest([types.InputMessageID(i) for i in range(1, 4)]))
    assert all(isinstance(message, types.MessageEmpty) for message in answer.messages)
    await eve.call(functions.messages.DeleteMessagesRequest([1, 2, 3], revoke=True))
    assert len(await texts(ada, bob.id)) == len(await until(lambda: texts(bob, ada.id))) == 3
