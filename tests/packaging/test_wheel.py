"""What is installed is all that is needed: the wheel alone serves the page."""

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

import pytest
import structlog

from tests.command import serving

ROOT = Path(__file__).parents[2]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree with what is installed, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([*PIP, *build, "--wheel-dir", folder, ROOT], check=True)
    (built,) = folder.glob("hubbub-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's folder of programs, with the wheel installed in it.

    What others have made is borrowed from here by a path; this project's own editable install
    stays invisible there, because a borrowed folder's .pth files are not read.
    """
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    subprocess.run(
        [*PIP, "--python", python, "install", "--no-deps", "--no-index", wheel], check=True
    )
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{Path(structlog.__file__).parents[1]}\n")
    return folder / "bin"


def test_the_wheel_holds_the_page_the_types_and_the_licence(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    page = [path for path in (ROOT / "src/hubbub/web").rglob("*") if path.is_file()]
    assert page
    assert {str(path.relative_to(ROOT / "src")) for path in page} <= held
    assert "hubbub/py.typed" in held
    assert {"LICENSE", "LICENSE-UNICODE"} <= {Path(name).name for name in held}


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in held} == {"hubbub"}
    assert not [name for name in held if name.endswith(".pyc")]


def test_the_wheel_holds_the_part_in_c(wheel: Path, installed: Path, tmp_path: Path) -> None:
    held = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")]
    assert [Path(name).parent for name in held] == [Path("hubbub/native")]
    assert not wheel.name.endswith("-any.whl"), "it is for this machine alone"
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path, command=installed / "hubbub"):
        assert "innermost_loops=C" in (tmp_path / "server.log").read_text()


def test_without_a_compiler_python_does_it_all(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    build = ["wheel", "--no-build-isolation", "--no-deps", "--no-index"]
    told = subprocess.run(
        [sys.executable, "-m", "pip", "--verbose", *build, "--wheel-dir", str(tmp_path), ROOT],
        env={**os.environ, "PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "The part in C was not built, Python does it" in told.stdout + told.stderr
    (wheel,) = tmp_path.glob("hubbub-*-py3-none-any.whl")
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")]


def test_the_installed_server_serves_its_page(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [installed / "python", "-c", "import hubbub; print(hubbub.__file__)"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert where.startswith(str(installed.parent))
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path, command=installed / "hubbub") as server:
        with urlopen(server.url) as answer:
            page = answer.read().decode()
            assert answer.headers["Content-Type"].startswith("text/html")
        linked = re.findall(r'(?:src|href)="([^"#:]+\.(?:js|css|svg))"', page)
        assert linked
        for path in linked:
            with urlopen(urljoin(f"{server.url}/", path)) as answer:
                assert answer.status == 200
                assert answer.read()
