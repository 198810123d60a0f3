"""What real clients send, as seeds of the fuzz targets: recorded where `BAUDOT_SEEDS` names a folder, off otherwise.

| target | what is recorded | where |
|---|---|---|
| transport | the first bytes of a connection, as they came | a tap in front of the server, for every client |
| envelope | encrypted packets | our own client |
| handshake | queries, and the data inside the encrypted ones | our own client |
| session | the messages of a session | our own client |
| tl_decode | requests | Telethon, pyrogram, our own client |
| gzip | compressed requests | our own client |
| attributes | media that are attached | Telethon |

Each file is laid out as its target reads it (`fuzz/src`). README.md tells how to record, and to keep the few that are worth it.
"""

import hashlib
import os
import socket
import threading
from pathlib import Path

FOLDER = os.environ.get("BAUDOT_SEEDS")
# Longer streams only make fuzzing slower.
STREAM_LEN_MAX, BODY_LEN_MAX = 3000, 1500

GZIP, CONTAINER = 0x3072CFA1, 0x73F1F8DC
# The places of the constructors in `CONSTRUCTORS` of fuzz/src/session.rs; all others are unknown there.
SESSION = [
    CONTAINER, 0xE06046B2, GZIP, 0x62D6B459, 0xDA69FB52, 0x04DEB57D, 0x8CC0D131, 0x7D861A08, 0x8610BAEB, 0x276D3EC6,
    0x809DB6DF, 0x58E4A740, 0xB921BD04, 0x7ABE77EC, 0xF3427B8C, 0xE7512126, 0xD1435160, 0x9299359F,
]  # fmt: skip
# The same for `MEDIA` of fuzz/src/convert.rs.
MEDIA = {
    "InputMediaUploadedDocument": 0,
    "InputMediaUploadedPhoto": 3,
    "InputMediaContact": 4,
    "InputMediaGeoPoint": 5,
    "InputMediaVenue": 6,
}


def save(target: str, seed: bytes) -> None:
    """Keeps a seed, once."""
    if FOLDER:
        folder = Path(FOLDER) / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)


def save_query(query: bytes) -> None:
    """A query of a handshake, in the clear."""
    save("handshake", bytes([0, min(len(query), 255)]) + query[:255])


def save_inner(data: bytes) -> None:
    """What is encrypted for the server within a handshake, which begins with a query of its own."""
    save("handshake", bytes([1, 0, 2, min(len(data), 255)]) + data[:255])


def save_body(body: bytes) -> None:
    """The body of a message: a request, mostly."""
    if len(body) > BODY_LEN_MAX:
        return
    if body[:4] == GZIP.to_bytes(4, "little"):
        save("gzip", body)
    else:
        # Of the API, then of MTProto.
        save("tl_decode", b"\0" + body)
        save("tl_decode", b"\2" + body)


def save_media(value) -> None:
    """Every medium within one of Telethon's objects."""
    kind = MEDIA.get(type(value).__name__)
    if kind is not None:
        save("attributes", bytes([60, 0, kind]) + bytes(value)[4:])
    inner = value if isinstance(value, (list, tuple)) else getattr(value, "__dict__", {}).values()
    for part in inner:
        if isinstance(part, (list, tuple)) or hasattr(part, "CONSTRUCTOR_ID"):
            save_media(part)


class Messages:
    """The messages that a session sends, as operations of the target `session`."""

    def __init__(self):
        self.seed = b""

    def add(self, seq_no: int, body: bytes) -> None:
        constructor = int.from_bytes(body[:4], "little")
        number = SESSION.index(constructor) if constructor in SESSION else 18
        fields = body[4:252]
        # One more identifier each time; received and answered at once.
        message = bytes([len(self.seed) % 64 * 4 + 1, seq_no % 128, number, len(fields)]) + fields
        self.seed += bytes([0, 0, 0]) + message + bytes([10, 5, 1, 10])

    def save(self) -> None:
        save("session", self.seed[:STREAM_LEN_MAX])


class Tap:
    """A port in front of the server that passes everything on, and keeps how each connection began."""

    def __init__(self, address: tuple[str, int], server: tuple[str, int]):
        self.server = server
        self.listener = socket.create_server(address, backlog=512)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.server)
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source, target, keep):
        begun = b""
        try:
            while data := source.recv(65536):
                if keep and len(begun) < STREAM_LEN_MAX:
                    begun += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, target):
                end.close()
        if begun:
            save("transport", bytes([0, 64]) + begun[:STREAM_LEN_MAX])


def record() -> None:
    """Makes Telethon and pyrogram tell what they send."""
    if not FOLDER:
        return
    from pyrogram.session import Session
    from telethon.network.mtprotosender import MTProtoSender
    from telethon.network.mtprotostate import MTProtoState

    write, send, invoke = MTProtoState.write_data_as_message, MTProtoSender.send, Session.send

    def write_and_save(self, buffer, data, *rest, **options):
        save_body(bytes(data))
        return write(self, buffer, data, *rest, **options)

    def send_and_save(self, request, *rest, **options):
        save_media(request)
        return send(self, request, *rest, **options)

    async def invoke_and_save(self, data, *rest, **options):
        save_body(data.write())
        return await invoke(self, data, *rest, **options)

    MTProtoState.write_data_as_message = write_and_save
    MTProtoSender.send = send_and_save
    Session.send = invoke_and_save
