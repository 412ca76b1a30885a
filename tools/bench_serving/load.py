"""A number of clients that ask one after another, each as soon as it has its answer."""

import asyncio
import itertools
import json
import time
from collections.abc import Sequence
from typing import Any

import httpx

from rag_llm_system.domain.documents import Value

_TIMEOUT = httpx.Timeout(300.0, connect=10.0)


class Sample(Value):
    """One request: seconds to the first piece of its answer and to the last; ``error`` is "" when it went well."""

    first_s: float
    whole_s: float
    pieces: int
    error: str = ""


class Load(Value):
    """What a server did under it; ``seconds`` from the first request to the last answer."""

    clients: int
    seconds: float
    samples: tuple[Sample, ...]

    @property
    def errors(self) -> int:
        return sum(bool(one.error) for one in self.samples)

    @property
    def rate(self) -> float:
        return len(self.samples) / self.seconds

    def percentile(self, share: float, *, first: bool = False) -> float:
        """Of the seconds of those that went well; the nearest rank."""
        good = sorted(s.first_s if first else s.whole_s for s in self.samples if not s.error)
        return good[min(len(good) - 1, int(share * len(good)))] if good else float("nan")


def run_load(url: str, bodies: Sequence[dict[str, Any]], *, clients: int, requests: int) -> Load:
    """``requests`` in all, whose bodies are taken in turn."""
    return asyncio.run(_run(url, bodies, clients, requests))


async def _run(url: str, bodies: Sequence[dict[str, Any]], clients: int, requests: int) -> Load:
    waiting = iter(range(requests))
    turn = itertools.cycle(bodies)
    samples: list[Sample] = []
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(timeout=_TIMEOUT, limits=limits, trust_env=False) as http:

        async def client() -> None:
            for _ in waiting:
                samples.append(await _ask(http, url, next(turn)))

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        seconds = time.perf_counter() - began
    return Load(clients=clients, seconds=seconds, samples=tuple(samples))


async def _ask(http: httpx.AsyncClient, url: str, body: dict[str, Any]) -> Sample:
    began = time.perf_counter()
    first, pieces, error, ended = 0.0, 0, "", not body.get("stream")
    try:
        async with http.stream("POST", url, json=body) as response:
            if response.status_code != httpx.codes.OK:
                error = f"{response.status_code}: {(await response.aread())[:200]!r}"
            event = ""
            async for line in response.aiter_lines():
                event = line.removeprefix("event: ") if line.startswith("event: ") else event
                if not line.startswith("data: ") and body.get("stream"):
                    continue
                first = first or time.perf_counter() - began
                pieces += event == "token"
                if event in {"done", "error"}:
                    ended = True
                if event == "error":
                    error = str(json.loads(line.removeprefix("data: ")))
    except httpx.HTTPError as failure:
        error = type(failure).__name__
    if not ended and not error:
        error = "ended early"
    return Sample(first_s=first, whole_s=time.perf_counter() - began, pieces=pieces, error=error)
