"""The locks: every dependency at one version, known by its hashes, from no particular host."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ["build", "runtime", "dev"]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())

WANTED: dict[str, list[str]] = {
    "build": PROJECT["build-system"]["requires"],
    "runtime": PROJECT["project"]["dependencies"],
    "dev": [
        *PROJECT["project"]["dependencies"],
        *PROJECT["build-system"]["requires"],
        *(one for extra in PROJECT["project"]["optional-dependencies"].values() for one in extra),
        *(one for one in PROJECT["dependency-groups"]["dev"] if isinstance(one, str)),
    ],
}


def lock_text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def locked(name: str) -> dict[str, str]:
    """The version of each package in a lock."""
    pins = re.findall(r"^([\w.-]+)==([\w.+!-]+)", lock_text(name), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in pins}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host_and_no_path(name: str) -> None:
    text = lock_text(name)
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE)
    assert not re.search(r"(^|\s)[./~]*/\w+/", text)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_a_hash_for_every_package(name: str) -> None:
    entries = re.split(
        r"\n(?=[\w.-]+==)", re.sub(r"^#.*\n", "", lock_text(name), flags=re.MULTILINE)
    )
    entries = [entry for entry in entries if entry.strip()]
    assert len(entries) == len(locked(name)) > 4
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize("name", LOCKS)
def test_every_dependency_is_locked_at_a_version_that_it_allows(name: str) -> None:
    versions = locked(name)
    for text in WANTED[name]:
        wanted = Requirement(text)
        version = versions[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version), f"{text} is locked at {version}: make lock"


def test_the_tests_run_on_the_versions_that_people_run() -> None:
    dev = locked("dev")
    for name in ("build", "runtime"):
        for package, version in locked(name).items():
            assert dev[package] == version
