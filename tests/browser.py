"""Which browser the tests drive: the system's Chromium."""

import os
import shutil

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""Where distributions put it on the PATH (scripts/system-packages looks for the same).

The first is the same engine without a window's own pages: each context of the whole browser starts
a process for its tab strip, which took more time than the page that was tested.
"""


def chromium_path() -> str:
    """The program to start: `HUBBUB_CHROMIUM`, else the first of `NAMES` on the PATH.

    Raises `RuntimeError`, which says what to do, where there is none.
    """
    named = os.environ.get("HUBBUB_CHROMIUM")
    if named:
        if found := shutil.which(named):
            return found
        raise RuntimeError(f"HUBBUB_CHROMIUM is {named!r}, which is no program; name one that is")
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise RuntimeError(
        "there is no Chromium on the PATH; install it (apt-get install chromium),"
        " or name one in HUBBUB_CHROMIUM"
    )
