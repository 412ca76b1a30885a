"""What the RAG API needs of the system, and what its routes share."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from rag_llm_system.application.rag.answer import Answering
from rag_llm_system.application.rag.context import ContextBuilder
from rag_llm_system.application.rag.self_query import CurrentVocabulary
from rag_llm_system.domain.errors import DeadlineExceeded
from rag_llm_system.domain.ports import Tracer
from rag_llm_system.infrastructure.feedback_file import FeedbackFile
from rag_llm_system.infrastructure.inference_pipeline_api.governed import Governed
from rag_llm_system.infrastructure.serving.loading import Loading
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics


class System(Protocol):
    """What ``bootstrap.build`` gives, as far as the API uses it."""

    @property
    def answering(self) -> Answering: ...

    @property
    def tracer(self) -> Tracer: ...

    @property
    def vocabulary(self) -> CurrentVocabulary: ...

    @property
    def context_builder(self) -> ContextBuilder: ...

    @property
    def feedback(self) -> FeedbackFile: ...

    def warm_up(self) -> None: ...

    def close(self) -> None: ...


class Serving:
    """Made once for an app; routes take what they need from it."""

    def __init__(
        self,
        open_system: Callable[[], System],
        governed: Governed,
        metrics: ServerMetrics,
        *,
        deadline_s: float,
    ) -> None:
        self._open_system = open_system
        self.governed, self.metrics, self.deadline_s = governed, metrics, deadline_s
        self.loading: Loading[System]

    def start(self) -> None:
        """Begin to load what questions need."""
        self.loading = Loading(self._opened, what="the index")

    async def close(self) -> None:
        await self.loading.close(lambda system: system.close())

    async def system(self, within_s: float | None = None) -> System:
        """Waits while it is loading, at most as long as an answer may take; raises why it could not be built."""
        limit_s = self.deadline_s if within_s is None else within_s
        try:
            async with asyncio.timeout(limit_s):
                return await self.loading.value()
        except TimeoutError:
            raise DeadlineExceeded(
                f"the server is still loading after {limit_s:g} s; ask GET /ready when it is done"
            ) from None

    def _opened(self) -> System:
        system = self._open_system()
        try:
            system.warm_up()
        except BaseException:
            system.close()
            raise
        return system
