"""Signing up, signing in, devices and logging out."""

import functools

import pyrogram
import pytest
from telethon import errors
from telethon.tl import functions, types

from clients import API_HASH, API_ID, DC, code_of, new_phone, point, until

LIBRARIES = ["telethon", "pyrogram"]


async def send_code(person, phone):
    request = functions.auth.SendCodeRequest(phone, API_ID, API_HASH, types.CodeSettings())
    return await person.call(request)


async def authorizations(person):
    return (await person.call(functions.account.GetAuthorizationsRequest())).authorizations


async def is_cut_off(person):
    """Whether the server no longer knows whose client this is."""
    try:
        await person.call(functions.users.GetUsersRequest([types.InputUserSelf()]))
    except errors.UnauthorizedError:
        return True


@pytest.mark.parametrize("library", LIBRARIES)
async def test_a_new_user_has_the_name_and_number_given(world, library):
    ada = await world.sign_up("Ada", library)
    me = await ada.client.get_me()
    assert me.first_name == "Ada"
    assert (me.phone if library == "telethon" else me.phone_number) == ada.phone
    assert 0 < me.id < 2**40


@pytest.mark.parametrize("first", LIBRARIES)
@pytest.mark.parametrize("second", LIBRARIES)
async def test_signing_in_again_is_the_same_user(world, first, second):
    ada = await world.sign_up("Ada", first)
    again = await world.sign_in(ada.phone, second)
    assert (again.id, again.name) == (ada.id, "Ada")


async def test_pyrogram_starts_by_itself_with_number_and_code(world):
    ada = await world.sign_up("Ada")
    client = pyrogram.Client(
        "start", API_ID, API_HASH, in_memory=True, phone_number=ada.phone, phone_code=code_of(ada.phone)
    )
    point(client, world.server)
    async with client:
        assert client.me.id == ada.id


async def test_telethon_starts_by_itself_with_number_and_code(world):
    ada = await world.sign_up("Ada")
    other = await world.telethon_client()
    await other.client.start(phone=ada.phone, code_callback=lambda: code_of(ada.phone))
    assert (await other.client.get_me()).id == ada.id


async def test_a_number_can_be_written_in_many_ways(world):
    ada = await world.sign_up("Ada")
    other = await world.telethon_client()
    spelled = f"+{ada.phone[:5]} {ada.phone[5:7]}-{ada.phone[7:]}"
    sent = await send_code(other, spelled)
    answer = await other.call(functions.auth.SignInRequest(spelled, sent.phone_code_hash, code_of(ada.phone)))
    assert answer.user.id == ada.id


async def test_a_wrong_code_is_refused_and_the_right_one_still_works(world):
    phone = new_phone()
    ada = await world.telethon_client()
    sent = await send_code(ada, phone)
    with pytest.raises(errors.PhoneCodeInvalidError):
        await ada.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, "00001"))
    with pytest.raises(errors.PhoneCodeEmptyError):
        await ada.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, ""))
    answer = await ada.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, code_of(phone)))
    assert isinstance(answer, types.auth.AuthorizationSignUpRequired)


async def test_too_many_wrong_codes_end_the_code(world):
    phone = new_phone()
    ada = await world.telethon_client()
    sent = await send_code(ada, phone)
    for _ in range(20):
        try:
            await ada.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, "00001"))
        except errors.PhoneCodeInvalidError:
            continue
        except (errors.PhoneCodeExpiredError, errors.FloodError):
            break
    else:
        pytest.fail("twenty guesses were allowed")
    with pytest.raises(errors.RPCError):
        await ada.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, code_of(phone)))


async def test_a_cancelled_code_has_expired(world):
    phone = new_phone()
    ada = await world.telethon_client()
    sent = await send_code(ada, phone)
    assert await ada.call(functions.auth.CancelCodeRequest(phone, sent.phone_code_hash))
    with pytest.raises(errors.PhoneCodeExpiredError):
        await ada.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, code_of(phone)))


async def test_a_code_that_was_sent_again_works(world):
    phone = new_phone()
    ada = await world.telethon_client()
    sent = await send_code(ada, phone)
    sent = await ada.call(functions.auth.ResendCodeRequest(phone, sent.phone_code_hash))
    answer = await ada.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, code_of(phone)))
    assert isinstance(answer, types.auth.AuthorizationSignUpRequired)


async def test_a_code_serves_only_the_number_and_key_it_was_made_for(world):
    phone, other_phone = new_phone(), new_phone()
    ada, eve = await world.telethon_client(), await world.telethon_client()
    sent = await send_code(ada, phone)
    with pytest.raises(errors.BadRequestError, match="(?i)phone code|expired|invalid"):
        await ada.call(functions.auth.SignInRequest(other_phone, sent.phone_code_hash, code_of(phone)))
    with pytest.raises(errors.BadRequestError, match="(?i)phone code|expired|invalid"):
        await eve.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, code_of(phone)))


async def test_sign_up_needs_the_right_code_first(world):
    phone = new_phone()
    ada = await world.telethon_client()
    sent = await send_code(ada, phone)
    with pytest.raises(errors.BadRequestError, match="(?i)code"):
        await ada.call(functions.auth.SignUpRequest(phone, sent.phone_code_hash, "Ada", ""))


@pytest.mark.parametrize(
    ("first", "last", "error"),
    [
        ("", "", errors.FirstNameInvalidError),
        (" ", "", errors.FirstNameInvalidError),
        ("A" * 65, "", errors.FirstNameInvalidError),
        ("Ada", "L" * 65, errors.LastnameInvalidError),
    ],
)
async def test_names_that_are_no_names_are_refused(world, first, last, error):
    phone = new_phone()
    ada = await world.telethon_client()
    sent = await send_code(ada, phone)
    await ada.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, code_of(phone)))
    with pytest.raises(error):
        await ada.call(functions.auth.SignUpRequest(phone, sent.phone_code_hash, first, last))


@pytest.mark.parametrize("phone", ["", "12", "letters", "9" * 30])
async def test_numbers_that_are_no_numbers_are_refused(world, phone):
    ada = await world.telethon_client()
    with pytest.raises(errors.PhoneNumberInvalidError):
        await send_code(ada, phone)


async def test_without_a_login_only_the_public_methods_answer(world):
    stranger = await world.telethon_client()
    assert (await stranger.call(functions.help.GetNearestDcRequest())).this_dc == DC
    for request in (
        functions.users.GetUsersRequest([types.InputUserSelf()]),
        functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 10, 0),
        functions.updates.GetStateRequest(),
        functions.contacts.GetContactsRequest(0),
    ):
        with pytest.raises(errors.AuthKeyUnregisteredError):
            await stranger.call(request)


async def test_the_configuration_names_the_address_the_client_uses(world):
    stranger = await world.telethon_client()
    config = await stranger.call(functions.help.GetConfigRequest())
    assert config.this_dc == DC
    assert {(option.ip_address, option.port) for option in config.dc_options} == {world.server.address}
    assert DC in [option.id for option in config.dc_options]
    assert config.expires > config.date


async def test_both_devices_are_in_the_list_of_authorizations(world):
    ada = await world.sign_up("Ada", device_model="first phone")
    other = await world.sign_in(ada.phone, device_model="second phone")
    listed = {a.device_model: a for a in await authorizations(other)}
    assert set(listed) == {"first phone", "second phone"}
    assert listed["second phone"].current and listed["second phone"].hash == 0
    assert not listed["first phone"].current and listed["first phone"].hash != 0
    assert listed["first phone"].api_id == API_ID


async def test_a_login_elsewhere_is_told_to_the_first_device(world):
    ada = await world.sign_up("Ada")
    other = await world.telethon_client()
    sent = await send_code(other, ada.phone)
    assert isinstance(sent.type, types.auth.SentCodeTypeApp) and sent.type.length == 5
    note = await ada.seen.wait("updateNewMessage")
    assert note.message.peer_id.user_id == 777000 and not note.message.out
    assert code_of(ada.phone) in note.message.message
    await other.client.sign_in(ada.phone, code_of(ada.phone), phone_code_hash=sent.phone_code_hash)
    assert (await ada.seen.wait("updateNewAuthorization")).unconfirmed in (True, False, None)


@pytest.mark.parametrize("library", LIBRARIES)
async def test_who_logs_out_is_out_and_can_come_back(world, library):
    ada = await world.sign_up("Ada")
    other = await world.sign_in(ada.phone, library)
    assert len(await authorizations(ada)) == 2
    await other.client.log_out()
    assert len(await authorizations(ada)) == 1
    assert (await world.sign_in(ada.phone, library)).id == ada.id


async def test_a_key_that_logged_out_can_log_in_another_user(world):
    ada, phone = await world.sign_up("Ada"), new_phone()
    assert isinstance(await ada.call(functions.auth.LogOutRequest()), types.auth.LoggedOut)
    assert await is_cut_off(ada)
    sent = await send_code(ada, phone)
    await ada.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, code_of(phone)))
    answer = await ada.call(functions.auth.SignUpRequest(phone, sent.phone_code_hash, "Eve", ""))
    assert answer.user.id != ada.id


async def test_a_device_can_end_another(world):
    ada = await world.sign_up("Ada")
    other, third = await world.sign_in(ada.phone), await world.sign_in(ada.phone)
    for authorization in await authorizations(ada):
        if not authorization.current:
            ended = authorization.hash
            break
    assert await ada.call(functions.account.ResetAuthorizationRequest(ended))
    assert len(await authorizations(ada)) == 2
    cut = [await is_cut_off(device) for device in (other, third)]
    assert sorted(map(bool, cut)) == [False, True]
    with pytest.raises(errors.HashInvalidError):
        await ada.call(functions.account.ResetAuthorizationRequest(ended))


async def test_a_device_can_end_all_others(world):
    ada = await world.sign_up("Ada")
    others = [await world.sign_in(ada.phone) for _ in range(2)]
    assert await ada.call(functions.auth.ResetAuthorizationsRequest())
    for other in others:
        assert await until(functools.partial(is_cut_off, other))
    assert len(await authorizations(ada)) == 1


async def test_an_authorization_can_be_carried_to_another_key(world):
    ada = await world.sign_up("Ada")
    exported = await ada.call(functions.auth.ExportAuthorizationRequest(DC))
    other = await world.telethon_client()
    answer = await other.call(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
    assert answer.user.id == ada.id
    assert (await other.client.get_me()).id == ada.id
    # It serves once.
    third = await world.telethon_client()
    with pytest.raises(errors.RPCError):
        await third.call(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))


async def test_a_number_in_use_cannot_be_signed_up_twice(world):
    phone = new_phone()
    ada, eve = await world.telethon_client(), await world.telethon_client()
    hashes = []
    for person in (ada, eve):
        hashes.append((await send_code(person, phone)).phone_code_hash)
        await person.call(functions.auth.SignInRequest(phone, hashes[-1], code_of(phone)))
    await ada.call(functions.auth.SignUpRequest(phone, hashes[0], "Ada", ""))
    with pytest.raises((errors.PhoneNumberOccupiedError, errors.PhoneCodeExpiredError)):
        await eve.call(functions.auth.SignUpRequest(phone, hashes[1], "Eve", ""))
