"""`docs/settings.md`, made from the settings themselves: `python -m hubbub.cli.docs`.

`make docs` writes the page, and a test holds that the one in the repository is the one that is
made here, so that no setting can be without its words.
"""

from __future__ import annotations

import sys
from dataclasses import fields

from hubbub.settings import Settings

BEFORE = """\
# Settings

<!-- Made by `make docs` from src/hubbub/settings.py and src/hubbub/cli/docs.py. -->

Hubbub needs no settings to start. What you may want to change, you can write in any of these
places; the first one that has a setting wins:

1. a flag: `hubbub serve --max-text 500`
2. a variable in the environment: `HUBBUB_MAX_TEXT=500`
3. for the address alone, `CHAT_ADDR`, as hosting services set it
4. a key in `hubbub.toml`: `max_text = 500`
5. the default.

The file is the `hubbub.toml` in the directory where the server is started, or the one named by
`--config FILE` (or `HUBBUB_CONFIG`). A variable that is empty counts as not set. Paths are
relative to the directory where the server is started.

What cannot be right is refused before the server starts, in one line that says where it is
written and what to do, with exit status 2:

    hubbub: max_text in hubbub.toml is -1, which is below 1; give 1 or more

Sizes are in bytes unless the text says characters, which are Unicode code points; times are in
seconds.

| Flag | Variable | Default | What it does |
|---|---|---|---|
"""

AFTER = """
A flag's name without its dashes in front, and with `_` for `-`, is its key in the file:

```toml
# hubbub.toml
addr = "[::]:443"
tls_cert = "/etc/hubbub/chain.pem"
tls_key = "/etc/hubbub/key.pem"
history = 100
rate = 2.5
log_format = "json"
```
"""


def settings_page() -> str:
    """The page, as Markdown: what holds for all settings, then one row for each."""
    rows = [
        f"| `--{one.name.replace('_', '-')}` | `HUBBUB_{one.name.upper()}`"
        f" | {_default(one.default)} | {one.metadata['help']} |\n"
        for one in fields(Settings)
    ]
    return BEFORE + "".join(rows) + AFTER


def _default(value: object) -> str:
    if value is None:
        return "none"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(settings_page())
