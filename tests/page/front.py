"""The page without its server, as from a proxy or a cache, while that is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from hubbub.http.page import PAGE


class Front(SimpleHTTPRequestHandler):
    """Serves the page's files and nothing else: `/ws` is a bad gateway."""

    def translate_path(self, path: str) -> str:
        inside = path.partition("?")[0].removeprefix("/static").lstrip("/")
        return str(Path(PAGE) / (inside or "index.html"))

    def do_GET(self) -> None:
        if self.path.startswith("/ws"):
            self.send_error(HTTPStatus.BAD_GATEWAY)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def only_the_page(port: int) -> Iterator[None]:
    """Serve the page on the port of a server that is away."""
    with ThreadingHTTPServer(("127.0.0.1", port), Front) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        try:
            yield
        finally:
            server.shutdown()
