"""Which browser the tests take."""

from pathlib import Path

import pytest

from tests.browser import chromium_path


def program(path: Path) -> str:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_named_browser_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "chromium")
    mine = program(tmp_path / "mine")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HUBBUB_CHROMIUM", mine)
    assert chromium_path() == mine


def test_else_the_one_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chrome = program(tmp_path / "google-chrome")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HUBBUB_CHROMIUM", raising=False)
    assert chromium_path() == chrome
    chromium = program(tmp_path / "chromium")
    assert chromium_path() == chromium


def test_no_browser_is_told_with_its_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HUBBUB_CHROMIUM", raising=False)
    with pytest.raises(RuntimeError, match="apt-get install chromium"):
        chromium_path()
    monkeypatch.setenv("HUBBUB_CHROMIUM", "absent")
    with pytest.raises(RuntimeError, match="HUBBUB_CHROMIUM is 'absent'"):
        chromium_path()
