"""A new token for a socket that is open: what it grants holds at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hubbub.chat.grants import Grant
from hubbub.chat.session import Tell
from hubbub.protocol.incoming import Auth
from hubbub.protocol.outgoing import Error

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection
    from hubbub.delivery.hub import Hub

Verify = Callable[[str, Callable[[Grant | str], None]], None]
"""Looks at a token, and calls back with its grant, or with what is wrong."""


def renew(hub: Hub, reader: Connection, frame: Auth, verify: Verify, now: float) -> bool:
    """Look at a new token; whether its reader has to wait, which it has unless it hurries."""
    hurry = hub.lobby.hurry(reader.session, frame.id, now)
    if hurry is not None:
        hub.put(hurry)
        return False

    def verified(found: Grant | str) -> None:
        if isinstance(found, str):
            hub.put(Tell(reader.session, Error(found, "bad_token", frame.id)))
        else:
            for effect in hub.lobby.authorize(reader.session, found, frame.id):
                hub.put(effect)
            for feed in reader.feeds:  # which may have a new display name to tell
                hub.fanout.dirty[feed] = None
            hub.expiry.watch(reader)
        reader.answered()

    verify(frame.token, verified)
    return True
