"""What the RAG API needs of the system, and what its routes share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from anyio.to_thread import run_sync

from rag_llm_system.application.rag.answer import Assistant
from rag_llm_system.application.rag.context import ContextBuilder
from rag_llm_system.application.rag.self_query import CurrentVocabulary
from rag_llm_system.domain.errors import DeadlineExceeded
from rag_llm_system.domain.films import Preference
from rag_llm_system.domain.ports import Tracer
from rag_llm_system.infrastructure.feedback_file import FeedbackFile
from rag_llm_system.infrastructure.inference_pipeline_api.assistants import DEFAULT_K
from rag_llm_system.infrastructure.inference_pipeline_api.governed import Governed
from rag_llm_system.infrastructure.serving.loading import Loading
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics


class FilmPreferences(Protocol):
    """What users told of their taste in films, each user by themselves."""

    def add(self, user: str, text: str) -> Preference:
        """Keeps it at once; "I have seen Heat" as a film seen."""
        ...

    def all(self, user: str) -> Sequence[Preference]: ...

    def remove(self, user: str, id: str) -> bool:
        """Whether it was there."""
        ...


class System(Protocol):
    """What ``bootstrap.build`` gives, as far as the API uses it."""

    def assistant_named(self, name: str) -> Assistant:
        """Raises ConfigurationError for one that is not known, or has nothing to answer from."""
        ...

    def assistants(self) -> Sequence[str]:
        """The names of those that have something to answer from."""
        ...

    def repositories(self) -> Sequence[str]:
        """The names of the code bases that are indexed."""
        ...

    @property
    def film_preferences(self) -> FilmPreferences: ...

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
        default_k: Mapping[str, int] = DEFAULT_K,
    ) -> None:
        self._open_system = open_system
        self.governed, self.metrics, self.deadline_s = governed, metrics, deadline_s
        self._default_k = {**DEFAULT_K, **default_k}
        self.loading: Loading[System]

    def start(self) -> None:
        """Begin to load what questions need."""
        self.loading = Loading(self._opened, what="the index")

    async def close(self) -> None:
        await self.loading.close(lambda system: system.close())

    def default_k(self, assistant: str) -> int:
        """How much it retrieves for a request that does not say; for one that there is not, any number."""
        return self._default_k.get(assistant, 1)

    async def system(self, within_s: float | None = None) -> System:
        """Waits while it is loading, at most as long as an answer may take; raises why it could not be built."""
        async with self._in_time(within_s):
            return await self.loading.value()

    async def assistant(self, name: str, within_s: float | None = None) -> Assistant:
        """As :meth:`system`. What an assistant is made of is loaded when it is asked for the first time."""
        async with self._in_time(within_s):
            system = await self.loading.value()
            return await run_sync(system.assistant_named, name, abandon_on_cancel=True)

    @asynccontextmanager
    async def _in_time(self, within_s: float | None) -> AsyncIterator[None]:
        limit_s = self.deadline_s if within_s is None else within_s
        try:
            async with asyncio.timeout(limit_s):
                yield
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
