"""All devices of a user agree, live and after having been away, and no step of `pts` is missing."""

import asyncio

import pytest
from telethon import errors
from telethon.tl import functions, types

from clients import code_of, now, until
from mini import Mini

# More than a server should put into one answer.
MANY = 250


async def state(person):
    return await person.call(functions.updates.GetStateRequest())


async def difference(person, pts, qts=0):
    """Every answer of `updates.getDifference` from `pts` to the end."""
    answers = []
    while True:
        answer = await person.call(functions.updates.GetDifferenceRequest(pts, now(), qts))
        answers.append(answer)
        if not isinstance(answer, types.updates.DifferenceSlice):
            return answers
        assert answer.intermediate_state.pts > pts, "a slice without progress"
        pts = answer.intermediate_state.pts


async def test_what_one_device_does_the_other_sees(world):
    ada, bob = await world.pair()
    tablet = await world.device(ada)
    sent = await ada.send(bob.id, "one")
    seen = await tablet.seen.message("one")
    assert (seen.id, seen.out, seen.peer_id.user_id) == (sent, True, bob.id)
    await ada.edit(bob.id, sent, "two")
    assert (await tablet.seen.wait("updateEditMessage")).message.message == "two"
    await bob.send(ada.id, "three")
    received = await tablet.seen.message("three")
    assert (await ada.seen.message("three")).id == received.id
    await ada.read(bob.id, received.id)
    assert (await tablet.seen.wait("updateReadHistoryInbox")).max_id == received.id
    await ada.delete(bob.id, sent)
    assert (await tablet.seen.wait("updateDeleteMessages")).messages == [sent]
    await tablet.send(bob.id, "four")
    await ada.seen.message("four")
    assert await ada.history(bob.id) == await tablet.history(bob.id)
    assert (await state(ada)).pts == (await state(tablet)).pts


async def test_devices_of_both_libraries_agree(world):
    ada, bob = await world.pair("pyrogram", "telethon")
    tablet = await world.device(ada, "telethon")
    sent = await ada.send(bob.id, "from pyrogram")
    assert (await tablet.seen.message("from pyrogram")).id == sent
    sent = await tablet.send(bob.id, "from telethon")
    assert (await ada.seen.message("from telethon")).id == sent
    assert await ada.history(bob.id) == await tablet.history(bob.id)


async def test_a_device_that_was_away_catches_up(world):
    ada, bob = await world.pair()
    kept = await ada.send(bob.id, "before")
    await bob.seen.message("before")
    await bob.close()
    sent = [await ada.send(bob.id, f"while away {number}") for number in range(3)]
    await ada.edit(bob.id, sent[0], "edited while away")
    await ada.edit(bob.id, kept, "before, edited")
    await ada.delete(bob.id, sent[1])
    back = await world.again(bob, catch_up=True)
    await back.seen.message("while away 2")
    await back.seen.message("edited while away")
    # Telethon itself drops edits and deletions that come in a difference; the next test looks at them.
    texts = [text for _, _, text in await back.history(ada.id)]
    assert texts == ["while away 2", "edited while away", "before, edited"]


async def test_a_device_that_missed_very_much_catches_up_in_slices(world):
    ada, bob = await world.pair()
    start = (await state(bob)).pts
    await bob.close()
    for first in range(0, MANY, 50):
        await asyncio.gather(*(ada.send(bob.id, f"{first + number}") for number in range(50)))
    back = await world.again(bob, catch_up=True)
    await back.seen.wait("updateNewMessage", count=MANY, timeout_s=30)
    texts = [update.message.message for update in back.seen.all("updateNewMessage")]
    assert sorted(map(int, texts)) == list(range(MANY)), "each once"
    answers = await difference(back, start)
    assert len(answers) > 1, f"{MANY} messages in one answer"
    assert sum(len(answer.new_messages) for answer in answers) == MANY
    ids = [message.id for answer in answers for message in answer.new_messages]
    assert ids == sorted(ids)
    assert (await state(back)).pts == start + MANY


async def test_a_reconnect_needs_no_new_login_and_loses_nothing(world):
    ada, bob = await world.pair()
    await bob.client.disconnect()
    await ada.send(bob.id, "between")
    await bob.client.connect()
    await bob.client.catch_up()
    await bob.seen.message("between")
    await ada.send(bob.id, "after")
    await bob.seen.message("after")


async def test_the_difference_tells_what_the_pushes_told(world):
    ada, bob = await world.pair()
    older = await ada.send(bob.id, "older")
    await bob.seen.message("older")
    start = (await state(bob)).pts
    await ada.edit(bob.id, older, "older, edited")
    first = await ada.send(bob.id, "first")
    second = await ada.send(bob.id, "second")
    await ada.edit(bob.id, first, "first, edited")
    at_bob = (await bob.seen.message("second")).id
    await bob.read(ada.id, at_bob)
    await ada.delete(bob.id, second)
    await bob.seen.wait("updateDeleteMessages")
    (answer,) = await difference(bob, start)
    assert [(m.id, m.message) for m in answer.new_messages] == [(at_bob - 1, "first, edited")]
    told = [type(update).__name__ for update in answer.other_updates]
    assert told.count("UpdateDeleteMessages") == 1
    assert told.count("UpdateReadHistoryInbox") == 1
    edits = [u.message.message for u in answer.other_updates if isinstance(u, types.UpdateEditMessage)]
    assert "older, edited" in edits
    assert ada.id in [user.id for user in answer.users]
    assert answer.state.pts == (await state(bob)).pts == start + 6
    again = await bob.call(functions.updates.GetDifferenceRequest(answer.state.pts, now(), answer.state.qts))
    assert isinstance(again, types.updates.DifferenceEmpty)


async def test_a_pts_that_never_was_is_refused(world):
    ada = await world.sign_up()
    current = await state(ada)
    with pytest.raises(errors.BadRequestError):
        await ada.call(functions.updates.GetDifferenceRequest(0, now(), 0))
    for bad in (current.pts + 1000, -1):
        with pytest.raises(errors.BadRequestError):
            await ada.call(functions.updates.GetDifferenceRequest(bad, now(), 0))
    # pyrogram asks with this qts.
    answer = await ada.call(functions.updates.GetDifferenceRequest(current.pts, now(), -1))
    assert isinstance(answer, types.updates.DifferenceEmpty)


def numbered(updates):
    """(pts, pts_count) of everything in a list of `Updates`."""
    for container in updates:
        for update in getattr(container, "updates", [container]):
            if getattr(update, "pts_count", None) is not None:
                yield update.pts, update.pts_count


async def test_every_step_of_pts_reaches_every_session(world):
    ada, bob = await world.pair()
    watcher = Mini(world.server)
    watcher.log_in(bob.phone, code_of(bob.phone))
    pts = watcher.call(functions.updates.GetStateRequest()).pts
    watcher.drain(0.1)
    watcher.updates.clear()
    start = pts
    for number in range(5):
        sent = await ada.send(bob.id, f"{number}")
        received = await bob.seen.message(f"{number}")
        await bob.send(ada.id, f"re: {number}")
        await ada.edit(bob.id, sent, f"{number}!")
        await bob.read(ada.id, received.id)
    await ada.client.delete_messages(bob.id, [m for m, out, _ in await ada.history(bob.id) if out])
    await ada.seen.wait("updateNewMessage", lambda u: not u.message.out, count=5)
    await bob.client.delete_dialog(ada.id)

    async def quiet():
        before = (await state(bob)).pts
        await asyncio.sleep(0.2)
        return (await state(bob)).pts == before and before

    end = await until(quiet)
    watcher.drain(0.3)
    steps = sorted(set(numbered(watcher.updates)))
    for after, count in steps:
        if count:
            assert after - count == pts, f"a gap before {after} (+{count}); all: {steps}"
            pts = after
    assert pts == end > start
    watcher.close()


async def test_two_devices_writing_at_once_stay_in_step(world):
    ada, bob = await world.pair()
    tablet = await world.device(ada)
    await asyncio.gather(*(device.send(bob.id, f"{device is ada} {n}") for n in range(20) for device in (ada, tablet)))
    await bob.seen.wait("updateNewMessage", count=40)
    assert await ada.history(bob.id) == await tablet.history(bob.id)
    ours = [text for _, _, text in await ada.history(bob.id)]
    assert ours == [text for _, _, text in await bob.history(ada.id)]
    assert len(set(ours)) == 40
