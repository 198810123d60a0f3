"""What a message can say: formatting, any script, limits, drafts."""

import pytest
from telethon import errors
from telethon.tl import functions, types

# Two UTF-16 code units a piece, a combined family, right-to-left, and a zero.
SCRIPTS = ["🙂🙃", "👨‍👩‍👧‍👦", "עברית וعربى", "日本語", "e\u0301", "tab\tand\nline", "quote'\"\\;--", "nul\u0000byte"]


async def test_text_in_any_script_arrives_as_it_was_sent(world):
    ada, bob = await world.pair("telethon", "pyrogram")
    for text in SCRIPTS:
        await ada.client.send_message(bob.id, text, parse_mode=None)
        await bob.seen.message(text)
    received = [text for _, _, text in await bob.history(ada.id)]
    assert received == SCRIPTS[::-1]


async def test_formatting_counts_in_utf16_units(world):
    ada, bob = await world.pair()
    await ada.client.send_message(bob.id, "🙂 **bold** and `code` and [link](https://example.org/)")
    received = await bob.seen.message("🙂 bold and code and link")
    found = [(type(e).__name__, e.offset, e.length) for e in received.entities]
    expected = [("MessageEntityBold", 3, 4), ("MessageEntityCode", 12, 4), ("MessageEntityTextUrl", 21, 4)]
    assert found == expected
    (stored,) = await bob.client.get_messages(ada.id, limit=1)
    assert stored.text == "🙂 **bold** and `code` and [link](https://example.org/)"


async def test_formatting_crosses_the_libraries(world):
    ada, bob = await world.pair("pyrogram", "telethon")
    await ada.client.send_message(bob.id, "👍 **bold** __italic__ ||hidden|| `code`")
    received = await bob.seen.message("👍 bold italic hidden code")
    found = [(type(e).__name__, e.offset, e.length) for e in received.entities]
    assert found == [
        ("MessageEntityBold", 3, 4),
        ("MessageEntityItalic", 8, 6),
        ("MessageEntitySpoiler", 15, 6),
        ("MessageEntityCode", 22, 4),
    ]
    (back,) = [m async for m in ada.client.get_chat_history(bob.id, limit=1)]
    assert back.text.markdown == "👍 **bold** __italic__ ||hidden|| `code`"


async def test_an_edit_replaces_the_formatting(world):
    ada = await world.sign_up()
    sent = await ada.client.send_message("me", "**bold**")
    edited = await ada.client.edit_message("me", sent.id, "__italic__ now")
    assert [type(e).__name__ for e in edited.entities] == ["MessageEntityItalic"]
    edited = await ada.client.edit_message("me", sent.id, "plain")
    assert not edited.entities


@pytest.mark.parametrize(
    "entity",
    [
        types.MessageEntityBold(0, 100),
        types.MessageEntityBold(-1, 2),
        types.MessageEntityBold(2, -1),
        types.MessageEntityBold(2**31 - 1, 2**31 - 1),
    ],
)
async def test_formatting_beyond_the_text_is_cut_or_refused(world, entity):
    ada = await world.sign_up()
    request = functions.messages.SendMessageRequest(types.InputPeerSelf(), "short", random_id=1, entities=[entity])
    try:
        await ada.call(request)
    except errors.BadRequestError:
        return
    (stored,) = await ada.client.get_messages("me", limit=1)
    for kept in stored.entities or []:
        assert 0 <= kept.offset and 0 < kept.length and kept.offset + kept.length <= 5


async def test_the_longest_text_passes_and_one_more_is_refused(world):
    ada, bob = await world.pair()
    longest = "x" * 4096
    await ada.send(bob.id, longest)
    await bob.seen.message(longest)
    with pytest.raises(errors.MessageTooLongError):
        await ada.send(bob.id, longest + "x")
    with pytest.raises(errors.MessageTooLongError):
        await ada.send("me", "y" * 200_000)
    # Long and wide: four bytes a character.
    wide = "🙂" * 2048
    await ada.send(bob.id, wide)
    await bob.seen.message(wide)


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
async def test_an_empty_text_is_refused(world, text):
    ada = await world.sign_up()
    request = functions.messages.SendMessageRequest(types.InputPeerSelf(), text, random_id=1)
    with pytest.raises(errors.MessageEmptyError):
        await ada.call(request)


async def test_silent_and_no_webpage_are_passed_on(world):
    ada, bob = await world.pair()
    await ada.client.send_message(bob.id, "psst", silent=True, link_preview=False)
    assert (await bob.seen.message("psst")).silent


async def test_a_draft_is_seen_on_the_other_device_and_ends_with_the_message(world):
    ada, bob = await world.pair()
    other = await world.device(ada)
    peer = await ada.client.get_input_entity(bob.id)
    await ada.call(functions.messages.SaveDraftRequest(peer, "not ready"))
    update = await other.seen.wait("updateDraftMessage")
    assert (update.peer.user_id, update.draft.message) == (bob.id, "not ready")
    (draft,) = await other.client.get_drafts()
    assert (draft.raw_text, draft.entity.id) == ("not ready", bob.id)
    await ada.call(functions.messages.GetAllDraftsRequest())
    await ada.client.send_message(bob.id, "ready", clear_draft=True)
    await other.seen.wait("updateDraftMessage", lambda u: isinstance(u.draft, types.DraftMessageEmpty))
    assert [d for d in await other.client.get_drafts() if not d.is_empty] == []


async def test_a_reply_to_nothing_is_refused_or_dropped(world):
    ada, bob = await world.pair()
    try:
        await ada.send(bob.id, "re: nothing", reply_to=100_000)
    except errors.BadRequestError:
        return
    assert (await bob.seen.message("re: nothing")).reply_to is None
