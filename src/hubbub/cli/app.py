"""The commands put together, and one of them run.

cyclopts reads the command line into the dataclass of settings. Its own messages (panels, class
names, tracebacks) are kept from people: what it raises leaves here as one line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from hubbub.cli.audit import audit
from hubbub.cli.backup import backup
from hubbub.cli.export import export
from hubbub.cli.help import Layout
from hubbub.cli.import_ import import_
from hubbub.cli.mistakes import EXIT_STATUS, UsageError, from_cyclopts, from_setting, one_line
from hubbub.cli.serve import serve
from hubbub.cli.sources import ConfigFile, Environment, Written
from hubbub.cli.token import token
from hubbub.settings import SettingError


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: those of this process) say.

    Returns the exit status: the command's own, 0 after `--help` and `--version`, 2 after a
    person's mistake (told on standard error), 130 when Ctrl-C came before the server was up.
    """
    written = Written()
    try:
        try:
            status = _app(written)(arguments)
        except CycloptsError as error:
            raise from_cyclopts(error) from error
        except SettingError as error:
            raise from_setting(error, written.where) from error
    except UsageError as mistake:
        print(one_line(mistake), file=sys.stderr)
        return EXIT_STATUS
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the help has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status if isinstance(status, int) else 0


def _app(written: Written) -> App:
    app = App(
        name="hubbub",
        help="A chat server that one command starts.",
        version=_version,
        config=[Environment(), ConfigFile(), written],
        group_parameters="Options",
        help_format="plaintext",
        help_formatter=Layout(),
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
    )
    app.command(serve)
    app.command(token)
    app.command(export)
    app.command(import_, name="import")
    app.command(backup)
    app.command(audit)
    return app


def _version() -> str:
    import hubbub

    return f"hubbub {hubbub.__version__}"
