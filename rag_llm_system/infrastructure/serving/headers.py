"""The headers that tell a browser what an answer may not do, on every answer."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_FORBIDDEN = "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
_POLICY = f"default-src 'self'; form-action 'self'; {_FORBIDDEN}"
# FastAPI's pages load Swagger UI and ReDoc from their CDN and start them by a script in the page. Who opens them
# lets that CDN's scripts ask this server; nobody has to, as /openapi.json says the same.
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; worker-src blob:; "
    "style-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net https://fonts.googleapis.com; "
    "font-src https://fonts.gstatic.com; img-src 'self' data: https://fastapi.tiangolo.com https://cdn.redoc.ly; "
    f"{_FORBIDDEN}"
)
_DOCS = {"/docs", "/redoc"}
_FILES = "/static/"
"""What browsers may keep, if they ask each time whether it is still the same; everything else is an answer."""


class SecurityHeaders:
    """Adds them; what a route set itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = headers_for(scope["path"])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sending)


def headers_for(path: str) -> dict[str, str]:
    """What an answer on that path carries."""
    caching = "no-cache" if path.startswith(_FILES) else "no-store"
    policy = _DOCS_POLICY if path in _DOCS else _POLICY
    return {**_EVERYWHERE, "Cache-Control": caching, "Content-Security-Policy": policy}
