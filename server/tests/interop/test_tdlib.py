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

from clients import code_of, new_phone
from harness import Server

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

    def state(self, client, name):
        return self.wait(
            client,
            "updateAuthorizationState",
            lambda u: u["authorization_state"]["@type"] == f"authorizationState{name}",
        )

    def log_in(self, phone, name=None, folder=None):
        client = self.client()
        self.call(
            client,
            "setTdlibParameters",
            use_test_dc=False,
            database_directory=str(folder or self.folder / phone),
            use_message_database=True,
            use_secret_chats=False,
            api_id=17349,
            api_hash="0" * 32,
            system_language_code="en",
            device_model="test",
            application_version="1",
        )
        proxy = {
            "server": self.server.host,
            "port": self.server.port,
            "type": {"@type": "proxyTypeMtproto", "secret": SECRET},
        }
        self.call(client, "addProxy", proxy={"@type": "proxy"} | proxy, enable=True, **proxy)
        self.state(client, "WaitPhoneNumber")
        self.call(client, "setAuthenticationPhoneNumber", phone_number=phone)
        self.state(client, "WaitCode")
        self.call(client, "checkAuthenticationCode", code=code_of(phone))
        if name:
            self.state(client, "WaitRegistration")
            self.call(client, "registerUser", first_name=name)
        self.state(client, "Ready")
        return client

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


def test_two_new_users_chat(proxy_server, library, tmp_path):
    hub = Hub(library, proxy_server, tmp_path)
    phones = [new_phone(), new_phone()]
    ada, bob = (hub.log_in(phone, name) for phone, name in zip(phones, ("Ada", "Bob"), strict=True))
    ids = [hub.call(client, "getMe")["id"] for client in (ada, bob)]
    for client, phone, expected in ((ada, phones[1], ids[1]), (bob, phones[0], ids[0])):
        contact = {"@type": "importedContact", "phone_number": phone, "first_name": "F"}
        contacts = [{"@type": "contact", "phone_number": phone, "first_name": "F"} | contact]
        assert hub.call(client, "importContacts", contacts=contacts)["user_ids"] == [expected]
        hub.call(client, "createPrivateChat", user_id=expected)
    hub.call(ada, "sendMessage", chat_id=ids[1], input_message_content=text("hello"))
    sent = hub.wait(ada, "updateMessageSendSucceeded")["message"]

    def says(words):
        return lambda u: u["message"]["content"].get("text", {}).get("text") == words

    received = hub.wait(bob, "updateNewMessage", says("hello"))["message"]
    assert received["chat_id"] == ids[0] and not received["is_outgoing"]
    reply = {"@type": "inputMessageReplyToMessage", "message_id": received["id"]}
    hub.call(bob, "sendMessage", chat_id=ids[0], reply_to=reply, input_message_content=text("hi"))
    answer = hub.wait(ada, "updateNewMessage", says("hi"))["message"]
    assert answer["reply_to"]["message_id"] == sent["id"]
    hub.call(ada, "editMessageText", chat_id=ids[1], message_id=sent["id"], input_message_content=text("edited"))
    hub.wait(bob, "updateMessageContent", lambda u: u["new_content"]["text"]["text"] == "edited")
    hub.call(bob, "openChat", chat_id=ids[0])
    hub.call(bob, "viewMessages", chat_id=ids[0], message_ids=[received["id"]], force_read=True)
    hub.wait(ada, "updateChatReadOutbox", lambda u: u["last_read_outbox_message_id"] >= sent["id"])
    hub.call(ada, "deleteMessages", chat_id=ids[1], message_ids=[sent["id"]], revoke=True)
    hub.wait(bob, "updateDeleteMessages", lambda u: u["is_permanent"] and received["id"] in u["message_ids"])
    hub.call(ada, "loadChats", limit=10)
    assert ids[1] in hub.call(ada, "getChats", limit=10)["chat_ids"]
    hub.call(ada, "logOut")
    hub.state(ada, "Closed")
    hub.close()
