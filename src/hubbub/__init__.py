"""Hubbub, a chat server that one command starts.

Importing the package does no work and imports nothing: each part says for itself what it needs.
`__version__` is read from the installed package when it is first asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("hubbub")
    raise AttributeError(f"module 'hubbub' has no attribute {name!r}")
