"""Clients of other layers: nothing is sent that their schema does not have, and everything they send is understood.

Answers and updates are read by the published schema of the layer, to the last byte. Without these files beside the
checkout (see `tltext.schema_folder`) the tests are skipped; Telethon and pyrogram then still stand for two layers.
"""

import os

import pytest

from clients import code_of, new_phone
from mini import Mini, RpcError
from tltext import Schema, schema_folder

LAYERS = [152, 158, 198, 227, 228, 229, 230]

pytestmark = pytest.mark.skipif(not schema_folder().is_dir(), reason="no schema files beside the checkout")


class Speaker:
    """A client that speaks one layer and nothing else."""

    def __init__(self, server, layer):
        self.schema = Schema(layer)
        self.mini = Mini(server, layer=layer, read_update=self.schema.read)

    def call(self, function, **values):
        return self.schema.answer(function, self.mini.call_bytes(self.schema.write(function, **values)))

    def log_in(self, phone, name="Ada"):
        settings = {"_": "codeSettings"}
        sent = self.call("auth.sendCode", phone_number=phone, api_id=17349, api_hash="0" * 32, settings=settings)
        code = {"phone_number": phone, "phone_code_hash": sent["phone_code_hash"]}
        answer = self.call("auth.signIn", **code, phone_code=code_of(phone))
        if answer["_"] == "auth.authorizationSignUpRequired":
            answer = self.call("auth.signUp", **code, first_name=name, last_name="")
        self.phone, self.user = phone, answer["user"]
        self.call("updates.getState")
        return self

    def meet(self, other):
        contact = {"_": "inputPhoneContact", "client_id": 1, "phone": other.phone, "first_name": "F", "last_name": "L"}
        (user,) = self.call("contacts.importContacts", contacts=[contact])["users"]
        return {"_": "inputPeerUser", "user_id": user["id"], "access_hash": user["access_hash"]}

    def send(self, peer, text, **values):
        random_id = int.from_bytes(os.urandom(8), "little", signed=True)
        return self.call("messages.sendMessage", peer=peer, message=text, random_id=random_id, **values)

    def waits_for(self, text):
        while not any(
            u.get("message", {}).get("message") == text for u in self.told(0.02) if u["_"] == "updateNewMessage"
        ):
            pass

    def told(self, quiet_s=0.3):
        """Everything pushed so far, read by this layer's schema."""
        self.mini.drain(quiet_s)
        return [inner for told in self.mini.updates for inner in told.get("updates", [told.get("update", told)])]

    def close(self):
        self.mini.close()


def speak(server, layer, name="Ada"):
    return Speaker(server, layer).log_in(new_phone(), name)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("other", [152, 230])
def test_a_chat_is_readable_to_the_last_byte(server, layer, other):
    ada, bob = speak(server, layer, "Ada"), speak(server, other, "Bob")
    to_bob, to_ada = ada.meet(bob), bob.meet(ada)
    bold = [{"_": "messageEntityBold", "offset": 0, "length": 5}]
    ada.send(to_bob, "hello world", entities=bold)
    bob.send(to_ada, "hi")
    ada.waits_for("hi")
    for person, peer in ((ada, to_bob), (bob, to_ada)):
        history = person.call(
            "messages.getHistory",
            peer=peer, offset_id=0, offset_date=0, add_offset=0, limit=10, max_id=0, min_id=0, hash=0,
        )  # fmt: skip
        # The second one finds what the first one left, too.
        messages = history["messages"][-2:]
        assert [m["message"] for m in messages] == ["hi", "hello world"]
        assert messages[1]["entities"] == bold
        old_reply = {"reply_to_msg_id": messages[0]["id"]}
        new_reply = {"reply_to": {"_": "inputReplyToMessage", **old_reply}}
        person.send(peer, "a reply", **(old_reply if person.schema.layer < 160 else new_reply))
        newest = person.call(
            "messages.getHistory",
            peer=peer, offset_id=0, offset_date=0, add_offset=0, limit=1, max_id=0, min_id=0, hash=0,
        )["messages"][0]  # fmt: skip
        assert newest["reply_to"]["reply_to_msg_id"] == messages[0]["id"]
        person.call("messages.editMessage", peer=peer, id=newest["id"], message="an edit")
        person.call("messages.readHistory", peer=peer, max_id=messages[0]["id"])
        person.call("messages.forwardMessages", from_peer=peer, id=[newest["id"]], random_id=[layer], to_peer=peer)
        person.call("messages.setTyping", peer=peer, action={"_": "sendMessageTypingAction"})
        person.call("messages.saveDraft", peer=peer, message="a draft")
        person.call("messages.search", **search(person, peer, "hello"))
        person.call("messages.deleteMessages", id=[newest["id"]], revoke=True)
        person.call("messages.getMessages", id=[{"_": "inputMessageID", "id": newest["id"]}])
        person.call("account.updateStatus", offline=False)
    names = {update["_"] for person in (ada, bob) for update in person.told()}
    expected = {"updateNewMessage", "updateEditMessage", "updateDeleteMessages", "updateUserTyping", "updateUserStatus"}
    assert expected <= names
    for person in (ada, bob):
        difference = person.call("updates.getDifference", pts=1, date=1, qts=0)
        assert difference["_"].startswith("updates.difference")
        person.close()


def search(person, peer, query):
    return {
        "peer": peer, "q": query, "filter": {"_": "inputMessagesFilterEmpty"}, "min_date": 0, "max_date": 0,
        "offset_id": 0, "add_offset": 0, "limit": 10, "max_id": 0, "min_id": 0, "hash": 0,
    }  # fmt: skip


EMPTY_PAGE = {"offset_date": 0, "offset_id": 0, "offset_peer": {"_": "inputPeerEmpty"}, "limit": 100, "hash": 0}
SELF = {"_": "inputUserSelf"}
# What clients ask for when they start, by the oldest layer's names.
START = [
    ("help.getConfig", {}),
    ("help.getNearestDc", {}),
    ("help.getAppConfig", {"hash": 0}),
    ("help.getCountriesList", {"lang_code": "en", "hash": 0}),
    ("help.getTermsOfServiceUpdate", {}),
    ("help.getPromoData", {}),
    ("langpack.getLangPack", {"lang_pack": "", "lang_code": "en"}),
    ("langpack.getLanguages", {"lang_pack": ""}),
    ("users.getUsers", {"id": [SELF]}),
    ("users.getFullUser", {"id": SELF}),
    ("account.getPassword", {}),
    ("account.getAuthorizations", {}),
    ("account.getNotifySettings", {"peer": {"_": "inputNotifyUsers"}}),
    ("account.getPrivacy", {"key": {"_": "inputPrivacyKeyStatusTimestamp"}}),
    ("contacts.getContacts", {"hash": 0}),
    ("contacts.getStatuses", {}),
    ("contacts.getBlocked", {"offset": 0, "limit": 10}),
    ("contacts.getTopPeers", {"correspondents": True, "offset": 0, "limit": 10, "hash": 0}),
    ("messages.getDialogs", EMPTY_PAGE),
    ("messages.getDialogs", EMPTY_PAGE | {"folder_id": 1}),
    ("messages.getPinnedDialogs", {"folder_id": 0}),
    ("messages.getPeerDialogs", {"peers": [{"_": "inputDialogPeer", "peer": {"_": "inputPeerSelf"}}]}),
    ("messages.getAllDrafts", {}),
    ("messages.getDialogFilters", {}),
    ("messages.getAvailableReactions", {"hash": 0}),
    ("messages.getAttachMenuBots", {"hash": 0}),
    ("messages.getAllStickers", {"hash": 0}),
    ("messages.getSavedGifs", {"hash": 0}),
    ("messages.getScheduledHistory", {"peer": {"_": "inputPeerSelf"}, "hash": 0}),
    ("updates.getState", {}),
]


@pytest.mark.parametrize("layer", LAYERS)
def test_what_clients_ask_first_is_readable(server, layer):
    ada, bob = speak(server, layer, "Ada"), speak(server, 230, "Bob")
    ada.send(ada.meet(bob), "so that there is a dialog")
    for function, values in START:
        has = [field for field, *_ in ada.schema.by_name[function][2]]
        try:
            ada.call(function, **{field: value for field, value in values.items() if field in has})
        except RpcError as error:
            assert error.code == 400, f"{function}: {error}"
    ada.close()
    bob.close()


@pytest.mark.parametrize("layer", LAYERS)
def test_what_another_device_changes_is_readable(server, layer):
    ada, bob = speak(server, layer, "Ada"), speak(server, 230, "Bob")
    tablet = Speaker(server, 230).log_in(ada.phone)
    peer = tablet.meet(bob)
    dialog = {"_": "inputDialogPeer", "peer": peer}
    muted = {"_": "inputPeerNotifySettings", "mute_until": 2**31 - 1, "silent": True}
    hidden = {"key": {"_": "inputPrivacyKeyStatusTimestamp"}, "rules": [{"_": "inputPrivacyValueAllowContacts"}]}
    sent = tablet.send(peer, "hello")["updates"][0]["id"]
    tablet.call("messages.updatePinnedMessage", peer=peer, id=sent)
    tablet.call("messages.updatePinnedMessage", peer=peer, id=sent, unpin=True)
    tablet.call("messages.toggleDialogPin", peer=dialog, pinned=True)
    tablet.call("messages.reorderPinnedDialogs", folder_id=0, order=[dialog], force=True)
    tablet.call("messages.markDialogUnread", peer=dialog, unread=True)
    tablet.call("messages.saveDraft", peer=peer, message="a draft")
    tablet.call("messages.clearAllDrafts")
    tablet.call("account.updateNotifySettings", peer={"_": "inputNotifyPeer", "peer": peer}, settings=muted)
    tablet.call("account.setPrivacy", **hidden)
    tablet.call("account.updateProfile", first_name="Augusta", about="Countess")
    tablet.call("account.updateUsername", username=f"layer{layer}_{ada.user['id']}")
    user = {"_": "inputUser", "user_id": peer["user_id"], "access_hash": peer["access_hash"]}
    tablet.call("contacts.addContact", id=user, first_name="Bobby", last_name="", phone="")
    tablet.call("contacts.block", id=peer)
    tablet.call("contacts.unblock", id=peer)
    tablet.call("messages.deleteHistory", peer=peer, max_id=0, revoke=True)
    tablet.call("contacts.deleteContacts", id=[user])
    names = {update["_"] for update in ada.told()}
    expected = {
        "updateNewMessage", "updatePinnedMessages", "updateDialogPinned", "updateDialogUnreadMark",
        "updateDraftMessage", "updateNotifySettings", "updatePrivacy", "updatePeerBlocked", "updateDeleteMessages",
    }  # fmt: skip
    assert expected <= names
    for each in (ada, bob, tablet):
        each.close()


@pytest.mark.parametrize("layer", LAYERS)
def test_the_layer_of_a_key_is_remembered_for_pushes(server, layer):
    """After a reconnect updates come before the client has said its layer again."""
    ada, bob = speak(server, layer, "Ada"), speak(server, 230, "Bob")
    to_ada = bob.meet(ada)
    ada.mini.drain(0.1)
    ada.mini.reconnect()
    ada.mini.call_bytes(ada.schema.write("updates.getState"))
    bob.send(to_ada, "hello")
    assert "updateNewMessage" in {update["_"] for update in ada.told()}
    ada.close()
    bob.close()


def test_one_user_may_speak_two_layers_at_once(server):
    old, bob = speak(server, 152, "Ada"), speak(server, 230, "Bob")
    new = Speaker(server, 230).log_in(old.phone)
    assert new.user["id"] == old.user["id"]
    bob.send(bob.meet(old), "hello")
    for device in (old, new):
        received = [u["message"] for u in device.told() if u["_"] == "updateNewMessage"]
        assert "hello" in [message.get("message") for message in received]
        device.close()
    bob.close()


@pytest.mark.parametrize("layer", [0, 1, 100, 999, -1, 2**31 - 1])
def test_layers_that_are_not_spoken_are_refused_or_taken_as_the_nearest(server, layer):
    client = Mini(server)
    query = client.wrap(Schema(230).write("help.getNearestDc"), layer=layer & 0xFFFFFFFF)
    try:
        client.result(client.send(query))
    except RpcError as error:
        assert error.code == 400
    client.close()
