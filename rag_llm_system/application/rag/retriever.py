"""Finds the chunks that a question needs: understood, searched everywhere at once, one global cut, reranked."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, NamedTuple

from rag_llm_system.application.indexing import live_collections
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.application.preprocessing.terms import query_terms
from rag_llm_system.application.rag.budget import UNLIMITED, Budget, Estimates, Run
from rag_llm_system.application.rag.candidates import Asked, Worded, find, find_words
from rag_llm_system.application.rag.expanding import Expanding
from rag_llm_system.application.rag.fusion import FUSIONS, Ranked
from rag_llm_system.application.rag.index_version import IndexVersion
from rag_llm_system.application.rag.passage_texts import ChunkText, load_texts
from rag_llm_system.application.rag.question import Question, encoded
from rag_llm_system.application.rag.reranking import RERANKED, Reranking
from rag_llm_system.application.rag.self_query import SelfQuery, relaxed
from rag_llm_system.application.rag.sizes import Sizes
from rag_llm_system.domain.answers import Context, ContextChunk
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import Embedder, Span, Tracer, VectorStore
from rag_llm_system.domain.queries import Interpretation, Query, Stages, matches

DEFAULT_K = 9
MAX_K = 1000

_POOL = 64
"""Points that each search brings from each collection, where no more are asked for: twice what is reranked."""

_ATTEMPTS = 3

_SHOWN = (
    "chunk_id", "document_id", "category", "title", "link", "author_full_name", "start", "end",
)  # fmt: skip
_SHOWN_WHERE_KNOWN = (
    "headings", "source_file", "language", "start_line", "end_line", "symbol", "symbols",
)  # fmt: skip


class _Search(NamedTuple):
    """Where to search, and for what."""

    collections: Mapping[str, str]
    asked: Asked


class ContextRetriever:
    """Stages that are None do not run; ``stages.ranking`` decides between meaning, words and both."""

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        tracer: Tracer,
        table: Mapping[str, Category] = CATEGORIES,
        *,
        stages: Stages = Stages(),  # noqa: B008 - frozen
        self_query: SelfQuery | None = None,
        expander: Expanding | None = None,
        reranking: Reranking | None = None,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._tracer = tracer
        self._table = table
        self._ranking = stages.ranking
        self._sizes = Sizes(store)
        self._version = IndexVersion(store)
        self._estimates = Estimates()
        self._self_query = self_query
        self._expander = expander
        self._reranking = reranking

    def search(self, query: Query, k: int = DEFAULT_K) -> list[ContextChunk]:
        """The chunks of :meth:`retrieve`."""
        return list(self.retrieve(query, k).chunks)

    def retrieve(
        self,
        query: Query,
        k: int = DEFAULT_K,
        *,
        self_query: bool = True,
        budget: Budget = UNLIMITED,
    ) -> Context:
        """The k best chunks, best first, each once and numbered from 1; none when nothing is indexed.

        What the question says about its sources must hold, and is given up step by step when nothing meets it; what
        ``query.where`` says must hold in any case. Stages for which the budget has no room are left out. Raises
        IncompatibleCollection when a collection was made with another encoder, ConfigurationError for an empty
        question, and DeadlineExceeded between two stages.
        """
        if not 1 <= k <= MAX_K:
            raise ConfigurationError(f"k is {k}; it must be from 1 to {MAX_K}")
        if not query.text.strip():
            raise ConfigurationError("the question is empty; ask something")
        run = Run(budget, self._estimates)
        # asked for once: all of one search sees one encoder, also while another goes live
        collections = live_collections(self._store, self._embedder, self._table)
        with self._stage("self_query", run, query=query.text) as span:
            interpretation = self._interpretation(query) if self_query else Interpretation()
            span.record(understood=[one.label for one in interpretation.conditions])
        search = self._search_of(collections, query, interpretation, k)
        with ThreadPoolExecutor(1) as beside:  # words do not wait for the encoder
            worded = beside.submit(copy_context().run, self._worded, search)
            version = beside.submit(self._version.of, collections)
            with self._stage("embed", run, query=query.text):
                needs_tokens = self._reranking is not None and self._reranking.needs_tokens
                question = encoded(query.text, self._embedder, with_tokens=needs_tokens)
            chunks = self._chunks(question, search, run, worded.result())
        notes: list[str] = []
        for weaker, note in relaxed(interpretation):
            if chunks:
                break
            search = self._search_of(collections, query, weaker, k)
            chunks, notes = self._chunks(question, search, run), [note]
        return Context(
            chunks=chunks,
            interpretation=interpretation,
            notes=[*notes, *run.notes()],
            timings_s=run.timings,
            skipped=run.skipped,
            index_version=version.result(),
        )

    def _interpretation(self, query: Query) -> Interpretation:
        """Without what the caller decided."""
        if self._self_query is None:
            return Interpretation()
        found = self._self_query.interpret(query.text)
        return Interpretation(
            conditions=tuple(one for one in found.conditions if one.field not in query.where)
        )

    def _search_of(
        self, collections: Mapping[str, str], query: Query, found: Interpretation, k: int
    ) -> _Search:
        """A category is a collection: there is nothing to filter in it, and the others are not asked."""
        where = {**found.where, **query.where}
        wanted = where.pop("category", None)
        kept = {
            category: name
            for category, name in collections.items()
            if wanted is None or matches({"category": wanted}, {"category": category})
        }
        asked = Asked(
            terms=query_terms(query.text),
            where=where,
            k=k,
            pool=max(_POOL, k),
        )
        return _Search(kept, asked)

    def _worded(self, search: _Search) -> Worded:
        if self._ranking == "dense":
            return {}
        return find_words(self._store, search.collections, search.asked)

    def _chunks(
        self,
        question: Question,
        search: _Search,
        run: Run,
        worded: Worded | None = None,
    ) -> list[ContextChunk]:
        """Asks again when the index was replaced between finding a chunk and reading its content.

        A chunk whose first window is not there even so is being written at this moment: it is left out.
        """
        for _ in range(_ATTEMPTS):
            ranked = self._ranked(question, search, run, worded or self._worded(search))
            worded = None  # what was found before the index was replaced helps nobody
            wanted = ranked[: max(search.asked.k, RERANKED if self._reranking else 0)]
            with self._stage("load", run, chunks=len(wanted)):
                texts = load_texts(
                    self._store, search.collections, [one.candidate for one in wanted]
                )
            if len(texts) == len(wanted):
                break
        whole = [one for one in wanted if one.candidate.chunk_id in texts]
        if self._reranking is not None and run.has_room_for("reranking", "rerank"):
            with self._stage("rerank", run, chunks=min(len(whole), RERANKED)):
                whole = _reranked(self._reranking, question, search.collections, whole, texts)
        return [
            _numbered(n, one, texts[one.candidate.chunk_id])
            for n, one in enumerate(whole[: search.asked.k], start=1)
        ]

    def _ranked(
        self, question: Question, search: _Search, run: Run, worded: Worded
    ) -> list[Ranked]:
        ranked = self._found(question, search, run, worded)
        if self._expander is not None and ranked and self._may_expand(question, run):
            within_s = run.budget.left_s - run.budget.reserved_s
            with self._stage("expansion", run, query=question.text):
                expanded = self._expander.expanded(
                    question, ranked, search.collections, within_s=within_s
                )
            if expanded is not None:
                ranked = self._found(expanded, search, run, worded)
        return ranked

    def _may_expand(self, question: Question, run: Run) -> bool:
        """There is room for it, and for all that would come behind it."""
        tokens = self._expander.tokens(question) if self._expander else 0
        return run.has_room_for("expansion", "expansion", "search", "load", "rerank", tokens=tokens)

    def _found(self, question: Question, search: _Search, run: Run, worded: Worded) -> list[Ranked]:
        """Best first; ties by chunk id."""
        asked = search.asked
        with self._stage("search", run, k=asked.k, where=dict(asked.where)) as span:
            found = find(
                self._store,
                search.collections,
                asked,
                question.vector,
                worded,
                sizes=self._sizes,
                by_meaning=self._ranking != "bm25",
            )
            scores = FUSIONS[self._ranking](found)
            ranked = [Ranked(*both) for both in zip(found, scores, strict=True)]
            ranked.sort(key=lambda one: (-one.relevance, one.candidate.chunk_id))
            span.record(found=[f"{r.relevance:.3f} {r.candidate.chunk_id}" for r in ranked[:10]])
        return ranked

    @contextmanager
    def _stage(self, name: str, run: Run, **inputs: Any) -> Iterator[Span]:
        """A span, and its seconds."""
        with run.stage(name), self._tracer.span(name, inputs=inputs) as span:
            yield span


def _reranked(
    reranking: Reranking,
    question: Question,
    collections: Mapping[str, str],
    ranked: Sequence[Ranked],
    texts: Mapping[str, ChunkText],
) -> list[Ranked]:
    """The first ones in their new order, the others behind them in their old one."""
    top = ranked[:RERANKED]
    scores = reranking.relevance(
        question,
        collections,
        [texts[one.candidate.chunk_id] for one in top],
        [one.relevance for one in top],
    )
    # fewer scores than chunks: time ran out
    new = [one._replace(relevance=score) for one, score in zip(top, scores, strict=False)]
    new.sort(key=lambda one: (-one.relevance, one.candidate.chunk_id))
    return [*new, *ranked[len(new) :]]


def _numbered(n: int, ranked: Ranked, text: ChunkText) -> ContextChunk:
    """As the answer cites it; what only some kinds of documents have is left out where it is not known."""
    payload, found = text.payload, ranked.candidate
    shown = {name: payload[name] for name in _SHOWN}
    known = {name: payload[name] for name in _SHOWN_WHERE_KNOWN if name in payload}
    return ContextChunk(
        n=n,
        score=found.cosine,
        relevance=ranked.relevance,
        content=text.content,
        window=text.windows[text.best],
        **shown,
        **known,
    )
