"""The page's models, tested without a browser by Node's own test runner."""

import subprocess
from pathlib import Path

import pytest

from tests.node import command

MODELS = sorted((Path(__file__).parent / "model").glob("*.test.mjs"))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_the_laws_of_a_model_hold(path: Path) -> None:
    done = subprocess.run(
        command("node", "--test", "--test-reporter=tap", str(path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "# pass 0" not in done.stdout


def test_there_are_models_to_test() -> None:
    assert len(MODELS) >= 4
