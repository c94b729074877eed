"""The routes put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from hubbub.chat.lobby import Lobby
from hubbub.delivery.keeper import Keeper
from hubbub.http.answers import answer, harden, refuse
from hubbub.http.upgrade import Door

PAGE: Final = Path(__file__).parent.parent / "web"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(lobby: Lobby, door: Door, keeper: Keeper) -> web.Application:
    """The HTTP side of the server: the page, the API, `/ws`."""

    async def page(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    async def rooms(_: web.Request) -> web.Response:
        present = sorted((room.name, len(room.members)) for room in lobby.rooms.values())
        return answer({"rooms": [{"room": name, "users": users} for name, users in present]})

    async def health(_: web.Request) -> web.Response:
        if not door.is_open:
            return answer({"status": "stopping"}, 503)
        if keeper.problem is not None:
            return answer({"status": "degraded", "reason": keeper.problem}, 503)
        return answer({"status": "ok"})

    app = web.Application(middlewares=[_errors])
    app.on_response_prepare.append(harden)
    app.router.add_get("/ws", door.upgrade, allow_head=False)
    app.router.add_get("/", page)
    app.router.add_get("/api/rooms", rooms)
    app.router.add_get("/health", health)
    app.router.add_static("/static", PAGE)
    return app


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors of aiohttp's own (no such page, wrong method) in our form."""
    try:
        response = await handler(request)
    except web.HTTPException as problem:
        if problem.status < 400:
            raise
        allow = {"Allow": problem.headers["Allow"]} if "Allow" in problem.headers else None
        code = (problem.reason or "error").lower().replace(" ", "_")
        return refuse(problem.status, code, f"{request.path}: {problem.reason}", allow)
    if request.path.startswith("/static/"):
        # Not by age but by asking (ETag): so a new version is there with the next load.
        response.headers["Cache-Control"] = "no-cache"
    return response
