"""The list of chats and what hangs on it: pins, marks, settings, drafts, search over all."""

import pytest
from telethon import errors
from telethon.tl import functions, types

from clients import now, until


async def peer_of(person, other):
    return await person.client.get_input_entity(other.id)


async def pinned(person):
    answer = await person.call(functions.messages.GetPinnedDialogsRequest(0))
    return [dialog.peer.user_id for dialog in answer.dialogs]


async def test_pinned_chats_stand_first_in_the_order_given(world):
    ada, bob = await world.pair()
    eve = await world.sign_up("Eve")
    await ada.meet(eve)
    tablet = await world.device(ada)
    await ada.send(bob.id, "older")
    await ada.send(eve.id, "newer")
    peers = [types.InputDialogPeer(await peer_of(ada, other)) for other in (bob, eve)]
    assert await ada.call(functions.messages.ToggleDialogPinRequest(peers[0], pinned=True))
    update = await tablet.seen.wait("updateDialogPinned")
    assert update.pinned and update.peer.peer.user_id == bob.id
    dialogs = await ada.client.get_dialogs()
    assert (dialogs[0].id, dialogs[0].pinned, dialogs[1].pinned) == (bob.id, True, False)
    await ada.call(functions.messages.ToggleDialogPinRequest(peers[1], pinned=True))
    assert await pinned(tablet) == [eve.id, bob.id]
    await ada.call(functions.messages.ReorderPinnedDialogsRequest(0, peers, force=True))
    await tablet.seen.wait("updatePinnedDialogs")
    assert await pinned(ada) == [bob.id, eve.id]
    await ada.call(functions.messages.ToggleDialogPinRequest(peers[0]))
    assert await pinned(ada) == [eve.id]


async def test_a_chat_can_be_marked_as_unread(world):
    ada, bob = await world.pair()
    tablet = await world.device(ada)
    await ada.send(bob.id, "hello")
    peer = types.InputDialogPeer(await peer_of(ada, bob))
    assert await ada.call(functions.messages.MarkDialogUnreadRequest(peer, unread=True))
    assert (await tablet.seen.wait("updateDialogUnreadMark")).unread
    (marked,) = await ada.call(functions.messages.GetDialogUnreadMarksRequest())
    assert marked.peer.user_id == bob.id
    await ada.call(functions.messages.MarkDialogUnreadRequest(peer))
    assert await ada.call(functions.messages.GetDialogUnreadMarksRequest()) == []


async def test_a_message_can_be_pinned_for_both(world):
    ada, bob = await world.pair()
    sent = await ada.send(bob.id, "important")
    at_bob = (await bob.seen.message("important")).id
    await ada.client.pin_message(bob.id, sent, notify=True)
    update = await bob.seen.wait("updatePinnedMessages")
    assert (update.pinned, update.messages, update.peer.user_id) == (True, [at_bob], ada.id)
    notice = await bob.seen.wait("updateNewMessage", lambda u: isinstance(u.message, types.MessageService))
    assert isinstance(notice.message.action, types.MessageActionPinMessage)
    (found,) = await bob.client.get_messages(ada.id, filter=types.InputMessagesFilterPinned(), limit=5)
    assert found.id == at_bob and found.pinned
    full = await bob.call(functions.users.GetFullUserRequest(await peer_of(bob, ada)))
    assert full.full_user.pinned_msg_id == at_bob
    with pytest.raises(errors.ChatNotModifiedError):
        await ada.call(functions.messages.UpdatePinnedMessageRequest(await peer_of(ada, bob), sent))
    answer = await ada.call(functions.messages.UnpinAllMessagesRequest(await peer_of(ada, bob)))
    assert answer.pts_count == 1
    await bob.seen.wait("updatePinnedMessages", lambda u: not u.pinned)
    assert await bob.client.get_messages(ada.id, filter=types.InputMessagesFilterPinned(), limit=5) == []


async def test_when_a_message_was_read_can_be_asked(world):
    ada, bob = await world.pair()
    sent = await ada.send(bob.id, "read me")
    request = functions.messages.GetOutboxReadDateRequest(await peer_of(ada, bob), sent)
    with pytest.raises(errors.RPCError, match="(?i)not_?read"):
        await ada.call(request)
    await bob.read(ada.id, (await bob.seen.message("read me")).id)
    await ada.seen.wait("updateReadHistoryOutbox")
    date = (await ada.call(request)).date
    assert abs(date.timestamp() - now()) < 10


async def test_all_drafts_can_be_cleared(world):
    ada, bob = await world.pair()
    await ada.call(functions.messages.SaveDraftRequest(await peer_of(ada, bob), "to bob"))
    await ada.call(functions.messages.SaveDraftRequest(types.InputPeerSelf(), "to self"))
    answer = await ada.call(functions.messages.GetAllDraftsRequest())
    assert sorted(update.draft.message for update in answer.updates) == ["to bob", "to self"]
    assert await ada.call(functions.messages.ClearAllDraftsRequest())
    answer = await ada.call(functions.messages.GetAllDraftsRequest())
    assert [u for u in answer.updates if isinstance(u.draft, types.DraftMessage)] == []


async def test_messages_are_found_in_all_chats(world):
    ada, bob = await world.pair()
    await ada.send(bob.id, "a needle here")
    await ada.send("me", "and a needle there")
    await ada.send("me", "hay")
    found = [message.message async for message in ada.client.iter_messages(None, search="needle", limit=10)]
    assert sorted(found) == ["a needle here", "and a needle there"]
    request = functions.messages.SearchGlobalRequest(
        "needle", types.InputMessagesFilterEmpty(), None, None, 0, types.InputPeerEmpty(), 0, 1
    )
    assert len((await ada.call(request)).messages) == 1
    filters = [types.InputMessagesFilterPinned(), types.InputMessagesFilterPhotos()]
    counters = await ada.call(functions.messages.GetSearchCountersRequest(await peer_of(ada, bob), filters))
    assert [(type(c.filter).__name__, c.count) for c in counters] == [
        ("InputMessagesFilterPinned", 0),
        ("InputMessagesFilterPhotos", 0),
    ]


async def test_a_chat_can_be_muted(world):
    ada, bob = await world.pair()
    tablet = await world.device(ada)
    await ada.send(bob.id, "hello")
    which = types.InputNotifyPeer(await peer_of(ada, bob))
    settings = types.InputPeerNotifySettings(mute_until=2**31 - 1, silent=True)
    assert await ada.call(functions.account.UpdateNotifySettingsRequest(which, settings))
    update = await tablet.seen.wait("updateNotifySettings")
    assert update.notify_settings.silent
    stored = await ada.call(functions.account.GetNotifySettingsRequest(which))
    assert stored.mute_until.timestamp() == 2**31 - 1 and stored.silent
    (dialog,) = [d for d in await ada.client.get_dialogs() if d.id == bob.id]
    assert dialog.dialog.notify_settings.silent
    exceptions = await ada.call(functions.account.GetNotifyExceptionsRequest())
    assert [u.peer.peer.user_id for u in exceptions.updates] == [bob.id]
    assert await ada.call(functions.account.ResetNotifySettingsRequest())
    assert not (await ada.call(functions.account.GetNotifySettingsRequest(which))).silent


async def test_privacy_decides_who_sees_the_number(world):
    ada, bob = await world.sign_up("Ada"), await world.sign_up("Bob")
    await ada.meet(bob)
    tablet = await world.device(bob)
    key = types.InputPrivacyKeyPhoneNumber()
    rules = await bob.call(functions.account.SetPrivacyRequest(key, [types.InputPrivacyValueAllowAll()]))
    assert [type(rule).__name__ for rule in rules.rules] == ["PrivacyValueAllowAll"]
    await tablet.seen.wait("updatePrivacy")
    name = f"open_{bob.id}"
    await bob.call(functions.account.UpdateUsernameRequest(name))
    stranger = await world.sign_up("Eve")
    assert (await stranger.client.get_entity(name)).phone == bob.phone
    await bob.call(functions.account.SetPrivacyRequest(key, [types.InputPrivacyValueDisallowAll()]))
    answer = await stranger.call(functions.contacts.ResolveUsernameRequest(name))
    assert answer.users[0].phone is None
    kept = await bob.call(functions.account.GetPrivacyRequest(key))
    assert [type(rule).__name__ for rule in kept.rules] == ["PrivacyValueDisallowAll"]


async def test_who_was_online_can_be_hidden(world):
    ada, bob = await world.pair()
    key = types.InputPrivacyKeyStatusTimestamp()
    await bob.call(functions.account.SetPrivacyRequest(key, [types.InputPrivacyValueDisallowAll()]))
    await bob.call(functions.account.UpdateStatusRequest(offline=False))
    (user,) = await ada.call(functions.users.GetUsersRequest([await peer_of(ada, bob)]))
    assert not isinstance(user.status, types.UserStatusOnline | types.UserStatusOffline)
    assert not [u for u in ada.seen.all("updateUserStatus") if isinstance(u.status, types.UserStatusOnline)]


async def test_media_that_do_not_exist_here_are_refused_and_text_is_not_lost(world):
    ada = await world.sign_up()
    request = functions.messages.SendMediaRequest(
        types.InputPeerSelf(), types.InputMediaDice("🎲"), "where", random_id=1
    )
    with pytest.raises(errors.BadRequestError):
        await ada.call(request)
    assert await ada.history("me") == []
    opened = await ada.call(functions.messages.ReadMessageContentsRequest([1, 2, 3]))
    assert opened.pts_count == 0


async def test_there_are_no_channels(world):
    ada = await world.sign_up()
    with pytest.raises(errors.ChannelInvalidError):
        await ada.call(
            functions.updates.GetChannelDifferenceRequest(
                types.InputChannel(1, 1), types.ChannelMessagesFilterEmpty(), 1, 10
            )
        )


async def test_the_other_sides_device_sees_a_contact_being_accepted(world):
    ada, bob = await world.sign_up("Ada"), await world.sign_up("Bob")
    await ada.meet(bob)
    await ada.send(bob.id, "it is me")
    await bob.seen.message("it is me")
    # The answer has room for small ids only.
    assert await ada.call(functions.contacts.GetContactIDsRequest(0)) == [i for i in [bob.id] if i < 2**31]
    await bob.call(functions.contacts.AcceptContactRequest(await peer_of(bob, ada)))

    async def mutual():
        (user,) = await ada.call(functions.users.GetUsersRequest([await peer_of(ada, bob)]))
        return user.mutual_contact

    await until(mutual)
    requirements = await ada.call(functions.users.GetRequirementsToContactRequest([await peer_of(ada, bob)]))
    assert [type(each).__name__ for each in requirements] == ["RequirementToContactEmpty"]


async def test_support_can_be_asked_for(world):
    ada = await world.sign_up()
    assert (await ada.call(functions.help.GetInviteTextRequest())).message
    for request in (functions.help.GetSupportRequest(), functions.help.GetSupportNameRequest()):
        try:
            assert await ada.call(request)
        except errors.RPCError as error:
            assert error.code in (400, 403)


async def test_a_device_can_be_told_to_stay_quiet(world):
    ada = await world.sign_up("Ada", device_model="first")
    await world.sign_in(ada.phone, device_model="second")
    listed = (await ada.call(functions.account.GetAuthorizationsRequest())).authorizations
    (other,) = [a for a in listed if not a.current]
    request = functions.account.ChangeAuthorizationSettingsRequest(other.hash, call_requests_disabled=True)
    assert await ada.call(request)
    listed = (await ada.call(functions.account.GetAuthorizationsRequest())).authorizations
    assert [a.call_requests_disabled for a in listed if a.hash == other.hash] == [True]
