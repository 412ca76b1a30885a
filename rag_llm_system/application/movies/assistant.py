"""Recommends films: what is asked for, what the user likes and has seen, candidates, and an answer about them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing, contextmanager, nullcontext
from functools import partial
from typing import Protocol

from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.conversation import Meant, meant
from rag_llm_system.application.movies.offer import film_passages, offer_of
from rag_llm_system.application.movies.preferences import Preferences
from rag_llm_system.application.movies.request import literal, understand
from rag_llm_system.application.movies.writing import FilmWriter, Recommended
from rag_llm_system.application.rag.asking import Asked, Limiter, Piece, Retrieved
from rag_llm_system.application.rag.budget import Budget
from rag_llm_system.application.rag.prepared import Found
from rag_llm_system.application.rag.streaming import in_thread, produced, within
from rag_llm_system.domain.answers import Answer, Context
from rag_llm_system.domain.errors import DataError, MissingFile
from rag_llm_system.domain.films import FilmRequest, Recommendations, SimilarPreference
from rag_llm_system.domain.ports import Span, Tracer


class Recommender(Protocol):
    """Finds the films that a request may be answered with."""

    def recommend(
        self,
        request: FilmRequest,
        preferences: Sequence[SimilarPreference] = (),
        seen: Sequence[str] = (),
        k: int = 5,
    ) -> Recommendations: ...


class MovieAssistant:
    """Has the face of ``Answering``; threads and tasks may share it. ``Asked.user`` is whose taste counts, "" nobody's.

    ``defence`` takes out of the films' texts what speaks to a model.
    """

    def __init__(
        self,
        recommender: Recommender,
        preferences: Preferences,
        catalogue: Callable[[], FilmCatalogue],
        writer: FilmWriter,
        tracer: Tracer,
        *,
        defence: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recommender = recommender
        self._preferences = preferences
        self._catalogue = catalogue
        self._writer = writer
        self._tracer = tracer
        self._defence = defence
        self._clock = clock

    @property
    def model_id(self) -> str:
        """What writes its answers."""
        return self._writer.model_id

    def retrieve(self, asked: Asked) -> Retrieved:
        """The candidates, each as the whole text of its film."""
        return self._retrieved(asked, self._budget(asked))

    async def aretrieve(self, asked: Asked, limiter: Limiter | None = None) -> Retrieved:
        """As :meth:`retrieve`, in a thread; at the deadline it is not waited for any more."""
        budget = self._budget(asked)
        async with within(budget, "retrieval"), limiter or nullcontext():
            return await asyncio.to_thread(self._retrieved, asked, budget)

    def answer(self, asked: Asked) -> Answer:
        """The recommendations; where no film fits, what leaves none. The deadline is looked at between pieces."""
        budget = self._budget(asked)
        with self._span("rag", asked) as span:
            answer = self._written(self._recommended(asked, budget), budget, span.trace_id)
            span.record(answer=answer.text, sources=[one.link for one in answer.sources])
            return answer

    async def events(
        self, asked: Asked, limiter: Limiter | None = None
    ) -> AsyncGenerator[Found | Piece | Answer]:
        """The candidates as sources, the text in pieces that stay as they are, then the whole answer.

        Raises DeadlineExceeded on time. Closing this cancels all of it.
        """
        async with aclosing(produced(partial(self._produce, asked, limiter))) as events:
            async for event in events:
                yield event

    async def _produce(
        self,
        asked: Asked,
        limiter: Limiter | None,
        give: Callable[[Found | Piece | Answer], Awaitable[None]],
    ) -> None:
        budget = self._budget(asked)
        with self._span("rag", asked) as span:
            async with within(budget, "retrieval"), limiter or nullcontext():
                recommended = await asyncio.to_thread(self._recommended, asked, budget)
            async with within(budget, "generation"):
                await give(recommended.found(span.trace_id))
                answer = await self._awritten(recommended, span.trace_id, give)
                span.record(answer=answer.text, sources=[one.link for one in answer.sources])
                await give(answer)

    def _budget(self, asked: Asked) -> Budget:
        return Budget.of(asked.deadline_s, asked.max_tokens, clock=self._clock)

    def _retrieved(self, asked: Asked, budget: Budget) -> Retrieved:
        with self._span("retrieve", asked) as span:
            what, found = self._search(asked, budget)
            chunks = film_passages(found.candidates)
            span.record(films=[chunk.title for chunk in chunks])
            notes = Recommended.notes_of(found)
            context = Context(chunks=chunks, notes=notes, timings_s=found.timings_s)
            condensed = _condensed(asked, what)
            return Retrieved(
                context=context.model_copy(update={"condensed": condensed}), trace_id=span.trace_id
            )

    def _recommended(self, asked: Asked, budget: Budget) -> Recommended:
        what, found = self._search(asked, budget)
        started = time.perf_counter()
        condensed = _condensed(asked, what)
        offer = offer_of(condensed or asked.query.text, found, defence=self._defence)
        timings_s = {**found.timings_s, "context": time.perf_counter() - started}
        budget.check("context")
        return Recommended(
            asked.query.text, condensed, offer, budget.max_tokens, timings_s, self._writer.model_id
        )

    def _search(self, asked: Asked, budget: Budget) -> tuple[Meant, Recommendations]:
        """What is asked for, and the films that may be recommended."""
        catalogue = self._catalogue()
        if not len(catalogue):
            raise MissingFile("no films are indexed yet; run poe movies-index")
        if asked.query.where:
            raise DataError(
                f"films are not filtered by {', '.join(sorted(asked.query.where))}; say it in the question, such as"
                ' "a comedy from the 90s with Bill Murray"'
            )
        timings_s: dict[str, float] = {}
        with self._stage("understand", timings_s, budget, query=asked.query.text) as span:
            reading = partial(understand, catalogue=catalogue) if asked.self_query else literal
            what = meant(asked.query.text, asked.history, reading)
            span.record(understood=list(what.request.labels), subject=what.request.subject)
        with self._stage("preferences", timings_s, budget) as span:
            mine = self._preferences
            similar = mine.similar(asked.user, what.request.text) if asked.user else []
            seen = mine.seen(asked.user) if asked.user else []
            span.record(similar=len(similar), seen=len(seen))
        with self._stage("recommend", timings_s, budget) as span:
            found = self._recommender.recommend(
                what.request,
                preferences=tuple(similar),
                seen=(*seen, *what.shown),
                k=what.request.count or asked.k,
            )
            span.record(films=[one.film.title for one in found.candidates])
        return what, found.model_copy(update={"timings_s": {**found.timings_s, **timings_s}})

    def _written(self, recommended: Recommended, budget: Budget, trace_id: str) -> Answer:
        started = time.perf_counter()
        text = recommended.text(self._writer)
        if recommended.offer.films:
            with self._generating(recommended) as span:
                pieces = self._writer.write(recommended.offer, max_tokens=recommended.max_tokens)
                try:
                    for piece in pieces:
                        budget.check("generation")
                        text.add(piece)
                finally:
                    if isinstance(pieces, Generator):
                        pieces.close()
                text.finish()
                span.record(answer=text.text, notes=text.notes())
        else:
            text.finish()
        return recommended.answer(text, trace_id, time.perf_counter() - started)

    async def _awritten(
        self, recommended: Recommended, trace_id: str, give: Callable[[Piece], Awaitable[None]]
    ) -> Answer:
        started = time.perf_counter()
        text = recommended.text(self._writer)
        if recommended.offer.films:
            with self._generating(recommended) as span:
                async with aclosing(self._apieces(recommended)) as pieces:
                    async for piece in pieces:
                        if shown := text.add(piece):
                            await give(Piece(text=shown))
                rest = text.finish()
                span.record(answer=text.text, notes=text.notes())
        else:
            rest = text.finish()
        if rest:
            await give(Piece(text=rest))
        return recommended.answer(text, trace_id, time.perf_counter() - started)

    def _apieces(self, recommended: Recommended) -> AsyncGenerator[str]:
        offer, limit = recommended.offer, recommended.max_tokens
        pieces = self._writer.awrite(offer, max_tokens=limit)
        if pieces is not None:
            return pieces
        return in_thread(partial(self._writer.write, offer, max_tokens=limit))

    @contextmanager
    def _stage(
        self, name: str, timings_s: dict[str, float], budget: Budget, **inputs: str
    ) -> Iterator[Span]:
        """A span, and its seconds. Raises DeadlineExceeded before it begins."""
        budget.check(name)
        started = time.perf_counter()
        with self._tracer.span(name, inputs=inputs) as span:
            yield span
        timings_s[name] = time.perf_counter() - started

    def _span(self, name: str, asked: Asked) -> AbstractContextManager[Span]:
        return self._tracer.span(name, inputs={"query": asked.query.text, "k": asked.k})

    def _generating(self, recommended: Recommended) -> AbstractContextManager[Span]:
        inputs = {
            "model": self._writer.model_id,
            "prompt_version": self._writer.prompt_version,
            "films": len(recommended.offer.films),
        }
        return self._tracer.span("generate", kind="llm", inputs=inputs)


def _condensed(asked: Asked, what: Meant) -> str:
    """The whole request that was made of a follow-up, "" where it was whole."""
    return what.request.text if what.request.text != asked.query.text else ""
