"""The disk is full, or fails: what would be stored is refused clearly, what is there is read, and what was answered stays."""

import os
import resource
import subprocess
import time

import pytest
from telethon.tl import functions, types

from harness import Server
from mini import Mini, RpcError

ME = types.InputPeerSelf()
# Too small for what RocksDB would reserve for its log, so that it is full when it looks full.
SMALL = "32m"
# RocksDB goes on by itself once there is room for what it has in memory, which is up to 64 MiB.
LARGE = "256m"


@pytest.fixture
def small_disk(tmp_path):
    """A folder that is a file system of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a disk that is full takes the right to mount one: run as root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def start(folder, tmp_path):
    server = Server(folder)
    server.log_path = tmp_path / "server.log"
    if server.forgets:
        pytest.skip("the store is in memory")
    return server.start()


@pytest.fixture
def server(small_disk, tmp_path):
    server = start(small_disk, tmp_path)
    yield server
    if server.running:
        server.kill()


def fill(folder):
    """Leaves no byte."""
    ballast = os.open(folder / "ballast", os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(ballast, bytes(4096))
    except OSError:
        os.close(ballast)


def make_room(folder):
    (folder / "ballast").unlink()
    subprocess.run(["mount", "-o", f"remount,size={LARGE}", str(folder)], check=True)


def texts(client):
    history = functions.messages.GetHistoryRequest(ME, 0, None, 0, 100, 0, 0, 0)
    return [message.message for message in reversed(client.call(history).messages)]


def part(client, number):
    return client.call(functions.upload.SaveFilePartRequest(777, number, bytes([number]) * 128 * 1024))


def refused(act, count=200):
    """Does something again and again until it is refused: how often it was not, and the error."""
    for number in range(count):
        try:
            act(number)
        except RpcError as error:
            return number, error
    raise AssertionError("it was never refused")


def until(act, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return act()
        except RpcError:
            assert time.monotonic() < deadline, "it is refused for good"
            time.sleep(0.2)


def lines(server, text):
    return [line for line in server.log().splitlines() if text in line]


def test_a_full_disk_refuses_writes_serves_reads_and_recovers(server, small_disk):
    client = Mini(server, timeout_s=10)
    client.log_in("9996629991", "22222")
    client.send_text(ME, "before")
    assert part(client, 0)
    fill(small_disk)

    count, error = refused(lambda number: client.send_text(ME, f"{number} " + "x" * 4000))
    assert (error.code, error.text) == (500, "STORAGE_FULL")
    parts, error = refused(lambda number: part(client, 1 + number))
    assert (error.code, error.text) == (500, "STORAGE_FULL")
    written = texts(client)
    assert [text.split()[0] for text in written] == ["before", *map(str, range(count))]
    # Whoever comes back meanwhile reads as well.
    client.reconnect()
    assert texts(client) == written
    for number in range(50):
        with pytest.raises(RpcError, match="STORAGE_FULL"):
            client.send_text(ME, f"refused {number}")
    assert len(lines(server, "the disk is full: what would be stored is refused")) == 1
    assert len(lines(server, '"ERROR"')) < 10

    make_room(small_disk)
    until(lambda: client.send_text(ME, "after"))
    for number in range(1 + parts):
        assert until(lambda number=number: part(client, number))
    assert lines(server, "writes succeed again")
    now = texts(client)
    assert now[: len(written)] == written
    assert now[-1] == "after" and len(now) == len(set(now))
    server.restart("kill")
    client.reconnect()
    assert texts(client) == now
    client.send_text(ME, "at the end")


def test_a_server_does_not_start_on_a_full_disk_and_says_why(server, small_disk):
    client = Mini(server, timeout_s=10)
    client.log_in("9996629992", "22222")
    client.send_text(ME, "before")
    server.kill()
    fill(small_disk)
    with pytest.raises(RuntimeError, match="the server ended with 1") as failure:
        server.start()
    assert "disk is full" in str(failure.value) or "No space left on device" in str(failure.value)
    (small_disk / "ballast").unlink()
    server.start()
    client.reconnect()
    assert texts(client) == ["before"]
    client.send_text(ME, "after")


def test_writes_that_fail_leave_reads_and_what_was_answered(tmp_path):
    server = start(tmp_path, tmp_path)
    try:
        client = Mini(server, timeout_s=10)
        client.log_in("9996629993", "22222")
        for number in range(60):
            client.send_text(ME, f"{number} " + "x" * 4000)
        # Files may not grow beyond what the log of rows has already: an error of the disk that is not that it is full.
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (128 * 1024, resource.RLIM_INFINITY))
        count, error = refused(lambda number: client.send_text(ME, f"{60 + number} x"))
        assert (error.code, error.text) == (500, "INTERNAL")
        written = texts(client)
        assert len(written) == 60 + count
        client.reconnect()
        assert texts(client) == written
        assert server.running
        assert len(lines(server, "failed to write: what would be stored is refused")) == 1
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        server.restart("kill")
        client.reconnect()
        assert texts(client) == written
        client.send_text(ME, "after")
    finally:
        if server.running:
            server.kill()
