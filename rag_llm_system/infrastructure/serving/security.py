"""Who may ask a server: host names, other sites' pages, API keys, rates and bodies, checked before any route."""

from fastapi import FastAPI, Request
from pydantic import Field
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.infrastructure.serving.bodies import (
    BODY_TIMEOUT_S,
    MAX_BODY_BYTES,
    JsonBodies,
)
from rag_llm_system.infrastructure.serving.errors import error_response, one_line, retry_after
from rag_llm_system.infrastructure.serving.headers import SecurityHeaders
from rag_llm_system.infrastructure.serving.heads import unreadable
from rag_llm_system.infrastructure.serving.hosts import (
    LOOPBACK_HOSTS,
    host_name,
    is_loopback,
    parse_hosts,
    parse_origins,
    same_site,
)
from rag_llm_system.infrastructure.serving.keys import ApiKey, key_of, parse_keys
from rag_llm_system.infrastructure.serving.limits import RateLimit
from rag_llm_system.infrastructure.serving.wire import wire_limits as wire_limits

OPEN_PATHS = frozenset({"/", "/health", "/ready", "/static"})
"""What needs no key: whether the server is up, and the chat page, which has no data of its own."""

_READING = {"GET", "HEAD", "OPTIONS"}
_ALLOWED_METHODS = "GET, POST, DELETE, OPTIONS"
_PREFLIGHT_S = "600"
_KEY_NAME = "key_name"


class Access(Value):
    """Who may ask. Without ``keys`` everybody who reaches the server; no ``allowed_hosts`` means any host name."""

    keys: tuple[ApiKey, ...] = ()
    rate_per_minute: int = Field(0, ge=0)
    cors_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = LOOPBACK_HOSTS
    max_body_bytes: int = Field(MAX_BODY_BYTES, ge=1)
    body_timeout_s: float = Field(BODY_TIMEOUT_S, gt=0)


def access_for(
    host: str,
    *,
    keys_setting: str,
    setting: str,
    rate_per_minute: int = 0,
    cors_origins: str = "",
    allowed_hosts: str = "",
) -> Access:
    """The access of a server that listens on ``host``, from the text of its settings.

    ``keys_setting`` is the list of keys and ``setting`` its name. Raises ConfigurationError for a list that cannot be
    read, and when others than this machine could ask without a key.
    """
    keys = parse_keys(keys_setting, setting)
    if not keys and not is_loopback(host):
        raise ConfigurationError(
            f"listening on {host} lets others ask, so it needs API keys: "
            f"poe make-api-key -- NAME makes one for {setting}"
        )
    hosts = parse_hosts(allowed_hosts)
    if hosts or not keys or is_loopback(host):
        hosts = tuple(dict.fromkeys((*LOOPBACK_HOSTS, *hosts)))
    return Access(
        keys=keys,
        rate_per_minute=rate_per_minute,
        cors_origins=parse_origins(cors_origins),
        allowed_hosts=hosts,
    )


def protect(app: FastAPI, access: Access, open_paths: frozenset[str] = OPEN_PATHS) -> None:
    """Checks every request of ``app``, and puts the security headers on every answer.

    Call it after ``install_error_handlers`` and before ``ServerMetrics.install``. A path in ``open_paths`` stands for
    what is below it too, except "/".
    """
    app.add_middleware(JsonBodies, max_bytes=access.max_body_bytes, timeout_s=access.body_timeout_s)
    app.add_middleware(_Guard, access=access, open_paths=open_paths)
    app.add_middleware(SecurityHeaders)


def key_name(request: Request) -> str:
    """The name of the key that a request came with; "" where the server wants none."""
    return str(getattr(request.state, _KEY_NAME, ""))


class _Guard:
    """One look at the head of each request; refused ones never reach a route."""

    def __init__(self, app: ASGIApp, *, access: Access, open_paths: frozenset[str]) -> None:
        self._app, self._access, self._open_paths = app, access, open_paths
        self._rate = RateLimit(access.rate_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        origin = Headers(scope=scope).get("origin", "")
        allowed = origin.lower() in self._access.cors_origins
        refused = self._refused(scope, origin_allowed=allowed)
        app: ASGIApp = refused or self._app
        await app(scope, receive, _telling(send, origin) if allowed else send)

    def _refused(self, scope: Scope, *, origin_allowed: bool) -> Response | None:
        """The answer to what may not pass, and to a browser that asks beforehand whether it would."""
        headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
        if wrong := unreadable(scope):
            return error_response(path, *wrong)
        host = headers.get("host", "")
        if self._access.allowed_hosts and host_name(host) not in self._access.allowed_hosts:
            said = (
                f"this server does not answer to the host {host[:100]!r}; ALLOWED_HOSTS can add it"
            )
            return error_response(path, 421, one_line(said))
        origin = headers.get("origin")
        if origin is not None and not origin_allowed and not same_site(origin, host):
            asks_first = method == "OPTIONS" and "access-control-request-method" in headers
            if asks_first or method not in _READING:
                said = (
                    f"a page of {origin[:100]!r} may not ask this server; CORS_ORIGINS can allow it"
                )
                return error_response(path, 403, one_line(said))
        if origin_allowed and method == "OPTIONS":
            return _preflight(headers)
        return self._without_right(scope)

    def _without_right(self, scope: Scope) -> Response | None:
        path = scope["path"]
        if path in self._open_paths or _is_below(path, self._open_paths):
            return None
        client = scope.get("client")
        caller = f"address:{client[0] if client else ''}"
        if self._access.keys:
            key = key_of(scope["headers"], self._access.keys)
            if key is None:
                said = "an API key is needed: Authorization: Bearer KEY, or X-API-Key: KEY"
                return error_response(path, 401, said, {"WWW-Authenticate": "Bearer"})
            caller = f"key:{key.name}"
            scope.setdefault("state", {})[_KEY_NAME] = key.name
        wait_s = self._rate.wait_s(caller)
        if wait_s:
            said = f"more than {self._access.rate_per_minute} requests a minute; try again later"
            return error_response(path, 429, said, retry_after(wait_s))
        return None


def _is_below(path: str, open_paths: frozenset[str]) -> bool:
    return any(path.startswith(f"{parent}/") for parent in open_paths if parent != "/")


def _preflight(headers: Headers) -> Response:
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": _ALLOWED_METHODS,
            # what a page may send is no secret, and the clients' own headers differ
            "Access-Control-Allow-Headers": headers.get("access-control-request-headers", ""),
            "Access-Control-Max-Age": _PREFLIGHT_S,
        },
    )


def _telling(send: Send, origin: str) -> Send:
    """Sends on what tells a browser that the page of ``origin`` may read the answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = "Retry-After"
            headers.add_vary_header("Origin")
        await send(message)

    return sending
