"""A person's mistake is told in one line, with its mend, and nothing else happens."""

import errno
import socket
from pathlib import Path

import pytest

from hubbub.cli.app import run
from tests.command import told


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--histroy 1", "there is no option --histroy; did you mean --history?"),
        ("--histroy=1", "there is no option --histroy; did you mean --history?"),
        ("--zzz", "there is no option --zzz; see hubbub serve --help"),
        ("-q", "there is no option -q; see hubbub serve --help"),
        ("here", "'here' is more than hubbub serve takes; see hubbub serve --help"),
        ("--history", "--history has no value after it; see hubbub serve --help"),
        ("--history 1 --history 2", "--history is given twice; give it once"),
        ("--history many", "--history is 'many', which is not a whole number; give a whole"),
        ("--history 1.5", "--history is '1.5', which is not a whole number; give a whole"),
        ("--history -1", "--history is -1, which is below 0; give 0 or more"),
        ("--ping soon", "--ping is 'soon', which is not a number; give a number"),
        ("--ping 0", "--ping is 0.0, which is not above 0; give more than 0"),
        ("--rate inf", "--rate is inf, which is not finite; give a finite number"),
        ("--addr 3000", "--addr is '3000', which does not end in a port; write HOST:PORT"),
        ("--addr ::1:3000", "--addr is '::1:3000', an IPv6 address without brackets; write [::1]"),
        ("--store mysql://x", "--store is 'mysql://x', which is no kind of store"),
        ("--log-level loud", "--log-level is 'loud', which is not one of its choices; choose"),
        ("--tls-cert a.pem", "--tls-cert is given without tls_key; give tls_key as well"),
        ("--config none.toml", "there is no file none.toml; give --config a file"),
        ("--config .", ". cannot be read (Is a directory); make it a readable file"),
    ],
)
def test_a_wrong_flag(arguments: str, expected: str, tmp_path: Path) -> None:
    assert told("serve", *arguments.split(), cwd=tmp_path).startswith(expected)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("srve", "there is no command srve; did you mean serve?"),
        ("dance", "there is no command dance; see hubbub --help"),
        ("--verion", "there is no option --verion; see hubbub --help"),
    ],
)
def test_a_wrong_command(typed: str, expected: str, tmp_path: Path) -> None:
    assert told(typed, cwd=tmp_path) == expected


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("HUBBUB_HISTORY", "many", "HUBBUB_HISTORY is 'many', which is not a whole number"),
        ("HUBBUB_HISTORY", "-1", "HUBBUB_HISTORY is -1, which is below 0"),
        ("HUBBUB_LOG_FORMAT", "xml", "HUBBUB_LOG_FORMAT is 'xml', which is not one of"),
        ("HUBBUB_ADDR", "here", "HUBBUB_ADDR is 'here', which does not end in a port"),
        ("HUBBUB_CONFIG", "none.toml", "there is no file none.toml"),
        ("CHAT_ADDR", "here", "CHAT_ADDR is 'here', which does not end in a port"),
    ],
)
def test_a_wrong_variable(variable: str, value: str, expected: str, tmp_path: Path) -> None:
    assert told("serve", cwd=tmp_path, env={variable: value}).startswith(expected)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("histroy = 5", "hubbub.toml has 'histroy', which is no setting; did you mean history?"),
        ("zzz = 5", "hubbub.toml has 'zzz', which is no setting; see hubbub serve --help"),
        ("config = 'a'", "hubbub.toml has 'config', which is no setting; see"),
        ("[server]\nhistory = 5", "hubbub.toml has a table [server], but there are none; write"),
        ("history = '5'", "history in hubbub.toml is the text '5', which should be a number"),
        ("history = true", "history in hubbub.toml is true, which should be a number"),
        ("history = [5]", "history in hubbub.toml is a list, which should be a number"),
        ("history = 1.5", "history in hubbub.toml is '1.5', which is not a whole number"),
        ("history = 2026-01-01", "history in hubbub.toml is the time 2026-01-01, which"),
        ("history = -5", "history in hubbub.toml is -5, which is below 0"),
        ("max-text = 0", "max-text in hubbub.toml is 0, which is below 1"),
        ("addr = 3000", "addr in hubbub.toml is the number 3000, which should be text; write"),
        ("addr.port = 3000", "addr in hubbub.toml is a table, which should be text"),
        ("history 5", "hubbub.toml is not TOML (Expected '=' after a key"),
    ],
)
def test_a_wrong_line_in_the_file(file: str, expected: str, tmp_path: Path) -> None:
    assert told("serve", cwd=tmp_path, file=file).startswith(expected)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "hubbub.toml").write_bytes(b"addr = '\xff'")
    assert told("serve", cwd=tmp_path).startswith("hubbub.toml is not TOML ('utf-8' codec")


def test_what_was_typed_cannot_break_the_line_or_write_on_the_terminal(tmp_path: Path) -> None:
    line = told("serve", "--one\nand\x1b[2Jtwo", cwd=tmp_path)
    assert line.startswith(r"there is no option --one\nand\x1b[2Jtwo")


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = told("serve", "--addr", f"127.0.0.1:{port}", cwd=tmp_path)
    assert f"127.0.0.1:{port}" in line
    assert "in use" in line


def test_an_address_that_is_not_this_machine(tmp_path: Path) -> None:
    # TEST-NET-1 (RFC 5737): no machine has it.
    assert "192.0.2.1:0" in told("serve", "--addr", "192.0.2.1:0", cwd=tmp_path)


def test_a_port_that_only_root_may_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The tests may well run as root: the system's refusal is the one thing that is put on here.
    def refuse(listening: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert run(["serve", "--addr", "127.0.0.1:80", "--store", "memory:"]) == 2
    line = capsys.readouterr().err
    assert line.startswith("hubbub: port 80 ")
    assert line.count("\n") == 1


@pytest.mark.parametrize("there", [False, True], ids=["missing", "not a certificate"])
def test_tls_files_that_cannot_serve(there: bool, tmp_path: Path) -> None:
    if there:
        (tmp_path / "chain.pem").write_text("no certificate")
        (tmp_path / "key.pem").write_text("no key")
    line = told(
        "serve", "--addr=127.0.0.1:0", "--tls-cert=chain.pem", "--tls-key=key.pem", cwd=tmp_path
    )
    assert "chain.pem" in line
