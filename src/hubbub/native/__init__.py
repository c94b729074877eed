"""Two loops in C, where they could be built: `texts` of `hubbub.websocket.texts` and `send_all` of
`hubbub.delivery.sending`. Each is written there in Python, too, which is used where there is no C,
or with `HUBBUB_NATIVE=0` in the environment. Both do the same, and the same tests hold them to it.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any


def find(name: str) -> Any:
    """What has this name in the part in C; None: it was not built, or is not wanted."""
    if os.environ.get("HUBBUB_NATIVE") == "0":
        return None
    try:
        return getattr(import_module("hubbub.native._native"), name)
    except ImportError:
        return None
