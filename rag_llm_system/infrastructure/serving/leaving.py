"""Ends the work on a request whose client is gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import Response

from rag_llm_system.infrastructure.serving.sse import client_left

CLIENT_LEFT = 499
"""nginx's status for a client that closed the connection; nobody reads it but the metrics."""

T = TypeVar("T")


async def unless_left(request: Request, work: Coroutine[Any, Any, T]) -> T | Response:
    """What ``work`` gives. When the client leaves before, the work is cancelled.

    The request's body must have been read: what comes after it is that the client left.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(client_left(request.receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else Response(status_code=CLIENT_LEFT)
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
