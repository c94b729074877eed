"""What `make run` and `make test` say when the machine lacks something."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def program(folder: Path, name: str, body: str) -> str:
    """Put a program of that name into `folder`; what it does is a line of shell."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def script(
    name: str, *arguments: str, path: Path, alone: bool = False, **variables: str
) -> tuple[int, str]:
    """Run a script with `path` before all else on the PATH; its status and what it told.

    `alone`: there is nothing else on the PATH.
    """
    done = subprocess.run(
        [SCRIPTS / name, *arguments],
        env={"PATH": str(path) if alone else f"{path}:{os.environ['PATH']}", **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("absent", "there is no absent; install Python 3.11 or newer"),
        ("old", "old is Python 3.9.1, and 3.11 is needed; install a newer one"),
        ("bare", "bare cannot make virtual environments; apt-get install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_told_with_its_mend(
    python: str, told: str, tmp_path: Path
) -> None:
    program(tmp_path, "old", 'case $2 in *version_info*) exit 1;; esac; echo "Python 3.9.1"')
    program(tmp_path, "bare", "case $2 in *ensurepip*) exit 1;; esac")
    status, line = script("make-venv", str(tmp_path / "venv"), path=tmp_path, PYTHON=python)
    assert status == 2
    assert line.startswith(f"hubbub: {told}")
    assert line.count("\n") == 1
    assert not (tmp_path / "venv").exists()


def test_missing_packages_are_installed_where_we_are_root(tmp_path: Path) -> None:
    program(tmp_path, "dpkg-query", "exit 1")
    program(tmp_path, "id", "echo 0")
    program(tmp_path, "apt-get", f'echo "$DEBIAN_FRONTEND $@" >> {tmp_path}/asked')
    assert script("system-packages", path=tmp_path)[0] == 0
    update, install = (tmp_path / "asked").read_text().splitlines()
    assert update.startswith("noninteractive ")
    assert update.endswith(" update")
    assert "--no-install-recommends fonts-dejavu-core fonts-noto-color-emoji" in install


def test_redis_is_installed_for_the_tests_without_its_service(tmp_path: Path) -> None:
    for name in ("dpkg-query", "chromium", "python3", "gcc"):
        program(tmp_path, name, "echo install ok installed")
    program(tmp_path, "id", "echo 0")
    program(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/asked')
    program(tmp_path, "systemctl", f'echo "$@" >> {tmp_path}/asked')
    program(tmp_path, "grep", "exit 0")
    # On a PATH of these alone, where there is no redis-server; nginx may be in /usr/sbin.
    program(tmp_path, "nginx", "exit 0")
    for name in ("sh", "echo"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    assert script("system-packages", path=tmp_path, alone=True) == (0, "")
    _, install, service = (tmp_path / "asked").read_text().splitlines()
    assert install.endswith(" install --no-install-recommends redis-server")
    assert service == "disable --quiet --now redis-server"


def test_missing_packages_are_named_where_we_are_not_root(tmp_path: Path) -> None:
    program(tmp_path, "dpkg-query", "exit 1")
    program(tmp_path, "id", "echo 1000")
    program(tmp_path, "apt-get", f"touch {tmp_path}/asked")
    status, line = script("system-packages", path=tmp_path)
    assert status == 2
    assert "sudo apt-get install fonts-dejavu-core fonts-noto-color-emoji" in line
    assert not (tmp_path / "asked").exists()


def test_nothing_missing_asks_nobody(tmp_path: Path) -> None:
    program(tmp_path, "dpkg-query", "echo install ok installed")
    program(tmp_path, "chromium", "exit 0")
    program(tmp_path, "redis-server", "exit 0")
    program(tmp_path, "nginx", "exit 0")
    program(tmp_path, "gcc", "exit 0")
    program(tmp_path, "apt-get", f"touch {tmp_path}/asked")
    program(tmp_path, "python3", "exit 0")
    assert script("system-packages", path=tmp_path) == (0, "")
    assert not (tmp_path / "asked").exists()


def test_what_compiles_is_installed_for_the_tests(tmp_path: Path) -> None:
    for name in ("dpkg-query", "chromium", "redis-server"):
        program(tmp_path, name, "echo install ok installed")
    program(tmp_path, "python3", "case $2 in *Python.h*) exit 1;; esac")
    program(tmp_path, "id", "echo 0")
    program(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/asked')
    program(tmp_path, "grep", "exit 0")
    (tmp_path / "sh").symlink_to(shutil.which("sh") or "sh")
    (tmp_path / "echo").symlink_to(shutil.which("echo") or "echo")
    assert script("system-packages", path=tmp_path, alone=True) == (0, "")
    _, install = (tmp_path / "asked").read_text().splitlines()
    assert install.endswith("recommends gcc libc6-dev python3-dev")


def test_python_without_venv_is_mended_too(tmp_path: Path) -> None:
    program(tmp_path, "dpkg-query", "echo install ok installed")
    program(tmp_path, "chromium", "exit 0")
    program(tmp_path, "redis-server", "exit 0")
    program(tmp_path, "nginx", "exit 0")
    program(tmp_path, "id", "echo 0")
    program(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/asked')
    program(tmp_path, "python3", "case $2 in *ensurepip*) exit 1;; esac")
    program(tmp_path, "gcc", "exit 0")
    assert script("system-packages", path=tmp_path)[0] == 0
    assert (tmp_path / "asked").read_text().rstrip().endswith("recommends python3-venv")
