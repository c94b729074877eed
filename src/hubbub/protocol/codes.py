"""Stable codes: the `code` of an error frame, and the codes that a socket is closed with.

A code, once published, keeps its meaning for ever; its message may be reworded.
"""

from typing import Final, Literal

ErrorCode = Literal[
    "invalid",
    "not_joined",
    "empty_name",
    "bad_name",
    "name_taken",
    "room_required",
    "too_long",
    "rate_limited",
    "forbidden",
    "not_found",
    "id_reused",
    "empty",
    "storage_unavailable",
    "kicked",
    "banned",
    "muted",
    "read_only",
    "bad_token",
]

ERRORS: Final[dict[ErrorCode, str]] = {
    "invalid": "The frame is not JSON, has no known `type`, or a field is missing or wrong; "
    "the message says what and where.",
    "not_joined": "Said something to a room without being in it (or in any).",
    "empty_name": "`room` or `username` is empty once trimmed.",
    "bad_name": "A name holds a character that cannot be seen or that reorders text.",
    "name_taken": "Someone else in the room has this name, or one that reads the same.",
    "room_required": "In several rooms, and the frame does not say which one it means.",
    "too_long": "A text or a name is longer than this server lets in. Nothing was published.",
    "rate_limited": "Too many frames or bytes, and nothing was done; `retry_after` says in how many"
    " seconds one more is welcome.",
    "forbidden": "Not allowed here; the message says why.",
    "not_found": "There is no such message: it never was, is deleted, or is no longer kept.",
    "id_reused": "The `id` was used before, by the same author, for another text.",
    "empty": "A chat that had an `id`, or an edit, was blank, so there is nothing to publish.",
    "storage_unavailable": "The log cannot be written or read at the moment. Nothing was "
    "published; send it again, with the same `id`, after `retry_after` seconds.",
    "kicked": "A moderator put you out of the room; you may come back.",
    "banned": "You may not be in the room, until `until` if that is there.",
    "muted": "You may hear but not speak here, until `until` if that is there.",
    "read_only": "Only moderators speak in this room at the moment.",
    "bad_token": "The token of an `auth` frame is not good; the message says why.",
}
"""What each error code means, in a sentence for `docs/protocol.md`."""

GOING_AWAY: Final = 1001
RESTARTING: Final = 1012
STALLED: Final = 1013
UNRULY: Final = 1008
FAULTS: Final = (1002, 1007, 1009)
"""The peer's bytes cannot be followed any further."""
EXPIRED: Final = 4401
BANNED: Final = 4403
REPLACED: Final = 4409

CLOSES: Final[dict[int, tuple[str, str]]] = {
    1001: ("The server is stopping or restarting.", "Come back with `since`, with jitter."),
    1002: ("The bytes were not WebSocket (RFC 6455).", "Stop: the client has a fault."),
    1006: ("The connection was lost; no close frame came.", "Come back with `since`, with jitter."),
    1007: ("A text frame was not UTF-8.", "Stop: the client has a fault."),
    1008: (
        "This client went on for long faster than it may (`--max-refused`).",
        "Stop, and say so.",
    ),
    1009: ("A message was larger than `--max-frame`.", "Stop: send less at once."),
    1012: (
        "This server is being emptied (`--drain`), and others are there. The reason ends in "
        "`retry_after=` and seconds.",
        "Come back with `since`, after so many seconds.",
    ),
    1013: (
        "This reader took nothing for `--stall-timeout` seconds. It has lost nothing.",
        "Come back with `since`, with jitter.",
    ),
    4401: ("The token has ended (`token_expired`).", "Stop; come back with a new token."),
    4403: ("A moderator banned you, and you are in no room any more.", "Stop, and say so."),
    4409: ("The same session took the name over on a newer socket.", "Stop, and say so."),
}
"""Close code → what happened, and what a client does."""
