"""Unmodified Telethon and pyrogram clients, pointed at the server under test.

A `World` holds the people of one test and closes their clients afterwards. A `Person` is one client of one user, with the
same few verbs for both libraries, each done by the library's own high-level call. What the server tells a client is in
`Person.seen`, as raw updates, whose names and fields both libraries share.
"""

import asyncio
import itertools
import time

import pyrogram
import telethon
from pyrogram import raw
from pyrogram.connection import connection as pyrogram_connection
from pyrogram.crypto import rsa as pyrogram_rsa
from telethon.crypto import rsa as telethon_rsa
from telethon.network import ConnectionTcpFull
from telethon.sessions import MemorySession
from telethon.tl import functions, types

from keys import PublicKey

API_ID, API_HASH = 17349, "344583e45741c457fe1862106095a5eb"
# kurigram takes pyrogram's import name; `requirements-kurigram.txt` puts it in pyrogram's place.
KURIGRAM = not hasattr(pyrogram_connection, "DataCenter")
# The data center that Telethon and pyrogram take when they know nothing.
DC = 2
WAIT_S_MAX = 8

_phones = (f"99966{1 + number // 10000}{number % 10000:04}" for number in itertools.count())


def new_phone() -> str:
    """A test number that nobody in this run has."""
    return next(_phones)


def code_of(phone: str) -> str:
    return phone[5] * 5


def now() -> int:
    return int(time.time())


def trust(server) -> None:
    """Adds the server's RSA key to both libraries, and makes pyrogram's data centers its address."""
    telethon_rsa.add_key(server.public_key, old=False)
    key = PublicKey.from_pem(server.public_key)
    pyrogram_rsa.server_public_keys[key.fingerprint] = pyrogram_rsa.PublicKey(key.n, key.e)
    # pyrogram knows neither other addresses nor other ports than Telegram's.
    if not KURIGRAM:
        pyrogram_connection.DataCenter = lambda dc_id, test_mode, ipv6, media: server.address


def point(client, server) -> None:
    """Makes a new pyrogram client go to the server; kurigram keeps the address in its storage."""
    if not KURIGRAM:
        return

    async def address(value=object):
        return server.host

    async def port(value=object):
        return server.port

    client.storage.server_address, client.storage.port = address, port


class Seen:
    """Everything that the server told one client, in order."""

    def __init__(self):
        self.updates = []
        self._more = asyncio.Event()

    def add(self, update):
        self.updates.append(update)
        self._more.set()

    def all(self, name, where=lambda update: True):
        """The updates of a constructor, named as in the schema, that came so far and satisfy `where`."""
        name = name[0].upper() + name[1:]
        return [update for update in self.updates if type(update).__name__ == name and where(update)]

    async def wait(self, name, where=lambda update: True, count=1, timeout_s=WAIT_S_MAX):
        """Waits until `count` such updates came and returns the last of these (all, if more than one is wanted)."""
        deadline = time.monotonic() + timeout_s
        while len(found := self.all(name, where)) < count:
            self._more.clear()
            try:
                await asyncio.wait_for(self._more.wait(), deadline - time.monotonic())
            except asyncio.TimeoutError:
                names = [type(update).__name__ for update in self.updates]
                raise AssertionError(f"{len(found)} of {count} {name} after {timeout_s} s; came: {names}") from None
        return found[count - 1] if count == 1 else found[:count]

    async def message(self, text, **options):
        """Waits for a new message with this text and returns it."""
        update = await self.wait("updateNewMessage", lambda u: getattr(u.message, "message", None) == text, **options)
        return update.message


class Person:
    """One client of one user."""

    def __init__(self, world, client, phone):
        self.world, self.client, self.phone = world, client, phone
        self.id = None
        self.closed = False
        self.seen = Seen()


class TelethonPerson(Person):
    library = "telethon"

    async def listen(self):
        self.client.add_event_handler(self._note, telethon.events.Raw)

    async def _note(self, update):
        self.seen.add(update)

    async def call(self, request):
        return await self.client(request)

    async def meet(self, other):
        """Adds the other as a contact by phone number; from then on their id is enough to write to them."""
        contact = types.InputPhoneContact(0, other.phone, other.name, "")
        found = await self.client(functions.contacts.ImportContactsRequest([contact]))
        assert [user.id for user in found.users] == [other.id]

    async def send(self, to, text, reply_to=None):
        return (await self.client.send_message(to, text, reply_to=reply_to)).id

    async def edit(self, peer, message_id, text):
        await self.client.edit_message(peer, message_id, text)

    async def delete(self, peer, message_id, revoke=True):
        await self.client.delete_messages(peer, [message_id], revoke=revoke)

    async def forward(self, to, message_id, source):
        return (await self.client.forward_messages(to, message_id, source)).id

    async def read(self, peer, max_id):
        await self.client.send_read_acknowledge(peer, max_id=max_id)

    async def start_typing(self, peer):
        await self.client(functions.messages.SetTypingRequest(peer, types.SendMessageTypingAction()))

    async def history(self, peer, limit=100):
        """(id, out, text) of the newest messages, newest first."""
        messages = await self.client.get_messages(peer, limit=limit)
        return [(message.id, bool(message.out), message.message) for message in messages]

    async def close(self):
        # A second time would touch the session file again, which another client may have by now.
        if not self.closed:
            self.closed = True
            await self.client.disconnect()


class PyrogramPerson(Person):
    library = "pyrogram"

    async def listen(self):
        self.client.add_handler(pyrogram.handlers.RawUpdateHandler(self._note))
        # The handler is added by a task; let that run.
        for _ in range(3):
            await asyncio.sleep(0)

    async def _note(self, client, update, users, chats):
        self.seen.add(update)

    async def call(self, request):
        return await self.client.invoke(request)

    async def meet(self, other):
        contact = pyrogram.types.InputPhoneContact(other.phone, other.name)
        found = await self.client.import_contacts([contact])
        assert [user.id for user in found.users] == [other.id]

    async def send(self, to, text, reply_to=None):
        options = {"reply_to_message_id": reply_to}
        if KURIGRAM:
            options = {"reply_parameters": pyrogram.types.ReplyParameters(message_id=reply_to)} if reply_to else {}
        return (await self.client.send_message(to, text, **options)).id

    async def edit(self, peer, message_id, text):
        await self.client.edit_message_text(peer, message_id, text)

    async def delete(self, peer, message_id, revoke=True):
        await self.client.delete_messages(peer, message_id, revoke=revoke)

    async def forward(self, to, message_id, source):
        return (await self.client.forward_messages(to, source, message_id)).id

    async def read(self, peer, max_id):
        await self.client.read_chat_history(peer, max_id)

    async def start_typing(self, peer):
        await self.client.send_chat_action(peer, pyrogram.enums.ChatAction.TYPING)

    async def history(self, peer, limit=100):
        messages = [message async for message in self.client.get_chat_history(peer, limit=limit)]
        return [(message.id, bool(message.outgoing), message.text) for message in messages]

    async def close(self):
        if self.client.is_initialized:
            await self.client.stop()
        elif self.client.is_connected:
            await self.client.disconnect()


class World:
    """The people of one test and the server they live on."""

    def __init__(self, server):
        self.server = server
        self.people = []
        trust(server)

    async def close(self):
        await asyncio.gather(*(person.close() for person in self.people), return_exceptions=True)

    async def telethon_client(self, session=None, **options):
        """A connected Telethon client that is not logged in, unless `session` is."""
        session = session or MemorySession()
        if not session.auth_key:
            session.set_dc(DC, *self.server.address)
        options = {"connection": ConnectionTcpFull, "retry_delay": 0.2, "connection_retries": 50} | options
        client = telethon.TelegramClient(session, API_ID, API_HASH, **options)
        await client.connect()
        person = TelethonPerson(self, client, None)
        await person.listen()
        self.people.append(person)
        return person

    async def pyrogram_client(self, name="test", **options):
        """A connected pyrogram client that is not logged in."""
        options = {"in_memory": True, "workers": 2} | options
        client = pyrogram.Client(name, API_ID, API_HASH, **options)
        point(client, self.server)
        person = PyrogramPerson(self, client, None)
        self.people.append(person)
        await client.connect()
        return person

    async def client(self, library, **options):
        return await getattr(self, f"{library}_client")(**options)

    async def sign_up(self, name="Ada", library="telethon", phone=None, **options):
        """A new user on a new client of the library."""
        phone = phone or new_phone()
        person = await self.client(library, **options)
        if library == "telethon":
            sent = await person.client.send_code_request(phone)
            request = functions.auth.SignInRequest(phone, sent.phone_code_hash, code_of(phone))
            answer = await person.client(request)
            assert isinstance(answer, types.auth.AuthorizationSignUpRequired), answer
            answer = await person.client(functions.auth.SignUpRequest(phone, sent.phone_code_hash, name, ""))
            # Telethon has taken its own `sign_up` away; this is how its `sign_in` ends.
            await person.client._on_login(answer.user)
        else:
            sent = await person.client.send_code(phone)
            assert not await person.client.sign_in(phone, sent.phone_code_hash, code_of(phone))
            await person.client.sign_up(phone, sent.phone_code_hash, name)
            await self._start(person)
        return await self._known(person, phone)

    async def sign_in(self, phone, library="telethon", **options):
        """A further client of the user who has this number."""
        person = await self.client(library, **options)
        if library == "telethon":
            await person.client.send_code_request(phone)
            await person.client.sign_in(phone, code_of(phone))
        else:
            sent = await person.client.send_code(phone)
            user = await person.client.sign_in(phone, sent.phone_code_hash, code_of(phone))
            assert isinstance(user, pyrogram.types.User), user
            await self._start(person)
        return await self._known(person, phone)

    async def device(self, person, library="telethon", **options):
        """A second device of a user, which can address whoever the first one can."""
        device = await self.sign_in(person.phone, library, **options)
        assert device.id == person.id
        if library == "telethon":
            await device.client(functions.contacts.GetContactsRequest(0))
        else:
            await device.client.get_contacts()
        return device

    async def pair(self, first="telethon", second="telethon"):
        """Two new users, on clients of the named libraries, who have each other as contacts."""
        pair = await asyncio.gather(self.sign_up("Ada", first), self.sign_up("Bob", second))
        ada, bob = pair
        await asyncio.gather(ada.meet(bob), bob.meet(ada))
        return ada, bob

    async def again(self, person, **options):
        """A new Telethon client on the session of an earlier one, as when an app is started again."""
        fresh = await self.telethon_client(person.client.session, **options)
        fresh.id, fresh.phone, fresh.name = person.id, person.phone, person.name
        return fresh

    @staticmethod
    async def _start(person):
        """What `Client.start` does once the user is known."""
        await person.client.invoke(raw.functions.updates.GetState())
        person.client.me = await person.client.get_me()
        await person.client.initialize()
        await person.listen()

    @staticmethod
    async def _known(person, phone):
        me = await person.client.get_me()
        person.id, person.phone, person.name = me.id, phone, me.first_name
        return person


async def until(condition, timeout_s=WAIT_S_MAX):
    """Polls an async condition until it holds and returns what it gave."""
    deadline = time.monotonic() + timeout_s
    while not (value := await condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {condition}"
        await asyncio.sleep(0.05)
    return value


def updates_of(answer, name):
    """The updates of a constructor in the answer of a method that gives `Updates`."""
    name = name[0].upper() + name[1:]
    return [update for update in answer.updates if type(update).__name__ == name]
