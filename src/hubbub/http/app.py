"""The routes put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from hubbub.delivery.hub import Hub
from hubbub.http.admission import Admission
from hubbub.http.answers import answer, harden, refuse
from hubbub.http.page import add_page
from hubbub.http.refusals import RefusedError
from hubbub.http.upgrade import Door

LONGEST: Final = 200
"""Characters that a path may have as sent; a system fails at a file name of 256 bytes."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(hub: Hub, door: Door, admission: Admission) -> web.Application:
    """The HTTP side of the server: the page, the API, `/ws`."""
    lobby, keeper = hub.lobby, hub.keeper

    async def rooms(request: web.Request) -> web.Response:
        grant = await admission.bearer(request)
        if hub.presence is not None:
            counts = await hub.presence.counts()
        else:
            counts = {room.name: len(room.members) for room in lobby.rooms.values()}
        after, limit = _page(request)
        present = [
            {"room": name, "users": counts[name]}
            for name in sorted(counts)
            if name > after and (grant is None or grant.reads(name))
        ]
        if limit is None:
            return answer({"rooms": present})
        return answer({"rooms": present[:limit], "more": len(present) > limit})

    async def session(request: web.Request) -> web.Response:
        grant = (await admission.admit(request)).grant
        return answer(
            {
                "username": grant and grant.sub,
                "name": grant and grant.name,
                "guest": grant is None,
                "auth": admission.auth,
                "ends": grant and grant.ends,
                "mod_password": lobby.has_password,
            }
        )

    async def health(_: web.Request) -> web.Response:
        if not admission.is_open:
            return answer({"status": "draining" if admission.is_draining else "stopping"}, 503)
        if keeper.problem is not None:
            return answer({"status": "degraded", "reason": keeper.problem}, 503)
        if hub.presence is not None:
            return answer({"status": "ok", "nodes": hub.presence.nodes})
        return answer({"status": "ok"})

    app = web.Application(middlewares=[_errors(admission)])
    app.on_response_prepare.append(harden)
    app.router.add_get("/ws", door.upgrade, allow_head=False)
    app.router.add_get("/api/rooms", rooms)
    app.router.add_get("/api/session", session)
    app.router.add_get("/health", health)
    add_page(app)
    return app


def _page(request: web.Request) -> tuple[str, int | None]:
    """The name after which a list is to begin, and how many there may be in it; None: all."""
    limit = request.query.get("limit")
    if limit is not None and not (limit.isascii() and limit.isdigit() and int(limit[:10])):
        raise RefusedError("bad_request", "`limit` must be a whole number from 1 on")
    return request.query.get("after", ""), None if limit is None else int(limit[:10])


def _errors(admission: Admission) -> Middleware:
    """Refusals, and errors of aiohttp's own (no such page, wrong method), in our form."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if len(request.rel_url.raw_path) > LONGEST:
                raise web.HTTPNotFound
            return await handler(request)
        except RefusedError as refusal:
            structlog.get_logger().info(
                "refused", code=refusal.code, remote=admission.remote(request), path=request.path
            )
            return refusal.answer()
        except web.HTTPException as problem:
            if problem.status < 400:
                raise
            allow = {"Allow": problem.headers["Allow"]} if "Allow" in problem.headers else None
            code = (problem.reason or "error").lower().replace(" ", "_")
            return refuse(
                problem.status, code, f"{request.path[:LONGEST]}: {problem.reason}", allow
            )

    return middleware
