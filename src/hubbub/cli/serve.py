"""`hubbub serve`: start the server, and serve until it is told to stop."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from hubbub.cli.files import ConfigPath
from hubbub.cli.mistakes import UsageError
from hubbub.settings import Settings

DEFAULTS = Settings()


def serve(
    settings: Annotated[Settings, Parameter(name="*")] = DEFAULTS,
    *,
    config: ConfigPath = None,
) -> int:
    """Start the chat server, and serve until Ctrl-C or SIGTERM.

    Every setting is a flag here, HUBBUB_<NAME> in the environment and a key in hubbub.toml
    (the one in the working directory, or the one that --config names). The first of these
    that has a setting wins. CHAT_ADDR is read, too, after HUBBUB_ADDR.
    """
    del config  # read already, by hubbub.cli.sources
    import gc

    import hubbub.logs  # first, because it keeps what structlog would drag in away  # noqa: F401
    from hubbub.http.listen import StartError
    from hubbub.http.process import serve as serve_until_stopped

    gc.enable()  # all is loaded (hubbub.cli.main stopped it)

    try:
        return serve_until_stopped(settings)
    except StartError as error:
        raise UsageError(error.message, error.mend) from error
