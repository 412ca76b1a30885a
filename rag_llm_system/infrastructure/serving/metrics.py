"""What a server counts about itself, for Prometheus."""

import time
from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# from a health check to an answer that a large model writes on a processor
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_CLIENT_LEFT = 499


class ServerMetrics:
    """The metrics of one server in a registry of their own; every name starts with ``rag_``, except the process's.

    Labels take few values: a path that no route has is counted as "other".
    """

    def __init__(self, name: str) -> None:
        registry = self.registry = CollectorRegistry()
        # memory, processor time and open files, as every Prometheus client names them; Linux only
        ProcessCollector(registry=registry)
        Gauge("rag_server_info", "Which server this is", ["server"], registry=registry).labels(
            name
        ).set(1)
        self._requests = Counter(
            "rag_http_requests",
            "Requests that were answered; 499: the client left first",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "rag_http_request_duration_seconds",
            "From a request's head to the last byte of its answer",
            ["method", "route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "rag_http_requests_in_flight", "Requests that are being answered", registry=registry
        )
        self._stages = Histogram(
            "rag_stage_duration_seconds",
            "How long a stage of an answer took",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._events = Counter("rag_events", "What happened, by name", ["event"], registry=registry)

    def install(self, app: FastAPI) -> None:
        """Counts what ``app`` is asked and serves ``GET /metrics``. Call it last: what others refuse counts too."""

        @app.get("/metrics", include_in_schema=False)
        async def metrics(request: Request) -> Response:
            encode, media_type = choose_encoder(request.headers.get("accept", ""))
            return Response(encode(self.registry), headers={"Content-Type": media_type})

        app.add_middleware(_Counting, metrics=self)

    def observe_stage(self, name: str, seconds: float) -> None:
        """One of a few names: "search", "generate"."""
        self._stages.labels(name).observe(seconds)

    def count(self, name: str, by: float = 1) -> None:
        """One of a few names: "generation_cancelled", "answer_ungrounded"."""
        self._events.labels(name).inc(by)

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """A value that is read when somebody asks, named ``rag_<name>``; the name ends with its unit."""
        Gauge(f"rag_{name}", meaning, registry=self.registry).set_function(read)

    def began(self) -> None:
        self._in_flight.inc()

    def ended(self, method: str, route: str, *, status: int, seconds: float) -> None:
        self._in_flight.dec()
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class _Counting:
    def __init__(self, app: ASGIApp, metrics: ServerMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = _CLIENT_LEFT

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        self._metrics.began()
        try:
            await self._app(scope, receive, sending)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            seconds = time.perf_counter() - began
            self._metrics.ended(method, _route(scope), status=status, seconds=seconds)


def _route(scope: Scope) -> str:
    """The route that was found, never a path that somebody made up."""
    route = scope.get("route")
    if route is None:
        # a mounted app names no route, but where it is mounted
        return str(scope["root_path"] or "other") if "endpoint" in scope else "other"
    # a prefix that a router got when it was included is missing in its templates; a path without parameters is its own
    return str(route.path if scope.get("path_params") else scope["path"])
