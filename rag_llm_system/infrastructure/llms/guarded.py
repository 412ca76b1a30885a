"""What every answer over a wire passes: the circuit breaker and the timeouts."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from rag_llm_system.domain.errors import BackendError
from rag_llm_system.infrastructure.llms.breaker import CircuitBreaker
from rag_llm_system.infrastructure.llms.timeouts import Timeouts


async def guarded(
    pieces: AsyncGenerator[str], server: str, timeouts: Timeouts, breaker: CircuitBreaker
) -> AsyncGenerator[str]:
    """The pieces that are not empty. Raises BackendError where ``server`` is silent too long or known to be down."""
    with breaker.question() as answers:
        async with aclosing(pieces):
            piece = await _next(pieces, server, timeouts.read_s, "LLM_READ_TIMEOUT_S")
            while piece:
                answers()
                yield piece
                piece = await _next(pieces, server, timeouts.idle_s, "LLM_IDLE_TIMEOUT_S")


async def _next(
    pieces: AsyncGenerator[str], server: str, limit_s: float, setting: str
) -> str | None:
    """Empty pieces, comments and the like are no sign of life: a server that is stuck can send them for ever."""
    try:
        async with asyncio.timeout(limit_s):
            async for piece in pieces:
                if piece:
                    return piece
            return None
    except TimeoutError as error:
        raise BackendError(
            f"{server} sent nothing for {limit_s:g} s; look at its log, or raise {setting}"
        ) from error
