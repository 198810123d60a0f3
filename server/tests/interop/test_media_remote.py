"""Files whose contents lie in an S3 store: carried there, fetched from there, whatever is killed meanwhile."""

import pytest

import seaweed
from harness import Server
from media import KIB, MIB, as_document, as_photo, fetch, location, noise, picture, send, sizes_of, upload
from test_media_leaks import signed_up, until_stored

pytestmark = pytest.mark.skipif(seaweed.program() is None, reason="there is no SeaweedFS: see scripts/test")


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "seaweed"
    folder.mkdir()
    store = seaweed.Seaweed(folder)
    try:
        yield store.start()
    finally:
        store.stop()


@pytest.fixture
def server(store, tmp_path, monkeypatch):
    """A server whose files go to the store."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.SECRET)
    settings = ["media.store=s3", f"media.s3.bucket={seaweed.BUCKET}", f"media.s3.endpoint={store.endpoint}"]
    settings += ["media.s3.allow_http=true", "media.sweep_s=1"]
    server = Server(tmp_path, *(argument for setting in settings for argument in ("--set", setting)))
    if server.forgets:
        pytest.skip("the store is in memory")
    server.start()
    yield server
    if server.running:
        server.stop()


def test_files_go_to_the_store_and_come_from_there(server, store):
    user = signed_up(server)
    contents = [noise(length) for length in (1, 700 * KIB, 12 * MIB)]
    sent = [send(user, as_document(upload(user, content))) for content in contents]
    photo = send(user, as_photo(upload(user, picture(), name="p.jpg"))).media.photo
    small = min(sizes_of(photo.sizes))
    as_it_was = fetch(user, location(photo, small))
    until_stored(server, blobs_here=0, blobs_remote=4)
    server.media("check")

    def all_there(client):
        for content, message in zip(contents, sent):
            assert fetch(client, location(message.media.document)) == content
        assert fetch(client, location(photo, small)) == as_it_was

    # With an empty cache, and with one of the two that have each object gone.
    store.kill("volume0")
    server.restart("kill")
    user.reconnect()
    all_there(user)
    store.start_volume(0)

    # Back again, while the server runs.
    server.media("migrate", "--to", "local")
    until_stored(server, blobs_here=4, blobs_remote=0)
    store.kill("s3")
    all_there(user)
    user.close()


def test_a_store_that_is_away_delays_nobody(server, store):
    user = signed_up(server)
    store.kill("s3")
    content = noise(3 * MIB)
    message = send(user, as_document(upload(user, content)))
    assert fetch(user, location(message.media.document)) == content
    server.restart("kill")
    user.reconnect()
    assert fetch(user, location(message.media.document)) == content
    assert server.stored()["blobs remote"] == "0"
    user.close()
