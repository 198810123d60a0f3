"""A small MTProto client on a blocking socket, for what the libraries do not do: misbehave.

The API's types are Telethon's. Every packet from the server is checked for what the protocol promises about it (key,
session, padding, parity of ids), so each test that uses this client also tests that.
"""

import gzip
import os
import struct
import time
from hashlib import sha1, sha256
from typing import NamedTuple

from telethon.crypto import AES, Factorization
from telethon.extensions import BinaryReader
from telethon.tl import TLObject, TLRequest, functions, types
from telethon.tl.alltlobjects import LAYER

import seeds
from keys import PublicKey, tl_bytes
from wire import Connection, QuickAck

REQ_PQ, REQ_PQ_MULTI, RES_PQ = 0x60469778, 0xBE7E8EF1, 0x05162463
REQ_DH, DH_OK = 0xD712E4BE, 0xD0E8075C
DH_INNER, CLIENT_DH_INNER, SET_DH = 0xB5890DBA, 0x6643B654, 0xF5045F1F
DH_GEN_OK, DH_GEN_RETRY, DH_GEN_FAIL = 0x3BCBF734, 0x46DC1FB9, 0xA69DAE02
CONTAINER, GZIP, RPC_RESULT, RPC_ERROR = 0x73F1F8DC, 0x3072CFA1, 0xF35C6D01, 0x2144CA19
ACK, PONG, NEW_SESSION = 0x62D6B459, 0x347773C5, 0x9EC20908
BAD_MSG, BAD_SALT, FUTURE_SALTS = 0xA7EFF811, 0xEDAB447B, 0xAE500895
DETAILED, NEW_DETAILED, STATE_INFO = 0x276D3EC6, 0x809DB6DF, 0x04DEB57D
DESTROYED, NOT_DESTROYED = 0xE22045FC, 0x62D350C9
KEY_DESTROYED, KEY_NOT_DESTROYED, KEY_DESTROY_FAILED = 0xF660E1D4, 0x0A9F2259, 0xEA109B13
SERVICE = {
    ACK, PONG, NEW_SESSION, BAD_MSG, BAD_SALT, FUTURE_SALTS, DETAILED, NEW_DETAILED, STATE_INFO,
    DESTROYED, NOT_DESTROYED, KEY_DESTROYED, KEY_NOT_DESTROYED, KEY_DESTROY_FAILED,
}  # fmt: skip

P_Q_INNER, P_Q_INNER_DC, P_Q_INNER_TEMP_DC, P_Q_INNER_TEMP = 0x83C95AEC, 0xA9F55F95, 0x56FDDF88, 0x3C6A84D4


class RpcError(Exception):
    def __init__(self, code: int, text: str):
        super().__init__(f"{code} {text}")
        self.code, self.text = code, text


class BadMsg(Exception):
    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


class Message(NamedTuple):
    msg_id: int
    seq_no: int
    body: bytes

    @property
    def id(self) -> int:
        """The constructor."""
        return int.from_bytes(self.body[:4], "little")


class AuthKey(NamedTuple):
    key: bytes
    salt: int

    @property
    def id(self) -> bytes:
        return sha1(self.key).digest()[12:20]

    @property
    def id_i64(self) -> int:
        return int.from_bytes(self.id, "little", signed=True)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def i64(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def new_msg_id(offset_s: float = 0) -> int:
    time.sleep(1e-6)
    return int((time.time() + offset_s) * 2**32) // 4 * 4


def parse(body: bytes):
    """The one object that `body` is."""
    with BinaryReader(body) as reader:
        value = reader.tgread_object()
        assert reader.tell_position() == len(body), f"{len(body) - reader.tell_position()} bytes after {value}"
        return value


def message_keys(key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + key[x : x + 36]).digest()
    b = sha256(key[40 + x : 76 + x] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]


def tmp_aes(new_nonce: bytes, server_nonce: bytes) -> tuple[bytes, bytes]:
    ns, sn = sha1(new_nonce + server_nonce).digest(), sha1(server_nonce + new_nonce).digest()
    return ns + sn[:12], sn[12:] + sha1(new_nonce * 2).digest() + new_nonce[:4]


def rsa_pad(key: PublicKey, data: bytes) -> bytes:
    padded = data + os.urandom(192 - len(data))
    while True:
        temp = os.urandom(32)
        sealed = AES.encrypt_ige(padded[::-1] + sha256(temp + padded).digest(), temp, bytes(32))
        mask = sha256(sealed).digest()
        block = bytes(a ^ b for a, b in zip(temp, mask)) + sealed
        if int.from_bytes(block, "big") < key.n:
            return key.apply(block)


def rsa_old(key: PublicKey, data: bytes) -> bytes:
    return key.apply(b"\0" + sha1(data).digest() + data + os.urandom(235 - len(data)))


class Handshake:
    """Makes an authorization key; each step is a method, so that a test can stop or lie in between."""

    def __init__(self, connection: Connection, key: PublicKey):
        self.connection, self.rsa = connection, key
        self.nonce = os.urandom(16)

    def send(self, body: bytes) -> None:
        seeds.save_query(body)
        self.connection.send(bytes(8) + i64(new_msg_id()) + u32(len(body)) + body)

    def receive(self) -> BinaryReader:
        packet = self.connection.receive()
        key_id, msg_id, length = struct.unpack("<qqi", packet[:20])
        assert key_id == 0 and msg_id % 4 == 1 and length == len(packet) - 20
        return BinaryReader(packet[20:])

    def ask(self, body: bytes, answer: int) -> BinaryReader:
        """Sends a step and checks that the answer is this constructor for these nonces."""
        self.send(body)
        reader = self.receive()
        assert reader.read_int(signed=False) == answer
        assert reader.read(16) == self.nonce
        return reader

    def request_pq(self, multi=True) -> None:
        reader = self.ask(u32(REQ_PQ_MULTI if multi else REQ_PQ) + self.nonce, RES_PQ)
        self.server_nonce = reader.read(16)
        self.pq = reader.tgread_bytes()
        p, q = sorted(Factorization.factorize(int.from_bytes(self.pq, "big")))
        assert 2**24 <= p < q < 2**32
        self.p, self.q = p.to_bytes(4, "big"), q.to_bytes(4, "big")
        assert reader.read_int(signed=False) == 0x1CB5C415
        fingerprints = [reader.read_long() for _ in range(reader.read_int())]
        assert self.rsa.fingerprint in fingerprints

    def inner_data(self, constructor=P_Q_INNER_DC, dc=2, expires_in=0) -> bytes:
        self.new_nonce = os.urandom(32)
        data = u32(constructor) + tl_bytes(self.pq) + tl_bytes(self.p) + tl_bytes(self.q)
        data += self.nonce + self.server_nonce + self.new_nonce
        if constructor in (P_Q_INNER_DC, P_Q_INNER_TEMP_DC):
            data += struct.pack("<i", dc)
        if constructor in (P_Q_INNER_TEMP, P_Q_INNER_TEMP_DC):
            data += struct.pack("<i", expires_in)
        seeds.save_inner(data)
        return data

    def dh_request(self, sealed: bytes) -> bytes:
        body = u32(REQ_DH) + self.nonce + self.server_nonce + tl_bytes(self.p) + tl_bytes(self.q)
        return body + i64(self.rsa.fingerprint) + tl_bytes(sealed)

    def request_dh(self, seal=rsa_pad, **inner) -> None:
        reader = self.ask(self.dh_request(seal(self.rsa, self.inner_data(**inner))), DH_OK)
        assert reader.read(16) == self.server_nonce
        self.aes = tmp_aes(self.new_nonce, self.server_nonce)
        plain = AES.decrypt_ige(reader.tgread_bytes(), *self.aes)
        inside = BinaryReader(plain[20:])
        assert inside.read_int(signed=False) == DH_INNER
        assert inside.read(32) == self.nonce + self.server_nonce
        self.g, self.prime = inside.read_int(), int.from_bytes(inside.tgread_bytes(), "big")
        g_a = inside.tgread_bytes()
        assert len(g_a) == 256
        self.g_a = int.from_bytes(g_a, "big")
        assert 2**1984 <= self.g_a <= self.prime - 2**1984
        assert abs(inside.read_int() - time.time()) < 5
        used = inside.tell_position()
        assert sha1(plain[20 : 20 + used]).digest() == plain[:20] and len(plain) - 20 - used < 16

    def dh_answer(self, g_b: bytes | None = None) -> bytes:
        b = int.from_bytes(os.urandom(256), "big")
        g_b = pow(self.g, b, self.prime).to_bytes(256, "big") if g_b is None else g_b
        self.auth_key = pow(self.g_a, b, self.prime).to_bytes(256, "big")
        data = u32(CLIENT_DH_INNER) + self.nonce + self.server_nonce + i64(0) + tl_bytes(g_b)
        data = sha1(data).digest() + data
        sealed = AES.encrypt_ige(data + os.urandom(-len(data) % 16), *self.aes)
        return u32(SET_DH) + self.nonce + self.server_nonce + tl_bytes(sealed)

    def finish(self) -> AuthKey:
        reader = self.ask(self.dh_answer(), DH_GEN_OK)
        assert reader.read(16) == self.server_nonce
        digest = sha1(self.new_nonce + b"\1" + sha1(self.auth_key).digest()[:8]).digest()
        assert reader.read(16) == digest[4:]
        salt = bytes(a ^ b for a, b in zip(self.new_nonce[:8], self.server_nonce[:8]))
        return AuthKey(self.auth_key, int.from_bytes(salt, "little", signed=True))

    def run(self, seal=rsa_pad, **inner) -> AuthKey:
        self.request_pq()
        self.request_dh(seal, **inner)
        return self.finish()


class Mini:
    """One session of one key on one connection."""

    def __init__(
        self, server, auth: AuthKey | None = None, session_id=None, layer=LAYER, read_update=parse, **transport
    ):
        self.server, self.transport, self.read_update = server, transport, read_update
        self.key = PublicKey.from_pem(server.public_key)
        self.connection = Connection(server.address, **transport)
        self.auth = auth or Handshake(self.connection, self.key).run()
        self.salt = self.auth.salt
        self.session_id = int.from_bytes(os.urandom(8), "little", signed=True) if session_id is None else session_id
        self.layer = layer
        self.sent = 0
        self.queue, self.to_ack, self.seen_ids = [], [], set()
        # Service messages and updates that came while waiting for something else.
        self.notices, self.updates, self.quick_acks = [], [], []
        self.auto_ack = True
        self.introduced = False
        self.recorded = seeds.Messages()

    def reconnect(self, **transport) -> None:
        """A new connection for the same session."""
        self.connection.close()
        self.connection = Connection(self.server.address, **(transport or self.transport))
        self.queue.clear()

    def close(self) -> None:
        self.connection.close()
        self.recorded.save()

    # Outgoing.

    def message(self, body: bytes, content=True, msg_id=None, seq_no=None) -> Message:
        """Gives a body its message id and sequence number."""
        if seq_no is None:
            seq_no = self.sent * 2 + content
        self.sent += content
        seeds.save_body(body)
        self.recorded.add(seq_no, body)
        return Message(new_msg_id() if msg_id is None else msg_id, seq_no, body)

    def seal(self, message: Message, salt=None, session_id=None, padding_len=None, length=None, msg_key=None) -> bytes:
        """The packet of a message; every field of it can be made a lie."""
        plain = i64(self.salt if salt is None else salt, self.session_id if session_id is None else session_id)
        plain += struct.pack("<qiI", message.msg_id, message.seq_no, len(message.body) if length is None else length)
        plain += message.body
        plain += os.urandom(12 + -(len(plain) + 12) % 16 if padding_len is None else padding_len)
        key = self.auth.key
        self.token = sha256(key[88:120] + plain).digest()
        msg_key = self.token[8:24] if msg_key is None else msg_key
        packet = self.auth.id + msg_key + AES.encrypt_ige(plain, *message_keys(key, msg_key, 0))
        if len(packet) <= seeds.BODY_LEN_MAX:
            seeds.save("envelope", b"\0" + packet)
        return packet

    def send_message(self, message: Message, quick_ack=False, **lies) -> int:
        if self.to_ack and self.auto_ack:
            ids, self.to_ack = self.to_ack, []
            ack = u32(ACK) + u32(0x1CB5C415) + u32(len(ids)) + i64(*ids)
            # The ack must not be younger than the message that follows it.
            self.connection.send(self.seal(self.message(ack, False, message.msg_id - 4)))
        self.connection.send(self.seal(message, **lies), quick_ack)
        return message.msg_id

    def send(self, body, content=True, msg_id=None, seq_no=None, **lies) -> int:
        """Sends a body or a request and returns its message id."""
        return self.send_message(self.message(bytes(body), content, msg_id, seq_no), **lies)

    def container(self, messages, msg_id=None) -> Message:
        inside = b"".join(struct.pack("<qiI", m.msg_id, m.seq_no, len(m.body)) + m.body for m in messages)
        return self.message(u32(CONTAINER) + u32(len(messages)) + inside, False, msg_id)

    # Incoming.

    def receive(self) -> Message:
        """The next message, taken out of its container."""
        while not self.queue:
            packet = self.connection.receive()
            if isinstance(packet, QuickAck):
                self.quick_acks.append(packet)
                continue
            self.queue += self._open(packet)
        return self.queue.pop(0)

    def _open(self, packet: bytes) -> list[Message]:
        assert packet[:8] == self.auth.id and len(packet) % 16 == 8
        plain = AES.decrypt_ige(packet[24:], *message_keys(self.auth.key, packet[8:24], 8))
        assert sha256(self.auth.key[96:128] + plain).digest()[8:24] == packet[8:24]
        _, session_id, msg_id, seq_no, length = struct.unpack("<qqqiI", plain[:32])
        assert session_id == self.session_id
        assert length % 4 == 0 and 12 <= len(plain) - 32 - length <= 1024
        outer = Message(msg_id, seq_no, plain[32 : 32 + length])
        self._check_id(outer)
        assert abs((msg_id >> 32) - time.time()) < 30
        if outer.id != CONTAINER:
            return [self._take(outer)]
        messages, at = [], 8
        for _ in range(int.from_bytes(outer.body[4:8], "little")):
            msg_id, seq_no, length = struct.unpack("<qiI", outer.body[at : at + 16])
            inner = Message(msg_id, seq_no, outer.body[at + 16 : at + 16 + length])
            assert inner.id != CONTAINER and inner.msg_id < outer.msg_id
            self._check_id(inner)
            messages.append(self._take(inner))
            at += 16 + length
        assert at == len(outer.body)
        return messages

    def _check_id(self, message):
        assert message.msg_id % 4 in (1, 3), "ids of the server are odd"

    def _take(self, message: Message) -> Message:
        self.seen_ids.add(message.msg_id)
        if message.seq_no % 2:
            self.to_ack.append(message.msg_id)
        if message.id == GZIP:
            message = message._replace(body=gzip.decompress(BinaryReader(message.body[4:]).tgread_bytes()))
        return message

    def wait(self, *constructors: int) -> Message:
        """The next message of one of these constructors; what else comes is kept where it belongs."""
        for kept in self.notices:
            if kept.id in constructors:
                self.notices.remove(kept)
                return kept
        while True:
            message = self.receive()
            if message.id in constructors:
                return message
            self._keep(message)

    def _keep(self, message):
        if message.id in SERVICE or message.id == RPC_RESULT:
            self.notices.append(message)
        else:
            self.updates.append(self.read_update(message.body))

    def drain(self, quiet_s=0.3) -> None:
        """Takes in what comes until nothing has come for `quiet_s`."""
        while self.queue or self.connection.readable(quiet_s):
            self._keep(self.receive())

    # Requests.

    def result(self, msg_id: int) -> bytes:
        """The body of the result of a query; raises what the server says instead."""
        for kept in self.notices:
            if kept.id == RPC_RESULT and kept.body[4:12] == i64(msg_id):
                self.notices.remove(kept)
                return self._result(kept)
        while True:
            message = self.receive()
            if message.id == RPC_RESULT and message.body[4:12] == i64(msg_id):
                return self._result(message)
            if message.id in (BAD_MSG, BAD_SALT) and message.body[4:12] == i64(msg_id):
                if message.id == BAD_SALT:
                    (self.salt,) = struct.unpack("<q", message.body[20:28])
                raise BadMsg(int.from_bytes(message.body[16:20], "little"))
            self._keep(message)

    def _result(self, message):
        body = message.body[12:]
        if int.from_bytes(body[:4], "little") == GZIP:
            body = gzip.decompress(BinaryReader(body[4:]).tgread_bytes())
        if int.from_bytes(body[:4], "little") == RPC_ERROR:
            error = parse(body)
            raise RpcError(error.error_code, error.error_message)
        return body

    def wrap(self, query: bytes, layer=None) -> bytes:
        """`query` inside `invokeWithLayer(initConnection(...))`."""
        init = u32(0xC1CD5EA9) + u32(0) + u32(17349)
        init += b"".join(tl_bytes(text) for text in (b"mini", b"1", b"1", b"en", b"", b"en"))
        return u32(0xDA9B0D0D) + u32(layer or self.layer) + init + query

    def call_bytes(self, query: bytes) -> bytes:
        """Asks and returns the body of the result; a stale salt is replaced once."""
        if not self.introduced:
            query, self.introduced = self.wrap(query), True
        try:
            return self.result(self.send(query))
        except BadMsg as bad:
            if bad.code != 48:
                raise
            return self.result(self.send(query))

    def call(self, request: TLRequest):
        """Asks with one of Telethon's requests and returns Telethon's object for the answer."""
        body = self.call_bytes(bytes(request))
        with BinaryReader(body) as reader:
            value = request.read_result(reader)
            assert reader.tell_position() == len(body), f"bytes after {value}"
            return value

    # Things that most tests start with.

    def log_in(self, phone: str, code: str, name="Mini"):
        """Signs in with the number, or up if nobody has it, and returns the user."""
        sent = self.call(functions.auth.SendCodeRequest(phone, 17349, "0" * 32, types.CodeSettings()))
        answer = self.call(functions.auth.SignInRequest(phone, sent.phone_code_hash, code))
        if isinstance(answer, types.auth.AuthorizationSignUpRequired):
            answer = self.call(functions.auth.SignUpRequest(phone, sent.phone_code_hash, name, ""))
        self.user = answer.user
        return answer.user

    def meet(self, phone: str):
        """Adds a contact by number and returns how to address them."""
        contact = types.InputPhoneContact(0, phone, "Contact", "")
        (user,) = self.call(functions.contacts.ImportContactsRequest([contact])).users
        return types.InputPeerUser(user.id, user.access_hash)

    def send_text(self, peer: TLObject, text: str):
        random_id = int.from_bytes(os.urandom(8), "little", signed=True)
        return self.call(functions.messages.SendMessageRequest(peer, text, random_id=random_id))


def alive(client: Mini) -> None:
    """The server still answers this client."""
    assert client.call(functions.help.GetNearestDcRequest()).this_dc == 2
