"""Files made on the spot, and uploads and downloads as they look on the wire."""

import io
import os
import random
from hashlib import md5, sha256
from math import ceil
from typing import NamedTuple

from PIL import Image
from telethon.tl import functions, types

from mini import Mini

KIB, MIB = 1024, 1024 * 1024
PART_MAX = 512 * KIB
# Some camera's EXIF with a place in it; none of it may come back.
PLACE = 0x8825


class File(io.BytesIO):
    """Bytes with a name, as both libraries want files in memory."""

    def __init__(self, content: bytes, name: str):
        super().__init__(content)
        self.name = name
        self.content = content


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def noise(length: int, seed: int | None = None) -> bytes:
    """Bytes of any file; the same seed gives the same ones."""
    return os.urandom(length) if seed is None else random.Random(seed).randbytes(length)


def picture(kind="JPEG", width=640, height=480, seed=0, exif=False) -> bytes:
    """A picture with large shapes, so that what becomes of it can be recognised, and some noise."""
    gradient = Image.linear_gradient("L").resize((width, height))
    rings = Image.radial_gradient("L").resize((width, height))
    flat = Image.new("L", (width, height), seed % 256)
    image = Image.merge("RGB", (gradient, rings, flat))
    image.paste(Image.effect_noise((width // 4, height // 4), 60 + seed % 60).convert("RGB"))
    options = {}
    if exif:
        tags = Image.Exif()
        tags[0x010F] = "a maker of cameras"
        tags.get_ifd(PLACE)[1] = "N"
        options["exif"] = tags
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def square_video(side=640, seconds=3, length=200_000) -> bytes:
    """The head of an MPEG-4 video and some bytes: as much as is looked at."""

    def box(kind: bytes, *content: bytes) -> bytes:
        inner = b"".join(content)
        return (len(inner) + 8).to_bytes(4, "big") + kind + inner

    movie = bytes(12) + (1).to_bytes(4, "big") + seconds.to_bytes(4, "big") + bytes(80)
    track = bytes(76) + 2 * (side << 16).to_bytes(4, "big")
    moov = box(b"moov", box(b"mvhd", movie), box(b"trak", box(b"tkhd", track)))
    return box(b"ftyp", b"isom", bytes(4)) + moov + box(b"mdat", noise(length))


def opened(content: bytes) -> Image.Image:
    """A picture, decoded wholly."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


class Part(NamedTuple):
    number: int
    content: bytes


def cut(content: bytes, part_len: int) -> list[Part]:
    return [Part(n, content[n * part_len :][:part_len]) for n in range(ceil(len(content) / part_len))]


def new_id() -> int:
    return int.from_bytes(os.urandom(8), "little", signed=True)


def save_request(file_id: int, part: Part, total: int | None = None):
    """The request that stores a part; with `total` that of big files (-1: unknown)."""
    if total is None:
        return functions.upload.SaveFilePartRequest(file_id, part.number, part.content)
    return functions.upload.SaveBigFilePartRequest(file_id, part.number, total, part.content)


def save(client: Mini, file_id: int, parts: list[Part], total: int | None = None, at_once=1) -> None:
    """Stores parts, each acknowledged; up to `at_once` are under way together."""
    if at_once > 1 and not client.introduced:
        client.call(functions.help.GetNearestDcRequest())
    waiting = []
    for part in parts:
        if at_once == 1:
            assert client.call(save_request(file_id, part, total)) is True
            continue
        waiting.append(client.send(save_request(file_id, part, total)))
        if len(waiting) == at_once:
            client.result(waiting.pop(0))
    for msg_id in waiting:
        client.result(msg_id)


def input_file(file_id: int, count: int, name="file.bin", big=False, checksum=""):
    if big:
        return types.InputFileBig(file_id, count, name)
    return types.InputFile(file_id, count, name, checksum)


def upload(client: Mini, content: bytes, part_len=PART_MAX, name="file.bin", big=None, checksum=None, **how):
    """Uploads a file and returns what to call it. Big or not follows from its length unless said."""
    file_id, parts = new_id(), cut(content, part_len)
    big = len(content) > 10 * MIB if big is None else big
    save(client, file_id, parts, len(parts) if big else None, **how)
    checksum = md5(content).hexdigest() if checksum is None else checksum
    return input_file(file_id, len(parts), name, big, checksum)


def as_document(file, mime="application/octet-stream", attributes=(), thumb=None, **more):
    name = types.DocumentAttributeFilename(file.name)
    return types.InputMediaUploadedDocument(file, mime, [name, *attributes], thumb=thumb, **more)


def as_photo(file, **more):
    return types.InputMediaUploadedPhoto(file, **more)


def new_message(updates):
    """The message in what sending answers."""
    (found,) = [u.message for u in updates.updates if isinstance(u, types.UpdateNewMessage)]
    return found


def send(client: Mini, media, peer=None, text=""):
    """Sends a medium, to oneself if nobody is named, and returns the message."""
    peer = peer or types.InputPeerSelf()
    return new_message(client.call(functions.messages.SendMediaRequest(peer, media, text, random_id=new_id())))


def input_document(document):
    return types.InputDocument(document.id, document.access_hash, document.file_reference)


def input_photo(photo):
    return types.InputPhoto(photo.id, photo.access_hash, photo.file_reference)


def location(file, thumb_size=""):
    """Where to fetch a photo or a document, or one of its sizes."""
    kind = types.InputPhotoFileLocation if isinstance(file, types.Photo) else types.InputDocumentFileLocation
    return kind(file.id, file.access_hash, file.file_reference, thumb_size)


def get(client: Mini, where, offset=0, limit=MIB, precise=None) -> bytes:
    return client.call(functions.upload.GetFileRequest(where, offset, limit, precise=precise)).bytes


def fetch(client: Mini, where, limit=MIB) -> bytes:
    """A whole file, one request after another."""
    pieces = []
    while True:
        piece = get(client, where, sum(map(len, pieces)), limit)
        pieces.append(piece)
        if len(piece) < limit:
            return b"".join(pieces)


def sizes_of(pictures) -> dict:
    """The sizes of a photo, or the previews of a document, that can be fetched: length by type."""
    found = {}
    for size in pictures:
        if isinstance(size, types.PhotoSize):
            found[size.type] = size.size
        elif isinstance(size, types.PhotoSizeProgressive):
            found[size.type] = max(size.sizes)
    return found
