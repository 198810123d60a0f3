"""Transports over a blocking socket, client side: where a packet ends, and what hides it.

A stream reads and writes bytes (`Tcp`, `Obfuscated`, `WebSocket` wrap each other); a framing cuts packets out of one.
"""

import os
import select
import socket
import struct
import zlib

from telethon.crypto import AESModeCTR


class Closed(Exception):
    """The server ended the connection."""


class TransportError(Exception):
    """A packet of four bytes: why the server will not go on."""

    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


class Tcp:
    def __init__(self, address, timeout_s=10):
        self.socket = socket.create_connection(address, timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            try:
                piece = self.socket.recv(length - len(data))
            except (ConnectionError, BrokenPipeError):
                piece = b""
            if not piece:
                raise Closed
            data += piece
        return data

    def write(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except (ConnectionError, BrokenPipeError):
            raise Closed from None

    def readable(self, timeout_s: float) -> bool:
        return bool(select.select([self.socket], [], [], timeout_s)[0])

    def close(self) -> None:
        self.socket.close()


class Obfuscated:
    """AES-CTR over another stream, keys from the 64 bytes sent first."""

    def __init__(self, stream, tag: bytes):
        while True:
            start = bytearray(os.urandom(64))
            if start[0] != 0xEF and start[4:8] != b"\0\0\0\0" and start[:4] not in (b"GET ", b"POST", b"HEAD", b"OPTI"):
                break
        start[56:60] = tag
        back = start[55:7:-1]
        self.stream = stream
        self._out = AESModeCTR(bytes(start[8:40]), bytes(start[40:56]))
        self._in = AESModeCTR(bytes(back[:32]), bytes(back[32:]))
        stream.write(bytes(start[:56]) + self._out.encrypt(bytes(start))[56:])
        self.readable, self.close = stream.readable, stream.close

    def read(self, length):
        return self._in.decrypt(self.stream.read(length))

    def write(self, data):
        self.stream.write(self._out.encrypt(data))


class WebSocket:
    """Binary messages on `/apiws`; their boundaries mean nothing, so each write becomes `pieces` of them."""

    def __init__(self, stream, path="/apiws", pieces=1):
        self.stream, self.pieces, self._rest = stream, pieces, b""
        self.readable, self.close = stream.readable, stream.close
        stream.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: binary\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.read(1)
        self.answer = head.decode().lower()
        # The sum is the one of RFC 6455's example.
        assert self.answer.startswith("http/1.1 101"), head
        assert "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in self.answer, head
        assert "sec-websocket-protocol: binary" in self.answer, head

    def write(self, data):
        size = max(1, -(-len(data) // self.pieces))
        for at in range(0, len(data), size):
            self._write_message(data[at : at + size])

    def _write_message(self, data, opcode=2):
        mask = os.urandom(4)
        length = len(data)
        if length < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | length)
        elif length < 1 << 16:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, length)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, length)
        self.stream.write(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def ping(self, data: bytes) -> None:
        self._write_message(data, opcode=9)

    def read_message(self) -> tuple[int, bytes]:
        """The opcode and content of the next message."""
        first, length = self.stream.read(2)
        assert length < 0x80, "the server masks its frames"
        if length == 126:
            (length,) = struct.unpack(">H", self.stream.read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self.stream.read(8))
        return first & 15, self.stream.read(length)

    def read(self, length):
        while len(self._rest) < length:
            opcode, content = self.read_message()
            if opcode == 8:
                raise Closed
            if opcode in (0, 2):
                self._rest += content
        data, self._rest = self._rest[:length], self._rest[length:]
        return data


class Abridged:
    tag = b"\xef"

    def pack(self, payload, quick_ack=False):
        words = len(payload) // 4
        flag = 0x80 if quick_ack else 0
        head = bytes([words | flag]) if words < 127 else bytes([127 | flag]) + words.to_bytes(3, "little")
        return head + payload

    def unpack(self, stream):
        words = stream.read(1)[0]
        if words & 0x80:
            return QuickAck(int.from_bytes(bytes([words]) + stream.read(3), "big"))
        if words == 127:
            words = int.from_bytes(stream.read(3), "little")
        return stream.read(words * 4)


class Intermediate:
    tag = b"\xee" * 4

    def pack(self, payload, quick_ack=False):
        return struct.pack("<I", len(payload) | (0x80000000 if quick_ack else 0)) + payload

    def unpack(self, stream):
        (length,) = struct.unpack("<I", stream.read(4))
        if length & 0x80000000:
            return QuickAck(length)
        return stream.read(length)


class Padded(Intermediate):
    tag = b"\xdd" * 4

    def pack(self, payload, quick_ack=False):
        return super().pack(payload + os.urandom(os.urandom(1)[0] % 16), quick_ack)

    def unpack(self, stream):
        payload = super().unpack(stream)
        if 8 <= len(payload) <= 16 and payload[:4] == b"\xff" * 4:
            return QuickAck(int.from_bytes(payload[4:8], "little"))
        if len(payload) < 20:
            return payload[:4]
        if payload[:8] == bytes(8):
            return payload[: 20 + int.from_bytes(payload[16:20], "little")]
        return payload[: 24 + (len(payload) - 24) // 16 * 16]


class Full:
    tag = b""

    def __init__(self):
        self._sent = self._received = 0

    def pack(self, payload, quick_ack=False):
        frame = struct.pack("<II", len(payload) + 12, self._sent) + payload
        self._sent += 1
        return frame + struct.pack("<I", zlib.crc32(frame))

    def unpack(self, stream):
        head = stream.read(8)
        length, number = struct.unpack("<II", head)
        body = stream.read(length - 12)
        (crc,) = struct.unpack("<I", stream.read(4))
        assert number == self._received, "the server counts its frames wrongly"
        assert crc == zlib.crc32(head + body), "the checksum is wrong"
        self._received += 1
        return body


class QuickAck(int):
    """A token instead of a packet: the server took the packet whose hash starts so."""


class Connection:
    """Packets over a connection to the server."""

    def __init__(self, address, framing=Intermediate, obfuscated=False, websocket=False, pieces=1, timeout_s=10):
        self.framing = framing()
        self.stream = Tcp(address, timeout_s)
        if websocket:
            self.stream = WebSocket(self.stream, pieces=pieces)
        if obfuscated or websocket:
            self.stream = Obfuscated(self.stream, (framing.tag * 4)[:4])
        elif framing.tag:
            self.stream.write(framing.tag)

    def send(self, payload: bytes, quick_ack=False) -> None:
        self.stream.write(self.framing.pack(payload, quick_ack))

    def receive(self) -> bytes:
        """The next packet; a quick ack comes as a `QuickAck`."""
        payload = self.framing.unpack(self.stream)
        if isinstance(payload, bytes) and len(payload) == 4:
            raise TransportError(int.from_bytes(payload, "little", signed=True))
        return payload

    def readable(self, timeout_s: float) -> bool:
        return self.stream.readable(timeout_s)

    def close(self) -> None:
        self.stream.close()
