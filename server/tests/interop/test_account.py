"""One's own profile and settings, and what clients ask for before they show anything."""

import pytest
from telethon import errors
from telethon.tl import functions, types

from clients import until


async def test_a_changed_profile_is_seen_by_oneself_and_others(world):
    ada, bob = await world.pair()
    changed = await ada.call(functions.account.UpdateProfileRequest("Augusta", "King", "Countess"))
    assert (changed.first_name, changed.last_name, changed.is_self) == ("Augusta", "King", True)
    full = await bob.call(functions.users.GetFullUserRequest(await bob.client.get_input_entity(ada.id)))
    assert full.full_user.about == "Countess"
    # What is left out stays.
    await ada.call(functions.account.UpdateProfileRequest(about="Mathematician"))
    me = await ada.client.get_me()
    assert (me.first_name, me.last_name) == ("Augusta", "King")


async def test_a_changed_name_reaches_the_other_device(world):
    ada = await world.sign_up("Ada")
    tablet = await world.sign_in(ada.phone)
    await ada.call(functions.account.UpdateProfileRequest("Augusta", ""))

    async def told():
        return tablet.seen.all("updateUserName") or tablet.seen.all("updateUser")

    await until(told)
    assert (await tablet.client.get_me()).first_name == "Augusta"


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (functions.account.UpdateProfileRequest("", "King"), errors.FirstNameInvalidError),
        (functions.account.UpdateProfileRequest("A" * 65), errors.FirstNameInvalidError),
        (functions.account.UpdateProfileRequest(about="x" * 1000), errors.AboutTooLongError),
    ],
)
async def test_profiles_that_are_none_are_refused(world, request_, error):
    ada = await world.sign_up()
    with pytest.raises(error):
        await ada.call(request_)


async def test_pyrogram_updates_its_profile(world):
    ada = await world.sign_up("Ada", "pyrogram")
    assert await ada.client.update_profile(first_name="Augusta", last_name="King", bio="Countess")
    chat = await ada.client.get_chat("me")
    assert (chat.first_name, chat.last_name, chat.bio) == ("Augusta", "King", "Countess")
    assert await ada.client.set_username(f"augusta_{ada.id}")
    assert (await ada.client.get_me()).username == f"augusta_{ada.id}"


async def test_full_users_describe_themselves(world):
    ada, bob = await world.pair()
    for peer, user_id in ((types.InputUserSelf(), ada.id), (await ada.client.get_input_entity(bob.id), bob.id)):
        full = await ada.call(functions.users.GetFullUserRequest(peer))
        assert full.full_user.id == user_id
        assert user_id in [user.id for user in full.users]
        assert full.full_user.common_chats_count == 0


async def test_users_are_given_in_the_order_asked(world):
    ada, bob = await world.pair()
    peer = await ada.client.get_input_entity(bob.id)
    users = await ada.call(functions.users.GetUsersRequest([peer, types.InputUserSelf(), peer]))
    assert [user.id for user in users] == [bob.id, ada.id, bob.id]


async def test_there_is_no_password_yet(world):
    ada = await world.sign_up()
    password = await ada.call(functions.account.GetPasswordRequest())
    assert not password.has_password and not password.has_recovery
    assert isinstance(password.new_algo, types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow)
    assert isinstance(password.new_secure_algo, types.SecurePasswordKdfAlgoPBKDF2HMACSHA512iter100000)


async def test_privacy_rules_have_a_value(world):
    ada = await world.sign_up()
    for key in (
        types.InputPrivacyKeyStatusTimestamp(),
        types.InputPrivacyKeyPhoneNumber(),
        types.InputPrivacyKeyForwards(),
    ):
        answer = await ada.call(functions.account.GetPrivacyRequest(key))
        assert answer.rules


async def test_notify_settings_have_a_value(world):
    ada, bob = await world.pair()
    peer = types.InputNotifyPeer(await ada.client.get_input_entity(bob.id))
    for which in (peer, types.InputNotifyUsers(), types.InputNotifyChats(), types.InputNotifyBroadcasts()):
        answer = await ada.call(functions.account.GetNotifySettingsRequest(which))
        assert isinstance(answer, types.PeerNotifySettings)


@pytest.mark.parametrize(
    "request_",
    [
        functions.help.GetConfigRequest(),
        functions.help.GetNearestDcRequest(),
        functions.help.GetAppConfigRequest(0),
        functions.help.GetCountriesListRequest("en", 0),
        functions.help.GetTermsOfServiceUpdateRequest(),
        functions.langpack.GetLangPackRequest("", "en"),
        functions.langpack.GetDifferenceRequest("", "en", 0),
        functions.langpack.GetStringsRequest("", "en", ["lng_cancel"]),
        functions.langpack.GetLanguagesRequest(""),
        functions.langpack.GetLanguageRequest("", "en"),
    ],
    ids=lambda request: type(request).__name__,
)
async def test_what_clients_ask_before_a_login_is_answered(world, request_):
    stranger = await world.telethon_client()
    try:
        assert await stranger.call(request_) is not None
    except errors.BadRequestError:
        # A language that the server does not have may be refused, the rest may not.
        assert type(request_).__name__.startswith("GetLang") or "langpack" in type(request_).__module__


# Asked for by TDLib and Telegram Desktop once they are logged in (in part before they show anything).
START = [
    functions.help.GetPromoDataRequest(),
    functions.help.GetPremiumPromoRequest(),
    functions.help.GetPeerColorsRequest(0),
    functions.help.GetPeerProfileColorsRequest(0),
    functions.help.GetTimezonesListRequest(0),
    functions.account.GetContentSettingsRequest(),
    functions.account.GetReactionsNotifySettingsRequest(),
    functions.account.GetGlobalPrivacySettingsRequest(),
    functions.account.GetThemesRequest("tdesktop", 0),
    functions.account.GetChatThemesRequest(0),
    functions.account.GetDefaultEmojiStatusesRequest(0),
    functions.account.GetContactSignUpNotificationRequest(),
    functions.account.GetAccountTTLRequest(),
    functions.account.GetWebAuthorizationsRequest(),
    functions.messages.GetDialogFiltersRequest(),
    functions.messages.GetAvailableReactionsRequest(0),
    functions.messages.GetTopReactionsRequest(10, 0),
    functions.messages.GetRecentReactionsRequest(10, 0),
    functions.messages.GetAvailableEffectsRequest(0),
    functions.messages.GetAttachMenuBotsRequest(0),
    functions.messages.GetEmojiGroupsRequest(0),
    functions.messages.GetStickersRequest("🙂", 0),
    functions.messages.GetAllStickersRequest(0),
    functions.messages.GetSavedGifsRequest(0),
    functions.messages.GetPinnedDialogsRequest(0),
    functions.messages.GetPinnedDialogsRequest(1),
    functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 100, 0, folder_id=1),
    functions.messages.GetPeerSettingsRequest(types.InputPeerSelf()),
    functions.messages.GetScheduledHistoryRequest(types.InputPeerSelf(), 0),
    functions.messages.GetAllDraftsRequest(),
    functions.messages.ReceivedMessagesRequest(0),
    functions.contacts.GetTopPeersRequest(0, 10, 0, correspondents=True),
    functions.contacts.GetContactsRequest(0),
    functions.contacts.GetStatusesRequest(),
    functions.stories.GetAllStoriesRequest(),
]


async def test_start_up_calls_are_answered_or_refused_cleanly(world):
    ada = await world.sign_up()
    for request in START:
        try:
            await ada.call(request)
        except errors.BadRequestError:
            # Not served (yet): fine, as long as it is no 5xx, which TDLib would repeat for a minute.
            pass


@pytest.mark.parametrize(
    "request_",
    [
        functions.messages.GetPinnedDialogsRequest(0),
        functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 100, 0, folder_id=1),
        functions.messages.GetAllDraftsRequest(),
        functions.messages.ReceivedMessagesRequest(0),
        functions.contacts.GetContactsRequest(0),
        functions.contacts.GetStatusesRequest(),
        functions.contacts.GetBlockedRequest(0, 10),
    ],
    ids=lambda request: type(request).__name__,
)
async def test_a_new_user_has_empty_lists(world, request_):
    ada = await world.sign_up()
    answer = await ada.call(request_)
    for name in ("dialogs", "messages", "updates", "blocked", "contacts"):
        assert not getattr(answer, name, [])
