"""Contacts, names and numbers."""

import pytest
from telethon import errors
from telethon.tl import functions, types

from clients import new_phone, until


def contact(client_id, phone, first="First", last="Last"):
    return types.InputPhoneContact(client_id, phone, first, last)


async def contacts(person):
    return {user.id: user for user in (await person.call(functions.contacts.GetContactsRequest(0))).users}


async def is_mutual(person, other):
    return (await contacts(person))[other.id].mutual_contact


async def test_imported_numbers_become_contacts(world):
    ada, bob = await world.sign_up("Ada"), await world.sign_up("Bob")
    unknown = new_phone()
    answer = await ada.call(
        functions.contacts.ImportContactsRequest([contact(7, bob.phone, "Robert"), contact(8, unknown)])
    )
    assert [(found.user_id, found.client_id) for found in answer.imported] == [(bob.id, 7)]
    (user,) = answer.users
    assert (user.id, user.contact, user.first_name, user.phone) == (bob.id, True, "Robert", bob.phone)
    assert not user.mutual_contact
    assert set(await contacts(ada)) == {bob.id}
    assert await contacts(bob) == {}


async def test_contacts_of_each_other_are_mutual(world):
    ada, bob = await world.pair()
    assert await until(lambda: is_mutual(ada, bob))
    assert await until(lambda: is_mutual(bob, ada))


async def test_a_deleted_contact_is_none(world):
    ada, bob = await world.pair()
    await ada.call(functions.contacts.DeleteContactsRequest([await ada.client.get_input_entity(bob.id)]))
    assert await contacts(ada) == {}

    async def one_sided():
        return not await is_mutual(bob, ada)

    await until(one_sided)


async def test_a_contact_is_added_with_the_name_given(world):
    ada, bob = await world.pair()
    peer = await ada.client.get_input_entity(bob.id)
    await ada.call(functions.contacts.AddContactRequest(peer, "Bobby", "Tables", "", add_phone_privacy_exception=False))
    user = (await contacts(ada))[bob.id]
    assert (user.first_name, user.last_name) == ("Bobby", "Tables")
    # Their own name is another matter.
    assert (await bob.client.get_me()).first_name == "Bob"


async def test_usernames_lead_to_their_owners(world):
    ada, bob = await world.sign_up("Ada"), await world.sign_up("Bob", "pyrogram")
    name = f"Ada_{ada.id}"
    assert await ada.call(functions.account.CheckUsernameRequest(name))
    await ada.call(functions.account.UpdateUsernameRequest(name))
    # Case does not matter, and pyrogram writes without having met her.
    assert (await bob.client.get_users(name.upper())).id == ada.id
    await bob.send(name.lower(), "found you")
    assert (await ada.seen.message("found you")).peer_id.user_id == bob.id
    with pytest.raises(errors.UsernameOccupiedError):
        other = await world.sign_up("Eve")
        await other.call(functions.account.UpdateUsernameRequest(name.lower()))


async def test_a_username_given_up_is_free(world):
    ada, eve = await world.sign_up("Ada"), await world.sign_up("Eve")
    name = f"moving_{ada.id}"
    await ada.call(functions.account.UpdateUsernameRequest(name))
    with pytest.raises(errors.UsernameOccupiedError):
        await eve.call(functions.account.UpdateUsernameRequest(name))
    await ada.call(functions.account.UpdateUsernameRequest(name + "2"))
    await eve.call(functions.account.UpdateUsernameRequest(name))
    found = await ada.call(functions.contacts.ResolveUsernameRequest(name))
    assert found.peer.user_id == eve.id and [user.id for user in found.users] == [eve.id]
    await eve.call(functions.account.UpdateUsernameRequest(""))
    with pytest.raises(errors.UsernameNotOccupiedError):
        await ada.call(functions.contacts.ResolveUsernameRequest(name))


@pytest.mark.parametrize("name", ["abc", "1abcde", "with space", "dash-ed", "ünïcode", "x" * 33])
async def test_names_that_are_no_usernames_are_refused(world, name):
    ada = await world.sign_up()
    with pytest.raises(errors.UsernameInvalidError):
        await ada.call(functions.account.UpdateUsernameRequest(name))


async def test_numbers_lead_to_their_owners(world):
    ada, bob = await world.sign_up("Ada"), await world.sign_up("Bob")
    found = await ada.call(functions.contacts.ResolvePhoneRequest(bob.phone))
    assert found.peer.user_id == bob.id
    with pytest.raises(errors.BadRequestError):
        await ada.call(functions.contacts.ResolvePhoneRequest(new_phone()))


async def test_blocked_people_are_listed(world):
    ada, bob = await world.pair()
    peer = await ada.client.get_input_entity(bob.id)
    assert await ada.call(functions.contacts.BlockRequest(peer))
    blocked = await ada.call(functions.contacts.GetBlockedRequest(0, 10))
    assert [found.peer_id.user_id for found in blocked.blocked] == [bob.id]
    assert [user.id for user in blocked.users] == [bob.id]
    full = await ada.call(functions.users.GetFullUserRequest(peer))
    assert full.full_user.blocked
    assert await ada.call(functions.contacts.UnblockRequest(peer))
    assert (await ada.call(functions.contacts.GetBlockedRequest(0, 10))).blocked == []


async def test_people_are_found_by_name(world):
    ada, bob = await world.pair()
    name = f"Zebedee_{bob.id}"
    await bob.call(functions.account.UpdateUsernameRequest(name))
    stranger = await world.sign_up("Eve")
    found = await stranger.call(functions.contacts.SearchRequest(name, 10))
    assert bob.id in [peer.user_id for peer in found.results + found.my_results]
    assert bob.id in [user.id for user in found.users]
    mine = await ada.call(functions.contacts.SearchRequest("bob", 10))
    assert bob.id in [peer.user_id for peer in mine.my_results]


async def test_statuses_of_contacts_are_listed(world):
    ada, bob = await world.pair()
    await bob.call(functions.account.UpdateStatusRequest(offline=False))
    (status,) = await ada.call(functions.contacts.GetStatusesRequest())
    assert status.user_id == bob.id and isinstance(status.status, types.UserStatusOnline)


async def test_a_strangers_number_is_not_shown(world):
    ada, bob = await world.sign_up("Ada"), await world.sign_up("Bob")
    name = f"private_{ada.id}"
    await ada.call(functions.account.UpdateUsernameRequest(name))
    found = await bob.call(functions.contacts.ResolveUsernameRequest(name))
    assert found.users[0].phone is None


async def test_pyrogram_adds_and_deletes_contacts(world):
    ada, bob = await world.pair("pyrogram", "telethon")
    await ada.client.add_contact(bob.id, "Robert")
    (listed,) = await ada.client.get_contacts()
    assert (listed.id, listed.first_name, listed.is_contact) == (bob.id, "Robert", True)
    await ada.client.delete_contacts(bob.id)
    assert await ada.client.get_contacts() == []
    assert await ada.client.block_user(bob.id)
    assert await ada.client.unblock_user(bob.id)
