"""The page's files: read once, sent small, and sent again only when they are other ones."""

from __future__ import annotations

import gzip
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Final

from aiohttp import ETag, web

PAGE: Final = Path(__file__).parent.parent / "web"
COMMENTS: Final = re.compile(
    rb"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)\n", re.DOTALL | re.MULTILINE
)
"""Comments that have lines of their own, as all of ours have: a third of what would be sent."""
INDENTS: Final = re.compile(rb"\n[ \t]+")
"""Nothing of ours has a text of several lines, in which they would count."""
TYPINGS: Final = re.compile(rb"/\*\* @[^\n]*?\*/ ?")
"""What a checker of types is told within a line."""
STRIPPED: Final = frozenset({".js", ".css"})
"""What comments and indents are left out of."""
SMALL: Final = 400
"""Bytes up to which gzip gains nothing."""
TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class File:
    """One file as it is sent."""

    body: bytes
    kind: str
    """Its media type."""

    @classmethod
    def read(cls, path: Path) -> File:
        """The file at `path`, which belongs to the page; what others wrote stays as it is."""
        body = path.read_bytes()
        if path.suffix in STRIPPED and "vendor" not in path.parts:
            body = TYPINGS.sub(b"", INDENTS.sub(b"\n", COMMENTS.sub(b"", body)))
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
        return cls(body, kind)

    @cached_property
    def zipped(self) -> bytes:
        """It compressed, or as it is where that is no larger."""
        if len(self.body) < SMALL:
            return self.body
        return min(self.body, gzip.compress(self.body, 9, mtime=0), key=len)

    @cached_property
    def tag(self) -> str:
        """Another one where a byte of it is another."""
        return blake2b(self.body, digest_size=8).hexdigest()

    def answer(self, request: web.Request) -> web.Response:
        """It, or that the one that the browser has is the same (RFC 9110, 13.1.2)."""
        zips = "gzip" in request.headers.get("Accept-Encoding", "") and self.zipped is not self.body
        tag = f"{self.tag}-z" if zips else self.tag
        known = request.if_none_match or ()
        if any(one.value in (tag, "*") for one in known):
            response = web.Response(status=304)
        else:
            response = web.Response(body=self.zipped if zips else self.body)
            if zips:
                response.headers["Content-Encoding"] = "gzip"
        response.content_type = self.kind
        # A module is UTF-8 whatever one says of it (RFC 9239, 4).
        if self.kind.startswith("text/") and self.kind != "text/javascript":
            response.charset = "utf-8"
        response.etag = ETag(tag)
        response.headers["Vary"] = "Accept-Encoding"
        # Not by age but by asking: so a new version is there with the next load.
        response.headers["Cache-Control"] = "no-cache"
        return response


def add_page(app: web.Application) -> None:
    """Serve the page at `/` and its files under `/static/`."""
    files = {
        str(path.relative_to(PAGE)): File.read(path) for path in PAGE.rglob("*") if path.is_file()
    }

    async def page(request: web.Request) -> web.StreamResponse:
        return files["index.html"].answer(request)

    async def static(request: web.Request) -> web.StreamResponse:
        found = files.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return found.answer(request)

    app.router.add_get("/", page)
    app.router.add_get("/static/{name:.+}", static)
