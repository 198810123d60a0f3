"""The server under test: a process with a data folder, a port and a log.

`BAUDOT_BIN` names the binary (it may carry arguments, as in `"baudot --quiet"`); `BAUDOT_SERVE_ARGS` adds arguments to
`serve`, for example to choose a storage engine.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

import seeds

START_S_MAX = 30
STOP_S_MAX = 15
# What the process may grow by while it is mistreated.
GROWTH_KIB_MAX = 64 * 1024

# What must never stand in the log, whatever a client does.
BROKEN = re.compile(r"panicked at|stack overflow|\bERROR\b")


class Server:
    """One server process; it can be stopped, killed and started again on the same folder and port."""

    def __init__(self, folder: Path, *arguments: str):
        self.data = folder / "data"
        self.log_path = folder / "server.log"
        self.arguments = [*arguments, *shlex.split(os.environ.get("BAUDOT_SERVE_ARGS", ""))]
        self.host = "127.0.0.1"
        self.port = free_port()
        # Where it listens; elsewhere only if what clients send is recorded on the way.
        self.inner_port = free_port() if seeds.FOLDER else self.port
        self.process: subprocess.Popen | None = None
        self.tap: seeds.Tap | None = None
        self._checked = 0

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def public_key(self) -> str:
        """The RSA key as PKCS#1 PEM, as clients want it."""
        return (self.data / "server_rsa.pub.pem").read_text()

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self) -> "Server":
        """Starts the process and returns once it accepts connections."""
        binary = os.environ.get("BAUDOT_BIN")
        if not binary:
            raise RuntimeError("BAUDOT_BIN must name the server binary; scripts/test sets it")
        command = [*shlex.split(binary), "serve", "--listen", f"{self.host}:{self.inner_port}"]
        command += ["--data", str(self.data), *self.arguments]
        if seeds.FOLDER:
            command += ["--advertise", f"{self.host}:{self.port}"]
            self.tap = self.tap or seeds.Tap(self.address, (self.host, self.inner_port))
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment())
        deadline = time.monotonic() + START_S_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log()[-4000:]}")
            try:
                socket.create_connection((self.host, self.inner_port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"the server accepts no connections:\n{self.log()[-4000:]}")

    def stop(self) -> int:
        """Asks the process to end (SIGTERM) and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the server ignored SIGTERM:\n{self.log()[-4000:]}") from None

    def kill(self) -> None:
        """Ends the process as a power cut would (SIGKILL)."""
        self.process.kill()
        self.process.wait()

    def media(self, *command: str) -> str:
        """Runs `baudot media ...` against the running server and returns what it prints; it must succeed."""
        binary = shlex.split(os.environ["BAUDOT_BIN"])
        command = [*binary, "media", *command, "--data", str(self.data)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment())
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def stored(self) -> dict[str, str]:
        """How much there is of everything that has to do with files, by name."""
        lines = (re.split(r"  +", line.strip(), maxsplit=1) for line in self.media("status").splitlines())
        return {line[0]: line[1].strip() for line in lines if len(line) == 2}

    def restart(self, how: str) -> None:
        """Ends the process in the given way, `stop` or `kill`, and starts it again."""
        if how == "stop":
            assert self.stop() == 0
        else:
            self.kill()
        self.start()

    @property
    def forgets(self) -> bool:
        """Whether a restart loses everything, because the store is in memory."""
        return "memory" in self.arguments

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def resident_kib(self) -> int:
        """Memory of the process that is in RAM now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def complaints(self) -> list[str]:
        """Lines of the log since the last call that say that the server is broken."""
        lines = self.log().splitlines()
        fresh, self._checked = lines[self._checked :], len(lines)
        return [line for line in fresh if BROKEN.search(line)]


def environment() -> dict[str, str]:
    """What the program is started with: it reads settings from variables of this prefix, and those of the tests are none."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BAUDOT_")}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
