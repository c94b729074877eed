"""What is done in Redis itself: functions, loaded under a name that has their version."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files

from hubbub.protocol.outgoing import Said
from hubbub.store import conversation


def _library() -> tuple[str, str]:
    """The functions' name, which has the version of their text, and that text."""
    folder = files("hubbub.store")
    parts = ("redis_functions.lua", "redis_reading.lua", "redis_presence.lua", "redis_markers.lua")
    text = "".join((folder / part).read_text() for part in parts)
    fields = Said.__struct_fields__
    after = ", ".join(f"'{name}'" for name in fields[fields.index("deleted") + 1 :])
    text = text.replace("@AFTER@", after)
    with_it = (folder / "redis_conversation.lua").read_text()
    text = text.replace("@CONVERSATION@\n", with_it)
    text = text.replace("@QUOTED@", str(conversation.QUOTED))
    text = text.replace("@SHOWN@", str(conversation.SHOWN))
    name = f"hubbub_{sha1(text.encode(), usedforsecurity=False).hexdigest()[:8]}"
    return name, text.replace("@NAME@", name)


NAME, LIBRARY = _library()
