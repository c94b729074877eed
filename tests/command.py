"""The real `hubbub` command, as a person starts it, in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COMMAND = Path(sys.executable).parent / "hubbub"


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without settings of Hubbub, and with `variables`.

    What is kept by default is kept in memory: no test leaves files in anyone's data folder.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HUBBUB_") and name != "CHAT_ADDR"
    }
    return {**kept, "HUBBUB_STORE": "memory:", **variables}


def hubbub(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None, command: Path = COMMAND
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [command, *arguments],
        cwd=cwd,
        env=environment(**(env or {})),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def told(
    *arguments: str, cwd: Path, file: str | None = None, env: dict[str, str] | None = None
) -> str:
    """What the command says about a mistake, without the program's name in front."""
    if file is not None:
        (cwd / "hubbub.toml").write_text(file)
    done = hubbub(*arguments, cwd=cwd, env=env)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert done.stderr.startswith("hubbub: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.endswith("\n")
    what, _, mend = done.stderr.removeprefix("hubbub: ").partition("; ")
    assert what
    assert mend
    return done.stderr.removeprefix("hubbub: ").strip()


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was started by its command and listens."""

    process: subprocess.Popen[str]
    url: str
    """The address that it printed, such as http://127.0.0.1:3000."""

    @property
    def host(self) -> str:
        return self.url.split("://")[1].rpartition(":")[0]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextmanager
def serving(
    *arguments: str,
    cwd: Path,
    env: dict[str, str] | None = None,
    command: Path = COMMAND,
    log: str = "server.log",
) -> Iterator[Server]:
    """Start `hubbub serve`, wait for the address that it prints, stop it in the end.

    Its log goes to the file `log` in `cwd`.
    """
    with (
        (cwd / log).open("w") as lines,
        subprocess.Popen(
            [command, "serve", *arguments],
            cwd=cwd,
            env=environment(**(env or {})),
            stdout=subprocess.PIPE,
            stderr=lines,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"https?://\S+:\d+", line)
            if found is None:
                process.kill()
                process.wait()
                told = (cwd / log).read_text()
                raise AssertionError(f"the server did not start: {line!r} {told}")
            yield Server(process, found.group())
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
