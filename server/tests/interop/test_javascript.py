"""GramJS and mtcute, where node is installed and `BAUDOT_JS` names a folder with the packages of `js/package.json`."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from clients import new_phone

JS = Path(__file__).parent / "js"
PACKAGES = Path(os.environ.get("BAUDOT_JS", JS))

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not (PACKAGES / "node_modules").is_dir(),
    reason="node or the packages are missing",
)


@pytest.mark.parametrize("script", ["gramjs.cjs", "mtcute.mjs", "mtcute.mjs pfs"])
async def test_two_new_users_chat(server, tmp_path, script):
    name, *options = script.split()
    # Node looks for packages beside the script.
    shutil.copy(JS / name, tmp_path)
    (tmp_path / "node_modules").symlink_to((PACKAGES / "node_modules").resolve())
    process = await asyncio.create_subprocess_exec(
        "node", name, server.host, str(server.port), server.data / "server_rsa.pub.pem", new_phone(), new_phone(), *options,
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 50)
    except asyncio.TimeoutError:
        process.kill()
        output, _ = await process.communicate()
        pytest.fail(f"{script} hangs:\n{output.decode()[-4000:]}")
    assert process.returncode == 0, output.decode()[-4000:]
