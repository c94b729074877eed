"""The proxies' files under docs/examples do what docs/cluster.md says of them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from hubbub.settings import Settings
from tests.command import serving
from tests.promises.test_cluster import kept
from tests.redis import RedisServer, free_port
from tests.server import PATIENCE, Client

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
Made = tuple[list[str], dict[str, str]]
"""A command and variables of its environment."""
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr warn;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/hubbub.conf;
}}
"""


def nginx(folder: Path, port: int, nodes: list[str]) -> Made:
    text = (EXAMPLES / "nginx.conf").read_text()
    for number, node in enumerate(nodes, 1):
        assert f"10.0.0.{number}:3000" in text
        text = text.replace(f"10.0.0.{number}:3000", node)
    assert "listen 80;" in text
    (folder / "hubbub.conf").write_text(text.replace("listen 80;", f"listen 127.0.0.1:{port};"))
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    program = shutil.which("nginx", path=f"{Path('/usr/sbin')}:/usr/bin:/usr/local/sbin") or "nginx"
    return [program, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", "stderr"], {}


def caddy(folder: Path, port: int, nodes: list[str]) -> Made:
    # No other port of this machine, and no certificate.
    text = "{\n\tadmin off\n}\n" + (EXAMPLES / "Caddyfile").read_text()
    (folder / "Caddyfile").write_text(text)
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    home = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return command, {**home, "SITE": f"http://127.0.0.1:{port}", "NODES": " ".join(nodes)}


PROXIES = [nginx, caddy] if shutil.which("caddy") else [nginx]
"""Caddy is tried where it is: not every system has a package of it."""


@contextmanager
def proxied(command: list[str], env: dict[str, str], port: int, log: Path) -> Iterator[str]:
    with (
        log.open("w") as lines,
        subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            env={**os.environ, **env},
            stderr=lines,
        ) as process,
    ):
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


async def answers(url: str, log: Path) -> None:
    """Wait until the proxy does, with a node's answer."""
    async with aiohttp.ClientSession() as http:
        for _ in range(PATIENCE * 20):
            try:
                async with http.get(f"{url}/health") as answer:
                    if answer.status == 200:
                        return
            except OSError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError(f"no answer: {log}")


@asynccontextmanager
async def visitor(url: str) -> AsyncIterator[Client]:
    """One whose page comes from the proxy: so its Origin has to fit."""
    where = url.replace("http", "ws", 1) + "/ws"
    # What nobody reads must not keep it from hearing the answer to its goodbye.
    async with connect(where, compression=None, origin=Origin(url), max_queue=None) as socket:
        yield Client(socket)


@pytest.mark.parametrize("proxy", PROXIES)
async def test_a_node_can_be_emptied_behind_the_proxy_and_newcomers_find_the_other(
    proxy: Callable[[Path, int, list[str]], Made], redis: RedisServer, tmp_path: Path
) -> None:
    redis.client.flushall()
    flags = ["--addr", "127.0.0.1:0", "--store", redis.url, "--rate", "0", "--drain", "4"]
    flags += ["--trusted-proxies", "127.0.0.1", "--log-format", "json"]
    port = free_port()
    with (
        serving(*flags, cwd=tmp_path, log="one.log") as one,
        serving(*flags, cwd=tmp_path, log="two.log") as two,
    ):
        command, env = proxy(tmp_path, port, [f"127.0.0.1:{node.port}" for node in (one, two)])
        with proxied(command, env, port, tmp_path / "proxy.log") as url:
            await answers(url, tmp_path / "proxy.log")
            async with AsyncExitStack() as stack:
                clients = [await stack.enter_async_context(visitor(url)) for _ in range(6)]
                for number, client in enumerate(clients):
                    await client.join("general", f"c{number}")
                await kept(clients[0], "to both nodes", "i1")
                for client in clients[1:]:
                    await client.until("chat", seq=1)
                for node in ("one", "two"):
                    lines = (tmp_path / f"{node}.log").read_text().splitlines()
                    came = [one for one in map(json.loads, lines) if one["event"] == "connect"]
                    assert came, "both have some"
                    assert all(one["remote"] == "127.0.0.1" for one in came)

                began = asyncio.get_running_loop().time()
                one.process.send_signal(signal.SIGTERM)
                refused = 0.0
                while one.process.poll() is None:
                    try:
                        async with visitor(url) as late:
                            await late.join("general", "late")
                        async with aiohttp.ClientSession() as http, http.get(url) as page:
                            assert page.status == 200
                    except InvalidStatus:
                        refused = asyncio.get_running_loop().time() - began
                    await asyncio.sleep(0.05)
                # Caddy asks for /health once a second; nginx asks the other node at once.
                assert refused < (2.5 if proxy is caddy else 0.001)
                assert one.process.wait() == 0
                async with visitor(url) as after:
                    await after.join("general", "after")
                codes = {client.socket.close_code for client in clients}
                assert codes == {None, 1012}, "those of the other node have noticed nothing"


def test_the_nodes_of_the_compose_file_have_settings_that_there_are() -> None:
    text = (EXAMPLES / "compose.yaml").read_text()
    found = dict(re.findall(r'^ +HUBBUB_([A-Z_]+): "(.*)"$', text, re.MULTILINE))
    assert set(found) >= {"ADDR", "STORE", "DRAIN"}
    values: dict[str, object] = {name.lower(): value for name, value in found.items()}
    values["drain"] = float(found["DRAIN"])
    settings = Settings(**values)  # type: ignore[arg-type]
    (grace,) = re.findall(r"stop_grace_period: (\d+)s", text)
    assert int(grace) > settings.drain + 4
    assert "noeviction" in text
    assert "--appendfsync always" in text
    caddyfile = (EXAMPLES / "Caddyfile").read_text()
    for variable in ("SITE", "NODES"):
        assert f"{{${variable}:" in caddyfile
        assert f"      {variable}: " in text
