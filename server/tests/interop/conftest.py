"""Fixtures: a server for the whole run, one of its own for a test that restarts it, and the people of a test."""

import asyncio
import inspect
import logging
import threading
import time

import pytest
from telethon.tl import functions, types

import seeds
from clients import World, code_of, new_phone
from harness import Server
from mini import Mini

seeds.record()

# A test ends itself before pytest-timeout has to, so that its clients are closed.
TEST_S_MAX = 55


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    if server.running:
        assert server.stop() == 0


@pytest.fixture
def server(shared_server):
    """The server that most tests share; afterwards it must still run and have nothing to complain about."""
    yield shared_server
    assert shared_server.running, f"the server died:\n{shared_server.log()[-4000:]}"
    assert not shared_server.complaints()


@pytest.fixture
def own_server(tmp_path):
    """A server for this test alone, which it may restart."""
    server = Server(tmp_path)
    if server.forgets:
        pytest.skip("the store is in memory")
    server.start()
    yield server
    if server.running:
        server.stop()
    assert not server.complaints()


@pytest.fixture
def world(server):
    return World(server)


@pytest.fixture
def own_world(own_server):
    return World(own_server)


@pytest.fixture
def bystander(server):
    """Somebody who sends messages to themself all the while, and must not notice anything."""
    person = Mini(server, timeout_s=5)
    phone = new_phone()
    person.log_in(phone, code_of(phone))
    failures, stop = [], threading.Event()

    def live():
        try:
            while not stop.is_set():
                person.send_text(types.InputPeerSelf(), "still here")
                time.sleep(0.02)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=live)
    thread.start()
    yield person
    stop.set()
    thread.join(10)
    person.close()
    assert not failures


@pytest.fixture
def client(server):
    """A session that nobody has logged in."""
    client = Mini(server, timeout_s=5)
    client.call(functions.help.GetNearestDcRequest())
    yield client
    client.close()


@pytest.fixture
def user(server):
    """A session of a new user."""
    user = Mini(server, timeout_s=5)
    phone = new_phone()
    user.log_in(phone, code_of(phone))
    yield user
    user.close()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Runs `async def` tests in a loop of their own and closes the clients they opened."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    worlds = [value for value in pyfuncitem.funcargs.values() if isinstance(value, World)]

    async def run():
        try:
            await asyncio.wait_for(pyfuncitem.obj(**arguments), TEST_S_MAX)
        finally:
            for world in worlds:
                await world.close()

    asyncio.run(run())
    return True


class Grumbles(logging.Handler):
    """Collects what the client libraries dislike about the server."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.texts = []

    def emit(self, record):
        text = record.getMessage()
        if "Step 3 invalid new nonce hash" in text:
            # Telethon takes a leading zero off the new key, about once in 256 handshakes, and tries again.
            return
        if record.levelno >= logging.WARNING or text.startswith(("Discarding packet", "Retrying due to")):
            self.texts.append(f"{record.name}: {text}")


@pytest.fixture(autouse=True)
def clients_are_content(request):
    """Fails a test in which Telethon or pyrogram logged a warning, unless it is marked as noisy."""
    grumbles = Grumbles()
    loggers = [logging.getLogger(name) for name in ("telethon", "pyrogram")]
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(grumbles)
    yield grumbles
    for logger in loggers:
        logger.removeHandler(grumbles)
    if not request.node.get_closest_marker("noisy"):
        assert not grumbles.texts
