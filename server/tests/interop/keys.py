"""RSA public keys as MTProto names and uses them."""

from hashlib import sha1
from typing import NamedTuple

import rsa


def tl_bytes(value: bytes) -> bytes:
    """A TL `string` or `bytes`: length, content, zeros up to a multiple of four."""
    head = bytes([len(value)]) if len(value) < 254 else b"\xfe" + len(value).to_bytes(3, "little")
    return head + value + bytes(-(len(head) + len(value)) % 4)


class PublicKey(NamedTuple):
    n: int
    e: int

    @classmethod
    def from_pem(cls, pem: str) -> "PublicKey":
        key = rsa.PublicKey.load_pkcs1(pem.encode())
        return cls(key.n, key.e)

    @property
    def fingerprint(self) -> int:
        def number(value):
            return tl_bytes(value.to_bytes((value.bit_length() + 7) // 8, "big"))

        digest = sha1(number(self.n) + number(self.e)).digest()
        return int.from_bytes(digest[-8:], "little", signed=True)

    def apply(self, block: bytes) -> bytes:
        """Raw RSA on 256 bytes."""
        return pow(int.from_bytes(block, "big"), self.e, self.n).to_bytes(256, "big")
