"""`hubbub` explains itself."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from hubbub.settings import Settings
from tests.command import COMMAND, environment, hubbub


def test_the_version_is_the_installed_one(tmp_path: Path) -> None:
    from importlib.metadata import version

    done = hubbub("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"hubbub {version('hubbub')}\n")


def test_python_m_hubbub_is_the_same_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hubbub", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, hubbub("--version", cwd=tmp_path).stdout)


@pytest.mark.parametrize("arguments", [["--help"], []], ids=["--help", "nothing"])
def test_the_commands_are_listed(arguments: list[str], tmp_path: Path) -> None:
    done = hubbub(*arguments, cwd=tmp_path)
    assert done.returncode == 0
    assert "  serve\n" in done.stdout
    assert "  token\n" in done.stdout


def test_help_shows_every_setting_with_its_variable_and_default(tmp_path: Path) -> None:
    lines = hubbub("serve", "--help", cwd=tmp_path).stdout.splitlines()
    for field in dataclasses.fields(Settings):
        flag = f"--{field.name.replace('_', '-')}"
        (line,) = [line for line in lines if line.strip().startswith(f"{flag} ")]
        assert f"HUBBUB_{field.name.upper()}" in line
        if field.default is not None:
            assert line.endswith(f"default {field.default})")


@pytest.mark.parametrize("command", ["serve", "token"])
def test_help_fits_a_narrow_terminal(command: str, tmp_path: Path) -> None:
    done = hubbub(command, "--help", cwd=tmp_path, env={"COLUMNS": "200"})
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_help_can_be_cut_short_by_its_reader(tmp_path: Path) -> None:
    with subprocess.Popen(
        [COMMAND, "serve", "--help"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # like `hubbub serve --help | head -0`
        assert process.stderr.read() == b""
        assert process.wait() == 0
