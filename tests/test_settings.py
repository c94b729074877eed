"""What may be set, and that every setting is told to people."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hubbub.cli.docs import settings_page
from hubbub.settings import SettingError, Settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
NAMES = [field.name for field in dataclasses.fields(Settings)]


@pytest.mark.parametrize(
    ("addr", "host", "port"),
    [
        ("127.0.0.1:3000", "127.0.0.1", 3000),
        ("localhost:0", "localhost", 0),
        ("[::1]:3000", "::1", 3000),
        ("[::]:65535", "::", 65535),
        (":8080", None, 8080),
        ("chat-1.example.org:80", "chat-1.example.org", 80),
    ],
)
def test_an_address_says_where_to_listen(addr: str, host: str | None, port: int) -> None:
    assert Settings(addr=addr).listen == (host, port)


@pytest.mark.parametrize(
    ("wrong", "name", "told"),
    [
        ({"addr": "3000"}, "addr", "does not end in a port"),
        ({"addr": ""}, "addr", "does not end in a port"),
        ({"addr": "localhost:http"}, "addr", "does not end in a port"),
        ({"addr": "localhost:٣"}, "addr", "does not end in a port"),
        ({"addr": "localhost:-1"}, "addr", "does not end in a port"),
        ({"addr": "localhost:65536"}, "addr", "above 65535"),
        ({"addr": "localhost:" + "9" * 5000}, "addr", "above 65535"),
        ({"addr": "::1:3000"}, "addr", "write [::1]:3000"),
        ({"addr": "[::g]:3000"}, "addr", "no IPv6 address in its brackets"),
        ({"addr": "http://localhost:3000"}, "addr", "not a name or an address"),
        ({"addr": "a b:1"}, "addr", "not a name or an address"),
        ({"store": "postgres://x"}, "store", "there is sqlite:, memory:"),
        ({"store": "memory"}, "store", "there is sqlite:, memory:"),
        ({"store": "memory:x"}, "store", "write memory:"),
        ({"store": "redis:"}, "store", "no address"),
        ({"store": "redis:host:6379"}, "store", "no address"),
        ({"store": "redis://"}, "store", "names no host"),
        ({"store": "redis://host:port"}, "store", "no address"),
        ({"store": "redis://host/chat"}, "store", "database is no number"),
        ({"store": "rediss://a b"}, "store", "no address"),
        ({"store": "unix://"}, "store", "no socket file"),
        ({"store": "unix://run/redis.sock"}, "store", "unix:///PATH"),
        ({"store": "unix:///redis.sock?db=x"}, "store", "database is no number"),
        ({"store": "redis://host?ssl_ca_certs=x"}, "store", "leave it away"),
        ({"store": "rediss://host?ssl_cert_reqs=none"}, "store", "there is ssl_ca_certs"),
        ({"store": "redis+sentinel://host"}, "store", "names no master"),
        ({"store": "redis+sentinel://host/name/x"}, "store", "names no master"),
        ({"store": "redis+sentinel://a,,b/name"}, "store", "are no hosts"),
        ({"store": "redis+sentinel://a:x/name"}, "store", "are no hosts"),
        ({"store": "redis+sentinel:///name"}, "store", "are no hosts"),
        ({"store": "redis+cluster://"}, "store", "names no hosts"),
        ({"store": "redis+cluster://a,,b"}, "store", "names no hosts"),
        ({"store": "redis+cluster://a:x"}, "store", "names no hosts"),
        ({"store": "redis+cluster://a b"}, "store", "names no hosts"),
        ({"store": "redis+cluster://a,b/1"}, "store", "has one database"),
        ({"store": "redis+cluster://a?ssl_ca_certs=x"}, "store", "leave it away"),
        ({"history": -1}, "history", "below 0"),
        ({"history": 1.5}, "history", "a whole number"),
        ({"history": True}, "history", "a whole number"),
        ({"max_text": 0}, "max_text", "below 1"),
        ({"ping": 0}, "ping", "not above 0"),
        ({"rate": -0.5}, "rate", "below 0"),
        ({"rate": float("nan")}, "rate", "not finite"),
        ({"linger": float("inf")}, "linger", "not finite"),
        ({"rate": "fast"}, "rate", "a number"),
        ({"log_level": "loud"}, "log_level", "debug, info, warning, error"),
        ({"log_format": "xml"}, "log_format", "console, json"),
        ({"tls_cert": Path("a.pem")}, "tls_cert", "give tls_key as well"),
        ({"tls_key": Path("a.pem")}, "tls_key", "give tls_cert as well"),
    ],
)
def test_a_wrong_value_is_refused_with_its_mend(
    wrong: dict[str, Any], name: str, told: str
) -> None:
    with pytest.raises(SettingError) as refused:
        Settings(**wrong)
    assert refused.value.name == name
    assert told in str(refused.value)
    assert len(str(refused.value)) < 250


def test_reserved_names_stand_between_commas() -> None:
    assert Settings(reserved=" admin, the boss ,,Système").reserved_names == (
        "admin",
        "the boss",
        "Système",
    )
    assert Settings(reserved="").reserved_names == Settings(reserved=" , ").reserved_names == ()
    assert "admin" in Settings().reserved_names


def test_settings_cannot_change_under_those_who_hold_them() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().history = 7  # type: ignore[misc]


def test_a_changed_copy_is_checked_too() -> None:
    with pytest.raises(SettingError):
        dataclasses.replace(Settings(), history=-1)


def test_the_page_of_settings_is_the_one_that_the_code_makes() -> None:
    assert PAGE.read_text() == settings_page(), "run `make docs`"


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_in_the_docs(name: str) -> None:
    (row,) = [
        line for line in PAGE.read_text().splitlines() if f"| `HUBBUB_{name.upper()}` |" in line
    ]
    flag, _variable, default, meaning = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert flag == f"`--{name.replace('_', '-')}`"
    value = getattr(Settings(), name)
    if value is None:
        assert default == "none"
    else:
        assert type(value)(default.strip("`")) == value
    assert len(meaning) > 20


def test_who_embeds_the_server_does_not_pay_for_the_command_line() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, hubbub.settings; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "hubbub.settings" in loaded
    assert not {"cyclopts", "rich", "asyncio", "aiohttp"} & set(loaded)


@pytest.mark.parametrize(
    "store",
    [
        "redis://localhost",
        "redis://:hush@redis.example:6379/15",
        "rediss://ann:hush@[::1]:6380/0",
        "unix:///run/redis.sock",
        "unix://ann:hush@/run/redis.sock?db=3",
    ],
)
def test_a_store_may_be_in_redis(store: str) -> None:
    assert Settings(store=store).store == store


@pytest.mark.parametrize("store", ["redis://u:hush@h/x", "postgres://u:hush@h", "redis:u:hush@h"])
def test_the_password_of_a_store_is_never_shown(store: str) -> None:
    with pytest.raises(SettingError) as told:
        Settings(store=store)
    assert "hush" not in str(told.value)
    assert "hush" not in repr(Settings(store="redis://u:hush@h"))
