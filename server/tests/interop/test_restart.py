"""The server ends, politely or not, and starts again: what was answered is still there."""

import asyncio

import pytest
from telethon.sessions import SQLiteSession
from telethon.tl import functions, types

from clients import DC, until
from mini import Mini

pytestmark = pytest.mark.noisy
each_way = pytest.mark.parametrize("how", ["stop", "kill"])


@each_way
async def test_everything_is_there_after_a_restart(own_world, how):
    world = own_world
    ada, bob = await world.pair()
    first = await ada.send(bob.id, "one")
    second = await ada.send(bob.id, "two")
    await ada.edit(bob.id, first, "one, edited")
    await ada.send(bob.id, "three")
    await ada.delete(bob.id, second)
    at_bob = (await bob.seen.message("three")).id
    await bob.read(ada.id, at_bob)
    await ada.seen.wait("updateReadHistoryOutbox")
    await ada.call(functions.messages.SaveDraftRequest(await ada.client.get_input_entity(bob.id), "next"))
    await ada.call(functions.account.UpdateUsernameRequest("ada_of_old"))

    async def picture(ada, bob):
        return [
            await ada.history(bob.id),
            await bob.history(ada.id),
            [d.dialog.to_dict() for d in await ada.client.get_dialogs()],
            [d.dialog.to_dict() for d in await bob.client.get_dialogs()],
            [(d.raw_text, d.entity.id) for d in await ada.client.get_drafts()],
            [(await p.call(functions.updates.GetStateRequest())).pts for p in (ada, bob)],
            (await ada.client.get_me()).to_dict() | {"status": None},
            (await ada.client.get_input_entity(bob.id)).to_dict(),
            len((await ada.call(functions.account.GetAuthorizationsRequest())).authorizations),
        ]

    before, key = await picture(ada, bob), world.server.public_key
    await asyncio.gather(ada.close(), bob.close())
    world.server.restart(how)
    assert world.server.public_key == key
    ada, bob = await world.again(ada), await world.again(bob)
    assert await picture(ada, bob) == before


@each_way
async def test_connected_clients_come_back_by_themselves(own_world, how):
    ada, bob = await own_world.pair("telethon", "telethon")
    await ada.send(bob.id, "before")
    await bob.seen.message("before")
    await asyncio.to_thread(own_world.server.restart, how)
    await ada.send(bob.id, "after")
    await bob.seen.message("after", timeout_s=20)
    await bob.send(ada.id, "back")
    await ada.seen.message("back", timeout_s=20)


async def test_a_pyrogram_session_survives(own_world):
    ada, bob = await own_world.pair("pyrogram", "telethon")
    session = await ada.client.export_session_string()
    await ada.close()
    own_world.server.restart("stop")
    back = await own_world.pyrogram_client("again", session_string=session)
    assert (await back.client.get_me()).id == ada.id


async def test_a_session_file_survives(own_world, tmp_path):
    session = SQLiteSession(str(tmp_path / "ada"))
    session.set_dc(DC, *own_world.server.address)
    ada = await own_world.sign_up("Ada", session=session)
    await ada.close()
    session.close()
    own_world.server.restart("kill")
    back = await own_world.telethon_client(SQLiteSession(str(tmp_path / "ada")))
    assert (await back.client.get_me()).id == ada.id


async def test_no_answered_message_is_lost_when_the_server_is_killed_in_a_burst(own_world):
    world = own_world
    ada, bob = await world.pair()
    # Each on its own connection, so that many are under way at once; none tries again by itself.
    phones = [await world.again(ada, auto_reconnect=False, connection_retries=1) for _ in range(3)]
    answered = []

    async def write(phone, number):
        for count in range(10_000):
            text = f"{number} {count}"
            try:
                answered.append((await phone.send(bob.id, text), text))
            except (ConnectionError, OSError):
                return

    writers = [asyncio.create_task(write(*pair)) for number in range(4) for pair in [(phones[number % 3], number)]]

    async def enough():
        return len(answered) > 150

    await until(enough, timeout_s=20)
    world.server.kill()
    _, stuck = await asyncio.wait(writers, timeout=1)
    for writer in stuck:
        writer.cancel()
    promised = list(answered)
    world.server.start()
    ada = await world.again(ada)

    async def sent():
        return {(m.id, m.message) async for m in ada.client.iter_messages(bob.id, limit=None)}

    kept = await sent()
    lost = [line for line in promised if line not in kept]
    assert not lost, f"{len(lost)} of {len(promised)} answered messages lost"

    # What the sender has, the recipient gets too, each once and in the same order.
    bob = await world.again(bob)
    wanted = [text for _, text in sorted(kept)]

    async def delivered():
        received = [m.message async for m in bob.client.iter_messages(ada.id, limit=None)]
        assert len(received) == len(set(received))
        return len(received) >= len(wanted) and received[::-1]

    assert await until(delivered) == wanted


@each_way
async def test_a_repeated_random_id_is_known_after_a_restart(own_world, how):
    ada, bob = await own_world.pair()
    peer = await ada.client.get_input_entity(bob.id)
    request = functions.messages.SendMessageRequest(peer, "once", random_id=4711)
    await ada.call(request)
    await ada.close()
    own_world.server.restart(how)
    ada = await own_world.again(ada)
    try:
        await ada.call(request)
    except Exception as error:
        assert "RandomIdDuplicate" in type(error).__name__
    assert len(await ada.history(bob.id)) == 1


async def test_pts_goes_on_where_it_was(own_world):
    ada, bob = await own_world.pair()
    for number in range(5):
        await ada.send(bob.id, f"{number}")
    await bob.seen.message("4")
    before = await bob.call(functions.updates.GetStateRequest())
    await bob.close()
    await asyncio.to_thread(own_world.server.restart, "kill")
    await ada.send(bob.id, "after")
    back = await own_world.again(bob, catch_up=True)
    await back.seen.message("after")
    assert (await back.call(functions.updates.GetStateRequest())).pts == before.pts + 1


def test_a_key_that_nobody_logged_in_with_survives(own_server):
    client = Mini(own_server)
    client.call(functions.help.GetNearestDcRequest())
    own_server.restart("kill")
    client.reconnect()
    client.call(functions.help.GetNearestDcRequest())
    assert client.log_in("9996629999", "22222").is_self


async def test_a_polite_end_answers_what_it_took(own_world):
    world = own_world
    ada, bob = await world.pair()
    writers = [asyncio.create_task(ada.send(bob.id, f"{number}")) for number in range(100)]
    await asyncio.sleep(0.05)
    assert await asyncio.to_thread(world.server.stop) == 0
    world.server.start()
    # Telethon repeats what was not answered; none may be stored twice.
    await asyncio.wait_for(asyncio.gather(*writers), 30)
    texts = [text for _, _, text in await ada.history(bob.id, limit=200)]
    assert sorted(map(int, texts)) == list(range(100))


def test_restarts_in_a_row_keep_the_folder_usable(own_server):
    client = Mini(own_server)
    client.log_in("9996629998", "22222")
    for number in range(4):
        client.send_text(types.InputPeerSelf(), f"{number}")
        own_server.restart("kill" if number % 2 else "stop")
        client.reconnect()
    history = client.call(functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 10, 0, 0, 0))
    assert [message.message for message in history.messages] == ["3", "2", "1", "0"]
