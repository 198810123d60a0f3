"""A SeaweedFS of one's own: a master, two volume servers that each have every volume, a filer and its S3 gateway.

`BAUDOT_WEED` names the program; else `weed` is looked for. On loopback, in a folder of the test.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from harness import free_port

START_S_MAX = 30
BUCKET = "files"
KEY_ID, SECRET = "baudot", "not secret at all"


def program() -> str | None:
    return os.environ.get("BAUDOT_WEED") or shutil.which("weed")


class Seaweed:
    """The processes of one store, by name: `master`, `volume0`, `volume1`, `filer`, `s3`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.running: dict[str, subprocess.Popen] = {}
        self.ports = {name: (free_port(), free_port()) for name in ("master", "volume0", "volume1", "filer", "s3")}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3'][0]}"

    def start(self) -> "Seaweed":
        self._spawn(
            "master",
            *("-mdir", self._subfolder("master"), "-peers=none", "-defaultReplication=001"),
            *("-volumeSizeLimitMB=64", "-telemetry=false"),
        )
        self.start_volume(0)
        self.start_volume(1)
        filer_socket = self.folder / "filer.sock"
        self._spawn(
            "filer",
            *("-master", self._address("master"), "-defaultStoreDir", self._subfolder("filer")),
            f"-localSocket={filer_socket}",
        )
        self._until(self._make_bucket)
        rights = {"name": "test", "credentials": [{"accessKey": KEY_ID, "secretKey": SECRET}]}
        rights["actions"] = ["Admin", "Read", "Write", "List"]
        config = self.folder / "s3.json"
        config.write_text(json.dumps({"identities": [rights]}))
        self._spawn(
            "s3",
            *("-filer", self._address("filer"), f"-config={config}", "-port.iceberg=0", "-port.lance=0"),
            f"-localSocket={self.folder / 's3.sock'}",
        )
        return self

    def start_volume(self, number: int) -> None:
        name = f"volume{number}"
        self._spawn(
            name,
            *("-dir", self._subfolder(name), "-master", self._address("master"), "-max=20"),
            *("-rack=one", "-dataCenter=one", "-preStopSeconds=0"),
        )

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        for name in list(self.running):
            self.kill(name)

    def _spawn(self, name: str, *arguments: str) -> None:
        port, grpc = self.ports[name]
        command = [program(), name.rstrip("01"), f"-port={port}", f"-port.grpc={grpc}", "-ip.bind=127.0.0.1"]
        command += [*(["-ip=127.0.0.1"] if name != "s3" else []), *map(str, arguments)]
        environment = {**os.environ, "HOME": str(self.folder)}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env=environment)
        self._until(lambda: socket.create_connection(("127.0.0.1", port), timeout=1).close())

    def _until(self, attempt) -> None:
        deadline = time.monotonic() + START_S_MAX
        while True:
            try:
                return attempt()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _make_bucket(self) -> None:
        """A bucket is a folder of the filer."""
        with closing(HTTPConnection("127.0.0.1", self.ports["filer"][0], timeout=5)) as filer:
            filer.request("POST", f"/buckets/{BUCKET}/")
            if filer.getresponse().status != 201:
                raise OSError("no bucket was made")

    def _address(self, name: str) -> str:
        port, grpc = self.ports[name]
        return f"127.0.0.1:{port}.{grpc}"

    def _subfolder(self, name: str) -> str:
        path = self.folder / name
        path.mkdir(exist_ok=True)
        return str(path)
