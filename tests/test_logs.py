"""Lines of the log: one an event, whatever is in it, in the form that was asked for."""

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog

from hubbub import logs


@pytest.fixture
def configured() -> Iterator[Callable[[str, str], io.BytesIO]]:
    """Configure logging for one test; what is logged can be read from the stream."""
    root = logging.getLogger()
    level = root.level

    def configure(level: str, form: str) -> io.BytesIO:
        for handler in root.handlers[:]:
            if type(handler).__module__.startswith("_pytest"):
                root.removeHandler(handler)  # it raises for what does not fit
        stream = io.BytesIO()
        logs.configure(level, form, stream)
        return stream

    yield configure
    for handler in root.handlers[:]:
        if type(handler).__module__ == logs.__name__:
            root.removeHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()


Configure = Callable[[str, str], io.BytesIO]
HOSTILE = "a\nb\r\x1b[2J\u2028c\ud800"


def lines(stream: io.BytesIO) -> list[str]:
    return stream.getvalue().decode().splitlines()


def test_a_line_has_its_time_in_utc_its_level_and_what_is_known(configured: Configure) -> None:
    stream = configured("info", "console")
    structlog.get_logger().bind(conn_id="c7").info("join", room="general", members=2)
    (line,) = lines(stream)
    when = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(f"{when} info    join conn_id=c7 room=general members=2", line)


def test_json_has_the_same_in_an_object(configured: Configure) -> None:
    stream = configured("info", "json")
    structlog.get_logger().warning("slow", room="général", behind=1.5, since=None)
    (line,) = lines(stream)
    logged = json.loads(line)
    assert list(logged)[:3] == ["timestamp", "level", "event"]
    del logged["timestamp"]
    assert logged == {
        "level": "warning",
        "event": "slow",
        "room": "général",
        "behind": 1.5,
        "since": None,
    }


@pytest.mark.parametrize("form", ["console", "json"])
def test_what_a_client_sent_cannot_break_a_line(form: str, configured: Configure) -> None:
    stream = configured("info", form)
    structlog.get_logger().info(HOSTILE, reason=HOSTILE, odd=object)
    written = stream.getvalue().decode()
    assert written.count("\n") == 1
    assert written.endswith("\n")
    assert "\x1b" not in written
    assert "\r" not in written


def test_words_in_console_lines_can_be_told_apart(configured: Configure) -> None:
    stream = configured("info", "console")
    structlog.get_logger().info("left", room="a b", username="", reason="x=1", who='"')
    assert lines(stream)[0].endswith("left room='a b' username='' reason='x=1' who='\"'")


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_what_is_below_the_level_is_not_logged(
    level: str, seen: list[str], configured: Configure
) -> None:
    stream = configured(level, "json")
    log, other = structlog.get_logger(), logging.getLogger("aiohttp.server")
    for one in ("debug", "info", "warning", "error"):
        getattr(log, one)("ours")
        getattr(other, one)("theirs")
    assert [json.loads(line)["level"] for line in lines(stream)] == [
        one for one in seen for _ in range(2)
    ]


@pytest.mark.parametrize("form", ["console", "json"])
def test_the_standard_library_logs_in_the_same_form(form: str, configured: Configure) -> None:
    stream = configured("info", form)
    logging.getLogger("asyncio").warning("slow for %.1f s", 1.25)
    logging.getLogger("asyncio").warning("does not fit %d", "x")
    first, second = lines(stream)
    assert "slow for 1.2 s" in first
    assert "does not fit %d" in second
    assert ("logger=asyncio" if form == "console" else '"logger":"asyncio"') in first


def test_configuring_again_replaces_what_was(configured: Configure) -> None:
    old = configured("info", "console")
    new = configured("error", "json")
    logging.getLogger("x").error("once")
    assert lines(old) == []
    assert len(lines(new)) == 1


def test_an_exception_comes_with_its_traceback(configured: Configure) -> None:
    stream = configured("info", "console")
    try:
        raise LookupError("the reason")
    except LookupError as error:
        structlog.get_logger().exception("failed", conn_id="c7")
        structlog.get_logger().error("failed", exc_info=error)
        logging.getLogger("aiohttp.server").exception("failed")
    written = stream.getvalue().decode()
    assert written.count("LookupError: the reason") == 3
    assert written.count("Traceback") == 3


def test_an_exception_in_json_stays_in_its_line(configured: Configure) -> None:
    stream = configured("info", "json")
    try:
        raise LookupError("the reason")
    except LookupError:
        structlog.get_logger().exception("failed")
    structlog.get_logger().error("none is being handled", exc_info=True)
    first, second = (json.loads(line) for line in lines(stream))
    assert first["exception"].endswith("LookupError: the reason")
    assert "exception" not in second


def test_colours_are_only_for_terminals(configured: Configure) -> None:
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    logs.configure("info", "console", stream)
    structlog.get_logger().error("oh")
    assert b"\x1b[31merror" in stream.getvalue()


def test_logging_does_not_load_rich() -> None:
    # It cost the start 40 ms; the command line loads it by itself when it shows help.
    program = "import sys, hubbub.logs; print('rich' in sys.modules); import rich; print('ok')"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert told.split() == ["False", "ok"]
