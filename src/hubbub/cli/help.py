"""How `--help` looks: plain lines of at most 80 columns, which read the same in a pipe.

cyclopts gathers the entries; this lays them out, each setting with its variable and default.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

WIDTH = 80


class Layout:
    """A help formatter as cyclopts takes it (`cyclopts.help.protocols.HelpFormatter`)."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        if panel.entries:
            lines = [line for entry in panel.entries for line in _entry(entry)]
            _say(console, f"{panel.title}:", *lines, "")

    def render_usage(self, console: Console, options: ConsoleOptions, usage: object) -> None:
        _say(console, f"Usage: {_text(usage)}", "")

    def render_description(
        self, console: Console, options: ConsoleOptions, description: object
    ) -> None:
        for paragraph in _text(description).split("\n\n"):
            _say(console, *textwrap.wrap(paragraph, WIDTH), "")


def _entry(entry: HelpEntry) -> list[str]:
    notes = []
    if entry.choices:
        notes.append("|".join(entry.choices))
    notes.extend(entry.env_var or ())
    if entry.default is not None:
        notes.append(f"default {entry.default}")
    head = ", ".join(entry.display_labels_with_metavar)
    if notes:
        head = f"{head}  ({', '.join(notes)})"
    body = textwrap.wrap(_text(entry.description), WIDTH - 6)
    return [f"  {head}", *(f"      {line}" for line in body)]


def _text(value: object) -> str:
    """The characters of what cyclopts hands over: rich text, sometimes in a wrapping of its own."""
    return str(getattr(value, "primary_renderable", value) or "").strip()


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.file.write(f"{line}\n")
