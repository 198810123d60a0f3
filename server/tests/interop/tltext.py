"""Reads and writes TL by a schema file, so that an answer can be held against any layer, exactly.

Objects are dictionaries with the constructor's name under `_`. What the layer's file does not have cannot be read, and
bytes that are left over are an error: that is the point.
"""

import os
import re
import struct
from pathlib import Path

from keys import tl_bytes

VECTOR, TRUE, FALSE = 0x1CB5C415, 0x997275B5, 0xBC799737
LINE = re.compile(r"^([\w.]+)#([0-9a-f]+)((?: [^=]*)?) = ([^;]+);")
FIELD = re.compile(r"(\w+):(?:(\w+)\.(\d+)\?)?(\S+)")


def schema_folder() -> Path:
    """The layers' files: `BAUDOT_LAYERS`, or where they lie beside a checkout."""
    beside = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tl"
    return Path(os.environ.get("BAUDOT_LAYERS", beside))


class Schema:
    def __init__(self, layer: int):
        self.layer = layer
        self.by_id, self.by_name = {}, {}
        text = (schema_folder() / f"layer-{layer}.tl").read_text()
        for line in text.splitlines():
            if match := LINE.match(line):
                name, number, fields, result = match.groups()
                fields = [field.groups() for field in FIELD.finditer(re.sub(r"\{.*?\}", "", fields))]
                entry = (name, int(number, 16), fields, result)
                self.by_id[entry[1]] = self.by_name[name] = entry

    def write(self, name: str, **values) -> bytes:
        """A constructor or function, boxed; optional fields are those given."""
        _, number, fields, _ = self.by_name[name]
        unknown = set(values) - {field for field, *_ in fields}
        assert not unknown, f"{name} of layer {self.layer} has no {unknown}"
        out = struct.pack("<I", number)
        for field, flags, bit, kind in fields:
            if kind == "#":
                bits = [int(b) for f, fl, b, _ in fields if fl == field and values.get(f) not in (None, False)]
                out += struct.pack("<I", sum(1 << b for b in set(bits)))
            elif flags is None or values.get(field) not in (None, False):
                out += self._write(kind, values[field])
        return out

    def _write(self, kind: str, value) -> bytes:
        if kind == "true":
            return b""
        if kind == "int":
            return struct.pack("<i", value)
        if kind == "long":
            return struct.pack("<q", value)
        if kind == "double":
            return struct.pack("<d", value)
        if kind == "string":
            return tl_bytes(value.encode())
        if kind == "bytes":
            return tl_bytes(value)
        if kind == "Bool":
            return struct.pack("<I", TRUE if value else FALSE)
        if match := re.fullmatch(r"[Vv]ector<(.+)>", kind):
            items = b"".join(self._write(match[1], item) for item in value)
            return struct.pack("<II", VECTOR, len(value)) + items
        # An object: already bytes, or a dictionary.
        if isinstance(value, dict):
            value = dict(value)
            value = self.write(value.pop("_"), **value)
        return value

    def read(self, body: bytes, result: str = "Object"):
        """The one value of this type that `body` is."""
        reader = Reader(self, body)
        value = reader.value(result)
        assert reader.at == len(body), f"{len(body) - reader.at} bytes after {value}"
        return value

    def answer(self, function: str, body: bytes):
        """The answer of a function."""
        return self.read(body, self.by_name[function][3])


class Reader:
    def __init__(self, schema: Schema, body: bytes):
        self.schema, self.body, self.at = schema, body, 0

    def take(self, length: int) -> bytes:
        assert self.at + length <= len(self.body), "the answer is cut off"
        self.at += length
        return self.body[self.at - length : self.at]

    def number(self, code: str):
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def text(self) -> bytes:
        start = self.at
        length = self.take(1)[0]
        if length == 254:
            length = int.from_bytes(self.take(3), "little")
        data = self.take(length)
        padding = self.take(-(self.at - start) % 4)
        assert not any(padding), "padding of a string is zero"
        return data

    def value(self, kind: str):
        match kind:
            case "#" | "flags":
                return self.number("<I")
            case "int":
                return self.number("<i")
            case "long":
                return self.number("<q")
            case "double":
                return self.number("<d")
            case "string":
                return self.text().decode()
            case "bytes":
                return self.text()
        if vector := re.fullmatch(r"([Vv])ector<(.+)>", kind):
            if vector[1] == "V":
                assert self.number("<I") == VECTOR, f"no {kind}"
            return [self.value(vector[2]) for _ in range(self.number("<i"))]
        number = self.number("<I")
        if kind == "Bool":
            assert number in (TRUE, FALSE), f"{number:#x} is no Bool"
            return number == TRUE
        if number == VECTOR:
            return [self.value("Object") for _ in range(self.number("<i"))]
        assert number in self.schema.by_id, f"layer {self.schema.layer} has no {number:#x} (wanted {kind})"
        name, _, fields, result = self.schema.by_id[number]
        assert kind in ("Object", "X", result), f"{name} is a {result}, no {kind}"
        found = {"_": name}
        for field, flags, bit, field_kind in fields:
            if flags is None:
                found[field] = self.value(field_kind)
            elif found[flags] >> int(bit) & 1:
                found[field] = True if field_kind == "true" else self.value(field_kind)
        return found
