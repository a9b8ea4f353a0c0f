"""Who may ask, and what an answer may make the browser do.

* **Host**: only names of this machine, so that no other site's name can be made to point here (DNS
  rebinding). **Origin**: a request that changes something comes from our own page.
* **Token**: in a cookie that the address printed by the command sets, or in ``Authorization``.
* **Size**: a body is no larger than what is expected, by header and by count.
* **Headers**: the page may load from here alone, and may not be framed by others.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse, Response

Scope = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
COOKIE = "afterscene"
LARGEST_BODY = 64 << 10
"""Bytes of a body that is no upload."""
SAFE = ("GET", "HEAD", "OPTIONS")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True, kw_only=True)
class Guard:
    """ASGI: the app behind these rules. ``uploads`` is the path whose bodies may be large."""

    app: App
    token: str
    port: int
    uploads: str
    largest: int

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        refused = self._refused(scope, headers)
        if refused is not None:
            await refused(scope, receive, _with_headers(send))
            return
        limit = self.largest if scope["path"] == self.uploads else LARGEST_BODY
        await self.app(scope, _counted(receive, limit), _with_headers(send))

    def _refused(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        hosts = {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in hosts:
            return PlainTextResponse("this name is not one of this machine", 421)
        if scope["method"] not in SAFE and origin not in (None, f"http://{host}"):
            return PlainTextResponse("this page may not ask", 403)
        length = headers.get("content-length", "0")
        limit = self.largest if scope["path"] == self.uploads else LARGEST_BODY
        if not length.isdigit() or int(length) > limit:
            return PlainTextResponse(f"more than {limit:,} bytes; give a smaller file", 413)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and self._right(given):
            return self._let_in()
        if not self._right(_told(headers)):
            return PlainTextResponse(
                "Open the address that `afterscene studio` printed: it holds the key.", 401
            )
        return None

    def _right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())

    def _let_in(self) -> Response:
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE, self.token, httponly=True, samesite="strict", max_age=365 * 24 * 3600
        )
        return answer


def _told(headers: Mapping[str, str]) -> str:
    """The token of a request, "" for none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _counted(receive: Any, limit: int) -> Any:
    """``receive`` that ends a body which is longer than its header said."""
    left = limit

    async def counted() -> dict[str, Any]:
        nonlocal left
        message: dict[str, Any] = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return counted


def _with_headers(send: Any) -> Any:
    """``send`` that adds :data:`HEADERS`, but for those that are set."""

    async def added(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            more = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in there]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return added
