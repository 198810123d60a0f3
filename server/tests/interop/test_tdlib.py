"""TDLib, where `BAUDOT_TDJSON` names its `libtdjson.so` (npm's `prebuilt-tdlib` has it).

TDLib has its servers' keys and addresses compiled in. A copy of the library gets our key in place of theirs, which is as
long, and a configured MTProxy (which is the server itself) brings every connection here.
"""

import ctypes
import json
import os
import re
import time
from pathlib import Path

import pytest
from telethon.tl import functions

from clients import code_of, new_phone
from harness import Server
from media import digest, noise, opened, picture
from mini import Mini

LIBRARY = os.environ.get("BAUDOT_TDJSON")
SECRET = "00112233445566778899aabbccddeeff"
PEM = re.compile(rb"-----BEGIN RSA PUBLIC KEY-----\n[^-]+-----END RSA PUBLIC KEY-----")

pytestmark = [pytest.mark.skipif(not LIBRARY, reason="no TDLib"), pytest.mark.noisy]


@pytest.fixture
def proxy_server(tmp_path):
    server = Server(tmp_path, "--set", f"mtproxy.secrets={SECRET}").start()
    yield server
    assert server.stop() == 0
    assert not server.complaints()


@pytest.fixture
def library(proxy_server, tmp_path):
    """TDLib with the server's key in it."""
    ours = proxy_server.public_key.strip().encode()

    def swap(found):
        # Keys of 2048 bits are equally long; another one, wrapped differently, is for something else.
        return ours if len(found.group()) == len(ours) else found.group()

    original = Path(LIBRARY).read_bytes()
    patched = PEM.sub(swap, original)
    assert patched != original
    # Until the proxy is set it calls its own servers; let it do that at an address of this machine where nobody is.
    patched = re.sub(rb"149(\.154\.\d+\.\d+)", rb"127\1", patched)
    path = tmp_path / "libtdjson.so"
    path.write_bytes(patched)
    library = ctypes.CDLL(str(path))
    library.td_send.argtypes = [ctypes.c_int, ctypes.c_char_p]
    library.td_receive.argtypes, library.td_receive.restype = [ctypes.c_double], ctypes.c_char_p
    library.td_execute.argtypes, library.td_execute.restype = [ctypes.c_char_p], ctypes.c_char_p
    library.td_execute(json.dumps({"@type": "setLogVerbosityLevel", "new_verbosity_level": 1}).encode())
    return library


class Hub:
    """All clients of the library, and what it tells each."""

    def __init__(self, library, server, folder):
        self.library, self.server, self.folder = library, server, folder
        self.told: dict[int, list] = {}
        self.answers: dict[int, dict] = {}
        self._asked = 0

    def client(self) -> int:
        client = self.library.td_create_client_id()
        self.told[client] = []
        return client

    def _take(self):
        answer = self.library.td_receive(0.1)
        if answer:
            answer = json.loads(answer)
            if "@extra" in answer:
                self.answers[answer["@extra"]] = answer
            elif answer["@client_id"] in self.told:
                self.told[answer["@client_id"]].append(answer)

    def call(self, client, kind, timeout_s=15, **values):
        self._asked += 1
        number = self._asked
        self.library.td_send(client, json.dumps({"@type": kind, "@extra": number} | values).encode())
        deadline = time.monotonic() + timeout_s
        while number not in self.answers:
            assert time.monotonic() < deadline, f"no answer to {kind}; told: {self.told[client][-5:]}"
            self._take()
        answer = self.answers.pop(number)
        assert answer["@type"] != "error", f"{kind}: {answer}"
        return answer

    def wait(self, client, kind, where=lambda update: True, timeout_s=15):
        deadline = time.monotonic() + timeout_s
        while True:
            for update in self.told[client]:
                if update["@type"] == kind and where(update):
                    return update
            assert time.monotonic() < deadline, f"no {kind}; told: {[u['@type'] for u in self.told[client]]}"
            self._take()

    def shown(self, client, words):
        """The last message of a chat, however it came: TDLib may ask for it, and then the update brings nothing new."""
        update = self.wait(
            client, "updateChatLastMessage", lambda u: "last_message" in u and shows(u["last_message"], words)
        )
        return update["last_message"]

    def state(self, client, name):
        return self.wait(
            client,
            "updateAuthorizationState",
            lambda u: u["authorization_state"]["@type"] == f"authorizationState{name}",
        )

    def open(self, phone, pfs=False):
        """A client on the database of this number."""
        client = self.client()
        # Answered only after the parameters, but taken before.
        option = {"@type": "setOption", "name": "use_pfs", "value": {"@type": "optionValueBoolean", "value": pfs}}
        self.library.td_send(client, json.dumps(option).encode())
        self.call(
            client,
            "setTdlibParameters",
            use_test_dc=False,
            database_directory=str(self.folder / phone),
            use_message_database=True,
            use_secret_chats=False,
            api_id=17349,
            api_hash="0" * 32,
            system_language_code="en",
            device_model="test",
            application_version="1",
        )
        kind = {"@type": "proxyTypeMtproto", "secret": SECRET}
        proxy = {"@type": "proxy", "server": self.server.host, "port": self.server.port, "type": kind}
        self.call(client, "addProxy", proxy=proxy, enable=True)
        return client

    def log_in(self, phone, name=None, pfs=False):
        client = self.open(phone, pfs)
        self.state(client, "WaitPhoneNumber")
        self.call(client, "setAuthenticationPhoneNumber", phone_number=phone)
        self.state(client, "WaitCode")
        self.call(client, "checkAuthenticationCode", code=code_of(phone))
        if name:
            self.state(client, "WaitRegistration")
            self.call(client, "registerUser", first_name=name)
        self.state(client, "Ready")
        return client

    def meet(self, client, phone):
        """Adds a contact by number, opens the chat with them and returns its id."""
        contact = {"@type": "importedContact", "phone_number": phone, "first_name": "F"}
        (found,) = self.call(client, "importContacts", contacts=[contact])["user_ids"]
        return self.call(client, "createPrivateChat", user_id=found)["id"]

    def end(self, client):
        self.call(client, "close")
        self.state(client, "Closed")
        del self.told[client]

    def close(self):
        for client in self.told:
            self.library.td_send(client, json.dumps({"@type": "close"}).encode())
        deadline = time.monotonic() + 5
        closed = set()
        while len(closed) < len(self.told) and time.monotonic() < deadline:
            self._take()
            for client, told in self.told.items():
                if any(u.get("authorization_state", {}).get("@type") == "authorizationStateClosed" for u in told):
                    closed.add(client)


def text(content):
    return {"@type": "inputMessageText", "text": {"@type": "formattedText", "text": content}}


def shows(message, words):
    return message["content"].get("text", {}).get("text") == words


def says(words):
    return lambda update: shows(update["message"], words)


@pytest.fixture
def hub(proxy_server, library, tmp_path):
    hub = Hub(library, proxy_server, tmp_path)
    yield hub
    hub.close()


@pytest.mark.parametrize("pfs", [False, True])
def test_two_new_users_chat(hub, pfs):
    phones = [new_phone(), new_phone()]
    ada, bob = (hub.log_in(phone, name, pfs) for phone, name in zip(phones, ("Ada", "Bob"), strict=True))
    assert hub.call(ada, "getOption", name="use_pfs")["value"] == pfs
    to_bob, to_ada = hub.meet(ada, phones[1]), hub.meet(bob, phones[0])
    hub.call(ada, "sendMessage", chat_id=to_bob, input_message_content=text("hello"))
    sent = hub.wait(ada, "updateMessageSendSucceeded")["message"]
    received = hub.shown(bob, "hello")
    assert received["chat_id"] == to_ada and not received["is_outgoing"]
    reply = {"@type": "inputMessageReplyToMessage", "message_id": received["id"]}
    hub.call(bob, "sendMessage", chat_id=to_ada, reply_to=reply, input_message_content=text("hi"))
    answer = hub.wait(ada, "updateNewMessage", says("hi"))["message"]
    assert answer["reply_to"]["message_id"] == sent["id"]
    hub.call(ada, "editMessageText", chat_id=to_bob, message_id=sent["id"], input_message_content=text("edited"))
    hub.wait(bob, "updateMessageContent", lambda u: u["new_content"]["text"]["text"] == "edited")
    hub.call(bob, "openChat", chat_id=to_ada)
    hub.call(bob, "viewMessages", chat_id=to_ada, message_ids=[received["id"]], force_read=True)
    hub.wait(ada, "updateChatReadOutbox", lambda u: u["last_read_outbox_message_id"] >= sent["id"])
    hub.call(ada, "deleteMessages", chat_id=to_bob, message_ids=[sent["id"]], revoke=True)
    hub.wait(bob, "updateDeleteMessages", lambda u: u["is_permanent"] and received["id"] in u["message_ids"])
    assert to_bob in hub.call(ada, "getChats", limit=10)["chat_ids"]
    found = hub.call(bob, "searchChatMessages", chat_id=to_ada, query="hi", limit=10)
    assert [message["content"]["text"]["text"] for message in found["messages"]] == ["hi"]
    hub.call(ada, "logOut")
    hub.state(ada, "Closed")


def test_files_go_and_come(hub, tmp_path):
    phones = [new_phone(), new_phone()]
    ada, bob = (hub.log_in(phone, name) for phone, name in zip(phones, ("Ada", "Bob"), strict=True))
    to_bob, to_ada = hub.meet(ada, phones[1]), hub.meet(bob, phones[0])
    file, photo = tmp_path / "notes.bin", tmp_path / "photo.jpg"
    # Big enough for the method of big files.
    file.write_bytes(noise(12 * 1024 * 1024))
    photo.write_bytes(picture(width=1000, height=500))

    def send(kind, path, **more):
        local = {"@type": "inputFileLocal", "path": str(path)}
        given = {"@type": f"input{kind}", kind.lower(): local} | more
        content = {"@type": f"inputMessage{kind}", kind.lower(): given}
        hub.call(ada, "sendMessage", chat_id=to_bob, input_message_content=content)

    def arrived(kind):
        return hub.wait(
            bob, "updateNewMessage", lambda u: u["message"]["content"]["@type"] == f"message{kind}", timeout_s=40
        )["message"]

    def fetched(found):
        answer = hub.call(bob, "downloadFile", file_id=found["id"], priority=1, synchronous=True, timeout_s=40)
        return Path(answer["local"]["path"]).read_bytes()

    send("Document", file)
    message = arrived("Document")
    assert message["chat_id"] == to_ada
    document = message["content"]["document"]
    assert document["file_name"] == "notes.bin"
    assert digest(fetched(document["document"])) == digest(file.read_bytes())
    send("Photo", photo, width=1000, height=500)
    found = arrived("Photo")["content"]["photo"]
    assert found["minithumbnail"]["width"] == 40
    for size in found["sizes"]:
        assert opened(fetched(size["photo"])).size == (size["width"], size["height"])
    answer = hub.call(ada, "setProfilePhoto", photo={
        "@type": "inputChatPhotoStatic", "photo": {"@type": "inputFileLocal", "path": str(photo)}
    })  # fmt: skip
    assert answer["@type"] == "ok"
    seen = hub.wait(bob, "updateUser", lambda u: u["user"].get("profile_photo"))["user"]["profile_photo"]
    assert opened(fetched(seen["big"])).size == (640, 640)


@pytest.mark.parametrize("pfs", [False, True])
def test_a_client_that_was_away_catches_up(hub, pfs):
    phone, other = new_phone(), new_phone()
    ada = hub.log_in(phone, "Ada", pfs)
    bob = Mini(hub.server)
    bob.log_in(other, code_of(other))
    to_ada = bob.meet(phone)
    hub.meet(ada, other)
    first = bob.send_text(to_ada, "before").updates[0].id
    hub.shown(ada, "before")
    hub.end(ada)
    bob.call(functions.messages.EditMessageRequest(to_ada, first, message="edited while away"))
    for number in range(3):
        bob.send_text(to_ada, f"while away {number}")
    hub.server.restart("kill")
    bob.reconnect()
    bob.send_text(to_ada, "after the restart")
    ada = hub.open(phone, pfs)
    hub.state(ada, "Ready")
    hub.shown(ada, "after the restart")
    bob.send_text(to_ada, "live")
    live = hub.wait(ada, "updateNewMessage", says("live"))["message"]
    history, start = [], 0
    while len(history) < 6:
        page = hub.call(ada, "getChatHistory", chat_id=live["chat_id"], from_message_id=start, limit=10)["messages"]
        assert page, history
        history += [message["content"]["text"]["text"] for message in page]
        start = page[-1]["id"]
    away = [f"while away {number}" for number in (2, 1, 0)]
    assert history == ["live", "after the restart", *away, "edited while away"]
    bob.close()
