"""How the server's lines look and where they go: structlog, to standard error.

Laws of this file:

- One line an event, whatever is in it: what a client sent cannot end a line or move a
  terminal's cursor (console lines quote it, JSON escapes it).
- A line is made in one step, and what is below the level costs next to nothing, because each
  connection logs some lines of its life.
- Records of the standard library's `logging` (aiohttp's, asyncio's) come out in the same form.
- Nothing of ours is imported here.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, BinaryIO, cast

import msgspec


@contextmanager
def _without_rich() -> Iterator[None]:
    """Hide rich for as long as structlog is being imported.

    structlog loads it whenever it is there (the command line's help needs it), for tracebacks
    that we do not show: some 40 ms of the start and several MB.
    """
    hide = "rich" not in sys.modules
    if hide:
        sys.modules["rich"] = None  # type: ignore[assignment]  # the import system's "not there"
    try:
        yield
    finally:
        if hide:
            del sys.modules["rich"]


with _without_rich():
    import structlog

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_COLOURS = {"debug": 36, "info": 32, "warning": 33, "error": 31, "critical": 31}
"""Each level's ANSI colour (ECMA-48 section 8.3.117)."""

Event = MutableMapping[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(
    level: str, format: str, stream: BinaryIO | None = None, worker: int | None = None
) -> None:
    """Log lines of `level` and above, as `format` says, from now on.

    `level` is a key of `LEVELS`; `format` is `console` (a line for people) or `json` (one
    object a line). `stream` takes the lines as UTF-8 and is standard error where it is `None`.
    Each line says which `worker` it is of, if one is given.
    Loggers made earlier by `structlog.get_logger` follow, unless they have logged already.
    """
    out = _Unfailing(stream or sys.stderr.buffer)
    least = LEVELS[level]
    render = _json if format == "json" else _Console(colours=out.isatty())
    structlog.configure(
        processors=[render] if worker is None else [_of_worker(worker), render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.BytesLoggerFactory(cast(Any, out)),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _ToStructlog)]:
        root.removeHandler(handler)
    root.addHandler(_ToStructlog())
    root.setLevel(least)


def _of_worker(worker: int) -> Callable[[object, str, Event], Event]:
    def mark(_logger: object, _level: str, event: Event) -> Event:
        event.setdefault("worker", worker)
        return event

    return mark


class _Unfailing:
    """A stream whose failures (a broken pipe, a full disk) cost lines, and nobody's connection."""

    def __init__(self, stream: BinaryIO) -> None:
        self.isatty = stream.isatty
        self._stream = stream

    def write(self, line: bytes) -> None:
        with suppress(OSError, ValueError):  # ValueError: the stream was closed
            self._stream.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


class _ToStructlog(logging.Handler):
    """Gives the records of the standard library's loggers to structlog."""

    def __init__(self) -> None:
        super().__init__()
        self._log = structlog.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = record.getMessage()
        except Exception:  # arguments that do not fit: the text itself still says something
            event = str(record.msg)
        extra = {"exc_info": record.exc_info} if record.exc_info else {}
        self._log.log(record.levelno, event, logger=record.name, **extra)


def _now() -> str:
    """The time in UTC to the millisecond (RFC 3339)."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _json(_logger: object, level: str, event: Event) -> bytes:
    line = {"timestamp": _now(), "level": level, "event": event.pop("event", "")}
    exception = _exception(event)
    line.update(event)
    if exception:
        line["exception"] = exception
    try:
        return msgspec.json.encode(line, enc_hook=repr)
    except (TypeError, ValueError):  # half a surrogate pair, a key that is no text: still one line
        return msgspec.json.encode({_utf8(key): _utf8(value) for key, value in line.items()})


def _utf8(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


class _Console:
    """Lines for people: time, level, event, then what is known as key=value."""

    def __init__(self, *, colours: bool) -> None:
        self._levels = {
            level: f"\x1b[{code}m{level:<7}\x1b[0m" if colours else f"{level:<7}"
            for level, code in _COLOURS.items()
        }

    def __call__(self, _logger: object, level: str, event: Event) -> bytes:
        name = _plain(event.pop("event", ""), spaces=True)
        exception = _exception(event)
        known = "".join([f" {key}={_plain(value)}" for key, value in event.items()])
        line = f"{_now()} {self._levels.get(level, level)} {name}{known}"
        if exception:
            line = f"{line}\n{exception}"
        return line.encode("utf-8", "backslashreplace")


def _plain(value: object, *, spaces: bool = False) -> str:
    """A value in a console line: quoted as soon as it could be taken for more than one word."""
    text = value if isinstance(value, str) else str(value)
    if text.isprintable() and text and (spaces or not (" " in text or '"' in text or "=" in text)):
        return text
    return repr(text)


def _exception(event: Event) -> str:
    """The traceback that `exc_info` (as in `logging`) asks for, or an empty string."""
    given = event.pop("exc_info", None)
    if not given:
        return ""
    import traceback

    info: ExcInfo
    if isinstance(given, BaseException):
        info = (type(given), given, given.__traceback__)
    elif isinstance(given, tuple):
        info = cast(ExcInfo, given)
    else:
        info = sys.exc_info()
    if info[0] is None:
        return ""
    return "".join(traceback.format_exception(*info)).rstrip()
