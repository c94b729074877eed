"""A setting is taken from the first place that has it: flag, variable, file, default."""

from pathlib import Path

import pytest

from tests.command import hubbub, serving

PLACES = [
    # Each place says another loopback address, so that the one in use tells which was taken.
    ("flag", "127.0.0.2"),
    ("HUBBUB_ADDR", "127.0.0.3"),
    ("CHAT_ADDR", "127.0.0.4"),
    ("file", "127.0.0.5"),
]


@pytest.mark.parametrize("first", range(len(PLACES)), ids=[place for place, _ in PLACES])
def test_the_address_comes_from_the_first_place_that_has_it(first: int, tmp_path: Path) -> None:
    flags: list[str] = []
    variables: dict[str, str] = {}
    for place, host in PLACES[first:]:
        if place == "flag":
            flags = ["--addr", f"{host}:0"]
        elif place == "file":
            (tmp_path / "hubbub.toml").write_text(f'addr = "{host}:0"\n')
        else:
            variables[place] = f"{host}:0"
    with serving(*flags, cwd=tmp_path, env=variables) as server:
        assert server.host == PLACES[first][1]


@pytest.mark.parametrize(
    ("flags", "variables", "file", "taken"),
    [
        (["--history", "-1"], {"HUBBUB_HISTORY": "-2"}, "history = -3", "--history is -1"),
        ([], {"HUBBUB_HISTORY": "-2"}, "history = -3", "HUBBUB_HISTORY is -2"),
        ([], {"HUBBUB_HISTORY": ""}, "history = -3", "history in hubbub.toml is -3"),
        ([], {"CHAT_HISTORY": "-2"}, "history = -3", "history in hubbub.toml is -3"),
        (["--history", "-1"], {}, "", "--history is -1"),
    ],
)
def test_any_setting_comes_from_the_first_place_that_has_it(
    flags: list[str], variables: dict[str, str], file: str, taken: str, tmp_path: Path
) -> None:
    # A value that is refused is named with its place: nothing has to be served to see it.
    (tmp_path / "hubbub.toml").write_text(file)
    done = hubbub("serve", *flags, cwd=tmp_path, env=variables)
    assert done.stderr.startswith(f"hubbub: {taken},")


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_another_file_can_be_named(how: str, tmp_path: Path) -> None:
    (tmp_path / "hubbub.toml").write_text("history = -3")
    (tmp_path / "other.toml").write_text("history = -4")
    flags = ["--config", "other.toml"] if how == "flag" else []
    variables = {"HUBBUB_CONFIG": "other.toml"} if how == "variable" else {}
    done = hubbub("serve", *flags, cwd=tmp_path, env=variables)
    assert done.stderr.startswith("hubbub: history in other.toml is -4,")


def test_the_file_in_the_docs_is_taken(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    (tmp_path / "hubbub.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    done = hubbub("serve", "--addr", "127.0.0.1:0", cwd=tmp_path)
    # All of it is right but the certificate, which is not on this machine.
    assert "/etc/hubbub/chain.pem" in done.stderr
    assert done.returncode == 2


def test_without_any_place_the_default_holds(tmp_path: Path) -> None:
    help_text = hubbub("serve", "--help", cwd=tmp_path).stdout
    assert "--addr STR  (HUBBUB_ADDR, default 127.0.0.1:3000)" in help_text
