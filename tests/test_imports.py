"""Imports go one way, as docs/architecture.md draws them; pyproject.toml holds the rules."""

from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

CONFIG = Path(__file__).parent.parent / "pyproject.toml"


def test_imports_go_one_way(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(CONFIG), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out
